/*
 * daemon/parting.c - connections that are closed aside, because that can take long
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/parting.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/worker.h"
#include "ipc/packet.h"

#define END_NS (100 * ES_NS_PER_MS) /* for a thread that does nothing */
#define WAITING_MAX 4096U
#define UNREAD_MAX 4096 /* packets of one connection that the kernel holds, at most */

struct es_parting {
	struct es_task task; /* first: they are cast into each other */
	struct es_parting *next; /* of the list */
	int fd;
	uid_t uid;
};

static void run(struct es_task *task)
{
	(void)close(((struct es_parting *)(void *)task)->fd);
}

static void drop(struct es_task *task)
{
	free(task);
}

/* False: it cannot be done aside. */
static bool close_aside(struct es_partings *partings, int fd, uid_t uid)
{
	struct es_parting *parting = calloc(1, sizeof(*parting));

	if (!parting)
		return false;
	*parting =
		(struct es_parting){ .task = { .run = run, .drop = drop }, .fd = fd, .uid = uid };
	if ((!partings->worker && es_worker_create(WAITING_MAX, &partings->worker) < 0) ||
	    es_worker_give(partings->worker, &parting->task) < 0) {
		free(parting);
		return false;
	}
	parting->next = partings->list;
	partings->list = parting;
	partings->n++;
	return true;
}

void es_partings_hang_up(struct es_partings *partings, int fd, uid_t uid)
{
	uint8_t byte;
	bool may_wait;

	/* Nothing more comes. Where something lies unread the other side would get an error in place of the answer. */
	(void)shutdown(fd, SHUT_RD);
	may_wait = es_packet_has_descriptors(fd);
	for (int i = 0; i < UNREAD_MAX && !may_wait; i++) {
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) <= 0)
			break;
		may_wait = es_packet_has_descriptors(fd);
	}
	if (may_wait)
		(void)shutdown(fd, SHUT_RDWR); /* the other side sees the end now */
	if (!may_wait || !close_aside(partings, fd, uid))
		(void)close(fd);
}

void es_partings_tick(struct es_partings *partings)
{
	struct es_task *task;

	while (partings->worker && (task = es_worker_take(partings->worker))) {
		struct es_parting **link = &partings->list;

		while (&(*link)->task != task)
			link = &(*link)->next;
		*link = (*link)->next;
		partings->n--;
		task->drop(task);
	}
}

size_t es_partings_of(const struct es_partings *partings, uid_t uid)
{
	size_t n = 0;

	for (const struct es_parting *parting = partings->list; parting; parting = parting->next)
		n += parting->uid == uid;
	return n;
}

void es_partings_finish(struct es_partings *partings)
{
	(void)es_worker_end(partings->worker, END_NS);
	*partings = (struct es_partings){ .worker = NULL };
}
