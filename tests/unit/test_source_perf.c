/*
 * test_source_perf.c - the traps of perf's energy events, with a test in the place of the kernel
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/track.h"
#include "source/source.h"
#include "support/tree.h"

#define EVENTS_MAX 64
#define READINGS_MAX 64
#define POWER "sys/devices/power"

/** struct event - what the stand-in for the kernel knows of an open event */
struct event {
	int fd, leader;
	uint32_t type;
	uint64_t config, count;
	int cpu;
};

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[READINGS_MAX];
	struct event events[EVENTS_MAX];
	size_t n_events;
	unsigned n_reads;
	uint64_t missing_config; /* this one does not exist in the processor: EINVAL */
	int refusal; /* of every event: negative errno */
	int read_failure; /* negative errno; 1: end of file; 2: one value short */
};

static int fake_open(void *arg, const struct perf_event_attr *attr, int cpu, int group_fd)
{
	struct fixture *f = arg;
	struct event *event = &f->events[f->n_events];

	assert_true(f->n_events < EVENTS_MAX);
	assert_int_equal(attr->size, sizeof(*attr));
	assert_int_equal(attr->sample_period, 0);
	assert_int_equal(attr->read_format, PERF_FORMAT_GROUP);
	assert_false(attr->disabled || attr->inherit || attr->exclude_kernel ||
		     attr->exclude_user || attr->exclude_idle);
	if (f->refusal)
		return f->refusal;
	if (attr->config == f->missing_config)
		return -EINVAL;
	*event = (struct event){
		.leader = group_fd, .type = attr->type, .config = attr->config, .cpu = cpu
	};
	event->fd = dup(0);
	assert_true(event->fd >= 0);
	event->leader = group_fd < 0 ? event->fd : group_fd;
	f->n_events++;
	return event->fd;
}

static ssize_t fake_read(void *arg, int fd, void *data, size_t n)
{
	struct fixture *f = arg;
	uint64_t out[EVENTS_MAX + 1];
	size_t n_out = 1;

	f->n_reads++;
	if (f->read_failure)
		return f->read_failure == 1 ? 0 : f->read_failure < 0 ? f->read_failure : 8;
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].leader == fd)
			out[n_out++] = f->events[i].count;
	if (n_out == 1)
		return 0; /* given up */
	assert_true(n_out * sizeof(*out) <= n);
	out[0] = n_out - 1;
	memcpy(data, out, n_out * sizeof(*out));
	return (ssize_t)(n_out * sizeof(*out));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->root.fd = -1;
	f->missing_config = UINT64_MAX;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_source_perf.close(f->source);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static int open_as(struct fixture *f, int64_t uid, struct es_error *err)
{
	es_source_perf.close(f->source);
	f->source = NULL;
	f->n_events = 0;
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, uid, &f->root, NULL), 0);
	f->root.perf_open = fake_open;
	f->root.perf_read = fake_read;
	f->root.perf_arg = f;
	return es_source_perf.open(&f->root, &f->source, err);
}

static void make(struct fixture *f, const char *model)
{
	es_tree_close(&f->tree);
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static struct es_domain *domain(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_domains; i++)
		if (strcmp(f->source->domains[i].id, id) == 0)
			return &f->source->domains[i];
	fail_msg("no domain '%s'", id);
	return NULL;
}

static struct es_reading *reading(struct fixture *f, const char *id)
{
	return &f->readings[domain(f, id) - f->source->domains];
}

static void count(struct fixture *f, int cpu, uint64_t config, double joules)
{
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].cpu == cpu && f->events[i].config == config)
			f->events[i].count += (uint64_t)(joules * 0x1p32);
}

static void read_all(struct fixture *f)
{
	f->n_reads = 0;
	assert_int_equal(es_source_perf.read(f->source, f->readings, READINGS_MAX), 0);
}

static void a_tree_of_files_has_no_perf_events(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	make(f, "skx2s");
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_source_perf.open(&f->root, &f->source, &err), -ENODEV);
	assert_non_null(strstr(err.text, "tree"));
}

static void a_kernel_without_the_pmu_says_so(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	make(f, "no-meter");
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "power"));
}

static void every_package_of_the_cpumask_is_opened_not_only_the_first(void **state)
{
	struct fixture *f = *state;

	make(f, "skx2s"); /* cpumask "0,18": the first CPU of each package */
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(f->source->n_domains, 4);
	assert_int_equal(domain(f, "perf/package-0")->package, 0);
	assert_int_equal(domain(f, "perf/package-1")->package, 1);
	assert_int_equal(domain(f, "perf/dram-1")->type, ES_DOMAIN_DRAM);
	assert_int_equal(f->events[3].cpu, 18);
	assert_int_equal(f->events[0].type, 9);
	assert_int_equal(f->events[0].config, 2);
}

