/*
 * spool_done.c - finished recordings: their summaries, and how much room they may take
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/gathered.h"
#include "daemon/spool_private.h"
#include "daemon/spool_report.h"
#include "daemon/summary.h"

#define SUMMARY_BYTES 4096U
#define LATE_NS (2 * ES_NS_PER_S) /* between two tries of a folder that took nothing */

/* What is done aside; texts and the job are copies. */
struct task {
	struct es_task task;
	int jobs_fd; /* of its own, -1: none */
	char folder[ES_PATH_MAX_BYTES]; /* of the file system that it is about */
	char stem[ES_NAME_MAX_BYTES];
	struct es_spool_file file; /* to be closed; has_file */
	bool has_file, has_recording, is_whole, is_node;
	struct es_local_job_is is;
	bool is_for_all_nodes; /* the shared folder is to have it too */
	uint64_t size_bytes;
	int error;
};

static void drop(struct es_task *base)
{
	struct task *task = (struct task *)base;

	if (task->has_file)
		es_spool_file_finish(&task->file);
	es_closep(&task->jobs_fd);
	free(task);
}

static struct task *make_task(void (*run)(struct es_task *), const char *folder, const char *stem)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->task = (struct es_task){ .run = run, .drop = drop };
	task->jobs_fd = -1;
	(void)snprintf(task->folder, sizeof(task->folder), "%s", folder);
	(void)snprintf(task->stem, sizeof(task->stem), "%s", stem);
	return task;
}

struct es_spool_entry *es_spool_add(struct es_spool *spool, const char *stem, bool is_node)
{
	struct es_spool_entry *entry;

	if (spool->n_entries >= ES_SPOOL_ENTRIES_MAX || strlen(stem) >= sizeof(entry->stem))
		return NULL;
	if (spool->n_entries == spool->cap_entries) {
		size_t cap = spool->cap_entries ? 2 * spool->cap_entries : 64;
		struct es_spool_entry *entries =
			reallocarray(spool->entries, cap, sizeof(*entries));

		if (!entries)
			return NULL;
		spool->entries = entries;
		spool->cap_entries = cap;
	}
	entry = &spool->entries[spool->n_entries++];
	memset(entry, 0, sizeof(*entry));
	(void)snprintf(entry->stem, sizeof(entry->stem), "%s", stem);
	entry->is_node = is_node;
	return entry;
}

static void forget(struct es_spool *spool, size_t i)
{
	free(spool->entries[i].is);
	memmove(&spool->entries[i], &spool->entries[i + 1],
		(--spool->n_entries - i) * sizeof(*spool->entries));
}

static struct es_spool_entry *find_entry(struct es_spool *spool, const char *stem, bool is_node)
{
	for (size_t i = spool->n_entries; i-- > 0;)
		if (spool->entries[i].is_node == is_node &&
		    strcmp(spool->entries[i].stem, stem) == 0)
			return &spool->entries[i];
	return NULL;
}

void es_spool_adopt(struct es_spool *spool, const char *stem)
{
	struct es_spool_entry *entry = find_entry(spool, stem, false);

	if (!entry)
		entry = find_entry(spool, stem, true);
	if (entry)
		forget(spool, (size_t)(entry - spool->entries));
}

