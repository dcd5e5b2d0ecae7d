/*
 * sim.c - replay of jobs on a machine of equal processors: who starts when, and what that sums up to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "opt/sim_queue.h"
#include "opt/sim_releases.h"

#define TIME_MAX_S \
	(INT64_C(1) << 40) /* of a submission, a run, an estimate: sums of 2^22 of them are exact */

/* A job that waits or runs, in a slot that is used again when it ended. */
struct flight {
	struct es_sim_job job;
	struct es_sim_release release;
	uint32_t next_free;
};

/* The end of a running job: a binary heap, the earliest on top. */
struct ending {
	int64_t end_s;
	uint32_t slot;
};

struct sim {
	const struct es_sim_options *options;
	struct es_error *err;
	struct es_sim_totals totals;
	int64_t now_s;
	uint32_t free; /* processors */
	int64_t cap_mw, free_mw;
	struct flight *flights;
	size_t n_flights, cap_flights, n_in_flight;
	uint32_t first_free; /* of the slots; UINT32_MAX: none */
	struct ending *endings;
	size_t n_endings, cap_endings;
	struct es_sim_queue queue;
	struct es_sim_releases releases;
	bool has_next, is_started; /* the next job to be submitted; one was */
	struct es_sim_job next;
	/* Nothing ended since the scheduler looked: what waited before @fresh still does not fit, in this room. */
	bool is_settled;
	size_t fresh;
	int64_t shadow_s;
	struct es_sim_room room;
};

/* When the scheduler is told of it. */
static int64_t arrival_s(const struct es_sim_job *job)
{
	return job->submit_s + job->hold_s;
}

static int refuse(const struct sim *sim, const struct es_sim_job *job)
{
	const struct es_sim_options *options = sim->options;

	if (job->procs > options->procs)
		return es_error_say(sim->err, -ERANGE,
				    "job %" PRIu64 " asks for %" PRIu32
				    " processors; the machine has %" PRIu32,
				    job->id, job->procs, options->procs);
	if (job->extra_mw > sim->cap_mw)
		return es_error_say(
			sim->err, -ERANGE,
			"job %" PRIu64
			" draws %.3f W beyond idle; the power cap leaves %.3f W: it could never start",
			job->id, (double)job->extra_mw / 1e3, (double)sim->cap_mw / 1e3);
	if (job->procs == 0 || job->submit_s < 0 || job->submit_s > TIME_MAX_S || job->run_s < 0 ||
	    job->run_s > TIME_MAX_S || job->hold_s < 0 || job->hold_s > TIME_MAX_S ||
	    job->estimate_s < 0 || job->estimate_s > TIME_MAX_S || job->extra_mw < 0 ||
	    job->extra_mw > ES_SIM_POWER_MAX_MW)
		return es_error_say(sim->err, -EINVAL, "job %" PRIu64 " is no job", job->id);
	if (sim->is_started && arrival_s(job) < arrival_s(&sim->next))
		return es_error_say(sim->err, -EINVAL,
				    "job %" PRIu64 " comes before an earlier one", job->id);
	return 0;
}

static int fetch(struct sim *sim)
{
	struct es_sim_job job;
	int r = sim->options->next(sim->options->arg, &job);

	sim->has_next = r > 0;
	if (r <= 0)
		return r;
	r = refuse(sim, &job);
	if (r < 0)
		return r;
	if (!sim->is_started)
		sim->totals.last_end_s = arrival_s(&job);
	if (!sim->is_started || job.submit_s < sim->totals.first_submit_s)
		sim->totals.first_submit_s = job.submit_s;
	sim->is_started = true;
	sim->next = job;
	return 0;
}

static int take_slot(struct sim *sim, uint32_t *ret)
{
	if (sim->first_free != UINT32_MAX) {
		*ret = sim->first_free;
		sim->first_free = sim->flights[*ret].next_free;
		return 0;
	}
	if (sim->n_flights == UINT32_MAX)
		return -ENOMEM;
	if (sim->n_flights == sim->cap_flights) {
		size_t cap = sim->cap_flights ? sim->cap_flights * 2 : 64;
		struct flight *flights = reallocarray(sim->flights, cap, sizeof(*flights));

		if (!flights)
			return -ENOMEM;
		sim->flights = flights;
		sim->cap_flights = cap;
	}
	*ret = (uint32_t)sim->n_flights++;
	return 0;
}

