/*
 * test_format_report_signals.c - what clocks, utilisation and reasons of throttling come to over a job, and what they give reason to say
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "format/profile_signals.h"
#include "support/recordings.h"

#define S TEST_S
#define BIT(throttle) (UINT64_C(1) << (throttle))

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	json_t *json;
	char table[16384];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, S);
	f->options = test_options();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_decref(f->json);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static void look(struct fixture *f)
{
	const struct es_report *report = test_report(&f->made, &f->options);
	struct es_json json;
	struct es_buf out;

	es_buf_init(&out, 1U << 20);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_report_members(report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(f->json);
	es_buf_reset(&out);
	assert_int_equal(es_report_table(report, &out), 0);
	assert_true(out.len < sizeof(f->table));
	memcpy(f->table, out.data, out.len);
	f->table[out.len] = '\0';
	es_buf_finish(&out);
}

/* A GPU of 400 W at @power_w for 60 s. */
static void make_gpus(struct fixture *f, unsigned n, uint64_t power_w)
{
	uint64_t values[8];

	for (unsigned i = 0; i < n; i++)
		test_domain(&f->made, "nvml", ES_DOMAIN_GPU, (int32_t)i, -1)->limit_mw = 400000;
	for (unsigned t = 0; t <= 60; t++) {
		for (unsigned i = 0; i < n; i++)
			values[i] = power_w * TEST_J * t;
		test_sweep(&f->made, t * S, values);
	}
}

static const json_t *signal_at(const struct fixture *f, size_t i)
{
	return json_array_get(json_object_get(f->json, "signals"), i);
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("no number '%s'", key);
	return json_number_value(value);
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-9 * (1 + fabs(expected))))
		fail_msg("%.12g is not %.12g", value, expected);
}

static const json_t *insight(const struct fixture *f, const char *code)
{
	const json_t *it;
	size_t i;

	json_array_foreach(json_object_get(f->json, "insights"), i,
			   it) if (strcmp(json_string_value(json_object_get(it, "code")), code) ==
				   0) return it;
	return NULL;
}

static const char *text_of(const json_t *it)
{
	assert_non_null(it);
	return json_string_value(json_object_get(it, "text"));
}

static void a_gauge_has_its_mean_over_time_and_its_ends(void **state)
{
	struct fixture *f = *state;
	size_t clock;

	test_signal(&f->made, "gpu-0", "never_read", ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE);
	clock = test_signal(&f->made, "gpu-0", ES_SIGNAL_SM_CLOCK, ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE);
	make_gpus(f, 1, 200);
	test_value(&f->made, 0, clock, 1000000);
	test_value(&f->made, 1 * S, clock, 1000000);
	test_value(&f->made, 4 * S, clock, 2000000);
	/* Nobody looked for a minute: nothing is known of it. */
	test_value(&f->made, 60 * S, clock, 500000);
	test_value(&f->made, 61 * S, clock, 500000);
	test_value(&f->made, 61 * S, clock, 9000000); /* no time passed: no value */
	test_end(&f->made, 61 * S, 0);
	look(f);

	assert_near(number(signal_at(f, 1), "mean"), (1e6 + 4.5e6 + 0.5e6) / 5);
	assert_near(number(signal_at(f, 1), "min"), 500000);
	assert_near(number(signal_at(f, 1), "max"), 2000000);
	assert_near(number(signal_at(f, 1), "covered_s"), 5);
	assert_string_equal(json_string_value(json_object_get(signal_at(f, 1), "unit")), "kHz");
	assert_true(json_is_null(json_object_get(signal_at(f, 0), "mean")));
	assert_true(json_is_null(json_object_get(signal_at(f, 0), "max")));
	assert_non_null(strstr(f->table, "  signals    gpu-0: 1200 MHz\n"));
}

