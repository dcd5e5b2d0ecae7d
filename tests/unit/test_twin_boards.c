/*
 * test_twin_boards.c - the node-level meters of simulated nodes: hwmon, Cray's counters, DCMI, and what the BMC sees
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "twin/bmc_private.h"

#define START_NS (100 * ES_NS_PER_S)
#define GRACE "sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI000D:"
#define CRAY "sys/cray/pm_counters/"
#define FJ_PER_UJ 1000000000U

struct fixture {
	struct es_twin_kind kind;
	struct es_twin_host *host;
	char text[65536];
};

/* A kind that lives no longer than the test. */
static struct fixture *new_fixture(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct es_twin_kind *kind = es_twin_kind_find("skx2s", NULL);

	assert_non_null(f);
	assert_non_null(kind);
	f->kind = *kind;
	return f;
}

static void up(struct fixture *f)
{
	const struct es_twin_options options = { .seed = 7, .start_ns = START_NS };
	struct es_error err = { .code = 0 };

	if (es_twin_host_create(&f->kind, &options, "n1", "/nonexistent", &f->host, &err) < 0)
		fail_msg("%s", err.text);
}

static void down(struct fixture *f)
{
	es_twin_host_destroy(f->host);
	free(f);
}

static void live(struct fixture *f, int64_t t_ns)
{
	es_twin_advance(f->host->node, START_NS + t_ns);
}

/* As somebody reads it at @t_ns of its life; a negative errno instead of its length. */
static int read_at(struct fixture *f, const char *path, int64_t t_ns)
{
	const struct es_twin_entry *entry = es_twin_tree_find(f->host->tree, path);
	const struct es_twin_file_ops *ops = entry ? es_twin_entry_ops(entry) : NULL;
	struct es_buf out;
	int r;

	if (!ops || !ops->show)
		return -ENOENT;
	live(f, t_ns);
	es_buf_init(&out, sizeof(f->text) - 1);
	r = ops->show(es_twin_entry_file(entry), NULL, START_NS + t_ns, &out);
	assert_int_equal(out.error, 0);
	if (r == 0) {
		if (out.len)
			memcpy(f->text, out.data, out.len);
		f->text[out.len] = '\0';
		r = (int)out.len;
	}
	es_buf_finish(&out);
	return r;
}

static long long number_at(struct fixture *f, const char *path, int64_t t_ns)
{
	if (read_at(f, path, t_ns) < 0)
		fail_msg("%s cannot be read", path);
	assert_int_equal(f->text[strlen(f->text) - 1], '\n');
	return strtoll(f->text, NULL, 10);
}

static int write_to(struct fixture *f, const char *path, const char *text)
{
	const struct es_twin_entry *entry = es_twin_tree_find(f->host->tree, path);
	const struct es_twin_file_ops *ops = entry ? es_twin_entry_ops(entry) : NULL;

	return ops && ops->store ? ops->store(es_twin_entry_file(entry), NULL,
					      es_twin_now_ns(f->host->node), text)
				 : -ENOENT;
}

static void assert_reads(struct fixture *f, const char *path, const char *text)
{
	if (read_at(f, path, 0) < 0)
		fail_msg("%s cannot be read", path);
	assert_string_equal(f->text, text);
}

static void play(struct fixture *f, const char *line)
{
	struct es_twin_program program = { .repeats = 1, .n = 1 };
	struct es_twin_phase phase;
	struct es_error err = { .code = 0 };

	if (es_twin_phase_parse(line, &phase, &err) < 0)
		fail_msg("%s", err.text);
	program.phases = &phase;
	if (es_twin_load_begin(f->host->node, &program, &err) < 0)
		fail_msg("%s", err.text);
}

/* Exact, in µJ, between two times of its life. */
static uint64_t truth_uj(struct fixture *f, enum es_twin_part part, size_t i, int64_t from_ns,
			 int64_t to_ns)
{
	return (uint64_t)((es_twin_energy_fj(f->host->node, part, i, START_NS + to_ns) -
			   es_twin_energy_fj(f->host->node, part, i, START_NS + from_ns)) /
			  FJ_PER_UJ);
}

