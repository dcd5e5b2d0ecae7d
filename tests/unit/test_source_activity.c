/*
 * test_source_activity.c - counts of a job, with a test in the place of the kernel
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/signal.h"
#include "source/activity.h"
#include "support/tree.h"
#include "sys/perf.h"

#define EVENTS_MAX 64
#define READINGS_MAX 64
#define PMUS "sys/bus/event_source/devices/"
#define JOB 4711

/** struct event - what the stand-in for the kernel knows of an open event */
struct event {
	int fd, leader;
	struct perf_event_attr attr;
	struct es_perf_target target;
	uint64_t count, enabled_ns, running_ns;
};

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[READINGS_MAX];
	struct event events[EVENTS_MAX];
	size_t n_events;
	int paranoid; /* as the kernel would judge a user without rights; -1: root */
	bool has_no_hardware;
	bool is_refused; /* by a security module */
	bool is_gone; /* the process */
};

static int judge(const struct fixture *f, const struct perf_event_attr *attr,
		 const struct es_perf_target *target)
{
	if (f->is_refused)
		return -EPERM;
	if (f->is_gone && target->pid == JOB)
		return -ESRCH;
	if (target->pid == -1 && f->paranoid > 0)
		return -EACCES;
	if (!attr->exclude_kernel && f->paranoid > 1)
		return -EACCES;
	if (f->paranoid > 2)
		return -EACCES;
	if (f->has_no_hardware && (attr->type == PERF_TYPE_HARDWARE ||
				   attr->type == PERF_TYPE_HW_CACHE || attr->type == PERF_TYPE_RAW))
		return -ENOENT;
	return 0;
}

static int fake_open(void *arg, const struct perf_event_attr *attr,
		     const struct es_perf_target *target, int group_fd)
{
	struct fixture *f = arg;
	int r = judge(f, attr, target), fd;
	struct event *event;

	assert_int_equal(attr->size, sizeof(*attr));
	assert_int_equal(attr->sample_period, 0);
	if (r < 0)
		return r;
	fd = dup(0);
	assert_true(fd >= 0);
	/* A number that was given back is another event's now. */
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].fd == fd) {
			f->n_events--;
			memmove(&f->events[i], &f->events[i + 1],
				(f->n_events - i) * sizeof(f->events[i]));
			i--;
		}
	assert_true(f->n_events < EVENTS_MAX);
	event = &f->events[f->n_events];
	*event = (struct event){ .fd = fd, .attr = *attr, .target = *target };
	event->leader = group_fd < 0 ? fd : group_fd;
	f->n_events++;
	return event->fd;
}

static ssize_t fake_read(void *arg, int fd, void *data, size_t n)
{
	struct fixture *f = arg;
	uint64_t out[16];
	size_t n_out = 3;
	const struct event *found = NULL;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct event *event = &f->events[i];

		if (event->fd == fd && event->leader == fd)
			found = event;
	}
	assert_non_null(found);
	if (!(found->attr.read_format & PERF_FORMAT_GROUP)) {
		const uint64_t one[] = { found->count, found->enabled_ns, found->running_ns };

		assert_true(n >= sizeof(one));
		memcpy(data, one, sizeof(one));
		return sizeof(one);
	}
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].leader == fd)
			out[n_out++] = f->events[i].count;
	out[0] = n_out - 3;
	out[1] = found->enabled_ns;
	out[2] = found->running_ns;
	assert_true(n >= n_out * sizeof(*out));
	memcpy(data, out, n_out * sizeof(*out));
	return (ssize_t)(n_out * sizeof(*out));
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->paranoid = -1;
	f->root.fd = -1;
	put(f, "proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
	    "model name\t: Synthetic(R) CPU @ 2.40GHz\nstepping\t: 4\n");
	put(f, "sys/devices/system/cpu/online", "0-1\n");
	put(f, "sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n");
	put(f, "sys/devices/system/cpu/cpu1/topology/physical_package_id", "1\n");
	put(f, "proc/sys/kernel/perf_event_paranoid", "2\n");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->source)
		f->source->ops->close(f->source);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void open_it(struct fixture *f, enum es_activity_whom whom)
{
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->root.perf_open_on = fake_open;
	f->root.perf_read = fake_read;
	f->root.perf_arg = f;
	assert_int_equal(es_activity_open(&f->root, whom, &f->source, NULL), 0);
}

