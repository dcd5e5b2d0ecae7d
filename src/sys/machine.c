/*
 * sys/machine.c - what machine this is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/machine.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "base/parse.h"

#define CPUS_MAX (1UL << 16) /* far more than Linux has; each costs a look */
#define SIBLINGS_MAX \
	8192UL /* Linux has no more CPUs on x86; what lies beyond is asked one by one */
#define PACKAGES_MAX 64U
#define ONLINE_MAX_BYTES (128U << 10)

static void copy(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void read_text(const struct es_root *root, const char *path, char *to, size_t size)
{
	char text[ES_SYSFS_FILE_MAX_BYTES];
	ssize_t n = es_root_read_line(root, path, text, sizeof(text));

	if (n > 0)
		copy(to, size, text, (size_t)n);
}

/* The next range "FIRST" or "FIRST-LAST" of a list; 1, 0 at its end, -EBADMSG where it is no list. */
es_hot static int next_range(const char **list, unsigned long *ret_first, unsigned long *ret_last)
{
	unsigned long first, last;
	const char *p = *list;
	char *end;

	if (*p == '\0')
		return 0;
	if (!isdigit((unsigned char)*p))
		return -EBADMSG;
	first = last = strtoul(p, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return -EBADMSG;
		last = strtoul(end + 1, &end, 10);
	}
	if (last < first || last >= CPUS_MAX || (*end != ',' && *end != '\0'))
		return -EBADMSG;
	*list = *end == ',' ? end + 1 : end;
	*ret_first = first;
	*ret_last = last;
	return 1;
}

es_hot uint32_t es_cpulist_count(const char *list)
{
	unsigned long first, last;
	uint32_t n = 0;
	int r;

	while ((r = next_range(&list, &first, &last)) > 0)
		n += (uint32_t)(last - first + 1);
	return r < 0 ? 0 : n;
}

/* The value of "key : value" in the first lines of cpuinfo. */
static bool cpuinfo_value(const char *info, const char *key, char *to, size_t size)
{
	size_t n_key = strlen(key);

	for (const char *line = info; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *value;

		if (strncmp(line, key, n_key) != 0 || !strchr("\t :", line[n_key]))
			continue;
		value = line + n_key + strspn(line + n_key, "\t ");
		if (*value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		copy(to, size, value, strcspn(value, "\n"));
		return true;
	}
	return false;
}

static unsigned cpuinfo_number(const char *info, const char *key)
{
	char text[32];

	return cpuinfo_value(info, key, text, sizeof(text)) ? (unsigned)strtoul(text, NULL, 0) : 0;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* Only the first processor: on large machines the kernel takes milliseconds for the whole file. */
void es_machine_read_cpu(const struct es_root *root, struct es_machine *machine)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, "proc/cpuinfo", O_RDONLY);
	char info[8192], flags[4096];
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, info, sizeof(info) - 1);
	if (n <= 0)
		return;
	info[n] = '\0';
	if (cpuinfo_value(info, "vendor_id", machine->cpu_vendor, sizeof(machine->cpu_vendor))) {
		machine->cpu_family = cpuinfo_number(info, "cpu family");
		machine->cpu_model_number = cpuinfo_number(info, "model");
		machine->cpu_stepping = cpuinfo_number(info, "stepping");
	} else if (cpuinfo_value(info, "CPU implementer", machine->cpu_vendor,
				 sizeof(machine->cpu_vendor))) {
		machine->cpu_family = cpuinfo_number(info, "CPU architecture");
		machine->cpu_model_number = cpuinfo_number(info, "CPU part");
	}
	(void)cpuinfo_value(info, "model name", machine->cpu_model, sizeof(machine->cpu_model));
	if (cpuinfo_value(info, "flags", flags, sizeof(flags)) && has_word(flags, "hypervisor"))
		machine->is_vm = true;
}

/* Firmware numbers packages as it likes: they are told apart by their numbers, not counted by them. */
static void see_package(const struct es_root *root, unsigned long cpu, uint64_t *seen,
			struct es_machine *machine)
{
	char path[96];
	uint64_t package;

	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%lu/topology/physical_package_id", cpu);
	if (es_root_read_u64(root, path, &package) < 0)
		return;
	for (uint32_t i = 0; i < machine->n_packages; i++)
		if (seen[i] == package)
			return;
	if (machine->n_packages < PACKAGES_MAX)
		seen[machine->n_packages++] = package;
}

/* CPUs of one package know each other: one look for each package instead of one for each of a thousand CPUs. */
static void mark_siblings(const struct es_root *root, unsigned long cpu, uint8_t *is_known)
{
	char path[96], siblings[ES_SYSFS_FILE_MAX_BYTES] = "";
	const char *list = siblings;
	unsigned long first, last;

	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%lu/topology/core_siblings_list", cpu);
	read_text(root, path, siblings, sizeof(siblings));
	while (next_range(&list, &first, &last) > 0)
		for (unsigned long i = first; i <= last && i < SIBLINGS_MAX; i++)
			is_known[i] = 1;
}

