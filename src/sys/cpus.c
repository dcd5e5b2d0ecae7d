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
#define NAMES_MAX (1U << 16) /* in a list, which may name a CPU again and again */

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

/** struct search - the CPUs seen so far, and what their lists say of others */
struct search {
	const struct es_root *root;
	bool with_cores;
	struct es_cpus cpus;
	size_t room;
	uint32_t *like; /* [number] 1 + index of a CPU of the same die; 0: not known */
};

/* False where the CPU is gone: its directory is. */
static bool find_place(const struct search *search, uint32_t number, struct es_cpu *ret,
		       bool *ret_has_die)
{
	struct es_cpu cpu = { .cpu = number, .core = (int32_t)number };

	if (!search->with_cores && number < ES_CPUS_MAX && search->like[number]) {
		*ret = search->cpus.cpu[search->like[number] - 1];
		ret->cpu = number;
		ret->core = cpu.core;
		return true;
	}
	/* Some hypervisors say -1: then there is one package. */
	if (read_id(search->root, number, "physical_package_id", &cpu.package) == -ENOENT)
		return false;
	*ret_has_die = read_id(search->root, number, "die_id", &cpu.die) == 0;
	if (search->with_cores)
		(void)read_id(search->root, number, "core_id", &cpu.core);
	*ret = cpu;
	return true;
}

/* CPUs of one die know each other: one look for each die instead of one for each of a thousand CPUs. */
static void mark_like(struct search *search, uint32_t number, bool has_die)
{
	es_cleanup(es_freep) char *text = NULL;
	unsigned left = 0, other = 0, n = 0;
	const char *list;
	char path[96];

	(void)snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/%s", number,
		       has_die ? "die_cpus_list" : "core_siblings_list");
	if (es_root_read_file(search->root, path, LIST_MAX_BYTES, &text) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	list = text;
	while (n++ < NAMES_MAX && es_perf_next_cpu(&list, &left, &other) > 0)
		if (other < ES_CPUS_MAX && search->like[other] == 0)
			search->like[other] = (uint32_t)search->cpus.n;
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

static int add(struct search *search, const struct es_cpu *cpu)
{
	struct es_cpus *cpus = &search->cpus;

	if (cpus->n == search->room) {
		size_t more = search->room ? search->room * 2 : 64;
		struct es_cpu *grown;

		if (cpus->n >= ES_CPUS_MAX)
			return -E2BIG;
		grown = reallocarray(cpus->cpu, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		cpus->cpu = grown;
		search->room = more;
	}
	cpus->cpu[cpus->n++] = *cpu;
	return 0;
}

static int add_all(struct search *search, const char *list)
{
	unsigned left = 0, number = 0, n = 0;
	int r;

	while ((r = es_perf_next_cpu(&list, &left, &number)) > 0) {
		bool has_die = false, is_like = number < ES_CPUS_MAX && search->like[number];
		struct es_cpu cpu;

		if (n++ == NAMES_MAX)
			return -E2BIG;
		if (!find_place(search, number, &cpu, &has_die))
			continue;
		r = add(search, &cpu);
		if (r < 0)
			return r;
		if (!search->with_cores && !is_like)
			mark_like(search, number, has_die);
	}
	return r < 0 ? r : search->cpus.n ? 0 : -ENODEV;
}

int es_cpus_read(const struct es_root *root, bool with_cores, struct es_cpus *ret)
{
	struct search search = { .root = root, .with_cores = with_cores };
	es_cleanup(es_freep) char *online = NULL;
	ssize_t n =
		es_root_read_file(root, "sys/devices/system/cpu/online", LIST_MAX_BYTES, &online);
	int r;

	if (n < 0)
		return (int)n;
	online[strcspn(online, "\n")] = '\0';
	search.like = calloc(ES_CPUS_MAX, sizeof(*search.like));
	r = search.like ? add_all(&search, online) : -ENOMEM;
	free(search.like);
	if (r < 0) {
		es_cpus_finish(&search.cpus);
		return r;
	}
	qsort(search.cpus.cpu, search.cpus.n, sizeof(*search.cpus.cpu), compare);
	*ret = search.cpus;
	return 0;
}

void es_cpus_finish(struct es_cpus *cpus)
{
	free(cpus->cpu);
	*cpus = (struct es_cpus){ .n = 0 };
}
