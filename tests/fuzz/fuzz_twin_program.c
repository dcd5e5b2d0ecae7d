/*
 * fuzz_twin_program.c - any bytes as a workload file; what is taken reads back alike from what is written of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "fuzz/target.h"
#include "twin/phase.h"

static void require_round_trip(const struct es_twin_phase *phase)
{
	char text[ES_TWIN_PHASE_TEXT_BYTES], more[ES_TWIN_PHASE_TEXT_BYTES];
	struct es_twin_phase again;

	fuzz_require(es_twin_phase_reference_ns(phase) >= ES_TWIN_PHASE_MIN_NS);
	fuzz_require(es_twin_phase_parse(es_twin_phase_print(phase, text, sizeof(text)), &again,
					 NULL) == 0);
	fuzz_require(es_twin_phase_reference_ns(phase) == es_twin_phase_reference_ns(&again));
	fuzz_require(strcmp(es_twin_phase_print(&again, more, sizeof(more)), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_twin_program program;
	struct es_error err = { .code = 0 };

	if (es_twin_program_parse((const char *)data, n, &program, &err) < 0) {
		fuzz_require(err.text[0] != '\0');
		return 0;
	}
	fuzz_require(program.n > 0 && program.n <= ES_TWIN_PHASES_MAX && program.repeats > 0);
	for (size_t i = 0; i < program.n; i++)
		require_round_trip(&program.phases[i]);
	es_twin_program_finish(&program);
	return 0;
}
