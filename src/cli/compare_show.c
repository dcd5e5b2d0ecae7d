/*
 * compare_show.c - a comparison for people, and as a table for other programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/compare.h"
#include "format/letters.h"

#define NAME_COLUMNS_MAX 32U
#define CELL_BYTES 96U
#define LEAST_P 1e-4

static const enum es_trial_metric shown[] = { ES_TRIAL_TIME, ES_TRIAL_ENERGY, ES_TRIAL_ABOVE,
					      ES_TRIAL_EDP, ES_TRIAL_ED2P };

static bool is_shown(const struct es_compare_result *result, enum es_trial_metric metric)
{
	bool is_product = metric == ES_TRIAL_EDP || metric == ES_TRIAL_ED2P;

	if (metric == result->metric || metric == ES_TRIAL_TIME || metric == ES_TRIAL_ENERGY)
		return true;
	for (size_t i = 0; i < result->n_groups && !is_product; i++)
		if (result->groups[i].of[metric].n)
			return true;
	return false;
}

/* Two digits of what is not sure; without that five of the value. */
static int decimals_of(const struct es_interval *of)
{
	bool has_interval = of->method != ES_INTERVAL_NONE && of->high > of->low;
	double scale = has_interval ? (of->high - of->low) / 2 : fabs(of->mean);
	double decimals = (has_interval ? 1 : 4) - floor(log10(scale > 0 ? scale : 1));

	return decimals < 0 ? 0 : decimals > 9 ? 9 : (int)decimals;
}

static void interval_text(const struct es_interval *of, char text[static CELL_BYTES])
{
	int decimals;

	if (of->n == 0) {
		(void)snprintf(text, CELL_BYTES, "n/a");
		return;
	}
	decimals = decimals_of(of);
	if (of->method == ES_INTERVAL_NONE)
		(void)snprintf(text, CELL_BYTES, "%.*f", decimals, of->mean);
	else
		(void)snprintf(text, CELL_BYTES, "%.*f [%.*f, %.*f]", decimals, of->mean, decimals,
			       of->low, decimals, of->high);
}

static void percent_text(double share, char text[static CELL_BYTES])
{
	if (isfinite(share))
		(void)snprintf(text, CELL_BYTES, "%+.2f %%", 100 * share);
	else
		(void)snprintf(text, CELL_BYTES, "%s", share > 0 ? "+inf" : "-inf");
}

static unsigned name_columns(const struct es_compare_result *result)
{
	size_t most = 5;

	for (size_t i = 0; i < result->n_groups; i++)
		if (strlen(result->groups[i].name) > most)
			most = strlen(result->groups[i].name);
	return most > NAME_COLUMNS_MAX ? NAME_COLUMNS_MAX : (unsigned)most;
}

static void put_left_out(const struct es_compare_group *group, struct es_buf *out)
{
	static const char *const words[ES_FATES] = { [ES_FATE_FAILED] = "failed",
						     [ES_FATE_UNFIT] = "below the quality",
						     [ES_FATE_FAR_OFF] = "far off" };
	const char *before = "  left out: ";

	for (int fate = ES_FATE_FAILED; fate < ES_FATES; fate++) {
		if (group->fates[fate] == 0)
			continue;
		(void)es_buf_printf(out, "%s%zu %s", before, group->fates[fate], words[fate]);
		before = ", ";
	}
	if (group->is_left_out)
		(void)es_buf_printf(out, "%s%s", before[0] == ' ' ? before : "; ",
				    group->why_left_out);
}

/* How wide the column of each metric is; 0: it is not shown. */
static void find_widths(const struct es_compare_result *result,
			int widths[static ES_TRIAL_N_METRICS])
{
	char text[CELL_BYTES];

	for (size_t k = 0; k < ES_ARRAY_SIZE(shown); k++) {
		int *width = &widths[shown[k]];

		if (!is_shown(result, shown[k]))
			continue;
		*width = snprintf(text, sizeof(text), "%s (%s)", es_compare_label(shown[k]),
				  es_trial_metric_unit(shown[k]));
		for (size_t i = 0; i < result->n_groups; i++) {
			interval_text(&result->groups[i].of[shown[k]], text);
			if ((int)strlen(text) > *width)
				*width = (int)strlen(text);
		}
	}
}

