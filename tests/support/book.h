/*
 * book.h - a made-up node whose meters tests move, and its book
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_BOOK_H
#define ES_TESTS_SUPPORT_BOOK_H

#include "daemon/account.h"
#include "support/fake_jobs.h"

#define BOOK_DOMAINS_MAX 16U
#define BOOK_EPOCH 77U

/** struct book - the meters' truth, what they show, and the account that is fed with it */
struct book {
	struct es_domain domains[BOOK_DOMAINS_MAX];
	size_t n;
	uint64_t raw[BOOK_DOMAINS_MAX]; /* µJ as the counter has it, or mW */
	int errors[BOOK_DOMAINS_MAX];
	int64_t read_ns[BOOK_DOMAINS_MAX]; /* of its reading, where it is old; 0: of the sweep */
	struct es_jobs jobs;
	struct es_account_options options;
	struct es_account *account;
	int64_t now_ns, mono_ns, period_ns;
	uint64_t sequence;
};

/** book_add - a domain; index. In both covers unless told otherwise */
size_t book_add(struct book *book, enum es_domain_type type, int32_t package, uint64_t modulus_uj);
/** book_open - the account of all that was added; @n_packages of the jobs */
void book_open(struct book *book, size_t n_packages);
/** book_start_anew - as after a kill: another account, from what was saved; what es_account_load() says */
int book_start_anew(struct book *book, const void *data, size_t n, const char *boot_id);
void book_close(struct book *book);

/** book_draw - a counter goes on by @energy_uj, and wraps */
void book_draw(struct book *book, size_t domain, uint64_t energy_uj);
/** book_sweep - @dur_ns later: read and fed */
void book_sweep(struct book *book, int64_t dur_ns);
/** book_assert_closed - jobs + idle + unattributed = part, for each, and all of them = node. Returns the node's energy */
uint64_t book_assert_closed(struct book *book);
/** book_end - a job is over: what it had */
uint64_t book_end(struct book *book, struct es_job *job);
/** book_of - what a job had so far; of all parts, or of one */
uint64_t book_of(const struct book *book, const struct es_job *job);
const struct es_account_share *book_share(const struct book *book, const struct es_job *job,
					  size_t part);

#endif