static void a_counter_is_counted_across_new_origins(void **state)
{
	struct fixture *f = *state;
	size_t counter =
		test_signal(&f->made, "job", "instructions", ES_SIGNAL_COUNT, ES_SIGNAL_COUNTER);
	size_t once = test_signal(&f->made, "job", "cycles", ES_SIGNAL_COUNT, ES_SIGNAL_COUNTER);

	make_gpus(f, 1, 200);
	test_value(&f->made, 0, counter, 5000);
	test_value(&f->made, 10 * S, counter, 7000);
	test_value(&f->made, 20 * S, counter, 100);
	test_value(&f->made, 30 * S, counter, 1100);
	test_value(&f->made, 30 * S, once, 1100);
	test_end(&f->made, 60 * S, 0);
	look(f);

	assert_near(number(signal_at(f, 0), "total"), 3000);
	assert_near(number(signal_at(f, 0), "per_s"), 150);
	assert_near(number(signal_at(f, 0), "covered_s"), 20);
	/* Unknown is not zero. */
	assert_true(json_is_null(json_object_get(signal_at(f, 1), "total")));
	assert_true(json_is_null(json_object_get(signal_at(f, 1), "per_s")));
	assert_null(strstr(f->table, "signals"));
}

static void throttling_is_told_with_its_reasons(void **state)
{
	struct fixture *f = *state;
	size_t flags[2];
	const json_t *set, *it;

	for (unsigned i = 0; i < 2; i++)
		flags[i] = test_signal(&f->made, i ? "gpu-1" : "gpu-0", ES_SIGNAL_THROTTLE,
				       ES_SIGNAL_FLAGS_UNIT, ES_SIGNAL_FLAGS);
	make_gpus(f, 2, 390);
	for (unsigned t = 0; t <= 60; t++) {
		test_value(&f->made, t * S, flags[0],
			   t < 15   ? BIT(ES_THROTTLE_IDLE)
			   : t < 45 ? BIT(ES_THROTTLE_POWER_CAP)
			   : t < 51 ? BIT(ES_THROTTLE_POWER_CAP) | BIT(ES_THROTTLE_HEAT)
				    : 0);
		test_value(&f->made, t * S + 1000, flags[1], BIT(ES_THROTTLE_FIXED_CLOCKS));
	}
	test_end(&f->made, 60 * S, 0);
	look(f);
	set = json_object_get(signal_at(f, 0), "set");
	it = insight(f, "throttled");

	assert_near(number(set, "power_cap"), 0.6);
	assert_near(number(set, "heat"), 0.1);
	assert_near(number(set, "idle"), 14.5 / 60);
	assert_near(number(set, "reliability"), 0);
	assert_near(number(json_object_get(signal_at(f, 1), "set"), "fixed_clocks"), 1);
	assert_string_equal(
		text_of(it),
		"1 of 2 GPUs were held back: gpu-0 for 60 % of the time, by power cap (60 %)");
	assert_near(number(json_object_get(it, "evidence"), "throttled_share"), 0.6);
	assert_non_null(strstr(
		f->table,
		"gpu-0: throttled 60 % of the time (power cap 60 %, heat 10 %)\n             gpu-1: not throttled\n"));
}

static void a_little_throttling_is_no_news(void **state)
{
	struct fixture *f = *state;
	size_t flags = test_signal(&f->made, "gpu-0", ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT,
				   ES_SIGNAL_FLAGS);

	make_gpus(f, 1, 300);
	for (unsigned t = 0; t <= 60; t++)
		test_value(&f->made, t * S, flags, t == 30 ? BIT(ES_THROTTLE_POWER_CAP) : 0);
	test_end(&f->made, 60 * S, 0);
	look(f);

	assert_null(insight(f, "throttled"));
}

