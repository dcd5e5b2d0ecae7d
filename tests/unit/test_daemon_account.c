/*
 * test_daemon_account.c - the rules of the node's book, one by one
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

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct book));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	book_close(*state);
	free(*state);
	return 0;
}

/* Two packages, each with memory; 8 hardware threads. */
static void two_packages(struct book *book)
{
	for (int32_t i = 0; i < 2; i++) {
		book_add(book, ES_DOMAIN_PACKAGE, i, 0);
		book_add(book, ES_DOMAIN_DRAM, i, 0);
	}
	book->options.n_cpus = 8;
	book_open(book, 2);
	book_sweep(book, S);
}

static void draw_all(struct book *book, uint64_t energy_uj)
{
	for (size_t i = 0; i < book->n; i++)
		book_draw(book, i, energy_uj);
}

/* CPU time of a job on a package, and of the machine with it. */
static void work(struct book *book, struct es_job *job, size_t package, int64_t cpu_ns)
{
	if (job)
		job->cpu_ns[package] += cpu_ns;
	book->jobs.busy_ns[package] += cpu_ns;
}

static void a_node_without_jobs_is_nobodys(void **state)
{
	struct book *book = *state;

	two_packages(book);
	draw_all(book, 10 * J);
	book_sweep(book, S);

	assert_int_equal(book_assert_closed(book), 40 * J);
	assert_int_equal(es_account_part(book->account, 0)->rest_uj, 10 * J);
	assert_int_equal(es_account_n_parts(book->account), 4);
}

static void an_exclusive_job_has_everything(void **state)
{
	struct book *book = *state;
	struct es_job *job;

	two_packages(book);
	job = fake_job(&book->jobs, book->now_ns, 100000);
	book->jobs.is_exclusive[0] = true;
	draw_all(book, 7 * J);
	work(book, NULL, 0, S);
	book_sweep(book, S);

	assert_int_equal(book_of(book, job), 28 * J);
	assert_int_equal(book_share(book, job, 3)->rule, ES_SHARE_EXCLUSIVE);
	book_assert_closed(book);
}

static void a_package_whose_cpus_are_one_jobs_is_its_own(void **state)
{
	struct book *book = *state;
	struct es_job *a, *b;

	two_packages(book);
	a = fake_job(&book->jobs, book->now_ns, 0);
	b = fake_job(&book->jobs, book->now_ns, 0);
	a->allocated_ppm[0] = WHOLE;
	b->allocated_ppm[1] = WHOLE / 2;
	work(book, a, 0, S / 10);
	work(book, NULL, 0, S);
	work(book, b, 1, S);
	work(book, NULL, 1, S);
	draw_all(book, 10 * J);
	book_sweep(book, S);

	assert_int_equal(book_of(book, a), 20 * J);
	assert_int_equal(book_share(book, a, 0)->rule, ES_SHARE_DIRECT);
	assert_int_equal(book_share(book, a, 1)->rule, ES_SHARE_DIRECT);
	assert_int_equal(book_of(book, b), 10 * J);
	assert_int_equal(book_share(book, b, 2)->rule, ES_SHARE_CPU_TIME);
	book_assert_closed(book);
}

static void who_runs_on_anothers_package_makes_it_shared(void **state)
{
	struct book *book = *state;
	struct es_job *a, *b;

	two_packages(book);
	a = fake_job(&book->jobs, book->now_ns, WHOLE);
	b = fake_job(&book->jobs, book->now_ns, 0);
	work(book, a, 0, 3 * S);
	work(book, b, 0, S);
	draw_all(book, 8 * J);
	book_sweep(book, S);

	assert_int_equal(book_share(book, a, 0)->rule, ES_SHARE_CPU_TIME);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 6 * J);
	assert_int_equal(book_share(book, b, 0)->dynamic_uj, 2 * J);
	book_assert_closed(book);
}

