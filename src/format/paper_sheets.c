/*
 * paper_sheets.c - headings, texts and tables on sheets of A4
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "format/paper.h"

#define WIDTH_PT 595.0
#define HEIGHT_PT 842.0
#define MARGIN_PT 42.0
#define FOOT_PT 24.0
#define ROW_PT 13.5
#define GAP_PT 10.0 /* between columns */
#define PICTURE_WIDTH_PT 960.0

static const struct es_font fonts[] = {
	[ES_PAPER_TITLE] = { .size_pt = 17, .ink = ES_INK_TEXT, .is_bold = true },
	[ES_PAPER_HEADING] = { .size_pt = 11.5, .ink = ES_INK_TEXT, .is_bold = true },
	[ES_PAPER_TEXT] = { .size_pt = 9, .ink = ES_INK_TEXT },
	[ES_PAPER_SMALL] = { .size_pt = 8, .ink = ES_INK_MUTED },
	[ES_PAPER_LINE] = { .size_pt = 8, .ink = ES_INK_TEXT },
	[ES_PAPER_TABLE] = { .size_pt = 8.5, .ink = ES_INK_MUTED },
	[ES_PAPER_CELL] = { .size_pt = 8.5, .ink = ES_INK_TEXT },
	[ES_PAPER_PICTURE] = { .size_pt = 0 },
};

struct setting {
	const struct es_paper *paper;
	const struct es_plot *plot;
	struct es_scene *sheets;
	size_t n; /* sheets begun */
	double y;
	bool is_full; /* nothing more fits */
};

static double text_width(void)
{
	return WIDTH_PT - 2 * MARGIN_PT;
}

static struct es_scene *sheet(struct setting *s)
{
	return &s->sheets[s->n - 1];
}

static void begin_sheet(struct setting *s)
{
	const struct es_style white = { .fill = ES_INK_PAPER };
	const struct es_font foot = { .size_pt = 7.5,
				      .ink = ES_INK_MUTED,
				      .anchor = ES_ANCHOR_END };

	es_scene_init(&s->sheets[s->n++], WIDTH_PT, HEIGHT_PT);
	es_scene_rect(sheet(s), 0, 0, WIDTH_PT, HEIGHT_PT, &white);
	es_scene_text(sheet(s), WIDTH_PT - MARGIN_PT, HEIGHT_PT - MARGIN_PT + 8, &foot,
		      "energyscopium " ES_VERSION);
	s->y = MARGIN_PT;
}

/* True where @height fits, on a new sheet if need be. */
static bool make_room(struct setting *s, double height)
{
	const struct es_font font = fonts[ES_PAPER_SMALL];

	if (s->is_full || sheet(s)->error < 0)
		return false;
	if (s->y + height <= HEIGHT_PT - MARGIN_PT - FOOT_PT)
		return true;
	if (s->n < ES_PAPER_SHEETS_MAX) {
		begin_sheet(s);
		return true;
	}
	s->is_full = true;
	es_scene_text(sheet(s), MARGIN_PT, HEIGHT_PT - MARGIN_PT - 6, &font,
		      "There is more: energyscopium report --html, or --json, has all of it.");
	return false;
}

/* As many letters of a text as fit, broken at a space if there is one. */
static size_t fitting(const char *text, const struct es_font *font, double width)
{
	char part[ES_TEXT_MAX_BYTES];
	size_t keep = 0, n = strnlen(text, sizeof(part) - 1), last = 0;

	for (size_t i = 1; i <= n; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		memcpy(part, text, i);
		part[i] = '\0';
		if (es_text_width(part, font) > width)
			break;
		last = i;
		if (text[i] == ' ' || text[i] == '\0')
			keep = i;
	}
	return keep ? keep : last ? last : n;
}

static void put_words(struct setting *s, enum es_paper_type type, const char *text)
{
	const struct es_font *font = &fonts[type];
	double line = font->size_pt * 1.4;

	s->y += type == ES_PAPER_HEADING ? 10 : 0;
	while (*text) {
		char part[ES_TEXT_MAX_BYTES];
		size_t n = fitting(text, font, text_width());

		if (!make_room(s, line + (type == ES_PAPER_HEADING ? 3 * ROW_PT : 0)))
			return;
		n = n < sizeof(part) ? n : sizeof(part) - 1;
		memcpy(part, text, n);
		part[n] = '\0';
		es_scene_text(sheet(s), MARGIN_PT, s->y + font->size_pt, font, part);
		s->y += line;
		text += n + (text[n] == ' ');
	}
	s->y += 3;
}

struct columns {
	unsigned n;
	double x[ES_PAPER_COLUMNS_MAX], width[ES_PAPER_COLUMNS_MAX];
	bool is_number[ES_PAPER_COLUMNS_MAX];
};