/* What was opened only to see whether it can be is forgotten. */
static void follow(struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].target.pid != 0)
			f->events[n++] = f->events[i];
	f->n_events = n;
	(void)es_activity_follow(f->source, JOB);
}

static struct event *event(struct fixture *f, uint32_t type, uint64_t config)
{
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].attr.type == type && f->events[i].attr.config == config)
			return &f->events[i];
	fail_msg("no event %u/%llx", type, (unsigned long long)config);
	return NULL;
}

static void count(struct event *event, uint64_t n)
{
	event->count += n;
	event->enabled_ns += 1000;
	event->running_ns += 1000;
}

static const struct es_reading *reading(struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_signals; i++)
		if (strcmp(f->source->signals[i].id, id) == 0)
			return &f->readings[i];
	return NULL;
}

static void read_all(struct fixture *f)
{
	es_activity_end(f->source); /* at once */
	assert_int_equal(f->source->ops->read_signals(f->source, f->readings, READINGS_MAX), 0);
}

static struct es_activity_state state_of(const struct fixture *f, enum es_activity_key key)
{
	struct es_activity_state state;

	es_activity_state(f->source, key, &state);
	return state;
}

static void a_command_is_counted_from_its_exec_with_all_it_starts(void **state)
{
	struct fixture *f = *state;
	const struct event *instructions;

	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);

	instructions = event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	assert_int_equal(f->n_events, 4); /* no more: they are not to take turns */
	for (size_t i = 0; i < f->n_events; i++) {
		assert_int_equal(f->events[i].target.pid, JOB);
		assert_int_equal(f->events[i].target.cpu, -1);
		assert_true(f->events[i].attr.inherit);
		assert_true(f->events[i].attr.disabled && f->events[i].attr.enable_on_exec);
		assert_false(f->events[i].attr.pinned || f->events[i].attr.exclude_kernel);
	}
	assert_true(instructions->attr.read_format ==
		    (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING));
}

static void counts_are_signals(void **state)
{
	struct fixture *f = *state;

	open_it(f, ES_ACTIVITY_COMMAND);
	read_all(f);
	assert_int_equal(reading(f, "activity/job:instructions")->error, -EAGAIN);
	follow(f);
	count(event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS), 2000);
	count(event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES), 1000);
	count(event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES), 7);
	count(event(f, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK), 500);
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, 0);
	assert_int_equal(reading(f, "activity/job:instructions")->value, 2000);
	assert_int_equal(reading(f, "activity/job:cycles")->value, 1000);
	assert_int_equal(reading(f, "activity/job:llc_misses")->value, 7);
	assert_int_equal(reading(f, "activity/job:task_clock")->value, 500);
	/* By its name: what cycles and CPU time are held against. */
	assert_int_equal(reading(f, "activity/node:base_clock")->value, 2400000);
	assert_true(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_true(state_of(f, ES_ACTIVITY_LLC_MISSES).is_there);
	assert_true(state_of(f, ES_ACTIVITY_CLOCK).is_there);
}

static void a_count_that_took_turns_is_discarded_and_the_counters_are_left(void **state)
{
	struct fixture *f = *state;
	struct event *misses;

	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	misses = event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES);
	count(misses, 100);
	misses->enabled_ns += 1; /* no more than the kernel's book-keeping */
	read_all(f);
	assert_int_equal(reading(f, "activity/job:llc_misses")->error, 0);
	misses->enabled_ns += 1;
	read_all(f);
	read_all(f);

	assert_int_equal(reading(f, "activity/job:llc_misses")->error, -EBUSY);
	assert_int_equal(reading(f, "activity/job:instructions")->error, -EBUSY);
	assert_int_equal(reading(f, "activity/job:task_clock")->error, 0); /* takes no counter */
	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_LLC_MISSES).reason, "part of the time"));
	assert_true(lseek(misses->fd, 0, SEEK_CUR) < 0 && errno == EBADF);
}

static void counters_that_others_hold_are_named(void **state)
{
	struct fixture *f = *state;

	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].attr.type == PERF_TYPE_HARDWARE)
			f->events[i].enabled_ns = 5000;
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, -EBUSY);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "hold the counters"));
}

