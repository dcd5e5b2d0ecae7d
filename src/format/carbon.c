/*
 * carbon.c - carbon of a report: over time, by contract, of the machines themselves; SCI and price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/carbon.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "core/footprint.h"
#include "format/report.h"

__extension__ typedef unsigned __int128 es_u128;

/* A recording's clocks may say anything: what does not fit is beyond all readings. */
static int64_t on_boot_clock(int64_t t_unix_ns, const struct es_meta *meta)
{
	int64_t to_boot_ns, t_ns;

	if (__builtin_sub_overflow(meta->start_boot_ns, meta->start_unix_ns, &to_boot_ns) ||
	    __builtin_add_overflow(t_unix_ns, to_boot_ns, &t_ns))
		return meta->start_boot_ns < meta->start_unix_ns ? INT64_MIN : INT64_MAX;
	return t_ns;
}

int es_carbon_walk_init(struct es_carbon_walk *walk, const struct es_report *report)
{
	const struct es_meta *meta = report->meta;

	*walk = (struct es_carbon_walk){ .tracks[0].intensity = report->options.footprint.intensity,
					 .tracks[1].intensity = report->options.footprint.market };
	for (size_t i = 0; i < ES_ARRAY_SIZE(walk->tracks); i++) {
		int r;

		if (!walk->tracks[i].intensity)
			continue;
		r = es_intensity_times(walk->tracks[i].intensity, INT64_MIN, &walk->tracks[i].t_ns,
				       &walk->tracks[i].n);
		for (size_t j = 0; r == 0 && j < walk->tracks[i].n; j++)
			walk->tracks[i].t_ns[j] = on_boot_clock(walk->tracks[i].t_ns[j], meta);
		if (r == 0)
			r = es_cuts_init(&walk->tracks[i].cuts, walk->tracks[i].t_ns,
					 walk->tracks[i].n, meta->n_domains);
		if (r < 0)
			return r;
	}
	return 0;
}

void es_carbon_walk_sample(struct es_carbon_walk *walk, size_t domain,
			   const struct es_sample *sample)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(walk->tracks); i++)
		if (walk->tracks[i].intensity)
			es_cuts_sample(&walk->tracks[i].cuts, domain, sample);
}

void es_carbon_walk_finish(struct es_carbon_walk *walk)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(walk->tracks); i++) {
		free(walk->tracks[i].t_ns);
		es_cuts_finish(&walk->tracks[i].cuts);
	}
}

/* Time without samples up to @t_ns: before the first, in gaps, after the last. */
static int64_t dark_ns(const struct es_report *report, const struct es_track *track,
		       const struct es_cut *cut, int64_t t_ns)
{
	int64_t before_ns =
			(t_ns < track->first_t_ns ? t_ns : track->first_t_ns) - report->start_ns,
		after_ns = t_ns - track->last_t_ns;

	return cut->gap_ns + (before_ns > 0 ? before_ns : 0) + (after_ns > 0 ? after_ns : 0);
}

/*
 * A domain up to a time. What was filled in is spread over the time without samples; at the report's end it is all of
 * the domain's energy.
 */
static uint64_t domain_uj(const struct es_report *report, const struct es_cuts *cuts,
			  const struct es_track *track, size_t domain, size_t time)
{
	const struct es_report_domain *sum = &report->by_domain[domain];
	const struct es_cut end = { .energy_uj = sum->energy_uj - sum->filled_uj,
				    .gap_ns = track->gap_total_ns };
	struct es_cut cut = es_cuts_at(cuts, domain, time);
	int64_t all_ns = dark_ns(report, track, &end, report->stop_ns), part_ns;

	if (!sum->filled_uj || all_ns <= 0)
		return cut.energy_uj;
	part_ns = dark_ns(report, track, &cut, cuts->t_ns[time]);
	return cut.energy_uj +
	       (uint64_t)((es_u128)sum->filled_uj * (uint64_t)part_ns / (uint64_t)all_ns);
}

/* Before the node's model and after it, at one time. */
struct level {
	uint64_t sum_uj; /* of the total cover */
	double node_uj; /* by the model, were nothing rounded */
};

