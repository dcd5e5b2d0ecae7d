/*
 * source/slow.c - meters that take their time, read by a thread of their own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/slow.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define STOP_NS (2 * ES_NS_PER_S)

struct es_slow {
	const struct es_slow_ops *ops;
	void *arg;
	pthread_t thread;
	sem_t wishes; /* wakes the thread */
	_Atomic uint64_t n_asked; /* sweeps wished for */
	atomic_bool is_ending;
	atomic_bool is_to_go; /* the device is to be let go */
	int64_t end_by_ns; /* of the one who stops it: monotonic clock; 0: it may go on */
	struct es_reading *taken; /* of the one who takes: what the last es_slow_latest() gave */

	pthread_mutex_t
		lock; /* guards what follows; held for a copy, never during a call of the meter */
	pthread_cond_t news;
	struct es_reading *latest; /* [n] */
	size_t n;
	uint64_t n_served; /* n_asked when the latest sweep began */
	int64_t start_ns; /* what begin took */
	int begun; /* 1: the first sweep is there; negative errno */
	struct es_error err;
	bool is_gone; /* the device is let go */
	bool has_ended;
	bool is_left; /* nobody waits any more: the thread frees everything */
};

static void destroy(struct es_slow *slow)
{
	(void)pthread_mutex_destroy(&slow->lock);
	(void)pthread_cond_destroy(&slow->news);
	(void)sem_destroy(&slow->wishes);
	free(slow->latest);
	free(slow->taken);
	free(slow);
}

static void say_begun(struct es_slow *slow, int begun, const struct es_error *err)
{
	(void)pthread_mutex_lock(&slow->lock);
	slow->begun = begun;
	slow->err = *err;
	(void)pthread_cond_broadcast(&slow->news);
	(void)pthread_mutex_unlock(&slow->lock);
}

/* The device is let go, or had again, if somebody wished for it. Returns whether there is one to read. */
static bool obey(struct es_slow *slow)
{
	bool is_to_go, was_gone;

	(void)pthread_mutex_lock(&slow->lock);
	is_to_go = atomic_load(&slow->is_to_go);
	was_gone = slow->is_gone;
	/* From the moment on at which it may be had again: whoever wishes it gone now has to wait for that. */
	slow->is_gone = is_to_go && was_gone;
	(void)pthread_mutex_unlock(&slow->lock);
	if (is_to_go == was_gone)
		return !is_to_go;
	if (!is_to_go) {
		slow->ops->take(slow->arg);
		return true;
	}
	slow->ops->release(slow->arg);
	(void)pthread_mutex_lock(&slow->lock);
	slow->is_gone = true;
	(void)pthread_mutex_unlock(&slow->lock);
	return false;
}

/* One sweep into @readings, then into the slot. */
static void sweep(struct es_slow *slow, struct es_reading *readings, size_t n)
{
	uint64_t n_asked = atomic_load(&slow->n_asked);

	if (obey(slow)) {
		slow->ops->read(slow->arg, readings, n);
	} else {
		for (size_t i = 0; i < n; i++)
			readings[i] = (struct es_reading){ .t_ns = es_clock_boot_ns(),
							   .error = -ECANCELED };
	}
	(void)pthread_mutex_lock(&slow->lock);
	memcpy(slow->latest, readings, n * sizeof(*readings));
	slow->n_served = n_asked;
	(void)pthread_cond_broadcast(&slow->news);
	(void)pthread_mutex_unlock(&slow->lock);
}

static void serve(struct es_slow *slow, struct es_reading *readings, size_t n)
{
	while (!atomic_load(&slow->is_ending)) {
		while (sem_wait(&slow->wishes) < 0 && errno == EINTR)
			;
		/* Wishes that came meanwhile are for the same sweep. */
		while (sem_trywait(&slow->wishes) == 0)
			;
		if (!atomic_load(&slow->is_ending))
			sweep(slow, readings, n);
	}
}

