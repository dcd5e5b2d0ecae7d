/*
 * test_twin_tree_cpus.c - clocks, times and places of a twin's CPUs, and what is refused where they can be set
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/tree_cpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/test.h"
#include "support/twin_host.h"

#define CPU ES_TWIN_CPU_DIR
#define POLICY CPU "/cpufreq/policy0/"
#define UNCORE CPU "/intel_uncore_frequency/package_01_die_00/"
#define BATTERY "sys/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0C0A:00/power_supply/BAT0/"
#define S ES_NS_PER_S

static void assert_text(const struct twin *twin, const char *path, const char *expected)
{
	char text[4096];

	assert_int_equal(twin_show(twin, path, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

static struct twin up(const char *model, const char *driver)
{
	struct twin twin = { .host = NULL };

	assert_true(twin_kind(model, &twin.kind));
	if (driver)
		twin.kind.meters.cpufreq_driver = driver;
	assert_int_equal(twin_up(&twin), 0);
	return twin;
}

static void prints_sets_of_cpus(void **state)
{
	struct es_twin_cpuset set = { .bits = { 0x8000000000000007, 1, 0 } };
	char text[512];

	(void)state;
	assert_string_equal(es_twin_cpuset_list(&set, text, sizeof(text)), "0-2,63-64");
	assert_string_equal(es_twin_cpuset_mask(&set, 72, text, sizeof(text)),
			    "01,80000000,00000007");
	assert_string_equal(es_twin_cpuset_mask(&set, 2, text, sizeof(text)), "7");
	memset(&set, 0, sizeof(set));
	assert_string_equal(es_twin_cpuset_list(&set, text, sizeof(text)), "");
}

static void tells_where_each_cpu_is(void **state)
{
	struct twin twin = up("skx2s", NULL);

	(void)state;
	assert_text(&twin, CPU "/online", "0-71\n");
	assert_text(&twin, CPU "/cpu59/topology/physical_package_id", "1\n");
	assert_text(&twin, CPU "/cpu59/topology/core_id", "5\n");
	assert_text(&twin, CPU "/cpu59/topology/thread_siblings_list", "23,59\n");
	assert_text(&twin, CPU "/cpu59/topology/thread_siblings", "00,08000000,00800000\n");
	assert_text(&twin, "sys/devices/system/node/node1/cpulist", "18-35,54-71\n");
	assert_text(&twin, "sys/devices/system/node/node1/distance", "21 10\n");
	twin_down(&twin);
}

static void shares_caches(void **state)
{
	struct twin twin = up("skx2s", NULL);

	(void)state;
	assert_text(&twin, CPU "/cpu59/cache/index2/shared_cpu_list", "23,59\n");
	assert_text(&twin, CPU "/cpu59/cache/index3/shared_cpu_list", "18-35,54-71\n");
	assert_text(&twin, CPU "/cpu59/cache/index3/size", "25344K\n");
	assert_text(&twin, CPU "/cpu59/cache/index3/id", "1\n");
	assert_text(&twin, CPU "/cpu0/cache/index0/number_of_sets", "64\n");
	twin_down(&twin);
	/* By core complexes of 8. */
	twin = up("amd-milan2s", NULL);
	assert_text(&twin, CPU "/cpu73/cache/index3/shared_cpu_list", "72-79,200-207\n");
	assert_text(&twin, CPU "/cpu73/cache/index3/id", "9\n");
	twin_down(&twin);
}

/* Text that is no number is refused, any number is taken, and kept within the CPU's range. */
static void keeps_clocks_as_the_core_of_cpufreq(void **state)
{
	static const struct {
		const char *file, *text;
		int error;
		int64_t min, max;
	} rows[] = {
		{ "scaling_max_freq", "2.4GHz", -EINVAL, 1200000, 3600000 },
		{ "scaling_max_freq", "", -EINVAL, 1200000, 3600000 },
		{ "scaling_max_freq", "-5", -EINVAL, 1200000, 3600000 },
		{ "scaling_max_freq", "99999999999999999999", -ERANGE, 1200000, 3600000 },
		{ "scaling_max_freq", "3000000000", -EINVAL, 1200000, 3600000 }, /* a sign */
		{ "scaling_max_freq", "2000000", 0, 1200000, 2000000 },
		{ "scaling_max_freq", "0x1e8480", 0, 1200000, 2000000 },
		{ "scaling_max_freq", "9000000", 0, 1200000, 3600000 },
		{ "scaling_max_freq", "5", 0, 1200000, 1200000 },
		{ "scaling_min_freq", "2500000", 0, 1200000, 1200000 }, /* gives way */
		{ "scaling_max_freq", "3000000", 0, 2500000, 3000000 }, /* and comes back */
		{ "scaling_min_freq", "0", 0, 1200000, 3000000 },
		{ "scaling_min_freq", "9000000", 0, 3000000, 3000000 },
		{ "scaling_max_freq", "4294967295", 0, 3600000, 3600000 }, /* -1: no wish */
	};
	struct twin twin = up("skx2s", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), POLICY "%s", rows[i].file);
		assert_int_equal(twin_store(&twin, path, rows[i].text), rows[i].error);
		assert_int_equal(twin_number(&twin, POLICY "scaling_min_freq"), rows[i].min);
		assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), rows[i].max);
	}
	assert_int_equal(twin_store(&twin, POLICY "cpuinfo_max_freq", "1"), -EIO);
	twin_down(&twin);
}

