/*
 * test_sys_dcmi.c - what a BMC says of the node's power, and when it is not to be believed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "base/clock.h"
#include "support/bmc_ipmi.h"
#include "sys/dcmi.h"

#define T0 1700000000U

static struct bmc_ipmi working_bmc(void)
{
	return (struct bmc_ipmi){
		.ipmi = { .ops = &bmc_ipmi_ops },
		.bmc = { .watts = 412,
			 .mean_w = 390,
			 .t_s = T0,
			 .period_ms = 1000,
			 .n_averages = 3,
			 .averages = { 0x05, 0x1E, 0x41 } },
	};
}

static void bytes_are_taken_as_the_specification_says(void **state)
{
	/* Get Power Reading as ipmitool shows it of an iDRAC: 214 W, 2 to 468, mean 184 over 1000 ms, activated. */
	static const uint8_t answer[] = { 0xDC, 0xD6, 0x00, 0x02, 0x00, 0xD4, 0x01, 0xB8, 0x00,
					  0x74, 0x83, 0x37, 0x66, 0xE8, 0x03, 0x00, 0x00, 0x40 };
	struct es_dcmi_power power = { .now_w = 7 };

	(void)state;
	assert_int_equal(es_dcmi_parse_power(answer, sizeof(answer) - 1, &power), -EBADMSG);
	assert_int_equal(power.now_w, 7);
	assert_int_equal(es_dcmi_parse_power(answer, sizeof(answer), &power), 0);
	assert_int_equal(power.now_w, 214);
	assert_int_equal(power.least_w, 2);
	assert_int_equal(power.most_w, 468);
	assert_int_equal(power.mean_w, 184);
	assert_int_equal(power.t_s, 1714914164);
	assert_int_equal(power.period_ms, 1000);
	assert_true(power.is_active);
}

static void abilities_and_averages_are_asked_for(void **state)
{
	struct bmc_ipmi bmc = working_bmc();
	struct es_dcmi_abilities abilities;

	(void)state;
	assert_int_equal(es_dcmi_ask_abilities(&bmc.ipmi, &abilities, NULL), 0);
	assert_true(abilities.major == 1 && abilities.minor == 5 && abilities.has_power);
	assert_int_equal(abilities.n_averages, 3);
	assert_int_equal(abilities.average_ns[0], 5 * ES_NS_PER_S);
	assert_int_equal(abilities.average_ns[1], 30 * ES_NS_PER_S);
	assert_int_equal(abilities.average_ns[2], 60 * ES_NS_PER_S);
}

static void a_list_of_averages_longer_than_its_answer_is_none(void **state)
{
	static const uint8_t lying[] = { 0xDC, 1, 5, 2, 9, 0x05, 0x1E };
	static const uint8_t zero[] = { 0xDC, 1, 5, 2, 2, 0x00, 0x41 };
	struct es_dcmi_abilities abilities = { .n_averages = 0 };

	(void)state;
	assert_int_equal(es_dcmi_parse_averages(lying, sizeof(lying), &abilities), -EBADMSG);
	assert_int_equal(abilities.n_averages, 0);
	assert_int_equal(es_dcmi_parse_averages(zero, sizeof(zero), &abilities), 0);
	assert_int_equal(abilities.n_averages, 1);
	assert_int_equal(abilities.average_codes[0], 0x41);
}

static void a_reading_is_of_the_power_now_or_of_an_average(void **state)
{
	struct bmc_ipmi bmc = working_bmc();
	struct es_dcmi_power power;
	uint64_t mw = 0;

	(void)state;
	assert_int_equal(es_dcmi_ask_power(&bmc.ipmi, 0, &power, NULL), 0);
	assert_int_equal(es_dcmi_judge_power(&power, false, &mw), 0);
	assert_int_equal(mw, 412000);
	assert_int_equal(es_dcmi_ask_power(&bmc.ipmi, 0x1E, &power, NULL), 0);
	assert_int_equal(es_dcmi_judge_power(&power, true, &mw), 0);
	assert_int_equal(mw, 390000);
}

