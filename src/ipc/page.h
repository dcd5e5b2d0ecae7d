/*
 * page.h - the daemon's shared page: cumulative energies that a client reads without asking
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A sealed memfd (F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE where the kernel has it; mapped read-only by the client), one per client,
 * written at the rate that the client may see. Copied, then checked: the client trusts nothing in it beyond its size. Two slots are
 * written in turn, and the one finished last is read: a writer that is held up, or dies, in the middle of a sweep leaves the one before.
 */
#ifndef ES_IPC_PAGE_H
#define ES_IPC_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_PAGE_MAGIC 0x47505345U /* "ESPG" */
#define ES_PAGE_VERSION 1U
#define ES_PAGE_DOMAINS_MAX 4096U

/** struct es_page_value - one domain as last read */
struct es_page_value {
	int64_t t_ns; /* boot clock, middle of the read; 0: never read */
	int64_t width_ns;
	uint64_t energy_uj; /* since the daemon's epoch; never wraps, never goes back within an epoch */
	uint64_t power_mw; /* of a domain that reports powers: as read */
	int64_t activity_ns;
	int32_t error; /* 0, or negative errno: then the other members are those of the last reading that was good */
	uint32_t n_resets; /* of the hardware counter, seen by the daemon: energy was lost at each */
};

/** struct es_page_copy - a consistent copy of all */
struct es_page_copy {
	/*
	 * Of the energies: another one where they begin anew or the domains are others, the same over a restart of the
	 * daemon that goes on with them (daemon/account.h: es_account_epoch()). Then nothing is lost but readings.
	 */
	uint64_t epoch;
	uint64_t sequence; /* even; grows by 2 with each sweep */
	int64_t sweep_ns,
		period_ns; /* boot clock of the last sweep; planned time to the next; a page older than 3 periods is stale */
	bool has_node; /* else the energy of the whole is not known */
	uint64_t node_uj; /* of the widest trusted meter, or the client's share of it; cumulative since the epoch */
	uint64_t node_mw; /* mean over the last interval */
	char node_kind[16]; /* measured, integrated, estimated, attributed */
	size_t n;
};

struct es_page; /* writer */
/**
 * es_page_create - shared memory for @n_domains, sealed
 * @ret_fd: to be sent to the client, owned by caller
 *
 * Returns 0; -EOPNOTSUPP: no memfd, or no sealing; -E2BIG; -ENOMEM; errors of memfd_create and mmap. To be written
 * before it is sent: without a sweep in it the client gets -EAGAIN.
 */
int es_page_create(size_t n_domains, uint64_t epoch, struct es_page **ret, int *ret_fd,
		   struct es_error *err);
/** es_page_write - one sweep; @head: epoch and sequence are the page's own, n as created; takes microseconds, no system call */
void es_page_write(struct es_page *page, const struct es_page_value *values,
		   const struct es_page_copy *head);
/** es_page_destroy - and the client knows at once that nothing will be written any more (-EPIPE); NULL is fine */
void es_page_destroy(struct es_page *page);

struct es_page_view; /* reader */
/**
 * es_page_open - map what was received; @fd may be closed afterwards
 * Returns 0; -EBADMSG: no page of ours, not sealed, or its size is not what it says; errors of mmap.
 */
int es_page_open(int fd, struct es_page_view **ret, struct es_error *err);
/** es_page_n, es_page_epoch - as the page said when it was opened */
size_t es_page_n(const struct es_page_view *view);
uint64_t es_page_epoch(const struct es_page_view *view);
/** es_page_has_ended - es_page_destroy() was called: nothing new comes */
bool es_page_has_ended(const struct es_page_view *view);
/**
 * es_page_copy - the last sweep; no system call
 * @values: room for @n_max, at least es_page_n(); may be overwritten after an error, too
 * @ret: set with 0, and with -ESTALE where a sweep is there
 *
 * Returns 0; -EAGAIN: nothing was written yet, or what is written never holds still; -ESTALE: not written for 3
 * periods; -EPIPE: es_page_destroy() was called; -EBADMSG: no honest writer wrote that.
 */
int es_page_copy(struct es_page_view *view, int64_t now_boot_ns, struct es_page_value *values,
		 size_t n_max, struct es_page_copy *ret);
void es_page_close(struct es_page_view *view);

#endif
