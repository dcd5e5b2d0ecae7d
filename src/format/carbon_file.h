/*
 * carbon_file.h - carbon intensities from files: CSV, and what grid operators and services hand out
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CARBON_FILE_H
#define ES_FORMAT_CARBON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/intensity.h"

#define ES_CARBON_FILE_MAX_BYTES (256ULL << 20) /* all that is read, unpacked */
#define ES_CARBON_SLOTS_MAX (1U << 21) /* of all series: 20 years of 5 minutes */
#define ES_CARBON_SERIES_MAX 1024U
#define ES_CARBON_PARTS_MAX 4096U /* files in a folder or archive */

/** struct es_carbon_part - one of the files read, for messages */
struct es_carbon_part {
	char *name;
	const char *unit; /* what the place of a slot counts: "line" or "entry" */
};

/** struct es_carbon_file - zero-initialise; es_carbon_file_finish() it */
struct es_carbon_file {
	struct es_intensity *series;
	size_t n, last; /* last: the one that a slot was put in last */
	size_t n_slots;
	struct es_carbon_part *parts;
	size_t n_parts, n_passed_over; /* the latter: files that are nothing of the kind */
	const char *xml_library; /* what to open instead of libexpat; NULL: that */
	char note[256]; /* what was left out, for people; "": nothing */
};

/**
 * es_carbon_file_read - all figures of a file, plain or compressed, or of the files of a folder or archive
 *
 * Recognised by what is in it: CSV (doc/formats.md), RTE éCO2mix JSON as the ODRÉ gives it, Electricity Maps JSON
 * (latest, history, forecast, and the older CO2signal), National Energy System Operator's JSON
 * (carbonintensity.org.uk), WattTime JSON, generation by type of ENTSO-E (XML, with the factors of core/generation.h).
 *
 * Returns 0; -EBADMSG with file and line or entry; -ENODATA: no figures; -E2BIG, -EFBIG: over a limit; -EEXIST: two
 * figures for one time; errors of reading; -ENOENT also where a library is missing.
 */
int es_carbon_file_read(struct es_carbon_file *file, const char *path, struct es_error *err);
void es_carbon_file_finish(struct es_carbon_file *file);

/** es_carbon_file_parse - one file's @n bytes and the NUL behind them, which may be changed; 1: it is nothing of the kind; else as above */
int es_carbon_file_parse(struct es_carbon_file *file, const char *name, char *data, size_t n,
			 struct es_error *err);
/** es_carbon_file_prepare - nothing more comes: put each series in order */
int es_carbon_file_prepare(struct es_carbon_file *file, struct es_error *err);

/** es_carbon_file_has_zone - a series is of this zone: its code, or the code of the country of that name */
bool es_carbon_file_has_zone(const struct es_carbon_file *file, const char *zone);

/** struct es_carbon_wish - which of the series is wanted */
struct es_carbon_wish {
	const char *zone; /* of the job; NULL: not known */
	bool is_zone_given; /* somebody said so: another zone will not do */
	enum es_factor_kind kind; /* UNKNOWN: none in particular */
	enum es_factor_scope scope;
};

/**
 * es_carbon_file_choose - the one series that is meant, and the market-based one of the same zone
 * @path: for messages
 * @ret_location, @ret_market: borrowed; NULL where the file has none such
 *
 * Nothing is mixed: where kinds, scopes or sources are several and the wish leaves it open, -EINVAL says what there
 * is and how to choose. -ENOENT: none of this zone, kind or scope.
 */
int es_carbon_file_choose(const struct es_carbon_file *file, const char *path,
			  const struct es_carbon_wish *wish,
			  const struct es_intensity **ret_location,
			  const struct es_intensity **ret_market, struct es_error *err);

/** es_factor_kind_parse, es_factor_scope_parse - by name ("life cycle" too), in any case; 0 or -EINVAL */
int es_factor_kind_parse(const char *text, enum es_factor_kind *ret);
int es_factor_scope_parse(const char *text, enum es_factor_scope *ret);

#endif
