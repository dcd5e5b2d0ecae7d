/*
 * test_twin_tree_powercap.c - energies that zones and registers of a twin show, and limits that can be set there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/test.h"
#include "support/twin_host.h"
#include "twin/rapl.h"

#define ZONES "sys/devices/virtual/powercap/intel-rapl/"
#define PKG ZONES "intel-rapl:0/"
#define PKG_1 ZONES "intel-rapl:1/"
#define S ES_NS_PER_S

static struct twin up(const char *model)
{
	struct twin twin = { .host = NULL };

	assert_true(twin_kind(model, &twin.kind));
	assert_int_equal(twin_up(&twin), 0);
	return twin;
}

static uint64_t raw(const struct twin *twin, unsigned cpu, uint32_t reg)
{
	char path[64];
	uint64_t v = 0;

	(void)snprintf(path, sizeof(path), "dev/cpu/%u/msr", cpu);
	assert_int_equal(twin_read_at(twin, path, reg, &v, sizeof(v)), sizeof(v));
	return v;
}

/* From @from_ns to now, µJ. */
static double true_uj(const struct twin *twin, enum es_twin_part part, size_t i, int64_t from_ns)
{
	const struct es_twin_node *node = twin->host->node;

	return (double)(es_twin_energy_fj(node, part, i, twin->t_ns) -
			es_twin_energy_fj(node, part, i, from_ns)) /
	       1e9;
}

/* Within two steps of the counter, the millisecond that it may lag behind, and the kernel's whole nJ. */
static void assert_energy(double shown_uj, double energy_uj, double step_uj, double most_w)
{
	double bound_uj = 2 * step_uj + 1100 * most_w + energy_uj * 4e-6;

	if (shown_uj < energy_uj - bound_uj || shown_uj > energy_uj + bound_uj)
		print_error("%.0f uJ, true %.0f\n", shown_uj, energy_uj);
	assert_true(shown_uj >= energy_uj - bound_uj && shown_uj <= energy_uj + bound_uj);
}

static void counts_what_is_drawn(void **state)
{
	static const struct {
		const char *file;
		enum es_twin_part part;
		size_t i;
		double step_uj;
	} rows[] = {
		{ PKG "energy_uj", ES_TWIN_PACKAGE, 0, 61.035 },
		{ PKG_1 "energy_uj", ES_TWIN_PACKAGE, 1, 61.035 },
		{ PKG "intel-rapl:0:0/energy_uj", ES_TWIN_DRAM, 0, 15.3 },
		{ PKG_1 "intel-rapl:1:0/energy_uj", ES_TWIN_DRAM, 1, 15.3 },
	};
	struct twin twin = up("skx2s");
	int64_t before[4], from_ns;

	(void)state;
	assert_true(twin_load(&twin, "solve 60s cpu=70% memory=30%\n") >= 0);
	twin_wait(&twin, S / 3);
	from_ns = twin.t_ns;
	for (size_t i = 0; i < 4; i++)
		before[i] = twin_number(&twin, rows[i].file);
	for (unsigned step = 0; step < 20; step++) {
		twin_wait(&twin, S / 7);
		for (size_t i = 0; i < 4; i++) {
			char range[256];
			int64_t now = twin_number(&twin, rows[i].file), max;

			(void)snprintf(range, sizeof(range), "%.*smax_energy_range_uj",
				       (int)(strrchr(rows[i].file, '/') - rows[i].file + 1),
				       rows[i].file);
			max = twin_number(&twin, range);
			assert_true(now >= 0 && now <= max);
			if (now < before[i])
				now += max + (int64_t)rows[i].step_uj;
			assert_energy((double)(now - before[i]),
				      true_uj(&twin, rows[i].part, rows[i].i, from_ns),
				      rows[i].step_uj, 400);
		}
	}
	assert_true(true_uj(&twin, ES_TWIN_PACKAGE, 0, from_ns) > 20e6);
	twin_down(&twin);
}

/* The last package wraps within a minute or so of full load. */
static void wraps_at_its_range(void **state)
{
	struct twin twin = up("skx2s");
	int64_t last, max = twin_number(&twin, PKG_1 "max_energy_range_uj");
	unsigned n_wraps = 0;

	(void)state;
	assert_int_equal(max, 262143328850);
	assert_int_equal(twin_number(&twin, PKG "intel-rapl:0:0/max_energy_range_uj"), 65712999613);
	assert_true(twin_load(&twin, "solve 200s cpu=100%\n") >= 0);
	last = twin_number(&twin, PKG_1 "energy_uj");
	for (unsigned i = 0; i < 90; i++) {
		int64_t now;

		twin_wait(&twin, S);
		now = twin_number(&twin, PKG_1 "energy_uj");
		n_wraps += now < last;
		last = now;
	}
	assert_int_equal(n_wraps, 1);
	twin_down(&twin);
}

