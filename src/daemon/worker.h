/*
 * worker.h - a thread for what may have to wait: disks that sync, folders on a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * One thread works off tasks in their order; who gave them takes them back when they are done. Nobody ever waits for it but
 * es_worker_end(), and that not for long: a thread that hangs in a dead file system is left behind with its tasks.
 */
#ifndef ES_DAEMON_WORKER_H
#define ES_DAEMON_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_task - the start of every task's own struct, which whoever has it owns */
struct es_task {
	struct es_task *next;
	void (*run)(struct es_task *task); /* on the thread */
	void (*drop)(struct es_task *task); /* free it */
};

struct es_worker;

/** es_worker_create - @max: tasks that may wait; 0 or negative errno */
int es_worker_create(size_t max, struct es_worker **ret);
/** es_worker_give - takes ownership of @task with 0 only; -ENOBUFS: too many wait */
int es_worker_give(struct es_worker *worker, struct es_task *task);
/** es_worker_take - a task that is done, owned by caller; NULL: none */
struct es_task *es_worker_take(struct es_worker *worker);
/** es_worker_is_idle - nothing waits, nothing is done without having been taken, nothing runs */
bool es_worker_is_idle(struct es_worker *worker);
/** es_worker_end - what waits is still done, as far as that takes no longer than @wait_ns; true where all was */
bool es_worker_end(struct es_worker *worker, int64_t wait_ns);

#endif
