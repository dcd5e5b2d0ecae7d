/*
 * tree_hwmon.c - the hwmon of a simulated node: its processors' temperatures, its fans, ACPI power meters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Made after Linux 6.12: drivers/hwmon/coretemp.c, k10temp.c, acpi_power_meter.c, nct6775-platform.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/host.h"
#include "twin/sysfs.h"

#define ACPI "sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI000D:"
#define GRACE_INTERVAL_MS 50U
#define GRACE_INTERVAL_MAX_MS 1000U
#define NODE_INTERVAL_MS 300000U /* five minutes, as BMCs of Dell and HP have them */
#define NODE_SAMPLING_MS 1000U
#define UW_PER_MW UINT64_C(1000)
#define CORE_STEP_MC 1000
#define TCTL_STEP_MC 125

/** struct rail - an ACPI power meter; the tree's */
struct rail {
	struct es_twin_meter *meter;
	const char *what; /* of power1_oem_info, before " Power Socket N"; "" nothing */
	enum es_twin_part parts[3]; /* what it adds up */
	size_t n_parts, i;
	int64_t start_ns; /* before one interval has passed nothing is known */
	unsigned interval_ms, interval_min_ms, interval_max_ms, accuracy; /* the last: in 10^-5 */
	bool is_fixed; /* its interval cannot be set */
};

/*
 * Temperatures and fans: of a sensor of package @a, @b: how much cooler a core is than the hottest, in its steps.
 */
static int show_temperature(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    struct es_buf *out)
{
	int64_t step_mc = file->data ? TCTL_STEP_MC : CORE_STEP_MC;
	int64_t t_mc = es_twin_temperature_mc(file->host->node, ES_TWIN_PACKAGE, file->a);

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%lld\n",
			     (long long)(t_mc / step_mc * step_mc - (int64_t)file->b * step_mc));
}

static int show_alarm(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	const struct es_twin_host *host = file->host;

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%d\n",
			     es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, file->a) >=
				     host->kind->cpu.hottest_mc);
}

static int show_fan(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%llu\n", (unsigned long long)es_twin_fan_rpm(file->host->node));
}

/* @device: its folder below sys/devices/platform, which the bus lists, too. */
static void put_platform_device(struct es_twin_host *host, const char *device)
{
	es_twin_make_device(host->tree, device, "sys/bus/platform");
	es_twin_put_link(host->tree, "sys/bus/platform/devices", strrchr(device, '/') + 1, device);
}

static void put_coretemp(struct es_twin_host *host, unsigned package)
{
	static const struct es_twin_file_ops temperature = { .show = show_temperature };
	static const struct es_twin_file_ops alarm = { .show = show_alarm };
	const struct es_twin_cpu *cpu = &host->kind->cpu;
	char device[ES_TWIN_SYSFS_PATH_BYTES], dir[ES_TWIN_SYSFS_PATH_BYTES], name[32];

	(void)snprintf(device, sizeof(device), "sys/devices/platform/coretemp.%u", package);
	put_platform_device(host, device);
	es_twin_put_hwmon(host->tree, device, "coretemp", dir);
	for (unsigned i = 0; i <= cpu->n_cores; i++) {
		/* Cores differ by a few degrees, always the same ones; the package shows the hottest. */
		struct es_twin_file file = { .a = package, .b = i > 1 ? i * 7 % 5 : 0 };

		(void)snprintf(name, sizeof(name), "temp%u_label", i + 1);
		es_twin_put_text(host->tree, 0444, dir, name, i ? "Core %u\n" : "Package id %u\n",
				 i ? i - 1 : package);
		(void)snprintf(name, sizeof(name), "temp%u_input", i + 1);
		es_twin_put_file(host->tree, 0444, dir, name, &temperature, &file);
		(void)snprintf(name, sizeof(name), "temp%u_max", i + 1);
		es_twin_put_text(host->tree, 0444, dir, name, "%lld\n",
				 (long long)cpu->hottest_mc - 10000);
		(void)snprintf(name, sizeof(name), "temp%u_crit", i + 1);
		es_twin_put_text(host->tree, 0444, dir, name, "%lld\n", (long long)cpu->hottest_mc);
		(void)snprintf(name, sizeof(name), "temp%u_crit_alarm", i + 1);
		es_twin_put_file(host->tree, 0444, dir, name, &alarm, &file);
	}
}

