/*
 * work_regex.c - a pattern that finds amounts of work in lines of output
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_regex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "base/parse.h"

#define LIBRARY "libpcre2-8.so.0"
#define PACKAGE "libpcre2-8-0"
/* A line that takes more is given up: some 10 ms. */
#define MATCH_LIMIT 500000U
#define DEPTH_LIMIT 1000U
#define HEAP_LIMIT_KIB 4096U

/* What we call of PCRE2, declared here so that building needs no header of it; the numbers are part of its ABI (pcre2.h). */
struct pcre2_code;
struct pcre2_match_data;
struct pcre2_match_context;
enum {
	PCRE2_NEVER_UTF = 0x1000,
	PCRE2_ERROR_NOMATCH = -1,
	PCRE2_INFO_CAPTURECOUNT = 4,
	PCRE2_INFO_FIRSTCODEUNIT = 5,
	PCRE2_INFO_FIRSTCODETYPE = 6,
	FIRST_IS_SET = 1,
};
#define PCRE2_UNSET SIZE_MAX

struct es_work_regex {
	struct es_dl dl;
	struct pcre2_code *(*compile)(const uint8_t *, size_t, uint32_t, int *, size_t *, void *);
	void (*code_free)(struct pcre2_code *);
	int (*get_error_message)(int, uint8_t *, size_t);
	int (*pattern_info)(const struct pcre2_code *, uint32_t, void *);
	struct pcre2_match_data *(*match_data_create)(uint32_t, void *);
	void (*match_data_free)(struct pcre2_match_data *);
	struct pcre2_match_context *(*match_context_create)(void *);
	void (*match_context_free)(struct pcre2_match_context *);
	int (*set_match_limit)(struct pcre2_match_context *, uint32_t);
	int (*set_depth_limit)(struct pcre2_match_context *, uint32_t);
	int (*set_heap_limit)(struct pcre2_match_context *, uint32_t);
	int (*match)(const struct pcre2_code *, const uint8_t *, size_t, size_t, uint32_t,
		     struct pcre2_match_data *, struct pcre2_match_context *);
	size_t *(*get_ovector_pointer)(struct pcre2_match_data *);

	struct pcre2_code *code;
	struct pcre2_match_data *data;
	struct pcre2_match_context *context;
	bool has_first; /* every match begins with this byte, or with its other case */
	int first, first_other;
};

static int open_library(struct es_work_regex *l, const char *library, struct es_error *err)
{
	/* The limits of depth and heap are of 10.30 and later; before, the first one bounds both. */
	const struct es_dl_symbol symbols[] = {
		{ "pcre2_compile_8", &l->compile, true },
		{ "pcre2_code_free_8", &l->code_free, true },
		{ "pcre2_get_error_message_8", &l->get_error_message, true },
		{ "pcre2_pattern_info_8", &l->pattern_info, true },
		{ "pcre2_match_data_create_8", &l->match_data_create, true },
		{ "pcre2_match_data_free_8", &l->match_data_free, true },
		{ "pcre2_match_context_create_8", &l->match_context_create, true },
		{ "pcre2_match_context_free_8", &l->match_context_free, true },
		{ "pcre2_set_match_limit_8", &l->set_match_limit, true },
		{ "pcre2_set_depth_limit_8", &l->set_depth_limit, true },
		{ "pcre2_set_heap_limit_8", &l->set_heap_limit, true },
		{ "pcre2_match_8", &l->match, true },
		{ "pcre2_get_ovector_pointer_8", &l->get_ovector_pointer, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&l->dl, library ? library : LIBRARY, symbols, ES_ARRAY_SIZE(symbols),
			   &why);

	return r < 0 ? es_error_say(err, r, "%s; install the package " PACKAGE, why.text) : 0;
}

static int compile(struct es_work_regex *regex, const char *pattern, struct es_error *err)
{
	uint8_t why[256] = "";
	uint32_t n_groups = 0, type = 0, first = 0;
	size_t at = 0;
	int e;

	regex->code = regex->compile((const uint8_t *)pattern, strlen(pattern), PCRE2_NEVER_UTF, &e,
				     &at, NULL);
	if (!regex->code) {
		(void)regex->get_error_message(e, why, sizeof(why));
		return es_error_say(err, -EINVAL, "pattern '%s': at character %zu: %s", pattern,
				    at + 1, (const char *)why);
	}
	(void)regex->pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n_groups);
	if (n_groups != 1)
		return es_error_say(
			err, -EINVAL,
			"pattern '%s': it has %u groups; one is needed, around the amount (others are written (?:…))",
			pattern, n_groups);
	(void)regex->pattern_info(regex->code, PCRE2_INFO_FIRSTCODETYPE, &type);
	(void)regex->pattern_info(regex->code, PCRE2_INFO_FIRSTCODEUNIT, &first);
	regex->has_first = type == FIRST_IS_SET && first < 0x80;
	regex->first = (int)first;
	regex->first_other = isupper((int)first) ? tolower((int)first) : toupper((int)first);
	return 0;
}

int es_work_regex_create(const char *pattern, const char *library, struct es_work_regex **ret,
			 struct es_error *err)
{
	struct es_work_regex *regex = calloc(1, sizeof(*regex));
	int r;

	if (!regex)
		return es_error_set(err, -ENOMEM, "pattern");
	r = open_library(regex, library, err);
	if (r == 0)
		r = compile(regex, pattern, err);
	if (r == 0) {
		regex->data = regex->match_data_create(2, NULL);
		regex->context = regex->match_context_create(NULL);
		if (!regex->data || !regex->context)
			r = es_error_set(err, -ENOMEM, "pattern");
	}
	if (r < 0) {
		es_work_regex_destroy(regex);
		return r;
	}
	(void)regex->set_match_limit(regex->context, MATCH_LIMIT);
	(void)regex->set_depth_limit(regex->context, DEPTH_LIMIT);
	(void)regex->set_heap_limit(regex->context, HEAP_LIMIT_KIB);
	*ret = regex;
	return 0;
}

void es_work_regex_destroy(struct es_work_regex *regex)
{
	if (!regex)
		return;
	if (regex->context)
		regex->match_context_free(regex->context);
	if (regex->data)
		regex->match_data_free(regex->data);
	if (regex->code)
		regex->code_free(regex->code);
	es_dl_close(&regex->dl);
	free(regex);
}

/* A search for one byte is much quicker than to begin a match. */
static bool may_match(const struct es_work_regex *regex, const char *line, size_t n)
{
	return !regex->has_first || memchr(line, regex->first, n) ||
	       (regex->first_other != regex->first && memchr(line, regex->first_other, n));
}

int es_work_regex_find(struct es_work_regex *regex, const char *line, size_t n, int64_t *ret_micro)
{
	const size_t *at;
	size_t n_amount, used;
	int64_t v;
	int e;

	if (n == 0 || !may_match(regex, line, n))
		return 0;
	e = regex->match(regex->code, (const uint8_t *)line, n, 0, 0, regex->data, regex->context);
	if (e == PCRE2_ERROR_NOMATCH)
		return 0;
	if (e < 0)
		return -E2BIG;
	at = regex->get_ovector_pointer(regex->data);
	if (e < 2 || at[2] == PCRE2_UNSET || at[3] > n || at[2] > at[3])
		return -EBADMSG;
	n_amount = at[3] - at[2];
	if (es_parse_micro(line + at[2], n_amount, &v, &used) < 0 || used != n_amount || v < 0)
		return -EBADMSG;
	*ret_micro = v;
	return 1;
}