static void runs_as_fast_as_it_may(void **state)
{
	struct twin twin = up("skx2s", NULL);
	char path[128];
	uint64_t before_uw, after_uw;

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100%\n") >= 0);
	twin_wait(&twin, 20 * S);
	before_uw = es_twin_mean_uw(twin.host->node, ES_TWIN_PACKAGE, 0, twin.t_ns, S);
	for (unsigned cpu = 0; cpu < 72; cpu++) {
		(void)snprintf(path, sizeof(path), CPU "/cpufreq/policy%u/scaling_max_freq", cpu);
		assert_int_equal(twin_store(&twin, path, "1500000"), 0);
	}
	twin_wait(&twin, 20 * S);
	after_uw = es_twin_mean_uw(twin.host->node, ES_TWIN_PACKAGE, 0, twin.t_ns, S);
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 1500000);
	assert_true(after_uw < before_uw - before_uw / 4);
	twin_down(&twin);
}

static void governs_as_intel_pstate(void **state)
{
	const char *preference = POLICY "energy_performance_preference";
	struct twin twin = up("skx2s", NULL);

	(void)state;
	assert_text(&twin, POLICY "scaling_driver", "intel_pstate\n");
	assert_text(&twin, POLICY "scaling_available_governors", "performance powersave\n");
	assert_text(&twin, POLICY "scaling_setspeed", "<unsupported>\n");
	assert_int_equal(twin_store(&twin, POLICY "scaling_setspeed", "2000000"), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "ondemand"), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "  "), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "powersave"), 0);
	assert_text(&twin, POLICY "scaling_governor", "powersave\n");
	assert_int_equal(twin_store(&twin, preference, "fast"), -EINVAL);
	assert_int_equal(twin_store(&twin, preference, "power"), 0);
	assert_text(&twin, preference, "power\n");
	/* Only the word's beginning counts here, and not its case. */
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "PERFORMANCE!"), 0);
	assert_text(&twin, POLICY "scaling_governor", "performance\n");
	assert_text(&twin, preference, "performance\n");
	assert_int_equal(twin_store(&twin, preference, "power"), -EBUSY);
	assert_int_equal(twin_store(&twin, preference, "performance"), 0);
	twin_down(&twin);
}

static void turns_intel_pstate(void **state)
{
	struct twin twin = up("skx2s", NULL);

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100% cores=2\n") >= 0);
	twin_wait(&twin, S);
	assert_true(twin_number(&twin, POLICY "scaling_cur_freq") > 2600000);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/no_turbo", "x"), -EINVAL);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/no_turbo", "7"), 0);
	assert_text(&twin, CPU "/intel_pstate/no_turbo", "1\n");
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 2600000);
	assert_int_equal(twin_number(&twin, POLICY "cpuinfo_max_freq"), 2600000);
	assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), 2600000);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/no_turbo", "0"), 0);
	assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), 3600000);
	assert_text(&twin, CPU "/intel_pstate/num_pstates", "25\n");
	assert_text(&twin, CPU "/intel_pstate/turbo_pct", "40\n");
	assert_text(&twin, CPU "/intel_pstate/min_perf_pct", "33\n");
	/* Half of the highest clock; the policy's own wish is shown as it was. */
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/max_perf_pct", "50 %"), 0);
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 1800000);
	assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), 3600000);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/max_perf_pct", "1"), 0);
	assert_text(&twin, CPU "/intel_pstate/max_perf_pct", "33\n");
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/max_perf_pct", "101"), 0);
	assert_text(&twin, CPU "/intel_pstate/max_perf_pct", "100\n");
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/max_perf_pct", "-1"), -EINVAL);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/status", "on"), -EINVAL);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/status", "off"), -EBUSY);
	assert_int_equal(twin_store(&twin, CPU "/intel_pstate/status", "active"), 0);
	twin_down(&twin);
}

