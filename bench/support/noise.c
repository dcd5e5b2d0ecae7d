/*
 * noise.c - what others cost a program that wants all CPUs: fixed work by a clock, and threads that wait for each other
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/noise.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define CPUS_MAX 256U
#define TRIES 20U
#define BEFORE_NS (2 * ES_NS_PER_MS) /* what runs already */
#define BEHIND_NS (4 * ES_NS_PER_MS)
#define N_OTHERS 4 /* times in the half of a second before each */

/* What the threads of one measurement share. */
struct gang {
	uint64_t n_steps;
	int64_t stop_ns;
	bool waits; /* for each other */
	unsigned n;
	atomic_uint n_there; /* at the barrier; counts on and on */
	atomic_uint last_round; /* 0: not known yet */
};

struct worker {
	struct gang *gang;
	pthread_t thread;
	int cpu;
	bool is_first;
	struct es_noise noise;
	int error;
	uint64_t sum; /* so that no work is left out */
};

static uint64_t work(uint64_t n_steps, uint64_t x)
{
	for (uint64_t i = 0; i < n_steps; i++)
		x = x * 6364136223846793005U + 1442695040888963407U;
	return x;
}

uint64_t es_noise_calibrate(int64_t dur_ns)
{
	uint64_t n_steps = 100000;
	volatile uint64_t sum = 1;
	int64_t best_ns = INT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		int64_t t0_ns = es_clock_mono_ns(), took_ns;

		sum = work(n_steps, sum);
		took_ns = es_clock_mono_ns() - t0_ns;
		if (took_ns < best_ns)
			best_ns = took_ns;
	}
	return best_ns > 0 ? n_steps * (uint64_t)dur_ns / (uint64_t)best_ns + 1 : n_steps;
}

static int keep(struct es_noise *noise, int64_t value_ns, int64_t start_ns)
{
	if (noise->n == noise->n_max) {
		size_t n_max = noise->n_max ? noise->n_max * 2 : 4096;
		int64_t *values = reallocarray(noise->values, n_max, sizeof(*values));
		int64_t *starts_ns = reallocarray(noise->starts_ns, n_max, sizeof(*starts_ns));

		noise->values = values ? values : noise->values;
		noise->starts_ns = starts_ns ? starts_ns : noise->starts_ns;
		if (!values || !starts_ns)
			return -ENOMEM;
		noise->n_max = n_max;
	}
	noise->starts_ns[noise->n] = start_ns;
	noise->values[noise->n++] = value_ns;
	return 0;
}

/* Until all have come @round times. */
static void wait_for_all(struct gang *gang, unsigned round)
{
	unsigned want = round * gang->n;

	atomic_fetch_add(&gang->n_there, 1);
	while ((int)(atomic_load(&gang->n_there) - want) < 0)
		continue;
}

static void *run(void *arg)
{
	struct worker *worker = arg;
	struct gang *gang = worker->gang;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)worker->cpu, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	wait_for_all(gang, 1);
	for (unsigned round = 2; worker->error == 0; round++) {
		int64_t t0_ns = es_clock_mono_ns(), start_ns = es_clock_unix_ns(), t1_ns;

		worker->sum = work(gang->n_steps, worker->sum);
		t1_ns = es_clock_mono_ns();
		if (gang->waits) {
			/* Told before it comes to the barrier: behind it all know. */
			if (worker->is_first && t1_ns >= gang->stop_ns)
				atomic_store(&gang->last_round, round);
			wait_for_all(gang, round);
			t1_ns = es_clock_mono_ns();
		}
		if (!gang->waits || worker->is_first)
			worker->error = keep(&worker->noise, t1_ns - t0_ns, start_ns);
		if (gang->waits ? atomic_load(&gang->last_round) == round : t1_ns >= gang->stop_ns)
			break;
	}
	return NULL;
}

static unsigned list_cpus(int *ret)
{
	unsigned n = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < CPUS_MAX; cpu++)
		if (CPU_ISSET((size_t)cpu, &set))
			ret[n++] = cpu;
	return n;
}

unsigned es_noise_n_cpus(void)
{
	int cpus[CPUS_MAX];

	return list_cpus(cpus);
}

static int gather(struct es_noise *noise, const struct worker *workers, unsigned n)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		r = workers[i].error;
		for (size_t j = 0; r == 0 && j < workers[i].noise.n; j++)
			r = keep(noise, workers[i].noise.values[j], workers[i].noise.starts_ns[j]);
	}
	return r;
}

