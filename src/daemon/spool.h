/*
 * daemon/spool.h - recordings of jobs, and of the node, in a folder with a quota
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * SPOOL/jobs/ID[.rN]-SERIAL.esr, one per job, open while it runs; after a kill they are gone on with (record/recorder.h: reopen), so that a
 * counter's step over the gap holds its energy. An exclusive job's has the node's domains; a shared one's the domains of kind
 * attributed: one per part, and the node as a whole. Steps and tags are regions in it. SPOOL/node/DATE.esr has the node itself.
 * Oldest finished files go when the quota is passed, never those of running jobs; a full disk is said once and tried again.
 */
#ifndef ES_DAEMON_SPOOL_H
#define ES_DAEMON_SPOOL_H

#include "daemon/account.h"
#include "daemon/jobs.h"
#include "daemon/sweep.h"
#include "record/meta.h"

struct es_spool;

/** struct es_spool_options - texts borrowed */
struct es_spool_options {
	const char *folder;
	const char *shared; /* a folder that all nodes share; NULL: none */
	uint64_t quota_bytes;
	int64_t keep_ns; /* finished recordings older than that go; 0: only the quota counts */
	bool keeps_node; /* a recording of the node itself */
	int64_t orphans_ns; /* so long a job may take to be found again after a start; 0: 15 s */
	const struct es_meta
		*meta; /* of this node: name, CPUs, boot id, zone …; domains are the spool's */
};

/** es_spool_log_fn - something that an administrator should know, in words */
typedef void (*es_spool_log_fn)(void *arg, int error, const char *words);

int es_spool_open(const struct es_spool_options *options, const struct es_node_domains *domains,
		  es_spool_log_fn log, void *arg, struct es_spool **ret, struct es_error *err);
void es_spool_close(struct es_spool *spool);

/** es_spool_news - hand on what es_jobs_fn is told: files are begun, steps marked, files ended and their summaries made (aside, never waited for) */
void es_spool_news(struct es_spool *spool, enum es_jobs_news news, struct es_job *job,
		   const char *step, int64_t t_ns);
/** es_spool_tag - 0 or an enum es_ipc_verdict */
int es_spool_tag(struct es_spool *spool, struct es_job *job, const char *name, bool is_start,
		 int64_t t_ns);
/** es_spool_feed - a sweep, after es_account_feed() */
void es_spool_feed(struct es_spool *spool, const struct es_jobs *jobs,
		   const struct es_account *account, const struct es_sweep *sweep);
/** es_spool_tick - once a second or so: flush, quota, what ended files still need */
void es_spool_tick(struct es_spool *spool, int64_t now_unix_ns);

/**
 * struct es_spool_viewer - who asks: for others than administrators only the own jobs are there
 * A number may be had by several jobs one after the other, of several users: it proves nothing.
 */
struct es_spool_viewer {
	bool is_admin;
	bool has_uid;
	uid_t uid;
	uint64_t serial; /* of the job that it is a process of; 0: of none */
};

/** es_spool_find - what is known of a job, running or ended, by id; @which 0: the newest of that id that @viewer may see. 0, -ENOENT */
int es_spool_find(struct es_spool *spool, const struct es_spool_viewer *viewer, const char *id,
		  uint32_t which, struct es_local_job_is *ret);
/** es_spool_open_recording - likewise, read-only; a descriptor or negative errno */
int es_spool_open_recording(struct es_spool *spool, const struct es_spool_viewer *viewer,
			    const char *id, uint32_t which);
/** es_spool_running - what is known of a running job as of the last sweep, borrowed until the next one; NULL: it is not in the spool */
const struct es_local_job_is *es_spool_running(const struct es_spool *spool,
					       const struct es_job *job);
/**
 * es_spool_totals - summaries of all nodes of a job in the shared folder; @ret [@max]; how many, or negative errno (-EOPNOTSUPP: no such folder is configured)
 * The folder may be of a network that hangs: to be called aside, while @spool is open; any thread may.
 */
int es_spool_totals(struct es_spool *spool, const char *id, uid_t uid, struct es_local_job_is *ret,
		    size_t max);

#endif