static void goes_by_the_table_of_acpi_cpufreq(void **state)
{
	struct twin twin = up("amd-milan2s", NULL);

	(void)state;
	assert_text(&twin, POLICY "scaling_available_frequencies",
		    "2600000 2500000 2400000 2300000 2200000 2100000 2000000 1900000 1800000 "
		    "1700000 1600000 1500000 1400000 1300000 1200000 \n");
	assert_text(&twin, POLICY "scaling_available_governors",
		    "conservative ondemand userspace powersave performance schedutil \n");
	assert_text(&twin, POLICY "freqdomain_cpus", "0 128\n");
	assert_int_equal(twin_number(&twin, POLICY "bios_limit"), 2600000);
	/* Down to the table for the highest, up for the lowest. */
	assert_int_equal(twin_store(&twin, POLICY "scaling_max_freq", "2050000"), 0);
	assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), 2000000);
	assert_int_equal(twin_store(&twin, POLICY "scaling_min_freq", "1410000"), 0);
	assert_int_equal(twin_number(&twin, POLICY "scaling_min_freq"), 1500000);
	/* Nothing of the table in between. */
	assert_int_equal(twin_store(&twin, POLICY "scaling_min_freq", "2010000"), 0);
	assert_int_equal(twin_number(&twin, POLICY "scaling_min_freq"), 2100000);
	assert_int_equal(twin_number(&twin, POLICY "scaling_max_freq"), 2100000);
	assert_int_equal(twin_store(&twin, POLICY "scaling_min_freq", "0"), 0);
	assert_int_equal(twin_store(&twin, POLICY "scaling_max_freq", "2400000"), 0);
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "userspac"), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_setspeed", "1800000"), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_governor", "UserSpace"), 0);
	assert_int_equal(twin_store(&twin, POLICY "scaling_setspeed", "slow"), -EINVAL);
	assert_int_equal(twin_store(&twin, POLICY "scaling_setspeed", "1710000"), 0);
	assert_true(twin_load(&twin, "solve 600s cpu=100%\n") >= 0);
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 1800000);
	assert_int_equal(twin_store(&twin, POLICY "scaling_setspeed", "9000000"), 0);
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 2400000);
	twin_down(&twin);
}

static void switches_boost(void **state)
{
	struct twin twin = up("amd-milan2s", NULL);

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100% cores=2\n") >= 0);
	twin_wait(&twin, S);
	assert_true(twin_number(&twin, POLICY "scaling_cur_freq") > 2600000);
	assert_text(&twin, CPU "/cpufreq/boost", "1\n");
	assert_int_equal(twin_store(&twin, CPU "/cpufreq/boost", "2"), -EINVAL);
	assert_int_equal(twin_store(&twin, CPU "/cpufreq/boost", "0"), 0);
	twin_wait(&twin, S);
	assert_text(&twin, CPU "/cpufreq/boost", "0\n");
	assert_int_equal(twin_number(&twin, POLICY "scaling_cur_freq"), 2600000);
	twin_down(&twin);
	twin = up("amd-milan2s", "amd-pstate-epp");
	assert_text(&twin, CPU "/amd_pstate/status", "active\n");
	assert_int_equal(twin_store(&twin, CPU "/amd_pstate/status", "passiv"), -EINVAL);
	assert_int_equal(twin_number(&twin, POLICY "cpuinfo_max_freq"), 3600000);
	assert_int_equal(twin_number(&twin, CPU "/cpu0/acpi_cppc/nominal_freq"), 2600);
	twin_down(&twin);
}

