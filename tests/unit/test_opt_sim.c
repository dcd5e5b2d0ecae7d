/*
 * test_opt_sim.c - replayed jobs: known starts, schedules that can be true, and the same as by looking at each job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/swf.h"
#include "format/archive.h"
#include "opt/sim.h"

#define JOBS_MAX 20000U

struct trace {
	struct es_sim_job jobs[JOBS_MAX];
	int64_t starts_s[JOBS_MAX];
	size_t n, n_given, n_started;
};

static int give(void *arg, struct es_sim_job *ret)
{
	struct trace *trace = arg;

	if (trace->n_given == trace->n)
		return 0;
	*ret = trace->jobs[trace->n_given];
	ret->id = trace->n_given++;
	return 1;
}

static int keep(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	struct trace *trace = arg;

	assert_in_range(job->id, 0, trace->n - 1);
	trace->starts_s[job->id] = start_s;
	trace->n_started++;
	return 0;
}

static struct trace *trace_of(const struct es_sim_job *jobs, size_t n)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	assert_non_null(trace);
	assert_in_range(n, 0, JOBS_MAX);
	if (n > 0)
		memcpy(trace->jobs, jobs, n * sizeof(*jobs));
	trace->n = n;
	return trace;
}

static struct es_sim_totals replay(struct trace *trace, struct es_sim_options options)
{
	struct es_sim_totals totals;
	struct es_error err = { .code = 0 };

	options.next = give;
	options.started = keep;
	options.arg = trace;
	trace->n_given = trace->n_started = 0;
	if (es_sim_run(&options, &totals, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(trace->n_started, trace->n);
	assert_int_equal(totals.n_jobs, trace->n);
	return totals;
}

static void expect_starts(struct trace *trace, const int64_t *starts_s)
{
	for (size_t i = 0; i < trace->n; i++)
		assert_int_equal(trace->starts_s[i], starts_s[i]);
}

#define JOB(submit, run, estimate, n, mw)                                                     \
	{                                                                                     \
		.submit_s = (submit), .run_s = (run), .estimate_s = (estimate), .procs = (n), \
		.extra_mw = (mw)                                                              \
	}

/* 10 processors: 6 are busy up to 100; 8 wait for them. The third fits before 100, the fourth does not, the fifth in what is spare. */
static const struct es_sim_job five[] = {
	JOB(0, 100, 100, 6, 0), JOB(10, 50, 50, 8, 0),	 JOB(20, 80, 80, 2, 0),
	JOB(30, 71, 71, 2, 0),	JOB(40, 500, 500, 1, 0),
};

static void first_come_is_first_served(void **state)
{
	struct trace *trace = trace_of(five, 5);
	struct es_sim_totals totals =
		replay(trace, (struct es_sim_options){ .policy = ES_SIM_FCFS, .procs = 10 });

	(void)state;
	expect_starts(trace, (const int64_t[]){ 0, 100, 100, 150, 150 });
	assert_true(totals.wait_s == 90 + 80 + 120 + 110);
	assert_true(totals.busy_proc_s == 600 + 400 + 160 + 142 + 500);
	assert_int_equal(totals.last_end_s, 650);
	assert_int_equal(totals.n_overtaking, 0);
	free(trace);
}

static void jobs_overtake_that_do_not_delay_the_first(void **state)
{
	struct trace *trace = trace_of(five, 5);
	struct es_sim_totals totals =
		replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY, .procs = 10 });

	(void)state;
	/* The fourth takes the two that are spare at 100; the fifth finds none left then, and one at 101. */
	expect_starts(trace, (const int64_t[]){ 0, 100, 20, 30, 101 });
	assert_int_equal(totals.n_overtaking, 2);
	assert_int_equal(totals.most_waiting, 2);
	assert_int_equal(totals.most_in_flight, 5);
	free(trace);
}

