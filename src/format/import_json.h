/*
 * import_json.h - small helps for reading other tools' JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_JSON_H
#define ES_FORMAT_IMPORT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_IMPORT_JSON_MAX_BYTES (256U << 20) /* of one file that is read as a tree */

/* All of these take NULL and what has another type for a member that is not there. */

/** es_import_json - the tree of @n bytes, whole numbers as reals (some do not fit json_int_t); NULL where it is none; json_decref() it */
json_t *es_import_json(const char *text, size_t n);
/** es_import_text - a member that is a text, else "" (borrowed) */
const char *es_import_text(const json_t *object, const char *key);
/** es_import_count - a member that is a whole number from 0 to 2^31 - 1, or a text that holds one; else 0 */
uint32_t es_import_count(const json_t *object, const char *key);
/** es_import_number - a member that is a finite number, also as a text */
bool es_import_number(const json_t *object, const char *key, double *ret);
/** es_import_scaled - round(@value * @scale) where that is a number from 0 to 2^62 */
bool es_import_scaled(const json_t *value, double scale, uint64_t *ret);
/** es_import_leading_number - the decimal number that @text begins with (C locale, no exponent); 0 where it is none */
double es_import_leading_number(const char *text, const char **ret_end);

#endif