static void updates_each_millisecond(void **state)
{
	struct twin twin = up("skx2s");
	int64_t last = twin_number(&twin, PKG "energy_uj"), longest_ns = 0, changed_ns = twin.t_ns;
	unsigned n = 0;

	(void)state;
	assert_true(twin_load(&twin, "solve 60s cpu=100%\n") >= 0);
	for (unsigned i = 0; i < 2000; i++) {
		int64_t now;

		twin_wait(&twin, 10000);
		now = twin_number(&twin, PKG "energy_uj");
		if (now == last)
			continue;
		longest_ns = n && twin.t_ns - changed_ns > longest_ns ? twin.t_ns - changed_ns
								      : longest_ns;
		changed_ns = twin.t_ns;
		last = now;
		n++;
	}
	assert_in_range(n, 19, 22);
	assert_in_range(longest_ns, 970000, 1030000);
	twin_down(&twin);
}

static void shows_the_same_through_registers(void **state)
{
	struct twin twin = up("spr2s");
	char text[64];

	(void)state;
	assert_true(twin_load(&twin, "solve 60s cpu=100%\n") >= 0);
	for (unsigned i = 0; i < 5; i++) {
		twin_wait(&twin, S / 11);
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)(raw(&twin, 0, 0x611) * 61035 / 1000));
		assert_int_equal(twin_number(&twin, PKG "energy_uj"),
				 raw(&twin, 0, 0x611) * 61035 / 1000);
		/* The first package's psys is the next zone; then comes the other package. */
		assert_int_equal(twin_number(&twin, ZONES "intel-rapl:1/energy_uj"),
				 raw(&twin, 3, 0x64d) * 1000000);
		assert_int_equal(twin_number(&twin, ZONES "intel-rapl:2/energy_uj"),
				 raw(&twin, 56, 0x611) * 61035 / 1000);
		assert_int_equal(twin_number(&twin, ZONES "intel-rapl:2/intel-rapl:2:0/energy_uj"),
				 raw(&twin, 111, 0x619) * 61035 / 1000);
	}
	assert_int_equal(raw(&twin, 7, 0x606), 0xa0e03);
	/* Both psys show the one board. */
	assert_int_equal(twin_show(&twin, ZONES "intel-rapl:3/name", text, sizeof(text)), 0);
	assert_string_equal(text, "psys-1\n");
	twin_down(&twin);
}

static void shows_the_board_in_each_psys(void **state)
{
	struct twin twin = up("spr2s");
	int64_t a, b, from_ns;

	(void)state;
	a = twin_number(&twin, ZONES "intel-rapl:1/energy_uj");
	b = twin_number(&twin, ZONES "intel-rapl:3/energy_uj");
	assert_true(a != b);
	from_ns = twin.t_ns;
	assert_true(twin_load(&twin, "solve 60s cpu=100%\n") >= 0);
	twin_wait(&twin, 30 * S);
	a = twin_number(&twin, ZONES "intel-rapl:1/energy_uj") - a;
	b = twin_number(&twin, ZONES "intel-rapl:3/energy_uj") - b;
	assert_int_equal(a % 1000000, 0);
	assert_energy((double)a, true_uj(&twin, ES_TWIN_BOARD, 0, from_ns), 1e6, 1000);
	assert_energy((double)b, true_uj(&twin, ES_TWIN_BOARD, 0, from_ns), 1e6, 1000);
	twin_down(&twin);
}

static void shows_the_package_once_more_through_mmio(void **state)
{
	const char *mmio = "sys/devices/virtual/powercap/intel-rapl-mmio/intel-rapl-mmio:0/";
	struct twin twin = up("client-psys");
	char path[256];

	(void)state;
	assert_true(twin_load(&twin, "solve 60s cpu=100%\n") >= 0);
	twin_wait(&twin, S);
	(void)snprintf(path, sizeof(path), "%senergy_uj", mmio);
	assert_int_equal(twin_number(&twin, path), twin_number(&twin, PKG "energy_uj"));
	/* Limits of its own: the lower one holds. */
	(void)snprintf(path, sizeof(path), "%sconstraint_0_power_limit_uw", mmio);
	assert_int_equal(twin_store(&twin, path, "15000000"), 0);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), 28000000);
	twin_wait(&twin, 20 * S);
	assert_in_range(es_twin_mean_uw(twin.host->node, ES_TWIN_PACKAGE, 0, twin.t_ns, 5 * S),
			12000000, 15200000);
	twin_down(&twin);
}

