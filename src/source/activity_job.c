/*
 * source/activity_job.c - perf events of a job, by process, by tree of processes or by cgroup
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/activity_job.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "source/activity_whom.h"
#include "sys/perf.h"
#include "sys/pmu.h"

/*
 * Demand fills of the data cache from memory, near and far, of AMD's cores since family 17h: event 0x43, mask 0x48.
 * Their "cache misses" of the kernel are those of the L2, and counters of the L3 belong to no process.
 * Source: Linux tools/perf/pmu-events/arch/x86/amdzen1 to amdzen5 (ls_refills_from_sys, ls_dmnd_fills_from_sys).
 */
#define AMD_FILLS_FROM_MEMORY 0x4843U
#define AMD_FIRST_FAMILY 0x17U
#define KIND_SHIFT 32 /* PERF_PMU_TYPE_SHIFT, which our oldest headers lack */

static const struct {
	const char *name;
	bool is_hardware;
} whats[ES_N_JOB_WHATS] = {
	[ES_JOB_INSTRUCTIONS] = { "instructions", true },
	[ES_JOB_CYCLES] = { "cycles", true },
	[ES_JOB_LLC_MISSES] = { "llc_misses", true },
	[ES_JOB_TASK_CLOCK] = { "task_clock", false },
	[ES_JOB_APERF] = { "aperf", false },
	[ES_JOB_MPERF] = { "mperf", false },
};

const char *es_job_what_name(enum es_job_what what)
{
	return whats[what].name;
}

static void say(struct es_job_event *event, const char *reason, const char *fix)
{
	(void)snprintf(event->reason, sizeof(event->reason), "%s", reason);
	(void)snprintf(event->fix, sizeof(event->fix), "%s", fix);
}

/* Which event misses of the last cache are; false: this processor has none that belongs to a process. */
static bool find_misses(const struct es_machine *machine, struct es_job_event *event)
{
	if (strcmp(machine->cpu_vendor, "AuthenticAMD") == 0 ||
	    strcmp(machine->cpu_vendor, "HygonGenuine") == 0) {
		event->type = PERF_TYPE_RAW;
		event->configs[0] = AMD_FILLS_FROM_MEMORY;
		return machine->cpu_family >= AMD_FIRST_FAMILY;
	}
	if (strcmp(machine->cpu_vendor, "GenuineIntel") == 0) {
		event->type = PERF_TYPE_HARDWARE;
		event->configs[0] = PERF_COUNT_HW_CACHE_MISSES;
		return true;
	}
	/* On ARM "cache misses" are those of the L1. */
	event->type = PERF_TYPE_HW_CACHE;
	event->configs[0] = PERF_COUNT_HW_CACHE_LL | PERF_COUNT_HW_CACHE_OP_READ << 8 |
			    PERF_COUNT_HW_CACHE_RESULT_MISS << 16;
	return true;
}

/*
 * Intel's processors with cores of two kinds have a PMU for each; an event counts on one of them, which the upper half of
 * its number names (Linux 5.13).
 */
static void find_kinds(const struct es_root *root, struct es_job_event *event)
{
	static const char *const pmus[ES_JOB_KINDS_MAX] = { "cpu_core", "cpu_atom" };
	uint64_t types[ES_JOB_KINDS_MAX];

	event->n_kinds = 1;
	if (event->type != PERF_TYPE_HARDWARE)
		return;
	for (size_t i = 0; i < ES_JOB_KINDS_MAX; i++) {
		struct es_pmu_event any;

		if (es_pmu_encode(root, pmus[i], "", &any) < 0)
			return;
		types[i] = any.type;
	}
	event->n_kinds = ES_JOB_KINDS_MAX;
	event->configs[1] = event->configs[0] | types[1] << KIND_SHIFT;
	event->configs[0] |= types[0] << KIND_SHIFT;
}

static bool find_event(const struct es_root *root, const struct es_machine *machine,
		       enum es_job_what what, struct es_job_event *event)
{
	struct es_pmu_event named;

