/*
 * twin.c - a simulated day of 1,000 nodes x 10 domains at 1 Hz, beside encoding as many samples alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise: with jobs, on two cores, in less than 60 s. What counts is CPU time, so that other work on the machine is
 * not in it: 120 core-seconds. The nodes share nothing but a counter, so that two cores take half of it; the wall
 * time is printed beside. A tenth of the nodes is simulated, unless --full is given: each costs the same. The floor
 * is the same number of samples, made before, put through the encoder and nothing else.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "record/rows.h"
#include "support/figures.h"
#include "support/scratch.h"
#include "twin/cluster.h"

#define DAY_NS (86400 * ES_NS_PER_S)
#define NODES 1000U
#define WALL_MAX_S 60.0
#define CORES 2
#define ROWS 1024U

struct class {
	const char *kind;
	unsigned percent;
};

/* 13 and 6 domains: 10.2 on the mean. */
static const struct class classes[] = { { "mi250x", 60 }, { "spr2s", 40 } };

struct round {
	double user_s, system_s, wall_s;
	uint64_t n_samples, n_bytes, n_jobs;
	double truth_s; /* CPU time without readings */
	double floor_s; /* CPU time of encoding alone */
};

struct bench {
	unsigned n_nodes, n_rounds;
	struct es_scratch scratch;
	struct es_rows rows;
	struct es_domain domains[10];
};

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void cpu_now(double *ret_user_s, double *ret_system_s)
{
	struct rusage usage = { .ru_nivcsw = 0 };

	(void)getrusage(RUSAGE_SELF, &usage);
	*ret_user_s = seconds(usage.ru_utime);
	*ret_system_s = seconds(usage.ru_stime);
}

/* Counters of ten domains at some 200 W with noise, as steps of 15.3 µJ. */
static int make_rows(struct bench *bench)
{
	uint64_t state = 1, counts[10] = { 0 };
	int r;

	for (int32_t i = 0; i < 10; i++) {
		es_domain_init(&bench->domains[i], "powercap", ES_DOMAIN_PACKAGE, i, -1);
		bench->domains[i].range.unit_nj = 15258;
	}
	r = es_rows_init(&bench->rows, bench->domains, 10, ROWS);
	for (int64_t row = 0; r == 0 && row < (int64_t)ROWS; row++) {
		(void)es_rows_add(&bench->rows, row * ES_NS_PER_S);
		for (size_t i = 0; i < 10; i++) {
			state = state * UINT64_C(6364136223846793005) +
				UINT64_C(1442695040888963407);
			counts[i] += 13000000 + (state >> 48);
			es_rows_set(&bench->rows, i, row * ES_NS_PER_S, counts[i] * 15258 / 1000,
				    0);
		}
	}
	return r;
}

static double encode_s(const struct bench *bench, uint64_t n_samples)
{
	double user_s, system_s, from_s, ignored_s;
	struct es_buf out;

	es_buf_init(&out, 16U << 20);
	cpu_now(&from_s, &ignored_s);
	for (uint64_t n = 0; n < n_samples; n += (uint64_t)ROWS * 10) {
		es_buf_reset(&out);
		if (es_rows_encode(&bench->rows, &out) < 0)
			break;
	}
	cpu_now(&user_s, &system_s);
	es_buf_finish(&out);
	return user_s - from_s;
}

