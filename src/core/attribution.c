/*
 * attribution.c - whose the joules of a node are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/attribution.h"

#define WHOLE_PPM 1000000U

__extension__ typedef unsigned __int128 u128;

/*
 * @whole over @n weights and what is left of @total behind them, by running sums: the first k get floor(whole * (w1 + … + wk) / total), so that
 * nothing is lost or made, no job is off by more than a unit, and no memory is needed.
 */
struct sharing {
	uint64_t whole, total, weights, given;
};

static uint64_t next_share(struct sharing *sharing, uint64_t weight)
{
	uint64_t upto;

	sharing->weights += weight;
	if (sharing->weights > sharing->total)
		sharing->weights = sharing->total;
	upto = sharing->total ? (uint64_t)((u128)sharing->whole * sharing->weights / sharing->total)
			      : 0;
	weight = upto - sharing->given;
	sharing->given = upto;
	return weight;
}

void es_share_out(const struct es_share_part *part, const struct es_share_claim *claims, size_t n,
		  struct es_share *ret, uint64_t *ret_idle, uint64_t *ret_rest)
{
	uint64_t idle_uj = part->idle_uj < part->energy_uj ? part->idle_uj : part->energy_uj;
	struct sharing idle = { .whole = idle_uj, .total = WHOLE_PPM };
	struct sharing dynamic = { .whole = part->energy_uj - idle_uj, .total = part->busy_ns };
	uint64_t used_ns = 0;

	for (size_t i = 0; i < n; i++)
		used_ns += claims[i].used_ns;
	/* Cgroups are read one after the other: their sum may be a tick more than what all of the machine was busy. */
	if (used_ns > dynamic.total)
		dynamic.total = used_ns;
	for (size_t i = 0; i < n; i++) {
		ret[i].idle_uj = next_share(&idle, claims[i].allocated_ppm);
		ret[i].dynamic_uj = next_share(&dynamic, claims[i].used_ns);
	}
	*ret_idle = idle_uj - idle.given;
	*ret_rest = part->energy_uj - idle_uj - dynamic.given;
}
