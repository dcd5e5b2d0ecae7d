/*
 * sim_nodes.c - nodes that are off, boot, idle, work and stop, and how long they do
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Nodes of a kind are equal: groups of them are kept by the time of what comes, not each node by its name.
 */
#include "opt/sim_nodes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000

double es_sim_break_even_s(const struct es_sim_node *node)
{
	double away_s = (double)(node->boot_ms + node->stop_ms) / MS_PER_S;
	double extra_mj = ((double)node->boot_mw * (double)node->boot_ms +
			   (double)node->stop_mw * (double)node->stop_ms) /
				  MS_PER_S -
			  (double)node->off_mw * away_s;
	double even_s;

	if (node->off_mw >= node->idle_mw)
		return INFINITY;
	even_s = extra_mj / (double)(node->idle_mw - node->off_mw);
	return even_s > away_s ? even_s : away_s;
}

int64_t es_sim_node_mw(const struct es_sim_node *node, enum es_sim_state state)
{
	switch (state) {
	case ES_SIM_OFF:
		return node->off_mw;
	case ES_SIM_BOOTING:
		return node->boot_mw;
	case ES_SIM_STOPPING:
		return node->stop_mw;
	case ES_SIM_IDLE:
	case ES_SIM_BUSY:
	case ES_SIM_N_STATES:
	default:
		return node->idle_mw;
	}
}

static int64_t up_to_s(int64_t t_ms)
{
	return (t_ms + MS_PER_S - 1) / MS_PER_S;
}

/* Sums of nodes are below the pool's: they fit. */
static int put(struct es_sim_groups *groups, int64_t at_ms, uint32_t n)
{
	size_t i;

	if (groups->end == groups->cap && groups->first >= groups->cap / 2 && groups->cap > 0) {
		memmove(groups->groups, &groups->groups[groups->first],
			(groups->end - groups->first) * sizeof(*groups->groups));
		groups->end -= groups->first;
		groups->first = 0;
	}
	if (groups->end == groups->cap) {
		size_t cap = groups->cap ? groups->cap * 2 : 16;
		struct es_sim_group *larger =
			reallocarray(groups->groups, cap, sizeof(*groups->groups));

		if (!larger)
			return -ENOMEM;
		groups->groups = larger;
		groups->cap = cap;
	}
	for (i = groups->end; i > groups->first && groups->groups[i - 1].at_ms > at_ms; i--)
		groups->groups[i] = groups->groups[i - 1];
	groups->groups[i] = (struct es_sim_group){ .at_ms = at_ms, .n = n };
	groups->end++;
	groups->n += n;
	return 0;
}

static bool is_empty(const struct es_sim_groups *groups)
{
	return groups->first == groups->end;
}

static int64_t first_ms(const struct es_sim_groups *groups)
{
	return is_empty(groups) ? INT64_MAX : groups->groups[groups->first].at_ms;
}

/* At most @most of the first group. */
static struct es_sim_group take_first(struct es_sim_groups *groups, uint32_t most)
{
	struct es_sim_group *group = &groups->groups[groups->first];
	struct es_sim_group taken = *group;

	if (taken.n > most)
		taken.n = most;
	group->n -= taken.n;
	groups->n -= taken.n;
	if (group->n == 0)
		groups->first++;
	return taken;
}

static void take_last(struct es_sim_groups *groups, uint32_t n)
{
	groups->n -= n;
	while (n > 0) {
		struct es_sim_group *group = &groups->groups[groups->end - 1];
		uint32_t part = group->n < n ? group->n : n;

		group->n -= part;
		n -= part;
		if (group->n == 0)
			groups->end--;
	}
}

static void move(struct es_sim_pool *pool, enum es_sim_state from, enum es_sim_state to, uint32_t n)
{
	pool->n_in[from] -= n;
	pool->n_in[to] += n;
}

