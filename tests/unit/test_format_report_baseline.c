/*
 * test_format_report_baseline.c - energy above the idle power of the same meters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_report_options options;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_recording_finish(&f->made);
	free(f);
	return 0;
}

/* Two packages of 100 W and 50 W for 10 s. */
static const struct es_report_baseline *measure(struct fixture *f)
{
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (const uint64_t[]){ 100 * TEST_J * i, 50 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);
	return &test_report(&f->made, &f->options)->baseline;
}

static void add_packages(struct fixture *f)
{
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
}

static void idle(struct fixture *f, const char *text, int64_t power_mw)
{
	test_event(&f->made, ES_EVENT_BASELINE, 0, power_mw, text);
}

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

static void the_mean_of_before_and_after_is_taken_off(void **state)
{
	struct fixture *f = *state;
	const struct es_report_baseline *baseline;

	add_packages(f);
	idle(f, "before powercap/package-0", 30000);
	idle(f, "before powercap/package-1", 20000);
	idle(f, "after powercap/package-0", 33000);
	idle(f, "after powercap/package-1", 21000);
	baseline = measure(f);

	assert_true(baseline->is_known);
	assert_near(baseline->before_w, 50, 1e-9);
	assert_near(baseline->after_w, 54, 1e-9);
	assert_near(baseline->power_w, 52, 1e-9);
	assert_near(baseline->above_j, 1500 - 520, 1e-3);
	/* 2 W for 10 s, and a little of the meters'. */
	assert_true(baseline->uncertainty_j >= 20 && baseline->uncertainty_j < 21);
	assert_near(f->made.report.node_j, 1500, 1e-3); /* never instead */
}

static void one_side_is_enough(void **state)
{
	struct fixture *f = *state;
	const struct es_report_baseline *baseline;

	add_packages(f);
	idle(f, "after powercap/package-0", 33000);
	idle(f, "after powercap/package-1", 21000);
	baseline = measure(f);

	assert_true(baseline->is_known);
	assert_false(baseline->has_before);
	assert_false(baseline->has_uncertainty);
	assert_near(baseline->power_w, 54, 1e-9);
}

/* A sum of some parts is not the power of the whole. */
static void a_part_without_idle_power_makes_it_unknown(void **state)
{
	struct fixture *f = *state;

	add_packages(f);
	idle(f, "before powercap/package-0", 30000);
	assert_false(measure(f)->is_known);
}

static void what_is_no_baseline_is_passed_over(void **state)
{
	struct fixture *f = *state;

	add_packages(f);
	idle(f, "", 1);
	idle(f, "during powercap/package-0", 1);
	idle(f, "before powercap/package-0", -5);
	idle(f, "before powercap/package-7", 5);
	assert_false(measure(f)->is_known);
}

static void without_one_nothing_is_said(void **state)
{
	struct fixture *f = *state;
	struct es_buf out;

	add_packages(f);
	(void)measure(f);
	es_buf_init(&out, 4096);
	es_report_baseline_rows(&f->made.report, &out);
	assert_int_equal(out.len, 0);
	es_buf_finish(&out);
}

static void a_text_that_does_not_fit_is_refused(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(es_report_baseline_text(true, "gpu-0", text, sizeof(text)), 0);
	assert_string_equal(text, "before gpu-0");
	assert_int_equal(es_report_baseline_text(true, "powercap/package-0", text, sizeof(text)),
			 -ENAMETOOLONG);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_mean_of_before_and_after_is_taken_off),
		TEST(one_side_is_enough),
		TEST(a_part_without_idle_power_makes_it_unknown),
		TEST(what_is_no_baseline_is_passed_over),
		TEST(without_one_nothing_is_said),
		TEST(a_text_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("format/report_baseline", tests, NULL, NULL);
}
