/*
 * daemon/release.c - GPUs are let go for a while, and had again: the daemon's side of 'energyscopium node release'
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "ipc/message.h"

#define WHAT "gpu"
#define LONGEST_NS (366 * 86400 * ES_NS_PER_S)

static void answer_with(struct es_ipc_message *answer, enum es_ipc_verdict verdict,
			const char *words)
{
	answer->value = verdict;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", words);
}

static bool take(struct es_daemon *daemon, const char *why)
{
	if (!daemon->released_until_ns)
		return false;
	daemon->released_until_ns = 0;
	es_sampling_take(daemon->sampling);
	daemon->look_ns = 0; /* devices may be others now */
	es_log_say(&daemon->log, ES_LOG_NOTICE, "GPUs are had again: %s", why);
	return true;
}

/* The thread that reads the meters does it: how far it is, is known when it is asked again. */
static void let_go(struct es_daemon *daemon, int64_t for_ns, struct es_ipc_message *answer)
{
	bool is_new = !daemon->released_until_ns;
	int r = es_sampling_release(daemon->sampling);

	daemon->released_until_ns = for_ns > 0 ? es_clock_mono_ns() + for_ns : INT64_MAX;
	if (is_new)
		es_log_say(&daemon->log, ES_LOG_NOTICE, "GPUs are let go: they are not measured");
	/* Who opens meters anew has the drivers open, too, for a moment. */
	if (r == -EINPROGRESS || (r == 0 && daemon->is_opening)) {
		answer_with(answer, ES_IPC_PENDING, "the drivers are being closed");
	} else if (r == -EOPNOTSUPP) {
		daemon->released_until_ns = 0;
		answer_with(answer, ES_IPC_OK, "it holds no GPU");
	} else if (r == -EBUSY) {
		answer_with(
			answer, ES_IPC_LOST,
			"a library that it holds can be closed only with the process: restart it");
	} else {
		answer_with(answer, ES_IPC_OK, "GPUs are let go");
	}
}

void es_release_ask(struct es_daemon *daemon, const struct es_ipc_message *message,
		    struct es_ipc_message *answer)
{
	(void)snprintf(answer->name, sizeof(answer->name), "energyscopiumd");
	if (strcmp(message->name, WHAT) != 0)
		answer_with(answer, ES_IPC_BAD_NAME, "only '" WHAT "' can be let go");
	else if (message->type == ES_IPC_TAKE)
		answer_with(answer, ES_IPC_OK,
			    take(daemon, "as told") ? "GPUs are had again" : "nothing was let go");
	else if (message->value < 0 || message->value > LONGEST_NS)
		answer_with(answer, ES_IPC_BAD_NAME, "for at most a year");
	else
		let_go(daemon, message->value, answer);
}

void es_release_tick(struct es_daemon *daemon, int64_t now_mono_ns)
{
	if (daemon->released_until_ns && now_mono_ns >= daemon->released_until_ns)
		(void)take(daemon, "the time is over");
}
