/*
 * tree_registers.c - files with the model-specific registers of a tree's CPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Register R is eight bytes at 8 * R, as src/sys/msr.h says. The first two CPUs of a package or die have files of
 * their own, the others share the second one's; on AMD each core has one. So a CPU can be taken away, and another one
 * of its package shows the same counters.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree_write.h"

#define UNIT 0x606U
#define LIMIT 0x610U
#define PKG 0x611U
#define INFO 0x614U
#define DRAM 0x619U
#define PP0 0x639U
#define PP1 0x641U
#define PSYS 0x64dU
#define AMD_UNIT 0xc0010299U
#define AMD_CORE 0xc001029aU
#define AMD_PKG 0xc001029bU

/** struct writer - one tree's registers being made; the first failure sticks */
struct writer {
	const struct es_tree_model *model;
	struct es_tree *tree;
	bool is_amd;
	int error;
};

static void path_of(unsigned cpu, char path[static 64])
{
	(void)snprintf(path, 64, "dev/cpu/%u/msr", cpu);
}

static void put_register(struct writer *writer, unsigned cpu, unsigned reg, uint64_t value)
{
	char path[64], full[5120];
	int fd;

	value = htole64(value);
	path_of(cpu, path);
	(void)snprintf(full, sizeof(full), "%s/%s", writer->tree->root, path);
	if (access(full, F_OK) < 0 && !writer->error)
		writer->error = es_tree_write(writer->tree->root, path, "", 0600);
	if (writer->error)
		return;
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, &value, sizeof(value), (off_t)reg * 8) != (ssize_t)sizeof(value))
		writer->error = -errno;
	if (fd >= 0)
		(void)close(fd);
}

static void share_file(struct writer *writer, unsigned cpu, unsigned with)
{
	char path[64], from[5120], to[5120];

	if (writer->error)
		return;
	path_of(cpu, path);
	writer->error = es_tree_write(writer->tree->root, path, "", 0600);
	(void)snprintf(to, sizeof(to), "%s/%s", writer->tree->root, path);
	path_of(with, path);
	(void)snprintf(from, sizeof(from), "%s/%s", writer->tree->root, path);
	if (!writer->error && (unlink(to) < 0 || link(from, to) < 0))
		writer->error = -errno;
}

/* A counter in the file of @cpu; @leader: the zone whose steps it follows, or -1. Returns its index. */
static int put_counter(struct writer *writer, unsigned cpu, unsigned reg, const char *key,
		       unsigned unit_nj, int leader)
{
	struct es_tree *tree = writer->tree;
	struct es_tree_zone zone = { .leader = leader,
				     .fd = -1,
				     .form = ES_TREE_REGISTER,
				     .offset = UINT64_C(8) * reg,
				     .num = 1000000,
				     .den = writer->is_amd ? 65536 : 16384,
				     .role = leader < 0 ? ES_TREE_PART : ES_TREE_FOLLOWER,
				     .raw = (uint32_t)(1000000 + 7919 * tree->n) };

	if (tree->n >= ES_TREE_ZONES_MAX)
		writer->error = -E2BIG;
	if (writer->error)
		return -1;
	/* Fixed units; the others are what the unit register says. */
	if (unit_nj == 15300 || unit_nj == 1000000000) {
		zone.num = unit_nj;
		zone.den = 1000;
	}
	if (leader >= 0)
		zone.raw = tree->zones[leader].raw;
	(void)snprintf(zone.key, sizeof(zone.key), leader < 0 ? "%.50s" : "%.50s@%u", key, cpu);
	(void)snprintf(zone.zone, sizeof(zone.zone), "cpu%u:0x%x", cpu, reg);
	path_of(cpu, zone.path);
	put_register(writer, cpu, reg, zone.raw);
	tree->zones[tree->n] = zone;
	return (int)tree->n++;
}

/* The counter of a part in the files of several CPUs; where the kernel's zones show it too they lead. */
static int put_part(struct writer *writer, const unsigned *cpus, unsigned n_cpus, unsigned reg,
		    const char *key, unsigned unit_nj)
{
	int first = writer->model->msr == ES_TREE_MSR_TOO ? es_tree_find(writer->tree, key) : -1;

	for (unsigned i = 0; i < n_cpus; i++) {
		int zone = put_counter(writer, cpus[i], reg, key, unit_nj, first);

		first = first < 0 ? zone : first;
	}
	return first;
}

