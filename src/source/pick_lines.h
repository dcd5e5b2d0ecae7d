/*
 * source/pick_lines.h - cells of tables and values behind keys, of the last whole line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_PICK_LINES_H
#define ES_SOURCE_PICK_LINES_H

#include <stddef.h>

#include "base/error.h"

#define ES_PICK_CELL_BYTES 128U

/**
 * es_pick_cells - two cells of the last line of a table
 * @column, @time: a name from the first line, or a number counted from 1; @time "": not wanted
 *
 * Cells are divided by the first of ; , tab and blank that the first line has. Returns 0, -ENODATA, or -EBADMSG.
 */
int es_pick_cells(const char *text, size_t n, const char *column, const char *time,
		  char ret[static ES_PICK_CELL_BYTES], char ret_time[static ES_PICK_CELL_BYTES],
		  struct es_error *err);
/** es_pick_keys - what follows @key and @time in the last lines that begin with them: "KEY VALUE", "KEY: VALUE", "KEY=VALUE" */
int es_pick_keys(const char *text, size_t n, const char *key, const char *time,
		 char ret[static ES_PICK_CELL_BYTES], char ret_time[static ES_PICK_CELL_BYTES],
		 struct es_error *err);

#endif
