/*
 * conf_value.c - single values of a configuration: their types, ranges and help
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/conf_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"

#define QUANTITY_BYTES 64U
#define RANGE_BYTES 512U

static const char *const takes[] = {
	[ES_CONF_TEXT] = "a text",
	[ES_CONF_BOOL] = "yes or no",
	[ES_CONF_INTEGER] = "a whole number",
	[ES_CONF_NUMBER] = "a number",
	[ES_CONF_DURATION] = "a time with its unit, like 100ms or 2s",
	[ES_CONF_POWER] = "a power with its unit, like 350W",
	[ES_CONF_SHARE] = "a share, like 5%",
	[ES_CONF_CHOICE] = "one of its choices",
	[ES_CONF_LIST] = "a list of texts",
};

static bool has_range(const struct es_conf_key *key)
{
	return key->lo != 0 || key->hi != 0;
}

static bool is_text(const struct es_conf_key *key)
{
	return key->type == ES_CONF_TEXT || key->type == ES_CONF_LIST;
}

static size_t text_max_bytes(const struct es_conf_key *key)
{
	return key->hi > 0 ? (size_t)key->hi : ES_NAME_MAX_BYTES - 1;
}

static void quantity_text(const struct es_conf_key *key, int64_t v,
			  char text[static QUANTITY_BYTES])
{
	bool is_power = key->type == ES_CONF_POWER;
	char digits[48], duration[ES_QUANTITY_TEXT_BYTES];
	unsigned decimals = is_power ? 3 : key->type == ES_CONF_SHARE ? 4 : 0;
	int n;

	if (key->type == ES_CONF_DURATION) {
		(void)snprintf(text, QUANTITY_BYTES, "%s", es_duration_text(v, duration));
		return;
	}
	n = (int)es_decimal_text(v, decimals, digits);
	(void)snprintf(text, QUANTITY_BYTES, "%.*s%s", n, digits,
		       is_power			    ? " W"
		       : key->type == ES_CONF_SHARE ? " %"
						    : "");
}

/* "1 ms to 1 h", "auto, ignore or trust"; "" where everything of the type goes. */
static void range_text(const struct es_conf_key *key, char text[static RANGE_BYTES])
{
	char lo[QUANTITY_BYTES], hi[QUANTITY_BYTES];
	size_t used = 0;

	text[0] = '\0';
	if (key->type == ES_CONF_CHOICE) {
		for (size_t i = 0; key->choices[i] && used < RANGE_BYTES; i++) {
			const char *between = i == 0 ? "" : key->choices[i + 1] ? ", " : " or ";

			used += (size_t)snprintf(text + used, RANGE_BYTES - used, "%s%s", between,
						 key->choices[i]);
		}
	} else if (has_range(key) && !is_text(key) && key->type != ES_CONF_BOOL) {
		quantity_text(key, key->lo, lo);
		quantity_text(key, key->hi, hi);
		(void)snprintf(text, RANGE_BYTES, "%s to %s", lo, hi);
	}
}

static int check_text(const struct es_conf_key *key, const char *text, size_t n,
		      struct es_error *err)
{
	if (n == 0 && key->lo > 0)
		return es_error_say(err, -EINVAL, "'%s' is empty", key->key);
	if (n > text_max_bytes(key))
		return es_error_say(err, -EINVAL, "'%s' has %zu bytes, at most %zu are allowed",
				    key->key, n, text_max_bytes(key));
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return es_error_say(err, -EINVAL, "'%s' has a control character in it",
					    key->key);
	return 0;
}

int es_conf_check_item(const struct es_conf_key *key, const char *text, struct es_error *err)
{
	int r = check_text(key, text, strlen(text), err);

	return r == 0 && key->check ? key->check(text, err) : r;
}

/* Each of its texts. */
static int check_list(const struct es_conf_key *key, const char *text, struct es_error *err)
{
	for (const char *p = text; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		es_cleanup(es_freep) char *item = strndup(p, n);
		int r = item ? es_conf_check_item(key, item, err)
			     : es_error_set(err, -ENOMEM, "'%s'", key->key);

		if (r < 0)
			return r;
		p += n;
	}
	return 0;
}

static int take_bool(const char *text, struct es_conf_value *ret)
{
	static const char *const words[] = { "false", "true", "no", "yes" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			ret->is_true = i % 2 == 1;
			return 0;
		}
	return -EBADMSG;
}

