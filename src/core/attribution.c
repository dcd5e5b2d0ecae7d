/*
 * attribution.c - whose the joules of a node are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/attribution.h"

__extension__ typedef unsigned __int128 u128;

uint64_t es_part_of(uint64_t whole, uint64_t part, uint64_t total)
{
	if (part >= total)
		return total ? whole : 0;
	return (uint64_t)((u128)whole * part / total);
}

/*
 * @whole over weights and what is left of @total behind them, by running sums: the first k get floor(whole * (w1 + … + wk) / total), so
 * that nothing is lost or made, no job is off by more than a unit, and no memory is needed.
 */
struct sharing {
	uint64_t whole, given;
	u128 total, weights;
	unsigned shift; /* by which both fit 64 bits */
};

static void begin(struct sharing *sharing, uint64_t whole, uint64_t total, u128 weights)
{
	/* Cgroups are read one after the other: their sum may be a tick more than what all of the machine was busy. */
	*sharing = (struct sharing){ .whole = whole, .total = weights > total ? weights : total };
	while (sharing->total >> sharing->shift > UINT64_MAX)
		sharing->shift++;
}

static uint64_t next_share(struct sharing *sharing, uint64_t weight)
{
	uint64_t upto, share;

	sharing->weights += weight;
	upto = es_part_of(sharing->whole, (uint64_t)(sharing->weights >> sharing->shift),
			  (uint64_t)(sharing->total >> sharing->shift));
	share = upto - sharing->given;
	sharing->given = upto;
	return share;
}

void es_share_out(const struct es_share_part *part, const struct es_share_claim *claims, size_t n,
		  struct es_portion *ret, uint64_t *ret_idle, uint64_t *ret_rest)
{
	uint64_t idle_uj = part->idle_uj < part->energy_uj ? part->idle_uj : part->energy_uj;
	u128 used = 0, held = 0;
	struct sharing idle, dynamic;

	for (size_t i = 0; i < n; i++) {
		used += claims[i].used;
		held += claims[i].held;
	}
	begin(&idle, idle_uj, part->held, held);
	begin(&dynamic, part->energy_uj - idle_uj, part->used, used);
	for (size_t i = 0; i < n; i++) {
		ret[i].idle_uj = next_share(&idle, claims[i].held);
		ret[i].dynamic_uj = next_share(&dynamic, claims[i].used);
	}
	*ret_idle = idle_uj - idle.given;
	*ret_rest = part->energy_uj - idle_uj - dynamic.given;
}
