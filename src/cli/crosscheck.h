/*
 * cli/crosscheck.h - sources --cross-check: overlapping meters read over one window, or taken from a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CROSSCHECK_H
#define ES_CLI_CROSSCHECK_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/courses.h"
#include "cli/survey.h"
#include "core/crosscheck.h"

struct es_json;

/** struct es_crosscheck - what was gathered and what came of it; zero-initialise, es_crosscheck_finish() it */
struct es_crosscheck {
	struct es_courses all;
	int64_t dur_ns;
	char load[64]; /* what moved the meters, in words; "": nothing of ours */
	struct es_cross cross;
};

/** struct es_crosscheck_options */
struct es_crosscheck_options {
	int64_t dur_ns;
	bool has_load; /* keep the CPUs busy in steps */
	char *const *command; /* this in place of it, ended with the window; NULL: none */
};

/** es_crosscheck_live - read the meters of @survey; progress on stderr; 0 or negative errno with @err */
int es_crosscheck_live(struct es_survey *survey, const struct es_crosscheck_options *options,
		       struct es_crosscheck *ret, struct es_error *err);
/** es_crosscheck_recording - the same of what a recording holds */
int es_crosscheck_recording(const char *path, struct es_crosscheck *ret, struct es_error *err);
void es_crosscheck_finish(struct es_crosscheck *check);

/** es_crosscheck_table - for people */
void es_crosscheck_table(const struct es_crosscheck *check, struct es_buf *out);
/** es_crosscheck_json - the member "cross_check" */
void es_crosscheck_json(const struct es_crosscheck *check, struct es_json *json);

#endif