static void read_topology(const struct es_root *root, struct es_machine *machine)
{
	es_cleanup(es_freep) char *online = NULL;
	const char *list;
	uint64_t seen[PACKAGES_MAX];
	uint8_t is_known[SIBLINGS_MAX] = { 0 };
	unsigned long first, last, n_looks = 0;

	/* With holes in it, it is longer than a page. */
	if (es_root_read_file(root, "sys/devices/system/cpu/online", ONLINE_MAX_BYTES, &online) < 0)
		return;
	online[strcspn(online, "\n")] = '\0';
	list = online;
	machine->n_cpus = es_cpulist_count(online);
	while (machine->n_cpus && next_range(&list, &first, &last) > 0)
		for (unsigned long cpu = first; cpu <= last; cpu++) {
			if (cpu < SIBLINGS_MAX && is_known[cpu])
				continue;
			/* A list may name a CPU again and again. */
			if (n_looks++ == CPUS_MAX)
				return;
			see_package(root, cpu, seen, machine);
			mark_siblings(root, cpu, is_known);
		}
}

/* By the maker of the board: what tells an ARM VM, which has no flag of its processor. */
static bool is_virtual_board(const struct es_root *root)
{
	static const char *const makers[] = { "QEMU", "KVM",	   "VMware, Inc.", "innotek GmbH",
					      "Xen",  "Parallels", "Bochs" };
	char maker[64] = "", product[64] = "";

	read_text(root, "sys/class/dmi/id/sys_vendor", maker, sizeof(maker));
	read_text(root, "sys/class/dmi/id/product_name", product, sizeof(product));
	for (size_t i = 0; i < ES_ARRAY_SIZE(makers); i++)
		if (strcmp(maker, makers[i]) == 0)
			return true;
	return strstr(product, "Virtual Machine") != NULL;
}

static void read_virt(const struct es_root *root, struct es_machine *machine)
{
	static const char *const marks[] = { ".dockerenv", "run/.containerenv",
					     "run/systemd/container" };
	char text[ES_SYSFS_FILE_MAX_BYTES] = "";
	ssize_t n;

	for (size_t i = 0; i < ES_ARRAY_SIZE(marks); i++)
		machine->is_container = machine->is_container || es_root_exists(root, marks[i]);
	/* The environment of the first process is a list of NUL-terminated strings. */
	n = es_root_read(root, "proc/1/environ", text, sizeof(text));
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(text + i) + 1)
		machine->is_container = machine->is_container ||
					strncmp(text + i, "container=", 10) == 0;
	n = es_root_read(root, "proc/1/cgroup", text, sizeof(text));
	if (n > 0 && (strstr(text, "/docker") || strstr(text, "/kubepods") ||
		      strstr(text, "/lxc/") || strstr(text, "/libpod")))
		machine->is_container = true;
	machine->is_vm = machine->is_vm || es_root_exists(root, "sys/hypervisor/type") ||
			 is_virtual_board(root);
}

static void read_battery(const struct es_root *root, struct es_machine *machine)
{
	int r;
	es_cleanup(es_closedirp) DIR *dir = es_root_opendir(root, "sys/class/power_supply", &r);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[ES_NAME_MAX_BYTES + 64], type[32] = "", scope[32] = "";

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "sys/class/power_supply/%s/type", entry->d_name);
		read_text(root, path, type, sizeof(type));
		(void)snprintf(path, sizeof(path), "sys/class/power_supply/%s/scope",
			       entry->d_name);
		read_text(root, path, scope, sizeof(scope));
		/* Scope "Device" is a mouse's or a keyboard's battery. */
		if (strcmp(type, "Battery") == 0 && strcmp(scope, "Device") != 0)
			machine->has_battery = true;
	}
}

static void read_timezone(const struct es_root *root, struct es_machine *machine)
{
	const char *tz = root->is_machine ? getenv("TZ") : NULL;
	char target[ES_PATH_MAX_BYTES];
	const char *name;
	ssize_t n;

	if (tz && *tz) {
		tz += *tz == ':';
		copy(machine->timezone, sizeof(machine->timezone), tz, strlen(tz));
		return;
	}
	n = readlinkat(root->fd, "etc/localtime", target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		name = strstr(target, "zoneinfo/");
		if (name)
			copy(machine->timezone, sizeof(machine->timezone),
			     name + strlen("zoneinfo/"), strlen(name + strlen("zoneinfo/")));
	}
	if (machine->timezone[0] == '\0')
		read_text(root, "etc/timezone", machine->timezone, sizeof(machine->timezone));
}

