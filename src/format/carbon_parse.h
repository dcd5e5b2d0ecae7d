/*
 * carbon_parse.h - what the readers of files with carbon intensities share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CARBON_PARSE_H
#define ES_FORMAT_CARBON_PARSE_H

#include "format/carbon_file.h"

/** struct es_carbon_nature - what a figure is about; figures of one nature make a series */
struct es_carbon_nature {
	char zone[32], source[96];
	enum es_factor_kind kind;
	enum es_factor_scope scope;
	int64_t longest_ns, alone_ns; /* as in struct es_intensity */
};

/** es_carbon_put - one figure of the file being read (the last part); 0, or an error that names file and place */
int es_carbon_put(struct es_carbon_file *file, const struct es_carbon_nature *nature,
		  const struct es_slot *slot, struct es_error *err);

/** es_carbon_bad - "'FILE' line 7: …"; @unit NULL: that of the part; returns @code */
int es_carbon_bad(const struct es_carbon_file *file, int code, const char *unit, size_t place,
		  struct es_error *err, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/**
 * es_carbon_time - a time with its zone, seconds may be left out
 * @is_utc: one without a zone is UTC; a date alone is its midnight
 *
 * Returns 0; -EBADMSG: no time; -EINVAL: no zone.
 */
int es_carbon_time(const char *text, bool is_utc, int64_t *ret_unix_ns);

/** es_carbon_zone - text as a zone: the code of a country where it is one, else as it is; 0 or -ENAMETOOLONG */
int es_carbon_zone(const char *text, char ret[static 32]);

/* The readers: 0; 1: nothing of the kind; negative errno with @err. */
int es_carbon_read_csv(struct es_carbon_file *file, char *data, size_t n, struct es_error *err);
int es_carbon_read_json(struct es_carbon_file *file, const char *data, size_t n,
			struct es_error *err);
int es_carbon_read_entsoe(struct es_carbon_file *file, const char *data, size_t n,
			  struct es_error *err);

#endif
