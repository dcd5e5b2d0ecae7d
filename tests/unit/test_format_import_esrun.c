/*
 * test_format_import_esrun.c - raw dumps of the original tool, made up so that the truth is known
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

#include "support/esmaker.h"
#include "support/imported.h"

static void put_run(struct es_imported *imported, struct es_maker *maker)
{
	char name[128];

	es_maker_run(maker);
	(void)snprintf(name, sizeof(name), "es_read_rt_result_%s_%s.txt", maker->job, maker->node);
	es_imported_put_buf(imported, name, &maker->raw);
	(void)snprintf(name, sizeof(name), "es_discover_result_%s_%s.txt", maker->job, maker->node);
	es_imported_put_buf(imported, name, &maker->discovery);
}

static void import_run(struct es_imported *imported, struct es_maker *maker)
{
	put_run(imported, maker);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.6f is not %.6f +- %g", value, expected, tolerance);
}

/* Each joule is there, and no power above what the parts draw: high_w of a GPU, half of it of a package. */
static void assert_true_energy(const struct es_imported *imported, const struct es_maker *maker,
			       double above)
{
	char name[32];

	for (unsigned p = 0; p < maker->n_packages; p++) {
		(void)snprintf(name, sizeof(name), "package-%u", p);
		assert_near(es_imported_j(imported, name), maker->package_j[p], 0.001);
		assert_in_range(imported->max_mw[es_imported_domain(imported, name)], 0,
				(uint64_t)(maker->high_w * 500 * above));
		(void)snprintf(name, sizeof(name), "dram-%u", p);
		if (maker->is_amd)
			continue;
		assert_near(es_imported_j(imported, name), maker->dram_j[p], 0.001);
		assert_in_range(imported->max_mw[es_imported_domain(imported, name)], 0,
				(uint64_t)(ES_MAKER_DRAM_W * 1000 * above));
	}
	for (unsigned g = 0; g < maker->n_gpus; g++) {
		(void)snprintf(name, sizeof(name), "gpu-%u", g);
		assert_near(es_imported_j(imported, name), maker->gpu_j[g], 0.0021);
		if (imported->max_mw[es_imported_domain(imported, name)] >
		    (uint64_t)(maker->high_w * 1000 * above))
			fail_msg("%s: %.1f W", name,
				 (double)imported->max_mw[es_imported_domain(imported, name)] /
					 1e3);
	}
}

static void a_calm_run_is_read_to_the_raw_unit(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 2, .n_gpus = 8, .n_sweeps = 400 };

	import_run(imported, &maker);

	assert_int_equal(imported->meta->n_domains, 12);
	assert_int_equal(imported->meta->n_gpus, 8);
	assert_true_energy(imported, &maker, 1.02);
	assert_false(es_imported_has_warning(imported, "hole"));
	assert_false(es_imported_has_warning(imported, "left out"));
	assert_int_equal(imported->meta->domains[0].limit_mw, 200000);
	assert_int_equal(imported->meta->domains[0].kind, ES_KIND_MEASURED);
}

static void counters_that_wrap_lose_nothing(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = {
		.n_packages = 2, .n_gpus = 0, .n_sweeps = 2000, .start_raw = UINT32_MAX - 1000
	};

	import_run(imported, &maker);

	assert_true_energy(imported, &maker, 1.02);
	assert_false(es_imported_has_warning(imported, "wrapped"));
}

static void a_hole_anywhere_in_a_sweep_makes_no_power_up(void **state)
{
	struct es_imported *imported = *state;

	for (int gpus_first = 0; gpus_first < 2; gpus_first++) {
		for (int place = 0; place < ES_MAKER_N_PLACES; place++) {
			const struct es_maker_stall stall = { .sweep = 150,
							      .place = (enum es_maker_place)place,
							      .dur_s = 129 };
			struct es_maker maker = { .n_packages = 2,
						  .n_gpus = 8,
						  .n_sweeps = 400,
						  .stalls = &stall,
						  .n_stalls = 1,
						  .has_gpus_first = gpus_first };

			imported->options.may_replace = true;
			import_run(imported, &maker);

			assert_true_energy(imported, &maker, 1.05);
			assert_true(es_imported_has_warning(imported, "temporal hole of 1"));
			assert_true(imported->longest_ns[es_imported_domain(imported, "gpu-7")] >
				    129000000000);
		}
	}
}

