/*
 * report_domain.c - the energy of one domain of a recording, and how sure it is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_domain.h"

#include <math.h>

#include "base/parse.h"
#include "format/report_faults.h"
#include "format/report_gaps.h"

/* Half width of a 95 % interval for a model's energy: its errors at idle and at full load go together. */
static double estimate_uncertainty_j(const struct es_domain *domain, uint64_t energy_uj,
				     int64_t dur_ns)
{
	double full_w = es_w_from_mw(domain->full_mw), idle_w = es_w_from_mw(domain->idle_mw),
	       s = es_s_from_ns(dur_ns);
	double energy_j = es_j_from_uj(energy_uj), busy = 1.0;

	if (domain->full_mw > domain->idle_mw && s > 0)
		busy = fmin(fmax((energy_j / s - idle_w) / (full_w - idle_w), 0.0), 1.0);
	if (domain->full_mw == 0)
		return energy_j * domain->spread_ppm / 1e6;
	return s * ((1 - busy) * idle_w * domain->idle_spread_ppm / 1e6 +
		    busy * full_w * domain->spread_ppm / 1e6);
}

/* The first and the last sweep read everything: a reading that failed there leaves a hole, however short. */
static void find_silence(struct es_report *report, const struct es_track *track, size_t i,
			 const struct es_report_sweeps *sweeps, int64_t hole_ns)
{
	bool has_failed = sweeps->n > 1 && es_report_has_failed(report, track, i);
	const int64_t holes_ns[] = {
		has_failed && track->first_t_ns >= sweeps->second_ns ? 0 : hole_ns,
		has_failed && track->last_t_ns < sweeps->last_ns ? 0 : hole_ns,
	};

	es_report_find_silence(report, track, holes_ns, report->by_domain[i].silent_ns,
			       &report->by_domain[i].held_ns);
}

/*
 * What may be in time of which nothing is known. A gap is filled in with the usual power, and may have been nothing, or
 * as much as was ever seen or is allowed; a counter that stood still may lack all of that. Of one that showed wrong
 * values the samples at the ends are in doubt: no reading beyond them tells whether they began and ended with such.
 */
static double unknown_j(const struct es_report *report, const struct es_track *track, size_t i,
			double usual_w, int64_t unknown_ns)
{
	const struct es_report_domain *sum = &report->by_domain[i];
	double most_w = fmax(es_w_from_mw(track->max_mw), es_w_from_mw(track->domain->limit_mw));
	uint64_t ends_uj = track->rejected.n ? track->first_step_uj + track->last_step_uj : 0;

	/* A sweep takes its time: between this meter's readings and the first and the last of all there is a rest. */
	struct es_report_window window = es_report_window(report, track->domain->node);
	int64_t rest_ns = window.stop_ns - window.start_ns -
			  (track->last_t_ns - track->first_t_ns) - sum->silent_ns[0] -
			  sum->silent_ns[1];

	return fmax(usual_w, most_w - usual_w) * es_s_from_ns(unknown_ns) +
	       fmax(usual_w, es_w_from_mw(track->max_mw)) *
		       es_s_from_ns(rest_ns > 0 ? rest_ns : 0) +
	       sum->still_w * es_s_from_ns(track->lost_ns) +
	       usual_w * es_s_from_ns(es_report_slowest_ns(report, i)) +
	       1.96 * sqrt(track->unseen_j2) + es_j_from_uj(track->doubt_uj) +
	       es_j_from_uj(ends_uj);
}

/* The first sample after a stretch may hold what was drawn in it. */
static void find_still(const struct es_track *track, double usual_w, struct es_report_domain *sum)
{
	double most_w = fmax(es_w_from_mw(track->max_mw), es_w_from_mw(track->domain->limit_mw));
	int64_t to_ns = track->stood.last_t_ns + track->longest_ns;

	if (track->stood_ns == 0)
		return;
	sum->still_from_ns = track->stood.first_t_ns;
	sum->still_to_ns = to_ns < track->last_t_ns ? to_ns : track->last_t_ns;
	sum->still_ns = track->stood_ns;
	sum->lost_ns = track->lost_ns;
	sum->still_w = fmax(usual_w, most_w);
}

/*
 * A counter's two ends: up to one refresh old each. A power is as late as half of what it averages over and the age of that:
 * what it had yet to show at the end differs from what it had at the beginning by no more than all its swing.
 */
static double ends_j(const struct es_report *report, const struct es_track *track, double mean_w)
{
	const struct es_domain *domain = track->domain;
	int64_t period_ns = domain->update_period_ns;
	double old_j = mean_w * es_s_from_ns(period_ns);

	if (!domain->is_power)
		return old_j;
	if (period_ns <= 0)
		period_ns = es_domain_period_ns(domain, report->meta->period_ns);
	return fmax(old_j,
		    es_w_from_mw(track->most_mw - track->least_mw) * 1.5 * es_s_from_ns(period_ns));
}

void es_report_sum_domain(struct es_report *report, const struct es_track *track, size_t i,
			  const struct es_report_sweeps *sweeps, int64_t hole_ns)
{
	const struct es_domain *domain = &report->domains[i];
	struct es_report_domain *sum = &report->by_domain[i];
	uint64_t usual_mw;
	int64_t gap_ns;

	sum->domain = domain;
	sum->is_known = track->n_samples > 0 && !report->evidence[i].is_unknown &&
			domain->state != ES_STATE_DEAD;
	if (!sum->is_known)
		return;
	sum->covered_ns = track->covered_ns;
	sum->mean_mw = es_mean_power_mw(track->energy_uj, track->covered_ns);
	sum->max_mw = track->max_mw;
	usual_mw = es_mean_power_mw(track->energy_uj, track->covered_ns - track->lost_ns);
	find_silence(report, track, i, sweeps, hole_ns);
	sum->gap_ns = track->gap_total_ns + sum->silent_ns[0] + sum->silent_ns[1];
	gap_ns = sum->gap_ns - track->gap_slept_ns;
	if (gap_ns > 0)
		sum->filled_uj = es_energy_at_most_uj(usual_mw, gap_ns);
	sum->held_uj =
		gap_ns > 0
			? (uint64_t)((double)sum->filled_uj * (double)sum->held_ns / (double)gap_ns)
			: 0;
	if (sum->held_ns >= gap_ns)
		sum->held_uj = sum->filled_uj;
	sum->energy_uj = track->energy_uj + sum->filled_uj;
	sum->accuracy_j = es_j_from_uj(sum->energy_uj) * domain->accuracy_ppm / 1e6;
	if (domain->kind == ES_KIND_ESTIMATED || domain->spread_ppm) {
		sum->uncertainty_j =
			estimate_uncertainty_j(domain, sum->energy_uj, track->covered_ns) +
			sum->accuracy_j;
		return;
	}
	find_still(track, es_w_from_mw(usual_mw), sum);
	sum->unknown_j = unknown_j(report, track, i, es_w_from_mw(usual_mw), gap_ns);
	sum->uncertainty_j = sum->unknown_j + sum->accuracy_j +
			     (double)domain->range.unit_nj / 1e9 +
			     ends_j(report, track, es_w_from_mw(sum->mean_mw));
	if (!track->has_moved && !domain->is_power)
		sum->uncertainty_j += es_j_from_uj(es_energy_at_most_uj(
			domain->limit_mw ? domain->limit_mw : 100000, domain->update_period_ns));
}