int es_sim_pool_init(struct es_sim_pool *pool, const struct es_sim_node *node, uint32_t n,
		     int64_t now_s)
{
	*pool = (struct es_sim_pool){ .node = node, .now_ms = now_s * MS_PER_S };
	pool->n_in[ES_SIM_IDLE] = n;
	return put(&pool->idle, pool->now_ms, n);
}

void es_sim_pool_finish(struct es_sim_pool *pool)
{
	free(pool->idle.groups);
	free(pool->stopping.groups);
	free(pool->booting.groups);
	free(pool->turning.groups);
	free(pool->coming.groups);
	*pool = (struct es_sim_pool){ .off = 0 };
}

/* When the last of @n of these nodes is at its time; what is left of @n. */
static uint32_t reach(const struct es_sim_groups *groups, uint32_t n, int64_t *at_ms)
{
	for (size_t i = groups->first; i < groups->end && n > 0; i++) {
		*at_ms = groups->groups[i].at_ms;
		n -= n < groups->groups[i].n ? n : groups->groups[i].n;
	}
	return n;
}

int64_t es_sim_pool_ready_s(const struct es_sim_pool *pool, uint32_t n, int64_t now_s)
{
	int64_t ready_ms = now_s * MS_PER_S, boots_ms = ready_ms, off_ms = ready_ms;

	if (n <= pool->idle.n)
		return now_s;
	n = reach(&pool->booting, n - pool->idle.n, &ready_ms);
	if (n > pool->off)
		(void)reach(&pool->stopping, n - pool->off, &off_ms);
	if (n > 0)
		boots_ms = off_ms + pool->node->boot_ms;
	return up_to_s(ready_ms > boots_ms ? ready_ms : boots_ms);
}

uint32_t es_sim_pool_woken(const struct es_sim_pool *pool, uint32_t n)
{
	uint64_t there = (uint64_t)pool->idle.n + pool->booting.n;

	return n > there ? n - (uint32_t)there : 0;
}

/* Boot @n that are off or stopping, and note in @to when each is on. */
static int boot(struct es_sim_pool *pool, uint32_t n, int64_t now_s, struct es_sim_groups *to)
{
	uint32_t from_off = n < pool->off ? n : pool->off;
	int64_t boot_ms = pool->node->boot_ms;
	int r = 0;

	pool->stays.n_boots += n;
	pool->off -= from_off;
	move(pool, ES_SIM_OFF, ES_SIM_BOOTING, from_off);
	if (from_off > 0)
		r = put(to, now_s * MS_PER_S + boot_ms, from_off);
	for (n -= from_off; n > 0 && r == 0;) {
		struct es_sim_group group = take_first(&pool->stopping, n);

		n -= group.n;
		r = put(&pool->turning, group.at_ms, group.n);
		r = r < 0 ? r : put(to, group.at_ms + boot_ms, group.n);
	}
	return r;
}

int es_sim_pool_take(struct es_sim_pool *pool, uint32_t n, int64_t now_s, int64_t *ret_start_s)
{
	int64_t start_s = es_sim_pool_ready_s(pool, n, now_s);
	uint32_t from_idle = n < pool->idle.n ? n : pool->idle.n;
	int r = 0;

	take_last(&pool->idle, from_idle);
	for (n -= from_idle; n > 0 && r == 0 && pool->booting.n > 0;) {
		struct es_sim_group group = take_first(&pool->booting, n);

		n -= group.n;
		r = put(&pool->coming, group.at_ms, group.n);
	}
	if (n > 0 && r == 0)
		r = boot(pool, n, now_s, &pool->coming);
	if (r == 0)
		*ret_start_s = start_s;
	return r;
}

void es_sim_pool_start(struct es_sim_pool *pool, uint32_t n)
{
	move(pool, ES_SIM_IDLE, ES_SIM_BUSY, n);
}

int es_sim_pool_give(struct es_sim_pool *pool, uint32_t n, int64_t now_s)
{
	move(pool, ES_SIM_BUSY, ES_SIM_IDLE, n);
	return put(&pool->idle, now_s * MS_PER_S, n);
}

