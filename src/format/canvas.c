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
#include "format/letters.h"

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

unsigned es_canvas_text_columns(const struct es_canvas *canvas, const char *text)
{
	unsigned columns = 0, width;
	char letter[5];

	while (*text) {
		text += es_letter_next(text, canvas->has_unicode, letter, &width);
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

		text += es_letter_next(text, canvas->has_unicode, letter, &columns);
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
