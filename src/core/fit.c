/*
 * core/fit.c - powers of regions from how their shares of the time vary between readings: the sums
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fit_private.h"

#define LARGEST_UJ 18446744073709549568.0 /* the largest double that a uint64_t can hold */

static int sums_init(struct es_fit_sums *sums, size_t n)
{
	sums->xx = calloc(n * n + 1, sizeof(*sums->xx));
	sums->xp = calloc(n + 1, sizeof(*sums->xp));
	return sums->xx && sums->xp ? 0 : -ENOMEM;
}

static void sums_clear(struct es_fit_sums *sums, size_t n)
{
	memset(sums->xx, 0, n * n * sizeof(*sums->xx));
	memset(sums->xp, 0, n * sizeof(*sums->xp));
	sums->pp = 0;
	sums->n_windows = 0;
	sums->n_blocks = 0;
}

static void sums_add(struct es_fit_sums *sums, const struct es_fit_sums *more, size_t n)
{
	for (size_t i = 0; i < n * n; i++)
		sums->xx[i] += more->xx[i];
	for (size_t i = 0; i < n; i++)
		sums->xp[i] += more->xp[i];
	sums->pp += more->pp;
	sums->n_windows += more->n_windows;
	sums->n_blocks += more->n_blocks;
}

int es_fit_init(struct es_fit *fit, size_t n_columns, size_t n_targets, size_t block_windows)
{
	size_t n_rows = n_columns + n_targets;
	int r;

	*fit = (struct es_fit){
		.n_columns = n_columns,
		.n_targets = n_targets,
		.block_windows = block_windows,
		.blocks_per_part = 1,
		.mix = calloc(n_rows * n_columns + 1, sizeof(*fit->mix)),
		.mix_j = calloc(n_columns + 1, sizeof(*fit->mix_j)),
		.mix_s = calloc(n_rows + 1, sizeof(*fit->mix_s)),
		.open_x = calloc(n_columns + 1, sizeof(*fit->open_x)),
		.x_s = calloc(n_columns + 1, sizeof(*fit->x_s)),
		.solution = calloc(1, sizeof(*fit->solution)),
	};
	r = fit->mix && fit->mix_j && fit->mix_s && fit->open_x && fit->x_s && fit->solution
		    ? sums_init(&fit->open, n_columns)
		    : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ES_FIT_PARTS_MAX; i++)
		r = sums_init(&fit->parts[i], n_columns);
	return r;
}

void es_fit_finish(struct es_fit *fit)
{
	for (size_t i = 0; i < ES_FIT_PARTS_MAX; i++) {
		free(fit->parts[i].xx);
		free(fit->parts[i].xp);
	}
	free(fit->open.xx);
	free(fit->open.xp);
	free(fit->mix);
	free(fit->mix_j);
	free(fit->mix_s);
	free(fit->open_x);
	free(fit->x_s);
	free(fit->solution);
	*fit = (struct es_fit){ .n_columns = 0 };
}

/* Two parts become one: the same sums as if they had been one from the start. */
static void merge_parts(struct es_fit *fit)
{
	size_t n = fit->n_columns;

	for (size_t i = 0; i < ES_FIT_PARTS_MAX / 2; i++) {
		struct es_fit_sums first = fit->parts[2 * i];

		sums_add(&first, &fit->parts[2 * i + 1], n);
		fit->parts[2 * i] = fit->parts[i];
		fit->parts[i] = first;
	}
	fit->n_parts = ES_FIT_PARTS_MAX / 2;
	fit->blocks_per_part *= 2;
}

/* Room for a block: in the last part, in a new one, or after two of each have become one. */
static struct es_fit_sums *part_for_block(struct es_fit *fit)
{
	if (fit->n_parts && fit->parts[fit->n_parts - 1].n_blocks < fit->blocks_per_part)
		return &fit->parts[fit->n_parts - 1];
	if (fit->n_parts == ES_FIT_PARTS_MAX)
		merge_parts(fit);
	sums_clear(&fit->parts[fit->n_parts], fit->n_columns);
	return &fit->parts[fit->n_parts++];
}

void es_fit_break(struct es_fit *fit)
{
	size_t n = fit->n_columns, n_there = 0;

	for (size_t i = 0; i < n; i++)
		n_there += fit->open_x[i] > 0;
	/* A block of one column, or one window, says nothing about differences. */
	if (n_there > 1 && fit->open.n_windows > 1) {
		struct es_fit_sums *part = part_for_block(fit);

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < n && fit->open_x[i] > 0; k++)
				part->xx[i * n + k] +=
					fit->open.xx[i * n + k] -
					fit->open_x[i] * fit->open_x[k] / fit->open_s;
			part->xp[i] += fit->open.xp[i] - fit->open_x[i] * fit->open_j / fit->open_s;
		}
		part->pp += fmax(fit->open.pp - fit->open_j * fit->open_j / fit->open_s, 0);
		part->n_windows += fit->open.n_windows;
		part->n_blocks++;
	}
	if (fit->open.n_windows) {
		sums_clear(&fit->open, n);
		memset(fit->open_x, 0, n * sizeof(*fit->open_x));
		fit->open_s = 0;
		fit->open_j = 0;
	}
}

