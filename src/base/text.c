/*
 * text.c - words from outside: valid, harmless, nearly right
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Source: the Unicode standard, table 3-7 (well-formed UTF-8 byte sequences). */
size_t es_utf8_length(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length;

	if (n == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	length = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
		 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
					       : 0;
	if (length == 0 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

void es_text_make_safe(char *text, bool keeps_lines)
{
	for (unsigned char *s = (unsigned char *)text; *s; s++) {
		if ((*s < 0x20 && !(keeps_lines && *s == '\n')) || *s == 0x7f)
			*s = '?';
		else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
			s[0] = s[1] = '?';
	}
}

size_t es_text_distance(const char *a, const char *b)
{
	size_t rows[3][ES_WORD_MAX_BYTES + 1], n_a = strlen(a), n_b = strlen(b);
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	if (n_a > ES_WORD_MAX_BYTES || n_b > ES_WORD_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= n_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *oldest = before;

		before = last;
		last = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t least = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < least)
				least = last[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			row[j] = least;
		}
	}
	return row[n_b];
}
