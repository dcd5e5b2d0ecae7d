/*
 * tree_cpus.c - all that the kernel shows of a simulated node's CPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/thermal/intel/therm_throt.c, x86_pkg_temp_thermal.c,
 * arch/x86/events/rapl.c.
 */
#include "twin/tree_cpus.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/rapl.h"
#include "twin/sysfs.h"

#define MC_PER_C 1000
#define TRIP_C 90

enum throttle_file {
	COUNT,
	MAX_MS,
	TOTAL_MS
};

/* file->a: package, file->b: which of the three. Heat only: limits are counted elsewhere, and only where asked for at boot. */
static int show_throttle(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	struct es_twin_throttle throttle;
	int64_t total_ms, max_ms;

	(void)handle;
	(void)t_ns;
	es_twin_throttle(file->host->node, file->a, &throttle);
	total_ms = throttle.heat_ns / ES_NS_PER_MS;
	/* The mean stands for the longest, which nobody keeps. */
	max_ms = throttle.n_heat ? total_ms / (int64_t)throttle.n_heat : 0;
	return es_buf_printf(out, "%llu\n",
			     file->b == COUNT	 ? (unsigned long long)throttle.n_heat
			     : file->b == MAX_MS ? (unsigned long long)max_ms
						 : (unsigned long long)total_ms);
}

/* Whole degrees below the hottest, as the sensor has them. */
static int show_temperature(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    struct es_buf *out)
{
	int64_t hottest_mc = file->host->kind->cpu.hottest_mc;
	int64_t below_c =
		(hottest_mc - es_twin_temperature_mc(file->host->node, ES_TWIN_PACKAGE, file->a)) /
		MC_PER_C;

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%lld\n", (long long)(hottest_mc - below_c * MC_PER_C));
}

static const struct es_twin_file_ops throttle_ops = { .show = show_throttle };
static const struct es_twin_file_ops temperature_ops = { .show = show_temperature };

static void make_throttles(struct es_twin_host *host, unsigned cpu)
{
	static const struct {
		const char *name;
		enum throttle_file which;
	} files[] = { { "core_throttle_count", COUNT },
		      { "core_throttle_max_time_ms", MAX_MS },
		      { "core_throttle_total_time_ms", TOTAL_MS },
		      { "package_throttle_count", COUNT },
		      { "package_throttle_max_time_ms", MAX_MS },
		      { "package_throttle_total_time_ms", TOTAL_MS } };
	struct es_twin_file file = { .a = es_twin_cpu_package(host->kind, cpu) };
	char dir[96];

	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpu%u/thermal_throttle", cpu);
	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++) {
		file.b = files[i].which;
		es_twin_put_file(host->tree, 0444, dir, files[i].name, &throttle_ops, &file);
	}
}

void es_twin_make_thermal(struct es_twin_host *host)
{
	if (!es_twin_is_intel(host->kind) || host->kind->meters.is_vm)
		return;
	for (unsigned cpu = 0; cpu < es_twin_n_cpus(host->kind); cpu++)
		make_throttles(host, cpu);
	for (unsigned package = 0; package < host->kind->n_packages; package++) {
		const struct es_twin_file file = { .a = package };
		char dir[96], name[64];

		(void)snprintf(name, sizeof(name), "thermal_zone%u", package);
		(void)snprintf(dir, sizeof(dir), "sys/devices/virtual/thermal/%s", name);
		es_twin_make_device(host->tree, dir, "sys/class/thermal");
		es_twin_put_link(host->tree, "sys/class/thermal", name, dir);
		es_twin_put_text(host->tree, 0444, dir, "type", "x86_pkg_temp\n");
		es_twin_put_file(host->tree, 0444, dir, "temp", &temperature_ops, &file);
		es_twin_put_text(host->tree, 0444, dir, "mode", "enabled\n");
		es_twin_put_text(host->tree, 0444, dir, "policy", "step_wise\n");
		es_twin_put_text(host->tree, 0444, dir, "available_policies",
				 "user_space step_wise\n");
		es_twin_put_text(host->tree, 0444, dir, "trip_point_0_type", "passive\n");
		es_twin_put_text(host->tree, 0444, dir, "trip_point_0_temp", "%d\n",
				 TRIP_C * MC_PER_C);
	}
}

static void put_event(struct es_twin_host *host, const char *name, unsigned config)
{
	const char *dir = "sys/devices/power/events";
	char attr[64];

	es_twin_put_text(host->tree, 0444, dir, name, "event=0x%02x\n", config);
	(void)snprintf(attr, sizeof(attr), "%s.scale", name);
	es_twin_put_text(host->tree, 0444, dir, attr, "2.3283064365386962890625e-10\n");
	(void)snprintf(attr, sizeof(attr), "%s.unit", name);
	es_twin_put_text(host->tree, 0444, dir, attr, "Joules\n");
}

/* What can be listed of it; events themselves are a system call, which no file answers. */
void es_twin_make_pmu(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	const struct es_twin_meters *meters = &kind->meters;
	bool is_intel = es_twin_is_intel(kind);
	const struct {
		bool is_there;
		unsigned config;
		const char *name;
	} events[] = {
		{ is_intel && meters->rapl_nj && meters->has_cores_zone, 1, "energy-cores" },
		{ meters->rapl_nj, 2, "energy-pkg" },
		{ meters->dram_nj, 3, "energy-ram" },
		{ meters->rapl_nj && meters->has_graphics_zone, 4, "energy-gpu" },
		{ meters->psys != ES_TWIN_NO_PSYS, 5, "energy-psys" },
	};
	char mask[256] = "";
	size_t n = 0, n_events = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(events); i++) {
		if (!events[i].is_there)
			continue;
		put_event(host, events[i].name, events[i].config);
		n_events++;
	}
	if (n_events == 0)
		return;
	for (unsigned i = 0; i < kind->n_packages && n < sizeof(mask); i++)
		n += (size_t)snprintf(mask + n, sizeof(mask) - n, "%s%u", i ? "," : "",
				      i * kind->cpu.n_cores);
	es_twin_make_device(host->tree, "sys/devices/power", "sys/bus/event_source");
	es_twin_put_text(host->tree, 0444, "sys/devices/power", "type", "9\n");
	es_twin_put_text(host->tree, 0444, "sys/devices/power", "cpumask", "%s\n", mask);
	es_twin_put_text(host->tree, 0644, "sys/devices/power", "perf_event_mux_interval_ms",
			 "4\n");
	es_twin_put_text(host->tree, 0444, "sys/devices/power/format", "event", "config:0-7\n");
	es_twin_put_link(host->tree, "sys/bus/event_source/devices", "power", "sys/devices/power");
}

void es_twin_make_cpus(struct es_twin_host *host)
{
	es_twin_make_topology(host);
	es_twin_make_caches(host);
	es_twin_make_cpufreq(host);
	es_twin_make_uncore(host);
	es_twin_make_thermal(host);
	es_twin_make_pmu(host);
	es_twin_make_proc(host);
	es_twin_make_board(host);
}
