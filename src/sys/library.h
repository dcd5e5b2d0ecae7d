/*
 * sys/library.h - vendors' libraries, opened when used: this machine's, or a tree's own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_LIBRARY_H
#define ES_SYS_LIBRARY_H

#include <stddef.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/**
 * es_library_open - find a library by one of its names and look up @symbols
 * @names: with their versions, the best first; NULL ends them
 * @more: folders below the root where its packages put it besides the usual ones, NULL at the end; NULL: none
 *
 * On this machine it is where the loader finds it, or in one of @more. In a tree it is a file in one of the usual folders
 * below the root, which is code that is then run: it must belong to root or to this user, and nobody else may be able to
 * write it.
 * Returns 0; -ENOENT: there is none; -ENOSYS: it lacks a required function; -EPERM: a tree's that is not to be trusted.
 */
int es_library_open(const struct es_root *root, const char *const *names, const char *const *more,
		    const struct es_dl_symbol *symbols, size_t n, struct es_dl *ret,
		    struct es_error *err);

#endif