void es_fit_window(struct es_fit *fit, double dur_s, double energy_j, const uint32_t *columns,
		   const double *time_s, size_t n)
{
	size_t stride = fit->n_columns;

	for (size_t i = 0; i < n; i++) {
		double x = time_s[i] / dur_s, *xx = fit->open.xx + columns[i] * stride,
		       *mix = fit->mix + columns[i] * stride;

		for (size_t k = 0; k < n; k++) {
			xx[columns[k]] += x * time_s[k];
			mix[columns[k]] -= x * time_s[k];
		}
		mix[columns[i]] += time_s[i];
		fit->mix_s[columns[i]] += time_s[i] * (1 - x);
		fit->mix_j[columns[i]] += x * (1 - x) * energy_j;
		fit->open.xp[columns[i]] += x * energy_j;
		fit->open_x[columns[i]] += time_s[i];
	}
	fit->open.pp += energy_j * energy_j / dur_s;
	fit->open_s += dur_s;
	fit->open_j += energy_j;
	if (++fit->open.n_windows == fit->block_windows)
		es_fit_break(fit);
}

void es_fit_target(struct es_fit *fit, size_t target, double dur_s, const uint32_t *columns,
		   const double *time_s, const double *inside_s, size_t n)
{
	size_t row = fit->n_columns + target;
	double *mix = fit->mix + row * fit->n_columns, all_s = 0;

	for (size_t i = 0; i < n; i++)
		all_s += inside_s[i];
	for (size_t i = 0; i < n; i++)
		mix[columns[i]] += inside_s[i] - all_s * time_s[i] / dur_s;
	fit->mix_s[row] += all_s * (1 - all_s / dur_s);
}

/* What is missing, or too much, in proportion to the room that each has. */
static void spread(double *x, const uint64_t *low_uj, const uint64_t *high_uj, size_t n,
		   double missing_uj)
{
	double room_uj = 0;

	for (size_t i = 0; i < n; i++)
		room_uj += missing_uj > 0 ? (double)high_uj[i] - x[i] : x[i] - (double)low_uj[i];
	if (room_uj <= 0)
		return;
	for (size_t i = 0; i < n; i++) {
		double room = missing_uj > 0 ? (double)high_uj[i] - x[i] : x[i] - (double)low_uj[i];

		x[i] += missing_uj * fmin(room / room_uj, 1.0);
		x[i] = fmin(fmax(x[i], (double)low_uj[i]), (double)high_uj[i]);
	}
}

int es_fit_close(const double *want_uj, const uint64_t *low_uj, const uint64_t *high_uj, size_t n,
		 uint64_t total_uj, uint64_t *ret_uj)
{
	double *x = calloc(n, sizeof(*x)), sum_uj = 0;
	uint64_t given_uj = 0;

	if (n == 0 || !x) {
		free(x);
		return n ? -ENOMEM : 0;
	}
	for (size_t i = 0; i < n; i++) {
		x[i] = fmin(fmax(want_uj[i], (double)low_uj[i]), (double)high_uj[i]);
		sum_uj += x[i];
	}
	spread(x, low_uj, high_uj, n, (double)total_uj - sum_uj);
	for (size_t i = 0; i < n; i++) {
		ret_uj[i] = (uint64_t)fmin(fmax(floor(x[i]), 0.0), LARGEST_UJ);
		given_uj += ret_uj[i];
	}
	free(x);
	/* Limits that do not allow the sum do not keep it from being that. */
	if (given_uj < total_uj && total_uj - given_uj > n) {
		ret_uj[0] += total_uj - n - given_uj;
		given_uj = total_uj - n;
	}
	for (size_t i = 0; i < n && given_uj > total_uj; i++) {
		uint64_t excess_uj = given_uj - total_uj,
			 less_uj = ret_uj[i] < excess_uj ? ret_uj[i] : excess_uj;

		if (excess_uj <= n)
			break;
		ret_uj[i] -= less_uj;
		given_uj -= less_uj;
	}
	/* The rounding: at most about a unit each. */
	for (size_t i = 0; given_uj != total_uj; i = (i + 1) % n) {
		if (given_uj < total_uj) {
			ret_uj[i]++;
			given_uj++;
		} else if (ret_uj[i] > 0) {
			ret_uj[i]--;
			given_uj--;
		}
	}
	return 0;
}
