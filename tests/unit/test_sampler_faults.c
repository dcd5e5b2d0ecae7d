/*
 * test_sampler_faults.c - failures of readings: when they are written, and that they never take much room
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
#include "record/recording.h"
#include "sampler/faults.h"
#include "support/tree.h"

#define S ES_NS_PER_S
#define FAULTS_MAX 128

struct fixture {
	char dir[64], path[128];
	struct es_meta meta;
	struct es_recorder *recorder;
	struct es_faults faults;
	struct es_fault told[FAULTS_MAX];
	size_t n_told;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	es_meta_init(&f->meta);
	assert_int_equal(es_meta_add_node(&f->meta, "n1"), 0);
	assert_int_equal(es_recorder_create(f->path, false, &f->meta, &f->recorder, NULL), 0);
	assert_int_equal(es_faults_init(&f->faults, 2), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_faults_finish(&f->faults);
	es_recorder_close(f->recorder);
	es_meta_finish(&f->meta);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void tell(struct fixture *f, int64_t t_ns, bool is_end)
{
	assert_int_equal(es_faults_tell(&f->faults, f->recorder, t_ns, is_end), 0);
}

static int on_event(void *arg, const struct es_event *event)
{
	struct fixture *f = arg;

	assert_true(f->n_told < FAULTS_MAX);
	assert_int_equal(es_fault_get(event, &f->told[f->n_told++]), 0);
	return 0;
}

static size_t read_told(struct fixture *f)
{
	static const struct es_visitor visitor = { .event = on_event };
	struct es_recording *recording;

	f->n_told = 0;
	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	es_recording_close(recording);
	return f->n_told;
}

static void where_nothing_fails_nothing_is_written(void **state)
{
	struct fixture *f = *state;

	for (int64_t t = 0; t < 100; t++)
		tell(f, t * S, t == 99);
	assert_int_equal(read_told(f), 0);
}

static void a_failure_is_written_when_it_begins_when_it_doubles_and_at_the_end(void **state)
{
	static const uint64_t counts[] = { 1, 2, 4, 8, 10 };
	struct fixture *f = *state;

	for (int64_t t = 1; t <= 10; t++) {
		es_faults_failed(&f->faults, 1, -EIO, t * S);
		tell(f, t * S, false);
	}
	tell(f, 11 * S, true);
	tell(f, 12 * S, true); /* nothing new */

	assert_int_equal(read_told(f), sizeof(counts) / sizeof(counts[0]));
	for (size_t i = 0; i < f->n_told; i++) {
		assert_int_equal(f->told[i].n, counts[i]);
		assert_int_equal(f->told[i].domain, 1);
		assert_true(f->told[i].first_ns == S &&
			    f->told[i].last_ns == (int64_t)counts[i] * S);
	}
}

static void an_hour_of_failures_takes_little_room(void **state)
{
	struct fixture *f = *state;

	for (int64_t t = 1; t <= 3600; t++) {
		for (int i = 0; i < 10; i++)
			es_faults_failed(&f->faults, 0, -EIO, t * S);
		tell(f, t * S, t == 3600);
	}
	/* Each minute, and what doubled at first. */
	assert_in_range(read_told(f), 55, 75);
	assert_int_equal(f->told[f->n_told - 1].n, 36000);
}

static void kinds_are_told_apart_and_the_fourth_stands_for_all_others(void **state)
{
	struct fixture *f = *state;

	es_faults_failed(&f->faults, 0, -EIO, 1 * S);
	es_faults_failed(&f->faults, 0, -EINVAL, 2 * S);
	es_faults_slow(&f->faults, 0, 30 * ES_NS_PER_MS, 3 * S);
	es_faults_slow(&f->faults, 0, 20 * ES_NS_PER_MS, 4 * S);
	es_faults_failed(&f->faults, 0, -ENODEV, 5 * S);
	es_faults_failed(&f->faults, 0, -ENODATA, 6 * S);
	es_faults_failed(&f->faults, 0, -EACCES, 7 * S);
	es_faults_failed(&f->faults, 1, -EIO, 8 * S);
	tell(f, 9 * S, true);

	assert_int_equal(read_told(f), 5);
	assert_string_equal(f->told[0].code, "EIO");
	assert_string_equal(f->told[1].code, "EINVAL");
	assert_string_equal(f->told[2].code, ES_FAULT_SLOW);
	assert_int_equal(f->told[2].n, 2);
	assert_true(f->told[2].longest_ns == 30 * ES_NS_PER_MS);
	assert_string_equal(f->told[3].code, ES_FAULT_OTHER);
	assert_int_equal(f->told[3].n, 3);
	assert_int_equal(f->told[4].domain, 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(where_nothing_fails_nothing_is_written),
		T(a_failure_is_written_when_it_begins_when_it_doubles_and_at_the_end),
		T(an_hour_of_failures_takes_little_room),
		T(kinds_are_told_apart_and_the_fourth_stands_for_all_others),
	};

	return cmocka_run_group_tests_name("sampler/faults", tests, NULL, NULL);
}
