/*
 * spool.c - recordings of jobs, and of the node, in a folder with a quota
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/spool.h"

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
#include "daemon/summary.h"
#include "ipc/message.h"

#define LOCAL_TASKS_MAX 8192U
#define REMOTE_TASKS_MAX 1024U
#define LOOK_NS (10 * ES_NS_PER_S)
#define LOCAL_END_NS (10 * ES_NS_PER_S)
#define REMOTE_END_NS (2 * ES_NS_PER_S)

static int open_folder(int top_fd, const char *path, const char *name, struct es_error *err)
{
	int fd;

	if (mkdirat(top_fd, name, 0700) < 0 && errno != EEXIST)
		return es_error_set(err, -errno, "cannot make the spool's folder '%s/%s'", path,
				    name);
	fd = openat(top_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return es_error_set(err, -errno, "cannot open the spool's folder '%s/%s'", path,
				    name);
	if (faccessat(top_fd, name, W_OK | X_OK, AT_EACCESS) < 0) {
		int r = -errno;

		es_closep(&fd);
		return es_error_set(err, r, "cannot write into the spool '%s/%s'", path, name);
	}
	return fd;
}

static int open_folders(struct es_spool *spool, struct es_error *err)
{
	es_cleanup(es_closep) int top = -1;

	if (mkdir(spool->folder, 0700) < 0 && errno != EEXIST)
		return es_error_set(err, -errno, "cannot make the spool '%s'", spool->folder);
	top = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return es_error_set(err, -errno, "cannot open the spool '%s'", spool->folder);
	spool->jobs_fd = open_folder(top, spool->folder, "jobs", err);
	if (spool->jobs_fd < 0)
		return spool->jobs_fd;
	if (!spool->options.keeps_node)
		return 0;
	spool->node_fd = open_folder(top, spool->folder, "node", err);
	return spool->node_fd < 0 ? spool->node_fd : 0;
}

static int copy_options(struct es_spool *spool, const struct es_spool_options *options,
			struct es_error *err)
{
	int r;

	spool->options = *options;
	if (spool->options.orphans_ns == 0)
		spool->options.orphans_ns = ES_SPOOL_ORPHANS_NS;
	if (strlen(options->folder) + ES_NAME_MAX_BYTES + 16 >= sizeof(spool->folder) ||
	    (options->shared && strlen(options->shared) >= sizeof(spool->shared)))
		return es_error_set(err, -ENAMETOOLONG, "spool");
	(void)snprintf(spool->folder, sizeof(spool->folder), "%s", options->folder);
	(void)snprintf(spool->shared, sizeof(spool->shared), "%s",
		       options->shared ? options->shared : "");
	spool->options.folder = spool->folder;
	spool->options.shared = options->shared ? spool->shared : NULL;
	spool->meta = *options->meta;
	spool->meta.nodes = NULL;
	spool->meta.domains = NULL;
	spool->meta.signals = NULL;
	spool->meta.n_nodes = spool->meta.n_domains = spool->meta.n_signals = 0;
	if (options->meta->n_nodes == 0)
		return es_error_say(err, -EINVAL, "spool: the node has no name");
	r = es_meta_add_node(&spool->meta, options->meta->nodes[0].name);
	if (r < 0)
		return es_error_set(err, r, "spool");
	spool->meta.nodes[0] = options->meta->nodes[0];
	return 0;
}

int es_spool_open(const struct es_spool_options *options, const struct es_node_domains *domains,
		  es_spool_log_fn log, void *arg, struct es_spool **ret, struct es_error *err)
{
	struct es_spool *spool = calloc(1, sizeof(*spool));
	int r;

	if (!spool)
		return es_error_set(err, -ENOMEM, "spool");
	spool->jobs_fd = spool->node_fd = -1;
	spool->domains = domains;
	spool->log = log;
	spool->arg = arg;
	spool->opened_ns = es_clock_boot_ns();
	r = copy_options(spool, options, err);
	if (r == 0)
		r = open_folders(spool, err);
	if (r == 0)
		r = es_spool_scan(spool, err);
	if (r == 0) {
		r = es_worker_create(LOCAL_TASKS_MAX, &spool->local);
		if (r == 0 && spool->options.shared)
			r = es_worker_create(REMOTE_TASKS_MAX, &spool->remote);
		if (r < 0)
			(void)es_error_set(err, r, "spool: no thread");
	}
	if (r < 0) {
		es_spool_close(spool);
		return r;
	}
	*ret = spool;
	return 0;
}

static void free_jobs(struct es_spool_job *job)
{
	for (struct es_spool_job *next; job; job = next) {
		next = job->next;
		if (job->job)
			job->job->spool = NULL;
		if (job->has_file)
			(void)es_spool_file_flush(&job->file, es_clock_boot_ns(), true);
		es_spool_job_destroy(job);
	}
}

static void hand_over_all(struct es_spool *spool)
{
	struct es_spool_job **at = &spool->ending;

	while (*at) {
		struct es_spool_job *kept = *at;

		if (!es_spool_hand_over(spool, kept)) {
			at = &kept->next;
			continue;
		}
		*at = kept->next;
		es_spool_job_destroy(kept);
	}
}

void es_spool_close(struct es_spool *spool)
{
	if (!spool)
		return;
	if (spool->local) {
		hand_over_all(spool);
		if (spool->has_node_file)
			(void)es_spool_file_flush(&spool->node, es_clock_boot_ns(), true);
	}
	/* The recordings of running jobs, and the node's, have no end: the next daemon goes on with them. */
	free_jobs(spool->jobs);
	free_jobs(spool->ending);
	es_spool_file_finish(&spool->node);
	if (spool->local && !es_worker_end(spool->local, LOCAL_END_NS))
		spool->log(
			spool->arg, -ETIMEDOUT,
			"the spool's disk does not answer: summaries are made at the next start");
	if (spool->remote && !es_worker_end(spool->remote, REMOTE_END_NS))
		spool->log(spool->arg, -ETIMEDOUT,
			   "the shared folder does not answer: summaries are not written there");
	es_spool_drop_late(spool, NULL);
	for (size_t i = 0; i < spool->n_entries; i++)
		free(spool->entries[i].is);
	free(spool->entries);
	es_meta_finish(&spool->meta);
	es_closep(&spool->jobs_fd);
	es_closep(&spool->node_fd);
	free(spool);
}

