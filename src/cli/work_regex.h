/*
 * work_regex.h - a pattern that finds amounts of work in lines of output
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_REGEX_H
#define ES_CLI_WORK_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_work_regex - a compiled pattern of PCRE2, whose library is opened for it */
struct es_work_regex;

/**
 * es_work_regex_create - compile @pattern, which has one group: the amount
 * @library: NULL: libpcre2-8.so.0
 *
 * Bytes are matched as they are, without UTF-8. Returns 0; -ENOENT: no library; -EINVAL: no pattern, with its place in @err.
 */
int es_work_regex_create(const char *pattern, const char *library, struct es_work_regex **ret,
			 struct es_error *err);
void es_work_regex_destroy(struct es_work_regex *regex);

/**
 * es_work_regex_find - the amount in a line, in millionths
 * Returns 1; 0: it does not match; -EBADMSG: it matches, and the group is no number; -E2BIG: the search was broken
 * off, since it would take too long.
 */
int es_work_regex_find(struct es_work_regex *regex, const char *line, size_t n, int64_t *ret_micro);

#endif
