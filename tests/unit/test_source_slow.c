/*
 * test_source_slow.c - a meter that takes its time, on a thread of its own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "source/slow.h"

#define LONG_NS (60 * ES_NS_PER_S) /* a test that waits so long has failed */
#define SHORT_NS (5 * ES_NS_PER_MS)

/** struct meter - one that does what the test says; it lives as long as the test */
struct meter {
	int begun; /* what begin returns */
	atomic_bool holds_begin, holds_reads; /* they wait for @go */
	sem_t go, entered, ended; /* posted by the test; by the thread */
	_Atomic uint64_t n_reads;
	atomic_bool has_signals; /* a signal could reach the thread */
};

static int begin(void *arg, struct es_error *err)
{
	struct meter *meter = arg;

	if (atomic_load(&meter->holds_begin))
		while (sem_wait(&meter->go) < 0)
			;
	if (meter->begun < 0)
		return es_error_say(err, meter->begun, "no such meter");
	return meter->begun;
}

static void read_meter(void *arg, struct es_reading *ret, size_t n)
{
	struct meter *meter = arg;
	int64_t t_ns = es_clock_boot_ns();
	sigset_t blocked;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGCHLD))
		atomic_store(&meter->has_signals, true);
	if (atomic_load(&meter->holds_reads)) {
		(void)sem_post(&meter->entered);
		while (sem_wait(&meter->go) < 0)
			;
	}
	(void)atomic_fetch_add(&meter->n_reads, 1);
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct es_reading){ .t_ns = t_ns,
					      .value = 10 * atomic_load(&meter->n_reads) + i };
}

static void end(void *arg)
{
	struct meter *meter = arg;

	(void)sem_post(&meter->ended);
}

static const struct es_slow_ops ops = {
	.name = "es-test", .begin = begin, .read = read_meter, .end = end
};

static void let_go(void *arg)
{
	(void)arg;
}

static void take_slowly(void *arg)
{
	struct meter *meter = arg;

	(void)sem_post(&meter->entered);
	while (sem_wait(&meter->go) < 0)
		;
}

static const struct es_slow_ops ops_of_a_device = { .name = "es-test",
						    .begin = begin,
						    .read = read_meter,
						    .release = let_go,
						    .take = take_slowly,
						    .end = end };

static int set_up(void **state)
{
	struct meter *meter = calloc(1, sizeof(*meter));

	assert_non_null(meter);
	meter->begun = 2;
	assert_int_equal(sem_init(&meter->go, 0, 0), 0);
	assert_int_equal(sem_init(&meter->entered, 0, 0), 0);
	assert_int_equal(sem_init(&meter->ended, 0, 0), 0);
	*state = meter;
	return 0;
}

static int tear_down(void **state)
{
	struct meter *meter = *state;

	/* Whatever happened, the meter was ended once. */
	while (sem_wait(&meter->ended) < 0)
		;
	assert_int_equal(sem_trywait(&meter->ended), -1);
	assert_false(atomic_load(&meter->has_signals));
	free(meter);
	return 0;
}

static struct es_slow *start(struct meter *meter)
{
	struct es_slow *slow = NULL;
	int64_t start_ns = -1;
	struct es_error err = { .code = 0 };

