/*
 * fuzz_carbon.c - any bytes as a file with carbon intensities: CSV, JSON of four services, XML of ENTSO-E
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "format/carbon_file.h"
#include "fuzz/target.h"

#define KWH_UJ UINT64_C(3600000000000)

/* Slots in order, apart from each other, with intensities. */
static void check(const struct es_intensity *series)
{
	for (size_t i = 0; i < series->n; i++) {
		const struct es_slot *slot = &series->slots[i];

		fuzz_require(slot->start_ns < slot->stop_ns);
		fuzz_require(i == 0 || slot[-1].stop_ns <= slot->start_ns);
		fuzz_require(slot->g_per_kwh >= 0 && slot->g_per_kwh <= ES_G_PER_KWH_MAX);
	}
}

/* A job over the first figure and as long again: grams lie between what its figures say. */
static void lay(const struct es_intensity *series)
{
	const struct es_slot *slot = &series->slots[0];
	struct es_piece pieces[2] = {
		{ .start_ns = slot->start_ns, .stop_ns = slot->stop_ns, .energy_uj = KWH_UJ },
		{ .start_ns = slot->stop_ns, .stop_ns = slot->stop_ns + 1, .energy_uj = KWH_UJ },
	};
	struct es_footing footing;

	es_intensity_lay(series, pieces, 2, 1, &footing);
	fuzz_require(footing.has_gco2);
	fuzz_require(footing.coverage > 0 && footing.coverage <= 1);
	fuzz_require(footing.gco2 >= slot->g_per_kwh * 0.999 &&
		     footing.gco2 <= 2.001 * ES_G_PER_KWH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct es_carbon_wish wish = { .zone = "FR" };
	const struct es_intensity *location = NULL, *market = NULL;
	struct es_carbon_file file = { .n = 0 };
	struct es_error err = { .code = 0 };
	char *copy = malloc(n + 1);
	int r;

	if (!copy)
		return 0;
	if (n > 0)
		memcpy(copy, data, n);
	copy[n] = '\0';
	r = es_carbon_file_parse(&file, "input", copy, n, &err);
	if (r == 0)
		r = es_carbon_file_prepare(&file, &err);
	fuzz_require(r >= 0 || err.text[0]);
	for (size_t i = 0; r == 0 && i < file.n; i++)
		check(&file.series[i]);
	if (r == 0 && file.n_slots > 0 &&
	    es_carbon_file_choose(&file, "input", &wish, &location, &market, &err) == 0 && location)
		lay(location);
	es_carbon_file_finish(&file);
	free(copy);
	return 0;
}
