/*
 * sim.c - replay of jobs on a machine of processors, in classes and nodes: who starts when, and what that sums up to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "opt/sim_inside.h"

/* When the scheduler is told of it. */
static int64_t arrival_s(const struct es_sim_job *job)
{
	return job->submit_s + job->hold_s;
}

static int fetch(struct es_sim *sim)
{
	struct es_sim_job job;
	int r = sim->options->next(sim->options->arg, &job);

	sim->has_next = r > 0;
	if (r <= 0)
		return r;
	if (sim->is_started && arrival_s(&job) < arrival_s(&sim->next))
		return es_error_say(sim->err, -EINVAL,
				    "job %" PRIu64 " comes before an earlier one", job.id);
	sim->next = job;
	r = es_sim_offers_make(sim);
	if (r < 0)
		return r;
	if (!sim->is_started)
		sim->totals.last_end_s = arrival_s(&job);
	if (!sim->is_started || job.submit_s < sim->totals.first_submit_s)
		sim->totals.first_submit_s = job.submit_s;
	sim->is_started = true;
	return 0;
}

static int take_slot(struct es_sim *sim, uint32_t *ret)
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
		struct es_sim_flight *flights = reallocarray(sim->flights, cap, sizeof(*flights));
		struct es_sim_offer *offers;

		if (!flights)
			return -ENOMEM;
		sim->flights = flights;
		offers = reallocarray(sim->offers, cap, sim->n_classes * sizeof(*offers));
		if (!offers)
			return -ENOMEM;
		sim->offers = offers;
		sim->cap_flights = cap;
	}
	*ret = (uint32_t)sim->n_flights++;
	return 0;
}