static void counts_one_core_of_amd(void **state)
{
	struct twin twin = up("amd-milan2s");
	int64_t package, core, from_ns;
	double part;

	(void)state;
	assert_true(twin_load(&twin, "solve 60s cpu=100%\n") >= 0);
	twin_wait(&twin, S);
	from_ns = twin.t_ns;
	package = twin_number(&twin, PKG "energy_uj");
	core = twin_number(&twin, PKG "intel-rapl:0:0/energy_uj");
	twin_wait(&twin, 2 * S);
	package = twin_number(&twin, PKG "energy_uj") - package;
	core = twin_number(&twin, PKG "intel-rapl:0:0/energy_uj") - core;
	assert_energy((double)package, true_uj(&twin, ES_TWIN_PACKAGE, 0, from_ns), 15.258, 400);
	part = true_uj(&twin, ES_TWIN_CORES, 0, from_ns) / 64;
	assert_energy((double)core, part, 15.258, 10);
	/* Nothing can be limited, and that reads as switched off. */
	assert_int_equal(twin_number(&twin, PKG "enabled"), 0);
	assert_int_equal(twin_store(&twin, PKG "enabled", "1"), -ENOSYS);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), -ENOENT);
	twin_down(&twin);
}

static void refuses_as_the_kernel(void **state)
{
	static const struct {
		const char *file, *text;
		int error;
	} rows[] = {
		{ PKG "constraint_0_power_limit_uw", "100W", -EINVAL },
		{ PKG "constraint_0_power_limit_uw", "", -EINVAL },
		{ PKG "constraint_0_power_limit_uw", "-1", -EINVAL },
		{ PKG "constraint_0_power_limit_uw", "99999999999999999999", -EINVAL },
		{ PKG "constraint_0_time_window_us", "1 s", -EINVAL },
		{ PKG "constraint_2_time_window_us", "1000", -ENODATA },
		{ PKG "constraint_2_time_window_us", "x", -EINVAL },
		{ PKG "constraint_0_max_power_uw", "1", -EIO },
		{ PKG "energy_uj", "0", -EIO },
		{ PKG "enabled", "2", -EINVAL },
		{ ZONES "enabled", "1", -ENOSYS },
		{ ZONES "enabled", "maybe", -EINVAL },
	};
	struct twin twin = up("client-psys");
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(twin_store(&twin, rows[i].file, rows[i].text), rows[i].error);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), 28000000);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_time_window_us"), 999424);
	assert_int_equal(twin_show(&twin, PKG "constraint_2_time_window_us", text, sizeof(text)),
			 -ENODATA);
	assert_int_equal(twin_number(&twin, PKG "constraint_2_power_limit_uw"), 112000000);
	assert_int_equal(twin_number(&twin, PKG "constraint_2_max_power_uw"), 112000000);
	/* Cores have no register that says the highest. */
	assert_int_equal(twin_show(&twin, PKG "intel-rapl:0:0/constraint_0_max_power_uw", text,
				   sizeof(text)),
			 -ENODATA);
	assert_int_equal(twin_show(&twin, ZONES "intel-rapl:1/constraint_0_max_power_uw", text,
				   sizeof(text)),
			 -ENODATA);
	twin_down(&twin);
}

