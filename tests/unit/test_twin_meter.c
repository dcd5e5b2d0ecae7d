/*
 * test_twin_meter.c - what a meter makes of exact energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/meter.h"

#include <errno.h>

#include "base/clock.h"
#include "support/test.h"

#define W 1000000U /* µW */
#define S INT64_C(1000000000)

/* A node that draws 100 W until 10 s, then 300 W: stands in for node.c. */
es_u128 es_twin_energy_fj(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns)
{
	int64_t late_ns = t_ns > 10 * S ? t_ns - 10 * S : 0;

	(void)node;
	(void)part;
	(void)i;
	return (es_u128)(uint64_t)(t_ns - late_ns) * (100 * W) +
	       (es_u128)(uint64_t)late_ns * (300ULL * W);
}

uint64_t es_twin_power_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns)
{
	(void)node;
	(void)part;
	(void)i;
	return t_ns > 10 * S ? 300 * W : 100 * W;
}

uint64_t es_twin_mean_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			 int64_t t_ns, int64_t window_ns)
{
	return (uint64_t)((es_twin_energy_fj(node, part, i, t_ns) -
			   es_twin_energy_fj(node, part, i, t_ns - window_ns)) /
			  (uint64_t)window_ns);
}

static uint64_t raw(const struct es_twin_meter *meter, int64_t t_ns)
{
	uint64_t v = 0;

	assert_int_equal(es_twin_meter_raw(meter, NULL, t_ns, &v), 0);
	return v;
}

static uint64_t power_uw(const struct es_twin_meter *meter, int64_t t_ns)
{
	uint64_t v = 0;

	assert_int_equal(es_twin_meter_power_uw(meter, NULL, t_ns, &v), 0);
	return v;
}

static struct es_twin_meter rapl(void)
{
	struct es_twin_meter meter = { .step_fj_num = 61035000000, .step_fj_den = 1, .bits = 32 };

	es_twin_meter_start(&meter, NULL, 0);
	return meter;
}

static void counts_whole_steps(void **state)
{
	struct es_twin_meter meter = rapl();

	(void)state;
	/* 100 W for 3 s: 300 J of 61.035 µJ */
	assert_int_equal(raw(&meter, 3 * S), 300000000000 / 61035);
	assert_int_equal(raw(&meter, 12 * S), 1600000000000 / 61035);
	meter.start = 77;
	es_twin_meter_start(&meter, NULL, 3 * S);
	assert_int_equal(raw(&meter, 3 * S), 77);
	assert_int_equal(raw(&meter, 4 * S), 77 + 100000000000 / 61035);
}

static void wraps_at_its_width(void **state)
{
	struct es_twin_meter meter = rapl();
	uint64_t before;

	(void)state;
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_WRAP_SOON, true, 0);
	before = raw(&meter, 0);
	assert_in_range(UINT32_MAX - before, 10000000000 / 61035 - 1, 10000000000 / 61035 + 1);
	assert_int_equal((uint32_t)(raw(&meter, S) - before), 100000000000 / 61035);
	assert_true(raw(&meter, S) < before);
	/* One that never wraps has no end to be near. */
	meter.bits = 64;
	before = raw(&meter, S);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_WRAP_SOON, true, S);
	assert_int_equal(raw(&meter, S), before);
}

static void shows_what_was_at_its_last_update(void **state)
{
	struct es_twin_meter meter = rapl();

	(void)state;
	meter.update_ns = 100 * ES_NS_PER_MS;
	meter.phase_ns = 30 * ES_NS_PER_MS;
	assert_int_equal(es_twin_meter_time_ns(&meter, S), S - 70 * ES_NS_PER_MS);
	assert_int_equal(es_twin_meter_time_ns(&meter, S + 30 * ES_NS_PER_MS),
			 S + 30 * ES_NS_PER_MS);
	assert_int_equal(es_twin_meter_time_ns(&meter, 10 * ES_NS_PER_MS), -70 * ES_NS_PER_MS);
	assert_int_equal(raw(&meter, S), 93000000000 / 61035);
	assert_int_equal(raw(&meter, S + 29 * ES_NS_PER_MS), 93000000000 / 61035);
}