	switch (what) {
	case ES_JOB_INSTRUCTIONS:
	case ES_JOB_CYCLES:
		event->type = PERF_TYPE_HARDWARE;
		event->configs[0] = what == ES_JOB_CYCLES ? PERF_COUNT_HW_CPU_CYCLES
							  : PERF_COUNT_HW_INSTRUCTIONS;
		return true;
	case ES_JOB_LLC_MISSES:
		return find_misses(machine, event);
	case ES_JOB_TASK_CLOCK:
		event->type = PERF_TYPE_SOFTWARE;
		event->configs[0] = PERF_COUNT_SW_TASK_CLOCK;
		return true;
	case ES_JOB_APERF:
	case ES_JOB_MPERF:
		if (es_pmu_event(root, "msr", whats[what].name, &named) < 0)
			return false;
		event->type = named.type;
		event->configs[0] = named.config[0];
		return true;
	case ES_N_JOB_WHATS:
		break;
	}
	return false;
}

/* Rights of another user cannot be tried, only judged. */
static int judge(const struct es_job_events *events, bool with_kernel)
{
	int64_t paranoid = es_perf_paranoid(&events->root);
	int64_t most = events->whom == ES_ACTIVITY_CGROUP ? 0 : with_kernel ? 1 : 2;

	if (!events->root.judges_rights || events->root.uid == 0)
		return 0;
	return paranoid > most ? -EACCES : 0;
}

static int open_one(const struct es_job_events *events, const struct es_job_event *event,
		    size_t kind, const struct es_perf_target *target, bool is_waiting)
{
	struct perf_event_attr attr = {
		.type = event->type,
		.size = sizeof(attr),
		.config = event->configs[kind],
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	int r = judge(events, !event->is_user_only);

	if (r < 0)
		return r;
	attr.exclude_kernel = event->is_user_only;
	attr.exclude_hv = event->is_user_only;
	attr.disabled = is_waiting;
	attr.enable_on_exec = is_waiting;
	attr.inherit = target->cgroup_fd < 0;
	return es_perf_open_on(&events->root, &attr, target, -1);
}

/* Why it could not be opened, and what would help. */
static void explain(const struct es_job_events *events, const struct es_machine *machine,
		    enum es_job_what what, int error, struct es_job_event *event)
{
	bool wants_cpu = events->whom == ES_ACTIVITY_CGROUP, is_msr = what >= ES_JOB_APERF;
	int64_t paranoid = es_perf_paranoid(&events->root), most = wants_cpu ? 0 : is_msr ? 1 : 2;
	char reason[ES_ACTIVITY_REASON_BYTES], fix[ES_ACTIVITY_FIX_BYTES] = "";

	event->error = error;
	if (error != -EACCES && error != -EPERM) {
		say(event,
		    error == -ENODEV && !es_perf_is_here(&events->root)
			    ? "perf events belong to the running kernel, not to a tree of files"
		    : machine->is_vm && whats[what].is_hardware
			    ? "this VM is given no hardware counters"
		    : error == -ENOSYS	      ? "this kernel is built without perf events"
		    : error == -EMFILE	      ? "too many open files for its events (ulimit -n)"
		    : whats[what].is_hardware ? "this processor or kernel does not count it"
					      : "this kernel does not count it",
		    "");
		return;
	}
	if (paranoid == INT64_MAX || paranoid <= most) {
		say(event, "perf events are refused by a container or a security module",
		    machine->is_container ? "in the container's options: --cap-add PERFMON" : "");
		return;
	}
	(void)snprintf(reason, sizeof(reason), "kernel.perf_event_paranoid is %lld%s",
		       (long long)paranoid, wants_cpu ? ", a cgroup's events need 0 or less" : "");
	(void)snprintf(fix, sizeof(fix), "sudo sysctl kernel.perf_event_paranoid=%lld",
		       (long long)most);
	say(event, reason, fix);
}

/* Every kind of core has to count it: a job goes where it is put. */
static int try_kinds(struct es_job_events *events, const struct es_job_event *event,
		     const struct es_perf_target *target)
{
	for (size_t i = 0; i < event->n_kinds; i++) {
		int fd = open_one(events, event, i, target, true);

		/* The CPU that is tried is of one kind only. */
		if (fd == -ENOENT && target->cpu >= 0 && event->n_kinds > 1)
			continue;
		if (fd < 0)
			return fd;
		es_closep(&fd);
	}
	return 0;
}

/* With the kernel's part where that is allowed, else without: registers such as APERF know no such difference. */
static int probe_one(struct es_job_events *events, enum es_job_what what)
{
	struct es_job_event *event = &events->events[what];
	const struct es_perf_target self = { .pid = 0, .cgroup_fd = -1, .cpu = -1 };
	const struct es_perf_target cpu = { .pid = -1, .cgroup_fd = -1, .cpu = 0 };
	bool is_cgroup = events->whom == ES_ACTIVITY_CGROUP;
	int r = try_kinds(events, event, is_cgroup ? &cpu : &self);

	if ((r == -EACCES || r == -EPERM) && what < ES_JOB_APERF && !is_cgroup) {
		event->is_user_only = true;
		r = try_kinds(events, event, &self);
	}
	return r;
}

void es_job_events_probe(const struct es_root *root, const struct es_machine *machine,
			 enum es_activity_whom whom, struct es_job_events *ret)
{
	*ret = (struct es_job_events){ .root = *root, .whom = whom };
	for (unsigned i = 0; i < ES_N_JOB_WHATS; i++) {
		struct es_job_event *event = &ret->events[i];
		int r;

		if (!find_event(root, machine, (enum es_job_what)i, event)) {
			event->error = -ENODEV;
			say(event,
			    i == ES_JOB_LLC_MISSES
				    ? "this processor counts no such misses for a process"
				    : "this kernel has no events 'aperf' and 'mperf' (PMU 'msr')",
			    "");
			continue;
		}
		find_kinds(root, event);
		r = probe_one(ret, (enum es_job_what)i);
		event->is_there = r == 0;
		if (r < 0)
			explain(ret, machine, (enum es_job_what)i, r, event);
	}
}

static void close_event(struct es_job_event *event)
{
	for (size_t i = 0; i < event->n_fds; i++)
		es_closep(&event->fds[i]);
	free(event->fds);
	event->fds = NULL;
	event->n_fds = 0;
}

void es_job_events_finish(struct es_job_events *events)
{
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++)
		close_event(&events->events[i]);
}