static void takes_what_the_register_holds(void **state)
{
	static const struct {
		const char *file, *text;
		int64_t shown;
	} rows[] = {
		{ PKG "constraint_0_power_limit_uw", "100060000",
		  100000000 }, /* eighths of a watt */
		{ PKG "constraint_0_power_limit_uw", "100125000", 100125000 },
		{ PKG "constraint_0_power_limit_uw", "4096125000", 125000 }, /* 15 bits */
		{ PKG "constraint_1_power_limit_uw", "150999999", 150875000 },
		{ PKG "constraint_0_time_window_us", "1000000", 999424 },
		{ PKG "constraint_0_time_window_us", "28000000", 27983872 }, /* 1.75 x 2^14 */
		{ PKG "constraint_0_time_window_us", "5000", 4880 }, /* 1.25 x 2^2 */
		{ PKG "constraint_0_time_window_us", "0", 976 },
		{ PKG "constraint_0_time_window_us", "975", 976 },
		{ PKG "constraint_1_time_window_us", "7808", 7808 },
		{ PKG "intel-rapl:0:0/constraint_0_power_limit_uw", "20000000", 20000000 },
	};
	struct twin twin = up("skx2s");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(twin_store(&twin, rows[i].file, rows[i].text), 0);
		assert_int_equal(twin_number(&twin, rows[i].file), rows[i].shown);
	}
	/* One bank of registers behind both interfaces. */
	assert_int_equal(raw(&twin, 17, 0x610) & 0x7fff, 1);
	assert_int_equal(raw(&twin, 0, 0x610) >> 32 & 0x7fff, 1207);
	assert_int_equal(raw(&twin, 0, 0x618) & 0x7fff, 160);
	twin_down(&twin);
}

static void holds_the_node_to_its_limit(void **state)
{
	struct twin twin = up("skx2s");
	uint64_t free_khz, held_khz;

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100%\n") >= 0);
	twin_wait(&twin, 20 * S);
	free_khz = es_twin_core_khz(twin.host->node, 0);
	assert_int_equal(twin_store(&twin, PKG "constraint_0_power_limit_uw", "90000000"), 0);
	twin_wait(&twin, 20 * S);
	held_khz = es_twin_core_khz(twin.host->node, 0);
	assert_true(held_khz < free_khz);
	assert_in_range(es_twin_mean_uw(twin.host->node, ES_TWIN_PACKAGE, 0, twin.t_ns, 5 * S),
			80000000, 90500000);
	/* The other package goes on as before. */
	assert_true(es_twin_core_khz(twin.host->node, 18) > held_khz);
	/* Out of force: the second limit, too. */
	assert_int_equal(twin_store(&twin, PKG "enabled", "off"), 0);
	assert_int_equal(twin_number(&twin, PKG "enabled"), 0);
	assert_int_equal(raw(&twin, 0, 0x610) >> 47 & 1, 0);
	twin_wait(&twin, 20 * S);
	assert_true(es_twin_core_khz(twin.host->node, 0) > held_khz);
	assert_int_equal(twin_store(&twin, PKG "enabled", "1"), 0);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), 90000000);
	twin_down(&twin);
}

static void answers_registers_as_the_driver(void **state)
{
	struct twin twin = up("skx2s");
	const char *msr = "dev/cpu/0/msr";
	uint64_t v[2] = { 0 }, limit;

	(void)state;
	assert_int_equal(twin_read_at(&twin, msr, 0x611, v, 4), -EINVAL);
	assert_int_equal(twin_read_at(&twin, msr, 0x12345, v, 8), -EIO);
	assert_int_equal(twin_read_at(&twin, msr, 0xc0010299, v, 8), -EIO);
	assert_int_equal(twin_read_at(&twin, msr, 0x64d, v, 8), -EIO);
	/* As many as are asked for, all of the same register. */
	assert_int_equal(twin_read_at(&twin, msr, 0x606, v, 16), 16);
	assert_int_equal(v[0], v[1]);
	/* Neighbours do not overlap at eight times the number. */
	assert_int_equal(twin_read_at(&twin, msr, 8 * 0x610, v, 8), 8);
	assert_int_equal(v[0], raw(&twin, 0, 0x610));
	assert_int_equal(twin_read_at(&twin, msr, 8 * 0x611, v, 8), 8);
	assert_int_equal(v[0], raw(&twin, 0, 0x611));
	limit = (raw(&twin, 0, 0x610) & ~UINT64_C(0x7fff)) | 100 * 8;
	assert_int_equal(twin_write_at(&twin, msr, 0x610, &limit, 8), 8);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), 100000000);
	assert_int_equal(twin_write_at(&twin, msr, 0x610, &limit, 7), -EINVAL);
	assert_int_equal(twin_write_at(&twin, msr, 0x611, &limit, 8), -EIO);
	assert_int_equal(twin_write_at(&twin, msr, 0x614, &limit, 8), -EIO);
	/* Locked until the next reset. */
	limit |= UINT64_C(1) << 63;
	assert_int_equal(twin_write_at(&twin, msr, 0x610, &limit, 8), 8);
	assert_int_equal(twin_write_at(&twin, msr, 0x610, &limit, 8), -EIO);
	assert_int_equal(twin_store(&twin, PKG "constraint_0_power_limit_uw", "90000000"),
			 -ENODATA);
	assert_int_equal(twin_store(&twin, PKG "constraint_0_time_window_us", "1000"), -ENODATA);
	assert_int_equal(twin_store(&twin, PKG "enabled", "1"), -ENOSYS);
	assert_int_equal(twin_number(&twin, PKG "enabled"), 0);
	assert_int_equal(twin_number(&twin, PKG "constraint_0_power_limit_uw"), 100000000);
	twin_down(&twin);
}

