/*
 * fuzz_dcmi.c - any bytes as the state of a simulated BMC, an order to it, and a request of DCMI
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "fuzz/target.h"
#include "twin/dcmi.h"

static int take_order(void *arg, const char *order)
{
	struct es_twin_cap cap = { .is_set = true };

	/* What the simulator is told by its module it understands. */
	fuzz_require(es_twin_dcmi_parse_order(order, &cap) == 0);
	*(unsigned *)arg += 1;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[2048], printed[ES_TWIN_DCMI_TEXT_BYTES];
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct es_twin_dcmi dcmi, again;
	struct es_twin_cap cap = { .is_set = false };
	unsigned n_orders = 0;

	if (n == 0 || n >= sizeof(text))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	(void)es_twin_dcmi_parse_order(text, &cap);
	memset(&dcmi, 0, sizeof(dcmi));
	if (es_twin_dcmi_parse(text, &dcmi) == 0) {
		fuzz_require(es_twin_dcmi_print(&dcmi, printed) < sizeof(printed));
		fuzz_require(es_twin_dcmi_parse(printed, &again) == 0);
		fuzz_require(again.watts == dcmi.watts && again.t_s == dcmi.t_s);
	}
	dcmi.has_limit |= data[0] & 1;
	n = es_twin_dcmi_answer(&dcmi, data[0] >> 1, data + 1, n - 1, take_order, &n_orders,
				answer);
	fuzz_require(n >= 2 && n <= sizeof(answer));
	return 0;
}