/* GPUs at @power_w, the first busy for @busy_ppm, the others not at all. */
static void make_used(struct fixture *f, unsigned n, uint64_t power_w, uint64_t busy_ppm)
{
	static const char *const names[] = { "gpu-0", "gpu-1", "gpu-2", "gpu-3" };
	size_t use[4];

	for (unsigned i = 0; i < n; i++)
		use[i] = test_signal(&f->made, names[i], ES_SIGNAL_UTILISATION, ES_SIGNAL_PPM,
				     ES_SIGNAL_GAUGE);
	make_gpus(f, n, power_w);
	for (unsigned t = 0; t <= 60; t++)
		for (unsigned i = 0; i < n; i++)
			test_value(&f->made, t * S + 1000 * i, use[i], i ? 0 : busy_ppm);
	test_end(&f->made, 60 * S, 0);
	look(f);
}

static void idle_gpus_are_named_by_their_own_word(void **state)
{
	struct fixture *f = *state;
	const json_t *it;

	make_used(f, 4, 100, 800000);
	it = insight(f, "gpu_underload");

	assert_string_equal(
		text_of(it),
		"4 GPUs drew 25 % of what their limits allow, and were busy 20 % of the time; 3 of 4 did nothing");
	assert_near(number(json_object_get(it, "evidence"), "gpu_utilisation"), 0.2);
	assert_near(number(json_object_get(it, "evidence"), "gpus_unused"), 3);
	assert_non_null(strstr(f->table, "gpu-0: busy 80 %\n"));
}

static void a_gpu_that_draws_much_but_does_little_is_underloaded_too(void **state)
{
	struct fixture *f = *state;

	make_used(f, 1, 240, 100000);

	assert_non_null(insight(f, "gpu_underload"));
}

static void a_gpu_at_work_is_no_news(void **state)
{
	struct fixture *f = *state;

	make_used(f, 1, 240, 900000);

	assert_null(insight(f, "gpu_underload"));
}

static void a_high_load_has_the_utilisation_as_evidence(void **state)
{
	struct fixture *f = *state;

	make_used(f, 1, 390, 990000);

	assert_near(number(json_object_get(insight(f, "high_load"), "evidence"), "gpu_utilisation"),
		    0.99);
}

static void recordings_without_signals_have_an_empty_list(void **state)
{
	struct fixture *f = *state;

	make_gpus(f, 1, 100);
	test_end(&f->made, 60 * S, 0);
	look(f);

	assert_true(json_is_array(json_object_get(f->json, "signals")));
	assert_int_equal(json_array_size(json_object_get(f->json, "signals")), 0);
	assert_string_equal(text_of(insight(f, "gpu_underload")),
			    "1 GPUs drew 25 % of what their limits allow");
}

/* What a writer to a descriptor wrote, as text. */
static char *read_back(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)n + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)n, 0), n);
	assert_int_equal(close(fd), 0);
	return text;
}

static void every_value_is_a_line_of_csv(void **state)
{
	const char *const only[] = { "gpu-1" };
	const struct es_profile_options one = { .domains = only, .n_domains = 1 };
	struct es_profile_options options = { .n_domains = 0 };
	struct fixture *f = *state;
	size_t use, flags;
	char *text;
	int fd = memfd_create("csv", MFD_CLOEXEC);

	use = test_signal(&f->made, "gpu-0", ES_SIGNAL_UTILISATION, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE);
	flags = test_signal(&f->made, "a,b", ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT,
			    ES_SIGNAL_FLAGS);
	make_gpus(f, 1, 100);
	test_value(&f->made, 1 * S, use, 500000);
	test_value(&f->made, 2 * S, flags,
		   BIT(ES_THROTTLE_POWER_CAP) | BIT(ES_THROTTLE_HEAT) | BIT(40));
	test_value(&f->made, 3 * S, flags, 0);
	test_value(&f->made, 50 * S, use, 7);
	test_end(&f->made, 60 * S, 0);
	look(f);
	options.to_ns = TEST_START_NS + 40 * S;

	assert_int_equal(es_signals_csv(f->made.recording, &f->made.report, &options, fd), 0);
	text = read_back(fd);
	assert_string_equal(
		text,
		"time,node,device,signal,value,unit\n"
		"2026-03-13T12:00:01.000000+00:00,n1,gpu-0,utilisation,500000,ppm\n"
		"2026-03-13T12:00:02.000000+00:00,n1,\"a,b\",throttle,power_cap|heat|bit40,flags\n"
		"2026-03-13T12:00:03.000000+00:00,n1,\"a,b\",throttle,,flags\n");
	free(text);
	fd = memfd_create("csv", MFD_CLOEXEC);
	assert_int_equal(es_signals_csv(f->made.recording, &f->made.report, &one, fd), 0);
	text = read_back(fd);
	assert_string_equal(text, "time,node,device,signal,value,unit\n");
	free(text);
}

