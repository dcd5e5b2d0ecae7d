/*
 * sys/cputime.c - CPU time of the machine, or of our part of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/cputime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/cgroup.h"

static int open_in_cgroup(const struct es_root *root, const char *mount, const char *cgroup,
			  const char *file)
{
	char path[ES_PATH_MAX_BYTES];
	int fd;

	if (snprintf(path, sizeof(path), "%s%s/%s", mount, cgroup, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = es_root_openat(root, path, O_RDONLY);
	if (fd >= 0)
		return fd;
	/* In a cgroup namespace, or with the host's path shown, our own group is the mount's top. */
	(void)snprintf(path, sizeof(path), "%s/%s", mount, file);
	return es_root_openat(root, path, O_RDONLY);
}

static int open_cgroup(const struct es_root *root, struct es_cputime *ret)
{
	static const char *const mounts_v1[] = { "sys/fs/cgroup/cpuacct",
						 "sys/fs/cgroup/cpu,cpuacct" };
	char text[ES_SYSFS_FILE_MAX_BYTES], cgroup[1024];
	int fd;

	if (es_root_read(root, "proc/self/cgroup", text, sizeof(text)) <= 0)
		return -ENOENT;
	for (size_t i = 0; i < ES_ARRAY_SIZE(mounts_v1) &&
			   es_cgroup_find(text, "cpuacct", cgroup, sizeof(cgroup));
	     i++) {
		fd = open_in_cgroup(root, mounts_v1[i], strcmp(cgroup, "/") == 0 ? "" : cgroup,
				    "cpuacct.usage");
		if (fd >= 0) {
			*ret = (struct es_cputime){ .fd = fd,
						    .from = ES_CPUTIME_CGROUP_V1,
						    .tick_ns = 1 };
			return 0;
		}
	}
	if (!es_cgroup_find(text, "", cgroup, sizeof(cgroup)))
		return -ENOENT;
	fd = open_in_cgroup(root, "sys/fs/cgroup", strcmp(cgroup, "/") == 0 ? "" : cgroup,
			    "cpu.stat");
	if (fd < 0)
		return fd;
	*ret = (struct es_cputime){ .fd = fd,
				    .from = ES_CPUTIME_CGROUP_V2,
				    .tick_ns = ES_NS_PER_US };
	return 0;
}

int es_cputime_open(const struct es_root *root, bool of_cgroup, struct es_cputime *ret)
{
	long ticks_per_s = sysconf(_SC_CLK_TCK);
	int fd;

	if (of_cgroup && open_cgroup(root, ret) == 0)
		return 0;
	fd = es_root_openat(root, "proc/stat", O_RDONLY);
	if (fd < 0)
		return fd;
	*ret = (struct es_cputime){
		.fd = fd,
		.from = ES_CPUTIME_PROC_STAT,
		.tick_ns = ES_NS_PER_S / (ticks_per_s > 0 ? ticks_per_s : 100),
	};
	return 0;
}

void es_cputime_close(struct es_cputime *cputime)
{
	es_closep(&cputime->fd);
	cputime->fd = -1;
}

/* The number behind blanks at *p; false where there is none. Not by sscanf: this runs while others are measured. */
static bool take_number(const char **p, uint64_t *ret)
{
	uint64_t v = 0;
	const char *digit = *p + strspn(*p, " ");

	if (*digit < '0' || *digit > '9')
		return false;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (unsigned)(*digit - '0'), &v))
			return false;
	*p = digit;
	*ret = v;
	return true;
}

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guest time is in user already. */
static int parse_stat(const char *text, int64_t tick_ns, int64_t *ret_ns)
{
	enum {
		USER,
		NICE,
		SYSTEM,
		IDLE,
		IOWAIT,
		IRQ,
		SOFTIRQ,
		N_FIELDS
	};
	uint64_t fields[N_FIELDS] = { 0 };
	unsigned n = 0;

	if (strncmp(text, "cpu ", 4) != 0)
		return -EBADMSG;
	for (text += 4; n < N_FIELDS && take_number(&text, &fields[n]); n++)
		continue;
	if (n <= IDLE)
		return -EBADMSG;
	*ret_ns = (int64_t)(fields[USER] + fields[NICE] + fields[SYSTEM] + fields[IRQ] +
			    fields[SOFTIRQ]) *
		  tick_ns;
	return 0;
}

int es_cputime_read(const struct es_cputime *cputime, int64_t *ret_ns)
{
	static const char usage[] = "usage_usec ";
	char text[512];
	const char *p = text;
	uint64_t v;
	ssize_t n = pread(cputime->fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENODATA;
	text[n] = '\0';
	switch (cputime->from) {
	case ES_CPUTIME_PROC_STAT:
		return parse_stat(text, cputime->tick_ns, ret_ns);
	case ES_CPUTIME_CGROUP_V2:
		p = strstr(text, usage);
		p = p ? p + sizeof(usage) - 1 : "";
		break;
	case ES_CPUTIME_CGROUP_V1:
		break;
	}
	if (!take_number(&p, &v) || v > (uint64_t)(INT64_MAX / cputime->tick_ns))
		return -EBADMSG;
	*ret_ns = (int64_t)v * cputime->tick_ns;
	return 0;
}
