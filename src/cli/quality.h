/*
 * quality.h - a limit that a result must keep to count: "'acc' '>= 0.943'"
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_QUALITY_H
#define ES_CLI_QUALITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum es_quality_than {
	ES_QUALITY_AT_LEAST,
	ES_QUALITY_AT_MOST,
	ES_QUALITY_ABOVE,
	ES_QUALITY_BELOW,
};

/** struct es_quality - what is looked at, and what it must be */
struct es_quality {
	const char *what; /* a column, or a command; borrowed; NULL: nothing is asked */
	enum es_quality_than than;
	double limit;
};

/** es_quality_parse - ">= 0.943", "<= 1e-6", "> 5", "< 3"; 0, or -EINVAL with words */
int es_quality_parse(const char *what, const char *limit, struct es_quality *ret,
		     struct es_error *err);

/** es_quality_holds - @value is within the limit */
bool es_quality_holds(const struct es_quality *quality, double value);

/** es_quality_last_number - the last number among @n bytes of a text; 0, or -ENODATA */
int es_quality_last_number(const char *text, size_t n, double *ret);

/**
 * es_quality_run - run the command with @path as its last argument; the last number that it prints is the quality
 * What it says to standard error is seen. Returns 0; -ENODATA: it failed or printed no number, with words; -ENOENT: there
 * is no such command; other errors of starting it.
 */
int es_quality_run(const struct es_quality *quality, const char *path, double *ret,
		   struct es_error *err);

#endif
