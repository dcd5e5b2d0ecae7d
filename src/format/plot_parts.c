/*
 * plot_parts.c - a plot's gaps, regions and coarser twins
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "format/plot.h"
#include "format/regions.h"

/* A limit so far above all that is to be seen would make the rest flat: it is told in words instead. */
#define LIMIT_TIMES_MAX 1.7

static int64_t column_start_ns(const struct es_plot *plot, size_t column)
{
	return plot->start_ns + (int64_t)column * plot->column_ns;
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int compare_calls(const void *a, const void *b)
{
	const struct es_band_call *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->stop_ns != y->stop_ns)
		return x->stop_ns > y->stop_ns ? -1 : 1;
	return x->region < y->region ? -1 : x->region > y->region;
}

int es_plot_take_calls(struct es_plot *plot)
{
	const struct es_report *report = plot->report;
	struct es_band_call *calls = calloc(report->n_calls + 1, sizeof(*calls));
	size_t n = 0;

	if (!calls)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_calls; i++) {
		const struct es_report_call *call = &report->calls[i];

		if (call->region < report->n_regions &&
		    !es_region_is_automatic(report->regions[call->region].name))
			calls[n++] = (struct es_band_call){ call->region, call->start_ns,
							    call->stop_ns };
	}
	/* The outer one first where two begin together. */
	qsort(calls, n, sizeof(*calls), compare_calls);
	plot->calls = calls;
	plot->n_calls = n;
	plot->are_calls_cut = report->calls_are_cut;
	return 0;
}

static void add_gap(struct es_plot *plot, int64_t start_ns, int64_t stop_ns, bool has_mean)
{
	if (stop_ns > start_ns)
		plot->gaps[plot->n_gaps++] = (struct es_plot_gap){ start_ns, stop_ns, has_mean };
}

void es_plot_settle_filled(struct es_plot *plot)
{
	for (size_t i = 0; i < plot->n_columns; i++) {
		uint64_t sum_mw = 0;

		for (size_t j = 0; j < plot->n_layers; j++)
			sum_mw += plot->layers[j].power_mw[i];
		if (plot->filled_mw[i] >= sum_mw - plot->filled_mw[i] && plot->filled_mw[i])
			plot->is_known[i] = false;
		plot->has_filled_columns = plot->has_filled_columns ||
					   (plot->is_known[i] && plot->filled_mw[i]);
	}
}

/* With several nodes a hole of one of them is in the columns only: it hides none of the others. */
static void add_holes(struct es_plot *plot)
{
	const struct es_report *report = plot->report;

	for (size_t i = 0; i < report->n_gaps_kept; i++) {
		const struct es_report_gap *gap = &report->gaps[i];

		if (report->meta->n_nodes > 1 && !gap->has_energy)
			continue;
		if (gap->start_ns < plot->stop_ns && gap->stop_ns > plot->start_ns)
			add_gap(plot,
				gap->start_ns > plot->start_ns ? gap->start_ns : plot->start_ns,
				min_ns(gap->stop_ns, plot->stop_ns), gap->has_energy);
	}
}

int es_plot_find_gaps(struct es_plot *plot)
{
	size_t n_runs = 0, first = 0;

	for (size_t i = 0; i < plot->n_columns; i++)
		n_runs += !plot->is_known[i] && (i == 0 || plot->is_known[i - 1]);
	plot->gaps = calloc(n_runs + plot->report->n_gaps_kept + 1, sizeof(*plot->gaps));
	if (!plot->gaps)
		return -ENOMEM;
	for (size_t i = 0; plot->n_layers > 0 && i <= plot->n_columns; i++) {
		bool is_known = i == plot->n_columns || plot->is_known[i];

		if (is_known && i > first)
			add_gap(plot, column_start_ns(plot, first),
				min_ns(column_start_ns(plot, i), plot->stop_ns), false);
		if (is_known)
			first = i + 1;
	}
	add_holes(plot);
	return 0;
}

static uint64_t mean_of(uint64_t a, bool has_a, uint64_t b, bool has_b)
{
	if (has_a && has_b)
		return a / 2 + b / 2 + (a & b & 1);
	return has_a ? a : has_b ? b : 0;
}

static void halve_curve(struct es_plot_curve *curve, const bool *is_known, size_t n)
{
	for (size_t i = 0; i < (n + 1) / 2; i++) {
		size_t a = 2 * i, b = 2 * i + 1;

		curve->power_mw[i] = mean_of(curve->power_mw[a], is_known[a],
					     b < n ? curve->power_mw[b] : 0, b < n && is_known[b]);
	}
}

void es_plot_halve(struct es_plot *plot)
{
	size_t n = plot->n_columns;

	for (size_t j = 0; j < plot->n_layers; j++)
		halve_curve(&plot->layers[j], plot->is_known, n);
	for (size_t j = 0; j < plot->n_lines; j++)
		halve_curve(&plot->lines[j], plot->is_line_known, n);
	for (size_t i = 0; i < (n + 1) / 2; i++) {
		size_t a = 2 * i, b = 2 * i + 1 < n ? 2 * i + 1 : a;
		bool has_a = plot->is_known[a], has_b = plot->is_known[b];
		uint64_t least_mw = plot->least_mw[has_a ? a : b],
			 most_mw = plot->most_mw[has_a ? a : b];

		if (has_b && plot->least_mw[b] < least_mw)
			least_mw = plot->least_mw[b];
		if (has_b && plot->most_mw[b] > most_mw)
			most_mw = plot->most_mw[b];
		plot->least_mw[i] = least_mw;
		plot->most_mw[i] = most_mw;
		plot->filled_mw[i] =
			mean_of(plot->filled_mw[a], has_a, has_b ? plot->filled_mw[b] : 0, has_b);
		plot->is_known[i] = has_a || has_b;
		plot->is_line_known[i] = plot->is_line_known[a] || plot->is_line_known[b];
	}
	plot->n_columns = (n + 1) / 2;
	plot->column_ns *= 2;
	plot->has_peaks = true;
}

uint64_t es_plot_top_mw(const struct es_plot *plot)
{
	uint64_t top_mw = 0;

	for (size_t i = 0; i < plot->n_columns; i++) {
		if (plot->is_known[i] && plot->most_mw[i] > top_mw)
			top_mw = plot->most_mw[i];
		for (size_t j = 0; plot->is_line_known[i] && j < plot->n_lines; j++)
			if (plot->lines[j].power_mw[i] > top_mw)
				top_mw = plot->lines[j].power_mw[i];
	}
	return top_mw;
}

bool es_plot_shows_limit(const struct es_plot *plot)
{
	return plot->limit_mw > 0 &&
	       (double)plot->limit_mw <= LIMIT_TIMES_MAX * (double)es_plot_top_mw(plot);
}
