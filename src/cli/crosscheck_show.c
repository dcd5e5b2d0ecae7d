/*
 * cli/crosscheck_show.c - what sources --cross-check found, as a table and as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/crosscheck.h"

static const char *node_of(const struct es_crosscheck *check, const struct es_cross_pair *pair)
{
	uint32_t node = check->all.domains[pair->y].node;

	return check->all.nodes && node < check->all.n_nodes ? check->all.nodes[node].name : NULL;
}

/* "NODE: a + b + c | d" as far as there is room. */
static void put_names(const struct es_crosscheck *check, const struct es_cross_pair *pair,
		      struct es_buf *out)
{
	const char *node = check->all.n_nodes > 1 ? node_of(check, pair) : NULL;

	(void)es_buf_printf(out, "  %s%s%s : ", node ? node : "", node ? "/" : "",
			    check->all.domains[pair->y].id);
	for (size_t i = 0; i < pair->n_x; i++) {
		if (i == 6 && pair->n_x > 7) {
			(void)es_buf_printf(out, " + %zu more", pair->n_x - i);
			break;
		}
		(void)es_buf_printf(out, "%s%s", i ? " + " : "", check->all.domains[pair->x[i]].id);
	}
	(void)es_buf_u8(out, '\n');
}

static void put_value(struct es_buf *out, int width, int decimals, bool is_known, double value,
		      double bound)
{
	if (is_known)
		(void)es_buf_printf(out, " %*.*f ±%-9.*f", width, decimals, value, decimals, bound);
	else
		(void)es_buf_printf(out, " %*s  %-9s", width, "-", "");
}

static void put_figures(const struct es_cross_pair *pair, struct es_buf *out)
{
	const struct es_pair_fit *fit = &pair->fit;

	(void)es_buf_str(out, "    ");
	put_value(out, 10, 5, pair->has_fit && fit->mean_x_w > 0, fit->ratio, fit->ratio_bound);
	put_value(out, 10, 4, pair->has_fit && fit->has_line, fit->slope, fit->slope_bound);
	put_value(out, 10, 2, pair->has_fit && fit->has_line, fit->offset_w, fit->offset_bound_w);
	put_value(out, 8, 2, pair->lag.is_known, es_s_from_ns(pair->lag.lag_ns),
		  es_s_from_ns(pair->lag.bound_ns));
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	(void)es_buf_printf(out, "\n      %s%s\n", es_cross_is_fault(pair->code) ? "! " : "",
			    pair->text);
}

void es_crosscheck_table(const struct es_crosscheck *check, struct es_buf *out)
{
	char dur[ES_QUANTITY_TEXT_BYTES];
	size_t n_faults = 0;

	(void)es_buf_printf(out,
			    "\ncross-check over %s%s%s; ± are half widths of 95 %% intervals\n",
			    es_duration_text(check->dur_ns / 1000000 * 1000000, dur),
			    check->load[0] ? ", load: " : "", check->load);
	if (check->cross.n == 0) {
		(void)es_buf_str(out, "  no two meters that can be read overlap\n");
		return;
	}
	(void)es_buf_printf(out, "    %11s %-9s %11s %-9s %11s %-9s %9s\n", "ratio", "", "slope",
			    "", "offset (W)", "", "lag (s)");
	for (size_t i = 0; i < check->cross.n; i++) {
		put_names(check, &check->cross.pairs[i], out);
		put_figures(&check->cross.pairs[i], out);
		n_faults += es_cross_is_fault(check->cross.pairs[i].code);
	}
	if (check->cross.is_cut)
		(void)es_buf_printf(out, "  only the first %u comparisons are shown\n",
				    ES_CROSS_PAIRS_MAX);
	(void)es_buf_printf(out, "%zu comparison%s, %zu with a fault\n", check->cross.n,
			    check->cross.n == 1 ? "" : "s", n_faults);
}

static void put_known(struct es_json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		es_json_double(json, key, value);
	else
		es_json_null(json, key);
}

static void put_fit(const struct es_cross_pair *pair, struct es_json *json)
{
	const struct es_pair_fit *fit = &pair->fit;
	bool has_line = pair->has_fit && fit->has_line;

	es_json_u64(json, "windows", fit->n);
	put_known(json, "independent_windows", pair->has_fit, fit->n_effective);
	put_known(json, "ratio", pair->has_fit && fit->mean_x_w > 0, fit->ratio);
	put_known(json, "ratio_uncertainty", pair->has_fit && fit->mean_x_w > 0, fit->ratio_bound);
	put_known(json, "slope", has_line, fit->slope);
	put_known(json, "slope_uncertainty", has_line, fit->slope_bound);
	put_known(json, "offset_w", has_line, fit->offset_w);
	put_known(json, "offset_uncertainty_w", has_line, fit->offset_bound_w);
	put_known(json, "residual_w", has_line, fit->residual_w);
	put_known(json, "x_mean_w", pair->has_fit, fit->mean_x_w);
	put_known(json, "y_mean_w", pair->has_fit, fit->mean_y_w);
	put_known(json, "x_lowest_w", pair->has_fit, fit->lowest_x_w);
	put_known(json, "x_highest_w", pair->has_fit, fit->highest_x_w);
	put_known(json, "lag_s", pair->lag.is_known, es_s_from_ns(pair->lag.lag_ns));
	put_known(json, "lag_uncertainty_s", pair->lag.is_known, es_s_from_ns(pair->lag.bound_ns));
}

void es_crosscheck_json(const struct es_crosscheck *check, struct es_json *json)
{
	es_json_array(json, "cross_check");
	for (size_t i = 0; i < check->cross.n; i++) {
		const struct es_cross_pair *pair = &check->cross.pairs[i];

		es_json_object(json, NULL);
		es_json_string(json, "node", node_of(check, pair));
		es_json_string(json, "relation", es_cross_relation_name(pair->relation));
		es_json_array_inline(json, "x");
		for (size_t k = 0; k < pair->n_x; k++)
			es_json_string(json, NULL, check->all.domains[pair->x[k]].id);
		es_json_array_end(json);
		es_json_string(json, "y", check->all.domains[pair->y].id);
		es_json_double(json, "span_s", es_s_from_ns(pair->span_ns));
		es_json_double(json, "window_s", es_s_from_ns(pair->window_ns));
		put_fit(pair, json);
		es_json_string(json, "verdict", es_cross_code_name(pair->code));
		es_json_bool(json, "fault", es_cross_is_fault(pair->code));
		es_json_string(json, "text", pair->text);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}
