/*
 * daemon/housekeeping.c - the CPUs on which the daemon may run without being in anybody's way
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/housekeeping.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* "3" or "0-3"; where it ends. */
static const char *take_range(const char *p, unsigned long *ret_from, unsigned long *ret_to)
{
	char *end;

	if (*p < '0' || *p > '9')
		return NULL;
	*ret_from = *ret_to = strtoul(p, &end, 10);
	p = end;
	if (*p != '-')
		return p;
	p++;
	if (*p < '0' || *p > '9')
		return NULL;
	*ret_to = strtoul(p, &end, 10);
	return *ret_to < *ret_from ? NULL : end;
}

int es_cpulist_set(const char *list, cpu_set_t *ret)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (const char *p = list; *p;) {
		unsigned long from, to;

		p = take_range(p, &from, &to);
		if (!p || (*p && *p != ','))
			return -EBADMSG;
		for (unsigned long cpu = from; cpu <= to && cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, &set);
		p += *p == ',';
	}
	*ret = set;
	return 0;
}

void es_housekeeping_find(const struct es_root *root, const cpu_set_t *allowed, cpu_set_t *ret)
{
	static const char *const lists[] = { "sys/devices/system/cpu/nohz_full",
					     "sys/devices/system/cpu/isolated" };
	cpu_set_t left = *allowed;

	for (size_t i = 0; i < ES_ARRAY_SIZE(lists); i++) {
		char text[ES_SYSFS_FILE_MAX_BYTES];
		cpu_set_t taken, both;

		/* The kernel writes "(null)" or nothing where there are none. */
		if (es_root_read_line(root, lists[i], text, sizeof(text)) <= 0 ||
		    es_cpulist_set(text, &taken) < 0)
			continue;
		CPU_AND(&both, &left, &taken);
		CPU_XOR(&left, &left, &both);
	}
	*ret = CPU_COUNT(&left) ? left : *allowed;
}

int es_housekeeping_first(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, set))
			return cpu;
	return -1;
}
