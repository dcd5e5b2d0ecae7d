/*
 * onefile.h - the one text of what a user named, unpacked where it is packed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_ONEFILE_H
#define ES_CLI_ONEFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/swf.h"

/**
 * es_one_file_read - @ret: @ret_n bytes and a NUL, owned by caller, free()
 * Returns 0; -EINVAL: several files; -EBADMSG: cut off; -ENODATA: no text; errors of es_archive_walk(). All name @path.
 */
int es_one_file_read(const char *path, char **ret, size_t *ret_n, struct es_error *err);

/**
 * es_one_file_swf - the same, a trace of jobs; wrong lines are told on stderr as @command's, the first of them one by one
 * @swf: es_swf_finish() it in any case. Returns as above, or as es_swf_parse().
 */
int es_one_file_swf(const char *command, const char *path, bool is_strict, struct es_swf *swf,
		    struct es_error *err);

#endif