static void read_recording(struct task *task)
{
	struct es_recording *recording;
	char name[ES_NAME_MAX_BYTES + 8];
	struct stat st;
	int fd;

	(void)snprintf(name, sizeof(name), "%s.esr", task->stem);
	fd = openat(task->jobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		task->size_bytes = (uint64_t)st.st_size;
	if (es_recording_open_fd(fd, name, NULL, &recording, NULL) < 0)
		return;
	if (task->is.job.id[0] == '\0')
		es_spool_take_meta(es_recording_meta(recording), task->stem, &task->is);
	(void)es_spool_take_report(recording, task->is_whole, &task->is);
	es_recording_close(recording);
}

/* On the worker's thread: all that a finished recording still needs. */
static void finish(struct es_task *base)
{
	struct task *task = (struct task *)base;
	char name[ES_NAME_MAX_BYTES + 8];

	if (task->has_file) {
		if (task->file.recorder)
			(void)es_recorder_sync(task->file.recorder);
		es_spool_file_finish(&task->file);
		task->has_file = false;
	}
	if (task->has_recording)
		read_recording(task);
	task->is.job.flags &= ~(uint32_t)ES_LOCAL_PENDING;
	if (task->is.job.id[0] == '\0' || task->is.node[0] == '\0') {
		task->error = -EBADMSG;
		return;
	}
	(void)snprintf(name, sizeof(name), "%s.json", task->stem);
	task->error = es_summary_put(task->jobs_fd, name, &task->is);
}

static bool give_finish(struct es_spool *spool, struct task *task)
{
	task->jobs_fd = fcntl(spool->jobs_fd, F_DUPFD_CLOEXEC, 0);
	if (task->jobs_fd >= 0 && es_worker_give(spool->local, &task->task) == 0)
		return true;
	drop(&task->task);
	return false;
}

bool es_spool_hand_over(struct es_spool *spool, struct es_spool_job *kept)
{
	struct es_spool_entry *entry;
	struct task *task;

	if (kept->has_file && (es_spool_file_flush(&kept->file, kept->stop_ns, true) < 0 ||
			       es_recorder_flush(kept->file.recorder) < 0))
		return false;
	task = make_task(finish, spool->folder, kept->stem);
	entry = task ? es_spool_add(spool, kept->stem, false) : NULL;
	if (!entry) {
		free(task);
		return false;
	}
	entry->is = malloc(sizeof(*entry->is));
	if (entry->is)
		*entry->is = kept->is;
	memcpy(entry->id, kept->is.job.id, sizeof(entry->id));
	entry->serial = kept->serial;
	entry->uid = kept->is.job.uid;
	entry->has_uid = kept->is.job.has_uid;
	entry->stop_unix_ns = kept->is.stop_unix_ns;
	entry->has_recording = kept->has_file && kept->file.recorder;
	if (entry->has_recording)
		entry->size_bytes = es_recorder_bytes(kept->file.recorder);
	task->is = kept->is;
	task->has_recording = entry->has_recording;
	task->is_whole = kept->is_raw && kept->generation == 0;
	task->is_for_all_nodes = true;
	task->has_file = kept->has_file;
	task->file = kept->file;
	memset(&kept->file, 0, sizeof(kept->file));
	kept->has_file = false;
	if (!give_finish(spool, task)) {
		/* Too many at once: its summary is made from its recording, later. */
		entry->is_orphan = entry->has_recording;
		if (entry->is)
			entry->is->job.flags &= ~(uint32_t)ES_LOCAL_PENDING;
	}
	return true;
}

static void put_for_all(struct es_task *base)
{
	struct task *task = (struct task *)base;

	task->error = es_gathered_put(task->folder, &task->is);
}

static void remove_for_all(struct es_task *base)
{
	struct task *task = (struct task *)base;

	(void)es_gathered_remove(task->folder, &task->is);
}

void es_spool_drop_late(struct es_spool *spool, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < spool->n_late; i++) {
		struct task *task = (struct task *)spool->late[i];

		if (!id || strcmp(task->is.job.id, id) == 0)
			drop(&task->task);
		else
			spool->late[n++] = &task->task;
	}
	spool->n_late = n;
}

void es_spool_try_late(struct es_spool *spool, int64_t now_ns)
{
	if (spool->n_late == 0 || now_ns - spool->late_ns < LATE_NS ||
	    es_worker_give(spool->remote, spool->late[0]) < 0)
		return;
	spool->late_ns = spool->remote_error < 0 ? now_ns : 0;
	memmove(spool->late, spool->late + 1, --spool->n_late * sizeof(struct es_task *));
}