static int measure(struct es_noise *noise, uint64_t n_steps, int64_t dur_ns, bool waits)
{
	int cpus[CPUS_MAX];
	struct gang gang = { .n_steps = n_steps, .waits = waits, .n = list_cpus(cpus) };
	es_cleanup(es_freep) struct worker *workers = calloc(gang.n + 1, sizeof(*workers));
	unsigned n_started = 0;
	int r = workers && gang.n ? 0 : -ENOMEM;

	gang.stop_ns = es_clock_mono_ns() + dur_ns;
	for (unsigned i = 0; r == 0 && i < gang.n; i++) {
		workers[i] = (struct worker){
			.gang = &gang, .cpu = cpus[i], .is_first = i == 0, .sum = i
		};
		r = -pthread_create(&workers[i].thread, NULL, run, &workers[i]);
		n_started += r == 0;
	}
	/* Those that are there wait for those that could not be started: there is no way on. */
	if (n_started < gang.n && n_started > 0)
		abort();
	for (unsigned i = 0; i < n_started; i++)
		(void)pthread_join(workers[i].thread, NULL);
	if (r == 0)
		r = gather(noise, workers, gang.n);
	for (unsigned i = 0; workers && i < gang.n; i++)
		es_noise_finish(&workers[i].noise);
	return r;
}

int es_noise_quanta(struct es_noise *noise, uint64_t n_steps, int64_t dur_ns)
{
	return measure(noise, n_steps, dur_ns, false);
}

int es_noise_barrier(struct es_noise *noise, uint64_t n_steps, int64_t dur_ns)
{
	return measure(noise, n_steps, dur_ns, true);
}

void es_noise_take(struct es_noise *noise, struct es_noise *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (keep(noise, from->values[i], from->starts_ns[i]) < 0)
			break;
	es_noise_finish(from);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The least is what the work takes by itself. */
static int64_t least(const struct es_noise *noise)
{
	int64_t least_ns = INT64_MAX;

	for (size_t i = 0; i < noise->n; i++)
		if (noise->values[i] < least_ns)
			least_ns = noise->values[i];
	return least_ns;
}

/* What all that began around a time took beyond @least_ns. */
static double excess_at(const struct es_noise *noise, int64_t at_ns, int64_t least_ns)
{
	double sum_ns = 0;

	for (size_t i = 0; i < noise->n; i++)
		if (noise->starts_ns[i] >= at_ns - BEFORE_NS &&
		    noise->starts_ns[i] < at_ns + BEHIND_NS)
			sum_ns += (double)(noise->values[i] - least_ns);
	return sum_ns;
}

void es_noise_at_ticks(const struct es_noise *noise, size_t n_rows, struct es_bench_figures *ret)
{
	int64_t least_ns = least(noise), first_ns, last_ns;

	if (noise->n == 0)
		return;
	first_ns = noise->starts_ns[0];
	last_ns = noise->starts_ns[noise->n - 1];
	for (int64_t at_ns = (first_ns / ES_NS_PER_S + 1) * ES_NS_PER_S;
	     at_ns + ES_NS_PER_S / 2 < last_ns; at_ns += ES_NS_PER_S) {
		double others_ns = 0;

		/* Half a second before and after lies in the measurement too. */
		if (at_ns - ES_NS_PER_S / 2 < first_ns)
			continue;
		for (int i = 1; i <= N_OTHERS; i++)
			others_ns += excess_at(noise,
					       at_ns - ES_NS_PER_S / 2 +
						       i * ES_NS_PER_S / (2 * N_OTHERS + 1),
					       least_ns);
		es_bench_add(ret, (excess_at(noise, at_ns, least_ns) - others_ns / N_OTHERS) /
					  (double)n_rows);
	}
}

double es_noise_quantile(struct es_noise *noise, double q)
{
	size_t at;

	if (noise->n == 0)
		return NAN;
	qsort(noise->values, noise->n, sizeof(*noise->values), compare);
	at = (size_t)(q * (double)(noise->n - 1) + 0.5);
	return (double)noise->values[at];
}

double es_noise_mean(const struct es_noise *noise)
{
	double sum = 0;

	for (size_t i = 0; i < noise->n; i++)
		sum += (double)noise->values[i];
	return noise->n ? sum / (double)noise->n : NAN;
}

void es_noise_finish(struct es_noise *noise)
{
	free(noise->values);
	free(noise->starts_ns);
	*noise = (struct es_noise){ .values = NULL };
}
