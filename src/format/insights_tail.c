/*
 * insights_tail.c - time at the end of a job in which it did nothing any more
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/insights_tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "format/report.h"

#define PARTS 200U
#define SHORTEST_S 10.0
#define SHORTEST_SHARE 0.05
#define CONTRAST 1.5 /* 90th percentile over lowest */
#define NEAR_LOWEST 0.25

/* Energy and time covered of each part of the job; a part that was not wholly read counts as unknown. */
struct parts {
	double energy_j[PARTS];
	bool is_known[PARTS];
	double part_s;
	size_t n;
};

static bool is_seen(const struct es_report *report, size_t domain)
{
	return report->domains[domain].is_chosen && report->by_domain[domain].is_known &&
	       report->domains[domain].kind != ES_KIND_ESTIMATED;
}

/* Bins of the profile fall wholly into the part that holds their middle. */
static void add_domain(struct parts *parts, const struct es_series *series)
{
	for (size_t bin = 0; bin < series->n_bins; bin++) {
		size_t part = (2 * bin + 1) * parts->n / (2 * series->n_bins);

		parts->energy_j[part] += es_j_from_uj(series->energy_uj[bin]);
		if (series->hole_ns && series->hole_ns[bin] > 0)
			parts->is_known[part] = false;
	}
}

static bool make_parts(const struct es_report *report, struct parts *parts)
{
	size_t n_seen = 0, n_bins = SIZE_MAX;

	for (size_t i = 0; report->series && i < report->meta->n_domains; i++) {
		if (!is_seen(report, i))
			continue;
		if (report->series[i].n_bins < n_bins)
			n_bins = report->series[i].n_bins;
		n_seen++;
	}
	if (n_seen == 0 || n_bins < 20)
		return false;
	parts->n = n_bins / 2 < PARTS ? n_bins / 2 : PARTS;
	parts->part_s = es_s_from_ns(report->stop_ns - report->start_ns) / (double)parts->n;
	for (size_t i = 0; i < parts->n; i++)
		parts->is_known[i] = true;
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (is_seen(report, i))
			add_domain(parts, &report->series[i]);
	return true;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool es_tail_find(const struct es_report *report, struct es_tail *ret)
{
	struct parts parts = { .n = 0 };
	double sorted[PARTS], lowest, high, border, tail_j = 0, work_j = 0;
	size_t first, n_sorted = 0;

	if (!make_parts(report, &parts))
		return false;
	/* The last part ends with the command's own end: it may be cut short. */
	for (size_t i = 0; i + 1 < parts.n; i++)
		if (parts.is_known[i])
			sorted[n_sorted++] = parts.energy_j[i];
	if (n_sorted < 10)
		return false;
	qsort(sorted, n_sorted, sizeof(*sorted), by_size);
	lowest = sorted[0];
	high = sorted[n_sorted * 9 / 10];
	if (high < CONTRAST * lowest)
		return false;
	border = lowest + NEAR_LOWEST * (high - lowest);
	for (first = parts.n; first > 0; first--)
		if (!parts.is_known[first - 1] || parts.energy_j[first - 1] > border)
			break;
	for (size_t i = 0; i < parts.n; i++)
		*(i < first ? &work_j : &tail_j) += parts.energy_j[i];
	*ret = (struct es_tail){ .tail_s = (double)(parts.n - first) * parts.part_s,
				 .share = (double)(parts.n - first) / (double)parts.n,
				 .tail_j = tail_j };
	if (first == 0 || ret->tail_s < SHORTEST_S || ret->share < SHORTEST_SHARE)
		return false;
	ret->tail_w = tail_j / ret->tail_s;
	ret->work_w = work_j / ((double)first * parts.part_s);
	return true;
}