	if (es_slow_start(&ops, meter, LONG_NS, &slow, &start_ns, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(start_ns >= 0);
	return slow;
}

static void the_first_sweep_is_there_from_the_start(void **state)
{
	struct es_slow *slow = start(*state);
	struct es_reading readings[2];

	es_slow_latest(slow, readings);

	assert_int_equal(readings[0].value, 10);
	assert_int_equal(readings[1].value, 11);
	es_slow_stop(slow);
}

static void a_sweep_that_was_asked_for_begins_after_the_question(void **state)
{
	struct es_slow *slow = start(*state);
	struct es_reading readings[2];

	for (int i = 0; i < 50; i++) {
		int64_t asked_ns = es_clock_boot_ns();

		es_slow_ask(slow);
		assert_int_equal(es_slow_wait(slow, LONG_NS), 0);
		es_slow_latest(slow, readings);
		assert_true(readings[0].t_ns >= asked_ns);
	}
	es_slow_stop(slow);
}

static void nobody_waits_for_a_meter_that_hangs(void **state)
{
	struct meter *meter = *state;
	struct es_slow *slow = start(meter);
	struct es_reading readings[2];

	atomic_store(&meter->holds_reads, true);
	es_slow_ask(slow);
	while (sem_wait(&meter->entered) < 0)
		;
	es_slow_ask(slow);
	es_slow_latest(slow, readings);
	assert_int_equal(readings[0].value, 10); /* what there was */
	assert_int_equal(es_slow_wait(slow, SHORT_NS), -ETIMEDOUT);

	atomic_store(&meter->holds_reads, false);
	(void)sem_post(&meter->go);
	assert_int_equal(es_slow_wait(slow, LONG_NS), 0);
	es_slow_latest(slow, readings);
	assert_true(readings[0].value >=
		    30); /* not the one that had begun before the second question */
	es_slow_stop(slow);
}

static void many_questions_meanwhile_are_one(void **state)
{
	struct meter *meter = *state;
	struct es_slow *slow = start(meter);

	atomic_store(&meter->holds_reads, true);
	es_slow_ask(slow);
	while (sem_wait(&meter->entered) < 0)
		;
	for (int i = 0; i < 100; i++)
		es_slow_ask(slow);
	atomic_store(&meter->holds_reads, false);
	(void)sem_post(&meter->go);
	assert_int_equal(es_slow_wait(slow, LONG_NS), 0);
	es_slow_stop(slow);

	assert_int_equal(atomic_load(&meter->n_reads), 3);
}

static void what_begin_says_is_passed_on(void **state)
{
	struct meter *meter = *state;
	struct es_slow *slow = NULL;
	struct es_error err = { .code = 0 };
	int64_t start_ns = 7;

	meter->begun = -ENODEV;
	assert_int_equal(es_slow_start(&ops, meter, LONG_NS, &slow, &start_ns, &err), -ENODEV);
	assert_string_equal(err.text, "no such meter");
	assert_null(slow);
	assert_int_equal(start_ns, 7);
}

static void a_meter_that_does_not_begin_in_time_is_left_to_itself(void **state)
{
	struct meter *meter = *state;
	struct es_slow *slow = NULL;
	int64_t start_ns = 0;

	atomic_store(&meter->holds_begin, true);
	assert_int_equal(es_slow_start(&ops, meter, SHORT_NS, &slow, &start_ns, NULL), -ETIMEDOUT);
	assert_null(slow);
	assert_int_equal(sem_trywait(&meter->ended), -1);
	(void)sem_post(&meter->go); /* it ends by itself; tear_down waits for that */
}

static void wait_until_gone(struct es_slow *slow)
{
	const struct timespec pause = { .tv_nsec = ES_NS_PER_MS };
	int64_t until_ns = es_clock_mono_ns() + LONG_NS;

	while (es_slow_release(slow) != 0) {
		assert_true(es_clock_mono_ns() < until_ns);
		(void)nanosleep(&pause, NULL);
	}
}

static void what_is_being_had_again_is_not_gone(void **state)
{
	struct meter *meter = *state;
	struct es_slow *slow = NULL;
	int64_t start_ns = -1;
	int meanwhile;

	assert_int_equal(es_slow_start(&ops_of_a_device, meter, LONG_NS, &slow, &start_ns, NULL),
			 0);
	wait_until_gone(slow);
	es_slow_take(slow);
	es_slow_ask(slow);
	while (sem_wait(&meter->entered) < 0)
		;
	meanwhile = es_slow_release(slow);
	(void)sem_post(&meter->go);
	wait_until_gone(slow);
	es_slow_stop(slow);

	assert_int_equal(meanwhile, -EINPROGRESS);
}

static void nothing_to_stop_is_no_error(void **state)
{
	struct meter *meter = *state;

	es_slow_stop(NULL);
	(void)sem_post(&meter->ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_sweep_is_there_from_the_start, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_sweep_that_was_asked_for_begins_after_the_question, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_waits_for_a_meter_that_hangs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(many_questions_meanwhile_are_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_begin_says_is_passed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_meter_that_does_not_begin_in_time_is_left_to_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_being_had_again_is_not_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_stop_is_no_error, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("source/slow", tests, NULL, NULL);
}