static struct es_spool_job *kept_of(struct es_spool *spool, struct es_job *job)
{
	struct es_spool_job *kept = job->spool;

	if (kept)
		return kept;
	kept = es_spool_job_create(spool, job);
	if (!kept)
		return NULL;
	kept->next = spool->jobs;
	spool->jobs = kept;
	kept->job = job;
	job->spool = kept;
	return kept;
}

static void end_job(struct es_spool *spool, struct es_job *job, struct es_spool_job *kept,
		    int64_t t_ns)
{
	struct es_spool_job **at = &spool->jobs;

	while (*at != kept)
		at = &(*at)->next;
	*at = kept->next;
	job->spool = NULL;
	kept->job = NULL;
	kept->stop_ns = job->stop_ns ? job->stop_ns : t_ns;
	kept->is.dur_ns = kept->stop_ns - kept->start_ns;
	kept->is.stop_unix_ns = job->stop_ns ? job->stop_unix_ns
					     : job->start_unix_ns + kept->is.dur_ns;
	kept->is.job.flags |= ES_LOCAL_ENDED | ES_LOCAL_PENDING;
	if (kept->has_file) {
		(void)es_spool_file_event(&kept->file, ES_EVENT_COMMAND_STOP, kept->stop_ns,
					  job->has_status ? job->status : -1, "");
		(void)es_spool_file_end(&kept->file, kept->stop_ns);
	}
	kept->next = spool->ending;
	spool->ending = kept;
	hand_over_all(spool);
}

void es_spool_news(struct es_spool *spool, enum es_jobs_news news, struct es_job *job,
		   const char *step, int64_t t_ns)
{
	struct es_spool_job *kept = kept_of(spool, job);
	char name[ES_LOCAL_ID_MAX_BYTES + 8];

	if (!kept) {
		spool->log(spool->arg, -ENOMEM, "a job is not recorded");
		return;
	}
	switch (news) {
	case ES_JOBS_BEGUN:
	case ES_JOBS_CHANGED:
		es_spool_job_about(kept, job);
		break;
	case ES_JOBS_STEP_BEGUN:
	case ES_JOBS_STEP_ENDED:
		(void)snprintf(name, sizeof(name), "step %s", step);
		(void)es_spool_job_mark(kept, name, news == ES_JOBS_STEP_BEGUN, t_ns);
		break;
	case ES_JOBS_ENDED:
		es_spool_job_about(kept, job);
		end_job(spool, job, kept, t_ns);
		break;
	}
}

int es_spool_tag(struct es_spool *spool, struct es_job *job, const char *name, bool is_start,
		 int64_t t_ns)
{
	struct es_spool_job *kept = kept_of(spool, job);

	return kept ? es_spool_job_mark(kept, name, is_start, t_ns) : ES_IPC_LOST;
}

/* Once when it begins, once when it is over. */
static void say_disk(struct es_spool *spool, int r)
{
	char words[ES_PATH_MAX_BYTES + 128];

	if ((r < 0) == (spool->disk < 0)) {
		spool->disk = r;
		return;
	}
	spool->disk = r;
	(void)snprintf(
		words, sizeof(words),
		r < 0 ? "cannot write into the spool '%s': %s: readings are kept in memory, and it is tried again"
		      : "the spool '%s' takes recordings again",
		spool->folder, es_strerror(r));
	spool->log(spool->arg, r, words);
}

