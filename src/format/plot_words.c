/*
 * plot_words.c - the texts around a picture: whose it is, what it adds up to, what kind of number that is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "format/axis.h"
#include "format/plot.h"

#define SEPARATOR " · "

/* Appends to a text of @size bytes; what does not fit is cut. */
static void add(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

/* The program's name, without folders and arguments. */
static void program_of(const char *command, char *text, size_t size)
{
	size_t n = strcspn(command, " ");
	const char *name = command;

	for (size_t i = 0; i < n; i++)
		if (command[i] == '/')
			name = command + i + 1;
	(void)snprintf(text, size, "%.*s", (int)(n - (size_t)(name - command)), name);
}

static void say_title(const struct es_plot *plot, struct es_plot_words *words)
{
	const struct es_meta *meta = plot->report->meta;
	char program[96];

	program_of(meta->command, program, sizeof(program));
	(void)snprintf(words->title, sizeof(words->title), "%s", meta->job);
	if (program[0] && !strstr(meta->job, program))
		add(words->title, sizeof(words->title), "%s%s", meta->job[0] ? SEPARATOR : "",
		    program);
}

static void say_nodes(const struct es_meta *meta, char *text, size_t size)
{
	if (meta->n_nodes == 1)
		add(text, size, "%s", meta->nodes[0].name);
	else if (meta->n_nodes > 1)
		add(text, size, "%zu nodes (%.60s … %.60s)", meta->n_nodes, meta->nodes[0].name,
		    meta->nodes[meta->n_nodes - 1].name);
}

/* Of a part of the time, or of some domains, only what is shown is added up. */
static void say_part(const struct es_plot *plot, char *text, size_t size)
{
	const struct es_report *report = plot->report;
	char from[ES_QUANTITY_TEXT_BYTES], to[ES_QUANTITY_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES];

	if (plot->start_ns == report->start_ns && plot->stop_ns == report->stop_ns)
		add(text, size, "%s%s", SEPARATOR,
		    es_duration_text(plot->stop_ns - plot->start_ns, to));
	else if (plot->start_ns == report->start_ns)
		add(text, size, "%sthe first %s", SEPARATOR,
		    es_duration_text(plot->stop_ns - plot->start_ns, to));
	else
		add(text, size, "%s%s to %s after the start", SEPARATOR,
		    es_duration_text(plot->start_ns - report->start_ns, from),
		    es_duration_text(plot->stop_ns - report->start_ns, to));
	if (plot->n_layers > 0)
		add(text, size, "%s%s in what is shown", SEPARATOR,
		    es_energy_text(es_j_from_uj(plot->stack_uj), energy));
}

static void say_below(const struct es_plot *plot, struct es_plot_words *words)
{
	const struct es_report *report = plot->report;
	char *text = words->below, number[ES_QUANTITY_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES];
	size_t size = sizeof(words->below);

	text[0] = '\0';
	say_nodes(report->meta, text, size);
	if (plot->is_part) {
		say_part(plot, text, size);
		return;
	}
	if (report->has_start)
		add(text, size, "%s%s", SEPARATOR,
		    es_duration_text(report->stop_ns - report->start_ns, number));
	if (!report->has_energy) {
		add(text, size, "%senergy not known", SEPARATOR);
		return;
	}
	add(text, size, "%s%s", SEPARATOR, es_energy_text(report->node_j, energy));
	add(text, size, " = %s kWh", es_number_text(report->node_j / ES_J_PER_KWH, number));
	if (report->options.pue != 1.0)
		add(text, size, "%s%s kWh with PUE %g", SEPARATOR,
		    es_number_text(report->facility_j / ES_J_PER_KWH, number), report->options.pue);
	if (report->has_carbon)
		add(text, size, "%s%s gCO₂e (%s)", SEPARATOR, es_number_text(report->gco2, number),
		    report->options.carbon.zone);
}

void es_plot_curve_note(const struct es_plot_curve *curve, char *text, size_t size)
{
	text[0] = '\0';
	for (int kind = 0; kind < ES_N_KINDS; kind++)
		if (curve->kinds & 1u << kind && curve->kinds != 1u << ES_KIND_MEASURED)
			add(text, size, "%s%s", text[0] ? " + " : "",
			    es_kind_name((enum es_kind)kind));
}

/* "measured (powercap) + estimated (estimate)": kinds of what is drawn, with their sources. */
static void say_kinds(const struct es_plot *plot, char *text, size_t size)
{
	const struct es_report *report = plot->report;
	bool has_any = false;

	for (int kind = 0; kind < ES_N_KINDS; kind++) {
		const char *last = NULL;

		for (size_t i = 0; i < report->meta->n_domains; i++) {
			const struct es_domain *domain = &report->domains[i];

			if (!domain->is_chosen || !report->by_domain[i].is_known ||
			    (int)domain->kind != kind ||
			    (last && strcmp(last, domain->source) == 0))
				continue;
			if (last)
				add(text, size, ", %s", domain->source);
			else
				add(text, size, "%s%s (%s", has_any ? " + " : "",
				    es_kind_name(domain->kind), domain->source);
			last = domain->source;
			has_any = true;
		}
		if (last)
			add(text, size, ")");
	}
}

/* What the meters' makers do not state is not in it. */
static void say_uncertainty(const struct es_report *report, char *text, size_t size)
{
	double percent = 100.0 * report->uncertainty_j / report->node_j;
	const char *of = report->has_estimate ? "" : " by reading";

	if (percent < 0.01)
		add(text, size, ", ±<0.01 %%%s (95 %%)", of);
	else
		add(text, size, ", ±%.*f %%%s (95 %%)", percent < 9.95 ? 2 : 0, percent, of);
}

static void say_foot(const struct es_plot *plot, struct es_plot_words *words)
{
	const struct es_report *report = plot->report;
	char *text = words->foot, column[ES_QUANTITY_TEXT_BYTES];
	size_t size = sizeof(words->foot);

	text[0] = '\0';
	if (plot->n_columns == 0 || plot->n_layers == 0)
		return;
	say_kinds(plot, text, size);
	if (!plot->is_part && report->has_energy && report->node_j > 0)
		say_uncertainty(report, text, size);
	add(text, size, "%seach step is the mean of %s", SEPARATOR,
	    es_duration_text(plot->column_ns, column));
	if (plot->has_peaks)
		add(text, size, ", the grey band the least and the most reading in it");
	if (plot->n_gaps || plot->has_filled_columns)
		add(text, size, "%shatched grey: no readings%s", SEPARATOR,
		    plot->has_filled ? ", in the sums with the mean power" : "");
	if (plot->n_aggregated)
		add(text, size, "%s%zu domains are drawn together by type", SEPARATOR,
		    plot->n_aggregated);
	if (plot->limit_mw && !es_plot_shows_limit(plot)) {
		char limit[ES_AXIS_TEXT_BYTES];

		add(text, size, "%s%s: %s, above the picture", SEPARATOR, plot->limit_text,
		    es_watt_text(plot->limit_mw, limit));
	}
	if (plot->are_calls_cut)
		add(text, size, "%sonly the first %zu calls of regions are drawn", SEPARATOR,
		    plot->n_calls);
}

static void say_clock(const struct es_plot *plot, struct es_plot_words *words)
{
	time_t t = (time_t)(es_report_unix_ns(plot->report, plot->start_ns) / ES_NS_PER_S);
	char day[32], zone[16] = "";
	struct tm tm;

	words->clock[0] = '\0';
	if (plot->n_columns == 0 || !localtime_r(&t, &tm) ||
	    strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm) == 0 ||
	    strftime(zone, sizeof(zone), "%z", &tm) == 0)
		return;
	if (strcmp(zone, "+0000") == 0)
		zone[0] = '\0';
	(void)snprintf(words->clock, sizeof(words->clock), "from %s UTC%.3s%s%.2s", day, zone,
		       zone[0] ? ":" : "", zone[0] ? zone + 3 : "");
}

void es_plot_say(const struct es_plot *plot, struct es_plot_words *ret)
{
	say_title(plot, ret);
	say_below(plot, ret);
	say_foot(plot, ret);
	say_clock(plot, ret);
}
