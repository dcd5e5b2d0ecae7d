/*
 * simulate_carbon.c - grams of what a replayed trace draws, by carbon intensities over time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_carbon.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

int es_simulate_carbon_read(struct es_simulate_carbon *carbon, const char *path, const char *zone,
			    struct es_error *err)
{
	const struct es_carbon_wish wish = { .zone = zone, .is_zone_given = zone != NULL };
	const struct es_intensity *market;
	int r = es_carbon_file_read(&carbon->file, path, err);

	if (r == 0)
		r = es_carbon_file_choose(&carbon->file, path, &wish, &carbon->series, &market,
					  err);
	if (r < 0)
		return r;
	if (!carbon->series)
		return es_error_say(err, -ENODATA, "'%s': there are only market-based figures",
				    path);
	carbon->sums_gs = calloc(carbon->series->n + 1, sizeof(*carbon->sums_gs));
	carbon->forecast_gs = calloc(carbon->series->n + 1, sizeof(*carbon->forecast_gs));
	carbon->sums_s = calloc(carbon->series->n + 1, sizeof(*carbon->sums_s));
	if (!carbon->sums_gs || !carbon->forecast_gs || !carbon->sums_s)
		return es_error_set(err, -ENOMEM, "'%s'", path);
	for (size_t i = 0; i < carbon->series->n; i++) {
		const struct es_slot *slot = &carbon->series->slots[i];
		double length_s = (double)(slot->stop_ns - slot->start_ns) / 1e9;

		carbon->sums_s[i + 1] = carbon->sums_s[i] + length_s;
		carbon->sums_gs[i + 1] = carbon->sums_gs[i] + slot->g_per_kwh * length_s;
	}
	es_simulate_carbon_forecast(carbon, 0, 0);
	carbon->is_known = true;
	return 0;
}

void es_simulate_carbon_finish(struct es_simulate_carbon *carbon)
{
	es_carbon_file_finish(&carbon->file);
	free(carbon->sums_gs);
	free(carbon->forecast_gs);
	free(carbon->sums_s);
	*carbon = (struct es_simulate_carbon){ .is_known = false };
}

/* How many slots begin at or before a time. */
static size_t begun(const struct es_intensity *series, int64_t t_ns)
{
	size_t low = 0, high = series->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (series->slots[mid].start_ns <= t_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int64_t unix_ns(const struct es_simulate_carbon *carbon, int64_t at_s)
{
	const int64_t most_s = ES_TIME_MAX_NS / ES_NS_PER_S; /* nothing has figures for then */
	int64_t t_s = carbon->unix_start_s + at_s;

	return (t_s < most_s ? t_s : most_s) * ES_NS_PER_S;
}

int es_simulate_carbon_check(const struct es_simulate_carbon *carbon, int64_t from_s, int64_t to_s,
			     struct es_error *err)
{
	const struct es_intensity *series = carbon->series;
	int64_t at_ns = unix_ns(carbon, from_s), end_ns = unix_ns(carbon, to_s);
	char text[ES_TIME_TEXT_BYTES];

	for (size_t i = begun(series, at_ns); i > 0 && i <= series->n && at_ns < end_ns; i++) {
		const struct es_slot *slot = &series->slots[i - 1];

		if (slot->start_ns > at_ns || slot->stop_ns <= at_ns)
			break;
		at_ns = slot->stop_ns;
	}
	if (at_ns >= end_ns && begun(series, at_ns) > 0)
		return 0;
	return es_error_say(err, -ENODATA, "there is no figure for %s",
			    es_time_rfc3339(at_ns, text));
}

/* What the slots sum up to until a time: straight within each, level where there is none. */
static double up_to(const struct es_simulate_carbon *carbon, const double *sums, int64_t at_s)
{
	int64_t t_ns = unix_ns(carbon, at_s);
	size_t n = begun(carbon->series, t_ns);
	const struct es_slot *slot;

	if (n == 0)
		return 0;
	slot = &carbon->series->slots[n - 1];
	if (t_ns >= slot->stop_ns)
		return sums[n];
	return sums[n - 1] + (sums[n] - sums[n - 1]) * ((double)(t_ns - slot->start_ns) /
							(double)(slot->stop_ns - slot->start_ns));
}

static double between(const struct es_simulate_carbon *carbon, const double *sums, int64_t from_s,
		      int64_t to_s)
{
	return up_to(carbon, sums, to_s) - up_to(carbon, sums, from_s);
}

double es_simulate_carbon_lay(const struct es_simulate_carbon *carbon, int64_t from_s, int64_t to_s)
{
	return between(carbon, carbon->sums_gs, from_s, to_s);
}

double es_simulate_carbon_at(const struct es_simulate_carbon *carbon, int64_t at_s)
{
	size_t n = begun(carbon->series, unix_ns(carbon, at_s));

	return n > 0 ? carbon->series->slots[n - 1].g_per_kwh : 0;
}

/* A normal number for each slot: twelve uniform ones less six (Irwin and Hall), by splitmix64. */
static double normal(uint64_t seed, uint64_t slot)
{
	uint64_t state =
		seed * UINT64_C(0xd1342543de82ef95) + slot * 12 * UINT64_C(0x9e3779b97f4a7c15);
	double sum = -6;

	for (int i = 0; i < 12; i++) {
		uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		sum += (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
	}
	return sum;
}

void es_simulate_carbon_forecast(struct es_simulate_carbon *carbon, double error, uint64_t seed)
{
	for (size_t i = 0; i < carbon->series->n; i++) {
		double factor = 1 + (error > 0 ? error * normal(seed, i) : 0);
		double sum_gs = carbon->sums_gs[i + 1] - carbon->sums_gs[i];

		carbon->forecast_gs[i + 1] =
			carbon->forecast_gs[i] + (factor > 0 ? sum_gs * factor : 0);
	}
}

/* A start to be tried, and the best so far. */
struct choice {
	const struct es_simulate_carbon *carbon;
	int64_t submit_s, length_s, window_s;
	int64_t hold_s;
	double least_gs;
};

static void try_hold(struct choice *choice, int64_t hold_s)
{
	const struct es_simulate_carbon *carbon = choice->carbon;
	int64_t from_s = choice->submit_s + hold_s, to_s = from_s + choice->length_s;
	double sum_gs;

	if (hold_s < 0 || hold_s > choice->window_s ||
	    between(carbon, carbon->sums_s, from_s, to_s) < (double)choice->length_s - 1e-3)
		return;
	sum_gs = between(carbon, carbon->forecast_gs, from_s, to_s);
	/* What differs by rounding only is the same: the sums are of years. */
	if (sum_gs > choice->least_gs * (1 + 1e-9) ||
	    (sum_gs > choice->least_gs * (1 - 1e-9) && hold_s >= choice->hold_s))
		return;
	choice->least_gs = sum_gs;
	choice->hold_s = hold_s;
}

int64_t es_simulate_carbon_hold(const struct es_simulate_carbon *carbon, int64_t submit_s,
				int64_t length_s, int64_t window_s)
{
	struct choice choice = {
		.carbon = carbon, .submit_s = submit_s, .length_s = length_s, .window_s = window_s
	};
	const struct es_intensity *series = carbon->series;
	size_t i = begun(series, unix_ns(carbon, submit_s));

	if (length_s == 0 || between(carbon, carbon->sums_s, submit_s, submit_s + length_s) <
				     (double)length_s - 1e-3)
		return 0;
	choice.least_gs = between(carbon, carbon->forecast_gs, submit_s, submit_s + length_s);
	/* The sum over a run is a straight line between starts at which it begins or ends with a slot. */
	for (i = i > 0 ? i - 1 : 0; i < series->n; i++) {
		int64_t edge_s = series->slots[i].start_ns / ES_NS_PER_S - carbon->unix_start_s;
		int64_t stop_s = series->slots[i].stop_ns / ES_NS_PER_S - carbon->unix_start_s;

		if (edge_s - length_s > submit_s + window_s)
			break;
		try_hold(&choice, edge_s - submit_s);
		try_hold(&choice, edge_s - length_s - submit_s);
		try_hold(&choice, stop_s - length_s - submit_s);
	}
	try_hold(&choice, window_s);
	return choice.hold_s;
}
