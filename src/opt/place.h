/*
 * place.h - which configuration runs on which class of servers, for the least energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_PLACE_H
#define ES_OPT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_PLACE_CONFIGURATIONS_MAX 20000U
#define ES_PLACE_CLASSES_MAX 63U
/* Sums over all configurations fit into 64 bits. */
#define ES_PLACE_ENERGY_MAX_NKWH INT64_C(400000000000000) /* 400,000 kWh */
#define ES_PLACE_TIME_MAX_US INT64_C(360000000000000) /* 100,000 h */
#define ES_PLACE_ENDLESS INT64_MAX

/** enum es_place_why - whether a configuration may run in a class, and why not */
enum es_place_why {
	ES_PLACE_OPEN,
	ES_PLACE_UNKNOWN, /* the table has no energy there */
	ES_PLACE_FORBIDDEN,
	ES_PLACE_SLOW, /* against the configuration's best time */
	ES_PLACE_LATE, /* behind its deadline */
	ES_PLACE_LARGE, /* it takes more than all of the class */
};

/** struct es_place_problem - @n configurations in rows, @m classes in columns; all borrowed */
struct es_place_problem {
	size_t n, m;
	const int64_t *energy_nkwh; /* [n * m], millionths of a Wh; 0: cannot run there */
	const int64_t *time_us; /* [n * m], where there is an energy; NULL: no times */
	const uint8_t *why; /* [n * m] enum es_place_why */
	const int64_t
		*room; /* [m] configurations, or µs of all its nodes together; ES_PLACE_ENDLESS */
	bool is_by_time; /* room is in µs */
};

/** struct es_place_limits - what is wanted besides room; members may be NULL */
struct es_place_limits {
	const bool *is_forbidden; /* [n * m] */
	const int64_t *deadline_us; /* [n]; 0: none */
	int64_t slowdown_ppm; /* negative: none */
	const int64_t *best_us; /* [n] best time of each; NULL: of the problem's times */
};

/** es_place_is_slow - more than that share above the best time; a limit of less than 0 is none */
bool es_place_is_slow(int64_t time_us, int64_t best_us, int64_t slowdown_ppm);

/** es_place_limit - fill @ret_why [n * m] of a problem whose other members are set; a best time is that of all classes with an energy */
void es_place_limit(const struct es_place_problem *problem, const struct es_place_limits *limits,
		    uint8_t *ret_why);

enum es_place_method {
	ES_PLACE_BY_FLOW, /* exact: shortest augmenting paths */
	ES_PLACE_BY_SEARCH, /* exact: branch and bound came to its end */
	ES_PLACE_BY_BOUND, /* rounded from prices (a Lagrangian bound, as low as that of linear programming), and searched for a while */
	ES_PLACE_BY_HINT, /* the same from what another solver found, which gave the cheaper one */
};

/** enum es_place_bound - where the bound comes from */
enum es_place_bound {
	ES_PLACE_BOUND_EXACT, /* the placement itself is the cheapest */
	ES_PLACE_BOUND_PRICES,
	ES_PLACE_BOUND_HINT, /* prices of another solver */
};

/** struct es_place - a placement; es_place_finish() it */
struct es_place {
	uint32_t *at; /* [n] class of each */
	int64_t energy_nkwh;
	int64_t bound_nkwh; /* none is cheaper than this; equal where exact */
	enum es_place_bound bound;
	int64_t greedy_nkwh; /* each in turn into the cheapest class that still has room; -1: that came to no end */
	enum es_place_method method;
};

/** struct es_place_lack - why there is no placement */
struct es_place_lack {
	bool is_certain; /* else none was found, and there may be one */
	size_t configuration; /* this one may run nowhere; SIZE_MAX: it is about room */
	bool classes[ES_PLACE_CLASSES_MAX]; /* that are too small together */
	size_t n_only; /* configurations that may run only there; 0: all classes with an end, together with all else */
	int64_t room, need; /* of them; need: of the least each takes there */
};

/**
 * es_place_solve - the placement of least energy
 * @ret_lack: set where -ENOSPC is returned
 *
 * By configurations: exact. By time: exact where branch and bound comes to its end within a fixed number of steps; else
 * the best that was found, with a bound. The same for the same problem; among equals the class named first is taken
 * where one is chosen alone. Returns 0, -ENOSPC (no placement), -EINVAL or -ENOMEM.
 */
int es_place_solve(const struct es_place_problem *problem, struct es_place *ret,
		   struct es_place_lack *ret_lack);

/** struct es_place_hint - what another solver found about room by time; borrowed */
struct es_place_hint {
	const double *
		price; /* [m] nkWh for each µs of a class, from 0 on: any prices give a true bound */
	const uint32_t *at; /* [n] an open class for each; classes may be too full */
};

/**
 * es_place_resume - go on from there where es_place_solve() did not come to its end
 * @place: as that left it, of a problem by time; or zeros where it found none and was not certain. The better bound and
 * the cheaper placement are kept
 *
 * Returns 0; -ENOSPC: there is still none, @lack says whether there may be one; -EINVAL: a price below 0 or no number, a
 * closed class; -ENOMEM. After an error @place is as it was.
 */
int es_place_resume(const struct es_place_problem *problem, const struct es_place_hint *hint,
		    struct es_place *place, struct es_place_lack *lack);
void es_place_finish(struct es_place *place);

#endif
