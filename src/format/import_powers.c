/*
 * import_powers.c - a row of mean powers turned into a counter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_powers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/import_json.h"

__extension__ typedef __int128 es_i128;

#define POWER_MAX_UW 1000000000000000ULL /* a gigawatt: more is no power of a node */
#define FJ_PER_UJ 1000000000 /* µW * ns = fJ */

int es_powers_read(struct es_powers *powers, const json_t *watts, int64_t period_ns,
		   int64_t stop_ns)
{
	size_t n = json_array_size(watts);

	*powers = (struct es_powers){ .n = n, .period_ns = period_ns };
	if (n < 2 || period_ns <= 0 || (int64_t)n > INT64_MAX / 4 / period_ns)
		return -ENODATA;
	if (stop_ns > (int64_t)(n - 2) * period_ns && stop_ns <= (int64_t)(n - 1) * period_ns)
		powers->stop_ns = stop_ns;
	powers->uw = malloc(n * sizeof(*powers->uw));
	if (!powers->uw)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!es_import_scaled(json_array_get(watts, i), 1e6, &powers->uw[i]) ||
		    powers->uw[i] > POWER_MAX_UW)
			powers->uw[i] = ES_POWERS_NONE;
	for (size_t i = 1; i < n; i++) {
		if (powers->uw[i] == ES_POWERS_NONE)
			continue;
		powers->first = powers->first ? powers->first : i;
		powers->last = i;
	}
	return 0;
}

