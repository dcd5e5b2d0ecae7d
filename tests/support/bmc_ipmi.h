/*
 * bmc_ipmi.h - a way to ask the BMC of bmc.h, without a device or a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_BMC_IPMI_H
#define ES_TESTS_SUPPORT_BMC_IPMI_H

#include <errno.h>
#include <string.h>

#include "support/bmc.h"
#include "sys/ipmi.h"

/** struct bmc_ipmi - zero-initialise, then .ipmi.ops = &bmc_ipmi_ops */
struct bmc_ipmi {
	struct es_ipmi ipmi;
	struct bmc bmc;
};

static inline ssize_t bmc_ipmi_ask(struct es_ipmi *ipmi, const struct es_ipmi_request *request,
				   uint8_t *ret, size_t size, struct es_error *err)
{
	struct bmc_ipmi *self = (struct bmc_ipmi *)ipmi;
	uint8_t answer[BMC_ANSWER_BYTES];
	size_t n = bmc_answer(&self->bmc, request->netfn, request->command, request->data,
			      request->n, answer);

	if (self->bmc.is_mute)
		return es_error_say(err, -ETIMEDOUT, "the BMC is mute");
	if (n > size)
		return -EMSGSIZE;
	memcpy(ret, answer, n);
	return (ssize_t)n;
}

static inline void bmc_ipmi_close(struct es_ipmi *ipmi)
{
	(void)ipmi;
}

static const struct es_ipmi_ops bmc_ipmi_ops = { .ask = bmc_ipmi_ask, .close = bmc_ipmi_close };

#endif
