/*
 * sys/machine.h - what machine this is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_MACHINE_H
#define ES_SYS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "sys/root.h"

/** struct es_machine - what a recording says about its node; "" and 0 where it could not be known */
struct es_machine {
	char hostname[ES_NAME_MAX_BYTES];
	char kernel[ES_NAME_MAX_BYTES];
	char boot_id[64];
	char cpu_model[ES_NAME_MAX_BYTES];
	char cpu_vendor[32]; /* as /proc/cpuinfo; on ARM the implementer, "0x41" */
	unsigned cpu_family, cpu_model_number, cpu_stepping;
	uint32_t n_cpus; /* hardware threads online */
	uint32_t n_packages;
	uint64_t memory_bytes; /* that the kernel has */
	uint32_t n_allowed; /* hardware threads this process may use (affinity mask and CPU quota) */
	bool is_vm, is_container, has_battery;
	char timezone[64];
	char country[8]; /* of the time zone, alpha-2 */
};

/** es_machine_read - look at the machine below @root; never fails: what cannot be read stays unknown */
void es_machine_read(const struct es_root *root, struct es_machine *ret);

/** es_machine_read_cpu - only what its processor is (vendor, family, model, name), and whether it says that this is a VM */
void es_machine_read_cpu(const struct es_root *root, struct es_machine *machine);

/** es_cpulist_count - CPUs in a list such as "0-3,8"; 0 where it is no list */
uint32_t es_cpulist_count(const char *list);

#endif
