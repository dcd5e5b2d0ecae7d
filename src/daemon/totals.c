/*
 * daemon/totals.c - what all nodes say of a job, looked up aside: the folder that they share may be slow
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/client.h"

#define NODES_MAX 2048U /* summaries of one job; some 11 KB each, for as long as they are sent */
#define LOOKUPS_MAX 4U /* at a time: a folder that hangs holds no more of the workers */

struct lookup {
	uv_work_t work;
	struct es_client *client;
	struct es_spool *spool; /* borrowed: it is closed when no work is under way */
	char id[ES_LOCAL_ID_MAX_BYTES];
	uid_t uid;
	uint32_t number;
	struct es_local_job_is *totals; /* owned */
	int n;
};

static void look_up(uv_work_t *work)
{
	struct lookup *lookup = work->data;

	lookup->totals = calloc(NODES_MAX, sizeof(*lookup->totals));
	lookup->n = lookup->totals ? es_spool_totals(lookup->spool, lookup->id, lookup->uid,
						     lookup->totals, NODES_MAX)
				   : -ENOMEM;
}

static void tell(struct lookup *lookup)
{
	struct es_client *client = lookup->client;

	if (lookup->n < 0) {
		es_client_answer(client, lookup->number,
				 lookup->n == -ENOENT ? ES_IPC_NOT_OPEN : ES_IPC_LOST, 0,
				 "job '%s': %s", lookup->id, es_strerror(lookup->n));
		return;
	}
	client->totals = lookup->totals;
	client->n_totals = (size_t)lookup->n;
	lookup->totals = NULL;
	es_client_begin_list(client, ES_CLIENT_LIST_TOTALS, lookup->number);
}

static void on_looked_up(uv_work_t *work, int status)
{
	struct lookup *lookup = work->data;
	struct es_client *client = lookup->client;

	if (status < 0)
		lookup->n = status;
	client->daemon->n_lookups--;
	client->is_working = false;
	if (!client->is_closing)
		tell(lookup);
	es_client_resume(client);
	free(lookup->totals);
	free(lookup);
}

void es_answer_totals(struct es_client *client, uint32_t number, const char *id)
{
	struct es_daemon *daemon = client->daemon;
	struct lookup *lookup;

	if (!daemon->chain.spool || !daemon->config.shared[0]) {
		es_client_answer(client, number, ES_IPC_NOT_OPEN, 0,
				 "this node has no folder for summaries (shared)");
		return;
	}
	if (daemon->n_lookups == LOOKUPS_MAX) {
		es_client_answer(client, number, ES_IPC_PENDING, 0,
				 "others are looked up: ask again");
		return;
	}
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup) {
		es_client_answer(client, number, ES_IPC_LOST, 0, "no memory");
		return;
	}
	*lookup = (struct lookup){ .client = client,
				   .spool = daemon->chain.spool,
				   .uid = client->peer.is_admin ? (uid_t)-1 : client->peer.uid,
				   .number = number };
	memcpy(lookup->id, id, strlen(id) + 1);
	lookup->work.data = lookup;
	client->is_working = true;
	daemon->n_lookups++;
	if (uv_queue_work(&daemon->loop, &lookup->work, look_up, on_looked_up) < 0) {
		client->is_working = false;
		daemon->n_lookups--;
		free(lookup);
		es_client_answer(client, number, ES_IPC_LOST, 0, "it cannot be looked up");
	}
}
