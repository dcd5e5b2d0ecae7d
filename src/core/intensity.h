/*
 * core/intensity.h - carbon intensity over time: slots in order, and a job's energy laid over them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_INTENSITY_H
#define ES_CORE_INTENSITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a factor counts. Two that differ here are never added up, averaged or put in each other's place. */
enum es_factor_kind {
	ES_FACTOR_KIND_UNKNOWN, /* not stated */
	ES_FACTOR_AVERAGE, /* of all generation */
	ES_FACTOR_MARGINAL, /* of what one more kWh would cause */
	ES_FACTOR_MARKET, /* by contract: market-based method of GHG Scope 2 */
	ES_N_FACTOR_KINDS,
};

enum es_factor_scope {
	ES_FACTOR_SCOPE_UNKNOWN, /* not stated */
	ES_FACTOR_LIFECYCLE, /* plants and fuels from cradle to grave */
	ES_FACTOR_DIRECT, /* combustion alone */
	ES_N_FACTOR_SCOPES,
};

/** es_factor_kind_name - "average", "marginal", "market"; NULL: not stated */
const char *es_factor_kind_name(enum es_factor_kind kind);
/** es_factor_scope_name - "lifecycle", "direct"; NULL: not stated */
const char *es_factor_scope_name(enum es_factor_scope scope);

/* How a figure came about, the best first. */
enum es_slot_basis {
	ES_SLOT_ACTUAL,
	ES_SLOT_ESTIMATED, /* by who published it, from less than it wants */
	ES_SLOT_FORECAST,
	ES_N_SLOT_BASES,
};
/** es_slot_basis_name - "actual", "estimated", "forecast" */
const char *es_slot_basis_name(enum es_slot_basis basis);

#define ES_SLOT_OPEN INT64_MIN /* stop of a slot that lasts up to the next one */
#define ES_G_PER_KWH_MAX 10000.0 /* more is no intensity: the unit must be another */

/** struct es_slot - one figure for (start, stop], Unix time */
struct es_slot {
	int64_t start_ns, stop_ns;
	double g_per_kwh;
	uint32_t place; /* line or entry it was read from, for messages */
	uint16_t file;
	uint8_t basis; /* enum es_slot_basis */
};

/** struct es_intensity - the figures of one zone, kind, scope and source; zero-initialise, es_intensity_finish() it */
struct es_intensity {
	char zone[32]; /* "": not stated */
	char source[96];
	enum es_factor_kind kind;
	enum es_factor_scope scope;
	int64_t longest_ns; /* an open slot lasts no longer; 0: any length */
	int64_t alone_ns; /* an open slot without a neighbour lasts this long; 0: not known */
	struct es_slot *slots; /* owned */
	size_t n, cap;
	size_t n_replaced; /* estimates and forecasts in whose place something better was found */
	size_t n_repeated; /* the same figure a second time */
};

/** es_intensity_add - one more slot, in any order; 0, -ENOMEM, or -EINVAL: no positive length, no intensity, or beyond ES_TIME_MAX_NS */
int es_intensity_add(struct es_intensity *intensity, const struct es_slot *slot);
void es_intensity_finish(struct es_intensity *intensity);

/**
 * es_intensity_prepare - all slots are in: sort them, close open ones, let actual figures win over forecasts
 * @ret_clash: on failure the one slot or the two that are wrong
 *
 * An open slot ends where the next one starts (forecasts apart from the rest), if it then lasts as long as the one before or behind it, or
 * no longer than the shorter of them (within 15 %: months, days of 23 and 25 hours); else that is how long it lasts:
 * figures are missing there. None lasts longer than a year.
 *
 * Returns 0; -EEXIST: two slots of the same basis overlap and differ; -ENODATA: how long a slot lasts cannot be told; -ENOMEM.
 */
int es_intensity_prepare(struct es_intensity *intensity, struct es_slot ret_clash[static 2]);

/** es_intensity_times - the starts and stops of prepared slots after @from_ns, sorted, each once; @ret: owned by caller; 0 or -ENOMEM */
int es_intensity_times(const struct es_intensity *intensity, int64_t from_ns, int64_t **ret,
		       size_t *ret_n);

/** es_intensity_at - the slot that (start, stop] lies in; NULL: there is none */
const struct es_slot *es_intensity_at(const struct es_intensity *intensity, int64_t start_ns,
				      int64_t stop_ns);

/** struct es_piece - a part of the job in one slot, or in none */
struct es_piece {
	int64_t start_ns, stop_ns; /* Unix time */
	uint64_t energy_uj; /* of the node */
	bool has_figure;
	enum es_slot_basis basis;
	double g_per_kwh, gco2; /* where it has a figure */
};

/** struct es_footing - what a job's pieces add up to */
struct es_footing {
	bool has_coverage;
	double coverage; /* share of the job's time that has figures */
	double forecast_share, estimated_share; /* of the job's time */
	bool has_gco2; /* at least half of the time has figures */
	double gco2;
	double g_per_kwh; /* mean weighted by energy (by time where there is none) */
	double filled_g; /* of gco2: time without figures, at the mean of those that the job has */
	bool has_uncertainty; /* else there is no spread to tell it from */
	double uncertainty_g; /* of filled_g */
};

/**
 * es_intensity_lay - give each piece its figure and grams, and add them up
 * @factor: facility energy for each joule of the node: the PUE
 *
 * Pieces follow each other and lie in one slot or in none. Missing time takes the mean over the job's known time; its
 * half width is 1.96 s √(1 + 1/n), s the standard deviation, weighted by time, of the slots from a day before the job
 * to a day after it, n those that the job has.
 */
void es_intensity_lay(const struct es_intensity *intensity, struct es_piece *pieces, size_t n,
		      double factor, struct es_footing *ret);

#endif