static void a_bmc_without_dcmi_or_without_power_says_so(void **state)
{
	struct bmc_ipmi none = working_bmc(), powerless = working_bmc();
	struct es_dcmi_abilities abilities;
	struct es_error err = { .code = 0 };

	(void)state;
	none.bmc.has_no_dcmi = true;
	assert_int_equal(es_dcmi_ask_abilities(&none.ipmi, &abilities, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "no such command (completion code 0xC1)"));
	powerless.bmc.has_no_power = true;
	assert_int_equal(es_dcmi_ask_abilities(&powerless.ipmi, &abilities, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "DCMI 1.5 without power management"));
}

static void what_is_refused_has_its_reason(void **state)
{
	static const struct {
		unsigned code;
		int r;
	} rows[] = { { 0xC1, -EOPNOTSUPP }, { 0xC0, -EBUSY },	{ 0xD4, -EACCES },
		     { 0xC3, -ETIMEDOUT },  { 0xD5, -ENODATA }, { 0x80, -EIO } };
	struct es_dcmi_power power = { .now_w = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bmc_ipmi bmc = working_bmc();

		bmc.bmc.code = rows[i].code;
		assert_int_equal(es_dcmi_ask_power(&bmc.ipmi, 0, &power, NULL), rows[i].r);
		assert_int_equal(power.now_w, 7);
	}
}

static void short_and_garbled_answers_are_no_watts(void **state)
{
	struct es_dcmi_power power = { .now_w = 7 };
	struct es_dcmi_abilities abilities;

	(void)state;
	for (unsigned cut = 1; cut <= 19; cut++) {
		struct bmc_ipmi bmc = working_bmc();

		bmc.bmc.cut = cut;
		assert_int_equal(es_dcmi_ask_power(&bmc.ipmi, 0, &power, NULL), -EBADMSG);
	}
	for (unsigned noise = 1; noise < 256; noise++) {
		struct bmc_ipmi bmc = working_bmc();
		uint64_t mw = 7;

		bmc.bmc.noise = noise;
		if (es_dcmi_ask_power(&bmc.ipmi, 0, &power, NULL) == 0)
			assert_true(noise == 0xDC);
		if (noise != 0xDC)
			assert_true(es_dcmi_ask_abilities(&bmc.ipmi, &abilities, NULL) < 0);
		power.now_w = (uint16_t)0xFFFF;
		assert_int_not_equal(es_dcmi_judge_power(&power, false, &mw), 0);
	}
}