static void tell_all_nodes(struct es_spool *spool, const struct es_local_job_is *is, bool is_over)
{
	struct task *task;

	if (!spool->remote || is->job.id[0] == '\0')
		return;
	task = make_task(is_over ? remove_for_all : put_for_all, spool->shared, "");
	if (!task)
		return;
	task->is = *is;
	es_spool_drop_late(spool, is->job.id); /* this one is newer */
	if (es_worker_give(spool->remote, &task->task) == 0)
		return;
	drop(&task->task);
	if (spool->n_unkept++ == 0)
		spool->log(
			spool->arg, -ENOBUFS,
			"the shared folder takes nothing for long: summaries are no longer kept for it");
}

static void take_summary(struct es_spool_entry *entry, const struct es_local_job_is *is)
{
	memcpy(entry->id, is->job.id, sizeof(entry->id));
	entry->uid = is->job.uid;
	entry->has_uid = is->job.has_uid;
	entry->stop_unix_ns = is->stop_unix_ns;
}

static void take_local(struct es_spool *spool, struct task *task)
{
	struct es_spool_entry *entry = find_entry(spool, task->stem, false);

	if (task->task.run != finish)
		return;
	if (task->is_for_all_nodes)
		tell_all_nodes(spool, &task->is, false);
	if (!entry)
		return;
	take_summary(entry, &task->is);
	if (task->size_bytes)
		entry->size_bytes = task->size_bytes;
	if (task->error == 0) {
		free(entry->is);
		entry->is = NULL;
	} else if (entry->is) {
		*entry->is =
			task->is; /* no room on the disk: it is known as long as this process lives */
	}
}

/* Once when it begins, or for another reason, once when it is over. */
static void say_remote(struct es_spool *spool, int r)
{
	char words[ES_PATH_MAX_BYTES + 256];

	if (r == spool->remote_error)
		return;
	spool->remote_error = r;
	if (r < 0)
		(void)snprintf(
			words, sizeof(words),
			"cannot write a summary into the shared folder '%s': %s: it is tried again, and until then lines of jobs on several nodes lack this one",
			spool->shared, es_strerror(r));
	else
		(void)snprintf(words, sizeof(words), "the shared folder '%s' takes summaries again",
			       spool->shared);
	spool->log(spool->arg, r, words);
}

void es_spool_take_done(struct es_spool *spool)
{
	struct es_task *task;
	int r = spool->remote_error;

	while ((task = es_worker_take(spool->local))) {
		take_local(spool, (struct task *)task);
		task->drop(task);
	}
	while (spool->remote && (task = es_worker_take(spool->remote))) {
		if (task->run == put_for_all)
			r = ((struct task *)task)->error;
		if (task->run == put_for_all && r < 0 && spool->n_late < ES_SPOOL_LATE_MAX)
			spool->late[spool->n_late++] = task;
		else
			task->drop(task);
	}
	say_remote(spool, r);
}

