/*
 * fuzz_snmp.c - any bytes as objects, as an agent's text and as outlets
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/target.h"
#include "source/snmp_models.h"

static void try_objects(const char *text)
{
	struct es_snmp_oid oids[4], again;
	char written[12 * ES_SNMP_OID_MAX];
	int n = es_snmp_oids_parse(text, oids, 4);

	fuzz_require(n < 0 || (n > 0 && n <= 4));
	for (int i = 0; i < n; i++) {
		fuzz_require(oids[i].n >= 2 && oids[i].n <= ES_SNMP_OID_MAX);
		(void)es_snmp_oid_text(&oids[i], written, sizeof(written));
		fuzz_require(es_snmp_oid_parse(written, &again) == 0);
		fuzz_require(again.n == oids[i].n);
		fuzz_require(memcmp(again.ids, oids[i].ids, again.n * sizeof(*again.ids)) == 0);
	}
}

static void try_outlets(const char *text)
{
	static const char *const names[] = { "apc-rpdu2", "eaton-epdu", "raritan-px2",
					     "servertech-sentry4" };

	for (size_t i = 0; i < 4; i++) {
		struct es_snmp_outlets outlets;
		int r = es_snmp_model_outlets(es_snmp_model_find(names[i], NULL), text, i % 2 == 0,
					      &outlets, NULL);

		fuzz_require(r < 0 || (outlets.n > 0 && outlets.n <= ES_SNMP_VALUES_MAX));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_snmp_value value = { .type = ES_SNMP_TEXT };
	char text[512];
	double number = 0;

	if (n >= sizeof(text) || memchr(data, 0, n))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	try_objects(text);
	try_outlets(text);
	(void)snprintf(value.text, sizeof(value.text), "%.60s", text);
	fuzz_require(es_snmp_number(&value, &number) < 0 || isfinite(number));
	return 0;
}
