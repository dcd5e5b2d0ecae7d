/*
 * daemon/sampling.c - the thread that reads the meters, and nothing else
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/sampling.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"
#include "base/hot.h"
#include "sampler/live.h"

#define STACK_BYTES (256U << 10) /* vendors' libraries have threads of their own */
#define ASIDE_NS (20 * ES_NS_PER_MS) /* a sweep out of turn waits so long for what is read aside */
#define LEAST_WISH_NS (ES_NS_PER_MS / 2) /* between two sweeps out of turn */

struct es_sampling {
	struct es_sampling_options options;
	struct es_ring ring;
	struct es_live live; /* the thread's alone, like sequence */
	uint64_t sequence;
	int64_t wished_ns; /* the thread's: when it last read out of turn, */
	int64_t read_ns; /* and when it last read */
	pthread_t thread;
	bool is_running;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t told;
	bool stops, wants_sweep, wants_release, wants_take;
	int64_t period_ns; /* wanted */
	int release_result;
	struct es_sampling_stats stats;
};

struct orders {
	bool stops, wants_sweep, wants_release, wants_take;
	int64_t period_ns;
};

/* Until the next turn, or until there is something to do. True: it is the turn's time. */
static bool wait_for_turn(struct es_sampling *sampling, struct orders *ret)
{
	int64_t next_ns = sampling->live.next_ns;
	const struct timespec until = { .tv_sec = next_ns / ES_NS_PER_S,
					.tv_nsec = next_ns % ES_NS_PER_S };
	int r = 0;

	(void)pthread_mutex_lock(&sampling->lock);
	sampling->stats.alive_ns = es_clock_mono_ns();
	sampling->stats.period_ns = sampling->live.period_ns;
	while (r == 0 && !sampling->stops && !sampling->wants_sweep && !sampling->wants_release &&
	       !sampling->wants_take && sampling->period_ns == sampling->options.period_ns)
		r = pthread_cond_timedwait(&sampling->told, &sampling->lock, &until);
	*ret = (struct orders){
		.stops = sampling->stops,
		.wants_sweep = sampling->wants_sweep,
		.wants_release = sampling->wants_release,
		.wants_take = sampling->wants_take,
		.period_ns = sampling->period_ns,
	};
	sampling->wants_sweep = sampling->wants_release = sampling->wants_take = false;
	(void)pthread_mutex_unlock(&sampling->lock);
	return es_clock_mono_ns() >= next_ns;
}

/* A sweep as it is now into the ring. */
es_hot static void hand_over(struct es_sampling *sampling, int64_t boot_ns, int64_t mono_ns,
			     int64_t unix_ns)
{
	struct es_reading *readings = NULL;
	struct es_sweep *sweep = es_ring_begin(&sampling->ring, &readings);

	sampling->sequence++;
	if (!sweep) {
		(void)pthread_mutex_lock(&sampling->lock);
		sampling->stats.n_dropped++;
		(void)pthread_mutex_unlock(&sampling->lock);
		sampling->options.wake(sampling->options.arg);
		return;
	}
	sweep->sequence = sampling->sequence;
	sweep->boot_ns = boot_ns;
	sweep->mono_ns = mono_ns;
	sweep->unix_ns = unix_ns;
	sweep->period_ns = sampling->live.period_ns;
	for (size_t i = 0; i < sampling->options.n_domains; i++)
		readings[i] = sampling->live.readings[sampling->options.domains[i]];
	es_ring_end(&sampling->ring);
	sampling->options.wake(sampling->options.arg);
}

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) < 0)
		return 0;
	return ts.tv_sec * ES_NS_PER_S + ts.tv_nsec;
}

es_hot static void read_meters(struct es_sampling *sampling, bool is_turn)
{
	int64_t boot_ns = es_clock_boot_ns(), mono_ns = es_clock_mono_ns();
	int64_t unix_ns = es_clock_unix_ns(), next_ns = sampling->live.next_ns;
	int64_t late_ns = is_turn ? mono_ns - next_ns : 0, took_ns;
	int64_t until_ns = mono_ns + ASIDE_NS;

	sampling->read_ns = mono_ns;
	if (is_turn)
		es_live_turn(&sampling->live, mono_ns);
	else
		es_live_now(&sampling->live, mono_ns, until_ns < next_ns ? until_ns : next_ns);
	hand_over(sampling, boot_ns, mono_ns, unix_ns);
	took_ns = es_clock_boot_ns() - boot_ns;
	(void)pthread_mutex_lock(&sampling->lock);
	sampling->stats.n_sweeps++;
	sampling->stats.n_missed += (uint64_t)(late_ns / sampling->live.period_ns);
	if (late_ns > sampling->stats.worst_late_ns)
		sampling->stats.worst_late_ns = late_ns;
	if (took_ns > sampling->stats.worst_sweep_ns)
		sampling->stats.worst_sweep_ns = took_ns;
	sampling->stats.cpu_ns = thread_cpu_ns();
	(void)pthread_mutex_unlock(&sampling->lock);
}

static void align(struct es_sampling *sampling)
{
	es_live_align(&sampling->live, es_clock_unix_ns(), es_clock_mono_ns());
}