static int by_stop(const void *a, const void *b)
{
	const struct es_spool_entry *one = a, *other = b;

	if (one->stop_unix_ns != other->stop_unix_ns)
		return one->stop_unix_ns < other->stop_unix_ns ? -1 : 1;
	return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static bool has_end(const char *name, const char *end)
{
	size_t n = strlen(name), n_end = strlen(end);

	return n > n_end && strcmp(name + n - n_end, end) == 0;
}

/* Behind the last hyphen of a stem, up to a point. */
static uint64_t serial_of(const char *stem)
{
	const char *hyphen = strrchr(stem, '-');

	return hyphen ? strtoull(hyphen + 1, NULL, 10) : 0;
}

/* A job that ended before it was recorded has a summary alone. */
static void scan_summary(struct es_spool *spool, int fd, const char *name, const char *stem)
{
	char recording[ES_NAME_MAX_BYTES + 8];
	struct es_spool_entry *entry;
	struct es_local_job_is is;
	struct stat st;

	(void)snprintf(recording, sizeof(recording), "%s.esr", stem);
	if (fstatat(fd, recording, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    es_summary_get(fd, name, &is) < 0)
		return;
	entry = es_spool_add(spool, stem, false);
	if (!entry)
		return;
	entry->serial = serial_of(stem);
	take_summary(entry, &is);
}

static void scan_recording(struct es_spool *spool, int fd, const char *name, const char *stem,
			   bool is_node)
{
	char summary[ES_NAME_MAX_BYTES + 8];
	struct es_spool_entry *entry;
	struct es_local_job_is is;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	entry = es_spool_add(spool, stem, is_node);
	if (!entry)
		return;
	entry->has_recording = true;
	entry->size_bytes = (uint64_t)st.st_size;
	entry->stop_unix_ns = (int64_t)st.st_mtim.tv_sec * ES_NS_PER_S;
	entry->serial = serial_of(stem);
	(void)snprintf(summary, sizeof(summary), "%s.json", stem);
	if (!is_node && es_summary_get(fd, summary, &is) == 0)
		take_summary(entry, &is);
	else
		entry->is_orphan = !is_node;
}

static void scan_file(struct es_spool *spool, int fd, const char *name, bool is_node)
{
	char stem[ES_SPOOL_STEM_MAX_BYTES];
	const char *point = strrchr(name, '.');

	if (name[0] == '.' && has_end(name, ".tmp"))
		(void)unlinkat(fd, name, 0);
	if (name[0] == '.' || !point || (size_t)(point - name) >= sizeof(stem))
		return;
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)(point - name), name);
	if (strcmp(point, ".esr") == 0)
		scan_recording(spool, fd, name, stem, is_node);
	else if (strcmp(point, ".json") == 0 && !is_node)
		scan_summary(spool, fd, name, stem);
}

static int scan_folder(struct es_spool *spool, int folder_fd, bool is_node, struct es_error *err)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	es_cleanup(es_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int r = fd < 0 ? -errno : -ENOMEM;

		es_closep(&fd);
		return es_error_set(err, r, "cannot read the spool '%s'", spool->folder);
	}
	while ((entry = readdir(dir)))
		scan_file(spool, folder_fd, entry->d_name, is_node);
	return 0;
}

int es_spool_scan(struct es_spool *spool, struct es_error *err)
{
	int r = scan_folder(spool, spool->jobs_fd, false, err);

	if (r == 0 && spool->node_fd >= 0)
		r = scan_folder(spool, spool->node_fd, true, err);
	if (r == 0 && spool->n_entries)
		qsort(spool->entries, spool->n_entries, sizeof(*spool->entries), by_stop);
	return r;
}

/* ID-SERIAL of a stem, without the number of a job's further file: ID-SERIAL.2 */
static size_t name_bytes(const char *stem)
{
	const char *hyphen = strrchr(stem, '-');

	return hyphen ? (size_t)(hyphen - stem) + 1 + strspn(hyphen + 1, "0123456789") : 0;
}

static bool is_before(const char *stem, const char *other)
{
	size_t n = name_bytes(stem);

	return n == name_bytes(other) && strncmp(stem, other, n) == 0 && strlen(stem) == n &&
	       strlen(other) > n;
}

/* The job's first file, before it shared the node: what it had in all is known where its next one is. */
static bool is_part(const struct es_spool *spool, const char *stem)
{
	const struct es_spool_job *const lists[] = { spool->jobs, spool->ending };

	for (size_t i = 0; i < ES_ARRAY_SIZE(lists); i++)
		for (const struct es_spool_job *job = lists[i]; job; job = job->next)
			if (is_before(stem, job->stem))
				return true;
	for (size_t i = 0; i < spool->n_entries; i++)
		if (!spool->entries[i].is_node && is_before(stem, spool->entries[i].stem))
			return true;
	return false;
}

