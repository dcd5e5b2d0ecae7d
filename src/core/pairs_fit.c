/*
 * core/pairs_fit.c - the line through two meters, with errors in both and bounds by leaving out blocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/pairs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/stats.h"

#define BLOCKS_MAX 64U
#define BLOCKS_LEAST 5U
#define MEMORY_MOST 200U
#define MEMORY_NONE 0.05
#define MOVES_LEAST 0.02 /* of its mean: what moves less says nothing of a slope */

/* About an origin near the data: squares of watts would cancel. */
struct moments {
	double n, x, y, xx, xy, yy;
};

static void take(struct moments *sum, const struct moments *other, double sign)
{
	sum->n += sign * other->n;
	sum->x += sign * other->x;
	sum->y += sign * other->y;
	sum->xx += sign * other->xx;
	sum->xy += sign * other->xy;
	sum->yy += sign * other->yy;
}

double es_line_slope(double sxx, double sxy, double syy, double noise_ratio)
{
	double d;

	if (!isfinite(noise_ratio) || sxy == 0)
		return sxx > 0 ? sxy / sxx : 0;
	d = syy - noise_ratio * sxx;
	/* The form without cancellation on either side. */
	if (d >= 0)
		return (d + sqrt(d * d + 4 * noise_ratio * sxy * sxy)) / (2 * sxy);
	return 2 * noise_ratio * sxy / (sqrt(d * d + 4 * noise_ratio * sxy * sxy) - d);
}

struct line {
	double slope, offset, ratio, mean_x, mean_y, sxx, sxy, syy;
};

/* @x0, @y0: the origin of the moments */
static struct line solve(const struct moments *m, double x0, double y0, double noise_ratio)
{
	struct line line = { .mean_x = m->x / m->n, .mean_y = m->y / m->n };

	line.sxx = m->xx - m->x * line.mean_x;
	line.sxy = m->xy - m->x * line.mean_y;
	line.syy = m->yy - m->y * line.mean_y;
	line.slope = es_line_slope(line.sxx, line.sxy, line.syy, noise_ratio);
	line.mean_x += x0;
	line.mean_y += y0;
	line.offset = line.mean_y - line.slope * line.mean_x;
	line.ratio = line.mean_x > 0 ? line.mean_y / line.mean_x : 0;
	return line;
}

static struct moments moments_of(const struct es_pair *pairs, size_t n, double x0, double y0)
{
	struct moments sum = { .n = (double)n };

	for (size_t i = 0; i < n; i++) {
		double x = pairs[i].x_w - x0, y = pairs[i].y_w - y0;

		sum.x += x;
		sum.y += y;
		sum.xx += x * x;
		sum.xy += x * y;
		sum.yy += y * y;
	}
	return sum;
}

static double residual(const struct es_pair *pair, const struct line *line)
{
	return pair->y_w - line->offset - line->slope * pair->x_w;
}

/*
 * How many windows are worth one: 1 + 2 sum of the residuals' autocorrelations, up to the first that is as good as none
 * (C. J. Geyer, Statistical Science 7 (1992) 473). Nothing below 1, which would promise more than there is.
 */
static double memory_of(const struct es_pairs *pairs, const struct line *line, double *ret_sd)
{
	double squares = 0, memory = 1;
	size_t most = pairs->n / 4 < MEMORY_MOST ? pairs->n / 4 : MEMORY_MOST;

	for (size_t i = 0; i < pairs->n; i++)
		squares += pow(residual(&pairs->pairs[i], line), 2);
	*ret_sd = pairs->n > 2 ? sqrt(squares / (double)(pairs->n - 2)) : 0;
	for (size_t k = 1; k <= most && squares > 0; k++) {
		double products = 0, r;

		for (size_t i = k; i < pairs->n; i++)
			if (pairs->pairs[i - k].group == pairs->pairs[i].group)
				products += residual(&pairs->pairs[i - k], line) *
					    residual(&pairs->pairs[i], line);
		r = products / squares;
		if (r <= MEMORY_NONE)
			break;
		memory += 2 * r;
	}
	return memory;
}

