/*
 * carbon.h - carbon of a report: over time, by contract, of the machines themselves; SCI and price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CARBON_H
#define ES_FORMAT_CARBON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/cuts.h"
#include "core/intensity.h"

struct es_buf;
struct es_json;
struct es_report;

/** struct es_carbon_options - what is asked beside one factor for all time; zero: nothing. All borrowed */
struct es_carbon_options {
	const struct es_intensity *intensity; /* location-based, in place of one factor; NULL: none */
	const struct es_intensity *market; /* by contract, over time; NULL: none */
	const char *
		note; /* for people: what was left out of the file, or why there is no carbon; NULL: nothing */
	bool has_market; /* one figure by contract */
	double market_g_per_kwh;
	const char *market_source;
	bool has_embodied;
	double embodied_kg, lifetime_years; /* of one node */
	const char *embodied_source;
	bool has_price;
	uint64_t price_micro_per_kwh;
	const char *currency; /* ISO 4217 */
	const char *tariff; /* NULL: not named */
	const char *price_source;
};

#define ES_CARBON_SLOTS_SHOWN_MAX 10000U /* in JSON; all are counted */

/** struct es_report_carbon - what came of it */
struct es_report_carbon {
	bool has_slots; /* a series was laid over the job */
	struct es_piece *pieces; /* owned; their energies are the node's, to 1 µJ */
	size_t n_pieces;
	struct es_footing footing;
	bool has_uncertainty;
	double uncertainty_g; /* of gco2: of the energy, and of times without a figure; not of the factors */
	bool has_market;
	double market_g_per_kwh, market_gco2;
	bool has_embodied;
	double embodied_g;
	double cpu_share; /* of the nodes' CPUs that the job had; 1 where that is not known */
	bool has_sci;
	double sci_g_per_unit;
	char sci_unit[64]; /* "job" where no work was counted */
	bool has_price;
	int64_t price_micro;
};

/** struct es_carbon_track - energies at the edges of one series' slots */
struct es_carbon_track {
	const struct es_intensity *intensity; /* NULL: none asked */
	int64_t *t_ns; /* boot clock, owned */
	size_t n;
	struct es_cuts cuts;
};

/** struct es_carbon_walk - energies at the edges of slots, gathered while a recording is walked */
struct es_carbon_walk {
	struct es_carbon_track tracks[2]; /* location and market */
};

/** es_carbon_walk_init - for what the report's options ask; 0 or -ENOMEM; es_carbon_walk_finish() it */
int es_carbon_walk_init(struct es_carbon_walk *walk, const struct es_report *report);
void es_carbon_walk_sample(struct es_carbon_walk *walk, size_t domain,
			   const struct es_sample *sample);
void es_carbon_walk_finish(struct es_carbon_walk *walk);

/**
 * es_carbon_settle - the report's energies and work are known: its carbon, beside and in place of the one factor
 * @tracks: [meta->n_domains] of the walk
 *
 * Returns 0, -ENOMEM, or -E2BIG: more slots and domains than ES_CUTS_MAX.
 */
int es_carbon_settle(const struct es_carbon_walk *walk, const struct es_track *tracks,
		     struct es_report *report);
void es_report_carbon_finish(struct es_report_carbon *carbon);

/** es_carbon_table - the rows carbon, market, embodied, sci and price */
void es_carbon_table(const struct es_report *report, struct es_buf *out);
/** es_carbon_json - the member carbon */
void es_carbon_json(const struct es_report *report, struct es_json *json);
/** es_price_json - the member price */
void es_price_json(const struct es_report *report, struct es_json *json);

#endif
