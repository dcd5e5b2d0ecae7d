/*
 * test_cli_simulate_course.c - a replayed machine over time: sums, columns, rows, and places for each job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/simulate_course.h"
#include "cli/simulate_places.h"

#define PROCS 24U
#define JOBS 400U
#define END_S 4000

static uint32_t roll(uint64_t *state, uint32_t n)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % n;
}

/* Jobs that never have more processors than there are; busy_s: how many there are of each second. */
static void make(uint64_t seed, struct es_simulate_course *course, uint32_t busy[END_S])
{
	int64_t now_s = 0;

	memset(busy, 0, END_S * sizeof(busy[0]));
	for (uint32_t i = 0; i < JOBS; i++) {
		struct es_sim_job job = { .id = i,
					  .procs = 1 + roll(&seed, PROCS),
					  .extra_mw = 7000 };
		struct es_simulate_start start = { .id = i, .high = PROCS };
		bool fits = true;

		now_s += roll(&seed, 8);
		job.run_s = roll(&seed, 60);
		job.hold_s = now_s >= 9 ? roll(&seed, 4) : 0;
		job.submit_s = now_s >= 9 ? now_s - job.hold_s - roll(&seed, 6) : now_s;
		start.start_s = now_s;
		start.submit_s = job.submit_s;
		start.end_s = now_s + job.run_s;
		start.procs = job.procs;
		for (int64_t t = now_s; t < start.end_s; t++)
			fits = fits && busy[t] + job.procs <= PROCS;
		if (!fits)
			continue;
		for (int64_t t = now_s; t < start.end_s; t++)
			busy[t] += job.procs;
		es_simulate_course_job(course, &start, &job, 1000 * (int64_t)job.procs);
	}
	es_simulate_course_base(course, 0, END_S * 1000, 1000 * PROCS);
	assert_int_equal(es_simulate_course_close(course), 0);
	assert_true(course->n_starts > 50);
}

static void columns_are_the_means_and_the_most_of_their_time(void **state)
{
	struct es_simulate_course course = { .n_starts = 0 };
	struct es_simulate_column columns[77];
	uint32_t busy[END_S];

	(void)state;
	make(1, &course, busy);
	es_simulate_course_columns(&course, 100000, 100000 + 77 * 30000, 77, columns);
	for (size_t i = 0; i < 77; i++) {
		double sum = 0, jobs_w = 0, most_w = 0;

		for (size_t t = 100 + 30 * i; t < 130 + 30 * i; t++) {
			double w = PROCS;

			for (size_t j = 0; j < course.n_starts; j++) {
				const struct es_simulate_start *job = &course.starts[j];

				if (job->start_s <= (int64_t)t && job->end_s > (int64_t)t) {
					jobs_w += (7 + job->procs) / 30.0;
					w += 7;
				}
			}
			sum += busy[t] / 30.0;
			most_w = fmax(most_w, w);
		}
		assert_true(fabs(columns[i].busy - sum) < 1e-9);
		assert_true(fabs(columns[i].jobs_w - jobs_w) < 1e-9);
		assert_true(fabs(columns[i].rest_w - (PROCS - sum)) < 1e-9);
		assert_true(fabs(columns[i].most_w - most_w) < 1e-9);
	}
	es_simulate_course_finish(&course);
}

static void columns_finer_than_a_second_are_true_too(void **state)
{
	struct es_simulate_course course = { .n_starts = 0 };
	struct es_simulate_column columns[40];
	uint32_t busy[END_S];

	(void)state;
	make(2, &course, busy);
	es_simulate_course_columns(&course, 50000, 60000, 40, columns);
	for (size_t i = 0; i < 40; i++)
		assert_true(fabs(columns[i].busy - busy[50 + i / 4]) < 1e-9);
	es_simulate_course_finish(&course);
}

