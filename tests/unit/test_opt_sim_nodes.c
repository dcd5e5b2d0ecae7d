/*
 * test_opt_sim_nodes.c - replays on nodes that go off and on, and on classes, beside a plain telling of the same
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

#include "support/sim_telling.h"

static int give(void *arg, struct es_sim_job *ret)
{
	struct sim_trace *trace = arg;

	if (trace->n_given == trace->n)
		return 0;
	*ret = trace->jobs[trace->n_given];
	ret->id = trace->n_given++;
	return 1;
}

static int keep(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	struct sim_trace *trace = arg;

	assert_true(start_s >= trace->last_start_s);
	trace->last_start_s = start_s;
	trace->starts_s[job->id] = start_s;
	trace->classes[job->id] = job->class;
	trace->n_started++;
	return 0;
}

static void hear(void *arg, int64_t from_ms, int64_t to_ms, int64_t mw)
{
	struct sim_trace *trace = arg;

	assert_true(from_ms == trace->drawn_to_ms && to_ms > from_ms);
	trace->drawn_to_ms = to_ms;
	trace->drawn_mj += (double)mw * (double)(to_ms - from_ms) / 1e3;
}

static struct es_sim_totals replay(struct sim_trace *trace, struct es_sim_options options)
{
	struct es_sim_totals totals;
	struct es_error err = { .code = 0 };

	options.next = give;
	options.started = keep;
	options.offer = sim_offer;
	options.drew = hear;
	options.arg = trace;
	trace->n_given = trace->n_started = 0;
	trace->drawn_mj = 0;
	trace->last_start_s = 0;
	trace->drawn_to_ms = trace->jobs[0].submit_s * 1000;
	if (es_sim_run(&options, &totals, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(trace->n_started, trace->n);
	return totals;
}

static uint64_t roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* Busy spells and lulls, so that nodes go off, come again, and jobs wait. */
static struct sim_trace *random_trace(uint64_t seed, size_t n, uint32_t procs)
{
	struct sim_trace *trace = calloc(1, sizeof(*trace));
	int64_t now_s = 7;

	assert_non_null(trace);
	trace->n = n;
	for (size_t i = 0; i < n; i++) {
		struct es_sim_job *job = &trace->jobs[i];

		now_s += (int64_t)(roll(&seed) % (roll(&seed) % 12 == 0 ? 400 : 20));
		job->submit_s = now_s;
		job->run_s = (int64_t)(roll(&seed) % (UINT64_C(1) << roll(&seed) % 8));
		job->estimate_s = job->run_s + (int64_t)(roll(&seed) % 40) - 10;
		job->estimate_s = job->estimate_s < 0 ? 0 : job->estimate_s;
		job->procs = 1 + (uint32_t)(roll(&seed) % (procs >> roll(&seed) % 4));
		/* Small jobs are the hottest, so that a cap binds that lets the largest start. */
		job->extra_mw = (int64_t)(job->procs * (roll(&seed) % (job->procs > 6 ? 60 : 300)));
	}
	return trace;
}

static struct es_sim_node random_node(uint64_t *seed, uint32_t procs)
{
	return (struct es_sim_node){
		.procs = procs,
		.idle_mw = 100 * procs,
		.off_mw = (int64_t)(roll(seed) % 50),
		.boot_mw = (int64_t)(roll(seed) % 300),
		.stop_mw = (int64_t)(roll(seed) % 300),
		.boot_ms = (int64_t)(roll(seed) % 600) * SIM_TICK_MS,
		.stop_ms = (int64_t)(roll(seed) % 200) * SIM_TICK_MS,
		.timeout_s = roll(seed) % 8 == 0 ? -1 : (int64_t)(roll(seed) % 60),
	};
}

/* What is kept for nodes that boot or stop, and @mw for jobs. */
static int64_t cap_of(const struct es_sim_class *classes, unsigned n, int64_t mw)
{
	for (unsigned i = 0; i < n; i++) {
		const struct es_sim_node *node = &classes[i].node;
		int64_t most_mw = node->boot_mw > node->stop_mw ? node->boot_mw : node->stop_mw;

		if (node->timeout_s >= 0 && most_mw > node->idle_mw)
			mw += (most_mw - node->idle_mw + node->procs) * classes[i].procs /
			      node->procs;
	}
	return mw;
}

