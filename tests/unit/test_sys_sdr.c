/*
 * test_sys_sdr.c - sensors in watts: records, names, formulas, and tables that lie
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/bmc_ipmi.h"
#include "sys/sdr.h"

static struct bmc_sensor watts(const char *name)
{
	struct bmc_sensor sensor = {
		.number = 1,
		.owner = 0x20,
		.entity = 7,
		.instance = 1,
		.unit = 6,
		.m = 4,
		.raw = 100,
		.flags = 0x40,
		.name_type = 3,
	};

	(void)snprintf(sensor.name, sizeof(sensor.name), "%s", name);
	return sensor;
}

static int parse(const struct bmc_sensor *from, struct es_sdr_sensor *ret)
{
	uint8_t record[BMC_ANSWER_BYTES];
	size_t n = bmc_put_record(from, 1, record);

	return es_sdr_parse(record, n, ret);
}

static void raw_values_become_watts_by_the_formula(void **state)
{
	static const struct {
		int m, b, b_exponent, r_exponent;
		uint8_t units1, linearization, raw;
		double watts;
	} rows[] = {
		{ 4, 0, 0, 0, 0, 0, 100, 400 },
		{ 1, 0, 0, 1, 0, 0, 42, 420 }, /* tens of watts */
		{ 5, 10, 1, -1, 0, 0, 200, 110 }, /* (5 * 200 + 10 * 10) / 10 */
		{ -2, 500, 0, 0, 0, 0, 100, 300 }, /* negative factor */
		{ 511, -512, 0, 0, 0, 0, 2, 510 }, /* ten bits each */
		{ 1, 0, 0, 0, 0x80, 0, 0x7F, 127 }, /* two's complement */
		{ 1, 200, 0, 0, 0x80, 0, 0xFF, 199 },
		{ 1, 200, 0, 0, 0x40, 0, 0xFE, 199 }, /* ones' complement */
		{ 1, 0, 0, -1, 0, 8, 200, 400 }, /* squared */
		{ 1, 0, 0, 0, 0, 10, 144, 12 }, /* square root */
		{ 1, 0, 0, 0, 0, 7, 4, 0.25 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bmc_sensor from = watts("Sys Power");
		struct es_sdr_sensor sensor;
		double w = -1;

		from.m = rows[i].m;
		from.b = rows[i].b;
		from.b_exponent = rows[i].b_exponent;
		from.r_exponent = rows[i].r_exponent;
		from.units1 = rows[i].units1;
		from.linearization = rows[i].linearization;
		assert_int_equal(parse(&from, &sensor), 0);
		assert_int_equal(es_sdr_convert(&sensor, rows[i].raw, &w), 0);
		if (fabs(w - rows[i].watts) > 1e-9)
			fail_msg("row %zu: %g W", i, w);
	}
}

static void what_is_no_power_is_not_taken(void **state)
{
	struct bmc_sensor rows[] = { watts("a"), watts("b"), watts("c"), watts("d"), watts("e") };
	struct es_sdr_sensor sensor;
	uint8_t record[BMC_ANSWER_BYTES];
	double w;
	size_t n;

	(void)state;
	rows[0].unit = 1; /* degrees */
	rows[1].units1 = 0x01; /* a percentage */
	rows[2].units1 = 0x18; /* watts per second */
	rows[3].units1 = 0x02; /* watts divided by a second unit */
	rows[4].units1 = 0xC0; /* no number */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(parse(&rows[i], &sensor), -ENOENT);
	rows[0] = watts("f");
	n = bmc_put_record(&rows[0], 1, record);
	record[3] = 2; /* a compact record */
	assert_int_equal(es_sdr_parse(record, n, &sensor), -ENOENT);
	rows[0].linearization = 0x70; /* its maker's own */
	assert_int_equal(parse(&rows[0], &sensor), -EOPNOTSUPP);
	assert_string_equal(sensor.name, "f");
	assert_int_equal(es_sdr_convert(&sensor, 1, &w), -EOPNOTSUPP);
}

