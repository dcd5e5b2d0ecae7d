/*
 * trials_file.c - runs out of whatever lies at a path
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/trials_private.h"
#include "format/import.h"
#include "format/import_csv.h"
#include "record/frame.h"

#define HEAD_BYTES 4096U

/* The first bytes of a file, with a NUL behind them. */
static int read_head(const char *path, char head[static HEAD_BYTES], size_t *ret_n,
		     struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, HEAD_BYTES - 1, 0);

	if (n < 0)
		return es_error_set(err, -errno, "cannot read '%.300s'", path);
	head[n] = '\0';
	*ret_n = (size_t)n;
	return 0;
}

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcasecmp(name + n - m, ending) == 0;
}

/* Recordings that an import left in a folder of ours, and the folder. */
static void remove_import(const struct es_import_result *result, const char *dir)
{
	for (size_t i = 0; i < result->n; i++)
		(void)unlink(result->recordings[i]);
	(void)rmdir(dir);
}

/* What another tool left: converted beside, read, and thrown away. */
static int take_import(const struct es_trials_reading *reading, struct es_error *err)
{
	const char *tmp = getenv("TMPDIR");
	char dir[ES_PATH_MAX_BYTES];
	struct es_import_options options = { .out_dir = dir };
	struct es_import_result result = { .n = 0 };
	int r;

	if (snprintf(dir, sizeof(dir), "%s/energyscopium-XXXXXX", tmp && *tmp ? tmp : "/tmp") >=
		    (int)sizeof(dir) ||
	    !mkdtemp(dir))
		return es_error_set(err, -errno, "cannot make a temporary folder");
	r = es_import(reading->path, &options, &result, err);
	for (size_t i = 0; r == 0 && i < result.n; i++)
		r = es_trials_take(reading, result.recordings[i], reading->path, err);
	remove_import(&result, dir);
	es_import_result_finish(&result);
	return r;
}

static int is_recording(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && ends_with(entry->d_name, ".esr");
}

/* The recordings in a folder, A-2 before A-10; without one it is what another tool left. */
static int take_folder(const struct es_trials_reading *reading, struct es_error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(reading->path, &entries, is_recording, versionsort), r = 0;

	if (n < 0)
		return es_error_set(err, -errno, "cannot read folder '%.300s'", reading->path);
	for (int i = 0; i < n; i++) {
		char path[ES_PATH_MAX_BYTES];
		size_t length = strlen(reading->path);
		const char *slash = length && reading->path[length - 1] == '/' ? "" : "/";

		if (r == 0 && snprintf(path, sizeof(path), "%s%s%s", reading->path, slash,
				       entries[i]->d_name) >= (int)sizeof(path))
			r = es_error_set(err, -ENAMETOOLONG, "'%.300s'", reading->path);
		else if (r == 0)
			r = es_trials_take(reading, path, path, err);
		free(entries[i]);
	}
	free(entries);
	if (r == 0 && n == 0)
		r = take_import(reading, err);
	return r;
}

/* A table is known by its name, or by being nothing else: what time series in CSV are their header tells. */
static int take_file(const struct es_trials_reading *reading, struct es_error *err)
{
	const char *path = reading->path;
	bool is_named_table = ends_with(path, ".csv") || ends_with(path, ".tsv");
	char head[HEAD_BYTES];
	size_t n = 0;
	int r = read_head(path, head, &n, err);

	if (r < 0)
		return r;
	if (ends_with(path, ".esr") ||
	    (n >= ES_RECORD_HEADER_BYTES &&
	     memcmp(head, ES_RECORD_MAGIC, ES_RECORD_HEADER_BYTES - 1) == 0))
		return es_trials_take(reading, path, path, err);
	if (is_named_table && !es_import_csv_is_it(head, n))
		return es_trials_take_table(reading, err);
	r = take_import(reading, err);
	if (r == -ENODATA && !memchr(head, '\0', n) && n > 0)
		return es_trials_take_table(reading, err);
	return r;
}

int es_trials_read(struct es_trials *trials, const char *path, const char *group,
		   const struct es_trials_ask *ask, struct es_chain *chain, struct es_error *err)
{
	const struct es_trials_reading reading = {
		.trials = trials, .ask = ask, .chain = chain, .path = path, .group = group
	};
	char found[ES_PATH_MAX_BYTES];
	struct es_trials_reading job = reading;
	size_t before = trials->n + trials->n_twice;
	struct stat st;
	int r;

	if (stat(path, &st) < 0) {
		/* The name of a job in the folder of the settings, as everywhere. */
		r = es_find_recording(path, &chain->settings, found, err);
		if (r < 0)
			return r;
		job.path = found;
		if (stat(found, &st) < 0)
			return es_error_set(err, -errno, "cannot read '%.300s'", path);
	}
	if (S_ISDIR(st.st_mode))
		r = take_folder(&job, err);
	else if (S_ISREG(st.st_mode))
		r = take_file(&job, err);
	else
		return es_error_say(err, -EINVAL, "'%.300s' is no regular file and no folder",
				    path);
	if (r == 0 && trials->n + trials->n_twice == before)
		r = es_error_say(err, -ENODATA, "'%.300s' has no run in it", path);
	return r;
}
