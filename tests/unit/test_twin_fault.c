/*
 * test_twin_fault.c - orders of faults: what they do, when they end, and why they are refused
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/test.h"
#include "twin/host.h"

#define START_NS INT64_C(1000000000000)
#define S ES_NS_PER_S

static struct es_twin_meter *add_meter(struct es_twin_host *host, const char *name, unsigned bits)
{
	struct es_twin_meter *meter = es_twin_host_meter(host, "%s", name);

	assert_non_null(meter);
	meter->part = ES_TWIN_PACKAGE;
	meter->step_fj_num = INT64_C(1000000000);
	meter->bits = bits;
	es_twin_meter_start(meter, host->node, START_NS);
	return meter;
}

/* A quiet node with four meters, without files. */
static int set_up(void **state)
{
	const struct es_twin_options options = { .is_quiet = true, .start_ns = START_NS };
	struct es_twin_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->kind = es_twin_kind_find("skx2s", NULL);
	assert_non_null(host->kind);
	assert_int_equal(es_twin_node_create(host->kind, &options, &host->node), 0);
	(void)add_meter(host, "powercap/package-0", 38);
	(void)add_meter(host, "powercap/package-1", 38);
	(void)add_meter(host, "powercap/dram-0", 38);
	(void)add_meter(host, "nvml/gpu-0", 64);
	*state = host;
	return 0;
}

static int tear_down(void **state)
{
	struct es_twin_host *host = *state;

	es_twin_node_destroy(host->node);
	free(host);
	return 0;
}

static int order(struct es_twin_host *host, int64_t t_ns, const char *text)
{
	es_twin_advance(host->node, t_ns);
	return es_twin_fault_order(host, t_ns, text);
}

static void pass(struct es_twin_host *host, int64_t t_ns)
{
	es_twin_advance(host->node, t_ns);
	es_twin_fault_tick(host, t_ns);
}

static void expect_shown(const struct es_twin_host *host, int64_t t_ns, const char *want)
{
	struct es_buf text;

	es_buf_init(&text, 1U << 16);
	assert_int_equal(es_twin_fault_show(host, t_ns, &text), 0);
	assert_int_equal(es_buf_u8(&text, 0), 0);
	assert_string_equal((const char *)text.data, want);
	es_buf_finish(&text);
}

static void a_fault_is_in_force_until_its_time_is_over(void **state)
{
	struct es_twin_host *host = *state;
	const int64_t t_ns = START_NS + S;

	assert_int_equal(order(host, t_ns, "eio powercap/package-0 for 1500ms"), 0);
	assert_int_equal(host->meters[0].error, -EIO);
	assert_int_equal(host->meters[1].error, 0);
	expect_shown(host, t_ns + S, "eio powercap/package-0 for 500ms\n");

	pass(host, t_ns + 1500 * ES_NS_PER_MS - 1);
	assert_int_equal(host->meters[0].error, -EIO);
	pass(host, t_ns + 1500 * ES_NS_PER_MS);
	assert_int_equal(host->meters[0].error, 0);
	expect_shown(host, t_ns + 2 * S, "");
}

static void without_a_time_it_lasts_until_it_is_cleared(void **state)
{
	struct es_twin_host *host = *state;

	assert_int_equal(order(host, START_NS, "stuck nvml/gpu-0"), 0);
	assert_int_equal(order(host, START_NS, "slow powercap/dram-0"), 0);
	assert_int_equal(order(host, START_NS, "bmc-timeout"), 0);
	assert_int_equal(order(host, START_NS, "clock-step -90s"), 0);
	pass(host, START_NS + 3600 * S);
	assert_true(host->meters[3].is_stuck);
	assert_true(host->meters[2].is_slow);
	assert_int_equal(host->bmc_error, -ETIMEDOUT);
	assert_int_equal(host->wall_step_ns, -90 * S);
	expect_shown(host, START_NS + 3600 * S,
		     "stuck nvml/gpu-0\nslow powercap/dram-0\nbmc-timeout\nclock-step -90s\n");

	assert_int_equal(order(host, START_NS + 3600 * S, "clear"), 0);
	assert_false(host->meters[3].is_stuck);
	assert_false(host->meters[2].is_slow);
	assert_int_equal(host->bmc_error, 0);
	assert_int_equal(host->wall_step_ns, 0);
	expect_shown(host, START_NS + 3600 * S, "");
}

static void a_star_stands_for_any_meter(void **state)
{
	struct es_twin_host *host = *state;

	assert_int_equal(order(host, START_NS, "vanish powercap/package-*"), 0);
	assert_true(host->meters[0].is_gone);
	assert_true(host->meters[1].is_gone);
	assert_false(host->meters[2].is_gone);
	assert_int_equal(host->meters[0].n_lost, 1);
}

