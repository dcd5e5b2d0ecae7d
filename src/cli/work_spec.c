/*
 * work_spec.c - --work: what counts as work, and where it is found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "net/http.h"

static const struct {
	const char *prefix;
	enum es_work_kind kind;
} kinds[] = {
	{ "regex:", ES_WORK_STDOUT },
	{ "regex@stdout:", ES_WORK_STDOUT },
	{ "regex@stderr:", ES_WORK_STDERR },
	{ "file:", ES_WORK_FILE },
	{ "url:", ES_WORK_URL },
};

/* What is behind the kind's word; NULL: it begins with none. */
static const char *behind_kind(const char *text, enum es_work_kind *ret_kind)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, n) != 0)
			continue;
		*ret_kind = kinds[i].kind;
		return text + n;
	}
	return NULL;
}

static int keep_unit(struct es_work_spec *spec, const char *text, size_t n, struct es_error *err)
{
	char safe[ES_WORK_UNIT_MAX_BYTES];

	if (n == 0 || n >= sizeof(spec->unit))
		return es_error_say(err, -EINVAL, "--work '%s': a unit has 1 to %u bytes", text,
				    ES_WORK_UNIT_MAX_BYTES - 1);
	memcpy(spec->unit, text, n);
	spec->unit[n] = '\0';
	memcpy(safe, spec->unit, n + 1);
	es_text_make_safe(safe, false);
	if (strcmp(safe, spec->unit) != 0 || spec->unit[strspn(spec->unit, " ")] == '\0')
		return es_error_say(err, -EINVAL, "--work '%s': its unit '%s' is no word", text,
				    safe);
	return 0;
}

static int split_url(struct es_work_spec *spec, const char *text, struct es_error *err)
{
	const char *hash = strchr(text, '#');
	size_t n = hash ? (size_t)(hash - text) : 0;

	if (!hash || hash[1] == '\0')
		return es_error_say(
			err, -EINVAL,
			"--work 'url:%s': the metric's name is missing, as in url:http://HOST/metrics#NAME",
			text);
	if (n >= sizeof(spec->url))
		return es_error_say(err, -E2BIG, "--work 'url:%.60s…': too long", text);
	memcpy(spec->url, text, n);
	spec->url[n] = '\0';
	if (es_http_check_url(spec->url, err) < 0)
		return -EINVAL;
	return es_metrics_query_parse(hash + 1, &spec->query, err) < 0 ? -EINVAL : 0;
}

static int parse_work(struct es_work_specs *specs, const char *text, struct es_error *err)
{
	struct es_work_spec *spec = &specs->specs[specs->n];
	const char *target = behind_kind(text, &spec->kind), *equals = strchr(text, '=');
	int r = 0;

	*spec = (struct es_work_spec){ .kind = spec->kind, .unit = "units" };
	if (!target && equals) {
		target = behind_kind(equals + 1, &spec->kind);
		r = target ? keep_unit(spec, text, (size_t)(equals - text), err) : 0;
	}
	if (r < 0)
		return r;
	if (!target)
		return es_error_say(
			err, -EINVAL,
			"--work '%s': it is written [UNIT=]regex:PATTERN, [UNIT=]regex@stderr:PATTERN, [UNIT=]file:PATH or [UNIT=]url:URL#METRIC",
			text);
	if (target[0] == '\0')
		return es_error_say(err, -EINVAL, "--work '%s': nothing is behind the colon", text);
	for (size_t i = 0; i < specs->n; i++)
		if (strcmp(specs->specs[i].unit, spec->unit) == 0)
			return es_error_say(
				err, -EINVAL,
				"--work '%s': there is a unit '%s' already; name them apart, as in --work steps=…",
				text, spec->unit);
	spec->pattern = target;
	specs->n++;
	return spec->kind == ES_WORK_URL ? split_url(spec, target, err) : 0;
}

/* Which work [UNIT=]VALUE means; the value goes to *ret_value. */
static struct es_work_spec *find_unit(struct es_work_specs *specs, const char *text,
				      const char **ret_value)
{
	const char *equals = strrchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : 0;

	*ret_value = equals ? equals + 1 : text;
	if (!equals)
		return specs->n == 1 ? &specs->specs[0] : NULL;
	for (size_t i = 0; i < specs->n; i++)
		if (strlen(specs->specs[i].unit) == n && memcmp(specs->specs[i].unit, text, n) == 0)
			return &specs->specs[i];
	return NULL;
}

static int no_such_unit(const struct es_work_specs *specs, const char *option, const char *text,
			struct es_error *err)
{
	if (specs->n == 0)
		return es_error_say(err, -EINVAL, "%s '%s': there is no --work", option, text);
	return es_error_say(err, -EINVAL,
			    "%s '%s': it is written UNIT=NUMBER, with a --work's unit", option,
			    text);
}

static int parse_number(const char *option, const char *text, const char *value, int64_t *ret,
			struct es_error *err)
{
	size_t used;
	int64_t v;

	if (es_parse_micro(value, strlen(value), &v, &used) < 0 || value[used] != '\0' || v < 0)
		return es_error_say(err, -EINVAL, "%s '%s': not a number of units", option, text);
	*ret = v;
	return 0;
}

static int parse_total(struct es_work_specs *specs, const char *text, struct es_error *err)
{
	const char *value;
	struct es_work_spec *spec = find_unit(specs, text, &value);
	int r;

	if (!spec)
		return no_such_unit(specs, "--work-total", text, err);
	spec->has_total = true;
	r = parse_number("--work-total", text, value, &spec->total_micro, err);
	if (r == 0 && spec->total_micro == 0)
		return es_error_say(err, -EINVAL, "--work-total '%s': more than 0 is wanted", text);
	return r;
}

static int parse_from(struct es_work_specs *specs, const char *text, struct es_error *err)
{
	const char *value;
	struct es_work_spec *spec = find_unit(specs, text, &value);

	if (!spec)
		return no_such_unit(specs, "--work-from", text, err);
	spec->has_from = true;
	spec->from = ES_WORK_FROM_FIRST;
	if (strcmp(value, "first") == 0)
		return 0;
	spec->from = ES_WORK_FROM_GIVEN;
	return parse_number("--work-from", text, value, &spec->from_micro, err);
}

int es_work_specs_parse(const struct es_text_list *works, const struct es_text_list *totals,
			const struct es_text_list *froms, struct es_work_specs *ret,
			struct es_error *err)
{
	int r = 0;

	ret->n = 0;
	if (works->n > ES_WORKS_MAX)
		return es_error_say(err, -E2BIG, "--work: at most %u may be given", ES_WORKS_MAX);
	for (size_t i = 0; r == 0 && i < works->n; i++)
		r = parse_work(ret, works->texts[i], err);
	for (size_t i = 0; r == 0 && i < totals->n; i++)
		r = parse_total(ret, totals->texts[i], err);
	for (size_t i = 0; r == 0 && i < froms->n; i++)
		r = parse_from(ret, froms->texts[i], err);
	return r;
}
