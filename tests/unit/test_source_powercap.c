/*
 * test_source_powercap.c - the traps of powercap, each on a tree that the kernel could have made
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/cover.h"
#include "core/track.h"
#include "source/source.h"
#include "support/tree.h"

#define ZONE0 "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0"
#define READINGS_MAX 64

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[READINGS_MAX];
	/* What the seam does: */
	int failing_fd, failure;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->root.fd = -1;
	f->failing_fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_source_powercap.close(f->source);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void make(struct fixture *f, const char *model)
{
	es_tree_close(&f->tree);
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
}

static int open_as(struct fixture *f, int64_t uid, struct es_error *err)
{
	es_source_powercap.close(f->source);
	f->source = NULL;
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, uid, &f->root, NULL), 0);
	return es_source_powercap.open(&f->root, &f->source, err);
}

static void open_model(struct fixture *f, const char *model)
{
	make(f, model);
	assert_int_equal(open_as(f, -1, NULL), 0);
}

static struct es_domain *domain(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_domains; i++)
		if (strcmp(f->source->domains[i].id, id) == 0)
			return &f->source->domains[i];
	fail_msg("no domain '%s'", id);
	return NULL;
}

static size_t index_of(const struct fixture *f, const char *id)
{
	return (size_t)(domain(f, id) - f->source->domains);
}

static unsigned count_type(const struct fixture *f, enum es_domain_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->source->n_domains; i++)
		n += f->source->domains[i].type == type;
	return n;
}

static void read_all(struct fixture *f)
{
	assert_true(f->source->n_domains <= READINGS_MAX);
	assert_int_equal(es_source_powercap.read(f->source, f->readings, READINGS_MAX), 0);
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static void zone_ids_are_hexadecimal_and_all_eight_packages_are_found(void **state)
{
	struct fixture *f = *state;

	open_model(f, "spr8s");

	assert_int_equal(f->source->n_domains, 24);
	assert_int_equal(count_type(f, ES_DOMAIN_PACKAGE), 8);
	assert_int_equal(domain(f, "powercap/package-5")->package, 5); /* intel-rapl:a */
	assert_int_equal(domain(f, "powercap/dram-7")->package, 7); /* intel-rapl:e:0 */
	read_all(f);
	assert_int_equal(f->readings[index_of(f, "powercap/package-5")].value,
			 es_tree_shown_uj(&f->tree.zones[es_tree_find(&f->tree, "intel-rapl:a")]));
}

static void psys_is_a_sibling_of_packages_and_two_of_them_are_no_twins(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *psys, *psys1;

	open_model(f, "spr2s");
	psys = domain(f, "powercap/psys");
	psys1 = domain(f, "powercap/psys-1");

	assert_int_equal(psys->type, ES_DOMAIN_PSYS);
	assert_int_equal(psys1->type, ES_DOMAIN_PSYS);
	assert_int_equal(psys->parent, -1);
	assert_int_equal(psys->package, -1);
	assert_false(es_domain_is_twin(psys, psys1));
	/* It stands at the index at which naive tools look for the second package. */
	assert_string_equal(f->source->domains[2].name, "psys");
	assert_int_equal(domain(f, "powercap/package-1")->package, 1);
}

static void zones_are_known_by_their_names_never_by_their_index(void **state)
{
	struct fixture *f = *state;

	open_model(f, "client-psys");
	assert_int_equal(f->source->domains[1].type,
			 ES_DOMAIN_CORE); /* intel-rapl:0:0 on a client */
	assert_int_equal(f->source->domains[2].type, ES_DOMAIN_UNCORE);
	open_model(f, "skx2s");
	assert_int_equal(f->source->domains[1].type,
			 ES_DOMAIN_DRAM); /* intel-rapl:0:0 on a server */
	assert_string_equal(f->source->domains[1].id, "powercap/dram-0");
	assert_int_equal(f->source->domains[1].parent, 0);
}

static void the_flat_view_of_the_same_zones_is_not_walked_too(void **state)
{
	struct fixture *f = *state;

	open_model(f, "skx2s");

	assert_int_equal(f->source->n_domains, 4);
}

static void the_flat_view_serves_where_the_tree_is_absent(void **state)
{
	struct fixture *f = *state;
	static const char *const zones[][2] = {
		{ "intel-rapl:0", "package-0\n" },
		{ "intel-rapl:0:0", "dram\n" },
		{ "intel-rapl:a", "package-10\n" },
	};

	put(f, "sys/class/powercap/intel-rapl/enabled", "1\n");
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "sys/class/powercap/%s/name", zones[i][0]);
		put(f, path, zones[i][1]);
		(void)snprintf(path, sizeof(path), "sys/class/powercap/%s/energy_uj", zones[i][0]);
		put(f, path, "123\n");
		(void)snprintf(path, sizeof(path), "sys/class/powercap/%s/max_energy_range_uj",
			       zones[i][0]);
		put(f, path, "262143328850\n");
	}

	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 3);
	assert_int_equal(domain(f, "powercap/dram-0")->parent, index_of(f, "powercap/package-0"));
	assert_int_equal(domain(f, "powercap/package-10")->package, 10);
}

