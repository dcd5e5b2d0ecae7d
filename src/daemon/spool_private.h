/*
 * spool_private.h - what the files of the spool share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SPOOL_PRIVATE_H
#define ES_DAEMON_SPOOL_PRIVATE_H

#include "daemon/spool.h"
#include "daemon/spool_file.h"
#include "daemon/worker.h"

#define ES_SPOOL_STEM_MAX_BYTES 128U /* of a file's name: an id and three numbers */
#define ES_SPOOL_ENTRIES_MAX 16384U
#define ES_SPOOL_KEPT_ALL_MAX_BYTES \
	(32U << 20) /* of all recordings, while the disk takes nothing */
#define ES_SPOOL_ORPHANS_NS INT64_C(15000000000)

/** struct es_spool_job - one that runs, or that has ended and whose file is not complete yet */
struct es_spool_job {
	struct es_spool_job *next;
	struct es_job *job; /* borrowed; NULL: it is over */
	struct es_local_job_is is; /* as of the last sweep */
	uint64_t serial;
	int64_t start_ns; /* boot clock */
	int64_t stop_ns; /* 0: it runs */
	unsigned generation; /* of its file: a job that no longer has the node alone begins another one */
	char stem[ES_NAME_MAX_BYTES]; /* of its file's name */
	struct es_spool_file file;
	bool has_file;
	bool is_raw; /* it has the node's own domains */
	bool is_new; /* began while this daemon lives: its sums began at 0 */
	int16_t *rules; /* [n_parts] rule and method written last, -1: none; owned */
	size_t n_rules;
	struct es_event *early; /* [n_early] steps and tags before the first sweep; owned */
	size_t n_early;
};

/** struct es_spool_entry - a finished recording */
struct es_spool_entry {
	char stem[ES_SPOOL_STEM_MAX_BYTES], id[ES_LOCAL_ID_MAX_BYTES];
	uint64_t serial;
	uint64_t size_bytes;
	int64_t stop_unix_ns;
	uint32_t uid;
	bool has_uid;
	bool is_node; /* of the node itself */
	bool is_orphan; /* nobody said yet that its job has ended */
	bool has_recording;
	bool is_gone; /* its files are being removed */
	struct es_local_job_is *is; /* until its summary is in a file; owned, NULL: it is */
};

#define ES_SPOOL_LATE_MAX 256U

/** struct es_spool - all of it belongs to one thread; its workers get copies */
struct es_spool {
	struct es_spool_options options; /* texts are copies of its own */
	char folder[ES_PATH_MAX_BYTES], shared[ES_PATH_MAX_BYTES];
	char boot_id[64];
	struct es_meta meta; /* of this node, without domains; owned */
	const struct es_node_domains *domains;
	es_spool_log_fn log;
	void *arg;
	int jobs_fd, node_fd; /* its two folders; node_fd -1: none is kept */
	struct es_spool_job *jobs, *ending;
	struct es_spool_entry *entries; /* [n_entries], oldest first; owned */
	size_t n_entries, cap_entries;
	struct es_worker *local,
		*remote; /* what the disk, and what the shared folder, may make wait */
	struct es_spool_file node; /* the node's own recording */
	bool has_node_file;
	int64_t node_day; /* since 1970, UTC */
	char node_stem[ES_NAME_MAX_BYTES];
	int64_t fed_ns, opened_ns; /* boot clock */
	int64_t looked_ns; /* when the quota was last looked at */
	int disk, remote_error; /* what was said last: 0, or negative errno */
	struct es_task *late
		[ES_SPOOL_LATE_MAX]; /* [n_late] summaries that the shared folder did not take: tried again, owned */
	size_t n_late;
	int64_t late_ns; /* boot clock: when one was tried last */
	unsigned n_unkept; /* summaries for the shared folder that were given up */
};

/* spool_job.c: one job's recording */
struct es_spool_job *es_spool_job_create(struct es_spool *spool, const struct es_job *job);
void es_spool_job_destroy(struct es_spool_job *kept);
/** es_spool_job_feed - 0, or what the disk says */
int es_spool_job_feed(struct es_spool *spool, struct es_spool_job *kept, const struct es_job *job,
		      const struct es_account *account, const struct es_sweep *sweep,
		      bool is_exclusive);
/** es_spool_job_mark - a step or tag; 0 or an enum es_ipc_verdict */
int es_spool_job_mark(struct es_spool_job *kept, const char *name, bool is_start, int64_t t_ns);
/** es_spool_job_about - what is known of it now */
void es_spool_job_about(struct es_spool_job *kept, const struct es_job *job);
/** es_spool_raw_row - a sweep of the node's own domains into @file */
void es_spool_raw_row(struct es_spool_file *file, const struct es_sweep *sweep);
/** es_spool_raw_meta - describe a recording of the node's own domains, without its job; es_meta_finish() it */
int es_spool_raw_meta(const struct es_spool *spool, struct es_meta *ret);

/* spool_node.c: the node's recording */
int es_spool_node_feed(struct es_spool *spool, const struct es_sweep *sweep);
void es_spool_node_end(struct es_spool *spool);

/* spool_done.c: what is finished */
/** es_spool_scan - what is in the folders already */
int es_spool_scan(struct es_spool *spool, struct es_error *err);
/** es_spool_adopt - a job goes on with the file of this name: it is no finished one */
void es_spool_adopt(struct es_spool *spool, const char *stem);
/** es_spool_add - one more finished one; NULL: no memory. Valid until the next one is added or removed */
struct es_spool_entry *es_spool_add(struct es_spool *spool, const char *stem, bool is_node);
/** es_spool_hand_over - a job's file is complete: what follows is done aside; false: later */
bool es_spool_hand_over(struct es_spool *spool, struct es_spool_job *kept);
/** es_spool_try_late - now and then the oldest summary that the shared folder did not take */
void es_spool_try_late(struct es_spool *spool, int64_t now_ns);
/** es_spool_drop_late - those of a job, or all (NULL) */
void es_spool_drop_late(struct es_spool *spool, const char *id);
/** es_spool_take_done - what the workers have done since */
void es_spool_take_done(struct es_spool *spool);
/** es_spool_finish_orphans - recordings whose job nobody goes on with get their summary */
void es_spool_finish_orphans(struct es_spool *spool);
/** es_spool_make_room - quota and age */
void es_spool_make_room(struct es_spool *spool, int64_t now_unix_ns);

#endif