static void an_ordinary_user_gets_what_happened_in_user_mode(void **state)
{
	struct fixture *f = *state;

	f->paranoid = 2;
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	count(event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS), 10);
	read_all(f);

	assert_true(event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS)->attr.exclude_kernel);
	assert_null(reading(f, "activity/job:instructions"));
	assert_int_equal(reading(f, "activity/job:instructions_user")->value, 10);
	assert_true(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "without what the kernel did"));
	/* Cycles of user mode by all CPU time would be too low a clock. */
	assert_false(state_of(f, ES_ACTIVITY_CLOCK).is_there);
}

static void where_nothing_is_allowed_the_command_that_helps_is_told(void **state)
{
	struct fixture *f = *state;

	f->paranoid = 4; /* as some distributions have it */
	put(f, "proc/sys/kernel/perf_event_paranoid", "4\n");
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_null(reading(f, "activity/job:instructions_user"));
	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "perf_event_paranoid is 4"));
	assert_string_equal(state_of(f, ES_ACTIVITY_IPC).fix,
			    "sudo sysctl kernel.perf_event_paranoid=2");
}

static void a_container_that_refuses_is_told_from_the_kernel(void **state)
{
	struct fixture *f = *state;

	f->is_refused = true;
	put(f, "proc/sys/kernel/perf_event_paranoid", "2\n");
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(
		strstr(state_of(f, ES_ACTIVITY_IPC).reason, "container or a security module"));
}

static void a_vm_without_counters_says_so(void **state)
{
	struct fixture *f = *state;

	f->has_no_hardware = true;
	put(f, "proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu hypervisor\n");
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);

	assert_int_equal(f->n_events, 1); /* task-clock */
	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "VM"));
	assert_null(reading(f, "activity/job:instructions"));
}

static void make_two_kinds(const struct fixture *f)
{
	put(f, PMUS "cpu_core/type", "4\n");
	put(f, PMUS "cpu_atom/type", "10\n");
}

static void cores_of_two_kinds_are_counted_together(void **state)
{
	struct fixture *f = *state;
	struct event *fast, *thrifty;

	make_two_kinds(f);
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	assert_int_equal(f->n_events, 2 * 3 + 1);
	fast = event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS | UINT64_C(4) << 32);
	thrifty = event(f, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS | UINT64_C(10) << 32);
	fast->count = 100;
	thrifty->count = 10;
	fast->enabled_ns = thrifty->enabled_ns = 5000;
	fast->running_ns = 3000;
	thrifty->running_ns = 2000;
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, 0);
	assert_int_equal(reading(f, "activity/job:instructions")->value, 110);

	thrifty->running_ns = 1000;
	read_all(f);
	assert_int_equal(reading(f, "activity/job:instructions")->error, -EBUSY);
}

static void misses_are_those_of_the_last_cache_whatever_the_maker_calls_them(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n");
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);

	/* Not the kernel's "cache misses", which are those of the L2 there. */
	assert_non_null(event(f, PERF_TYPE_RAW, 0x4843));
	assert_int_equal(f->n_events, 4);
}

static void an_old_amd_counts_no_misses_of_a_process(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 21\nmodel\t\t: 2\n");
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_false(state_of(f, ES_ACTIVITY_LLC_MISSES).is_there);
	assert_true(state_of(f, ES_ACTIVITY_IPC).is_there);
}

static void aperf_and_mperf_come_from_their_pmu(void **state)
{
	struct fixture *f = *state;

	put(f, PMUS "msr/type", "8\n");
	put(f, PMUS "msr/format/event", "config:0-63\n");
	put(f, PMUS "msr/events/aperf", "event=0x01\n");
	put(f, PMUS "msr/events/mperf", "event=0x02\n");
	put(f, "sys/devices/system/cpu/cpu0/cpufreq/base_frequency", "2100000\n");
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	count(event(f, 8, 1), 3000);
	count(event(f, 8, 2), 2100);
	read_all(f);

	assert_int_equal(f->n_events, 6); /* two of them take no counter */
	assert_int_equal(reading(f, "activity/job:aperf")->value, 3000);
	assert_int_equal(reading(f, "activity/job:mperf")->value, 2100);
	assert_int_equal(reading(f, "activity/node:base_clock")->value, 2100000);
}

static void a_process_that_is_gone_is_no_zero(void **state)
{
	struct fixture *f = *state;

	open_it(f, ES_ACTIVITY_COMMAND);
	f->is_gone = true;
	follow(f);
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, -ESRCH);
	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "ended"));
}