static void every_domain_has_its_own_range(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	open_model(f, "skx2s");
	d = domain(f, "powercap/package-0");
	assert_int_equal(d->range.unit_nj, 61035);
	assert_true(d->range.modulus_nj == (UINT64_C(1) << 32) * 61035);
	d = domain(f, "powercap/dram-1");
	assert_int_equal(d->range.unit_nj, 15300);
	assert_true(d->range.modulus_nj == (UINT64_C(1) << 32) * 15300);
	open_model(f, "spr2s");
	d = domain(f, "powercap/psys");
	assert_int_equal(d->range.unit_nj, 1000000000);
	assert_true(d->range.modulus_nj == (UINT64_C(1) << 32) * 1000000000);
	assert_int_equal(domain(f, "powercap/dram-0")->range.unit_nj, 61035);
	open_model(f, "amd1");
	assert_int_equal(domain(f, "powercap/package-0")->range.unit_nj, 15258);
}

static void kernels_before_whole_units_have_an_exact_modulus_too(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	open_model(f, "old-kernel");
	d = domain(f, "powercap/package-0");

	/* max_energy_range_uj is 262143999938 */
	assert_true(d->range.modulus_nj == UINT64_C(262144000000000));
	assert_int_equal(d->range.unit_nj, 61036);
	assert_int_equal(d->state, ES_STATE_UNPROVEN);
}

static void an_unknown_range_makes_a_step_back_a_reset(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;
	struct es_step step;

	make(f, "skx2s");
	put(f, ZONE0 "/max_energy_range_uj", "");
	assert_int_equal(open_as(f, -1, NULL), 0);
	d = domain(f, "powercap/package-0");

	assert_true(d->range.modulus_nj == 0);
	assert_non_null(strstr(d->reason, "range"));
	assert_int_equal(es_counter_advance(&d->range, 1000, 900, ES_NS_PER_S, d->peak_mw, &step),
			 -ESTALE);
	put(f, ZONE0 "/max_energy_range_uj", "18446744073709551615\n");
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "powercap/package-0")->range.modulus_nj == 0);
}

static void the_mmio_twin_is_listed_and_is_a_duplicate(void **state)
{
	struct fixture *f = *state;
	struct es_evidence evidence[READINGS_MAX];
	const struct es_domain *d;

	open_model(f, "client-psys");
	for (size_t i = 0; i < READINGS_MAX; i++)
		evidence[i] = (struct es_evidence){ .was_watched = true,
						    .has_moved = true,
						    .mirrors = -1 };
	es_cover_judge(f->source->domains, f->source->n_domains, evidence);
	d = domain(f, "powercap/intel-rapl-mmio:package-0");

	assert_string_equal(d->name, "package-0");
	assert_int_equal(d->state, ES_STATE_DUPLICATE);
	assert_int_equal(d->duplicate_of, index_of(f, "powercap/package-0"));
	assert_int_equal(domain(f, "powercap/package-0")->state, ES_STATE_OK);
}

static void amd_has_no_constraints_reads_disabled_and_its_core_is_one_core(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;
	char text[8];

	open_model(f, "amd-milan2s");
	assert_int_equal(es_root_read_line(&f->root, ZONE0 "/enabled", text, sizeof(text)), 1);
	assert_string_equal(text, "0");
	d = domain(f, "powercap/package-0");
	assert_int_equal(d->state, ES_STATE_UNPROVEN);
	assert_int_equal(d->limit_mw, 0);
	assert_false(d->is_partial);
	d = domain(f, "powercap/core-1");
	assert_true(d->is_partial);
	assert_non_null(strstr(d->reason, "one core only"));
	open_model(f, "client-psys");
	assert_false(domain(f, "powercap/core-0")->is_partial);
}

