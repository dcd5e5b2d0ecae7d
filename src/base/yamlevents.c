/*
 * yamlevents.c - what the readers of YAML have in common
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/yamlevents.h"

#include <string.h>

#include "base/text.h"

bool es_yaml_is_plain(const yaml_event_t *event)
{
	switch ((int)event->type) {
	case YAML_ALIAS_EVENT:
		return false;
	case YAML_SCALAR_EVENT:
		return !event->data.scalar.anchor && !event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return !event->data.sequence_start.anchor && !event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return !event->data.mapping_start.anchor && !event->data.mapping_start.tag;
	default:
		return true;
	}
}

size_t es_yaml_bad_line(const char *text, size_t n)
{
	size_t line = 1;

	for (size_t i = 0; i < n;) {
		size_t length = es_utf8_length(text + i, n - i);

		if (length == 0)
			return line;
		line += text[i] == '\n';
		i += length;
	}
	return 0;
}

size_t es_yaml_mark_bytes(const char *text, size_t n)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' };

	return n >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;
}
