/*
 * test_sampler_sampler.c - plans, deadlines, flushes and failures on trees of machines
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/watch.h"
#include "record/fault.h"
#include "record/recording.h"
#include "sampler/sampler.h"
#include "support/tree.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S
#define DOMAINS_MAX 64
#define MONO_START_NS (500 * S) /* deadlines are told the time: they need no waiting */

struct fixture {
	char dir[64], path[128];
	struct es_tree tree;
	struct es_root root;
	struct es_sampler *sampler;
	struct es_recorder *recorder;
	struct es_meta meta;
	bool is_failing; /* what the seam does */
	/* What was found in the recording: */
	size_t n_rows, n_readings[DOMAINS_MAX];
	struct es_event events[8];
	size_t n_events;
	struct es_watch watch;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->root.fd = -1;
	es_meta_init(&f->meta);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_watch_finish(&f->watch);
	es_sampler_destroy(f->sampler);
	es_recorder_close(f->recorder);
	es_meta_finish(&f->meta);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static ssize_t read_or_fail(void *arg, int fd, void *data, size_t n)
{
	const struct fixture *f = arg;

	if (!f->is_failing)
		return pread(fd, data, n, 0);
	errno = EIO;
	return -1;
}

static void open_tree(struct fixture *f, const char *model, int64_t uid)
{
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
	assert_int_equal(es_tree_write(f->dir, "proc/stat", "cpu  100 0 0 0 0 0 0\n", 0444), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	assert_int_equal(es_root_open(f->dir, uid, &f->root, NULL), 0);
	f->root.file_read = read_or_fail;
	f->root.file_arg = f;
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
}

static void start(struct fixture *f, int64_t period_ns)
{
	struct es_domain *domains;
	size_t n;

	es_sampler_plan(f->sampler, period_ns);
	domains = es_sampler_domains(f->sampler, &n);
	assert_int_equal(es_meta_add_node(&f->meta, "n1"), 0);
	f->meta.period_ns = period_ns;
	for (size_t i = 0; i < n; i++)
		if (es_sampler_is_recorded(&domains[i]))
			assert_int_equal(es_meta_add_domain(&f->meta, &domains[i]), 0);
	assert_int_equal(es_recorder_create(f->path, false, &f->meta, &f->recorder, NULL), 0);
	assert_int_equal(es_sampler_start(f->sampler, period_ns, f->recorder, MONO_START_NS), 0);
}

static int on_sweep(void *arg, int64_t t_ns)
{
	struct fixture *f = arg;

	(void)t_ns;
	f->n_rows++;
	return 0;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct fixture *f = arg;

	f->n_readings[domain]++;
	es_watch_reading(&f->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct fixture *f = arg;

	/* Who keeps the wall clock of this machine is none of these tests'. */
	if (f->n_events < 8 && event->type != ES_EVENT_WALL_CLOCK)
		f->events[f->n_events++] = *event;
	return 0;
}

/* What is in the file now. */
static void look(struct fixture *f)
{
	static const struct es_visitor visitor = { .sweep = on_sweep,
						   .reading = on_reading,
						   .event = on_event };
	struct es_recording *recording;

	f->n_rows = f->n_events = 0;
	memset(f->n_readings, 0, sizeof(f->n_readings));
	es_watch_finish(&f->watch);
	assert_int_equal(
		es_watch_init(&f->watch, f->meta.domains, f->meta.n_domains, f->meta.period_ns), 0);
	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	es_recording_close(recording);
}

static const struct es_sampler_source *source(const struct fixture *f, const char *name)
{
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(f->sampler, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(sources[i].ops->name, name) == 0)
			return &sources[i];
	fail_msg("no source '%s'", name);
	return NULL;
}

static int64_t period_of(struct fixture *f, const char *name, int64_t planned_ns)
{
	es_sampler_plan(f->sampler, planned_ns);
	return source(f, name)->period_ns;
}

static size_t recorded(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->meta.n_domains; i++)
		if (strcmp(f->meta.domains[i].id, id) == 0)
			return i;
	fail_msg("'%s' is not recorded", id);
	return 0;
}

static void meters_are_read_as_planned_but_no_faster_than_they_refresh(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);

	assert_int_equal(period_of(f, "powercap", 100 * MS), 100 * MS);
	assert_int_equal(period_of(f, "powercap", MS), MS);
	assert_int_equal(source(f, "powercap")->plan.at_most_ns, MS);
}

/* Of every counter the one that wraps first, at the power above which no reading is believed. */
static void meters_are_read_within_a_quarter_of_their_wrap(void **state)
{
	struct fixture *f = *state;
	int64_t quarter_ns = INT64_MAX;
	struct es_domain *domains;
	size_t n;

	open_tree(f, "skx2s", -1);
	domains = es_sampler_domains(f->sampler, &n);
	for (size_t i = 0; i < n; i++) {
		int64_t wrap_ns = es_counter_wrap_ns(&domains[i].range, domains[i].peak_mw);

		quarter_ns = wrap_ns / 4 < quarter_ns ? wrap_ns / 4 : quarter_ns;
	}

	assert_true(quarter_ns > S && quarter_ns < 60 * S);
	assert_int_equal(period_of(f, "powercap", 3600 * S), quarter_ns);
	assert_int_equal(period_of(f, "powercap", S), S);
}

static void an_estimate_beside_meters_is_read_once_a_second(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);

