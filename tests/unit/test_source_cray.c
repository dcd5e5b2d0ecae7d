/*
 * test_source_cray.c - pm_counters: texts, coherent sets, restarts, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/track.h"
#include "source/cray.h"
#include "support/sourced.h"

#define CRAY "sys/cray/pm_counters/"

static int set_up(void **state)
{
	return sourced_set_up(state, &es_source_cray);
}

/* As the blade's controller writes a file: @t_ms after some start. */
static void show(const struct sourced *f, const char *file, uint64_t number, char unit,
		 int64_t t_ms)
{
	char path[128], text[128];

	(void)snprintf(path, sizeof(path), CRAY "%s", file);
	(void)snprintf(text, sizeof(text), "%llu %c %lld us\n", (unsigned long long)number, unit,
		       (long long)(1734094386462336 + t_ms * 1000));
	sourced_put(f, path, text);
}

static void texts_are_parsed_or_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t number;
		char unit;
		int64_t t_us;
	} rows[] = {
		{ "100 W 1734094386462336 us\n", 0, 100, 'W', 1734094386462336 },
		{ "12345678 J 1734094386462336 us\n", 0, 12345678, 'J', 1734094386462336 },
		{ "85 W\n", 0, 85, 'W', 0 },
		{ "4242\n", 0, 4242, 0, 0 },
		{ "", -ENODATA, 0, 0, 0 },
		{ "\n", -EBADMSG, 0, 0, 0 },
		{ "12", -EBADMSG, 0, 0, 0 },
		{ "12 J 17340", -EBADMSG, 0, 0, 0 },
		{ "12 J 17340 ms\n", -EBADMSG, 0, 0, 0 },
		{ "12 X\n", -EBADMSG, 0, 0, 0 },
		{ "-5 J\n", -EBADMSG, 0, 0, 0 },
		{ "n/a J\n", -EBADMSG, 0, 0, 0 },
		{ "12 J us\n", -EBADMSG, 0, 0, 0 },
		{ "12 J 3 us 4\n", -EBADMSG, 0, 0, 0 },
		{ "18446744073709551616 J\n", -ERANGE, 0, 0, 0 },
		{ "1 J 9223372036854775807 us\n", -ERANGE, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct es_cray_value value = { .number = 7 };
		int r = es_cray_parse(rows[i].text, strlen(rows[i].text), &value);

		if (r != rows[i].r)
			fail_msg("'%s': %d", rows[i].text, r);
		if (r < 0) {
			assert_int_equal(value.number, 7);
			continue;
		}
		assert_true(value.number == rows[i].number && value.unit == rows[i].unit);
		assert_true(value.has_time == (rows[i].t_us > 0) && value.t_us == rows[i].t_us);
	}
}

static void files_filled_up_with_nuls_are_read(void **state)
{
	struct es_cray_value value;
	char text[4096] = "85 W\n";

	(void)state;
	assert_int_equal(es_cray_parse(text, sizeof(text), &value), 0);
	assert_int_equal(value.number, 85);
	text[0] = '\0';
	assert_int_equal(es_cray_parse(text, sizeof(text), &value), -ENODATA);
}

static void the_node_contains_everything_and_the_parts_are_of_it(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *node, *cpus, *gpu;

	sourced_open(f, "cray-ex-amd");
	node = sourced_domain(f, "cray/node");
	cpus = sourced_domain(f, "cray/package");
	gpu = sourced_domain(f, "cray/gpu-3");

	assert_int_equal(f->source->n_domains, 7);
	assert_int_equal(node->type, ES_DOMAIN_NODE);
	assert_true(es_domain_contains(node, cpus) && es_domain_contains(node, gpu));
	assert_int_equal(cpus->parent, 0);
	assert_int_equal(cpus->package, -1);
	assert_int_equal(gpu->limit_mw, 560000);
	assert_int_equal(node->limit_mw, 0); /* 0 W: no cap */
	assert_true(node->range.unit_nj == 1000000000 && node->range.modulus_nj == 0);
	assert_int_equal(node->update_period_ns, 100 * ES_NS_PER_MS);
	assert_int_equal(node->kind, ES_KIND_MEASURED);
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	assert_true(f->readings[0].value ==
		    es_tree_shown_uj(&f->tree.zones[es_tree_find(&f->tree, "node")]));
}