static void make_process(const struct fixture *f, int pid, int parent, const char *other_thread)
{
	char path[64], text[256];

	(void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
	(void)snprintf(
		text, sizeof(text),
		"%d (job) S %d 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 100 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
		pid, parent);
	put(f, path, text);
	(void)snprintf(path, sizeof(path), "proc/%d/task/%d/x", pid, pid);
	put(f, path, "");
	if (other_thread) {
		(void)snprintf(path, sizeof(path), "proc/%d/task/%s/x", pid, other_thread);
		put(f, path, "");
	}
}

static void other_ranks_of_a_launch_are_added(void **state)
{
	struct fixture *f = *state;

	make_process(f, 5001, 1, "5002"); /* came late, with a thread already */
	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	assert_int_equal(es_activity_also(f->source, 5000, true), 0);
	assert_int_equal(es_activity_also(f->source, 5001, false), 0);
	f->is_gone = true;
	assert_int_equal(es_activity_also(f->source, JOB, true), -ESRCH);
	assert_int_equal(es_activity_n_followed(f->source), 3);
	for (size_t i = 0; i < f->n_events; i++) {
		const struct event *it = &f->events[i];

		assert_true(it->attr.inherit);
		assert_int_equal(it->attr.enable_on_exec,
				 it->target.pid == JOB || it->target.pid == 5000);
		if (it->attr.type == PERF_TYPE_HARDWARE &&
		    it->attr.config == PERF_COUNT_HW_INSTRUCTIONS)
			count(&f->events[i], 10);
	}
	read_all(f);

	assert_int_equal(f->n_events, 4 * 4);
	assert_int_equal(reading(f, "activity/job:instructions")->value, 40);
}

static void what_runs_already_is_followed_with_threads_and_descendants(void **state)
{
	struct fixture *f = *state;

	make_process(f, JOB, 1, "4712");
	make_process(f, 300, JOB, NULL); /* a child with a lower number */
	make_process(f, 200, 300, "201");
	make_process(f, 5000, 1, NULL); /* somebody else's */
	open_it(f, ES_ACTIVITY_TREE);
	follow(f);
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].attr.config == PERF_COUNT_HW_INSTRUCTIONS &&
		    f->events[i].attr.type == PERF_TYPE_HARDWARE)
			count(&f->events[i], 10);
	read_all(f);

	assert_int_equal(f->n_events, 4 * 5);
	for (size_t i = 0; i < f->n_events; i++) {
		assert_int_not_equal(f->events[i].target.pid, 5000);
		assert_true(f->events[i].attr.inherit);
		assert_false(f->events[i].attr.disabled);
	}
	assert_int_equal(reading(f, "activity/job:instructions")->value, 50);
}

static void make_cgroup(const struct fixture *f)
{
	put(f, "proc/4711/cgroup", "3:perf_event:/slurm/job_7\n");
	put(f, "proc/self/mountinfo",
	    "31 22 0:26 / /sys/fs/cgroup/perf_event rw - cgroup cgroup rw,perf_event\n");
	put(f, "sys/fs/cgroup/perf_event/slurm/job_7/tasks", "");
}

static void a_cgroup_is_counted_on_every_cpu(void **state)
{
	struct fixture *f = *state;

	make_cgroup(f);
	open_it(f, ES_ACTIVITY_CGROUP);
	f->n_events = 0;
	follow(f);

	assert_int_equal(f->n_events, 4 * 2);
	for (size_t i = 0; i < f->n_events; i++) {
		assert_true(f->events[i].target.cgroup_fd >= 0);
		assert_false(f->events[i].attr.inherit || f->events[i].attr.disabled);
	}
	assert_int_not_equal(f->events[0].target.cpu, f->events[1].target.cpu);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "/slurm/job_7"));
}

static void a_cgroup_needs_more_rights(void **state)
{
	struct fixture *f = *state;

	f->paranoid = 1;
	put(f, "proc/sys/kernel/perf_event_paranoid", "1\n");
	make_cgroup(f);
	open_it(f, ES_ACTIVITY_CGROUP);

	assert_false(state_of(f, ES_ACTIVITY_IPC).is_there);
	assert_string_equal(state_of(f, ES_ACTIVITY_IPC).fix,
			    "sudo sysctl kernel.perf_event_paranoid=0");
}

static void cpus_that_come_or_go_make_a_cgroups_counts_unknown(void **state)
{
	struct fixture *f = *state;

	make_cgroup(f);
	open_it(f, ES_ACTIVITY_CGROUP);
	f->n_events = 0;
	follow(f);
	f->source->ops->online(f->source, 1);
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, -ESTALE);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_IPC).reason, "came or went"));
}