static void processors_show_their_temperatures(void **state)
{
	struct fixture *f = new_fixture();
	long long cold, hot;

	(void)state;
	up(f);
	assert_reads(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/name", "coretemp\n");
	assert_reads(f, "sys/devices/platform/coretemp.1/hwmon/hwmon1/temp1_label",
		     "Package id 1\n");
	assert_reads(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp2_label", "Core 0\n");
	assert_reads(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp19_label", "Core 17\n");
	assert_reads(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit", "95000\n");
	assert_int_equal(read_at(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp20_label", 0),
			 -ENOENT);
	assert_string_equal(
		es_twin_entry_target(es_twin_tree_find(f->host->tree, "sys/class/hwmon/hwmon1")),
		"../../devices/platform/coretemp.1/hwmon/hwmon1");
	cold = number_at(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input", 0);
	play(f, "burn 100s cpu=100%");
	hot = number_at(f, "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input",
			60 * ES_NS_PER_S);
	assert_true(cold > 20000 && cold % 1000 == 0);
	assert_true(hot > cold + 10000 && hot % 1000 == 0);
	down(f);
}

static void amd_and_guests_differ(void **state)
{
	struct fixture *f = new_fixture();

	(void)state;
	f->kind.cpu.vendor = "AuthenticAMD";
	f->kind.meters.has_bmc = false;
	up(f);
	assert_reads(f, "sys/devices/pci0000:00/0000:00:19.3/hwmon/hwmon1/temp1_label", "Tctl\n");
	assert_true(
		number_at(f, "sys/devices/pci0000:00/0000:00:18.3/hwmon/hwmon0/temp1_input", 0) %
			125 ==
		0);
	/* Without a BMC the board shows its fan. */
	assert_true(number_at(f, "sys/devices/platform/nct6775.656/hwmon/hwmon2/fan1_input", 0) >
		    1000);
	assert_null(es_twin_tree_find(f->host->tree, ".twin/bmc"));
	down(f);
	f = new_fixture();
	f->kind.meters.is_vm = true;
	up(f);
	assert_null(es_twin_tree_find(f->host->tree, "sys/class/hwmon"));
	down(f);
}

static struct fixture *new_grace(void)
{
	struct fixture *f = new_fixture();

	f->kind.meters.has_grace = true;
	f->kind.sysio_w = 21;
	up(f);
	return f;
}

static void graces_rails_are_means_of_their_interval(void **state)
{
	struct fixture *f = new_grace();
	int64_t end_ns = 0;
	uint64_t want_uw;

	(void)state;
	assert_reads(f, GRACE "00/power1_oem_info", "Module Power Socket 0\n");
	assert_reads(f, GRACE "01/power1_oem_info", "Grace Power Socket 0\n");
	assert_reads(f, GRACE "06/power1_oem_info", "CPU Power Socket 1\n");
	assert_reads(f, GRACE "07/power1_oem_info", "SysIO Power Socket 1\n");
	assert_reads(f, GRACE "00/power1_average_interval", "50\n");
	assert_reads(f, GRACE "00/power1_accuracy", "99.990%\n");
	assert_reads(f, GRACE "00/power1_is_battery", "0\n");
	assert_reads(f, GRACE "00/name", "power_meter\n");
	/* Nothing is known before the first interval is over. */
	assert_int_equal(read_at(f, GRACE "00/power1_average", 49 * ES_NS_PER_MS), -ENODATA);
	play(f, "burn 10s cpu=60% memory=40%");
	for (int i = 0; i < 8; i++) {
		static const enum es_twin_part grace[] = { ES_TWIN_PACKAGE, ES_TWIN_DRAM,
							   ES_TWIN_SYSIO };
		char path[128];

		end_ns = 1020 * ES_NS_PER_MS; /* the last sampling was 20 ms ago */
		want_uw = 0;
		(void)snprintf(path, sizeof(path), GRACE "%02x/power1_average", i);
		(void)number_at(f, path, end_ns);
		if (i % 4 == 1)
			for (int j = 0; j < 3; j++)
				want_uw += 20 * truth_uj(f, grace[j], (size_t)i / 4,
							 950 * ES_NS_PER_MS, 1000 * ES_NS_PER_MS);
		else
			want_uw = 20 * truth_uj(f,
						i % 4 == 0   ? ES_TWIN_MODULE
						: i % 4 == 2 ? ES_TWIN_PACKAGE
							     : ES_TWIN_SYSIO,
						(size_t)i / 4, 950 * ES_NS_PER_MS,
						1000 * ES_NS_PER_MS);
		assert_in_range((uint64_t)number_at(f, path, end_ns), want_uw - 1100,
				want_uw + 100);
		assert_int_equal(number_at(f, path, end_ns) % 1000, 0);
	}
	down(f);
}

static void graces_interval_can_be_set_within_its_range(void **state)
{
	struct fixture *f = new_grace();
	uint64_t want_uw;

	(void)state;
	assert_reads(f, GRACE "00/power1_average_interval_min", "50\n");
	assert_reads(f, GRACE "00/power1_average_interval_max", "1000\n");
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "49"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "1001"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "fast"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "1000"), 0);
	assert_reads(f, GRACE "00/power1_average_interval", "1000\n");
	assert_reads(f, GRACE "01/power1_average_interval", "50\n");
	play(f, "burn 1500ms cpu=100%");
	(void)number_at(f, GRACE "00/power1_average", 2000 * ES_NS_PER_MS);
	want_uw = truth_uj(f, ES_TWIN_MODULE, 0, 1000 * ES_NS_PER_MS, 2000 * ES_NS_PER_MS);
	assert_in_range((uint64_t)number_at(f, GRACE "00/power1_average", 2000 * ES_NS_PER_MS),
			want_uw - 1100, want_uw + 100);
	down(f);
}

static void graces_cap_limits_its_package(void **state)
{
	struct fixture *f = new_grace();
	struct es_twin_limit limit;

	(void)state;
	assert_reads(f, GRACE "01/power1_cap_max", "165000000\n");
	assert_int_equal(read_at(f, GRACE "00/power1_cap", 0), -ENOENT);
	assert_int_equal(write_to(f, GRACE "01/power1_cap", "166000000"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "01/power1_cap", "1000"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "01/power1_cap", "-5"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "01/power1_cap", "120000000"), 0);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	assert_int_equal(limit.power_uw, 120000000);
	assert_reads(f, GRACE "01/power1_cap", "120000000\n");
	down(f);
}

static void a_server_s_acpi_meter_is_a_slow_mean(void **state)
{
	struct fixture *f = new_fixture();
	uint64_t mean_uw;

	(void)state;
	f->kind.meters.has_acpi_meter = true;
	up(f);
	assert_reads(f, GRACE "00/power1_average_interval", "300000\n");
	assert_reads(f, GRACE "00/power1_oem_info", "\n");
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "1000"), -EINVAL);
	assert_int_equal(write_to(f, GRACE "00/power1_average_interval", "300000"), 0);
	play(f, "burn 20s cpu=100%");
	(void)number_at(f, GRACE "00/power1_average", 400 * ES_NS_PER_S);
	mean_uw = truth_uj(f, ES_TWIN_NODE, 0, 100 * ES_NS_PER_S, 400 * ES_NS_PER_S) / 300;
	assert_in_range((uint64_t)number_at(f, GRACE "00/power1_average", 400 * ES_NS_PER_S),
			mean_uw - 1100, mean_uw + 100);
	down(f);
}

static struct fixture *new_cray(void)
{
	struct fixture *f = new_fixture();

	f->kind.meters.has_cray = true;
	f->kind.meters.psys = ES_TWIN_PSYS_ONE;
	f->kind.meters.psys_nj = 1000000000;
	up(f);
	return f;
}

/* "N UNIT T us" */
static long long cray_at(struct fixture *f, const char *name, int64_t t_ns, char unit,
			 long long *ret_us)
{
	char path[128], read_unit = 0, end[4] = "";
	long long value = 0;
	int n = 0;

	(void)snprintf(path, sizeof(path), CRAY "%s", name);
	if (read_at(f, path, t_ns) < 0)
		fail_msg("%s", path);
	assert_int_equal(sscanf(f->text, "%lld %c %lld %3s%n", &value, &read_unit, ret_us, end, &n),
			 4);
	assert_string_equal(f->text + n, "\n");
	assert_string_equal(end, "us");
	assert_int_equal(read_unit, unit);
	return value;
}

static void crays_counters_are_those_of_one_refresh(void **state)
{
	static const struct {
		const char *prefix;
		enum es_twin_part part;
		size_t n;
	} rows[] = { { "", ES_TWIN_NODE, 1 },
		     { "cpu_", ES_TWIN_PACKAGE, 2 },
		     { "memory_", ES_TWIN_DRAM, 2 } };
	struct fixture *f = new_cray();
	long long t0_us, t1_us, t_us;
	int64_t freshness;

	(void)state;
	play(f, "burn 10s cpu=60% memory=40%");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char energy[32], power[32];
		uint64_t want_uj = 0;
		long long from, to;

		(void)snprintf(energy, sizeof(energy), "%senergy", rows[i].prefix);
		(void)snprintf(power, sizeof(power), "%spower", rows[i].prefix);
		from = cray_at(f, energy, 1040 * ES_NS_PER_MS, 'J', &t0_us);
		to = cray_at(f, energy, 5090 * ES_NS_PER_MS, 'J', &t1_us);
		assert_int_equal(t1_us - t0_us, 4000000);
		for (size_t j = 0; j < rows[i].n; j++)
			want_uj += truth_uj(f, rows[i].part, j, 1000 * ES_NS_PER_MS,
					    5000 * ES_NS_PER_MS);
		assert_true(labs((long)(to - from) - (long)(want_uj / 1000000)) <= (long)rows[i].n);
		want_uj = 0;
		for (size_t j = 0; j < rows[i].n; j++)
			want_uj += truth_uj(f, rows[i].part, j, 4900 * ES_NS_PER_MS,
					    5000 * ES_NS_PER_MS);
		assert_true(labs((long)cray_at(f, power, 5090 * ES_NS_PER_MS, 'W', &t_us) -
				 (long)(want_uj / 100000)) <= 1);
		assert_int_equal(t_us, t1_us);
	}
	freshness = number_at(f, CRAY "freshness", 5099 * ES_NS_PER_MS);
	assert_int_equal(number_at(f, CRAY "freshness", 5000 * ES_NS_PER_MS), freshness);
	assert_int_equal(number_at(f, CRAY "freshness", 5100 * ES_NS_PER_MS), freshness + 1);
	assert_reads(f, CRAY "version", "2\n");
	assert_reads(f, CRAY "raw_scan_hz", "10\n");
	down(f);
}

static void crays_marks_tell_caps_and_restarts(void **state)
{
	struct fixture *f = new_cray();
	struct es_twin_limit limit = { .power_uw = 500000000,
				       .window_us = 1000000,
				       .is_enabled = true };
	int64_t t_ns = ES_NS_PER_S;
	long long startup, generation, t_us;
	struct es_twin_meter *node = NULL;

	(void)state;
	for (size_t i = 0; i < f->host->n_meters; i++)
		if (strcmp(f->host->meters[i].name, "cray/node") == 0)
			node = &f->host->meters[i];
	assert_non_null(node);
	startup = number_at(f, CRAY "startup", t_ns);
	generation = number_at(f, CRAY "generation", t_ns);
	assert_int_equal(number_at(f, CRAY "generation", 2 * t_ns), generation);
	assert_int_equal(cray_at(f, "power_cap", 2 * t_ns, 'W', &t_us), 0);
	assert_int_equal(es_twin_set_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_int_equal(number_at(f, CRAY "generation", 2 * t_ns), generation + 1);
	assert_int_equal(cray_at(f, "power_cap", 2 * t_ns, 'W', &t_us), 500);
	assert_true(cray_at(f, "energy", 3 * t_ns, 'J', &t_us) > 1000);
	es_twin_meter_fault(node, f->host->node, ES_TWIN_FAULT_RESET, true, START_NS + 3 * t_ns);
	assert_true(number_at(f, CRAY "startup", 3 * t_ns) > startup);
	assert_int_equal(cray_at(f, "energy", 3 * t_ns, 'J', &t_us), 0);
	assert_int_equal(cray_at(f, "memory_energy", 3 * t_ns, 'J', &t_us), 0);
	/* Its clock is the node's, which somebody sets. */
	(void)cray_at(f, "energy", 4 * t_ns, 'J', &t_us);
	f->host->wall_step_ns = 3600 * ES_NS_PER_S;
	(void)cray_at(f, "energy", 4 * t_ns, 'J', &startup);
	assert_int_equal(startup - t_us, 3600000000LL);
	es_twin_meter_fault(node, f->host->node, ES_TWIN_FAULT_STUCK, true, START_NS + 4 * t_ns);
	(void)cray_at(f, "energy", 9 * t_ns, 'J', &t_us);
	assert_int_equal(t_us, startup);
	down(f);
}

static void the_bmc_shows_whole_watts_of_the_last_second(void **state)
{
	struct fixture *f = new_fixture();
	uint64_t want_uw;

	(void)state;
	f->kind.meters.bmc_gain_ppm = -108000;
	up(f);
	play(f, "burn 2500ms cpu=100%");
	(void)number_at(f, ".twin/bmc/power_w", 3700 * ES_NS_PER_MS);
	want_uw = truth_uj(f, ES_TWIN_NODE, 0, 2 * ES_NS_PER_S, 3 * ES_NS_PER_S);
	assert_true(labs((long)number_at(f, ".twin/bmc/power_w", 3700 * ES_NS_PER_MS) -
			 (long)((double)want_uw * 0.892e-6 + 0.5)) <= 1);
	assert_int_equal(number_at(f, ".twin/bmc/power_w", 3999 * ES_NS_PER_MS),
			 number_at(f, ".twin/bmc/sensor-1", 3000 * ES_NS_PER_MS));
	/* The supplies share it. */
	assert_int_equal(number_at(f, ".twin/bmc/sensor-2", 3700 * ES_NS_PER_MS) +
				 number_at(f, ".twin/bmc/sensor-3", 3700 * ES_NS_PER_MS),
			 number_at(f, ".twin/bmc/power_w", 3700 * ES_NS_PER_MS));
	assert_int_equal(number_at(f, ".twin/bmc/sensor-4", 0), 22); /* inlet */
	assert_true(number_at(f, ".twin/bmc/sensor-8", 0) > 1000); /* the second fan */
	assert_int_equal(read_at(f, ".twin/bmc/sensor-9", 0), -ENOENT);
	es_twin_meter_fault(f->host->view->meter, f->host->node, ES_TWIN_FAULT_EIO, true, 0);
	assert_int_equal(read_at(f, ".twin/bmc/power_w", 4 * ES_NS_PER_S), -EIO);
	down(f);
}

static void the_bmc_is_within_a_percent_otherwise(void **state)
{
	struct fixture *f = new_fixture();

	(void)state;
	up(f);
	assert_in_range(f->host->view->meter->gain_ppm + 10000, 0, 20000);
	assert_true(es_twin_entry_mode(es_twin_tree_find(f->host->tree, ".twin/bmc/credentials")) ==
		    0400);
	assert_reads(f, ".twin/bmc/url", "");
	down(f);
}

static void dcmi_shows_means_and_extremes(void **state)
{
	struct fixture *f = new_fixture();
	struct es_twin_dcmi dcmi;

	(void)state;
	up(f);
	play(f, "burn 10s cpu=100%");
	assert_true(read_at(f, ".twin/bmc/dcmi", 40 * ES_NS_PER_S) > 0);
	assert_int_equal(es_twin_dcmi_parse(f->text, &dcmi), 0);
	assert_int_equal(dcmi.watts, number_at(f, ".twin/bmc/power_w", 40 * ES_NS_PER_S));
	assert_true(dcmi.period.max_w > dcmi.watts + 50);
	assert_true(dcmi.period.min_w <= dcmi.watts);
	assert_true(dcmi.period.mean_w > dcmi.period.min_w &&
		    dcmi.period.mean_w < dcmi.period.max_w);
	/* The load is long over. */
	assert_true(dcmi.averages[0].max_w < dcmi.period.max_w);
	assert_int_equal(dcmi.averages[2].max_w, dcmi.period.max_w);
	assert_int_equal(dcmi.period_ms, 60000);
	assert_false(dcmi.has_limit);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "limit 500 1000 1 0"), -EOPNOTSUPP);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "activate"), -ENODATA);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "hello"), -EINVAL);
	down(f);
}