static struct level level_at(const struct es_report *report, const struct es_cuts *cuts,
			     const struct es_track *tracks, size_t time)
{
	struct level level = { .node_uj = report->model.offset_w * 1e6 *
					  es_s_from_ns(cuts->t_ns[time] - report->start_ns) };

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		uint64_t energy_uj;

		if (!report->domains[i].is_chosen_total || !report->by_domain[i].is_known)
			continue;
		energy_uj = domain_uj(report, cuts, &tracks[i], i, time);
		level.sum_uj += energy_uj;
		level.node_uj +=
			(double)energy_uj *
			(report->domains[i].kind == ES_KIND_ESTIMATED ? 1.0 : report->model.slope);
	}
	return level;
}

/* Energies of the pieces from those at their ends; the last one takes what is left: they are the total to 1 µJ. */
static void share_out(const struct es_report *report, const struct es_cuts *cuts,
		      const struct es_track *tracks, size_t first, struct es_piece *pieces,
		      size_t n)
{
	uint64_t total_uj = (uint64_t)llround(report->node_j * 1e6), before_uj = 0;
	bool is_plain = total_uj == report->total_uj;
	double all_uj =
		report->model.offset_w * 1e6 * es_s_from_ns(report->stop_ns - report->start_ns);

	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].is_chosen_total && report->by_domain[i].is_known)
			all_uj += (double)report->by_domain[i].energy_uj *
				  (report->domains[i].kind == ES_KIND_ESTIMATED
					   ? 1.0
					   : report->model.slope);
	for (size_t i = 0; i < n; i++) {
		uint64_t at_uj = total_uj;
		struct level level;

		if (i + 1 < n) {
			level = level_at(report, cuts, tracks, first + i);
			at_uj = is_plain     ? level.sum_uj
				: all_uj > 0 ? (uint64_t)llround((double)total_uj * level.node_uj /
								 all_uj)
					     : 0;
		}
		/* Readings of several domains are a moment apart: never backwards, never beyond the end. */
		at_uj = at_uj < before_uj ? before_uj : at_uj > total_uj ? total_uj : at_uj;
		pieces[i].energy_uj = at_uj - before_uj;
		before_uj = at_uj;
	}
}

/* The job cut at the edges of slots. @ret_first: number of the edge that ends the first piece. */
static struct es_piece *cut_job(const struct es_report *report, const int64_t *t_ns, size_t n_times,
				size_t *ret_n, size_t *ret_first)
{
	size_t first = 0, last;
	struct es_piece *pieces;
	int64_t start_ns = report->start_ns;

	while (first < n_times && t_ns[first] <= report->start_ns)
		first++;
	for (last = first; last < n_times && t_ns[last] < report->stop_ns; last++)
		;
	pieces = calloc(last - first + 1, sizeof(*pieces));
	for (size_t i = 0; pieces && i <= last - first; i++) {
		int64_t stop_ns = first + i < last ? t_ns[first + i] : report->stop_ns;

		pieces[i].start_ns = es_report_unix_ns(report, start_ns);
		pieces[i].stop_ns = es_report_unix_ns(report, stop_ns);
		start_ns = stop_ns;
	}
	*ret_n = last - first + 1;
	*ret_first = first;
	return pieces;
}

static int lay(const struct es_carbon_track *track, const struct es_track *tracks,
	       const struct es_report *report, struct es_piece **ret, size_t *ret_n,
	       struct es_footing *ret_footing)
{
	struct es_piece *pieces;
	size_t n, first;

	if (track->cuts.error < 0)
		return track->cuts.error;
	pieces = cut_job(report, track->t_ns, track->n, &n, &first);
	if (!pieces)
		return -ENOMEM;
	share_out(report, &track->cuts, tracks, first, pieces, n);
	es_intensity_lay(track->intensity, pieces, n, report->options.pue, ret_footing);
	*ret = pieces;
	*ret_n = n;
	return 0;
}

/* In place of the one factor: what the slots say. */
static int settle_location(const struct es_carbon_walk *walk, const struct es_track *tracks,
			   struct es_report *report)
{
	struct es_report_carbon *carbon = &report->carbon;
	int r = lay(&walk->tracks[0], tracks, report, &carbon->pieces, &carbon->n_pieces,
		    &carbon->footing);

