/*
 * scratch.c - a folder for one run of a benchmark, with trees of meters in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/tree_write.h"

#define MEAN_STEPS_A_MS 1638U /* 100 mJ in steps of 61 µJ */

int es_scratch_init(struct es_scratch *scratch)
{
	const char *parent = getenv("TMPDIR");

	if (!parent)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	if (snprintf(scratch->path, sizeof(scratch->path), "%s/energyscopium-bench-XXXXXX",
		     parent) >= (int)sizeof(scratch->path))
		return -ENAMETOOLONG;
	return mkdtemp(scratch->path) ? 0 : -errno;
}

void es_scratch_finish(struct es_scratch *scratch)
{
	es_tree_remove(scratch->path);
}

static bool is_of_psys(const struct es_tree *tree, const char *line)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->zones[i].role == ES_TREE_PSYS && strstr(line, tree->zones[i].path))
			return true;
	return false;
}

/* The tree's own list of zones, without those that go. */
static int shorten_list(const char *root, const struct es_tree *tree)
{
	char path[600], text[16384], line[1024];
	es_cleanup(es_fclosep) FILE *file = NULL;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/" ES_TREE_LIST, root);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	text[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (is_of_psys(tree, line))
			continue;
		if (n + strlen(line) >= sizeof(text))
			return -EMSGSIZE;
		memcpy(text + n, line, strlen(line) + 1);
		n += strlen(line);
	}
	return es_tree_write(root, ES_TREE_LIST, text, 0644);
}

/* Platform meters stand in the way of a round number. */
static int remove_psys(const char *root, struct es_tree *tree)
{
	int r = shorten_list(root, tree);

	for (size_t i = 0; r == 0 && i < tree->n; i++) {
		const struct es_tree_zone *zone = &tree->zones[i];
		char path[1024];

		if (zone->role != ES_TREE_PSYS)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", root, zone->path);
		es_tree_remove(path);
		(void)snprintf(path, sizeof(path), "%s/sys/class/powercap/%s", root, zone->zone);
		(void)unlink(path);
	}
	es_tree_close(tree);
	return r < 0 ? r : es_tree_open(root, tree);
}

int es_scratch_tree(const struct es_scratch *scratch, unsigned n_meters, struct es_tree *ret)
{
	char root[512];
	int r;

	(void)snprintf(root, sizeof(root), "%s/meters-%u", scratch->path, n_meters);
	r = es_tree_create(root, n_meters == 4 ? "skx2s" : "spr8s", ret);
	if (r < 0)
		return r;
	r = remove_psys(root, ret);
	if (r < 0)
		return r;
	if (ret->n != n_meters) {
		es_tree_close(ret);
		return -ENODEV;
	}
	return 0;
}

void es_scratch_play(struct es_tree *tree, unsigned dur_ms)
{
	for (size_t i = 0; i < tree->n; i++)
		(void)es_tree_advance(
			tree, i, MEAN_STEPS_A_MS * dur_ms * (unsigned)(75 + rand() % 50) / 100);
}
