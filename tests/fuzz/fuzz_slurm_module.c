/*
 * fuzz_slurm_module.c - any bytes as a plug-in's file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/slurm_module.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint32_t version = 0;
	char text[ES_SLURM_VERSION_TEXT_BYTES];

	if (es_slurm_module_version(data, n, &version) == 0)
		fuzz_require(es_slurm_version_text(version, text)[0] != '\0');
	return 0;
}
