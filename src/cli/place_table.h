/*
 * place_table.h - tables of configurations by classes of servers, as energyscopium place reads them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PLACE_TABLE_H
#define ES_CLI_PLACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/sheet.h"

/** struct es_place_names - of rows or columns, each once; zero-initialise, es_place_names_finish() it */
struct es_place_names {
	char **texts; /* [n] owned */
	size_t n;
};
void es_place_names_finish(struct es_place_names *names);
/**
 * es_place_names_add - one more, which may stand in tables and be a key of JSON
 * Returns 0; -EINVAL: it may not, @ret_fault says why ("is empty; …"); -E2BIG: more than @max; -ENOMEM.
 */
int es_place_names_add(struct es_place_names *names, const char *name, size_t max,
		       const char **ret_fault);
/** es_place_names_find - index of @name, or SIZE_MAX */
size_t es_place_names_find(const struct es_place_names *names, const char *name);
/** es_place_names_near - "; did you mean 'X'?" where one is near, else which there are, shortened; returns @ret */
char *es_place_names_near(const struct es_place_names *names, const char *name,
			  char ret[static ES_NAME_MAX_BYTES * 2]);

/** struct es_place_table - zero-initialise, es_place_table_finish() it */
struct es_place_table {
	struct es_place_names configurations, classes;
	int64_t *cells; /* [configurations * classes] owned: nkWh or µs; 0: empty */
};

/**
 * es_place_table_take - a table of energies (kWh) or times (hours, or with a unit) out of a sheet, of which lines may be left out
 * Returns 0; -EBADMSG with file, line and column; -ENODATA: no row is left; -E2BIG; -ENOMEM.
 */
int es_place_table_take(struct es_sheet *sheet, bool is_time, struct es_place_table *ret,
			struct es_error *err);
/** es_place_table_load - of a file; what is left out is told as @command; -EBADMSG where @is_strict and there is such */
int es_place_table_load(const char *path, const char *command, bool is_strict, bool is_time,
			struct es_place_table *ret, struct es_error *err);
void es_place_table_finish(struct es_place_table *table);

#endif
