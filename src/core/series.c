/*
 * core/series.c - cumulative energy in equal bins of time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/series.h"

#include <errno.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 es_u128;

int64_t es_series_choose_bin_ns(int64_t dur_ns, int64_t period_ns, size_t n_max)
{
	while ((dur_ns - 1) / period_ns >= (int64_t)n_max && period_ns <= INT64_MAX / 2)
		period_ns *= 2;
	return period_ns;
}

int es_series_init(struct es_series *series, int64_t t0_ns, int64_t t1_ns, int64_t bin_ns)
{
	size_t n_bins = (size_t)((t1_ns - t0_ns + bin_ns - 1) / bin_ns);

	*series = (struct es_series){ .t0_ns = t0_ns,
				      .t1_ns = t1_ns,
				      .bin_ns = bin_ns,
				      .n_bins = n_bins,
				      .at_end_ns = INT64_MIN };
	series->energy_uj = calloc(n_bins + 1, sizeof(*series->energy_uj));
	return series->energy_uj ? 0 : -ENOMEM;
}

int es_series_init_open(struct es_series *series, int64_t t0_ns, int64_t bin_ns, size_t n_max)
{
	int r = es_series_init(series, t0_ns, t0_ns + (int64_t)n_max * bin_ns, bin_ns);

	series->grows = true;
	return r;
}

/* Two bins become one, as if they had been one from the start. */
static void double_bins(struct es_series *series)
{
	size_t n_cells = series->n_bins + 1; /* the last one is always 0 */

	for (size_t i = 0; i < series->n_bins; i++) {
		bool has_two = 2 * i + 1 < n_cells, has_one = 2 * i < n_cells;

		series->energy_uj[i] = (has_one ? series->energy_uj[2 * i] : 0) +
				       (has_two ? series->energy_uj[2 * i + 1] : 0);
		if (series->hole_ns)
			series->hole_ns[i] = (has_one ? series->hole_ns[2 * i] : 0) +
					     (has_two ? series->hole_ns[2 * i + 1] : 0);
	}
	series->bin_ns *= 2;
	series->t1_ns = series->t0_ns + (int64_t)series->n_bins * series->bin_ns;
	series->at_end_ns = INT64_MIN;
}

void es_series_close(struct es_series *series, int64_t t1_ns, int64_t bin_ns)
{
	while (series->bin_ns < bin_ns)
		double_bins(series);
	series->grows = false;
	series->t1_ns = t1_ns;
	series->n_bins = (size_t)((t1_ns - series->t0_ns + series->bin_ns - 1) / series->bin_ns);
}

void es_series_finish(struct es_series *series)
{
	free(series->energy_uj);
	free(series->hole_ns);
	*series = (struct es_series){ .n_bins = 0 };
}

static size_t bin_of(const struct es_series *series, int64_t t_ns)
{
	int64_t bin = t_ns < series->t0_ns ? 0 : (t_ns - series->t0_ns) / series->bin_ns;

	return bin >= (int64_t)series->n_bins ? series->n_bins - 1 : (size_t)bin;
}

/* Energy of the first @part_ns of a sample. */
static uint64_t part_uj(const struct es_sample *sample, int64_t part_ns)
{
	int64_t dur_ns = sample->t1_ns - sample->t0_ns;
	uint64_t narrow;

	if (part_ns <= 0 || dur_ns <= 0)
		return 0;
	if (part_ns >= dur_ns)
		return sample->energy_uj;
	if (!__builtin_mul_overflow(sample->energy_uj, (uint64_t)part_ns, &narrow))
		return narrow / (uint64_t)dur_ns;
	return (uint64_t)((es_u128)sample->energy_uj * (uint64_t)part_ns / (uint64_t)dur_ns);
}