static void many_holes_and_late_sweeps_make_no_power_up(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker_stall stalls[60];

	for (unsigned i = 0; i < 60; i++)
		stalls[i] = (struct es_maker_stall){
			.sweep = 10 + i * 24,
			.place = (enum es_maker_place)(i % ES_MAKER_N_PLACES),
			.dur_s = i % 7 == 0 ? 150 : 1 + i % 9,
		};
	for (int gpus_first = 0; gpus_first < 2; gpus_first++) {
		struct es_maker maker = { .n_packages = 2,
					  .n_gpus = 8,
					  .n_sweeps = 1500,
					  .stalls = stalls,
					  .n_stalls = 60,
					  .jitter_s = 0.4,
					  .has_gpus_first = gpus_first };

		imported->options.may_replace = true;
		import_run(imported, &maker);

		assert_true_energy(imported, &maker, 1.25);
		assert_true(es_imported_has_warning(imported, "60 temporal holes"));
		assert_true(es_imported_has_warning(imported,
						    "left out: when they were read is too unsure"));
	}
}

static void a_hole_in_the_first_or_last_sweep_makes_no_power_up(void **state)
{
	struct es_imported *imported = *state;

	for (int place = 0; place < ES_MAKER_N_PLACES; place++) {
		const struct es_maker_stall stalls[] = {
			{ .sweep = 0, .place = (enum es_maker_place)place, .dur_s = 60 },
			{ .sweep = 99, .place = (enum es_maker_place)place, .dur_s = 70 },
		};
		struct es_maker maker = { .n_packages = 2,
					  .n_gpus = 4,
					  .n_sweeps = 100,
					  .stalls = stalls,
					  .n_stalls = 2 };

		imported->options.may_replace = true;
		import_run(imported, &maker);

		assert_true_energy(imported, &maker, 1.25);
	}
}

static void counters_of_gpus_that_start_again_leave_a_gap(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 1,
				  .n_gpus = 1,
				  .n_sweeps = 200,
				  .reset_at = 100,
				  .low_w = 100,
				  .high_w = 100 };
	int gpu;

	import_run(imported, &maker);
	gpu = es_imported_domain(imported, "gpu-0");

	assert_int_equal(imported->tracks[gpu].n_resets, 1);
	assert_near((double)imported->tracks[gpu].energy_uj / 1e6, maker.gpu_j[0] * 198 / 199, 1);
	assert_in_range(imported->max_mw[gpu], 90000, 110000);
	assert_true(es_imported_has_warning(imported, "gpu-0: the counter was reset 1 times"));
}

static void amd_packages_are_read_by_their_own_registers(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = {
		.n_packages = 2, .n_sweeps = 300, .is_amd = true, .start_raw = UINT32_MAX - 5
	};

	import_run(imported, &maker);

	assert_int_equal(imported->meta->n_domains, 2);
	assert_true_energy(imported, &maker, 1.02);
	assert_false(es_imported_has_warning(imported, "clock"));
}

static void several_nodes_of_one_job_make_one_recording(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker a = { .node = "made-1", .n_packages = 2, .n_sweeps = 100 };
	struct es_maker b = { .node = "made-2", .n_packages = 2, .n_gpus = 2, .n_sweeps = 120 };

	put_run(imported, &a);
	put_run(imported, &b);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_int_equal(imported->result.n, 1);
	assert_int_equal(imported->meta->n_nodes, 2);
	assert_near(es_imported_j(imported, "made-1/package-1"), a.package_j[1], 0.001);
	assert_near(es_imported_j(imported, "made-2/package-1"), b.package_j[1], 0.001);
	assert_near(es_imported_j(imported, "made-2/gpu-1"), b.gpu_j[1], 0.002);
	assert_int_equal(imported->meta->n_cpus, 8);
}