	if (r < 0)
		return r;
	carbon->has_slots = true;
	report->has_carbon = carbon->footing.has_gco2;
	report->gco2 = carbon->footing.gco2;
	report->options.carbon.g_per_kwh = carbon->footing.g_per_kwh;
	return 0;
}

static int settle_market(const struct es_carbon_walk *walk, const struct es_track *tracks,
			 struct es_report *report)
{
	const struct es_carbon_options *options = &report->options.footprint;
	struct es_report_carbon *carbon = &report->carbon;
	struct es_piece *pieces;
	struct es_footing footing;
	size_t n;
	int r;

	if (options->has_market) {
		carbon->has_market = true;
		carbon->market_g_per_kwh = options->market_g_per_kwh;
		carbon->market_gco2 = report->facility_j / ES_J_PER_KWH * options->market_g_per_kwh;
		return 0;
	}
	if (!options->market)
		return 0;
	r = lay(&walk->tracks[1], tracks, report, &pieces, &n, &footing);
	if (r < 0)
		return r;
	free(pieces);
	carbon->has_market = footing.has_gco2;
	carbon->market_g_per_kwh = footing.g_per_kwh;
	carbon->market_gco2 = footing.gco2;
	return 0;
}

/* The energy's own uncertainty, and that of times without a figure; nobody states that of the factors. */
static void settle_uncertainty(struct es_report *report)
{
	struct es_report_carbon *carbon = &report->carbon;
	double energy_g;

	if (!report->has_carbon || (carbon->has_slots && !carbon->footing.has_uncertainty))
		return;
	energy_g = report->node_j > 0 ? report->gco2 * report->uncertainty_j / report->node_j : 0.0;
	carbon->has_uncertainty = true;
	carbon->uncertainty_g = hypot(energy_g, carbon->footing.uncertainty_g);
}

/* Of all CPUs of the nodes, those that the job had. */
static double cpu_share(const struct es_meta *meta)
{
	uint64_t n_cpus = 0;

	for (size_t i = 0; i < meta->n_nodes; i++) {
		if (meta->nodes[i].n_cpus == 0)
			return 1.0;
		n_cpus += meta->nodes[i].n_cpus;
	}
	if (meta->n_cpus == 0 || meta->n_cpus >= n_cpus)
		return 1.0;
	return (double)meta->n_cpus / (double)n_cpus;
}

static void settle_embodied(struct es_report *report)
{
	const struct es_carbon_options *options = &report->options.footprint;
	struct es_report_carbon *carbon = &report->carbon;
	double units = 1.0;

	carbon->cpu_share = cpu_share(report->meta);
	if (!options->has_embodied || !report->has_start)
		return;
	carbon->has_embodied = true;
	carbon->embodied_g =
		es_embodied_g(options->embodied_kg, options->lifetime_years, report->meta->n_nodes,
			      es_s_from_ns(report->stop_ns - report->start_ns), carbon->cpu_share);
	(void)snprintf(carbon->sci_unit, sizeof(carbon->sci_unit), "%s",
		       report->work.is_known ? report->work.unit : "job");
	if (report->work.is_known)
		units = report->work.amount;
	carbon->has_sci = report->has_carbon && es_sci_g_per_unit(report->gco2, carbon->embodied_g,
								  units, &carbon->sci_g_per_unit);
}

int es_carbon_settle(const struct es_carbon_walk *walk, const struct es_track *tracks,
		     struct es_report *report)
{
	const struct es_carbon_options *options = &report->options.footprint;
	int r = 0;

	if (report->has_energy && options->intensity)
		r = settle_location(walk, tracks, report);
	if (r == 0 && report->has_energy)
		r = settle_market(walk, tracks, report);
	if (r < 0)
		return r;
	settle_uncertainty(report);
	settle_embodied(report);
	report->carbon.has_price = report->has_energy && options->has_price &&
				   es_price_micro(report->facility_j, options->price_micro_per_kwh,
						  &report->carbon.price_micro);
	return 0;
}

void es_report_carbon_finish(struct es_report_carbon *carbon)
{
	free(carbon->pieces);
	*carbon = (struct es_report_carbon){ .n_pieces = 0 };
}
