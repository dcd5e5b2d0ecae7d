/*
 * core/fit_solve.c - powers of regions from how their shares of the time vary between readings: the answer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fit_private.h"
#include "core/nnls.h"

_Static_assert(ES_NNLS_MAX >= ES_FIT_COLUMNS_MAX, "each fit must be solvable");

/* Shares that vary by less than about 0.07 % of the time (variance over mean) tell nothing. */
#define BLIND 1e-6
#define RIDGE 1e-12 /* what they do not tell stays at the level */
#define BLIND_PART 0.03 /* of an energy that may hang on what is not told */
#define TIED 0.1 /* cosine */

/* Half width of a 95 % interval in standard deviations: Student's t. */
static double quantile(double freedom)
{
	static const double t[] = { 12.706, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447,
				    2.365,  2.306,  2.262, 2.228, 2.201, 2.179, 2.160,
				    2.145,  2.131,  2.120, 2.110, 2.101, 2.093, 2.086 };
	size_t n = sizeof(t) / sizeof(t[0]);

	if (!(freedom >= 1))
		return t[0];
	if (freedom < (double)(n - 1)) {
		size_t i = (size_t)freedom;

		return t[i] + (freedom - (double)i) * (t[i + 1] - t[i]);
	}
	return 1.96 + 2.52 / freedom;
}

/* Columns in one component are mixed with each other, directly or over others: they have one level. */
static void find_components(const struct es_fit *fit, size_t *component)
{
	size_t n = fit->n_columns;

	for (size_t i = 0; i < n; i++)
		component[i] = i;
	for (bool has_changed = true; has_changed;) {
		has_changed = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n; k++)
				if (fit->mix[i * n + k] != 0 && component[k] < component[i]) {
					component[i] = component[k];
					has_changed = true;
				} else if (fit->mix[i * n + k] != 0 &&
					   component[i] < component[k]) {
					component[k] = component[i];
					has_changed = true;
				}
	}
}

/* The matrices of one domain: a, b without the parts; what the parts add. */
struct system {
	size_t n;
	double *a, *b; /* levels, all parts, a little of nothing */
	double *part_a, *part_b; /* scratch */
	double *vectors, *values;
};

/* The mean power of a component is what it used up while mixed. */
static void add_levels(const struct es_fit *fit, const size_t *component, struct system *system)
{
	const struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns;

	for (size_t c = 0; c < n; c++) {
		double mass = 0, energy_j = 0;

		for (size_t i = 0; i < n; i++) {
			if (component[i] != c)
				continue;
			mass += solution->scale[i] * solution->scale[i];
			energy_j += fit->mix_j[i];
		}
		if (mass <= 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (component[i] != c)
				continue;
			for (size_t k = 0; k < n; k++)
				if (component[k] == c)
					system->a[i * n + k] +=
						solution->scale[i] * solution->scale[k] / mass;
			system->b[i] += solution->scale[i] * energy_j / mass;
			system->b[i] += RIDGE * solution->scale[i] * energy_j / mass;
		}
	}
}

static void add_part(const struct es_fit *fit, const struct es_fit_sums *part, double sign,
		     double *a, double *b)
{
	const double *scale = fit->solution->scale;
	size_t n = fit->n_columns;

	for (size_t i = 0; i < n; i++) {
		if (scale[i] <= 0)
			continue;
		for (size_t k = 0; k < n; k++)
			if (scale[k] > 0)
				a[i * n + k] += sign * part->xx[i * n + k] / (scale[i] * scale[k]);
		b[i] += sign * part->xp[i] / scale[i];
	}
}

/* Directions in which the shares do not vary, the level of each component left out. */
static void find_blind(const struct es_fit *fit, struct system *system)
{
	struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns;

	memcpy(system->part_a, system->a, n * n * sizeof(*system->part_a));
	es_eigen(system->part_a, n, system->values, system->vectors);
	for (size_t v = 0; v < n; v++) {
		if (system->values[v] >= BLIND)
			continue;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n && solution->scale[i] > 0; k++)
				if (solution->scale[k] > 0)
					solution->blind[i][k] += system->vectors[i * n + v] *
								 system->vectors[k * n + v];
	}
}

/* What the powers do not explain, for a second: from means over blocks, which take a freedom each. */
static void find_noise(const struct es_fit *fit)
{
	struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns;
	double rest = 0, freedom = 0;

	for (size_t p = 0; p < fit->n_parts; p++) {
		const struct es_fit_sums *part = &fit->parts[p];
		double sum = part->pp;

		for (size_t i = 0; i < n; i++) {
			double power = es_fit_power_w(fit, i);

			sum -= 2 * power * part->xp[i];
			for (size_t k = 0; k < n; k++)
				sum += power * es_fit_power_w(fit, k) * part->xx[i * n + k];
		}
		rest += fmax(sum, 0);
		freedom += (double)part->n_windows - (double)part->n_blocks;
	}
	freedom -= (double)(n - 1);
	solution->noise = rest / fmax(freedom, 1);
}

/* As many parts as vary: those that do not say nothing. */
static void find_quantile(const struct es_fit *fit)
{
	double sum = 0, squares = 0;

	for (size_t p = 0; p < fit->n_parts; p++) {
		double weight = 0;

		for (size_t i = 0; i < fit->n_columns; i++)
			if (fit->solution->scale[i] > 0)
				weight += fit->parts[p].xx[i * fit->n_columns + i] /
					  (fit->solution->scale[i] * fit->solution->scale[i]);
		sum += weight;
		squares += weight * weight;
	}
	fit->solution->quantile = quantile(squares > 0 ? sum * sum / squares - 1 : 0);
}