static void what_outlasts_its_estimate_ends_any_moment(void **state)
{
	/* At 60 the first is late: nothing ends before the second, so that only what is spare may be taken. */
	static const struct es_sim_job jobs[] = { JOB(0, 100, 50, 6, 0), JOB(10, 10, 10, 8, 0),
						  JOB(60, 1, 1, 3, 0), JOB(60, 1, 1, 2, 0) };
	struct trace *trace = trace_of(jobs, 4);
	struct es_sim_totals totals =
		replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY, .procs = 10 });

	(void)state;
	expect_starts(trace, (const int64_t[]){ 0, 100, 110, 60 });
	assert_int_equal(totals.n_outlasting, 1);
	free(trace);
}

static void watts_are_kept_for_the_first_that_waits(void **state)
{
	/* 100 W: 60 are drawn up to 100, the second waits for 90; the third would take 20 of them beyond 100, the fourth ends before. */
	static const struct es_sim_job jobs[] = {
		JOB(0, 100, 100, 1, 60000), JOB(10, 50, 50, 1, 90000), JOB(20, 100, 100, 1, 20000),
		JOB(20, 80, 80, 1, 40000),  JOB(25, 100, 100, 1, 0),
	};
	struct trace *trace = trace_of(jobs, 5);
	struct es_sim_totals totals = replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY,
									     .procs = 10,
									     .has_cap = true,
									     .cap_mw = 100000 });

	(void)state;
	expect_starts(trace, (const int64_t[]){ 0, 100, 150, 20, 25 });
	assert_int_equal(totals.peak_extra_mw, 100000);
	assert_true(totals.extra_mj == 6e6 + 4.5e6 + 2e6 + 3.2e6);
	free(trace);
}

static void jobs_without_length_take_their_turn(void **state)
{
	static const struct es_sim_job jobs[] = { JOB(5, 0, 0, 4, 7), JOB(5, 0, 0, 4, 7),
						  JOB(5, 20, 20, 4, 7) };
	struct trace *trace = trace_of(jobs, 3);
	struct es_sim_totals totals =
		replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY, .procs = 4 });

	(void)state;
	expect_starts(trace, (const int64_t[]){ 5, 5, 5 });
	assert_int_equal(totals.peak_extra_mw, 7);
	assert_true(totals.bounded_slowdown == 3);
	free(trace);
}

static void what_is_held_back_waits_from_its_submission_on(void **state)
{
	/* The first is told of after the second, and finds the machine taken. */
	static const struct es_sim_job jobs[] = {
		JOB(10, 100, 100, 4, 0),
		{ .submit_s = 0, .hold_s = 50, .run_s = 5, .estimate_s = 5, .procs = 4 },
	};
	struct trace *trace = trace_of(jobs, 2);
	struct es_sim_totals totals =
		replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY, .procs = 4 });

	(void)state;
	expect_starts(trace, (const int64_t[]){ 10, 110 });
	assert_true(totals.wait_s == 110);
	assert_int_equal(totals.first_submit_s, 0);
	assert_int_equal(totals.last_end_s, 115);
	free(trace);
}

static int try(const struct es_sim_job *jobs, size_t n, struct es_sim_options options, char *text)
{
	struct trace *trace = trace_of(jobs, n);
	struct es_error err = { .code = 0 };
	struct es_sim_totals totals;
	int r;

	options.next = give;
	options.arg = trace;
	r = es_sim_run(&options, &totals, &err);
	(void)snprintf(text, 200, "%.199s", err.text);
	free(trace);
	return r;
}

static void what_can_never_start_is_refused(void **state)
{
	static const struct es_sim_job large[] = { JOB(0, 1, 1, 11, 0) };
	static const struct es_sim_job hot[] = { JOB(0, 1, 1, 1, 501) };
	static const struct es_sim_job late[] = { JOB(7, 1, 1, 1, 0), JOB(6, 1, 1, 1, 0) };
	static const struct es_sim_job none[] = { JOB(0, 1, 1, 0, 0) };
	struct es_sim_options options = {
		.policy = ES_SIM_EASY, .procs = 10, .has_cap = true, .cap_mw = 500
	};
	char text[200];

	(void)state;
	assert_int_equal(try(large, 1, options, text), -ERANGE);
	assert_string_equal(text, "job 0 asks for 11 processors; the machine has 10");
	assert_int_equal(try(hot, 1, options, text), -ERANGE);
	assert_non_null(strstr(text, "could never start"));
	assert_int_equal(try(late, 2, options, text), -EINVAL);
	assert_int_equal(try(none, 1, options, text), -EINVAL);
	assert_int_equal(try(none, 0, options, text), 0);
}

