/*
 * limit.c - what a quality must be: ">= 0.943"
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/limit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define NUMBER_MAX_BYTES 64U

/* Longer ones first: ">=" begins with ">". */
static const struct {
	const char *word;
	enum es_limit_than than;
} words[] = {
	{ ">=", ES_THAN_AT_LEAST }, { "<=", ES_THAN_AT_MOST }, { "==", ES_THAN_EQUAL },
	{ ">", ES_THAN_ABOVE },	    { "<", ES_THAN_BELOW },    { "=", ES_THAN_EQUAL },
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

bool es_limit_is(const char *text)
{
	text = skip_blanks(text);
	return text[0] && strchr("<>=", text[0]);
}

int es_limit_parse(const char *text, struct es_limit *ret, struct es_error *err)
{
	const char *at = skip_blanks(text);
	char number[NUMBER_MAX_BYTES];
	size_t n;

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(at, words[i].word, len) != 0)
			continue;
		at = skip_blanks(at + len);
		n = strlen(at);
		while (n > 0 && strchr(" \t", at[n - 1]))
			n--;
		(void)snprintf(number, sizeof(number), "%.*s",
			       (int)(n < sizeof(number) ? n : sizeof(number)), at);
		if (n >= sizeof(number) || es_parse_double(number, &ret->value) < 0 ||
		    !isfinite(ret->value))
			break;
		ret->than = words[i].than;
		return 0;
	}
	return es_error_say(err, -EINVAL, "'%.60s' is no limit: >=, >, <=, < or == and a number",
			    text);
}

bool es_limit_holds(const struct es_limit *limit, double value)
{
	switch (limit->than) {
	case ES_THAN_AT_LEAST:
		return value >= limit->value;
	case ES_THAN_ABOVE:
		return value > limit->value;
	case ES_THAN_AT_MOST:
		return value <= limit->value;
	case ES_THAN_BELOW:
		return value < limit->value;
	case ES_THAN_EQUAL:
		return !(value < limit->value || value > limit->value);
	case ES_N_THANS:
		break;
	}
	return false;
}

const char *es_limit_word(enum es_limit_than than)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (words[i].than == than)
			return words[i].word;
	return "?";
}
