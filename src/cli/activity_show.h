/*
 * activity_show.h - which activity of a job could be counted on this machine, and what would help where it cannot
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_ACTIVITY_SHOW_H
#define ES_CLI_ACTIVITY_SHOW_H

#include "base/buf.h"
#include "base/json.h"
#include "source/activity.h"
#include "sys/root.h"

/** struct es_activity_view - for a command that is started here */
struct es_activity_view {
	struct es_activity_state states[ES_N_ACTIVITY_KEYS];
};

/** es_activity_look - 0 or -ENOMEM: then nothing can be counted */
int es_activity_look(const struct es_root *root, struct es_activity_view *ret);

#define ES_ACTIVITY_WORDS_BYTES 160U

/**
 * es_activity_alike - all that is counted, or lacks, as @key is and for the same reason, in words for people
 * Returns false where one before @key is among them: it was said with that one.
 */
bool es_activity_alike(const struct es_activity_view *view, enum es_activity_key key,
		       char ret[static ES_ACTIVITY_WORDS_BYTES]);

/** es_activity_put_rows - a line for each, with its fix; appended to @out */
void es_activity_put_rows(const struct es_activity_view *view, struct es_buf *out);
/** es_activity_put_json - the member "activity" */
void es_activity_put_json(const struct es_activity_view *view, struct es_json *json);

#endif