/* One for each package: a function of its node on PCI. */
static void put_k10temp(struct es_twin_host *host, unsigned package)
{
	static const struct es_twin_file_ops temperature = { .show = show_temperature };
	unsigned n_dies = (host->kind->cpu.n_cores + 7) / 8;
	char device[ES_TWIN_SYSFS_PATH_BYTES], dir[ES_TWIN_SYSFS_PATH_BYTES], name[32];
	struct es_twin_file file = { .a = package, .data = "" };

	(void)snprintf(device, sizeof(device), "sys/devices/pci0000:00/0000:00:%02x.3",
		       0x18 + package);
	es_twin_put_text(host->tree, 0444, device, "vendor", "0x1022\n");
	es_twin_put_text(host->tree, 0444, device, "device", "0x14b0\n");
	es_twin_put_text(host->tree, 0444, device, "class", "0x060000\n");
	es_twin_put_hwmon(host->tree, device, "k10temp", dir);
	es_twin_put_text(host->tree, 0444, dir, "temp1_label", "Tctl\n");
	es_twin_put_file(host->tree, 0444, dir, "temp1_input", &temperature, &file);
	/* Tdie is shown of Ryzens alone; dies begin at the third. */
	for (unsigned i = 0; i < n_dies && i < 12; i++) {
		file.b = 2 + i * 5 % 7;
		(void)snprintf(name, sizeof(name), "temp%u_label", i + 3);
		es_twin_put_text(host->tree, 0444, dir, name, "Tccd%u\n", i + 1);
		(void)snprintf(name, sizeof(name), "temp%u_input", i + 3);
		es_twin_put_file(host->tree, 0444, dir, name, &temperature, &file);
	}
}

/* Where no management controller has the fans, a chip on the board shows them. */
static void put_board(struct es_twin_host *host)
{
	static const struct es_twin_file_ops fan = { .show = show_fan };
	char dir[ES_TWIN_SYSFS_PATH_BYTES];

	put_platform_device(host, "sys/devices/platform/nct6775.656");
	es_twin_put_hwmon(host->tree, "sys/devices/platform/nct6775.656", "nct6798", dir);
	es_twin_put_file(host->tree, 0444, dir, "fan1_input", &fan,
			 &(struct es_twin_file){ .meter = NULL });
	es_twin_put_text(host->tree, 0644, dir, "fan1_min", "0\n");
	es_twin_put_text(host->tree, 0444, dir, "fan1_alarm", "0\n");
}

/*
 * ACPI power meters. What they show is a mean over the interval, as old as the last sampling, in whole mW.
 */
static int show_average(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct rail *rail = file->data;
	const struct es_twin_host *host = file->host;
	int64_t at_ns = es_twin_meter_time_ns(rail->meter, t_ns);
	uint64_t sum_uw = 0;

	(void)handle;
	if (host->is_powered_off || at_ns - rail->start_ns < rail->meter->update_ns)
		return -ENODATA;
	for (size_t i = 0; i < rail->n_parts; i++)
		sum_uw += es_twin_mean_uw(host->node, rail->parts[i], rail->i, at_ns,
					  rail->interval_ms * ES_NS_PER_MS);
	return es_buf_printf(out, "%" PRIu64 "\n", sum_uw / UW_PER_MW * UW_PER_MW);
}

static int show_interval(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	const struct rail *rail = file->data;

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%u\n", rail->interval_ms);
}

static int store_interval(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	/* The rail is the tree's and not constant; only what is handed around is. */
	struct rail *rail = (struct rail *)(uintptr_t)file->data;
	uint64_t ms;
	int r = es_twin_kstrtou64(text, 10, UINT64_MAX, &ms);

	(void)handle;
	(void)t_ns;
	if (r < 0)
		return r;
	/* Beyond its range the driver refuses; a firmware that keeps its own interval refuses too. */
	if (ms < rail->interval_min_ms || ms > rail->interval_max_ms ||
	    (rail->is_fixed && ms != rail->interval_ms))
		return -EINVAL;
	rail->interval_ms = (unsigned)ms;
	return 0;
}

