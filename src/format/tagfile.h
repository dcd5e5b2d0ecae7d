/*
 * tagfile.h - tags from a file: name,start,stop
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_TAGFILE_H
#define ES_FORMAT_TAGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

struct es_regions;
struct es_report;

#define ES_TAGFILE_MAX_BYTES (128U << 20)

/** struct es_tag_time - ns since 1970, or after the start of the recording */
struct es_tag_time {
	bool is_relative;
	int64_t t_ns;
};

/** struct es_tag_row - one call of a region */
struct es_tag_row {
	size_t line;
	const char *name; /* in the file's text */
	struct es_tag_time start, stop;
};

/** struct es_tagfile - zero-initialise; es_tagfile_finish() it */
struct es_tagfile {
	char path[ES_PATH_MAX_BYTES]; /* for messages */
	char *text;
	struct es_tag_row *rows;
	size_t n_rows, cap_rows;
};

/**
 * es_tagfile_read - CSV with a name, a start and a stop on each line; a line of just these words may come first
 *
 * Times are RFC 3339 (without a zone local), seconds since 1970, or +SECONDS after the recording's start (also with a
 * unit: +1.5min). Names are as for tags of a script; es_… is refused. Returns 0; -EINVAL with file and line in @err
 * where something is wrong; errors of open and read; -EFBIG; -E2BIG: too many lines; -ENOMEM.
 */
int es_tagfile_read(struct es_tagfile *file, const char *path, struct es_error *err);
/** es_tagfile_parse - the same of @text, @n bytes and a NUL; takes ownership of it */
int es_tagfile_parse(struct es_tagfile *file, const char *path, char *text, size_t n,
		     struct es_error *err);
void es_tagfile_finish(struct es_tagfile *file);

/**
 * es_tagfile_add - its calls beside the recording's own
 * Returns 0; -EINVAL: a stop lies before its start, or nothing lies within the recording; -E2BIG; -ENOMEM.
 */
int es_tagfile_add(const struct es_tagfile *file, const struct es_report *report,
		   struct es_regions *regions, struct es_error *err);

#endif
