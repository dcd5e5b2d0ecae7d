/*
 * test_source_web.c - meters behind web servers: whom to trust, what answers mean, how old they are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "source/fresh.h"
#include "source/prometheus.h"
#include "source/source.h"
#include "source/web.h"

#define S ES_NS_PER_S

static void pins_are_digests_of_keys(void **state)
{
	/* base64 of 32 bytes as coreutils prints it */
	static const char hex[] = "sha256:000102030405060708090a0b0c0d0e0f"
				  "101112131415161718191a1b1c1d1eff";
	static const char colons[] = "sha256:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
				     "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF";
	static const char *const bad[] = { "", "sha256:", "sha1:00", "sha256:0001", "sha256:zz" };
	char pin[64];

	(void)state;
	assert_int_equal(es_web_pin(hex, pin), 0);
	assert_string_equal(pin, "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=");
	assert_int_equal(es_web_pin(colons, pin), 0);
	assert_string_equal(pin, "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(es_web_pin(bad[i], pin), -EINVAL);
}

static void queries_are_encoded(void **state)
{
	char url[64] = "/q?x=", small[8] = "/q?x=";

	(void)state;
	assert_int_equal(es_web_encode("a{b=\"c d\"}&\xc3\xa9", url, sizeof(url)), 0);
	assert_string_equal(url, "/q?x=a%7Bb%3D%22c%20d%22%7D%26%C3%A9");
	assert_int_equal(es_web_encode("  ", small, sizeof(small)), -E2BIG);
}

static void values_are_placed_by_their_own_time(void **state)
{
	struct es_fresh fresh = { .stale_ns = 60 * S };
	const struct es_now now = { .boot_ns = 1000 * S, .unix_ns = 1700000000 * S };
	int64_t t_ns = -1;

	(void)state;
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - 5 * S, now, &t_ns), 0);
	assert_int_equal(t_ns, 995 * S);
	/* The same again, and one before it: nothing new. */
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - 5 * S, now, &t_ns), -ECANCELED);
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - 6 * S, now, &t_ns), -ECANCELED);
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - 61 * S, now, &t_ns), -ESTALE);
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns + 3 * S, now, &t_ns), -ERANGE);
	/* A little ahead is now. */
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns + S, now, &t_ns), 0);
	assert_int_equal(t_ns, now.boot_ns);
}

static void the_same_value_becomes_old(void **state)
{
	struct es_fresh fresh = { .stale_ns = 60 * S };
	struct es_now later = { .boot_ns = 100 * S, .unix_ns = 1700000000 * S };
	int64_t t_ns;

	(void)state;
	assert_int_equal(es_fresh_place(&fresh, later.unix_ns - S, later, &t_ns), 0);
	later.unix_ns += 60 * S;
	assert_int_equal(es_fresh_place(&fresh, 1700000000 * S - S, later, &t_ns), -ESTALE);
	fresh = (struct es_fresh){ .stale_ns = 60 * S };
	assert_int_equal(es_fresh_stands(&fresh, 7, 100 * S), 0);
	assert_int_equal(es_fresh_stands(&fresh, 7, 160 * S), 0);
	assert_int_equal(es_fresh_stands(&fresh, 7, 161 * S), -ESTALE);
	assert_int_equal(es_fresh_stands(&fresh, 8, 162 * S), 0);
	fresh.stale_ns = 0;
	assert_int_equal(es_fresh_stands(&fresh, 8, 9999 * S), 0);
}

/* Both the meter's clock and ours go back an hour, as one that was wrong does when NTP comes: what is new stays new. */
static void a_clock_set_back_hides_no_new_values(void **state)
{
	struct es_fresh fresh = { .stale_ns = 60 * S };
	struct es_now now = { .boot_ns = 1000 * S, .unix_ns = 1700000000 * S };
	int64_t t_ns = 0;

	(void)state;
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - S, now, &t_ns), 0);
	assert_true(t_ns == 999 * S);
	now = (struct es_now){ .boot_ns = 1001 * S, .unix_ns = now.unix_ns + S - 3600 * S };
	/* What was written before is of a time to come. */
	assert_int_equal(es_fresh_place(&fresh, 1700000000 * S - S, now, &t_ns), -ERANGE);
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - S, now, &t_ns), 0);
	assert_true(t_ns == 1000 * S);
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - S, now, &t_ns), -ECANCELED);
}

