/*
 * bmc_docs.h - the documents of a simulated Redfish service
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_BMC_DOCS_H
#define ES_TWIN_BMC_DOCS_H

#include "base/json.h"
#include "twin/bmc_private.h"

#define ES_TWIN_V1 "/redfish/v1"
#define ES_TWIN_SESSIONS ES_TWIN_V1 "/SessionService/Sessions"
#define ES_TWIN_BMC_PACKAGES 8U

/** struct es_twin_seen - all that documents tell, of one time */
struct es_twin_seen {
	const struct es_twin_kind *kind;
	const char *name; /* of the node */
	int error; /* of the node's power: 0, or why it is null */
	uint16_t watts, output_w;
	struct es_twin_watts period;
	unsigned period_min;
	int64_t inlet_mc, package_mc[ES_TWIN_BMC_PACKAGES];
	unsigned n_packages;
	uint64_t fan_rpm;
	unsigned n_fans;
	bool has_limit, is_off;
	uint16_t limit_min_w, limit_max_w;
	struct es_twin_cap cap;
	int64_t t_unix_ns; /* by its own clock */
	unsigned sessions[ES_TWIN_BMC_SESSIONS]; /* numbers of those that are open */
	size_t n_sessions;
};

/** struct es_twin_doc - what stands at a path */
struct es_twin_doc {
	const char *path; /* without a slash at its end */
	const char *type, *name; /* @odata.type, Name */
	void (*write)(const struct es_twin_seen *seen, unsigned number, struct es_json *json);
	unsigned number; /* of a supply */
	bool is_open; /* to who is not logged in */
	bool has_power; /* it is not there while the meter is gone */
};

/** es_twin_doc_find - NULL: there is none */
const struct es_twin_doc *es_twin_doc_find(const char *path);
/** es_twin_doc_write - into @ret; 0 or negative errno */
int es_twin_doc_write(const struct es_twin_doc *doc, const struct es_twin_seen *seen,
		      struct es_buf *ret);

#endif