void es_spool_finish_orphans(struct es_spool *spool)
{
	for (size_t i = 0; i < spool->n_entries; i++) {
		struct es_spool_entry *entry = &spool->entries[i];
		struct task *task;

		if (!entry->is_orphan)
			continue;
		task = make_task(finish, spool->folder, entry->stem);
		if (!task)
			return;
		task->has_recording = true;
		task->is_for_all_nodes = !is_part(spool, entry->stem);
		if (!give_finish(spool, task))
			return;
		entry->is_orphan = false;
	}
}

static void remove_files(struct es_task *base)
{
	struct task *task = (struct task *)base;
	char path[ES_PATH_MAX_BYTES + ES_NAME_MAX_BYTES + 16];

	(void)snprintf(path, sizeof(path), "%s/%s/%s.esr", task->folder,
		       task->is_node ? "node" : "jobs", task->stem);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s/%s.json", task->folder,
		       task->is_node ? "node" : "jobs", task->stem);
	(void)unlink(path);
}

/* Also what other nodes see of it. */
static bool remove_entry(struct es_spool *spool, struct es_spool_entry *entry)
{
	struct task *task = make_task(remove_files, spool->folder, entry->stem);

	if (!task)
		return false;
	task->is_node = entry->is_node;
	memcpy(task->is.job.id, entry->id, sizeof(entry->id));
	task->is.job.has_uid = entry->has_uid;
	task->is.job.uid = entry->uid;
	task->is.stop_unix_ns = entry->stop_unix_ns;
	(void)snprintf(task->is.node, sizeof(task->is.node), "%s", spool->meta.nodes[0].name);
	if (!entry->is_node)
		tell_all_nodes(spool, &task->is, true);
	if (es_worker_give(spool->local, &task->task) < 0) {
		drop(&task->task);
		return false;
	}
	entry->is_gone = true;
	return true;
}

/* With its summary and what a folder takes for two names. */
static uint64_t size_of_entry(const struct es_spool_entry *entry)
{
	return entry->size_bytes + (entry->is_node ? 0 : SUMMARY_BYTES);
}

static uint64_t size_of(const struct es_spool *spool)
{
	uint64_t size_bytes = 0;

	for (size_t i = 0; i < spool->n_entries; i++)
		size_bytes += size_of_entry(&spool->entries[i]);
	for (const struct es_spool_job *job = spool->jobs; job; job = job->next)
		if (job->has_file && job->file.recorder)
			size_bytes += es_recorder_bytes(job->file.recorder);
	if (spool->has_node_file && spool->node.recorder)
		size_bytes += es_recorder_bytes(spool->node.recorder);
	return size_bytes;
}

static void forget_gone(struct es_spool *spool)
{
	size_t n = 0;

	for (size_t i = 0; i < spool->n_entries; i++)
		if (!spool->entries[i].is_gone)
			spool->entries[n++] = spool->entries[i];
	spool->n_entries = n;
}

void es_spool_make_room(struct es_spool *spool, int64_t now_unix_ns)
{
	uint64_t size_bytes = size_of(spool);
	size_t n_left = spool->n_entries;

	for (size_t i = 0; i < spool->n_entries; i++) {
		struct es_spool_entry *entry = &spool->entries[i];
		bool is_old = spool->options.keep_ns > 0 &&
			      now_unix_ns - entry->stop_unix_ns > spool->options.keep_ns;
		bool is_too_much =
			(spool->options.quota_bytes && size_bytes > spool->options.quota_bytes) ||
			n_left > ES_SPOOL_ENTRIES_MAX / 4 * 3;

		if (entry->is || entry->is_orphan || (!is_old && !is_too_much))
			continue;
		if (!remove_entry(spool, entry))
			break;
		size_bytes -= size_of_entry(entry);
		n_left--;
	}
	forget_gone(spool);
}
