/*
 * simulate.c - replays of jobs: 18,239 under EASY, and a month of a million with long queues, beside looking at each job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise: a log of 18,239 jobs in 10 ms or less, a million jobs at 95 % load with 5,000 and more waiting in less than
 * 10 s. Both are made up, alike in sizes, lengths and bursts by day: with a log of that many jobs, "energyscopium
 * simulate" tells the same. The month is also replayed on nodes that go off when idle, and on four classes of them. The peer
 * is the same engine when it looks at each waiting job (it must come to the same sums).
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "opt/sim.h"
#include "support/figures.h"

#define DAY_S 86400.0
#define LOG_JOBS 18239U
#define LOG_MAX_S 0.010
#define MONTH_JOBS 1000000U
#define MONTH_MAX_S 10.0
#define WAITING_LEAST 5000U

struct trace {
	struct es_sim_job *jobs;
	size_t n, n_given;
};

static double roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / 9007199254740992.0;
}

static int give(void *arg, struct es_sim_job *ret)
{
	struct trace *trace = arg;

	if (trace->n_given == trace->n)
		return 0;
	*ret = trace->jobs[trace->n_given++];
	return 1;
}

/* More jobs by day than by night, and in the middle of a week; half of the sizes are powers of two; lengths over four magnitudes, asked for up to five times. */
static int make(struct trace *trace, size_t n, double days, uint32_t procs, double load)
{
	double work = 0, factor, t_s = 0, gap_s = days * DAY_S / (double)n;
	uint64_t state = n;

	trace->jobs = calloc(n, sizeof(*trace->jobs));
	if (!trace->jobs)
		return -ENOMEM;
	trace->n = n;
	for (size_t i = 0; i < n; i++) {
		struct es_sim_job *job = &trace->jobs[i];
		double size = exp(roll(&state) * log(procs / 4.0));

		t_s -= log(1 - roll(&state)) * gap_s /
		       ((1 - 0.8 * cos(t_s / DAY_S * 2 * M_PI)) *
			(1 - 0.5 * cos(t_s / DAY_S / 7 * 2 * M_PI)));
		if (roll(&state) < 0.5)
			size = exp2(floor(log2(size)));
		*job = (struct es_sim_job){ .id = i,
					    .submit_s = (int64_t)t_s,
					    .run_s = (int64_t)(1e4 * exp(-9 * roll(&state))),
					    .procs = (uint32_t)size };
		work += (double)job->run_s * job->procs;
	}
	factor = load * procs * (double)trace->jobs[n - 1].submit_s / work;
	for (size_t i = 0; i < n; i++) {
		struct es_sim_job *job = &trace->jobs[i];

		job->run_s = (int64_t)((double)job->run_s * factor) + 1;
		job->estimate_s = (int64_t)((double)job->run_s * (1 + 4 * roll(&state)));
	}
	return 0;
}

static double cpu_s(void)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int replay_on(struct trace *trace, struct es_sim_options options,
		     struct es_sim_totals *totals, double *ret_s)
{
	struct es_error err = { .code = 0 };
	double from_s = cpu_s();
	int r;

	options.next = give;
	options.arg = trace;
	trace->n_given = 0;
	r = es_sim_run(&options, totals, &err);
	*ret_s = cpu_s() - from_s;
	if (r < 0)
		(void)fprintf(stderr, "simulate: %s\n", err.text);
	return r;
}

static int replay(struct trace *trace, uint32_t procs, bool is_plain, struct es_sim_totals *totals,
		  double *ret_s)
{
	const struct es_sim_options options = { .policy = ES_SIM_EASY,
						.procs = procs,
						.is_plain = is_plain };

	return replay_on(trace, options, totals, ret_s);
}

static void print_row(const char *what, const struct es_sim_totals *totals, uint32_t procs,
		      double taken_s)
{
	(void)printf("%-16s %9zu %7u %6.1f %9.0f %9zu %10zu %10.4f\n", what, (size_t)totals->n_jobs,
		     procs,
		     100 * totals->busy_proc_s /
			     (procs * (double)(totals->last_end_s - totals->first_submit_s)),
		     totals->wait_s / (double)totals->n_jobs, totals->most_waiting,
		     totals->most_in_flight, taken_s);
}

