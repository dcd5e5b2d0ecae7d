/*
 * simulate_compare_show.c - policies compared: as JSON, for people, and as a picture
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/simulate_compare.h"

static const struct {
	const char *key, *name;
} measures[ES_POLICIES_N_MEASURES] = {
	[ES_POLICIES_WAIT] = { "mean_wait_s", "mean wait, s" },
	[ES_POLICIES_SLOWDOWN] = { "mean_bounded_slowdown", "mean bounded slowdown" },
	[ES_POLICIES_ENERGY] = { "kwh_per_week", "energy, kWh per week" },
	[ES_POLICIES_GRAMS] = { "gco2_per_week", "CO2e, g per week" },
	[ES_POLICIES_COST] = { "cost_per_week", "cost" },
	[ES_POLICIES_PEAK] = { "mean_weekly_peak_w", "peak of a week, W" },
};

const char *es_policies_name(const struct es_policies *compare, enum es_policies_measure measure,
			     char text[static 48])
{
	if (measure == ES_POLICIES_COST)
		(void)snprintf(text, 48, "cost, %s per week", compare->sims[0].price.currency);
	else
		(void)snprintf(text, 48, "%s", measures[measure].name);
	return text;
}

const char *es_policies_key(enum es_policies_measure measure)
{
	return measures[measure].key;
}

const char *es_policies_verdict(const struct es_policies_change *change)
{
	/* Sums of the same numbers in another order differ by rounding. */
	double slack = 1e-9 * (fabs(change->reference) + fabs(change->value));

	if (!change->has_interval)
		return NULL;
	if (fabs(change->by.low) <= slack && fabs(change->by.high) <= slack)
		return "the same";
	if (change->by.high < 0)
		return "less";
	return change->by.low > 0 ? "more" : "cannot be told apart";
}

static void put_interval(const struct es_policies_change *change, const char *key, double low,
			 double high, struct es_json *json)
{
	if (!change->has_interval) {
		es_json_null(json, key);
		return;
	}
	es_json_array_inline(json, key);
	es_json_double(json, NULL, low);
	es_json_double(json, NULL, high);
	es_json_array_end(json);
}

static void put_change(const struct es_policies_change *change, const char *key,
		       struct es_json *json)
{
	if (!change->is_known) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	es_json_double(json, "reference", change->reference);
	es_json_double(json, "value", change->value);
	es_json_double(json, "change", change->by.value);
	put_interval(change, "ci", change->by.low, change->by.high, json);
	es_json_double(json, "relative", change->by.share); /* null where it is infinite */
	put_interval(change, "relative_ci", change->by.share_low, change->by.share_high, json);
	es_json_string(json, "verdict", es_policies_verdict(change));
	es_json_object_end(json);
}

void es_policies_put_json(const struct es_policies *compare, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.simulate-compare/1");
	es_json_array(&json, "policies");
	for (size_t i = 0; i < compare->n; i++) {
		es_json_object(&json, NULL);
		es_simulate_members(&compare->sims[i], &json);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_u64(&json, "weeks", compare->n_weeks);
	es_json_array(&json, "comparisons");
	for (size_t i = 1; i < compare->n; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "policy", compare->names[i]);
		es_json_string(&json, "against", compare->names[0]);
		for (size_t m = 0; m < ES_POLICIES_N_MEASURES; m++)
			put_change(&compare->changes[i][m], measures[m].key, &json);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_row(const struct es_policies *compare, size_t i, enum es_policies_measure measure,
		    struct es_buf *out)
{
	const struct es_policies_change *change = &compare->changes[i][measure];
	char name[48];

	if (!change->is_known)
		return;
	(void)es_buf_printf(out, "%-24s %+.4f", es_policies_name(compare, measure, name),
			    change->by.value);
	if (change->reference > 0)
		(void)es_buf_printf(out, " (%+.2f %%)", 100 * change->by.share);
	if (change->has_interval)
		(void)es_buf_printf(out, ", 95 %% between %+.4f and %+.4f: %s\n", change->by.low,
				    change->by.high, es_policies_verdict(change));
	else
		(void)es_buf_printf(out, ", no interval: that takes %u weeks\n", ES_WEEKS_LEAST);
}

void es_policies_put_table(const struct es_policies *compare, struct es_buf *out)
{
	for (size_t i = 0; i < compare->n; i++) {
		es_simulate_put_table(&compare->sims[i], out);
		(void)es_buf_str(out, "\n");
	}
	for (size_t i = 1; i < compare->n; i++) {
		(void)es_buf_printf(out, "%s%s less %s, over %zu week%s\n", i > 1 ? "\n" : "",
				    compare->names[i], compare->names[0], compare->n_weeks,
				    compare->n_weeks == 1 ? "" : "s");
		for (int m = 0; m < ES_POLICIES_N_MEASURES; m++)
			put_row(compare, i, (enum es_policies_measure)m, out);
	}
	if (compare->n_weeks >= ES_WEEKS_LEAST)
		(void)es_buf_str(out, "Intervals are of resampled weeks.\n");
}
