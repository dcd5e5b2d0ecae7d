/*
 * test_daemon_account_book.c - a thousand histories of a node, against a plain book kept beside
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/book.h"
#include "support/random.h"

#define S INT64_C(1000000000)
#define J UINT64_C(1000000)
#define WHOLE 1000000U
#define HISTORIES 1000
#define STEPS 60
#define PACKAGES 2
#define RUNNING_MAX 6
#define RANGE_UJ (262143 * J)
#define BOOT "7d7a5d0e-boot"

/* What the plain book has of a job: all in floating point, and remembered for each part until its energy comes. */
struct plain_job {
	bool is_known;
	int64_t seen_ns;
	double cpu_ns[PACKAGES];
	double used[BOOK_DOMAINS_MAX], held[BOOK_DOMAINS_MAX], whole[BOOK_DOMAINS_MAX];
	double energy_uj;
	double drawn_uj;
};

struct plain {
	struct plain_job jobs[FAKE_JOBS_MAX];
	double used[BOOK_DOMAINS_MAX], held[BOOK_DOMAINS_MAX], whole[BOOK_DOMAINS_MAX],
		open[BOOK_DOMAINS_MAX];
	double busy_ns[PACKAGES];
	uint64_t parts_uj[BOOK_DOMAINS_MAX];
	int64_t sweep_ns;
	unsigned n_shares;
};

struct history {
	struct book book;
	struct plain plain;
	uint64_t seed;
	uint64_t drawn_uj[BOOK_DOMAINS_MAX]; /* the truth */
	uint64_t shown_uj[BOOK_DOMAINS_MAX]; /* of that, as of the last reading that did not fail */
	bool was_reset[BOOK_DOMAINS_MAX];
	bool has_node;
};

static uint64_t below(struct history *h, uint64_t n)
{
	return test_random_below(&h->seed, n);
}

/* 0, 2: packages; 1, 3: their memory; 4: the node, in half of all histories. */
static void open_node(struct history *h)
{
	struct book *book = &h->book;

	h->has_node = below(h, 2) == 0;
	for (int32_t i = 0; i < PACKAGES; i++) {
		book_add(book, ES_DOMAIN_PACKAGE, i, below(h, 2) ? RANGE_UJ : 0);
		book_add(book, ES_DOMAIN_DRAM, i, 0);
	}
	if (h->has_node) {
		for (size_t i = 0; i < book->n; i++)
			book->domains[i].is_chosen_total = false;
		book->domains[book_add(book, ES_DOMAIN_NODE, -1, 0)].is_chosen = false;
	}
	book->options.idle_mw = below(h, 3) == 0 ? 40000 : 0;
	book->options.settle_ns = below(h, 2) ? 5 * S : 1000 * S;
	book->options.n_cpus = 8;
	book_open(book, PACKAGES);
	for (size_t i = 0; i < book->n; i++)
		book->raw[i] = RANGE_UJ - 1 - below(h, 1000 * J);
}

static bool is_whole(const struct history *h, size_t k, bool has_exclusive, size_t package)
{
	const struct es_jobs *jobs = &h->book.jobs;

	if (has_exclusive)
		return jobs->is_exclusive[k];
	if (package >= PACKAGES || jobs->ppm[k][package] < WHOLE)
		return false;
	for (size_t j = 0; j < jobs->n; j++)
		if (jobs->is_here[j] && j != k &&
		    (jobs->ppm[j][package] ||
		     (double)jobs->cpu_ns[j][package] != h->plain.jobs[j].cpu_ns[package]))
			return false;
	return true;
}

static double here_ns(const struct history *h, size_t k)
{
	const struct es_job *job = &h->book.jobs.jobs[k];
	int64_t since_ns = h->plain.sweep_ns, upto_ns = h->book.now_ns;

	since_ns = job->start_ns > since_ns ? job->start_ns : since_ns;
	upto_ns = job->stop_ns && job->stop_ns < upto_ns ? job->stop_ns : upto_ns;
	return upto_ns > since_ns ? (double)(upto_ns - since_ns) : 0;
}

