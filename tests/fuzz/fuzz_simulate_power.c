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

/* Each line is of a class that there is, and is found by it. */
static void check_classes(const struct es_simulate_power *power)
{
	for (size_t i = 0; i < power->n; i++) {
		const struct es_simulate_row *row = &power->rows[i];

		fuzz_require(row->class < power->n_classes);
		fuzz_require(es_simulate_power_find(power, row->job, row->class) == row);
		fuzz_require(row->time_s == -1 || row->time_s >= 0);
	}
}

static void try(const uint8_t *data, size_t n, bool has_classes)
{
	static const char names[2][ES_NAME_MAX_BYTES] = { "cpu", "gpu" };
	struct es_simulate_power power = { .is_known = true };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text)
		return;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	if (has_classes) {
		power.class_names = names;
		power.n_classes = 2;
	}
	r = es_simulate_power_parse(&power, text, n, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	if (r == 0 && has_classes)
		check_classes(&power);
	else if (r == 0)
		check(&power);
	es_simulate_power_finish(&power);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	try(data, n, false);
	try(data, n, true);
	return 0;
}