static void renamed_files_are_recognised_and_paired(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker a = { .node = "made-1", .job = "1", .n_packages = 1, .n_sweeps = 10 };
	struct es_maker b = { .node = "made-2", .job = "2", .n_packages = 2, .n_sweeps = 20 };

	es_maker_run(&a);
	es_maker_run(&b);
	es_imported_put_buf(imported, "a/x", &a.raw);
	es_imported_put_buf(imported, "a/y.bin", &a.discovery);
	es_imported_put_buf(imported, "b/raw of b.json", &b.raw);
	es_imported_put_buf(imported, "b/found.json", &b.discovery);
	es_imported_run(imported, NULL);

	assert_int_equal(imported->result.n, 2);
	es_imported_open(imported, 0);
	assert_string_equal(imported->meta->nodes[0].name, "made-1");
	assert_int_equal(imported->meta->n_domains, 2);
	es_imported_open(imported, 1);
	assert_string_equal(imported->meta->nodes[0].name, "made-2");
	assert_int_equal(imported->meta->n_domains, 4);
}

static void tags_of_any_date_become_events(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 1, .n_sweeps = 60 };

	put_run(imported, &maker);
	es_imported_put_text(imported, "cmd",
			     "energy_scope_tags es_appli_total start  2022/11/08T03:08:25\n"
			     "energy_scope_tags solve it start 2022-11-08T03:08:26.500000\r\n"
			     "energy_scope_tags solve it stop 2022/11/08 03:08:30.25\n"
			     "energy_scope_tags es_appli_total stop  2022/11/08T03:08:40\n"
			     "energy_scope_tags lost start yesterday\n"
			     "energy_scope_tags\n"
			     "energy_scope_cmd  ./solve  -n 3\n");
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_int_equal(imported->n_events, 5);
	assert_int_equal(imported->events[0].type, ES_EVENT_COMMAND_START);
	assert_near((double)imported->events[0].t_ns / 1e9, 2.252614, 1e-6);
	assert_int_equal(imported->events[1].type, ES_EVENT_TAG_START);
	assert_string_equal(imported->events[1].text, "solve it");
	assert_near((double)imported->events[1].t_ns / 1e9, 3.752614, 1e-6);
	assert_int_equal(imported->events[2].type, ES_EVENT_TAG_STOP);
	assert_int_equal(imported->events[3].type, ES_EVENT_COMMAND_STOP);
	assert_string_equal(imported->meta->command, "./solve  -n 3");
	assert_true(es_imported_has_warning(imported, "tag 'lost' has no time"));
}

static void tags_are_taken_from_einfo_where_there_is_no_cmd(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 1, .n_sweeps = 60 };

	put_run(imported, &maker);
	es_imported_put_text(
		imported, "einfo.txt",
		"{\"date\": \"2022/11/08 03:17:03\", \"from_appli\": {\"jobid\": \"20221108030822\", \"user\": \"someone\","
		"\"command\": \"./solve\", \"tags\": {\"es_appli_total\": {\"start\": \"2022/11/08 03:08:25.000000\","
		"\"stop\": \"2022/11/08 03:08:50.000000\"}}}, \"arch\": {\"data\": {}}}");
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_string_equal(imported->meta->user, "someone");
	assert_int_equal(imported->n_events, 3);
	assert_int_equal(imported->events[0].type, ES_EVENT_COMMAND_START);
}

static void a_dump_that_breaks_off_is_used_up_to_there(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 2, .n_gpus = 1, .n_sweeps = 100 };

	es_maker_run(&maker);
	maker.raw.len = maker.raw.len / 2;
	es_imported_put_buf(imported, "raw", &maker.raw);
	es_imported_put_buf(imported, "discovery", &maker.discovery);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_true(es_imported_has_warning(imported, "breaks off at byte"));
	assert_true(es_imported_j(imported, "package-0") > maker.package_j[0] / 4);
}