static void one_read_gives_all_events_of_a_package_in_joules_exactly(void **state)
{
	struct fixture *f = *state;

	make(f, "client-psys");
	assert_int_equal(open_as(f, -1, NULL), 0);
	count(f, 0, 2, 12.5); /* pkg */
	count(f, 0, 1, 7.25); /* cores */
	count(f, 0, 4, 0.5); /* gpu */
	count(f, 0, 5, 20.0); /* psys */
	read_all(f);

	assert_int_equal(f->n_reads, 1);
	assert_int_equal(reading(f, "perf/package-0")->value, 12500000);
	assert_int_equal(reading(f, "perf/core-0")->value, 7250000);
	assert_int_equal(reading(f, "perf/uncore-0")->value, 500000);
	assert_int_equal(reading(f, "perf/psys")->value, 20000000);
	assert_int_equal(domain(f, "perf/core-0")->parent,
			 domain(f, "perf/package-0") - f->source->domains);
	assert_int_equal(domain(f, "perf/psys")->parent, -1);
	/* Energy of centuries in 2^-32 J still comes out to the µJ. */
	f->events[0].count = UINT64_MAX;
	read_all(f);
	assert_true(reading(f, "perf/package-0")->value == UINT64_C(4294967295999999));
}

static void counters_do_not_wrap_but_need_a_heartbeat(void **state)
{
	struct fixture *f = *state;
	struct es_plan plan;

	make(f, "skx2s");
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(es_source_perf.plan(f->source, &plan), 0);

	assert_true(domain(f, "perf/package-0")->range.modulus_nj == 0);
	assert_true(plan.at_least_ns <= 60 * ES_NS_PER_S);
	assert_true(plan.at_most_ns == ES_NS_PER_MS);
}

static void an_event_that_the_processor_lacks_is_absent_and_the_others_count(void **state)
{
	struct fixture *f = *state;

	make(f, "client-psys");
	f->missing_config = 2; /* even where it would have led the group */
	assert_int_equal(open_as(f, -1, NULL), 0);
	count(f, 0, 1, 3.0);
	count(f, 0, 5, 4.0);
	read_all(f);

	assert_int_equal(domain(f, "perf/package-0")->state, ES_STATE_ABSENT);
	assert_int_equal(reading(f, "perf/package-0")->error, -EINVAL);
	assert_int_equal(reading(f, "perf/core-0")->value, 3000000);
	assert_int_equal(reading(f, "perf/psys")->value, 4000000);
}

static void refused_events_are_denied_with_the_command_that_helps(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	make(f, "skx2s");
	f->refusal = -EACCES;
	assert_int_equal(open_as(f, -1, NULL), 0);
	d = domain(f, "perf/package-1");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->fix, "sysctl kernel.perf_event_paranoid=0"));
	assert_non_null(strstr(d->reason, "perf_event_paranoid is 2"));
	read_all(f);
	assert_int_equal(f->n_reads, 0);
	assert_int_equal(reading(f, "perf/package-1")->error, -EACCES);
}

static void another_users_rights_follow_perf_event_paranoid(void **state)
{
	struct fixture *f = *state;
	int64_t uid = (int64_t)getuid() + 12345;

	make(f, "skx2s");
	assert_int_equal(open_as(f, uid, NULL), 0);
	assert_int_equal(domain(f, "perf/package-0")->state, ES_STATE_DENIED);
	assert_string_equal(domain(f, "perf/package-0")->fix,
			    "sudo sysctl kernel.perf_event_paranoid=0");
	assert_int_equal(f->n_events, 0);
	put(f, "proc/sys/kernel/perf_event_paranoid", "-1\n");
	assert_int_equal(open_as(f, uid, NULL), 0);
	assert_int_equal(domain(f, "perf/package-0")->state, ES_STATE_UNPROVEN);
	put(f, "proc/sys/kernel/perf_event_paranoid", "2\n");
	assert_int_equal(open_as(f, 0, NULL), 0);
	assert_int_equal(domain(f, "perf/package-0")->state, ES_STATE_UNPROVEN);
}

