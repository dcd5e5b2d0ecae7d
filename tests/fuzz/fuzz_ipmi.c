/*
 * fuzz_ipmi.c - any bytes as a BMC's answers: DCMI, sensor records, and whole conversations
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fuzz/target.h"
#include "source/ipmi_names.h"
#include "sys/dcmi.h"
#include "sys/sdr.h"

/* A BMC whose answers are the input: each a length and so many bytes; then it is gone. */
struct talker {
	struct es_ipmi ipmi;
	const uint8_t *data;
	size_t n;
};

static ssize_t talk(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
		    size_t size, struct es_error *err)
{
	struct talker *talker = (struct talker *)ipmi;
	size_t n;

	(void)request;
	(void)err;
	if (talker->n == 0)
		return -110; /* ETIMEDOUT */
	n = talker->data[0];
	if (n > talker->n - 1)
		n = talker->n - 1;
	if (n > size)
		n = size;
	memcpy(ret, talker->data + 1, n);
	talker->data += n + 1;
	talker->n -= n + 1;
	return (ssize_t)n;
}

static const struct es_ipmi_ops ops = { .ask = talk };

static void check_sensor(const struct es_sdr_sensor *sensor)
{
	struct es_domain domain;
	double w;

	fuzz_require(strlen(sensor->name) < sizeof(sensor->name));
	for (const char *p = sensor->name; *p; p++)
		fuzz_require((unsigned char)*p >= 0x20 && *p != 0x7F);
	for (unsigned raw = 0; raw < 256; raw++)
		if (es_sdr_convert(sensor, (uint8_t)raw, &w) == 0)
			fuzz_require(w >= 0 && w <= 1e6);
	es_domain_init(&domain, "ipmi-sensor", ES_DOMAIN_NODE, -1, -1);
	es_ipmi_place(sensor, 1, 0, "ipmi-sensor", &domain);
	fuzz_require(domain.name[0] != '\0' && !strpbrk(domain.name, "/\"\\\n"));
}

static void check_records(const uint8_t *data, size_t n)
{
	struct talker talker = { .ipmi = { .ops = &ops }, .data = data, .n = n };
	struct es_sdr_sensor *sensors = NULL, sensor;
	size_t n_sensors = 0;
	double w;

	if (es_sdr_parse(data, n, &sensor) == 0)
		check_sensor(&sensor);
	if (es_sdr_find(&talker.ipmi, ES_NS_PER_S, &sensors, &n_sensors, NULL) == 0)
		for (size_t i = 0; i < n_sensors; i++) {
			check_sensor(&sensors[i]);
			(void)es_sdr_ask(&talker.ipmi, &sensors[i], &w, NULL);
		}
	free(sensors);
}

static void check_dcmi(const uint8_t *data, size_t n)
{
	struct talker talker = { .ipmi = { .ops = &ops }, .data = data, .n = n };
	struct es_dcmi_watch watch = { .has_any = false };
	struct es_dcmi_abilities abilities;
	struct es_dcmi_power power;
	uint64_t mw;

	if (es_dcmi_ask_abilities(&talker.ipmi, &abilities, NULL) == 0)
		fuzz_require(abilities.n_averages <= ES_DCMI_AVERAGES_MAX);
	for (int64_t t_ns = 0; es_dcmi_ask_power(&talker.ipmi, 0, &power, NULL) == 0; t_ns++) {
		for (int is_average = 0; is_average < 2; is_average++)
			if (es_dcmi_judge_power(&power, is_average, &mw) == 0)
				fuzz_require(mw > 0 && mw < UINT16_MAX * UINT64_C(1000));
		(void)es_dcmi_is_stale(&watch, power.now_w, power.t_s, t_ns * ES_NS_PER_S);
	}
	(void)es_dcmi_parse_power(data, n, &power);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_records(data, n);
	check_dcmi(data, n);
	return 0;
}