static void impossible_watts_are_refused(void **state)
{
	struct bmc_sensor from = watts("Sys Power");
	struct es_sdr_sensor sensor;
	double w = 7;

	(void)state;
	from.units1 = 0x80;
	assert_int_equal(parse(&from, &sensor), 0);
	assert_int_equal(es_sdr_convert(&sensor, 0x80, &w), -ERANGE); /* negative */
	from.units1 = 0;
	from.linearization = 7;
	assert_int_equal(parse(&from, &sensor), 0);
	assert_int_equal(es_sdr_convert(&sensor, 0, &w), -ERANGE); /* 1 / 0 */
	from.linearization = 0;
	from.r_exponent = 7;
	assert_int_equal(parse(&from, &sensor), 0);
	assert_int_equal(es_sdr_convert(&sensor, 255, &w), -ERANGE); /* gigawatts */
	from.linearization = 1;
	from.r_exponent = 0;
	from.b = -100;
	assert_int_equal(parse(&from, &sensor), 0);
	assert_int_equal(es_sdr_convert(&sensor, 1, &w),
			 -ERANGE); /* logarithm of less than nothing */
	assert_true(w == 7);
}

static void names_of_all_forms_are_read(void **state)
{
	struct bmc_sensor from = watts("Sys Power");
	struct es_sdr_sensor sensor;

	(void)state;
	assert_int_equal(parse(&from, &sensor), 0);
	assert_string_equal(sensor.name, "Sys Power");
	/* The specification's own example of packed characters: "IPMI" is 29 DC A6. */
	from.name_type = 2;
	memcpy(from.name, "\x29\xDC\xA6", 4);
	assert_int_equal(parse(&from, &sensor), 0);
	assert_string_equal(sensor.name, "IPMI");
	from.name_type = 1;
	memcpy(from.name, "\x12\x3A", 3);
	assert_int_equal(parse(&from, &sensor), 0);
	assert_string_equal(sensor.name, "123");
	from.name_type = 3;
	(void)snprintf(from.name, sizeof(from.name), "\x1B]0;\x07\x9B P\xB5");
	assert_int_equal(parse(&from, &sensor), 0);
	assert_string_equal(sensor.name, "?]0;?? P\xC2\xB5");
}

static void names_longer_than_their_record_are_malformed(void **state)
{
	struct bmc_sensor from = watts("Sys Power");
	uint8_t record[BMC_ANSWER_BYTES];
	size_t n = bmc_put_record(&from, 1, record);
	struct es_sdr_sensor sensor = { .number = 77 };

	(void)state;
	for (size_t cut = 1; cut < n; cut++)
		assert_int_equal(es_sdr_parse(record, n - cut, &sensor), -EBADMSG);
	record[47] = 0xDF;
	assert_int_equal(es_sdr_parse(record, n, &sensor), -EBADMSG);
	assert_int_equal(sensor.number, 77);
}

static void stated_accuracy_is_taken(void **state)
{
	struct bmc_sensor from = watts("Sys Power");
	struct es_sdr_sensor sensor;

	(void)state;
	from.accuracy = 250; /* 2.5 % */
	assert_int_equal(parse(&from, &sensor), 0);
	assert_int_equal(sensor.accuracy_ppm, 25000);
}

static struct bmc_ipmi bmc_with(size_t n)
{
	struct bmc_ipmi bmc = { .ipmi = { .ops = &bmc_ipmi_ops } };

	for (size_t i = 0; i < n; i++) {
		bmc.bmc.sensors[i] = watts("");
		(void)snprintf(bmc.bmc.sensors[i].name, sizeof(bmc.bmc.sensors[i].name),
			       "PS%zu Input Power", i + 1);
		bmc.bmc.sensors[i].number = (uint8_t)(i + 1);
		bmc.bmc.sensors[i].raw = (uint8_t)(10 * (i + 1));
	}
	bmc.bmc.n_sensors = n;
	return bmc;
}

