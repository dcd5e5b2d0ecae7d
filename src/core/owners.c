/*
 * core/owners.c - whose time it is, where regions nest and overlap
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/owners.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* An open call: among the owners, or hidden behind one that lies in it. */
struct place {
	uint32_t below, above; /* owners, by start */
	uint32_t hidden, last_hidden; /* calls that this one hides, latest start first */
	uint32_t next; /* hidden behind the same */
};

/* Owners and short calls around them, in a tree by their regions. */
struct set {
	uint32_t state, n_owners, n;
	uint32_t regions[]; /* [n] owners first */
};

struct sweep {
	const struct es_call *calls;
	struct es_owners *owners;
	struct place *places; /* [call] */
	uint32_t bottom, top; /* of the owners: stops ascend with starts */
	size_t n_open; /* owners */
	uint32_t around[ES_OWNER_AROUND_MAX]; /* regions of open short calls, as far as they fit */
	size_t n_around; /* also those that do not */
	uint32_t *single; /* [region] its state where it is the only owner; 0: none yet */
	void *sets;
	size_t cap_states, cap_regions;
};

static void push_above(struct sweep *sweep, uint32_t call)
{
	struct place *place = &sweep->places[call];

	place->above = NONE;
	place->below = sweep->top;
	if (sweep->top != NONE)
		sweep->places[sweep->top].above = call;
	else
		sweep->bottom = call;
	sweep->top = call;
	sweep->n_open++;
}

static void push_below(struct sweep *sweep, uint32_t call)
{
	struct place *place = &sweep->places[call];

	place->below = NONE;
	place->above = sweep->bottom;
	if (sweep->bottom != NONE)
		sweep->places[sweep->bottom].below = call;
	else
		sweep->top = call;
	sweep->bottom = call;
	sweep->n_open++;
}

static void hide(struct sweep *sweep, uint32_t call, uint32_t behind)
{
	struct place *place = &sweep->places[behind];

	sweep->places[call].next = NONE;
	if (place->hidden == NONE)
		place->hidden = call;
	else
		sweep->places[place->last_hidden].next = call;
	place->last_hidden = call;
}

static void start(struct sweep *sweep, uint32_t call)
{
	sweep->places[call].hidden = NONE;
	while (sweep->top != NONE &&
	       sweep->calls[sweep->top].stop_edge > sweep->calls[call].stop_edge) {
		uint32_t covered = sweep->top;

		sweep->top = sweep->places[covered].below;
		if (sweep->top != NONE)
			sweep->places[sweep->top].above = NONE;
		else
			sweep->bottom = NONE;
		sweep->n_open--;
		hide(sweep, covered, call);
	}
	push_above(sweep, call);
}

/* The call that stops is the owner at the bottom: no open one stops earlier. */
static void stop(struct sweep *sweep, uint32_t call)
{
	uint32_t hidden = sweep->places[call].hidden, next;

	sweep->bottom = sweep->places[call].above;
	if (sweep->bottom != NONE)
		sweep->places[sweep->bottom].below = NONE;
	else
		sweep->top = NONE;
	sweep->n_open--;
	for (; hidden != NONE; hidden = next) {
		next = sweep->places[hidden].next;
		if (sweep->bottom == NONE ||
		    sweep->calls[hidden].stop_edge < sweep->calls[sweep->bottom].stop_edge)
			push_below(sweep, hidden);
		else
			hide(sweep, hidden, sweep->bottom);
	}
}

