/*
 * worker.c - a thread for what may have to wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"

struct list {
	struct es_task *first, **last;
	size_t n;
};

struct es_worker {
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t news; /* for the thread: a task, or the end */
	pthread_cond_t rest; /* for who ends it: it is over */
	struct list waiting, done;
	size_t max;
	bool is_running, is_ending, is_over, is_left;
};

static void put(struct list *list, struct es_task *task)
{
	task->next = NULL;
	*list->last = task;
	list->last = &task->next;
	list->n++;
}

static struct es_task *get(struct list *list)
{
	struct es_task *task = list->first;

	if (!task)
		return NULL;
	list->first = task->next;
	if (!list->first)
		list->last = &list->first;
	list->n--;
	return task;
}

static void drop_all(struct list *list)
{
	struct es_task *task;

	while ((task = get(list)))
		task->drop(task);
}

static void free_worker(struct es_worker *worker)
{
	drop_all(&worker->waiting);
	drop_all(&worker->done);
	(void)pthread_cond_destroy(&worker->news);
	(void)pthread_cond_destroy(&worker->rest);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}

static void *work(void *arg)
{
	struct es_worker *worker = arg;
	struct es_task *task;
	bool is_left;

	(void)pthread_mutex_lock(&worker->lock);
	for (;;) {
		while (!worker->waiting.first && !worker->is_ending)
			(void)pthread_cond_wait(&worker->news, &worker->lock);
		task = worker->is_left ? NULL : get(&worker->waiting);
		if (!task)
			break;
		worker->is_running = true;
		(void)pthread_mutex_unlock(&worker->lock);
		task->run(task);
		(void)pthread_mutex_lock(&worker->lock);
		worker->is_running = false;
		put(&worker->done, task);
	}
	worker->is_over = true;
	is_left = worker->is_left;
	(void)pthread_cond_broadcast(&worker->rest);
	(void)pthread_mutex_unlock(&worker->lock);
	if (is_left)
		free_worker(worker);
	return NULL;
}

static int start(struct es_worker *worker)
{
	sigset_t all, old;
	int r;

	/* Signals are for the thread that waits for them. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&worker->thread, NULL, work, worker);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int es_worker_create(size_t max, struct es_worker **ret)
{
	struct es_worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attr;
	int r;

	if (!worker)
		return -ENOMEM;
	worker->max = max;
	worker->waiting.last = &worker->waiting.first;
	worker->done.last = &worker->done.first;
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->news, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&worker->rest, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = start(worker);
	if (r < 0) {
		free_worker(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

int es_worker_give(struct es_worker *worker, struct es_task *task)
{
	int r = 0;

	(void)pthread_mutex_lock(&worker->lock);
	if (worker->waiting.n >= worker->max || worker->is_ending)
		r = -ENOBUFS;
	else
		put(&worker->waiting, task);
	(void)pthread_cond_signal(&worker->news);
	(void)pthread_mutex_unlock(&worker->lock);
	return r;
}

struct es_task *es_worker_take(struct es_worker *worker)
{
	struct es_task *task;

	(void)pthread_mutex_lock(&worker->lock);
	task = get(&worker->done);
	(void)pthread_mutex_unlock(&worker->lock);
	return task;
}

bool es_worker_is_idle(struct es_worker *worker)
{
	bool is_idle;

	(void)pthread_mutex_lock(&worker->lock);
	is_idle = !worker->is_running && worker->waiting.n == 0 && worker->done.n == 0;
	(void)pthread_mutex_unlock(&worker->lock);
	return is_idle;
}

bool es_worker_end(struct es_worker *worker, int64_t wait_ns)
{
	int64_t until_ns = es_clock_mono_ns() + wait_ns;
	struct timespec until = { .tv_sec = until_ns / ES_NS_PER_S,
				  .tv_nsec = until_ns % ES_NS_PER_S };
	bool is_over;
	int r = 0;

	if (!worker)
		return true;
	(void)pthread_mutex_lock(&worker->lock);
	worker->is_ending = true;
	(void)pthread_cond_signal(&worker->news);
	while (!worker->is_over && r == 0)
		r = pthread_cond_timedwait(&worker->rest, &worker->lock, &until);
	is_over = worker->is_over;
	worker->is_left = !is_over; /* it frees itself, if it ever comes back */
	if (!is_over)
		(void)pthread_detach(worker->thread);
	(void)pthread_mutex_unlock(&worker->lock);
	if (is_over) {
		(void)pthread_join(worker->thread, NULL);
		free_worker(worker);
	}
	return is_over;
}
