/*
 * background.h - how a recording is found by tags and by those who want to end it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_BACKGROUND_H
#define ES_CLI_BACKGROUND_H

#include "cli/control.h"
#include "cli/run.h"
#include "cli/tags.h"

/** struct es_background - who listens for a recording; es_background_close() it, whatever came of it */
struct es_background {
	struct es_tags *tags; /* NULL: nobody */
	struct es_control control;
	struct es_release release;
	struct es_tags_about about;
	char recording[ES_PATH_MAX_BYTES]; /* absolute */
};

/**
 * es_background_open - be found by any command, in the control folder
 * @run: opened, borrowed. Returns 0; negative errno with @err: nobody can find it, -EEXIST: one of that name is there.
 */
int es_background_open(const struct es_run *run, struct es_background *ret, struct es_error *err);

/** es_background_open_for_command - be found by the command that is measured, and by nobody else */
int es_background_open_for_command(const struct es_run *run, struct es_background *ret,
				   struct es_error *err);
void es_background_close(struct es_background *background);

#endif