/* Ours goes forward: newer values would lie before those that are recorded. */
static void a_clock_set_forward_makes_no_time_run_backwards(void **state)
{
	struct es_fresh fresh = { .stale_ns = 60 * S };
	struct es_now now = { .boot_ns = 1000 * S, .unix_ns = 1700000000 * S };
	int64_t t_ns = 0;

	(void)state;
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - S, now, &t_ns), 0);
	for (int64_t i = 1; i <= 10; i++) {
		const struct es_now later = { .boot_ns = now.boot_ns + i * S,
					      .unix_ns = now.unix_ns + (10 + i) * S };
		int r = es_fresh_place(&fresh, now.unix_ns + (i - 1) * S, later, &t_ns);

		assert_int_equal(r, -ECANCELED);
	}
	now = (struct es_now){ .boot_ns = 1011 * S, .unix_ns = now.unix_ns + 21 * S };
	assert_int_equal(es_fresh_place(&fresh, now.unix_ns - 11 * S, now, &t_ns), 0);
	assert_true(t_ns == 1000 * S);
}

static int parse(const char *text, double *ret, int64_t *ret_t_ns, struct es_error *err)
{
	struct es_prometheus_sample sample = { .value = -1 };
	int r = es_prometheus_parse(text, strlen(text), &sample, err);

	*ret = sample.value;
	*ret_t_ns = sample.t_unix_ns;
	return r;
}

#define VECTOR(result) \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" result "]}}"
#define SERIES(name, value) \
	"{\"metric\":{\"instance\":\"" name "\"},\"value\":[1700000000.5," value "]}"

static void one_series_answers(void **state)
{
	double value;
	int64_t t_ns;

	(void)state;
	assert_int_equal(parse(VECTOR(SERIES("n1", "\"312.5\"")), &value, &t_ns, NULL), 0);
	assert_true(value > 312.4 && value < 312.6);
	assert_int_equal(t_ns, INT64_C(1700000000500000000));
	assert_int_equal(parse("{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\","
			       "\"result\":[1700000000,\"7\"]}}",
			       &value, &t_ns, NULL),
			 0);
	assert_true(value > 6.9 && value < 7.1);
}

static void other_answers_are_none(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *word;
	} rows[] = {
		{ VECTOR(""), -ENODATA, "no series" },
		{ VECTOR(SERIES("n1", "\"NaN\"")), -ENODATA, "NaN" },
		{ VECTOR(SERIES("n1", "\"+Inf\"")), -EBADMSG, "+Inf" },
		{ VECTOR(SERIES("n1", "5")), -EBADMSG, "value" },
		{ VECTOR(SERIES("n1", "\"1\"") "," SERIES("n2", "\"2\"")), -EBADMSG, "n2" },
		{ VECTOR("{\"metric\":{}}"), -EBADMSG, "value" },
		{ "{\"status\":\"error\",\"error\":\"parse error: bad\"}", -EINVAL, "parse error" },
		{ "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
		  -EBADMSG, "matrix" },
		{ "{}", -EBADMSG, "" },
		{ "[1,2]", -EBADMSG, "" },
		{ "Prometheus", -EBADMSG, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct es_error err = { .code = 0 };
		double value;
		int64_t t_ns;

		assert_int_equal(parse(rows[i].text, &value, &t_ns, &err), rows[i].error);
		if (!strstr(err.text, rows[i].word))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].word);
	}
}

/* URLs that are wrong are told so before anything is asked. */
static void wrong_urls_are_refused(void **state)
{
	static const char *const bad[] = {
		"http://h/x?verify=no",
		"https://h/x?verify=maybe",
		"https://h/x?ca=rel",
		"https://h/x?fingerprint=sha1:00",
		"https://h/x?verify=no&ca=/a",
		"http:///x",
		"http://h/x?stale=5",
		"http://h/x?colum=1",
		"http://h/x?column=1#/a",
		"http://h/x#a",
		"prometheus://h",
		"prometheus://h?query=a&scheme=ftp",
		"prometheus://h?query=a&tim=1",
		"file:/a?colum=1",
		"file://host/a",
		"file:a",
		"file:/a?stale=x",
	};
	struct es_root root = { .fd = -1 };

	(void)state;
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct es_meter_url url;
		struct es_error err = { .code = 0 };
		struct es_source *source = NULL;
		const struct es_source_ops *ops;

		assert_int_equal(es_meter_url_parse(bad[i], "n", &url, NULL), 0);
		ops = es_registry_find(url.scheme);
		assert_non_null(ops);
		if (ops->open_at(&root, &url, &source, &err) != -EINVAL || !err.text[0])
			fail_msg("%s is taken", bad[i]);
	}
	es_root_close(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_digests_of_keys),
		cmocka_unit_test(queries_are_encoded),
		cmocka_unit_test(values_are_placed_by_their_own_time),
		cmocka_unit_test(the_same_value_becomes_old),
		cmocka_unit_test(a_clock_set_back_hides_no_new_values),
		cmocka_unit_test(a_clock_set_forward_makes_no_time_run_backwards),
		cmocka_unit_test(one_series_answers),
		cmocka_unit_test(other_answers_are_none),
		cmocka_unit_test(wrong_urls_are_refused),
	};

	return cmocka_run_group_tests_name("source/web", tests, NULL, NULL);
}
