/*
 * measure.c - measuring a command from just before its start to its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/measure.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "cli/child.h"
#include "source/activity.h"

#define LATE_AT_A_TIME 4U /* processes that come late: each takes some ten microseconds */
#define HOOK_MARGIN_NS 200000 /* a hook takes less */
#define SLICE_NS 100000U /* the shortest that can be asked for */

static int64_t cpu_ns(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage) < 0)
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ES_NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ES_NS_PER_US;
}

/* <linux/sched/types.h> of our oldest headers has no such struct with all of these; the call's first version is fixed. */
struct sched_attr_v0 {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/*
 * Wake up on time. The default slack of 50 µs is for programs that do not mind. And beside busy neighbours the
 * scheduler lets the one run first whose slice is shortest (Linux 6.12 and later; others do not mind the request): a
 * sweep takes less than the shortest there is.
 */
static void ask_for_punctuality(void)
{
	struct sched_attr_v0 attr = { .size = sizeof(attr) };

	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || attr.policy != SCHED_OTHER)
		return;
	attr.runtime_ns = SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static int put_event(struct es_recorder *recorder, uint32_t type, int64_t t_ns, int64_t value,
		     const char *text)
{
	struct es_event event = { .type = type, .t_ns = t_ns, .value = value };

	(void)snprintf(event.text, sizeof(event.text), "%.*s", (int)sizeof(event.text) - 1, text);
	return es_recorder_event(recorder, &event);
}

/* What the command did: 1 when it has ended, 0 when not, or why it did not start. */
static int look_at(struct es_child *child, const struct es_measure_options *options,
		   struct es_measured *measured)
{
	bool has_ended = es_child_handle(child, &measured->status);
	int started = es_child_started(child);

	if (!options->command)
		return child->was_asked_to_stop;
	return started < 0 ? started : has_ended;
}

/* Without a command: when a hook found that it is over, boot clock; 0: it is not. */
static int64_t over_ns(const struct es_measure_options *options)
{
	for (size_t i = 0; !options->command && i < options->n_hooks; i++)
		if (options->hooks[i]->over_ns)
			return options->hooks[i]->over_ns;
	return 0;
}

/* What one turn of the loop waits for: the command's signals and start, then the hooks. */
#define N_OWN_FDS 2U

/* So near to a sweep hooks wait until it is done: they delay none. */
static bool is_near_sweep(const struct es_sampler *sampler, int64_t now_mono_ns)
{
	return es_sampler_next_ns(sampler) - now_mono_ns < HOOK_MARGIN_NS;
}

static int64_t earliest_ns(const struct es_sampler *sampler,
			   const struct es_measure_options *options)
{
	int64_t next_ns = es_sampler_next_ns(sampler);

	for (size_t i = 0; i < options->n_hooks; i++)
		if (options->hooks[i]->next_ns < next_ns)
			next_ns = options->hooks[i]->next_ns;
	return next_ns;
}

/* Returns what ppoll does: how many descriptors are ready. Those that are -1 are passed over. */
static int wait_for(struct pollfd *pollfds, const struct es_sampler *sampler,
		    const struct es_child *child, const struct es_measure_options *options)
{
	int64_t now_ns = es_clock_mono_ns();
	bool is_near = is_near_sweep(sampler, now_ns);
	int64_t wait_ns =
		(is_near ? es_sampler_next_ns(sampler) : earliest_ns(sampler, options)) - now_ns;
	size_t n_hooks = is_near ? 0 : options->n_hooks;
	struct timespec wait = { .tv_sec = 0 };

	pollfds[0] = (struct pollfd){ .fd = child->signal_fd, .events = POLLIN };
	pollfds[1] = (struct pollfd){ .fd = child->error_fd, .events = POLLIN };
	for (size_t i = 0; i < options->n_hooks; i++)
		pollfds[N_OWN_FDS + i] = (struct pollfd){ .fd = options->hooks[i]->fd,
							  .events = options->hooks[i]->events };
	if (wait_ns > 0 && !over_ns(options))
		wait = (struct timespec){ .tv_sec = wait_ns / ES_NS_PER_S,
					  .tv_nsec = wait_ns % ES_NS_PER_S };
	return ppoll(pollfds, N_OWN_FDS + n_hooks, &wait, NULL);
}

static void call_hooks(const struct es_measure_options *options, const struct pollfd *pollfds,
		       bool has_ready, struct es_recorder *recorder)
{
	for (size_t i = 0; i < options->n_hooks; i++) {
		struct es_measure_hook *hook = options->hooks[i];
		short revents = has_ready ? pollfds[N_OWN_FDS + i].revents : 0;

		if (revents || (hook->next_ns != INT64_MAX && hook->next_ns <= es_clock_mono_ns()))
			hook->handle(hook, recorder, revents);
	}
}

static bool is_over(const struct es_child *child, const struct es_measure_options *options,
		    const struct es_measured *measured, int64_t *stop_ns)
{
	struct es_measure_wait *wait = options->wait;

	/* A rank that failed is to be heard of at once: its launcher ends the others, which may wait for it for ever. */
	if (!wait || measured->status != 0 || child->was_asked_to_stop)
		return true;
	if (!wait->is_over(wait))
		return false;
	*stop_ns = wait->end_ns > *stop_ns ? wait->end_ns : *stop_ns;
	return true;
}

/* What others of the launch do counts too: all before they are told to start, few at a time of those that come late. */
static void follow_others(const struct es_measure_options *options, bool are_waiting)
{
	if (!options->activity || !options->wait)
		return;
	for (unsigned n = 0; are_waiting || n < LATE_AT_A_TIME; n++) {
		pid_t pid = options->wait->next(options->wait);

		if (pid <= 0)
			return;
		(void)es_activity_also(options->activity, pid, are_waiting);
	}
}

/*
 * One thread: a signal, the command's start, the deadline or a hook, whichever comes first. Loading a program can
 * take longer than a period: nobody waits for it. Hooks are heard before the command's end is: what it said last
 * counts. Returns 0, or why readings were lost.
 */
es_hot static int loop(struct es_sampler *sampler, struct es_recorder *recorder,
		       struct es_child *child, const struct es_measure_options *options,
		       struct es_measured *measured, int64_t *ret_stop_ns)
{
	int failure = 0;
	bool has_ended = false;