/* One part's claims of one sweep; @package PACKAGES: the rest, for which what was drawn counts. How long it was shared. */
static double plain_claim(struct history *h, size_t part, size_t package)
{
	struct plain *plain = &h->plain;
	const struct es_jobs *jobs = &h->book.jobs;
	double dur_ns = (double)(h->book.now_ns - plain->sweep_ns), sum = 0, busy, shared, held;
	bool has_exclusive = false;

	for (size_t k = 0; k < jobs->n; k++)
		has_exclusive |= jobs->is_here[k] && jobs->is_exclusive[k] && here_ns(h, k) > 0;
	for (size_t k = 0; k < jobs->n; k++)
		if (jobs->is_here[k] && is_whole(h, k, has_exclusive, package))
			sum += here_ns(h, k);
	shared = sum > dur_ns ? 0 : dur_ns - sum;
	busy = package < PACKAGES ? (double)jobs->busy_ns[package] - plain->busy_ns[package] : 0;
	for (size_t k = 0; k < jobs->n; k++) {
		struct plain_job *own = &plain->jobs[k];
		double used;

		if (!jobs->is_here[k])
			continue;
		used = package < PACKAGES ? (double)jobs->cpu_ns[k][package] - own->cpu_ns[package]
					  : own->drawn_uj;
		held = package < PACKAGES ? jobs->ppm[k][package]
					  : (jobs->ppm[k][0] + jobs->ppm[k][1]) / 2;
		if (is_whole(h, k, has_exclusive, package)) {
			own->whole[part] += sum > dur_ns ? here_ns(h, k) * dur_ns / sum
							 : here_ns(h, k);
			busy -= package < PACKAGES ? used : 0;
		} else if (shared > 0) {
			own->used[part] += used;
			own->held[part] += held / WHOLE * here_ns(h, k);
		}
	}
	plain->open[part] += dur_ns;
	plain->whole[part] += dur_ns - shared;
	plain->held[part] += shared;
	if (package < PACKAGES)
		plain->used[part] += shared > 0 && busy > 0 ? busy : 0;
	return shared;
}

/* What nobody drew is needed for the rest only: it is what the book says. */
static void plain_give(struct history *h, size_t part, double idle_mw)
{
	struct plain *plain = &h->plain;
	const struct es_account_part *line = es_account_part(h->book.account, part);
	double energy = (double)(line->energy_uj - plain->parts_uj[part]), idle, used = 0, held = 0,
	       whole = 0;

	plain->parts_uj[part] = line->energy_uj;
	if (energy == 0)
		return;
	idle = fmin(floor(idle_mw * plain->open[part] / 1e6), energy);
	for (size_t k = 0; k < h->book.jobs.n; k++) {
		used += plain->jobs[k].used[part];
		held += plain->jobs[k].held[part];
	}
	used = fmax(used, plain->used[part]);
	held = fmax(held, plain->held[part]);
	whole = plain->open[part] > 0 ? plain->whole[part] / plain->open[part] : 0;
	plain->n_shares++;
	for (size_t k = 0; k < h->book.jobs.n; k++) {
		struct plain_job *own = &plain->jobs[k];
		double dynamic = 0, of_idle = 0;

		if (plain->whole[part] > 0) {
			dynamic += (energy - idle) * whole * own->whole[part] / plain->whole[part];
			of_idle += idle * whole * own->whole[part] / plain->whole[part];
		}
		if (used > 0)
			dynamic += (energy - idle) * (1 - whole) * own->used[part] / used;
		if (held > 0)
			of_idle += idle * (1 - whole) * own->held[part] / held;
		own->energy_uj += dynamic + of_idle;
		own->drawn_uj += dynamic;
		own->used[part] = own->held[part] = own->whole[part] = 0;
	}
	plain->used[part] = plain->held[part] = plain->whole[part] = plain->open[part] = 0;
}

