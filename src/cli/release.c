/*
 * release.c - the recording's side of 'energyscopium node release': GPUs are let go for a while, and had again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/release.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "record/event.h"

#define WHAT "gpu"
#define LONGEST_NS (366 * 86400 * ES_NS_PER_S)

static void answer_with(struct es_ipc_message *answer, enum es_ipc_verdict verdict,
			const char *words)
{
	answer->value = verdict;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", words);
}

static int put_event(struct es_recorder *recorder, int64_t value, const char *who)
{
	struct es_event event = { .type = ES_EVENT_RELEASED,
				  .t_ns = es_clock_boot_ns(),
				  .value = value };

	(void)snprintf(event.text, sizeof(event.text), WHAT " %.64s", who);
	return es_recorder_event(recorder, &event);
}

static void take(struct es_release *release, struct es_recorder *recorder, const char *who)
{
	release->hook.next_ns = INT64_MAX;
	if (!release->is_released)
		return;
	release->is_released = false;
	es_sampler_take(release->sampler);
	(void)put_event(recorder, ES_EVENT_RELEASED_OVER, who);
}

static void on_time(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	(void)revents;
	take(hook->arg, recorder, "time is over");
}

void es_release_init(struct es_release *release, struct es_sampler *sampler, const char *job)
{
	*release = (struct es_release){ .sampler = sampler, .job = job };
	release->hook = (struct es_measure_hook){
		.fd = -1, .next_ns = INT64_MAX, .handle = on_time, .arg = release
	};
}

static void let_go(struct es_release *release, struct es_recorder *recorder, const char *who,
		   int64_t for_ns, struct es_ipc_message *answer)
{
	int r = es_sampler_release(release->sampler);

	if (r == -EOPNOTSUPP) {
		answer_with(answer, ES_IPC_OK, "it holds no GPU");
		return;
	}
	release->hook.next_ns = for_ns > 0 ? es_clock_mono_ns() + for_ns : INT64_MAX;
	if (!release->is_released && put_event(recorder, for_ns, who) < 0) {
		es_sampler_take(release->sampler);
		answer_with(answer, ES_IPC_LOST, "it could not be recorded");
		return;
	}
	release->is_released = true;
	if (r == -EINPROGRESS)
		answer_with(answer, ES_IPC_PENDING, "the drivers are being closed");
	else if (r == -EBUSY)
		answer_with(answer, ES_IPC_LOST,
			    "a library that it holds can be closed only with the process: end it");
	else
		answer_with(answer, ES_IPC_OK, "GPUs are let go");
}

void es_release_handle(struct es_release *release, struct es_recorder *recorder,
		       const struct es_ipc_peer *peer, const struct es_ipc_message *message,
		       struct es_ipc_message *answer)
{
	char who[32];

	(void)snprintf(who, sizeof(who), "by uid %u", (unsigned)peer->uid);
	(void)snprintf(answer->name, sizeof(answer->name), "%s", release->job);
	if (!recorder) {
		answer_with(answer, ES_IPC_OK, "the recording has ended");
	} else if (strcmp(message->name, WHAT) != 0) {
		answer_with(answer, ES_IPC_BAD_NAME, "only '" WHAT "' can be let go");
	} else if (message->type == ES_IPC_TAKE) {
		answer_with(answer, ES_IPC_OK,
			    release->is_released ? "GPUs are had again" : "nothing was let go");
		take(release, recorder, who);
	} else if (message->value < 0 || message->value > LONGEST_NS) {
		answer_with(answer, ES_IPC_BAD_NAME, "for at most a year");
	} else {
		let_go(release, recorder, who, message->value, answer);
	}
}
