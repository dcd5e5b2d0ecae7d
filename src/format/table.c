/*
 * table.c - the table below the job line, for people
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/insights.h"
#include "format/letters.h"
#include "format/region_show.h"
#include "format/report.h"
#include "format/report_faults.h"
#include "format/work.h"

#define PERCENT_MOST 1000.0 /* above, a bound is shown in joules */
#define NODE_COLUMNS 16
#define DOMAIN_COLUMNS 26

/* Energies in a unit people can hold: J below 10 kJ, then kJ and MJ. */
static void energy_text(double energy_j, char *text, size_t size)
{
	if (energy_j < 100.0)
		(void)snprintf(text, size, "%.3f J", energy_j);
	else if (energy_j < 10000.0)
		(void)snprintf(text, size, "%.1f J", energy_j);
	else if (energy_j < 1e7)
		(void)snprintf(text, size, "%.3f kJ", energy_j / 1e3);
	else
		(void)snprintf(text, size, "%.3f MJ", energy_j / 1e6);
}

static void put_row(struct es_buf *out, const char *label, const char *text)
{
	(void)es_buf_printf(out, "  %-10s %s\n", label, text);
}

/* Cells at its end may be empty: no blanks for them. */
static void end_row(struct es_buf *out, const char *text)
{
	while (text[0] == '\0' && out->len && out->data[out->len - 1] == ' ')
		out->len--;
	(void)es_buf_printf(out, "%s\n", text);
}

static void put_domain(const struct es_report *report, size_t i, struct es_buf *out)
{
	const struct es_domain *domain = &report->domains[i];
	const struct es_report_domain *sum = &report->by_domain[i];
	char load[16] = "", limit[16] = "", max[24] = "-";

	(void)es_buf_str(out, "  ");
	es_letters_cell(out, report->meta->nodes[domain->node].name, NODE_COLUMNS, true);
	(void)es_buf_str(out, " ");
	es_letters_cell(out, domain->id, DOMAIN_COLUMNS, true);
	if (!sum->is_known) {
		(void)es_buf_printf(out, " %-10s %12s %10s %10s  %s\n", es_kind_name(domain->kind),
				    "n/a", "n/a", "n/a",
				    report->evidence[i].is_unknown &&
						    report->evidence[i].was_watched
					    ? "stood still: not counted"
					    : domain->reason);
		return;
	}
	if (domain->limit_mw) {
		(void)snprintf(limit, sizeof(limit), "%.0f", es_w_from_mw(domain->limit_mw));
		(void)snprintf(load, sizeof(load), "%.1f %%",
			       100.0 * (double)sum->mean_mw / (double)domain->limit_mw);
	}
	/* No sample was long enough to be a power: too short a run. */
	if (sum->max_mw)
		(void)snprintf(max, sizeof(max), "%.2f", es_w_from_mw(sum->max_mw));
	(void)es_buf_printf(out, " %-10s %12.3f %10.2f %10s %9s %8s", es_kind_name(domain->kind),
			    es_j_from_uj(sum->energy_uj), es_w_from_mw(sum->mean_mw), max, limit,
			    load);
	end_row(out, domain->is_chosen_total && !domain->is_chosen ? "  (contains the parts above)"
								   : "");
}

static void put_domains(const struct es_report *report, struct es_buf *out)
{
	(void)es_buf_printf(out, "  %-*s %-*s %-10s %12s %10s %10s %9s %8s\n", NODE_COLUMNS, "node",
			    DOMAIN_COLUMNS, "domain", "kind", "energy (J)", "mean (W)", "max (W)",
			    "limit (W)", "load");
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].is_chosen)
			put_domain(report, i, out);
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].is_chosen_total && !report->domains[i].is_chosen)
			put_domain(report, i, out);
}

/* What was there to measure and is in no cover because nothing valid came of it. */
static void put_left_out(const struct es_report *report, struct es_buf *out)
{
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];

		if (domain->state == ES_STATE_DEAD ||
		    (report->evidence[i].is_unknown && !domain->is_chosen &&
		     domain->state == ES_STATE_UNPROVEN))
			(void)es_buf_printf(out, "  %-10s %s: %s\n", "left out", domain->id,
					    domain->reason);
	}
}

/*
 * Meters of a whole node that do not stand for it: what they say of it, or why they are not believed. And those of what
 * is no part of the node, as of a rack, which somebody named: else they would not be recorded.
 */
