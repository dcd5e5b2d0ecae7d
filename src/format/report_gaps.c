/*
 * report_gaps.c - times of a recording in which something is not known
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_gaps.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define HOLE_PERIODS \
	2.5 /* readings further apart than this many planned periods are a hole in the profile */
#define HOLE_MIN_NS (20 * ES_NS_PER_MS)

static int64_t length(const struct es_report_gap *gap)
{
	return gap->stop_ns - gap->start_ns;
}

int64_t es_report_hole_ns(const struct es_domain *domain, int64_t planned_ns)
{
	int64_t period_ns = es_domain_period_ns(domain, planned_ns);
	/* Values that come at their own pace leave none where their power holds. */
	double least_ns = fmax(HOLE_MIN_NS, domain->is_power ? (double)domain->hold_ns : 0);
	double hole_ns = fmax(HOLE_PERIODS * (double)period_ns, least_ns);

	return period_ns > 0 && hole_ns < 0x1p62 ? (int64_t)hole_ns : INT64_MAX;
}

/* Among the kept ones, in place of the shortest where there is no room; which it is, is known until another is put in. */
static void keep(struct es_report *report, const struct es_report_gap *gap)
{
	size_t shortest = 0;

	if (report->n_gaps_kept < ES_REPORT_GAPS_MAX) {
		report->gaps[report->n_gaps_kept++] = *gap;
		return;
	}
	if (gap->stop_ns - gap->start_ns <= report->shortest_gap_ns)
		return;
	for (size_t i = 1; i < report->n_gaps_kept; i++)
		if (length(&report->gaps[i]) < length(&report->gaps[shortest]))
			shortest = i;
	report->shortest_gap_ns = length(&report->gaps[shortest]);
	if (length(gap) > report->shortest_gap_ns)
		report->gaps[shortest] = *gap;
}

void es_report_add_gap(struct es_report *report, uint32_t node, const struct es_sample *sample)
{
	struct es_report_gap *last = &report->last_gap;

	/* The domains of a node miss the same sweeps: one gap for all that overlap. */
	if (report->has_last_gap && last->node == node && sample->t0_ns < last->stop_ns &&
	    sample->t1_ns > last->start_ns) {
		int64_t before_ns = length(last);

		last->start_ns = sample->t0_ns < last->start_ns ? sample->t0_ns : last->start_ns;
		last->stop_ns = sample->t1_ns > last->stop_ns ? sample->t1_ns : last->stop_ns;
		last->has_energy = last->has_energy && !sample->is_gap;
		report->gap_ns += length(last) - before_ns;
	} else {
		if (report->has_last_gap)
			keep(report, last);
		report->has_last_gap = true;
		report->n_gaps++;
		report->gap_ns += sample->t1_ns - sample->t0_ns;
		*last = (struct es_report_gap){
			.node = node,
			.start_ns = sample->t0_ns,
			.stop_ns = sample->t1_ns,
			.has_energy = !sample->is_gap,
		};
	}
	report->has_lost_energy = report->has_lost_energy || sample->is_gap;
}

static int by_start(const void *a, const void *b)
{
	const struct es_report_gap *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

void es_report_close_gaps(struct es_report *report)
{
	if (report->has_last_gap)
		keep(report, &report->last_gap);
	report->has_last_gap = false;
	if (report->n_gaps_kept > 1)
		qsort(report->gaps, report->n_gaps_kept, sizeof(*report->gaps), by_start);
}

void es_report_find_silence(struct es_report *report, const struct es_track *track,
			    const int64_t hole_ns[static 2], int64_t ret_ns[static 2],
			    int64_t *ret_held_ns)
{
	const struct es_domain *domain = track->domain;
	struct es_report_window window = es_report_window(report, domain->node);
	const struct es_sample ends[] = {
		{ .t0_ns = window.start_ns, .t1_ns = track->first_t_ns, .is_gap = true },
		{ .t0_ns = track->last_t_ns, .t1_ns = window.stop_ns, .is_gap = true },
	};

	*ret_held_ns = 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(ends); i++) {
		int64_t dur_ns = ends[i].t1_ns - ends[i].t0_ns;
		bool is_hole = dur_ns > hole_ns[i];

		/* No reading of a power holds what is drawn after it: a counter's next one does, and its last is at the end. */
		ret_ns[i] = dur_ns > 0 && (is_hole || domain->is_power) ? dur_ns : 0;
		*ret_held_ns += is_hole ? 0 : ret_ns[i];
		if (is_hole && dur_ns > 0 && (domain->is_chosen || domain->is_chosen_total))
			es_report_add_gap(report, domain->node, &ends[i]);
	}
}
