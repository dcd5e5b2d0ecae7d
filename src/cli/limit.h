/*
 * limit.h - what a quality must be: ">= 0.943"
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_LIMIT_H
#define ES_CLI_LIMIT_H

#include <stdbool.h>

#include "base/error.h"

/** enum es_limit_than - how a value is held against the limit */
enum es_limit_than {
	ES_THAN_AT_LEAST, /* >= */
	ES_THAN_ABOVE, /* > */
	ES_THAN_AT_MOST, /* <= */
	ES_THAN_BELOW, /* < */
	ES_THAN_EQUAL, /* == or = */
	ES_N_THANS,
};

struct es_limit {
	enum es_limit_than than;
	double value;
};

/** es_limit_parse - ">= 0.943", with or without blanks; 0 or -EINVAL with words */
int es_limit_parse(const char *text, struct es_limit *ret, struct es_error *err);
/** es_limit_is - @text begins like a limit, whether it is one or not */
bool es_limit_is(const char *text);
/** es_limit_holds - @value is within it */
bool es_limit_holds(const struct es_limit *limit, double value);
/** es_limit_word - ">=" and so on */
const char *es_limit_word(enum es_limit_than than);

#endif