static void dcmi_s_limit_holds_the_board(void **state)
{
	struct fixture *f = new_cray();
	struct es_twin_limit limit;
	struct es_twin_dcmi dcmi;

	(void)state;
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "limit 400 2000 1 17"), 0);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_false(limit.is_enabled);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "activate"), 0);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_true(limit.is_enabled);
	assert_int_equal(limit.power_uw, 400000000);
	assert_true(read_at(f, ".twin/bmc/dcmi", 2 * ES_NS_PER_S) > 0);
	assert_int_equal(es_twin_dcmi_parse(f->text, &dcmi), 0);
	assert_true(dcmi.has_limit && dcmi.cap.is_active);
	assert_int_equal(dcmi.cap.watts, 400);
	assert_int_equal(dcmi.cap.exception, 17);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "limit 5 2000 1 17"), -ERANGE);
	assert_int_equal(write_to(f, ".twin/bmc/dcmi", "deactivate"), 0);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_false(limit.is_enabled);
	down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processors_show_their_temperatures),
		cmocka_unit_test(amd_and_guests_differ),
		cmocka_unit_test(graces_rails_are_means_of_their_interval),
		cmocka_unit_test(graces_interval_can_be_set_within_its_range),
		cmocka_unit_test(graces_cap_limits_its_package),
		cmocka_unit_test(a_server_s_acpi_meter_is_a_slow_mean),
		cmocka_unit_test(crays_counters_are_those_of_one_refresh),
		cmocka_unit_test(crays_marks_tell_caps_and_restarts),
		cmocka_unit_test(the_bmc_shows_whole_watts_of_the_last_second),
		cmocka_unit_test(the_bmc_is_within_a_percent_otherwise),
		cmocka_unit_test(dcmi_shows_means_and_extremes),
		cmocka_unit_test(dcmi_s_limit_holds_the_board),
	};

	return cmocka_run_group_tests_name("twin/boards", tests, NULL, NULL);
}