static int show_cap(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	struct es_twin_limit limit;
	int r = es_twin_limit(file->host->node, ES_TWIN_PACKAGE, file->a, 0, &limit);

	(void)handle;
	(void)t_ns;
	return r < 0 ? r
		     : es_buf_printf(out, "%" PRIu64 "\n", limit.power_uw / UW_PER_MW * UW_PER_MW);
}

static int store_cap(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	struct es_twin_host *host = file->host;
	struct es_twin_limit limit;
	uint64_t uw;
	int r = es_twin_kstrtou64(text, 10, UINT64_MAX, &uw);

	(void)handle;
	(void)t_ns;
	if (r == 0)
		r = es_twin_limit(host->node, ES_TWIN_PACKAGE, file->a, 0, &limit);
	if (r < 0)
		return r;
	/* In whole mW, rounded to nearest, as the driver hands them on. */
	uw = uw > UINT64_MAX - UW_PER_MW ? uw : (uw + UW_PER_MW / 2) / UW_PER_MW * UW_PER_MW;
	if (uw < file->b * UINT64_C(1000000) || uw > host->kind->cpu.tdp_w * UINT64_C(1000000))
		return -EINVAL;
	limit.power_uw = uw;
	limit.is_enabled = true;
	return es_twin_set_limit(host->node, ES_TWIN_PACKAGE, file->a, 0, &limit) < 0 ? -EINVAL : 0;
}

/* The cap of a package, where it can be set. */
static void put_cap(struct es_twin_host *host, const char *device, unsigned package)
{
	static const struct es_twin_file_ops cap = { .show = show_cap, .store = store_cap };
	unsigned max_w = host->kind->cpu.tdp_w, min_w = max_w / 4;
	struct es_twin_limit limit;

	if (es_twin_limit(host->node, ES_TWIN_PACKAGE, package, 0, &limit) < 0)
		return;
	es_twin_put_file(host->tree, 0644, device, "power1_cap", &cap,
			 &(struct es_twin_file){ .a = package, .b = min_w });
	es_twin_put_text(host->tree, 0444, device, "power1_cap_min", "%u000000\n", min_w);
	es_twin_put_text(host->tree, 0444, device, "power1_cap_max", "%u000000\n", max_w);
	es_twin_put_text(host->tree, 0444, device, "power1_cap_hyst", "unknown\n");
	es_twin_put_text(host->tree, 0444, device, "power1_alarm", "0\n");
}

/* Its files are in the folder of the ACPI device, not in that of hwmon. */
static void put_rail(struct es_twin_host *host, unsigned number, const struct rail *like,
		     const char *device)
{
	static const struct es_twin_file_ops average = { .show = show_average };
	static const struct es_twin_file_ops interval = { .show = show_interval,
							  .store = store_interval };
	struct rail *rail = es_twin_tree_keep(host->tree, sizeof(*rail));
	struct es_twin_file file = { .meter = like->meter, .data = rail };
	char dir[ES_TWIN_SYSFS_PATH_BYTES];

	if (!rail || !like->meter)
		return;
	*rail = *like;
	rail->start_ns = es_twin_now_ns(host->node);
	es_twin_put_hwmon(host->tree, device, "power_meter", dir);
	es_twin_make_device(host->tree, device, NULL);
	es_twin_put_text(host->tree, 0444, device, "name", "power_meter\n");
	es_twin_put_text(host->tree, 0444, device, "hid", "ACPI000D\n");
	es_twin_put_text(host->tree, 0444, device, "uid", "%u\n", number);
	if (*rail->what)
		es_twin_put_text(host->tree, 0444, device, "power1_oem_info",
				 "%s Power Socket %zu\n", rail->what, rail->i);
	else
		es_twin_put_text(host->tree, 0444, device, "power1_oem_info", "\n");
	es_twin_put_text(host->tree, 0444, device, "power1_model_number", "\n");
	es_twin_put_text(host->tree, 0444, device, "power1_serial_number", "\n");
	es_twin_put_text(host->tree, 0444, device, "power1_is_battery", "0\n");
	es_twin_put_text(host->tree, 0444, device, "power1_accuracy", "%u.%u%%\n",
			 rail->accuracy / 1000, rail->accuracy % 1000);
	es_twin_put_file(host->tree, 0444, device, "power1_average", &average, &file);
	es_twin_put_file(host->tree, 0644, device, "power1_average_interval", &interval, &file);
	es_twin_put_text(host->tree, 0444, device, "power1_average_interval_min", "%u\n",
			 rail->interval_min_ms);
	es_twin_put_text(host->tree, 0444, device, "power1_average_interval_max", "%u\n",
			 rail->interval_max_ms);
}

