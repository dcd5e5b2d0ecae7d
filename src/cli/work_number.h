/*
 * work_number.h - the number in a file: its whole content, or that of a log's last line that has one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_NUMBER_H
#define ES_CLI_WORK_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * es_work_number - the number that @n bytes of a file say, in millionths
 * @is_all: they are the whole file; else its end
 *
 * Either one number and blanks are all there is, or the last complete line that begins with a number counts: behind
 * it comes a blank, a comma, a semicolon or the line's end. Returns 0, -ENODATA: there is none, -ERANGE: negative or
 * too large.
 */
int es_work_number(const char *text, size_t n, bool is_all, int64_t *ret_micro);

#endif
