/*
 * sim_inside.h - what the parts of a replay share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_SIM_INSIDE_H
#define ES_OPT_SIM_INSIDE_H

#include "opt/sim.h"
#include "opt/sim_queue.h"
#include "opt/sim_releases.h"

/* What a job is on a class. */
struct es_sim_offer {
	int64_t run_s, estimate_s, extra_mw;
	int64_t need_mw; /* of what the cap leaves */
	double energy_j;
	uint32_t procs; /* whole nodes; 0: it is not for it */
};

/* A job that waits or runs, in a slot that is used again when it ended. */
struct es_sim_flight {
	struct es_sim_job job;
	struct es_sim_release release; /* once it has processors */
	uint32_t next_free;
};

/* The processors of a class. */
struct es_sim_stock {
	const struct es_sim_class *is;
	uint32_t free; /* processors without a job */
	bool has_nodes;
	int64_t surge_mw; /* kept for each processor without a job */
	struct es_sim_pool pool;
};

/* The end of a running job, or the start of one whose nodes boot: a binary heap, the earliest on top. */
struct es_sim_ending {
	int64_t end_s;
	uint32_t slot;
	bool is_start;
};

struct es_sim {
	const struct es_sim_options *options;
	struct es_error *err;
	struct es_sim_totals totals;
	struct es_sim_class only; /* where no classes are given */
	struct es_sim_stock classes[ES_SIM_CLASSES_MAX];
	unsigned n_classes;
	bool has_nodes; /* one of them */
	int64_t begin_s, now_s, now_ms;
	int64_t cap_mw, free_mw;
	int64_t drawn_mw; /* by jobs, beyond idle */
	struct es_sim_flight *flights;
	struct es_sim_offer *offers; /* [n_classes] of each flight */
	size_t n_flights, cap_flights, n_in_flight;
	uint32_t first_free; /* of the slots; UINT32_MAX: none */
	struct es_sim_ending *endings;
	size_t n_endings, cap_endings;
	struct es_sim_queue queue;
	struct es_sim_releases releases;
	bool has_next, is_started; /* the next job to be submitted; one was */
	struct es_sim_job next;
	struct es_sim_offer next_offers[ES_SIM_CLASSES_MAX];
	/* Nothing ended since the scheduler looked: what waited before @fresh still does not fit, in this room. */
	bool is_settled;
	size_t fresh;
	/* For the first one that waits: when, where, and what is left of processors and watts when it runs. */
	int64_t shadow_s, spare, spare_mw;
	unsigned reserved;
	int64_t wake_s; /* when nodes must begin to boot for it; INT64_MAX: none */
};

/** es_sim_offers_make - on which classes the next job could ever start, and what it is there; 0 or negative errno with words */
int es_sim_offers_make(struct es_sim *sim);
/** es_sim_offers_of - [n_classes] of a flight */
static inline const struct es_sim_offer *es_sim_offers_of(const struct es_sim *sim, uint32_t slot)
{
	return &sim->offers[(size_t)slot * sim->n_classes];
}

/** es_sim_choose - the class on which a job can start now; n_classes: none. @is_first: it need not heed a reservation */
unsigned es_sim_choose(const struct es_sim *sim, uint32_t slot, bool is_first);
/** es_sim_ends_in_time - whether it ends before the first that waits starts, if it is started now */
bool es_sim_ends_in_time(const struct es_sim *sim, unsigned on, const struct es_sim_offer *offer);
/** es_sim_reserve - find what the first one that waits leaves to others; 0 or -ERANGE */
int es_sim_reserve(struct es_sim *sim);

/** es_sim_machine_make - classes and the cap, from the options; 0 or negative errno with words */
int es_sim_machine_make(struct es_sim *sim);
/** es_sim_machine_begin - all nodes are idle from the first submission on; 0 or -ENOMEM */
int es_sim_machine_begin(struct es_sim *sim);
/** es_sim_machine_pass - go on to the next moment at which a node changes by itself, or before it; 0 or -ENOMEM */
int es_sim_machine_pass(struct es_sim *sim, int64_t to_ms);
/** es_sim_machine_switch - stop nodes that were idle for long, boot those that the first that waits will need; 0 or -ENOMEM */
int es_sim_machine_switch(struct es_sim *sim);
/** es_sim_machine_count - what nodes did, into the totals */
void es_sim_machine_count(struct es_sim *sim);
void es_sim_machine_finish(struct es_sim *sim);

static inline uint32_t es_sim_nodes_of(const struct es_sim_stock *class, uint32_t procs)
{
	return procs / class->is->node.procs;
}

#endif