/* Without blanks that pad a last column. */
static void end_line(struct es_buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	(void)es_buf_u8(out, '\n');
}

static void put_group(const struct es_compare_group *group, const int *widths, unsigned columns,
		      bool has_gco2, struct es_buf *out)
{
	char text[CELL_BYTES];

	es_letters_cell(out, group->name, columns, true);
	(void)es_buf_printf(out, "  %4zu", group->fates[ES_FATE_COUNTS]);
	for (size_t k = 0; k < ES_ARRAY_SIZE(shown); k++) {
		if (widths[shown[k]] == 0)
			continue;
		interval_text(&group->of[shown[k]], text);
		(void)es_buf_printf(out, "  %-*s", widths[shown[k]], text);
	}
	if (has_gco2) {
		(void)snprintf(text, sizeof(text), "%.4g", group->gco2.mean);
		(void)es_buf_printf(out, "  %-7s", group->has_gco2 ? text : "n/a");
	}
	put_left_out(group, out);
	end_line(out);
}

static void put_groups(const struct es_compare_result *result, struct es_buf *out)
{
	unsigned columns = name_columns(result);
	int widths[ES_TRIAL_N_METRICS] = { 0 };
	char head[CELL_BYTES];
	bool has_gco2 = false;

	find_widths(result, widths);
	for (size_t i = 0; i < result->n_groups; i++)
		has_gco2 = has_gco2 || result->groups[i].has_gco2;
	es_letters_cell(out, "group", columns, true);
	(void)es_buf_str(out, "  runs");
	for (size_t k = 0; k < ES_ARRAY_SIZE(shown); k++) {
		if (widths[shown[k]] == 0)
			continue;
		(void)snprintf(head, sizeof(head), "%s (%s)", es_compare_label(shown[k]),
			       es_trial_metric_unit(shown[k]));
		(void)es_buf_printf(out, "  %-*s", widths[shown[k]], head);
	}
	if (has_gco2)
		(void)es_buf_str(out, "  CO2 (g)");
	end_line(out);
	for (size_t i = 0; i < result->n_groups; i++)
		put_group(&result->groups[i], widths, columns, has_gco2, out);
}

static size_t least_runs(const struct es_judgement *of)
{
	return of->a.n < of->b.n ? of->a.n : of->b.n;
}

static void put_needs(const struct es_judgement *of, struct es_buf *out)
{
	size_t have = least_runs(of);

	if (of->runs_needed > ES_COMPARE_RUNS_MAX)
		(void)es_buf_str(out, "needs more runs than anybody makes");
	else if (of->runs_needed > have)
		(void)es_buf_printf(out, "needs %zu more run%s of each (%zu in all)",
				    of->runs_needed - have, of->runs_needed - have == 1 ? "" : "s",
				    of->runs_needed);
	else if (of->runs_needed)
		(void)es_buf_str(out, "a few more runs of each may decide");
	else
		(void)es_buf_str(out, "needs several runs of each");
}

static void put_change(const struct es_compare_result *result, const struct es_compare_pair *pair,
		       enum es_trial_metric metric, struct es_buf *out)
{
	const struct es_judgement *of = &pair->of[metric];
	char change[CELL_BYTES] = "n/a", low[CELL_BYTES], high[CELL_BYTES];
	/* Of the energy above idle nothing follows unless it was asked for. */
	const char *word = metric == ES_TRIAL_ABOVE && metric != result->metric
				   ? ""
				   : es_compare_word(metric, of->verdict);

