/*
 * twin_table.h - tables of measured times and energies that a twin is held against
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_TABLE_H
#define ES_CLI_TWIN_TABLE_H

#include "base/error.h"
#include "twin/fit.h"

#define ES_TWIN_TABLE_MAX_BYTES (16U << 20)
#define ES_TWIN_PROGRAMS_MAX 4096U

/** struct es_twin_measured - one program's rows */
struct es_twin_measured {
	char name[ES_NAME_MAX_BYTES];
	struct es_twin_row *rows; /* [n] owned, by setting */
	size_t n;
};

/** struct es_twin_table - of one file or several; zero-initialise, es_twin_table_finish() it */
struct es_twin_table {
	const char *shape; /* what it was taken for; NULL: nothing read yet */
	enum es_twin_knob knob;
	enum es_twin_scope scope;
	struct es_twin_measured *programs; /* [n] owned, in the order they were met */
	size_t n;
	double idle_w; /* of the node, where the table says it; else 0 */
};

/** struct es_twin_reading - how to read; members may be NULL */
struct es_twin_reading {
	const struct es_twin_kind *kind; /* P-states are numbered by its clocks */
	const char *columns; /* NAME=COLUMN,…: what the columns of the table are called there */
	const char *scope; /* node, package, gpu */
};

/**
 * es_twin_table_read - add what a file holds; @text of @n bytes and the NUL behind them is changed
 * @name: of the file; programs without a name of their own are called after it
 * Returns 0; -EBADMSG with file, line and column; -EINVAL: @reading is wrong; -E2BIG; -ENOMEM. On failure nothing may be used.
 */
int es_twin_table_read(const struct es_twin_reading *reading, const char *name, char *text,
		       size_t n, struct es_twin_table *table, struct es_error *err);
void es_twin_table_finish(struct es_twin_table *table);

#endif