	assert_int_equal(period_of(f, "estimate", 100 * MS), S);
	assert_int_equal(period_of(f, "estimate", MS), S);
	/* In whole planned periods, so that deadlines fall together. */
	assert_int_equal(period_of(f, "estimate", 300 * MS), 1200 * MS);
	assert_int_equal(period_of(f, "estimate", 10 * S), 10 * S);
}

static void an_estimate_alone_is_read_as_planned_but_no_faster_than_the_kernel_counts(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "no-meter", -1);

	assert_int_equal(period_of(f, "estimate", 100 * MS), 100 * MS);
	assert_int_equal(period_of(f, "estimate", MS), 10 * MS);
	assert_int_equal(period_of(f, "estimate", 3 * MS), 12 * MS);
	assert_int_equal(period_of(f, "estimate", 3600 * S), 3600 * S);
}

/* What may not be read is no meter: then the estimate is what counts. */
static void denied_meters_are_not_recorded_and_the_estimate_takes_their_place(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domains;
	size_t n;

	open_tree(f, "skx2s", 54321); /* who owns none of its files */
	domains = es_sampler_domains(f->sampler, &n);

	assert_true(n > 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(es_sampler_is_recorded(&domains[i]),
				 domains[i].kind == ES_KIND_ESTIMATED);
	assert_int_equal(period_of(f, "estimate", 100 * MS), 100 * MS);
}

static void what_is_recorded_can_be_read_and_stand_for_something(void **state)
{
	struct es_domain domain;

	(void)state;
	es_domain_init(&domain, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int s = 0; s < ES_N_STATES; s++) {
		domain.state = (enum es_domain_state)s;
		assert_int_equal(es_sampler_is_recorded(&domain),
				 s != ES_STATE_DENIED && s != ES_STATE_ABSENT);
	}
	domain.state = ES_STATE_OK;
	domain.is_partial = true;
	assert_false(es_sampler_is_recorded(&domain));
	domain.is_asked = true;
	assert_true(es_sampler_is_recorded(&domain));
}

static void a_spare_source_is_opened_only_where_it_is_needed_or_asked_for(void **state)
{
	static const struct {
		const char *model;
		bool is_open;
	} machines[] = { { "skx2s-msr-too", false }, { "skx2s-msr", true } };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		open_tree(f, machines[i].model, -1);
		assert_int_equal(source(f, "msr")->source != NULL, machines[i].is_open);
		if (!machines[i].is_open)
			assert_non_null(strstr(source(f, "msr")->absent, "same counters"));
		es_sampler_destroy(f->sampler);
		assert_int_equal(
			es_sampler_create(&f->root,
					  &(struct es_sampler_options){ .wants_spares = true },
					  &f->sampler, NULL),
			0);
		assert_non_null(source(f, "msr")->source);
		es_sampler_destroy(f->sampler);
		f->sampler = NULL;
		es_root_close(&f->root);
		es_tree_close(&f->tree);
	}
}

static void a_source_that_is_not_there_says_why(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "no-meter", -1);

	assert_null(source(f, "perf")->source);
	assert_true(source(f, "perf")->absent[0] != '\0');
	assert_null(source(f, "powercap")->source);
	assert_true(source(f, "powercap")->absent[0] != '\0');
	assert_non_null(source(f, "estimate")->source);
}

/* A command killed at once still has its start. */
static void the_first_readings_are_on_disk_before_the_start_returns(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	look(f);

	assert_int_equal(f->n_rows, 1);
	for (size_t i = 0; i < f->meta.n_domains; i++)
		assert_int_equal(f->n_readings[i], 1);
}

