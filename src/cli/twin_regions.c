/*
 * twin_regions.c - regions that a program tags without ever waiting for who measures it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_regions.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/control.h"
#include "ipc/client.h"

#define PATIENCE_NS ES_NS_PER_S

void es_twin_regions_open(struct es_twin_regions *ret)
{
	*ret = (struct es_twin_regions){ .fd = -1 };
	(void)es_control_connect(PATIENCE_NS, &ret->fd, &ret->problem);
}

/* The first problem is told, the others are like it. */
static void note(struct es_twin_regions *regions, int r, const char *words)
{
	if (regions->problem.text[0] == '\0')
		(void)es_error_say(&regions->problem, r, "%.500s", words);
}

static void stop(struct es_twin_regions *regions, int r, const char *words)
{
	note(regions, r, words);
	es_closep(&regions->fd);
	regions->fd = -1;
}

static void hear(struct es_twin_regions *regions, int64_t until_ns)
{
	struct es_ipc_message answer;

	while (regions->fd >= 0 && regions->n_heard != regions->n_said) {
		int r = es_ipc_receive(regions->fd, until_ns, &answer);

		if (r == -ETIMEDOUT)
			return;
		if (r < 0) {
			stop(regions, r, "its recorder ended meanwhile");
			return;
		}
		regions->n_heard++;
		if (answer.type == ES_IPC_ANSWER && answer.value != ES_IPC_OK)
			note(regions, -EIO, answer.text);
	}
}

void es_twin_regions_mark(struct es_twin_regions *regions, const char *name, bool is_start,
			  int64_t t_ns)
{
	struct es_ipc_message message = { .type = is_start ? ES_IPC_TAG_START : ES_IPC_TAG_STOP,
					  .number = regions->n_said + 1,
					  .t_ns = t_ns };
	int r;

	if (regions->fd < 0)
		return;
	memcpy(message.name, name, strlen(name) + 1); /* its length was checked */
	r = es_ipc_send(regions->fd, &message);
	if (r == -EAGAIN) {
		hear(regions, es_clock_mono_ns() + PATIENCE_NS);
		r = regions->fd < 0 ? -EPIPE : es_ipc_send(regions->fd, &message);
	}
	if (r < 0) {
		stop(regions, r, "its recorder cannot be told");
		return;
	}
	regions->n_said++;
	hear(regions, 0);
}

void es_twin_regions_close(struct es_twin_regions *regions)
{
	hear(regions, es_clock_mono_ns() + PATIENCE_NS);
	if (regions->fd >= 0 && regions->n_heard != regions->n_said)
		note(regions, -ETIMEDOUT, "its recorder has not confirmed all of them");
	es_closep(&regions->fd);
	regions->fd = -1;
}
