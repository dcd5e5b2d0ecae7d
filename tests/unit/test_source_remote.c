/*
 * test_source_remote.c - meters that are named: lost, found again, and never waited for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/remote.h"

#define LONG_NS (60 * ES_NS_PER_S) /* a test that waits so long has failed */

/** struct far - a meter that does as the test says; it lives as long as the test */
struct far {
	atomic_int connects_with, reads_with; /* 0 or an error */
	atomic_int n_connects, n_reads, n_disconnects, n_destroyed;
	_Atomic uint64_t value;
	unsigned n_domains;
};

struct fixture {
	struct es_root root;
	struct es_meter_url url;
	struct far far;
	struct es_source *source;
};

static int far_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct far *far = arg;
	int r = atomic_load(&far->connects_with);

	(void)atomic_fetch_add(&far->n_connects, 1);
	if (r < 0) {
		es_remote_say_fix(remote, "plug it in");
		return es_error_say(err, r, "nobody there");
	}
	for (unsigned i = 0; i < far->n_domains; i++) {
		struct es_domain domain;

		es_meter_domain(es_remote_url(remote), "far", &domain);
		domain.package = (int32_t)i;
		assert_int_equal(es_remote_add(remote, &domain), 0);
	}
	return 0;
}

static int far_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct far *far = arg;

	(void)remote;
	(void)atomic_fetch_add(&far->n_reads, 1);
	for (size_t i = 0; i < n; i++)
		ret[i].value = atomic_load(&far->value) + i;
	return atomic_load(&far->reads_with);
}

static void far_disconnect(void *arg)
{
	(void)atomic_fetch_add(&((struct far *)arg)->n_disconnects, 1);
}

static void far_destroy(void *arg)
{
	(void)atomic_fetch_add(&((struct far *)arg)->n_destroyed, 1);
}

static const struct es_remote_ops far_ops = {
	.thread = "es-far",
	.period_ns = ES_NS_PER_MS,
	.connect = far_connect,
	.read = far_read,
	.disconnect = far_disconnect,
	.destroy = far_destroy,
};

static const struct es_source_ops source_ops = {
	.name = "far",
	.schemes = "far",
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.read = es_remote_read,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.close = es_remote_close,
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->root.fd = -1;
	assert_int_equal(es_root_open(NULL, -1, &f->root, NULL), 0);
	assert_int_equal(es_meter_url_parse("far://there", "n", &f->url, NULL), 0);
	atomic_store(&f->far.value, 412000);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_remote_close(f->source);
	es_root_close(&f->root);
	free(f);
	return 0;
}

static void open_it(struct fixture *f)
{
	assert_int_equal(es_remote_open(&f->root, &f->url, &source_ops, &far_ops, &f->far,
					&f->source, NULL),
			 0);
	assert_int_equal(es_remote_settle(f->source, NULL), 0);
}

static void nap(int64_t dur_ns)
{
	const struct timespec pause = { .tv_sec = dur_ns / ES_NS_PER_S,
					.tv_nsec = dur_ns % ES_NS_PER_S };

	(void)nanosleep(&pause, NULL);
}

static struct es_reading read_anew(struct fixture *f)
{
	struct es_reading readings[64] = { 0 };

	nap(2 * far_ops.period_ns);
	es_remote_ask(f->source);
	assert_int_equal(es_remote_wait(f->source, LONG_NS), 0);
	assert_int_equal(es_remote_read(f->source, readings, 64), 0);
	return readings[0];
}

static void a_meter_that_answers_is_the_domain_of_its_url(void **state)
{
	struct fixture *f = *state;
	struct es_reading reading;
	struct es_plan plan;

	open_it(f);
	assert_int_equal(f->source->n_domains, 1);
	assert_string_equal(f->source->domains[0].id, "far/node");
	assert_int_equal(f->source->domains[0].state, ES_STATE_UNPROVEN);
	assert_int_equal(es_remote_plan(f->source, &plan), 0);
	assert_int_equal(plan.at_most_ns, far_ops.period_ns);
	atomic_store(&f->far.value, 500000);
	reading = read_anew(f);
	assert_int_equal(reading.error, 0);
	assert_int_equal(reading.value, 500000);
	assert_true(reading.t_ns > 0);
}

static void tells_its_own_domains(void **state)
{
	struct fixture *f = *state;
	struct es_reading readings[3];

	f->far.n_domains = 3;
	open_it(f);
	assert_int_equal(f->source->n_domains, 3);
	assert_int_equal(f->source->domains[2].package, 2);
	assert_int_equal(es_remote_read(f->source, readings, 3), 0);
	assert_int_equal(readings[2].value, 412002);
	assert_int_equal(es_remote_read(f->source, readings, 2), -EINVAL);
}

static void one_that_is_not_there_is_listed_and_tried_again(void **state)
{
	struct fixture *f = *state;
	struct es_reading reading;

	atomic_store(&f->far.connects_with, -EHOSTUNREACH);
	open_it(f);
	assert_int_equal(f->source->n_domains, 1);
	assert_int_equal(f->source->domains[0].state, ES_STATE_ABSENT);
	assert_true(f->source->domains[0].is_there);
	assert_string_equal(f->source->domains[0].reason, "there: nobody there");
	assert_string_equal(f->source->domains[0].fix, "plug it in");
	reading = read_anew(f);
	assert_int_equal(reading.error, -EHOSTUNREACH);
	assert_int_equal(atomic_load(&f->far.n_connects), 1);
	assert_int_equal(atomic_load(&f->far.n_reads), 0);

	atomic_store(&f->far.connects_with, 0);
	for (int i = 0; i < 6000 && reading.error; i++) {
		nap(10 * ES_NS_PER_MS);
		reading = read_anew(f);
	}
	assert_int_equal(reading.error, 0);
	assert_int_equal(reading.value, 412000);
	assert_int_equal(atomic_load(&f->far.n_connects), 2);
}