static void waits_are_between_submission_and_start(void **state)
{
	const struct es_sim_job job = { .submit_s = 10, .hold_s = 5, .run_s = 10, .procs = 2 };
	const struct es_simulate_start start = {
		.submit_s = 10, .start_s = 20, .end_s = 30, .procs = 2, .high = 4
	};
	struct es_simulate_course course = { .has_power = true };
	struct es_simulate_column columns[4];
	struct es_buf out;

	(void)state;
	es_simulate_course_job(&course, &start, &job, 500);
	es_simulate_course_base(&course, 0, 30000, 1000);
	assert_int_equal(es_simulate_course_close(&course), 0);
	es_simulate_course_columns(&course, 10000, 30000, 4, columns);
	assert_true(columns[0].held == 1 && columns[0].waiting == 0);
	assert_true(columns[1].held == 0 && columns[1].waiting == 1);
	assert_true(columns[2].waiting == 0 && columns[2].busy == 2);
	assert_true(columns[2].jobs_w == 0.5 && columns[2].rest_w == 0.5);
	es_buf_init(&out, 4096);
	es_simulate_course_csv(&course, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data,
			    "time_s,busy_procs,waiting_jobs,held_jobs,power_w\n0,0,0,0,1.000\n"
			    "10,0,0,1,1.000\n15,0,1,0,1.000\n20,2,0,0,1.000\n30,0,0,0,0.000\n");
	es_buf_finish(&out);
	es_simulate_course_finish(&course);
}

/* Who has each processor in each second; 0: nobody. */
struct map {
	uint32_t owner[END_S][PROCS];
	uint32_t had[JOBS], pieces[JOBS];
};

static void mark(void *arg, const struct es_simulate_start *job, uint32_t first, uint32_t n)
{
	struct map *map = arg;

	assert_true(n > 0 && first >= job->low && first + n <= job->high);
	/* The lowest that is large enough, if there is one. */
	if (n == job->procs) {
		uint32_t run = 0;

		for (uint32_t p = job->low; p < first + n - 1; p++) {
			run = map->owner[job->start_s][p] ? 0 : run + 1;
			assert_true(run < n);
		}
	}
	for (int64_t t = job->start_s; t < job->end_s; t++)
		for (uint32_t p = first; p < first + n; p++) {
			assert_int_equal(map->owner[t][p], 0);
			map->owner[t][p] = (uint32_t)job->id + 1;
		}
	map->had[job->id] += n;
	map->pieces[job->id]++;
}

static void no_processor_has_two_jobs(void **state)
{
	struct map *map = calloc(1, sizeof(*map));
	unsigned n_split = 0;

	(void)state;
	assert_non_null(map);
	for (uint64_t seed = 3; seed < 13; seed++) {
		struct es_simulate_course course = { .n_starts = 0 };
		uint32_t busy[END_S];

		memset(map, 0, sizeof(*map));
		make(seed, &course, busy);
		assert_int_equal(es_simulate_places(&course, mark, map), 0);
		for (size_t i = 0; i < course.n_starts; i++) {
			const struct es_simulate_start *job = &course.starts[i];

			assert_int_equal(map->had[job->id],
					 job->end_s > job->start_s ? job->procs : 0);
			n_split += map->pieces[job->id] > 1;
		}
		es_simulate_course_finish(&course);
	}
	assert_true(n_split > 0);
	free(map);
}

static void count_pieces(void *arg, const struct es_simulate_start *job, uint32_t first, uint32_t n)
{
	uint32_t *sum = arg;

	assert_true(first >= job->low && first + n <= job->high);
	*sum += n;
}

static void jobs_stay_within_their_part_of_the_machine(void **state)
{
	struct es_simulate_start starts[] = {
		{ .id = 1, .end_s = 10, .procs = 4, .low = 4, .high = 8 },
		{ .id = 2, .end_s = 10, .procs = 3, .low = 0, .high = 4 },
		{ .id = 3, .start_s = 1, .end_s = 10, .procs = 1, .low = 0, .high = 4 },
		{ .id = 4, .start_s = 2, .end_s = 10, .procs = 1, .low = 4, .high = 8 },
	};
	struct es_simulate_course course = { .starts = starts, .n_starts = 3 };
	uint32_t sum = 0;

	(void)state;
	assert_int_equal(es_simulate_places(&course, count_pieces, &sum), 0);
	assert_int_equal(sum, 8);
	course.n_starts = 4;
	assert_int_equal(es_simulate_places(&course, count_pieces, &sum), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_the_means_and_the_most_of_their_time),
		cmocka_unit_test(columns_finer_than_a_second_are_true_too),
		cmocka_unit_test(waits_are_between_submission_and_start),
		cmocka_unit_test(no_processor_has_two_jobs),
		cmocka_unit_test(jobs_stay_within_their_part_of_the_machine),
	};

	return cmocka_run_group_tests_name("cli/simulate_course", tests, NULL, NULL);
}