static int begin(struct es_slow *slow, struct es_reading **ret, struct es_error *err)
{
	int64_t t0_ns = es_clock_mono_ns();
	int r = slow->ops->begin(slow->arg, err);
	size_t n = r > 0 ? (size_t)r : 0;
	struct es_reading *readings, *latest, *taken;

	if (r <= 0)
		return r < 0 ? r : es_error_set(err, -ENODEV, "%s", slow->ops->name);
	readings = calloc(n, sizeof(*readings));
	latest = calloc(n, sizeof(*latest));
	taken = calloc(n, sizeof(*taken));
	(void)pthread_mutex_lock(&slow->lock);
	slow->latest = latest;
	slow->taken = taken;
	slow->n = n;
	slow->start_ns = es_clock_mono_ns() - t0_ns;
	(void)pthread_mutex_unlock(&slow->lock);
	if (!readings || !latest || !taken) {
		free(readings);
		return es_error_set(err, -ENOMEM, "%s", slow->ops->name);
	}
	*ret = readings;
	return 0;
}

static void *run(void *arg)
{
	struct es_slow *slow = arg;
	struct es_reading *readings = NULL;
	struct es_error err = { .code = 0 };
	bool is_left;
	int r;

	(void)pthread_setname_np(pthread_self(), slow->ops->name);
	r = begin(slow, &readings, &err);
	if (r == 0)
		sweep(slow, readings, slow->n);
	say_begun(slow, r < 0 ? r : 1, &err);
	if (r == 0)
		serve(slow, readings, slow->n);
	slow->ops->end(slow->arg);
	free(readings);
	(void)pthread_mutex_lock(&slow->lock);
	slow->has_ended = true;
	is_left = slow->is_left;
	(void)pthread_cond_broadcast(&slow->news);
	(void)pthread_mutex_unlock(&slow->lock);
	if (is_left)
		destroy(slow);
	return NULL;
}

/* Signals are for the thread that waits for them, not for a library's. */
static int start_thread(struct es_slow *slow)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&slow->thread, NULL, run, slow);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static int make(const struct es_slow_ops *ops, void *arg, struct es_slow **ret)
{
	struct es_slow *slow = calloc(1, sizeof(*slow));
	pthread_condattr_t attr;

	if (!slow)
		return -ENOMEM;
	slow->ops = ops;
	slow->arg = arg;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&slow->news, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&slow->lock, NULL);
	(void)sem_init(&slow->wishes, 0, 0);
	*ret = slow;
	return 0;
}

static struct timespec at(int64_t at_ns)
{
	return (struct timespec){ .tv_sec = at_ns / ES_NS_PER_S, .tv_nsec = at_ns % ES_NS_PER_S };
}

/* The caller has the lock; it is given back. The thread is joined, or left to itself where it has not ended. */
static void part(struct es_slow *slow)
{
	bool has_ended = slow->has_ended;

	slow->is_left = !has_ended;
	if (!has_ended)
		(void)pthread_detach(slow->thread);
	(void)pthread_mutex_unlock(&slow->lock);
	if (!has_ended)
		return;
	(void)pthread_join(slow->thread, NULL);
	destroy(slow);
}

static void wait_for_end(struct es_slow *slow, int64_t until_ns)
{
	const struct timespec until = at(until_ns);

	while (!slow->has_ended &&
	       pthread_cond_timedwait(&slow->news, &slow->lock, &until) != ETIMEDOUT)
		;
}

int es_slow_begin(const struct es_slow_ops *ops, void *arg, struct es_slow **ret,
		  struct es_error *err)
{
	struct es_slow *slow = NULL;
	int r = make(ops, arg, &slow);

	if (r == 0)
		r = start_thread(slow);
	if (r < 0) {
		if (slow)
			destroy(slow);
		ops->end(arg);
		return es_error_set(err, r, "%s: no thread", ops->name);
	}
	*ret = slow;
	return 0;
}

int es_slow_settle(struct es_slow *slow, int64_t until_ns, int64_t *ret_start_ns,
		   struct es_error *err)
{
	const struct timespec until = at(until_ns);
	int r;

