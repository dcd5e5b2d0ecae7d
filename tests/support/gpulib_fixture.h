/*
 * gpulib_fixture.h - a tree with GPUs of AMD or Intel, their library and its state, and a source opened on it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_GPULIB_FIXTURE_H
#define ES_TESTS_SUPPORT_GPULIB_FIXTURE_H

#include <stdio.h>

#include "support/gpulib_table.h"
#include "support/sourced.h"

struct gpulib_fixture {
	struct sourced *f;
	struct gpulib_table table;
	struct gpulib_state *state;
};

/* The tree of @model gets the machine of a table below tests/machines/gpulib, or of a text, and the library that @stub names as @library. */
static inline void gpulib_put(struct gpulib_fixture *g, struct sourced *f, const char *model,
			      const char *table, const char *stub, const char *library)
{
	char path[512];

	g->f = f;
	sourced_make(f, model);
	if (strchr(table, '\n')) {
		sourced_put(f, "table", table);
		(void)snprintf(path, sizeof(path), "%s/table", f->dir);
	} else {
		(void)snprintf(path, sizeof(path), "%s/tests/machines/gpulib/%s.table",
			       getenv("ES_SOURCE_ROOT"), table);
	}
	assert_int_equal(gpulib_tree_make(f->dir, path), 0);
	if (stub) {
		assert_non_null(getenv(stub));
		assert_int_equal(gpulib_tree_add(f->dir, getenv(stub), library), 0);
	}
	gpulib_state_unmap(g->state);
	g->state = gpulib_tree_open(f->dir, &g->table);
	assert_non_null(g->state);
}

/* What one domain shows, from a sweep that gave it something new or failed for another reason. */
static inline const struct es_reading *gpulib_read(struct gpulib_fixture *g, const char *id)
{
	const struct es_reading *reading = sourced_read(g->f, id);

	for (int tries = 0; tries < 1000 && reading->error == -ECANCELED; tries++) {
		(void)usleep(1000);
		reading = sourced_read(g->f, id);
	}
	return reading;
}

/* Reads until the domain's error is @error, or a test that waits so long has failed. */
static inline void gpulib_await(struct gpulib_fixture *g, const char *id, int error)
{
	int r = 1;

	for (int tries = 0; tries < 1500 && r != error; tries++) {
		(void)usleep(tries ? 20000 : 0);
		r = sourced_read(g->f, id)->error;
	}
	assert_int_equal(r, error);
}

#endif
