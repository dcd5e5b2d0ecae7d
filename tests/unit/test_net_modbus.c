/*
 * test_net_modbus.c - numbers in Modbus registers, and devices that are none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/modbus.h"

static void types_and_orders_are_as_documented(void **state)
{
	static const struct {
		uint16_t registers[4];
		const char *type, *order;
		double value;
	} cases[] = {
		{ { 0x1234 }, "uint16", "abcd", 4660 },
		{ { 0x3412 }, "uint16", "badc", 4660 },
		{ { 0xffff }, "int16", "abcd", -1 },
		{ { 0x0001, 0x0002 }, "uint32", "abcd", 65538 },
		{ { 0x0002, 0x0001 }, "uint32", "cdab", 65538 },
		{ { 0x0100, 0x0200 }, "uint32", "badc", 65538 },
		{ { 0x0200, 0x0100 }, "uint32", "dcba", 65538 },
		{ { 0xffff, 0xfffe }, "int32", "abcd", -2 },
		{ { 0, 0, 0, 7 }, "uint64", "abcd", 7 },
		{ { 7, 0, 0, 0 }, "uint64", "cdab", 7 },
		{ { 0xffff, 0xffff, 0xffff, 0xfff9 }, "int64", "abcd", -7 },
		/* 120.5 = 0x42f10000; 1e9 = 0x41cdcd6500000000 */
		{ { 0x42f1, 0x0000 }, "float32", "abcd", 120.5 },
		{ { 0x0000, 0x42f1 }, "float32", "cdab", 120.5 },
		{ { 0xf142, 0x0000 }, "float32", "badc", 120.5 },
		{ { 0x0000, 0xf142 }, "float32", "dcba", 120.5 },
		{ { 0x41cd, 0xcd65, 0, 0 }, "float64", "abcd", 1e9 },
		{ { 0, 0, 0x65cd, 0xcd41 }, "float64", "dcba", 1e9 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		enum es_modbus_type type;
		enum es_modbus_order order;
		double value = NAN;

		assert_int_equal(es_modbus_type_parse(cases[i].type, &type), 0);
		assert_int_equal(es_modbus_order_parse(cases[i].order, &order), 0);
		assert_int_equal(es_modbus_decode(cases[i].registers, type, order, &value), 0);
		assert_true(value == cases[i].value);
	}
}

static void what_a_device_does_not_have_is_unknown(void **state)
{
	static const struct {
		uint16_t registers[4];
		enum es_modbus_type type;
		int error;
	} cases[] = {
		{ { 0xffff }, ES_MODBUS_UINT16, -ENODATA },
		{ { 0x8000 }, ES_MODBUS_INT16, -ENODATA },
		{ { 0xffff, 0xffff }, ES_MODBUS_UINT32, -ENODATA },
		{ { 0x8000, 0 }, ES_MODBUS_INT32, -ENODATA },
		{ { 0xffff, 0xffff, 0xffff, 0xffff }, ES_MODBUS_UINT64, -ENODATA },
		{ { 0x8000, 0, 0, 0 }, ES_MODBUS_INT64, -ENODATA },
		{ { 0x7fc0, 0 }, ES_MODBUS_FLOAT32, -ENODATA },
		{ { 0xffff, 0xffff }, ES_MODBUS_FLOAT32, -ENODATA },
		{ { 0x7ff8, 0, 0, 0 }, ES_MODBUS_FLOAT64, -ENODATA },
		{ { 0x7f80, 0 }, ES_MODBUS_FLOAT32, -EBADMSG },
		{ { 0xfff0, 0, 0, 0 }, ES_MODBUS_FLOAT64, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		double value = -77;

		assert_int_equal(es_modbus_decode(cases[i].registers, cases[i].type, ES_MODBUS_ABCD,
						  &value),
				 cases[i].error);
		assert_true(value == -77);
	}
}

static void unknown_words_are_refused(void **state)
{
	enum es_modbus_type type;
	enum es_modbus_order order;

	(void)state;
	assert_int_equal(es_modbus_type_parse("float", &type), -EINVAL);
	assert_int_equal(es_modbus_type_parse("", &type), -EINVAL);
	assert_int_equal(es_modbus_order_parse("abdc", &order), -EINVAL);
	assert_int_equal(es_modbus_type_registers(ES_MODBUS_UINT16), 1);
	assert_int_equal(es_modbus_type_registers(ES_MODBUS_FLOAT32), 2);
	assert_int_equal(es_modbus_type_registers(ES_MODBUS_INT64), 4);
}

static uint16_t listen_somewhere(int *ret_fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(*ret_fd, 1), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &n), 0);
	return ntohs(address.sin_port);
}

static void who_does_not_answer_is_told_from_who_is_not_there(void **state)
{
	struct es_modbus_options options = { .host = "127.0.0.1",
					     .unit = 1,
					     .timeout_ns = 50 * ES_NS_PER_MS };
	struct es_modbus *modbus = NULL;
	struct es_error err = { .code = 0 };
	uint16_t value = 77;
	int fd;

	(void)state;
	options.port = listen_somewhere(&fd);
	/* Connections are taken by the kernel, and nobody answers. */
	assert_int_equal(es_modbus_open(&options, &modbus, &err), 0);
	assert_int_equal(es_modbus_read(modbus, 3, 0, 1, &value, &err), -ETIMEDOUT);
	assert_true(es_modbus_is_lost(-ETIMEDOUT));
	assert_int_equal(value, 77);
	assert_int_equal(es_modbus_read(modbus, 5, 0, 1, &value, &err), -EINVAL);
	assert_int_equal(es_modbus_read(modbus, 3, 0, ES_MODBUS_REGISTERS_MAX + 1, &value, &err),
			 -EINVAL);
	es_modbus_close(modbus);
	(void)close(fd);
	modbus = NULL;
	assert_int_equal(es_modbus_open(&options, &modbus, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "listens"));
	assert_null(modbus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_orders_are_as_documented),
		cmocka_unit_test(what_a_device_does_not_have_is_unknown),
		cmocka_unit_test(unknown_words_are_refused),
		cmocka_unit_test(who_does_not_answer_is_told_from_who_is_not_there),
	};

	return cmocka_run_group_tests_name("net/modbus", tests, NULL, NULL);
}