static void nothing_happens_before_the_deadline(void **state)
{
	struct fixture *f = *state;
	struct es_sampler_stats stats;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);

	assert_int_equal(es_sampler_next_ns(f->sampler), MONO_START_NS + 100 * MS);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 100 * MS - 1), 0);
	es_sampler_stats(f->sampler, &stats);
	assert_int_equal(stats.n_sweeps, 1);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 100 * MS), 0);
	es_sampler_stats(f->sampler, &stats);
	assert_int_equal(stats.n_sweeps, 2);
	assert_int_equal(es_sampler_next_ns(f->sampler), MONO_START_NS + 200 * MS);
}

/* After each tick: what was read a second ago or earlier is in the file. */
static void readings_are_on_disk_within_a_second(void **state)
{
	static const int64_t periods_ns[] = { 10 * MS, 100 * MS, 300 * MS, 700 * MS, 2 * S };

	for (size_t p = 0; p < sizeof(periods_ns) / sizeof(periods_ns[0]); p++) {
		struct fixture *f = *state;
		unsigned n_ticks = (unsigned)(5 * S / periods_ns[p]);

		open_tree(f, "skx2s", -1);
		start(f, periods_ns[p]);
		for (unsigned i = 1; i <= n_ticks; i++) {
			int64_t now_ns = es_sampler_next_ns(f->sampler);
			size_t n_old;

			assert_int_equal(es_sampler_tick(f->sampler, now_ns), 0);
			/* Up to the next look, just before the deadline that follows. */
			n_old = (size_t)((es_sampler_next_ns(f->sampler) - 1 - S - MONO_START_NS) /
					 periods_ns[p]);
			if (es_sampler_next_ns(f->sampler) - 1 - S < MONO_START_NS)
				continue;
			look(f);
			if (f->n_rows < n_old + 1)
				fail_msg("period %lld ms: %zu of %zu rows after tick %u",
					 (long long)(periods_ns[p] / MS), f->n_rows, n_old + 1, i);
		}
		(void)tear_down(state);
		(void)set_up(state);
	}
}

static void the_end_brings_everything_to_disk(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + i * 100 * MS), 0);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);

	assert_int_equal(f->n_rows, 5);
	assert_int_equal(f->n_readings[recorded(f, "powercap/package-0")], 5);
	/* Its turn did not come, but the start and the end are for all. */
	assert_int_equal(f->n_readings[recorded(f, "estimate/node")], 2);
	assert_int_equal(f->n_events, 0);
}

/* 62 mJ each 3 ms, 20 W: over the edge of the range, to one raw step. */
static void wraps_come_out_to_the_step(void **state)
{
	struct fixture *f = *state;
	struct es_evidence evidence[DOMAINS_MAX];
	size_t zones[] = { 0, 1, 2, 3 };

	open_tree(f, "skx2s", -1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(es_tree_set(&f->tree, zones[i], ES_TREE_NEAR_WRAP), 0);
	start(f, 10 * MS);
	for (unsigned i = 1; i <= 10; i++) {
		for (size_t z = 0; z < 4; z++)
			assert_int_equal(es_tree_advance(&f->tree, zones[z], 1000 + z), 0);
		(void)usleep(3000);
		assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + i * 10 * MS), 0);
	}
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);
	es_watch_end(&f->watch);
	es_watch_evidence(&f->watch, 0, 0, false, evidence);

	for (size_t z = 0; z < 4; z++) {
		static const char *const ids[] = { "powercap/package-0", "powercap/dram-0",
						   "powercap/package-1", "powercap/dram-1" };
		int zone = es_tree_find(&f->tree, strchr(ids[z], '/') + 1);
		size_t i = recorded(f, ids[z]);
		uint64_t true_uj, step_uj;

		assert_true(zone >= 0);
		true_uj = es_tree_energy_uj(&f->tree.zones[zone], f->tree.zones[zone].n_steps);
		step_uj = f->meta.domains[i].range.unit_nj / 1000 + 1;
		assert_int_equal(f->watch.tracks[i].n_wraps, 1);
		assert_in_range(evidence[i].energy_uj, true_uj - step_uj, true_uj + step_uj);
	}
}

