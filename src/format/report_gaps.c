/*
 * report_gaps.c - times of a recording in which something is not known
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_gaps.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define HOLE_PERIODS \
	2.5 /* readings further apart than this many planned periods are a hole in the profile */
#define HOLE_MIN_NS (20 * ES_NS_PER_MS)

int64_t es_report_hole_ns(const struct es_domain *domain, int64_t planned_ns)
{
	int64_t period_ns = es_domain_period_ns(domain, planned_ns);
	double hole_ns = fmax(HOLE_PERIODS * (double)period_ns, HOLE_MIN_NS);

	return period_ns > 0 && hole_ns < 0x1p62 ? (int64_t)hole_ns : INT64_MAX;
}

void es_report_add_gap(struct es_report *report, uint32_t node, const struct es_sample *sample)
{
	size_t n = report->n_gaps_kept;
	struct es_report_gap *last = &report->gaps[n ? n - 1 : 0];

	/* The domains of a node miss the same sweeps: one gap for all that overlap. */
	if (n > 0 && last->node == node && sample->t0_ns < last->stop_ns &&
	    sample->t1_ns > last->start_ns) {
		int64_t before_ns = last->stop_ns - last->start_ns;

		last->start_ns = sample->t0_ns < last->start_ns ? sample->t0_ns : last->start_ns;
		last->stop_ns = sample->t1_ns > last->stop_ns ? sample->t1_ns : last->stop_ns;
		last->has_energy = last->has_energy && !sample->is_gap;
		report->gap_ns += last->stop_ns - last->start_ns - before_ns;
		return;
	}
	report->n_gaps++;
	report->gap_ns += sample->t1_ns - sample->t0_ns;
	if (n == ES_REPORT_GAPS_MAX)
		return;
	report->gaps[report->n_gaps_kept++] = (struct es_report_gap){
		.node = node,
		.start_ns = sample->t0_ns,
		.stop_ns = sample->t1_ns,
		.has_energy = !sample->is_gap,
	};
}

int64_t es_report_find_silence(struct es_report *report, const struct es_track *track,
			       int64_t hole_ns)
{
	const struct es_domain *domain = track->domain;
	const struct es_sample ends[] = {
		{ .t0_ns = report->start_ns, .t1_ns = track->first_t_ns, .is_gap = true },
		{ .t0_ns = track->last_t_ns, .t1_ns = report->stop_ns, .is_gap = true },
	};
	int64_t silent_ns = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(ends); i++) {
		if (ends[i].t1_ns - ends[i].t0_ns <= hole_ns)
			continue;
		silent_ns += ends[i].t1_ns - ends[i].t0_ns;
		if (domain->is_chosen || domain->is_chosen_total)
			es_report_add_gap(report, domain->node, &ends[i]);
	}
	return silent_ns;
}
