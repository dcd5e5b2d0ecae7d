/*
 * figures.h - a handful of repeated measurements in one line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_FIGURES_H
#define ES_BENCH_SUPPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#define ES_BENCH_FIGURES_MAX 256

/** struct es_bench_figures - values of one thing, round by round */
struct es_bench_figures {
	double values[ES_BENCH_FIGURES_MAX];
	size_t n;
};

/** es_bench_add - one more value; those over the limit are dropped */
void es_bench_add(struct es_bench_figures *figures, double value);
/** es_bench_quantile - @q from 0 to 1 (0.5: the median); NaN without values */
double es_bench_quantile(const struct es_bench_figures *figures, double q);
/** es_bench_mean - with the half width of its 95 % interval in @ret_half (INFINITY for a single value); NaN without values */
double es_bench_mean(const struct es_bench_figures *figures, double *ret_half);
/** es_bench_verdict - "PASS" or "OVER THE BAR" */
const char *es_bench_verdict(bool is_kept);

#endif
