/*
 * dl.h - libraries that are opened when they are used
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_DL_H
#define ES_BASE_DL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/** struct es_dl_symbol - one function of a library and where its address goes */
struct es_dl_symbol {
	const char *name;
	void *slot; /* address of a pointer to function; NULL is put there where the library lacks it */
	bool is_required;
};

/** struct es_dl - an open library; zero-initialise */
struct es_dl {
	void *handle;
};

/**
 * es_dl_open - open @library and look up @symbols
 * @library: as for dlopen(3): a name with its version, "libarchive.so.13"
 *
 * Returns 0; -ENOENT: no such library here; -ENOSYS: it lacks a required function. On failure nothing stays open.
 */
int es_dl_open(struct es_dl *dl, const char *library, const struct es_dl_symbol *symbols, size_t n,
	       struct es_error *err);
/** es_dl_close - the functions found may no longer be called */
void es_dl_close(struct es_dl *dl);

#endif