static int push_ending(struct es_sim *sim, struct es_sim_ending ending)
{
	size_t i = sim->n_endings;

	if (sim->n_endings == sim->cap_endings) {
		size_t cap = sim->cap_endings ? sim->cap_endings * 2 : 64;
		struct es_sim_ending *endings = reallocarray(sim->endings, cap, sizeof(*endings));

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

static struct es_sim_ending pop_ending(struct es_sim *sim)
{
	struct es_sim_ending first = sim->endings[0], last = sim->endings[--sim->n_endings];
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
	return first;
}

/* Whoever looks for one that fits sees the least it takes on any class. */
static int submit(struct es_sim *sim)
{
	struct es_sim_waiting waiting = { .estimate_s = INT64_MAX,
					  .extra_mw = INT64_MAX,
					  .procs = UINT32_MAX };
	int r = take_slot(sim, &waiting.slot);

	if (r < 0)
		return r;
	sim->flights[waiting.slot].job = sim->next;
	for (unsigned i = 0; i < sim->n_classes; i++) {
		const struct es_sim_offer *offer = &sim->next_offers[i];

		sim->offers[(size_t)waiting.slot * sim->n_classes + i] = *offer;
		if (offer->procs == 0)
			continue;
		if (offer->procs < waiting.procs)
			waiting.procs = offer->procs;
		if (offer->estimate_s < waiting.estimate_s)
			waiting.estimate_s = offer->estimate_s;
		if (offer->need_mw < waiting.extra_mw)
			waiting.extra_mw = offer->need_mw;
	}
	sim->totals.n_jobs++;
	if (++sim->n_in_flight > sim->totals.most_in_flight)
		sim->totals.most_in_flight = sim->n_in_flight;
	return es_sim_queue_push(&sim->queue, &waiting);
}

static int end(struct es_sim *sim, uint32_t slot)
{
	struct es_sim_flight *flight = &sim->flights[slot];
	struct es_sim_stock *class = &sim->classes[flight->release.class];
	uint32_t procs = flight->release.procs;

	class->free += procs;
	sim->free_mw += flight->release.extra_mw;
	sim->drawn_mw -= flight->job.extra_mw;
	es_sim_releases_remove(&sim->releases, &flight->release);
	flight->next_free = sim->first_free;
	sim->first_free = slot;
	sim->n_in_flight--;
	sim->is_settled = false;
	return class->has_nodes
		       ? es_sim_pool_give(&class->pool, es_sim_nodes_of(class, procs), sim->now_s)
		       : 0;
}

/* By the time of its start, now or to come. */
static int sum_up(struct es_sim *sim, const struct es_sim_job *job, int64_t start_s)
{
	struct es_sim_totals *totals = &sim->totals;
	struct es_sim_class_totals *of_class = &totals->by_class[job->class];
	double wait_s = (double)(start_s - job->submit_s), run_s = (double)job->run_s;
	double slowdown = (wait_s + run_s) / (run_s > ES_SIM_SHORT_S ? run_s : ES_SIM_SHORT_S);
	int64_t all_ms;

	totals->n_outlasting += job->run_s > job->estimate_s;
	totals->wait_s += wait_s;
	totals->bounded_slowdown += slowdown > 1 ? slowdown : 1;
	totals->busy_proc_s += run_s * job->procs;
	totals->extra_mj += run_s * (double)job->extra_mw;
	of_class->n_jobs++;
	of_class->busy_proc_s += run_s * job->procs;
	of_class->extra_mj += run_s * (double)job->extra_mw;
	if (start_s + job->run_s > totals->last_end_s)
		totals->last_end_s = start_s + job->run_s;
	for (unsigned i = 0; i < sim->n_classes && sim->has_nodes; i++)
		if (__builtin_mul_overflow(totals->last_end_s + 1,
					   INT64_C(1000) * sim->classes[i].is->procs, &all_ms))
			return es_error_say(sim->err, -ERANGE,
					    "job %" PRIu64 " ends too late to count nodes x time",
					    job->id);
	return 0;
}

/* Its processors are its own, and on. */
static int begin(struct es_sim *sim, uint32_t slot)
{
	struct es_sim_flight *flight = &sim->flights[slot];
	struct es_sim_stock *class = &sim->classes[flight->release.class];

	sim->drawn_mw += flight->job.extra_mw;
	if (class->has_nodes)
		es_sim_pool_start(&class->pool, es_sim_nodes_of(class, flight->release.procs));
	if (sim->options->started) {
		int r = sim->options->started(sim->options->arg, &flight->job, sim->now_s);

		if (r < 0)
			return r;
	}
	return push_ending(sim, (struct es_sim_ending){ .end_s = sim->now_s + flight->job.run_s,
							.slot = slot });
}

static int start(struct es_sim *sim, size_t place, unsigned on)
{
	uint32_t slot = es_sim_queue_at(&sim->queue, place).slot;
	const struct es_sim_offer *offer = &es_sim_offers_of(sim, slot)[on];
	struct es_sim_flight *flight = &sim->flights[slot];
	struct es_sim_stock *class = &sim->classes[on];
	int64_t start_s = sim->now_s;
	int r = 0;

	if (class->has_nodes)
		r = es_sim_pool_take(&class->pool, es_sim_nodes_of(class, offer->procs), sim->now_s,
				     &start_s);
	if (r < 0)
		return r;
	flight->job.class = on;
	flight->job.run_s = offer->run_s;
	flight->job.estimate_s = offer->estimate_s;
	flight->job.extra_mw = offer->extra_mw;
	flight->job.energy_j = offer->energy_j;
	flight->release = (struct es_sim_release){ .end_s = start_s + offer->estimate_s,
						   .extra_mw = offer->need_mw,
						   .procs = offer->procs,
						   .slot = slot,
						   .class = on };
	class->free -= offer->procs;
	sim->free_mw -= offer->need_mw;
	sim->totals.n_overtaking += place != sim->queue.head;
	es_sim_queue_take(&sim->queue, place);
	r = sum_up(sim, &flight->job, start_s);
	r = r < 0 ? r : es_sim_releases_add(&sim->releases, &flight->release);
	if (r < 0)
		return r;
	if (start_s > sim->now_s)
		return push_ending(sim, (struct es_sim_ending){
						.end_s = start_s, .slot = slot, .is_start = true });
	return begin(sim, slot);
}

/* The most there is on any class: where that does not do none does. */
static struct es_sim_room room_of(const struct es_sim *sim)
{
	struct es_sim_room room = { .window_s = sim->shadow_s - sim->now_s,
				    .free_mw = sim->free_mw,
				    .spare_mw = sim->spare_mw,
				    .spare = (uint32_t)sim->spare };

	for (unsigned i = 0; i < sim->n_classes; i++) {
		uint32_t free = sim->classes[i].free;

		room.free = free > room.free ? free : room.free;
		if (i != sim->reserved && free > room.spare)
			room.spare = free;
	}
	return room;
}

static int overtake(struct es_sim *sim, size_t place)
{
	int r = 0;

	while (r == 0) {
		const struct es_sim_room room = room_of(sim);
		const struct es_sim_offer *offer;
		uint32_t slot;
		unsigned on;

		place = es_sim_queue_find(&sim->queue, place, &room, sim->options->is_plain);
		if (place == ES_SIM_NOWHERE)
			break;
		slot = es_sim_queue_at(&sim->queue, place).slot;
		on = es_sim_choose(sim, slot, false);
		if (on < sim->n_classes) {
			offer = &es_sim_offers_of(sim, slot)[on];
			if (!es_sim_ends_in_time(sim, on, offer)) {
				sim->spare -= on == sim->reserved ? offer->procs : 0;
				sim->spare_mw -= offer->need_mw;
			}
			r = start(sim, place, on);
		}
		place++;
	}
	return r;
}

static int look(struct es_sim *sim)
{
	const bool is_easy = sim->options->policy == ES_SIM_EASY;
	struct es_sim_queue *queue = &sim->queue;
	size_t place = sim->fresh;
	int r = 0;

	if (queue->n == 0)
		return 0;
	if (!sim->is_settled || sim->options->is_plain) {
		while (r == 0 && queue->n > 0) {
			unsigned on =
				es_sim_choose(sim, es_sim_queue_at(queue, queue->head).slot, true);

			if (on == sim->n_classes)
				break;
			r = start(sim, queue->head, on);
		}
		if (r == 0 && queue->n > 0 && (is_easy || sim->has_nodes))
			r = es_sim_reserve(sim);
		place = queue->head + 1;
	}
	if (r == 0 && queue->n > 0 && is_easy)
		r = overtake(sim, place);
	es_sim_queue_tidy(queue);
	sim->fresh = queue->end;
	sim->is_settled = queue->n > 0;
	if (queue->n > sim->totals.most_waiting)
		sim->totals.most_waiting = queue->n;
	return r;
}

static int schedule(struct es_sim *sim)
{
	int r = look(sim);

	sim->wake_s = INT64_MAX;
	if (r < 0 || !sim->has_nodes ||
	    (sim->n_endings > 0 && sim->endings[0].end_s == sim->now_s)) /* more is to come now */
		return r;
	return es_sim_machine_switch(sim);
}

static int advance(struct es_sim *sim, int64_t to_s)
{
	int r = 0;

	if (to_s > sim->now_s && sim->drawn_mw > sim->totals.peak_extra_mw)
		sim->totals.peak_extra_mw = sim->drawn_mw;
	while (sim->has_nodes && r == 0) {
		int64_t to_ms = to_s * 1000;

		for (unsigned i = 0; i < sim->n_classes; i++) {
			const struct es_sim_stock *class = &sim->classes[i];
			int64_t at_ms = class->has_nodes ? es_sim_pool_change_ms(&class->pool)
							 : INT64_MAX;

			to_ms = at_ms < to_ms ? at_ms : to_ms;
		}
		r = es_sim_machine_pass(sim, to_ms);
		if (to_ms == to_s * 1000)
			break;
	}
	sim->now_s = to_s;
	return r;
}

static int64_t next_s(const struct es_sim *sim)
{
	int64_t to_s = sim->has_next ? arrival_s(&sim->next) : INT64_MAX;

	if (sim->n_endings > 0 && sim->endings[0].end_s < to_s)
		to_s = sim->endings[0].end_s;
	if (!sim->has_nodes)
		return to_s;
	to_s = sim->wake_s < to_s ? sim->wake_s : to_s;
	for (unsigned i = 0; i < sim->n_classes; i++) {
		int64_t at_s = sim->classes[i].has_nodes
				       ? es_sim_pool_next_s(&sim->classes[i].pool, sim->now_s)
				       : INT64_MAX;

		to_s = at_s < to_s ? at_s : to_s;
	}
	return to_s;
}

static int run(struct es_sim *sim)
{
	int r = 0;

	while (r == 0 && (sim->has_next || sim->n_endings > 0)) {
		int64_t to_s = next_s(sim);

		r = advance(sim, to_s);
		while (r == 0 && sim->n_endings > 0 && sim->endings[0].end_s == to_s) {
			struct es_sim_ending ending = pop_ending(sim);

			r = ending.is_start ? begin(sim, ending.slot) : end(sim, ending.slot);
		}
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
	struct es_sim sim = {
		.options = options,
		.err = err,
		.cap_mw = options->has_cap ? options->cap_mw : INT64_MAX / 4,
		.first_free = UINT32_MAX,
		.wake_s = INT64_MAX,
	};
	int r = es_sim_machine_make(&sim);

	r = r < 0 ? r : fetch(&sim);
	r = r < 0 ? r : es_sim_machine_begin(&sim);
	r = r < 0 ? r : run(&sim);
	if (r == -ENOMEM)
		(void)es_error_set(err, r, "no room for the jobs that wait or run");
	if (r == 0) {
		es_sim_machine_count(&sim);
		if (!sim.has_nodes)
			sim.totals.peak_mw = sim.totals.peak_extra_mw;
		*ret = sim.totals;
	}
	es_sim_machine_finish(&sim);
	es_sim_queue_finish(&sim.queue);
	es_sim_releases_finish(&sim.releases);
	free(sim.flights);
	free(sim.offers);
	free(sim.endings);
	return r;
}
