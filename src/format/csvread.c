/*
 * csvread.c - reading CSV, line by line, in place
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/csvread.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void es_csv_init(struct es_csv *csv, char *text, size_t n)
{
	*csv = (struct es_csv){ .p = text, .end = text + n, .separator = ',', .next_line = 1 };
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->p += 3;
}

static void next_line(struct es_csv *csv)
{
	char *newline = memchr(csv->p, '\n', (size_t)(csv->end - csv->p));

	csv->p = newline ? newline + 1 : csv->end;
	csv->next_line++;
}

static bool is_line_end(const struct es_csv *csv)
{
	return csv->p == csv->end || *csv->p == '\n' ||
	       (*csv->p == '\r' && (csv->p + 1 == csv->end || csv->p[1] == '\n'));
}

static void skip_blanks(struct es_csv *csv)
{
	while (csv->p < csv->end && (*csv->p == ' ' || *csv->p == '\t'))
		csv->p++;
}

/* Up to the closing quote; two quotes stand for one. */
static int take_quoted(struct es_csv *csv, char **ret)
{
	char *to = ++csv->p;

	*ret = to;
	for (; csv->p < csv->end; csv->p++) {
		if (*csv->p == '\n')
			return -EBADMSG; /* a field of ours never spans lines; an open quote must not swallow the file */
		if (*csv->p == '"' && (csv->p + 1 == csv->end || csv->p[1] != '"'))
			break;
		csv->p += *csv->p == '"';
		*to++ = *csv->p;
	}
	if (csv->p == csv->end)
		return -EBADMSG;
	csv->p++;
	skip_blanks(csv);
	if (!is_line_end(csv) && *csv->p != csv->separator)
		return -EBADMSG;
	*to = '\0';
	return 0;
}

/* Sets *ret_end to where the NUL belongs: the byte is still needed to see what follows. */
static int take_plain(struct es_csv *csv, char **ret, char **ret_end)
{
	*ret = csv->p;
	while (!is_line_end(csv) && *csv->p != csv->separator) {
		if (*csv->p == '"')
			return -EBADMSG;
		csv->p++;
	}
	*ret_end = csv->p;
	while (*ret_end > *ret && ((*ret_end)[-1] == ' ' || (*ret_end)[-1] == '\t'))
		(*ret_end)--;
	return 0;
}

static int take_record(struct es_csv *csv, char *fields[static ES_CSV_FIELDS_MAX])
{
	unsigned n = 0;

	for (;;) {
		char *end = NULL;
		bool is_last;
		int r;

		if (n == ES_CSV_FIELDS_MAX)
			return -E2BIG;
		skip_blanks(csv);
		r = csv->p < csv->end && *csv->p == '"' ? take_quoted(csv, &fields[n])
							: take_plain(csv, &fields[n], &end);
		if (r < 0)
			return r;
		n++;
		is_last = is_line_end(csv);
		if (is_last)
			next_line(csv);
		else
			csv->p++; /* the separator */
		if (end)
			*end = '\0';
		if (is_last)
			return (int)n;
	}
}

int es_csv_next(struct es_csv *csv, char *fields[static ES_CSV_FIELDS_MAX])
{
	int r;

	for (;;) {
		skip_blanks(csv);
		if (csv->p == csv->end)
			return 0;
		if (!is_line_end(csv))
			break;
		next_line(csv);
	}
	csv->line = csv->next_line;
	r = take_record(csv, fields);
	if (r < 0)
		next_line(csv);
	return r;
}
