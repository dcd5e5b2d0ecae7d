/*
 * test_format_merge.c - recordings of a job's nodes become one report, whatever their clocks say
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
#include <sys/stat.h>
#include <unistd.h>

#include "core/offset.h"
#include "format/merge.h"
#include "support/recordings.h"

#define N_SWEEPS 120
#define BOOT_NS (5000 * TEST_S) /* the second node was booted that much earlier */

/* Phases of no common length: watts of each second. */
static uint64_t power_w(int i)
{
	static const struct {
		int until;
		uint64_t w;
	} phases[] = { { 11, 80 }, { 18, 240 }, { 43, 130 }, { 47, 300 },
		       { 75, 90 }, { 82, 200 }, { 101, 60 }, { N_SWEEPS + 1, 150 } };

	for (size_t k = 0; k < sizeof(phases) / sizeof(phases[0]); k++)
		if (i < phases[k].until)
			return phases[k].w;
	return 0;
}

/* A node's recording; its clocks are as given, and its job began when that of the others did. */
static void make(struct test_recording *made, const char *node, int64_t boot_ns, int64_t ahead_ns,
		 int64_t kept_ns, uint64_t scale)
{
	uint64_t energy_uj = 1000000;

	test_recording_init(made, TEST_S);
	snprintf(made->meta.nodes[0].name, sizeof(made->meta.nodes[0].name), "%s", node);
	made->meta.start_boot_ns = TEST_START_NS + boot_ns;
	made->meta.start_unix_ns = TEST_START_UNIX_NS + ahead_ns;
	made->meta.n_job_nodes = 3;
	made->meta.n_cpus = 4;
	made->meta.sharing = ES_SHARING_EXCLUSIVE;
	(void)test_domain(made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_event(made, ES_EVENT_WALL_CLOCK, boot_ns, kept_ns, "");
	test_event(made, ES_EVENT_COMMAND_START, boot_ns, 17, "");
	for (int i = 0; i <= N_SWEEPS; i++) {
		test_sweep(made, boot_ns + i * TEST_S, &energy_uj);
		if (i == 20)
			test_event(made, ES_EVENT_TAG_START, boot_ns + i * TEST_S, 0, "solve");
		if (i == 40)
			test_event(made, ES_EVENT_TAG_STOP, boot_ns + i * TEST_S, 0, "solve");
		energy_uj += power_w(i) * scale * TEST_J / 2;
	}
	test_event(made, ES_EVENT_COMMAND_STOP, boot_ns + N_SWEEPS * TEST_S, 0, "");
	test_end(made, boot_ns + N_SWEEPS * TEST_S, TEST_MS);
}

static struct es_recording *opened(struct test_recording *made)
{
	struct es_recording *recording;

	es_recorder_close(made->recorder);
	made->recorder = NULL;
	assert_int_equal(es_recording_open(made->path, NULL, &recording, NULL), 0);
	return recording;
}

static uint64_t truth_uj(uint64_t scale)
{
	uint64_t energy_uj = 0;

	for (int i = 0; i < N_SWEEPS; i++)
		energy_uj += power_w(i) * scale * TEST_J / 2;
	return energy_uj;
}

struct two {
	struct test_recording a, b;
	struct es_recording *joined;
	struct es_merge merge;
	struct es_report report;
};

static void merge_two(struct two *two, int64_t ahead_ns, int64_t kept_a_ns, int64_t kept_b_ns)
{
	struct es_report_options options = test_options();
	struct es_recording *parts[2];
	struct es_error err = { .code = 0 };

	make(&two->a, "n1", 0, 0, kept_a_ns, 2);
	make(&two->b, "n2", BOOT_NS, ahead_ns, kept_b_ns, 3);
	parts[0] = opened(&two->a);
	parts[1] = opened(&two->b);
	if (es_merge(parts, 2, &two->joined, &two->merge, &err) < 0)
		fail_msg("%s", err.text);
	options.merge = &two->merge;
	assert_int_equal(es_report_build(two->joined, &options, &two->report, &err), 0);
}

static void finish(struct two *two)
{
	es_report_finish(&two->report);
	es_merge_finish(&two->merge);
	es_recording_close(two->joined);
	test_recording_finish(&two->a);
	test_recording_finish(&two->b);
}

static double s(int64_t ns)
{
	return (double)ns / 1e9;
}

static void clocks_that_nobody_keeps_are_put_right_by_steps_of_power(void **state)
{
	static const int64_t aheads_ns[] = { 0, 3700 * TEST_MS, -12400 * TEST_MS, 41 * TEST_S };

	(void)state;
	for (size_t i = 0; i < sizeof(aheads_ns) / sizeof(aheads_ns[0]); i++) {
		struct two two;
		const struct es_merge_node *node;

		merge_two(&two, aheads_ns[i], -1, -1);
		node = &two.merge.nodes[1];
		assert_int_equal(node->by, ES_CLOCK_STEPS);
		assert_true(llabs(node->offset_ns - aheads_ns[i]) <= node->bound_ns);
		/* On one clock both began together, to within the bound. */
		assert_true(fabs(s(two.report.stop_ns - two.report.start_ns) - N_SWEEPS) <=
			    s(node->bound_ns));
		finish(&two);
	}
}

static void energies_are_the_sum_and_nothing_is_filled_in(void **state)
{
	const struct es_report_region *region;
	struct two two;

	(void)state;
	merge_two(&two, 3700 * TEST_MS, -1, -1);
	assert_int_equal(two.report.total_uj, truth_uj(2) + truth_uj(3));
	assert_int_equal(two.report.kinds, 1u << ES_KIND_MEASURED);
	assert_int_equal(two.report.n_gaps, 0);
	assert_true(two.report.time_coverage > 0.999999);
	assert_string_equal(es_report_quality(&two.report), "high");
	assert_int_equal(two.report.meta->n_nodes, 2);
	assert_int_equal(two.report.meta->n_cpus, 8);
	assert_string_equal(two.report.meta->nodes[two.report.domains[1].node].name, "n2");
	assert_int_equal(two.report.by_domain[1].energy_uj, truth_uj(3));
	assert_int_equal(two.report.own_cpu_ns, 2 * TEST_MS);
	assert_true(two.report.is_whole);
	/* 20 s to 40 s: 130 W all the time, times 2.5. */
	region = test_region(&two.report, "solve");
	assert_int_equal(region->n_calls, 1);
	assert_true(fabs((double)region->energy_uj / 1e6 - 20 * 130 * 2.5) < 0.5 * 130 * 2.5);
	assert_true(region->is_known);
	assert_true(test_region(&two.report, "es_appli_total")->is_known);
	finish(&two);
}

static void clocks_that_are_kept_are_believed_unless_power_says_otherwise(void **state)
{
	struct es_buf out;
	struct two two;

	(void)state;
	merge_two(&two, 4 * TEST_MS, 5 * TEST_MS, 7 * TEST_MS);
	assert_int_equal(two.merge.nodes[1].by, ES_CLOCK_KEPT);
	assert_int_equal(two.merge.nodes[1].bound_ns, 12 * TEST_MS);
	assert_int_equal(two.merge.nodes[1].offset_ns, 0);
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_report_table(&two.report, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(strstr((char *)out.data, "n2 within 0.012 s of n1: both are kept by NTP"));
	assert_non_null(strstr((char *)out.data, "2 of 3 nodes"));
	es_buf_finish(&out);
	finish(&two);

	merge_two(&two, 9 * TEST_S, 5 * TEST_MS, 7 * TEST_MS);
	assert_int_equal(two.merge.nodes[1].by, ES_CLOCK_STEPS);
	assert_true(two.merge.nodes[1].is_against_ntp);
	finish(&two);

	/* One of them is kept by nobody: nothing is known of how far they are apart. */
	merge_two(&two, 0, 5 * TEST_MS, -1);
	assert_int_equal(two.merge.nodes[1].by, ES_CLOCK_STEPS);
	finish(&two);
}

static void a_node_twice_is_refused_and_stays_its_callers(void **state)
{
	struct es_recording *parts[2], *joined = NULL;
	struct es_error err = { .code = 0 };
	struct test_recording a, b;
	struct es_merge merge;

	(void)state;
	make(&a, "n1", 0, 0, -1, 2);
	make(&b, "n1", BOOT_NS, 0, -1, 2);
	parts[0] = opened(&a);
	parts[1] = opened(&b);
	assert_int_equal(es_merge(parts, 2, &joined, &merge, &err), -EEXIST);
	assert_non_null(strstr(err.text, "'n1'"));
	es_recording_close(parts[0]);
	es_recording_close(parts[1]);
	test_recording_finish(&a);
	test_recording_finish(&b);
}

struct order {
	int64_t last_ns;
	unsigned n_sweeps, n_clocks;
};

/* Clocks of files are anybody's: as far apart as a recording may say. */
static void clocks_beyond_all_years_are_refused(void **state)
{
	static const struct {
		int64_t at_ns, boot_ns, unix_ns;
	} clocks[] = { { 0, 0, ES_TIME_MAX_NS },
		       { 0, 0, -ES_TIME_MAX_NS },
		       { ES_TIME_MAX_NS / 2, -ES_TIME_MAX_NS, ES_TIME_MAX_NS },
		       { -ES_TIME_MAX_NS / 2, ES_TIME_MAX_NS, -ES_TIME_MAX_NS } };

	(void)state;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct test_recording one, other;
		struct es_recording *parts[2], *joined;
		struct es_error err = { .code = 0 };
		struct es_merge merge;

		make(&one, "n1", 0, 0, -1, 2);
		make(&other, "n2", clocks[i].at_ns, 0, -1, 3);
		assert_int_equal(es_recorder_clock(other.recorder, clocks[i].boot_ns,
						   clocks[i].boot_ns, clocks[i].unix_ns),
				 0);
		parts[0] = opened(&one);
		parts[1] = opened(&other);
		assert_int_equal(es_merge(parts, 2, &joined, &merge, &err), -ERANGE);
		assert_non_null(strstr(err.text, "a year apart"));
		es_recording_close(parts[0]);
		es_recording_close(parts[1]);
		test_recording_finish(&one);
		test_recording_finish(&other);
	}
}

static int in_order(void *arg, int64_t t_ns)
{
	struct order *order = arg;

	assert_true(t_ns >= order->last_ns);
	order->last_ns = t_ns;
	order->n_sweeps++;
	return 0;
}

/* A recording that a kill left: what is before is joined, and it is said. */
static void a_torn_one_is_walked_as_far_as_it_is_whole(void **state)
{
	static const struct es_visitor visitor = { .sweep = in_order };
	struct order order = { .last_ns = INT64_MIN };
	struct es_recording *parts[2], *joined;
	struct test_recording a, b;
	struct es_merge merge;
	struct stat st;

	(void)state;
	make(&a, "n1", 0, 0, -1, 2);
	make(&b, "n2", BOOT_NS, 0, -1, 2);
	es_recorder_close(b.recorder);
	b.recorder = NULL;
	assert_int_equal(stat(b.path, &st), 0);
	assert_int_equal(truncate(b.path, st.st_size - 200), 0);
	assert_int_equal(es_recording_open(b.path, NULL, &parts[1], NULL), 0);
	parts[0] = opened(&a);
	assert_int_equal(es_merge(parts, 2, &joined, &merge, NULL), 0);
	for (int again = 0; again < 2; again++) {
		order = (struct order){ .last_ns = INT64_MIN };
		assert_int_equal(es_recording_walk(joined, &visitor, &order), 0);
		assert_true(order.n_sweeps > N_SWEEPS + 1 && order.n_sweeps < 2 * (N_SWEEPS + 1));
		assert_false(es_recording_is_whole(joined));
		assert_true(es_recording_lost_bytes(joined) > 0);
	}
	es_recording_close(joined);
	es_merge_finish(&merge);
	test_recording_finish(&a);
	test_recording_finish(&b);
}

static void steps_that_come_again_tell_nothing(void **state)
{
	double a[200], b[200], flat[200];
	struct es_offset found;

	(void)state;
	for (int i = 0; i < 200; i++) {
		a[i] = i / 5 % 2 ? 300 : 100;
		b[i] = (i + 2) / 5 % 2 ? 300 : 100;
		flat[i] = 100;
	}
	assert_false(es_offset_find(a, b, 200, TEST_S, 60, &found));
	assert_false(es_offset_find(a, flat, 200, TEST_S, 60, &found));
	assert_false(es_offset_find(a, a, 3, TEST_S, 60, &found));
}

static void noise_tells_nothing(void **state)
{
	double a[400], b[400];
	struct es_offset found;

	(void)state;
	srand(1);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 400; i++) {
			a[i] = rand() % 1000;
			b[i] = rand() % 1000;
		}
		assert_false(es_offset_find(a, b, 400, TEST_S, 60, &found));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_that_nobody_keeps_are_put_right_by_steps_of_power),
		cmocka_unit_test(energies_are_the_sum_and_nothing_is_filled_in),
		cmocka_unit_test(clocks_that_are_kept_are_believed_unless_power_says_otherwise),
		cmocka_unit_test(a_node_twice_is_refused_and_stays_its_callers),
		cmocka_unit_test(clocks_beyond_all_years_are_refused),
		cmocka_unit_test(a_torn_one_is_walked_as_far_as_it_is_whole),
		cmocka_unit_test(steps_that_come_again_tell_nothing),
		cmocka_unit_test(noise_tells_nothing),
	};

	return cmocka_run_group_tests_name("format/merge", tests, NULL, NULL);
}