static void amd_is_known_by_its_counters_where_cpuinfo_is_missing(void **state)
{
	struct fixture *f = *state;
	char path[128];

	make(f, "amd1");
	(void)snprintf(path, sizeof(path), "%s/proc/cpuinfo", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "powercap/core-0")->is_partial);
	make(f, "amd-zen1-dies");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "powercap/package-0-die-1")->may_mirror);
}

static void dies_of_amd_can_be_mirrors_and_intels_cannot(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	open_model(f, "clxap");
	d = domain(f, "powercap/package-1-die-1");
	assert_int_equal(d->type, ES_DOMAIN_DIE);
	assert_int_equal(d->package, 1);
	assert_int_equal(d->die, 1);
	assert_false(d->may_mirror);
	d = domain(f, "powercap/dram-1-die-1");
	assert_int_equal(d->die, 1);
	assert_int_equal(d->parent, index_of(f, "powercap/package-1-die-1"));
	open_model(f, "amd-zen1-dies");
	assert_true(domain(f, "powercap/package-0-die-1")->may_mirror);
	assert_true(domain(f, "powercap/core-1-die-3")->is_partial);
}

static void other_control_types_count_only_where_they_have_energy(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	make(f, "skx2s");
	put(f, "sys/devices/virtual/powercap/dtpm/dtpm:0/name", "dtpm-root\n");
	put(f, "sys/devices/virtual/powercap/dtpm/dtpm:0/power_uw", "1000\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:0/name", "soc\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:0/energy_uj", "5\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:0/max_energy_range_uj", "999999\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:1/name", "gpu rail\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:1/power_uw", "77\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:1/arm_scmi:1:0/name", "package-0\n");
	put(f, "sys/devices/virtual/powercap/arm_scmi/arm_scmi:1/arm_scmi:1:0/energy_uj", "6\n");
	assert_int_equal(open_as(f, -1, NULL), 0);

	/* A zone in one without energy is there all the same, and a clear name says what it measures. */
	assert_int_equal(f->source->n_domains, 6);
	d = domain(f, "powercap/arm_scmi:package-0");
	assert_int_equal(d->type, ES_DOMAIN_PACKAGE);
	assert_false(d->is_partial);
	assert_int_equal(d->parent, -1);
	d = domain(f, "powercap/arm_scmi:soc");
	assert_int_equal(d->type, ES_DOMAIN_OTHER);
	assert_true(d->is_partial);
	assert_non_null(strstr(d->reason, "arm_scmi"));
	assert_true(d->range.modulus_nj == 1000000000);
	assert_int_equal(d->range.unit_nj, 1000);
}

static void counters_that_only_root_may_read_are_denied_with_the_command_that_helps(void **state)
{
	struct fixture *f = *state;
	int64_t uid = (int64_t)getuid() + 12345;
	const struct es_domain *d;
	char passwd[64], fix[256], command[512];

	make(f, "skx2s");
	/* As an ordinary user only our own group can be given. */
	(void)snprintf(passwd, sizeof(passwd), "ada:x:%lld:%u::/:/bin/sh\n", (long long)uid,
		       (unsigned)getgid());
	put(f, "etc/passwd", passwd);
	assert_int_equal(open_as(f, uid, NULL), 0);
	assert_int_equal(f->source->n_domains, 4);
	d = domain(f, "powercap/dram-1");
	assert_int_equal(d->state, ES_STATE_DENIED);
	(void)snprintf(
		fix, sizeof(fix),
		"sudo find /sys/devices/virtual/powercap -name energy_uj -exec chgrp %u {} + -exec chmod 0440 {} +",
		(unsigned)getgid());
	assert_string_equal(d->fix, fix);
	assert_true(d->range.modulus_nj > 0);
	read_all(f);
	assert_int_equal(f->readings[0].error, -EACCES);
	assert_true(f->readings[0].t_ns > 0);

	(void)snprintf(
		command, sizeof(command),
		"find %s/sys/devices/virtual/powercap -name energy_uj -exec chgrp %u {} + -exec chmod 0440 {} +",
		f->dir, (unsigned)getgid());
	assert_int_equal(system(command), 0);
	assert_int_equal(open_as(f, uid, NULL), 0);
	assert_int_equal(domain(f, "powercap/dram-1")->state, ES_STATE_UNPROVEN);
	read_all(f);
	assert_int_equal(f->readings[0].error, 0);
}

