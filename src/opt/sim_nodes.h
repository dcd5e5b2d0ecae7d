/*
 * sim_nodes.h - nodes that are off, boot, idle, work and stop, and how long they do
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_SIM_NODES_H
#define ES_OPT_SIM_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum es_sim_state {
	ES_SIM_OFF,
	ES_SIM_BOOTING,
	ES_SIM_IDLE, /* on, without a job, or with one that waits for its other nodes to boot */
	ES_SIM_BUSY,
	ES_SIM_STOPPING,
	ES_SIM_N_STATES,
};

/** struct es_sim_node - what one node draws without a job, and how it goes off and on */
struct es_sim_node {
	uint32_t procs; /* of a node; a job takes whole nodes; 0: processors are counted, not nodes */
	int64_t idle_mw, off_mw, boot_mw, stop_mw;
	int64_t boot_ms, stop_ms;
	int64_t timeout_s; /* idle for so long it is stopped; below 0: never */
};

/** struct es_sim_stays - node-milliseconds in each state, and how often they were entered */
struct es_sim_stays {
	int64_t ms[ES_SIM_N_STATES];
	uint64_t n_boots, n_stops;
};

/**
 * es_sim_break_even_s - how long a node must be idle for going off to take no more energy than staying on
 * Not less than stopping and booting take; infinity: it draws no less when off.
 */
double es_sim_break_even_s(const struct es_sim_node *node);
/** es_sim_node_mw - what it draws in a state, without its job */
int64_t es_sim_node_mw(const struct es_sim_node *node, enum es_sim_state state);

/** struct es_sim_group - nodes of which something is so, or will be, at one time */
struct es_sim_group {
	int64_t at_ms;
	uint32_t n;
};

/** struct es_sim_groups - in the order of time */
struct es_sim_groups {
	struct es_sim_group *groups; /* [cap] owned; those from @first to @end */
	size_t first, end, cap;
	uint32_t n; /* nodes */
};

/** struct es_sim_pool - equal nodes; es_sim_pool_init() it, es_sim_pool_finish() it */
struct es_sim_pool {
	const struct es_sim_node *node;
	struct es_sim_stays stays;
	int64_t now_ms;
	int64_t n_in[ES_SIM_N_STATES];
	/* Without a job: idle since, off at, on at; and how many are off. */
	struct es_sim_groups idle, stopping, booting;
	uint32_t off;
	struct es_sim_groups turning; /* stop up to then, and boot at once */
	struct es_sim_groups coming; /* boot up to then, for a job */
};

/** es_sim_pool_init - @n nodes of a kind (borrowed), all idle from @now_s on; 0 or -ENOMEM */
int es_sim_pool_init(struct es_sim_pool *pool, const struct es_sim_node *node, uint32_t n,
		     int64_t now_s);
void es_sim_pool_finish(struct es_sim_pool *pool);
/** es_sim_pool_ready_s - when a job that is given @n nodes now could start; there must be so many without a job */
int64_t es_sim_pool_ready_s(const struct es_sim_pool *pool, uint32_t n, int64_t now_s);
/** es_sim_pool_woken - how many of these would be booted for it */
uint32_t es_sim_pool_woken(const struct es_sim_pool *pool, uint32_t n);
/**
 * es_sim_pool_take - give a job @n nodes: those that became idle last, then such as boot, are off, are stopping
 * Returns 0 and when it starts, or -ENOMEM.
 */
int es_sim_pool_take(struct es_sim_pool *pool, uint32_t n, int64_t now_s, int64_t *ret_start_s);
/** es_sim_pool_start - its job starts; es_sim_pool_give - it ended; 0 or -ENOMEM */
void es_sim_pool_start(struct es_sim_pool *pool, uint32_t n);
int es_sim_pool_give(struct es_sim_pool *pool, uint32_t n, int64_t now_s);
/** es_sim_pool_boot - at most @n that are off, then such as are stopping, for jobs to come; 0 or -ENOMEM */
int es_sim_pool_boot(struct es_sim_pool *pool, uint32_t n, int64_t now_s);
/** es_sim_pool_stop - at most @n of those that were idle for the timeout, the longest idle first; 0 or -ENOMEM */
int es_sim_pool_stop(struct es_sim_pool *pool, uint32_t n, int64_t now_s);
/** es_sim_pool_next_s - when after @now_s one has been idle for the timeout, or is on; INT64_MAX: never */
int64_t es_sim_pool_next_s(const struct es_sim_pool *pool, int64_t now_s);
/** es_sim_pool_change_ms - when the first changes its state by itself; INT64_MAX: none does */
int64_t es_sim_pool_change_ms(const struct es_sim_pool *pool);
/** es_sim_pool_pass - time goes on to the next change, or before it, and what is then, is; 0 or -ENOMEM */
int es_sim_pool_pass(struct es_sim_pool *pool, int64_t to_ms);
/** es_sim_pool_drawn_mw - by all nodes, without jobs */
int64_t es_sim_pool_drawn_mw(const struct es_sim_pool *pool);

#endif
