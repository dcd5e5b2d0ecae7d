/*
 * fuzz_twin_fault.c - any text as orders of faults, one a line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "twin/fault.h"
#include "twin/host.h"

#define START_NS INT64_C(1000000000000)

/* What is shown to be in force can be ordered like that. */
static void order_shown(struct es_twin_host *host, int64_t t_ns)
{
	struct es_buf text;
	size_t n = host->faults.n;
	char *rest;

	es_buf_init(&text, 1U << 20);
	host->faults.refused[0] = '\0';
	fuzz_require(es_twin_fault_show(host, t_ns, &text) == 0 && es_buf_u8(&text, 0) == 0);
	rest = (char *)text.data;
	for (char *line; (line = strsep(&rest, "\n"));)
		fuzz_require(!*line || es_twin_fault_order(host, t_ns, line) == 0);
	fuzz_require(host->faults.n == n);
	es_buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct es_twin_options options = { .is_quiet = true,
						 .start_ns = START_NS,
						 .n_history = 16 };
	struct es_twin_host *host = calloc(1, sizeof(*host));
	char *text = malloc(n + 1), *rest = text;
	int64_t t_ns = START_NS;

	if (!host || !text) {
		free(host);
		free(text);
		return 0;
	}
	memcpy(text, data, n);
	text[n] = '\0';
	host->kind = es_twin_kind_find("skx2s", NULL);
	fuzz_require(es_twin_node_create(host->kind, &options, &host->node) == 0);
	fuzz_require(es_twin_host_meter(host, "powercap/package-0") != NULL);
	host->meters[0].bits = 32;
	fuzz_require(es_twin_host_meter(host, "nvml/gpu-0") != NULL);
	for (char *line; (line = strsep(&rest, "\n"));) {
		int r = es_twin_fault_order(host, t_ns, line);

		fuzz_require(r == 0 || (r == -EINVAL && host->faults.refused[0]));
		fuzz_require(host->faults.n <= ES_TWIN_FAULTS_MAX);
		t_ns += INT64_C(100000000);
		es_twin_advance(host->node, t_ns);
		es_twin_fault_tick(host, t_ns);
	}
	order_shown(host, t_ns);
	fuzz_require(es_twin_fault_order(host, t_ns, "clear") == 0 && host->faults.n == 0);
	fuzz_require(!host->meters[0].is_gone && !host->meters[0].error && !host->wall_step_ns);
	es_twin_node_destroy(host->node);
	free(host);
	free(text);
	return 0;
}