static void limits_are_read_and_a_makers_maximum_only_raises_what_is_plausible(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	make(f, "skx2s");
	assert_int_equal(open_as(f, -1, NULL), 0);
	d = domain(f, "powercap/package-0");
	assert_int_equal(d->limit_mw, 165000);
	assert_string_equal(d->limit_kind, "long_term");
	assert_true(d->peak_mw == es_peak_default_mw(ES_DOMAIN_PACKAGE));
	assert_int_equal(domain(f, "powercap/dram-0")->limit_mw, 0); /* 0 µW: no limit set */

	put(f, ZONE0 "/constraint_0_max_power_uw", "1100000000\n");
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "powercap/package-0")->peak_mw == 2200000);
	put(f, ZONE0 "/constraint_0_max_power_uw", "9223372036854775807\n");
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "powercap/package-0")->peak_mw ==
		    4 * es_peak_default_mw(ES_DOMAIN_PACKAGE));
}

static void readings_come_at_least_four_times_in_the_shortest_wrap(void **state)
{
	struct fixture *f = *state;
	struct es_plan plan;
	const struct es_domain *d;

	open_model(f, "skx2s");
	d = domain(f, "powercap/dram-0");
	assert_int_equal(es_source_powercap.plan(f->source, &plan), 0);
	assert_true(plan.at_least_ns == es_counter_wrap_ns(&d->range, d->peak_mw) / 4);
	assert_true(plan.at_most_ns == ES_NS_PER_MS);
	/* What cannot be read asks for nothing. */
	assert_int_equal(open_as(f, (int64_t)getuid() + 12345, NULL), 0);
	assert_int_equal(es_source_powercap.plan(f->source, &plan), 0);
	assert_true(plan.at_least_ns == INT64_MAX);
}

static void a_failed_reading_is_an_error_and_never_a_zero(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		int error;
	} texts[] = {
		{ "", -ENODATA },
		{ "\n", -ENODATA },
		{ "garbage\n", -EBADMSG },
		{ "-5\n", -EBADMSG },
		{ "12x\n", -EBADMSG },
		{ "0\n", 0 },
		{ "99999999999999999999999999999\n", -ERANGE },
		{ "77\n66\n", 0 },
	};

	open_model(f, "skx2s");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(f, ZONE0 "/energy_uj", texts[i].text);
		read_all(f);
		assert_int_equal(f->readings[0].error, texts[i].error);
		assert_int_equal(f->readings[1].error, 0);
	}
	assert_int_equal(f->readings[0].value, 77);
}

static ssize_t failing_read(void *arg, int fd, void *data, size_t n)
{
	struct fixture *f = arg;

	if (fd == f->failing_fd || (f->failing_fd == -2 && f->failure)) {
		errno = f->failure;
		return -1;
	}
	f->failing_fd = f->failing_fd == -3 ? fd : f->failing_fd;
	return pread(fd, data, n, 0);
}

static void open_with_seam(struct fixture *f)
{
	make(f, "skx2s");
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->root.file_read = failing_read;
	f->root.file_arg = f;
	/* The first descriptor that is read is the first domain's. */
	f->failing_fd = -3;
	f->failure = 0;
	assert_int_equal(es_source_powercap.open(&f->root, &f->source, NULL), 0);
}

static void errors_of_the_driver_are_passed_on(void **state)
{
	struct fixture *f = *state;
	static const int failures[] = { EINVAL, EIO, ENODATA };

	open_with_seam(f);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		f->failure = failures[i];
		if (f->failing_fd >= 0)
			read_all(f);
		assert_int_equal(f->readings[0].error, -failures[i]);
		assert_int_equal(f->readings[1].error, 0);
	}
}

