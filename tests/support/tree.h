/*
 * tree.h - trees of files that look like a machine's sysfs, with energy counters that can be moved
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TREE_H
#define ES_TESTS_SUPPORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_TREE_ZONES_MAX 64
#define ES_TREE_NEAR_WRAP UINT32_C(0xfffff000) /* a quarter of a joule at 61 µJ before 0 */

enum es_tree_role {
	ES_TREE_PART, /* its own counter */
	ES_TREE_FOLLOWER, /* the same steps as another zone: an MMIO twin, a mirrored die */
	ES_TREE_PSYS, /* all packages, dram and gpus of the board, and the rest of it */
	ES_TREE_CPUS, /* all packages of the board */
	ES_TREE_DEAD, /* never moves */
};

/** enum es_tree_form - what a zone is, and how it shows its counter */
enum es_tree_form {
	ES_TREE_ZONE, /* a powercap zone: its file energy_uj shows floor(raw * num / den) */
	ES_TREE_REGISTER, /* shows raw */
	ES_TREE_FILE, /* a file of µJ */
	ES_TREE_POWER, /* a file of µW: the power it has now, not its counter */
	ES_TREE_JOULES, /* a file of pm_counters: whole J, and the time in µs */
	ES_TREE_OLD_JOULES, /* the same without a time, filled up with NULs */
	ES_TREE_HSMP_TABLE, /* the accumulator of an MI300A socket's metrics_bin at @offset; its time before it */
	ES_TREE_METRICS, /* the accumulator of an AMD GPU's metrics at @offset; times behind it */
};

/** struct es_tree_zone - one powercap zone, which shows floor(raw * num / den) µJ, or one register, which shows raw */
struct es_tree_zone {
	char path[256]; /* its directory, or the file of a CPU's registers, below the tree */
	char zone[64]; /* intel-rapl:0:0, cpu0:0x611 */
	char key[64]; /* its name and place: package-0, dram-1, package-0-die-1, psys-1, mmio:package-0, core-0-cpu-3 */
	enum es_tree_form form;
	uint64_t offset; /* of a register in its file */
	uint64_t num, den; /* µJ per raw step */
	uint32_t raw;
	uint64_t power_mw; /* of ES_TREE_POWER */
	uint64_t n_steps; /* advanced since the tree was made or opened */
	enum es_tree_role role;
	int leader; /* index of the zone that a follower follows, else -1 */
	int fd; /* energy_uj or the file of registers, open for writing */
	unsigned n_shown; /* bytes of what it shows now */
};

/** struct es_tree - a tree that was made or opened here */
struct es_tree {
	char root[4096];
	struct es_tree_zone zones[ES_TREE_ZONES_MAX];
	size_t n;
	int64_t fixed_ns; /* the time that meters with a clock show; 0: this machine's */
	int64_t fresh_ns; /* when pm_counters were last refreshed, where there are any */
};

/** es_tree_model_at - names of the models; NULL after the last one */
const char *es_tree_model_at(size_t i);

/** es_tree_create - make the tree of @model in @root (a directory, made where missing; a former tree in it is replaced); 0 or negative errno */
int es_tree_create(const char *root, const char *model, struct es_tree *ret);
/** es_tree_open - a tree made by es_tree_create(), to move its counters; 0 or negative errno */
int es_tree_open(const char *root, struct es_tree *ret);
void es_tree_close(struct es_tree *tree);
/** es_tree_temp - a new empty directory for a test, in memory where there is such a place; 0 or negative errno. es_tree_remove() it */
int es_tree_temp(char dir[static 64]);
/** es_tree_remove - delete the directory and all in it */
void es_tree_remove(const char *root);

/** es_tree_find - index of the zone with this key or zone name, or -1 */
int es_tree_find(const struct es_tree *tree, const char *key);
/** es_tree_set - put a raw value into one zone, as if it had counted there before; no steps are counted */
int es_tree_set(struct es_tree *tree, size_t zone, uint32_t raw);
/** es_tree_advance - @raw_steps more for a zone and those that follow it; past 2^32 it goes on at 0 */
int es_tree_advance(struct es_tree *tree, size_t zone, uint64_t raw_steps);
/** es_tree_set_power - what a zone of ES_TREE_POWER shows from now on */
int es_tree_set_power(struct es_tree *tree, size_t zone, uint64_t power_mw);
/** es_tree_shown_uj - what a zone shows now */
uint64_t es_tree_shown_uj(const struct es_tree_zone *zone);
/** es_tree_energy_uj - what @n_steps of this zone are, rounded to the nearest µJ */
uint64_t es_tree_energy_uj(const struct es_tree_zone *zone, uint64_t n_steps);

/** es_tree_write - (re)write a file below the tree, directories made where missing; 0 or negative errno */
int es_tree_write(const char *root, const char *path, const char *text, unsigned mode);
/** es_tree_copy - a library into a tree, as a new file each time; both paths are this machine's. 0 or negative errno */
int es_tree_copy(const char *from, const char *to);

#endif
