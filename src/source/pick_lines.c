/*
 * source/pick_lines.c - cells of tables and values behind keys, of the last whole line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/pick_lines.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"

/* Part of a text; nothing is at its end. */
struct span {
	const char *p;
	size_t n;
};

static struct span trim(struct span s)
{
	while (s.n && isspace((unsigned char)*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	if (s.n >= 2 && *s.p == '"' && s.p[s.n - 1] == '"') {
		s.p++;
		s.n -= 2;
	}
	return s;
}

static bool is(struct span s, const char *word)
{
	return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

static bool copy(struct span s, char ret[static ES_PICK_CELL_BYTES])
{
	if (s.n >= ES_PICK_CELL_BYTES || memchr(s.p, '\0', s.n))
		return false;
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return true;
}

/* The line before *end, which moves to its start; only lines that have their end. */
static bool line_before(const char *text, size_t *end, struct span *ret)
{
	while (*end > 0) {
		size_t last = *end - 1; /* of the line's own end */
		const char *p = last ? memrchr(text, '\n', last) : NULL;
		size_t start = p ? (size_t)(p - text) + 1 : 0;

		*end = start;
		*ret = trim((struct span){ text + start, last - start });
		if (ret->n && *ret->p != '#')
			return true;
	}
	return false;
}

static size_t whole_lines(const char *text, size_t n)
{
	const char *p = n ? memrchr(text, '\n', n) : NULL;

	return p ? (size_t)(p - text) + 1 : 0;
}

static char divider(struct span line)
{
	static const char marks[] = ";,\t ";

	for (size_t i = 0; marks[i]; i++)
		if (memchr(line.p, marks[i], line.n))
			return marks[i];
	return ',';
}

/* The first cell of what is left of a line, which moves behind it; false: that was the last. Blanks divide however many they are. */
static bool next_cell(struct span *line, char mark, struct span *ret)
{
	const char *end = line->n ? memchr(line->p, mark, line->n) : NULL;
	size_t n = end ? (size_t)(end - line->p) : line->n;

	*ret = trim((struct span){ line->p, n });
	if (!end)
		return false;
	*line = (struct span){ end + 1, line->n - n - 1 };
	while (mark == ' ' && line->n && *line->p == ' ') {
		line->p++;
		line->n--;
	}
	return true;
}

/* Cell @i of a line; false: it has not so many. */
static bool cell(struct span line, char mark, size_t i, struct span *ret)
{
	for (; i > 0; i--)
		if (!next_cell(&line, mark, ret))
			return false;
	(void)next_cell(&line, mark, ret);
	return true;
}

static int find_column(struct span head, char mark, const char *name, size_t *ret)
{
	struct span one;
	uint64_t number;
	size_t n_found = 0;
	bool has_more = true;

	for (size_t i = 0; has_more; i++) {
		has_more = next_cell(&head, mark, &one);
		if (is(one, name)) {
			*ret = i;
			n_found++;
		}
	}
	if (n_found == 1)
		return 0;
	if (n_found > 1 || es_parse_u64(name, &number) < 0 || number == 0)
		return -EBADMSG;
	*ret = number - 1;
	return 0;
}

static int take_cell(struct span head, struct span line, char mark, const char *name,
		     char ret[static ES_PICK_CELL_BYTES], struct es_error *err)
{
	struct span one;
	size_t i;

	ret[0] = '\0';
	if (!*name)
		return 0;
	if (find_column(head, mark, name, &i) < 0)
		return es_error_say(err, -EBADMSG,
				    "no column, or more than one, has the name '%.100s'", name);
	if (!cell(line, mark, i, &one))
		return es_error_say(err, -EBADMSG, "the last line has no column '%.100s'", name);
	return copy(one, ret) ? 0
			      : es_error_say(err, -EBADMSG, "column '%.100s' is too long", name);
}

int es_pick_cells(const char *text, size_t n, const char *column, const char *time,
		  char ret[static ES_PICK_CELL_BYTES], char ret_time[static ES_PICK_CELL_BYTES],
		  struct es_error *err)
{
	size_t end = whole_lines(text, n);
	const char *head_end = end ? memchr(text, '\n', end) : NULL;
	struct span head, line;
	char mark;
	int r;

	/* The first line alone is the names. */
	if (!head_end || !line_before(text, &end, &line) ||
	    (end == 0 && !isdigit((unsigned char)*column)))
		return es_error_say(err, -ENODATA, "it has no whole line yet");
	head = trim((struct span){ text, (size_t)(head_end - text) });
	/* Names are often written as a comment. */
	if (head.n && *head.p == '#')
		head = trim((struct span){ head.p + 1, head.n - 1 });
	mark = divider(head);
	r = take_cell(head, line, mark, column, ret, err);
	return r < 0 ? r : take_cell(head, line, mark, time, ret_time, err);
}

/* What follows @key at the start of @line. */
static bool follows(struct span line, const char *key, struct span *ret)
{
	size_t n = strlen(key);

	if (line.n <= n || memcmp(line.p, key, n) != 0 || !strchr(" \t:=", line.p[n]))
		return false;
	line = trim((struct span){ line.p + n, line.n - n });
	if (line.n && (*line.p == ':' || *line.p == '='))
		line = trim((struct span){ line.p + 1, line.n - 1 });
	*ret = line;
	return true;
}

static int take_key(const char *text, size_t n, const char *key,
		    char ret[static ES_PICK_CELL_BYTES], struct es_error *err)
{
	size_t end = whole_lines(text, n);
	struct span line, value;

	ret[0] = '\0';
	if (!*key)
		return 0;
	while (line_before(text, &end, &line)) {
		if (!follows(line, key, &value))
			continue;
		return copy(value, ret) ? 0
					: es_error_say(err, -EBADMSG,
						       "'%.100s' is followed by too much", key);
	}
	return es_error_say(err, -ENODATA, "no whole line begins with '%.100s'", key);
}

int es_pick_keys(const char *text, size_t n, const char *key, const char *time,
		 char ret[static ES_PICK_CELL_BYTES], char ret_time[static ES_PICK_CELL_BYTES],
		 struct es_error *err)
{
	int r = take_key(text, n, key, ret, err);

	return r < 0 ? r : take_key(text, n, time, ret_time, err);
}
