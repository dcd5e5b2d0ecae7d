/*
 * fuzz_meter_url.c - any text as the name of a meter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "source/url.h"

static const char *const known[] = { "query", "register", NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_error err = { .code = 0 };
	struct es_meter_url url;
	struct es_domain domain;
	char *text = malloc(n + 1);
	uint64_t v;
	int r;

	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	r = es_meter_url_parse(text, "node-1", &url, &err);
	free(text);
	if (r < 0) {
		fuzz_require(r == -EINVAL && err.text[0] != '\0');
		return 0;
	}
	fuzz_require(url.scheme[0] && memchr(url.text, '\0', sizeof(url.text)));
	fuzz_require(url.timeout_ns > 0 && url.name[0]);
	fuzz_require(es_meter_url_check(&url, known, &err) == 0 || err.text[0] != '\0');
	es_meter_domain(&url, "kind", &domain);
	fuzz_require(domain.id[0] && domain.is_power == !url.is_energy);
	if (es_meter_value(&url, 1.5, 1000, &v) == 0)
		fuzz_require(v <= (uint64_t)INT64_MAX);
	return 0;
}
