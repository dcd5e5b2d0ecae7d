/*
 * test_format_report_activity.c - counts of a job become numbers that mean something, or stay unknown with a reason
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

#include "base/json.h"
#include "format/insights.h"
#include "format/report_activity.h"
#include "support/recordings.h"

#define RUN_S 10

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	struct es_buf out;
	struct {
		size_t signal;
		uint64_t last;
	} counts[16];
	size_t n_counts;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	es_buf_init(&f->out, 1U << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_buf_finish(&f->out);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

/* A counter that has counted @total at the end of the run. */
static void counts(struct fixture *f, const char *device, const char *name, const char *unit,
		   uint64_t total)
{
	f->counts[f->n_counts].signal =
		test_signal(&f->made, device, name, unit, ES_SIGNAL_COUNTER);
	f->counts[f->n_counts++].last = total;
}

static void is_constant(struct fixture *f, const char *name, const char *unit, uint64_t value)
{
	f->counts[f->n_counts].signal = test_signal(&f->made, "node", name, unit, ES_SIGNAL_GAUGE) |
					1U << 30;
	f->counts[f->n_counts++].last = value;
}

/* Ten seconds at 100 W. */
static const struct es_report *run(struct fixture *f, const char *note)
{
	const uint64_t first[] = { 1000 * TEST_J }, last[] = { 2000 * TEST_J };

	test_sweep(&f->made, 0, first);
	for (size_t i = 0; i < f->n_counts; i++) {
		bool is_gauge = f->counts[i].signal >> 30;

		/* Counters begin anywhere. */
		test_value(&f->made, 0, f->counts[i].signal & ~(1U << 30),
			   is_gauge ? f->counts[i].last : 77);
	}
	for (size_t i = 0; i < f->n_counts; i++) {
		bool is_gauge = f->counts[i].signal >> 30;

		test_value(&f->made, RUN_S * TEST_S, f->counts[i].signal & ~(1U << 30),
			   is_gauge ? f->counts[i].last : 77 + f->counts[i].last);
	}
	test_sweep(&f->made, RUN_S * TEST_S, last);
	if (note)
		test_event(&f->made, ES_EVENT_NOTE, RUN_S * TEST_S, 0, note);
	test_end(&f->made, RUN_S * TEST_S, 0);
	return test_report(&f->made, &f->options);
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-9 * fabs(expected)))
		fail_msg("%g is not %g", value, expected);
}

static const struct es_insight *find(const struct es_report *report, const char *code)
{
	for (size_t i = 0; i < report->n_insights; i++)
		if (strcmp(report->insights[i].code, code) == 0)
			return &report->insights[i];
	return NULL;
}

static double value_of(const struct es_report *report, enum es_report_activity_key key)
{
	assert_true(report->activity.of[key].is_known);
	return report->activity.of[key].value;
}

static const char *table(struct fixture *f, const struct es_report *report)
{
	f->out.len = 0;
	es_report_activity_row(report, &f->out);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	return (const char *)f->out.data;
}

static void counts_become_ratios(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 50000000000);
	counts(f, "job", "cycles", "count", 25000000000);
	counts(f, "job", "llc_misses", "count", 100000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_IPC), 2);
	assert_near(value_of(report, ES_REPORT_LLC_MISSES), 2);
	assert_near(report->activity.instructions, 5e10);
	assert_true(report->activity.has_j_per_instruction);
	assert_near(report->activity.j_per_instruction, 1000 / 5e10);
	assert_false(report->activity.of[ES_REPORT_MEMORY].is_known);
	assert_false(report->activity.of[ES_REPORT_CLOCK].is_known);
	assert_non_null(strstr(table(f, report), "2.00 instructions per cycle"));
	assert_non_null(strstr(table(f, report), "20 nJ per instruction"));
	assert_null(find(report, "memory_bound"));
}

static void counts_of_user_mode_do_where_there_are_no_others(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions_user", "count", 3000);
	counts(f, "job", "cycles_user", "count", 1000);
	counts(f, "job", "task_clock", "ns", 1000000000);
	report = run(f, "activity\tipc\tyes\twithout what the kernel did for the job");

	assert_near(value_of(report, ES_REPORT_IPC), 3);
	assert_string_equal(report->activity.of[ES_REPORT_IPC].note.reason,
			    "without what the kernel did for the job");
	/* User cycles by all CPU time are no clock. */
	assert_false(report->activity.of[ES_REPORT_CLOCK].is_known);
}

static void what_the_recording_denies_is_unknown_whatever_was_counted(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 3000);
	counts(f, "job", "cycles", "count", 1000);
	report = run(f, "activity\tipc\tno\tcounted a part of the time only");

	assert_false(report->activity.of[ES_REPORT_IPC].is_known);
	assert_false(report->activity.has_j_per_instruction);
	assert_string_equal(report->activity.of[ES_REPORT_IPC].note.reason,
			    "counted a part of the time only");
	assert_string_equal(table(f, report), "");
}

static void joules_of_all_ranks_are_not_shared_by_the_first_ones_instructions(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 3000);
	counts(f, "job", "cycles", "count", 1000);
	test_event(&f->made, ES_EVENT_LAUNCH, 0, 4, "under rank=0 local=4 nodes=1 by=Open MPI");
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_IPC), 3);
	assert_false(report->activity.has_j_per_instruction);
}

static void nothing_counted_is_no_zero(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 0);
	counts(f, "job", "cycles", "count", 0);
	counts(f, "job", "llc_misses", "count", 0);
	report = run(f, NULL);

	assert_false(report->activity.of[ES_REPORT_IPC].is_known);
	assert_false(report->activity.of[ES_REPORT_LLC_MISSES].is_known);
	assert_string_equal(table(f, report), "");
}

