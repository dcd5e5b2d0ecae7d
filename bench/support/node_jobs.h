/*
 * node_jobs.h - a made-up tree of cgroups with many jobs, and a daemon that is told of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_NODE_JOBS_H
#define ES_BENCH_SUPPORT_NODE_JOBS_H

/** struct es_node_jobs - the tree; it goes with the folder that it was made in */
struct es_node_jobs {
	char root[300];
};

/** es_node_jobs_make - as @folder/@title: cgroups of version 2 as slurmd makes them, one for each job; 0 or negative errno */
int es_node_jobs_make(const char *folder, const char *title, unsigned n, struct es_node_jobs *ret);
/** es_node_jobs_begin - tell the daemon whose socket is at @path of each; 0, -EPROTO: it refused one, or another negative errno */
int es_node_jobs_begin(const char *path, unsigned n);

#endif
