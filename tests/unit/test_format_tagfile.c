/*
 * test_format_tagfile.c - tags from a file: what is read, what is refused, and where its energy goes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "format/tagfile.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_tagfile file;
	struct es_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_recording_finish(&f->made);
	es_tagfile_finish(&f->file);
	free(f);
	return 0;
}

static int parse(struct fixture *f, const char *text)
{
	return es_tagfile_parse(&f->file, "t.csv", strdup(text), strlen(text), &f->err);
}

static void assert_refused(struct fixture *f, const char *text, const char *message)
{
	assert_int_equal(parse(f, text), -EINVAL);
	if (!strstr(f->err.text, message))
		fail_msg("'%s' does not say '%s'", f->err.text, message);
}

static void times_are_of_three_kinds(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "name,start,stop\n"
				  "a,+1.5,+2min\n"
				  "\n"
				  "\"b, c\",2026-03-13T12:00:00Z,2026-03-13T13:00:00.25+01:00\n"
				  "d,1773403200.125,@1773403201\n"),
			 0);

	assert_int_equal(f->file.n_rows, 3);
	assert_string_equal(f->file.rows[0].name, "a");
	assert_true(f->file.rows[0].start.is_relative);
	assert_int_equal(f->file.rows[0].start.t_ns, 1500 * TEST_MS);
	assert_int_equal(f->file.rows[0].stop.t_ns, 120 * TEST_S);
	assert_string_equal(f->file.rows[1].name, "b, c");
	assert_int_equal(f->file.rows[1].line, 4);
	assert_false(f->file.rows[1].start.is_relative);
	assert_int_equal(f->file.rows[1].start.t_ns, TEST_START_UNIX_NS);
	assert_int_equal(f->file.rows[1].stop.t_ns, TEST_START_UNIX_NS + 250 * TEST_MS);
	assert_int_equal(f->file.rows[2].start.t_ns, TEST_START_UNIX_NS + 125 * TEST_MS);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "", "there are none");
	assert_refused(f, "name,start,stop\n", "there are none");
	assert_refused(f, "a,+1,+2\nb,+1\n", "line 2: 2 fields");
	assert_refused(f, "a,+1,+2,+3\n", "line 1: 4 fields");
	assert_refused(f, "a,+1,+2\n\nb,soon,+2\n", "line 3: 'soon' is no time");
	assert_refused(f, "a,+1,-2\n", "'-2' is no time");
	assert_refused(f, "a,+2,+1\n", "line 1: it stops before it starts");
	assert_refused(f, ",+1,+2\n", "at least one character");
	assert_refused(f, "a\x01,+1,+2\n", "control");
	assert_refused(f, "\xff,+1,+2\n", "UTF-8");
	assert_refused(f, "\"a,+1,+2\n", "line 1: a quote");
	assert_refused(f, "a,+1,+9999999999999999999\n", "is no time");
	assert_refused(f, "a,+1,+2\nname,start,stop\n", "line 2: 'start' is no time");
}

static void reserved_names_are_refused(void **state)
{
	assert_refused(*state, "es_total,+1,+2\n", "'es_total': this name is reserved");
	assert_refused(*state, "es_appli_total,+1,+2\n", "reserved");
}

static void zero_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	char *text = calloc(1, 32);

	assert_non_null(text);
	memcpy(text, "a,+1,+2\n\0b,+1,+2\n", 17);
	assert_int_equal(es_tagfile_parse(&f->file, "t.csv", text, 17, &f->err), -EINVAL);
}

/* Each second 100 J; also 30 J of memory. */
static const struct es_report *report(struct fixture *f, int *ret)
{
	struct es_report_options options = test_options();

	options.tags = &f->file;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->update_period_ns = 0;
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 100 * TEST_J * i);
	test_event(&f->made, ES_EVENT_TAG_START, TEST_S, 0, "own");
	test_event(&f->made, ES_EVENT_TAG_STOP, 3 * TEST_S, 0, "own");
	test_end(&f->made, 10 * TEST_S, 0);
	if (!ret)
		return test_report(&f->made, &options);
	es_recorder_close(f->made.recorder);
	f->made.recorder = NULL;
	assert_int_equal(es_recording_open(f->made.path, NULL, &f->made.recording, &f->err), 0);
	*ret = es_report_build(f->made.recording, &options, &f->made.report, &f->err);
	return NULL;
}

static void tags_of_a_file_join_those_of_the_recording(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "file,+2,+5\n"
				  "own,2026-03-13T12:00:07Z,1773403208.5\n"),
			 0);
	(void)report(f, NULL);

	assert_int_equal(test_region(&f->made.report, "file")->energy_uj, 300 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "own")->n_calls, 2);
	assert_int_equal(test_region(&f->made.report, "own")->energy_uj, 350 * TEST_J);
	/* From 2 to 3 both are open, and neither lies in the other. */
	assert_int_equal(test_region(&f->made.report, "file")->exclusive_uj, 250 * TEST_J);
	assert_int_equal(f->made.report.untagged.energy_uj, 450 * TEST_J);
}

static void a_stop_before_its_start_is_found_when_both_are_known(void **state)
{
	struct fixture *f = *state;
	int r;

	assert_int_equal(parse(f, "ok,+1,+2\nx,+5,2026-03-13T12:00:01Z\n"), 0);
	(void)report(f, &r);

	assert_int_equal(r, -EINVAL);
	assert_non_null(strstr(f->err.text, "'t.csv' line 2: it stops before it starts"));
}

static void tags_of_another_day_are_refused(void **state)
{
	struct fixture *f = *state;
	int r;

	assert_int_equal(parse(f, "x,2025-03-13T12:00:01Z,2025-03-13T12:00:02Z\n"), 0);
	(void)report(f, &r);

	assert_int_equal(r, -EINVAL);
	assert_non_null(strstr(f->err.text, "none lies within the recording"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_tagfile_read(&f->file, "/nonexistent/tags.csv", &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "/nonexistent/tags.csv"));
	assert_int_equal(es_tagfile_read(&f->file, "/dev/null", &f->err), -EINVAL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(times_are_of_three_kinds),
		TEST(what_is_wrong_is_told_with_its_line),
		TEST(reserved_names_are_refused),
		TEST(zero_bytes_are_refused),
		TEST(tags_of_a_file_join_those_of_the_recording),
		TEST(a_stop_before_its_start_is_found_when_both_are_known),
		TEST(tags_of_another_day_are_refused),
		TEST(a_file_that_is_not_there_is_named),
	};
#undef TEST

	return cmocka_run_group_tests_name("format/tagfile", tests, NULL, NULL);
}
