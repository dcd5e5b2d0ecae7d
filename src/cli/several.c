/*
 * several.c - the recordings that a user means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/several.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/daemonlink.h"

#define DAEMON_NS (2 * ES_NS_PER_S)
#define NAMED_JOBS_MAX 8U

/* What was opened so far. */
struct set {
	struct es_recording **list; /* [n], owned */
	size_t n, cap;
	bool is_live; /* one of them is of a job that runs */
};

static void set_finish(struct set *set)
{
	for (size_t i = 0; i < set->n; i++)
		es_recording_close(set->list[i]);
	free(set->list);
}

static int set_add(struct set *set, struct es_recording *recording)
{
	if (set->n == set->cap) {
		size_t cap = set->cap ? 2 * set->cap : 8;
		struct es_recording **list =
			reallocarray(set->list, cap, sizeof(struct es_recording *));

		if (!list)
			return -ENOMEM;
		set->list = list;
		set->cap = cap;
	}
	set->list[set->n++] = recording;
	return 0;
}

static int add_file(struct set *set, const char *path, struct es_error *err)
{
	struct es_recording *recording;
	int r = es_recording_open(path, NULL, &recording, err);

	if (r < 0)
		return r;
	r = set_add(set, recording);
	if (r < 0) {
		es_recording_close(recording);
		return es_error_set(err, r, "'%s'", path);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of recordings in @folder, sorted: which is the first does not hang on how a disk lists them. */
static int list_names(const char *folder, char ***ret, size_t *ret_n)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(folder);
	struct dirent *entry;
	char **names = NULL;
	size_t n = 0, cap = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		char **more;

		if (length < 5 || entry->d_name[0] == '.' ||
		    strcmp(entry->d_name + length - 4, ".esr") != 0)
			continue;
		if (n == cap) {
			cap = cap ? 2 * cap : 16;
			more = reallocarray(names, cap, sizeof(*names));
			if (!more)
				break;
			names = more;
		}
		names[n] = strdup(entry->d_name);
		if (!names[n])
			break;
		n++;
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	*ret = names;
	*ret_n = n;
	return entry ? -ENOMEM : 0;
}

/* Those of the job that is looked for; the others are closed again, so that a spool of thousands takes no descriptors. */
static int add_folder(struct set *set, const char *folder, const char *job, struct es_error *err)
{
	char **names = NULL;
	size_t n = 0;
	int r = list_names(folder, &names, &n);

	if (r < 0)
		(void)es_error_set(err, r, "cannot read folder '%s'", folder);
	for (size_t i = 0; r == 0 && i < n; i++) {
		char path[ES_PATH_MAX_BYTES];

		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) >= (int)sizeof(path)) {
			r = es_error_set(err, -ENAMETOOLONG, "'%.200s…'", path);
			break;
		}
		r = add_file(set, path, err);
		if (r == 0 && job &&
		    strcmp(es_recording_meta(set->list[set->n - 1])->job, job) != 0)
			es_recording_close(set->list[--set->n]);
	}
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

/* A spool has those of jobs in a folder of its own. */
static int add_folders(struct set *set, const char *folder, const char *job, struct es_error *err)
{
	char jobs[ES_PATH_MAX_BYTES];
	size_t before = set->n;
	struct stat st;
	int r = add_folder(set, folder, job, err);

	if (r == 0 && snprintf(jobs, sizeof(jobs), "%s/jobs", folder) < (int)sizeof(jobs) &&
	    stat(jobs, &st) == 0 && S_ISDIR(st.st_mode))
		r = add_folder(set, jobs, job, err);
	if (r == 0 && set->n == before)
		return es_error_say(err, -ENOENT, "'%s': no recording%s%s in this folder", folder,
				    job ? " of job " : "", job ? job : "");
	return r;
}

/* Whether it runs, as the daemon knows; a recording alone cannot tell that from one that broke off. */
static bool is_running(int fd, const char *id, struct es_daemonlink_answer *answer)
{
	es_cleanup(es_freep) struct es_local_job_is *job = calloc(1, sizeof(*job));
	uint8_t packet[256];
	int r = es_daemonlink_ask(fd, packet,
				  es_local_put_text(ES_LOCAL_JOB_STATUS, 3, id, 0, packet,
						    sizeof(packet)),
				  es_clock_mono_ns() + DAEMON_NS, ES_LOCAL_JOB, answer, NULL, NULL);

	return job && r == 0 &&
	       es_local_get_job_is(es_daemonlink_body(answer), answer->n, job) == 0 &&
	       !(job->job.flags & ES_LOCAL_ENDED);
}

