/*
 * test_twin_dcmi.c - what a simulated management controller answers to DCMI, byte by byte
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "twin/dcmi.h"

static const struct es_twin_dcmi example = {
	.watts = 412,
	.period = { 390, 200, 800 },
	.averages = { { 410, 405, 420 }, { 400, 300, 500 }, { 390, 200, 800 } },
	.t_s = 0x12345678,
	.period_ms = 60000,
	.has_limit = true,
	.limit_min_w = 200,
	.limit_max_w = 1100,
	.cap = { .is_set = true,
		 .is_active = true,
		 .exception = 0x11,
		 .watts = 600,
		 .correction_ms = 1000,
		 .sampling_s = 1 },
};

struct orders {
	char last[128];
	unsigned n;
	int answer;
};

static int note_order(void *arg, const char *order)
{
	struct orders *orders = arg;

	(void)snprintf(orders->last, sizeof(orders->last), "%s", order);
	orders->n++;
	return orders->answer;
}

static size_t ask(const struct es_twin_dcmi *dcmi, uint8_t command, const uint8_t *data, size_t n,
		  struct orders *orders, uint8_t ret[static ES_TWIN_DCMI_ANSWER_BYTES])
{
	memset(ret, 0xEE, ES_TWIN_DCMI_ANSWER_BYTES);
	return es_twin_dcmi_answer(dcmi, command, data, n, note_order, orders, ret);
}

#define ASK(dcmi, command, orders, ret, ...)                 \
	ask(dcmi, command, (const uint8_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint8_t[]){ __VA_ARGS__ }), orders, ret)

static void a_text_reads_back(void **state)
{
	char text[ES_TWIN_DCMI_TEXT_BYTES];
	struct es_twin_dcmi read;
	size_t n = es_twin_dcmi_print(&example, text);

	(void)state;
	assert_int_equal(n, strlen(text));
	assert_int_equal(es_twin_dcmi_parse(text, &read), 0);
	assert_int_equal(read.watts, 412);
	assert_memory_equal(&read.averages, &example.averages, sizeof(read.averages));
	assert_memory_equal(&read.period, &example.period, sizeof(read.period));
	assert_int_equal(read.t_s, example.t_s);
	assert_true(read.has_limit && read.cap.is_active && read.cap.is_set);
	assert_int_equal(read.cap.correction_ms, 1000);
	assert_int_equal(read.cap.exception, 0x11);
	assert_int_equal(read.limit_max_w, 1100);
}

static void wrong_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"watts 412",
		"watts\n",
		"watts -1\n",
		"watts 65536\n",
		"watts 1 2\n",
		"watts 412\nhello 1\n",
		"watts 412\naverage 3 1 1 1\n",
		"watts 412\naverage 0 1 1\n",
		"watts 412\nlimit 1 2 3 256\n",
		"watts 412\nlimit 1 99999999999999999999 3 1\n",
		"watts 412\ntime 4294967296\n",
		"time 1\n",
		"watts 412\n\n",
	};
	struct es_twin_dcmi read = { .watts = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(es_twin_dcmi_parse(texts[i], &read), -EBADMSG);
		assert_int_equal(read.watts, 7);
	}
}

static void a_power_reading_is_as_the_specification_has_it(void **state)
{
	static const uint8_t want[] = { 0,    0xDC, 0x9C, 0x01, 200,  0,    0x20, 0x03, 0x86, 0x01,
					0x78, 0x56, 0x34, 0x12, 0x60, 0xEA, 0,	  0,	0x40 };
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct orders orders = { .n = 0 };

	(void)state;
	assert_int_equal(ASK(&example, 2, &orders, answer, 0xDC, 1, 0, 0), sizeof(want));
	assert_memory_equal(answer, want, sizeof(want));
	/* The mean of 5 s, by its code. */
	assert_int_equal(ASK(&example, 2, &orders, answer, 0xDC, 2, 0x05, 0), sizeof(want));
	assert_int_equal(answer[8] | answer[9] << 8, 410);
	assert_int_equal(answer[14] | answer[15] << 8, 5000);
	assert_int_equal(ASK(&example, 2, &orders, answer, 0xDC, 2, 0x07, 0), 2);
	assert_int_equal(answer[0], 0xCC);
	assert_int_equal(ASK(&example, 2, &orders, answer, 0xDC, 3, 0, 0), 2);
	assert_int_equal(orders.n, 0);
}

static void capabilities_name_the_averages(void **state)
{
	static const uint8_t averages[] = { 0, 0xDC, 1, 5, 2, 3, 0x05, 0x1E, 0x41 };
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct orders orders = { .n = 0 };

	(void)state;
	assert_int_equal(ASK(&example, 1, &orders, answer, 0xDC, 5), sizeof(averages));
	assert_memory_equal(answer, averages, sizeof(averages));
	assert_int_equal(ASK(&example, 1, &orders, answer, 0xDC, 1), 8);
	assert_int_equal(answer[6] & 1, 1);
	assert_int_equal(ASK(&example, 1, &orders, answer, 0xDC, 99), 2);
	assert_int_equal(answer[0], 0xCC);
}

