/*
 * canvas.c - a sheet of letters with colours, as a terminal shows it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/canvas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define TRUE_COLOUR (1U << 24)

int es_canvas_init(struct es_canvas *canvas, unsigned columns, unsigned lines)
{
	*canvas = (struct es_canvas){ .columns = columns, .lines = lines };
	canvas->cells = calloc((size_t)columns * lines + 1, sizeof(*canvas->cells));
	return canvas->cells ? 0 : -ENOMEM;
}

void es_canvas_finish(struct es_canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct es_canvas){ .columns = 0 };
}

static struct es_cell *cell_at(const struct es_canvas *canvas, unsigned x, unsigned y)
{
	return x < canvas->columns && y < canvas->lines
		       ? &canvas->cells[(size_t)y * canvas->columns + x]
		       : NULL;
}

void es_canvas_put(struct es_canvas *canvas, unsigned x, unsigned y, const char *letter,
		   enum es_ink ink, enum es_ink paper)
{
	struct es_cell *cell = cell_at(canvas, x, y);

	if (!cell)
		return;
	*cell = (struct es_cell){ .ink = (unsigned char)ink, .paper = (unsigned char)paper };
	(void)snprintf(cell->letter, sizeof(cell->letter), "%s", letter);
}

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
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
		{ 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
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

/* The next letter of a text as it is shown, its bytes and its columns. */
static size_t next_letter(const struct es_canvas *canvas, const char *text, char letter[static 5],
			  unsigned *ret_columns)
{
	size_t bytes = es_utf8_length(text, strlen(text)), taken = bytes ? bytes : 1;
	uint32_t code = bytes ? code_of(text, bytes) : 0;

	*ret_columns = 1;
	if (bytes == 0 || is_forbidden(code)) {
		(void)snprintf(letter, 5, "?");
	} else if (bytes > 1 && !canvas->has_unicode) {
		*ret_columns = columns_of(code) ? 1 : 0;
		(void)snprintf(letter, 5, "%s", plain(text, bytes));
	} else {
		*ret_columns = columns_of(code);
		memcpy(letter, text, bytes);
		letter[bytes] = '\0';
	}
	return taken;
}

unsigned es_canvas_text_columns(const struct es_canvas *canvas, const char *text)
{
	unsigned columns = 0, width;
	char letter[5];

	while (*text) {
		text += next_letter(canvas, text, letter, &width);
		columns += width;
	}
	return columns;
}

unsigned es_canvas_text(struct es_canvas *canvas, unsigned x, unsigned y, unsigned width,
			enum es_ink ink, bool is_bold, const char *text)
{
	bool is_cut = es_canvas_text_columns(canvas, text) > width;
	unsigned room = is_cut && width > 0 ? width - 1 : width, at = 0, columns;

	while (*text) {
		char letter[5];
		struct es_cell *cell;

		text += next_letter(canvas, text, letter, &columns);
		if (columns == 0)
			continue;
		if (at + columns > room)
			break;
		es_canvas_put(canvas, x + at, y, letter, ink, ES_INK_NONE);
		cell = cell_at(canvas, x + at, y);
		if (cell)
			cell->is_bold = is_bold;
		cell = columns == 2 ? cell_at(canvas, x + at + 1, y) : NULL;
		if (cell)
			*cell = (struct es_cell){ .is_half = true };
		at += columns;
	}
	if (is_cut && width > 0)
		es_canvas_put(canvas, x + at++, y, canvas->has_unicode ? "…" : ".", ink,
			      ES_INK_NONE);
	return at;
}

/* The nearest of 16 colours, by hue and shade: terminals give them what values they like. */
static unsigned colour_16(enum es_ink ink)
{
	static const unsigned char of_hue[ES_INK_N_HUES] = { 34, 33, 32, 35, 36, 31, 93, 37 };
	unsigned at, code;

	if (ink < ES_INK_SERIES)
		return ink == ES_INK_LIMIT ? 31 : ink == ES_INK_TEXT ? 39 : 90;
	at = (unsigned)(ink >= ES_INK_TINT ? ink - ES_INK_TINT : ink - ES_INK_SERIES);
	code = of_hue[at / ES_INK_N_SHADES];
	return code < 90 && at % ES_INK_N_SHADES % 2 ? code + 60 : code;
}

static unsigned cube(uint32_t part)
{
	return part < 48 ? 0 : part < 115 ? 1 : (part - 35) / 40;
}

/* Colours of the dark theme stay readable on white too, but text, which is the terminal's own. */
static void put_colour(const struct es_canvas *canvas, struct es_buf *out, enum es_ink ink,
		       bool is_paper)
{
	uint32_t rgb = es_ink_rgb(ink, true);

	if (ink == ES_INK_NONE || ink == ES_INK_TEXT || ink == ES_INK_LINE)
		return;
	if (canvas->n_colours >= TRUE_COLOUR)
		(void)es_buf_printf(out, ";%u;2;%u;%u;%u", is_paper ? 48U : 38U, rgb >> 16,
				    rgb >> 8 & 0xff, rgb & 0xff);
	else if (canvas->n_colours >= 256)
		(void)es_buf_printf(out, ";%u;5;%u", is_paper ? 48U : 38U,
				    16 + 36 * cube(rgb >> 16) + 6 * cube(rgb >> 8 & 0xff) +
					    cube(rgb & 0xff));
	else
		(void)es_buf_printf(out, ";%u", colour_16(ink) + (is_paper ? 10 : 0));
}

static void put_look(const struct es_canvas *canvas, struct es_buf *out, const struct es_cell *cell)
{
	(void)es_buf_str(out, "\033[0");
	if (cell->is_bold)
		(void)es_buf_str(out, ";1");
	put_colour(canvas, out, (enum es_ink)cell->ink, false);
	put_colour(canvas, out, (enum es_ink)cell->paper, true);
	(void)es_buf_u8(out, 'm');
}

static bool is_same_look(const struct es_cell *a, const struct es_cell *b)
{
	return a->ink == b->ink && a->paper == b->paper && a->is_bold == b->is_bold;
}

static void write_line(const struct es_canvas *canvas, unsigned y, struct es_buf *out)
{
	static const struct es_cell bare = { .letter = "" };
	const struct es_cell *line = &canvas->cells[(size_t)y * canvas->columns], *last = &bare;
	unsigned n = canvas->columns;

	while (n > 0 && (line[n - 1].letter[0] == '\0' || line[n - 1].letter[0] == ' ') &&
	       !line[n - 1].is_half && line[n - 1].paper == ES_INK_NONE)
		n--;
	for (unsigned x = 0; x < n; x++) {
		if (line[x].is_half)
			continue;
		if (canvas->n_colours > 0 && !is_same_look(&line[x], last))
			put_look(canvas, out, &line[x]);
		last = &line[x];
		(void)es_buf_str(out, line[x].letter[0] ? line[x].letter : " ");
	}
	if (canvas->n_colours > 0 && !is_same_look(last, &bare))
		(void)es_buf_str(out, "\033[0m");
	(void)es_buf_u8(out, '\n');
}

int es_canvas_write(const struct es_canvas *canvas, struct es_buf *out)
{
	for (unsigned y = 0; y < canvas->lines; y++)
		write_line(canvas, y, out);
	return out->error;
}