static void temperatures_are_in_the_eprofile(void **state)
{
	const struct es_profile_options options = { .n_domains = 0 };
	struct fixture *f = *state;
	size_t temp, memory;
	struct es_profile profile;
	const json_t *curve;
	struct es_buf out;

	temp = test_signal(&f->made, "gpu-0", ES_SIGNAL_TEMPERATURE, ES_SIGNAL_MC, ES_SIGNAL_GAUGE);
	memory = test_signal(&f->made, "gpu-0", ES_SIGNAL_MEMORY_TEMPERATURE, ES_SIGNAL_MC,
			     ES_SIGNAL_GAUGE);
	make_gpus(f, 1, 100);
	for (unsigned t = 0; t <= 60; t++) {
		if (t < 20 || t >= 30)
			test_value(&f->made, t * S, temp, 40000 + 100 * t);
		test_value(&f->made, t * S, memory, t == 5 ? 2000000000 : 66500);
	}
	test_end(&f->made, 60 * S, 0);
	look(f);
	assert_int_equal(
		es_profile_build(f->made.recording, &f->made.report, &options, &profile, NULL), 0);
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_eprofile_write(&profile, &options, es_json_sink_buf, &out), 0);
	es_profile_finish(&profile);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	es_buf_finish(&out);
	assert_non_null(f->json);
	curve = json_object_get(json_object_get(f->json, "temperatures(C)"), "n1/gpu-0");

	assert_int_equal(json_array_size(curve), 61);
	assert_near(json_number_value(json_array_get(curve, 11)), 40 + 0.1 * 10.5);
	assert_true(json_is_null(json_array_get(curve, 25)));
	assert_near(json_number_value(json_array_get(curve, 60)), 40 + 0.1 * 59.5);
	curve = json_object_get(json_object_get(f->json, "temperatures(C)"),
				"n1/gpu-0:memory_temperature");
	assert_near(json_number_value(json_array_get(curve, 5)), 66.5);
}

static void names_from_hostile_recordings_reach_no_terminal(void **state)
{
	struct fixture *f = *state;
	size_t use = test_signal(&f->made, "\x1b[2J", ES_SIGNAL_UTILISATION, ES_SIGNAL_PPM,
				 ES_SIGNAL_GAUGE);

	make_gpus(f, 1, 100);
	test_value(&f->made, 0, use, 500000);
	test_end(&f->made, 60 * S, 0);
	look(f);

	assert_null(strchr(f->table, '\x1b'));
	assert_non_null(strstr(f->table, "?[2J: busy 50 %"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_gauge_has_its_mean_over_time_and_its_ends),
		TEST(a_counter_is_counted_across_new_origins),
		TEST(throttling_is_told_with_its_reasons),
		TEST(a_little_throttling_is_no_news),
		TEST(idle_gpus_are_named_by_their_own_word),
		TEST(a_gpu_that_draws_much_but_does_little_is_underloaded_too),
		TEST(a_gpu_at_work_is_no_news),
		TEST(a_high_load_has_the_utilisation_as_evidence),
		TEST(recordings_without_signals_have_an_empty_list),
		TEST(every_value_is_a_line_of_csv),
		TEST(temperatures_are_in_the_eprofile),
		TEST(names_from_hostile_recordings_reach_no_terminal),
	};

	return cmocka_run_group_tests_name("format report_signals", tests, NULL, NULL);
}
