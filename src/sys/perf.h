/*
 * sys/perf.h - perf events of a root, and the texts by which sysfs describes them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_PERF_H
#define ES_SYS_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/root.h"

struct perf_event_attr;

/** struct es_perf_target - whose events are counted */
struct es_perf_target {
	pid_t pid; /* a thread, 0: this one, -1: all on @cpu */
	int cgroup_fd; /* only threads of this cgroup, on @cpu (then @pid is not asked); -1: no */
	int cpu; /* -1: any, of a thread */
};

/** es_perf_is_here - whether perf events of @root can be opened: it is this machine, or a test stands in for the kernel */
bool es_perf_is_here(const struct es_root *root);

/** es_perf_open - an event of all processes on @cpu; @group_fd -1: a group of its own; a descriptor or negative errno */
int es_perf_open(const struct es_root *root, const struct perf_event_attr *attr, int cpu,
		 int group_fd);
/** es_perf_open_on - an event of @target; a descriptor or negative errno */
int es_perf_open_on(const struct es_root *root, const struct perf_event_attr *attr,
		    const struct es_perf_target *target, int group_fd);
/** es_perf_read - what read(2) says of an event or of its group; bytes or negative errno */
ssize_t es_perf_read(const struct es_root *root, int fd, void *data, size_t n);

/**
 * es_perf_took_turns - whether an event that was to count for @enabled_ns did so for another time, by what read(2) says
 *
 * Then others wanted its counter too, and its count is of a part of the time. A thousandth is let pass: the two are
 * stamped one after the other when events of a group, or of several PMUs, are put onto a CPU.
 */
bool es_perf_took_turns(uint64_t enabled_ns, uint64_t running_ns);

/** es_perf_paranoid - kernel.perf_event_paranoid; INT64_MAX: there is none */
int64_t es_perf_paranoid(const struct es_root *root);

/** es_perf_next_cpu - the next CPU of a list such as "0,36-37"; 1, 0 at its end, -EBADMSG. @list and @ret_left start as the text and 0 */
int es_perf_next_cpu(const char **list, unsigned *ret_left, unsigned *ret_cpu);

/** es_perf_parse_event - the number of an event described as "event=0x02"; 0 or -EBADMSG */
int es_perf_parse_event(const char *text, uint64_t *ret_config);

/** struct es_perf_scale - a factor; 1/2^shift where is_shift says so, exactly */
struct es_perf_scale {
	double factor;
	unsigned shift;
	bool is_shift;
};

/** es_perf_parse_scale - a decimal such as "2.3283064365386962890625e-10" (2^-32); 0, -EBADMSG or -ERANGE */
int es_perf_parse_scale(const char *text, struct es_perf_scale *ret);
/** es_perf_scaled_micro - @count * scale in whole millionths; UINT64_MAX where it does not fit */
uint64_t es_perf_scaled_micro(const struct es_perf_scale *scale, uint64_t count);

#endif
