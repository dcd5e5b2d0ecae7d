/*
 * daemon/chain.h - what becomes of a sweep: CPU times of jobs, the node's book, recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_CHAIN_H
#define ES_DAEMON_CHAIN_H

#include "daemon/account.h"
#include "daemon/jobs.h"
#include "daemon/jobs_sync.h"
#include "daemon/log.h"
#include "daemon/pace.h"
#include "daemon/spool.h"
#include "daemon/statefile.h"

struct es_daemon;

/** struct es_chain - jobs, book and spool, of which any may be absent (NULL) where it could not be opened */
struct es_chain {
	struct es_daemon *daemon;
	struct es_root root; /* of processes and cgroups */
	struct es_jobs *jobs;
	struct es_jobs_sync *sync; /* of their journal; NULL: at once */
	struct es_account *account;
	struct es_spool *spool;
	struct es_state_file state;
	struct es_buf saved; /* scratch */
	struct es_meta meta;
	struct es_page_value *values; /* [node's domains] as last read */
	struct es_page_copy head; /* the node as a whole; epoch and sequence are a page's own */
	int64_t scanned_ns, saved_ns, recorded_ns; /* monotonic clock */
	bool has_news; /* jobs began or ended since readers were looked at */
	bool has_edge; /* and since a sweep was recorded */
	struct es_pace edges; /* of what users tell */
	struct es_log_limit lost, spool_log, scan_log, journal_log;
};

/** es_chain_open - @chain: zeroed. What cannot be opened is logged and done without; 0, -ENOMEM */
int es_chain_open(struct es_chain *chain, struct es_daemon *daemon, struct es_error *err);
void es_chain_close(struct es_chain *chain);

/** es_chain_renew - the node has other meters: book and spool begin anew; while no job runs */
int es_chain_renew(struct es_chain *chain, struct es_error *err);

void es_chain_feed(struct es_chain *chain, const struct es_sweep *sweep);
/** es_chain_tick - once a second or so: cgroups are looked through, files flushed */
void es_chain_tick(struct es_chain *chain, int64_t now_mono_ns);

/** es_chain_job_is - what is known of a running job; without a spool only that it runs, and its energy */
void es_chain_job_is(const struct es_chain *chain, const struct es_job *job,
		     struct es_local_job_is *ret);

/** es_chain_count_jobs - how many run */
size_t es_chain_count_jobs(const struct es_chain *chain);

#endif
