/*
 * simulate_carbon.c - carbon intensities over time for a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_carbon.h"

#include <errno.h>

int es_simulate_carbon_read(struct es_simulate_carbon *carbon, const char *path, const char *zone,
			    struct es_error *err)
{
	const struct es_carbon_wish wish = { .zone = zone, .is_zone_given = zone != NULL };
	const struct es_intensity *series = NULL, *market;
	int r = es_carbon_file_read(&carbon->file, path, err);

	if (r == 0)
		r = es_carbon_file_choose(&carbon->file, path, &wish, &series, &market, err);
	if (r < 0)
		return r;
	if (!series)
		return es_error_say(err, -ENODATA, "'%s': there are only market-based figures",
				    path);
	r = es_simulate_rates_set(&carbon->rates, series);
	return r < 0 ? es_error_set(err, r, "'%s'", path) : 0;
}

void es_simulate_carbon_finish(struct es_simulate_carbon *carbon)
{
	es_simulate_rates_finish(&carbon->rates);
	es_carbon_file_finish(&carbon->file);
}
