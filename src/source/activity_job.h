/*
 * source/activity_job.h - perf events of a job, by process, by tree of processes or by cgroup
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ACTIVITY_JOB_H
#define ES_SOURCE_ACTIVITY_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/activity.h"
#include "sys/machine.h"
#include "sys/root.h"

/** enum es_job_what - the first four need hardware counters (one the kernel's clock), the others do not */
enum es_job_what {
	ES_JOB_INSTRUCTIONS,
	ES_JOB_CYCLES,
	ES_JOB_LLC_MISSES,
	ES_JOB_TASK_CLOCK,
	ES_JOB_APERF,
	ES_JOB_MPERF,
	ES_N_JOB_WHATS,
};

#define ES_JOB_KINDS_MAX 2U /* of cores in a processor: fast ones and thrifty ones */

/** struct es_job_event - one of them */
struct es_job_event {
	bool is_there; /* it can be opened */
	bool is_user_only; /* what the kernel does for the job is not counted */
	uint32_t type;
	uint64_t configs[ES_JOB_KINDS_MAX]; /* [n_kinds] one for each kind of core */
	size_t n_kinds;
	int *fds; /* [n_fds] owned: n_kinds for each thread that is followed, or for each CPU */
	size_t n_fds;
	int error; /* negative errno: it has no value from now on */
	char reason[ES_ACTIVITY_REASON_BYTES],
		fix[ES_ACTIVITY_FIX_BYTES]; /* "": nothing is wrong */
};

/** struct es_job_events - those of one job; es_job_events_finish() them */
struct es_job_events {
	struct es_root root; /* borrowed */
	enum es_activity_whom whom;
	struct es_job_event events[ES_N_JOB_WHATS];
	char remark[ES_ACTIVITY_REASON_BYTES]; /* how much of the job is followed, where that is not all */
	bool is_hardware_left; /* the counters were left to others */
	size_t n_followed; /* processes that were named to be followed */
	size_t n_targets; /* threads or CPUs: so many descriptors for each event and kind */
};

/** es_job_events_probe - find out which events there are and may be opened, by opening them for this process */
void es_job_events_probe(const struct es_root *root, const struct es_machine *machine,
			 enum es_activity_whom whom, struct es_job_events *ret);
void es_job_events_finish(struct es_job_events *events);

/** es_job_events_follow - from now on they count @pid, as @whom said; those that fail have their error and reason. 0 or negative errno */
int es_job_events_follow(struct es_job_events *events, pid_t pid);

/** es_job_events_also - another process, by all events that still count; 0, or negative errno: by none */
int es_job_events_also(struct es_job_events *events, pid_t pid, bool is_waiting);

/** es_job_events_cut - CPUs came or went: counts by CPU lack what ran there */
void es_job_events_cut(struct es_job_events *events);

/**
 * es_job_event_read - its count
 * Returns 0; -EBUSY: others use the counters too, so that it did not count all the time; then, or when it already was so,
 * all hardware events are closed: whoever else counts is not to be disturbed. -EAGAIN: nobody is followed yet.
 */
int es_job_event_read(struct es_job_events *events, enum es_job_what what, uint64_t *ret);

const char *es_job_what_name(enum es_job_what what);

#endif
