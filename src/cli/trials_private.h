/*
 * trials_private.h - what the files of trials share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TRIALS_PRIVATE_H
#define ES_CLI_TRIALS_PRIVATE_H

#include "cli/output.h"
#include "cli/trials.h"

/** struct es_trials_reading - what is handed down while one path is read; all borrowed */
struct es_trials_reading {
	struct es_trials *trials;
	const struct es_trials_ask *ask;
	struct es_chain *chain;
	const char *path; /* as it was given: for messages, and for the name of the group */
	const char *group; /* NULL: by name */
};

/** es_trials_add - takes over what @trial owns, also where it fails; a run that the group has already is counted only */
int es_trials_add(struct es_trials *trials, struct es_trial *trial, struct es_error *err);
/** es_trial_finish - free what it owns */
void es_trial_finish(struct es_trial *trial);

/** es_trials_group_of - the group of a file: as it was given, else by its name, and by its folder where two have that name */
int es_trials_group_of(const struct es_trials_reading *reading, const char *path,
		       struct es_error *err);

/** es_trials_take - one recording; @path is where it lies, @named what the user called it */
int es_trials_take(const struct es_trials_reading *reading, const char *path, const char *named,
		   struct es_error *err);
/** es_trials_take_table - each row of a table */
int es_trials_take_table(const struct es_trials_reading *reading, struct es_error *err);

#endif
