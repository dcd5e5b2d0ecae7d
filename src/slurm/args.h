/*
 * args.h - what a line of plugstack.conf tells the plug-in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_ARGS_H
#define ES_SLURM_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/address.h"

#define ES_SLURM_PATH_MAX_BYTES 1024U

/* Where a summary of a job goes in the accounting database; none unless the site says so. */
enum es_slurm_comment {
	ES_SLURM_COMMENT_NONE,
	ES_SLURM_COMMENT_ADMIN,
	ES_SLURM_COMMENT_SYSTEM,
};

/** struct es_slurm_args - as given, or their defaults */
struct es_slurm_args {
	char socket[ES_IPC_PATH_MAX_BYTES]; /* of this node's daemon */
	bool is_own_socket; /* not the usual one: jobs are told where it is */
	char state[ES_SLURM_PATH_MAX_BYTES]; /* folder of root alone: where jobs write to */
	char helpers[ES_SLURM_PATH_MAX_BYTES]; /* folder of energyscopium-slurm-line and -comment */
	char program[ES_SLURM_PATH_MAX_BYTES]; /* energyscopium */
	bool has_line; /* jobs get their line, unless they say no; else only those that say yes */
	bool is_exclusive; /* jobs have nodes for themselves, whatever CPUs Slurm counts */
	int64_t wait_ns; /* for the other nodes of a job, by who writes its line */
	enum es_slurm_comment comment;
};

/**
 * es_slurm_args_read - NAME=VALUE …; in paths %n is the node's name in Slurm, %% a percent sign
 * @ret: always whole: what is wrong keeps its default, so that no job suffers
 *
 * Returns 0, or -EINVAL with the first thing that is wrong.
 */
int es_slurm_args_read(int argc, char *const argv[], const char *node, struct es_slurm_args *ret,
		       struct es_error *err);

const char *es_slurm_comment_name(enum es_slurm_comment comment);

/* What a user may say of a job: --energyscopium=…, or the variable ENERGYSCOPIUM of the job's environment. */
enum es_slurm_wish {
	ES_SLURM_WISH_USUAL, /* nothing said: as the site has it */
	ES_SLURM_WISH_OFF, /* neither line nor comment */
	ES_SLURM_WISH_MEASURE, /* the line, also where the site has none */
};

/** es_slurm_wish_read - @text NULL or "" is that of a bare --energyscopium; 0 or -EINVAL */
int es_slurm_wish_read(const char *text, enum es_slurm_wish *ret);

#endif
