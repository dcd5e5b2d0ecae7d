/*
 * bmc_private.h - what the files of a simulated management controller share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_BMC_PRIVATE_H
#define ES_TWIN_BMC_PRIVATE_H

#include <pthread.h>
#include <sys/types.h>

#include "net/httpd.h"
#include "twin/bmc.h"
#include "twin/dcmi.h"

#define ES_TWIN_BMC_FOLDER ".twin/bmc"
#define ES_TWIN_BMC_FANS 2U
#define ES_TWIN_BMC_SUPPLIES 2U
#define ES_TWIN_BMC_SESSIONS 8U /* at a time, as small controllers have it */
#define ES_TWIN_BMC_IDLE_S 1800U /* then a session is over */
#define ES_TWIN_BMC_USER "admin"
#define ES_TWIN_BMC_SECRET_BYTES 17U /* 16 hexadecimal digits: IPMI has no more than 20 */
#define ES_TWIN_BMC_TOKEN_BYTES 33U

/** struct es_twin_view - what the controller sees of its node, and its limit; the tree's, there also while it is not up */
struct es_twin_view {
	struct es_twin_meter *meter; /* bmc/node */
	struct es_twin_cap cap;
};

/*
 * Of the view; with the host's lock held.
 */

/** es_twin_view_watts - the node's power now, in whole watts; 0 or the fault's negative errno */
int es_twin_view_watts(const struct es_twin_host *host, int64_t t_ns, uint16_t *ret);
/** es_twin_view_part_watts - of a part behind the supplies, as far off as the node's */
uint16_t es_twin_view_part_watts(const struct es_twin_host *host, enum es_twin_part part,
				 int64_t t_ns);
/** es_twin_view_period - mean and extremes of the watts shown in the last @dur_ns, or since it was switched on */
struct es_twin_watts es_twin_view_period(const struct es_twin_host *host, int64_t t_ns,
					 int64_t dur_ns);
/** es_twin_view_limits - what the node's power may be limited to; false: it cannot be */
bool es_twin_view_limits(const struct es_twin_host *host, uint16_t *ret_min_w, uint16_t *ret_max_w);
/** es_twin_view_set_cap - 0, -EOPNOTSUPP, -ERANGE */
int es_twin_view_set_cap(struct es_twin_host *host, const struct es_twin_cap *cap);

/** es_twin_view_n_fans - 0: it is cooled by liquid */
unsigned es_twin_view_n_fans(const struct es_twin_host *host);
/** es_twin_view_sensor - one that IPMI shows; NULL: no more. The text is in .twin/bmc/sensor-N, N from 1 on. */
struct es_twin_sensor {
	char name[17];
	uint8_t type, unit, entity, instance; /* as in its record; unit 1 °C, 6 W, 18 RPM */
	uint8_t m; /* one step */
};
bool es_twin_view_sensor(const struct es_twin_host *host, size_t i, struct es_twin_sensor *ret);

/** struct es_twin_session - somebody has logged in */
struct es_twin_session {
	char token[ES_TWIN_BMC_TOKEN_BYTES]; /* "" free */
	unsigned number;
	int64_t used_ns;
};

struct es_twin_bmc {
	struct es_twin_host *host;
	char password[ES_TWIN_BMC_SECRET_BYTES];
	char redfish_url[2 * ES_PATH_MAX_BYTES], dcmi_url[2 * ES_PATH_MAX_BYTES]; /* "" not up */
	struct es_httpd_library *library;
	struct es_httpd *httpd;
	pid_t pid; /* of ipmi_sim; 0: not up */
	uint16_t dcmi_port;
	char folder[ES_PATH_MAX_BYTES]; /* with its files; "" none */
	pthread_t watch;
	bool has_watch, has_lock;
	/* Guards what follows. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_stopping;
	int ipmi_result; /* of its start; 1: not known yet */
	struct es_twin_session sessions[ES_TWIN_BMC_SESSIONS];
	unsigned n_sessions; /* ever */
};

/** es_twin_bmc_random - @size - 1 hexadecimal digits that nobody can guess; 0 or negative errno */
int es_twin_bmc_random(char *text, size_t size);

/** es_twin_redfish_routes - to be answered with the struct es_twin_bmc as argument */
const struct es_httpd_route *es_twin_redfish_routes(size_t *ret_n);

/** es_twin_ipmi_start - ipmi_sim on a port; 0 or negative errno, with the package to install in @err */
int es_twin_ipmi_start(struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options,
		       struct es_error *err);
void es_twin_ipmi_stop(struct es_twin_bmc *bmc);

#endif