static void readings_have_the_times_that_the_meter_wrote(void **state)
{
	struct sourced *f = *state;
	struct es_reading first, second;

	sourced_make(f, "cray-ex-amd");
	show(f, "energy", 5000, 'J', 0);
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	first = *sourced_read(f, "cray/node");
	/* Two milliseconds by the meter's clock, however late we come. */
	show(f, "energy", 5001, 'J', 2);
	while (es_clock_boot_ns() < first.t_ns + 5 * ES_NS_PER_MS)
		;
	second = *sourced_read(f, "cray/node");

	assert_int_equal(second.error, 0);
	assert_int_equal(second.t_ns - first.t_ns, 2 * ES_NS_PER_MS);
	assert_int_equal(second.value - first.value, 1000000);
}

static void a_value_that_is_not_new_is_no_reading(void **state)
{
	struct sourced *f = *state;
	int64_t t_ns;

	sourced_open(f, "cray-ex-amd");
	t_ns = sourced_read(f, "cray/node")->t_ns;
	assert_int_equal(sourced_read(f, "cray/node")->error, -ECANCELED);
	show(f, "energy", 9999, 'J', 100);
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	assert_true(f->readings[0].t_ns > t_ns);
}

struct changing {
	struct sourced *f;
	unsigned n_reads, n_changes;
};

/* Each read of freshness finds another number: the files are being refreshed all the time. */
static ssize_t read_while_it_changes(void *arg, int fd, void *data, size_t n)
{
	struct changing *changing = arg;
	char path[64], target[256];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	if (!strstr(target, "freshness") || changing->n_reads >= changing->n_changes)
		return pread(fd, data, n, 0);
	return snprintf(data, n, "%u\n", changing->n_reads++);
}

static void files_that_do_not_belong_together_are_read_again_three_times_at_most(void **state)
{
	struct sourced *f = *state;
	struct changing changing = { .f = f, .n_changes = 2 };
	struct es_root root;

	sourced_make(f, "cray-ex-amd");
	assert_int_equal(es_root_open(f->dir, -1, &root, NULL), 0);
	root.file_read = read_while_it_changes;
	root.file_arg = &changing;
	es_root_close(&f->root);
	f->root = root;
	assert_int_equal(f->ops->open(&f->root, &f->source, NULL), 0);

	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	assert_int_equal(changing.n_reads, 2);
	changing = (struct changing){ .f = f, .n_changes = 1000 };
	show(f, "energy", 9999, 'J', 100);
	assert_int_equal(sourced_read(f, "cray/node")->error, -EAGAIN);
	assert_int_equal(changing.n_reads, 6);
	changing.n_changes = 0;
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
}

static void feed(struct sourced *f, struct es_track *track)
{
	const struct es_reading *reading = sourced_read(f, "cray/node");
	struct es_sample samples[2];

	assert_int_equal(reading->error, 0);
	(void)es_track_feed(track, reading->t_ns, reading->value, samples);
}

static void a_counter_that_began_anew_is_a_reset_wherever_it_stands(void **state)
{
	struct sourced *f = *state;
	/* Below what it showed before, and above it. */
	static const uint64_t anew[] = { 10, 7000 };

	for (size_t i = 0; i < 2; i++) {
		struct es_domain domain;
		struct es_track track;
		struct es_sample samples[2];

		sourced_make(f, "cray-ex-amd");
		show(f, "energy", 5000, 'J', 0);
		assert_int_equal(sourced_open_as(f, -1, NULL), 0);
		domain = *sourced_domain(f, "cray/node");
		es_track_init(&track, &domain, 0);
		feed(f, &track);
		show(f, "energy", 5030, 'J', 100);
		usleep(1000);
		feed(f, &track);
		sourced_put(f, CRAY "startup", "1733999999999999\n");
		for (unsigned step = 0; step < 3; step++) {
			show(f, "energy", anew[i] + 20 * step, 'J', 200 + 100 * step);
			usleep(1000);
			feed(f, &track);
		}
		(void)es_track_finish(&track, samples);

		assert_int_equal(track.n_resets, 1);
		assert_int_equal(track.energy_uj, 30000000 + 40000000);
	}
}

