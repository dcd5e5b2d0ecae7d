/*
 * paper.c - headings, texts and tables in a row, and as a page of HTML
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/paper.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX_BYTES (64U << 20)
#define ITEM_MAX_BYTES 8192U

void es_paper_init(struct es_paper *paper)
{
	*paper = (struct es_paper){ .n = 0 };
	es_buf_init(&paper->texts, TEXTS_MAX_BYTES);
}

void es_paper_finish(struct es_paper *paper)
{
	free(paper->items);
	es_buf_finish(&paper->texts);
	*paper = (struct es_paper){ .n = 0 };
}

static struct es_paper_item *add_item(struct es_paper *paper, enum es_paper_type type)
{
	if (paper->error == 0 && paper->n == paper->cap) {
		size_t cap = paper->cap ? paper->cap * 2 : 128;
		struct es_paper_item *more = reallocarray(paper->items, cap, sizeof(*more));

		if (more) {
			paper->items = more;
			paper->cap = cap;
		} else {
			paper->error = -ENOMEM;
		}
	}
	if (paper->error < 0)
		return NULL;
	paper->items[paper->n] = (struct es_paper_item){ .type = type, .text = paper->texts.len };
	return &paper->items[paper->n++];
}

void es_paper_add(struct es_paper *paper, enum es_paper_type type, const char *fmt, ...)
{
	char text[ITEM_MAX_BYTES];
	va_list args;

	if (!add_item(paper, type))
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)es_buf_str(&paper->texts, text);
	paper->error = es_buf_u8(&paper->texts, 0);
}

void es_paper_table(struct es_paper *paper, const char *heads)
{
	struct es_paper_item *table = add_item(paper, ES_PAPER_TABLE);
	unsigned n = 1;

	for (const char *p = heads; *p; p++)
		n += *p == '|';
	if (!table)
		return;
	table->n_columns = n < ES_PAPER_COLUMNS_MAX ? n : ES_PAPER_COLUMNS_MAX;
	for (unsigned i = 0; i < table->n_columns && paper->error == 0; i++) {
		size_t length = strcspn(heads, "|");
		bool is_number = heads[0] == '#';

		es_paper_add(paper, ES_PAPER_CELL, "%.*s", (int)(length - is_number),
			     heads + is_number);
		if (paper->error < 0)
			return;
		paper->items[paper->n - 1].is_number = is_number;
		/* Adding may have moved the items. */
		table = &paper->items[paper->n - 2 - i];
		heads += length + (heads[length] == '|');
	}
}

const char *es_paper_text(const struct es_paper *paper, const struct es_paper_item *item)
{
	return (const char *)paper->texts.data + item->text;
}

bool es_paper_has_heads(const struct es_paper *paper, const struct es_paper_item *table)
{
	for (unsigned i = 1; i <= table->n_columns; i++)
		if (es_paper_text(paper, table + i)[0])
			return true;
	return false;
}

static void put_element(struct es_buf *out, const char *open, const char *text, const char *close)
{
	(void)es_buf_str(out, open);
	es_xml_text(out, text);
	(void)es_buf_str(out, close);
}

/* Heads and cells from item @i on; returns the first that is none of them. */
static size_t put_table(const struct es_paper *paper, size_t i, struct es_buf *out)
{
	const struct es_paper_item *table = &paper->items[i++], *heads = &paper->items[i];
	unsigned column;

	(void)es_buf_str(out, "<div class=\"scroll\"><table>\n");
	if (es_paper_has_heads(paper, table)) {
		(void)es_buf_str(out, "<thead><tr>");
		for (column = 0; column < table->n_columns; column++)
			put_element(out, heads[column].is_number ? "<th class=\"n\">" : "<th>",
				    es_paper_text(paper, &heads[column]), "</th>");
		(void)es_buf_str(out, "</tr></thead>\n");
	}
	i += table->n_columns;
	(void)es_buf_str(out, "<tbody>\n");
	for (column = 0; i < paper->n && paper->items[i].type == ES_PAPER_CELL; i++) {
		(void)es_buf_str(out, column == 0 ? "<tr>" : "");
		put_element(out,
			    heads[column].is_number ? "<td class=\"n\">" : "<td class=\"name\">",
			    es_paper_text(paper, &paper->items[i]), "</td>");
		column = column + 1 < table->n_columns ? column + 1 : 0;
		(void)es_buf_str(out, column == 0 ? "</tr>\n" : "");
	}
	(void)es_buf_str(out, "</tbody>\n</table></div>\n");
	return i;
}

static int put_items(const struct es_paper *paper, struct es_plot *plot, struct es_buf *out)
{
	const struct es_plot_look look = { .height_pt = 440, .is_bare = true };
	struct es_plot_words words = { .title = "" };
	int r = 0;

	es_plot_say(plot, &words);

	for (size_t i = 0; r == 0 && i < paper->n;) {
		const struct es_paper_item *item = &paper->items[i];
		const char *text = es_paper_text(paper, item);

		switch (item->type) {
		case ES_PAPER_TITLE:
			put_element(out, "<h1>", text, "</h1>\n");
			break;
		case ES_PAPER_HEADING:
			put_element(out, "<h2>", text, "</h2>\n");
			break;
		case ES_PAPER_TEXT:
			put_element(out, "<p>", text, "</p>\n");
			break;
		case ES_PAPER_SMALL:
			put_element(out, "<p class=\"muted\">", text, "</p>\n");
			break;
		case ES_PAPER_LINE:
			put_element(out, "<p class=\"line\">", text, "</p>\n");
			break;
		case ES_PAPER_PICTURE:
			r = es_plot_page_body(plot, &look, out);
			put_element(out, "<p class=\"muted\">", words.foot, "</p>\n");
			break;
		case ES_PAPER_TABLE:
			i = put_table(paper, i, out);
			continue;
		case ES_PAPER_CELL:
			break;
		}
		i++;
	}
	return r;
}

int es_paper_html(const struct es_paper *paper, struct es_plot *plot, struct es_buf *out)
{
	int r;

	if (paper->error < 0)
		return paper->error;
	(void)es_buf_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n");
	(void)es_plot_page_head(out);
	for (size_t i = 0; i < paper->n; i++)
		if (paper->items[i].type == ES_PAPER_TITLE)
			put_element(out, "<title>", es_paper_text(paper, &paper->items[i]),
				    "</title>\n");
	(void)es_buf_str(out, "</head>\n<body>\n");
	r = put_items(paper, plot, out);
	(void)es_buf_str(out, "</body>\n</html>\n");
	return r < 0 ? r : out->error;
}
