/*
 * core/node_class.h - nodes that are built alike: what one was calibrated with holds for the others
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_NODE_CLASS_H
#define ES_CORE_NODE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/** struct es_node_class - what a node is made of, as far as it draws power */
struct es_node_class {
	char cpu_model[ES_NAME_MAX_BYTES]; /* as in /proc/cpuinfo; "": not known */
	uint32_t n_packages; /* 0: not known */
	uint32_t n_gpus; /* on its buses */
	char gpu_model[64]; /* of the first */
	uint32_t memory_gib; /* 0: not known */
};

/**
 * es_memory_gib - the memory that is built in, from what the kernel has of it
 *
 * The kernel keeps a part for itself, and not the same in each version: up to the next eighth of a power of two
 * (251 GiB are 256, 187 GiB are 192).
 */
uint32_t es_memory_gib(uint64_t bytes);

/** es_node_class_name - a name for files and tables: "xeon-e5-2698-v4-2p-512g", "epyc-7763-64-core-2p-4x10de-20b2-512g"; returns @name */
char *es_node_class_name(const struct es_node_class *class, char name[static ES_NAME_MAX_BYTES]);
/** es_node_class_is_same - both name a processor, and nothing that is known of both differs */
bool es_node_class_is_same(const struct es_node_class *a, const struct es_node_class *b);
/** es_node_class_check - whether @name may be that of a class: letters, digits, '-', '_' and '.', not first */
bool es_node_class_check(const char *name);

#endif
