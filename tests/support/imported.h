/*
 * imported.h - what a test needs to import files and look at what came of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_IMPORTED_H
#define ES_TESTS_SUPPORT_IMPORTED_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/track.h"
#include "format/import.h"
#include "record/recording.h"

/** struct es_imported - a folder for one test, and what an import of it left */
struct es_imported {
	char dir[64]; /* in/ holds the files, out/ the recordings */
	char in[80], out[80];
	struct es_import_options options;
	struct es_import_result result;
	struct es_error err;
	int r;
	/* of the recording looked at last */
	struct es_recording *recording;
	const struct es_meta *meta; /* borrowed from it */
	struct es_track *tracks; /* one for each domain */
	struct es_event *events;
	size_t n_events;
	uint64_t *max_mw; /* of each domain, over samples of any length */
	int64_t *longest_ns;
};

/** es_imported_setup, es_imported_teardown - cmocka fixtures: *state is a struct es_imported with an empty folder */
int es_imported_setup(void **state);
int es_imported_teardown(void **state);

/** es_imported_put - write a file below in/ (its folders are made) */
void es_imported_put(const struct es_imported *imported, const char *name, const void *data,
		     size_t n);
void es_imported_put_text(const struct es_imported *imported, const char *name, const char *text);
void es_imported_put_buf(const struct es_imported *imported, const char *name, struct es_buf *buf);
/** es_imported_run - import @path (NULL: in/) to out/; the result is asked for in @r, err, result */
int es_imported_run(struct es_imported *imported, const char *path);
/** es_imported_open - look at recording @i of the result: follow all its domains to the end */
void es_imported_open(struct es_imported *imported, size_t i);
/** es_imported_domain - index of NODE/DOMAIN or DOMAIN in the recording looked at; -1: none */
int es_imported_domain(const struct es_imported *imported, const char *name);
/** es_imported_j - joules of a domain of the recording looked at; fails the test where there is none */
double es_imported_j(const struct es_imported *imported, const char *name);
/** es_imported_has_warning - one of the warnings contains @text */
bool es_imported_has_warning(const struct es_imported *imported, const char *text);

/** es_imported_data - path of a file of ../shared/data (static for each call's buffer), false where it is absent */
bool es_imported_data(const char *name, char *ret, size_t size);

#endif