/* After the book's own sweep; @idle_mw: what was in force before it, @drawn_uj: dynamic energy that was nobody's. */
static void plain_sweep(struct history *h, const uint64_t *idle_mw, const uint64_t *rest_uj)
{
	struct plain *plain = &h->plain;
	const struct es_jobs *jobs = &h->book.jobs;
	size_t n_parts = es_account_n_parts(h->book.account);

	for (size_t k = 0; k < jobs->n; k++)
		plain->jobs[k].drawn_uj = 0;
	for (size_t i = 0; i < 4; i++)
		(void)plain_claim(h, i, i / 2);
	for (size_t i = 0; i < 4; i++)
		plain_give(h, i, (double)idle_mw[i]);
	if (n_parts == 5) {
		bool has_exclusive = false;
		double nobodys = 0, jobs_uj = 0;

		for (size_t i = 0; i < 4; i++)
			nobodys +=
				(double)(es_account_part(h->book.account, i)->rest_uj - rest_uj[i]);
		for (size_t k = 0; k < jobs->n; k++)
			has_exclusive |= jobs->is_here[k] && jobs->is_exclusive[k] &&
					 here_ns(h, k) > 0;
		for (size_t k = 0; k < jobs->n; k++)
			jobs_uj += jobs->is_here[k] && !is_whole(h, k, has_exclusive, PACKAGES)
					   ? plain->jobs[k].drawn_uj
					   : 0;
		if (plain_claim(h, 4, PACKAGES) > 0)
			plain->used[4] += nobodys + jobs_uj;
		plain_give(h, 4, (double)idle_mw[4]);
	}
	for (size_t p = 0; p < PACKAGES; p++)
		plain->busy_ns[p] = (double)jobs->busy_ns[p];
	for (size_t k = 0; k < jobs->n; k++)
		for (size_t p = 0; jobs->is_here[k] && p < PACKAGES; p++)
			plain->jobs[k].cpu_ns[p] = (double)jobs->cpu_ns[k][p];
	plain->sweep_ns = h->book.now_ns;
}

static void begin_job(struct history *h)
{
	struct es_jobs *jobs = &h->book.jobs;
	struct es_job *job;
	size_t n_here = 0;

	for (size_t k = 0; k < jobs->n; k++)
		n_here += jobs->is_here[k];
	if (n_here >= RUNNING_MAX || jobs->n >= FAKE_JOBS_MAX)
		return;
	/* Some ms after the last sweep: that is between this one and the next. */
	job = fake_job(jobs, h->book.now_ns + (int64_t)below(h, 4) * 5000000,
		       (uint32_t)below(h, 4) * WHOLE / 8);
	if (below(h, 4) == 0)
		job->allocated_ppm[below(h, PACKAGES)] = WHOLE;
	jobs->is_exclusive[jobs->n - 1] = below(h, 10) == 0;
}

static void work_all(struct history *h)
{
	struct es_jobs *jobs = &h->book.jobs;

	for (size_t p = 0; p < PACKAGES; p++) {
		jobs->busy_ns[p] += (int64_t)below(h, 3) * (int64_t)below(h, (uint64_t)S);
		for (size_t k = 0; k < jobs->n; k++) {
			int64_t cpu_ns = (int64_t)(below(h, 2) * below(h, (uint64_t)S));

			if (!jobs->is_here[k])
				continue;
			jobs->cpu_ns[k][p] += cpu_ns;
			/* The machine's time is counted in ticks. */
			jobs->busy_ns[p] += cpu_ns / 10000000 * 10000000;
		}
	}
}

static void draw(struct history *h, size_t domain, uint64_t energy_uj)
{
	book_draw(&h->book, domain, energy_uj);
	h->drawn_uj[domain] += energy_uj;
}

static void draw_all(struct history *h, int64_t dur_ns)
{
	uint64_t sum_uj = 0;

	for (size_t i = 0; i < 4; i++) {
		uint64_t uj = (uint64_t)dur_ns / 1000 * below(h, 200);

		draw(h, i, uj);
		sum_uj += uj;
	}
	if (h->has_node)
		draw(h, 4, sum_uj + (uint64_t)dur_ns / 1000 * below(h, 50));
}

static void break_meters(struct history *h)
{
	for (size_t i = 0; i < h->book.n; i++) {
		if (below(h, 60) == 0 && h->book.raw[i] > 500 * J) {
			h->book.raw[i] = below(h, 100 * J);
			h->was_reset[i] = true;
		}
		if (below(h, 20) == 0)
			h->book.errors[i] = h->book.errors[i] ? 0 : -EIO;
	}
}

/* Killed, and started anew: what was saved at the last sweep is all there is. */
static void kill_daemon(struct history *h)
{
	struct es_buf saved;

	es_buf_init(&saved, 1 << 20);
	assert_int_equal(es_account_save(h->book.account, &h->book.jobs, BOOT, &saved), 0);
	assert_int_equal(book_start_anew(&h->book, saved.data, saved.len, BOOT), 0);
	assert_int_equal(es_account_epoch(h->book.account), BOOK_EPOCH);
	es_buf_finish(&saved);
	(void)book_assert_closed(&h->book);
}