/* zone.tab: country, coordinates, name of the time zone, tabs between. */
static bool find_country(const struct es_root *root, const char *timezone,
			 struct es_machine *machine)
{
	es_cleanup(es_freep) char *table = NULL;
	size_t n_name = strlen(timezone);

	if (n_name == 0 ||
	    es_root_read_file(root, "usr/share/zoneinfo/zone.tab", 1U << 20, &table) < 0)
		return false;
	for (const char *line = table; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *name = *line == '#' ? NULL : strchr(line, '\t');

		name = name ? strchr(name + 1, '\t') : NULL;
		if (!name || strncmp(name + 1, timezone, n_name) != 0 ||
		    !strchr("\t\n", name[1 + n_name]))
			continue;
		copy(machine->country, sizeof(machine->country), line, 2);
		return true;
	}
	return false;
}

/* An older name of a time zone is a link in tzdata.zi: "L Asia/Kolkata Asia/Calcutta". */
static void read_country(const struct es_root *root, struct es_machine *machine)
{
	es_cleanup(es_freep) char *links = NULL;
	size_t n_name = strlen(machine->timezone);

	if (n_name == 0 || find_country(root, machine->timezone, machine) ||
	    es_root_read_file(root, "usr/share/zoneinfo/tzdata.zi", 1U << 20, &links) < 0)
		return;
	for (const char *line = links; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char target[64];
		const char *name;

		if (strncmp(line, "L ", 2) != 0)
			continue;
		copy(target, sizeof(target), line + 2, strcspn(line + 2, " \n"));
		name = line + 2 + strcspn(line + 2, " \n");
		if (*name != ' ' || strncmp(name + 1, machine->timezone, n_name) != 0 ||
		    name[1 + n_name] != '\n')
			continue;
		(void)find_country(root, target, machine);
		return;
	}
}

static uint32_t whole_cpus(unsigned long quota_us, unsigned long period_us)
{
	unsigned long n;

	if (quota_us == 0 || period_us == 0 || quota_us > ULONG_MAX - period_us)
		return UINT32_MAX;
	n = (quota_us + period_us - 1) / period_us;
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* cgroup v1: two files with a number each, -1 where there is no quota. */
static uint32_t read_quota_v1(const struct es_root *root)
{
	static const char *const mounts[] = { "sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(mounts); i++) {
		char path[64];
		uint64_t quota_us, period_us;

		(void)snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", mounts[i]);
		if (es_root_read_u64(root, path, &quota_us) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", mounts[i]);
		if (es_root_read_u64(root, path, &period_us) == 0)
			return whole_cpus(quota_us, period_us);
	}
	return UINT32_MAX;
}

/* Whole CPUs of the quota of a container's own cgroup, rounded up; UINT32_MAX: none. */
static uint32_t read_quota(const struct es_root *root)
{
	char text[64] = "";
	unsigned long quota_us;
	char *end;

	read_text(root, "sys/fs/cgroup/cpu.max", text, sizeof(text));
	quota_us = strtoul(text, &end, 10);
	if (end == text)
		return text[0] ? UINT32_MAX : read_quota_v1(root); /* "max 100000" */
	return whole_cpus(quota_us, strtoul(end, NULL, 10));
}

static void read_allowed(const struct es_root *root, struct es_machine *machine)
{
	uint32_t quota;
	cpu_set_t set;

	if (root->is_machine && sched_getaffinity(0, sizeof(set), &set) == 0)
		machine->n_allowed = (uint32_t)CPU_COUNT(&set);
	else
		machine->n_allowed = machine->n_cpus;
	quota = read_quota(root);
	if (machine->is_container && quota < machine->n_allowed)
		machine->n_allowed = quota;
}

/* The first line of meminfo, in KiB whatever it calls them. */
static void read_memory(const struct es_root *root, struct es_machine *machine)
{
	char text[128];
	unsigned long long kib;

	read_text(root, "proc/meminfo", text, sizeof(text));
	if (sscanf(text, "MemTotal: %15llu", &kib) == 1)
		machine->memory_bytes = kib * 1024;
}

void es_machine_read(const struct es_root *root, struct es_machine *ret)
{
	*ret = (struct es_machine){ .n_cpus = 0 };
	read_text(root, "proc/sys/kernel/hostname", ret->hostname, sizeof(ret->hostname));
	read_text(root, "proc/sys/kernel/osrelease", ret->kernel, sizeof(ret->kernel));
	read_text(root, "proc/sys/kernel/random/boot_id", ret->boot_id, sizeof(ret->boot_id));
	es_machine_read_cpu(root, ret);
	read_topology(root, ret);
	read_memory(root, ret);
	read_virt(root, ret);
	read_battery(root, ret);
	read_timezone(root, ret);
	read_country(root, ret);
	read_allowed(root, ret);
}
