/*
 * report_paper.c - a report on paper: the chain from joules to grams, regions, insights, quality
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/axis.h"
#include "format/insights.h"
#include "format/paper.h"
#include "format/region_show.h"
#include "format/regions.h"

#define GAPS_SHOWN 12U
#define CELL ES_PAPER_CELL
#define UNKNOWN "n/a"
#define LABEL_END 12U /* of a row in the terminal */

static void put_head(const struct es_report *report, struct es_paper *paper)
{
	const struct es_meta *meta = report->meta;
	char time[ES_TIME_TEXT_BYTES], stop[ES_TIME_TEXT_BYTES];
	struct es_buf line;

	es_paper_add(paper, ES_PAPER_TITLE, "%s", meta->job);
	if (report->has_start)
		es_paper_add(paper, ES_PAPER_SMALL, "%s%s%s to %s, %zu node%s", meta->command,
			     meta->command[0] ? " · " : "",
			     es_time_rfc3339(es_report_unix_ns(report, report->start_ns), time),
			     es_time_rfc3339(es_report_unix_ns(report, report->stop_ns), stop),
			     meta->n_nodes, meta->n_nodes == 1 ? "" : "s");
	es_buf_init(&line, 1U << 20);
	if (es_report_line(report, true, &line) == 0 && es_buf_u8(&line, 0) == 0)
		es_paper_add(paper, ES_PAPER_LINE, "%s", (const char *)line.data);
	es_buf_finish(&line);
}

static void put_step(struct es_paper *paper, const char *what, double energy_j, const char *how)
{
	char energy[ES_AXIS_TEXT_BYTES], kwh[ES_QUANTITY_TEXT_BYTES];

	es_paper_add(paper, CELL, "%s", what);
	es_paper_add(paper, CELL, "%s", es_energy_text(energy_j, energy));
	es_paper_add(paper, CELL, "%s kWh", es_number_text(energy_j / ES_J_PER_KWH, kwh));
	es_paper_add(paper, CELL, "%s", how);
}

static void put_carbon(const struct es_report *report, struct es_paper *paper)
{
	const struct es_carbon_factor *factor = &report->options.carbon;
	char grams[ES_QUANTITY_TEXT_BYTES];

	es_paper_add(paper, CELL, "carbon");
	es_paper_add(paper, CELL, "%s%s",
		     report->has_carbon ? es_number_text(report->gco2, grams) : UNKNOWN,
		     report->has_carbon ? " gCO₂e" : "");
	if (report->has_carbon && !report->carbon.has_slots) {
		es_paper_add(paper, CELL, "%g g/kWh", factor->g_per_kwh);
		es_paper_add(paper, CELL, "%s, %s%s%s", factor->zone, factor->kind,
			     factor->scope ? ", " : "", factor->scope ? factor->scope : "");
		return;
	}
	es_paper_add(paper, CELL, "%s", "");
	es_paper_add(paper, CELL, "%s",
		     report->carbon.has_slots ? "slot by slot over the job's time" : "no factor");
}