static void idle_power_that_is_configured_goes_by_allocation(void **state)
{
	struct book *book = *state;
	struct es_job *a;

	book->options.idle_mw = 8000;
	two_packages(book);
	/* What it draws on the whole tells how to spread it: alike. */
	draw_all(book, 2 * J);
	book_sweep(book, S);
	a = fake_job(&book->jobs, book->now_ns, WHOLE / 4);
	work(book, a, 0, S);
	work(book, NULL, 0, S);
	draw_all(book, 10 * J);
	book_sweep(book, S);

	assert_int_equal(book_share(book, a, 0)->idle_method, ES_IDLE_CONFIGURED);
	assert_int_equal(book_share(book, a, 0)->idle_uj, J / 2);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 4 * J);
	assert_int_equal(book_share(book, a, 1)->idle_uj, J / 2);
	assert_int_equal(es_account_part(book->account, 0)->idle_uj, 3 * J / 2);
	book_assert_closed(book);
}

static void idle_power_is_seen_when_nothing_runs_for_long_enough(void **state)
{
	struct book *book = *state;
	struct es_job *a;

	book->options.settle_ns = 5 * S;
	two_packages(book);
	for (int i = 0; i < 4; i++) {
		draw_all(book, 3 * J);
		work(book, NULL, 0, S / 100);
		book_sweep(book, S);
	}
	assert_int_equal(es_account_part(book->account, 0)->idle_method, ES_IDLE_NONE);
	draw_all(book, 3 * J);
	book_sweep(book, S);
	assert_int_equal(es_account_part(book->account, 0)->idle_method, ES_IDLE_SEEN);
	assert_int_equal(es_account_part(book->account, 0)->idle_mw, 3000);

	/* From now on a sleeping job has idle energy only. */
	a = fake_job(&book->jobs, book->now_ns, WHOLE / 2);
	work(book, NULL, 0, 2 * S);
	draw_all(book, 13 * J);
	book_sweep(book, S);
	assert_int_equal(book_share(book, a, 0)->idle_uj, 3 * J / 2);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 0);
	assert_int_equal(book_share(book, a, 0)->idle_method, ES_IDLE_SEEN);
	book_assert_closed(book);
}

static void a_busy_machine_tells_no_idle_power(void **state)
{
	struct book *book = *state;

	book->options.settle_ns = 5 * S;
	two_packages(book);
	for (int i = 0; i < 20; i++) {
		draw_all(book, 30 * J);
		work(book, NULL, 0, S);
		book_sweep(book, S);
	}

	/* A quarter of package 0 was busy, package 1 was not. */
	assert_int_equal(es_account_part(book->account, 0)->idle_method, ES_IDLE_NONE);
	assert_int_equal(es_account_part(book->account, 2)->idle_method, ES_IDLE_SEEN);
}

static void jobs_that_begin_and_end_between_sweeps_share_by_time(void **state)
{
	struct book *book = *state;
	struct es_job *a, *b;

	two_packages(book);
	a = fake_job(&book->jobs, book->now_ns, 0);
	b = fake_job(&book->jobs, book->now_ns + S / 2 + S / 4, 0);
	book->jobs.is_exclusive[0] = book->jobs.is_exclusive[1] = true;
	a->stop_ns = book->now_ns + S / 2;
	draw_all(book, 8 * J);
	book_sweep(book, S);

	assert_int_equal(book_of(book, a), 16 * J);
	assert_int_equal(book_of(book, b), 8 * J);
	assert_int_equal(book_end(book, a), 16 * J);
	assert_int_equal(es_account_part(book->account, 0)->ended_uj, 4 * J);
	book_assert_closed(book);
}

static void a_jobs_cpu_time_before_it_began_is_not_its_own(void **state)
{
	struct book *book = *state;
	struct es_job *a, *b;

	two_packages(book);
	/* Found late: what it used until now is nobody knows when. */
	a = fake_job(&book->jobs, book->now_ns - 5 * S, WHOLE / 2);
	a->cpu_ns[0] = 1000 * S;
	b = fake_job(&book->jobs, book->now_ns, WHOLE / 4);
	work(book, b, 0, S);
	work(book, NULL, 0, S);
	draw_all(book, 8 * J);
	book_sweep(book, S);

	assert_int_equal(book_share(book, a, 0)->rule, ES_SHARE_ALLOCATION);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 4 * J);
	assert_int_equal(book_share(book, b, 0)->dynamic_uj, 4 * J);

	work(book, a, 0, S);
	work(book, b, 0, 3 * S);
	draw_all(book, 8 * J);
	book_sweep(book, S);
	assert_int_equal(book_share(book, a, 0)->rule, ES_SHARE_CPU_TIME);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 6 * J);
	assert_int_equal(book_share(book, b, 0)->dynamic_uj, 10 * J);
	book_assert_closed(book);
}