static void a_zone_that_vanished_is_opened_again_when_it_is_the_same(void **state)
{
	struct fixture *f = *state;

	open_with_seam(f);
	f->failure = ENODEV;
	read_all(f); /* its descriptor is dead; the zone is there again: a new one works */
	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->readings[0].value, es_tree_shown_uj(&f->tree.zones[0]));
}

static void a_zone_that_vanished_for_good_is_not_tried_all_the_time(void **state)
{
	struct fixture *f = *state;

	open_with_seam(f);
	f->failure = ENODEV;
	put(f, ZONE0 "/name", "package-7\n"); /* another part now */
	read_all(f);
	assert_int_equal(f->readings[0].error, -ENODEV);
	assert_int_equal(f->readings[1].error, 0);
	put(f, ZONE0 "/name", "package-0\n");
	read_all(f); /* within 50 ms: not even looked at */
	assert_int_equal(f->readings[0].error, -ENODEV);
}

static void a_zone_that_came_back_is_found_without_looking_all_the_time(void **state)
{
	const struct timespec pause = { .tv_nsec = 60 * ES_NS_PER_MS };
	struct fixture *f = *state;

	open_with_seam(f);
	f->failure = ENODEV;
	put(f, ZONE0 "/name", "package-7\n");
	read_all(f);
	put(f, ZONE0 "/name", "package-0\n");
	(void)nanosleep(&pause, NULL);
	read_all(f);
	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->readings[0].value, es_tree_shown_uj(&f->tree.zones[0]));
}

static void a_zone_that_cannot_be_read_at_first_is_there_and_is_tried_again(void **state)
{
	const struct timespec pause = { .tv_nsec = 60 * ES_NS_PER_MS };
	struct fixture *f = *state;
	char shown[32];

	make(f, "skx2s");
	put(f, ZONE0 "/energy_uj", "4711"); /* cut off: no newline */
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "powercap/package-0")->state, ES_STATE_ABSENT);
	assert_true(domain(f, "powercap/package-0")->is_there);
	assert_true(strstr(domain(f, "powercap/package-0")->fix, "modprobe") != NULL);
	read_all(f);
	assert_int_equal(f->readings[0].error, -EBADMSG);
	(void)snprintf(shown, sizeof(shown), "%d\n", 4712);
	put(f, ZONE0 "/energy_uj", shown);
	(void)nanosleep(&pause, NULL);
	read_all(f);
	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->readings[0].value, 4712);
}

static void a_wrap_is_followed_to_one_raw_unit_and_a_standing_counter_adds_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t t_ns = 1000;
	struct es_track tracks[4];

	make(f, "skx2s");
	for (size_t i = 0; i < f->tree.n; i++)
		assert_int_equal(es_tree_set(&f->tree, i, ES_TREE_NEAR_WRAP), 0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		es_track_init(&tracks[i], &f->source->domains[i], 0);
	for (unsigned step = 0; step < 50; step++) {
		read_all(f);
		for (size_t i = 0; i < 4; i++) {
			struct es_sample samples[2];

			assert_int_equal(f->readings[i].error, 0);
			if (es_track_feed(&tracks[i], t_ns, f->readings[i].value, samples) > 0)
				assert_false(samples[0].is_gap);
			/* The last domain stands still. */
			if (i < 3)
				assert_int_equal(es_tree_advance(&f->tree, i, 163 * (i + 1)), 0);
		}
		t_ns += 10 * ES_NS_PER_MS;
	}
	for (size_t i = 0; i < 3; i++) {
		const struct es_tree_zone *zone = &f->tree.zones[i];
		uint64_t truth_uj = es_tree_energy_uj(zone, 49 * 163 * (i + 1));

		assert_int_equal(tracks[i].n_wraps, 1);
		/* Every window may be off by what truncation to µJ hides, the sum by no more than a unit. */
		assert_in_range(tracks[i].energy_uj, truth_uj - zone->num / zone->den - 1,
				truth_uj + zone->num / zone->den + 1);
	}
	assert_int_equal(tracks[3].energy_uj, 0);
	assert_int_equal(tracks[3].n_standing, 49);
	assert_false(tracks[3].has_moved);
}

