/*
 * output.c - files and texts that come out of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

int es_outcome_make(struct es_chain *chain, struct es_outcome *opened, struct es_outcome *ret,
		    struct es_error *err)
{
	/* In its place: the report borrows from it. */
	struct es_report_options options;
	int r;

	*ret = *opened;
	*opened = (struct es_outcome){ .recording = NULL };
	r = es_chain_options(chain, es_recording_meta(ret->recording), &options, err);
	options.is_live = ret->is_live;
	options.merge = ret->merge.n ? &ret->merge : NULL;
	if (r == 0)
		r = es_report_build(ret->recording, &options, &ret->report, err);
	ret->has_report = r == 0;
	if (r < 0)
		es_outcome_finish(ret);
	return r;
}

int es_outcome_open(const char *path, const struct es_buf *kept, struct es_chain *chain,
		    struct es_outcome *ret, struct es_error *err)
{
	struct es_outcome outcome = { .recording = NULL };
	int r = es_recording_open(path, kept, &outcome.recording, err);

	return r < 0 ? r : es_outcome_make(chain, &outcome, ret, err);
}

void es_outcome_finish(struct es_outcome *outcome)
{
	if (outcome->has_report)
		es_report_finish(&outcome->report);
	es_recording_close(outcome->recording);
	es_merge_finish(&outcome->merge);
	*outcome = (struct es_outcome){ .recording = NULL };
}

/* Beside its place first, then moved there: a reader never sees half of it. */
static int commit_file(const char *temporary, const char *path, bool may_replace)
{
	if (may_replace)
		return rename(temporary, path) < 0 ? -errno : 0;
	if (link(temporary, path) < 0)
		return -errno;
	(void)unlink(temporary);
	return 0;
}

int es_write_eprofile(const struct es_outcome *outcome, const struct es_profile_options *options,
		      const char *path, bool may_replace, struct es_error *err)
{
	struct es_profile profile;
	char temporary[ES_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid()) >=
	    (int)sizeof(temporary))
		return es_error_set(err, -ENAMETOOLONG, "eprofile '%.200s…'", path);
	r = es_profile_build(outcome->recording, &outcome->report, options, &profile, err);
	if (r < 0)
		return r;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : es_eprofile_write(&profile, options, es_json_sink_fd, &fd);
	es_profile_finish(&profile);
	if (r == 0)
		r = commit_file(temporary, path, may_replace);
	if (r < 0) {
		if (fd >= 0)
			(void)unlink(temporary);
		return es_error_set(err, r, "cannot write eprofile '%s'", path);
	}
	return 0;
}

int es_make_directories(const char *path, struct es_error *err)
{
	char part[ES_PATH_MAX_BYTES];
	struct stat st;

	if (strlen(path) >= sizeof(part))
		return es_error_set(err, -ENAMETOOLONG, "folder '%.200s…'", path);
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return es_error_set(err, -errno, "cannot make folder '%s'", part);
	}
	if (stat(path, &st) < 0)
		return es_error_set(err, -errno, "folder '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return es_error_set(err, -ENOTDIR, "'%s'", path);
	if (access(path, W_OK | X_OK) < 0)
		return es_error_set(err, -errno, "cannot write into folder '%s'", path);
	return 0;
}

/* Recordings "JOB.X.esr" in a folder, X being a node or a step: their jobs' names, between commas; "" for none. */
static void list_parts(const char *folder, const char *job, char *names, size_t size)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(folder);
	size_t n_job = strlen(job), used = 0;
	struct dirent *entry;

	names[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n < n_job + sizeof(".x.esr") - 1 || strncmp(entry->d_name, job, n_job) != 0 ||
		    entry->d_name[n_job] != '.' || strcmp(entry->d_name + n - 4, ".esr") != 0 ||
		    used + n + 8 >= size)
			continue;
		used += (size_t)snprintf(names + used, size - used, "%s'%.*s'", used ? ", " : "",
					 (int)(n - 4), entry->d_name);
	}
	es_text_make_safe(names, false);
}

int es_find_recording(const char *what, const struct es_settings *settings, char *ret,
		      struct es_error *err)
{
	char parts[512], safe[ES_NAME_MAX_BYTES + 1];
	struct stat st;

	if (strlen(what) >= ES_PATH_MAX_BYTES)
		return es_error_set(err, -ENAMETOOLONG, "'%.200s…'", what);
	if ((stat(what, &st) == 0 && S_ISREG(st.st_mode)) || strchr(what, '/') ||
	    strlen(what) > ES_NAME_MAX_BYTES) {
		memcpy(ret, what, strlen(what) + 1);
		return 0;
	}
	if (snprintf(ret, ES_PATH_MAX_BYTES, "%s/%s.esr", settings->out, what) <
		    (int)ES_PATH_MAX_BYTES &&
	    access(ret, F_OK) == 0)
		return 0;
	memcpy(safe, what, strlen(what) + 1);
	es_text_make_safe(safe, false);
	if (stat(what, &st) == 0 && S_ISDIR(st.st_mode))
		return es_error_say(
			err, -EISDIR,
			"'%s': this is a folder; a recording in it or the name of a job in '%s' is wanted",
			safe, settings->out);
	list_parts(settings->out, what, parts, sizeof(parts));
	if (parts[0])
		return es_error_say(err, -ENOENT, "'%s': no such file; in '%s' are its parts %s",
				    safe, settings->out, parts);
	return es_error_say(err, -ENOENT, "'%s': no such file, and no job of that name in '%s'",
			    safe, settings->out);
}