static uint64_t roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* More work than the machine can do, so that many wait; sizes and lengths over three magnitudes. */
static struct trace *random_trace(uint64_t seed, size_t n, uint32_t procs, bool are_exact)
{
	struct trace *trace = trace_of(NULL, 0);
	int64_t now_s = 0;

	trace->n = n;
	for (size_t i = 0; i < n; i++) {
		struct es_sim_job *job = &trace->jobs[i];

		now_s += (int64_t)(roll(&seed) % 40);
		job->submit_s = now_s;
		job->run_s = (int64_t)(roll(&seed) % (UINT64_C(1) << roll(&seed) % 12));
		job->estimate_s = job->run_s;
		if (!are_exact)
			job->estimate_s += (int64_t)(roll(&seed) % 1000) - 100;
		job->estimate_s = job->estimate_s < 0 ? 0 : job->estimate_s;
		job->procs = 1 + (uint32_t)(roll(&seed) % (procs >> roll(&seed) % 5));
		job->extra_mw = (int64_t)(job->procs * (roll(&seed) % 300));
	}
	return trace;
}

struct event {
	int64_t t_s;
	int64_t procs, mw;
};

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->t_s != y->t_s)
		return x->t_s < y->t_s ? -1 : 1;
	return x->procs < y->procs ? -1 : x->procs > y->procs; /* what ends gives back first */
}

/* No start before the submission, never more processors or watts than there are. */
static void validate(const struct trace *trace, uint32_t procs, int64_t cap_mw, int64_t peak_mw)
{
	struct event *events = calloc(2 * trace->n, sizeof(*events));
	int64_t busy = 0, drawn_mw = 0, most_mw = 0;
	size_t n = 0;

	assert_non_null(events);
	for (size_t i = 0; i < trace->n; i++) {
		const struct es_sim_job *job = &trace->jobs[i];

		assert_true(trace->starts_s[i] >= job->submit_s + job->hold_s);
		if (job->run_s == 0)
			continue;
		events[n++] = (struct event){ trace->starts_s[i], job->procs, job->extra_mw };
		events[n++] = (struct event){ trace->starts_s[i] + job->run_s, -(int64_t)job->procs,
					      -job->extra_mw };
	}
	qsort(events, n, sizeof(*events), by_time);
	for (size_t i = 0; i < n; i++) {
		busy += events[i].procs;
		drawn_mw += events[i].mw;
		assert_in_range(busy, 0, procs);
		assert_in_range(drawn_mw, 0, cap_mw);
		if (i + 1 == n || events[i + 1].t_s > events[i].t_s)
			most_mw = drawn_mw > most_mw ? drawn_mw : most_mw;
	}
	assert_int_equal(busy, 0);
	assert_int_equal(most_mw, peak_mw);
	free(events);
}

/* EASY once more, as one would tell it: tables of all jobs, everything looked at again at each moment. */
struct telling {
	struct trace *trace;
	const struct es_sim_options *options;
	int64_t starts_s[JOBS_MAX];
	bool is_running[JOBS_MAX];
	int64_t free, free_mw;
};

static void tell_start(struct telling *t, size_t i, int64_t now_s)
{
	t->starts_s[i] = now_s;
	t->is_running[i] = true;
	t->free -= t->trace->jobs[i].procs;
	t->free_mw -= t->trace->jobs[i].extra_mw;
}

