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
	if (!carbon->sums_gs)
		return es_error_set(err, -ENOMEM, "'%s'", path);
	for (size_t i = 0; i < carbon->series->n; i++) {
		const struct es_slot *slot = &carbon->series->slots[i];

		carbon->sums_gs[i + 1] =
			carbon->sums_gs[i] +
			slot->g_per_kwh * ((double)(slot->stop_ns - slot->start_ns) / 1e9);
	}
	carbon->is_known = true;
	return 0;
}

void es_simulate_carbon_finish(struct es_simulate_carbon *carbon)
{
	es_carbon_file_finish(&carbon->file);
	free(carbon->sums_gs);
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

static double up_to(const struct es_simulate_carbon *carbon, int64_t t_ns)
{
	size_t n = begun(carbon->series, t_ns);
	const struct es_slot *slot;

	if (n == 0)
		return 0;
	slot = &carbon->series->slots[n - 1];
	if (t_ns > slot->stop_ns)
		t_ns = slot->stop_ns;
	return carbon->sums_gs[n - 1] + slot->g_per_kwh * ((double)(t_ns - slot->start_ns) / 1e9);
}

double es_simulate_carbon_lay(const struct es_simulate_carbon *carbon, int64_t from_s, int64_t to_s)
{
	return up_to(carbon, unix_ns(carbon, to_s)) - up_to(carbon, unix_ns(carbon, from_s));
}

double es_simulate_carbon_at(const struct es_simulate_carbon *carbon, int64_t at_s)
{
	size_t n = begun(carbon->series, unix_ns(carbon, at_s));

	return n > 0 ? carbon->series->slots[n - 1].g_per_kwh : 0;
}
