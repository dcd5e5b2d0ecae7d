/*
 * work_lines.h - the lines of a stream that comes in pieces, those that may hold a number
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_LINES_H
#define ES_CLI_WORK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_WORK_LINE_MAX_BYTES 16384U /* of a longer line only so much is looked at */

/** es_work_line_fn - a line without its end, at least one byte; it has a digit among its first bytes that are looked at */
typedef void (*es_work_line_fn)(void *arg, const char *line, size_t n);

/** struct es_work_lines - zero-initialise, set @tell and @arg */
struct es_work_lines {
	es_work_line_fn tell;
	void *arg;
	uint64_t n_cut; /* lines of which only the beginning was looked at */
	size_t n_kept; /* the beginning of a line whose end is to come */
	bool is_cut;
	char kept[ES_WORK_LINE_MAX_BYTES];
};

/**
 * es_work_lines_feed - a piece of the stream, cut anywhere
 *
 * A line ends with a newline or a carriage return, so that a progress bar that overwrites itself has lines too. Lines
 * without a digit are passed over at the speed of memory.
 */
void es_work_lines_feed(struct es_work_lines *lines, const char *data, size_t n);
/** es_work_lines_end - nothing follows: what is left is a line */
void es_work_lines_end(struct es_work_lines *lines);

#endif
