/*
 * source/activity.c - what a job does beside drawing power: instructions, cache misses, memory traffic, clocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/activity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "core/signal.h"
#include "source/activity_clock.h"
#include "source/activity_job.h"
#include "source/activity_memory.h"

#define SIGNALS_MAX (ES_N_JOB_WHATS + 2 * ES_MEMORY_PLACES_MAX + 2 * ES_CLOCK_PLACES_MAX + 2)
/* Events of threads that run are read by interrupting their CPUs: half a percent of the time at most. */
#define SHARE 200
#define REST_MAX_NS (20 * ES_NS_PER_S)

/** enum origin - where a signal's value comes from */
enum origin {
	FROM_JOB, /* index: enum es_job_what */
	FROM_READS, /* index: place of the memory */
	FROM_WRITES,
	FROM_APERF, /* index: place of the clock */
	FROM_MPERF,
	FROM_BASE,
	FROM_PEAK,
};

struct activity {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct es_signal signals[SIGNALS_MAX];
	struct {
		enum origin origin;
		size_t index;
	} from[SIGNALS_MAX];
	struct es_job_events job;
	struct es_memory memory;
	struct es_clock clock;
	int64_t rest_until_ns; /* boot clock: not read before */
	uint32_t n_cpus; /* online, at the last look; 0: never told */
};

static const char *const key_names[ES_N_ACTIVITY_KEYS] = {
	[ES_ACTIVITY_IPC] = "ipc",
	[ES_ACTIVITY_LLC_MISSES] = "llc_misses",
	[ES_ACTIVITY_MEMORY] = "memory",
	[ES_ACTIVITY_CLOCK] = "clock",
};

const char *es_activity_key_name(enum es_activity_key key)
{
	return key_names[key];
}

static void add_signal(struct activity *activity, enum origin origin, size_t index,
		       const char *device, const char *name, const char *unit)
{
	size_t i = activity->source.n_signals++;
	bool is_constant = origin == FROM_BASE || origin == FROM_PEAK;

	es_signal_init(&activity->signals[i], es_source_activity.name, device, name, unit,
		       is_constant ? ES_SIGNAL_GAUGE : ES_SIGNAL_COUNTER);
	activity->from[i].origin = origin;
	activity->from[i].index = index;
}

static void add_job_signals(struct activity *activity)
{
	for (size_t i = 0; i < ES_N_JOB_WHATS; i++) {
		const struct es_job_event *event = &activity->job.events[i];
		char name[32];

		if (!event->is_there)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", es_job_what_name((enum es_job_what)i),
			       event->is_user_only && i < ES_JOB_TASK_CLOCK ? "_user" : "");
		add_signal(activity, FROM_JOB, i, "job", name,
			   i == ES_JOB_TASK_CLOCK ? ES_SIGNAL_NS : ES_SIGNAL_COUNT);
	}
}

static void add_machine_signals(struct activity *activity)
{
	const struct es_memory *memory = &activity->memory;
	const struct es_clock *clock = &activity->clock;
	char device[32];

	for (size_t i = 0; i < memory->n_places; i++) {
		(void)snprintf(device, sizeof(device), "%s-%d",
			       memory->resctrl ? "cache" : "package",
			       (int)memory->places[i].number);
		add_signal(activity, FROM_READS, i, device,
			   memory->is_split ? "memory_read_bytes" : "memory_bytes",
			   ES_SIGNAL_BYTES);
		if (memory->is_split)
			add_signal(activity, FROM_WRITES, i, device, "memory_write_bytes",
				   ES_SIGNAL_BYTES);
	}
	if (memory->n_places && memory->peak_bytes_per_s)
		add_signal(activity, FROM_PEAK, 0, "node", "memory_peak", "bytes/s");
	for (size_t i = 0; i < clock->n_places; i++) {
		(void)snprintf(device, sizeof(device), "package-%d", (int)clock->places[i].package);
		add_signal(activity, FROM_APERF, i, device, "aperf", ES_SIGNAL_COUNT);
		add_signal(activity, FROM_MPERF, i, device, "mperf", ES_SIGNAL_COUNT);
	}
	if (clock->base_khz)
		add_signal(activity, FROM_BASE, 0, "node", "base_clock", ES_SIGNAL_KHZ);
}

static void activity_close(struct es_source *source)
{
	struct activity *activity = (struct activity *)source;

	if (!activity)
		return;
	es_job_events_finish(&activity->job);
	es_memory_close(&activity->memory);
	es_clock_finish(&activity->clock);
	es_root_close(&activity->root);
	free(activity);
}

static bool has_perf_clock(const struct es_job_events *job)
{
	return job->events[ES_JOB_APERF].is_there && job->events[ES_JOB_MPERF].is_there;
}

