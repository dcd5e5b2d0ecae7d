/*
 * test_format_report_share.c - when a share of the node is attributed to the command, and when not
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
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

/* A package of 100 W for 10 s beside the machine's CPU time: 20 s, of which the command had 5 s. */
static void measure(struct fixture *f, bool is_metered)
{
	if (is_metered)
		(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++) {
		const uint64_t both[] = { 100 * TEST_J * i, 30 * TEST_J * i };

		test_sweep_busy(&f->made, i * TEST_S, is_metered ? both : both + 1, i * 2 * TEST_S);
	}
	test_event(&f->made, ES_EVENT_CHILD_CPU, 10 * TEST_S, 5 * TEST_S, "");
}

static const struct es_report_share *share_of(struct fixture *f)
{
	test_end(&f->made, 10 * TEST_S, 1);
	return &test_report(&f->made, &f->options)->share;
}

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

static void a_command_has_its_share_of_the_cpu_time(void **state)
{
	struct fixture *f = *state;
	const struct es_report_share *share;
	struct es_buf out;

	measure(f, true);
	share = share_of(f);

	assert_true(share->is_known);
	assert_near(share->share.share, 0.25, 1e-9);
	assert_near(share->share.energy_j, 250, 1e-3);
	assert_near(f->made.report.node_j, 1000, 1e-3); /* beside, not instead */
	es_buf_init(&out, 4096);
	es_report_share_rows(&f->made.report, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(strstr((const char *)out.data, "250.000 J"));
	assert_non_null(strstr((const char *)out.data, "by CPU time (25.0 %"));
	assert_non_null(strstr((const char *)out.data, "not known apart"));
	es_buf_finish(&out);
}

static void idle_power_is_left_out_or_goes_by_allocation(void **state)
{
	struct fixture *f = *state;
	const struct es_report_share *share;

	f->made.meta.n_cpus = 2; /* of 4 */
	(void)snprintf(f->made.meta.partition, sizeof(f->made.meta.partition), "main");
	measure(f, true);
	test_event(&f->made, ES_EVENT_BASELINE, 10 * TEST_S, 40000, "before powercap/package-0");
	share = share_of(f);

	assert_true(share->is_known);
	assert_int_equal(share->share.idle, ES_SHARE_IDLE_ALLOCATED);
	assert_near(share->share.energy_j, 0.25 * 600 + 0.5 * 400, 1e-3);
	/* Nobody looked at the idle power afterwards. */
	assert_true(share->share.uncertainty_j >= (0.5 - 0.25) * 400);
}

static void an_estimate_is_not_attributed_twice(void **state)
{
	struct fixture *f = *state;

	measure(f, false);
	assert_false(share_of(f)->is_known);
	assert_true(f->made.report.has_energy);
}

static void the_cpu_time_of_a_container_is_not_the_machines(void **state)
{
	struct fixture *f = *state;

	f->made.meta.virt = ES_VIRT_CONTAINER;
	measure(f, true);
	assert_false(share_of(f)->is_known);
}

static void ranks_that_ran_unseen_make_it_unknown(void **state)
{
	struct fixture *f = *state;

	measure(f, true);
	test_event(&f->made, ES_EVENT_LAUNCH, 0, 4, "under rank=0 local=4 nodes=1 by=Open MPI");
	assert_false(share_of(f)->is_known);
}

static void a_part_of_the_time_has_no_share(void **state)
{
	struct fixture *f = *state;

	f->options.from_ns = TEST_START_NS + 2 * TEST_S;
	measure(f, true);
	assert_false(share_of(f)->is_known);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_command_has_its_share_of_the_cpu_time),
		TEST(idle_power_is_left_out_or_goes_by_allocation),
		TEST(an_estimate_is_not_attributed_twice),
		TEST(the_cpu_time_of_a_container_is_not_the_machines),
		TEST(ranks_that_ran_unseen_make_it_unknown),
		TEST(a_part_of_the_time_has_no_share),
	};

	return cmocka_run_group_tests_name("format/report_share", tests, NULL, NULL);
}
