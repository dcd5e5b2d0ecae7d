/*
 * about.h - what Slurm tells a plug-in of a job, as the daemon wants to know it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_ABOUT_H
#define ES_SLURM_ABOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/local.h"

/** es_slurm_get_fn - a variable of an environment; 0 or negative: there is none, or it is longer than @size */
typedef int (*es_slurm_get_fn)(void *arg, const char *name, char *ret, size_t size);

/**
 * es_slurm_about_job - what the environment of prolog, epilog or job says
 * @is_sure: it is that of prolog or epilog, which no user has touched: only then is it believed which GPUs a job has, and it knows of restarts
 * @ret: id, scheduler, uid are set by the caller; n_cpus is not known yet (es_slurm_cpus_at())
 */
void es_slurm_about_job(es_slurm_get_fn get, void *arg, bool is_sure, struct es_local_job *ret);

/** es_slurm_cpus_at - CPUs of node @index in "4(x2),8"; 0: it says nothing of that node, or is no such list */
uint32_t es_slurm_cpus_at(const char *list, uint32_t index);

/**
 * es_slurm_cgroup_of - a job's cgroup in what /proc/self/cgroup says of a process of it
 * @ret: below the mount, "/slurm/uid_1000/job_7"; of v2 "/system.slice/slurmstepd.scope/job_7"
 * Returns 0 or -ENOENT.
 */
int es_slurm_cgroup_of(const char *text, uint32_t job, char *ret, size_t size);

/** es_slurm_step_name - 0: "0", and those that Slurm gives names: batch, extern, interactive */
void es_slurm_step_name(uint32_t step, char *ret, size_t size);

/**
 * es_slurm_parts_of - ids of all parts of a heterogeneous job, from its environment
 * @ret: [@max]; how many, 0: it has no parts, or more than @max
 */
size_t es_slurm_parts_of(es_slurm_get_fn get, void *arg, uint32_t *ret, size_t max);

#endif