static void a_later_order_of_the_same_fault_counts(void **state)
{
	struct es_twin_host *host = *state;

	assert_int_equal(order(host, START_NS, "eio powercap/package-0"), 0);
	assert_int_equal(order(host, START_NS + S, "eio powercap/package-0 for 1s"), 0);
	expect_shown(host, START_NS + S, "eio powercap/package-0 for 1000ms\n");
	pass(host, START_NS + 2 * S);
	assert_int_equal(host->meters[0].error, 0);
}

static void a_meter_is_gone_as_long_as_anything_says_so(void **state)
{
	struct es_twin_host *host = *state;

	assert_int_equal(order(host, START_NS, "vanish nvml/gpu-0 for 10s"), 0);
	assert_int_equal(order(host, START_NS, "reload nvml/gpu-0"), 0);
	pass(host, START_NS + ES_TWIN_RELOAD_NS);
	assert_true(host->meters[3].is_gone);
	pass(host, START_NS + 10 * S);
	assert_false(host->meters[3].is_gone);
}

static void a_driver_loaded_anew_counts_from_its_return(void **state)
{
	struct es_twin_host *host = *state;
	const int64_t back_ns = START_NS + 10 * S + ES_TWIN_RELOAD_NS;
	uint64_t raw = 0;

	assert_int_equal(order(host, START_NS + 10 * S, "reload powercap/package-0"), 0);
	assert_int_equal(es_twin_meter_raw(&host->meters[0], host->node, back_ns - 1, &raw),
			 -ENOENT);

	/* Looked at later than that, it has counted since. */
	pass(host, back_ns + 5 * S);
	assert_int_equal(es_twin_meter_raw(&host->meters[0], host->node, back_ns + 5 * S, &raw), 0);
	assert_int_equal(raw, (es_twin_energy_fj(host->node, ES_TWIN_PACKAGE, 0, back_ns + 5 * S) -
			       es_twin_energy_fj(host->node, ES_TWIN_PACKAGE, 0, back_ns)) /
				      1000000000U);
	assert_true(raw > 0);
}

/* Handles of before are told by how often the driver was loaded: what else ends meanwhile is no load. */
static void a_driver_is_loaded_once_whatever_else_ends(void **state)
{
	struct es_twin_host *host = *state;
	const struct es_twin_meter *meter = &host->meters[3];

	assert_int_equal(order(host, START_NS + S, "reload nvml/gpu-0 for 10s"), 0);
	assert_int_equal(order(host, START_NS + S, "vanish nvml/gpu-0 for 1s"), 0);
	pass(host, START_NS + 5 * S);
	assert_true(meter->is_gone && meter->is_loading);
	assert_int_equal(meter->n_loads, 1);
	pass(host, START_NS + 15 * S);
	assert_false(meter->is_gone || meter->is_loading);
	assert_int_equal(meter->n_loads, 1);
}

static void counters_are_reset_and_wrap_at_once(void **state)
{
	struct es_twin_host *host = *state;
	uint64_t raw = 1;

	assert_int_equal(order(host, START_NS + S, "reset powercap/package-0"), 0);
	assert_int_equal(es_twin_meter_raw(&host->meters[0], host->node, START_NS + S, &raw), 0);
	assert_int_equal(raw, 0);

	assert_int_equal(order(host, START_NS + S, "wrap powercap/package-0"), 0);
	assert_int_equal(es_twin_meter_raw(&host->meters[0], host->node, START_NS + S, &raw), 0);
	assert_int_equal(raw, (UINT64_C(1) << 38) - 10000000);
	expect_shown(host, START_NS + S, "");
}

static void throttling_is_of_a_package_of_all_or_by_heat(void **state)
{
	struct es_twin_host *host = *state;
	int64_t cool_mc, t_ns = START_NS + 600 * S;

	assert_int_equal(order(host, START_NS, "throttle package-1"), 0);
	expect_shown(host, START_NS, "throttle package-1\n");
	assert_int_equal(order(host, START_NS, "throttle"), 0);
	expect_shown(host, START_NS, "throttle package-1\nthrottle package-0\n");
	assert_int_equal(order(host, START_NS, "clear"), 0);

	cool_mc = es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, 0);
	assert_int_equal(order(host, START_NS, "throttle heat for 1h"), 0);
	expect_shown(host, START_NS, "throttle heat for 3600000ms\n");
	pass(host, t_ns);
	assert_true(es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, 0) > cool_mc + 20000);
	pass(host, START_NS + 3600 * S);
	pass(host, START_NS + 7200 * S);
	assert_true(es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, 0) < cool_mc + 1000);
}