static void registers_that_could_not_be_read_are_said(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = {
		.n_packages = 2,
		.n_sweeps = 100,
		.discovery_rows = "",
		.gpu_text =
			"{\"nvidia\": {\"driver\": \"es: warning: no nvidia gpu found on this node\", \"device_count\": 0}}"
	};

	import_run(imported, &maker);

	assert_true_energy(imported, &maker, 1.05);
	assert_true(es_imported_has_warning(imported, "no unit register (0x606)"));
	assert_true(es_imported_has_warning(imported, "clock by the model's name, 2.20 GHz"));
	assert_int_equal(imported->meta->domains[0].limit_mw, 0);
}

static void gpus_that_were_seen_but_not_read_are_said(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = {
		.n_packages = 1,
		.n_sweeps = 10,
		.gpu_text = "{\"nvidia\": {\"driver\": \"470\", \"device_count\": 8}}"
	};

	import_run(imported, &maker);

	assert_true(es_imported_has_warning(imported, "8 GPUs, of which 0 were read"));
	assert_int_equal(imported->meta->n_gpus, 8);
}

/* A dump with rows of our choice behind that of a package whose clock is 1 GHz and unit 1/16384 J. */
static void put_rows(struct es_imported *imported, const char *rows)
{
	static const char discovery[] =
		"{\"date\": \"2023-03-13T23:59:50\", \"pgm\": \"es_discover.py@inria\", \"job\": \"7\", \"node\": \"n\", \"gpu\": \"none\","
		"\"arch\": {\"0\": {\"vendor_id\": \"GenuineIntel\", \"modelname\": \"x@1.00GHz\", \"model\": \"143\", \"cpufamily\": \"6\","
		"\"coreid\": {\"0\": [\"0\"]}}},"
		"\"data\": [{\"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x0CE\", \"raw_value\": 2560},"
		"{\"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x606\", \"raw_value\": 658947}]}";
	struct es_buf raw;

	es_buf_init(&raw, 1 << 20);
	(void)es_buf_printf(
		&raw,
		"{\"data\": [%s], \"date\": \"2023-03-13T23:59:50\", \"timestamp\": \"2023-03-13T23:59:50.5\","
		"\"eprofile_period(ms)\": 1000, \"pgm\": \"es_read_rt.py@inria\"}",
		rows);
	es_imported_put_text(imported, "discovery.json", discovery);
	es_imported_put_buf(imported, "raw.json", &raw);
}

#define ROW(index, phy, adr, value)                                                         \
	"{\"index\": " #index ", \"phy\": \"" phy "\", \"cpu\": \"0\", \"adr_str\": \"" adr \
	"\", \"raw_value\": " #value "}"

static void indices_that_repeat_and_rows_without_sense_do_no_harm(void **state)
{
	struct es_imported *imported = *state;

	put_rows(
		imported,
		ROW(0, "0", "0x010", 1000000000) "," ROW(0, "0", "0x611", 0) "," ROW(
			0, "0", "0x010",
			2000000000) "," ROW(0, "0", "0x611",
					    163840) ", 17, null, {\"phy\": \"0\"}, {\"adr_str\": \"0x611\", \"phy\": 0, \"raw_value\": \"discarded\"},"
						    "" ROW(0, "0", "0x010", 2000000000) "," ROW(
							    0, "0", "0x611",
							    163840) "," ROW(1, "0", "0x010",
									    3000000000) "," ROW(1,
												"0",
												"0x611",
												327680));
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "package-0"), 20, 1e-6);
	assert_int_equal(imported->tracks[0].covered_ns, 2000000000);
	assert_int_equal(imported->meta->period_ns, 1000000000);
	assert_true(es_imported_has_warning(imported, "rows have no value that makes sense"));
}

static void a_value_read_wrongly_once_is_left_out(void **state)
{
	struct es_imported *imported = *state;
	char rows[4096] = "";

	for (unsigned i = 0; i < 8; i++)
		(void)snprintf(
			rows + strlen(rows), sizeof(rows) - strlen(rows),
			"%s{\"index\": %u, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x010\", \"raw_value\": %u000000000},"
			"{\"index\": %u, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x611\", \"raw_value\": %u}",
			i ? "," : "", i, i + 1, i, i == 3 ? 0 : 1000000 + i * 163840);
	put_rows(imported, rows);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "package-0"), 70, 1e-6);
	assert_int_equal(imported->max_mw[0], 10000);
	assert_true(es_imported_has_warning(imported, "1 readings left out that imply more than"));
}

