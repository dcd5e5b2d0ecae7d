/*
 * tune_caps.c - power limits that change nothing, or are not kept
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/tune.h"

#define UNREACHED \
	0.05 /* of the cap: a device that is held by one draws 1 to 2 % less than it at most */
#define EXCEEDED 0.02
#define FACTOR_MAX 2.0 /* powers of all rows above that many times the setting: no caps in watts */

static bool names_caps(const char *text)
{
	static const char *const words[] = { "powerlimit",  "power_limit", "power limit",
					     "power-limit", "powercap",	   "power_cap",
					     "power cap",   "power-cap",   "limit_w",
					     "cap_w",	    "watt",	   "limit[w]",
					     "cap[w]",	    "limit (w",	   "cap (w" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

void es_tune_caps(const struct es_tune *tune, struct es_tune_answer *answer)
{
	bool is_plausible = false;

	/* Relative times and energies make no watts. */
	if (!tune->has_numbers || tune->speed ||
	    (!names_caps(tune->setting) && !names_caps(answer->rows[0].cell)))
		return;
	for (size_t i = 0; i < answer->n; i++) {
		const struct es_opt_point *point = &answer->points[i];

		if (!(answer->rows[i].value > 0))
			return;
		is_plausible |= point->energy / point->time < FACTOR_MAX * answer->rows[i].value;
	}
	if (!is_plausible)
		return;
	answer->is_caps = true;
	for (size_t i = 0; i < answer->n; i++) {
		struct es_tune_row *row = &answer->rows[i];
		double power = answer->points[i].energy / answer->points[i].time;

		row->is_unreached = power < row->value * (1 - UNREACHED);
		row->is_exceeded = power > row->value * (1 + EXCEEDED);
	}
}