/* A meter whose power is a mean over @interval_ms, anew each @sampling_ms. */
static struct es_twin_meter *new_meter(struct es_twin_host *host, const char *name, size_t i,
				       enum es_twin_part part, unsigned sampling_ms,
				       unsigned interval_ms)
{
	struct es_twin_meter *meter = es_twin_host_meter(host, "hwmon/%s-%zu", name, i);

	if (!meter) {
		es_twin_tree_fail(host->tree, name, -ENOSPC);
		return NULL;
	}
	meter->part = part;
	meter->i = i;
	meter->update_ns = sampling_ms * ES_NS_PER_MS;
	meter->window_ns = interval_ms * ES_NS_PER_MS;
	meter->grain_uw = UW_PER_MW;
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
	return meter;
}

/* Module contains Grace and the GPU, Grace contains CPU and SysIO. */
static void put_grace(struct es_twin_host *host)
{
	static const struct {
		const char *what, *name;
		enum es_twin_part parts[3];
		size_t n_parts;
	} rows[] = {
		{ "Module", "module", { ES_TWIN_MODULE }, 1 },
		{ "Grace", "package", { ES_TWIN_PACKAGE, ES_TWIN_DRAM, ES_TWIN_SYSIO }, 3 },
		{ "CPU", "core", { ES_TWIN_PACKAGE }, 1 },
		{ "SysIO", "uncore", { ES_TWIN_SYSIO }, 1 },
	};
	unsigned number = 0;

	for (size_t i = 0; i < host->kind->n_packages; i++)
		for (size_t j = 0; j < ES_ARRAY_SIZE(rows); j++, number++) {
			struct rail rail = { .what = rows[j].what,
					     .n_parts = rows[j].n_parts,
					     .i = i,
					     .interval_ms = GRACE_INTERVAL_MS,
					     .interval_min_ms = GRACE_INTERVAL_MS,
					     .interval_max_ms = GRACE_INTERVAL_MAX_MS,
					     .accuracy = 99990 };
			char device[64];

			memcpy(rail.parts, rows[j].parts, sizeof(rail.parts));
			rail.meter = new_meter(host, rows[j].name, i, rows[j].parts[0],
					       GRACE_INTERVAL_MS, GRACE_INTERVAL_MS);
			(void)snprintf(device, sizeof(device), ACPI "%02x", number);
			put_rail(host, number, &rail, device);
			if (rows[j].n_parts == 3)
				put_cap(host, device, (unsigned)i);
		}
}

/* The node's power of the last five minutes, as its management controller hands it to ACPI. */
static void put_node(struct es_twin_host *host)
{
	struct rail rail = { .what = "",
			     .parts = { ES_TWIN_NODE },
			     .n_parts = 1,
			     .interval_ms = NODE_INTERVAL_MS,
			     .interval_min_ms = NODE_INTERVAL_MS,
			     .interval_max_ms = NODE_INTERVAL_MS,
			     .accuracy = 95000,
			     .is_fixed = true };

	rail.meter = new_meter(host, "node", 0, ES_TWIN_NODE, NODE_SAMPLING_MS, NODE_INTERVAL_MS);
	put_rail(host, 0, &rail, ACPI "00");
}

void es_twin_make_hwmon(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	bool is_amd = strcmp(kind->cpu.vendor, "AuthenticAMD") == 0;
	bool is_intel = strcmp(kind->cpu.vendor, "GenuineIntel") == 0;

	/* A guest has no sensors. */
	if (kind->meters.is_vm)
		return;
	for (unsigned i = 0; i < kind->n_packages; i++) {
		if (is_intel)
			put_coretemp(host, i);
		else if (is_amd)
			put_k10temp(host, i);
	}
	if (kind->fan_max_rpm > 0 && !kind->meters.has_bmc && !kind->meters.has_cray)
		put_board(host);
	if (kind->meters.has_grace)
		put_grace(host);
	else if (kind->meters.has_acpi_meter)
		put_node(host);
}
