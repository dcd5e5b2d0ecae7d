/*
 * node_exporter.h - prometheus-node-exporter as a peer: what else reads the same counters once a second
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_NODE_EXPORTER_H
#define ES_BENCH_SUPPORT_NODE_EXPORTER_H

#include <sys/types.h>

/** es_node_exporter_start - its collector of RAPL alone, on a tree; its process, or negative errno: it is not installed, or does not answer */
pid_t es_node_exporter_start(const char *tree);
/** es_node_exporter_scrape - ask it once; 0 or negative errno */
int es_node_exporter_scrape(void);

#endif