static void cut_targets(struct es_job_event *event, size_t n_fds)
{
	while (event->n_fds > n_fds)
		es_closep(&event->fds[--event->n_fds]);
}

/* All kinds of one target, into the places behind those of others. */
static int open_target(const struct es_job_events *events, struct es_job_event *event,
		       const struct es_perf_target *target, bool is_waiting)
{
	bool has_any = false;

	for (size_t i = 0; i < event->n_kinds; i++) {
		int fd = open_one(events, event, i, target, is_waiting);

		/* A CPU is of one kind only. */
		if (fd < 0 && !(fd == -ENOENT && target->cpu >= 0 && event->n_kinds > 1))
			return fd;
		event->fds[event->n_fds++] = fd < 0 ? -1 : fd;
		has_any = has_any || fd >= 0;
	}
	return has_any ? 0 : -ENOENT;
}

/*
 * Targets behind those that there are. A thread that has ended meanwhile is no failure: what it did is done. Where it
 * fails nothing is added.
 */
static int add_targets(const struct es_job_events *events, struct es_job_event *event,
		       const struct es_whom *whom, bool is_waiting)
{
	size_t first = event->n_fds;
	int *fds = reallocarray(event->fds, first + whom->n * event->n_kinds + 1, sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	event->fds = fds;
	for (size_t i = 0; i < whom->n; i++) {
		size_t before = event->n_fds;
		int r = open_target(events, event, &whom->targets[i], is_waiting);

		if (r == 0)
			continue;
		cut_targets(event, r == -ESRCH && !is_waiting ? before : first);
		if (r != -ESRCH || is_waiting)
			return r;
	}
	return event->n_fds > first ? 0 : -ESRCH;
}

static const char *why_not_followed(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "the process may not be looked into: it is another user's, or protected";
	case -EMFILE:
	case -ENFILE:
		return "too many open files for its events (ulimit -n)";
	case -ESRCH:
		return "the process has ended";
	default:
		return es_strerror(error);
	}
}

static void lose(struct es_job_events *events, int error, const char *reason)
{
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++) {
		struct es_job_event *event = &events->events[i];

		close_event(event);
		if (event->error == 0) {
			event->error = error;
			say(event, reason, "");
		}
	}
}

int es_job_events_follow(struct es_job_events *events, pid_t pid)
{
	struct es_whom whom;
	int r = es_whom_find(&events->root, events->whom, pid, &whom);

	if (r < 0) {
		lose(events, r, whom.problem[0] ? whom.problem : why_not_followed(r));
		return r;
	}
	memcpy(events->remark, whom.remark, sizeof(events->remark));
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++) {
		struct es_job_event *event = &events->events[i];
		int failed;

		close_event(event);
		if (!event->is_there || event->error)
			continue;
		failed = add_targets(events, event, &whom, events->whom == ES_ACTIVITY_COMMAND);
		if (failed == 0)
			continue;
		close_event(event);
		r = failed;
		event->error = failed;
		say(event, why_not_followed(failed), "");
	}
	events->n_followed = 1;
	events->n_targets = whom.n;
	es_whom_finish(&whom);
	return r;
}

