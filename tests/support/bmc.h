/*
 * bmc.h - a management controller that answers what it is told to, for tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * It is synthetic: made from the IPMI and DCMI specifications, and from what is told of BMCs in public reports.
 */
#ifndef ES_TESTS_SUPPORT_BMC_H
#define ES_TESTS_SUPPORT_BMC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BMC_SENSORS_MAX 16
#define BMC_ANSWER_BYTES 272

/** struct bmc_sensor - a full sensor record and what the sensor shows */
struct bmc_sensor {
	uint8_t number, entity, instance, owner;
	uint8_t units1, unit; /* as in the record; 6: watts */
	uint8_t linearization;
	uint8_t raw, flags; /* flags: 0x40 scanned, 0x20 unavailable */
	int m, b, b_exponent, r_exponent;
	unsigned accuracy; /* hundredths of a percent */
	char name[40];
	uint8_t name_type; /* 3: characters */
};

struct bmc {
	/* DCMI: what is shown, and how it fails */
	unsigned watts, mean_w;
	uint32_t t_s, period_ms;
	bool is_inactive, has_no_power, has_no_dcmi;
	uint8_t averages[8];
	size_t n_averages;
	unsigned code; /* completion code of readings; 0: success */
	unsigned delay_ms; /* before each answer */
	unsigned cut; /* bytes that are missing at the end of an answer */
	unsigned noise; /* not 0: every byte of an answer behind the completion code is this */
	bool is_mute; /* nothing is answered */

	/* sensors */
	struct bmc_sensor sensors[BMC_SENSORS_MAX];
	size_t n_sensors;
	unsigned part_bytes; /* most bytes of a record at once; 0: all */
	unsigned n_cancelled; /* so many reservations are taken away */
	bool is_endless; /* the table leads back to its start */
	uint32_t added_t_s; /* when the table was changed */

	unsigned n_asked;
	uint16_t reservation;
};

/** bmc_load - take what a file says: lines of a name and a value; 0 or negative errno */
int bmc_load(struct bmc *bmc, const char *path);

/** bmc_answer - the answer from its completion code on; its length, 0: none */
size_t bmc_answer(struct bmc *bmc, uint8_t netfn, uint8_t command, const uint8_t *data, size_t n,
		  uint8_t ret[static BMC_ANSWER_BYTES]);

/** bmc_put_record - the record of a sensor with the number @id; its length */
size_t bmc_put_record(const struct bmc_sensor *sensor, uint16_t id,
		      uint8_t ret[static BMC_ANSWER_BYTES]);

#endif
