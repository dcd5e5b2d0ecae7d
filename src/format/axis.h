/*
 * axis.h - where the ticks of an axis are, and what they say
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_AXIS_H
#define ES_FORMAT_AXIS_H

#include <stddef.h>
#include <stdint.h>

#define ES_AXIS_TEXT_BYTES 24U

/** struct es_power_axis - from 0 to a little above the highest value; ticks are multiples of the step */
struct es_power_axis {
	uint64_t top_mw, step_mw;
	const char *unit; /* mW, W, kW, MW */
	uint64_t unit_mw;
	unsigned decimals;
};

/** es_power_axis_choose - so that @max_mw fits and there are at most about @n_ticks; 0 W gives an axis of 1 W */
void es_power_axis_choose(uint64_t max_mw, unsigned n_ticks, struct es_power_axis *ret);
/** es_power_axis_text - a tick's number in the axis' unit; returns @text */
char *es_power_axis_text(const struct es_power_axis *axis, uint64_t power_mw,
			 char text[static ES_AXIS_TEXT_BYTES]);

/** struct es_time_axis - from 0, in the unit that people would use for so long a time */
struct es_time_axis {
	int64_t dur_ns, step_ns, unit_ns;
	const char *unit; /* us, ms, s, min, h, d */
	unsigned decimals;
};

/** es_time_axis_choose - round steps (1, 2, 5 of ms and s; 1, 2, 5, 10, 15, 30 min; 1, 2, 3, 6, 12 h), at most @n_ticks of them */
void es_time_axis_choose(int64_t dur_ns, unsigned n_ticks, struct es_time_axis *ret);
char *es_time_axis_text(const struct es_time_axis *axis, int64_t t_ns,
			char text[static ES_AXIS_TEXT_BYTES]);
/** es_time_axis_clock - the wall clock at a tick, local time: 12:30, or 12:30:05 where steps are shorter than a minute; "" for steps below 1 s */
char *es_time_axis_clock(const struct es_time_axis *axis, int64_t t_unix_ns,
			 char text[static ES_AXIS_TEXT_BYTES]);

/** es_energy_text - joules in a unit people can hold: 12.3 J, 4.56 kJ, 7.89 MJ; es_watt_text: likewise mW, W, kW, MW */
char *es_energy_text(double energy_j, char text[static ES_AXIS_TEXT_BYTES]);
char *es_watt_text(uint64_t power_mw, char text[static ES_AXIS_TEXT_BYTES]);

#endif
