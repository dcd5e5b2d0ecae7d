/*
 * plot.c - what a picture of a recording shows, in columns
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/plot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_NONE INT64_MIN
#define ALIGNED_COLUMNS_MIN 512U
#define CELLS_MAX \
	(1U << 21) /* columns times domains: 16 MiB; thousands of domains are drawn coarser */

/* One domain while the recording is walked. */
struct source {
	struct es_series series;
	bool is_shown, is_stacked; /* the latter: in the fine cover */
	bool has_power;
	uint64_t power_mw; /* of its last sample */
	struct es_sample
		still; /* what it showed since it last moved, if it never rests; until INT64_MIN: it moves */
	int64_t lost_ns; /* of its track, when it last moved */
};

struct gathering {
	struct es_plot *plot;
	const struct es_report *report;
	struct source *sources; /* [domain] */
	struct es_watch watch;
	size_t n_stacked, n_powered; /* of those stacked, how many have a power now */
	uint64_t sum_mw;
	int64_t row_ns; /* time of the last row that was noted */
	bool has_changed;
};

static size_t column_of(const struct es_plot *plot, int64_t t_ns)
{
	int64_t column = t_ns <= plot->start_ns ? 0 : (t_ns - plot->start_ns) / plot->column_ns;

	return column >= (int64_t)plot->n_columns ? plot->n_columns - 1 : (size_t)column;
}

/* The sum of the stack as it was from the row before up to now: into the least and the most of each column it touches. */
static void note_row(struct gathering *gathering, int64_t t_ns)
{
	struct es_plot *plot = gathering->plot;
	int64_t from_ns = gathering->row_ns;

	gathering->row_ns = t_ns;
	if (!gathering->has_changed || gathering->n_powered < gathering->n_stacked ||
	    from_ns == ROW_NONE || from_ns >= plot->stop_ns || t_ns <= plot->start_ns)
		return;
	gathering->has_changed = false;
	for (size_t i = column_of(plot, from_ns), last = column_of(plot, t_ns - 1); i <= last;
	     i++) {
		if (gathering->sum_mw < plot->least_mw[i])
			plot->least_mw[i] = gathering->sum_mw;
		if (gathering->sum_mw > plot->most_mw[i])
			plot->most_mw[i] = gathering->sum_mw;
	}
}

static void note_power(struct gathering *gathering, struct source *source,
		       const struct es_sample *sample, int64_t max_over_ns)
{
	int64_t dur_ns = sample->t1_ns - sample->t0_ns;

	/* The last reading of a run comes when the command ends: so short a time gives no power. */
	if (!sample->is_gap && dur_ns < max_over_ns)
		return;
	if (source->has_power) {
		gathering->sum_mw -= source->power_mw;
		gathering->n_powered--;
	}
	source->has_power = !sample->is_gap;
	if (!source->has_power)
		return;
	source->power_mw = es_mean_power_mw(sample->energy_uj, dur_ns);
	gathering->sum_mw += source->power_mw;
	gathering->n_powered++;
	gathering->has_changed = true;
}

/* What lies outside of the window is left out, in proportion. */
static struct es_sample clip(const struct es_plot *plot, const struct es_sample *sample)
{
	struct es_sample part = *sample;
	struct es_edge from = { .t_ns = plot->start_ns }, to = { .t_ns = plot->stop_ns };

	if (part.t0_ns >= plot->start_ns && part.t1_ns <= plot->stop_ns)
		return part;
	es_edge_add(&from, sample);
	es_edge_add(&to, sample);
	part.energy_uj = to.energy_uj - from.energy_uj;
	part.t0_ns = part.t0_ns > plot->start_ns ? part.t0_ns : plot->start_ns;
	part.t1_ns = part.t1_ns < plot->stop_ns ? part.t1_ns : plot->stop_ns;
	return part;
}

