/*
 * test_daemon_account_save.c - the book of a daemon that was killed goes on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/book.h"

#define S INT64_C(1000000000)
#define J UINT64_C(1000000)
#define WHOLE 1000000U
#define BOOT "4f2d"
#define SAVED_MAX (1U << 20)

struct saved {
	struct book book;
	struct es_buf buf;
	size_t package, node;
};

/* A package beside a node's meter, and two jobs that work on it. */
static int set_up(void **state)
{
	struct saved *s = calloc(1, sizeof(*s));

	*state = s;
	if (!s)
		return -1;
	es_buf_init(&s->buf, SAVED_MAX);
	s->package = book_add(&s->book, ES_DOMAIN_PACKAGE, 0, 0);
	s->node = book_add(&s->book, ES_DOMAIN_NODE, -1, 0);
	s->book.domains[s->package].is_chosen_total = false;
	s->book.domains[s->node].is_chosen = false;
	s->book.options.n_cpus = 4;
	s->book.options.settle_ns = 3 * S;
	book_open(&s->book, 1);
	book_sweep(&s->book, S);
	return 0;
}

static int tear_down(void **state)
{
	struct saved *s = *state;

	book_close(&s->book);
	es_buf_finish(&s->buf);
	free(s);
	return 0;
}

static void draw(struct saved *s, uint64_t package_uj, uint64_t node_uj)
{
	book_draw(&s->book, s->package, package_uj);
	book_draw(&s->book, s->node, node_uj);
}

static void save(struct saved *s)
{
	assert_int_equal(es_account_save(s->book.account, &s->book.jobs, BOOT, &s->buf), 0);
}

static int load(struct saved *s, const char *boot_id)
{
	return book_start_anew(&s->book, s->buf.data, s->buf.len, boot_id);
}

static void a_killed_daemon_loses_no_energy(void **state)
{
	struct saved *s = *state;
	struct es_job *a = fake_job(&s->book.jobs, s->book.now_ns, WHOLE / 2);
	struct es_job *b = fake_job(&s->book.jobs, s->book.now_ns, WHOLE / 4);
	struct es_page_value values[2];

	a->cpu_ns[0] += S;
	s->book.jobs.busy_ns[0] += S;
	draw(s, 10 * J, 15 * J);
	book_sweep(&s->book, S);
	save(s);
	assert_int_equal(load(s, BOOT), 0);
	assert_int_equal(book_of(&s->book, a), 15 * J);

	/* Over the gap one worked three times as long as the other; nobody else did. */
	a->cpu_ns[0] += 15 * S;
	b->cpu_ns[0] += 5 * S;
	s->book.jobs.busy_ns[0] += 20 * S;
	draw(s, 200 * J, 300 * J);
	book_sweep(&s->book, 20 * S);

	assert_int_equal(book_assert_closed(&s->book), 315 * J);
	assert_int_equal(book_of(&s->book, a), 15 * J + 225 * J);
	assert_int_equal(book_of(&s->book, b), 75 * J);
	/* A page goes on as if nothing had been. */
	assert_int_equal(es_account_epoch(s->book.account), BOOK_EPOCH);
	es_account_values(s->book.account, values);
	assert_int_equal(values[s->package].energy_uj, 210 * J);
	assert_int_equal(values[s->node].energy_uj, 315 * J);
}

static void a_job_that_began_in_the_gap_has_its_part_of_it(void **state)
{
	struct saved *s = *state;
	struct es_job *a;

	save(s);
	assert_int_equal(load(s, BOOT), 0);
	a = fake_job(&s->book.jobs, s->book.now_ns + 5 * S, WHOLE);
	s->book.jobs.is_exclusive[0] = true;
	draw(s, 100 * J, 100 * J);
	book_sweep(&s->book, 10 * S);

	assert_int_equal(book_of(&s->book, a), 50 * J);
	book_assert_closed(&s->book);
}

static void a_job_that_ended_in_the_gap_keeps_what_it_had_as_an_ended_one(void **state)
{
	struct saved *s = *state;
	struct es_job *a = fake_job(&s->book.jobs, s->book.now_ns, WHOLE);

	s->book.jobs.is_exclusive[0] = true;
	draw(s, 10 * J, 12 * J);
	book_sweep(&s->book, S);
	save(s);
	fake_job_end(&s->book.jobs, a);
	assert_int_equal(load(s, BOOT), 0);
	draw(s, 10 * J, 12 * J);
	book_sweep(&s->book, S);

	assert_int_equal(book_assert_closed(&s->book), 24 * J);
	assert_int_equal(es_account_part(s->book.account, 0)->ended_uj, 10 * J);
	assert_int_equal(es_account_part(s->book.account, 0)->rest_uj, 10 * J);
}

