/*
 * daemon/jobs_sync.c - the journal of jobs is synced on a thread of its own: a disk may take seconds
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/jobs_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/worker.h"

#define WAITING_MAX 2U /* one runs, one waits: what is written meanwhile is the waiting one's too */

struct es_jobs_sync {
	struct es_worker *worker;
};

struct task {
	struct es_task task; /* first: they are cast into each other */
	int fd;
};

static void run(struct es_task *task)
{
	/* A disk that fails is told by the next write to it; the journal in memory of the kernel outlives a kill. */
	(void)fdatasync(((struct task *)(void *)task)->fd);
}

static void drop(struct es_task *task)
{
	(void)close(((struct task *)(void *)task)->fd);
	free(task);
}

int es_jobs_sync_create(struct es_jobs_sync **ret)
{
	struct es_jobs_sync *sync = calloc(1, sizeof(*sync));
	int r = sync ? es_worker_create(WAITING_MAX, &sync->worker) : -ENOMEM;

	if (r < 0)
		free(sync);
	else
		*ret = sync;
	return r;
}

static void take_done(struct es_jobs_sync *sync)
{
	for (struct es_task *task = es_worker_take(sync->worker); task;
	     task = es_worker_take(sync->worker))
		task->drop(task);
}

void es_jobs_sync_destroy(struct es_jobs_sync *sync)
{
	if (!sync)
		return;
	take_done(sync);
	(void)es_worker_end(sync->worker, ES_NS_PER_S);
	free(sync);
}

void es_jobs_sync_file(struct es_jobs_sync *sync, int fd)
{
	struct task *task;

	take_done(sync);
	task = calloc(1, sizeof(*task));
	if (!task)
		return;
	task->task.run = run;
	task->task.drop = drop;
	task->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (task->fd < 0)
		free(task);
	else if (es_worker_give(sync->worker, &task->task) < 0)
		drop(&task->task);
}
