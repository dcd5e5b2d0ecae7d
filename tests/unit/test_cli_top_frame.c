/*
 * test_cli_top_frame.c - how a frame of top looks on terminals of several kinds
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/top_frame.h"
#include "cli/top_processes.h"

static const uint64_t rising_mw[] = { 0, 50000, 100000, 150000, 200000, UINT64_MAX, 175000 };

static const struct es_top_gauge gauges[] = {
	{ .name = "node",
	  .kind = "measured",
	  .is_known = true,
	  .is_total = true,
	  .power_mw = 187654,
	  .most_mw = 200000,
	  .history_mw = rising_mw,
	  .n_history = 7 },
	{ .name = "package-0",
	  .kind = "measured",
	  .is_known = true,
	  .power_mw = 175000,
	  .limit_mw = 350000,
	  .most_mw = 200000,
	  .history_mw = rising_mw,
	  .n_history = 7 },
	{ .name = "dram-0", .kind = "measured", .history_mw = rising_mw, .n_history = 0 },
};

static const struct es_top_process processes[] = {
	{ .pid = 4711,
	  .user = "ada",
	  .command = "solver",
	  .cpu_permille = 31500,
	  .power_mw = 170000 },
	{ .pid = 1,
	  .user = "root",
	  .command = "bad\033[31m",
	  .cpu_permille = 10,
	  .power_mw = UINT64_MAX },
};

static const struct es_top_job jobs[] = {
	{ .id = "17",
	  .user = "ada",
	  .name = "wave\033[31m",
	  .kind = "measured",
	  .n_cpus = 64,
	  .power_mw = 187654,
	  .has_energy = true,
	  .is_exclusive = true,
	  .energy_uj = 938270000,
	  .dur_ns = 5 * ES_NS_PER_S },
	{ .id = "18_4", .user = "?", .power_mw = UINT64_MAX, .dur_ns = ES_NS_PER_S },
};

static const struct es_top_frame frame = {
	.node = "n231",
	.cpu_model = "A Processor",
	.time = "12:00:00",
	.n_cpus = 64,
	.interval_ns = ES_NS_PER_S,
	.since_ns = 10 * ES_NS_PER_S,
	.energy_uj = 1876540000,
	.has_busy = true,
	.busy_permille = 32000,
	.gauges = gauges,
	.n_gauges = 3,
	.processes = processes,
	.n_processes = 2,
	.jobs = jobs,
	.n_jobs = 2,
	.n_jobs_all = 12,
	.daemon = "through energyscopiumd 0.1.0, at most 10 Hz",
};

static char *draw(const struct es_top_style *style)
{
	static char text[16384];
	struct es_buf out;

	es_buf_init(&out, sizeof(text) - 1);
	es_top_draw(&frame, style, &out);
	assert_int_equal(out.error, 0);
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	es_buf_finish(&out);
	return text;
}

static void a_plain_terminal_of_80_columns(void **state)
{
	const struct es_top_style style = { .width = 80 };

	(void)state;
	assert_string_equal(
		draw(&style),
		"energyscopium top  n231  A Processor  12:00:00\n"
		"mean of 1 s  CPUs busy: 32.0 of 64  energy: 1876.5 J in 10 s\n"
		"node              187.65 W [################ ] of 200.0 W seen  _.~+# *\n"
		"package-0         175.00 W [#########        ]  50 % of 350 W   _.~+# *\n"
		"dram-0               n/a   [                 ]                  \n"
		"through energyscopiumd 0.1.0, at most 10 Hz\n"
		"JOB            USER          CPUs          W   energy (J)       time            \n"
		"17             ada             64     187.65        938.3        5 s  alone  wav\n"
		"18_4           ?                ?        n/a          n/a        1 s  shares\n"
		"     PID USER            CPUs W (shared)  COMMAND                               \n"
		"    4711 ada            31.50     170.00  solver\n"
		"       1 root            0.01        n/a  bad?[31m\n");
}

/* Columns on the screen: UTF-8 continuation bytes and colours take none. */
static size_t columns_of(const char *line, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++) {
		if (line[i] == '\033') {
			while (i < n && line[i] != 'm')
				i++;
			continue;
		}
		columns += ((unsigned char)line[i] & 0xC0) != 0x80;
	}
	return columns;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (unsigned width = 40; width <= 300; width++) {
		const struct es_top_style style = { .width = width,
						    .has_utf8 = true,
						    .has_colour = true };
		const char *text = draw(&style);

		for (const char *line = text, *end; *line; line = end + 1) {
			end = strchr(line, '\n');
			assert_non_null(end);
			if (columns_of(line, (size_t)(end - line)) > width)
				fail_msg("at %u columns: '%.*s'", width, (int)(end - line), line);
		}
	}
}

static void there_are_no_more_lines_than_rows(void **state)
{
	(void)state;
	for (unsigned height = 3; height <= 12; height++) {
		const struct es_top_style style = { .width = 80, .height = height };
		const char *text = draw(&style);
		unsigned n = 0;

		for (const char *p = text; (p = strchr(p, '\n')); p++)
			n++;
		assert_true(n <= height);
	}
}

static void without_colour_no_order_reaches_the_terminal(void **state)
{
	const struct es_top_style style = { .width = 120, .has_utf8 = true };

	(void)state;
	assert_null(strchr(draw(&style), '\033'));
}

static void bars_have_eighths_of_a_cell(void **state)
{
	const struct es_top_style style = { .width = 80, .has_utf8 = true };

	(void)state;
	assert_non_null(strstr(draw(&style), "[████████▌        ]  50 % of 350 W   ▁▂▄▆█ ▇"));
}

static void json_has_null_for_what_is_not_known(void **state)
{
	struct es_buf out;
	json_t *json, *gauge, *job;

	(void)state;
	es_buf_init(&out, 1U << 16);
	assert_int_equal(es_top_json(&frame, &out), 0);
	json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	gauge = json_array_get(json_object_get(json, "gauges"), 2);

	assert_string_equal(json_string_value(json_object_get(json, "schema")),
			    "energyscopium.top/1");
	assert_true(json_is_null(json_object_get(gauge, "power_w")));
	assert_true(json_number_value(json_object_get(json, "energy_j")) == 1876.54);
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(json, "processes"), 1), "power_w")));
	assert_int_equal(json_integer_value(json_object_get(json, "jobs_total")), 12);
	job = json_array_get(json_object_get(json, "jobs"), 0);
	assert_true(json_number_value(json_object_get(job, "energy_j")) == 938.27);
	assert_true(json_number_value(json_object_get(job, "power_w")) == 187.654);
	job = json_array_get(json_object_get(json, "jobs"), 1);
	assert_true(json_is_null(json_object_get(job, "energy_j")));
	assert_true(json_is_null(json_object_get(job, "power_w")));
	assert_true(json_is_null(json_object_get(job, "ncpus")));
	json_decref(json);
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_terminal_of_80_columns),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(there_are_no_more_lines_than_rows),
		cmocka_unit_test(without_colour_no_order_reaches_the_terminal),
		cmocka_unit_test(bars_have_eighths_of_a_cell),
		cmocka_unit_test(json_has_null_for_what_is_not_known),
	};

	return cmocka_run_group_tests_name("cli/top_frame", tests, NULL, NULL);
}