static void obey(struct es_sampling *sampling, const struct orders *orders)
{
	int r;

	if (orders->wants_take)
		es_sampler_take(sampling->options.sampler);
	if (orders->wants_release) {
		r = es_sampler_release(sampling->options.sampler);
		(void)pthread_mutex_lock(&sampling->lock);
		sampling->release_result = r;
		(void)pthread_mutex_unlock(&sampling->lock);
	}
	if (orders->period_ns != sampling->options.period_ns) {
		sampling->options.period_ns = orders->period_ns;
		es_live_plan(&sampling->live, orders->period_ns);
		align(sampling);
		/* Each plan begins with the turn after now: were there many, none would ever come. */
		if (es_clock_mono_ns() - sampling->read_ns >=
		    sampling->live.period_ns - sampling->live.period_ns / 16)
			read_meters(sampling, false);
	}
	if (orders->wants_sweep) {
		int64_t since_ns = es_clock_mono_ns() - sampling->wished_ns;
		const struct timespec pause = { .tv_nsec = LEAST_WISH_NS };

		if (since_ns < LEAST_WISH_NS)
			(void)nanosleep(&pause, NULL);
		sampling->wished_ns = es_clock_mono_ns();
		read_meters(sampling, false);
	}
}

static void *run(void *arg)
{
	struct es_sampling *sampling = arg;
	struct orders orders;

	(void)prctl(PR_SET_NAME, "es-sampler");
	/* Half a hundredth of the shortest period. */
	(void)prctl(PR_SET_TIMERSLACK, 5000);
	read_meters(sampling, false);
	align(sampling);
	for (;;) {
		bool is_turn = wait_for_turn(sampling, &orders);

		if (orders.stops)
			break;
		if (is_turn) {
			read_meters(sampling, true);
			align(sampling);
		}
		obey(sampling, &orders);
	}
	read_meters(sampling, false);
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct es_sampling *sampling)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (sampling->options.cpu >= 0 && sampling->options.cpu < CPU_SETSIZE) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)sampling->options.cpu, &set);
		(void)pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&sampling->thread, &attr, run, sampling);
	if (r == EINVAL) { /* the CPU is not there: anywhere, then */
		(void)pthread_attr_destroy(&attr);
		(void)pthread_attr_init(&attr);
		(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
		r = pthread_create(&sampling->thread, &attr, run, sampling);
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

static int init_lock(struct es_sampling *sampling)
{
	pthread_condattr_t attr;
	int r = pthread_condattr_init(&attr);

	if (r == 0)
		r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(&sampling->told, &attr);
	if (r == 0)
		r = pthread_mutex_init(&sampling->lock, NULL);
	(void)pthread_condattr_destroy(&attr);
	return -r;
}

int es_sampling_start(const struct es_sampling_options *options, struct es_sampling **ret,
		      struct es_error *err)
{
	struct es_sampling *sampling = calloc(1, sizeof(*sampling));
	int r = sampling ? init_lock(sampling) : -ENOMEM;

	if (r < 0) {
		free(sampling);
		return es_error_set(err, r, "cannot start the thread that reads the meters");
	}
	sampling->options = *options;
	sampling->sequence = options->first_sequence - 1;
	sampling->period_ns = options->period_ns;
	sampling->release_result = -EINPROGRESS;
	sampling->stats.alive_ns = es_clock_mono_ns();
	r = es_live_init(&sampling->live, options->sampler, options->period_ns);
	if (r == 0)
		r = es_ring_init(&sampling->ring, options->n_domains);
	if (r == 0)
		r = start_thread(sampling);
	if (r < 0) {
		es_sampling_destroy(sampling);
		return es_error_set(err, r, "cannot start the thread that reads the meters");
	}
	sampling->is_running = true;
	*ret = sampling;
	return 0;
}

static void tell(struct es_sampling *sampling)
{
	(void)pthread_cond_signal(&sampling->told);
	(void)pthread_mutex_unlock(&sampling->lock);
}

void es_sampling_stop(struct es_sampling *sampling)
{
	if (!sampling || !sampling->is_running)
		return;
	(void)pthread_mutex_lock(&sampling->lock);
	sampling->stops = true;
	tell(sampling);
	(void)pthread_join(sampling->thread, NULL);
	sampling->is_running = false;
}

void es_sampling_destroy(struct es_sampling *sampling)
{
	if (!sampling)
		return;
	es_live_finish(&sampling->live);
	es_ring_finish(&sampling->ring);
	(void)pthread_mutex_destroy(&sampling->lock);
	(void)pthread_cond_destroy(&sampling->told);
	free(sampling);
}

struct es_ring *es_sampling_ring(struct es_sampling *sampling)
{
	return &sampling->ring;
}

void es_sampling_period(struct es_sampling *sampling, int64_t period_ns)
{
	(void)pthread_mutex_lock(&sampling->lock);
	sampling->period_ns = period_ns;
	tell(sampling);
}

int64_t es_sampling_wish(struct es_sampling *sampling)
{
	int64_t now_ns;

	(void)pthread_mutex_lock(&sampling->lock);
	now_ns = es_clock_mono_ns();
	sampling->wants_sweep = true;
	tell(sampling);
	return now_ns;
}

int es_sampling_release(struct es_sampling *sampling)
{
	int r;

	(void)pthread_mutex_lock(&sampling->lock);
	sampling->wants_release = true;
	r = sampling->release_result;
	tell(sampling);
	return r;
}

void es_sampling_take(struct es_sampling *sampling)
{
	(void)pthread_mutex_lock(&sampling->lock);
	sampling->wants_take = true;
	sampling->wants_release = false;
	sampling->release_result = -EINPROGRESS;
	tell(sampling);
}

void es_sampling_stats(struct es_sampling *sampling, struct es_sampling_stats *ret)
{
	(void)pthread_mutex_lock(&sampling->lock);
	*ret = sampling->stats;
	(void)pthread_mutex_unlock(&sampling->lock);
}
