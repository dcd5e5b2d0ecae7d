/*
 * noise.h - what others cost a program that wants all CPUs: fixed work by a clock, and threads that wait for each other
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_NOISE_H
#define ES_BENCH_SUPPORT_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "support/figures.h"

/** struct es_noise - times of the same work, ns; es_noise_finish() it */
struct es_noise {
	int64_t *values; /* owned */
	int64_t *starts_ns; /* owned; wall clock. No longer theirs once they are sorted */
	size_t n, n_max;
};

/** es_noise_n_cpus - how many threads there are */
unsigned es_noise_n_cpus(void);
/** es_noise_calibrate - how many steps of work take about @dur_ns on this machine, at its quickest */
uint64_t es_noise_calibrate(int64_t dur_ns);

/**
 * es_noise_quanta - each CPU that we may run on does @n_steps of work again and again for @dur_ns, each time noted
 * es_noise_barrier - the same, and all wait for the last one after each: the slowest makes the time
 * Appended to @noise. Return 0 or negative errno.
 * Source: the fixed work quantum benchmark of the Lawrence Livermore laboratory; Petrini et al. 2003, the missing supercomputer performance.
 */
int es_noise_quanta(struct es_noise *noise, uint64_t n_steps, int64_t dur_ns);
int es_noise_barrier(struct es_noise *noise, uint64_t n_steps, int64_t dur_ns);

/**
 * es_noise_at_ticks - how much longer the work took at whole seconds of the wall clock than at other times, ns in each second
 * What others do comes at any time; what is done once a second, by the second, shows here long before it shows in a quantile.
 * @n_rows: of threads noted side by side: their mean. Appended to @ret. Before anything is sorted.
 */
void es_noise_at_ticks(const struct es_noise *noise, size_t n_rows, struct es_bench_figures *ret);

/** es_noise_take - what @from has goes over to @noise; @from is finished */
void es_noise_take(struct es_noise *noise, struct es_noise *from);
/** es_noise_quantile - @q from 0 to 1; NaN without values. Sorts them */
double es_noise_quantile(struct es_noise *noise, double q);
double es_noise_mean(const struct es_noise *noise);
void es_noise_finish(struct es_noise *noise);

#endif