int es_sim_pool_boot(struct es_sim_pool *pool, uint32_t n, int64_t now_s)
{
	uint64_t most = (uint64_t)pool->off + pool->stopping.n;

	return boot(pool, n < most ? n : (uint32_t)most, now_s, &pool->booting);
}

/* When a group that is idle since then is to be stopped. */
static int64_t due_s(const struct es_sim_pool *pool, int64_t since_ms)
{
	return pool->node->timeout_s < 0 ? INT64_MAX : up_to_s(since_ms) + pool->node->timeout_s;
}

int es_sim_pool_stop(struct es_sim_pool *pool, uint32_t n, int64_t now_s)
{
	int r = 0;

	while (n > 0 && r == 0 && !is_empty(&pool->idle) &&
	       due_s(pool, first_ms(&pool->idle)) <= now_s) {
		struct es_sim_group group = take_first(&pool->idle, n);

		n -= group.n;
		pool->stays.n_stops += group.n;
		move(pool, ES_SIM_IDLE, ES_SIM_STOPPING, group.n);
		r = put(&pool->stopping, now_s * MS_PER_S + pool->node->stop_ms, group.n);
	}
	return r;
}

int64_t es_sim_pool_next_s(const struct es_sim_pool *pool, int64_t now_s)
{
	int64_t next_s = is_empty(&pool->booting) ? INT64_MAX : up_to_s(first_ms(&pool->booting));

	for (size_t i = pool->idle.first; i < pool->idle.end; i++) {
		int64_t at_s = due_s(pool, pool->idle.groups[i].at_ms);

		if (at_s <= now_s) /* it was let stay on */
			continue;
		return at_s < next_s ? at_s : next_s;
	}
	return next_s > now_s ? next_s : now_s + 1;
}

int64_t es_sim_pool_change_ms(const struct es_sim_pool *pool)
{
	const int64_t times_ms[] = { first_ms(&pool->stopping), first_ms(&pool->booting),
				     first_ms(&pool->turning), first_ms(&pool->coming) };
	int64_t least_ms = INT64_MAX;

	for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++)
		least_ms = times_ms[i] < least_ms ? times_ms[i] : least_ms;
	return least_ms;
}

int es_sim_pool_pass(struct es_sim_pool *pool, int64_t to_ms)
{
	int r = 0;

	for (int i = 0; i < ES_SIM_N_STATES; i++)
		pool->stays.ms[i] += pool->n_in[i] * (to_ms - pool->now_ms);
	pool->now_ms = to_ms;
	while (first_ms(&pool->stopping) <= to_ms) {
		struct es_sim_group group = take_first(&pool->stopping, UINT32_MAX);

		pool->off += group.n;
		move(pool, ES_SIM_STOPPING, ES_SIM_OFF, group.n);
	}
	while (first_ms(&pool->turning) <= to_ms)
		move(pool, ES_SIM_STOPPING, ES_SIM_BOOTING,
		     take_first(&pool->turning, UINT32_MAX).n);
	while (first_ms(&pool->coming) <= to_ms)
		move(pool, ES_SIM_BOOTING, ES_SIM_IDLE, take_first(&pool->coming, UINT32_MAX).n);
	while (r == 0 && first_ms(&pool->booting) <= to_ms) {
		struct es_sim_group group = take_first(&pool->booting, UINT32_MAX);

		move(pool, ES_SIM_BOOTING, ES_SIM_IDLE, group.n);
		r = put(&pool->idle, group.at_ms, group.n);
	}
	return r;
}

int64_t es_sim_pool_drawn_mw(const struct es_sim_pool *pool)
{
	int64_t mw = 0;

	for (int i = 0; i < ES_SIM_N_STATES; i++)
		mw += pool->n_in[i] * es_sim_node_mw(pool->node, (enum es_sim_state)i);
	return mw;
}
