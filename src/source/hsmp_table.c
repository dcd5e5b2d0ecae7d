/*
 * source/hsmp_table.c - MI300A, whose sockets are modules, and their metrics table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/hsmp_table.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "sys/machine.h"

#define AT_TIME 52U
#define AT_ENERGY 60U
#define TICK_NS 10U

bool es_hsmp_is_apu(const struct es_root *root)
{
	struct es_machine machine = { .n_cpus = 0 };

	es_machine_read_cpu(root, &machine);
	return strcmp(machine.cpu_vendor, "AuthenticAMD") == 0 && machine.cpu_family == 0x19 &&
	       machine.cpu_model_number >= 0x90 && machine.cpu_model_number <= 0x9f;
}

int es_hsmp_table_parse(const uint8_t *data, size_t n, struct es_hsmp_table *ret)
{
	uint64_t time, energy;
	uint32_t n_updates;

	if (n == 0)
		return -ENODATA;
	if (n != ES_HSMP_TABLE_BYTES)
		return -EBADMSG;
	memcpy(&n_updates, data, sizeof(n_updates));
	memcpy(&time, data + AT_TIME, sizeof(time));
	memcpy(&energy, data + AT_ENERGY, sizeof(energy));
	n_updates = le32toh(n_updates);
	time = le64toh(time);
	energy = le64toh(energy);
	if (n_updates == 0)
		return -ENODATA;
	if (time == 0 || time > INT64_MAX / 2 / TICK_NS || energy == UINT64_MAX)
		return -EBADMSG;
	*ret = (struct es_hsmp_table){ .n_updates = n_updates,
				       .time_ns = (int64_t)(time * TICK_NS),
				       .energy_steps = energy };
	return 0;
}