/* Cycles of a job while it ran are what APERF counts, where the kernel's part is in both. */
static bool has_cycles_clock(const struct es_job_events *job)
{
	const struct es_job_event *cycles = &job->events[ES_JOB_CYCLES];

	return cycles->is_there && !cycles->is_user_only && job->events[ES_JOB_TASK_CLOCK].is_there;
}

static int find_out(struct activity *activity, enum es_activity_whom whom)
{
	struct es_machine machine;
	int r;

	es_machine_read(&activity->root, &machine);
	es_job_events_probe(&activity->root, &machine, whom, &activity->job);
	r = es_memory_open(&activity->root, &machine, &activity->memory);
	if (r < 0)
		return r;
	/* Registers are asked for last: each read of them wakes a CPU up. */
	if (!has_perf_clock(&activity->job) && !has_cycles_clock(&activity->job))
		r = es_clock_open(&activity->root, &activity->clock);
	if (r < 0)
		return r;
	if (has_perf_clock(&activity->job) || has_cycles_clock(&activity->job) ||
	    activity->clock.n_places)
		activity->clock.base_khz = es_clock_base_khz(&activity->root, machine.cpu_model);
	return 0;
}

int es_activity_open(const struct es_root *root, enum es_activity_whom whom, struct es_source **ret,
		     struct es_error *err)
{
	struct activity *activity = calloc(1, sizeof(*activity));
	int r;

	if (!activity)
		return es_error_set(err, -ENOMEM, "activity");
	activity->source.ops = &es_source_activity;
	r = es_root_dup(root, &activity->root);
	if (r < 0) {
		free(activity);
		return es_error_set(err, r, "activity");
	}
	r = find_out(activity, whom);
	if (r < 0) {
		activity_close(&activity->source);
		return es_error_set(err, r, "activity");
	}
	activity->source.signals = activity->signals;
	add_job_signals(activity);
	add_machine_signals(activity);
	*ret = &activity->source;
	return 0;
}

int es_activity_follow(struct es_source *source, pid_t pid)
{
	struct activity *activity = (struct activity *)source;

	return es_job_events_follow(&activity->job, pid);
}

int es_activity_also(struct es_source *source, pid_t pid, bool is_waiting)
{
	struct activity *activity = (struct activity *)source;

	return es_job_events_also(&activity->job, pid, is_waiting);
}

size_t es_activity_n_followed(const struct es_source *source)
{
	return ((const struct activity *)source)->job.n_followed;
}

void es_activity_end(struct es_source *source)
{
	struct activity *activity = (struct activity *)source;

	activity->rest_until_ns = 0;
}

static int activity_plan(const struct es_source *source, struct es_plan *ret)
{
	(void)source;
	*ret = (struct es_plan){ .at_least_ns = INT64_MAX, .at_most_ns = ES_NS_PER_S };
	return 0;
}

static int activity_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	(void)source;
	(void)ret;
	return n == 0 ? 0 : -EINVAL;
}

es_hot static int read_value(struct activity *activity, size_t signal, uint64_t *ret)
{
	size_t i = activity->from[signal].index;

	switch (activity->from[signal].origin) {
	case FROM_JOB:
		return es_job_event_read(&activity->job, (enum es_job_what)i, ret);
	case FROM_READS:
		*ret = activity->memory.places[i].read_bytes;
		return activity->memory.places[i].error;
	case FROM_WRITES:
		*ret = activity->memory.places[i].write_bytes;
		return activity->memory.places[i].error;
	case FROM_APERF:
		*ret = activity->clock.places[i].aperf;
		return activity->clock.places[i].error;
	case FROM_MPERF:
		*ret = activity->clock.places[i].mperf;
		return activity->clock.places[i].error;
	case FROM_BASE:
		*ret = activity->clock.base_khz;
		return 0;
	case FROM_PEAK:
		*ret = activity->memory.peak_bytes_per_s;
		return 0;
	}
	return -EINVAL;
}

es_hot static int activity_read_signals(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct activity *activity = (struct activity *)source;
	int64_t t0_ns = es_clock_boot_ns(), t1_ns, rest_ns;
	bool rests = t0_ns < activity->rest_until_ns;

	if (n < source->n_signals)
		return -EINVAL;
	if (!rests) {
		es_memory_read(&activity->memory, t0_ns);
		es_clock_read(&activity->clock);
	}
	for (size_t i = 0; i < source->n_signals; i++) {
		ret[i] = (struct es_reading){ .error = -ECANCELED };
		if (!rests)
			ret[i].error = read_value(activity, i, &ret[i].value);
	}
	t1_ns = es_clock_boot_ns();
	/* One time for all: they are put into ratios with each other. */
	for (size_t i = 0; i < source->n_signals; i++) {
		ret[i].t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].width_ns = t1_ns - t0_ns;
	}
	rest_ns = (t1_ns - t0_ns) * SHARE;
	if (!rests)
		activity->rest_until_ns = t0_ns + (rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS);
	return 0;
}