static void cpus_that_come_or_go_do_not_matter_to_processes(void **state)
{
	struct fixture *f = *state;

	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	f->source->ops->online(f->source, 1);
	read_all(f);

	assert_int_equal(reading(f, "activity/job:instructions")->error, 0);
}

static void make_controllers(const struct fixture *f)
{
	static const char *const names[] = { "uncore_imc_0", "uncore_imc_1" };

	for (size_t i = 0; i < 2; i++) {
		static const char *const files[][2] = {
			{ "cpumask", "0-1\n" },
			{ "format/event", "config:0-7\n" },
			{ "format/umask", "config:8-15\n" },
			{ "events/cas_count_read", "event=0x04,umask=0x03\n" },
			{ "events/cas_count_read.scale", "6.103515625e-5\n" },
			{ "events/cas_count_read.unit", "MiB\n" },
			{ "events/cas_count_write", "event=0x04,umask=0x0c\n" },
			{ "events/cas_count_write.scale", "6.103515625e-5\n" },
			{ "events/cas_count_write.unit", "MiB\n" },
		};
		char path[160];

		(void)snprintf(path, sizeof(path), PMUS "%s/type", names[i]);
		put(f, path, i ? "25\n" : "24\n");
		for (size_t j = 0; j < sizeof(files) / sizeof(*files); j++) {
			(void)snprintf(path, sizeof(path), PMUS "%s/%s", names[i], files[j][0]);
			put(f, path, files[j][1]);
		}
	}
}

static void traffic_is_summed_over_the_controllers_of_a_package(void **state)
{
	struct fixture *f = *state;

	make_controllers(f);
	open_it(f, ES_ACTIVITY_COMMAND);
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].attr.type >= 24 && f->events[i].target.cpu == 1)
			f->events[i].count = f->events[i].attr.config == 0x304 ? 1000 : 10;
	read_all(f);

	/* Lines of 64 bytes, of two controllers. */
	assert_int_equal(reading(f, "activity/package-1:memory_read_bytes")->value, 2 * 1000 * 64);
	assert_int_equal(reading(f, "activity/package-1:memory_write_bytes")->value, 2 * 10 * 64);
	assert_int_equal(reading(f, "activity/package-0:memory_read_bytes")->value, 0);
	assert_true(state_of(f, ES_ACTIVITY_MEMORY).is_there);
}

static void traffic_that_lacks_a_part_of_the_time_is_unknown(void **state)
{
	struct fixture *f = *state;

	make_controllers(f);
	open_it(f, ES_ACTIVITY_COMMAND);
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].attr.type == 25 && f->events[i].target.cpu == 1)
			f->events[i].enabled_ns = 10;
	read_all(f);

	assert_int_equal(reading(f, "activity/package-1:memory_read_bytes")->error, -EBUSY);
	assert_int_equal(reading(f, "activity/package-0:memory_read_bytes")->error, 0);
	assert_false(state_of(f, ES_ACTIVITY_MEMORY).is_there);
}

static void controllers_need_rights_and_the_command_is_told(void **state)
{
	struct fixture *f = *state;

	f->paranoid = 2;
	make_controllers(f);
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_false(state_of(f, ES_ACTIVITY_MEMORY).is_there);
	assert_string_equal(state_of(f, ES_ACTIVITY_MEMORY).fix,
			    "sudo sysctl kernel.perf_event_paranoid=0");
	assert_null(reading(f, "activity/package-0:memory_read_bytes"));
}

static void free_running_counters_come_first_and_amds_have_no_names(void **state)
{
	struct fixture *f = *state;

	make_controllers(f);
	put(f, PMUS "uncore_imc_free_running_0/type", "40\n");
	put(f, PMUS "uncore_imc_free_running_0/cpumask", "0\n");
	put(f, PMUS "uncore_imc_free_running_0/format/event", "config:0-7\n");
	put(f, PMUS "uncore_imc_free_running_0/format/umask", "config:8-15\n");
	put(f, PMUS "uncore_imc_free_running_0/events/read", "event=0xff,umask=0x20\n");
	put(f, PMUS "uncore_imc_free_running_0/events/read.scale", "6.103515625e-5\n");
	put(f, PMUS "uncore_imc_free_running_0/events/read.unit", "MiB\n");
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_non_null(event(f, 40, 0x20ff));
	for (size_t i = 0; i < f->n_events; i++)
		assert_int_not_equal(f->events[i].attr.type, 24);
}

