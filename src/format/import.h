/*
 * import.h - recordings from what other tools left
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_H
#define ES_FORMAT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_import_options - zero-initialise */
struct es_import_options {
	const char *out_dir; /* made where it is missing; NULL: here */
	bool may_replace; /* an existing recording */
	const char *
		name; /* of the job; NULL: what the files say. Several jobs get -2, -3, … behind it */
	uint32_t n_cpus; /* allocated to the job; 0: what the files say */
};

/** struct es_import_result - what came of it; zero-initialise, free with es_import_result_finish() */
struct es_import_result {
	char **recordings; /* paths */
	size_t n;
	char **warnings; /* what a person should know: assumptions, holes, what was left out */
	size_t n_warnings;
};

#define ES_IMPORT_WARNINGS_MAX 200U
#define ES_IMPORT_JOBS_MAX 10000U

/**
 * es_import - recognise what is at @path and write a recording of each job in it
 * @path: a file, a folder or a tarball; see es_archive_walk()
 * @ret: grows; what was written before an error is listed in it as well
 *
 * Recognised, by what is in the files and not by their names:
 *  - a run of Energy Scope 2022: es_read_rt_result with es_discover_result of each node, else an eprofile;
 *  - an eprofile of ours, which reads back to the same numbers;
 *  - a ClusterCockpit job archive: meta and data;
 *  - CSV with a header line of time, domain, power_w or energy_j.
 *
 * Returns 0; -ENODATA: nothing there is recognised, or what is has no power over time; -EEXIST; -EBADMSG; -ENOMEM; errors
 * of reading and writing.
 */
int es_import(const char *path, const struct es_import_options *options,
	      struct es_import_result *ret, struct es_error *err);
/** es_import_paths - the same for several paths that may belong together */
int es_import_paths(const char *const *paths, size_t n_paths,
		    const struct es_import_options *options, struct es_import_result *ret,
		    struct es_error *err);
void es_import_result_finish(struct es_import_result *result);

#endif
