/*
 * import_json.c - small helps for reading other tools' JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_json.h"

#include <math.h>
#include <string.h>

#include "base/parse.h"

json_t *es_import_json(const char *text, size_t n)
{
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	return n > ES_IMPORT_JSON_MAX_BYTES ? NULL
					    : json_loadb(text, n, JSON_DECODE_INT_AS_REAL, NULL);
}

const char *es_import_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool number_of(const json_t *value, double *ret)
{
	if (json_is_string(value))
		return es_parse_double(json_string_value(value), ret) == 0;
	*ret = json_number_value(value);
	return json_is_number(value) && isfinite(*ret);
}

bool es_import_number(const json_t *object, const char *key, double *ret)
{
	return number_of(json_object_get(object, key), ret);
}

uint32_t es_import_count(const json_t *object, const char *key)
{
	double v;

	if (!es_import_number(object, key, &v) || v < 0 || v > INT32_MAX)
		return 0;
	return (uint32_t)v;
}

bool es_import_scaled(const json_t *value, double scale, uint64_t *ret)
{
	double v;

	if (!number_of(value, &v))
		return false;
	v = round(v * scale);
	if (!(v >= 0 && v <= 4.6e18))
		return false;
	*ret = (uint64_t)v;
	return true;
}

double es_import_leading_number(const char *text, const char **ret_end)
{
	double v = 0, scale = 1;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && p - text < 15; p++)
		v = v * 10 + (*p - '0');
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9' && p - text < 30; p++) {
			scale /= 10;
			v += scale * (*p - '0');
		}
	}
	*ret_end = p;
	return v;
}
