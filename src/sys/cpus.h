/*
 * sys/cpus.h - which CPUs are online, and where each one is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_CPUS_H
#define ES_SYS_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/root.h"

#define ES_CPUS_MAX 16384U /* Linux has no more than 8192 CPUs on x86 */

/** struct es_cpu - one online CPU; numbers are the kernel's, with holes as they come */
struct es_cpu {
	uint32_t cpu;
	int32_t package, die, core;
};

/** struct es_cpus - those of one machine; es_cpus_finish() it */
struct es_cpus {
	struct es_cpu *cpu; /* in the order of package, die, core, number; owned */
	size_t n;
};

/**
 * es_cpus_read - list the online CPUs of @root
 * @with_cores: their cores too; else each is its own
 *
 * A CPU that goes away meanwhile is left out. A kernel that does not tell dies (before 5.3) has one in each package.
 * Returns 0; -ENODEV: no CPU has a place; -EBADMSG: the list of online CPUs is none; errors of reading it.
 */
int es_cpus_read(const struct es_root *root, bool with_cores, struct es_cpus *ret);
void es_cpus_finish(struct es_cpus *cpus);

#endif