static void random_replays_on_nodes_are_as_told(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		uint64_t rolled = seed + 1000;
		uint32_t per_node = seed % 3 == 0 ? 4 : seed % 3 == 1 ? 1 : 3;
		const struct es_sim_class class = { .procs = 24,
						    .idle_mw = 100,
						    .node = random_node(&rolled, per_node) };
		struct sim_trace *trace = random_trace(seed, 60, 24);
		struct es_sim_options options = {
			.policy = seed % 5 == 4 ? ES_SIM_FCFS : ES_SIM_EASY,
			.classes = &class,
			.n_classes = 1,
			.has_cap = seed % 4 == 3,
			.cap_mw = cap_of(&class, 1, 2500),
		};
		struct es_sim_totals totals;

		trace->kinds[0] = (struct sim_kind){ .slower = 4, .more = 4 };
		totals = replay(trace, options);
		sim_tell(trace, &options, &totals);
		free(trace);
	}
}

static void random_replays_on_classes_are_as_told(void **state)
{
	(void)state;
	for (uint64_t seed = 200; seed < 260; seed++) {
		uint64_t rolled = seed;
		struct sim_trace *trace = random_trace(seed, 60, 16);
		struct es_sim_class classes[3] = { { .procs = 16, .idle_mw = 100 },
						   { .procs = 24, .idle_mw = 100 },
						   { .procs = 6, .idle_mw = 100 } };
		struct es_sim_options options = {
			.policy = seed % 7 == 6 ? ES_SIM_FCFS : ES_SIM_EASY,
			.classes = classes,
			.n_classes = 2 + seed % 2,
			.choice = (enum es_sim_choice)(seed % ES_SIM_N_CHOICES),
			.has_cap = seed % 3 == 2,
		};
		struct es_sim_totals totals;

		for (unsigned i = 0; i < 3; i++) {
			classes[i].node = random_node(&rolled, i == 1 ? 4 : 1);
			trace->kinds[i] =
				(struct sim_kind){ .slower = 2 + (int64_t)(roll(&rolled) % 5),
						   .more = 2 + (int64_t)(roll(&rolled) % 5),
						   .not_for = i == 0 ? 0 : 7 };
		}
		options.cap_mw = cap_of(classes, options.n_classes, 3500);
		totals = replay(trace, options);
		sim_tell(trace, &options, &totals);
		free(trace);
	}
}

/* A node of the Taurus cluster: 125.2 W for 151.5 s, 101 W for 6.1 s, 9.75 W when off, 95 W when idle. */
static const struct es_sim_node taurus = {
	.procs = 1,
	.idle_mw = 95000,
	.off_mw = 9750,
	.boot_mw = 125200,
	.stop_mw = 101000,
	.boot_ms = 151500,
	.stop_ms = 6100,
	.timeout_s = 212,
};

static void going_off_breaks_even(void **state)
{
	struct es_sim_node node = taurus;

	(void)state;
	assert_true(fabs(es_sim_break_even_s(&node) - 211.7) < 0.05);
	node.boot_mw = node.stop_mw = 0; /* it still takes the time to go and come */
	assert_true(fabs(es_sim_break_even_s(&node) - 157.6) < 1e-9);
	node.off_mw = node.idle_mw;
	assert_true(isinf(es_sim_break_even_s(&node)));
}

#define JOB(submit, run, estimate, n)                                                         \
	{                                                                                     \
		.submit_s = (submit), .run_s = (run), .estimate_s = (estimate), .procs = (n), \
	}

static struct es_sim_totals replay_few(struct sim_trace *trace, const struct es_sim_job *jobs,
				       size_t n, const struct es_sim_class *class)
{
	const struct es_sim_options options = { .policy = ES_SIM_EASY,
						.classes = class,
						.n_classes = 1 };
	struct es_sim_totals totals;

	memcpy(trace->jobs, jobs, n * sizeof(*jobs));
	trace->n = n;
	trace->kinds[0] = (struct sim_kind){ .slower = 4, .more = 4 };
	totals = replay(trace, options);
	sim_tell(trace, &options, &totals);
	return totals;
}