	for (;;) {
		struct pollfd pollfds[N_OWN_FDS + ES_MEASURE_HOOKS_MAX];
		int n = wait_for(pollfds, sampler, child, options), r = 0;

		if (n > 0 && (pollfds[0].revents || pollfds[1].revents))
			r = look_at(child, options, measured);
		if (r == 0 && over_ns(options))
			r = 1;
		if (r != 0) {
			*ret_stop_ns = over_ns(options) ? over_ns(options) : es_clock_boot_ns();
			has_ended = true;
			measured->exec_error = r < 0 ? r : 0;
			call_hooks(options, pollfds, n > 0, recorder);
		}
		if (has_ended &&
		    (measured->exec_error < 0 || is_over(child, options, measured, ret_stop_ns)))
			return failure;
		/* Frames that cannot even be kept in memory are lost; the command goes on, and the loss is told at its end. */
		r = es_sampler_tick(sampler, es_clock_mono_ns());
		failure = failure ? failure : r;
		if (options->n_hooks && !is_near_sweep(sampler, es_clock_mono_ns()))
			call_hooks(options, pollfds, n > 0, recorder);
		if (!is_near_sweep(sampler, es_clock_mono_ns()))
			follow_others(options, false);
	}
}

/* Who is told of survivors. */
struct ending {
	struct es_recorder *recorder;
	const struct es_measure_options *options;
};

static bool is_ours(const struct es_measure_options *options, pid_t pid)
{
	for (size_t i = 0; i < options->n_hooks; i++)
		for (size_t j = 0; j < options->hooks[i]->n_pids; j++)
			if (options->hooks[i]->pids[j] == pid)
				return true;
	return false;
}

static void tell_survivor(void *arg, pid_t pid, const char *name)
{
	const struct ending *ending = arg;

	if (!is_ours(ending->options, pid))
		(void)put_event(ending->recorder, ES_EVENT_SURVIVOR, es_clock_boot_ns(), pid, name);
}

/* Returns the CPU time of processes that work for the hooks. */
static int64_t finish_hooks(const struct ending *ending, int64_t stop_ns)
{
	int64_t helpers_ns = 0;

	for (size_t i = 0; i < ending->options->n_hooks; i++) {
		struct es_measure_hook *hook = ending->options->hooks[i];

		if (hook->finish)
			hook->finish(hook, ending->recorder, stop_ns);
		helpers_ns += hook->cpu_ns;
	}
	return helpers_ns;
}

static int finish(struct es_sampler *sampler, const struct ending *ending,
		  const struct es_child *child, int status, int64_t stop_ns)
{
	struct es_recorder *recorder = ending->recorder;
	int64_t helpers_ns = 0;
	int r;

	if (ending->options->activity)
		es_activity_end(ending->options->activity);
	r = es_sampler_stop(sampler, es_clock_mono_ns());
	if (r == 0 && ending->options->command)
		r = put_event(recorder, ES_EVENT_COMMAND_STOP, stop_ns, status, "");
	helpers_ns = finish_hooks(ending, stop_ns);
	es_child_survivors(child, tell_survivor, (void *)ending);
	if (r == 0 && ending->options->command)
		r = put_event(recorder, ES_EVENT_CHILD_CPU, es_clock_boot_ns(),
			      cpu_ns(RUSAGE_CHILDREN), "");
	if (r == 0)
		r = put_event(recorder, ES_EVENT_END, es_clock_boot_ns(),
			      cpu_ns(RUSAGE_SELF) + helpers_ns, "");
	return r;
}

/* The first readings are taken: the command runs, or what runs already is from here on. */
static int begin(struct es_recorder *recorder, struct es_child *child,
		 const struct es_measure_options *options)
{
	int r;

	for (size_t i = 0; !options->command && i < options->n_hooks; i++)
		if (options->hooks[i]->begin)
			options->hooks[i]->begin(options->hooks[i], recorder);
	if (!options->command)
		return 0;
	r = put_event(recorder, ES_EVENT_COMMAND_START, es_clock_boot_ns(), child->pid, "");
	return r < 0 ? r : es_child_release(child);
}

int es_measure(struct es_sampler *sampler, struct es_recorder *recorder,
	       const struct es_measure_options *options, struct es_measured *ret,
	       struct es_error *err)
{
	const struct ending ending = { .recorder = recorder, .options = options };
	struct es_child_options own = { .stdout_fd = -1, .stderr_fd = -1 };
	struct es_measured measured = { .status = 0 };
	struct es_child child;
	int64_t stop_ns;
	int r, failure;