	(void)es_buf_printf(out, "%c %-10s  ", metric == result->metric ? '*' : ' ',
			    es_compare_label(metric));
	if (!pair->has[metric]) {
		(void)es_buf_str(out,
				 result->groups[pair->group].why_no_energy ||
						 result->groups[result->reference].why_no_energy
					 ? "not compared\n"
					 : "not known\n");
		return;
	}
	if (of->has_change)
		percent_text(of->change, change);
	(void)es_buf_printf(out, "%-9s  %10s", word, change);
	if (of->has_interval) {
		percent_text(of->change_low, low);
		percent_text(of->change_high, high);
		(void)es_buf_printf(out, "  [%s, %s]", low, high);
		if (of->p < LEAST_P)
			(void)es_buf_str(out, "  p < 0.0001");
		else
			(void)es_buf_printf(out, "  p %.2g", of->p);
	}
	if (word[0] && of->verdict == ES_VERDICT_UNDECIDED) {
		(void)es_buf_str(out, "  ");
		put_needs(of, out);
	}
	(void)es_buf_u8(out, '\n');
}

static void put_limit(const struct es_compare *compare, const struct es_compare_pair *pair,
		      struct es_buf *out)
{
	const struct es_judgement *of = &pair->of[ES_TRIAL_TIME];
	char limit[CELL_BYTES], bound[CELL_BYTES];

	if (!compare->wish.has_limit)
		return;
	percent_text(compare->wish.limit, limit);
	(void)es_buf_printf(out, "  not slower by more than %s: ", limit + 1);
	if (!pair->has[ES_TRIAL_TIME]) {
		(void)es_buf_str(out, "times are not known\n");
		return;
	}
	(void)es_buf_str(out, es_compare_limit_word(of->limit));
	if (of->has_interval) {
		percent_text(of->limit_high, bound);
		(void)es_buf_printf(out, " (at most %s, one-sided 95 %%)", bound);
	}
	if (of->limit == ES_LIMIT_OPEN) {
		(void)es_buf_str(out, "; ");
		put_needs(of, out);
	}
	(void)es_buf_u8(out, '\n');
}

static void put_pairs(const struct es_compare *compare, const struct es_compare_result *result,
		      struct es_buf *out)
{
	for (size_t i = 0; i < result->n_pairs; i++) {
		const struct es_compare_pair *pair = &result->pairs[i];

		(void)es_buf_u8(out, '\n');
		es_letters_cell(out, result->groups[pair->group].name, 60, false);
		(void)es_buf_str(out, " against ");
		es_letters_cell(out, result->groups[result->reference].name, 60, false);
		(void)es_buf_u8(out, '\n');
		for (size_t k = 0; k < ES_ARRAY_SIZE(shown); k++)
			if (is_shown(result, shown[k]) &&
			    (pair->has[shown[k]] || shown[k] != ES_TRIAL_ABOVE))
				put_change(result, pair, shown[k], out);
		put_limit(compare, pair, out);
	}
}

static void put_front(const struct es_compare_result *result, struct es_buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n_groups; i++)
		n += result->groups[i].is_in_plane;
	if (n < 2)
		return;
	(void)es_buf_str(out, "\nfront (time and energy, by means): ");
	for (size_t i = 0; i < result->n_front; i++) {
		(void)es_buf_str(out, i ? ", " : "");
		es_letters_cell(out, result->groups[result->front[i]].name, 60, false);
	}
	(void)es_buf_u8(out, '\n');
	for (size_t i = 0; i < result->n_groups; i++) {
		const struct es_compare_group *group = &result->groups[i];

		if (!group->is_in_plane || group->is_front)
			continue;
		(void)es_buf_str(out, "  ");
		es_letters_cell(out, group->name, 60, false);
		(void)es_buf_printf(out, ": %s worse than ", group->is_surely ? "surely" : "maybe");
		es_letters_cell(out, result->groups[group->by].name, 60, false);
		(void)es_buf_printf(out, " in both%s\n",
				    group->is_surely ? "" : ": intervals overlap");
	}
}

static void put_result(const struct es_compare *compare, const struct es_compare_result *result,
		       struct es_buf *out)
{
	if (result->region[0]) {
		(void)es_buf_str(out, "\nregion ");
		es_letters_cell(out, result->region, 60, false);
		(void)es_buf_u8(out, '\n');
	}
	put_groups(result, out);
	put_pairs(compare, result, out);
	if (result->n_groups > 2 || result->n_pairs == 0)
		put_front(result, out);
	for (size_t i = 0; i < result->n_remarks; i++)
		(void)es_buf_printf(out, "%s- %s\n", i ? "" : "\n", result->remarks[i].text);
}

