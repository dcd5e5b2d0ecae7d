/*
 * run_baseline.c - energyscopium run --baseline: the idle power before and after a command, into its recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/baseline.h"
#include "cli/run.h"

void es_run_finish_baseline(struct es_measure_hook *hook, struct es_recorder *recorder,
			    int64_t stop_ns)
{
	struct es_run *run = hook->arg;
	struct es_baseline own = { .is_known = false },
			   *after = run->shared ? &run->shared->after : &own;

	(void)stop_ns;
	if (es_baseline_measure(run->sampler, run->baseline_ns, -1, after) == 0)
		(void)es_baseline_record(after, false, recorder);
}

/* Whoever ends us meanwhile finds no recording of nothing: it is removed before the signal does what it does. */
static int measure_before(struct es_run *run, struct es_baseline *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	es_cleanup(es_closep) int fd = -1;
	sigset_t set, old;
	int r;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ES_ARRAY_SIZE(signals); i++) {
		struct sigaction action;

		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
			(void)sigaddset(&set, signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	r = es_baseline_measure(run->sampler, run->baseline_ns, fd, ret);
	if (r < 0)
		(void)unlink(run->recording_path);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int es_run_begin_baseline(struct es_run *run)
{
	struct es_baseline own = { .is_known = false },
			   *before = run->shared ? &run->shared->before : &own;
	int r = 0;

	if (!before->is_known)
		r = measure_before(run, before);
	return r < 0 ? r : es_baseline_record(before, true, run->recorder);
}