/* The daemon's own, by the descriptor that it lends. */
static int add_of_daemon(struct set *set, const char *id, const char *daemon, struct es_error *err)
{
	es_cleanup(es_freep) struct es_daemonlink_answer *answer = calloc(1, sizeof(*answer));
	es_cleanup(es_closep) int fd = -1, file_fd = -1;
	struct es_recording *recording = NULL;
	uint8_t packet[256];
	int r = answer ? es_daemonlink_open(daemon, DAEMON_NS, &fd, NULL, err) : -ENOMEM;

	if (r == 0)
		r = es_daemonlink_ask(
			fd, packet,
			es_local_put_text(ES_LOCAL_JOB_OPEN, 2, id, 0, packet, sizeof(packet)),
			es_clock_mono_ns() + DAEMON_NS, ES_LOCAL_FILE, answer, &file_fd, err);
	if (r == 0 && file_fd < 0)
		r = es_error_say(err, -EPROTO, "the daemon's answer has no file");
	if (r == 0)
		r = es_recording_open_fd(es_steal_fd(&file_fd), id, NULL, &recording, err);
	if (r < 0)
		return r;
	set->is_live = is_running(fd, id, answer);
	r = set_add(set, recording);
	if (r < 0)
		es_recording_close(recording);
	return r < 0 ? es_error_set(err, r, "job '%s'", id) : 0;
}

static int add(struct set *set, const struct es_several *several, const char *what,
	       const struct es_settings *settings, struct es_error *err)
{
	struct es_error why = { .code = 0 };
	char path[ES_PATH_MAX_BYTES];
	struct stat st;
	int r;

	if (stat(what, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folders(set, what, several->job, err);
	r = es_find_recording(what, settings, path, err);
	if (r == 0)
		return add_file(set, path, err);
	if (r != -ENOENT || es_local_id_problem(what))
		return r;
	if (add_of_daemon(set, what, several->daemon, &why) == 0)
		return 0;
	/* That nobody has it matters more than that there is no daemon, unless one was named. */
	if (why.code == -ENOENT || why.code == -ECONNREFUSED)
		return r;
	(void)snprintf(path, sizeof(path), "%s", err ? err->text : "");
	return es_error_say(err, r, "%.600s; %.300s", path, why.text);
}

/* Ids of the jobs that are there, between commas; how many. */
static size_t list_jobs(const struct set *set, char *names, size_t size)
{
	size_t n_jobs = 0, used = 0;

	names[0] = '\0';
	for (size_t i = 0; i < set->n; i++) {
		const char *job = es_recording_meta(set->list[i])->job;
		bool is_new = true;

		for (size_t k = 0; k < i && is_new; k++)
			is_new = strcmp(es_recording_meta(set->list[k])->job, job) != 0;
		if (!is_new)
			continue;
		if (n_jobs++ < NAMED_JOBS_MAX && used < size)
			used += (size_t)snprintf(names + used, size - used, "%s'%.64s'",
						 n_jobs > 1 ? ", " : "", job);
	}
	if (n_jobs > NAMED_JOBS_MAX && used < size)
		(void)snprintf(names + used, size - used, " and %zu more", n_jobs - NAMED_JOBS_MAX);
	es_text_make_safe(names, false);
	return n_jobs;
}

/* One job, and of one that was queued again what is of its last start. */
static int keep_one_job(struct set *set, struct es_error *err)
{
	uint32_t restarts = 0;
	char names[1024];
	size_t n = 0;

	if (list_jobs(set, names, sizeof(names)) > 1)
		return es_error_say(err, -EINVAL,
				    "recordings of several jobs: %s; name one with --job", names);
	for (size_t i = 0; i < set->n; i++) {
		const struct es_meta *meta = es_recording_meta(set->list[i]);

		restarts = meta->restarts > restarts ? meta->restarts : restarts;
	}
	for (size_t i = 0; i < set->n; i++) {
		struct es_recording *recording = set->list[i];

		if (es_recording_meta(recording)->restarts == restarts)
			set->list[n++] = recording;
		else
			es_recording_close(recording);
	}
	set->n = n;
	return 0;
}

/* A job of a thousand nodes is a thousand files. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int es_several_open(const struct es_several *several, struct es_chain *chain,
		    struct es_outcome *ret, struct es_error *err)
{
	struct es_outcome outcome = { .recording = NULL };
	struct set set = { .n = 0 };
	int r = 0;

	allow_files();
	for (size_t i = 0; r == 0 && i < several->n; i++)
		r = add(&set, several, several->whats[i], &chain->settings, err);
	if (r == 0)
		r = keep_one_job(&set, err);
	if (r == 0 && set.n > 1) {
		r = es_merge(set.list, set.n, &outcome.recording, &outcome.merge, err);
		set.n = r == 0 ? 0 : set.n;
	} else if (r == 0) {
		outcome.recording = set.list[0];
		set.n = 0;
	}
	outcome.is_live = set.is_live;
	set_finish(&set);
	return r < 0 ? r : es_outcome_make(chain, &outcome, ret, err);
}