static int bench_log(unsigned n_rounds)
{
	struct es_bench_figures rounds_s = { .n = 0 };
	struct es_sim_totals totals = { .n_jobs = 0 };
	struct trace trace = { .n = 0 };
	double taken_s;
	int r = make(&trace, LOG_JOBS, 92, 128, 0.47);

	for (unsigned i = 0; r == 0 && i < n_rounds; i++) {
		r = replay(&trace, 128, false, &totals, &taken_s);
		es_bench_add(&rounds_s, taken_s);
	}
	taken_s = es_bench_quantile(&rounds_s, 0.5);
	if (r == 0) {
		print_row("log", &totals, 128, taken_s);
		(void)printf("18,239 jobs: %.1f ms <= %.0f ms: %s\n", taken_s * 1e3,
			     LOG_MAX_S * 1e3, es_bench_verdict(taken_s <= LOG_MAX_S));
	}
	free(trace.jobs);
	return r;
}

/* The same on nodes that go off when idle, and on four classes of them. */
static int bench_nodes(struct trace *trace, uint32_t procs, const char *what, double *ret_s)
{
	struct es_sim_class classes[4];
	struct es_sim_options options = { .policy = ES_SIM_EASY,
					  .classes = classes,
					  .choice = ES_SIM_MARGINAL };
	struct es_sim_totals totals;
	int r = 0;

	for (unsigned i = 0; i < ES_ARRAY_SIZE(classes); i++)
		classes[i] = (struct es_sim_class){
			.procs = procs,
			.idle_mw = 95000,
			.node = { .procs = 1,
				  .idle_mw = 95000,
				  .off_mw = 9750,
				  .boot_mw = 125200,
				  .stop_mw = 101000,
				  .boot_ms = 151500,
				  .stop_ms = 6100,
				  .timeout_s = 212 },
		};
	*ret_s = 0;
	for (options.n_classes = 1; r == 0 && options.n_classes <= 4; options.n_classes += 3) {
		double taken_s = 0;

		for (unsigned i = 0; i < options.n_classes; i++)
			classes[i].procs = procs / options.n_classes; /* no job is larger */
		r = replay_on(trace, options, &totals, &taken_s);
		if (r == 0)
			print_row(options.n_classes == 1 ? what : "  four classes", &totals, procs,
				  taken_s);
		*ret_s = taken_s > *ret_s ? taken_s : *ret_s;
	}
	return r;
}

/* A part of the month is as dense as the whole; the peer is tried on a part only, and takes its time for that. */
static int bench_month(size_t n, size_t n_peer)
{
	struct es_sim_totals totals, plain;
	struct trace trace = { .n = 0 };
	double taken_s = 0, part_s = 0, plain_s = 0, nodes_s = 0,
	       scale = (double)MONTH_JOBS / (double)n;
	int r = make(&trace, n, 30 / scale, 4096, 0.95);

	if (r == 0)
		r = replay(&trace, 4096, false, &totals, &taken_s);
	if (r == 0) {
		print_row("month", &totals, 4096, taken_s);
		(void)printf("%zu waiting >= %u: %s\n", totals.most_waiting, WAITING_LEAST,
			     es_bench_verdict(totals.most_waiting >= WAITING_LEAST));
		r = bench_nodes(&trace, 4096, "  nodes go off", &nodes_s);
	}
	if (r == 0) {
		trace.n = n_peer;
		r = replay(&trace, 4096, false, &totals, &part_s);
	}
	if (r == 0) {
		print_row("its begin", &totals, 4096, part_s);
		r = replay(&trace, 4096, true, &plain, &plain_s);
	}
	if (r == 0) {
		print_row("  each job", &plain, 4096, plain_s);
		(void)printf("the same sums: %s\n",
			     es_bench_verdict(plain.wait_s == totals.wait_s &&
					      plain.n_overtaking == totals.n_overtaking));
		(void)printf("a million jobs: %.2f s < %.0f s: %s\n", taken_s * scale, MONTH_MAX_S,
			     es_bench_verdict(taken_s * scale < MONTH_MAX_S));
		(void)printf(
			"and on nodes that go off, also in four classes: %.2f s < %.0f s: %s\n",
			nodes_s * scale, MONTH_MAX_S,
			es_bench_verdict(nodes_s * scale < MONTH_MAX_S));
	}
	free(trace.jobs);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	bool is_quick = false;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'q') {
			(void)fprintf(stderr, "usage: bench_simulate [--quick]\n");
			return 2;
		}
		is_quick = true;
	}
	(void)printf("replays under EASY, CPU seconds\n%-16s %9s %7s %6s %9s %9s %10s %10s\n", "",
		     "jobs", "procs", "use %", "wait s", "waiting", "in flight", "CPU s");
	r = bench_log(is_quick ? 3 : 21);
	if (r == 0)
		r = bench_month(is_quick ? MONTH_JOBS / 4 : MONTH_JOBS, is_quick ? 20000 : 100000);
	return r < 0;
}
