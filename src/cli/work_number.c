/*
 * work_number.c - the number in a file: its whole content, or that of a log's last line that has one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_number.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The number at the beginning of a line; -EBADMSG: it begins with none. */
static int leading_number(const char *p, const char *end, bool must_be_all, int64_t *ret_micro)
{
	size_t used;
	int64_t v;
	int r;

	while (p < end && is_blank(*p))
		p++;
	r = es_parse_micro(p, (size_t)(end - p), &v, &used);
	if (r < 0)
		return r;
	p += used;
	if (p < end && !is_blank(*p) && (must_be_all || (*p != ',' && *p != ';')))
		return -EBADMSG;
	while (must_be_all && p < end)
		if (!is_blank(*p++))
			return -EBADMSG;
	if (v < 0)
		return -ERANGE;
	*ret_micro = v;
	return 0;
}

static const char *line_start(const char *text, const char *end)
{
	const char *newline = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;

	return newline ? newline + 1 : text;
}

int es_work_number(const char *text, size_t n, bool is_all, int64_t *ret_micro)
{
	const char *end, *first = text;
	int r = is_all ? leading_number(text, text + n, true, ret_micro) : -EBADMSG;

	if (r != -EBADMSG)
		return r;
	/* What is behind the last newline is still being written, and the end of a file begins within a line. */
	end = n ? memrchr(text, '\n', n) : NULL;
	if (!is_all) {
		first = n ? memchr(text, '\n', n) : NULL;
		first = first ? first + 1 : text + n;
	}
	while (end && end >= first) {
		const char *line = line_start(first, end);

		r = leading_number(line, end, false, ret_micro);
		if (r != -EBADMSG)
			return r;
		end = line > first ? line - 1 : NULL;
	}
	return -ENODATA;
}