static int by_regions(const void *a, const void *b)
{
	const struct set *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	if (x->n_owners != y->n_owners)
		return x->n_owners < y->n_owners ? -1 : 1;
	return memcmp(x->regions, y->regions, x->n * sizeof(*x->regions));
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int add_state(struct sweep *sweep, const uint32_t *regions, size_t n)
{
	struct es_owners *owners = sweep->owners;
	size_t have = owners->first[owners->n_states];
	uint32_t *larger;

	if (have + n > ES_OWNER_SETS_MAX)
		return -E2BIG;
	if (owners->n_states + 2 > sweep->cap_states) {
		larger = reallocarray(owners->first, 2 * sweep->cap_states, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		owners->first = larger;
		sweep->cap_states *= 2;
	}
	if (have + n > sweep->cap_regions) {
		larger = reallocarray(owners->regions, 2 * (have + n), sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		owners->regions = larger;
		sweep->cap_regions = 2 * (have + n);
	}
	memcpy(owners->regions + have, regions, n * sizeof(*regions));
	owners->first[++owners->n_states] = (uint32_t)(have + n);
	return 0;
}

static bool contains(const uint32_t *regions, size_t n, uint32_t region)
{
	for (size_t i = 0; i < n; i++)
		if (regions[i] == region)
			return true;
	return false;
}

/* Short calls that are open and no owners, behind the owners; nothing where there are too many. */
static void add_around(const struct sweep *sweep, struct set *set)
{
	uint32_t n_owners = set->n;

	if (sweep->n_around > ES_OWNER_AROUND_MAX ||
	    sweep->owners->n_states > ES_OWNER_CONTEXTS_MAX)
		return;
	for (size_t i = 0; i < sweep->n_around; i++)
		if (!contains(set->regions, n_owners, sweep->around[i]))
			set->regions[set->n++] = sweep->around[i];
	qsort(set->regions + n_owners, set->n - n_owners, sizeof(*set->regions), by_number);
}

static int find_set(struct sweep *sweep, uint32_t *ret)
{
	struct set *set = malloc(sizeof(*set) +
				 (sweep->n_open + ES_OWNER_AROUND_MAX) * sizeof(*set->regions));
	void *node;
	int r;

	if (!set)
		return -ENOMEM;
	set->n = 0;
	for (uint32_t call = sweep->bottom; call != NONE; call = sweep->places[call].above)
		set->regions[set->n++] = sweep->calls[call].region;
	qsort(set->regions, set->n, sizeof(*set->regions), by_number);
	set->n_owners = set->n;
	add_around(sweep, set);
	node = tsearch(set, &sweep->sets, by_regions);
	if (!node) {
		free(set);
		return -ENOMEM;
	}
	if (*(struct set **)node != set) {
		*ret = (*(struct set **)node)->state;
		free(set);
		return 0;
	}
	set->state = (uint32_t)sweep->owners->n_states;
	r = add_state(sweep, set->regions, set->n_owners);
	*ret = set->state;
	return r;
}

/* One owner, and no short call but it is open: mostly so. */
static bool is_alone(const struct sweep *sweep)
{
	uint32_t region = sweep->calls[sweep->bottom].region;

	return sweep->n_open == 1 &&
	       (sweep->n_around == 0 || (sweep->n_around == 1 && sweep->around[0] == region));
}

static int find_state(struct sweep *sweep, uint32_t *ret)
{
	uint32_t *single;
	int r;

	*ret = 0;
	if (sweep->n_open == 0)
		return 0;
	if (sweep->n_open > ES_OWNERS_MAX)
		return -E2BIG;
	if (!is_alone(sweep))
		return find_set(sweep, ret);
	single = &sweep->single[sweep->calls[sweep->bottom].region];
	if (*single == 0) {
		r = add_state(sweep, &sweep->calls[sweep->bottom].region, 1);
		if (r < 0)
			return r;
		*single = (uint32_t)sweep->owners->n_states - 1;
	}
	*ret = *single;
	return 0;
}

static size_t find_around(const struct sweep *sweep, size_t n, uint32_t region)
{
	size_t i = 0;

	while (i < n && sweep->around[i] != region)
		i++;
	return i;
}

/* Those that the list has no room for are in it as NONE as soon as it has. */
static void surround(struct sweep *sweep, const struct es_call_edge *edge)
{
	const struct es_call *call = &sweep->calls[edge->call];
	size_t n = sweep->n_around < ES_OWNER_AROUND_MAX ? sweep->n_around : ES_OWNER_AROUND_MAX;
	size_t at;

	if (!call->is_short)
		return;
	if (!edge->is_stop) {
		if (sweep->n_around < ES_OWNER_AROUND_MAX)
			sweep->around[sweep->n_around] = call->region;
		sweep->n_around++;
		return;
	}
	at = find_around(sweep, n, call->region);
	if (at == n)
		at = find_around(sweep, n, NONE);
	if (at < n) {
		memmove(&sweep->around[at], &sweep->around[at + 1],
			(n - at - 1) * sizeof(sweep->around[0]));
		if (sweep->n_around > n)
			sweep->around[n - 1] = NONE;
	}
	sweep->n_around--;
}

/* From @t_ns on; an interval without length, or with the state of the one before, is none. */
static int cut(struct sweep *sweep, int64_t t_ns)
{
	struct es_owners *owners = sweep->owners;
	uint32_t state;
	int r = find_state(sweep, &state);

	if (r < 0)
		return r;
	if (owners->t_ns[owners->n - 1] == t_ns)
		owners->n--;
	if (owners->n && owners->state[owners->n - 1] == state)
		return 0;
	owners->t_ns[owners->n] = t_ns;
	owners->state[owners->n++] = state;
	return 0;
}

static int run(struct sweep *sweep, const struct es_call_edge *edges, size_t n_edges)
{
	for (size_t e = 0; e < n_edges; e++) {
		bool is_last = e + 1 == n_edges || edges[e + 1].t_ns != edges[e].t_ns;
		int r;

		if (sweep->calls[edges[e].call].takes_time) {
			if (edges[e].is_stop)
				stop(sweep, edges[e].call);
			else
				start(sweep, edges[e].call);
			surround(sweep, &edges[e]);
		}
		r = is_last ? cut(sweep, edges[e].t_ns) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int es_owners_build(const struct es_call *calls, size_t n_calls, const struct es_call_edge *edges,
		    size_t n_edges, size_t n_regions, struct es_owners *ret)
{
	struct sweep sweep = { .calls = calls,
			       .owners = ret,
			       .places = calloc(n_calls + 1, sizeof(*sweep.places)),
			       .bottom = NONE,
			       .top = NONE,
			       .single = calloc(n_regions + 1, sizeof(*sweep.single)),
			       .cap_states = n_regions + 2,
			       .cap_regions = n_regions + 1 };
	int r = -ENOMEM;

	*ret = (struct es_owners){ .n = 1,
				   .t_ns = calloc(n_edges + 2, sizeof(*ret->t_ns)),
				   .state = calloc(n_edges + 2, sizeof(*ret->state)),
				   .n_states = 1,
				   .first = calloc(n_regions + 2, sizeof(*ret->first)),
				   .regions = calloc(n_regions + 1, sizeof(*ret->regions)) };
	if (sweep.places && sweep.single && ret->t_ns && ret->state && ret->first && ret->regions) {
		ret->t_ns[0] = INT64_MIN;
		r = run(&sweep, edges, n_edges);
	}
	tdestroy(sweep.sets, free);
	free(sweep.places);
	free(sweep.single);
	return r;
}

void es_owners_finish(struct es_owners *owners)
{
	free(owners->t_ns);
	free(owners->state);
	free(owners->first);
	free(owners->regions);
	*owners = (struct es_owners){ .n = 0 };
}