static void cpu_time_that_is_not_known_is_shared_by_allocation(void **state)
{
	struct book *book = *state;
	struct es_job *a;

	two_packages(book);
	a = fake_job(&book->jobs, book->now_ns, WHOLE / 4);
	a->cpu_ns[0] = a->cpu_ns[1] = -1;
	book->jobs.busy_ns[0] = book->jobs.busy_ns[1] = -1;
	draw_all(book, 8 * J);
	book_sweep(book, S);

	assert_int_equal(book_share(book, a, 0)->rule, ES_SHARE_ALLOCATION);
	assert_int_equal(book_assert_closed(book), 32 * J);
}

/* A node's meter beside one package. */
static void with_node(struct book *book, size_t *ret_package, size_t *ret_node)
{
	*ret_package = book_add(book, ES_DOMAIN_PACKAGE, 0, 0);
	*ret_node = book_add(book, ES_DOMAIN_NODE, -1, 0);
	book->domains[*ret_package].is_chosen_total = false;
	book->domains[*ret_node].is_chosen = false;
	book->options.n_cpus = 4;
	book_open(book, 1);
	book_sweep(book, S);
}

static void what_the_node_draws_beside_its_parts_is_the_rest(void **state)
{
	struct book *book = *state;
	struct es_job *a;
	size_t package, node;

	with_node(book, &package, &node);
	a = fake_job(&book->jobs, book->now_ns, WHOLE / 2);
	work(book, a, 0, S);
	work(book, NULL, 0, S);
	book_draw(book, package, 10 * J);
	book_draw(book, node, 16 * J);
	book_sweep(book, S);

	assert_int_equal(es_account_n_parts(book->account), 2);
	assert_string_equal(es_account_part(book->account, 1)->domain, ES_ACCOUNT_REST);
	assert_int_equal(es_account_part(book->account, 1)->energy_uj, 6 * J);
	assert_int_equal(book_share(book, a, 0)->dynamic_uj, 5 * J);
	assert_int_equal(book_share(book, a, 1)->dynamic_uj, 3 * J);
	assert_int_equal(book_share(book, a, 1)->rule, ES_SHARE_PARTS);
	assert_int_equal(book_assert_closed(book), 16 * J);
}

static uint64_t residual_of(const struct book *book, uint64_t *ret_node_uj)
{
	uint64_t mw, residual_uj;
	enum es_kind kind;

	assert_true(es_account_node(book->account, ret_node_uj, &mw, &kind, &residual_uj));
	return residual_uj;
}

static void a_node_below_its_parts_leaves_a_residual_until_it_made_up(void **state)
{
	struct book *book = *state;
	size_t package, node;
	uint64_t node_uj;

	with_node(book, &package, &node);
	book_draw(book, package, 10 * J);
	book_draw(book, node, 8 * J);
	book_sweep(book, S);
	assert_int_equal(residual_of(book, &node_uj), 2 * J);
	assert_int_equal(node_uj, 10 * J);

	book_draw(book, package, 10 * J);
	book_draw(book, node, 13 * J);
	book_sweep(book, S);
	assert_int_equal(residual_of(book, &node_uj), 0);
	assert_int_equal(node_uj, 21 * J);
	assert_int_equal(es_account_part(book->account, 1)->energy_uj, J);
	book_assert_closed(book);
}