static void a_recording_without_activity_has_an_object_of_nulls(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report = run(f, NULL);
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, &f->out, false);
	es_json_object(&json, NULL);
	es_report_activity_json(report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);

	assert_non_null(strstr((const char *)f->out.data, "\"ipc\""));
	assert_null(strpbrk((const char *)f->out.data, "0123456789"));
}

static void traffic_is_that_of_all_packages_and_near_the_peak_it_binds(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "package-0", "memory_read_bytes", "bytes", 400000000000);
	counts(f, "package-0", "memory_write_bytes", "bytes", 100000000000);
	counts(f, "package-1", "memory_read_bytes", "bytes", 200000000000);
	counts(f, "package-1", "memory_write_bytes", "bytes", 50000000000);
	is_constant(f, "memory_peak", "bytes/s", 100000000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_MEMORY), 75e9);
	assert_non_null(find(report, "memory_bound"));
	assert_non_null(strstr(find(report, "memory_bound")->text, "75 % of its peak"));
	assert_non_null(strstr(table(f, report), "memory 75.00 GB/s (75 % of its peak)"));
}

static void traffic_without_a_known_peak_proves_nothing(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "cache-0", "memory_bytes", "bytes", 5000000000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_MEMORY), 500e9);
	assert_null(find(report, "memory_bound"));
}

static void many_misses_bind_only_where_few_instructions_are_done(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 1000000);
	counts(f, "job", "cycles", "count", 2000000);
	counts(f, "job", "llc_misses", "count", 20000);
	report = run(f, NULL);

	assert_non_null(find(report, "memory_bound"));
	assert_non_null(strstr(find(report, "memory_bound")->text, "20 misses"));
}

static void many_misses_that_overlap_do_not_bind(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "instructions", "count", 1000000);
	counts(f, "job", "cycles", "count", 500000);
	counts(f, "job", "llc_misses", "count", 20000);
	report = run(f, NULL);

	assert_null(find(report, "memory_bound"));
}

static void the_clock_is_the_base_times_what_the_registers_say(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "aperf", "count", 12000000000);
	counts(f, "job", "mperf", "count", 20000000000);
	is_constant(f, "base_clock", "kHz", 2000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_CLOCK), 1.2e9);
	assert_string_equal(report->activity.clock_source, "aperf/mperf");
	assert_non_null(find(report, "clock_low"));
	assert_non_null(strstr(table(f, report), "clock 1.20 GHz (base 2.00)"));
}

static void mperf_by_cpu_time_is_a_base_that_nobody_tells(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "aperf", "count", 30000000000);
	counts(f, "job", "mperf", "count", 20000000000);
	counts(f, "job", "task_clock", "ns", 10000000000);
	report = run(f, NULL);

	assert_near(report->activity.base_hz, 2e9);
	assert_near(value_of(report, ES_REPORT_CLOCK), 3e9);
	assert_null(find(report, "clock_low"));
}

static void registers_of_packages_do_where_the_job_has_none(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "package-0", "aperf", "count", 100);
	counts(f, "package-0", "mperf", "count", 100);
	counts(f, "package-1", "aperf", "count", 300);
	counts(f, "package-1", "mperf", "count", 100);
	is_constant(f, "base_clock", "kHz", 2000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_CLOCK), 4e9);
}

static void cycles_by_cpu_time_are_a_clock_too(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	counts(f, "job", "cycles", "count", 25000000000);
	counts(f, "job", "task_clock", "ns", 10000000000);
	report = run(f, NULL);

	assert_near(value_of(report, ES_REPORT_CLOCK), 2.5e9);
	assert_string_equal(report->activity.clock_source, "cycles");
	/* Without a base nothing is low. */
	assert_null(find(report, "clock_low"));
}

static void notes_are_read_as_they_were_written(void **state)
{
	const struct es_activity_note note = { .key = "memory",
					       .is_there = true,
					       .reason = "of\tall" };
	static const char *const bad[] = {
		"activity\t",	      "activity\tipc",
		"activity\tipc\tno",  "activity\tipc\tmaybe\tx",
		"activity\tipc\t\tx", "activity\tfar-too-long-for-a-key\tno\tx"
	};
	struct es_activity_note again;
	struct es_event event;

	(void)state;
	es_activity_note_put(&note, &event);
	assert_int_equal(event.type, ES_EVENT_NOTE);
	assert_int_equal(es_activity_note_get(event.text, &again), 0);
	assert_string_equal(again.key, note.key);
	assert_string_equal(again.reason, note.reason);
	assert_true(again.is_there);
	assert_int_equal(es_activity_note_get("something else", &again), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(es_activity_note_get(bad[i], &again), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_become_ratios),
		TEST(counts_of_user_mode_do_where_there_are_no_others),
		TEST(what_the_recording_denies_is_unknown_whatever_was_counted),
		TEST(joules_of_all_ranks_are_not_shared_by_the_first_ones_instructions),
		TEST(nothing_counted_is_no_zero),
		TEST(a_recording_without_activity_has_an_object_of_nulls),
		TEST(traffic_is_that_of_all_packages_and_near_the_peak_it_binds),
		TEST(traffic_without_a_known_peak_proves_nothing),
		TEST(many_misses_bind_only_where_few_instructions_are_done),
		TEST(many_misses_that_overlap_do_not_bind),
		TEST(the_clock_is_the_base_times_what_the_registers_say),
		TEST(mperf_by_cpu_time_is_a_base_that_nobody_tells),
		TEST(registers_of_packages_do_where_the_job_has_none),
		TEST(cycles_by_cpu_time_are_a_clock_too),
		cmocka_unit_test(notes_are_read_as_they_were_written),
	};

	return cmocka_run_group_tests_name("format/report_activity", tests, NULL, NULL);
}
