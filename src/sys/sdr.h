/*
 * sys/sdr.h - the sensors of a BMC that show watts, from its sensor data records
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_SDR_H
#define ES_SYS_SDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/ipmi.h"

#define ES_SDR_NAME_BYTES 64U /* 31 characters of the longest form, as UTF-8 */
#define ES_SDR_SENSORS_MAX 256U /* in watts; a table of more is an error */

#define ES_SDR_ENTITY_POWER_SUPPLY 10U
#define ES_SDR_OWNER_BMC 0x20U

/** struct es_sdr_sensor - one sensor and how its raw value becomes watts (IPMI 2.0, section 36.3) */
struct es_sdr_sensor {
	char name[ES_SDR_NAME_BYTES];
	uint8_t owner; /* the controller that has it: ES_SDR_OWNER_BMC, or one behind the BMC, which is not asked */
	uint8_t lun, number;
	uint8_t entity, instance; /* what it is part of */
	uint8_t format; /* 0: unsigned, 1: ones' complement, 2: two's complement */
	uint8_t linearization;
	int16_t m, b;
	int8_t b_exponent, r_exponent;
	uint32_t accuracy_ppm; /* as its maker states it; 0: not stated */
};

/**
 * es_sdr_parse - one record as Get SDR gives it
 * Returns 0; -ENOENT: no sensor, or none in watts; -EBADMSG; -EOPNOTSUPP: in watts, by a formula of its maker's own
 * (@ret has its name then).
 */
int es_sdr_parse(const uint8_t *record, size_t n, struct es_sdr_sensor *ret);

/** es_sdr_parse_reading - the answer to Get Sensor Reading; 0; -ENODATA: it is not scanned, or has no value now; -EBADMSG */
int es_sdr_parse_reading(const uint8_t *data, size_t n, uint8_t *ret_raw);

/** es_sdr_convert - a raw value in watts; 0; -ERANGE: no number, negative, absurd; -EOPNOTSUPP: a formula of its maker's own */
int es_sdr_convert(const struct es_sdr_sensor *sensor, uint8_t raw, double *ret_w);

/**
 * es_sdr_find - all sensors in watts, in the order of the BMC's records
 * @within_ns: how long that may take. @ret: owned by caller, free(). A record that is malformed is passed over.
 * Returns 0; -E2BIG: more than ES_SDR_SENSORS_MAX; errors of es_ipmi_ask().
 */
int es_sdr_find(struct es_ipmi *ipmi, int64_t within_ns, struct es_sdr_sensor **ret, size_t *ret_n,
		struct es_error *err);

/** struct es_sdr_state - what tells whether a BMC's records are those that were read before */
struct es_sdr_state {
	uint16_t n_records;
	uint32_t added_t_s, erased_t_s; /* the BMC's clock, of the last change */
};

/** es_sdr_ask_state - one command; errors of es_ipmi_ask(), -EBADMSG */
int es_sdr_ask_state(struct es_ipmi *ipmi, struct es_sdr_state *ret, struct es_error *err);

/** es_sdr_ask - one reading in watts; errors of es_ipmi_ask(), es_sdr_parse_reading(), es_sdr_convert() */
int es_sdr_ask(struct es_ipmi *ipmi, const struct es_sdr_sensor *sensor, double *ret_w,
	       struct es_error *err);

#endif
