/*
 * test_format_calibration.c - calibrations as files, their bounds, and which node gets which
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/calibration.h"
#include "support/recordings.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g within %g", value, expected, tolerance);
}

/* Of a node with two packages: 1.2 times their power and 100 W, made between 100 and 300 W. */
static struct es_calibration make(void)
{
	struct es_calibration c = {
		.name = "lab",
		.class = { .cpu_model = "Some CPU \"1\"", .n_packages = 2, .memory_gib = 256 },
		.slope = 1.2,
		.slope_bound = 0.02,
		.offset_w = 100,
		.offset_bound_w = 5,
		.mean_w = 200,
		.mean_bound_w = 1,
		.residual_w = 4,
		.r2 = 0.99,
		.lowest_w = 100,
		.highest_w = 300,
		.n_windows = 120,
		.n_effective = 77.5,
		.window_s = 5,
		.has_lag = true,
		.lag_s = -0.5,
		.lag_bound_s = 0.25,
		.meter = "dcmi/node",
		.who = "somebody@n1",
		.tool = "energyscopium 0.1.0",
		.t_unix_ns = 1773403200000000000,
	};

	assert_int_equal(es_calibration_add_part(&c, "package-1"), 0);
	assert_int_equal(es_calibration_add_part(&c, "package-0"), 0);
	assert_int_equal(es_calibration_add_source(&c, "a.esr", "00ff"), 0);
	return c;
}

static void all_of_a_calibration_comes_back_from_its_file(void **state)
{
	struct es_calibration c = make(), back;
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_calibration_write(&c, &out), 0);
	assert_int_equal(es_calibration_read((const char *)out.data, out.len, &back, NULL), 0);
	assert_string_equal(back.name, "lab");
	assert_string_equal(back.class.cpu_model, c.class.cpu_model);
	assert_int_equal(back.class.memory_gib, 256);
	assert_int_equal(back.n_parts, 2);
	assert_string_equal(back.parts[0], "package-0");
	assert_true(back.slope == c.slope && back.offset_bound_w == c.offset_bound_w &&
		    back.lag_s == c.lag_s && back.has_lag && !back.has_left_out && !back.has_load);
	assert_true(back.n_effective == c.n_effective && back.t_unix_ns == c.t_unix_ns);
	assert_string_equal(back.sources[0].sha256, "00ff");
	es_calibration_finish(&c);
	es_calibration_finish(&back);
	es_buf_finish(&out);
}

static void each_member_that_cannot_be_true_is_refused_by_its_name(void **state)
{
	static const char *const vectors[][3] = {
		{ "\"slope\": 1.2", "\"slope\": -1.2", "'slope'" },
		{ "\"slope\": 1.2", "\"slope\": 1e9", "'slope'" },
		{ "\"slope\": 1.2", "\"slope\": \"much\"", "'slope'" },
		{ "\"offset_w\": 100", "\"offset\": 100", "'offset_w'" },
		{ "\"highest_w\": 300", "\"highest_w\": 50", "'highest_w'" },
		{ "calibration/1", "calibration/9", "'schema'" },
		{ "\"class\": \"lab\"", "\"class\": \"../lab\"", "'class'" },
		{ "\"package-0\"", "17", "'parts'" },
		{ "\"memory_gib\": 256", "\"memory_gib\": -1", "'memory_gib'" },
		{ "2026-03-13", "some day", "'when'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct es_calibration c = make(), back;
		struct es_error err = { .code = 0 };
		struct es_buf out, changed;
		char *at;

		es_buf_init(&out, 1U << 20);
		es_buf_init(&changed, 1U << 20);
		assert_int_equal(es_calibration_write(&c, &out), 0);
		assert_int_equal(es_buf_u8(&out, 0), 0);
		at = strstr((char *)out.data, vectors[i][0]);
		assert_non_null(at);
		(void)es_buf_printf(&changed, "%.*s%s%s", (int)(at - (char *)out.data),
				    (char *)out.data, vectors[i][1], at + strlen(vectors[i][0]));
		assert_int_equal(es_calibration_read((const char *)changed.data, changed.len, &back,
						     &err),
				 -EBADMSG);
		if (!strstr(err.text, vectors[i][2]))
			fail_msg("%s: %s", vectors[i][1], err.text);
		es_calibration_finish(&c);
		es_buf_finish(&out);
		es_buf_finish(&changed);
	}
}

static void its_bound_is_least_in_the_middle_and_grows_outside_of_the_range(void **state)
{
	struct es_calibration c = make();

	(void)state;
	assert_near(es_calibration_bound_w(&c, 200), sqrt(1 + pow(1.959964 * 4, 2)), 1e-4);
	assert_near(es_calibration_bound_w(&c, 300), sqrt(1 + 4 + pow(1.959964 * 4, 2)), 1e-4);
	/* 100 W beyond: half of 120 W, and the line's own. */
	assert_near(es_calibration_bound_w(&c, 400), 60 + sqrt(1 + 16 + pow(1.959964 * 4, 2)),
		    1e-4);
	assert_false(es_calibration_is_outside(&c, 300));
	assert_true(es_calibration_is_outside(&c, 310) && es_calibration_is_outside(&c, 90));
	c.has_left_out = true;
	c.left_out_w = 1;
	assert_near(es_calibration_bound_w(&c, 200), sqrt(1 + pow(1.959964, 2)), 1e-4);
	c.meter_accuracy_ppm = 20000;
	assert_near(es_calibration_bound_w(&c, 200), 0.02 * 340 + sqrt(1 + pow(1.959964, 2)), 1e-4);
	es_calibration_finish(&c);
}

static void add_package(struct test_recording *made, int32_t package)
{
	test_domain(made, "powercap", ES_DOMAIN_PACKAGE, package, -1);
}

/* Two nodes of two packages each; the second one's processors are others. */
static void each_node_gets_the_calibration_of_its_class(void **state)
{
	struct es_calibration c = make();
	struct es_report_calibrations all = { .list = &c, .n = 1 };
	struct es_report_options options = test_options();
	struct test_recording made;
	const struct es_report *r;

	(void)state;
	options.calibrations = &all;
	test_recording_init(&made, TEST_S);
	(void)snprintf(made.meta.nodes[0].cpu_model, sizeof(made.meta.nodes[0].cpu_model), "%s",
		       c.class.cpu_model);
	made.meta.nodes[0].n_packages = 2;
	made.meta.nodes[0].memory_bytes = 251ULL << 30;
	add_package(&made, 0);
	add_package(&made, 1);
	assert_int_equal(es_meta_add_node(&made.meta, "n2"), 0);
	(void)snprintf(made.meta.nodes[1].cpu_model, sizeof(made.meta.nodes[1].cpu_model), "other");
	for (int32_t i = 0; i < 2; i++)
		test_domain(&made, "powercap", ES_DOMAIN_PACKAGE, i, -1)->node = 1;
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 110 * TEST_J * i, 50 * TEST_J * i,
					 50 * TEST_J * i });
	test_end(&made, 10 * TEST_S, 0);
	r = test_report(&made, &options);

	/* 1.2 * 2100 J + 100 W * 10 s, and 1000 J of the other one as they are. */
	assert_near(r->node_j, 2520 + 1000 + 1000, 1e-6);
	assert_near(r->measured_j, 3100, 1e-6);
	assert_near(r->model.offset_w, 100, 1e-9);
	assert_int_equal(r->model.n_nodes, 1);
	assert_string_equal(r->model.name, "calibrated:lab");
	assert_non_null(strstr(r->model.text, "1 of 2 nodes"));
	assert_near(r->model.uncertainty_j, 10 * es_calibration_bound_w(&c, 210), 1e-6);
	assert_true(r->uncertainty_j > r->model.uncertainty_j);
	test_recording_finish(&made);
	es_calibration_finish(&c);
}