	if (options->n_hooks > ES_MEASURE_HOOKS_MAX)
		return es_error_set(err, -E2BIG, "too much to wait for");
	if (options->child)
		own = *options->child;
	own.inherited = options->inherited;
	r = options->command ? es_child_start(options->command, &own, &child)
			     : es_child_none(&child);
	if (r < 0)
		return es_error_set(err, r, "cannot start a process");
	/* What cannot be followed is told at the end; energy is measured all the same. */
	if (options->activity)
		(void)es_activity_follow(options->activity,
					 options->command ? child.pid : options->activity_pid);
	ask_for_punctuality();
	r = es_sampler_start(sampler, options->period_ns, recorder, es_clock_mono_ns());
	follow_others(options, true);
	if (r == 0 && options->wait)
		options->wait->started(options->wait);
	if (r == 0)
		r = begin(recorder, &child, options);
	if (r < 0) {
		es_child_finish(&child);
		return es_error_set(err, r, "cannot record");
	}
	failure = loop(sampler, recorder, &child, options, &measured, &stop_ns);
	if (measured.exec_error == 0) {
		r = finish(sampler, &ending, &child, measured.status, stop_ns);
		measured.lost = failure ? failure : r;
	}
	es_child_finish(&child);
	*ret = measured;
	return 0;
}