/* As wide as the widest cell; where that is too wide together, the widest give way. */
static void measure(const struct setting *s, size_t first, size_t last, struct columns *columns)
{
	double sum = 0, room = text_width() - GAP_PT * (columns->n - 1);

	for (size_t i = first; i < last; i++) {
		unsigned column = (unsigned)((i - first) % columns->n);
		const char *text = es_paper_text(s->paper, &s->paper->items[i]);

		columns->width[column] = fmax(columns->width[column],
					      es_text_width(text, &fonts[ES_PAPER_CELL]) + 1);
		if (i - first < columns->n)
			columns->is_number[column] = s->paper->items[i].is_number;
	}
	for (unsigned j = 0; j < columns->n; j++)
		sum += columns->width[j];
	while (sum > room) {
		unsigned widest = 0;
		double less;

		for (unsigned j = 1; j < columns->n; j++)
			if (columns->width[j] > columns->width[widest])
				widest = j;
		less = fmin(sum - room, fmax(columns->width[widest] * 0.1, 0.5));
		columns->width[widest] -= less;
		sum -= less;
	}
	for (unsigned j = 1; j < columns->n; j++)
		columns->x[j] = columns->x[j - 1] + columns->width[j - 1] + GAP_PT;
}

static void put_row(struct setting *s, size_t first, const struct columns *columns,
		    enum es_paper_type type)
{
	const struct es_style rule = { .stroke = ES_INK_GRID, .stroke_pt = 0.6 };

	for (unsigned j = 0; j < columns->n; j++) {
		struct es_font font = fonts[type];
		double x = MARGIN_PT + columns->x[j];

		if (columns->is_number[j]) {
			font.anchor = ES_ANCHOR_END;
			x += columns->width[j];
		}
		es_scene_text_within(sheet(s), x, s->y + 9, columns->width[j] + 2, &font,
				     es_paper_text(s->paper, &s->paper->items[first + j]));
	}
	s->y += ROW_PT;
	es_scene_line(sheet(s), MARGIN_PT, s->y - 1.5, WIDTH_PT - MARGIN_PT, s->y - 1.5, &rule);
}

/* Returns the first item behind the table. */
static size_t put_table(struct setting *s, size_t table)
{
	struct columns columns = { .n = s->paper->items[table].n_columns };
	size_t first = table + 1, last = first;

	while (last < s->paper->n && s->paper->items[last].type == ES_PAPER_CELL)
		last++;
	measure(s, first, last, &columns);
	for (size_t i = first; i + columns.n <= last; i += columns.n) {
		size_t sheets = s->n;

		if (i == first && !es_paper_has_heads(s->paper, &s->paper->items[table]))
			continue;
		if (!make_room(s, i == first ? 2 * ROW_PT : ROW_PT))
			break;
		if (i > first && s->n > sheets)
			put_row(s, first, &columns, ES_PAPER_TABLE);
		put_row(s, i, &columns, i == first ? ES_PAPER_TABLE : ES_PAPER_CELL);
	}
	s->y += 4;
	return last;
}

/* The picture is a scene of its own: its marks, smaller. */
static int put_picture(struct setting *s)
{
	const struct es_plot_look look = { .width_pt = PICTURE_WIDTH_PT,
					   .height_pt = 500,
					   .is_bare = true };
	double scale = text_width() / PICTURE_WIDTH_PT;
	struct es_plot_words words = { .title = "" };
	struct es_scene scene;
	int r = es_plot_scene(s->plot, &look, &scene, NULL);

	if (r == 0 && make_room(s, look.height_pt * scale + 6)) {
		es_scene_place(sheet(s), &scene, MARGIN_PT, s->y + 4, scale);
		s->y += look.height_pt * scale + 8;
	}
	es_scene_finish(&scene);
	es_plot_say(s->plot, &words);
	put_words(s, ES_PAPER_SMALL, words.foot);
	return r;
}

int es_paper_sheets(const struct es_paper *paper, const struct es_plot *plot,
		    struct es_scene ret[static ES_PAPER_SHEETS_MAX], size_t *ret_n)
{
	struct setting s = { .paper = paper, .plot = plot, .sheets = ret };
	int r = paper->error;

	for (size_t i = 0; i < ES_PAPER_SHEETS_MAX; i++)
		es_scene_init(&ret[i], WIDTH_PT, HEIGHT_PT);
	begin_sheet(&s);
	for (size_t i = 0; r == 0 && i < paper->n;) {
		const struct es_paper_item *item = &paper->items[i];

		if (item->type == ES_PAPER_TABLE) {
			i = put_table(&s, i);
			continue;
		}
		if (item->type == ES_PAPER_PICTURE)
			r = put_picture(&s);
		else if (item->type != ES_PAPER_CELL)
			put_words(&s, item->type, es_paper_text(paper, item));
		i++;
	}
	for (size_t i = 0; r == 0 && i < s.n; i++)
		r = ret[i].error;
	*ret_n = s.n;
	return r;
}
