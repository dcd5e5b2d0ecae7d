/*
 * args.c - what a line of plugstack.conf tells the plug-in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "wire/local.h"

#define STATE "/run/energyscopium-slurm"
#define WAIT_NS 2000000000LL
#define WAIT_MAX_NS 60000000000LL

#ifndef ES_SLURM_HELPERS
#define ES_SLURM_HELPERS "/usr/libexec/energyscopium"
#endif
#ifndef ES_SLURM_PROGRAM
#define ES_SLURM_PROGRAM "/usr/bin/energyscopium"
#endif

static const char *const comments[] = {
	[ES_SLURM_COMMENT_NONE] = "none",
	[ES_SLURM_COMMENT_ADMIN] = "admin",
	[ES_SLURM_COMMENT_SYSTEM] = "system",
};

/* Nothing that a path is made of may be a surprise: a name with a slash in it is none of a node. */
static int read_path(const char *text, const char *node, char *ret, size_t size)
{
	size_t n = 0;

	if (text[0] != '/')
		return -EINVAL;
	for (; *text; text++) {
		const char *part = text;
		size_t n_part = 1;

		if (text[0] == '%') {
			text++;
			if (text[0] == 'n') {
				part = node;
				n_part = strlen(node);
			} else if (text[0] != '%') {
				return -EINVAL;
			}
		}
		if (n + n_part >= size)
			return -ENAMETOOLONG;
		memcpy(ret + n, part, n_part);
		n += n_part;
	}
	ret[n] = '\0';
	return 0;
}

/* Through memory of its own, so that a wrong path leaves what was there. */
static int read_path_into(const char *text, const char *node, char *ret, size_t size)
{
	char path[ES_SLURM_PATH_MAX_BYTES];
	int r = read_path(text, node, path, size < sizeof(path) ? size : sizeof(path));

	if (r == 0)
		(void)snprintf(ret, size, "%s", path);
	return r;
}

static int read_wait(const char *text, int64_t *ret)
{
	int64_t wait_ns;
	int r = es_parse_duration_ns(text, &wait_ns);

	if (r < 0)
		return r;
	if (wait_ns < 0 || wait_ns > WAIT_MAX_NS)
		return -ERANGE;
	*ret = wait_ns;
	return 0;
}

static int read_bool(const char *text, bool *ret)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return -EINVAL;
	*ret = text[0] == 'y';
	return 0;
}

static int read_comment(const char *text, enum es_slurm_comment *ret)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(comments); i++) {
		if (!strcmp(text, comments[i])) {
			*ret = (enum es_slurm_comment)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The value of @arg where its name is @name; NULL: another one. */
static const char *value_of(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(arg, name, n) && arg[n] == '=' ? arg + n + 1 : NULL;
}

static int read_one(const char *arg, const char *node, struct es_slurm_args *ret)
{
	const char *value = value_of(arg, "socket");
	int r;

	if (value) {
		r = read_path_into(value, node, ret->socket, sizeof(ret->socket));
		ret->is_own_socket = strcmp(ret->socket, ES_LOCAL_SOCKET) != 0;
		return r;
	}
	value = value_of(arg, "state");
	if (value)
		return read_path_into(value, node, ret->state, sizeof(ret->state));
	value = value_of(arg, "helpers");
	if (value)
		return read_path_into(value, node, ret->helpers, sizeof(ret->helpers));
	value = value_of(arg, "program");
	if (value)
		return read_path_into(value, node, ret->program, sizeof(ret->program));
	value = value_of(arg, "line");
	if (value)
		return read_bool(value, &ret->has_line);
	value = value_of(arg, "exclusive");
	if (value)
		return read_bool(value, &ret->is_exclusive);
	value = value_of(arg, "wait");
	if (value)
		return read_wait(value, &ret->wait_ns);
	value = value_of(arg, "comment");
	return value ? read_comment(value, &ret->comment) : -EINVAL;
}

int es_slurm_args_read(int argc, char *const argv[], const char *node, struct es_slurm_args *ret,
		       struct es_error *err)
{
	char wrong[ES_TEXT_MAX_BYTES / 2] = "";
	unsigned n_wrong = 0;
	size_t n = 0;

	*ret = (struct es_slurm_args){
		.socket = ES_LOCAL_SOCKET,
		.state = STATE,
		.helpers = ES_SLURM_HELPERS,
		.program = ES_SLURM_PROGRAM,
		.has_line = true,
		.wait_ns = WAIT_NS,
	};
	for (int i = 0; i < argc; i++) {
		if (read_one(argv[i], node, ret) == 0 || n >= sizeof(wrong))
			continue;
		n_wrong++;
		n += (size_t)snprintf(wrong + n, sizeof(wrong) - n, "%s'%s'", n ? ", " : "",
				      argv[i]);
	}
	if (n_wrong == 0)
		return 0;
	return es_error_say(
		err, -EINVAL,
		"plugstack.conf: %s: none of socket=PATH line=yes|no exclusive=yes|no "
		"wait=TIME (up to 60s) comment=none|admin|system state=PATH helpers=PATH "
		"program=PATH, ignoring %s",
		wrong, n_wrong > 1 ? "them" : "it");
}

const char *es_slurm_comment_name(enum es_slurm_comment comment)
{
	return comments[comment];
}

int es_slurm_wish_read(const char *text, enum es_slurm_wish *ret)
{
	if (!text || !text[0] || !strcmp(text, "measure")) {
		*ret = ES_SLURM_WISH_MEASURE;
		return 0;
	}
	if (strcmp(text, "off") != 0)
		return -EINVAL;
	*ret = ES_SLURM_WISH_OFF;
	return 0;
}
