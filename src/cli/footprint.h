/*
 * footprint.h - carbon over time, by contract, of the machines; price: what a user asked for, and the file it comes from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_FOOTPRINT_H
#define ES_CLI_FOOTPRINT_H

#include <stdbool.h>

#include "base/conf.h"
#include "core/intensity.h"
#include "format/carbon_file.h"
#include "format/report.h"

#define ES_LIFETIME_YEARS_DEFAULT 4.0 /* as in the example of ISO/IEC 21031:2024 */

enum es_footprint_key {
	ES_FOOTPRINT_FILE,
	ES_FOOTPRINT_KIND,
	ES_FOOTPRINT_SCOPE,
	ES_FOOTPRINT_EMBODIED,
	ES_FOOTPRINT_LIFETIME,
	ES_FOOTPRINT_MARKET,
	ES_FOOTPRINT_PRICE,
	ES_N_FOOTPRINT_KEYS,
};

/** struct es_footprint_settings - values of the settings' keys, each with its origin in words; "": not set */
struct es_footprint_settings {
	char file[ES_PATH_MAX_BYTES];
	enum es_factor_kind kind;
	enum es_factor_scope scope;
	bool has_embodied, has_market, has_price;
	double embodied_kg, lifetime_years, market_g_per_kwh;
	uint64_t price_micro_per_kwh;
	char currency[4], tariff[64];
	char origins[ES_N_FOOTPRINT_KEYS][ES_PATH_MAX_BYTES + 64];
};

/* Rows of the settings' schema, in the order of its keys; the choices end with NULL. */
extern const char *const es_footprint_kinds[], *const es_footprint_scopes[];

/** es_footprint_origin - where the origin of a key goes; NULL: it is none of ours. ES_ORIGIN_MAX_BYTES long */
char *es_footprint_origin(struct es_footprint_settings *settings, const char *key);
/** es_footprint_put - a value that its schema allows; 0, or -EINVAL with why */
int es_footprint_put(struct es_footprint_settings *settings, const char *key, const char *text,
		     const struct es_conf_value *value, struct es_error *err);

/** struct es_footprint - the options of a command, and the file that was read; zero-initialise, es_footprint_finish() it */
struct es_footprint {
	const char *file, *scope, *kind, *market, *embodied, *price; /* given as options */
	bool is_told; /* the command shows carbon: only then the file is read */
	bool is_later; /* the job has not run yet: checked now, read when it has */
	struct es_carbon_file figures;
	bool has_figures;
	char zone_source[ES_PATH_MAX_BYTES + 128], factor_id[224], note[ES_TEXT_MAX_BYTES];
	char market_source[ES_PATH_MAX_BYTES + 128];
};

struct es_settings;

/**
 * es_footprint_load - the options over the settings, that of the zone included; the file is read
 * @carbon, @zone: as given by option, or NULL
 * What can be told to be wrong before a job has run is told now: -EINVAL, or an error of reading.
 */
int es_footprint_load(struct es_footprint *footprint, struct es_settings *settings,
		      const char *carbon, const char *zone, struct es_error *err);

/**
 * es_footprint_apply - into the options of a report, over the one factor that is in them
 *
 * The job has run and the file cannot be read or does not fit any more: then carbon is not known, and the note says
 * why. Returns 0, or -EINVAL where the file does not fit and it could be said before.
 */
int es_footprint_apply(struct es_footprint *footprint, const struct es_settings *settings,
		       int64_t start_unix_ns, struct es_report_options *options,
		       struct es_error *err);
void es_footprint_finish(struct es_footprint *footprint);

/* The options of a command that shows carbon; they go into its table of options. */
/* clang-format off */
#define ES_FOOTPRINT_OPTIONS(footprint)                                                            \
	{ "carbon-file", "FILE",                                                                   \
	  "carbon intensity over time: CSV, JSON of RTE, Electricity\n"                            \
	  "Maps, carbonintensity.org.uk, WattTime; XML of ENTSO-E",                                \
	  ES_OPTION_TEXT, &(footprint)->file },                                                    \
	{ "carbon-scope", "SCOPE", "lifecycle or direct, where the file has both", ES_OPTION_TEXT, \
	  &(footprint)->scope },                                                                   \
	{ "carbon-kind", "KIND", "average or marginal, where the file has both", ES_OPTION_TEXT,   \
	  &(footprint)->kind },                                                                    \
	{ "market", "G_PER_KWH", "intensity by contract, shown beside the location's",             \
	  ES_OPTION_TEXT, &(footprint)->market },                                                  \
	{ "embodied", "KG[:YEARS]", "making one node caused KG; used for YEARS (4)",               \
	  ES_OPTION_TEXT, &(footprint)->embodied },                                                \
	{ "price", "AMOUNT:CUR", "price of a kWh: 0.25:EUR, or 0.25:EUR:TARIFF", ES_OPTION_TEXT,   \
	  &(footprint)->price }
/* clang-format on */

#endif
