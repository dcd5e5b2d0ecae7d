/*
 * fuzz_simulate_classes.c - any bytes as a table of classes of servers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "cli/simulate_classes.h"
#include "fuzz/target.h"

/* What was taken is a machine that the engine can count. */
static void check(const struct es_simulate_machine *machine)
{
	fuzz_require(machine->n > 0 && machine->n <= ES_SIM_CLASSES_MAX);
	for (unsigned i = 0; i < machine->n; i++) {
		const struct es_sim_class *class = &machine->classes[i];

		fuzz_require(class->procs > 0 && class->node.procs > 0 &&
			     class->procs % class->node.procs == 0);
		fuzz_require(isfinite(machine->speed[i]) && machine->speed[i] > 0);
		fuzz_require(machine->idle_w[i] >= 0);
		fuzz_require(!machine->has_busy[i] || machine->busy_w[i] >= machine->idle_w[i]);
		fuzz_require(class->node.boot_ms >= 0 && class->node.stop_ms >= 0 &&
			     class->node.off_mw >= 0);
		fuzz_require(es_sim_break_even_s(&class->node) >= 0);
		for (unsigned k = 0; k < i; k++)
			fuzz_require(strcmp(machine->names[i], machine->names[k]) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_simulate_machine *machine = calloc(1, sizeof(*machine));
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (machine && text) {
		if (n)
			memcpy(text, data, n);
		text[n] = '\0';
		r = es_simulate_classes_parse(machine, text, n, &err);
		fuzz_require(r == 0 || err.text[0] != '\0');
		if (r == 0)
			check(machine);
	}
	free(machine);
	free(text);
	return 0;
}
