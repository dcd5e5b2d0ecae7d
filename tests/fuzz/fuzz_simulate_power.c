/*
 * fuzz_simulate_power.c - any bytes as a table of what jobs draw
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "cli/simulate_power.h"
#include "fuzz/target.h"

/* What was taken can be asked for, and is what it says. */
static void check(struct es_simulate_power *power)
{
	fuzz_require(power->n > 0 && es_simulate_power_unused(power) == power->n);
	for (size_t i = 0; i < power->n; i++) {
		struct es_sim_job job = { .id = power->rows[i].job, .procs = 1, .run_s = 10 };
		double joules = -1;
		int r = es_simulate_power_of(power, &job, &joules, NULL);

		fuzz_require(power->rows[i].value >= 0);
		fuzz_require(i == 0 || power->rows[i - 1].job < power->rows[i].job);
		fuzz_require(r == 0 || r == -ERANGE);
		fuzz_require(r < 0 || (joules >= 0 && job.extra_mw >= 0));
	}
	fuzz_require(es_simulate_power_unused(power) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_simulate_power power = { .is_known = true };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	r = es_simulate_power_parse(&power, text, n, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	if (r == 0)
		check(&power);
	es_simulate_power_finish(&power);
	free(text);
	return 0;
}
