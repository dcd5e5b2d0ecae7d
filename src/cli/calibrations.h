/*
 * cli/calibrations.h - the calibrations of this user and of the site, each a file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CALIBRATIONS_H
#define ES_CLI_CALIBRATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/calibration.h"

#define ES_CALIBRATIONS_MAX 1024U

/** struct es_calibrations - zero-initialise; es_calibrations_finish() it */
struct es_calibrations {
	struct es_calibration
		*list; /* [n] the user's before the site's, in each the newest first; owned */
	size_t n;
};

/**
 * es_calibrations_load - of $XDG_CONFIG_HOME/energyscopium/calibrations (or ~/.config/…) and /etc/energyscopium/calibrations
 *
 * A folder that is not there is empty. A file that is wrong is left out, and told on stderr by @command. 0 or -ENOMEM.
 */
int es_calibrations_load(const char *command, struct es_calibrations *ret, struct es_error *err);
void es_calibrations_finish(struct es_calibrations *calibrations);

/** es_calibrations_find - the first of this name; NULL: there is none */
const struct es_calibration *es_calibrations_find(const struct es_calibrations *calibrations,
						  const char *name);

/** es_calibrations_path - where the calibration of a class belongs; 0, or negative errno with @err: no home */
int es_calibrations_path(const char *name, bool is_system, char path[static ES_PATH_MAX_BYTES],
			 struct es_error *err);
/** es_calibrations_save - to a file, whole or not at all, with its folder; -EEXIST where one is there and @may_replace is not set */
int es_calibrations_save(const struct es_calibration *calibration, const char *path,
			 bool may_replace, struct es_error *err);

#endif