/*
 * Delete one part at a time: the spread of the answers is their error, whatever the noise is like. There negative
 * powers are allowed: that the answer is held at 0 does not make it surer.
 */
static int solve(struct es_fit *fit, struct system *system)
{
	struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns;
	int r;

	for (size_t p = 0; p < fit->n_parts; p++)
		add_part(fit, &fit->parts[p], 1, system->a, system->b);
	/* Columns that are never mixed stand alone. */
	for (size_t i = 0; i < n; i++)
		if (solution->scale[i] <= 0)
			system->a[i * n + i] = 1;
	find_blind(fit, system);
	for (size_t i = 0; i < n; i++)
		system->a[i * n + i] += RIDGE;
	r = es_nnls(system->a, system->b, n, solution->power);
	for (size_t p = 0; r == 0 && p < fit->n_parts; p++) {
		memcpy(system->part_a, system->a, n * n * sizeof(*system->part_a));
		memcpy(system->part_b, system->b, n * sizeof(*system->part_b));
		add_part(fit, &fit->parts[p], -1, system->part_a, system->part_b);
		r = es_solve_positive(system->part_a, system->part_b, n, solution->without[p]);
	}
	return r;
}

int es_fit_solve(struct es_fit *fit)
{
	struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns, component[ES_FIT_COLUMNS_MAX];
	struct system system = {
		.n = n,
		.a = calloc(n * n + 1, sizeof(double)),
		.b = calloc(n + 1, sizeof(double)),
		.part_a = calloc(n * n + 1, sizeof(double)),
		.part_b = calloc(n + 1, sizeof(double)),
		.vectors = calloc(n * n + 1, sizeof(double)),
		.values = calloc(n + 1, sizeof(double)),
	};
	int r = system.a && system.b && system.part_a && system.part_b && system.vectors &&
				system.values
			? 0
			: -ENOMEM;

	es_fit_break(fit);
	if (r == 0 && fit->n_parts < ES_FIT_PARTS_MIN)
		r = -ENODATA;
	if (r == 0) {
		for (size_t i = 0; i < n; i++)
			solution->scale[i] = sqrt(fmax(fit->mix_s[i], 0));
		find_components(fit, component);
		add_levels(fit, component, &system);
		solution->n_parts = fit->n_parts;
		r = solve(fit, &system) < 0 ? -ENODATA : 0;
	}
	if (r == 0) {
		find_noise(fit);
		find_quantile(fit);
		solution->is_solved = true;
	}
	free(system.a);
	free(system.b);
	free(system.part_a);
	free(system.part_b);
	free(system.vectors);
	free(system.values);
	return r;
}

double es_fit_power_w(const struct es_fit *fit, size_t column)
{
	double scale = fit->solution->scale[column];

	return scale > 0 ? fit->solution->power[column] / scale : 0.0;
}

bool es_fit_is_tied(const struct es_fit *fit, size_t a, size_t b)
{
	const struct es_fit_solution *solution = fit->solution;
	double own_a = solution->blind[a][a], own_b = solution->blind[b][b];

	return own_a > BLIND_PART * BLIND_PART && own_b > BLIND_PART * BLIND_PART &&
	       fabs(solution->blind[a][b]) > TIED * sqrt(own_a * own_b);
}

/* @mix: what each power adds; @mass_s: time mixed with what is not meant */
static struct es_fit_estimate estimate(const struct es_fit *fit, const double *mix, double mass_s)
{
	const struct es_fit_solution *solution = fit->solution;
	size_t n = fit->n_columns;
	double scaled[ES_FIT_COLUMNS_MAX] = { 0 }, energy_j[ES_FIT_PARTS_MAX], mean_j = 0,
	       variance = 0, blind = 0, parts = (double)solution->n_parts;
	struct es_fit_estimate result = { .correction_j = 0 };

	for (size_t i = 0; i < n; i++) {
		if (solution->scale[i] > 0)
			scaled[i] = mix[i] / solution->scale[i];
		result.correction_j += scaled[i] * solution->power[i];
	}
	for (size_t p = 0; p < solution->n_parts; p++) {
		energy_j[p] = 0;
		for (size_t i = 0; i < n; i++)
			energy_j[p] += scaled[i] * solution->without[p][i];
		mean_j += energy_j[p] / parts;
	}
	for (size_t p = 0; p < solution->n_parts; p++)
		variance += (energy_j[p] - mean_j) * (energy_j[p] - mean_j) * (parts - 1) / parts;
	variance += solution->noise * fmax(mass_s, 0);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			blind += scaled[i] * solution->blind[i][k] * scaled[k];
	result.bound_j = solution->quantile * sqrt(variance);
	result.is_separable = blind <= BLIND_PART * BLIND_PART * fmax(mass_s, 0);
	return result;
}

struct es_fit_estimate es_fit_estimate(const struct es_fit *fit, size_t row)
{
	return estimate(fit, fit->mix + row * fit->n_columns, fit->mix_s[row]);
}

struct es_fit_estimate es_fit_estimate_set(const struct es_fit *fit, const size_t *columns,
					   size_t n)
{
	double mix[ES_FIT_COLUMNS_MAX] = { 0 }, mass_s = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < fit->n_columns; k++)
			mix[k] += fit->mix[columns[i] * fit->n_columns + k];
		for (size_t k = 0; k < n; k++)
			mass_s += fit->mix[columns[i] * fit->n_columns + columns[k]];
	}
	return estimate(fit, mix, mass_s);
}