static void faults_are_named_and_power_stands_in_for_energy(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_make(f, "cray-broken");
	assert_int_equal(sourced_open_as(f, (int64_t)getuid() + 12345, NULL), 0);
	d = sourced_domain(f, "cray/node");
	assert_int_equal(d->state, ES_STATE_ABSENT);
	assert_non_null(strstr(d->reason, "energy cannot be read"));
	d = sourced_domain(f, "cray/package");
	assert_int_equal(d->state, ES_STATE_UNPROVEN);
	assert_true(d->is_power && d->kind == ES_KIND_INTEGRATED);
	assert_non_null(strstr(d->reason, "its power is added up"));
	assert_int_equal(sourced_domain(f, "cray/dram")->state, ES_STATE_ABSENT);
	d = sourced_domain(f, "cray/gpu-0");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->reason, "root only"));
	assert_non_null(strstr(d->fix, "chgrp"));

	assert_int_equal(sourced_read(f, "cray/package")->error, 0);
	assert_int_equal(sourced_read(f, "cray/node")->error, -EBADMSG);
	assert_int_equal(f->readings[sourced_index(f, "cray/gpu-0")].error, -EACCES);
}

static void failing_and_vanishing_files_are_errors_and_come_back(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "cray-ex-amd");
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	f->failing_fd = -1;
	f->failure = EIO;
	assert_int_equal(sourced_read(f, "cray/node")->error, -EIO);
	f->failure = ENODEV;
	assert_int_equal(sourced_read(f, "cray/node")->error, -ENODEV);
	f->failing_fd = -2;
	show(f, "energy", 6000, 'J', 100);
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	sourced_put(f, CRAY "energy", "");
	assert_int_equal(sourced_read(f, "cray/node")->error, -ENODATA);
	sourced_put(f, CRAY "energy", "18446744073709551615 J\n");
	assert_int_equal(sourced_read(f, "cray/node")->error, -ERANGE);
	sourced_put(f, CRAY "energy", "100 W 1734094386462336 us\n");
	assert_int_equal(sourced_read(f, "cray/node")->error, -EBADMSG);
}

static void the_old_format_has_the_times_of_our_reads(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "cray-xc-old");
	assert_int_equal(f->source->n_domains, 3);
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	assert_int_equal(sourced_read(f, "cray/node")->error, 0);
	assert_true(llabs(es_clock_boot_ns() - f->readings[0].t_ns) < 10 * ES_NS_PER_S);
}

static void other_machines_have_none(void **state)
{
	struct sourced *f = *state;
	struct es_error err;

	sourced_make(f, "skx2s");
	assert_int_equal(sourced_open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "pm_counters"));
	sourced_put(f, CRAY "version", "2\n");
	assert_int_equal(sourced_open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "no counters"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		T(texts_are_parsed_or_refused),
		T(files_filled_up_with_nuls_are_read),
		T(the_node_contains_everything_and_the_parts_are_of_it),
		T(readings_have_the_times_that_the_meter_wrote),
		T(a_value_that_is_not_new_is_no_reading),
		T(files_that_do_not_belong_together_are_read_again_three_times_at_most),
		T(a_counter_that_began_anew_is_a_reset_wherever_it_stands),
		T(faults_are_named_and_power_stands_in_for_energy),
		T(failing_and_vanishing_files_are_errors_and_come_back),
		T(the_old_format_has_the_times_of_our_reads),
		T(other_machines_have_none),
	};
#undef T

	return cmocka_run_group_tests_name("source/cray", tests, NULL, NULL);
}
