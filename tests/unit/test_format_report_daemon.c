/*
 * test_format_report_daemon.c - what a recording says of the daemon that its readings came through, told again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "format/report_daemon.h"

static void what_was_noted_reads_back(void **state)
{
	const struct es_report_daemon daemon = { .is_used = true,
						 .is_share = true,
						 .version = "0.1.0",
						 .job = "17",
						 .period_ns = ES_NS_PER_S,
						 .asked_ns = 100 * ES_NS_PER_MS };
	struct es_report_daemon again = { .is_used = false };
	char text[255];

	(void)state;
	assert_int_equal(es_report_daemon_text(&daemon, text, sizeof(text)), 0);
	es_report_daemon_parse(text, daemon.period_ns, &again);
	assert_true(again.is_used);
	assert_true(again.is_share);
	assert_string_equal(again.version, "0.1.0");
	assert_string_equal(again.job, "17");
	assert_int_equal(again.period_ns, ES_NS_PER_S);
	assert_int_equal(again.asked_ns, 100 * ES_NS_PER_MS);
	assert_int_equal(es_report_daemon_text(&daemon, text, 20), -ENAMETOOLONG);
}

static void other_texts_say_nothing(void **state)
{
	static const char *const texts[] = { "", "nodes version=1", "sharp", "cluster version=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct es_report_daemon daemon = { .is_used = false };

		es_report_daemon_parse(texts[i], ES_NS_PER_S, &daemon);
		assert_false(daemon.is_used);
	}
}

static void numbers_that_make_no_sense_are_not_taken(void **state)
{
	struct es_report_daemon daemon = { .is_used = false };

	(void)state;
	es_report_daemon_parse("node version=1 asked=1", INT64_MIN, &daemon);
	assert_false(daemon.is_used);
	es_report_daemon_parse("node version=1 asked=1", 0, &daemon);
	assert_false(daemon.is_used);
	es_report_daemon_parse("node asked=-5 job=0123456789012345678901234567890123456789012345678"
			       "901234567890123456789",
			       ES_NS_PER_S, &daemon);
	assert_true(daemon.is_used);
	assert_int_equal(daemon.asked_ns, 0);
	assert_string_equal(daemon.version, "");
	assert_string_equal(daemon.job, ""); /* longer than any */
}

static void words_say_how_often_and_whose(void **state)
{
	struct es_report_daemon daemon = { .is_used = true,
					   .version = "0.1.0",
					   .period_ns = 100 * ES_NS_PER_MS };
	char text[320];

	(void)state;
	es_report_daemon_words(&daemon, text, sizeof(text));
	assert_string_equal(text, "through energyscopiumd 0.1.0, at most 10 Hz");
	daemon.asked_ns = 10 * ES_NS_PER_MS;
	(void)strcpy(daemon.job, "7");
	es_report_daemon_words(&daemon, text, sizeof(text));
	assert_string_equal(text, "through energyscopiumd 0.1.0, at most 10 Hz (asked for: 10 ms): "
				  "the node, which is of job 7 alone");
	daemon.asked_ns = 0;
	daemon.is_share = true;
	daemon.period_ns = 2 * ES_NS_PER_S;
	es_report_daemon_words(&daemon, text, sizeof(text));
	assert_string_equal(text,
			    "through energyscopiumd 0.1.0, every 2 s: what is attributed to job 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_reads_back),
		cmocka_unit_test(other_texts_say_nothing),
		cmocka_unit_test(numbers_that_make_no_sense_are_not_taken),
		cmocka_unit_test(words_say_how_often_and_whose),
	};

	return cmocka_run_group_tests_name("format/report_daemon", tests, NULL, NULL);
}
