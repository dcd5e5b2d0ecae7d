/*
 * background.c - how a recording is found by tags and by those who want to end it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/background.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void tell_cleaned(const char *words)
{
	(void)es_complain("record", 0, "%s", words);
}

static int create_tags(const struct es_run *run, struct es_background *ret, struct es_error *err)
{
	int r;

	*ret = (struct es_background){ .control.folder_fd = -1 };
	es_release_init(&ret->release, run->sampler, run->meta.job);
	r = es_tags_create(run->meta.start_boot_ns, &ret->tags);
	if (r < 0)
		return es_error_set(err, r, "tags");
	es_tags_release(ret->tags, &ret->release);
	return 0;
}

int es_background_open_for_command(const struct es_run *run, struct es_background *ret,
				   struct es_error *err)
{
	int r = create_tags(run, ret, err);

	if (r == 0)
		r = es_tags_listen_for_command(ret->tags, err);
	if (r < 0)
		es_background_close(ret);
	return r;
}

/* What others are told must hold wherever they are. */
static int find_recording(const struct es_run *run, struct es_background *ret)
{
	es_cleanup(es_freep) char *path = realpath(run->recording_path, NULL);

	if (!path || strlen(path) >= sizeof(ret->recording))
		return path ? -ENAMETOOLONG : -errno;
	memcpy(ret->recording, path, strlen(path) + 1);
	return 0;
}

int es_background_open(const struct es_run *run, struct es_background *ret, struct es_error *err)
{
	int r = create_tags(run, ret, err);

	if (r == 0) {
		r = find_recording(run, ret);
		if (r < 0)
			(void)es_error_set(err, r, "recording '%s'", run->recording_path);
	}
	if (r == 0)
		r = es_control_open(run->meta.job, tell_cleaned, &ret->control, err);
	if (r == 0) {
		ret->about = (struct es_tags_about){ .job = run->meta.job,
						     .recording = ret->recording,
						     .start_unix_ns = run->meta.start_unix_ns };
		r = es_tags_listen_in_background(ret->tags, ret->control.socket, &ret->about, err);
	}
	if (r == 0) {
		r = es_control_publish(&ret->control, ret->recording);
		if (r < 0)
			(void)es_error_set(err, r, "folder '%s'", ret->control.folder);
	}
	if (r < 0)
		es_background_close(ret);
	return r;
}

void es_background_close(struct es_background *background)
{
	es_control_close(&background->control);
	es_tags_destroy(background->tags);
	background->tags = NULL;
}
