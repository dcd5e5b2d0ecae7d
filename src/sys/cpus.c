/*
 * sys/cpus.c - which CPUs are online, and where each one is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/cpus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/perf.h"

#define LIST_MAX_BYTES (128U << 10) /* every second of ES_CPUS_MAX CPUs, each with a comma */
#define ID_MAX 0x7fffffffU

static int read_id(const struct es_root *root, uint32_t cpu, const char *what, int32_t *ret)
{
	char path[96];
	uint64_t id;
	int r;

	(void)snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/%s", cpu, what);
	r = es_root_read_u64(root, path, &id);
	if (r == 0 && id > ID_MAX)
		r = -ERANGE;
	if (r == 0)
		*ret = (int32_t)id;
	return r;
}

/* False where the CPU is gone: its directory is. */
static bool find_place(const struct es_root *root, uint32_t number, struct es_cpu *ret)
{
	struct es_cpu cpu = { .cpu = number, .core = (int32_t)number };

	/* Some hypervisors say -1: then there is one package. */
	if (read_id(root, number, "physical_package_id", &cpu.package) == -ENOENT)
		return false;
	(void)read_id(root, number, "die_id", &cpu.die);
	(void)read_id(root, number, "core_id", &cpu.core);
	*ret = cpu;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct es_cpu *left = a, *right = b;

	if (left->package != right->package)
		return left->package < right->package ? -1 : 1;
	if (left->die != right->die)
		return left->die < right->die ? -1 : 1;
	if (left->core != right->core)
		return left->core < right->core ? -1 : 1;
	return left->cpu < right->cpu ? -1 : left->cpu > right->cpu;
}

static int add(struct es_cpus *cpus, size_t *room, const struct es_cpu *cpu)
{
	if (cpus->n == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct es_cpu *grown;

		if (cpus->n >= ES_CPUS_MAX)
			return -E2BIG;
		grown = reallocarray(cpus->cpu, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		cpus->cpu = grown;
		*room = more;
	}
	cpus->cpu[cpus->n++] = *cpu;
	return 0;
}

int es_cpus_read(const struct es_root *root, struct es_cpus *ret)
{
	es_cleanup(es_freep) char *online = NULL;
	struct es_cpus cpus = { .n = 0 };
	unsigned left = 0, number = 0;
	const char *list;
	size_t room = 0;
	ssize_t n =
		es_root_read_file(root, "sys/devices/system/cpu/online", LIST_MAX_BYTES, &online);
	int r;

	if (n < 0)
		return (int)n;
	online[strcspn(online, "\n")] = '\0';
	list = online;
	while ((r = es_perf_next_cpu(&list, &left, &number)) > 0) {
		struct es_cpu cpu;

		if (!find_place(root, number, &cpu))
			continue;
		r = add(&cpus, &room, &cpu);
		if (r < 0)
			break;
	}
	if (r == 0 && cpus.n == 0)
		r = -ENODEV;
	if (r < 0) {
		es_cpus_finish(&cpus);
		return r;
	}
	qsort(cpus.cpu, cpus.n, sizeof(*cpus.cpu), compare);
	*ret = cpus;
	return 0;
}

void es_cpus_finish(struct es_cpus *cpus)
{
	free(cpus->cpu);
	*cpus = (struct es_cpus){ .n = 0 };
}
