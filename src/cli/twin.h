/*
 * twin.h - the subcommands of energyscopium twin, and how they reach a twin
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_H
#define ES_CLI_TWIN_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/command.h"
#include "twin/mounts.h"

/* Each is in a file of its own, twin_NAME.c, and has a row in the table of twin.c. argv[0] is the subcommand's name. */
int es_twin_cmd_app(int argc, char **argv);
int es_twin_cmd_cluster(int argc, char **argv);
int es_twin_cmd_down(int argc, char **argv);
int es_twin_cmd_exec(int argc, char **argv);
int es_twin_cmd_fault(int argc, char **argv);
int es_twin_cmd_fit(int argc, char **argv);
int es_twin_cmd_kinds(int argc, char **argv);
int es_twin_cmd_play(int argc, char **argv);
int es_twin_cmd_status(int argc, char **argv);
int es_twin_cmd_truth(int argc, char **argv);
int es_twin_cmd_up(int argc, char **argv);

/* @variable: const char *; for es_twin_find() */
#define ES_TWIN_MOUNT_OPTION(variable)                                              \
	{                                                                           \
		"mount", "DIR", "where the twin is (default: $ENERGYSCOPIUM_TWIN)", \
			ES_OPTION_TEXT, variable                                    \
	}

enum es_twin_state {
	ES_TWIN_NONE, /* no twin is there; *err says what is */
	ES_TWIN_UP,
	ES_TWIN_DEAD, /* its mount is left behind: every access fails */
	ES_TWIN_FOREIGN, /* another user's, who let nobody else look */
};

/** struct es_twin_at - a place where a twin may be */
struct es_twin_at {
	char mount[ES_PATH_MAX_BYTES]; /* absolute */
	enum es_twin_state state;
	struct es_twin_mounted mounted;
};

/**
 * es_twin_look - what is at @given, or at ENERGYSCOPIUM_TWIN where that is NULL
 * @err: whatever it is but up, in words with what to do
 *
 * Returns 0; -EINVAL: neither was given; errors of the path.
 */
int es_twin_look(const char *given, struct es_twin_at *ret, struct es_error *err);
/** es_twin_find - the mount of a twin that is up, for subcommands that need one; ES_EXIT_OK, or complains as @command and returns the status to end with */
int es_twin_find(const char *command, const char *given, char ret_mount[static ES_PATH_MAX_BYTES]);

/** es_twin_read - a file below MOUNT/.twin, NUL-terminated behind @out->len; finish @out in any case. 0 or negative errno with words. */
int es_twin_read(const char *mount, const char *name, struct es_buf *out, struct es_error *err);

/** es_twin_nearest - which of @n names is meant, or NULL */
const char *es_twin_nearest(const char *word, const char *const *names, size_t n);

#endif
