/*
 * fuzz_slurm_conf.c - any bytes as a site's slurm.conf and plugstack.conf
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "cli/slurm_conf.h"
#include "cli/slurm_module.h"
#include "fuzz/target.h"

static int on_pair(void *arg, const char *key, const char *value)
{
	size_t *n = arg;

	fuzz_require(strlen(key) > 0 && strlen(key) < ES_SLURM_KEY_MAX_BYTES);
	fuzz_require(strlen(value) < ES_SLURM_VALUE_MAX_BYTES);
	fuzz_require(!strchr(key, '=') && !strchr(value, '\n'));
	(void)es_slurm_conf_lists(value, "Alloc");
	++*n;
	return *n > 10000 ? -1 : 0;
}

static int on_include(void *arg, const char *key, const char *value)
{
	(void)arg;
	fuzz_require(strcmp(key, "Include") == 0 && value[0]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	struct es_slurm_stack stack = { .n_times = 0 };
	size_t n_pairs = 0;
	char words[64];
	uint32_t version;

	fuzz_require(es_slurm_conf_parse(text, n, on_pair, &n_pairs) <= 0);
	fuzz_require(es_slurm_stack_parse(text, n, "energyscopium-spank.so", &stack, on_include,
					  NULL) <= 0);
	fuzz_require(stack.is_named == (stack.n_times > 0));
	n = n < sizeof(words) - 1 ? n : sizeof(words) - 1;
	memcpy(words, text, n);
	words[n] = '\0';
	fuzz_require(es_slurm_version_parse(words, &version) <= 0);
	return 0;
}