void es_powers_finish(struct es_powers *powers)
{
	free(powers->uw);
	*powers = (struct es_powers){ .n = 0 };
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The power that 90 % of the known samples stay below; 0 where that cannot be told */
static uint64_t usual_high_uw(const struct es_powers *powers)
{
	uint64_t *sorted = malloc(powers->n * sizeof(*sorted)), usual = 0;
	size_t n = 0;

	if (!sorted)
		return 0;
	for (size_t i = 0; i < powers->n; i++)
		if (powers->uw[i] != ES_POWERS_NONE)
			sorted[n++] = powers->uw[i];
	if (n > 0) {
		qsort(sorted, n, sizeof(*sorted), by_value);
		usual = sorted[n * 9 / 10];
	}
	free(sorted);
	return usual;
}

/* Average sample @i with those before it for as long as the mean is too high or they are less than half of it. */
static void spread_back(struct es_powers *powers, size_t i, uint64_t peak_uw)
{
	es_i128 sum = powers->uw[i];
	uint64_t mean, rest;
	size_t first = i;

	while (first > 1 && powers->uw[first - 1] != ES_POWERS_NONE) {
		mean = (uint64_t)(sum / (es_i128)(i - first + 1));
		if (mean <= peak_uw && powers->uw[first - 1] >= mean / 2)
			break;
		sum += powers->uw[--first];
	}
	mean = (uint64_t)(sum / (es_i128)(i - first + 1));
	rest = (uint64_t)(sum % (es_i128)(i - first + 1));
	for (size_t j = first; j <= i; j++)
		powers->uw[j] = mean + (j - first < rest);
}

size_t es_powers_tame(struct es_powers *powers, uint64_t peak_mw)
{
	uint64_t usual_uw = usual_high_uw(powers), peak_uw = peak_mw * 1000;
	size_t n_tamed = 0;

	for (size_t i = 1; i < powers->n; i++) {
		uint64_t uw = powers->uw[i], before_uw = powers->uw[i - 1];
		bool has_before = i > 1 && before_uw != ES_POWERS_NONE;
		bool is_jump = has_before && uw > usual_uw * 2 && before_uw < usual_uw / 2;

		if (uw == ES_POWERS_NONE || usual_uw == 0 || (uw <= peak_uw && !is_jump))
			continue;
		spread_back(powers, i, peak_uw);
		n_tamed++;
	}
	return n_tamed;
}

static int64_t end_ns(const struct es_powers *powers, size_t i)
{
	int64_t t_ns = i + 1 == powers->n && powers->stop_ns ? powers->stop_ns
							     : (int64_t)i * powers->period_ns;

	return i == powers->last ? t_ns - powers->tail_ns : t_ns;
}

static int64_t length_ns(const struct es_powers *powers, size_t i)
{
	int64_t start_ns = (int64_t)(i - 1) * powers->period_ns;

	return end_ns(powers, i) - (i == powers->first ? start_ns + powers->head_ns : start_ns);
}

void es_powers_shorten(struct es_powers *powers, int64_t covered_ns)
{
	int64_t missing_ns = -covered_ns, half_ns;

	if (covered_ns <= 0 || powers->first == 0)
		return;
	for (size_t i = 1; i < powers->n; i++)
		if (powers->uw[i] != ES_POWERS_NONE)
			missing_ns += length_ns(powers, i);
	half_ns = length_ns(powers, powers->first) / 2;
	if (missing_ns <= 0)
		return;
	powers->head_ns = missing_ns < half_ns ? missing_ns : half_ns;
	missing_ns -= powers->head_ns;
	half_ns = length_ns(powers, powers->last) / 2;
	powers->tail_ns = missing_ns < half_ns ? missing_ns : half_ns;
}

/* Energy in fJ of the known intervals; and the time of those that are above zero, or of all. */
static es_i128 sum_fj(const struct es_powers *powers, int64_t *ret_covered_ns,
		      int64_t *ret_above_zero_ns)
{
	es_i128 fj = 0;

	*ret_covered_ns = *ret_above_zero_ns = 0;
	for (size_t i = 1; i < powers->n; i++) {
		if (powers->uw[i] == ES_POWERS_NONE)
			continue;
		fj += (es_i128)powers->uw[i] * length_ns(powers, i);
		*ret_covered_ns += length_ns(powers, i);
		*ret_above_zero_ns += powers->uw[i] > 0 ? length_ns(powers, i) : 0;
	}
	return fj;
}

uint64_t es_powers_energy_uj(const struct es_powers *powers, int64_t *ret_covered_ns)
{
	int64_t above_zero_ns;
	es_i128 uj = (sum_fj(powers, ret_covered_ns, &above_zero_ns) + FJ_PER_UJ / 2) / FJ_PER_UJ;

	return uj > INT64_MAX / 2 ? INT64_MAX / 2 : (uint64_t)uj;
}

/* What is left between the powers' sum and the exact energy, as a rate over the intervals that share it. */
struct rest {
	es_i128 fj;
	int64_t over_ns, done_ns;
	bool only_above_zero; /* a power of 0 must not become less than nothing */
};

static struct rest find_rest(const struct es_powers *powers, const uint64_t *energy_uj)
{
	int64_t covered_ns, above_zero_ns;
	es_i128 fj = sum_fj(powers, &covered_ns, &above_zero_ns);
	struct rest rest = { .fj = energy_uj ? (es_i128)*energy_uj * FJ_PER_UJ - fj : 0 };

	rest.only_above_zero = rest.fj < 0;
	rest.over_ns = rest.only_above_zero ? above_zero_ns : covered_ns;
	if (rest.over_ns == 0)
		rest.fj = 0;
	return rest;
}

/* The part of the rest that belongs to what is done so far; the quotient apart, so that nothing overflows. */
static es_i128 done_fj(const struct rest *rest)
{
	if (rest->over_ns == 0)
		return 0;
	return rest->fj / rest->over_ns * rest->done_ns +
	       rest->fj % rest->over_ns * rest->done_ns / rest->over_ns;
}

static size_t count_breaks(const struct es_powers *powers)
{
	bool is_in = false, has_any = false;
	size_t n = 0;

	for (size_t i = 1; i < powers->n; i++) {
		bool is_known = powers->uw[i] != ES_POWERS_NONE;

		n += is_known && !is_in && has_any;
		has_any = has_any || is_known;
		is_in = is_known;
	}
	return n;
}

int es_powers_put(const struct es_powers *powers, struct es_import_series *series,
		  const uint64_t *energy_uj)
{
	struct rest rest = find_rest(powers, energy_uj);
	size_t breaks = count_breaks(powers);
	uint64_t base_uj = (breaks < 1000000 ? breaks : 1000000) * ES_IMPORT_RESET_STEP_UJ,
		 last_uj = 0;
	bool is_in = false;
	es_i128 fj = 0;

	for (size_t i = 1; i < powers->n; i++) {
		es_i128 uj;

		if (powers->uw[i] == ES_POWERS_NONE) {
			is_in = false;
			continue;
		}
		if (!is_in && series->n > 0 && base_uj > 0)
			base_uj -= ES_IMPORT_RESET_STEP_UJ;
		if (!is_in && es_import_series_add(series, end_ns(powers, i) - length_ns(powers, i),
						   base_uj + last_uj) < 0)
			return -ENOMEM;
		is_in = true;
		fj += (es_i128)powers->uw[i] * length_ns(powers, i);
		rest.done_ns += rest.only_above_zero && powers->uw[i] == 0 ? 0
									   : length_ns(powers, i);
		uj = (fj + done_fj(&rest) + FJ_PER_UJ / 2) / FJ_PER_UJ;
		if (uj > (es_i128)last_uj)
			last_uj = uj > INT64_MAX / 2 ? INT64_MAX / 2 : (uint64_t)uj;
		if (es_import_series_add(series, end_ns(powers, i), base_uj + last_uj) < 0)
			return -ENOMEM;
	}
	return 0;
}
