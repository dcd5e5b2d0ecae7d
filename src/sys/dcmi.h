/*
 * sys/dcmi.h - what a BMC says of the node's power by DCMI (Data Center Manageability Interface)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_DCMI_H
#define ES_SYS_DCMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/ipmi.h"

#define ES_DCMI_AVERAGES_MAX 63U

/** struct es_dcmi_power - the answer to Get Power Reading (DCMI 1.5, table 6-16) */
struct es_dcmi_power {
	uint16_t now_w, least_w, most_w, mean_w;
	uint32_t t_s; /* the BMC's clock; 0: it has none */
	uint32_t period_ms; /* what least, most and mean are about: often all the time since the BMC's start */
	bool is_active; /* it measures */
};

/** struct es_dcmi_abilities - what a BMC can do */
struct es_dcmi_abilities {
	uint8_t major, minor; /* of the specification it follows */
	bool has_power;
	/* Rolling averages that it keeps: as codes of the specification, and as time. */
	size_t n_averages;
	uint8_t average_codes[ES_DCMI_AVERAGES_MAX];
	int64_t average_ns[ES_DCMI_AVERAGES_MAX];
};

/** es_dcmi_parse_power - @data: the answer behind the completion code. Returns 0 or -EBADMSG. */
int es_dcmi_parse_power(const uint8_t *data, size_t n, struct es_dcmi_power *ret);
/** es_dcmi_parse_abilities - the answer to Get DCMI Capabilities, parameter 1: version and has_power */
int es_dcmi_parse_abilities(const uint8_t *data, size_t n, struct es_dcmi_abilities *ret);
/** es_dcmi_parse_averages - the answer for parameter 5: the rolling averages */
int es_dcmi_parse_averages(const uint8_t *data, size_t n, struct es_dcmi_abilities *ret);

/**
 * es_dcmi_ask_abilities - whether and how the BMC measures power; two commands
 * Returns 0; -EOPNOTSUPP: no DCMI, or one without power; errors of es_ipmi_ask().
 */
int es_dcmi_ask_abilities(struct es_ipmi *ipmi, struct es_dcmi_abilities *ret,
			  struct es_error *err);
/** es_dcmi_ask_power - one reading; @average_code: 0: the power now; else that rolling average, in mean_w */
int es_dcmi_ask_power(struct es_ipmi *ipmi, uint8_t average_code, struct es_dcmi_power *ret,
		      struct es_error *err);

/**
 * es_dcmi_judge_power - the milliwatts that a reading shows
 * @is_average: the mean of a rolling average is wanted
 * Returns 0; -ENODATA: nothing is measured (0 W is what BMCs show then, whether they say that they measure or not);
 * -ERANGE: all bits are set.
 */
int es_dcmi_judge_power(const struct es_dcmi_power *power, bool is_average, uint64_t *ret_mw);

/** struct es_dcmi_watch - whether a BMC still refreshes what it shows; all zero: nothing seen yet */
struct es_dcmi_watch {
	bool has_any;
	bool has_ticked; /* its time was seen to move on */
	bool is_untimed; /* its power was seen to move while its time stood still: the time means nothing */
	uint16_t last_w;
	uint32_t last_t_s;
	uint32_t n_same;
	int64_t since_ns; /* when the last change was seen */
};

/**
 * es_dcmi_is_stale - whether @shown_w, with the BMC's time @t_s, is an old value shown again
 * @t_ns: boot clock. A standing power with moving time is true; with standing time it is not, after a while.
 */
bool es_dcmi_is_stale(struct es_dcmi_watch *watch, uint16_t shown_w, uint32_t t_s, int64_t t_ns);

#endif
