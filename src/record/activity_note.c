/*
 * activity_note.c - what a recording says of activity that it has not, as the text of an ES_EVENT_NOTE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/activity_note.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KIND "activity\t"

void es_activity_note_put(const struct es_activity_note *note, struct es_event *ret)
{
	*ret = (struct es_event){ .type = ES_EVENT_NOTE };
	(void)snprintf(ret->text, sizeof(ret->text), KIND "%s\t%s\t%s", note->key,
		       note->is_there ? "yes" : "no", note->reason);
}

int es_activity_note_get(const char *text, struct es_activity_note *ret)
{
	struct es_activity_note note = { .is_there = false };
	const char *verdict, *reason;

	if (strncmp(text, KIND, strlen(KIND)) != 0)
		return -ENOENT;
	text += strlen(KIND);
	verdict = strchr(text, '\t');
	reason = verdict ? strchr(verdict + 1, '\t') : NULL;
	if (!reason || (size_t)(verdict - text) >= sizeof(note.key) ||
	    strlen(reason + 1) >= sizeof(note.reason))
		return -EBADMSG;
	memcpy(note.key, text, (size_t)(verdict - text));
	note.is_there = reason - verdict == 4 && memcmp(verdict, "\tyes", 4) == 0;
	if (!note.is_there && (reason - verdict != 3 || memcmp(verdict, "\tno", 3) != 0))
		return -EBADMSG;
	memcpy(note.reason, reason + 1, strlen(reason + 1) + 1);
	*ret = note;
	return 0;
}