	(void)pthread_mutex_lock(&slow->lock);
	while (slow->begun == 0 &&
	       pthread_cond_timedwait(&slow->news, &slow->lock, &until) != ETIMEDOUT)
		;
	if (slow->begun == 1) {
		*ret_start_ns = slow->start_ns;
		memcpy(slow->taken, slow->latest, slow->n * sizeof(*slow->taken));
		(void)pthread_mutex_unlock(&slow->lock);
		return 0;
	}
	r = slow->begun < 0 ? slow->begun : -ETIMEDOUT;
	if (slow->begun == 0)
		(void)es_error_set(err, r, "%s: no answer", slow->ops->name);
	else if (err)
		*err = slow->err;
	atomic_store(&slow->is_ending, true);
	(void)sem_post(&slow->wishes);
	wait_for_end(slow, es_clock_mono_ns() + (slow->begun < 0 ? STOP_NS : 0));
	part(slow);
	return r;
}

int es_slow_start(const struct es_slow_ops *ops, void *arg, int64_t wait_ns, struct es_slow **ret,
		  int64_t *ret_start_ns, struct es_error *err)
{
	int64_t until_ns = es_clock_mono_ns() + wait_ns;
	struct es_slow *slow = NULL;
	int r = es_slow_begin(ops, arg, &slow, err);

	if (r == 0)
		r = es_slow_settle(slow, until_ns, ret_start_ns, err);
	if (r == 0)
		*ret = slow;
	return r;
}

void es_slow_end(struct es_slow *slow)
{
	if (slow->end_by_ns)
		return;
	slow->end_by_ns = es_clock_mono_ns() + STOP_NS;
	atomic_store(&slow->is_ending, true);
	(void)sem_post(&slow->wishes);
}

void es_slow_stop(struct es_slow *slow)
{
	if (!slow)
		return;
	es_slow_end(slow);
	(void)pthread_mutex_lock(&slow->lock);
	wait_for_end(slow, slow->end_by_ns);
	part(slow);
}

void es_slow_ask(struct es_slow *slow)
{
	(void)atomic_fetch_add(&slow->n_asked, 1);
	(void)sem_post(&slow->wishes);
}

int es_slow_wait(struct es_slow *slow, int64_t wait_ns)
{
	const struct timespec until = at(es_clock_mono_ns() + wait_ns);
	uint64_t n_asked = atomic_load(&slow->n_asked);
	bool is_served;

	(void)pthread_mutex_lock(&slow->lock);
	while (slow->n_served < n_asked &&
	       pthread_cond_timedwait(&slow->news, &slow->lock, &until) != ETIMEDOUT)
		;
	is_served = slow->n_served >= n_asked;
	(void)pthread_mutex_unlock(&slow->lock);
	return is_served ? 0 : -ETIMEDOUT;
}

void es_slow_latest(struct es_slow *slow, struct es_reading *ret)
{
	/* Whoever holds the lock may have lost its CPU: then this sweep has what the last one had. */
	if (pthread_mutex_trylock(&slow->lock) == 0) {
		memcpy(slow->taken, slow->latest, slow->n * sizeof(*slow->taken));
		(void)pthread_mutex_unlock(&slow->lock);
	}
	memcpy(ret, slow->taken, slow->n * sizeof(*ret));
}

int es_slow_release(struct es_slow *slow)
{
	bool is_gone;

	if (!slow->ops->release)
		return -EOPNOTSUPP;
	if (!atomic_exchange(&slow->is_to_go, true))
		(void)sem_post(&slow->wishes);
	if (pthread_mutex_trylock(&slow->lock) != 0)
		return -EINPROGRESS;
	is_gone = slow->is_gone;
	(void)pthread_mutex_unlock(&slow->lock);
	return is_gone ? 0 : -EINPROGRESS;
}

void es_slow_take(struct es_slow *slow)
{
	atomic_store(&slow->is_to_go, false);
}
