/*
 * activity_note.h - what a recording says of activity that it has not, as the text of an ES_EVENT_NOTE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_ACTIVITY_NOTE_H
#define ES_RECORD_ACTIVITY_NOTE_H

#include <stdbool.h>

#include "record/event.h"

/** struct es_activity_note - the latest one of a key holds */
struct es_activity_note {
	char key[16]; /* "ipc", "llc_misses", "memory", "clock" */
	bool is_there; /* it was counted; the reason tells what is to be known of it */
	char reason[192];
};

/** es_activity_note_put - the event of a note, "activity", key, "yes" or "no", and reason, with tabs between; its time is the caller's */
void es_activity_note_put(const struct es_activity_note *note, struct es_event *ret);
/** es_activity_note_get - 0; -ENOENT: a note of another kind; -EBADMSG */
int es_activity_note_get(const char *text, struct es_activity_note *ret);

#endif
