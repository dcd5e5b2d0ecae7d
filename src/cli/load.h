/*
 * cli/load.h - something that moves the meters while they are watched
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_LOAD_H
#define ES_CLI_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define ES_LOAD_PROCESSES_MAX 1024U

/** struct es_load - a busy process on each CPU that we may use, of which some rest; or a command */
struct es_load {
	pid_t *pids; /* [n] owned */
	size_t n;
	size_t n_awake;
	bool is_command;
	char text[64]; /* in words; "": none */
};

/**
 * es_load_start - @command (its standard output goes to standard error, which is where people look); without one busy
 * processes where @is_wanted; else nothing. 0, or negative errno with @err.
 */
int es_load_start(char *const *command, bool is_wanted, struct es_load *ret, struct es_error *err);
/** es_load_step - how many are busy at this time: steps of different heights, so that slope, offset and lag show */
void es_load_step(struct es_load *load, int64_t done_ns, int64_t dur_ns);
/** es_load_stop - end and await them all */
void es_load_stop(struct es_load *load);

#endif
