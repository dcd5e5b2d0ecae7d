/*
 * canvas.h - a sheet of letters with colours, as a terminal shows it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CANVAS_H
#define ES_FORMAT_CANVAS_H

#include "base/buf.h"
#include "format/ink.h"

/** struct es_cell - one place for a letter */
struct es_cell {
	char letter[5]; /* UTF-8; "": a space, or the right half of a wide letter */
	bool is_half; /* that */
	bool is_bold;
	unsigned char ink, paper; /* enum es_ink; ES_INK_NONE: the terminal's own */
};

/** struct es_canvas - es_canvas_init(), es_canvas_finish() */
struct es_canvas {
	unsigned columns, lines;
	bool has_unicode;
	unsigned n_colours; /* as struct es_terminal */
	struct es_cell *cells;
};

int es_canvas_init(struct es_canvas *canvas, unsigned columns, unsigned lines); /* 0 or -ENOMEM */
void es_canvas_finish(struct es_canvas *canvas);

/** es_canvas_put - one letter; outside of the sheet nothing happens */
void es_canvas_put(struct es_canvas *canvas, unsigned x, unsigned y, const char *letter,
		   enum es_ink ink, enum es_ink paper);
/**
 * es_canvas_text - words from @x on, cut with an ellipsis to @width
 * Control characters, bidirectional marks and what is no UTF-8 become '?'; without Unicode all but ASCII does, or its
 * nearest letter. Returns the columns taken.
 */
unsigned es_canvas_text(struct es_canvas *canvas, unsigned x, unsigned y, unsigned width,
			enum es_ink ink, bool is_bold, const char *text);
/** es_canvas_text_columns - how many columns a text takes */
unsigned es_canvas_text_columns(const struct es_canvas *canvas, const char *text);

/** es_canvas_write - line by line, without spaces at ends; colours only where @n_colours allows, reset at each line's end */
int es_canvas_write(const struct es_canvas *canvas, struct es_buf *out);

#endif
