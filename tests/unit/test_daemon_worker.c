/*
 * test_daemon_worker.c - a thread for what may wait, and for ever
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/worker.h"

struct counts {
	atomic_int n_run, n_dropped;
};

struct task {
	struct es_task task;
	struct counts *counts;
	int number, fd; /* fd: read from it, -1: nothing to wait for */
};

static void run(struct es_task *base)
{
	struct task *task = (struct task *)base;
	char byte;

	if (task->fd >= 0)
		(void)!read(task->fd, &byte, 1);
	atomic_fetch_add(&task->counts->n_run, 1);
}

static void drop(struct es_task *base)
{
	struct task *task = (struct task *)base;

	atomic_fetch_add(&task->counts->n_dropped, 1);
	free(task);
}

static struct es_task *task(struct counts *counts, int number, int fd)
{
	struct task *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->task = (struct es_task){ .run = run, .drop = drop };
	made->counts = counts;
	made->number = number;
	made->fd = fd;
	return &made->task;
}

static void tasks_are_done_in_their_order_and_come_back(void **state)
{
	struct counts counts = { .n_run = 0 };
	struct es_worker *worker;
	int n = 0;

	(void)state;
	assert_int_equal(es_worker_create(100, &worker), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(es_worker_give(worker, task(&counts, i, -1)), 0);
	for (int tries = 0; tries < 2000 && n < 50; tries++) {
		struct es_task *done = es_worker_take(worker);

		if (!done) {
			usleep(1000);
			continue;
		}
		assert_int_equal(((struct task *)done)->number, n++);
		done->drop(done);
	}
	assert_int_equal(n, 50);
	assert_true(es_worker_is_idle(worker));
	assert_true(es_worker_end(worker, ES_NS_PER_S));
	assert_int_equal(counts.n_dropped, 50);
	assert_true(es_worker_end(NULL, 0));
}

static void what_waits_at_the_end_is_done(void **state)
{
	struct counts counts = { .n_run = 0 };
	struct es_worker *worker;

	(void)state;
	assert_int_equal(es_worker_create(100, &worker), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(es_worker_give(worker, task(&counts, i, -1)), 0);
	assert_true(es_worker_end(worker, 10 * ES_NS_PER_S));
	assert_int_equal(counts.n_run, 50);
	assert_int_equal(counts.n_dropped, 50);
}

/* A file system that does not answer: nobody waits for it, more than so many are refused, and it frees what it has when it answers. */
static void a_thread_that_hangs_is_left_behind(void **state)
{
	static struct counts counts; /* outlives the test, as the thread may */
	struct es_worker *worker;
	int64_t before_ns;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(es_worker_create(3, &worker), 0);
	assert_int_equal(es_worker_give(worker, task(&counts, 0, fds[0])), 0);
	for (int tries = 0; tries < 2000 && es_worker_give(worker, task(&counts, 9, -1)) < 0;
	     tries++)
		usleep(1000);
	{
		struct es_task *more[8];
		int n_refused = 0;

		for (int i = 0; i < 8; i++) {
			more[i] = task(&counts, i, -1);
			if (es_worker_give(worker, more[i]) == -ENOBUFS) {
				more[i]->drop(more[i]);
				n_refused++;
			}
		}
		assert_true(n_refused >= 5);
	}
	before_ns = es_clock_mono_ns();
	assert_false(es_worker_end(worker, 50 * ES_NS_PER_MS));
	assert_true(es_clock_mono_ns() - before_ns < 5 * ES_NS_PER_S);
	assert_int_equal(counts.n_run, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	for (int tries = 0; tries < 2000 && counts.n_dropped < 10; tries++)
		usleep(1000);
	assert_int_equal(counts.n_run, 1); /* what waited is not begun any more */
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_are_done_in_their_order_and_come_back),
		cmocka_unit_test(what_waits_at_the_end_is_done),
		cmocka_unit_test(a_thread_that_hangs_is_left_behind),
	};

	return cmocka_run_group_tests_name("daemon/worker", tests, NULL, NULL);
}
