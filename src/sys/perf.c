/*
 * sys/perf.c - perf events of a root, and the texts by which sysfs describes them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/perf.h"

#include <ctype.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"

__extension__ typedef unsigned __int128 es_u128;

#define CPU_MAX 65535U
#define TURNS_SLACK 1000U

bool es_perf_is_here(const struct es_root *root)
{
	return root->is_machine || root->perf_open || root->perf_open_on;
}

int es_perf_open(const struct es_root *root, const struct perf_event_attr *attr, int cpu,
		 int group_fd)
{
	long fd;

	if (root->perf_open)
		return root->perf_open(root->perf_arg, attr, cpu, group_fd);
	if (!root->is_machine)
		return -ENODEV;
	fd = syscall(SYS_perf_event_open, attr, -1, cpu, group_fd, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

int es_perf_open_on(const struct es_root *root, const struct perf_event_attr *attr,
		    const struct es_perf_target *target, int group_fd)
{
	unsigned long flags = PERF_FLAG_FD_CLOEXEC;
	int pid = target->pid;
	long fd;

	if (root->perf_open_on)
		return root->perf_open_on(root->perf_arg, attr, target, group_fd);
	if (!root->is_machine)
		return -ENODEV;
	if (target->cgroup_fd >= 0) {
		pid = target->cgroup_fd;
		flags |= PERF_FLAG_PID_CGROUP;
	}
	fd = syscall(SYS_perf_event_open, attr, pid, target->cpu, group_fd, flags);
	return fd < 0 ? -errno : (int)fd;
}

bool es_perf_took_turns(uint64_t enabled_ns, uint64_t running_ns)
{
	uint64_t apart_ns = enabled_ns > running_ns ? enabled_ns - running_ns
						    : running_ns - enabled_ns;

	return apart_ns > enabled_ns / TURNS_SLACK;
}

int64_t es_perf_paranoid(const struct es_root *root)
{
	char text[32];

	if (es_root_read_line(root, "proc/sys/kernel/perf_event_paranoid", text, sizeof(text)) <= 0)
		return INT64_MAX;
	return strtoll(text, NULL, 10);
}

ssize_t es_perf_read(const struct es_root *root, int fd, void *data, size_t n)
{
	ssize_t got;

	if (root->perf_read)
		return root->perf_read(root->perf_arg, fd, data, n);
	got = read(fd, data, n);
	return got < 0 ? -errno : got;
}

static int take_cpu(const char **p, unsigned *ret)
{
	unsigned v = 0;

	if (!isdigit((unsigned char)**p))
		return -EBADMSG;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (unsigned)(**p - '0');
		if (v > CPU_MAX)
			return -EBADMSG;
	}
	*ret = v;
	return 0;
}

int es_perf_next_cpu(const char **list, unsigned *ret_left, unsigned *ret_cpu)
{
	unsigned first, last;

	if (*ret_left > 0) {
		(*ret_left)--;
		(*ret_cpu)++;
		return 1;
	}
	if (**list == '\0')
		return 0;
	if (take_cpu(list, &first) < 0)
		return -EBADMSG;
	last = first;
	if (**list == '-') {
		(*list)++;
		if (take_cpu(list, &last) < 0 || last < first)
			return -EBADMSG;
	}
	if (**list == ',')
		(*list)++;
	else if (**list != '\0')
		return -EBADMSG;
	*ret_cpu = first;
	*ret_left = last - first;
	return 1;
}

int es_perf_parse_event(const char *text, uint64_t *ret_config)
{
	unsigned long long v;
	char *end;

	if (strncmp(text, "event=", 6) != 0 || !isdigit((unsigned char)text[6]))
		return -EBADMSG;
	errno = 0;
	v = strtoull(text + 6, &end, 0);
	if (errno || *end != '\0')
		return -EBADMSG;
	*ret_config = v;
	return 0;
}

int es_perf_parse_scale(const char *text, struct es_perf_scale *ret)
{
	struct es_perf_scale scale = { .shift = 0 };
	int exponent, r = es_parse_double(text, &scale.factor);

	if (r < 0)
		return r;
	if (!(scale.factor > 0) || scale.factor > 1e6)
		return -ERANGE;
	/* A power of two is exact as a double, so that a long decimal and its double are the same number. */
	if (frexp(scale.factor, &exponent) == 0.5 && exponent <= 1 && exponent > -63) {
		scale.is_shift = true;
		scale.shift = (unsigned)(1 - exponent);
	}
	*ret = scale;
	return 0;
}

uint64_t es_perf_scaled_micro(const struct es_perf_scale *scale, uint64_t count)
{
	long double micro;

	if (scale->is_shift) {
		es_u128 v = (es_u128)count * 1000000 >> scale->shift;

		return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
	}
	micro = roundl((long double)count * (long double)scale->factor * 1e6L);
	return micro >= 0x1p64L ? UINT64_MAX : (uint64_t)micro;
}