/* Of bin @i, what lies between two times. */
static int64_t overlap_ns(const struct es_series *series, size_t i, int64_t start_ns,
			  int64_t end_ns)
{
	int64_t bin_start_ns = series->t0_ns + (int64_t)i * series->bin_ns,
		bin_end_ns = bin_start_ns + series->bin_ns;

	start_ns = start_ns > bin_start_ns ? start_ns : bin_start_ns;
	end_ns = end_ns < bin_end_ns ? end_ns : bin_end_ns;
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

static void add_hole(struct es_series *series, int64_t start_ns, int64_t end_ns)
{
	if (!series->hole_ns)
		series->hole_ns = calloc(series->n_bins + 1, sizeof(*series->hole_ns));
	if (!series->hole_ns) {
		series->lacks_memory = true;
		return;
	}
	for (size_t i = bin_of(series, start_ns); i <= bin_of(series, end_ns - 1); i++)
		series->hole_ns[i] += overlap_ns(series, i, start_ns, end_ns);
}

static void cover(struct es_series *series, const struct es_sample *sample)
{
	if (!series->has_any)
		series->from_ns = sample->t0_ns;
	else if (sample->t0_ns > series->upto_ns)
		add_hole(series, series->upto_ns, sample->t0_ns);
	if (!series->has_any || sample->t1_ns > series->upto_ns)
		series->upto_ns = sample->t1_ns;
	series->has_any = true;
}

void es_series_add(struct es_series *series, const struct es_sample *sample)
{
	uint64_t done_uj = 0;
	size_t first, last;

	if (sample->is_gap || series->n_bins == 0)
		return;
	while (series->grows && sample->t1_ns > series->t1_ns)
		double_bins(series);
	cover(series, sample);
	if (sample->t0_ns >= series->at_start_ns && sample->t1_ns <= series->at_end_ns) {
		series->energy_uj[series->at] += sample->energy_uj;
		return;
	}
	first = bin_of(series, sample->t0_ns);
	last = bin_of(series, sample->t1_ns - 1);
	for (size_t bin = first; bin <= last; bin++) {
		int64_t end_ns = series->t0_ns + (int64_t)(bin + 1) * series->bin_ns;
		uint64_t upto_uj = bin == last ? sample->energy_uj
					       : part_uj(sample, end_ns - sample->t0_ns);

		series->energy_uj[bin] += upto_uj - done_uj;
		done_uj = upto_uj;
	}
	series->at = last;
	series->at_start_ns = series->t0_ns + (int64_t)last * series->bin_ns;
	series->at_end_ns = series->at_start_ns + series->bin_ns;
}

int64_t es_series_covered_ns(const struct es_series *series, size_t bin)
{
	if (!series->has_any || series->lacks_memory)
		return 0;
	return overlap_ns(series, bin, series->from_ns, series->upto_ns) -
	       (series->hole_ns ? series->hole_ns[bin] : 0);
}

bool es_series_power_mw(const struct es_series *series, size_t bin, uint64_t *ret_mw)
{
	int64_t start_ns = series->t0_ns + (int64_t)bin * series->bin_ns;
	int64_t length_ns = series->t1_ns - start_ns < series->bin_ns ? series->t1_ns - start_ns
								      : series->bin_ns;
	int64_t covered_ns = es_series_covered_ns(series, bin);

	if (covered_ns <= 0 || covered_ns < length_ns / 2)
		return false;
	*ret_mw = es_mean_power_mw(series->energy_uj[bin], covered_ns);
	return true;
}

void es_edge_add(struct es_edge *edge, const struct es_sample *sample)
{
	uint64_t before_uj, after_uj;

	if (sample->is_gap || sample->t0_ns >= edge->t_ns)
		return;
	if (sample->t1_ns <= edge->t_ns) {
		edge->energy_uj += sample->energy_uj;
		return;
	}
	before_uj = part_uj(sample, edge->t_ns - sample->t0_ns);
	after_uj = sample->energy_uj - before_uj;
	edge->energy_uj += before_uj;
	edge->bound_uj = before_uj < after_uj ? after_uj : before_uj;
}
