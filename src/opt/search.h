/*
 * search.h - which setting to measure next, where measurements are noisy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_SEARCH_H
#define ES_OPT_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/** struct es_opt_measured - what is known of one setting */
struct es_opt_measured {
	double first, sum; /* costs */
	unsigned n; /* 0: not measured */
};

/**
 * struct es_opt_search - golden section over settings in order, finalists repeated
 * Costs fall, then rise, from the first setting to the last; near the least one noise may hide that. The way is chosen by
 * the first cost of each setting, the winner among the two cheapest by their means.
 */
struct es_opt_search {
	size_t n;
	unsigned repeats; /* of the two finalists, beyond the first time */
	struct es_opt_measured *measured; /* [n] owned */
};

/** es_opt_search_init - 0, -EINVAL: no settings, or -ENOMEM; es_opt_search_finish() it */
int es_opt_search_init(struct es_opt_search *search, size_t n, unsigned repeats);
void es_opt_search_finish(struct es_opt_search *search);
/** es_opt_search_next - true: measure *@ret and tell; false: it is over */
bool es_opt_search_next(const struct es_opt_search *search, size_t *ret);
/** es_opt_search_tell - @cost of setting @i, above 0 */
void es_opt_search_tell(struct es_opt_search *search, size_t i, double cost);
/** es_opt_search_best - the cheapest of what was measured as often as a finalist; of all, where nothing was */
size_t es_opt_search_best(const struct es_opt_search *search);

#endif
