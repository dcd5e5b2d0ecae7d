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

int es_series_init(struct es_series *series, int64_t t0_ns, int64_t t1_ns, int64_t bin_ns)
{
	size_t n_bins = (size_t)((t1_ns - t0_ns + bin_ns - 1) / bin_ns);

	*series = (struct es_series){
		.t0_ns = t0_ns, .t1_ns = t1_ns, .bin_ns = bin_ns, .n_bins = n_bins
	};
	series->energy_uj = calloc(n_bins + 1, sizeof(*series->energy_uj));
	series->covered_ns = calloc(n_bins + 1, sizeof(*series->covered_ns));
	if (!series->energy_uj || !series->covered_ns) {
		es_series_finish(series);
		return -ENOMEM;
	}
	return 0;
}

void es_series_finish(struct es_series *series)
{
	free(series->energy_uj);
	free(series->covered_ns);
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

	if (part_ns <= 0 || dur_ns <= 0)
		return 0;
	if (part_ns >= dur_ns)
		return sample->energy_uj;
	return (uint64_t)((es_u128)sample->energy_uj * (uint64_t)part_ns / (uint64_t)dur_ns);
}

void es_series_add(struct es_series *series, const struct es_sample *sample)
{
	uint64_t done_uj = 0;
	size_t first, last;

	if (sample->is_gap || series->n_bins == 0)
		return;
	first = bin_of(series, sample->t0_ns);
	last = bin_of(series, sample->t1_ns - 1);
	for (size_t bin = first; bin <= last; bin++) {
		int64_t start_ns = series->t0_ns + (int64_t)bin * series->bin_ns,
			end_ns = start_ns + series->bin_ns;
		uint64_t upto_uj = bin == last ? sample->energy_uj
					       : part_uj(sample, end_ns - sample->t0_ns);

		start_ns = start_ns > sample->t0_ns ? start_ns : sample->t0_ns;
		end_ns = end_ns < sample->t1_ns ? end_ns : sample->t1_ns;
		series->energy_uj[bin] += upto_uj - done_uj;
		series->covered_ns[bin] += end_ns > start_ns ? end_ns - start_ns : 0;
		done_uj = upto_uj;
	}
}

bool es_series_power_mw(const struct es_series *series, size_t bin, uint64_t *ret_mw)
{
	int64_t start_ns = series->t0_ns + (int64_t)bin * series->bin_ns;
	int64_t length_ns = series->t1_ns - start_ns < series->bin_ns ? series->t1_ns - start_ns
								      : series->bin_ns;

	if (series->covered_ns[bin] <= 0 || series->covered_ns[bin] < length_ns / 2)
		return false;
	*ret_mw = es_mean_power_mw(series->energy_uj[bin], series->covered_ns[bin]);
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