static void idle_power_is_known_at_once(void **state)
{
	struct saved *s = *state;

	for (int i = 0; i < 3; i++) {
		draw(s, 20 * J, 30 * J);
		book_sweep(&s->book, S);
	}
	save(s);
	assert_int_equal(load(s, BOOT), 0);

	assert_int_equal(es_account_part(s->book.account, 0)->idle_method, ES_IDLE_SEEN);
	assert_int_equal(es_account_part(s->book.account, 0)->idle_mw, 20000);
	assert_int_equal(es_account_part(s->book.account, 1)->idle_mw, 10000);
}

/* As after an upgrade of a driver, or with a package that is gone: once, and once more. */
static void with_other_meters_a_job_keeps_what_it_had(void **state)
{
	struct saved *s = *state;
	struct es_job *a = fake_job(&s->book.jobs, s->book.now_ns, WHOLE);
	uint64_t had_uj;

	draw(s, 10 * J, 12 * J);
	book_sweep(&s->book, S);
	had_uj = book_of(&s->book, a);
	assert_true(had_uj > 0);
	save(s);
	s->book.domains[s->package].id[0]++;
	assert_int_equal(load(s, BOOT), -ESTALE);
	assert_int_equal(es_account_before(s->book.account, a), had_uj);
	assert_int_equal(book_of(&s->book, a), 0);
	book_sweep(&s->book, S);
	draw(s, 5 * J, 6 * J);
	book_sweep(&s->book, S);
	had_uj += book_of(&s->book, a);
	assert_true(book_of(&s->book, a) > 0);
	(void)book_assert_closed(&s->book);
	save(s);
	assert_int_equal(load(s, BOOT), 0);
	assert_int_equal(es_account_before(s->book.account, a) + book_of(&s->book, a), had_uj);
	s->book.domains[s->package].id[0]++;
	assert_int_equal(load(s, BOOT), -ESTALE);
	assert_int_equal(es_account_before(s->book.account, a), had_uj);
}

static void another_boot_or_other_meters_are_refused(void **state)
{
	struct saved *s = *state;
	struct es_job *a = fake_job(&s->book.jobs, s->book.now_ns, WHOLE);

	draw(s, 10 * J, 12 * J);
	book_sweep(&s->book, S);
	save(s);

	assert_int_equal(load(s, "5f2d"), -ESTALE);
	assert_null(a->account);
	assert_int_equal(book_assert_closed(&s->book), 0);
	s->book.domains[s->node].is_chosen_total = false;
	s->book.domains[s->package].is_chosen_total = true;
	assert_int_equal(load(s, BOOT), -ESTALE);
	s->book.domains[s->node].is_chosen_total = true;
	s->book.domains[s->package].is_chosen_total = false;
	s->book.domains[s->package].id[0]++;
	assert_int_equal(load(s, BOOT), -ESTALE);
}

static void what_is_cut_or_changed_is_refused(void **state)
{
	struct saved *s = *state;
	size_t n;

	(void)fake_job(&s->book.jobs, s->book.now_ns, WHOLE);
	draw(s, 10 * J, 12 * J);
	book_sweep(&s->book, S);
	save(s);
	n = s->buf.len;
	for (size_t i = 0; i < n; i++) {
		int r;

		s->buf.data[i] ^= 0x20;
		r = load(s, BOOT);
		s->buf.data[i] ^= 0x20;
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(book_start_anew(&s->book, s->buf.data, i, BOOT), -EBADMSG);
	}
	assert_int_equal(load(s, BOOT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_killed_daemon_loses_no_energy),
		TEST(a_job_that_began_in_the_gap_has_its_part_of_it),
		TEST(a_job_that_ended_in_the_gap_keeps_what_it_had_as_an_ended_one),
		TEST(idle_power_is_known_at_once),
		TEST(with_other_meters_a_job_keeps_what_it_had),
		TEST(another_boot_or_other_meters_are_refused),
		TEST(what_is_cut_or_changed_is_refused),
	};

	return cmocka_run_group_tests_name("daemon/account_save", tests, NULL, NULL);
}