static int take_choice(const struct es_conf_key *key, const char *text, struct es_conf_value *ret)
{
	for (size_t i = 0; key->choices[i]; i++)
		if (strcmp(text, key->choices[i]) == 0) {
			ret->integer = (int64_t)i;
			return 0;
		}
	return -ERANGE;
}

static int take_power(const char *text, struct es_conf_value *ret)
{
	uint64_t power_mw;
	int r = es_parse_power_mw(text, &power_mw);

	if (r == 0 && power_mw > (uint64_t)INT64_MAX)
		r = -ERANGE;
	if (r == 0)
		ret->integer = (int64_t)power_mw;
	return r;
}

static int take_value(const struct es_conf_key *key, const char *text, struct es_conf_value *ret)
{
	switch (key->type) {
	case ES_CONF_TEXT:
	case ES_CONF_LIST:
		return 0;
	case ES_CONF_BOOL:
		return take_bool(text, ret);
	case ES_CONF_INTEGER:
		return es_parse_i64(text, &ret->integer);
	case ES_CONF_NUMBER:
		return es_parse_double(text, &ret->number);
	case ES_CONF_DURATION:
		return es_parse_duration_ns(text, &ret->integer);
	case ES_CONF_POWER:
		return take_power(text, ret);
	case ES_CONF_SHARE:
		return es_parse_share_ppm(text, &ret->integer);
	case ES_CONF_CHOICE:
		return take_choice(key, text, ret);
	}
	return -EINVAL;
}

static bool is_in_range(const struct es_conf_key *key, const struct es_conf_value *value)
{
	if (!has_range(key) || is_text(key) || key->type == ES_CONF_BOOL ||
	    key->type == ES_CONF_CHOICE)
		return true;
	if (key->type == ES_CONF_NUMBER)
		return value->number >= (double)key->lo && value->number <= (double)key->hi;
	return value->integer >= key->lo && value->integer <= key->hi;
}

int es_conf_check(const struct es_conf_key *key, const char *text, struct es_conf_value *ret,
		  struct es_error *err)
{
	struct es_conf_value value = { .integer = 0 };
	char range[RANGE_BYTES];
	int r;

	if (is_text(key)) {
		r = key->type == ES_CONF_LIST ? check_list(key, text, err)
					      : es_conf_check_item(key, text, err);
		if (r == 0)
			*ret = value;
		return r;
	}
	r = take_value(key, text, &value);
	if (r == 0 && is_in_range(key, &value)) {
		*ret = value;
		return 0;
	}
	range_text(key, range);
	if (r == -EBADMSG || (r < 0 && !range[0]))
		return es_error_say(err, -EINVAL, "'%s' is '%.64s', must be %s%s", key->key, text,
				    takes[key->type],
				    r == -ERANGE ? " that is not so large or so precise" : "");
	return es_error_say(err, -EINVAL, "'%s' is '%.64s', must be %s", key->key, text, range);
}

/* Plain text: a key line, then its meaning; of a manual page: the same as .TP. */
static int describe(const struct es_conf_key *schema, size_t n_keys, bool is_man,
		    struct es_buf *out)
{
	for (size_t i = 0; i < n_keys; i++) {
		const struct es_conf_key *key = &schema[i];
		const char *otherwise = key->default_words ? key->default_words : key->default_text;
		char range[RANGE_BYTES];

		range_text(key, range);
		(void)es_buf_printf(out, is_man ? ".TP\n.B %s\n" : "%s\n", key->key);
		(void)es_buf_printf(out, "%s%s", is_man ? "" : "    ", key->doc);
		if (key->type != ES_CONF_CHOICE)
			(void)es_buf_printf(out, "%sTakes %s%s%s.", is_man ? "\n" : "\n    ",
					    takes[key->type], range[0] ? "; " : "", range);
		else
			(void)es_buf_printf(out, "%sTakes %s.", is_man ? "\n" : "\n    ", range);
		if (otherwise)
			(void)es_buf_printf(out, " Default: %s.", otherwise);
		(void)es_buf_str(out, is_man ? "\n" : "\n\n");
	}
	return out->error;
}

int es_conf_describe(const struct es_conf_key *schema, size_t n_keys, struct es_buf *out)
{
	return describe(schema, n_keys, false, out);
}

int es_conf_describe_man(const struct es_conf_key *schema, size_t n_keys, struct es_buf *out)
{
	return describe(schema, n_keys, true, out);
}