static void one_that_refuses_us_is_denied(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->far.connects_with, -EACCES);
	open_it(f);
	assert_int_equal(f->source->domains[0].state, ES_STATE_DENIED);
}

static void one_that_is_lost_fails_until_it_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct es_reading reading;

	open_it(f);
	atomic_store(&f->far.reads_with, -EPIPE);
	reading = read_anew(f);
	assert_int_equal(reading.error, -EPIPE);
	assert_int_equal(atomic_load(&f->far.n_disconnects), 1);
	atomic_store(&f->far.reads_with, 0);
	for (int i = 0; i < 6000 && reading.error; i++) {
		nap(10 * ES_NS_PER_MS);
		reading = read_anew(f);
	}
	assert_int_equal(reading.error, 0);
	assert_int_equal(atomic_load(&f->far.n_connects), 2);
}

/* A session each second that is of no use fills a controller's table of them. */
static void one_that_answers_nothing_but_connects_is_tried_less_often(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->far.reads_with, -EPIPE);
	open_it(f);
	for (int64_t end_ns = es_clock_mono_ns() + 2700 * ES_NS_PER_MS;
	     es_clock_mono_ns() < end_ns;)
		(void)read_anew(f);
	/* At the start and after 1 s, not after 2 s. */
	assert_in_range(atomic_load(&f->far.n_connects), 1, 2);
}

/* Accounts are locked after a few wrong passwords within minutes. */
static void one_that_refuses_our_password_is_not_asked_again_soon(void **state)
{
	char path[] = "/tmp/es-remote-XXXXXX", url[96];
	static const char secret[] = "user: u\npassword: p\n";
	static const struct es_remote_ops locking_ops = {
		.thread = "es-locking",
		.period_ns = ES_NS_PER_MS,
		.denied_ns = ES_REMOTE_DENIED_NS,
		.connect = far_connect,
		.read = far_read,
		.disconnect = far_disconnect,
		.destroy = far_destroy,
	};
	struct fixture *f = *state;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, secret, sizeof(secret) - 1), sizeof(secret) - 1);
	(void)close(fd);
	(void)snprintf(url, sizeof(url), "far://there?credentials=%s", path);
	assert_int_equal(es_meter_url_parse(url, "n", &f->url, NULL), 0);
	atomic_store(&f->far.connects_with, -EACCES);
	assert_int_equal(es_remote_open(&f->root, &f->url, &source_ops, &locking_ops, &f->far,
					&f->source, NULL),
			 0);
	assert_int_equal(es_remote_settle(f->source, NULL), 0);
	for (int64_t end_ns = es_clock_mono_ns() + 1500 * ES_NS_PER_MS;
	     es_clock_mono_ns() < end_ns;)
		assert_int_equal(read_anew(f).error, -EACCES);
	assert_int_equal(atomic_load(&f->far.n_connects), 1);
	es_remote_close(f->source);
	f->source = NULL;
	(void)unlink(path);
}

static void is_left_alone_as_long_as_its_kind_wants(void **state)
{
	static const struct es_remote_ops rare_ops = {
		.thread = "es-rare",
		.period_ns = 60 * ES_NS_PER_S,
		.period_min_ns = 30 * ES_NS_PER_S,
		.connect = far_connect,
		.read = far_read,
		.disconnect = far_disconnect,
		.destroy = far_destroy,
	};
	struct fixture *f = *state;
	struct es_plan plan;

	assert_int_equal(es_meter_url_parse("far://there?period=1s", "n", &f->url, NULL), 0);
	assert_int_equal(es_remote_open(&f->root, &f->url, &source_ops, &rare_ops, &f->far,
					&f->source, NULL),
			 0);
	assert_int_equal(es_remote_settle(f->source, NULL), 0);
	assert_int_equal(es_remote_plan(f->source, &plan), 0);
	assert_int_equal(plan.at_most_ns, 30 * ES_NS_PER_S);
	for (int i = 0; i < 5; i++) {
		es_remote_ask(f->source);
		assert_int_equal(es_remote_wait(f->source, LONG_NS), 0);
	}
	assert_int_equal(atomic_load(&f->far.n_reads), 1);
}

static void is_freed_when_it_is_closed(void **state)
{
	struct fixture *f = *state;

	open_it(f);
	es_remote_close(f->source);
	f->source = NULL;
	assert_int_equal(atomic_load(&f->far.n_destroyed), 1);
	assert_int_equal(atomic_load(&f->far.n_disconnects), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_meter_that_answers_is_the_domain_of_its_url),
		TEST(tells_its_own_domains),
		TEST(one_that_is_not_there_is_listed_and_tried_again),
		TEST(one_that_refuses_us_is_denied),
		TEST(one_that_is_lost_fails_until_it_is_found_again),
		TEST(one_that_answers_nothing_but_connects_is_tried_less_often),
		TEST(one_that_refuses_our_password_is_not_asked_again_soon),
		TEST(is_left_alone_as_long_as_its_kind_wants),
		TEST(is_freed_when_it_is_closed),
	};

	return cmocka_run_group_tests_name("source/remote", tests, NULL, NULL);
}
