/*
 * source/credentials.c - who we are at a meter: a file that nobody else may read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/url.h"

#define FILE_MAX_BYTES 2048U

void es_credentials_finish(struct es_credentials *credentials)
{
	explicit_bzero(credentials, sizeof(*credentials));
}

static int check_rights(const char *path, int fd, struct es_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "credentials '%.300s'", path);
	if (!S_ISREG(st.st_mode))
		return es_error_say(err, -EBADMSG, "credentials '%.300s' are not a file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return es_error_say(err, -EPERM,
				    "credentials '%.300s' are another user's file: not used", path);
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return es_error_say(
			err, -EPERM,
			"credentials '%.300s' are open to others: not used; fix: chmod 600 "
			"'%.300s'",
			path, path);
	return 0;
}

/* "KEY: VALUE" of one line into its place. */
static int take_line(struct es_credentials *credentials, char *line)
{
	struct {
		const char *key;
		char *to;
	} const places[] = {
		{ "user", credentials->user },
		{ "password", credentials->password },
		{ "privacy", credentials->more },
	};
	char *colon, *value;

	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	colon = strchr(line, ':');
	if (!colon)
		return -EBADMSG;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		if (strcmp(places[i].key, line) == 0) {
			if (strlen(value) >= ES_SECRET_MAX_BYTES || places[i].to[0])
				return -EBADMSG;
			memcpy(places[i].to, value, strlen(value) + 1);
			return 0;
		}
	return -EBADMSG;
}

static int take_lines(const char *path, char *text, struct es_credentials *ret,
		      struct es_error *err)
{
	unsigned number = 0;

	for (char *line = text; line; number++) {
		char *next = strchr(line, '\n');
		size_t n;

		if (next)
			*next++ = '\0';
		n = strlen(line);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (take_line(ret, line) < 0)
			return es_error_say(
				err, -EBADMSG,
				"credentials '%.300s', line %u: lines are 'user: NAME', "
				"'password: SECRET' and 'privacy: SECRET', each once",
				path, number + 1);
		line = next;
	}
	return 0;
}

int es_meter_url_credentials(const struct es_meter_url *url, struct es_credentials *ret,
			     struct es_error *err)
{
	const char *path = es_meter_url_param(url, "credentials");
	es_cleanup(es_closep) int fd = -1;
	char text[FILE_MAX_BYTES + 1];
	size_t used = 0;
	ssize_t n;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!path)
		return es_error_say(err, -ENOENT, "no credentials=FILE is given");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return es_error_set(err, -errno == -ENOENT ? -EACCES : -errno,
				    "credentials '%.300s'", path);
	r = check_rights(path, fd, err);
	if (r < 0)
		return r;
	while (used < FILE_MAX_BYTES && (n = read(fd, text + used, FILE_MAX_BYTES - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	if (used == FILE_MAX_BYTES || strlen(text) != used)
		r = es_error_say(err, -EBADMSG, "credentials '%.300s' are not such a file", path);
	else
		r = take_lines(path, text, ret, err);
	explicit_bzero(text, sizeof(text));
	if (r < 0)
		es_credentials_finish(ret);
	return r;
}