int es_job_events_also(struct es_job_events *events, pid_t pid, bool is_waiting)
{
	size_t had[ES_N_JOB_WHATS], n_counting = 0;
	struct es_whom whom;
	int r = es_whom_find(&events->root, is_waiting ? ES_ACTIVITY_COMMAND : ES_ACTIVITY_PROCESS,
			     pid, &whom);

	if (r < 0)
		return r;
	if (!es_whom_has_room(events->n_targets + whom.n))
		r = -E2BIG;
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++)
		had[i] = events->events[i].n_fds;
	for (size_t i = 0; i < ES_N_JOB_WHATS && r == 0; i++) {
		if (events->events[i].error || had[i] == 0)
			continue;
		n_counting++;
		r = add_targets(events, &events->events[i], &whom, is_waiting);
	}
	/* In all or in none: they are put into ratios with each other. */
	for (size_t i = 0; i < ES_N_JOB_WHATS && r < 0; i++)
		cut_targets(&events->events[i], had[i]);
	if (r == 0 && n_counting) {
		events->n_followed++;
		events->n_targets += whom.n;
	}
	es_whom_finish(&whom);
	return r;
}

void es_job_events_cut(struct es_job_events *events)
{
	if (events->whom == ES_ACTIVITY_CGROUP)
		lose(events, -ESTALE,
		     "CPUs came or went: what ran there meanwhile was not counted");
}

/* Another program wants the same counters: then both would count a part of the time only. It is to have them. */
static void leave_hardware(struct es_job_events *events, const char *reason)
{
	events->is_hardware_left = true;
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++) {
		struct es_job_event *event = &events->events[i];

		if (!whats[i].is_hardware || event->error)
			continue;
		close_event(event);
		event->error = -EBUSY;
		say(event, reason, "");
	}
}

/** struct tally - what an event counted, how long it was to count and how long it did */
struct tally {
	uint64_t count, enabled_ns, running_ns;
};

/* One thread or CPU, over the kinds of cores: each counts while it runs on that kind. */
es_hot static int read_target(const struct es_job_events *events, const struct es_job_event *event,
			      size_t first, struct tally *ret)
{
	struct tally sum = { .count = 0 };

	for (size_t i = first; i < first + event->n_kinds; i++) {
		uint64_t data[3]; /* count, time enabled, time running */
		ssize_t n;

		if (event->fds[i] < 0)
			continue;
		n = es_perf_read(&events->root, event->fds[i], data, sizeof(data));
		if (n < 0)
			return (int)n;
		/* The kernel says "end of file" of an event it had to give up. */
		if (n == 0)
			return -ENODATA;
		if (n != (ssize_t)sizeof(data))
			return -EBADMSG;
		if (__builtin_add_overflow(sum.count, data[0], &sum.count))
			return -ERANGE;
		sum.enabled_ns = data[1] > sum.enabled_ns ? data[1] : sum.enabled_ns;
		sum.running_ns += data[2];
	}
	*ret = sum;
	return 0;
}

es_hot int es_job_event_read(struct es_job_events *events, enum es_job_what what, uint64_t *ret)
{
	struct es_job_event *event = &events->events[what];
	uint64_t sum = 0;

	if (event->error)
		return event->error;
	if (!event->n_fds)
		return -EAGAIN;
	for (size_t i = 0; i < event->n_fds; i += event->n_kinds) {
		struct tally tally = { .count = 0 };
		int r = read_target(events, event, i, &tally);

		if (r == -ENODATA) {
			event->error = r;
			say(event, "the kernel gave up counting it", "");
		}
		if (r < 0)
			return r;
		if (es_perf_took_turns(tally.enabled_ns, tally.running_ns)) {
			leave_hardware(
				events,
				tally.running_ns == 0
					? "other programs hold the counters (a profiler, the NMI watchdog)"
					: "counted a part of the time only: others use the counters too, or cores differ");
			event->error = -EBUSY;
			return -EBUSY;
		}
		if (__builtin_add_overflow(sum, tally.count, &sum))
			return -ERANGE;
	}
	*ret = sum;
	return 0;
}
