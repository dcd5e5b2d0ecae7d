/*
 * twin_cluster.h - what is asked of energyscopium twin cluster
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_CLUSTER_H
#define ES_CLI_TWIN_CLUSTER_H

#include "cli/command.h"
#include "twin/cluster.h"

/** struct es_twin_cluster_asked - the options in words; NULL: not given */
struct es_twin_cluster_asked {
	struct es_text_list classes;
	const char *nodes, *duration, *jobs, *trace_from, *trace_speed, *procs_per_node, *load,
		*seed, *period, *start, *threads, *out, *failures;
	bool has_no_readings, may_replace, is_strict, wants_json;
};

/** es_twin_cluster_read - the options as numbers; the trace itself is not read. -1, or complains and returns the status to end with */
int es_twin_cluster_read(const struct es_twin_cluster_asked *asked, struct es_cluster_options *ret);

#endif