/* Into the columns, unless its counter stood still for too long to be believed, which shows once it has moved again. */
static void settle_still(struct gathering *gathering, size_t domain)
{
	struct source *source = &gathering->sources[domain];
	int64_t lost_ns = gathering->watch.tracks[domain].lost_ns;
	const struct es_plot *plot = gathering->plot;

	if (lost_ns == source->lost_ns && source->still.t1_ns > plot->start_ns &&
	    source->still.t0_ns < plot->stop_ns) {
		struct es_sample part = clip(plot, &source->still);

		es_series_add(&source->series, &part);
	}
	source->still = (struct es_sample){ .t1_ns = INT64_MIN };
	source->lost_ns = lost_ns;
}

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct gathering *gathering = arg;
	struct source *source = &gathering->sources[domain];
	const struct es_track *track = &gathering->watch.tracks[domain];
	struct es_sample seen = *sample;
	bool is_still = track->still_after_ns && !sample->is_gap && sample->energy_uj == 0;

	if (!source->is_shown)
		return;
	if (!is_still || source->still.t1_ns != sample->t0_ns)
		settle_still(gathering, domain);
	if (is_still) {
		if (source->still.t1_ns != sample->t0_ns)
			source->still = *sample;
		source->still.t1_ns = sample->t1_ns;
		seen.is_gap = sample->t1_ns - source->still.t0_ns >= track->still_after_ns;
	}
	if (sample->t1_ns <= gathering->plot->start_ns || sample->t0_ns >= gathering->plot->stop_ns)
		return;
	if (source->is_stacked)
		note_power(gathering, source, &seen, track->max_over_ns);
	if (is_still)
		return;
	seen = clip(gathering->plot, sample);
	es_series_add(&source->series, &seen);
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct gathering *gathering = arg;

	es_watch_reading(&gathering->watch, domain, t_ns, value, activity_ns);
	return 0;
}

/* Readings of a sweep are some µs apart: a row is complete when the next one begins. */
static int on_sweep(void *arg, int64_t t_ns)
{
	note_row(arg, t_ns);
	return 0;
}

static int walk(struct es_recording *recording, struct gathering *gathering)
{
	static const struct es_visitor visitor = { .reading = on_reading, .sweep = on_sweep };
	const struct es_report *report = gathering->report;
	int r = es_watch_init(&gathering->watch, report->domains, report->meta->n_domains,
			      report->meta->period_ns);

	if (r < 0)
		return r;
	gathering->watch.on_sample = on_sample;
	gathering->watch.arg = gathering;
	gathering->row_ns = ROW_NONE;
	r = es_recording_walk(recording, &visitor, gathering);
	es_watch_end(&gathering->watch);
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (gathering->sources[i].is_shown)
			settle_still(gathering, i);
	note_row(gathering, gathering->plot->stop_ns);
	es_watch_finish(&gathering->watch);
	return r;
}

/*
 * Columns as long as a reading's period times 2^n, stretched a little so that they fill the time evenly; where they are
 * few, as letters are, as many as there may be.
 */
static void choose_columns(struct es_plot *plot, size_t n_max)
{
	int64_t dur_ns = plot->stop_ns - plot->start_ns,
		period_ns = es_report_period_ns(plot->report), n;

	if (n_max > CELLS_MAX / (plot->report->meta->n_domains + 1))
		n_max = CELLS_MAX / (plot->report->meta->n_domains + 1);
	n_max = n_max < 1 ? 1 : n_max > ES_PLOT_COLUMNS_MAX ? ES_PLOT_COLUMNS_MAX : n_max;
	plot->column_ns = es_series_choose_bin_ns(dur_ns, period_ns, n_max);
	plot->has_peaks = plot->column_ns > period_ns;
	n = (dur_ns + plot->column_ns / 2) / plot->column_ns;
	if (plot->has_peaks && n_max < ALIGNED_COLUMNS_MIN)
		n = (int64_t)n_max;
	n = n < 1 ? 1 : n > (int64_t)n_max ? (int64_t)n_max : n;
	plot->column_ns = (dur_ns - 1) / n + 1;
	plot->n_columns = (size_t)((dur_ns - 1) / plot->column_ns) + 1;
}