static void activity_online(struct es_source *source, uint32_t n_cpus)
{
	(void)n_cpus;
	es_job_events_cut(&((struct activity *)source)->job);
}

static void of_events(const struct activity *activity, const enum es_job_what *whats, size_t n,
		      struct es_activity_state *ret)
{
	ret->is_there = true;
	for (size_t i = 0; i < n; i++) {
		const struct es_job_event *event = &activity->job.events[whats[i]];

		if (event->is_there && event->error == 0)
			continue;
		ret->is_there = false;
		memcpy(ret->reason, event->reason, sizeof(ret->reason));
		memcpy(ret->fix, event->fix, sizeof(ret->fix));
		return;
	}
	if (activity->job.events[whats[0]].is_user_only) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "without what the kernel did for the job");
		(void)snprintf(ret->fix, sizeof(ret->fix),
			       "sudo sysctl kernel.perf_event_paranoid=1");
	} else {
		memcpy(ret->reason, activity->job.remark, sizeof(ret->reason));
	}
}

static void of_clock(const struct activity *activity, struct es_activity_state *ret)
{
	static const enum es_job_what by_registers[] = { ES_JOB_APERF, ES_JOB_MPERF,
							 ES_JOB_TASK_CLOCK },
				      by_cycles[] = { ES_JOB_CYCLES, ES_JOB_TASK_CLOCK };
	const struct es_clock *clock = &activity->clock;
	int refused = activity->job.events[ES_JOB_APERF].error;
	bool has_other = has_cycles_clock(&activity->job) || clock->n_places;

	if (has_perf_clock(&activity->job) ||
	    (!has_other && (refused == -EACCES || refused == -EPERM))) {
		of_events(activity, by_registers, 3, ret);
	} else if (has_cycles_clock(&activity->job)) {
		of_events(activity, by_cycles, 2, ret);
	} else if (clock->n_places) {
		ret->is_there = true;
		if (clock->n_cpus < clock->n_all_cpus)
			(void)snprintf(ret->reason, sizeof(ret->reason),
				       "of the machine, by %zu of its %zu CPUs", clock->n_cpus,
				       clock->n_all_cpus);
		else
			(void)snprintf(ret->reason, sizeof(ret->reason), "of the machine");
	} else {
		memcpy(ret->reason, clock->reason, sizeof(ret->reason));
		memcpy(ret->fix, clock->fix, sizeof(ret->fix));
	}
}

static void of_memory(const struct activity *activity, struct es_activity_state *ret)
{
	const struct es_memory *memory = &activity->memory;

	ret->is_there = memory->n_places > 0;
	for (size_t i = 0; i < memory->n_places && !memory->resctrl; i++)
		ret->is_there = ret->is_there && memory->places[i].error == 0;
	memcpy(ret->reason, memory->reason, sizeof(ret->reason));
	memcpy(ret->fix, memory->fix, sizeof(ret->fix));
	if (ret->is_there)
		(void)snprintf(ret->reason, sizeof(ret->reason), "of the machine, %s",
			       memory->resctrl ? "as its caches count"
					       : "at its memory controllers");
}

void es_activity_state(const struct es_source *source, enum es_activity_key key,
		       struct es_activity_state *ret)
{
	static const enum es_job_what ipc[] = { ES_JOB_INSTRUCTIONS, ES_JOB_CYCLES },
				      misses[] = { ES_JOB_LLC_MISSES, ES_JOB_INSTRUCTIONS };
	const struct activity *activity = (const struct activity *)source;

	*ret = (struct es_activity_state){ .is_there = false };
	switch (key) {
	case ES_ACTIVITY_IPC:
		of_events(activity, ipc, 2, ret);
		break;
	case ES_ACTIVITY_LLC_MISSES:
		of_events(activity, misses, 2, ret);
		break;
	case ES_ACTIVITY_MEMORY:
		of_memory(activity, ret);
		break;
	case ES_ACTIVITY_CLOCK:
		of_clock(activity, ret);
		break;
	case ES_N_ACTIVITY_KEYS:
		break;
	}
}

const struct es_source_ops es_source_activity = {
	.name = "activity",
	.plan = activity_plan,
	.read = activity_read,
	.read_signals = activity_read_signals,
	.online = activity_online,
	.close = activity_close,
};