static void a_dump_without_time_stamps_takes_the_planned_times(void **state)
{
	struct es_imported *imported = *state;

	put_rows(imported, ROW(0, "0", "0x611", 0) "," ROW(1, "0", "0x611", 163840) "," ROW(
				   2, "0", "0x611", 327680));
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "package-0"), 20, 1e-6);
	assert_int_equal(imported->tracks[0].covered_ns, 2000000000);
	assert_true(es_imported_has_warning(imported, "no time stamps (0x010)"));
}

static void a_raw_dump_alone_says_what_is_missing(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 1, .n_sweeps = 10 };

	es_maker_run(&maker);
	es_imported_put_buf(imported, "raw", &maker.raw);
	es_buf_finish(&maker.discovery);

	assert_int_equal(es_imported_run(imported, NULL), -ENODATA);
	assert_non_null(strstr(imported->err.text, "without its es_discover_result"));
}

static void a_dump_without_rows_says_so(void **state)
{
	struct es_imported *imported = *state;

	put_rows(imported, "");

	assert_int_equal(es_imported_run(imported, NULL), -ENODATA);
	assert_non_null(strstr(imported->err.text, "has no reading of energy"));
}

static void names_that_do_harm_are_made_safe(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .node = "../\\u001b[31mn",
				  .job = "../../etc/passwd",
				  .n_packages = 1,
				  .n_sweeps = 10 };

	es_maker_run(&maker);
	es_imported_put_buf(imported, "raw", &maker.raw);
	es_imported_put_buf(imported, "discovery", &maker.discovery);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_string_equal(imported->meta->job, "_._.._etc_passwd");
	assert_string_equal(imported->meta->nodes[0].name, "_.__[31mn");
	assert_non_null(strstr(imported->result.recordings[0], "/out/_._.._etc_passwd.esr"));
}

static void an_existing_recording_is_not_replaced_unasked(void **state)
{
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 1, .n_sweeps = 10 };

	import_run(imported, &maker);

	assert_int_equal(es_imported_run(imported, NULL), -EEXIST);
	imported->options.may_replace = true;
	assert_int_equal(es_imported_run(imported, NULL), 0);
}

#define IMPORT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, es_imported_setup, es_imported_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IMPORT_TEST(a_calm_run_is_read_to_the_raw_unit),
		IMPORT_TEST(counters_that_wrap_lose_nothing),
		IMPORT_TEST(a_hole_anywhere_in_a_sweep_makes_no_power_up),
		IMPORT_TEST(many_holes_and_late_sweeps_make_no_power_up),
		IMPORT_TEST(a_hole_in_the_first_or_last_sweep_makes_no_power_up),
		IMPORT_TEST(counters_of_gpus_that_start_again_leave_a_gap),
		IMPORT_TEST(amd_packages_are_read_by_their_own_registers),
		IMPORT_TEST(several_nodes_of_one_job_make_one_recording),
		IMPORT_TEST(renamed_files_are_recognised_and_paired),
		IMPORT_TEST(tags_of_any_date_become_events),
		IMPORT_TEST(tags_are_taken_from_einfo_where_there_is_no_cmd),
		IMPORT_TEST(a_dump_that_breaks_off_is_used_up_to_there),
		IMPORT_TEST(registers_that_could_not_be_read_are_said),
		IMPORT_TEST(gpus_that_were_seen_but_not_read_are_said),
		IMPORT_TEST(indices_that_repeat_and_rows_without_sense_do_no_harm),
		IMPORT_TEST(a_value_read_wrongly_once_is_left_out),
		IMPORT_TEST(a_dump_without_time_stamps_takes_the_planned_times),
		IMPORT_TEST(a_raw_dump_alone_says_what_is_missing),
		IMPORT_TEST(a_dump_without_rows_says_so),
		IMPORT_TEST(names_that_do_harm_are_made_safe),
		IMPORT_TEST(an_existing_recording_is_not_replaced_unasked),
	};

	return cmocka_run_group_tests_name("format/import_esrun", tests, NULL, NULL);
}
