/*
 * work_lines.c - the lines of a stream that comes in pieces, those that may hold a number
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_lines.h"

#include <string.h>

#include "base/hot.h"

static bool is_end(char c)
{
	return c == '\n' || c == '\r';
}

/*
 * Eight bytes at a time: whether any of them may be a digit. The digits are 0x30 to 0x39: with the high nibble cleared
 * of 3 they are below 10. Some other bytes pass too; the caller looks closer.
 */
static bool may_have_digit(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t x = word ^ (ones * 0x30);

	/* A byte below 0x10 of x has none of its high nibble's bits: the classic test for a zero byte, of those bits. */
	x &= ones * 0xf0;
	return ((x - ones) & ~x & high) != 0;
}

/* The first digit at or behind @p; @end where there is none. */
es_hot static const char *find_digit(const char *p, const char *end)
{
	for (;;) {
		uint64_t word;

		while (end - p >= 8) {
			memcpy(&word, p, sizeof(word));
			if (may_have_digit(word))
				break;
			p += 8;
		}
		for (const char *stop = end - p >= 8 ? p + 8 : end; p < stop; p++)
			if (*p >= '0' && *p <= '9')
				return p;
		if (p == end)
			return end;
	}
}

static const char *find_end(const char *p, const char *end)
{
	while (p < end && !is_end(*p))
		p++;
	return p;
}

static const char *find_start(const char *from, const char *p)
{
	while (p > from && !is_end(p[-1]))
		p--;
	return p;
}

/* A whole line. */
static void tell_line(struct es_work_lines *lines, const char *line, size_t n)
{
	if (n > ES_WORK_LINE_MAX_BYTES) {
		lines->n_cut++;
		n = ES_WORK_LINE_MAX_BYTES;
	}
	if (n && find_digit(line, line + n) != line + n)
		lines->tell(lines->arg, line, n);
}

static void keep(struct es_work_lines *lines, const char *data, size_t n)
{
	size_t room = ES_WORK_LINE_MAX_BYTES - lines->n_kept;

	if (n > room) {
		lines->is_cut = true;
		n = room;
	}
	if (n)
		memcpy(lines->kept + lines->n_kept, data, n);
	lines->n_kept += n;
}

static void end_kept(struct es_work_lines *lines)
{
	lines->n_cut += lines->is_cut;
	tell_line(lines, lines->kept, lines->n_kept);
	lines->n_kept = 0;
	lines->is_cut = false;
}

es_hot void es_work_lines_feed(struct es_work_lines *lines, const char *data, size_t n)
{
	const char *p = data, *end = data + n;

	if (lines->n_kept) {
		const char *line_end = find_end(p, end);

		keep(lines, p, (size_t)(line_end - p));
		if (line_end == end)
			return;
		end_kept(lines);
		p = line_end + 1;
	}
	while (p < end) {
		const char *digit = find_digit(p, end), *line = find_start(p, digit);
		const char *line_end = find_end(digit, end);

		/* Without a digit it is the last line, which may get one. */
		if (line_end == end) {
			keep(lines, line, (size_t)(end - line));
			return;
		}
		tell_line(lines, line, (size_t)(line_end - line));
		p = line_end + 1;
	}
}

void es_work_lines_end(struct es_work_lines *lines)
{
	if (lines->n_kept)
		end_kept(lines);
}