static int allocate(struct es_plot *plot, struct gathering *gathering,
		    const struct es_profile_options *options)
{
	const struct es_report *report = plot->report;
	size_t n = plot->n_columns;

	gathering->sources = calloc(report->meta->n_domains + 1, sizeof(*gathering->sources));
	plot->least_mw = malloc((n + 1) * sizeof(*plot->least_mw));
	plot->most_mw = calloc(n + 1, sizeof(*plot->most_mw));
	plot->is_known = calloc(n + 1, sizeof(*plot->is_known));
	plot->is_line_known = calloc(n + 1, sizeof(*plot->is_line_known));
	plot->filled_mw = calloc(n + 1, sizeof(*plot->filled_mw));
	if (!gathering->sources || !plot->least_mw || !plot->most_mw || !plot->is_known ||
	    !plot->is_line_known || !plot->filled_mw)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		plot->least_mw[i] = UINT64_MAX;
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		struct source *source = &gathering->sources[i];
		int r;

		if (!es_profile_shows(options, report, i))
			continue;
		source->is_shown = true;
		source->still.t1_ns = INT64_MIN;
		source->is_stacked = report->domains[i].is_chosen;
		gathering->n_stacked += source->is_stacked;
		r = es_series_init(&source->series, plot->start_ns, plot->stop_ns, plot->column_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

/* From the bottom up: processors, devices, memory, and what else there is. */
static const unsigned order_of_type[ES_N_DOMAIN_TYPES] = {
	[ES_DOMAIN_PACKAGE] = 0, [ES_DOMAIN_DIE] = 1,	 [ES_DOMAIN_CORE] = 2,
	[ES_DOMAIN_UNCORE] = 3,	 [ES_DOMAIN_MODULE] = 4, [ES_DOMAIN_GPU] = 5,
	[ES_DOMAIN_DRAM] = 6,	 [ES_DOMAIN_PSYS] = 7,	 [ES_DOMAIN_NODE] = 8,
	[ES_DOMAIN_OTHER] = 9,
};

/* How domains are put together: each alone, by node and type, or by type. */
enum grouping {
	EACH_ALONE,
	BY_NODE_AND_TYPE,
	BY_TYPE
};

static bool is_same_group(enum grouping grouping, const struct es_domain *a,
			  const struct es_domain *b)
{
	if (grouping == EACH_ALONE)
		return a == b;
	return a->type == b->type && (grouping == BY_TYPE || a->node == b->node);
}

static size_t count_groups(const struct gathering *gathering, enum grouping grouping)
{
	const struct es_report *report = gathering->report;
	size_t n = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		bool is_first = gathering->sources[i].is_shown && gathering->sources[i].is_stacked;

		for (size_t j = 0; j < i && is_first; j++)
			is_first =
				!gathering->sources[j].is_shown ||
				!gathering->sources[j].is_stacked ||
				!is_same_group(grouping, &report->domains[i], &report->domains[j]);
		n += is_first;
		if (n > ES_PLOT_LAYERS_MAX)
			break;
	}
	return n;
}

static enum grouping choose_grouping(const struct gathering *gathering)
{
	enum grouping grouping = EACH_ALONE;

	while (grouping < BY_TYPE && count_groups(gathering, grouping) > ES_PLOT_LAYERS_MAX)
		grouping++;
	return grouping;
}

static void name_curve(const struct es_plot *plot, enum grouping grouping,
		       const struct es_domain *domain, struct es_plot_curve *curve)
{
	const struct es_meta *meta = plot->report->meta;
	const char *node = meta->nodes[domain->node].name;
	char many[48] = "";

	if (curve->n_domains > 1)
		(void)snprintf(many, sizeof(many), " (%zu)", curve->n_domains);
	if (grouping == EACH_ALONE && meta->n_nodes == 1)
		(void)snprintf(curve->name, sizeof(curve->name), "%s", domain->name);
	else if (grouping == EACH_ALONE)
		(void)snprintf(curve->name, sizeof(curve->name), "%s %s", node, domain->name);
	else if (grouping == BY_NODE_AND_TYPE && meta->n_nodes > 1)
		(void)snprintf(curve->name, sizeof(curve->name), "%s %s%s", node,
			       es_domain_type_name(domain->type), many);
	else
		(void)snprintf(curve->name, sizeof(curve->name), "%s%s",
			       es_domain_type_name(domain->type), many);
}

/*
 * A domain's columns onto a curve, and into what is known. One of many nodes does not hide the others: where it has no
 * readings it stands with its mean power, as in the sums.
 */
static void add_domain(struct es_plot *plot, const struct source *source, size_t domain,
		       struct es_plot_curve *curve)
{
	const struct es_series *series = &source->series;
	bool *is_known = source->is_stacked ? plot->is_known : plot->is_line_known;
	bool is_filled = source->is_stacked && plot->report->meta->n_nodes > 1;

	for (size_t i = 0; i < plot->n_columns; i++) {
		uint64_t power_mw = 0;

		if (i >= series->n_bins || !es_series_power_mw(series, i, &power_mw)) {
			power_mw = is_filled ? plot->report->by_domain[domain].mean_mw : 0;
			plot->filled_mw[i] += power_mw;
			is_known[i] = is_known[i] && is_filled;
		}
		curve->power_mw[i] += power_mw;
	}
}

/* The report's figure where all is shown: it holds what was filled in over gaps. */
static void add_energy(struct es_plot *plot, const struct es_series *series, size_t domain,
		       struct es_plot_curve *curve)
{
	const struct es_report_domain *sum = &plot->report->by_domain[domain];
	bool is_whole = plot->start_ns == plot->report->start_ns &&
			plot->stop_ns == plot->report->stop_ns;
	uint64_t energy_uj = 0;

	for (size_t i = 0; i < series->n_bins; i++)
		energy_uj += series->energy_uj[i];
	curve->energy_uj += is_whole ? sum->energy_uj : energy_uj;
	curve->kinds |= 1u << plot->report->domains[domain].kind;
	plot->has_filled = plot->has_filled || (sum->filled_uj > sum->held_uj && is_whole);
	curve->n_domains++;
}

static int fill_curve(struct gathering *gathering, enum grouping grouping, size_t first,
		      bool is_stacked, struct es_plot_curve *curve)
{
	struct es_plot *plot = gathering->plot;
	const struct es_domain *domain = &gathering->report->domains[first];

	curve->type = domain->type;
	curve->power_mw = calloc(plot->n_columns + 1, sizeof(*curve->power_mw));
	if (!curve->power_mw)
		return -ENOMEM;
	for (size_t i = first; i < gathering->report->meta->n_domains; i++) {
		struct source *source = &gathering->sources[i];

		if (!source->is_shown || source->is_stacked != is_stacked ||
		    !is_same_group(grouping, domain, &gathering->report->domains[i]))
			continue;
		add_domain(plot, source, i, curve);
		add_energy(plot, &source->series, i, curve);
		source->is_shown = false; /* it has its place */
	}
	name_curve(plot, grouping, domain, curve);
	curve->mean_mw = es_mean_power_mw(curve->energy_uj, plot->stop_ns - plot->start_ns);
	return 0;
}

/* The next domain of the stack that has no curve yet, in the order of drawing; SIZE_MAX: none. */
static size_t next_domain(const struct gathering *gathering, bool is_stacked)
{
	const struct es_report *report = gathering->report;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct source *source = &gathering->sources[i];

		if (!source->is_shown || source->is_stacked != is_stacked)
			continue;
		if (best == SIZE_MAX || order_of_type[report->domains[i].type] <
						order_of_type[report->domains[best].type])
			best = i;
	}
	return best;
}