static int push_ending(struct sim *sim, struct ending ending)
{
	size_t i = sim->n_endings;

	if (sim->n_endings == sim->cap_endings) {
		size_t cap = sim->cap_endings ? sim->cap_endings * 2 : 64;
		struct ending *endings = reallocarray(sim->endings, cap, sizeof(*endings));

		if (!endings)
			return -ENOMEM;
		sim->endings = endings;
		sim->cap_endings = cap;
	}
	for (; i > 0 && sim->endings[(i - 1) / 2].end_s > ending.end_s; i = (i - 1) / 2)
		sim->endings[i] = sim->endings[(i - 1) / 2];
	sim->endings[i] = ending;
	sim->n_endings++;
	return 0;
}

static uint32_t pop_ending(struct sim *sim)
{
	uint32_t slot = sim->endings[0].slot;
	struct ending last = sim->endings[--sim->n_endings];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->n_endings) {
		if (child + 1 < sim->n_endings &&
		    sim->endings[child + 1].end_s < sim->endings[child].end_s)
			child++;
		if (last.end_s <= sim->endings[child].end_s)
			break;
		sim->endings[i] = sim->endings[child];
		i = child;
	}
	sim->endings[i] = last;
	return slot;
}

static int submit(struct sim *sim)
{
	const struct es_sim_job *job = &sim->next;
	struct es_sim_waiting waiting = { .estimate_s = job->estimate_s,
					  .extra_mw = job->extra_mw,
					  .procs = job->procs };
	int r = take_slot(sim, &waiting.slot);

	if (r < 0)
		return r;
	sim->flights[waiting.slot].job = *job;
	sim->totals.n_jobs++;
	sim->totals.n_outlasting += job->run_s > job->estimate_s;
	if (++sim->n_in_flight > sim->totals.most_in_flight)
		sim->totals.most_in_flight = sim->n_in_flight;
	return es_sim_queue_push(&sim->queue, &waiting);
}

static void end(struct sim *sim)
{
	uint32_t slot = pop_ending(sim);
	struct flight *flight = &sim->flights[slot];

	sim->free += flight->job.procs;
	sim->free_mw += flight->job.extra_mw;
	es_sim_releases_remove(&sim->releases, &flight->release);
	flight->next_free = sim->first_free;
	sim->first_free = slot;
	sim->n_in_flight--;
	sim->is_settled = false;
}

static void sum_up(struct sim *sim, const struct es_sim_job *job)
{
	struct es_sim_totals *totals = &sim->totals;
	double wait_s = (double)(sim->now_s - job->submit_s), run_s = (double)job->run_s;
	double slowdown = (wait_s + run_s) / (run_s > ES_SIM_SHORT_S ? run_s : ES_SIM_SHORT_S);

	totals->wait_s += wait_s;
	totals->bounded_slowdown += slowdown > 1 ? slowdown : 1;
	totals->busy_proc_s += run_s * job->procs;
	totals->extra_mj += run_s * (double)job->extra_mw;
	if (sim->now_s + job->run_s > totals->last_end_s)
		totals->last_end_s = sim->now_s + job->run_s;
}

static int start(struct sim *sim, size_t place)
{
	struct es_sim_waiting waiting = es_sim_queue_at(&sim->queue, place);
	struct flight *flight = &sim->flights[waiting.slot];
	const struct es_sim_job *job = &flight->job;
	int r;

	flight->release = (struct es_sim_release){ .end_s = sim->now_s + job->estimate_s,
						   .extra_mw = job->extra_mw,
						   .procs = job->procs,
						   .slot = waiting.slot };
	sim->free -= job->procs;
	sim->free_mw -= job->extra_mw;
	sim->totals.n_overtaking += place != sim->queue.head;
	es_sim_queue_take(&sim->queue, place);
	sum_up(sim, job);
	r = es_sim_releases_add(&sim->releases, &flight->release);
	if (r == 0)
		r = push_ending(sim, (struct ending){ .end_s = sim->now_s + job->run_s,
						      .slot = waiting.slot });
	if (r == 0 && sim->options->started)
		r = sim->options->started(sim->options->arg, job, sim->now_s);
	return r;
}