/* The time at which enough is free, trying each running job's end, and what is spare then. */
static int64_t tell_shadow(const struct telling *t, const struct es_sim_job *head,
			   int64_t *ret_spare, int64_t *ret_spare_mw)
{
	int64_t shadow_s = INT64_MAX;

	for (size_t k = 0; k < t->trace->n; k++) {
		int64_t at_s = t->starts_s[k] + t->trace->jobs[k].estimate_s;
		int64_t free = t->free, mw = t->free_mw;

		if (!t->is_running[k] || at_s >= shadow_s)
			continue;
		for (size_t i = 0; i < t->trace->n; i++) {
			if (!t->is_running[i] ||
			    t->starts_s[i] + t->trace->jobs[i].estimate_s > at_s)
				continue;
			free += t->trace->jobs[i].procs;
			mw += t->trace->jobs[i].extra_mw;
		}
		if (free < head->procs || mw < head->extra_mw)
			continue;
		shadow_s = at_s;
		*ret_spare = free - head->procs;
		*ret_spare_mw = mw - head->extra_mw;
	}
	return shadow_s;
}

static void tell_moment(struct telling *t, int64_t now_s)
{
	const struct es_sim_job *jobs = t->trace->jobs;
	int64_t shadow_s = 0, spare = 0, spare_mw = 0;
	bool is_blocked = false;

	for (size_t i = 0; i < t->trace->n && jobs[i].submit_s <= now_s; i++) {
		bool fits = jobs[i].procs <= t->free && jobs[i].extra_mw <= t->free_mw;

		if (t->starts_s[i] >= 0)
			continue;
		if (!is_blocked && fits) {
			tell_start(t, i, now_s);
		} else if (!is_blocked) {
			is_blocked = true;
			if (t->options->policy == ES_SIM_FCFS)
				return;
			shadow_s = tell_shadow(t, &jobs[i], &spare, &spare_mw);
		} else if (fits && now_s + jobs[i].estimate_s <= shadow_s) {
			tell_start(t, i, now_s);
		} else if (fits && jobs[i].procs <= spare && jobs[i].extra_mw <= spare_mw) {
			spare -= jobs[i].procs;
			spare_mw -= jobs[i].extra_mw;
			tell_start(t, i, now_s);
		}
	}
}

static void tell(struct trace *trace, const struct es_sim_options *options)
{
	struct telling *t = calloc(1, sizeof(*t));
	size_t n_left = trace->n;
	int64_t now_s = -1;

	assert_non_null(t);
	t->trace = trace;
	t->options = options;
	t->free = options->procs;
	t->free_mw = options->has_cap ? options->cap_mw : INT64_MAX;
	memset(t->starts_s, 0xff, sizeof(t->starts_s));
	while (n_left > 0) {
		int64_t next_s = INT64_MAX;

		for (size_t i = 0; i < trace->n; i++) {
			int64_t end_s = t->starts_s[i] + trace->jobs[i].run_s;

			if (t->is_running[i] && end_s < next_s)
				next_s = end_s;
			if (trace->jobs[i].submit_s > now_s && trace->jobs[i].submit_s < next_s)
				next_s = trace->jobs[i].submit_s;
		}
		now_s = next_s;
		for (size_t i = 0; i < trace->n; i++) {
			if (!t->is_running[i] || t->starts_s[i] + trace->jobs[i].run_s != now_s)
				continue;
			t->is_running[i] = false;
			t->free += trace->jobs[i].procs;
			t->free_mw += trace->jobs[i].extra_mw;
			n_left--;
		}
		tell_moment(t, now_s);
	}
	for (size_t i = 0; i < trace->n; i++)
		assert_int_equal(t->starts_s[i], trace->starts_s[i]);
	free(t);
}

static void random_schedules_can_be_true_and_are_as_told(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 48; seed++) {
		uint32_t procs = seed % 3 == 0 ? 16 : seed % 3 == 1 ? 100 : 4096;
		struct trace *trace = random_trace(seed, 150, procs, seed % 2 == 0);
		struct es_sim_options options = {
			.policy = seed % 8 == 7 ? ES_SIM_FCFS : ES_SIM_EASY,
			.procs = procs,
			.has_cap = seed % 4 >= 2,
			.cap_mw = procs * INT64_C(300),
		};
		struct es_sim_totals totals = replay(trace, options);

		validate(trace, procs, options.has_cap ? options.cap_mw : INT64_MAX,
			 totals.peak_extra_mw);
		tell(trace, &options);
		free(trace);
	}
}