static void a_node_with_a_meter_of_its_own_gets_nothing_on_top(void **state)
{
	struct es_calibration c = make();
	struct es_report_calibrations all = { .list = &c, .n = 1, .is_forced = true };
	struct es_report_options options = test_options();
	struct test_recording made;
	const struct es_report *r;

	(void)state;
	options.calibrations = &all;
	test_recording_init(&made, TEST_S);
	add_package(&made, 0);
	add_package(&made, 1);
	test_domain(&made, "cray", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 110 * TEST_J * i, 400 * TEST_J * i });
	test_end(&made, 10 * TEST_S, 0);
	r = test_report(&made, &options);

	assert_near(r->node_j, 4000, 1e-6);
	assert_string_equal(r->model.name, "none");
	test_recording_finish(&made);
	es_calibration_finish(&c);
}

static void classes_have_names_and_differ_by_what_draws_power(void **state)
{
	struct es_node_class a = { .cpu_model = "Intel(R) Xeon(R) CPU E5-2698 v4 @ 2.20GHz",
				   .n_packages = 2,
				   .n_gpus = 8,
				   .gpu_model = "NVIDIA 10de:1db5",
				   .memory_gib = 512 },
			     b = a, none = { .n_packages = 2 };
	char name[ES_NAME_MAX_BYTES];

	(void)state;
	assert_string_equal(es_node_class_name(&a, name), "xeon-e5-2698-v4-2p-8x10de-1db5-512g");
	assert_true(es_node_class_check(name));
	assert_true(es_node_class_is_same(&a, &b));
	b.memory_gib = 256;
	assert_false(es_node_class_is_same(&a, &b));
	b.memory_gib = 0; /* not known: of an older recording */
	assert_true(es_node_class_is_same(&a, &b));
	b.n_gpus = 0;
	assert_false(es_node_class_is_same(&a, &b));
	assert_false(es_node_class_is_same(&none, &none));
	assert_int_equal(es_memory_gib(251ULL << 30), 256);
	assert_int_equal(es_memory_gib((187ULL << 30) + 5), 192);
	assert_int_equal(es_memory_gib(0), 0);
	assert_false(es_node_class_check("../x") || es_node_class_check("") ||
		     es_node_class_check(".x") || es_node_class_check("a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_calibration_comes_back_from_its_file),
		cmocka_unit_test(each_member_that_cannot_be_true_is_refused_by_its_name),
		cmocka_unit_test(its_bound_is_least_in_the_middle_and_grows_outside_of_the_range),
		cmocka_unit_test(each_node_gets_the_calibration_of_its_class),
		cmocka_unit_test(a_node_with_a_meter_of_its_own_gets_nothing_on_top),
		cmocka_unit_test(classes_have_names_and_differ_by_what_draws_power),
	};

	return cmocka_run_group_tests_name("format/calibration", tests, NULL, NULL);
}
