/*
 * elsewhere.h - commands that hand work to other machines, or to a daemon of this one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_ELSEWHERE_H
#define ES_CLI_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/report_launch.h"

/** struct es_elsewhere_of - what a command and its surroundings say; borrowed */
struct es_elsewhere_of {
	char *const *argv; /* the command; NULL-terminated */
	char *const *env;
	const char *hostname; /* of this node, "" where it is not known */
	/* text of a list of hosts, one a line, as mpirun and schedulers write them; NULL: cannot be read. Owned by caller (free) */
	char *(*read_hosts)(const char *path);
};

/** struct es_elsewhere - where the work of a command runs */
struct es_elsewhere {
	enum es_launch_how how; /* ES_LAUNCH_NONE: here, as far as can be seen */
	const char *client; /* "mpirun"; borrowed from a constant table */
	size_t client_at; /* its place in argv, behind env, nice, time and the like */
	size_t program_at; /* of the program that it starts, in argv; 0: not known */
	int64_t nodes; /* -1: not known */
};

/**
 * es_elsewhere_find - look at a command before it is started
 * Neither shells nor scripts are looked into.
 */
void es_elsewhere_find(const struct es_elsewhere_of *of, struct es_elsewhere *ret);

/**
 * es_elsewhere_advice - what would measure the rest: the command with "energyscopium run --" in the right place, else in words
 * Appended to @out on one line, words quoted as a shell wants them.
 */
void es_elsewhere_advice(const struct es_elsewhere_of *of, const struct es_elsewhere *elsewhere,
			 struct es_buf *out);

/** es_put_shell_word - one word as a shell wants it: quoted where it must be */
void es_put_shell_word(const char *word, struct es_buf *out);

/** es_count_hosts - different names in the first words of lines, or between commas; ":2" and "*2" behind a name are slots */
size_t es_count_hosts(const char *text, const char *hostname, bool *ret_has_this);

#endif