/* What the first one that waits leaves to others. */
static int reserve(struct sim *sim)
{
	struct es_sim_waiting head = es_sim_queue_at(&sim->queue, sim->queue.head);
	struct es_sim_reservation reservation = { .start_s = sim->now_s,
						  .free = sim->free,
						  .free_mw = sim->free_mw };
	int r = es_sim_releases_reserve(&sim->releases, head.procs, head.extra_mw, &reservation);

	if (r < 0) /* whatever is let into the queue fits an empty machine */
		return r;
	sim->shadow_s = reservation.start_s;
	sim->room.spare = (uint32_t)(reservation.free - head.procs);
	sim->room.spare_mw = reservation.free_mw - head.extra_mw;
	return 0;
}

static int overtake(struct sim *sim, size_t place)
{
	struct es_sim_room *room = &sim->room;
	int r = 0;

	room->window_s = sim->shadow_s - sim->now_s;
	while (r == 0) {
		struct es_sim_waiting waiting;

		room->free = sim->free;
		room->free_mw = sim->free_mw;
		place = es_sim_queue_find(&sim->queue, place, room, sim->options->is_plain);
		if (place == ES_SIM_NOWHERE)
			break;
		waiting = es_sim_queue_at(&sim->queue, place);
		if (waiting.estimate_s > room->window_s) {
			room->spare -= waiting.procs;
			room->spare_mw -= waiting.extra_mw;
		}
		r = start(sim, place++);
	}
	return r;
}

static int schedule(struct sim *sim)
{
	struct es_sim_queue *queue = &sim->queue;
	size_t place = sim->fresh;
	int r = 0;

	if (queue->n == 0)
		return 0;
	if (!sim->is_settled || sim->options->is_plain) {
		while (r == 0 && queue->n > 0) {
			struct es_sim_waiting head = es_sim_queue_at(queue, queue->head);

			if (head.procs > sim->free || head.extra_mw > sim->free_mw)
				break;
			r = start(sim, queue->head);
		}
		if (r == 0 && queue->n > 0 && sim->options->policy == ES_SIM_EASY)
			r = reserve(sim);
		place = queue->head + 1;
	}
	if (r == 0 && queue->n > 0 && sim->options->policy == ES_SIM_EASY)
		r = overtake(sim, place);
	es_sim_queue_tidy(queue);
	sim->fresh = queue->end;
	sim->is_settled = queue->n > 0;
	if (queue->n > sim->totals.most_waiting)
		sim->totals.most_waiting = queue->n;
	return r;
}

static void advance(struct sim *sim, int64_t to_s)
{
	int64_t drawn_mw = sim->cap_mw - sim->free_mw;

	if (to_s > sim->now_s && drawn_mw > sim->totals.peak_extra_mw)
		sim->totals.peak_extra_mw = drawn_mw;
	sim->now_s = to_s;
}

static int run(struct sim *sim)
{
	int r = fetch(sim);

	sim->now_s = sim->totals.first_submit_s;
	while (r == 0 && (sim->has_next || sim->n_endings > 0)) {
		int64_t to_s = sim->has_next ? arrival_s(&sim->next) : INT64_MAX;

		if (sim->n_endings > 0 && sim->endings[0].end_s < to_s)
			to_s = sim->endings[0].end_s;
		advance(sim, to_s);
		while (sim->n_endings > 0 && sim->endings[0].end_s == to_s)
			end(sim);
		while (r == 0 && sim->has_next && arrival_s(&sim->next) == to_s) {
			r = submit(sim);
			r = r < 0 ? r : fetch(sim);
		}
		r = r < 0 ? r : schedule(sim);
	}
	return r;
}

int es_sim_run(const struct es_sim_options *options, struct es_sim_totals *ret,
	       struct es_error *err)
{
	int64_t cap_mw = options->has_cap ? options->cap_mw : INT64_MAX / 4;
	struct sim sim = {
		.options = options,
		.err = err,
		.free = options->procs,
		.cap_mw = cap_mw,
		.free_mw = cap_mw,
		.first_free = UINT32_MAX,
	};
	int r = run(&sim);

	if (r == -ENOMEM)
		(void)es_error_set(err, r, "no room for the jobs that wait or run");
	if (r == 0)
		*ret = sim.totals;
	es_sim_queue_finish(&sim.queue);
	es_sim_releases_finish(&sim.releases);
	free(sim.flights);
	free(sim.endings);
	return r;
}