static void a_unit_that_is_not_joules_is_not_read(void **state)
{
	struct fixture *f = *state;

	make(f, "skx2s");
	put(f, POWER "/events/energy-ram.unit", "Watts\n");
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(domain(f, "perf/dram-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(domain(f, "perf/dram-0")->reason, "Watts"));
	assert_int_equal(domain(f, "perf/package-0")->state, ES_STATE_UNPROVEN);
	assert_int_equal(f->n_events, 2);
}

static void dies_of_one_package_are_dies(void **state)
{
	struct fixture *f = *state;

	make(f, "clxap"); /* cpumask "0,24,48,72" */
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(f->source->n_domains, 8);
	assert_int_equal(domain(f, "perf/package-1-die-1")->type, ES_DOMAIN_DIE);
	assert_int_equal(domain(f, "perf/dram-0-die-1")->die, 1);
}

static void platform_events_have_the_names_of_powercaps_zones(void **state)
{
	struct fixture *f = *state;

	make(f, "spr2s");
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(domain(f, "perf/psys")->package, -1);
	assert_string_equal(domain(f, "perf/psys-1")->name, "psys-1");
	assert_false(es_domain_is_twin(domain(f, "perf/psys"), domain(f, "perf/psys-1")));
}

static void cores_of_amd_are_parts_each_read_on_its_own_cpu(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	make(f, "amd1");
	assert_int_equal(open_as(f, -1, NULL), 0);
	d = domain(f, "perf/core-0-cpu-7");

	assert_int_equal(f->source->n_domains, 17);
	assert_int_equal(d->type, ES_DOMAIN_CORE);
	assert_int_equal(d->core, 7);
	assert_true(d->is_partial);
	count(f, 7, 1, 1.0);
	read_all(f);
	assert_int_equal(reading(f, "perf/core-0-cpu-7")->value, 1000000);
	assert_int_equal(reading(f, "perf/core-0-cpu-8")->value, 0);
}

static void failed_readings_are_errors_of_the_whole_group(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int failure, error;
	} failures[] = { { -EIO, -EIO }, { 1, -ENODATA }, { 2, -EBADMSG } };

	make(f, "skx2s");
	assert_int_equal(open_as(f, -1, NULL), 0);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		f->read_failure = failures[i].failure;
		read_all(f);
		for (size_t j = 0; j < f->source->n_domains; j++)
			assert_int_equal(f->readings[j].error, failures[i].error);
	}
}

static void a_cpumask_that_is_none_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	make(f, "skx2s");
	put(f, POWER "/cpumask", "0,x\n");
	assert_int_equal(open_as(f, -1, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "perf"));
	put(f, POWER "/cpumask", "\n");
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
}

static void events_of_a_package_that_went_offline_begin_anew_when_it_is_back(void **state)
{
	const struct timespec pause = { .tv_nsec = 60 * ES_NS_PER_MS };
	struct fixture *f = *state;
	struct es_track track;
	struct es_sample s[2];
	int64_t t_ns = 1;
	size_t n_first;

	make(f, "spr2s");
	assert_int_equal(open_as(f, -1, NULL), 0);
	n_first = f->n_events;
	es_track_init(&track, &f->source->domains[0], 0);
	for (unsigned i = 0; i < 5; i++) {
		for (size_t j = 0; j < f->n_events; j++)
			f->events[j].count += UINT64_C(10) << 32; /* 10 J */
		read_all(f);
		(void)es_track_feed(&track, t_ns += ES_NS_PER_S, f->readings[0].value, s);
	}
	for (size_t j = 0; j < n_first; j++)
		f->events[j].leader = -1; /* the kernel says "end of file" from now on */
	f->refusal = -ENODEV;
	read_all(f);
	assert_int_equal(f->readings[0].error, -ENODATA);
	f->refusal = 0;
	read_all(f); /* not asked again at once */
	assert_int_equal(f->readings[0].error, -ENODATA);
	assert_int_equal(f->n_events, n_first);
	(void)nanosleep(&pause, NULL);
	read_all(f);
	assert_true(f->n_events == 2 * n_first);
	for (unsigned i = 0; i < 5; i++) {
		for (size_t j = n_first; j < f->n_events; j++)
			f->events[j].count += UINT64_C(20) << 32;
		read_all(f);
		assert_int_equal(f->readings[0].error, 0);
		(void)es_track_feed(&track, t_ns += ES_NS_PER_S, f->readings[0].value, s);
	}
	(void)es_track_finish(&track, s);

	/* 4 x 10 J before, 4 x 20 J after; what was between is a gap. */
	assert_int_equal(track.n_resets, 1);
	assert_int_equal(track.n_gaps, 1);
	assert_int_equal(track.energy_uj, 120000000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_tree_of_files_has_no_perf_events),
		T(a_kernel_without_the_pmu_says_so),
		T(every_package_of_the_cpumask_is_opened_not_only_the_first),
		T(one_read_gives_all_events_of_a_package_in_joules_exactly),
		T(counters_do_not_wrap_but_need_a_heartbeat),
		T(events_of_a_package_that_went_offline_begin_anew_when_it_is_back),
		T(an_event_that_the_processor_lacks_is_absent_and_the_others_count),
		T(refused_events_are_denied_with_the_command_that_helps),
		T(another_users_rights_follow_perf_event_paranoid),
		T(a_unit_that_is_not_joules_is_not_read),
		T(dies_of_one_package_are_dies),
		T(platform_events_have_the_names_of_powercaps_zones),
		T(cores_of_amd_are_parts_each_read_on_its_own_cpu),
		T(failed_readings_are_errors_of_the_whole_group),
		T(a_cpumask_that_is_none_is_an_error),
	};
#undef T

	return cmocka_run_group_tests_name("source/perf", tests, NULL, NULL);
}
