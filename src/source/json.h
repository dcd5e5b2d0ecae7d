/*
 * source/json.h - JSON from meters: bounded, each key once, values by pointer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_JSON_H
#define ES_SOURCE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

static inline void es_json_decrefp(json_t **json)
{
	json_decref(*json);
}

/**
 * es_json_load - parse @n bytes, at most ES_ANSWER_MAX_BYTES
 *
 * All numbers become reals, so that a large one does not spoil what stands beside it. A key that is there twice is
 * refused: which of both values is meant nobody knows. Owned by caller, json_decref(). Returns 0, -EFBIG, or -EBADMSG.
 */
int es_json_load(const char *text, size_t n, json_t **ret, struct es_error *err);

/**
 * es_json_at - what a pointer of RFC 6901 leads to ("/watts", "/psu/0/power", "": all of it); borrowed
 * NULL: nothing, or it is no pointer.
 */
json_t *es_json_at(json_t *json, const char *pointer);

/** es_json_number - a number, or a string that is one; 0, -ENODATA (NULL, null), -EBADMSG */
int es_json_number(const json_t *json, double *ret);
/** es_json_text - a string without control characters; NULL: it is none; borrowed */
const char *es_json_text(const json_t *json);

#endif
