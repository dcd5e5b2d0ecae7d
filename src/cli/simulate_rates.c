/*
 * simulate_rates.c - what a kWh stands for over time, in grams or in money, laid over a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_rates.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/parse.h"

int es_simulate_rates_set(struct es_simulate_rates *rates, const struct es_intensity *series)
{
	rates->series = series;
	rates->sums = calloc(series->n + 1, sizeof(*rates->sums));
	rates->forecast = calloc(series->n + 1, sizeof(*rates->forecast));
	rates->sums_s = calloc(series->n + 1, sizeof(*rates->sums_s));
	if (!rates->sums || !rates->forecast || !rates->sums_s)
		return -ENOMEM;
	for (size_t i = 0; i < series->n; i++) {
		const struct es_slot *slot = &series->slots[i];
		double length_s = (double)(slot->stop_ns - slot->start_ns) / 1e9;

		rates->sums_s[i + 1] = rates->sums_s[i] + length_s;
		rates->sums[i + 1] = rates->sums[i] + slot->g_per_kwh * length_s;
		rates->rounding += 1e-14 * fabs(slot->g_per_kwh) * length_s;
	}
	es_simulate_rates_forecast(rates, 0, 0);
	rates->is_known = true;
	return 0;
}

void es_simulate_rates_finish(struct es_simulate_rates *rates)
{
	free(rates->sums);
	free(rates->forecast);
	free(rates->sums_s);
	*rates = (struct es_simulate_rates){ .is_known = false };
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

static int64_t unix_ns(const struct es_simulate_rates *rates, int64_t at_s)
{
	const int64_t most_s = ES_TIME_MAX_NS / ES_NS_PER_S; /* nothing has figures for then */
	int64_t t_s = rates->unix_start_s + at_s;

	return (t_s < most_s ? t_s : most_s) * ES_NS_PER_S;
}

int es_simulate_rates_check(const struct es_simulate_rates *rates, int64_t from_s, int64_t to_s,
			    struct es_error *err)
{
	const struct es_intensity *series = rates->series;
	int64_t at_ns = unix_ns(rates, from_s), end_ns = unix_ns(rates, to_s);
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
static double up_to(const struct es_simulate_rates *rates, const double *sums, int64_t at_s)
{
	int64_t t_ns = unix_ns(rates, at_s);
	size_t n = begun(rates->series, t_ns);
	const struct es_slot *slot;

	if (n == 0)
		return 0;
	slot = &rates->series->slots[n - 1];
	if (t_ns >= slot->stop_ns)
		return sums[n];
	return sums[n - 1] + (sums[n] - sums[n - 1]) * ((double)(t_ns - slot->start_ns) /
							(double)(slot->stop_ns - slot->start_ns));
}

static double between(const struct es_simulate_rates *rates, const double *sums, int64_t from_s,
		      int64_t to_s)
{
	return up_to(rates, sums, to_s) - up_to(rates, sums, from_s);
}

double es_simulate_rates_lay(const struct es_simulate_rates *rates, int64_t from_s, int64_t to_s)
{
	return between(rates, rates->sums, from_s, to_s);
}

double es_simulate_rates_at(const struct es_simulate_rates *rates, int64_t at_s)
{
	size_t n = begun(rates->series, unix_ns(rates, at_s));

	return n > 0 ? rates->series->slots[n - 1].g_per_kwh : 0;
}

double es_simulate_rates_of(const struct es_simulate_rates *rates, double joules, int64_t from_s,
			    int64_t to_s)
{
	double kwh = joules / ES_J_PER_KWH;

	if (to_s > from_s)
		return kwh / (double)(to_s - from_s) * es_simulate_rates_lay(rates, from_s, to_s);
	return kwh * es_simulate_rates_at(rates, from_s);
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

void es_simulate_rates_forecast(struct es_simulate_rates *rates, double error, uint64_t seed)
{
	for (size_t i = 0; i < rates->series->n; i++) {
		double factor = 1 + (error > 0 ? error * normal(seed, i) : 0);
		double sum = rates->sums[i + 1] - rates->sums[i];

		rates->forecast[i + 1] = rates->forecast[i] + (factor > 0 ? sum * factor : 0);
	}
}

/* A start to be tried, and the best so far. */
struct choice {
	const struct es_simulate_rates *rates;
	int64_t submit_s, length_s, window_s;
	int64_t hold_s;
	double least;
};

static void try_hold(struct choice *choice, int64_t hold_s)
{
	const struct es_simulate_rates *rates = choice->rates;
	int64_t from_s = choice->submit_s + hold_s, to_s = from_s + choice->length_s;
	double sum, slack;

	if (hold_s < 0 || hold_s > choice->window_s ||
	    between(rates, rates->sums_s, from_s, to_s) < (double)choice->length_s - 1e-3)
		return;
	sum = between(rates, rates->forecast, from_s, to_s);
	/* What differs by rounding only is the same: the sums are of years. */
	slack = 1e-9 * fabs(choice->least) + rates->rounding;
	if (sum > choice->least + slack ||
	    (sum > choice->least - slack && hold_s >= choice->hold_s))
		return;
	choice->least = sum;
	choice->hold_s = hold_s;
}

int64_t es_simulate_rates_hold(const struct es_simulate_rates *rates, int64_t submit_s,
			       int64_t length_s, int64_t window_s)
{
	struct choice choice = {
		.rates = rates, .submit_s = submit_s, .length_s = length_s, .window_s = window_s
	};
	const struct es_intensity *series = rates->series;
	size_t i = begun(series, unix_ns(rates, submit_s));

	if (length_s == 0 ||
	    between(rates, rates->sums_s, submit_s, submit_s + length_s) < (double)length_s - 1e-3)
		return 0;
	choice.least = between(rates, rates->forecast, submit_s, submit_s + length_s);
	/* The sum over a run is a straight line between starts at which it begins or ends with a slot. */
	for (i = i > 0 ? i - 1 : 0; i < series->n; i++) {
		int64_t edge_s = series->slots[i].start_ns / ES_NS_PER_S - rates->unix_start_s;
		int64_t stop_s = series->slots[i].stop_ns / ES_NS_PER_S - rates->unix_start_s;

		if (edge_s - length_s > submit_s + window_s)
			break;
		try_hold(&choice, edge_s - submit_s);
		try_hold(&choice, edge_s - length_s - submit_s);
		try_hold(&choice, stop_s - length_s - submit_s);
	}
	try_hold(&choice, window_s);
	return choice.hold_s;
}
