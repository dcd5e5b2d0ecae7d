/*
 * tree_main.c - es-tree: make a tree of files that stands for a machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/gpulib_table.h"
#include "support/nvml_table.h"
#include "support/tree.h"

static int usage(void)
{
	(void)fputs(
		"usage: es-tree DIR MODEL [DOMAIN=RAW|DOMAIN=near]...\n"
		"Makes DIR/sys and DIR/proc. DOMAIN: package-0, dram-1, package-0-die-1, psys, or a zone such as intel-rapl:a;\n"
		"RAW: its counter, 0 to 4294967295; near: shortly before it wraps; all=... sets every one.\n"
		"nvml=TABLE: with NVIDIA GPUs, and their library, which is the one that ES_NVML_STUB names.\n"
		"gpulib=TABLE: with GPUs of AMD or Intel; amdsmi=STUB, rocm=STUB, levelzero=STUB: and these libraries.\nmodels:",
		stderr);
	for (size_t i = 0; es_tree_model_at(i); i++)
		(void)fprintf(stderr, " %s", es_tree_model_at(i));
	(void)fputc('\n', stderr);
	return 2;
}

/* Followers show what their leader shows. */
static int preset(struct es_tree *tree, const char *key, uint32_t raw)
{
	int zone = es_tree_find(tree, key);
	bool is_all = strcmp(key, "all") == 0;

	if (zone < 0 && !is_all)
		return -ENOENT;
	for (size_t i = 0; i < tree->n; i++) {
		bool is_meant =
			is_all || (int)i == zone ||
			(tree->zones[i].leader == zone && tree->zones[i].role == ES_TREE_FOLLOWER);
		int r;

		if (!is_meant || tree->zones[i].role == ES_TREE_DEAD)
			continue;
		r = es_tree_set(tree, i, raw);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 0 or negative errno; 1: @key is none of these. */
static int add_gpus(const char *root, const char *key, const char *value)
{
	static const char *const libraries[][2] = { { "amdsmi", "libamd_smi.so.26" },
						    { "rocm", "librocm_smi64.so.1" },
						    { "levelzero", "libze_loader.so.1" } };

	if (strcmp(key, "nvml") == 0)
		return nvml_tree_make(root, value, getenv("ES_NVML_STUB"));
	if (strcmp(key, "gpulib") == 0)
		return gpulib_tree_make(root, value);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (strcmp(key, libraries[i][0]) == 0)
			return gpulib_tree_add(root, value, libraries[i][1]);
	return 1;
}

int main(int argc, char **argv)
{
	struct es_tree tree;
	int r;

	if (argc < 3 || argv[1][0] == '-')
		return usage();
	r = es_tree_create(argv[1], argv[2], &tree);
	if (r == -ENOENT)
		return usage();
	if (r < 0) {
		(void)fprintf(stderr, "es-tree: '%s': %s\n", argv[1], strerror(-r));
		return 1;
	}
	for (int i = 3; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		char *end = NULL;
		unsigned long long raw;

		if (!value)
			return usage();
		*value++ = '\0';
		r = add_gpus(argv[1], argv[i], value);
		if (r < 0) {
			(void)fprintf(stderr, "es-tree: '%s': %s\n", value, strerror(-r));
			return 1;
		}
		if (r == 0)
			continue;
		raw = strcmp(value, "near") == 0 ? ES_TREE_NEAR_WRAP : strtoull(value, &end, 10);
		r = raw > UINT32_MAX || (end && (*end || end == value))
			    ? -ERANGE
			    : preset(&tree, argv[i], (uint32_t)raw);
		if (r < 0) {
			(void)fprintf(stderr, "es-tree: %s=%s: %s\n", argv[i], value, strerror(-r));
			return 1;
		}
	}
	es_tree_close(&tree);
	return 0;
}
