/*
 * test_format_import_eprofile.c - finished profiles, the original's and ours, and job archives of ClusterCockpit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/imported.h"
#include "support/random.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9f is not %.9f +- %g", value, expected, tolerance);
}

static void the_flat_layout_of_2023_is_read_by_its_totals(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(
		imported, "p",
		"{\"eprofile_period(ms)\": 500, \"nb_sample\": 4, \"tags\": {\"es_total\": {\"start\": \"2023-03-13T23:59:50\","
		"\"stop\": \"2023-03-13T23:59:51\", \"start(sec)\": 0, \"stop(sec)\": 1, \"joule(J)\": 1},"
		"\"solve\": {\"start\": \"2023-03-13T23:59:50.5\", \"stop\": \"2023-03-13T23:59:51\"}},"
		"\"etotal(W)\": [120, 120, 130.5, 140], \"ecpu(W)\": [100, 100, 110.5, 120], \"edram(W)\": [20, 20, 20, 20]}");
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "packages"), 165.25, 1e-9);
	assert_near(es_imported_j(imported, "dram"), 30, 1e-9);
	assert_int_equal(imported->meta->n_domains, 2);
	assert_int_equal(imported->n_events, 3);
	assert_int_equal(imported->events[0].t_ns, 500000000);
	assert_string_equal(imported->events[0].text, "solve");
	assert_true(es_imported_has_warning(imported, "totals only"));
}

/* A GPU of 300 W through a hole of 129 s, as the original shows it: 9 W, then all of it in one sample. */
static void a_hole_in_a_finished_profile_makes_no_power_up(void **state)
{
	struct es_imported *imported = *state;
	struct es_buf text;

	es_buf_init(&text, 1 << 20);
	(void)es_buf_printf(
		&text,
		"{\"date\": \"2022/11/08 02:17:08\", \"from_appli\": {\"jobid\": \"5\"}, \"data\": {\"data\": {\"eprofile_period(ms)\": 500, "
		"\"tags\": {}, \"etotal(W)\": []}, \"arch\": {\"n\": {\"arch\": {\"gpu-nvidia-0\": {\"data\": {\"ecpu(W)\": [300");
	for (unsigned i = 1; i < 2000; i++)
		(void)es_buf_printf(&text, ", %s",
				    i > 1000 && i <= 1257 ? "9"
				    : i == 1258		  ? "75087"
							  : "300");
	(void)es_buf_printf(&text, "]}}}}}}}");
	es_imported_put_buf(imported, "p", &text);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "gpu-0"), 1999 * 150, 0.001);
	assert_in_range(imported->max_mw[0], 299000, 301000);
	assert_true(es_imported_has_warning(imported, "1 samples"));
}

/* A profile of ours: exact energy, powers of three decimals, a last interval that is shorter. */
static void put_ours(struct es_imported *imported, const uint64_t *uj, size_t n, int64_t period_ns,
		     int64_t stop_ns, bool is_nested)
{
	struct es_buf text;
	uint64_t sum_uj = 0;

	es_buf_init(&text, 1 << 22);
	(void)es_buf_printf(
		&text,
		"{\"schema\": \"energyscopium.eprofile/1\", %s\"eprofile_period(ms)\": %.6f, \"nb_sample\": %zu, \"tags\": "
		"{\"es_appli_total\": {\"start(sec)\": 0.25, \"stop(sec)\": 1.123456789}, \"x\": {\"start(sec)\": 0.5, \"stop(sec)\": 0.75}},"
		"\"devices\": {\"n/package-0\": [",
		is_nested ? "\"data\": {\"data\": {" : "", (double)period_ns / 1e6, n + 1);
	for (size_t i = 0; i <= n; i++) {
		size_t k = i ? i - 1 : 0;
		int64_t dur_ns = k + 1 == n ? stop_ns - (int64_t)(n - 1) * period_ns : period_ns;

		if (uj[k] == UINT64_MAX)
			(void)es_buf_printf(&text, "%snull", i ? ", " : "");
		else
			(void)es_buf_printf(&text, "%s%.3f", i ? ", " : "",
					    (double)es_mean_power_mw(uj[k], dur_ns) / 1e3);
		sum_uj += i && uj[k] != UINT64_MAX ? uj[k] : 0;
	}
	(void)es_buf_printf(
		&text,
		"]}, \"energyscopium\": {\"job\": \"7\", \"user\": \"u\", \"ncpus\": 8, \"nodes\": [\"n\"], \"start_unix_ns\": 1700000000123456789,"
		"\"stop_unix_ns\": %lld, \"period_ns\": %lld, \"planned_period_ns\": 100000000, \"domains\": [{\"device\": \"n/package-0\", "
		"\"node\": \"n\", \"id\": \"powercap/package-0\", \"name\": \"package-0\", \"type\": \"package\", \"kind\": \"measured\", "
		"\"source\": \"powercap\", \"package\": 0, \"die\": -1, \"limit_mw\": 135000, \"limit_kind\": \"long_term\", \"energy_uj\": %llu}]}%s}",
		(long long)(1700000000123456789 + stop_ns), (long long)period_ns,
		(unsigned long long)sum_uj, is_nested ? "}}" : "");
	es_imported_put_buf(imported, "p.json", &text);
}

