/*
 * test_sampler_clocks.c - sleeps, clocks that are set, processors that come and go: seen, told, and no joule wrong
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The linker puts the clocks below in the place of the real ones: a night passes between two calls.
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/watch.h"
#include "record/recording.h"
#include "sampler/sampler.h"
#include "support/tree.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S
#define PERIOD_NS (100 * MS)
#define RAW_PER_TICK 100000 /* 6.1 J in 100 ms: 61 W */
#define EVENTS_MAX 16
#define MONO_NS (500 * S)
#define SLEPT_NS (77 * S) /* before all this */
#define UNIX_NS (1773403200 * S)

static struct {
	int64_t mono_ns, slept_ns, set_by_ns;
} now;

int64_t __wrap_es_clock_boot_ns(void);
int64_t __wrap_es_clock_mono_ns(void);
int64_t __wrap_es_clock_unix_ns(void);

/* Each look takes a microsecond. */
int64_t __wrap_es_clock_mono_ns(void)
{
	return now.mono_ns += 1000;
}

int64_t __wrap_es_clock_boot_ns(void)
{
	return __wrap_es_clock_mono_ns() + now.slept_ns;
}

int64_t __wrap_es_clock_unix_ns(void)
{
	return __wrap_es_clock_boot_ns() + UNIX_NS + now.set_by_ns;
}

struct fixture {
	char dir[64], path[128];
	struct es_tree tree;
	struct es_root root;
	struct es_sampler *sampler;
	struct es_recorder *recorder;
	struct es_meta meta;
	struct es_event events[EVENTS_MAX];
	size_t n_events, n_clocks;
	struct es_watch watch;
	size_t package; /* of the recording */
	int zone; /* of the tree */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	now.mono_ns = MONO_NS;
	now.slept_ns = SLEPT_NS;
	now.set_by_ns = 0;
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

static void start(struct fixture *f)
{
	struct es_domain *domains;
	size_t n;

	assert_int_equal(es_tree_create(f->dir, "skx2s", &f->tree), 0);
	f->zone = es_tree_find(&f->tree, "package-0");
	assert_int_equal(es_tree_set(&f->tree, (size_t)f->zone, 2000000000), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	es_sampler_plan(f->sampler, PERIOD_NS);
	domains = es_sampler_domains(f->sampler, &n);
	assert_int_equal(es_meta_add_node(&f->meta, "n1"), 0);
	f->meta.period_ns = PERIOD_NS;
	for (size_t i = 0; i < n; i++) {
		if (!es_sampler_is_listed(f->sampler, i))
			continue;
		if (strcmp(domains[i].id, "powercap/package-0") == 0)
			f->package = f->meta.n_domains;
		assert_int_equal(es_meta_add_domain(&f->meta, &domains[i]), 0);
	}
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	assert_int_equal(es_recorder_create(f->path, false, &f->meta, &f->recorder, NULL), 0);
	assert_int_equal(es_sampler_start(f->sampler, PERIOD_NS, f->recorder, now.mono_ns), 0);
}

/* Time and work for @n periods. */
static void tick(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		now.mono_ns = es_sampler_next_ns(f->sampler);
		assert_int_equal(es_tree_advance(&f->tree, (size_t)f->zone, RAW_PER_TICK), 0);
		assert_int_equal(es_sampler_tick(f->sampler, now.mono_ns), 0);
	}
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct fixture *f = arg;

	es_watch_reading(&f->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct fixture *f = arg;

	assert_true(f->n_events < EVENTS_MAX);
	f->events[f->n_events++] = *event;
	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&f->watch, event->value);
	return 0;
}

static int on_clock(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns)
{
	struct fixture *f = arg;

	f->n_clocks++;
	assert_in_range(boot_ns - mono_ns, SLEPT_NS - MS, now.slept_ns + MS);
	assert_true(unix_ns > boot_ns);
	return 0;
}

/* The last sweep, and what is in the recording then; returns the track of the package. */
static const struct es_track *stop(struct fixture *f)
{
	static const struct es_visitor visitor = { .reading = on_reading,
						   .event = on_event,
						   .clock = on_clock };
	struct es_recording *recording;

	assert_int_equal(es_sampler_stop(f->sampler, es_clock_mono_ns()), 0);
	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_watch_init(&f->watch, f->meta.domains, f->meta.n_domains, PERIOD_NS),
			 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	es_recording_close(recording);
	es_watch_end(&f->watch);
	return &f->watch.tracks[f->package];
}

static const struct es_event *event_of(const struct fixture *f, uint32_t type, size_t nth)
{
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].type == type && nth-- == 0)
			return &f->events[i];
	return NULL;
}

static uint64_t true_uj(const struct fixture *f, uint64_t steps)
{
	return es_tree_energy_uj(&f->tree.zones[f->zone], steps);
}

static void assert_energy(const struct es_track *track, uint64_t want_uj)
{
	assert_in_range(track->energy_uj, want_uj - 65, want_uj + 65); /* one raw step */
}

