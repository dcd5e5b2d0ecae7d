/*
 * carbon_json.c - carbon and price of a report as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/clock.h"
#include "base/json.h"
#include "format/report.h"

static void put_known(struct es_json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		es_json_double(json, key, value);
	else
		es_json_null(json, key);
}

static void put_slot(const struct es_piece *piece, struct es_json *json)
{
	char text[ES_TIME_TEXT_BYTES];

	es_json_object(json, NULL);
	es_json_string(json, "start", es_time_rfc3339(piece->start_ns, text));
	es_json_string(json, "stop", es_time_rfc3339(piece->stop_ns, text));
	put_known(json, "g_per_kwh", piece->has_figure, piece->g_per_kwh);
	es_json_decimal(json, "energy_j", (int64_t)piece->energy_uj, 6);
	put_known(json, "gco2", piece->has_figure, piece->gco2);
	es_json_string(json, "basis", piece->has_figure ? es_slot_basis_name(piece->basis) : NULL);
	es_json_object_end(json);
}

static void put_slots(const struct es_report_carbon *carbon, struct es_json *json)
{
	if (!carbon->has_slots) {
		es_json_null(json, "slots");
		return;
	}
	es_json_array(json, "slots");
	for (size_t i = 0; i < carbon->n_pieces && i < ES_CARBON_SLOTS_SHOWN_MAX; i++)
		put_slot(&carbon->pieces[i], json);
	es_json_array_end(json);
	es_json_u64(json, "slots_total", carbon->n_pieces);
}

static void put_coverage(const struct es_report_carbon *carbon, struct es_json *json)
{
	const struct es_footing *footing = &carbon->footing;
	bool is_known = carbon->has_slots && footing->has_coverage;

	put_known(json, "time_coverage", is_known, footing->coverage);
	put_known(json, "forecast_share", is_known, footing->forecast_share);
	put_known(json, "estimated_share", is_known, footing->estimated_share);
	put_known(json, "filled_g", carbon->has_slots && footing->has_gco2, footing->filled_g);
}

static void put_embodied(const struct es_report *report, struct es_json *json)
{
	const struct es_carbon_options *options = &report->options.footprint;
	const struct es_report_carbon *carbon = &report->carbon;

	put_known(json, "embodied_g", carbon->has_embodied, carbon->embodied_g);
	if (!carbon->has_embodied) {
		es_json_null(json, "embodied");
	} else {
		es_json_object(json, "embodied");
		es_json_double(json, "kg_per_node", options->embodied_kg);
		es_json_double(json, "lifetime_years", options->lifetime_years);
		es_json_u64(json, "nodes", report->meta->n_nodes);
		es_json_double(json, "cpu_share", carbon->cpu_share);
		es_json_string(json, "source", options->embodied_source);
		es_json_object_end(json);
	}
	if (!carbon->has_sci) {
		es_json_null(json, "sci");
		return;
	}
	es_json_object(json, "sci");
	es_json_double(json, "g_per_unit", carbon->sci_g_per_unit);
	es_json_string(json, "unit", carbon->sci_unit);
	es_json_object_end(json);
}

void es_carbon_json(const struct es_report *report, struct es_json *json)
{
	const struct es_carbon_factor *factor = &report->options.carbon;
	const struct es_carbon_options *options = &report->options.footprint;
	const struct es_report_carbon *carbon = &report->carbon;

	es_json_object(json, "carbon");
	es_json_string(json, "zone", factor->zone);
	es_json_string(json, "zone_source", report->options.zone_source);
	put_known(json, "g_per_kwh",
		  factor->zone && (options->intensity ? carbon->footing.has_gco2 : true),
		  factor->g_per_kwh);
	es_json_string(json, "kind", factor->kind);
	es_json_string(json, "scope", factor->scope);
	es_json_string(json, "factor_id", factor->factor_id);
	es_json_string(json, "source", factor->source);
	if (factor->year)
		es_json_i64(json, "year", factor->year);
	else
		es_json_null(json, "year");
	put_known(json, "gco2", report->has_carbon, report->gco2);
	put_known(json, "uncertainty_g", carbon->has_uncertainty, carbon->uncertainty_g);
	put_coverage(carbon, json);
	es_json_string(json, "note", options->note);
	put_known(json, "market_gco2", carbon->has_market, carbon->market_gco2);
	put_known(json, "market_g_per_kwh", carbon->has_market, carbon->market_g_per_kwh);
	es_json_string(json, "market_source", options->market_source);
	put_embodied(report, json);
	put_slots(carbon, json);
	es_json_object_end(json);
}

void es_price_json(const struct es_report *report, struct es_json *json)
{
	const struct es_carbon_options *options = &report->options.footprint;

	if (!report->carbon.has_price) {
		es_json_null(json, "price");
		return;
	}
	es_json_object(json, "price");
	es_json_decimal(json, "amount", report->carbon.price_micro, 6);
	es_json_string(json, "currency", options->currency);
	es_json_string(json, "tariff", options->tariff);
	es_json_decimal(json, "per_kwh", (int64_t)options->price_micro_per_kwh, 6);
	es_json_string(json, "source", options->price_source);
	es_json_object_end(json);
}
