/*
 * tags.h - the recording's side of 'energyscopium tag': hears them, judges them, writes them down
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TAGS_H
#define ES_CLI_TAGS_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/measure.h"
#include "cli/release.h"
#include "ipc/listener.h"

struct es_tags;

/**
 * es_tags_create - judges tags; hears none yet
 * @start_ns: of the recording, boot clock: no tag is before it
 * @ret: owned by caller, es_tags_destroy() it
 */
int es_tags_create(int64_t start_ns, struct es_tags **ret);
void es_tags_destroy(struct es_tags *tags);

/** es_tags_listen - at a path; 0 or negative errno with @err */
int es_tags_listen(struct es_tags *tags, const char *path, struct es_error *err);

/**
 * es_tags_listen_for_command - at a path of its own that a command to be started finds in its environment
 * Returns 0; negative errno with @err: nowhere could a socket be made, and the environment is as it was.
 */
int es_tags_listen_for_command(struct es_tags *tags, struct es_error *err);

/** struct es_tags_about - a recording without a command of its own, as it tells who asks; borrowed */
struct es_tags_about {
	const char *job, *recording;
	int64_t start_unix_ns;
};

/**
 * es_tags_listen_in_background - at a path where any command finds us: tells who we are, and ends when it is told to
 * @about: must outlive @tags. Returns 0 or negative errno with @err.
 */
int es_tags_listen_in_background(struct es_tags *tags, const char *path,
				 const struct es_tags_about *about, struct es_error *err);

/** es_tags_tell_end - to those that told us to end: the files are complete. Returns whether there was anybody. */
bool es_tags_tell_end(struct es_tags *tags, enum es_ipc_verdict verdict, const char *words);

/** es_tags_release - messages about devices to be let go are @release's; borrowed. Without it nothing is let go */
void es_tags_release(struct es_tags *tags, struct es_release *release);

/** es_tags_hook - for the measuring loop; borrowed */
struct es_measure_hook *es_tags_hook(struct es_tags *tags);

/**
 * es_tags_mark - judge an edge, and record it
 * @now_ns: boot clock; @message: a start or a stop
 * @answer: what the one who sent it is told: verdict, time as recorded, words
 */
void es_tags_mark(struct es_tags *tags, struct es_recorder *recorder, int64_t now_ns,
		  const struct es_ipc_message *message, struct es_ipc_message *answer);

#endif
