/*
 * fuzz_prometheus.c - any bytes as the answer to a query
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "fuzz/target.h"
#include "source/prometheus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_prometheus_sample sample = { .value = 0 };
	struct es_error err = { .code = 0 };
	char *text = malloc(n ? n : 1);
	int r;

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	r = es_prometheus_parse(text, n, &sample, &err);
	fuzz_require(r <= 0 && (r == 0 || (err.code == r && err.text[0] != '\0')));
	fuzz_require(r < 0 || (isfinite(sample.value) && sample.t_unix_ns >= 0));
	free(text);
	return 0;
}
