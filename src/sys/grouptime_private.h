/*
 * sys/grouptime_private.h - what the files of grouptime share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_GROUPTIME_PRIVATE_H
#define ES_SYS_GROUPTIME_PRIVATE_H

#include "sys/grouptime.h"

#define ES_GROUP_TREES_MAX 8U
#define ES_GROUP_KEPT_MAX \
	256U /* descriptors: the rest is opened for each read, and leaves room for clients */

/** struct es_group_tree - one hierarchy */
struct es_group_tree {
	char mount[256]; /* below the root, without a leading slash */
	bool is_v2;
	bool has_time, has_cpuset,
		has_freezer; /* of v1: which controllers; of v2 each cgroup has what it was given */
	bool has_weight;
};

struct es_groups {
	const struct es_root *root;
	struct es_group_tree tree[ES_GROUP_TREES_MAX]; /* those of v1 first: they tell more */
	size_t n;
	size_t n_packages;
	uint32_t *cpus_in; /* [n_packages] */
	uint16_t *package_of; /* [n_numbers] by the CPU's number */
	size_t n_numbers;
	uint32_t n_cpus;
	char *text; /* [text_bytes] for large files */
	size_t text_bytes;
	int busy_fd; /* of v1's top, or /proc/stat */
	bool busy_is_v1;
	size_t n_kept;
};

/** es_group_file - path of a file of a cgroup; false where it does not fit */
bool es_group_file(const struct es_group_tree *tree, const char *path, const char *file, char *ret,
		   size_t size);

/** es_groups_sum_percpu - "12 0 7 …", a number for each CPU, onto packages; 0 or -EBADMSG */
int es_groups_sum_percpu(const struct es_groups *groups, const char *text, int64_t *ret_ns);

#endif