static void put_beside(const struct es_report *report, struct es_buf *out)
{
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];
		const struct es_report_domain *sum = &report->by_domain[i];
		double node_uj, part;

		bool is_other = domain->type == ES_DOMAIN_OTHER && domain->is_partial;

		if ((domain->type != ES_DOMAIN_NODE && !is_other) ||
		    domain->kind == ES_KIND_ESTIMATED || domain->is_chosen_total ||
		    domain->is_chosen || !sum->is_known)
			continue;
		(void)es_buf_printf(out, "  %-10s %s: %.1f J", "beside", domain->id,
				    es_j_from_uj(sum->energy_uj));
		if (is_other) {
			(void)es_buf_printf(out, ", mean %.1f W; no part of the node\n",
					    es_w_from_mw(sum->mean_mw));
			continue;
		}
		if (domain->state != ES_STATE_DUPLICATE || domain->duplicate_of < 0 ||
		    !report->by_domain[domain->duplicate_of].is_known) {
			(void)es_buf_printf(out, "; %s\n", domain->reason);
			continue;
		}
		node_uj = (double)report->by_domain[domain->duplicate_of].energy_uj;
		part = node_uj > 0 ? (double)sum->energy_uj / node_uj - 1 : 0;
		(void)es_buf_printf(out, ", %.1f %% %s than %s\n", 100 * fabs(part),
				    part < 0 ? "less" : "more",
				    report->domains[domain->duplicate_of].id);
	}
}

/* "measured", or "measured and estimated": the kinds are never mixed silently. */
static void put_kinds(const struct es_report *report, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (int kind = 0; kind < ES_N_KINDS; kind++)
		if (report->kinds & 1u << kind && n < size)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " and " : "",
					      es_kind_name((enum es_kind)kind));
}

/* What the uncertainty is made of. */
static const char *whence(const struct es_report *report)
{
	bool has_unrated = false;

	for (size_t i = 0; i < report->meta->n_domains; i++)
		has_unrated = has_unrated || (report->domains[i].is_chosen_total &&
					      report->domains[i].accuracy_ppm == 0);
	if (report->model.calibration)
		return report->model.calibration->meter_accuracy_ppm
			       ? "± from the calibration, its meter's rated accuracy, and from reading the parts"
			       : "± from the calibration and from reading the parts; its meter's accuracy is not stated";
	if (report->accuracy_j <= 0)
		return "± from reading the counters; the meters' own accuracy is not stated by their makers";
	return has_unrated
		       ? "± from reading the meters and from the rated accuracy of those that state one"
		       : "± from reading the meters and from their rated accuracy";
}

static void put_energy(const struct es_report *report, struct es_buf *out)
{
	char text[192], energy[32], part[32], bound[32], kinds[64];
	double percent;

	if (!report->has_energy) {
		put_row(out, "energy", "n/a: nothing here measured it");
		return;
	}
	percent = report->node_j > 0 ? 100.0 * report->uncertainty_j / report->node_j : 0.0;
	energy_text(report->node_j, energy, sizeof(energy));
	put_kinds(report, kinds, sizeof(kinds));
	(void)snprintf(bound, sizeof(bound), "%.*f %%", percent < 10 ? 2 : 0, percent);
	/* A share of nothing, or many times all of it, tells nobody how sure it is. */
	if (!(report->node_j > 0) || percent >= PERCENT_MOST)
		energy_text(report->uncertainty_j, bound, sizeof(bound));
	(void)snprintf(text, sizeof(text), "%s, %s%s ±%s", energy, kinds,
		       report->model.calibration ? " parts and a calibration" : "", bound);
	put_row(out, "node", text);
	if (!report->has_estimate)
		put_row(out, "", whence(report));
	es_report_unseen_row(report, out);
	if (report->total_uj > report->fine_uj && report->metered_uj) {
		energy_text(es_j_from_uj(report->total_uj - report->fine_uj), part, sizeof(part));
		(void)snprintf(text, sizeof(text),
			       "%s of the node are outside of the parts measured", part);
		put_row(out, "rest", text);
	}
	if (strcmp(report->model.name, "none") == 0)
		(void)es_buf_printf(out, "  %-10s none: %s\n", "model",
				    es_report_is_metered(report) ? report->model.text
								 : "the estimate is at the wall");
	else
		put_row(out, "model", report->model.text);
	energy_text(report->facility_j, energy, sizeof(energy));
	(void)es_buf_printf(out, "  %-10s %s with PUE %g (%s)\n", "facility", energy,
			    report->options.pue, report->options.pue_source);
}

static void put_load(const struct es_report *report, struct es_buf *out)
{
	char text[96];

	if (!report->has_load)
		return;
	(void)snprintf(text, sizeof(text), "%.2f %% of what the processors' limits allow",
		       100.0 * report->load);
	put_row(out, "load", text);
}

