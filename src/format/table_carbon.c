/*
 * table_carbon.c - carbon and price in the table below the job line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

static const char *or_unstated(const char *text)
{
	return text ? text : "not stated";
}

static void put_factor(const struct es_report *report, struct es_buf *out)
{
	const struct es_carbon_factor *factor = &report->options.carbon;
	char grams[ES_QUANTITY_TEXT_BYTES], year[16] = "";

	if (factor->year)
		(void)snprintf(year, sizeof(year), " %d", factor->year);
	(void)es_buf_printf(out, "  %-10s %s gCO2e: %g g/kWh in %s, ", "carbon",
			    es_number_text(report->gco2, grams), factor->g_per_kwh, factor->zone);
	if (report->options.footprint.intensity)
		(void)es_buf_printf(out, "kind %s, scope %s", or_unstated(factor->kind),
				    or_unstated(factor->scope));
	else
		(void)es_buf_printf(out, "%s%s%s", factor->kind, factor->scope ? ", " : "",
				    factor->scope ? factor->scope : "");
	(void)es_buf_printf(out, ", %s%s (zone by %s)\n", factor->source, year,
			    report->options.zone_source);
}

/* Why there is nothing: the file is of another day. */
static void put_other_time(const struct es_intensity *intensity, struct es_buf *out)
{
	char from[ES_TIME_TEXT_BYTES], to[ES_TIME_TEXT_BYTES];

	if (intensity->n == 0)
		return;
	(void)es_buf_printf(
		out, "  %-10s no figure for the time of the job: the file's are from %s to %s\n",
		"", es_time_rfc3339(intensity->slots[0].start_ns, from),
		es_time_rfc3339(intensity->slots[intensity->n - 1].stop_ns, to));
}

/* How much of it is known, and how. */
static void put_slots(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_carbon *carbon = &report->carbon;
	const struct es_footing *footing = &carbon->footing;
	char grams[ES_QUANTITY_TEXT_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < carbon->n_pieces; i++)
		n += carbon->pieces[i].has_figure;
	if (n == 0) {
		put_other_time(report->options.footprint.intensity, out);
		return;
	}
	(void)es_buf_printf(out, "  %-10s %zu figure%s for %.1f %% of the time", "", n,
			    n == 1 ? "" : "s", 100.0 * footing->coverage);
	if (footing->forecast_share > 0)
		(void)es_buf_printf(out, ", forecasts for %.1f %%",
				    100.0 * footing->forecast_share);
	if (footing->estimated_share > 0)
		(void)es_buf_printf(out, ", estimates for %.1f %%",
				    100.0 * footing->estimated_share);
	if (footing->coverage < 1.0 && footing->has_gco2)
		(void)es_buf_printf(out, "; the rest at their mean: %s g estimated",
				    es_number_text(footing->filled_g, grams));
	if (footing->coverage < 1.0 && footing->has_gco2 && footing->has_uncertainty)
		(void)es_buf_printf(out, " ±%s g", es_number_text(footing->uncertainty_g, grams));
	if (!footing->has_gco2)
		(void)es_buf_printf(out, ": less than half, so nothing is said of the rest");
	(void)es_buf_u8(out, '\n');
}

static void put_market(const struct es_report *report, struct es_buf *out)
{
	const struct es_carbon_options *options = &report->options.footprint;
	char grams[ES_QUANTITY_TEXT_BYTES];

	if (report->carbon.has_market)
		(void)es_buf_printf(
			out,
			"  %-10s %s gCO2e by contract: %g g/kWh, %s (beside the above, not added)\n",
			"market", es_number_text(report->carbon.market_gco2, grams),
			report->carbon.market_g_per_kwh, options->market_source);
	else if (options->market)
		(void)es_buf_printf(out,
				    "  %-10s n/a: %s has figures for less than half of the time\n",
				    "market", options->market_source);
}

static void put_embodied(const struct es_report *report, struct es_buf *out)
{
	const struct es_carbon_options *options = &report->options.footprint;
	const struct es_report_carbon *carbon = &report->carbon;
	char grams[ES_QUANTITY_TEXT_BYTES];

	if (!carbon->has_embodied)
		return;
	(void)es_buf_printf(out, "  %-10s %s gCO2e of making the machines: %g kg over %g years",
			    "embodied", es_number_text(carbon->embodied_g, grams),
			    options->embodied_kg, options->lifetime_years);
	if (report->meta->n_nodes > 1)
		(void)es_buf_printf(out, ", %zu nodes", report->meta->n_nodes);
	if (carbon->cpu_share < 1.0)
		(void)es_buf_printf(out, ", %.2f %% of the CPUs", 100.0 * carbon->cpu_share);
	(void)es_buf_printf(out, " (%s)\n", options->embodied_source);
	if (carbon->has_sci)
		(void)es_buf_printf(out, "  %-10s %s gCO2e per %s (SCI: operation and making)\n",
				    "", es_number_text(carbon->sci_g_per_unit, grams),
				    carbon->sci_unit);
}

static void put_price(const struct es_report *report, struct es_buf *out)
{
	const struct es_carbon_options *options = &report->options.footprint;
	char amount[ES_QUANTITY_TEXT_BYTES], per_kwh[48];
	double price = report->facility_j / 3.6e6 * (double)options->price_micro_per_kwh / 1e6;
	size_t n; /* not by whole millionths: a short run's price is less, and not 0 */

	if (!report->carbon.has_price)
		return;
	n = es_decimal_text((int64_t)options->price_micro_per_kwh, 6, per_kwh);
	(void)es_buf_printf(out, "  %-10s %s %s: %.*s %s/kWh%s%s (%s)\n", "price",
			    es_number_text(price, amount), options->currency, (int)n, per_kwh,
			    options->currency, options->tariff ? ", " : "",
			    options->tariff ? options->tariff : "", options->price_source);
}

void es_carbon_table(const struct es_report *report, struct es_buf *out)
{
	const struct es_carbon_options *options = &report->options.footprint;

	if (report->has_carbon)
		put_factor(report, out);
	else
		(void)es_buf_printf(out, "  %-10s n/a\n", "carbon");
	if (report->carbon.has_slots)
		put_slots(report, out);
	if (options->note)
		(void)es_buf_printf(out, "  %-10s %s\n", "", options->note);
	put_market(report, out);
	put_embodied(report, out);
	put_price(report, out);
}