/* A controller that shows a new power every 30 s: what it will show is known from the last one, so that jobs that end meanwhile have theirs. */
static void a_late_node_is_not_behind_by_its_period(void **state)
{
	struct book *book = *state;
	struct es_job *a;
	size_t package, node;
	uint64_t node_uj, before_uj;

	package = book_add(book, ES_DOMAIN_PACKAGE, 0, 0);
	node = book_add(book, ES_DOMAIN_NODE, -1, 0);
	book->domains[package].is_chosen_total = false;
	book->domains[node].is_chosen = false;
	book->domains[node].is_power = true;
	book->domains[node].kind = ES_KIND_INTEGRATED;
	book->domains[node].update_period_ns = book->domains[node].hold_ns = 30 * S;
	book->raw[node] = 160000;
	book_open(book, 1);
	book->read_ns[node] = book->now_ns + S;
	for (int i = 0; i < 61; i++) {
		book_sweep(book, S);
		book_draw(book, package, 100 * J);
		if (i % 30 == 29)
			book->read_ns[node] = book->now_ns + S;
	}
	before_uj = book_assert_closed(book);
	a = fake_job(&book->jobs, book->now_ns, WHOLE);
	book->jobs.is_exclusive[0] = true;
	for (int i = 0; i < 20; i++) {
		book_sweep(book, S);
		book_draw(book, package, 100 * J);
	}
	book_sweep(book, S / 1000);

	(void)residual_of(book, &node_uj);
	assert_in_range(book_of(book, a), 20 * 160 * J - 100 * J, 20 * 160 * J + 100 * J);
	assert_in_range(node_uj - before_uj, 20 * 160 * J - 100 * J, 20 * 160 * J + 100 * J);
	book_assert_closed(book);
}

/* A counter of the node that is refreshed every 30 s, and read each second. */
static void a_standing_node_gives_each_its_part_of_the_rest(void **state)
{
	struct book *book = *state;
	struct es_job *a, *b;
	size_t package, node;
	uint64_t node_uj;

	with_node(book, &package, &node);
	a = fake_job(&book->jobs, book->now_ns, WHOLE / 2);
	b = fake_job(&book->jobs, book->now_ns, WHOLE / 2);
	for (int i = 0; i < 30; i++) {
		/* One works in the first ten seconds, the other one later. */
		work(book, i < 10 ? a : b, 0, S);
		book_draw(book, package, 10 * J);
		if (i == 29)
			book_draw(book, node, 600 * J);
		book_sweep(book, S);
		book_assert_closed(book);
	}

	assert_int_equal(residual_of(book, &node_uj), 0);
	assert_int_equal(node_uj, 600 * J);
	assert_int_equal(book_of(book, a), 200 * J);
	assert_int_equal(book_of(book, b), 400 * J);
}

static void a_node_that_lost_its_count_takes_nothing_from_the_rest(void **state)
{
	struct book *book = *state;
	size_t package, node;
	uint64_t node_uj, residual_uj;

	with_node(book, &package, &node);
	for (int i = 0; i < 20; i++) {
		book_draw(book, package, 100 * J);
		book_draw(book, node, 150 * J);
		if (i == 10)
			book->raw[node] = 3 * J;
		book_sweep(book, S);
		book_assert_closed(book);
	}

	residual_uj = residual_of(book, &node_uj);
	assert_int_equal(residual_uj, 0);
	/* Of 20 intervals of 150 J two thirds are the package's; the rest of the lost one is not known. */
	assert_in_range(node_uj, 2000 * J + 17 * 50 * J, 3000 * J);
}

static void a_node_that_began_anew_owes_nothing_for_what_it_did_not_count(void **state)
{
	struct book *book = *state;
	size_t package, node;
	uint64_t node_uj, rest_uj = 0;

	with_node(book, &package, &node);
	for (int i = 0; i < 40; i++) {
		/* Half a minute without it: the controller was started anew, and counts from 0. */
		book->errors[node] = i >= 5 && i < 30 ? -EIO : 0;
		book_draw(book, package, 100 * J);
		book_draw(book, node, 150 * J);
		if (i == 29)
			book->raw[node] = J;
		book_sweep(book, S);
		book_assert_closed(book);
		if (i == 34)
			rest_uj = es_account_part(book->account, 1)->energy_uj;
	}

	assert_int_equal(residual_of(book, &node_uj), 0);
	assert_int_equal(es_account_part(book->account, 1)->energy_uj, rest_uj + 250 * J);
	assert_int_equal(node_uj, 4000 * J + rest_uj + 250 * J);
}

