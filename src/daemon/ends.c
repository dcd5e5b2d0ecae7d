/*
 * daemon/ends.c - jobs whose end was told, and that wait for a last sweep
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/client.h"

#define PATIENCE_NS ES_NS_PER_S /* for a sweep that does not come */

static struct es_client *find_client(const struct es_server *server, uint64_t serial)
{
	struct es_client *client = server->clients;

	while (client && client->serial != serial)
		client = client->next;
	return client;
}

static void carry_out(struct es_daemon *daemon, const struct es_end_told *told)
{
	struct es_client *client = find_client(&daemon->server, told->client_serial);
	struct es_error err = { .code = 0 };
	int r = es_jobs_end(daemon->chain.jobs, &told->end, told->uid, es_clock_boot_ns(),
			    es_clock_unix_ns(), &err);

	if (!client)
		return;
	es_client_answer(client, told->number,
			 r == -EPERM	? ES_IPC_DENIED
			 : r == -ENOENT ? ES_IPC_NOT_OPEN
			 : r < 0	? ES_IPC_LOST
					: ES_IPC_OK,
			 told->end.t_ns, "%s", err.text);
}

void es_ends_add(struct es_client *client, uint32_t number, const struct es_local_end *end)
{
	struct es_daemon *daemon = client->daemon;
	struct es_ends *ends = &daemon->ends;
	struct es_end_told told = { .end = *end,
				    .uid = client->peer.uid,
				    .client_serial = client->serial,
				    .number = number };

	if (told.uid == geteuid())
		told.uid = 0;
	if (told.end.t_ns == 0)
		told.end.t_ns = es_clock_boot_ns();
	if (!ends->told)
		ends->told = calloc(ES_ENDS_MAX, sizeof(*ends->told));
	/* What is refused, or would be one too many, waits for nothing; what users tell leaves room for the system's. */
	if (!ends->told || ends->n >= (told.uid == 0 ? ES_ENDS_MAX : ES_ENDS_MAX / 2) ||
	    es_jobs_may_end(daemon->chain.jobs, &told.end, told.uid, NULL) < 0) {
		carry_out(daemon, &told);
		return;
	}
	told.wish_ns = es_client_wish(client);
	ends->told[ends->n++] = told;
}

void es_ends_due(struct es_daemon *daemon, int64_t sweep_mono_ns)
{
	struct es_ends *ends = &daemon->ends;
	int64_t now_ns = es_clock_mono_ns();

	while (ends->n && (ends->told[0].wish_ns <= sweep_mono_ns ||
			   now_ns - ends->told[0].wish_ns > PATIENCE_NS)) {
		const struct es_end_told told = ends->told[0];

		memmove(&ends->told[0], &ends->told[1], --ends->n * sizeof(ends->told[0]));
		carry_out(daemon, &told);
	}
}

void es_ends_hasten(struct es_daemon *daemon, const struct es_local_job *begun)
{
	struct es_ends *ends = &daemon->ends;
	const struct es_job *job = es_jobs_find(daemon->chain.jobs, begun->id);

	if (!job || begun->restarts <= job->about.restarts)
		return;
	for (size_t i = 0; i < ends->n;) {
		const struct es_end_told told = ends->told[i];

		if (strcmp(told.end.id, begun->id) != 0) {
			i++;
			continue;
		}
		memmove(&ends->told[i], &ends->told[i + 1],
			(--ends->n - i) * sizeof(ends->told[0]));
		carry_out(daemon, &told);
	}
}

void es_ends_finish(struct es_daemon *daemon)
{
	es_ends_due(daemon, INT64_MAX);
	free(daemon->ends.told);
	daemon->ends.told = NULL;
}
