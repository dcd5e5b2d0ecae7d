/*
 * source/json.c - JSON from meters: bounded, each key once, values by pointer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/json.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define KEY_MAX_BYTES 256U

int es_json_load(const char *text, size_t n, json_t **ret, struct es_error *err)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
	json_error_t why;
	json_t *json;

	if (n > ES_ANSWER_MAX_BYTES)
		return es_error_say(err, -EFBIG, "longer than %u bytes", ES_ANSWER_MAX_BYTES);
	json = json_loadb(text, n, flags, &why);
	if (!json)
		return es_error_say(err, -EBADMSG, "no JSON: %.120s (line %d)", why.text, why.line);
	*ret = json;
	return 0;
}

/* One part of a pointer, "~1" and "~0" taken for "/" and "~"; NULL: it is none. */
static const char *take_part(const char *p, char key[static KEY_MAX_BYTES])
{
	size_t n = 0;

	for (; *p && *p != '/'; p++) {
		char c = *p;

		if (c == '~' && (p[1] == '0' || p[1] == '1'))
			c = *++p == '0' ? '~' : '/';
		else if (c == '~')
			return NULL;
		if (n + 1 >= KEY_MAX_BYTES)
			return NULL;
		key[n++] = c;
	}
	key[n] = '\0';
	return p;
}

static json_t *element(json_t *array, const char *key)
{
	uint64_t i;

	if (!isdigit((unsigned char)key[0]) || (key[0] == '0' && key[1]) ||
	    es_parse_u64(key, &i) < 0)
		return NULL;
	return json_array_get(array, i);
}

json_t *es_json_at(json_t *json, const char *pointer)
{
	while (json && *pointer) {
		char key[KEY_MAX_BYTES];

		if (*pointer != '/')
			return NULL;
		pointer = take_part(pointer + 1, key);
		if (!pointer)
			return NULL;
		json = json_is_array(json) ? element(json, key) : json_object_get(json, key);
	}
	return json;
}

int es_json_number(const json_t *json, double *ret)
{
	if (!json || json_is_null(json))
		return -ENODATA;
	if (json_is_number(json)) {
		*ret = json_number_value(json);
		return 0;
	}
	return json_is_string(json) && es_parse_double(json_string_value(json), ret) == 0
		       ? 0
		       : -EBADMSG;
}

const char *es_json_text(const json_t *json)
{
	const char *text = json_string_value(json);

	for (const char *p = text; p && *p; p++)
		if (iscntrl((unsigned char)*p))
			return NULL;
	return text;
}