static void sets_uncore_clocks_as_their_driver(void **state)
{
	struct twin twin = up("skx2s", NULL);
	uint64_t v = 0;

	(void)state;
	assert_true(twin_load(&twin, "stream 600s memory=100%\n") >= 0);
	assert_int_equal(twin_number(&twin, UNCORE "initial_max_freq_khz"), 2400000);
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "1.5GHz"), -EINVAL);
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "0x10"), -EINVAL);
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "99999"), -EINVAL);
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "12800000"), -EINVAL);
	assert_int_equal(twin_number(&twin, UNCORE "max_freq_khz"), 2400000);
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "1599999"), 0);
	assert_int_equal(twin_number(&twin, UNCORE "max_freq_khz"), 1500000);
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, UNCORE "current_freq_khz"), 1500000);
	assert_int_equal(twin_read_at(&twin, "dev/cpu/20/msr", 0x620, &v, 8), 8);
	assert_int_equal(v, 0xc0f);
	/* Shown as it was written, though the hardware has no such clock. */
	assert_int_equal(twin_store(&twin, UNCORE "max_freq_khz", "5000000"), 0);
	assert_int_equal(twin_number(&twin, UNCORE "max_freq_khz"), 5000000);
	twin_wait(&twin, S);
	assert_int_equal(twin_number(&twin, UNCORE "current_freq_khz"), 2400000);
	v = 0xc0c;
	assert_int_equal(twin_write_at(&twin, "dev/cpu/71/msr", 0x620, &v, 8), 8);
	assert_int_equal(twin_number(&twin, UNCORE "max_freq_khz"), 1200000);
	v = 0;
	assert_int_equal(twin_write_at(&twin, "dev/cpu/71/msr", 0x620, &v, 8), -EIO);
	twin_down(&twin);
}

static void counts_times_of_cpus(void **state)
{
	struct twin twin = up("skx2s", NULL);
	char text[16384];
	long long all_user, all_idle, user, idle, system;
	char *line;

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100% cores=18\n") >= 0);
	twin_wait(&twin, 10 * S);
	assert_int_equal(twin_show(&twin, "proc/stat", text, sizeof(text)), 0);
	assert_int_equal(sscanf(text, "cpu  %lld 0 %lld %lld 0 0", &all_user, &system, &all_idle),
			 3);
	/* 18 of 36 cores; their second threads rest. */
	assert_in_range(all_user + system, 17900, 18100);
	assert_in_range(all_user + system + all_idle, 71990, 72010);
	line = strstr(text, "\ncpu0 ");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "\ncpu0 %lld 0 %lld %lld", &user, &system, &idle), 3);
	assert_in_range(user + system, 990, 1001);
	assert_non_null(strstr(text, "\ncpu71 "));
	assert_non_null(strstr(text, "\nprocs_running 2\n"));
	assert_int_equal(twin_show(&twin, "proc/uptime", text, sizeof(text)), 0);
	assert_memory_equal(text, "10.00 5", 7);
	/* Nobody looked for 10 s: as if half of the cores had been busy all the time. */
	assert_int_equal(twin_show(&twin, "proc/loadavg", text, sizeof(text)), 0);
	assert_in_range((uint64_t)(strtod(text, NULL) * 100), 270, 280);
	twin_down(&twin);
}

static void describes_each_processor(void **state)
{
	struct twin twin = up("client-psys", NULL);
	static char text[1 << 17];
	unsigned n = 0;

	(void)state;
	assert_int_equal(twin_show(&twin, "proc/cpuinfo", text, sizeof(text)), 0);
	for (const char *p = text; (p = strstr(p, "processor\t: ")); p++)
		n++;
	assert_int_equal(n, 16);
	assert_non_null(strstr(text, "model name\t: 12th Gen Intel(R) Core(TM) i7-1260P\n"));
	assert_null(strstr(text, "hypervisor"));
	twin_down(&twin);
	twin = up("vm-psys-only", NULL);
	assert_int_equal(twin_show(&twin, "proc/cpuinfo", text, sizeof(text)), 0);
	assert_non_null(strstr(text, " hypervisor\n"));
	twin_down(&twin);
	/* ARM tells numbers only. */
	twin = up("grace", "cppc_cpufreq");
	assert_int_equal(twin_show(&twin, "proc/cpuinfo", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "CPU part\t: 0xd4f\n"));
	assert_null(strstr(text, "model name"));
	assert_text(&twin, POLICY "scaling_driver", "cppc_cpufreq\n");
	twin_down(&twin);
}

static void names_itself_and_its_boot(void **state)
{
	struct twin twin = up("skx2s", NULL);
	char one[64], two[64];

	(void)state;
	assert_int_equal(twin_show(&twin, "proc/sys/kernel/random/boot_id", one, sizeof(one)), 0);
	assert_int_equal(strlen(one), 37);
	assert_int_equal(one[14], '4');
	twin_down(&twin);
	twin = up("skx2s", NULL);
	assert_int_equal(twin_show(&twin, "proc/sys/kernel/random/boot_id", two, sizeof(two)), 0);
	/* The same start, the same seed. */
	assert_string_equal(one, two);
	assert_int_equal(twin_store(&twin, "proc/sys/kernel/hostname", "other"), 0);
	assert_text(&twin, "proc/sys/kernel/hostname", "other\n");
	assert_int_equal(twin_store(&twin, "proc/sys/kernel/perf_event_paranoid", "-1"), 0);
	assert_text(&twin, "proc/sys/kernel/perf_event_paranoid", "-1\n");
	assert_int_equal(twin_store(&twin, "proc/sys/kernel/perf_event_paranoid", "low"), -EINVAL);
	twin_down(&twin);
}

