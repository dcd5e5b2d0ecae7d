/*
 * twin_at.c - where a twin is, whether it lives, and the files by which it is talked to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/twin.h"

#define ANSWER_MAX (512U << 20) /* a history of 65536 segments of the largest kind is 50 MB */

static int choose(const char *given, const char **ret, struct es_error *err)
{
	if (!given)
		given = getenv("ENERGYSCOPIUM_TWIN");
	if (!given || !*given)
		return es_error_say(
			err, -EINVAL,
			"no --mount DIR, and ENERGYSCOPIUM_TWIN is not set: where is the twin?");
	*ret = given;
	return 0;
}

static void judge(struct es_twin_at *at, struct es_error *err)
{
	struct stat st;

	at->state = ES_TWIN_NONE;
	if (!at->mounted.is_mount) {
		(void)es_error_say(
			err, -ENOENT,
			"'%s': no twin is up here; 'energyscopium twin up KIND --mount DIR' starts one",
			at->mount);
	} else if (!at->mounted.is_twin) {
		(void)es_error_say(err, -EBUSY, "'%s': no twin: a file system of type %s is here",
				   at->mount, at->mounted.type);
	} else if (stat(at->mount, &st) == 0) {
		at->state = ES_TWIN_UP;
	} else if (errno == EACCES) {
		at->state = ES_TWIN_FOREIGN;
		(void)es_error_say(
			err, -EACCES,
			"'%s': the twin of another user (uid %u), who lets nobody else look; as that user it can be reached",
			at->mount, (unsigned)at->mounted.owner);
	} else {
		at->state = ES_TWIN_DEAD;
		(void)es_error_say(
			err, -ENOTCONN,
			"'%s': the twin here is dead (%s); 'energyscopium twin down --mount %s' takes its mount away",
			at->mount, es_strerror(errno), at->mount);
	}
}

int es_twin_look(const char *given, struct es_twin_at *ret, struct es_error *err)
{
	struct es_twin_at at = { .state = ES_TWIN_NONE };
	const char *path = NULL;
	int r = choose(given, &path, err);

	if (r < 0)
		return r;
	r = es_twin_mount_resolve(path, at.mount);
	if (r < 0)
		return es_error_set(err, r, "'%s'", path);
	r = es_twin_mounted(at.mount, &at.mounted);
	if (r < 0)
		return es_error_set(err, r, "cannot tell what is mounted at '%s'", at.mount);
	judge(&at, err);
	*ret = at;
	return 0;
}

int es_twin_find(const char *command, const char *given, char ret_mount[static ES_PATH_MAX_BYTES])
{
	struct es_error err = { .code = 0 };
	struct es_twin_at at = { .state = ES_TWIN_NONE };
	int r = es_twin_look(given, &at, &err);

	if (r < 0)
		return es_complain(command, r == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE, "%s",
				   err.text);
	if (at.state != ES_TWIN_UP)
		return es_complain(command, ES_EXIT_FAILURE, "%s", err.text);
	(void)snprintf(ret_mount, ES_PATH_MAX_BYTES, "%s", at.mount);
	return ES_EXIT_OK;
}

int es_twin_read(const char *mount, const char *name, struct es_buf *out, struct es_error *err)
{
	char path[ES_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	ssize_t n = 1;

	es_buf_init(out, ANSWER_MAX);
	if (snprintf(path, sizeof(path), "%s/.twin/%s", mount, name) >= (int)sizeof(path))
		return es_error_set(err, -ENAMETOOLONG, "'%s'", mount);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return es_error_set(err, -errno, "cannot open '%s'", path);
	while (n > 0 && es_buf_reserve(out, 65536) == 0) {
		n = read(fd, out->data + out->len, out->cap - out->len);
		if (n > 0)
			out->len += (size_t)n;
	}
	if (n < 0)
		return es_error_set(err, -errno, "cannot read '%s'", path);
	if (es_buf_u8(out, 0) < 0)
		return es_error_set(err, out->error, "cannot read '%s'", path);
	out->len--;
	return 0;
}