/* Spread of what comes out without one block each: slope, offset, mean of y, ratio. */
static void bound(const struct es_pairs *pairs, const struct moments *all, double x0, double y0,
		  double noise_ratio, size_t n_blocks, struct es_pair_fit *ret)
{
	double sums[4] = { 0 }, squares[4] = { 0 }, t = es_t_quantile_975(n_blocks - 1);
	struct line whole = solve(all, x0, y0, noise_ratio);
	double bounds[4];

	for (size_t block = 0; block < n_blocks; block++) {
		size_t from = block * pairs->n / n_blocks, to = (block + 1) * pairs->n / n_blocks;
		struct moments left = *all,
			       out = moments_of(pairs->pairs + from, to - from, x0, y0);
		struct line line;
		double values[4];

		take(&left, &out, -1);
		line = solve(&left, x0, y0, noise_ratio);
		values[0] = line.slope - whole.slope;
		values[1] = line.offset - whole.offset;
		values[2] = line.offset + line.slope * whole.mean_x - whole.mean_y;
		values[3] = line.ratio - whole.ratio;
		for (size_t k = 0; k < 4; k++) {
			sums[k] += values[k];
			squares[k] += values[k] * values[k];
		}
	}
	for (size_t k = 0; k < 4; k++) {
		double n = (double)n_blocks;

		bounds[k] = t * sqrt(fmax(squares[k] - sums[k] * sums[k] / n, 0) * (n - 1) / n);
	}
	ret->slope_bound = bounds[0];
	ret->offset_bound_w = bounds[1];
	ret->mean_bound_w = bounds[2];
	ret->ratio_bound = bounds[3];
}

static void find_range(const struct es_pairs *pairs, struct es_pair_fit *ret)
{
	ret->lowest_x_w = INFINITY;
	ret->highest_x_w = -INFINITY;
	for (size_t i = 0; i < pairs->n; i++) {
		ret->lowest_x_w = fmin(ret->lowest_x_w, pairs->pairs[i].x_w);
		ret->highest_x_w = fmax(ret->highest_x_w, pairs->pairs[i].x_w);
	}
}

int es_pairs_fit(const struct es_pairs *pairs, double noise_ratio, struct es_pair_fit *ret)
{
	struct es_pair_fit fit = { .n = pairs->n };
	double x0, y0, memory;
	struct moments all;
	struct line line;
	size_t n_blocks;

	if (pairs->n < ES_PAIRS_LEAST)
		return -ENODATA;
	x0 = pairs->pairs[0].x_w;
	y0 = pairs->pairs[0].y_w;
	all = moments_of(pairs->pairs, pairs->n, x0, y0);
	line = solve(&all, x0, y0, noise_ratio);
	memory = memory_of(pairs, &line, &fit.residual_w);
	fit.n_effective = (double)pairs->n / memory;
	find_range(pairs, &fit);
	fit.mean_x_w = line.mean_x;
	fit.mean_y_w = line.mean_y;
	fit.ratio = line.ratio;
	fit.slope = line.slope;
	fit.offset_w = line.offset;
	fit.r2 = line.sxx > 0 && line.syy > 0 ? line.sxy * line.sxy / (line.sxx * line.syy) : 0;
	n_blocks = (size_t)((double)pairs->n / ceil(4 * memory - 3));
	n_blocks = n_blocks > BLOCKS_MAX ? BLOCKS_MAX : n_blocks;
	/* So few that are independent: blocks of one tell at least what they scatter, by Student's t of few. */
	if (n_blocks < BLOCKS_LEAST)
		n_blocks = pairs->n < BLOCKS_LEAST ? pairs->n : BLOCKS_LEAST;
	bound(pairs, &all, x0, y0, noise_ratio, n_blocks, &fit);
	fit.has_line = fit.n_effective >= BLOCKS_LEAST &&
		       fit.highest_x_w - fit.lowest_x_w > MOVES_LEAST * fabs(fit.mean_x_w);
	*ret = fit;
	return 0;
}