static void a_night_in_which_counters_lose_their_value_is_a_gap_without_energy(void **state)
{
	struct fixture *f = *state;
	const struct es_track *track;

	start(f);
	tick(f, 25);
	now.slept_ns += 3600 * S;
	assert_int_equal(es_tree_set(&f->tree, (size_t)f->zone, 0), 0);
	tick(f, 25);
	track = stop(f);

	assert_int_equal(event_of(f, ES_EVENT_SUSPEND, 0)->value, 3600 * S);
	assert_null(event_of(f, ES_EVENT_SUSPEND, 1));
	assert_null(event_of(f, ES_EVENT_CLOCK_STEP, 0));
	assert_int_equal(f->n_clocks, 2);
	assert_int_equal(track->n_resets, 1);
	assert_int_equal(track->n_ambiguous, 0);
	/* All but the period in which it slept. */
	assert_energy(track, true_uj(f, 49 * RAW_PER_TICK));
	assert_in_range(track->gap_total_ns, 3600 * S + 99 * MS, 3600 * S + 101 * MS);
	assert_true(track->gap_slept_ns == 3600 * S);
	/* Deadlines are on the monotonic clock: none was missed. */
	assert_null(event_of(f, ES_EVENT_MISSED, 0));
}

static void a_nap_in_which_they_go_on_costs_nothing(void **state)
{
	struct fixture *f = *state;
	const struct es_track *track;

	start(f);
	tick(f, 5);
	now.slept_ns += 600 * S;
	assert_int_equal(es_tree_advance(&f->tree, (size_t)f->zone, 5 * RAW_PER_TICK), 0);
	tick(f, 5);
	track = stop(f);

	assert_int_equal(event_of(f, ES_EVENT_SUSPEND, 0)->value, 600 * S);
	assert_int_equal(track->n_resets + track->n_gaps + track->n_ambiguous, 0);
	assert_energy(track, true_uj(f, 15 * RAW_PER_TICK));
}

static void clocks_that_are_set_change_neither_times_nor_energies(void **state)
{
	struct fixture *f = *state;
	const struct es_track *track;

	start(f);
	tick(f, 15);
	now.set_by_ns += 100 * S;
	tick(f, 15);
	now.set_by_ns -= 7200 * S;
	tick(f, 15);
	track = stop(f);

	assert_int_equal(event_of(f, ES_EVENT_CLOCK_STEP, 0)->value, 100 * S);
	assert_int_equal(event_of(f, ES_EVENT_CLOCK_STEP, 1)->value, -7200 * S);
	assert_null(event_of(f, ES_EVENT_CLOCK_STEP, 2));
	assert_null(event_of(f, ES_EVENT_SUSPEND, 0));
	assert_int_equal(f->n_clocks, 3);
	assert_energy(track, true_uj(f, 45 * RAW_PER_TICK));
	assert_in_range(track->covered_ns, 4500 * MS - MS, 4500 * MS + MS);
	assert_int_equal(track->n_gaps + track->n_rejected, 0);
}

static void a_clock_that_is_slewed_was_not_set(void **state)
{
	struct fixture *f = *state;

	start(f);
	for (unsigned i = 0; i < 50; i++) {
		now.set_by_ns += 49 * ES_NS_PER_US; /* 490 ppm */
		tick(f, 1);
	}
	(void)stop(f);
	assert_null(event_of(f, ES_EVENT_CLOCK_STEP, 0));
}

static void processors_that_come_and_go_are_recorded(void **state)
{
	struct fixture *f = *state;

	start(f);
	tick(f, 12);
	assert_int_equal(es_tree_write(f->dir, "sys/devices/system/cpu/online", "0-3,8\n", 0444),
			 0);
	tick(f, 24);
	assert_int_equal(es_tree_write(f->dir, "sys/devices/system/cpu/online", "rubbish", 0444),
			 0);
	tick(f, 12);
	assert_int_equal(es_tree_write(f->dir, "sys/devices/system/cpu/online", "0-71\n", 0444), 0);
	(void)stop(f);

	assert_int_equal(event_of(f, ES_EVENT_CPUS_ONLINE, 0)->value, 5);
	assert_int_equal(event_of(f, ES_EVENT_CPUS_ONLINE, 1)->value, 72);
	assert_null(event_of(f, ES_EVENT_CPUS_ONLINE, 2));
}

static void a_package_whose_processors_are_gone_is_a_failure_from_then_on(void **state)
{
	struct fixture *f = *state;
	const struct es_track *track;

	start(f);
	tick(f, 10);
	/* The driver takes the zone of a package away with its last processor; here a descriptor tells nothing more. */
	assert_int_equal(es_tree_write(f->dir, "sys/devices/system/cpu/online", "0-17\n", 0444), 0);
	assert_int_equal(
		es_tree_write(f->dir,
			      "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj", "",
			      0400),
		0);
	now.mono_ns = es_sampler_next_ns(f->sampler);
	assert_int_equal(es_sampler_tick(f->sampler, now.mono_ns), 0);
	track = stop(f);

	assert_int_equal(event_of(f, ES_EVENT_CPUS_ONLINE, 0)->value, 18);
	assert_int_equal(event_of(f, ES_EVENT_FAULT, 0)->value, f->package);
	assert_energy(track, true_uj(f, 10 * RAW_PER_TICK));
	assert_int_equal(track->n_readings, 11);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_night_in_which_counters_lose_their_value_is_a_gap_without_energy),
		T(a_nap_in_which_they_go_on_costs_nothing),
		T(clocks_that_are_set_change_neither_times_nor_energies),
		T(a_clock_that_is_slewed_was_not_set),
		T(processors_that_come_and_go_are_recorded),
		T(a_package_whose_processors_are_gone_is_a_failure_from_then_on),
	};

	return cmocka_run_group_tests_name("sampler/clocks", tests, NULL, NULL);
}
