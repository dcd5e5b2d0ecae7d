/*
 * swf.h - jobs of a workload trace in the Standard Workload Format
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: D. Feitelson, "The Standard Workload Format", Parallel Workloads Archive (version 2.2): header lines begin with ';',
 * every other line is one job of 18 numbers, -1 where one is not known.
 */
#ifndef ES_CORE_SWF_H
#define ES_CORE_SWF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_SWF_UNKNOWN (-1)
#define ES_SWF_TEXT_MAX_BYTES (1ULL << 30) /* a trace, unpacked */
#define ES_SWF_LINE_MAX_BYTES 1024U /* a line with a job; header lines may be longer */
#define ES_SWF_JOBS_MAX 20000000U
#define ES_SWF_FAULTS_KEPT 5U

/** enum es_swf_status - how a job ended */
enum es_swf_status {
	ES_SWF_FAILED,
	ES_SWF_COMPLETED,
	ES_SWF_PARTIAL, /* to be continued: a line for each part of a job that was interrupted */
	ES_SWF_PARTIAL_LAST_COMPLETED,
	ES_SWF_PARTIAL_LAST_FAILED,
	ES_SWF_CANCELLED,
	ES_SWF_N_STATUS,
};

/** struct es_swf_job - a line; ES_SWF_UNKNOWN (below 0) wherever the trace does not know, but for @number and @submit_s */
struct es_swf_job {
	int64_t number;
	int64_t submit_s; /* since the trace's start */
	int64_t cpu_ms; /* CPU time of a processor, mean */
	int64_t memory_kb, requested_memory_kb; /* of a processor */
	int64_t preceding; /* number of the job it waits for */
	int32_t wait_s, run_s, requested_s, think_s;
	int32_t procs, requested_procs;
	int32_t user, group, app, queue, partition;
	int32_t status; /* enum es_swf_status */
};

/** struct es_swf_fault - a line that is no job */
struct es_swf_fault {
	size_t line; /* from 1 on */
	char reason[128];
};

/** struct es_swf - a trace; es_swf_finish() it */
struct es_swf {
	struct es_swf_job *
		jobs; /* owned; in the order of their submission, as in the file where that is the same */
	size_t n;
	int64_t max_nodes, max_procs, max_jobs; /* of the header; ES_SWF_UNKNOWN: not said */
	int64_t unix_start_s; /* when it begins; ES_SWF_UNKNOWN: not said */
	char computer[ES_NAME_MAX_BYTES], installation[ES_NAME_MAX_BYTES], version[32],
		timezone[64]; /* of the header; "": not said; cut where longer */
	size_t n_lines, n_notes;
	size_t n_unordered; /* jobs that stood behind one submitted later */
	size_t n_faults; /* lines that are no job */
	struct es_swf_fault faults[ES_SWF_FAULTS_KEPT]; /* the first of them */
};

/**
 * es_swf_parse - the jobs of @n bytes of a trace
 * @is_strict: refuse it for the first line that is no job; else such lines are counted and passed over
 *
 * Returns 0; -EBADMSG: a line is wrong (strict), or none is a job; -EFBIG: longer than ES_SWF_TEXT_MAX_BYTES or more than
 * ES_SWF_JOBS_MAX; -ENOMEM. @ret has its counts and faults in any case and is to be finished.
 */
int es_swf_parse(const char *text, size_t n, bool is_strict, struct es_swf *ret,
		 struct es_error *err);
void es_swf_finish(struct es_swf *swf);

/** es_swf_procs - how many processors it had, or asked for where that is not known; ES_SWF_UNKNOWN: neither */
int32_t es_swf_procs(const struct es_swf_job *job);

#endif
