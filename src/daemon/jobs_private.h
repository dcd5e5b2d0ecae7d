/*
 * daemon/jobs_private.h - what the files of jobs share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_JOBS_PRIVATE_H
#define ES_DAEMON_JOBS_PRIVATE_H

#include "daemon/jobs.h"
#include "daemon/jobs_journal.h"
#include "sys/grouptime.h"

#define ES_JOBS_BUCKETS 1024U
#define ES_JOBS_STEPS_MAX 128U /* open at a time, of one job */
#define ES_JOBS_OF_USER_MAX \
	32U /* begun by one user; all users together leave half of ES_JOBS_MAX to root */
#define ES_JOBS_OVER_MAX \
	4096U /* cgroups of jobs that have ended and whose folders are still there */

/** struct es_jobs_group - a cgroup of a job */
struct es_jobs_group {
	struct es_grouptime *time;
	int64_t *raw_ns; /* [n_packages] as last read */
	bool is_read; /* raw_ns is set */
	bool counts; /* v2's sum does not, where v1 tells more of the same job */
};

/** struct es_jobs_entry - a job, and how it is kept */
struct es_jobs_entry {
	struct es_job job; /* first: they are cast into each other */
	struct es_jobs_group group[ES_JOB_CGROUPS_MAX]; /* beside job.cgroups */
	int64_t *base_ns; /* [n_packages] added to the counters: less what they had before the job, and what cgroups had that are gone */
	bool has_time; /* some counter was read */
	bool is_roots; /* told by root, or found by its cgroup: no user may end it */
	int64_t gone_ns; /* boot clock since when none of its cgroups is there; 0: they are, or there never was one */
	char (*steps)[ES_LOCAL_ID_MAX_BYTES];
	size_t n_steps;
	struct es_jobs_entry *next; /* of the same bucket */
};

/** struct es_jobs_over - the cgroup of a job that has ended: its folder is no new job */
struct es_jobs_over {
	char *path;
	uint64_t ino;
};

struct es_jobs {
	const struct es_root *root;
	struct es_groups *groups;
	struct es_journal *journal;
	bool is_loading;
	char boot_id[64];
	char node_name[ES_NAME_MAX_BYTES]; /* "": any */
	es_jobs_fn tell;
	void *arg;
	void (*sync)(void *arg, int fd);
	struct es_jobs_entry *bucket[ES_JOBS_BUCKETS];
	struct es_jobs_entry **entry; /* [n] oldest first */
	size_t n, room;
	struct es_jobs_over *over; /* [n_over] */
	size_t n_over, room_over;
	uint64_t next_serial;
	size_t n_packages;
	int64_t *busy_ns; /* [n_packages] */
	bool has_busy;
	char past_boot_id[64]; /* of what was last read of the journal */
	bool is_boot_told; /* the journal's end is of this boot */
	bool is_behind; /* something could not be written into the journal, and is not in it yet */
	uint64_t least_bytes; /* of the journal when it was written anew */
	char problem[ES_TEXT_MAX_BYTES];
	uint8_t *buffer; /* for entries of the journal */
};

static inline struct es_jobs_entry *es_jobs_entry_of(struct es_job *job)
{
	return (struct es_jobs_entry *)(void *)job;
}

/* jobs.c */
struct es_jobs_entry *es_jobs_add(struct es_jobs *jobs, const struct es_local_job *about);
struct es_jobs_entry *es_jobs_lookup(const struct es_jobs *jobs, const char *id);
/** es_jobs_finish - tell, remember its cgroups as over, take it out and free it */
void es_jobs_finish(struct es_jobs *jobs, struct es_jobs_entry *entry, int64_t stop_ns,
		    int64_t stop_unix_ns);
void es_jobs_say(struct es_jobs *jobs, enum es_jobs_news news, struct es_jobs_entry *entry,
		 const char *step, int64_t t_ns);
int es_jobs_step_add(struct es_jobs_entry *entry, const char *step);
/** es_jobs_remember_over - takes no ownership; 0 or -ENOMEM */
int es_jobs_remember_over(struct es_jobs *jobs, const char *path, uint64_t ino);

/* jobs_place.c */
/** es_jobs_find_cgroup - attach the cgroup that was told, or that of the process; words in @err, of code 0, where there is none */
void es_jobs_find_cgroup(struct es_jobs *jobs, struct es_jobs_entry *entry,
			 struct es_local_job *about, uid_t peer_uid, bool is_new,
			 struct es_error *err);
/** es_jobs_name_scheduler - a prolog that said none: its job's cgroup shows which it is */
void es_jobs_name_scheduler(struct es_local_job *about, const char *cgroup);

/* jobs_rights.c */
/** es_jobs_check_user - whether a user may tell this; 0 or -EPERM with why */
int es_jobs_check_user(const struct es_jobs *jobs, const struct es_local_job *about, uid_t uid,
		       struct es_error *err);
/** es_jobs_check_room - whether a user may begin one more; 0 or -E2BIG with why */
int es_jobs_check_room(const struct es_jobs *jobs, const char *id, uid_t uid, struct es_error *err);
/** es_jobs_check_cgroup - whether a cgroup is a user's to name; 0 or -EPERM with why */
int es_jobs_check_cgroup(const struct es_jobs *jobs, const struct es_local_job *about, uid_t uid,
			 struct es_error *err);
/** es_jobs_refuse - "job ID: why"; -EPERM */
int es_jobs_refuse(struct es_error *err, const char *id, const char *why);

/* jobs_groups.c */
enum es_jobs_attach {
	ES_JOBS_SINCE_NOW, /* what it used before is not the job's */
	ES_JOBS_SINCE_EVER, /* it is the job's alone since it was made */
	ES_JOBS_AS_BEFORE, /* base_ns knows already */
};
/** es_jobs_attach - 1: it is; 0: it was, or is within one that is; -ENOENT; -EEXIST: it is another job's, or one's is within, named in @err; -E2BIG */
int es_jobs_attach(struct es_jobs *jobs, struct es_jobs_entry *entry, const char *path,
		   enum es_jobs_attach how, struct es_error *err);
/** es_jobs_detach - what it used stays the job's */
void es_jobs_detach(struct es_jobs *jobs, struct es_jobs_entry *entry, size_t at);
void es_jobs_read_entry(struct es_jobs *jobs, struct es_jobs_entry *entry);
void es_jobs_allocate(struct es_jobs *jobs, struct es_jobs_entry *entry);
/** es_jobs_group_owner - the job that has @path or something around it; with @ret_within also one that has something within */
struct es_jobs_entry *es_jobs_group_owner(const struct es_jobs *jobs, const char *path,
					  bool or_within);

/* jobs_store.c */
int es_jobs_load(struct es_jobs *jobs, const char *path, int64_t now_boot_ns, struct es_error *err);
void es_jobs_store(struct es_jobs *jobs, const struct es_jobs_entry *entry, bool must_sync);
void es_jobs_store_end(struct es_jobs *jobs, const struct es_jobs_entry *entry);
/** es_jobs_keep_journal - write it anew where it has become large, or the disk did not take all of it */
void es_jobs_keep_journal(struct es_jobs *jobs);

#endif
