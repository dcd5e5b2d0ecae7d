/*
 * twin_steady.c - what the twin's model says of a phase under settings, for tests that compare a live twin with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: es-twin-steady KIND PHASE [core_max_khz=N] [package_limit_uw=N] [gpu_limit_mw=N] [gpu_max_mhz=N]
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "twin/node.h"

static int take_mhz(const char *text, unsigned *ret)
{
	uint64_t mhz;

	if (es_parse_u64(text, &mhz) < 0 || mhz > 10000)
		return -1;
	*ret = (unsigned)mhz;
	return 0;
}

static int take_setting(const char *word, struct es_twin_settings *settings)
{
	const struct {
		const char *key;
		uint64_t *value;
	} keys[] = {
		{ "core_max_khz=", &settings->core_max_khz },
		{ "package_limit_uw=", &settings->package_limit_uw },
		{ "gpu_limit_mw=", &settings->gpu_limit_mw },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncmp(word, keys[i].key, strlen(keys[i].key)) == 0)
			return es_parse_u64(word + strlen(keys[i].key), keys[i].value);
	if (strncmp(word, "gpu_max_mhz=", 12) == 0)
		return take_mhz(word + 12, &settings->gpu_max_mhz);
	return -1;
}

int main(int argc, char **argv)
{
	struct es_twin_settings settings = { .core_max_khz = 0 };
	const struct es_twin_kind *kind = argc > 2 ? es_twin_kind_find(argv[1], NULL) : NULL;
	struct es_error err = { .text = "usage: es-twin-steady KIND PHASE [KEY=N]..." };
	struct es_twin_steady steady;
	struct es_twin_phase phase;
	bool is_good = kind && es_twin_phase_parse(argv[2], &phase, &err) == 0;

	for (int i = 3; is_good && i < argc; i++)
		is_good = take_setting(argv[i], &settings) == 0;
	if (!is_good || es_twin_steady(kind, &settings, &phase, &steady, &err) < 0) {
		(void)fprintf(stderr, "es-twin-steady: %s\n", err.text);
		return 1;
	}
	(void)printf("{\"duration_s\": %.9f, \"node_w\": %.6f, \"package_w\": %.6f, "
		     "\"core_khz\": %" PRIu64 ", \"is_clipped\": %s}\n",
		     (double)steady.dur_ns / 1e9, (double)steady.node_uw / 1e6,
		     (double)steady.package_uw / 1e6, steady.core_khz,
		     steady.is_clipped ? "true" : "false");
	return 0;
}
