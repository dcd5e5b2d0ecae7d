/*
 * archive.h - the files of a folder, a tarball or one file, whatever they are compressed with
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_ARCHIVE_H
#define ES_FORMAT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_archive_file - one file as it is handed out */
struct es_archive_file {
	const char *
		name; /* path below what was walked, for messages and for telling which files belong together: hostile */
	char *data; /* @n bytes and a NUL; a callback may take it with es_steal_ptr() and free() it later */
	size_t n;
	bool is_cut; /* the archive breaks off inside this file */
};

/** struct es_archive_limits - 0 and NULL take the defaults */
struct es_archive_limits {
	uint64_t max_bytes; /* of all files together, unpacked */
	size_t max_entries; /* files and folders */
	const char *soname; /* what to open instead of libarchive */
};

#define ES_ARCHIVE_MAX_BYTES (1ULL << 30)
#define ES_ARCHIVE_MAX_ENTRIES 100000U

/** es_archive_fn - told one file; a negative return stops the walk */
typedef int (*es_archive_fn)(void *arg, struct es_archive_file *file);

/**
 * es_archive_walk - hand out each regular file of @path
 * @path: a folder, a tar archive (plain, or by gzip, bzip2, xz, zstd), or a file (plain or compressed likewise)
 * @limits: may be NULL
 *
 * Everything happens in memory: nothing is ever unpacked to disk, links are not followed, names are names only.
 * Archives inside of a folder or an archive are walked too, two levels deep. Files that are neither text nor an
 * archive are passed over. Plain files need no library; for the rest libarchive is opened.
 *
 * Returns 0; errors of open and read; -EFBIG or -E2BIG: over a limit; -EBADMSG: a broken archive; -ENOENT, where
 * libarchive is needed and missing; what @fn returned.
 */
int es_archive_walk(const char *path, const struct es_archive_limits *limits, es_archive_fn fn,
		    void *arg, struct es_error *err);

#endif
