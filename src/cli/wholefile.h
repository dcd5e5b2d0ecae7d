/*
 * wholefile.h - a regular file at once
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WHOLEFILE_H
#define ES_CLI_WHOLEFILE_H

#include <stddef.h>

#include "base/error.h"

/**
 * es_file_read - all of a regular file, with a NUL behind it; pipes and devices are not waited for
 * @ret: owned by caller, free(); @ret_n: without the NUL
 *
 * Returns 0; -EINVAL: no regular file, or of more than @most_bytes (1 MiB at least); -ENOMEM; errors of reading: with words
 * that name the file.
 */
int es_file_read(const char *path, size_t most_bytes, char **ret, size_t *ret_n,
		 struct es_error *err);
/** es_file_read_at - the same of @name in the folder @folder_fd */
int es_file_read_at(int folder_fd, const char *name, size_t most_bytes, char **ret, size_t *ret_n,
		    struct es_error *err);

#endif
