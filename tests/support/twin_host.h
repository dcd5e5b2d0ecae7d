/*
 * twin_host.h - a simulated node for tests: its files read and written in memory, its time set by hand
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TWIN_HOST_H
#define ES_TESTS_SUPPORT_TWIN_HOST_H

#include "support/tree_models.h"
#include "twin/host.h"

#define TWIN_START_NS INT64_C(1000000000000)

/** struct twin - a node, and the kind that it was made of */
struct twin {
	struct es_twin_kind kind;
	struct es_twin_kind *own; /* the copy that the node lives by */
	struct es_twin_host *host;
	int64_t t_ns;
};

/** twin_kind - a kind with the processors and meters of one of es-tree's models (which is NULL: none of that name), and plausible powers */
bool twin_kind(const char *model, struct es_twin_kind *ret);
/** twin_up - switch on a node of twin->kind, quiet; 0 or negative errno. twin_down() it */
int twin_up(struct twin *twin);
void twin_down(struct twin *twin);
/** twin_wait - let time pass */
void twin_wait(struct twin *twin, int64_t dur_ns);
/** twin_load - begin a program of one phase; its number or negative errno */
int twin_load(struct twin *twin, const char *phase);

/** twin_show - the content of a text file; 0 or its negative errno (-ENOENT: there is none) */
int twin_show(const struct twin *twin, const char *path, char *text, size_t size);
/** twin_number - the number in a file, or its negative errno */
int64_t twin_number(const struct twin *twin, const char *path);
int twin_store(const struct twin *twin, const char *path, const char *text);
ssize_t twin_read_at(const struct twin *twin, const char *path, off_t at, void *data, size_t n);
ssize_t twin_write_at(const struct twin *twin, const char *path, off_t at, const void *data,
		      size_t n);

#endif