static void the_limit_is_told_whether_active_or_not(void **state)
{
	static const uint8_t want[] = { 0,    0xDC, 0, 0, 0x11, 0x58, 0x02, 0xE8,
					0x03, 0,    0, 0, 0,	1,    0 };
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct es_twin_dcmi dcmi = example;
	struct orders orders = { .n = 0 };

	(void)state;
	assert_int_equal(ASK(&dcmi, 3, &orders, answer, 0xDC, 0, 0), sizeof(want));
	assert_memory_equal(answer, want, sizeof(want));
	dcmi.cap.is_active = false;
	assert_int_equal(ASK(&dcmi, 3, &orders, answer, 0xDC, 0, 0), sizeof(want));
	assert_int_equal(answer[0], 0x80);
	assert_int_equal(answer[5], 0x58);
}

static void limits_are_handed_on(void **state)
{
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct orders orders = { .n = 0 };
	struct es_twin_cap cap = { .is_set = false };

	(void)state;
	assert_int_equal(ASK(&example, 4, &orders, answer, 0xDC, 0, 0, 0, 1, 0xF4, 0x01, 0xD0, 7, 0,
			     0, 0, 0, 1, 0),
			 2);
	assert_int_equal(answer[0], 0);
	assert_string_equal(orders.last, "limit 500 2000 1 1");
	assert_int_equal(es_twin_dcmi_parse_order(orders.last, &cap), 0);
	assert_int_equal(cap.watts, 500);
	assert_false(cap.is_active);
	assert_int_equal(ASK(&example, 5, &orders, answer, 0xDC, 1, 0, 0), 2);
	assert_string_equal(orders.last, "activate");
	assert_int_equal(es_twin_dcmi_parse_order(orders.last, &cap), 0);
	assert_true(cap.is_active);
	assert_int_equal(ASK(&example, 5, &orders, answer, 0xDC, 0, 0, 0), 2);
	assert_string_equal(orders.last, "deactivate");
	orders.answer = -ENODATA;
	(void)ASK(&example, 5, &orders, answer, 0xDC, 1, 0, 0);
	assert_int_equal(answer[0], 0xD5);
	orders.answer = -EIO;
	(void)ASK(&example, 5, &orders, answer, 0xDC, 1, 0, 0);
	assert_int_equal(answer[0], 0xFF);
}

static void what_cannot_be_is_refused_with_its_code(void **state)
{
	uint8_t answer[ES_TWIN_DCMI_ANSWER_BYTES];
	struct es_twin_dcmi dcmi = example;
	struct orders orders = { .n = 0 };
	struct es_twin_cap cap = { .is_set = false };

	(void)state;
	(void)ASK(&dcmi, 4, &orders, answer, 0xDC, 0, 0, 0, 1, 10, 0, 0xD0, 7, 0, 0, 0, 0, 1, 0);
	assert_int_equal(answer[0], 0x84);
	(void)ASK(&dcmi, 4, &orders, answer, 0xDC, 0, 0, 0, 1, 0xF4, 1, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_int_equal(answer[0], 0x85);
	(void)ASK(&dcmi, 4, &orders, answer, 0xDC, 0, 0, 0);
	assert_int_equal(answer[0], 0xC7);
	(void)ASK(&dcmi, 5, &orders, answer, 0xDC, 9, 0, 0);
	assert_int_equal(answer[0], 0xC9);
	(void)ASK(&dcmi, 2, &orders, answer, 0xDD, 1, 0, 0);
	assert_int_equal(answer[0], 0xCC);
	(void)ASK(&dcmi, 2, &orders, answer, 0xDC);
	assert_int_equal(answer[0], 0xC7);
	assert_int_equal(es_twin_dcmi_answer(&dcmi, 2, NULL, 0, note_order, &orders, answer), 2);
	(void)ASK(&dcmi, 6, &orders, answer, 0xDC, 0, 0);
	assert_int_equal(answer[0], 0xC1);
	dcmi.has_limit = false;
	for (uint8_t command = 3; command < 6; command++) {
		(void)ASK(&dcmi, command, &orders, answer, 0xDC, 0, 0, 0);
		assert_int_equal(answer[0], 0xC1);
	}
	assert_int_equal(orders.n, 0);
	assert_int_equal(es_twin_dcmi_parse_order("activate", &cap), -ENODATA);
	assert_int_equal(es_twin_dcmi_parse_order("limit 1 2 3", &cap), -EBADMSG);
	assert_int_equal(es_twin_dcmi_parse_order("", &cap), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_reads_back),
		cmocka_unit_test(wrong_texts_are_refused),
		cmocka_unit_test(a_power_reading_is_as_the_specification_has_it),
		cmocka_unit_test(capabilities_name_the_averages),
		cmocka_unit_test(the_limit_is_told_whether_active_or_not),
		cmocka_unit_test(limits_are_handed_on),
		cmocka_unit_test(what_cannot_be_is_refused_with_its_code),
	};

	return cmocka_run_group_tests_name("twin/dcmi", tests, NULL, NULL);
}