static void one_waits_for_nodes_to_boot(void **state)
{
	/* Two nodes; at 100 one goes idle, off from 312 + 6.1 s; the other is idle from the beginning, off from 218.1 on. */
	static const struct es_sim_job jobs[] = { JOB(0, 100, 100, 1), JOB(1000, 10, 10, 2) };
	const struct es_sim_class class = { .procs = 2, .idle_mw = 95000, .node = taurus };
	struct sim_trace *trace = calloc(1, sizeof(*trace));
	struct es_sim_totals totals;

	(void)state;
	assert_non_null(trace);
	totals = replay_few(trace, jobs, 2, &class);
	assert_int_equal(trace->starts_s[1], 1152); /* 1151.5 s, and jobs start at whole seconds */
	assert_true(totals.wait_s == 152);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_OFF], 781900 + 681900);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_BOOTING], 2 * 151500);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_IDLE], 212000 + 212000 + 2 * 500);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_BUSY], 100000 + 2 * 10000);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_STOPPING], 2 * 6100);
	assert_int_equal(totals.by_class[0].stays.n_boots, 2);
	assert_int_equal(totals.by_class[0].stays.n_stops, 2);
	assert_int_equal(totals.peak_mw, 2 * 125200);
	free(trace);
}

static void nodes_boot_in_time_for_the_first_that_waits(void **state)
{
	/* Two of four are off when it comes; it needs three, and waits for one of two up to 1000: one boots from 848 on. */
	static const struct es_sim_job jobs[] = { JOB(0, 1000, 1000, 2), JOB(500, 10, 10, 3) };
	const struct es_sim_class class = { .procs = 4, .idle_mw = 95000, .node = taurus };
	struct sim_trace *trace = calloc(1, sizeof(*trace));
	struct es_sim_totals totals;

	(void)state;
	assert_non_null(trace);
	totals = replay_few(trace, jobs, 2, &class);
	assert_int_equal(trace->starts_s[1], 1000);
	assert_int_equal(totals.by_class[0].stays.n_boots, 1);
	assert_int_equal(totals.by_class[0].stays.ms[ES_SIM_BOOTING], 151500);
	free(trace);
}

static void one_that_stops_first_stops_and_then_boots(void **state)
{
	static const struct es_sim_job jobs[] = { JOB(0, 0, 0, 1), JOB(215, 10, 10, 1) };
	const struct es_sim_class class = { .procs = 1, .idle_mw = 95000, .node = taurus };
	struct sim_trace *trace = calloc(1, sizeof(*trace));

	(void)state;
	assert_non_null(trace);
	(void)replay_few(trace, jobs, 2, &class);
	assert_int_equal(trace->starts_s[1], 370); /* 212 + 6.1 + 151.5 */
	free(trace);
}

static void what_cannot_be_counted_is_refused(void **state)
{
	struct es_sim_class class = { .procs = 10, .node = taurus };
	struct es_sim_options options = {
		.classes = &class, .n_classes = 1, .has_cap = true, .cap_mw = 301999
	};
	struct sim_trace *trace = calloc(1, sizeof(*trace));
	struct es_error err = { .code = 0 };
	struct es_sim_totals totals;

	(void)state;
	assert_non_null(trace);
	options.next = give;
	options.arg = trace;
	/* Ten nodes that boot draw 302 W more than when they are idle. */
	assert_int_equal(es_sim_run(&options, &totals, &err), -ERANGE);
	assert_string_equal(err.text,
			    "the power cap is 0.001 W less than nodes draw that boot or stop");
	options.cap_mw++;
	assert_int_equal(es_sim_run(&options, &totals, &err), 0);
	class.node.procs = 3;
	assert_int_equal(es_sim_run(&options, &totals, &err), -EINVAL);
	options.n_classes = ES_SIM_CLASSES_MAX + 1;
	assert_true(es_sim_run(&options, &totals, &err) < 0);
	free(trace);
}

struct event {
	int64_t t_s;
	int64_t nodes, mw;
};

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->t_s != y->t_s)
		return x->t_s < y->t_s ? -1 : 1;
	return x->nodes < y->nodes ? -1 : x->nodes > y->nodes; /* what ends gives back first */
}

