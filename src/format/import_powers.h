/*
 * import_powers.h - a row of mean powers turned into a counter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_POWERS_H
#define ES_FORMAT_IMPORT_POWERS_H

#include <jansson.h>

#include "format/import_job.h"

#define ES_POWERS_NONE UINT64_MAX

/** struct es_powers - mean power of each interval that ends at sample i; the first one repeats the second. Free with es_powers_finish() */
struct es_powers {
	uint64_t *uw; /* owned; ES_POWERS_NONE: nothing is known of that interval */
	size_t n;
	int64_t period_ns;
	int64_t stop_ns; /* end of the last interval, which may be shorter; 0: a whole one */
	size_t first, last; /* intervals that are known; 0: none */
	int64_t head_ns,
		tail_ns; /* by which the first one begins later, and the last one ends earlier */
};

/** es_powers_read - from a list of watts and nulls; 0, -ENODATA (fewer than two), or -ENOMEM. What is no power counts as null */
int es_powers_read(struct es_powers *powers, const json_t *watts, int64_t period_ns,
		   int64_t stop_ns);
void es_powers_finish(struct es_powers *powers);

/**
 * es_powers_tame - spread powers that cannot be true back over the hole they come from
 *
 * The original tool puts one time on a sweep that can take minutes: its profiles then show next to nothing through a
 * hole and all of the hole's energy in one sample behind it. A sample above @peak_mw, or one of more than twice the
 * power that 90 % of samples stay below which follows one of less than half of that, is averaged with the low ones
 * before it. The energy stays what it was.
 *
 * Returns how many samples were too high.
 */
size_t es_powers_tame(struct es_powers *powers, uint64_t peak_mw);

/**
 * es_powers_shorten - @covered_ns of their time was measured (0: not known)
 *
 * A mean is that of the time measured in its interval, and a domain's first and last reading are seldom at the ends of
 * intervals: what is less than the whole is taken off the first one, up to half of it, and off the last one.
 */
void es_powers_shorten(struct es_powers *powers, int64_t covered_ns);

/** es_powers_energy_uj - their energy, to the nearest µJ; @ret_covered_ns: the time they cover */
uint64_t es_powers_energy_uj(const struct es_powers *powers, int64_t *ret_covered_ns);

/**
 * es_powers_put - into the series of a domain, as a counter in µJ
 * @energy_uj: what it adds up to exactly, where that is known from elsewhere: the rest that rounding of the powers
 *             left is spread evenly. NULL: the sum of the powers
 *
 * Where powers are missing between others the counter steps back, see es_import_soften(). 0 or -ENOMEM
 */
int es_powers_put(const struct es_powers *powers, struct es_import_series *series,
		  const uint64_t *energy_uj);

#endif
