/*
 * source/activity.h - what a job does beside drawing power: instructions, cache misses, memory traffic, clocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ACTIVITY_H
#define ES_SOURCE_ACTIVITY_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "source/source.h"

#define ES_ACTIVITY_REASON_BYTES 160U
#define ES_ACTIVITY_FIX_BYTES 96U

/* Not one of the registry's: it is opened for a job, by es_activity_open(). */
extern const struct es_source_ops es_source_activity;

/** enum es_activity_whom - whose events are counted */
enum es_activity_whom {
	ES_ACTIVITY_COMMAND, /* a process that is about to become a command, with all it starts; from its exec on */
	ES_ACTIVITY_PROCESS, /* one that runs already, with its threads; of children those that come */
	ES_ACTIVITY_TREE, /* a process that runs already, with its threads and descendants */
	ES_ACTIVITY_CGROUP, /* all of a process's cgroup */
};

/** enum es_activity_key - what a report says of activity */
enum es_activity_key {
	ES_ACTIVITY_IPC,
	ES_ACTIVITY_LLC_MISSES,
	ES_ACTIVITY_MEMORY,
	ES_ACTIVITY_CLOCK,
	ES_N_ACTIVITY_KEYS,
};

/** es_activity_key_name - "ipc", "llc_misses", "memory", "clock" */
const char *es_activity_key_name(enum es_activity_key key);

/** struct es_activity_state - whether one of them can be had */
struct es_activity_state {
	bool is_there; /* it was, when last looked at */
	char reason[ES_ACTIVITY_REASON_BYTES]; /* why not; or what is to be known of it; "": nothing */
	char fix[ES_ACTIVITY_FIX_BYTES]; /* the command that would help; "": none is known */
};

/**
 * es_activity_open - find out what can be had
 * @ret: owned by caller, ret->ops->close() it. It has no domains, only signals.
 *
 * Nothing that belongs to a job is counted before es_activity_follow(). Returns 0, also where there is nothing; -ENOMEM.
 */
int es_activity_open(const struct es_root *root, enum es_activity_whom whom, struct es_source **ret,
		     struct es_error *err);

/** es_activity_follow - whose activity it is from now on; what cannot be followed is told by es_activity_state() */
int es_activity_follow(struct es_source *source, pid_t pid);

/**
 * es_activity_also - another process of the same job, of which it was said that it is a command
 * @is_waiting: it is about to become its command; else it runs already
 * Returns 0; or negative errno: it is not followed, and nothing else changes.
 */
int es_activity_also(struct es_source *source, pid_t pid, bool is_waiting);
/** es_activity_n_followed - how many such processes, the first among them */
size_t es_activity_n_followed(const struct es_source *source);

/** es_activity_end - the next reading is the last: it is taken in any case */
void es_activity_end(struct es_source *source);

/** es_activity_state - whether @key can be had, up to now */
void es_activity_state(const struct es_source *source, enum es_activity_key key,
		       struct es_activity_state *ret);

#endif