static void failed_reads_are_told_at_the_end_and_are_no_zeros(void **state)
{
	struct fixture *f = *state;
	struct es_fault fault;
	size_t package;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	package = recorded(f, "powercap/package-0");
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 100 * MS), 0);
	f->is_failing = true;
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 200 * MS), 0);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 300 * MS), 0);
	f->is_failing = false;
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);

	assert_int_equal(f->n_rows, 5);
	assert_int_equal(f->n_readings[package], 3);
	assert_int_equal(f->n_events, 4); /* two packages, two dram */
	for (size_t i = 0; i < f->n_events; i++)
		assert_int_equal(es_fault_get(&f->events[i], &fault), 0);
	assert_int_equal(es_fault_get(&f->events[0], &fault), 0);
	assert_int_equal(fault.domain, package);
	assert_int_equal(fault.n, 2);
	assert_string_equal(fault.code, "EIO");
	assert_true(fault.first_ns < fault.last_ns);
}

/* At 550 ms the sweeps of 200, 300, 400 and 500 ms did not happen; that of 100 ms was late. */
static void missed_deadlines_are_counted(void **state)
{
	struct fixture *f = *state;
	struct es_sampler_stats stats;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 550 * MS), 0);
	es_sampler_stats(f->sampler, &stats);

	assert_int_equal(stats.n_missed, 4);
	assert_int_equal(stats.worst_late_ns, 450 * MS);
	assert_int_equal(es_sampler_next_ns(f->sampler), MONO_START_NS + 600 * MS);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);
	assert_int_equal(f->n_events, 1);
	assert_int_equal(f->events[0].type, ES_EVENT_MISSED);
	assert_int_equal(f->events[0].value, 4);
}

/* Stopped from the first to the last reading: those of 100 to 500 ms did not happen, the last one is instead of one of them. */
static void the_last_sweep_counts_what_was_missed_before_it(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS + 550 * MS), 0);
	look(f);

	assert_int_equal(f->n_events, 1);
	assert_int_equal(f->events[0].type, ES_EVENT_MISSED);
	assert_int_equal(f->events[0].value, 4);
}

static void a_last_sweep_before_its_deadline_misses_none(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS + 50 * MS), 0);
	look(f);

	assert_int_equal(f->n_events, 0);
}

/* At 5.05 s meters missed 49 sweeps, and the estimate 4 of the same: 49 did not happen. */
static void a_sweep_of_several_sources_is_missed_once(void **state)
{
	struct fixture *f = *state;
	struct es_sampler_stats stats;

	open_tree(f, "skx2s", -1);
	start(f, 100 * MS);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + 5050 * MS), 0);
	es_sampler_stats(f->sampler, &stats);

	assert_int_equal(stats.n_missed, 49);
}

static void a_sweep_reads_only_what_is_due(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s", -1);
	start(f, 250 * MS);
	for (unsigned i = 1; i <= 9; i++)
		assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + i * 250 * MS), 0);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);

	/* Start, 1 s, 2 s and the end. */
	assert_int_equal(f->n_readings[recorded(f, "estimate/node")], 4);
	assert_int_equal(f->n_readings[recorded(f, "powercap/dram-1")], 11);
}

static void a_machine_without_any_meter_has_no_deadline(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	start(f, 100 * MS);

	assert_true(es_sampler_next_ns(f->sampler) == INT64_MAX);
	assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + S), 0);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(meters_are_read_as_planned_but_no_faster_than_they_refresh),
		TEST(meters_are_read_within_a_quarter_of_their_wrap),
		TEST(an_estimate_beside_meters_is_read_once_a_second),
		TEST(an_estimate_alone_is_read_as_planned_but_no_faster_than_the_kernel_counts),
		TEST(denied_meters_are_not_recorded_and_the_estimate_takes_their_place),
		cmocka_unit_test(what_is_recorded_can_be_read_and_stand_for_something),
		TEST(a_spare_source_is_opened_only_where_it_is_needed_or_asked_for),
		TEST(a_source_that_is_not_there_says_why),
		TEST(the_first_readings_are_on_disk_before_the_start_returns),
		TEST(nothing_happens_before_the_deadline),
		TEST(readings_are_on_disk_within_a_second),
		TEST(the_end_brings_everything_to_disk),
		TEST(wraps_come_out_to_the_step),
		TEST(failed_reads_are_told_at_the_end_and_are_no_zeros),
		TEST(missed_deadlines_are_counted),
		TEST(the_last_sweep_counts_what_was_missed_before_it),
		TEST(a_last_sweep_before_its_deadline_misses_none),
		TEST(a_sweep_of_several_sources_is_missed_once),
		TEST(a_sweep_reads_only_what_is_due),
		TEST(a_machine_without_any_meter_has_no_deadline),
	};

	return cmocka_run_group_tests_name("sampler/sampler", tests, NULL, NULL);
}
