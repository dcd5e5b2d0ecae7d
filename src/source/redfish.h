/*
 * source/redfish.h - what the documents of a Redfish service say about power, and which of them to read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_REDFISH_H
#define ES_SOURCE_REDFISH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ES_REDFISH_EQUIPMENT "/redfish/v1/PowerEquipment/"
#define ES_REDFISH_LINK_BYTES 256U
#define ES_REDFISH_NAME_BYTES 48U
#define ES_REDFISH_SUPPLIES_MAX 16U
#define ES_REDFISH_CHASSIS_MAX 16U
#define ES_REDFISH_PARTS_MAX 16U

/** enum es_redfish_how - where a number is; a newer schema before an older one */
enum es_redfish_how {
	ES_REDFISH_JOULES, /* EnvironmentMetrics: EnergyJoules, a counter */
	ES_REDFISH_KWH, /* EnergykWh, a counter whose steps may be large */
	ES_REDFISH_WATTS, /* PowerWatts */
	ES_REDFISH_METRICS, /* InputPowerWatts of all power supplies' metrics */
	ES_REDFISH_CONTROL, /* Power: one of PowerControl */
	ES_REDFISH_SUPPLIES, /* PowerInputWatts of all PowerSupplies in there */
	ES_REDFISH_OEM, /* a maker's own place in there */
};

/** struct es_redfish_part - one number and where it is read */
struct es_redfish_part {
	enum es_redfish_how how;
	bool is_node; /* it is what the node draws; else a part, or nobody knows */
	char name[ES_REDFISH_NAME_BYTES]; /* of what is not the node */
	char reason[256]; /* what it is, or why it is not the node */
	char path[ES_REDFISH_LINK_BYTES]; /* of its document; of metrics that of the first */
	size_t control; /* which of PowerControl */
	char control_id
		[64]; /* its MemberId or name: it may stand elsewhere next time; "": it has none */
	size_t n_supplies; /* documents of metrics */
	char supplies[ES_REDFISH_SUPPLIES_MAX][ES_REDFISH_LINK_BYTES];
	double limit_w; /* 0: none is known */
};

/** es_redfish_is_counter - whether it is an energy that adds up */
static inline bool es_redfish_is_counter(const struct es_redfish_part *part)
{
	return part->how == ES_REDFISH_JOULES || part->how == ES_REDFISH_KWH;
}

/** es_redfish_link - the place that @of[@key] (@key NULL: @of itself) leads to, on the same server; NULL: none; borrowed */
const char *es_redfish_link(json_t *of, const char *key);
/** es_redfish_is_out - Status says that it is absent, disabled or off: what it shows is no reading */
bool es_redfish_is_out(json_t *of);
/** es_redfish_reading - the number @of[@key] or its Reading; 0, -ENODATA (null, absent, 0 W and the like), -EBADMSG */
int es_redfish_reading(json_t *of, const char *key, double *ret);
/**
 * es_redfish_control - which of PowerControl is the whole chassis
 * @wanted: MemberId or name that the user gave; NULL: none
 * @chassis: its path
 *
 * Returns 0; -ENODATA: none has a power; -EMLINK: it cannot be told, with their names; -ENOENT: none is @wanted.
 */
int es_redfish_control(json_t *power, const char *wanted, const char *chassis, size_t *ret,
		       struct es_error *err);
/** es_redfish_control_id - by what an element of PowerControl is known; "": by nothing */
void es_redfish_control_id(json_t *control, char *ret, size_t size);
/** es_redfish_value - what @doc adds to a part: W, or J of a counter; 0, -ENODATA or -EBADMSG */
int es_redfish_value(const struct es_redfish_part *part, json_t *doc, double *ret);
/** es_redfish_name - @text as the name of a domain: other characters than letters, digits and ".-_" become '-' */
void es_redfish_name(const char *text, char ret[static ES_REDFISH_NAME_BYTES]);

/** es_redfish_get_fn - the document at @path; 0 and owned by caller, or negative errno (-ENOENT: there is none) */
typedef int (*es_redfish_get_fn)(void *arg, const char *path, json_t **ret, struct es_error *err);

/** struct es_redfish_wish - what the user said about it */
struct es_redfish_wish {
	const char *path; /* "": find it; a chassis, a system, or of PowerEquipment */
	const char *control; /* NULL: find it */
	bool wants_energy, wants_power; /* neither: a counter where it is fine enough */
	bool is_settled; /* the domains are: one, with a power */
};

/**
 * es_redfish_find - which numbers to read
 * @ret: [ES_REDFISH_PARTS_MAX]; the node's first, if it can be told
 * Returns how many; -ENODATA: none; errors of get.
 */
int es_redfish_find(es_redfish_get_fn get, void *arg, const struct es_redfish_wish *wish,
		    struct es_redfish_part *ret, struct es_error *err);
/** es_redfish_find_power - the numbers of one chassis, given its document; as above, the first is the whole */
int es_redfish_find_power(es_redfish_get_fn get, void *arg, const struct es_redfish_wish *wish,
			  json_t *chassis, const char *path, struct es_redfish_part *ret,
			  struct es_error *err);

#endif
