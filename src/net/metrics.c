/*
 * metrics.c - one value out of OpenMetrics or Prometheus text
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Formats: Prometheus "text-based format" 0.0.4 and OpenMetrics 1.0; what they have in common is enough here: a line
 * is name{label="value",...} number [time] [# exemplar], and lines that begin with # tell types and help.
 */
#include "net/metrics.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* What is left of a line. */
struct rest {
	const char *p, *end;
};

static bool is_name_byte(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (!is_first && c >= '0' && c <= '9');
}

static void skip_blanks(struct rest *rest)
{
	while (rest->p < rest->end && (*rest->p == ' ' || *rest->p == '\t'))
		rest->p++;
}

static bool take_byte(struct rest *rest, char c)
{
	skip_blanks(rest);
	if (rest->p == rest->end || *rest->p != c)
		return false;
	rest->p++;
	return true;
}

static int take_name(struct rest *rest, char name[static ES_METRICS_WORD_MAX_BYTES])
{
	size_t n = 0;

	skip_blanks(rest);
	for (; rest->p < rest->end && is_name_byte(*rest->p, n == 0); rest->p++) {
		if (n + 1 >= ES_METRICS_WORD_MAX_BYTES)
			return -E2BIG;
		name[n++] = *rest->p;
	}
	name[n] = '\0';
	return n ? 0 : -EBADMSG;
}

/* Between quotes, with \\, \" and \n. 1: it is longer than any that is asked for. */
static int take_value(struct rest *rest, char value[static ES_METRICS_WORD_MAX_BYTES])
{
	bool is_cut = false;
	size_t n = 0;

	if (!take_byte(rest, '"'))
		return -EBADMSG;
	for (; rest->p < rest->end && *rest->p != '"'; rest->p++) {
		char c = *rest->p;

		if (c == '\\') {
			if (++rest->p == rest->end)
				return -EBADMSG;
			c = *rest->p == 'n' ? '\n' : *rest->p;
		}
		is_cut = is_cut || n + 1 >= ES_METRICS_WORD_MAX_BYTES;
		if (!is_cut)
			value[n++] = c;
	}
	value[n] = '\0';
	return take_byte(rest, '"') ? is_cut : -EBADMSG;
}

typedef int (*label_fn)(void *arg, const struct es_metrics_label *label, bool is_cut);

/* {name="value",...}; a comma may stand behind the last one. */
static int take_labels(struct rest *rest, label_fn tell, void *arg)
{
	if (!take_byte(rest, '{'))
		return 0;
	while (!take_byte(rest, '}')) {
		struct es_metrics_label label;
		int r = take_name(rest, label.name);

		if (r == 0)
			r = take_byte(rest, '=') ? take_value(rest, label.value) : -EBADMSG;
		if (r >= 0)
			r = tell(arg, &label, r == 1);
		if (r < 0)
			return r;
		if (!take_byte(rest, ',') && (rest->p == rest->end || *rest->p != '}'))
			return -EBADMSG;
	}
	return 0;
}

static int keep_label(void *arg, const struct es_metrics_label *label, bool is_cut)
{
	struct es_metrics_query *query = arg;

	if (is_cut || query->n_labels == ES_METRICS_LABELS_MAX)
		return -E2BIG;
	query->labels[query->n_labels++] = *label;
	return 0;
}

int es_metrics_query_parse(const char *text, struct es_metrics_query *ret, struct es_error *err)
{
	struct rest rest = { .p = text, .end = text + strlen(text) };
	struct es_metrics_query query = { .n_labels = 0 };
	int r = take_name(&rest, query.name);

	if (r == 0)
		r = take_labels(&rest, keep_label, &query);
	skip_blanks(&rest);
	if (r == 0 && rest.p != rest.end)
		r = -EBADMSG;
	if (r == -E2BIG)
		return es_error_say(err, r, "metric '%s': too long, or more than %u labels", text,
				    ES_METRICS_LABELS_MAX);
	if (r < 0)
		return es_error_say(
			err, r,
			"metric '%s': it is written NAME or NAME{label=\"value\"}; wrong at byte %zu",
			text, (size_t)(rest.p - text));
	*ret = query;
	return 0;
}

