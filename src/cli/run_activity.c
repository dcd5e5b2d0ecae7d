/*
 * run_activity.c - what a job does beside drawing power, in a measurement
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/run_activity.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* How many of the ranks are counted, where that is not all. */
static void put_ranks(const struct es_run_activity *activity, const char *reason, char *ret,
		      size_t size)
{
	size_t n = es_activity_n_followed(activity->source);
	const char *gap = reason[0] ? ", " : "";

	/* Not yet: that is all that a recording says whose end is missing. */
	if (n == 0)
		(void)snprintf(ret, size, "%s%sof the ranks that are seen", reason, gap);
	else if (activity->n_ranks > 0 && n >= (size_t)activity->n_ranks)
		(void)snprintf(ret, size, "%s", reason);
	else if (activity->n_ranks > 0)
		(void)snprintf(ret, size, "%s%sof %zu of the node's %lld ranks", reason, gap, n,
			       (long long)activity->n_ranks);
	else
		(void)snprintf(ret, size, "%s%sof the %zu ranks that were seen", reason, gap, n);
}

static void look(const struct es_run_activity *activity, enum es_activity_key key,
		 struct es_activity_note *ret)
{
	struct es_activity_state state = { .reason = "switched off (--no-activity)" };

	if (activity->source)
		es_activity_state(activity->source, key, &state);
	*ret = (struct es_activity_note){ .is_there = state.is_there };
	(void)snprintf(ret->key, sizeof(ret->key), "%s", es_activity_key_name(key));
	/* Traffic is the machine's whoever causes it. */
	if (state.is_there && activity->has_ranks && key != ES_ACTIVITY_MEMORY)
		put_ranks(activity, state.reason, ret->reason, sizeof(ret->reason));
	else
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", state.reason);
}

static int tell(struct es_run_activity *activity, struct es_recorder *recorder)
{
	int r = 0;

	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS && r == 0; i++) {
		struct es_activity_note note, *told = &activity->told[i];
		struct es_event event;

		look(activity, (enum es_activity_key)i, &note);
		if (note.is_there == told->is_there && strcmp(note.reason, told->reason) == 0)
			continue;
		es_activity_note_put(&note, &event);
		event.t_ns = es_clock_boot_ns();
		r = es_recorder_event(recorder, &event);
		*told = note;
	}
	return r;
}

int es_run_activity_open(const struct es_root *root, enum es_activity_whom whom,
			 struct es_sampler *sampler, struct es_run_activity *activity,
			 struct es_error *err)
{
	struct es_source *source;
	int r = es_activity_open(root, whom, &source, err);

	if (r < 0)
		return r;
	r = es_sampler_add(sampler, source);
	if (r < 0)
		return es_error_set(err, r, "activity");
	activity->source = source;
	return 0;
}

int es_run_activity_tell(struct es_run_activity *activity, struct es_recorder *recorder)
{
	/* What is there without a remark needs no word. */
	for (size_t i = 0; i < ES_N_ACTIVITY_KEYS; i++)
		activity->told[i] = (struct es_activity_note){ .is_there = true };
	return tell(activity, recorder);
}

static void on_nothing(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	(void)hook;
	(void)recorder;
	(void)revents;
}

static void on_finish(struct es_measure_hook *hook, struct es_recorder *recorder, int64_t stop_ns)
{
	(void)stop_ns;
	(void)tell(hook->arg, recorder);
}

struct es_measure_hook *es_run_activity_hook(struct es_run_activity *activity)
{
	activity->hook = (struct es_measure_hook){ .fd = -1,
						   .next_ns = INT64_MAX,
						   .handle = on_nothing,
						   .finish = on_finish,
						   .arg = activity };
	return &activity->hook;
}