void es_compare_text(const struct es_compare *compare, struct es_buf *out)
{
	put_result(compare, &compare->whole, out);
	for (size_t i = 0; i < compare->n_regions; i++)
		put_result(compare, &compare->regions[i], out);
	if (compare->whole.n_pairs)
		(void)es_buf_printf(
			out,
			"\n[ ]: 95 %% intervals; *: what decides; same: within ±%g %%; far-off runs are %s\n",
			100 * compare->wish.margin, compare->drops_outliers ? "dropped" : "kept");
	else
		(void)es_buf_str(out,
				 "\n[ ]: 95 % intervals; one group: nothing to compare it with\n");
}

static void csv_text(const char *text, struct es_buf *out)
{
	(void)es_buf_u8(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			(void)es_buf_u8(out, '"');
		(void)es_buf_u8(out, (uint8_t)*text);
	}
	(void)es_buf_u8(out, '"');
}

static void csv_number(bool is_known, double value, struct es_buf *out)
{
	(void)es_buf_u8(out, ',');
	if (is_known && isfinite(value))
		(void)es_buf_printf(out, "%.9g", value);
}

static void csv_interval(const struct es_interval *of, struct es_buf *out)
{
	bool has_ends = of->n && of->method != ES_INTERVAL_NONE;

	csv_number(of->n > 0, of->mean, out);
	csv_number(has_ends, of->low, out);
	csv_number(has_ends, of->high, out);
}

static const struct es_compare_pair *pair_of(const struct es_compare_result *result, size_t group)
{
	for (size_t i = 0; i < result->n_pairs; i++)
		if (result->pairs[i].group == group)
			return &result->pairs[i];
	return NULL;
}

static void csv_rows(const struct es_compare_result *result, struct es_buf *out)
{
	for (size_t i = 0; i < result->n_groups; i++) {
		const struct es_compare_group *group = &result->groups[i];
		const struct es_compare_pair *pair = pair_of(result, i);
		const struct es_judgement *of =
			pair && pair->has[result->metric] ? &pair->of[result->metric] : NULL;

		csv_text(result->region, out);
		(void)es_buf_u8(out, ',');
		csv_text(group->name, out);
		(void)es_buf_printf(out, ",%zu,%zu,%zu,%zu", group->fates[ES_FATE_COUNTS],
				    group->fates[ES_FATE_FAILED], group->fates[ES_FATE_UNFIT],
				    group->fates[ES_FATE_FAR_OFF]);
		csv_interval(&group->of[ES_TRIAL_TIME], out);
		csv_interval(&group->of[ES_TRIAL_ENERGY], out);
		csv_interval(&group->of[ES_TRIAL_ABOVE], out);
		(void)es_buf_printf(out, ",%s", es_trial_metric_name(result->metric));
		csv_number(of && of->has_change, of ? of->change : 0, out);
		csv_number(of && of->has_interval, of ? of->change_low : 0, out);
		csv_number(of && of->has_interval, of ? of->change_high : 0, out);
		csv_number(of && of->has_interval, of ? of->p : 0, out);
		csv_number(of && of->runs_needed && of->runs_needed <= ES_COMPARE_RUNS_MAX,
			   of ? (double)of->runs_needed : 0, out);
		(void)es_buf_printf(out, ",%s\n",
				    of ? es_compare_word(result->metric, of->verdict) : "");
	}
}

void es_compare_csv(const struct es_compare *compare, struct es_buf *out)
{
	(void)es_buf_str(out,
			 "region,group,runs,failed,unfit,far_off,"
			 "duration_s,duration_low_s,duration_high_s,"
			 "energy_j,energy_low_j,energy_high_j,above_j,above_low_j,above_high_j,"
			 "metric,change,change_low,change_high,p,runs_needed,verdict\n");
	csv_rows(&compare->whole, out);
	for (size_t i = 0; i < compare->n_regions; i++)
		csv_rows(&compare->regions[i], out);
}
