/*
 * activity_show.c - which activity of a job could be counted on this machine, and what would help where it cannot
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/activity_show.h"

#include <stdio.h>
#include <string.h>

static const char *const words[ES_N_ACTIVITY_KEYS] = {
	[ES_ACTIVITY_IPC] = "instructions per cycle",
	[ES_ACTIVITY_LLC_MISSES] = "misses of the last cache",
	[ES_ACTIVITY_MEMORY] = "traffic of the memory",
	[ES_ACTIVITY_CLOCK] = "effective clock",
};

int es_activity_look(const struct es_root *root, struct es_activity_view *ret)
{
	struct es_source *source;
	int r = es_activity_open(root, ES_ACTIVITY_COMMAND, &source, NULL);

	*ret = (struct es_activity_view){ .states = { { .is_there = false } } };
	if (r < 0)
		return r;
	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS; i++)
		es_activity_state(source, (enum es_activity_key)i, &ret->states[i]);
	source->ops->close(source);
	return 0;
}

bool es_activity_alike(const struct es_activity_view *view, enum es_activity_key key,
		       char ret[static ES_ACTIVITY_WORDS_BYTES])
{
	size_t n = 0;

	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS; i++) {
		if (view->states[i].is_there != view->states[key].is_there ||
		    strcmp(view->states[i].reason, view->states[key].reason) != 0)
			continue;
		if (i < key)
			return false;
		n += (size_t)snprintf(ret + n, ES_ACTIVITY_WORDS_BYTES - n, "%s%s", n ? ", " : "",
				      words[i]);
	}
	return true;
}

void es_activity_put_rows(const struct es_activity_view *view, struct es_buf *out)
{
	char alike[ES_ACTIVITY_WORDS_BYTES];

	(void)es_buf_str(out, "\nWhat a command does beside drawing power:\n");
	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS; i++) {
		const struct es_activity_state *state = &view->states[i];

		(void)es_buf_printf(out, "  %-26s %-9s %s\n", words[i],
				    state->is_there ? "counted" : "not", state->reason);
		if (state->fix[0] && es_activity_alike(view, (enum es_activity_key)i, alike))
			(void)es_buf_printf(out, "    fix: %s\n", state->fix);
	}
}

void es_activity_put_json(const struct es_activity_view *view, struct es_json *json)
{
	es_json_array(json, "activity");
	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS; i++) {
		const struct es_activity_state *state = &view->states[i];

		es_json_object(json, NULL);
		es_json_string(json, "name", es_activity_key_name((enum es_activity_key)i));
		es_json_bool(json, "counted", state->is_there);
		es_json_string(json, "reason", state->reason[0] ? state->reason : NULL);
		es_json_string(json, "fix", state->fix[0] ? state->fix : NULL);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}