static void put_constants(struct writer *writer, unsigned cpu)
{
	uint64_t tdp = writer->model->tdp_w * UINT64_C(8);

	/* Power in 1/8 W, time in 1/1024 s. */
	if (writer->is_amd) {
		put_register(writer, cpu, AMD_UNIT, 0xa1003);
		return;
	}
	put_register(writer, cpu, UNIT, 0xa0e03);
	put_register(writer, cpu, LIMIT, tdp | 1U << 15);
	put_register(writer, cpu, INFO, tdp | (tdp * 2) << 32);
}

static void put_intel(struct writer *writer, unsigned package, unsigned die, unsigned first_cpu,
		      unsigned n_cpus)
{
	const struct es_tree_model *model = writer->model;
	const unsigned cpus[] = { first_cpu, first_cpu + 1 };
	char place[32], key[64];
	int psys;

	if (model->has_zone_per_die)
		(void)snprintf(place, sizeof(place), "%u-die-%u", package, die);
	else
		(void)snprintf(place, sizeof(place), "%u", package);
	for (unsigned i = 0; i < 2; i++)
		put_constants(writer, cpus[i]);
	(void)snprintf(key, sizeof(key), "package-%s", place);
	(void)put_part(writer, cpus, 2, PKG, key, model->unit_nj);
	(void)snprintf(key, sizeof(key), "dram-%s", place);
	if (model->dram_nj)
		(void)put_part(writer, cpus, 2, DRAM, key, model->dram_nj);
	(void)snprintf(key, sizeof(key), "core-%s", place);
	if (model->has_core)
		(void)put_part(writer, cpus, 2, PP0, key, model->unit_nj);
	(void)snprintf(key, sizeof(key), "uncore-%s", place);
	if (model->has_uncore)
		(void)put_part(writer, cpus, 2, PP1, key, model->unit_nj);
	(void)snprintf(key, sizeof(key), package ? "psys-%u" : "psys", package);
	if (model->psys_nj) {
		psys = put_part(writer, cpus, 2, PSYS, key, model->psys_nj);
		if (psys >= 0)
			writer->tree->zones[psys].role = ES_TREE_PSYS;
	}
	for (unsigned i = 2; i < n_cpus; i++)
		share_file(writer, first_cpu + i, cpus[1]);
}

static void put_amd(struct writer *writer, unsigned package)
{
	const struct es_tree_model *model = writer->model;
	unsigned cpus[64], first = package * model->n_cores;
	char key[64];

	for (unsigned core = 0; core < model->n_cores && core < 64; core++) {
		cpus[core] = first + core;
		put_constants(writer, cpus[core]);
		(void)snprintf(key, sizeof(key), "core-%u-cpu-%u", package, cpus[core]);
		(void)put_counter(writer, cpus[core], AMD_CORE, key, model->unit_nj, -1);
	}
	(void)snprintf(key, sizeof(key),
		       model->has_zone_per_die ? "package-%u-die-0" : "package-%u", package);
	(void)put_part(writer, cpus, model->n_cores, AMD_PKG, key, model->unit_nj);
}

/* Further threads of each core share its file. */
static void put_threads(struct writer *writer)
{
	const struct es_tree_model *model = writer->model;
	unsigned n_per_thread = model->n_packages * model->n_cores;

	for (unsigned cpu = n_per_thread; cpu < n_per_thread * model->n_threads; cpu++)
		share_file(writer, cpu, cpu % n_per_thread);
}

/* No host behind these registers: all read 0, or the file ends before them. */
static void put_empty(struct writer *writer)
{
	for (unsigned cpu = 0; cpu < writer->model->n_packages * writer->model->n_cores; cpu++)
		put_register(writer, cpu, writer->model->msr == ES_TREE_MSR_ZEROS ? PSYS + 1 : 0x10,
			     0);
}

int es_tree_put_registers(const struct es_tree_model *model, struct es_tree *tree)
{
	struct writer writer = { .model = model, .tree = tree };
	unsigned n_dies = model->has_zone_per_die ? model->n_dies : 1;
	unsigned n_cpus = model->n_cores / n_dies;

	if (model->msr == ES_TREE_NO_MSR)
		return 0;
	writer.is_amd = strcmp(model->vendor, "GenuineIntel") != 0;
	if (model->msr == ES_TREE_MSR_ZEROS || model->msr == ES_TREE_MSR_BROKEN) {
		put_empty(&writer);
		return writer.error;
	}
	for (unsigned package = 0; package < model->n_packages; package++) {
		if (writer.is_amd)
			put_amd(&writer, package);
		for (unsigned die = 0; die < n_dies && !writer.is_amd; die++)
			put_intel(&writer, package, die, (package * n_dies + die) * n_cpus, n_cpus);
	}
	put_threads(&writer);
	return writer.error;
}