void es_spool_feed(struct es_spool *spool, const struct es_jobs *jobs,
		   const struct es_account *account, const struct es_sweep *sweep)
{
	struct es_job *job;
	int worst = 0, r;

	for (size_t i = 0; (job = es_jobs_at(jobs, i)); i++) {
		struct es_spool_job *kept = kept_of(spool, job);

		r = kept ? es_spool_job_feed(spool, kept, job, account, sweep,
					     es_jobs_is_exclusive(jobs, job))
			 : -ENOMEM;
		worst = r < 0 ? r : worst;
	}
	if (spool->options.keeps_node) {
		r = es_spool_node_feed(spool, sweep);
		worst = r < 0 ? r : worst;
	}
	if (spool->fed_ns == 0)
		spool->fed_ns = sweep->boot_ns;
	say_disk(spool, worst);
}

void es_spool_tick(struct es_spool *spool, int64_t now_unix_ns)
{
	int64_t now_ns = es_clock_boot_ns();

	for (struct es_spool_job *job = spool->jobs; job; job = job->next)
		if (job->has_file)
			(void)es_spool_file_flush(&job->file, now_ns, false);
	hand_over_all(spool);
	es_spool_take_done(spool);
	es_spool_try_late(spool, now_ns);
	if (spool->fed_ns && now_ns - spool->opened_ns >= spool->options.orphans_ns)
		es_spool_finish_orphans(spool);
	if (spool->looked_ns == 0 || now_ns - spool->looked_ns >= LOOK_NS) {
		spool->looked_ns = now_ns;
		es_spool_make_room(spool, now_unix_ns);
	}
}

static bool may_see(const struct es_spool_viewer *viewer, bool has_uid, uint32_t uid,
		    uint64_t serial)
{
	return viewer->is_admin || (viewer->has_uid && has_uid && uid == viewer->uid) ||
	       (viewer->serial && serial == viewer->serial);
}

/* A running one, then those that ended, newest first. */
static struct es_spool_job *find_kept(const struct es_spool *spool,
				      const struct es_spool_viewer *viewer, const char *id,
				      uint32_t *which)
{
	struct es_spool_job *const lists[] = { spool->jobs, spool->ending };

	for (size_t i = 0; i < ES_ARRAY_SIZE(lists); i++)
		for (struct es_spool_job *job = lists[i]; job; job = job->next)
			if (strcmp(job->is.job.id, id) == 0 &&
			    may_see(viewer, job->is.job.has_uid, job->is.job.uid, job->serial) &&
			    (*which)-- == 0)
				return job;
	return NULL;
}

static const struct es_spool_entry *find_done(const struct es_spool *spool,
					      const struct es_spool_viewer *viewer, const char *id,
					      uint32_t *which)
{
	for (size_t i = spool->n_entries; i-- > 0;) {
		const struct es_spool_entry *entry = &spool->entries[i];

		if (strcmp(entry->id, id) == 0 &&
		    may_see(viewer, entry->has_uid, entry->uid, entry->serial) && (*which)-- == 0)
			return entry;
	}
	return NULL;
}

int es_spool_find(struct es_spool *spool, const struct es_spool_viewer *viewer, const char *id,
		  uint32_t which, struct es_local_job_is *ret)
{
	const struct es_spool_job *kept;
	const struct es_spool_entry *entry;
	char name[ES_NAME_MAX_BYTES + 8];

	es_spool_take_done(spool);
	kept = find_kept(spool, viewer, id, &which);
	if (kept) {
		*ret = kept->is;
		return 0;
	}
	entry = find_done(spool, viewer, id, &which);
	if (!entry)
		return -ENOENT;
	if (entry->is) {
		*ret = *entry->is;
		return 0;
	}
	(void)snprintf(name, sizeof(name), "%s.json", entry->stem);
	return es_summary_get(spool->jobs_fd, name, ret);
}

const struct es_local_job_is *es_spool_running(const struct es_spool *spool,
					       const struct es_job *job)
{
	for (const struct es_spool_job *kept = spool->jobs; kept; kept = kept->next)
		if (kept->serial == job->serial)
			return &kept->is;
	return NULL;
}

int es_spool_open_recording(struct es_spool *spool, const struct es_spool_viewer *viewer,
			    const char *id, uint32_t which)
{
	const struct es_spool_entry *entry;
	struct es_spool_job *kept = find_kept(spool, viewer, id, &which);
	char name[ES_NAME_MAX_BYTES + 8];
	int fd;

	if (kept) {
		if (!kept->has_file)
			return -ENODATA;
		(void)es_spool_file_flush(&kept->file, es_clock_boot_ns(), true);
		fd = open(kept->file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		return fd < 0 ? -errno : fd;
	}
	entry = find_done(spool, viewer, id, &which);
	if (!entry)
		return -ENOENT;
	if (!entry->has_recording)
		return -ENODATA;
	(void)snprintf(name, sizeof(name), "%s.esr", entry->stem);
	fd = openat(spool->jobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int es_spool_totals(struct es_spool *spool, const char *id, uid_t uid, struct es_local_job_is *ret,
		    size_t max)
{
	if (!spool->options.shared)
		return -EOPNOTSUPP;
	return es_gathered_read(spool->shared, id, uid, ret, max);
}
