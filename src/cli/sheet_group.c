/*
 * sheet_group.c - rows of a table that belong together
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/sheet.h"

#define NAME_MAX_BYTES 4096U

struct member {
	const struct es_sheet *sheet;
	const int *columns;
	size_t n_columns, row;
};

/* Numbers by their values, before words; those written in two ways by how they are written. */
static int by_cell(const char *a, const char *b)
{
	double x, y;
	bool is_x = es_parse_double(a, &x) == 0, is_y = es_parse_double(b, &y) == 0;

	if (is_x && is_y && (x < y || x > y))
		return x < y ? -1 : 1;
	if (is_x != is_y)
		return is_x ? -1 : 1;
	return strcmp(a, b);
}

static int by_group(const struct member *x, const struct member *y)
{
	for (size_t i = 0; i < x->n_columns; i++) {
		int order = by_cell(es_sheet_cell(x->sheet, x->row, x->columns[i]),
				    es_sheet_cell(y->sheet, y->row, y->columns[i]));

		if (order)
			return order;
	}
	return 0;
}

static int by_group_and_row(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = by_group(x, y);

	return order ? order : (x->row > y->row) - (x->row < y->row);
}

static char *name_of(const struct member *member)
{
	struct es_buf name;
	char *text = NULL;

	es_buf_init(&name, NAME_MAX_BYTES);
	for (size_t i = 0; i < member->n_columns; i++)
		(void)es_buf_printf(&name, "%s%.200s", i ? " / " : "",
				    es_sheet_cell(member->sheet, member->row, member->columns[i]));
	if (es_buf_u8(&name, '\0') == 0)
		text = strdup((const char *)name.data);
	es_buf_finish(&name);
	return text;
}

int es_sheet_group(const struct es_sheet *rows, const int *columns, size_t n_columns,
		   struct es_sheet_groups *ret)
{
	es_cleanup(es_freep) struct member *members = calloc(rows->n + 1, sizeof(*members));

	*ret = (struct es_sheet_groups){ .rows = calloc(rows->n + 1, sizeof(*ret->rows)),
					 .first = calloc(rows->n + 1, sizeof(*ret->first)),
					 .names = calloc(rows->n + 1, sizeof(*ret->names)) };
	if (!members || !ret->rows || !ret->first || !ret->names) {
		es_sheet_groups_finish(ret);
		return -ENOMEM;
	}
	for (size_t i = 0; i < rows->n; i++)
		members[i] = (struct member){ rows, columns, n_columns, i };
	qsort(members, rows->n, sizeof(*members), by_group_and_row);
	for (size_t i = 0; i < rows->n; i++) {
		ret->rows[i] = members[i].row;
		if (i > 0 && by_group(&members[i - 1], &members[i]) == 0)
			continue;
		ret->first[ret->n] = i;
		ret->names[ret->n] = name_of(&members[i]);
		if (!ret->names[ret->n++]) {
			es_sheet_groups_finish(ret);
			return -ENOMEM;
		}
	}
	ret->first[ret->n] = rows->n;
	return 0;
}

void es_sheet_groups_finish(struct es_sheet_groups *groups)
{
	for (size_t i = 0; groups->names && i < groups->n; i++)
		free(groups->names[i]);
	free(groups->names);
	free(groups->first);
	free(groups->rows);
	*groups = (struct es_sheet_groups){ .n = 0 };
}

static int add_column(const struct es_sheet *rows, const char *option, const char *name,
		      size_t n_max, int *ret, size_t *ret_n, struct es_error *err)
{
	int column, r = es_sheet_find(rows, option, name, &column, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < *ret_n; i++)
		if (ret[i] == column)
			return es_error_say(err, -EINVAL, "--%s names column '%.60s' twice", option,
					    name);
	if (*ret_n == n_max)
		return es_error_say(err, -E2BIG, "--%s names more than %zu columns", option, n_max);
	ret[(*ret_n)++] = column;
	return 0;
}

int es_sheet_find_list(const struct es_sheet *rows, const char *option, const char *list,
		       size_t n_max, int *ret, size_t *ret_n, struct es_error *err)
{
	es_cleanup(es_freep) char *words = strdup(list);
	char *rest = words;
	int column, r = 0;

	if (!words)
		return es_error_set(err, -ENOMEM, "cannot look for columns");
	/* A name may have commas in it. */
	if (!strchr(list, ',') || es_sheet_find(rows, option, list, &column, NULL) == 0)
		return add_column(rows, option, list, n_max, ret, ret_n, err);
	while (r == 0 && rest)
		r = add_column(rows, option, strsep(&rest, ","), n_max, ret, ret_n, err);
	return r;
}
