/*
 * letters.c - texts as terminals show them: how many columns a letter takes, and which are not let through
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/letters.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static uint32_t code_of(const char *letter, size_t bytes)
{
	const unsigned char *p = (const unsigned char *)letter;

	switch (bytes) {
	case 1:
		return p[0];
	case 2:
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	case 3:
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	default:
		return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
		       (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
	}
}

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* The columns of a letter in terminals: Unicode Standard Annex #11, W and F, and the usual marks of no width. */
static unsigned columns_of(uint32_t code)
{
	static const struct range wide[] = {
		{ 0x1100, 0x115f }, { 0x231a, 0x231b },	  { 0x23e9, 0x23ec },	{ 0x23f0, 0x23f0 },
		{ 0x23f3, 0x23f3 }, { 0x25fd, 0x25fe },	  { 0x2614, 0x2615 },	{ 0x2648, 0x2653 },
		{ 0x267f, 0x267f }, { 0x2693, 0x2693 },	  { 0x26a1, 0x26a1 },	{ 0x26aa, 0x26ab },
		{ 0x26bd, 0x26be }, { 0x26c4, 0x26c5 },	  { 0x26ce, 0x26ce },	{ 0x26d4, 0x26d4 },
		{ 0x26ea, 0x26ea }, { 0x26f2, 0x26f3 },	  { 0x26f5, 0x26f5 },	{ 0x26fa, 0x26fa },
		{ 0x26fd, 0x26fd }, { 0x2705, 0x2705 },	  { 0x270a, 0x270b },	{ 0x2728, 0x2728 },
		{ 0x274c, 0x274c }, { 0x274e, 0x274e },	  { 0x2753, 0x2755 },	{ 0x2757, 0x2757 },
		{ 0x2795, 0x2797 }, { 0x27b0, 0x27b0 },	  { 0x27bf, 0x27bf },	{ 0x2b1b, 0x2b1c },
		{ 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 },	  { 0x2e80, 0x303e },	{ 0x3041, 0xa4cf },
		{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },	  { 0xfe30, 0xfe6f },	{ 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
	};
	static const struct range none[] = {
		{ 0x300, 0x36f },   { 0x200b, 0x200d }, { 0x20d0, 0x20f0 },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
	};

	if (is_in(code, none, ES_ARRAY_SIZE(none)))
		return 0;
	return is_in(code, wide, ES_ARRAY_SIZE(wide)) ? 2 : 1;
}

/* What would turn the direction of a line around, or command the terminal. */
static bool is_forbidden(uint32_t code)
{
	static const struct range forbidden[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfff9, 0xffff },
	};

	return is_in(code, forbidden, ES_ARRAY_SIZE(forbidden));
}

/* Our own words in a terminal that knows ASCII only. */
static const char *plain(const char *letter, size_t bytes)
{
	static const char *const pairs[][2] = {
		{ "·", "-" }, { "…", "." }, { "±", "+" }, { "×", "x" }, { "₂", "2" }, { "µ", "u" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(pairs); i++)
		if (strlen(pairs[i][0]) == bytes && memcmp(pairs[i][0], letter, bytes) == 0)
			return pairs[i][1];
	return "?";
}

size_t es_letter_next(const char *text, bool has_unicode, char letter[static 5],
		      unsigned *ret_columns)
{
	size_t bytes = es_utf8_length(text, strlen(text)), taken = bytes ? bytes : 1;
	uint32_t code = bytes ? code_of(text, bytes) : 0;

	*ret_columns = 1;
	if (bytes == 0 || is_forbidden(code)) {
		(void)snprintf(letter, 5, "?");
	} else if (bytes > 1 && !has_unicode) {
		*ret_columns = columns_of(code) ? 1 : 0;
		(void)snprintf(letter, 5, "%s", plain(text, bytes));
	} else {
		*ret_columns = columns_of(code);
		memcpy(letter, text, bytes);
		letter[bytes] = '\0';
	}
	return taken;
}

static unsigned columns_in(const char *text)
{
	unsigned columns = 0, width;
	char letter[5];

	while (*text) {
		text += es_letter_next(text, true, letter, &width);
		columns += width;
	}
	return columns;
}

void es_letters_cell(struct es_buf *out, const char *text, unsigned columns, bool is_filled)
{
	bool is_cut = columns_in(text) > columns;
	unsigned room = is_cut ? columns - 1 : columns, at = 0, width;

	while (*text) {
		char letter[5];

		text += es_letter_next(text, true, letter, &width);
		if (at + width > room)
			break;
		(void)es_buf_str(out, letter);
		at += width;
	}
	if (is_cut) {
		(void)es_buf_str(out, "…");
		at++;
	}
	if (is_filled)
		(void)es_buf_printf(out, "%*s", (int)(columns - at), "");
}