static void links_out_of_the_tree_are_not_followed(void **state)
{
	struct fixture *f = *state;
	char path[192];

	make(f, "skx2s");
	(void)snprintf(path, sizeof(path), "%s/" ZONE0 "/energy_uj", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
		symlink("../../../../../../../../../../../../proc/sys/kernel/pid_max", path), 0);
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(domain(f, "powercap/package-0")->state, ES_STATE_ABSENT);
	assert_int_equal(domain(f, "powercap/dram-0")->state, ES_STATE_UNPROVEN);
}

static void a_fifo_in_the_place_of_a_counter_does_not_block(void **state)
{
	struct fixture *f = *state;
	char path[192];

	make(f, "skx2s");
	(void)snprintf(path, sizeof(path), "%s/" ZONE0 "/energy_uj", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0444), 0);

	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "powercap/package-0")->state, ES_STATE_ABSENT);
}

static void names_that_are_none_do_not_become_ids(void **state)
{
	struct fixture *f = *state;

	make(f, "skx2s");
	put(f, ZONE0 "/name", "pack\"age\n0");
	put(f, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:1/name", "package-1-die-x\n");
	put(f, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:xyz/name", "package-9\n");
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(f->source->n_domains, 4);
	assert_int_equal(domain(f, "powercap/intel-rapl:0")->type, ES_DOMAIN_OTHER);
	assert_int_equal(domain(f, "powercap/package-1-die-x")->type, ES_DOMAIN_OTHER);
}

static void machines_without_zones_say_what_they_have(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	char path[128];

	make(f, "no-meter");
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "no powercap zones"));
	assert_null(f->source);
	/* Docker puts an empty directory over the tree; the links to it stay. */
	make(f, "skx2s");
	(void)snprintf(path, sizeof(path), "%s/sys/devices/virtual/powercap", f->dir);
	es_tree_remove(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "container"));
}

static void readings_of_a_sweep_follow_each_other_in_time(void **state)
{
	struct fixture *f = *state;

	open_model(f, "spr8s");
	read_all(f);

	for (size_t i = 0; i < f->source->n_domains; i++) {
		assert_true(f->readings[i].width_ns >= 0);
		assert_true(i == 0 || f->readings[i].t_ns >= f->readings[i - 1].t_ns);
	}
	assert_int_equal(es_source_powercap.read(f->source, f->readings, 3), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(zone_ids_are_hexadecimal_and_all_eight_packages_are_found),
		T(psys_is_a_sibling_of_packages_and_two_of_them_are_no_twins),
		T(zones_are_known_by_their_names_never_by_their_index),
		T(the_flat_view_of_the_same_zones_is_not_walked_too),
		T(the_flat_view_serves_where_the_tree_is_absent),
		T(every_domain_has_its_own_range),
		T(kernels_before_whole_units_have_an_exact_modulus_too),
		T(an_unknown_range_makes_a_step_back_a_reset),
		T(the_mmio_twin_is_listed_and_is_a_duplicate),
		T(amd_has_no_constraints_reads_disabled_and_its_core_is_one_core),
		T(amd_is_known_by_its_counters_where_cpuinfo_is_missing),
		T(dies_of_amd_can_be_mirrors_and_intels_cannot),
		T(other_control_types_count_only_where_they_have_energy),
		T(counters_that_only_root_may_read_are_denied_with_the_command_that_helps),
		T(limits_are_read_and_a_makers_maximum_only_raises_what_is_plausible),
		T(readings_come_at_least_four_times_in_the_shortest_wrap),
		T(a_failed_reading_is_an_error_and_never_a_zero),
		T(errors_of_the_driver_are_passed_on),
		T(a_zone_that_vanished_is_opened_again_when_it_is_the_same),
		T(a_zone_that_vanished_for_good_is_not_tried_all_the_time),
		T(a_zone_that_came_back_is_found_without_looking_all_the_time),
		T(a_zone_that_cannot_be_read_at_first_is_there_and_is_tried_again),
		T(a_wrap_is_followed_to_one_raw_unit_and_a_standing_counter_adds_nothing),
		T(links_out_of_the_tree_are_not_followed),
		T(a_fifo_in_the_place_of_a_counter_does_not_block),
		T(names_that_are_none_do_not_become_ids),
		T(machines_without_zones_say_what_they_have),
		T(readings_of_a_sweep_follow_each_other_in_time),
	};
#undef T

	return cmocka_run_group_tests_name("source/powercap", tests, NULL, NULL);
}