static void looking_at_fewer_jobs_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 108; seed++) {
		struct trace *trace = random_trace(seed, JOBS_MAX / 2, 3000, seed % 2 == 0);
		struct es_sim_options options = { .policy = ES_SIM_EASY,
						  .procs = 3000,
						  .has_cap = seed % 4 >= 2,
						  .cap_mw = 3000 * 200 };
		int64_t *starts_s = calloc(JOBS_MAX, sizeof(*starts_s));
		struct es_sim_totals totals, plain;

		for (size_t i = 0; i < trace->n; i++) /* none over the cap */
			trace->jobs[i].extra_mw %= options.cap_mw;
		totals = replay(trace, options);
		assert_non_null(starts_s);
		assert_true(totals.most_waiting > 500);
		validate(trace, 3000, options.has_cap ? options.cap_mw : INT64_MAX,
			 totals.peak_extra_mw);
		memcpy(starts_s, trace->starts_s, sizeof(trace->starts_s));
		options.is_plain = true;
		plain = replay(trace, options);
		assert_memory_equal(starts_s, trace->starts_s, trace->n * sizeof(*starts_s));
		assert_true(plain.wait_s == totals.wait_s &&
			    plain.n_overtaking == totals.n_overtaking);
		free(starts_s);
		free(trace);
	}
}

static int parse_file(void *arg, struct es_archive_file *file)
{
	return es_swf_parse(file->data, file->n, true, arg, NULL);
}

/* Means over the log of NASA's iPSC/860, where it lies beside the source; run times are the estimates. */
static void the_log_of_a_machine_gives_the_known_waits(void **state)
{
	const char *root = getenv("ES_SOURCE_ROOT");
	struct es_swf swf = { .n = 0 };
	struct es_sim_totals fcfs, easy;
	struct trace *trace;
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path),
		       "%s/../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz",
		       root ? root : ".");
	if (access(path, R_OK) < 0 || es_archive_walk(path, NULL, parse_file, &swf, NULL) < 0) {
		(void)fprintf(stderr, "not tried: '%s' cannot be read\n", path);
		return;
	}
	trace = trace_of(NULL, 0);
	trace->n = swf.n;
	assert_in_range(swf.n, 1, JOBS_MAX);
	for (size_t i = 0; i < swf.n; i++)
		trace->jobs[i] = (struct es_sim_job){ .submit_s = swf.jobs[i].submit_s,
						      .run_s = swf.jobs[i].run_s,
						      .estimate_s = swf.jobs[i].run_s,
						      .procs = (uint32_t)swf.jobs[i].procs };

	fcfs = replay(trace, (struct es_sim_options){ .policy = ES_SIM_FCFS, .procs = 128 });
	easy = replay(trace, (struct es_sim_options){ .policy = ES_SIM_EASY, .procs = 128 });

	validate(trace, 128, INT64_MAX, 0);
	assert_int_equal(easy.n_jobs, 18239);
	assert_true(fabs(fcfs.wait_s / 18239 - 8.005) < 0.0005);
	assert_true(fabs(easy.wait_s / 18239 - 4.028) < 0.0005);
	assert_true(fabs(easy.busy_proc_s / 128 / (double)(easy.last_end_s - easy.first_submit_s) -
			 0.4661) < 0.00005);
	free(trace);
	es_swf_finish(&swf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_is_first_served),
		cmocka_unit_test(jobs_overtake_that_do_not_delay_the_first),
		cmocka_unit_test(what_outlasts_its_estimate_ends_any_moment),
		cmocka_unit_test(watts_are_kept_for_the_first_that_waits),
		cmocka_unit_test(jobs_without_length_take_their_turn),
		cmocka_unit_test(what_is_held_back_waits_from_its_submission_on),
		cmocka_unit_test(what_can_never_start_is_refused),
		cmocka_unit_test(random_schedules_can_be_true_and_are_as_told),
		cmocka_unit_test(looking_at_fewer_jobs_changes_nothing),
		cmocka_unit_test(the_log_of_a_machine_gives_the_known_waits),
	};

	return cmocka_run_group_tests_name("opt/sim", tests, NULL, NULL);
}
