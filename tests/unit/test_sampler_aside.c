/*
 * test_sampler_aside.c - meters that are read by a thread of their own, among the others
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "record/fault.h"
#include "record/recording.h"
#include "sampler/sampler.h"
#include "support/nvml_table.h"
#include "support/tree.h"
#include "sys/nvml.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S
#define MONO_START_NS (500 * S) /* deadlines are told the time: they need no waiting */

struct fixture {
	char dir[64], path[128];
	struct es_root root;
	struct nvml_table table;
	struct nvml_state *state;
	struct es_sampler *sampler;
	struct es_recorder *recorder;
	struct es_meta meta;
	size_t gpu; /* of the recording's domains */
	size_t n_readings;
	uint64_t last;
	struct es_fault fault; /* the GPU's */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct es_tree tree;

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	es_meta_init(&f->meta);
	assert_int_equal(es_tree_create(f->dir, "no-meter", &tree), 0);
	es_tree_close(&tree);
	assert_int_equal(es_tree_write(f->dir, "proc/stat", "cpu  100 0 0 0 0 0 0\n", 0444), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/tests/machines/nvml/v100x2.table",
		       getenv("ES_SOURCE_ROOT"));
	assert_int_equal(nvml_tree_make(f->dir, f->path, getenv("ES_NVML_STUB")), 0);
	f->state = nvml_tree_open(f->dir, &f->table);
	assert_non_null(f->state);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_sampler_destroy(f->sampler);
	es_recorder_close(f->recorder);
	es_meta_finish(&f->meta);
	nvml_state_unmap(f->state);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	struct es_domain *domains;
	size_t n;

	es_sampler_plan(f->sampler, 20 * MS);
	domains = es_sampler_domains(f->sampler, &n);
	assert_int_equal(es_meta_add_node(&f->meta, "n1"), 0);
	f->meta.period_ns = 20 * MS;
	for (size_t i = 0; i < n; i++) {
		if (!es_sampler_is_listed(f->sampler, i))
			continue;
		if (strcmp(domains[i].id, "nvml/gpu-0") == 0)
			f->gpu = f->meta.n_domains;
		assert_int_equal(es_meta_add_domain(&f->meta, &domains[i]), 0);
	}
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	assert_int_equal(es_recorder_create(f->path, false, &f->meta, &f->recorder, NULL), 0);
	assert_int_equal(es_sampler_start(f->sampler, 20 * MS, f->recorder, MONO_START_NS), 0);
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct fixture *f = arg;

	(void)t_ns;
	(void)activity_ns;
	if (domain == f->gpu) {
		f->n_readings++;
		f->last = value;
	}
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct fixture *f = arg;
	struct es_fault fault;

	if (event->type == ES_EVENT_FAULT && es_fault_get(event, &fault) == 0 &&
	    fault.domain == f->gpu)
		f->fault = fault;
	return 0;
}

static void look(struct fixture *f)
{
	static const struct es_visitor visitor = { .reading = on_reading, .event = on_event };
	struct es_recording *recording;

	f->n_readings = 0;
	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	es_recording_close(recording);
}

static void set_delay(struct fixture *f, uint32_t us)
{
	for (unsigned i = 0; i < f->table.n; i++)
		atomic_store(&f->state->gpus[i].delay_us, us);
}

static void ends_are_read_when_they_are_and_no_reading_twice(void **state)
{
	struct fixture *f = *state;

	start(f);
	set_delay(f, 100000);
	atomic_store(&f->state->gpus[0].energy_mj, 500);
	/* All at once: no reading that began after the start is done yet. */
	for (int i = 1; i <= 3; i++)
		assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + i * 20 * MS), 0);
	set_delay(f, 0);
	atomic_store(&f->state->gpus[0].energy_mj, 900);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);

	assert_in_range(f->n_readings, 2, 3);
	assert_int_equal(f->last, 900000);
	assert_int_equal(f->fault.n, 0);
}

static void a_library_that_hangs_costs_its_own_last_reading(void **state)
{
	struct fixture *f = *state;
	int64_t t0_ns;

	start(f);
	set_delay(f, 2300000);
	t0_ns = es_clock_mono_ns();
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	assert_true(es_clock_mono_ns() - t0_ns >= 2 * S);
	set_delay(f, 0);
	look(f);

	assert_int_equal(f->n_readings, 1);
	assert_string_equal(f->fault.code, "ETIMEDOUT");
	assert_int_equal(f->fault.n, 1);
}

static void failures_are_counted_once_however_often_they_are_shown(void **state)
{
	struct fixture *f = *state;

	start(f);
	atomic_store(&f->state->gpus[0].error, ES_NVML_TIMEOUT);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS), 0);
	look(f);

	assert_int_equal(f->fault.n, 1);
	assert_int_equal(f->n_readings, 1);
}

static void gpus_leave_the_estimate_of_the_rest_its_turn(void **state)
{
	struct fixture *f = *state;
	const struct es_sampler_source *sources;
	size_t n;

	es_sampler_plan(f->sampler, 100 * MS);
	sources = es_sampler_sources(f->sampler, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(sources[i].ops->name, "estimate") == 0)
			assert_int_equal(sources[i].period_ns, 100 * MS);
	}
	/* And nobody reads a GPU more often than it has something new. */
	es_sampler_plan(f->sampler, MS);
	for (size_t i = 0; i < n; i++)
		if (strcmp(sources[i].ops->name, "nvml") == 0)
			assert_true(sources[i].period_ns >= 20 * MS);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ends_are_read_when_they_are_and_no_reading_twice),
		TEST(a_library_that_hangs_costs_its_own_last_reading),
		TEST(failures_are_counted_once_however_often_they_are_shown),
		TEST(gpus_leave_the_estimate_of_the_rest_its_turn),
	};

	return cmocka_run_group_tests_name("sampler aside", tests, NULL, NULL);
}
