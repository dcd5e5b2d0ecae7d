/*
 * test_base_json.c - JSON written piece by piece
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"

static void expect_text(struct es_buf *buf, const char *text)
{
	assert_int_equal(es_buf_u8(buf, 0), 0);
	assert_string_equal((const char *)buf->data, text);
	es_buf_finish(buf);
}

static void put_sample(struct es_json *json)
{
	es_json_object(json, NULL);
	es_json_string(json, "name", "a");
	es_json_string(json, "none", NULL);
	es_json_array(json, "empty");
	es_json_array_end(json);
	es_json_array_inline(json, "line");
	es_json_u64(json, NULL, UINT64_MAX);
	es_json_i64(json, NULL, INT64_MIN);
	es_json_array(json, NULL);
	es_json_bool(json, NULL, true);
	es_json_array_end(json);
	es_json_array_end(json);
	es_json_object(json, "o");
	es_json_null(json, "n");
	es_json_bool(json, "b", false);
	es_json_object_end(json);
	es_json_object_end(json);
}

static void a_value_is_written_compact_or_pretty(void **state)
{
	struct es_json json;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 10000);
	es_json_init(&json, es_json_sink_buf, &buf, false);
	put_sample(&json);
	assert_int_equal(es_json_end(&json), 0);
	expect_text(&buf,
		    "{\"name\":\"a\",\"none\":null,\"empty\":[],\"line\":[18446744073709551615,"
		    "-9223372036854775808,[true]],\"o\":{\"n\":null,\"b\":false}}");

	es_buf_init(&buf, 10000);
	es_json_init(&json, es_json_sink_buf, &buf, true);
	put_sample(&json);
	assert_int_equal(es_json_end(&json), 0);
	expect_text(&buf, "{\n  \"name\": \"a\",\n  \"none\": null,\n  \"empty\": [],\n"
			  "  \"line\": [18446744073709551615, -9223372036854775808, [true]],\n"
			  "  \"o\": {\n    \"n\": null,\n    \"b\": false\n  }\n}\n");
}

static void strings_are_escaped_and_valid(void **state)
{
	static const struct {
		const char *text, *json;
	} vectors[] = {
		{ "", "\"\"" },
		{ "\"\\/", "\"\\\"\\\\/\"" },
		{ "\n\t\x01\x1f\x7f", "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff\x62", "\"a\\ufffdb\"" },
		{ "\xc0\x80", "\"\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf5\x80", "\"\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_json json;
		struct es_buf buf;

		es_buf_init(&buf, 1000);
		es_json_init(&json, es_json_sink_buf, &buf, false);
		es_json_string(&json, NULL, vectors[i].text);
		assert_int_equal(es_json_end(&json), 0);
		expect_text(&buf, vectors[i].json);
	}
}

static void keys_are_escaped_too(void **state)
{
	struct es_json json;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 1000);
	es_json_init(&json, es_json_sink_buf, &buf, false);
	es_json_object(&json, NULL);
	es_json_u64(&json, "a\"\n", 1);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	expect_text(&buf, "{\"a\\\"\\u000a\":1}");
}

static void doubles_read_back_to_the_same(void **state)
{
	static const double values[] = { 0,	  0.1,	    1.0 / 3,	   1e22,    5e-324,
					 DBL_MAX, -DBL_MIN, 123456789.125, 96409.6, 1e15 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(values); i++) {
		struct es_json json;
		struct es_buf buf;

		es_buf_init(&buf, 1000);
		es_json_init(&json, es_json_sink_buf, &buf, false);
		es_json_double(&json, NULL, values[i]);
		assert_int_equal(es_json_end(&json), 0);
		assert_int_equal(es_buf_u8(&buf, 0), 0);
		assert_true(strtod((const char *)buf.data, NULL) == values[i]);
		es_buf_finish(&buf);
	}
}

static void what_is_not_finite_is_null(void **state)
{
	struct es_json json;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 1000);
	es_json_init(&json, es_json_sink_buf, &buf, false);
	es_json_array(&json, NULL);
	es_json_double(&json, NULL, (double)NAN);
	es_json_double(&json, NULL, (double)INFINITY);
	es_json_double(&json, NULL, 0.25);
	es_json_array_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	expect_text(&buf, "[null,null,0.25]");
}

static void decimals_are_exact(void **state)
{
	static const struct {
		int64_t value;
		unsigned decimals;
		const char *text;
	} vectors[] = {
		{ 0, 0, "0" },
		{ 0, 6, "0" },
		{ 5, 0, "5" },
		{ 5, 2, "0.05" },
		{ -5, 2, "-0.05" },
		{ 1500000, 6, "1.5" },
		{ 96409600123, 6, "96409.600123" },
		{ 100, 2, "1" },
		{ 120, 2, "1.2" },
		{ INT64_MAX, 6, "9223372036854.775807" },
		{ INT64_MIN, 6, "-9223372036854.775808" },
		{ INT64_MIN, 0, "-9223372036854775808" },
		{ 1, 18, "0.000000000000000001" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_json json;
		struct es_buf buf;

		es_buf_init(&buf, 1000);
		es_json_init(&json, es_json_sink_buf, &buf, false);
		es_json_decimal(&json, NULL, vectors[i].value, vectors[i].decimals);
		assert_int_equal(es_json_end(&json), 0);
		expect_text(&buf, vectors[i].text);
	}
}

static void wrong_nesting_is_an_error(void **state)
{
	struct es_json json;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 100000);
	es_json_init(&json, es_json_sink_buf, &buf, false);
	es_json_object(&json, NULL);
	assert_int_equal(es_json_end(&json), -EINVAL);

	es_json_init(&json, es_json_sink_buf, &buf, false);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), -EINVAL);

	es_json_init(&json, es_json_sink_buf, &buf, true);
	for (unsigned i = 0; i < ES_JSON_DEPTH_MAX + 5; i++)
		es_json_array(&json, NULL);
	for (unsigned i = 0; i < ES_JSON_DEPTH_MAX + 5; i++)
		es_json_array_end(&json);
	assert_int_equal(es_json_end(&json), -E2BIG);

	es_json_init(&json, es_json_sink_buf, &buf, true);
	for (unsigned i = 0; i < ES_JSON_DEPTH_MAX; i++)
		es_json_array(&json, NULL);
	for (unsigned i = 0; i < ES_JSON_DEPTH_MAX; i++)
		es_json_array_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	es_buf_finish(&buf);
}

static void the_first_failure_of_a_sink_sticks(void **state)
{
	struct es_json json;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 5000);
	es_json_init(&json, es_json_sink_buf, &buf, false);
	es_json_array(&json, NULL);
	for (unsigned i = 0; i < 10000; i++)
		es_json_u64(&json, NULL, i);
	es_json_array_end(&json);
	assert_int_equal(es_json_end(&json), -EMSGSIZE);
	assert_true(buf.len <= 5000);
	es_buf_finish(&buf);
}

static void a_file_gets_all_of_it(void **state)
{
	char path[] = "/tmp/es-json-XXXXXX", text[20000];
	int fd = mkstemp(path);
	struct es_json json;
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_array(&json, NULL);
	for (unsigned i = 0; i < 2000; i++)
		es_json_u64(&json, NULL, 1000000 + i);
	es_json_array_end(&json);
	assert_int_equal(es_json_end(&json), 0);

	n = pread(fd, text, sizeof(text), 0);
	assert_int_equal(n, 2000 * 8 + 1);
	assert_int_equal(text[0], '[');
	assert_int_equal(text[n - 1], ']');
	close(fd);

	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(es_write_all(fd, text, 10), -ENOSPC);
	close(fd);
	assert_int_equal(es_write_all(fd, text, 10), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_written_compact_or_pretty),
		cmocka_unit_test(strings_are_escaped_and_valid),
		cmocka_unit_test(keys_are_escaped_too),
		cmocka_unit_test(doubles_read_back_to_the_same),
		cmocka_unit_test(what_is_not_finite_is_null),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(wrong_nesting_is_an_error),
		cmocka_unit_test(the_first_failure_of_a_sink_sticks),
		cmocka_unit_test(a_file_gets_all_of_it),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
