/*
 * source/bmc.h - a management controller that an URL names: this machine's, or one across a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_BMC_H
#define ES_SOURCE_BMC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "source/remote.h"
#include "source/url.h"
#include "sys/ipmi.h"

/* Through the system interface each command costs the machine time: CPUs wait for it byte by byte. */
#define ES_BMC_INBAND_PERIOD_NS \
	(31 * INT64_C(1000000000)) /* es_remote may come 2 % early: never less than 30 s */
#define ES_BMC_LAN_PERIOD_NS (2 * INT64_C(1000000000))

#define ES_BMC_PARAMS "cipher", "privilege" /* of the URL, for es_meter_url_check() */

/** struct es_bmc - how it is reached */
struct es_bmc {
	bool is_lan;
	enum es_ipmi_privilege privilege;
	uint8_t cipher; /* 0: what the BMC has */
	int64_t idle_ns; /* a session is begun anew after so long a time without a command */
	struct es_ipmi_library library;
	int library_error; /* why there is none */
	struct es_error library_why;
	struct es_ipmi *ipmi; /* NULL: not connected */
	int64_t answered_ns; /* boot clock, of the last answer */
};

/** es_bmc_init - take what @url says; the library is opened here, on the thread of the caller. 0 or -EINVAL */
int es_bmc_init(struct es_bmc *bmc, const struct es_meter_url *url, struct es_error *err);
void es_bmc_finish(struct es_bmc *bmc);

/** es_bmc_connect - reach it; says the fix where that fails; errors of es_ipmi_open_device(), es_ipmi_open_lan() */
int es_bmc_connect(struct es_bmc *bmc, struct es_remote *remote, struct es_error *err);
void es_bmc_disconnect(struct es_bmc *bmc);

/** es_bmc_wake - before each sweep: a session that the BMC will have forgotten meanwhile is begun anew; 0 or as connect */
int es_bmc_wake(struct es_bmc *bmc, struct es_remote *remote);

/** es_bmc_rest - after each sweep */
void es_bmc_rest(struct es_bmc *bmc);

/** es_bmc_is_lost - whether @error means that it must be reached anew, not only that this reading failed */
bool es_bmc_is_lost(const struct es_bmc *bmc, int error);
/** es_bmc_say_fix - the command that would change an error of a BMC which answers */
void es_bmc_say_fix(const struct es_bmc *bmc, struct es_remote *remote, int error);

#endif
