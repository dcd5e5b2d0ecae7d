/*
 * book.c - a made-up node whose meters tests move, and its book
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/book.h"

#include "support/test.h"

#include <string.h>

#define PERIOD_NS INT64_C(1000000000)
#define START_NS (100 * PERIOD_NS)

size_t book_add(struct book *book, enum es_domain_type type, int32_t package, uint64_t modulus_uj)
{
	struct es_domain *domain = &book->domains[book->n];

	assert_true(book->n < BOOK_DOMAINS_MAX);
	es_domain_init(domain, "test", type, package, -1);
	domain->state = ES_STATE_OK;
	domain->kind = ES_KIND_MEASURED;
	domain->is_chosen = domain->is_chosen_total = true;
	domain->range.modulus_nj = modulus_uj * 1000;
	domain->peak_mw = 2000000;
	return book->n++;
}

static void create(struct book *book)
{
	const struct es_node_domains domains = { .epoch = BOOK_EPOCH + book->sequence,
						 .domains = book->domains,
						 .n = book->n };
	struct es_error err = { .code = 0 };

	assert_int_equal(es_account_create(&book->options, &domains, &book->account, &err), 0);
}

void book_open(struct book *book, size_t n_packages)
{
	book->jobs.n_packages = n_packages;
	book->now_ns = book->mono_ns = START_NS;
	book->period_ns = PERIOD_NS;
	create(book);
}

int book_start_anew(struct book *book, const void *data, size_t n, const char *boot_id)
{
	es_account_destroy(book->account);
	for (size_t i = 0; i < book->jobs.n; i++)
		book->jobs.jobs[i].account = NULL;
	create(book);
	return data ? es_account_load(book->account, &book->jobs, boot_id, data, n) : 0;
}

void book_close(struct book *book)
{
	es_account_destroy(book->account);
	book->account = NULL;
}

void book_draw(struct book *book, size_t domain, uint64_t energy_uj)
{
	uint64_t modulus_uj = book->domains[domain].range.modulus_nj / 1000;

	book->raw[domain] += energy_uj;
	if (modulus_uj)
		book->raw[domain] %= modulus_uj;
}

void book_sweep(struct book *book, int64_t dur_ns)
{
	struct es_reading readings[BOOK_DOMAINS_MAX];
	struct es_sweep sweep = { .sequence = ++book->sequence,
				  .readings = readings,
				  .n = book->n,
				  .period_ns = book->period_ns };

	book->now_ns += dur_ns;
	book->mono_ns += dur_ns;
	sweep.boot_ns = book->now_ns;
	sweep.mono_ns = book->mono_ns;
	for (size_t i = 0; i < book->n; i++)
		readings[i] = (struct es_reading){
			.t_ns = book->read_ns[i] ? book->read_ns[i] : book->now_ns,
			.width_ns = 1000,
			.value = book->raw[i],
			.error = book->errors[i],
		};
	assert_int_equal(es_account_feed(book->account, &book->jobs, &sweep), 0);
}

uint64_t book_of(const struct book *book, const struct es_job *job)
{
	uint64_t sum_uj = 0;

	return es_account_of(book->account, job, &sum_uj) ? sum_uj : 0;
}

const struct es_account_share *book_share(const struct book *book, const struct es_job *job,
					  size_t part)
{
	uint64_t sum_uj;
	const struct es_account_share *shares = es_account_of(book->account, job, &sum_uj);

	assert_non_null(shares);
	return &shares[part];
}

uint64_t book_assert_closed(struct book *book)
{
	uint64_t node_uj, node_mw, residual_uj, sum_uj = 0;
	enum es_kind kind;

	(void)es_account_node(book->account, &node_uj, &node_mw, &kind, &residual_uj);
	for (size_t i = 0; i < es_account_n_parts(book->account); i++) {
		const struct es_account_part *part = es_account_part(book->account, i);
		uint64_t of_uj = part->idle_uj + part->rest_uj + part->ended_uj;
		struct es_job *job;

		for (size_t j = 0; (job = es_jobs_at(&book->jobs, j)); j++)
			if (job->account)
				of_uj += book_share(book, job, i)->dynamic_uj +
					 book_share(book, job, i)->idle_uj;
		assert_int_equal(of_uj, part->energy_uj);
		sum_uj += part->energy_uj;
	}
	assert_int_equal(sum_uj, node_uj);
	return node_uj;
}

uint64_t book_end(struct book *book, struct es_job *job)
{
	uint64_t of_uj = book_of(book, job);

	es_account_close(book->account, job);
	fake_job_end(&book->jobs, job);
	return of_uj;
}