static void tells_heat(void **state)
{
	struct twin twin = up("skx2s", NULL);
	int64_t cold_mc, hot_mc, n;
	uint64_t v = 0;

	(void)state;
	cold_mc = twin_number(&twin, "sys/class/thermal/thermal_zone0/temp");
	assert_int_equal(cold_mc, -ENOENT); /* a link */
	cold_mc = twin_number(&twin, "sys/devices/virtual/thermal/thermal_zone1/temp");
	assert_int_equal(cold_mc % 1000, 0);
	assert_true(twin_load(&twin, "solve 600s cpu=100%\n") >= 0);
	twin_wait(&twin, 60 * S);
	hot_mc = twin_number(&twin, "sys/devices/virtual/thermal/thermal_zone1/temp");
	assert_true(hot_mc > cold_mc + 10000);
	assert_int_equal(twin_read_at(&twin, "dev/cpu/18/msr", 0x1b1, &v, 8), 8);
	assert_int_equal(95000 - (int64_t)(v >> 16 & 0x7f) * 1000, hot_mc);
	n = twin_number(&twin, CPU "/cpu20/thermal_throttle/package_throttle_count");
	assert_int_equal(n, 0);
	es_twin_set_heat(twin.host->node, 80000);
	twin_wait(&twin, 60 * S);
	n = twin_number(&twin, CPU "/cpu20/thermal_throttle/package_throttle_count");
	assert_true(n > 0);
	assert_true(twin_number(&twin,
				CPU "/cpu20/thermal_throttle/package_throttle_total_time_ms") > 0);
	twin_down(&twin);
}

static void has_a_battery_where_it_is_carried(void **state)
{
	struct twin twin = { .host = NULL };
	int64_t before_uwh, used_uwh;
	double true_uwh;

	(void)state;
	assert_true(twin_kind("client-psys", &twin.kind));
	twin.kind.meters.has_battery = true;
	assert_int_equal(twin_up(&twin), 0);
	assert_text(&twin, BATTERY "type", "Battery\n");
	before_uwh = twin_number(&twin, BATTERY "energy_now");
	assert_true(twin_load(&twin, "solve 3600s cpu=100%\n") >= 0);
	twin_wait(&twin, 600 * S);
	used_uwh = before_uwh - twin_number(&twin, BATTERY "energy_now");
	true_uwh = (double)es_twin_energy_fj(twin.host->node, ES_TWIN_BOARD, 0, twin.t_ns) / 3.6e12;
	/* In steps of 10 mWh, each second. */
	assert_in_range(used_uwh, (uint64_t)true_uwh - 40000, (uint64_t)true_uwh + 10000);
	assert_true(used_uwh > 1000000);
	assert_in_range(
		twin_number(&twin, BATTERY "power_now") / 1000000,
		es_twin_power_uw(twin.host->node, ES_TWIN_BOARD, 0, twin.t_ns) / 1000000 - 1,
		es_twin_power_uw(twin.host->node, ES_TWIN_BOARD, 0, twin.t_ns) / 1000000 + 1);
	assert_int_equal(twin_number(&twin, BATTERY "capacity"),
			 twin_number(&twin, BATTERY "energy_now") / 570000);
	assert_text(&twin, "sys/devices/virtual/dmi/id/chassis_type", "10\n");
	twin_down(&twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_sets_of_cpus),
		cmocka_unit_test(tells_where_each_cpu_is),
		cmocka_unit_test(shares_caches),
		cmocka_unit_test(keeps_clocks_as_the_core_of_cpufreq),
		cmocka_unit_test(runs_as_fast_as_it_may),
		cmocka_unit_test(governs_as_intel_pstate),
		cmocka_unit_test(turns_intel_pstate),
		cmocka_unit_test(goes_by_the_table_of_acpi_cpufreq),
		cmocka_unit_test(switches_boost),
		cmocka_unit_test(sets_uncore_clocks_as_their_driver),
		cmocka_unit_test(counts_times_of_cpus),
		cmocka_unit_test(describes_each_processor),
		cmocka_unit_test(names_itself_and_its_boot),
		cmocka_unit_test(tells_heat),
		cmocka_unit_test(has_a_battery_where_it_is_carried),
	};

	return cmocka_run_group_tests_name("twin/tree_cpus", tests, NULL, NULL);
}