static int make_layers(struct gathering *gathering)
{
	struct es_plot *plot = gathering->plot;
	enum grouping grouping = choose_grouping(gathering);
	unsigned n_of_type[ES_N_DOMAIN_TYPES] = { 0 };
	size_t domain;

	for (size_t i = 0; i < plot->n_columns; i++)
		plot->is_known[i] = gathering->n_stacked > 0;
	plot->n_aggregated = grouping == EACH_ALONE ? 0 : gathering->n_stacked;
	while ((domain = next_domain(gathering, true)) != SIZE_MAX) {
		struct es_plot_curve *layer = &plot->layers[plot->n_layers++];
		int r = fill_curve(gathering, grouping, domain, true, layer);

		if (r < 0)
			return r;
		layer->ink = es_ink_of_domain(layer->type, n_of_type[layer->type]++);
		plot->stack_uj += layer->energy_uj;
	}
	return 0;
}

/* Meters of the whole together; what was asked for by name each alone, as many as there is room for. */
static int make_lines(struct gathering *gathering, bool is_asked)
{
	struct es_plot *plot = gathering->plot;
	size_t domain;

	for (size_t i = 0; i < plot->n_columns; i++)
		plot->is_line_known[i] = true;
	while (plot->n_lines < ES_PLOT_LINES_MAX &&
	       (domain = next_domain(gathering, false)) != SIZE_MAX) {
		struct es_plot_curve *line = &plot->lines[plot->n_lines];
		int r = fill_curve(gathering, is_asked ? EACH_ALONE : BY_TYPE, domain, false, line);

		if (r < 0)
			return r;
		line->ink = (enum es_ink)(ES_INK_LINE + plot->n_lines++);
		if (!is_asked)
			(void)snprintf(line->name, sizeof(line->name), "whole (%s%s)",
				       es_domain_type_name(line->type),
				       line->n_domains > 1 ? "s" : "");
	}
	return 0;
}

/* A column's mean is one of the values in it, also where readings of several paces met. */
static void settle_peaks(struct es_plot *plot)
{
	for (size_t i = 0; i < plot->n_columns; i++) {
		uint64_t sum_mw = 0;

		for (size_t j = 0; j < plot->n_layers; j++)
			sum_mw += plot->layers[j].power_mw[i];
		if (sum_mw < plot->least_mw[i])
			plot->least_mw[i] = sum_mw;
		if (sum_mw > plot->most_mw[i])
			plot->most_mw[i] = sum_mw;
	}
}