static void our_own_profile_reads_back_to_the_same_numbers(void **state)
{
	struct es_imported *imported = *state;
	uint64_t random = 7, uj[500], sum_uj = 0;

	for (size_t i = 0; i < 500; i++) {
		uj[i] = i % 50 < 3 ? test_random_below(&random, 60)
				   : 5000000 + test_random_below(&random, 20000000);
		sum_uj += uj[i];
	}
	for (int nested = 0; nested < 2; nested++) {
		imported->options.may_replace = true;
		put_ours(imported, uj, 500, 100003000, 499 * INT64_C(100003000) + 51000000, nested);
		es_imported_run(imported, NULL);
		es_imported_open(imported, 0);

		assert_int_equal(imported->tracks[0].energy_uj, sum_uj);
		assert_int_equal(imported->tracks[0].n_samples, 500);
		assert_int_equal(imported->tracks[0].covered_ns,
				 499 * INT64_C(100003000) + 51000000);
		assert_int_equal(imported->meta->start_unix_ns, INT64_C(1700000000123456789));
		assert_int_equal(imported->meta->domains[0].kind, ES_KIND_MEASURED);
		assert_int_equal(imported->meta->domains[0].limit_mw, 135000);
		assert_string_equal(imported->meta->domains[0].id, "powercap/package-0");
		assert_int_equal(imported->meta->period_ns, 100000000);
		assert_int_equal(imported->meta->n_cpus, 8);
		assert_int_equal(imported->n_events, 5);
		assert_int_equal(imported->events[3].t_ns, 1123456789);
	}
}

static int compare_power(void *arg, size_t domain, int64_t t_ns, uint64_t value,
			 int64_t activity_ns)
{
	uint64_t **next = arg; /* expected mW, then the last value and time */

	(void)domain;
	(void)activity_ns;
	if (next[0] != next[1]) {
		uint64_t mw = es_mean_power_mw(value - *next[2], t_ns - (int64_t)*next[3]);

		assert_int_equal(mw, *next[0]);
	}
	next[0]++;
	*next[2] = value;
	*next[3] = (uint64_t)t_ns;
	return 0;
}

static void each_power_still_rounds_to_what_it_was(void **state)
{
	struct es_imported *imported = *state;
	static const struct es_visitor visitor = { .reading = compare_power };
	uint64_t random = 11, uj[300], mw[301] = { 0 }, value = 0, t_ns = 0;
	uint64_t *next[] = { mw, mw, &value, &t_ns };

	for (size_t i = 0; i < 300; i++) {
		uj[i] = i % 10 == 0 ? 0 : test_random_below(&random, 30000000);
		mw[i + 1] = es_mean_power_mw(uj[i], 100000000);
	}
	put_ours(imported, uj, 300, 100000000, INT64_C(30000000000), false);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_int_equal(es_recording_walk(imported->recording, &visitor, next), 0);
	assert_ptr_equal(next[0], mw + 301);
}