/* Rows of the table in the terminal: two spaces, a label of up to ten letters, a space, words; as cells, or as small print. */
static void put_rows(struct es_buf *rows, bool has_cells, struct es_paper *paper)
{
	char *line, *rest = NULL;

	if (es_buf_u8(rows, 0) < 0) {
		paper->error = rows->error;
		return;
	}
	for (line = strtok_r((char *)rows->data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *label = line + strspn(line, " "), *words;
		size_t n = strlen(line), at = n < LABEL_END ? n : LABEL_END;
		size_t length = label < line + at ? (size_t)(line + at - label) : 0;

		/* A longer label than there is room for ends at a space; a row without one goes on with the last. */
		length += length ? strcspn(label + length, " ") : 0;
		words = label + length + strspn(label + length, " ");
		while (length > 0 && label[length - 1] == ' ')
			length--;
		if (has_cells) {
			es_paper_add(paper, CELL, "%.*s", (int)length, label);
			es_paper_add(paper, CELL, "%s", words);
		} else {
			es_paper_add(paper, ES_PAPER_SMALL, "%.*s%s%s", (int)length, label,
				     length ? ": " : "", words);
		}
	}
}

/* From what was measured to grams, one step a row, each with where it comes from. */
static void put_chain(const struct es_report *report, struct es_paper *paper)
{
	char how[512] = "";
	struct es_buf rows;
	double percent;
	size_t n = 0;

	if (!report->has_energy) {
		es_paper_add(paper, ES_PAPER_TEXT,
			     "Energy is not known: nothing here measured it.");
		return;
	}
	es_paper_table(paper, "from joules to grams|#energy|#|how");
	percent = report->node_j > 0 ? 100.0 * report->uncertainty_j / report->node_j : 0.0;
	for (int kind = 0; kind < ES_N_KINDS; kind++)
		if (report->kinds & 1u << kind)
			n += (size_t)snprintf(how + n, sizeof(how) - n, "%s%s", n ? " + " : "",
					      es_kind_name((enum es_kind)kind));
	put_step(paper, es_report_is_metered(report) ? "measured" : "estimated", report->measured_j,
		 how);
	(void)snprintf(how, sizeof(how), "model %.64s; ±%s%.*f %% (95 %%)%s", report->model.name,
		       percent < 0.01 ? "<" : "", percent < 9.95 ? 2 : 0,
		       percent < 0.01 ? 0.01 : percent,
		       report->has_estimate ? "" : ", from reading the counters");
	put_step(paper, "node", report->node_j, how);
	(void)snprintf(how, sizeof(how), "PUE %g, %.400s", report->options.pue,
		       report->options.pue_source);
	put_step(paper, "facility", report->facility_j, how);
	put_carbon(report, paper);
	es_buf_init(&rows, 1U << 20);
	es_carbon_table(report, &rows);
	put_rows(&rows, false, paper);
	es_buf_finish(&rows);
}

/* Rows that are too many are counted. */
static void put_left_over(struct es_paper *paper, size_t n, size_t n_max)
{
	if (n > n_max)
		es_paper_add(paper, ES_PAPER_SMALL, "and %zu more", n - n_max);
}

static void put_known_j(struct es_paper *paper, bool is_known, double energy_j)
{
	char text[ES_AXIS_TEXT_BYTES];

	es_paper_add(paper, CELL, "%s", is_known ? es_energy_text(energy_j, text) : UNKNOWN);
}

static void put_region(const struct es_report_region *region, bool has_work, struct es_paper *paper)
{
	char text[ES_AXIS_TEXT_BYTES], dur[ES_QUANTITY_TEXT_BYTES];

	es_paper_add(paper, CELL, "%s", region->name);
	es_paper_add(paper, CELL, "%" PRIu32, region->n_calls);
	es_paper_add(paper, CELL, "%s", es_duration_text(region->dur_ns, dur));
	put_known_j(paper, region->is_known, es_j_from_uj(region->energy_uj));
	put_known_j(paper, region->is_known, region->uncertainty_j);
	put_known_j(paper, region->has_exclusive && region->group == ES_REPORT_NO_GROUP,
		    es_j_from_uj(region->exclusive_uj));
	es_paper_add(paper, CELL, "%s",
		     region->is_known
			     ? es_watt_text(es_mean_power_mw(region->energy_uj, region->dur_ns),
					    text)
			     : UNKNOWN);
	es_paper_add(paper, CELL, "%s", es_region_method_name(region->method));
	if (!has_work)
		return;
	if (region->work.is_known && region->work.has_j_per_unit)
		es_paper_add(paper, CELL, "%s/%s", es_energy_text(region->work.j_per_unit, text),
			     region->work.unit);
	else
		es_paper_add(paper, CELL, UNKNOWN);
}

struct place {
	const struct es_report_region *region;
};

static int compare_regions(const void *a, const void *b)
{
	const struct es_report_region *x = ((const struct place *)a)->region,
				      *y = ((const struct place *)b)->region;
	uint64_t x_uj = x->is_known ? x->energy_uj : 0, y_uj = y->is_known ? y->energy_uj : 0;

	if (x_uj != y_uj)
		return x_uj > y_uj ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Those that take most come first. */
static void put_regions(const struct es_report *report, size_t n_max, struct es_paper *paper)
{
	es_cleanup(es_freep) struct place *sorted = calloc(report->n_regions + 1, sizeof(*sorted));
	bool has_work = false;
	size_t n = 0;

	if (!sorted) {
		paper->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < report->n_regions; i++) {
		if (es_region_is_automatic(report->regions[i].name))
			continue;
		sorted[n++].region = &report->regions[i];
		has_work = has_work || report->regions[i].work.is_known;
	}
	if (n == 0)
		return;
	qsort(sorted, n, sizeof(*sorted), compare_regions);
	es_paper_add(paper, ES_PAPER_HEADING, "Regions");
	es_paper_table(paper,
		       has_work ? "region|#calls|#time|#energy|#±|#own part|#mean|method|#work"
				: "region|#calls|#time|#energy|#±|#own part|#mean|method");
	for (size_t i = 0; i < n && i < n_max; i++)
		put_region(sorted[i].region, has_work, paper);
	put_left_over(paper, n, n_max);
	if (report->untagged.is_known) {
		char energy[ES_AXIS_TEXT_BYTES], dur[ES_QUANTITY_TEXT_BYTES];

		es_paper_add(paper, ES_PAPER_SMALL, "Untagged: %s, %s.",
			     es_duration_text(report->untagged.dur_ns, dur),
			     es_energy_text(es_j_from_uj(report->untagged.energy_uj), energy));
	}
}

static void put_domain(const struct es_report *report, size_t i, struct es_paper *paper)
{
	const struct es_domain *domain = &report->domains[i];
	const struct es_report_domain *sum = &report->by_domain[i];
	char text[ES_AXIS_TEXT_BYTES];

	es_paper_add(paper, CELL, "%s", report->meta->nodes[domain->node].name);
	es_paper_add(paper, CELL, "%s%s", domain->id,
		     domain->is_chosen ? "" : " (contains the parts)");
	es_paper_add(paper, CELL, "%s", es_kind_name(domain->kind));
	put_known_j(paper, sum->is_known, es_j_from_uj(sum->energy_uj));
	es_paper_add(paper, CELL, "%s", sum->is_known ? es_watt_text(sum->mean_mw, text) : UNKNOWN);
	es_paper_add(paper, CELL, "%s",
		     sum->is_known && sum->max_mw ? es_watt_text(sum->max_mw, text) : UNKNOWN);
	es_paper_add(paper, CELL, "%s",
		     domain->limit_mw ? es_watt_text(domain->limit_mw, text) : "");
}

static void put_domains(const struct es_report *report, size_t n_max, struct es_paper *paper)
{
	size_t n = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		if (!report->domains[i].is_chosen && !report->domains[i].is_chosen_total)
			continue;
		if (n == 0) {
			es_paper_add(paper, ES_PAPER_HEADING, "Parts of the machine");
			es_paper_table(paper, "node|domain|kind|#energy|#mean|#max|#limit");
		}
		if (n++ < n_max)
			put_domain(report, i, paper);
	}
	put_left_over(paper, n, n_max);
}

static void put_insights(const struct es_report *report, struct es_paper *paper)
{
	if (report->n_insights == 0)
		return;
	es_paper_add(paper, ES_PAPER_HEADING, "What may be worth a look");
	es_paper_table(paper, "insight|");
	for (size_t i = 0; i < report->n_insights; i++) {
		es_paper_add(paper, CELL, "%s", report->insights[i].code);
		es_paper_add(paper, CELL, "%s", report->insights[i].text);
	}
}

static void put_gaps(const struct es_report *report, struct es_paper *paper)
{
	char at[ES_QUANTITY_TEXT_BYTES], dur[ES_QUANTITY_TEXT_BYTES];

	if (report->n_gaps_kept == 0)
		return;
	es_paper_table(paper, "node|#gap at|#for|");
	for (size_t i = 0; i < report->n_gaps_kept && i < GAPS_SHOWN; i++) {
		const struct es_report_gap *gap = &report->gaps[i];

		es_paper_add(paper, CELL, "%s", report->meta->nodes[gap->node].name);
		es_paper_add(paper, CELL, "+%s",
			     es_duration_text(gap->start_ns - report->start_ns, at));
		es_paper_add(paper, CELL, "%s",
			     es_duration_text(gap->stop_ns - gap->start_ns, dur));
		es_paper_add(paper, CELL, "%s",
			     gap->has_energy ? "a counter went on: only the course is unknown"
					     : "filled in with the mean power, as an estimate");
	}
	put_left_over(paper, report->n_gaps, GAPS_SHOWN);
}

static void put_quality(const struct es_report *report, struct es_paper *paper)
{
	struct es_buf rows;

	es_paper_add(paper, ES_PAPER_HEADING, "How well it was measured");
	es_buf_init(&rows, 1U << 20);
	(void)es_report_quality_rows(report, &rows);
	es_paper_table(paper, "|");
	put_rows(&rows, true, paper);
	es_buf_finish(&rows);
	put_gaps(report, paper);
}

int es_report_paper(const struct es_report *report, const struct es_report_paper_options *options,
		    struct es_paper *ret)
{
	es_paper_init(ret);
	put_head(report, ret);
	put_chain(report, ret);
	es_paper_add(ret, ES_PAPER_PICTURE, "%s", "");
	put_insights(report, ret);
	put_regions(report, options->n_rows_max, ret);
	put_domains(report, options->n_rows_max, ret);
	put_quality(report, ret);
	return ret->error;
}
