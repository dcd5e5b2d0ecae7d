/*
 * output.h - files and texts that come out of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_OUTPUT_H
#define ES_CLI_OUTPUT_H

#include "base/error.h"
#include "cli/chain.h"
#include "format/merge.h"
#include "format/profile.h"
#include "format/report.h"

/** struct es_outcome - an opened recording with its report; es_outcome_finish() it */
struct es_outcome {
	struct es_recording *recording;
	bool is_live; /* its job runs */
	struct es_merge merge; /* of a recording that was joined; n 0: it was not */
	struct es_report report;
	bool has_report;
};

/** es_outcome_open - open a recording and make its report; @kept as for es_recording_open(); 0 or negative errno */
int es_outcome_open(const char *path, const struct es_buf *kept, struct es_chain *chain,
		    struct es_outcome *ret, struct es_error *err);
/**
 * es_outcome_make - likewise, of what is open
 * @opened: recording and merge; taken over, also on failure
 */
int es_outcome_make(struct es_chain *chain, struct es_outcome *opened, struct es_outcome *ret,
		    struct es_error *err);
void es_outcome_finish(struct es_outcome *outcome);

/**
 * es_write_eprofile - the eprofile of an outcome to a file, whole or not at all
 * @may_replace: an existing file is replaced; else -EEXIST
 */
int es_write_eprofile(const struct es_outcome *outcome, const struct es_profile_options *options,
		      const char *path, bool may_replace, struct es_error *err);

/**
 * es_find_recording - the file that a user means by FILE or JOBID
 * @what: a path, or the name of a job whose recording lies in the folder of the settings
 * @ret: room for ES_PATH_MAX_BYTES. Returns 0, or -ENOENT with both places named.
 */
int es_find_recording(const char *what, const struct es_settings *settings, char *ret,
		      struct es_error *err);

/** es_make_directories - mkdir -p; 0 or negative errno with @err */
int es_make_directories(const char *path, struct es_error *err);

#endif
