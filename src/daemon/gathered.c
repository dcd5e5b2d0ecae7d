/*
 * gathered.c - summaries of all nodes of a job, in a folder that they share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/gathered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/summary.h"

#define FILES_MAX (2U * ES_NODES_MAX) /* looked at in one folder */

/* A file's name for a node: what could leave the folder, or hide in it, cannot be one. */
static int file_name(const char *node, char *ret, size_t size)
{
	if (node[0] == '\0' || node[0] == '.' || strchr(node, '/'))
		return -EINVAL;
	return snprintf(ret, size, "%s.json", node) < (int)size ? 0 : -ENAMETOOLONG;
}

static int open_folder(const char *shared, const char *id, bool may_make)
{
	es_cleanup(es_closep) int top = open(shared, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (top < 0)
		return -errno;
	if (es_local_id_problem(id))
		return -EINVAL;
	if (may_make && mkdirat(top, id, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(top, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		es_closep(&fd);
		return r;
	}
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return fd;
	es_closep(&fd); /* somebody else made it first, or may change what is in it */
	return -EPERM;
}

static bool is_same_user(const struct es_local_job *one, const struct es_local_job *other)
{
	return one->has_uid == other->has_uid && one->uid == other->uid;
}

/* Anybody may tell of a job of any number: that of another one, which has ended, stays as it is. */
static bool may_replace(int fd, const char *name, const struct es_local_job_is *job)
{
	struct es_local_job_is old;

	return !(job->job.flags & ES_LOCAL_OF_USER) || es_summary_get(fd, name, &old) < 0 ||
	       ((old.job.flags & ES_LOCAL_OF_USER) && is_same_user(&old.job, &job->job));
}

int es_gathered_put(const char *shared, const struct es_local_job_is *job)
{
	es_cleanup(es_closep) int fd = open_folder(shared, job->job.id, true);
	char name[ES_NAME_MAX_BYTES];
	int r = fd < 0 ? fd : file_name(job->node, name, sizeof(name));

	if (r < 0)
		return r;
	return may_replace(fd, name, job) ? es_summary_put(fd, name, job) : 0;
}

int es_gathered_remove(const char *shared, const struct es_local_job_is *job)
{
	es_cleanup(es_closep) int fd = open_folder(shared, job->job.id, false);
	char name[ES_NAME_MAX_BYTES], path[ES_PATH_MAX_BYTES];
	struct es_local_job_is there;
	int r = fd < 0 ? fd : file_name(job->node, name, sizeof(name));

	if (r < 0)
		return r;
	if (es_summary_get(fd, name, &there) == 0 &&
	    (there.stop_unix_ns != job->stop_unix_ns || !is_same_user(&there.job, &job->job)))
		return 0;
	if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (snprintf(path, sizeof(path), "%s/%s", shared, job->job.id) < (int)sizeof(path))
		(void)rmdir(path);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct es_local_job_is *one = a, *other = b;

	if (one->job.node_index != other->job.node_index)
		return one->job.node_index < other->job.node_index ? -1 : 1;
	return strcmp(one->node, other->node);
}

/* What root told of comes last, whenever it was. */
static bool is_before(const struct es_local_job_is *one, const struct es_local_job_is *other)
{
	bool is_of_user = one->job.flags & ES_LOCAL_OF_USER;
	bool is_others = other->job.flags & ES_LOCAL_OF_USER;

	return is_of_user == is_others ? one->stop_unix_ns < other->stop_unix_ns : is_of_user;
}

/*
 * A job that was queued again, or a number that came round again, leaves older files of other nodes: what counts is of the
 * newest start, and went on while that did. So does a user who takes somebody's number.
 */
static size_t keep_newest(struct es_local_job_is *jobs, size_t n)
{
	const struct es_local_job_is *newest = NULL;
	uint32_t restarts, of_user, uid;
	int64_t start_ns, stop_ns;
	size_t n_kept = 0;
	bool has_uid;

	for (size_t i = 0; i < n; i++)
		if (!newest || is_before(newest, &jobs[i]))
			newest = &jobs[i];
	if (!newest)
		return 0;
	of_user = newest->job.flags & ES_LOCAL_OF_USER;
	has_uid = newest->job.has_uid;
	uid = newest->job.uid;
	restarts = newest->job.restarts;
	start_ns = newest->start_unix_ns;
	stop_ns = newest->stop_unix_ns;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].job.restarts != restarts || jobs[i].stop_unix_ns < start_ns ||
		    jobs[i].start_unix_ns > stop_ns ||
		    (jobs[i].job.flags & ES_LOCAL_OF_USER) != of_user ||
		    (has_uid && jobs[i].job.has_uid && jobs[i].job.uid != uid))
			continue;
		if (n_kept != i)
			jobs[n_kept] = jobs[i];
		n_kept++;
	}
	return n_kept;
}

/* It says of itself what its name says, and is the user's. */
static bool is_of(const struct es_local_job_is *job, const char *id, uint32_t uid, const char *name)
{
	char expected[ES_NAME_MAX_BYTES];

	return strcmp(job->job.id, id) == 0 &&
	       (uid == UINT32_MAX || (job->job.has_uid && job->job.uid == uid)) &&
	       file_name(job->node, expected, sizeof(expected)) == 0 && strcmp(expected, name) == 0;
}

int es_gathered_read(const char *shared, const char *id, uint32_t uid, struct es_local_job_is *ret,
		     size_t max)
{
	int fd = open_folder(shared, id, false);
	es_cleanup(es_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0, n_files = 0;

	if (fd < 0)
		return fd;
	if (!dir) {
		es_closep(&fd);
		return -ENOMEM;
	}
	while (n < max && n_files++ < FILES_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    es_summary_get(dirfd(dir), entry->d_name, &ret[n]) < 0)
			continue;
		n += is_of(&ret[n], id, uid, entry->d_name);
	}
	n = keep_newest(ret, n);
	qsort(ret, n, sizeof(*ret), by_place);
	return n ? (int)n : -ENOENT;
}