static void all_sensors_are_found_and_read(void **state)
{
	static const unsigned parts[] = { 0, 16, 17, 32 };

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct bmc_ipmi bmc = bmc_with(4);
		es_cleanup(es_freep) struct es_sdr_sensor *sensors = NULL;
		size_t n = 0;
		double w = 0;

		bmc.bmc.part_bytes = parts[i];
		bmc.bmc.n_cancelled = 9; /* others reserve the table meanwhile */
		bmc.bmc.sensors[1].unit = 1;
		assert_int_equal(es_sdr_find(&bmc.ipmi, 60 * ES_NS_PER_S, &sensors, &n, NULL), 0);
		assert_int_equal(n, 3);
		assert_string_equal(sensors[1].name, "PS3 Input Power");
		assert_int_equal(es_sdr_ask(&bmc.ipmi, &sensors[1], &w, NULL), 0);
		assert_true(w == 120);
		bmc.bmc.sensors[2].flags = 0x60;
		assert_int_equal(es_sdr_ask(&bmc.ipmi, &sensors[1], &w, NULL), -ENODATA);
		bmc.bmc.sensors[2].flags = 0;
		assert_int_equal(es_sdr_ask(&bmc.ipmi, &sensors[1], &w, NULL), -ENODATA);
	}
}

static void tables_that_lie_come_to_an_end(void **state)
{
	struct bmc_ipmi endless = bmc_with(2), stolen = bmc_with(2), empty = bmc_with(0),
			short_one = bmc_with(2);
	struct es_sdr_sensor *sensors = NULL;
	struct es_error err = { .code = 0 };
	size_t n = 7;

	(void)state;
	endless.bmc.is_endless = true;
	assert_int_equal(es_sdr_find(&endless.ipmi, 60 * ES_NS_PER_S, &sensors, &n, &err), -E2BIG);
	stolen.bmc.n_cancelled = 1000;
	assert_int_equal(es_sdr_find(&stolen.ipmi, 60 * ES_NS_PER_S, &sensors, &n, &err), -EAGAIN);
	short_one.bmc.cut = 3;
	assert_true(es_sdr_find(&short_one.ipmi, 60 * ES_NS_PER_S, &sensors, &n, &err) < 0);
	assert_int_equal(n, 7);
	assert_int_equal(es_sdr_find(&empty.ipmi, 60 * ES_NS_PER_S, &sensors, &n, &err), 0);
	assert_int_equal(n, 0);
	free(sensors);
}

static void a_changed_table_is_known_by_its_state(void **state)
{
	struct bmc_ipmi bmc = bmc_with(4);
	struct es_sdr_state before, after;

	(void)state;
	assert_int_equal(es_sdr_ask_state(&bmc.ipmi, &before, NULL), 0);
	assert_int_equal(before.n_records, 4);
	bmc.bmc.added_t_s = 1700000000;
	assert_int_equal(es_sdr_ask_state(&bmc.ipmi, &after, NULL), 0);
	assert_int_equal(after.added_t_s, 1700000000);
	bmc.bmc.cut = 2;
	assert_int_equal(es_sdr_ask_state(&bmc.ipmi, &after, NULL), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_values_become_watts_by_the_formula),
		cmocka_unit_test(what_is_no_power_is_not_taken),
		cmocka_unit_test(impossible_watts_are_refused),
		cmocka_unit_test(names_of_all_forms_are_read),
		cmocka_unit_test(names_longer_than_their_record_are_malformed),
		cmocka_unit_test(stated_accuracy_is_taken),
		cmocka_unit_test(all_sensors_are_found_and_read),
		cmocka_unit_test(tables_that_lie_come_to_an_end),
		cmocka_unit_test(a_changed_table_is_known_by_its_state),
	};

	return cmocka_run_group_tests_name("sys/sdr", tests, NULL, NULL);
}
