/*
 * bmc.h - the management controller of a simulated node: Redfish and DCMI on ports of this machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * What it shows lies under .twin/bmc/ too, made by es_twin_make_bmc(): ipmi_sim, a program of its own, reads it there.
 */
#ifndef ES_TWIN_BMC_H
#define ES_TWIN_BMC_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "twin/host.h"

struct es_twin_bmc;

/** struct es_twin_bmc_options - all borrowed for the start */
struct es_twin_bmc_options {
	const char *mount; /* where the node's tree is, or will soon be, mounted */
	const char *
		folder; /* for files of ipmi_sim; made if it is not there; what is put there goes at the stop */
	const char *module; /* what ipmi_sim loads: libes-twin-dcmi.so; NULL: no DCMI */
	uint16_t redfish_port, dcmi_port; /* 0: one that is free */
	const char *cert_file, *key_file; /* Redfish over TLS; NULL: over plain HTTP */
};

/**
 * es_twin_bmc_start - bring up what can be, for @host; stop it before the host is destroyed
 *
 * Call it without the host's lock. Returns 0: one of the two at least is up, and @err->text says why the other is not, with the
 * package to install ("" where both are); -EOPNOTSUPP: the kind has no controller, or neither can be; -ENOMEM.
 */
int es_twin_bmc_start(struct es_twin_host *host, const struct es_twin_bmc_options *options,
		      struct es_twin_bmc **ret, struct es_error *err);
void es_twin_bmc_stop(struct es_twin_bmc *bmc);
/** es_twin_bmc_remove - a folder of such files with all in it; links are taken away, not followed */
void es_twin_bmc_remove(const char *folder);
/** es_twin_bmc_redfish_url - "redfish://127.0.0.1:PORT?scheme=http&…" as --meter takes it; "" where it is not up */
const char *es_twin_bmc_redfish_url(const struct es_twin_bmc *bmc);
/** es_twin_bmc_dcmi_url - "dcmi://127.0.0.1:PORT?…", likewise */
const char *es_twin_bmc_dcmi_url(const struct es_twin_bmc *bmc);
/** es_twin_bmc_json - the URLs as member "controllers"; NULL: none is up */
void es_twin_bmc_json(const struct es_twin_bmc *bmc, struct es_json *json);

#endif