/* Which of the query's labels a series has. */
struct matching {
	const struct es_metrics_query *query;
	unsigned matched; /* 1 << label */
};

static int match_label(void *arg, const struct es_metrics_label *label, bool is_cut)
{
	struct matching *matching = arg;

	for (size_t i = 0; i < matching->query->n_labels && !is_cut; i++)
		if (strcmp(matching->query->labels[i].name, label->name) == 0 &&
		    strcmp(matching->query->labels[i].value, label->value) == 0)
			matching->matched |= 1U << i;
	return 0;
}

static void add(struct es_metrics *metrics, struct rest *rest)
{
	int64_t v;
	size_t used;

	metrics->n_found++;
	skip_blanks(rest);
	if (es_parse_micro(rest->p, (size_t)(rest->end - rest->p), &v, &used) < 0 || v < 0 ||
	    (rest->p + used < rest->end && rest->p[used] != ' ' && rest->p[used] != '\t')) {
		metrics->n_unusable++;
		return;
	}
	if (__builtin_add_overflow(metrics->sum_micro, v, &metrics->sum_micro))
		metrics->has_overflow = true;
}

static void add_unusable(struct es_metrics *metrics)
{
	metrics->n_found++;
	metrics->n_unusable++;
}

/* A line of another name is passed over, broken or not. One of this name that cannot be read may have been a part. */
static void take_line(struct es_metrics *metrics, const char *line, size_t n)
{
	struct matching matching = { .query = metrics->query };
	struct rest rest = { .p = line, .end = line + n };
	char name[ES_METRICS_WORD_MAX_BYTES];

	if (n && rest.end[-1] == '\r')
		rest.end--;
	if (take_name(&rest, name) < 0 || strcmp(name, metrics->query->name) != 0)
		return;
	if (metrics->is_too_long || take_labels(&rest, match_label, &matching) < 0)
		add_unusable(metrics);
	else if (matching.matched == (1U << metrics->query->n_labels) - 1)
		add(metrics, &rest);
}

void es_metrics_begin(struct es_metrics *metrics, const struct es_metrics_query *query)
{
	metrics->query = query;
	metrics->n_line = 0;
	metrics->is_too_long = false;
	metrics->n_found = metrics->n_unusable = metrics->n_long = 0;
	metrics->sum_micro = 0;
	metrics->has_overflow = false;
}

static void keep(struct es_metrics *metrics, const char *data, size_t n)
{
	size_t room = sizeof(metrics->line) - metrics->n_line;

	metrics->is_too_long = metrics->is_too_long || n > room;
	n = n < room ? n : room;
	memcpy(metrics->line + metrics->n_line, data, n);
	metrics->n_line += n;
}

static void end_line(struct es_metrics *metrics)
{
	metrics->n_long += metrics->is_too_long;
	take_line(metrics, metrics->line, metrics->n_line);
	metrics->is_too_long = false;
	metrics->n_line = 0;
}

void es_metrics_feed(struct es_metrics *metrics, const char *data, size_t n)
{
	while (n) {
		const char *newline = memchr(data, '\n', n);
		size_t length = newline ? (size_t)(newline - data) : n;

		if (length)
			keep(metrics, data, length);
		if (!newline)
			return;
		end_line(metrics);
		data += length + 1;
		n -= length + 1;
	}
}

int es_metrics_end(struct es_metrics *metrics, int64_t *ret_micro)
{
	if (metrics->n_line || metrics->is_too_long)
		end_line(metrics);
	if (metrics->n_found == 0)
		return -ENOENT;
	if (metrics->n_unusable || metrics->has_overflow)
		return -ENODATA;
	*ret_micro = metrics->sum_micro;
	return 0;
}
