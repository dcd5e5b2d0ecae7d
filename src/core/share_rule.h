/*
 * share_rule.h - by which rules a node's energy is shared out between jobs, and their names
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_SHARE_RULE_H
#define ES_CORE_SHARE_RULE_H

/** enum es_share_rule - named in every report of a job on a shared node */
enum es_share_rule {
	ES_SHARE_EXCLUSIVE, /* the node is the job's */
	ES_SHARE_DIRECT, /* the part is the job's alone: own GPU, own package */
	ES_SHARE_CPU_TIME, /* dynamic energy by CPU time of the jobs' cgroups on that package */
	ES_SHARE_ACTIVITY, /* of a GPU: by what its library says each process kept busy */
	ES_SHARE_SLICES, /* of a GPU: by the slices (MIG) held */
	ES_SHARE_ALLOCATION, /* by the share that was allocated: the job's CPU time is not known */
	ES_SHARE_PARTS, /* what the node draws beside its parts: by the dynamic energy that each job had of these */
	ES_N_SHARE_RULES,
};

/** enum es_idle_method - where the idle power comes from that is told apart from the dynamic one */
enum es_idle_method {
	ES_IDLE_NONE, /* not known: all energy counts as dynamic; said in the report */
	ES_IDLE_CONFIGURED,
	ES_IDLE_SEEN, /* mean of the quietest minutes of this node since the daemon knows it */
	ES_N_IDLE_METHODS,
};

/** es_share_rule_name, es_idle_method_name - as in files and messages: "cpu_time", "seen" */
const char *es_share_rule_name(enum es_share_rule rule);
const char *es_idle_method_name(enum es_idle_method method);
/** es_…_from_name - 0 or -ENOENT */
int es_share_rule_from_name(const char *name, enum es_share_rule *ret);
int es_idle_method_from_name(const char *name, enum es_idle_method *ret);

#endif
