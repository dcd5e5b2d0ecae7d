/*
 * sys/jobgroup.h - which job a cgroup is about, by its path alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_JOBGROUP_H
#define ES_SYS_JOBGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_JOBGROUP_ID_MAX_BYTES 64U

/** struct es_jobgroup - what a path says */
struct es_jobgroup {
	const char *scheduler; /* slurm, oar, pbs, lsf, flux, kubernetes, docker, podman, apptainer */
	char id[ES_JOBGROUP_ID_MAX_BYTES]; /* letters, digits and ._+-:[]; of a container the 12 digits that people see, of a pod its UID */
	char step[ES_JOBGROUP_ID_MAX_BYTES]; /* Slurm: batch, extern, 0 …; a pod: its container; "": the path ends at the job */
	char node[ES_JOBGROUP_ID_MAX_BYTES]; /* Slurm with several slurmd on one machine: whose it is */
	bool has_uid;
	uint32_t uid;
	size_t job_bytes; /* so much of the path is the job's own cgroup */
};

/**
 * es_jobgroup_parse - the job whose cgroup @path is, or is below of
 * @path: within its hierarchy, with a leading slash
 *
 * Schedulers are believed at the top of the hierarchy only, and containers there or in a user's slice: what a user makes
 * in a part that was handed over to it cannot pass for another one's job. The outermost counts: containers in a job are the job's.
 * Returns false where it is nobody's.
 */
bool es_jobgroup_parse(const char *path, struct es_jobgroup *ret);

/** es_jobgroup_may_hold - whether cgroups of jobs may be below @path ("" or "/": the top), which is none itself */
bool es_jobgroup_may_hold(const char *path);

#endif