/* No start before the submission; never more nodes of a class than there are, or more watts of all than the cap leaves. */
static void validate(struct sim_trace *trace, const struct es_sim_options *options)
{
	struct event *events = calloc(2 * trace->n, sizeof(*events));
	int64_t drawn_mw = 0;
	size_t n = 0;

	assert_non_null(events);
	for (unsigned class = 0; class <= options->n_classes; class ++) {
		const bool is_all = class == options->n_classes;
		int64_t busy = 0;

		n = 0;
		for (size_t i = 0; i < trace->n; i++) {
			const struct es_sim_class *is = &options->classes[trace->classes[i]];
			struct es_sim_job job = trace->jobs[i];
			int64_t nodes = (job.procs + is->node.procs - 1) / is->node.procs;

			job.id = i;
			assert_true(sim_offer(trace, trace->classes[i], &job) > 0);
			assert_true(trace->starts_s[i] >= job.submit_s);
			if (job.run_s == 0 || (!is_all && trace->classes[i] != class))
				continue;
			events[n++] = (struct event){ trace->starts_s[i], nodes, job.extra_mw };
			events[n++] = (struct event){ trace->starts_s[i] + job.run_s, -nodes,
						      -job.extra_mw };
		}
		qsort(events, n, sizeof(*events), by_time);
		for (size_t i = 0; i < n; i++) {
			busy += events[i].nodes;
			drawn_mw += is_all ? events[i].mw : 0;
			assert_true(busy >= 0 &&
				    (is_all || busy <= options->classes[class].procs /
							       options->classes[class].node.procs));
			assert_true(!options->has_cap || drawn_mw <= options->cap_mw);
		}
		assert_int_equal(busy, 0);
	}
	free(events);
}

static void long_replays_can_be_true_however_they_are_looked_at(void **state)
{
	(void)state;
	for (uint64_t seed = 500; seed < 508; seed++) {
		uint64_t rolled = seed;
		struct sim_trace *trace = random_trace(seed, SIM_JOBS_MAX, 24);
		int64_t *starts_s = calloc(SIM_JOBS_MAX, sizeof(*starts_s));
		struct es_sim_class classes[3] = { { .procs = 24, .idle_mw = 100 },
						   { .procs = 48, .idle_mw = 100 },
						   { .procs = 12, .idle_mw = 100 } };
		struct es_sim_options options = {
			.policy = ES_SIM_EASY,
			.classes = classes,
			.n_classes = 3,
			.choice = (enum es_sim_choice)(seed % ES_SIM_N_CHOICES),
			.has_cap = seed % 2 == 1,
		};
		struct es_sim_totals totals, plain;

		assert_non_null(starts_s);
		for (unsigned i = 0; i < 3; i++) {
			classes[i].node = random_node(&rolled, i == 1 ? 4 : 1);
			trace->kinds[i] =
				(struct sim_kind){ .slower = 90 + (int64_t)(roll(&rolled) % 40),
						   .more = 2 + (int64_t)(roll(&rolled) % 5),
						   .not_for = i == 0 ? 0 : 7 };
		}
		options.cap_mw = cap_of(classes, options.n_classes, 4500);
		totals = replay(trace, options);
		validate(trace, &options);
		assert_true(totals.most_waiting > 20);
		memcpy(starts_s, trace->starts_s, sizeof(trace->starts_s));
		options.is_plain = true;
		plain = replay(trace, options);
		assert_memory_equal(starts_s, trace->starts_s, trace->n * sizeof(*starts_s));
		for (unsigned i = 0; i < 3; i++)
			assert_memory_equal(&plain.by_class[i].stays, &totals.by_class[i].stays,
					    sizeof(plain.by_class[i].stays));
		free(starts_s);
		free(trace);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(going_off_breaks_even),
		cmocka_unit_test(one_waits_for_nodes_to_boot),
		cmocka_unit_test(nodes_boot_in_time_for_the_first_that_waits),
		cmocka_unit_test(one_that_stops_first_stops_and_then_boots),
		cmocka_unit_test(what_cannot_be_counted_is_refused),
		cmocka_unit_test(random_replays_on_nodes_are_as_told),
		cmocka_unit_test(random_replays_on_classes_are_as_told),
		cmocka_unit_test(long_replays_can_be_true_however_they_are_looked_at),
	};

	return cmocka_run_group_tests_name("opt/sim_nodes", tests, NULL, NULL);
}
