/*
 * test_cli_progress.c - the progress line, word by word
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "cli/progress.h"

static const char *line(const struct es_progress_work *works, size_t n,
			const struct es_progress_figures *figures, unsigned width)
{
	static char text[1024];
	struct es_buf out;

	es_buf_init(&out, sizeof(text) - 1);
	es_progress_line(works, n, figures, width, &out);
	assert_int_equal(out.error, 0);
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	es_buf_finish(&out);
	return text;
}

static void all_that_is_known_is_told(void **state)
{
	const struct es_progress_work work = { .unit = "steps",
					       .is_known = true,
					       .sum_micro = 1200000000,
					       .at_micro = 1250000000,
					       .has_total = true,
					       .total_micro = 5000000000 };
	const struct es_progress_figures figures = { .has_power = true,
						     .has_energy = true,
						     .power_w = 47.12,
						     .energy_j = 624,
						     .rate = { 93.75 } };

	(void)state;
	assert_string_equal(
		line(&work, 1, &figures, 0),
		"1,250 of 5,000 steps (25.0 %), 93.75/s, 0.520 J per step, 40 s left; 47.1 W");
}

static void what_is_not_known_is_left_out(void **state)
{
	const struct es_progress_work works[] = {
		{ .unit = "ns", .is_known = true, .sum_micro = 2500000, .at_micro = 2500000 },
		{ .unit = "tokens" },
		{ .unit = "x", .is_known = true, .has_total = true, .total_micro = 0 },
	};
	const struct es_progress_figures figures = { .rate = { 0, -1, -1 } };

	(void)state;
	assert_string_equal(line(works, 3, &figures, 0), "2.5 ns, 0/s; no tokens yet; 0 of 0 x");
}

/* Of periods that are never quite a second. */
static void a_rate_has_four_digits(void **state)
{
	const struct es_progress_work work = {
		.unit = "steps", .is_known = true, .sum_micro = 3000000, .at_micro = 3000000
	};
	struct es_progress_figures figures = { .rate = { 0.999978 } };

	(void)state;
	assert_string_equal(line(&work, 1, &figures, 0), "3 steps, 1/s");
	figures.rate[0] = 0.0123456;
	assert_string_equal(line(&work, 1, &figures, 0), "3 steps, 0.01235/s");
}

static void a_line_is_no_wider_than_the_terminal(void **state)
{
	const struct es_progress_work work = {
		.unit = "\xc3\xa9tapes", .is_known = true, .sum_micro = 3000000, .at_micro = 3000000
	};
	const struct es_progress_figures figures = { .rate = { 1 } };

	(void)state;
	assert_string_equal(line(&work, 1, &figures, 3), "3 \xc3\xa9");
	assert_string_equal(line(&work, 1, &figures, 2), "3 ");
	assert_string_equal(line(&work, 1, &figures, 1000), "3 \xc3\xa9tapes, 1/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_known_is_told),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(a_rate_has_four_digits),
		cmocka_unit_test(a_line_is_no_wider_than_the_terminal),
	};

	return cmocka_run_group_tests_name("cli/progress", tests, NULL, NULL);
}