/* Limits of all stacked domains of a type; false where one of them has none. */
static bool limit_of_type(const struct gathering *gathering, enum es_domain_type type,
			  uint64_t *ret_mw, size_t *ret_n, const char **kind)
{
	const struct es_report *report = gathering->report;
	uint64_t sum_mw = 0;
	size_t n = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];

		if (!gathering->sources[i].is_stacked || domain->type != type)
			continue;
		if (!domain->limit_mw)
			return false;
		sum_mw += domain->limit_mw;
		n++;
		*kind = !*kind || strcmp(*kind, domain->limit_kind) == 0 ? domain->limit_kind : "";
	}
	*ret_mw = sum_mw;
	*ret_n = n;
	return true;
}

/* "limit of 2 packages + 4 gpus": one type after the other. */
static void name_limit(struct es_plot *plot, size_t n, enum es_domain_type type)
{
	size_t len = strlen(plot->limit_text);

	(void)snprintf(plot->limit_text + len, sizeof(plot->limit_text) - len, "%s%zu %s%s",
		       len ? " + " : "limit of ", n, es_domain_type_name(type), n > 1 ? "s" : "");
}

static void name_limit_kind(struct es_plot *plot, const char *kind)
{
	size_t len = strlen(plot->limit_text);

	if (plot->limit_mw && kind && kind[0])
		(void)snprintf(plot->limit_text + len, sizeof(plot->limit_text) - len, " (%.16s)",
			       strcmp(kind, "tdp") == 0		? "TDP"
			       : strcmp(kind, "long_term") == 0 ? "long term"
								: kind);
}

/* The stack's lowest types, as long as each of their domains has a limit: what is under the line is what it limits. */
static void sum_limits(struct es_plot *plot, const struct gathering *gathering)
{
	const char *kind = NULL;

	for (size_t j = 0; j < plot->n_layers; j++) {
		enum es_domain_type type = plot->layers[j].type;
		uint64_t limit_mw;
		size_t n_of_type;

		if (j > 0 && type == plot->layers[j - 1].type)
			continue;
		if (!limit_of_type(gathering, type, &limit_mw, &n_of_type, &kind))
			break;
		plot->limit_mw += limit_mw;
		name_limit(plot, n_of_type, type);
	}
	name_limit_kind(plot, kind);
}

static int gather(struct es_recording *recording, const struct es_profile_options *options,
		  struct es_plot *plot)
{
	struct gathering gathering = { .plot = plot, .report = plot->report };
	int r = allocate(plot, &gathering, options);

	if (r == 0)
		r = walk(recording, &gathering);
	for (size_t i = 0; r == 0 && i < plot->report->meta->n_domains; i++)
		if (gathering.sources[i].series.lacks_memory)
			r = -ENOMEM;
	if (r == 0)
		r = make_layers(&gathering);
	if (r == 0)
		r = make_lines(&gathering, options->n_domains > 0);
	if (r == 0) {
		sum_limits(plot, &gathering);
		es_plot_settle_filled(plot);
		settle_peaks(plot);
		r = es_plot_find_gaps(plot);
	}
	for (size_t i = 0; gathering.sources && i < plot->report->meta->n_domains; i++)
		es_series_finish(&gathering.sources[i].series);
	free(gathering.sources);
	return r;
}

int es_plot_build(struct es_recording *recording, const struct es_report *report,
		  const struct es_profile_options *options, size_t n_columns_max,
		  struct es_plot *ret, struct es_error *err)
{
	struct es_plot plot = { .report = report,
				.start_ns = report->start_ns,
				.stop_ns = report->stop_ns };
	int r = 0;

	if (options->from_ns && options->from_ns > plot.start_ns)
		plot.start_ns = options->from_ns;
	if (options->to_ns && options->to_ns < plot.stop_ns)
		plot.stop_ns = options->to_ns;
	plot.is_part = plot.start_ns != report->start_ns || plot.stop_ns != report->stop_ns ||
		       options->n_domains > 0;
	if (report->has_start && plot.stop_ns > plot.start_ns) {
		choose_columns(&plot, n_columns_max);
		r = gather(recording, options, &plot);
	}
	if (r == 0)
		r = es_plot_take_calls(&plot);
	if (r < 0) {
		es_plot_finish(&plot);
		return es_error_set(err, r, "cannot make the picture");
	}
	*ret = plot;
	return 0;
}

void es_plot_finish(struct es_plot *plot)
{
	for (size_t i = 0; i < plot->n_layers; i++)
		free(plot->layers[i].power_mw);
	for (size_t i = 0; i < plot->n_lines; i++)
		free(plot->lines[i].power_mw);
	free(plot->is_known);
	free(plot->is_line_known);
	free(plot->filled_mw);
	free(plot->least_mw);
	free(plot->most_mw);
	free(plot->gaps);
	free((void *)plot->calls);
	*plot = (struct es_plot){ .report = NULL };
}