static void wrong_orders_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *order, *why;
	} table[] = {
		{ "", "nothing was ordered" },
		{ " \t ", "nothing was ordered" },
		{ "eoi powercap/package-0", "did you mean 'eio'" },
		{ "explode powercap/package-0", "is no fault" },
		{ "eio", "which meter" },
		{ "eio powercap/package-2", "did you mean 'powercap/package-" },
		{ "eio *gpu-7", "is no meter" },
		{ "eio powercap/package-0 now", "one too many" },
		{ "eio powercap/package-0 for", "one too many" },
		{ "eio powercap/package-0 for 3", "'for 3'" },
		{ "eio powercap/package-0 for -3s", "'for -3s'" },
		{ "eio powercap/package-0 for 0s", "'for 0s'" },
		{ "eio powercap/package-0 for 400d", "up to a year" },
		{ "eio powercap/package-0 for 3W", "'for 3W'" },
		{ "eio a b c d e f", "one too many" },
		{ "reset powercap/package-0 for 3s", "over at once" },
		{ "wrap nvml/gpu-0", "never wraps" },
		{ "clock-step", "by how much" },
		{ "clock-step soon", "a time such as" },
		{ "clock-step 1000000d", "a time such as" },
		{ "throttle package-2", "package-0 to package-1" },
		{ "throttle cold", "heat" },
		{ "bmc-timeout node", "nothing goes behind" },
		{ "clear all", "nothing goes behind clear" },
	};
	struct es_twin_host *host = *state;
	char order_text[600];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		host->faults.refused[0] = '\0';
		assert_int_equal(order(host, START_NS, table[i].order), -EINVAL);
		if (!strstr(host->faults.refused, table[i].why))
			fail_msg("'%s': %s", table[i].order, host->faults.refused);
		assert_int_equal(host->faults.n, 0);
	}
	memset(order_text, 'x', sizeof(order_text) - 1);
	order_text[sizeof(order_text) - 1] = '\0';
	assert_int_equal(order(host, START_NS, order_text), -EINVAL);
	assert_non_null(strstr(host->faults.refused, "letters"));
	/* One that is right is no more about the one before it. */
	assert_int_equal(order(host, START_NS, "bmc-timeout for 1s"), 0);
	assert_string_equal(host->faults.refused, "");
}

/* A node forgets its oldest history; a meter that stands still stays where it is all the same. */
static void what_is_stuck_outlives_the_history(void **state)
{
	const struct es_twin_options options = { .is_quiet = true,
						 .start_ns = START_NS,
						 .n_history = 8 };
	struct es_twin_node *node;
	struct es_twin_meter meter = { .part = ES_TWIN_PACKAGE,
				       .step_fj_num = INT64_C(1000000000),
				       .step_fj_den = 1,
				       .bits = 64,
				       .update_ns = S / 10,
				       .window_ns = S / 10 };
	uint64_t raw, uw, later;

	(void)state;
	assert_int_equal(es_twin_node_create(es_twin_kind_find("skx2s", NULL), &options, &node), 0);
	es_twin_meter_start(&meter, node, START_NS);
	es_twin_advance(node, START_NS + 5 * S);
	es_twin_meter_fault(&meter, node, ES_TWIN_FAULT_STUCK, true, START_NS + 5 * S);
	assert_int_equal(es_twin_meter_raw(&meter, node, START_NS + 5 * S, &raw), 0);
	assert_int_equal(es_twin_meter_power_uw(&meter, node, START_NS + 5 * S, &uw), 0);
	assert_true(raw > 0 && uw > 0);
	/* The package does something else meanwhile, and the time of the fault is forgotten. */
	assert_int_equal(es_twin_set_prochot(node, 0, true), 0);
	es_twin_set_heat(node, 60000);
	es_twin_advance(node, START_NS + 500 * S);
	assert_true(es_twin_history_ns(node, 0) > START_NS + 5 * S);
	assert_int_equal(es_twin_meter_raw(&meter, node, START_NS + 500 * S, &later), 0);
	assert_int_equal(later, raw);
	assert_int_equal(es_twin_meter_power_uw(&meter, node, START_NS + 500 * S, &later), 0);
	assert_int_equal(later, uw);
	/* A reset shows even there. */
	es_twin_meter_fault(&meter, node, ES_TWIN_FAULT_RESET, true, START_NS + 500 * S);
	assert_int_equal(es_twin_meter_raw(&meter, node, START_NS + 500 * S, &later), 0);
	assert_int_equal(later, 0);
	es_twin_meter_fault(&meter, node, ES_TWIN_FAULT_STUCK, false, START_NS + 500 * S);
	assert_int_equal(es_twin_meter_raw(&meter, node, START_NS + 500 * S, &later), 0);
	assert_true(later > raw);
	es_twin_node_destroy(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_fault_is_in_force_until_its_time_is_over),
		TEST(without_a_time_it_lasts_until_it_is_cleared),
		TEST(a_star_stands_for_any_meter),
		TEST(a_later_order_of_the_same_fault_counts),
		TEST(a_meter_is_gone_as_long_as_anything_says_so),
		TEST(a_driver_loaded_anew_counts_from_its_return),
		TEST(a_driver_is_loaded_once_whatever_else_ends),
		TEST(counters_are_reset_and_wrap_at_once),
		cmocka_unit_test(what_is_stuck_outlives_the_history),
		TEST(throttling_is_of_a_package_of_all_or_by_heat),
		TEST(wrong_orders_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests_name("twin/fault", tests, NULL, NULL);
}