static void put_quality(const struct es_report *report, struct es_buf *out)
{
	char text[320], planned[ES_QUANTITY_TEXT_BYTES], mean[ES_QUANTITY_TEXT_BYTES],
		max[ES_QUANTITY_TEXT_BYTES];

	if (report->mean_period_ns)
		(void)snprintf(text, sizeof(text),
			       "%s: every %s, mean %s, longest %s; %" PRIu64 " missed, %" PRIu64
			       " rejected",
			       es_report_quality(report),
			       es_duration_text(report->meta->period_ns, planned),
			       es_duration_text(report->mean_period_ns, mean),
			       es_duration_text(report->max_period_ns, max), report->n_missed,
			       report->n_rejected);
	else
		(void)snprintf(text, sizeof(text), "every %s; %" PRIu64 " missed",
			       es_duration_text(report->meta->period_ns, planned),
			       report->n_missed);
	put_row(out, "sampling", text);
	(void)snprintf(text, sizeof(text),
		       "%.1f %% of the time, %.1f %% of the energy by hardware meters",
		       100.0 * report->time_coverage, 100.0 * report->metered_share);
	put_row(out, "coverage", text);
	if (report->n_gaps) {
		(void)snprintf(text, sizeof(text), "%zu%s, %s in all, first at +%s", report->n_gaps,
			       report->meta->n_nodes > 1 ? " over all nodes" : "",
			       es_duration_text(report->gap_ns, mean),
			       es_duration_text(report->gaps[0].start_ns - report->start_ns, max));
		put_row(out, "holes", text);
	}
	es_report_release_rows(report, out);
	if (report->n_resets || report->n_ambiguous) {
		(void)snprintf(text, sizeof(text),
			       "%" PRIu64 " counter resets, %" PRIu64
			       " steps so long that a wrap may have been missed",
			       report->n_resets, report->n_ambiguous);
		put_row(out, "doubtful", text);
	}
	if (report->failed_text[0] && report->n_faults == 0)
		put_row(out, "failed", report->failed_text);
	es_report_put_faults(report, out);
	if (report->suspended_ns) {
		(void)snprintf(text, sizeof(text), "the machine slept for %s",
			       es_duration_text(report->suspended_ns, mean));
		put_row(out, "suspended", text);
	}
	if (report->clock_stepped_ns) {
		(void)snprintf(text, sizeof(text),
			       "the wall clock was set by %.3f s; durations are not affected",
			       es_s_from_ns(report->clock_stepped_ns));
		put_row(out, "clock", text);
	}
	if (!report->is_whole && report->options.is_live) {
		put_row(out, "running",
			"the job is not over: figures are of what it has used so far");
		return;
	}
	if (!report->is_whole && report->lost_bytes == 0)
		put_row(out, "broken off",
			"the recording's end is missing: figures hold up to its last frame");
	if (!report->is_whole && report->lost_bytes > 0) {
		(void)snprintf(text, sizeof(text),
			       "the recording breaks off (%" PRIu64
			       " bytes lost): figures hold up to its last frame",
			       report->lost_bytes);
		put_row(out, "broken off", text);
	}
}

static void put_own_cost(const struct es_report *report, struct es_buf *out)
{
	char text[160];
	double dur_s = es_s_from_ns(report->stop_ns - report->start_ns),
	       cpu_s = es_s_from_ns(report->own_cpu_ns);
	size_t n_nodes = report->is_joined ? report->meta->n_nodes : 1;

	if (report->own_cpu_ns < 0)
		return;
	/* In a short run it is all start-up: a share of that says nothing. */
	if (dur_s < 1.0)
		(void)snprintf(text, sizeof(text), "%.4f s of CPU time by this tool", cpu_s);
	else
		(void)snprintf(text, sizeof(text),
			       "%.4f s of CPU time by this tool (%.3f %% of a core%s)", cpu_s,
			       100.0 * cpu_s / dur_s / (double)n_nodes,
			       n_nodes > 1 ? " of each node" : "");
	put_row(out, "own cost", text);
}

/* Names come from recordings that anybody may have made: no terminal is to obey them. */
static void make_safe(struct es_buf *out, size_t from)
{
	if (es_buf_u8(out, 0) < 0)
		return;
	es_text_make_safe((char *)out->data + from, true);
	out->len--;
}

static void put_rest(const struct es_report *report, struct es_buf *out)
{
	put_quality(report, out);
	if (report->attached_pid)
		(void)es_buf_printf(out, "  %-10s %s (%" PRId64 "), which ran already%s\n",
				    "attached", report->attached, report->attached_pid,
				    report->has_command_stop ? " and ended" : "");
	if (report->survivors[0]) {
		char text[ES_NAME_MAX_BYTES + 64];

		(void)snprintf(text, sizeof(text), "%s: not counted from here on",
			       report->survivors);
		put_row(out, "still runs", text);
	}
	es_report_launch_rows(&report->launch, out);
	es_report_daemon_rows(&report->daemon, out);
	put_own_cost(report, out);
}

int es_report_quality_rows(const struct es_report *report, struct es_buf *out)
{
	size_t from = out->len;

	put_left_out(report, out);
	put_beside(report, out);
	put_load(report, out);
	put_rest(report, out);
	make_safe(out, from);
	return out->error;
}

int es_report_table(const struct es_report *report, struct es_buf *out)
{
	size_t from = out->len;

	put_domains(report, out);
	put_left_out(report, out);
	put_beside(report, out);
	es_region_table(report, out);
	put_energy(report, out);
	es_work_table(report, out);
	es_report_baseline_rows(report, out);
	es_report_share_rows(report, out);
	es_report_shared_rows(report, out);
	es_carbon_table(report, out);
	put_load(report, out);
	es_report_activity_row(report, out);
	es_report_signals_table(report, out);
	es_insights_table(report, out);
	put_rest(report, out);
	make_safe(out, from);
	return out->error;
}