static void counts_cycles(void **state)
{
	struct twin twin = up("skx2s");
	uint64_t aperf, mperf, tsc;
	double mhz;

	(void)state;
	assert_true(twin_load(&twin, "solve 600s cpu=100%\n") >= 0);
	twin_wait(&twin, S);
	assert_int_equal(twin_store(&twin,
				    "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq",
				    "1500000"),
			 0);
	aperf = raw(&twin, 0, 0xe8);
	mperf = raw(&twin, 0, 0xe7);
	tsc = raw(&twin, 0, 0x10);
	twin_wait(&twin, S);
	tsc = raw(&twin, 0, 0x10) - tsc;
	assert_in_range(tsc, 2599999990, 2600000010);
	mhz = 2600.0 * (double)(raw(&twin, 0, 0xe8) - aperf) /
	      (double)(raw(&twin, 0, 0xe7) - mperf);
	assert_in_range((uint64_t)(mhz + 0.5), 1499, 1501);
	assert_int_equal(raw(&twin, 0, 0x198) >> 8, 15);
	twin_down(&twin);
}

static void counts_in_64_bits_where_amd_does(void **state)
{
	struct twin twin = { .host = NULL };
	uint64_t first, other;

	(void)state;
	assert_true(twin_kind("amd-milan2s", &twin.kind));
	twin.kind.cpu.number = 0x11;
	assert_int_equal(twin_up(&twin), 0);
	first = raw(&twin, 0, 0xc001029b);
	assert_true(first > UINT32_MAX);
	assert_int_equal(twin_number(&twin, PKG "energy_uj"), (first & UINT32_MAX) * 15258 / 1000);
	assert_int_equal(raw(&twin, 0, 0xc0010299), 0xa1003);
	first = raw(&twin, 0, 0xc001029a);
	other = raw(&twin, 1, 0xc001029a);
	assert_true(first != other);
	twin_wait(&twin, S);
	assert_int_equal((raw(&twin, 0, 0xc001029a) - first) & UINT32_MAX,
			 (raw(&twin, 1, 0xc001029a) - other) & UINT32_MAX);
	twin_down(&twin);
}

static void has_a_meter_for_each_counter(void **state)
{
	static const char *const names[] = { "powercap/package-0",
					     "powercap/core-0",
					     "powercap/uncore-0",
					     "powercap/psys",
					     "powercap/intel-rapl-mmio:package-0",
					     "msr/package-0" };
	struct twin twin = up("client-psys");
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < twin.host->n_meters; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			n += strcmp(twin.host->meters[i].name, names[k]) == 0;
	assert_int_equal(n, sizeof(names) / sizeof(names[0]));
	es_twin_meter_fault(&twin.host->meters[0], twin.host->node, ES_TWIN_FAULT_EIO, true,
			    twin.t_ns);
	assert_string_equal(twin.host->meters[0].name, "powercap/package-0");
	assert_int_equal(twin_number(&twin, PKG "energy_uj"), -EIO);
	assert_true(raw(&twin, 0, 0x611) > 0);
	twin_down(&twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_is_drawn),
		cmocka_unit_test(wraps_at_its_range),
		cmocka_unit_test(updates_each_millisecond),
		cmocka_unit_test(shows_the_same_through_registers),
		cmocka_unit_test(shows_the_board_in_each_psys),
		cmocka_unit_test(shows_the_package_once_more_through_mmio),
		cmocka_unit_test(counts_one_core_of_amd),
		cmocka_unit_test(refuses_as_the_kernel),
		cmocka_unit_test(takes_what_the_register_holds),
		cmocka_unit_test(holds_the_node_to_its_limit),
		cmocka_unit_test(answers_registers_as_the_driver),
		cmocka_unit_test(counts_cycles),
		cmocka_unit_test(counts_in_64_bits_where_amd_does),
		cmocka_unit_test(has_a_meter_for_each_counter),
	};

	return cmocka_run_group_tests_name("twin/tree_powercap", tests, NULL, NULL);
}