static void what_is_null_stays_unknown(void **state)
{
	struct es_imported *imported = *state;
	const uint64_t none = UINT64_MAX;
	uint64_t uj[] = { none, 1000000, 2000000, none, none, 3000000, 0, 4000000, none };

	put_ours(imported, uj, 9, 100000000, 900000000, false);
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_int_equal(imported->tracks[0].energy_uj, 10000000);
	assert_int_equal(imported->tracks[0].covered_ns, 500000000);
	assert_int_equal(imported->tracks[0].n_gaps, 1);
	assert_int_equal(imported->tracks[0].gap_total_ns, 200000000);
	assert_int_equal(imported->tracks[0].first_t_ns, 100000000);
}

static void a_later_version_of_ours_is_refused(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(
		imported, "p",
		"{\"schema\": \"energyscopium.eprofile/2\", \"eprofile_period(ms)\": 100, \"devices\": {}}");

	assert_int_equal(es_imported_run(imported, NULL), -ENOTSUP);
	assert_non_null(strstr(imported->err.text, "energyscopium.eprofile/2"));
}

static const char cc_meta[] =
	"{\"jobId\": 42, \"user\": \"u\", \"project\": \"p\", \"cluster\": \"c\", \"partition\": \"w\", \"startTime\": 1608923076,"
	"\"duration\": 180, \"numHwthreads\": 40, \"resources\": [{\"hostname\": \"a\"}, {\"hostname\": \"b\"}]}";

static void a_cluster_job_has_a_domain_for_each_meter(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "meta.json", cc_meta);
	es_imported_put_text(
		imported, "data.json",
		"{\"rapl_power\": {\"node\": {\"unit\": {\"base\": \"W\"}, \"timestep\": 60, \"series\": ["
		"{\"hostname\": \"a\", \"data\": [100, 100, null, 200]}, {\"hostname\": \"b\", \"data\": [1, 1, 1, 1]}]}},"
		"\"acc_power\": {\"accelerator\": {\"unit\": {\"base\": \"W\", \"prefix\": \"k\"}, \"timestep\": 60, \"series\": ["
		"{\"hostname\": \"a\", \"id\": \"00000000:49:00.0\", \"data\": [0.3, 0.3]}, {\"hostname\": \"a\", \"id\": \"x\", \"data\": [0.1, 0.1]}]}},"
		"\"flops_any\": {\"node\": {\"timestep\": 60, \"series\": []}}}");
	es_imported_run(imported, NULL);
	es_imported_open(imported, 0);

	assert_int_equal(imported->meta->n_domains, 4);
	assert_int_equal(imported->meta->n_cpus, 40);
	assert_string_equal(imported->meta->job, "42");
	assert_string_equal(imported->meta->account, "p");
	assert_near(es_imported_j(imported, "b/packages"), 180, 1e-9);
	assert_near(es_imported_j(imported, "a/gpu-0"), 18000, 1e-9);
	assert_near(es_imported_j(imported, "a/gpu-1"), 6000, 1e-9);
	assert_true(imported->meta->domains[0].is_power);
	assert_int_equal(imported->tracks[0].n_readings, 3);
	assert_true(es_imported_has_warning(imported, "1 of 12 values"));
}

static void half_a_cluster_job_says_what_is_missing(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "meta.json", cc_meta);

	assert_int_equal(es_imported_run(imported, NULL), -ENODATA);
	assert_non_null(strstr(imported->err.text, "without its data.json"));
}

#define PROFILE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, es_imported_setup, es_imported_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROFILE_TEST(the_flat_layout_of_2023_is_read_by_its_totals),
		PROFILE_TEST(a_hole_in_a_finished_profile_makes_no_power_up),
		PROFILE_TEST(our_own_profile_reads_back_to_the_same_numbers),
		PROFILE_TEST(each_power_still_rounds_to_what_it_was),
		PROFILE_TEST(what_is_null_stays_unknown),
		PROFILE_TEST(a_later_version_of_ours_is_refused),
		PROFILE_TEST(a_cluster_job_has_a_domain_for_each_meter),
		PROFILE_TEST(half_a_cluster_job_says_what_is_missing),
	};

	return cmocka_run_group_tests_name("format/import_eprofile", tests, NULL, NULL);
}