static int simulate(const struct bench *bench, const char *out, struct round *round)
{
	struct es_cluster_options options = {
		.n_classes = ES_ARRAY_SIZE(classes),
		.duration_ns = DAY_NS,
		.period_ns = ES_NS_PER_S,
		.start_unix_ns = 1767571200 * ES_NS_PER_S,
		.seed = 1,
		.n_threads = CORES,
		.load_ppm = 700000,
		.out = out,
		.has_readings = out != NULL,
		.may_replace = true,
		.tool = "bench_twin",
	};
	double from_user_s, from_system_s, user_s, system_s;
	struct es_error err = { .code = 0 };
	struct es_cluster *cluster = NULL;
	int64_t t0_ns;
	int r;

	for (size_t i = 0; i < ES_ARRAY_SIZE(classes); i++) {
		options.classes[i].kind = es_twin_kind_find(classes[i].kind, NULL);
		options.classes[i].n = bench->n_nodes * classes[i].percent / 100;
		if (!options.classes[i].kind)
			return -ENOENT;
	}
	cpu_now(&from_user_s, &from_system_s);
	t0_ns = es_clock_mono_ns();
	r = es_cluster_create(&options, &cluster, &err);
	if (r == 0)
		r = es_cluster_run(cluster, &err);
	cpu_now(&user_s, &system_s);
	if (r < 0) {
		(void)fprintf(stderr, "twin: %s\n", err.text);
	} else if (out) {
		round->user_s = user_s - from_user_s;
		round->system_s = system_s - from_system_s;
		round->wall_s = (double)(es_clock_mono_ns() - t0_ns) / 1e9;
		round->n_samples = cluster->n_samples;
		round->n_bytes = cluster->n_bytes;
		round->n_jobs = cluster->n_jobs;
	} else {
		round->truth_s = user_s - from_user_s;
	}
	es_cluster_destroy(cluster);
	return r;
}

static int run_round(const struct bench *bench, struct round *round)
{
	char out[512];
	int r;

	(void)snprintf(out, sizeof(out), "%s/cluster", bench->scratch.path);
	r = simulate(bench, out, round);
	if (r == 0)
		r = simulate(bench, NULL, round);
	if (r == 0)
		round->floor_s = encode_s(bench, round->n_samples);
	return r;
}

static void print_round(const struct bench *bench, const struct round *round)
{
	double samples = (double)round->n_samples;

	(void)printf("%6u %6" PRIu64 " %8.1f %8.2f %8.2f %8.2f %8.2f %8.2f %8.1f %8.2f\n",
		     bench->n_nodes, round->n_jobs, samples / 1e6, round->user_s, round->system_s,
		     round->wall_s, round->truth_s, round->floor_s,
		     samples / (round->user_s + round->system_s) / 1e6,
		     (double)round->n_bytes / samples);
}

static int run_all(struct bench *bench)
{
	struct es_bench_figures days_s = { .n = 0 };
	double scale = (double)NODES / bench->n_nodes, day_s;
	struct round round;
	int r = 0;

	(void)printf("CPU seconds of a day (user, system), wall clock, without readings, floor; "
		     "%d threads\n",
		     CORES);
	(void)printf(
		" nodes   jobs  samples     user   system     wall    truth    floor  samples "
		"   bytes\n"
		"                     M        s        s        s        s        s    M/CPU s "
		"  each\n");
	for (unsigned i = 0; r == 0 && i < bench->n_rounds; i++) {
		r = run_round(bench, &round);
		if (r < 0)
			return r;
		print_round(bench, &round);
		es_bench_add(&days_s, (round.user_s + round.system_s) * scale / CORES);
	}
	day_s = es_bench_quantile(&days_s, 0.5);
	(void)printf("a day of %u nodes, CPU time by %d cores: %.1f s < %.0f s: %s\n", NODES, CORES,
		     day_s, WALL_MAX_S, es_bench_verdict(day_s < WALL_MAX_S));
	return 0;
}

static int read_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = { { "full", no_argument, NULL, 'f' },
						 { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	int c;

	bench->n_nodes = NODES / 10;
	bench->n_rounds = 3;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f') {
			bench->n_nodes = NODES;
			bench->n_rounds = 1;
		} else if (c == 'q') {
			bench->n_nodes = NODES / 50;
			bench->n_rounds = 1;
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int r;

	if (!bench)
		return 1;
	if (read_options(argc, argv, bench) < 0) {
		(void)fprintf(stderr, "usage: bench_twin [--quick | --full]\n");
		free(bench);
		return 2;
	}
	r = es_scratch_init(&bench->scratch);
	if (r == 0)
		r = make_rows(bench);
	if (r == 0)
		r = run_all(bench);
	if (r < 0)
		(void)fprintf(stderr, "twin: %s\n", es_strerror(r));
	es_rows_finish(&bench->rows);
	es_scratch_finish(&bench->scratch);
	free(bench);
	return r < 0;
}
