/*
 * paper.h - headings, texts and tables in a row, before they become a page of HTML or of PDF
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_PAPER_H
#define ES_FORMAT_PAPER_H

#include "base/buf.h"
#include "format/plot.h"
#include "format/report.h"

#define ES_PAPER_COLUMNS_MAX 10U

enum es_paper_type {
	ES_PAPER_TITLE,
	ES_PAPER_HEADING,
	ES_PAPER_TEXT,
	ES_PAPER_SMALL, /* of less weight */
	ES_PAPER_LINE, /* the job line: letters of equal width */
	ES_PAPER_TABLE, /* @n_columns heads follow as cells, then rows */
	ES_PAPER_CELL,
	ES_PAPER_PICTURE,
};

struct es_paper_item {
	enum es_paper_type type;
	size_t text; /* offset into the texts */
	unsigned n_columns;
	bool is_number; /* a head: its column is set to the right */
};

/** struct es_paper - es_paper_init(), es_paper_finish(); the first failure sticks in @error */
struct es_paper {
	struct es_paper_item *items;
	size_t n, cap;
	struct es_buf texts;
	int error;
};

void es_paper_init(struct es_paper *paper);
void es_paper_finish(struct es_paper *paper);
void es_paper_add(struct es_paper *paper, enum es_paper_type type, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** es_paper_table - a table begins; @heads: separated by '|', those of numbers begin with '#' */
void es_paper_table(struct es_paper *paper, const char *heads);
/** es_paper_text - words of an item; borrowed until the next one is added */
const char *es_paper_text(const struct es_paper *paper, const struct es_paper_item *item);

/** es_paper_has_heads - a table's heads are not all empty */
bool es_paper_has_heads(const struct es_paper *paper, const struct es_paper_item *table);

/** struct es_report_paper_options - how much of a report goes on paper */
struct es_report_paper_options {
	size_t n_rows_max; /* of each table; the rest is counted */
};
/** es_report_paper - job line, chain, picture, regions, insights, quality */
int es_report_paper(const struct es_report *report, const struct es_report_paper_options *options,
		    struct es_paper *ret);

/** es_paper_html - as a page that holds all it needs; @plot is made coarser */
int es_paper_html(const struct es_paper *paper, struct es_plot *plot, struct es_buf *out);

#define ES_PAPER_SHEETS_MAX 2U
/** es_paper_sheets - as sheets of A4; what does not fit on the last is told on it. Each of @ret is to be es_scene_finish()ed, also on failure */
int es_paper_sheets(const struct es_paper *paper, const struct es_plot *plot,
		    struct es_scene ret[static ES_PAPER_SHEETS_MAX], size_t *ret_n);

#endif
