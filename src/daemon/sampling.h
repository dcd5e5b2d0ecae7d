/*
 * daemon/sampling.h - the thread that reads the meters, and nothing else
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * It owns the sampler while it runs. What it reads goes into a ring; what it is to do is told by the functions below, which never wait
 * for it for longer than it takes to copy a few numbers.
 */
#ifndef ES_DAEMON_SAMPLING_H
#define ES_DAEMON_SAMPLING_H

#include "daemon/ring.h"
#include "sampler/sampler.h"

struct es_sampling;

/** struct es_sampling_options - all borrowed while the thread runs */
struct es_sampling_options {
	struct es_sampler *sampler;
	const size_t *domains; /* [n_domains] indices into the sampler's: what a sweep has */
	size_t n_domains;
	int64_t period_ns;
	uint64_t first_sequence; /* of its first sweep */
	int cpu; /* to run on; -1: any */
	void (*wake)(void *arg); /* there is a sweep; called by the thread */
	void *arg;
};

/** struct es_sampling_stats - how well the plan was kept */
struct es_sampling_stats {
	uint64_t n_sweeps, n_missed, n_dropped;
	int64_t worst_late_ns, worst_sweep_ns;
	int64_t alive_ns; /* monotonic clock: when it last went round */
	int64_t period_ns; /* in force */
	int64_t cpu_ns; /* CPU time it used */
};

int es_sampling_start(const struct es_sampling_options *options, struct es_sampling **ret,
		      struct es_error *err);
/** es_sampling_stop - a last sweep, which is in the ring when this returns; NULL is fine */
void es_sampling_stop(struct es_sampling *sampling);
/** es_sampling_destroy - after es_sampling_stop(), and with it the ring */
void es_sampling_destroy(struct es_sampling *sampling);

struct es_ring *es_sampling_ring(struct es_sampling *sampling);
/** es_sampling_period - another period from the next turn on */
void es_sampling_period(struct es_sampling *sampling, int64_t period_ns);
/** es_sampling_wish - a sweep out of turn; it begins after the monotonic time returned */
int64_t es_sampling_wish(struct es_sampling *sampling);

/**
 * es_sampling_release - let GPUs go, as es_sampler_release() has it; what that returned last (-EINPROGRESS until it was called)
 * Asked again, it tells how far it is. es_sampling_take() has them again.
 */
int es_sampling_release(struct es_sampling *sampling);
void es_sampling_take(struct es_sampling *sampling);

void es_sampling_stats(struct es_sampling *sampling, struct es_sampling_stats *ret);

#endif
