/*
 * import_place.c - readings whose times are not sure, kept only as far as the power they imply can be believed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_place.h"

#include <stdbool.h>

#include "core/counter.h"

__extension__ typedef unsigned __int128 es_u128;

#define SURE_PART 10 /* a time is sure when it is known to 1/10 of the interval */
#define LOOK_AHEAD 256 /* readings: a stretch that needs more is not looked for */
#define LIMIT_PERCENT 120

static bool is_sure(const struct es_place_reading *a, const struct es_place_reading *b)
{
	int64_t unsure_ns = a->unsure_ns > b->unsure_ns ? a->unsure_ns : b->unsure_ns;

	return unsure_ns <= (b->t_ns - a->t_ns) / SURE_PART;
}

/* Mean power between two readings; a step back of a counter that does not wrap says nothing: 0. */
static uint64_t power_mw(const struct es_place_rule *rule, const struct es_place_reading *a,
			 const struct es_place_reading *b)
{
	uint64_t steps = b->value - a->value;
	es_u128 uj;

	if (rule->width_bits == 32)
		steps &= UINT32_MAX;
	else if (b->value < a->value)
		return 0;
	uj = (es_u128)steps * rule->unit_num / rule->unit_den;
	return es_mean_power_mw(uj > UINT64_MAX ? UINT64_MAX : (uint64_t)uj, b->t_ns - a->t_ns);
}

/* The highest mean power over stretches whose ends are sure; what passes the peak is a reset or garbage. */
static uint64_t highest_sure_mw(const struct es_place_rule *rule,
				const struct es_place_reading *readings, size_t n)
{
	uint64_t highest_mw = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t mw;
		size_t j = i + 1;

		while (j < n && j - i <= LOOK_AHEAD && !is_sure(&readings[i], &readings[j]))
			j++;
		if (j >= n || j - i > LOOK_AHEAD)
			continue;
		mw = power_mw(rule, &readings[i], &readings[j]);
		if (mw > highest_mw && mw <= rule->peak_mw)
			highest_mw = mw;
	}
	if (highest_mw == 0 && n > 1)
		highest_mw = power_mw(rule, &readings[0], &readings[n - 1]);
	return highest_mw;
}

static uint64_t find_ceiling_mw(const struct es_place_rule *rule,
				const struct es_place_reading *readings, size_t n)
{
	uint64_t by_readings_mw =
		highest_sure_mw(rule, readings, n) / 100 * (100 + rule->over_percent);
	uint64_t by_limit_mw = rule->limit_mw / 100 * LIMIT_PERCENT;

	return by_readings_mw > by_limit_mw ? by_readings_mw : by_limit_mw;
}

static size_t drop_unordered(struct es_place_reading *readings, size_t n, size_t *ret_n_dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && readings[i].t_ns <= readings[kept - 1].t_ns)
			continue;
		readings[kept++] = readings[i];
	}
	*ret_n_dropped = n - kept;
	return kept;
}

/* The last reading stays whatever its time: as much later as its power needs to be believed, and as it can have been. */
static void delay(const struct es_place_rule *rule, const struct es_place_reading *before,
		  uint64_t ceiling_mw, struct es_place_reading *last)
{
	int64_t dur_ns = last->t_ns - before->t_ns, longer_ns;
	uint64_t mw = power_mw(rule, before, last);

	if (ceiling_mw == 0 || mw <= ceiling_mw || is_sure(before, last))
		return;
	longer_ns = (int64_t)((es_u128)dur_ns * mw / ceiling_mw) - dur_ns;
	last->t_ns += longer_ns < last->unsure_ns ? longer_ns : last->unsure_ns;
}

size_t es_place_sift(struct es_place_reading *readings, size_t n, const struct es_place_rule *rule,
		     struct es_place_result *ret)
{
	struct es_place_result result = { .n_unsure = 0 };
	size_t kept = 0;

	n = drop_unordered(readings, n, &result.n_unordered);
	result.ceiling_mw = find_ceiling_mw(rule, readings, n);
	for (size_t i = 0; i < n; i++) {
		struct es_place_reading reading = readings[i];
		bool is_last = i + 1 == n, is_dropped = false;

		if (kept > 0 && !is_last && rule->drop_ns && reading.unsure_ns > rule->drop_ns)
			continue;
		while (kept > 0 &&
		       power_mw(rule, &readings[kept - 1], &reading) > result.ceiling_mw) {
			const struct es_place_reading *top = &readings[kept - 1];

			if (is_sure(top, &reading))
				break;
			/* Which of the two is wrong: this one if its own time is unsure, else the one before. */
			is_dropped = !is_last &&
				     reading.unsure_ns > (reading.t_ns - top->t_ns) / SURE_PART;
			if (is_dropped || kept == 1)
				break;
			kept--;
		}
		if (is_dropped)
			continue;
		if (is_last && kept > 0)
			delay(rule, &readings[kept - 1], result.ceiling_mw, &reading);
		readings[kept++] = reading;
	}
	result.n_unsure = n - kept;
	*ret = result;
	return kept;
}
