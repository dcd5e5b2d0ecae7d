/*
 * core/fit.h - powers of regions from how their shares of the time vary between readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_FIT_H
#define ES_CORE_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_FIT_COLUMNS_MAX 32U
#define ES_FIT_PARTS_MAX 32U
#define ES_FIT_PARTS_MIN 3U /* with fewer nothing can be said about the error */

/*
 * Windows between readings, column by column: time tau, share x = tau / L of the window's length L, energy e, power
 * p = e / L. The model is p = sum x P + a level that moves slowly. Windows go in blocks of some in a row; in each, x
 * and p count from their means over it, so that whatever moves slower than a block does not matter. P minimises
 * sum L (p - x P)^2, P >= 0 (C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, 1974, ch. 23). Each
 * window then keeps its own level: what a column has of it is tau (p + P - sum x P), which sums up to e whatever P is.
 */

/** struct es_fit_sums - of the windows of a block, or of blocks, from their means */
struct es_fit_sums {
	double *xx; /* [n * n] sum L x x */
	double *xp; /* [n] sum L x p */
	double pp; /* sum L p p */
	size_t n_windows, n_blocks;
};

/** struct es_fit - of one domain; es_fit_finish() it. Its memory does not grow with the windows */
struct es_fit {
	size_t n_columns, n_targets, block_windows;
	double *mix; /* [n_columns + n_targets][n_columns] what each power adds to an energy */
	double *mix_j; /* [n_columns] energy where a column is mixed with others, in proportion */
	double *mix_s; /* [n_columns + n_targets] time likewise */
	struct es_fit_sums open; /* the block that is being filled: plain sums, not from means */
	double open_s, open_j; /* sum L, sum e */
	double *open_x; /* [n_columns] sum L x */
	struct es_fit_sums parts[ES_FIT_PARTS_MAX]; /* equal numbers of blocks in a row */
	size_t n_parts, blocks_per_part;
	double *x_s; /* [n_columns] scratch: time in this window */
	struct es_fit_solution *solution;
};

/** es_fit_init - @n_targets: sums over columns in parts of their time, beside the columns; 0 or -ENOMEM */
int es_fit_init(struct es_fit *fit, size_t n_columns, size_t n_targets, size_t block_windows);
void es_fit_finish(struct es_fit *fit);

/**
 * es_fit_window - one more window
 * @columns: which have time in it, each once; @time_s: how much, @dur_s in all
 */
void es_fit_window(struct es_fit *fit, double dur_s, double energy_j, const uint32_t *columns,
		   const double *time_s, size_t n);
/**
 * es_fit_target - what a target has of the same window
 * @inside_s: of the time of @columns, what is the target's; @time_s as for the window
 */
void es_fit_target(struct es_fit *fit, size_t target, double dur_s, const uint32_t *columns,
		   const double *time_s, const double *inside_s, size_t n);
/** es_fit_break - the next window does not follow the last one */
void es_fit_break(struct es_fit *fit);

/** es_fit_solve - after all windows; 0, -ENODATA: too few that vary, or -ENOMEM */
int es_fit_solve(struct es_fit *fit);

/** struct es_fit_estimate - of a column or target */
struct es_fit_estimate {
	double correction_j; /* to what interpolation gives */
	double bound_j; /* half width of a 95 % interval */
	bool is_separable; /* else the shares do not tell */
};

/** es_fit_estimate - @row: a column, or n_columns + a target; after es_fit_solve() */
struct es_fit_estimate es_fit_estimate(const struct es_fit *fit, size_t row);
/** es_fit_estimate_set - of columns together, each once */
struct es_fit_estimate es_fit_estimate_set(const struct es_fit *fit, const size_t *columns,
					   size_t n);
/** es_fit_power_w - of a column */
double es_fit_power_w(const struct es_fit *fit, size_t column);
/** es_fit_is_tied - neither column has a power of its own: only something made of both is known */
bool es_fit_is_tied(const struct es_fit *fit, size_t a, size_t b);

/**
 * es_fit_close - whole numbers near @want_uj within their limits that sum up to @total_uj
 * @low_uj, @high_uj: sum of the former <= @total_uj <= sum of the latter
 * Returns 0 or -ENOMEM.
 */
int es_fit_close(const double *want_uj, const uint64_t *low_uj, const uint64_t *high_uj, size_t n,
		 uint64_t total_uj, uint64_t *ret_uj);

#endif
