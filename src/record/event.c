/*
 * event.c - what happened during a recording besides readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/event.h"

#include <errno.h>
#include <string.h>

int es_event_put(const struct es_event *event, struct es_buf *out)
{
	(void)es_buf_le32(out, event->type);
	(void)es_buf_le64(out, (uint64_t)event->t_ns);
	(void)es_buf_le64(out, (uint64_t)event->value);
	return es_buf_str(out, event->text);
}

int es_event_get(const void *data, size_t n, struct es_event *ret)
{
	struct es_event event = { .type = 0 };
	struct es_cursor cursor;
	size_t n_text;

	es_cursor_init(&cursor, data, n);
	event.type = es_cursor_le32(&cursor);
	event.t_ns = (int64_t)es_cursor_le64(&cursor);
	event.value = (int64_t)es_cursor_le64(&cursor);
	n_text = es_cursor_left(&cursor);
	if (event.t_ns < -ES_TIME_MAX_NS || event.t_ns > ES_TIME_MAX_NS)
		return -EBADMSG;
	if (cursor.error || n_text >= sizeof(event.text) || memchr(cursor.p, '\0', n_text))
		return -EBADMSG;
	memcpy(event.text, cursor.p, n_text);
	*ret = event;
	return 0;
}