static void check_job(struct history *h, size_t k)
{
	double book_uj = (double)book_of(&h->book, &h->book.jobs.jobs[k]);

	/* Each share is rounded to a µJ, and what comes of it for the rest. */
	if (fabs(book_uj - h->plain.jobs[k].energy_uj) > 8.0 + 4 * (double)h->plain.n_shares)
		fail_msg("job %zu: %.0f in the book, %.0f in the plain one", k, book_uj,
			 h->plain.jobs[k].energy_uj);
}

static void sweep(struct history *h, int64_t dur_ns)
{
	uint64_t idle_mw[BOOK_DOMAINS_MAX], rest_uj[BOOK_DOMAINS_MAX];
	size_t n = es_account_n_parts(h->book.account);

	for (size_t i = 0; i < n; i++) {
		idle_mw[i] = es_account_part(h->book.account, i)->idle_mw;
		rest_uj[i] = es_account_part(h->book.account, i)->rest_uj;
	}
	book_sweep(&h->book, dur_ns);
	plain_sweep(h, idle_mw, rest_uj);
	for (size_t i = 0; i < h->book.n; i++)
		if (!h->book.errors[i])
			h->shown_uj[i] = h->drawn_uj[i];
	(void)book_assert_closed(&h->book);
}

static void step(struct history *h)
{
	struct es_jobs *jobs = &h->book.jobs;
	int64_t dur_ns = S / 50 + (int64_t)below(h, 3) * S / 2;
	bool is_killed = below(h, 15) == 0;

	if (below(h, 4) == 0)
		begin_job(h);
	break_meters(h);
	if (is_killed) {
		kill_daemon(h);
		dur_ns += (int64_t)below(h, 20) * S;
	}
	work_all(h);
	draw_all(h, dur_ns);
	sweep(h, dur_ns);
	for (size_t k = 0; k < jobs->n; k++) {
		if (!jobs->is_here[k])
			continue;
		check_job(h, k);
		if (below(h, 10) == 0)
			(void)book_end(&h->book, &jobs->jobs[k]);
	}
	/* Claims of jobs that are over are nobody's. */
	for (size_t k = 0; k < jobs->n; k++)
		if (!jobs->is_here[k])
			for (size_t i = 0; i < BOOK_DOMAINS_MAX; i++)
				h->plain.jobs[k].used[i] = h->plain.jobs[k].held[i] =
					h->plain.jobs[k].whole[i] = 0;
	(void)book_assert_closed(&h->book);
}

/* Everything that was shown is in the book, but for what a reset took. */
static void check_truth(struct history *h)
{
	uint64_t node_uj, mw, residual_uj;
	enum es_kind kind;
	bool is_sound = true;

	for (size_t i = 0; i < 4; i++) {
		uint64_t part_uj = es_account_part(h->book.account, i)->energy_uj;

		is_sound = is_sound && !h->was_reset[i];
		if (!h->was_reset[i])
			assert_int_equal(part_uj, h->shown_uj[i]);
	}
	if (!h->has_node || h->was_reset[4] || !is_sound)
		return;
	(void)es_account_node(h->book.account, &node_uj, &mw, &kind, &residual_uj);
	for (size_t i = 0; i < h->book.n; i++)
		is_sound = is_sound && !h->book.errors[i];
	if (is_sound)
		assert_int_equal(node_uj, h->drawn_uj[4] + residual_uj);
	assert_true(node_uj >= h->shown_uj[4] || !is_sound);
}

static void run_history(uint64_t seed)
{
	struct history *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->seed = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	open_node(h);
	h->plain.sweep_ns = h->book.now_ns + S;
	sweep(h, S);
	for (int i = 0; i < STEPS; i++)
		step(h);
	check_truth(h);
	book_close(&h->book);
	free(h);
}

static void the_book_closes_and_agrees_with_a_plain_one(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= HISTORIES; i++)
		run_history(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_book_closes_and_agrees_with_a_plain_one),
	};

	return cmocka_run_group_tests_name("daemon/account_book", tests, NULL, NULL);
}