static void averages_powers(void **state)
{
	struct es_twin_meter meter = { .window_ns = S };

	(void)state;
	assert_int_equal(power_uw(&meter, 10 * S + S / 2), 200 * W);
	meter.window_ns = 0;
	assert_int_equal(power_uw(&meter, 10 * S + S / 2), 300 * W);
	/* It looks at the first quarter of its window only. */
	meter.window_ns = S;
	meter.duty_ppm = 250000;
	assert_int_equal(power_uw(&meter, 10 * S + S / 2), 100 * W);
	assert_int_equal(power_uw(&meter, 11 * S), 300 * W);
	meter = (struct es_twin_meter){ .gain_ppm = -108000, .grain_uw = W };
	assert_int_equal(power_uw(&meter, 11 * S), 268 * W); /* 267.6 */
}

static void fails_as_it_is_told(void **state)
{
	struct es_twin_meter meter = rapl();
	uint64_t v = 0, at;

	(void)state;
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_EIO, true, S);
	assert_int_equal(es_twin_meter_raw(&meter, NULL, S, &v), -EIO);
	assert_int_equal(es_twin_meter_power_uw(&meter, NULL, S, &v), -EIO);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_EIO, false, S);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_VANISH, true, S);
	assert_int_equal(es_twin_meter_raw(&meter, NULL, S, &v), -ENOENT);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_VANISH, false, S);
	at = raw(&meter, 2 * S);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_STUCK, true, 2 * S);
	assert_int_equal(raw(&meter, 5 * S), at);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_STUCK, false, 5 * S);
	assert_int_equal(raw(&meter, 5 * S), 500000000000 / 61035);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_RESET, true, 5 * S);
	assert_int_equal(raw(&meter, 5 * S), 0);
	assert_int_equal(raw(&meter, 6 * S), 100000000000 / 61035);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_RELOAD, true, 6 * S);
	assert_int_equal(es_twin_meter_raw(&meter, NULL, 7 * S, &v), -ENOENT);
	es_twin_meter_fault(&meter, NULL, ES_TWIN_FAULT_RELOAD, false, 7 * S);
	assert_int_equal(raw(&meter, 7 * S), 0);
}

static void updates_late_but_never_goes_back(void **state)
{
	struct es_twin_meter meter = { .step_fj_num = 1000000000, /* 1 µJ */
				       .step_fj_den = 1,
				       .bits = 64,
				       .update_ns = 976562,
				       .jitter_ns = 40000 };
	int64_t last_ns = 0, longest_ns = 0;
	unsigned n = 0;

	(void)state;
	for (int64_t t_ns = S; t_ns < S + S / 10; t_ns += 5000) {
		int64_t at_ns = es_twin_meter_time_ns(&meter, t_ns);

		assert_true(at_ns <= t_ns && at_ns >= last_ns);
		assert_true(t_ns - at_ns < meter.update_ns + meter.jitter_ns);
		if (last_ns && at_ns != last_ns) {
			n++;
			longest_ns = at_ns - last_ns > longest_ns ? at_ns - last_ns : longest_ns;
		}
		last_ns = at_ns;
	}
	assert_in_range(n, 101, 103);
	assert_true(longest_ns > meter.update_ns);
	/* The same question has the same answer. */
	assert_int_equal(es_twin_meter_time_ns(&meter, 5 * S),
			 es_twin_meter_time_ns(&meter, 5 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_whole_steps),
		cmocka_unit_test(wraps_at_its_width),
		cmocka_unit_test(shows_what_was_at_its_last_update),
		cmocka_unit_test(averages_powers),
		cmocka_unit_test(fails_as_it_is_told),
		cmocka_unit_test(updates_late_but_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
