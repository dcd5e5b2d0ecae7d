/*
 * axis.c - where the ticks of an axis are, and what they say
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/axis.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define S ES_NS_PER_S
#define MIN (60 * S)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
#define POWER_MAX_MW (UINT64_MAX / 16)

struct unit {
	uint64_t size;
	const char *name;
};

/* 1, 2 or 5 times a power of ten, at least @least. */
static uint64_t round_step(uint64_t least)
{
	uint64_t step = 1;

	for (;;) {
		if (step >= least)
			return step;
		if (2 * step >= least)
			return 2 * step;
		if (5 * step >= least)
			return 5 * step;
		step *= 10;
	}
}

static unsigned decimals_of(uint64_t step, uint64_t unit)
{
	unsigned decimals = 0;

	while (decimals < 9 && step % unit != 0) {
		step *= 10;
		decimals++;
	}
	return decimals;
}

void es_power_axis_choose(uint64_t max_mw, unsigned n_ticks, struct es_power_axis *ret)
{
	static const struct unit units[] = {
		{ 1, "mW" }, { 1000, "W" }, { 1000000, "kW" }, { 1000000000, "MW" }
	};
	struct es_power_axis axis = { .unit = "W" };
	size_t i = ES_ARRAY_SIZE(units) - 1;

	if (max_mw == 0)
		max_mw = 1000;
	max_mw = max_mw < POWER_MAX_MW ? max_mw : POWER_MAX_MW;
	n_ticks = n_ticks ? n_ticks : 1;
	axis.step_mw = round_step((max_mw + n_ticks - 1) / n_ticks);
	/* Up to the next tick where it is near, else a little air above the highest value. */
	axis.top_mw = (max_mw + axis.step_mw - 1) / axis.step_mw * axis.step_mw;
	if (axis.top_mw - max_mw > axis.step_mw / 4 && max_mw >= axis.step_mw)
		axis.top_mw = max_mw + axis.step_mw / 10;
	/* Watts up to 10 kW: what people know of machines. */
	while (i > 0 && (axis.top_mw < units[i].size || (i == 2 && axis.top_mw < 10000000)))
		i--;
	axis.unit = units[i].name;
	axis.unit_mw = units[i].size;
	axis.decimals = decimals_of(axis.step_mw, axis.unit_mw);
	*ret = axis;
}

char *es_power_axis_text(const struct es_power_axis *axis, uint64_t power_mw,
			 char text[static ES_AXIS_TEXT_BYTES])
{
	(void)snprintf(text, ES_AXIS_TEXT_BYTES, "%.*f", (int)axis->decimals,
		       (double)power_mw / (double)axis->unit_mw);
	return text;
}

static int64_t time_step_ns(int64_t least_ns)
{
	static const int64_t steps_ns[] = { 10 * S,   15 * S,	30 * S,	  MIN,	     2 * MIN,
					    5 * MIN,  10 * MIN, 15 * MIN, 30 * MIN,  HOUR,
					    2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
					    2 * DAY,  7 * DAY,	14 * DAY, 28 * DAY };

	if (least_ns <= 5 * S)
		return (int64_t)round_step((uint64_t)least_ns);
	for (size_t i = 0; i < ES_ARRAY_SIZE(steps_ns); i++)
		if (steps_ns[i] >= least_ns)
			return steps_ns[i];
	return (int64_t)round_step((uint64_t)((least_ns - 1) / (28 * DAY)) + 1) * 28 * DAY;
}

void es_time_axis_choose(int64_t dur_ns, unsigned n_ticks, struct es_time_axis *ret)
{
	static const struct unit units[] = {
		{ 1000, "µs" }, { 1000000, "ms" }, { S, "s" },
		{ MIN, "min" }, { HOUR, "h" },	   { DAY, "d" },
	};
	/* From how long on a unit is used: 200 s are still counted in seconds, 3 h in hours. */
	static const int64_t from_ns[] = { 0, 10000, S, 5 * MIN, 2 * HOUR, 4 * DAY };
	struct es_time_axis axis = { .dur_ns = dur_ns > 0 ? dur_ns : 1 };
	size_t i = ES_ARRAY_SIZE(units) - 1;

	n_ticks = n_ticks ? n_ticks : 1;
	axis.step_ns = time_step_ns((axis.dur_ns - 1) / n_ticks + 1);
	while (i > 0 && axis.dur_ns < from_ns[i])
		i--;
	axis.unit = units[i].name;
	axis.unit_ns = (int64_t)units[i].size;
	axis.decimals = decimals_of((uint64_t)axis.step_ns, units[i].size);
	*ret = axis;
}

char *es_time_axis_text(const struct es_time_axis *axis, int64_t t_ns,
			char text[static ES_AXIS_TEXT_BYTES])
{
	(void)snprintf(text, ES_AXIS_TEXT_BYTES, "%.*f", (int)axis->decimals,
		       (double)t_ns / (double)axis->unit_ns);
	return text;
}

char *es_time_axis_clock(const struct es_time_axis *axis, int64_t t_unix_ns,
			 char text[static ES_AXIS_TEXT_BYTES])
{
	time_t t = (time_t)(t_unix_ns / S);
	struct tm tm;

	text[0] = '\0';
	if (axis->step_ns < S || !localtime_r(&t, &tm))
		return text;
	if (strftime(text, ES_AXIS_TEXT_BYTES,
		     axis->step_ns >= DAY	 ? "%d %b"
		     : axis->step_ns >= 10 * MIN ? "%H:%M"
						 : "%H:%M:%S",
		     &tm) == 0)
		text[0] = '\0';
	return text;
}

/* Three digits or more, one letter of size. */
static char *scaled_text(double value, double largest, const char *const *units, size_t n_units,
			 char *text)
{
	size_t i = 0;

	while (i + 1 < n_units && fabs(value) >= largest) {
		value /= 1e3;
		i++;
	}
	(void)snprintf(text, ES_AXIS_TEXT_BYTES, "%.*f %s",
		       fabs(value) < 0.005   ? 0
		       : fabs(value) < 9.995 ? 2
		       : fabs(value) < 99.95 ? 1
					     : 0,
		       value, units[i]);
	return text;
}

char *es_energy_text(double energy_j, char text[static ES_AXIS_TEXT_BYTES])
{
	static const char *const units[] = { "J", "kJ", "MJ", "GJ", "TJ" };

	if (energy_j > 0 && energy_j < 0.1) {
		(void)snprintf(text, ES_AXIS_TEXT_BYTES, "%.3g mJ", energy_j * 1e3);
		return text;
	}
	return scaled_text(energy_j, 999.5, units, ES_ARRAY_SIZE(units), text);
}

char *es_watt_text(uint64_t power_mw, char text[static ES_AXIS_TEXT_BYTES])
{
	static const char *const units[] = { "W", "kW", "MW", "GW" };

	if (power_mw > 0 && power_mw < 100) {
		(void)snprintf(text, ES_AXIS_TEXT_BYTES, "%u mW", (unsigned)power_mw);
		return text;
	}
	return scaled_text((double)power_mw / 1e3, 9999.5, units, ES_ARRAY_SIZE(units), text);
}