static void nothing_measured_is_not_zero_watts(void **state)
{
	static const struct {
		struct es_dcmi_power power;
		int r;
		const char *what;
	} rows[] = {
		{ { .now_w = 0, .t_s = T0, .period_ms = 1000 }, -ENODATA, "0 W, inactive" },
		{ { .now_w = 0, .t_s = T0, .period_ms = 1000, .is_active = true },
		  -ENODATA,
		  "0 W, active" },
		{ { .now_w = 0 }, -ENODATA, "OpenBMC with nothing to show" },
		{ { .now_w = 319, .least_w = 319, .most_w = 319, .mean_w = 319 },
		  0,
		  "OpenBMC: its state is never set" },
		{ { .now_w = 319, .t_s = T0, .period_ms = 1000 }, -ENODATA, "an old value" },
		{ { .now_w = 319, .t_s = T0, .period_ms = 1000, .is_active = true }, 0, "true" },
		{ { .now_w = 65535, .is_active = true }, -ERANGE, "all bits set" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t mw = 7;
		int r = es_dcmi_judge_power(&rows[i].power, false, &mw);

		if (r != rows[i].r || mw != (r == 0 ? rows[i].power.now_w * UINT64_C(1000) : 7))
			fail_msg("%s: %d, %llu", rows[i].what, r, (unsigned long long)mw);
	}
}

/* Readings every @step_s, until one is called stale: how many seconds after the first; -1: none within an hour. */
static int64_t stale_after_s(int64_t step_s, uint32_t t_step_s, uint16_t w_step, uint32_t t0_s)
{
	struct es_dcmi_watch watch = { .has_any = false };

	/* Two readings of a living BMC come first, where its clock moves at all. */
	(void)es_dcmi_is_stale(&watch, 400, t0_s, 0);
	for (int64_t t_s = 0; t_s < 3600; t_s += step_s) {
		uint32_t i = (uint32_t)(t_s / step_s);

		if (es_dcmi_is_stale(&watch, (uint16_t)(400 + w_step * i), t0_s + t_step_s * i,
				     (t_s + 1) * ES_NS_PER_S))
			return t_s;
	}
	return -1;
}

static void a_standing_value_with_a_standing_clock_is_stale(void **state)
{
	(void)state;
	assert_int_equal(stale_after_s(1, 1, 0, T0), -1); /* the power stands, the clock goes */
	assert_int_equal(stale_after_s(1, 0, 1, T0), -1); /* the other way round */
	assert_int_equal(stale_after_s(1, 0, 0, 0), -1); /* it has no clock */
	assert_int_equal(stale_after_s(30, 0, 0, T0), 600); /* both stand from the start */
	assert_int_equal(stale_after_s(1800, 0, 0, T0), -1); /* too few readings to say so */
}

static void a_bmc_that_freezes_is_stale_two_minutes_later(void **state)
{
	struct es_dcmi_watch watch = { .has_any = false };
	int64_t stale_s = -1;

	(void)state;
	for (int64_t t_s = 0; t_s < 600 && stale_s < 0; t_s++) {
		uint32_t bmc_s = T0 + (uint32_t)(t_s < 60 ? t_s : 60);

		if (es_dcmi_is_stale(&watch, 400, bmc_s, t_s * ES_NS_PER_S))
			stale_s = t_s;
	}
	assert_int_equal(stale_s, 60 + 121);
	/* Its clock is set back, and goes on: alive again. */
	assert_false(es_dcmi_is_stale(&watch, 400, T0 - 1000, 200 * ES_NS_PER_S));
	assert_false(es_dcmi_is_stale(&watch, 400, T0 - 999, 201 * ES_NS_PER_S));
}

static void a_clock_that_stands_while_power_moves_proves_nothing(void **state)
{
	struct es_dcmi_watch watch = { .has_any = false };

	(void)state;
	for (int64_t t_s = 0; t_s < 10; t_s++)
		assert_false(
			es_dcmi_is_stale(&watch, (uint16_t)(400 + t_s), T0, t_s * ES_NS_PER_S));
	for (int64_t t_s = 10; t_s < 7200; t_s += 10)
		assert_false(es_dcmi_is_stale(&watch, 409, T0, t_s * ES_NS_PER_S));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_taken_as_the_specification_says),
		cmocka_unit_test(abilities_and_averages_are_asked_for),
		cmocka_unit_test(a_list_of_averages_longer_than_its_answer_is_none),
		cmocka_unit_test(a_reading_is_of_the_power_now_or_of_an_average),
		cmocka_unit_test(a_bmc_without_dcmi_or_without_power_says_so),
		cmocka_unit_test(what_is_refused_has_its_reason),
		cmocka_unit_test(short_and_garbled_answers_are_no_watts),
		cmocka_unit_test(nothing_measured_is_not_zero_watts),
		cmocka_unit_test(a_standing_value_with_a_standing_clock_is_stale),
		cmocka_unit_test(a_bmc_that_freezes_is_stale_two_minutes_later),
		cmocka_unit_test(a_clock_that_stands_while_power_moves_proves_nothing),
	};

	return cmocka_run_group_tests_name("sys/dcmi", tests, NULL, NULL);
}
