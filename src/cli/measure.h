/*
 * measure.h - measuring a command from just before its start to its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_MEASURE_H
#define ES_CLI_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "record/recorder.h"
#include "sampler/sampler.h"

struct es_child_options;
struct es_inherited;

/** struct es_measured - how a measured command ended */
struct es_measured {
	int status; /* of waitpid */
	int exec_error; /* negative errno: it could not be started; nothing else is set then */
	int lost; /* negative errno: readings were lost for want of memory while the disk took nothing */
};

/**
 * struct es_measure_hook - what else the measuring loop waits for: a listener of tags, a file that grows
 *
 * @handle is called when @fd is ready (@revents says how) or @next_ns has come (@revents 0). It sets the next time
 * itself, must not wait, and may set @fd to -1 and the time to INT64_MAX when it is done. Beside it nothing is
 * sampled: it is to take microseconds. @finish is called once, when the command has ended and its last reading is
 * taken, before the recording is: there it may wait a little. It is not called where the command did not start.
 * Where there is no command, @begin is called once, when the first readings are taken.
 */
struct es_measure_hook {
	int fd; /* borrowed; -1: none. May be an epoll descriptor that stands for several */
	short events; /* as in poll() */
	int64_t next_ns; /* monotonic clock; INT64_MAX: at no time */
	void (*handle)(struct es_measure_hook *hook, struct es_recorder *recorder, short revents);
	void (*finish)(
		struct es_measure_hook *hook, struct es_recorder *recorder,
		int64_t stop_ns); /* NULL: nothing to do; @stop_ns: of the command, boot clock */
	void (*begin)(struct es_measure_hook *hook, struct es_recorder *recorder); /* NULL */
	int64_t over_ns; /* without a command, set by @handle: it is over since then, boot clock; 0: not */
	void *arg;
	const pid_t *pids; /* [n_pids] processes of ours behind it: no survivors of the command */
	size_t n_pids;
	int64_t cpu_ns; /* theirs, set by @finish: part of what measuring costs */
};

#define ES_MEASURE_HOOKS_MAX 8U

/**
 * struct es_measure_wait - what else must have ended before a measurement does: other ranks of a parallel program
 *
 * @started is told once the first readings are taken, before the command starts. @is_over is asked in each turn of the
 * loop once the command has ended with status 0 and nobody asked it to stop. A hook is to wake the loop up when the
 * answer may have changed.
 */
struct es_measure_wait {
	void (*started)(struct es_measure_wait *wait);
	bool (*is_over)(struct es_measure_wait *wait);
	/* The next process that is waited for and was not named before; 0: none is known now. */
	pid_t (*next)(struct es_measure_wait *wait);
	void *arg;
	int64_t end_ns; /* boot clock: when the last of it ended; 0: nothing was waited for */
};

/** struct es_measure_options - what to measure, and how; all borrowed */
struct es_measure_options {
	int64_t period_ns;
	char *const *command; /* NULL: until a hook or SIGINT, SIGTERM, SIGHUP, SIGQUIT ends it */
	const struct es_child_options *child; /* NULL: the command gets what we have */
	const struct es_inherited *inherited; /* of that; NULL: all */
	struct es_measure_hook *const *hooks; /* [n_hooks], at most ES_MEASURE_HOOKS_MAX */
	size_t n_hooks;
	struct es_measure_wait *wait; /* NULL: for the command alone */
	struct es_source *activity; /* es_activity_open(), in the sampler; NULL: none */
	pid_t activity_pid; /* without a command: whose activity it is */
};

/**
 * es_measure - take the first readings, let the command run, sample until it ends, take the last readings
 * @sampler, @recorder: opened; borrowed. Survivors of the command are recorded by name.
 * Returns 0, or negative errno with @err: then the command was not started.
 */
int es_measure(struct es_sampler *sampler, struct es_recorder *recorder,
	       const struct es_measure_options *options, struct es_measured *ret,
	       struct es_error *err);

#endif