static void a_node_that_fails_for_long_makes_up_for_it(void **state)
{
	struct book *book = *state;
	size_t package, node;
	uint64_t node_uj;

	with_node(book, &package, &node);
	for (int i = 0; i < 300; i++) {
		book_draw(book, package, 100 * J);
		book_draw(book, node, 150 * J);
		book->errors[node] = i >= 50 && i < 250 ? -EIO : 0;
		book_sweep(book, S);
		book_assert_closed(book);
	}

	assert_int_equal(residual_of(book, &node_uj), 0);
	assert_int_equal(node_uj, 300 * 150 * J);
}

static void a_part_that_fails_is_not_taken_for_the_rest(void **state)
{
	struct book *book = *state;
	size_t package, node;
	uint64_t node_uj;

	with_node(book, &package, &node);
	for (int i = 0; i < 60; i++) {
		book_draw(book, package, 100 * J);
		book_draw(book, node, 150 * J);
		book->errors[package] = i >= 10 && i < 40 ? -EIO : 0;
		book_sweep(book, S);
		book_assert_closed(book);
	}

	assert_int_equal(residual_of(book, &node_uj), 0);
	assert_int_equal(es_account_part(book->account, 0)->energy_uj, 6000 * J);
	assert_int_equal(es_account_part(book->account, 1)->energy_uj, 3000 * J);
}

static void wraps_and_resets_are_in_the_values_of_pages(void **state)
{
	struct book *book = *state;
	struct es_page_value values[2];
	size_t package = book_add(book, ES_DOMAIN_PACKAGE, 0, 262144 * J / 1000);

	book_open(book, 1);
	book_sweep(book, S);
	for (int i = 0; i < 100; i++) {
		book_draw(book, package, 20 * J);
		book_sweep(book, S);
	}
	es_account_values(book->account, values);
	assert_int_equal(values[0].energy_uj, 2000 * J);
	assert_int_equal(values[0].error, 0);
	assert_int_equal(values[0].t_ns, book->now_ns);

	book->errors[package] = -EIO;
	book_sweep(book, S);
	es_account_values(book->account, values);
	assert_int_equal(values[0].error, -EIO);
	assert_int_equal(values[0].energy_uj, 2000 * J);
	assert_int_equal(values[0].t_ns, book->now_ns - S);
}

static void a_sleep_costs_nothing(void **state)
{
	struct book *book = *state;
	size_t package = book_add(book, ES_DOMAIN_PACKAGE, 0, 262144 * J / 1000);

	book_open(book, 1);
	book_sweep(book, S);
	book_draw(book, package, 100 * J);
	book_sweep(book, S);
	/* A night: the boot clock goes on, the monotonic one does not. */
	book->mono_ns -= 28800 * S;
	book_draw(book, package, 50 * J);
	book_sweep(book, 28800 * S + S);

	assert_int_equal(book_assert_closed(book), 150 * J);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_node_without_jobs_is_nobodys),
		TEST(an_exclusive_job_has_everything),
		TEST(a_package_whose_cpus_are_one_jobs_is_its_own),
		TEST(who_runs_on_anothers_package_makes_it_shared),
		TEST(idle_power_that_is_configured_goes_by_allocation),
		TEST(idle_power_is_seen_when_nothing_runs_for_long_enough),
		TEST(a_busy_machine_tells_no_idle_power),
		TEST(jobs_that_begin_and_end_between_sweeps_share_by_time),
		TEST(a_jobs_cpu_time_before_it_began_is_not_its_own),
		TEST(cpu_time_that_is_not_known_is_shared_by_allocation),
		TEST(what_the_node_draws_beside_its_parts_is_the_rest),
		TEST(a_node_below_its_parts_leaves_a_residual_until_it_made_up),
		TEST(a_late_node_is_not_behind_by_its_period),
		TEST(a_standing_node_gives_each_its_part_of_the_rest),
		TEST(a_node_that_lost_its_count_takes_nothing_from_the_rest),
		TEST(a_node_that_began_anew_owes_nothing_for_what_it_did_not_count),
		TEST(a_node_that_fails_for_long_makes_up_for_it),
		TEST(a_part_that_fails_is_not_taken_for_the_rest),
		TEST(wraps_and_resets_are_in_the_values_of_pages),
		TEST(a_sleep_costs_nothing),
	};

	return cmocka_run_group_tests_name("daemon/account", tests, NULL, NULL);
}
