/*
 * test_net_metrics.c - one value out of OpenMetrics or Prometheus text
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/metrics.h"

#define NOTHING INT64_C(-1)

static int read_by(const char *query_text, const char *text, size_t n, size_t piece, int64_t *ret)
{
	static const struct es_metrics none;
	struct es_metrics_query query;
	struct es_metrics *metrics = malloc(sizeof(*metrics));
	int r;

	assert_non_null(metrics);
	*metrics = none;
	assert_int_equal(es_metrics_query_parse(query_text, &query, NULL), 0);
	*ret = NOTHING;
	es_metrics_begin(metrics, &query);
	for (size_t at = 0; at < n; at += piece)
		es_metrics_feed(metrics, text + at, n - at < piece ? n - at : piece);
	r = es_metrics_end(metrics, ret);
	free(metrics);
	return r;
}

static void values_are_found_by_name_and_labels(void **state)
{
	static const char text[] =
		"# HELP steps_total Steps done.\n"
		"# TYPE steps_total counter\n"
		"steps_total 1200\n"
		"steps_total_created 9\n"
		"my_steps_total 8\n"
		"tokens{model=\"a\",kind=\"in\"} 10 1395066363000\n"
		"tokens{model=\"b\",kind=\"in\"} 2.5\n"
		"tokens{ kind = \"out\" , model=\"a\" , }\t1e3 # {trace=\"x\"} 0.67\n"
		"path{p=\"C:\\\\DIR \\\"q\\\" \\n{},=\"} 7\n"
		"broken{p=\"x\" 1\nbroken{p} 1\nbroken 1x\n"
		"nan NaN\ninf +Inf\nnegative -4\nlarge 1e30\n"
		"last 42";
	static const struct {
		const char *query;
		int r;
		int64_t micro;
	} vectors[] = {
		{ "steps_total", 0, 1200000000 },
		{ "steps", -ENOENT, NOTHING },
		{ "tokens", 0, 1012500000 },
		{ "tokens{kind=\"in\"}", 0, 12500000 },
		{ "tokens{model=\"a\",kind=\"out\"}", 0, 1000000000 },
		{ "tokens{model=\"c\"}", -ENOENT, NOTHING },
		{ "tokens{other=\"a\"}", -ENOENT, NOTHING },
		{ "path{p=\"C:\\\\DIR \\\"q\\\" \\n{},=\"}", 0, 7000000 },
		{ "broken", -ENODATA, NOTHING },
		{ "nan", -ENODATA, NOTHING },
		{ "inf", -ENODATA, NOTHING },
		{ "negative", -ENODATA, NOTHING },
		{ "large", -ENODATA, NOTHING },
		{ "last", 0, 42000000 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		/* Cut anywhere it says the same. */
		for (size_t piece = 1; piece < sizeof(text); piece += 1 + piece / 3) {
			int64_t micro;
			int r = read_by(vectors[i].query, text, sizeof(text) - 1, piece, &micro);

			if (r != vectors[i].r || micro != vectors[i].micro)
				fail_msg("%s in pieces of %zu: %d, %lld", vectors[i].query, piece,
					 r, (long long)micro);
		}
}

static void lines_that_are_too_long_are_passed_over(void **state)
{
	size_t n = 2 * ES_METRICS_LINE_MAX_BYTES;
	char *text = malloc(n + 64);
	int64_t micro;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', n);
	memcpy(text + n, "\nsteps 3\n", 10);

	assert_int_equal(read_by("steps", text, n + 9, 1000, &micro), 0);
	assert_int_equal(micro, 3000000);
	free(text);
}

/* What cannot be read of a metric may be a part of it: a smaller sum would be wrong. */
static void a_series_that_cannot_be_read_leaves_no_sum(void **state)
{
	static const char text[] = "a{x=\"1\"} 5\na{x=\"2\" 6\nb{x=\"1\"} 7\n";
	char line[ES_METRICS_LINE_MAX_BYTES + 64] = "a 1\na{x=\"";
	size_t n = strlen(line);
	int64_t micro;

	(void)state;
	assert_int_equal(read_by("a", text, sizeof(text) - 1, 99, &micro), -ENODATA);
	assert_int_equal(read_by("b", text, sizeof(text) - 1, 99, &micro), 0);

	memset(line + n, 'y', sizeof(line) - n);
	memcpy(line + sizeof(line) - 5, "\"} 6\n", 5);
	for (size_t piece = 1000; piece <= sizeof(line); piece += sizeof(line) - 1000)
		assert_int_equal(read_by("a", line, sizeof(line), piece, &micro), -ENODATA);
}

/* A label's value that is longer than any that is asked for is only another one. */
static void long_values_of_labels_are_read(void **state)
{
	char text[2 * ES_METRICS_WORD_MAX_BYTES] = "a{x=\"";
	size_t n = strlen(text);
	int64_t micro;

	(void)state;
	memset(text + n, 'y', ES_METRICS_WORD_MAX_BYTES + 10);
	(void)strcat(text, "\",z=\"1\"} 5\na{z=\"2\"} 6\n");
	assert_int_equal(read_by("a", text, strlen(text), 7, &micro), 0);
	assert_int_equal(micro, 11000000);
	assert_int_equal(read_by("a{z=\"1\"}", text, strlen(text), 7, &micro), 0);
	assert_int_equal(micro, 5000000);
}

static void a_sum_that_does_not_fit_is_no_number(void **state)
{
	static const char text[] = "a{x=\"1\"} 9e12\na{x=\"2\"} 9e12\n";
	int64_t micro;

	(void)state;
	assert_int_equal(read_by("a", text, sizeof(text) - 1, 99, &micro), -ENODATA);
}

static void wrong_queries_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *word;
	} vectors[] = {
		{ "", -EBADMSG, "byte 0" },
		{ "9a", -EBADMSG, "byte 0" },
		{ "a b", -EBADMSG, "byte 2" },
		{ "a{", -EBADMSG, "byte 2" },
		{ "a{b}", -EBADMSG, "byte 3" },
		{ "a{b=c}", -EBADMSG, "byte 4" },
		{ "a{b=\"c\"", -EBADMSG, "byte 7" },
		{ "a{b=\"c\" d=\"e\"}", -EBADMSG, "byte" },
		{ "a{b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\",j=\"\"}", -E2BIG,
		  "labels" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_metrics_query query;
		struct es_error err = { .code = 0 };

		assert_int_equal(es_metrics_query_parse(vectors[i].text, &query, &err),
				 vectors[i].r);
		if (!strstr(err.text, vectors[i].word))
			fail_msg("'%s': %s", vectors[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_name_and_labels),
		cmocka_unit_test(lines_that_are_too_long_are_passed_over),
		cmocka_unit_test(a_series_that_cannot_be_read_leaves_no_sum),
		cmocka_unit_test(long_values_of_labels_are_read),
		cmocka_unit_test(a_sum_that_does_not_fit_is_no_number),
		cmocka_unit_test(wrong_queries_are_told_with_their_place),
	};

	return cmocka_run_group_tests_name("net/metrics", tests, NULL, NULL);
}