static void amds_controllers_are_asked_by_number(void **state)
{
	struct fixture *f = *state;

	put(f, PMUS "amd_umc_0/type", "50\n");
	put(f, PMUS "amd_umc_0/cpumask", "0\n");
	put(f, PMUS "amd_umc_0/format/event", "config:0-7\n");
	put(f, PMUS "amd_umc_0/format/rdwrmask", "config:8-9\n");
	open_it(f, ES_ACTIVITY_COMMAND);
	event(f, 50, 0x10a)->count = 5;
	event(f, 50, 0x20a)->count = 6;
	read_all(f);

	assert_int_equal(reading(f, "activity/package-0:memory_read_bytes")->value, 5 * 64);
	assert_int_equal(reading(f, "activity/package-0:memory_write_bytes")->value, 6 * 64);
}

static void without_controllers_caches_count(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes", "100\n");
	put(f, "sys/devices/system/node/has_memory", "0,2\n");
	put(f, "sys/devices/system/node/node0/access0/initiators/read_bandwidth", "102400\n");
	put(f, "sys/devices/system/node/node2/access0/initiators/read_bandwidth", "102400\n");
	open_it(f, ES_ACTIVITY_COMMAND);
	put(f, "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes", "164\n");
	read_all(f);

	assert_int_equal(reading(f, "activity/cache-0:memory_bytes")->value, 64);
	assert_int_equal(reading(f, "activity/node:memory_peak")->value, UINT64_C(204800000000));
}

static void where_nothing_counts_traffic_the_mount_is_told(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "vendor_id\t: GenuineIntel\nflags\t\t: fpu cqm_mbm_total cqm_mbm_local\n");
	open_it(f, ES_ACTIVITY_COMMAND);

	assert_false(state_of(f, ES_ACTIVITY_MEMORY).is_there);
	assert_non_null(strstr(state_of(f, ES_ACTIVITY_MEMORY).fix, "mount -t resctrl"));
}

static void readings_that_took_long_are_rare_but_the_last_one(void **state)
{
	struct fixture *f = *state;

	open_it(f, ES_ACTIVITY_COMMAND);
	follow(f);
	read_all(f);
	assert_int_equal(f->source->ops->read_signals(f->source, f->readings, READINGS_MAX), 0);
	/* Right after one, however short it was. */
	assert_int_equal(reading(f, "activity/job:instructions")->error, -ECANCELED);
	read_all(f);
	assert_int_equal(reading(f, "activity/job:instructions")->error, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_counted_from_its_exec_with_all_it_starts),
		TEST(counts_are_signals),
		TEST(a_count_that_took_turns_is_discarded_and_the_counters_are_left),
		TEST(counters_that_others_hold_are_named),
		TEST(an_ordinary_user_gets_what_happened_in_user_mode),
		TEST(where_nothing_is_allowed_the_command_that_helps_is_told),
		TEST(a_container_that_refuses_is_told_from_the_kernel),
		TEST(a_vm_without_counters_says_so),
		TEST(cores_of_two_kinds_are_counted_together),
		TEST(misses_are_those_of_the_last_cache_whatever_the_maker_calls_them),
		TEST(an_old_amd_counts_no_misses_of_a_process),
		TEST(aperf_and_mperf_come_from_their_pmu),
		TEST(a_process_that_is_gone_is_no_zero),
		TEST(other_ranks_of_a_launch_are_added),
		TEST(what_runs_already_is_followed_with_threads_and_descendants),
		TEST(a_cgroup_is_counted_on_every_cpu),
		TEST(a_cgroup_needs_more_rights),
		TEST(cpus_that_come_or_go_make_a_cgroups_counts_unknown),
		TEST(cpus_that_come_or_go_do_not_matter_to_processes),
		TEST(traffic_is_summed_over_the_controllers_of_a_package),
		TEST(traffic_that_lacks_a_part_of_the_time_is_unknown),
		TEST(controllers_need_rights_and_the_command_is_told),
		TEST(free_running_counters_come_first_and_amds_have_no_names),
		TEST(amds_controllers_are_asked_by_number),
		TEST(without_controllers_caches_count),
		TEST(where_nothing_counts_traffic_the_mount_is_told),
		TEST(readings_that_took_long_are_rare_but_the_last_one),
	};

	return cmocka_run_group_tests_name("source/activity", tests, NULL, NULL);
}
