/*
 * tree_board.c - what firmware says of a simulated node's board, and the battery of one that has it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/firmware/dmi-id.c, drivers/power/supply/power_supply_sysfs.c, drivers/acpi/battery.c, ac.c.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define DMI "sys/devices/virtual/dmi/id"
#define ACPI "sys/devices/LNXSYSTM:00/LNXSYBUS:00"
#define BATTERY_UWH 57000000
#define BATTERY_UV 15400000
#define CHARGE_STEP_UWH 10000
#define FJ_PER_UWH UINT64_C(3600000000000)

static void make_dmi(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	bool is_vm = kind->meters.is_vm, is_laptop = kind->meters.has_battery;

	es_twin_make_device(host->tree, DMI, "sys/class/dmi");
	es_twin_put_link(host->tree, "sys/class/dmi", "id", DMI);
	es_twin_put_text(host->tree, 0444, DMI, "sys_vendor", "%s\n",
			 is_vm ? "QEMU" : "EnergyScopium");
	es_twin_put_text(host->tree, 0444, DMI, "product_name", "%s\n",
			 is_vm ? "Standard PC (Q35 + ICH9, 2009)" : kind->name);
	es_twin_put_text(host->tree, 0444, DMI, "product_version", "twin\n");
	es_twin_put_text(host->tree, 0444, DMI, "board_vendor", "EnergyScopium\n");
	es_twin_put_text(host->tree, 0444, DMI, "board_name", "%s\n", kind->name);
	es_twin_put_text(host->tree, 0444, DMI, "bios_vendor", "EnergyScopium\n");
	es_twin_put_text(host->tree, 0444, DMI, "bios_version", "1\n");
	es_twin_put_text(host->tree, 0444, DMI, "bios_date", "01/01/2026\n");
	es_twin_put_text(host->tree, 0444, DMI, "chassis_vendor", "EnergyScopium\n");
	/* SMBIOS: notebook, main server chassis, other. */
	es_twin_put_text(host->tree, 0444, DMI, "chassis_type", "%s\n",
			 is_laptop ? "10"
			 : is_vm   ? "1"
				   : "17");
}

static uint64_t left_uwh(const struct es_twin_host *host, const struct es_twin_meter *meter,
			 int64_t t_ns)
{
	uint64_t used_uwh;

	if (es_twin_meter_raw(meter, host->node, t_ns, &used_uwh) < 0)
		return 0;
	return used_uwh + BATTERY_UWH / 20 < BATTERY_UWH ? BATTERY_UWH - used_uwh
							 : BATTERY_UWH / 20;
}

/* file->a: in shares of the whole, or in µWh as coarse as such a gauge is. The last twentieth is never used up: a twin does not go off. */
static int show_charge(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	uint64_t uwh = left_uwh(file->host, file->meter, t_ns);

	(void)handle;
	if (file->a)
		return es_twin_put_u64(out, 100 * uwh / BATTERY_UWH);
	return es_twin_put_u64(out, uwh / CHARGE_STEP_UWH * CHARGE_STEP_UWH);
}

static int show_power(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	uint64_t power_uw;
	int r = es_twin_meter_power_uw(file->meter, file->host->node, t_ns, &power_uw);

	(void)handle;
	return r < 0 ? r : es_twin_put_u64(out, power_uw);
}

static const struct es_twin_file_ops charge_ops = { .show = show_charge };
static const struct es_twin_file_ops power_ops = { .show = show_power };

/* What the board draws comes out of it. */
static void make_gauge(struct es_twin_host *host, const char *dir)
{
	struct es_twin_meter *meter = es_twin_host_meter(host, "power_supply/BAT0");
	struct es_twin_file file = { .meter = meter };

	if (!meter) {
		es_twin_tree_fail(host->tree, dir, -E2BIG);
		return;
	}
	meter->part = ES_TWIN_BOARD;
	meter->step_fj_num = FJ_PER_UWH;
	meter->update_ns = ES_NS_PER_S;
	meter->window_ns = ES_NS_PER_S;
	meter->grain_uw = 1000;
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
	es_twin_put_file(host->tree, 0444, dir, "energy_now", &charge_ops, &file);
	es_twin_put_file(host->tree, 0444, dir, "power_now", &power_ops, &file);
	file.a = 1;
	es_twin_put_file(host->tree, 0444, dir, "capacity", &charge_ops, &file);
}

static void make_battery(struct es_twin_host *host)
{
	const char *battery = ACPI "/PNP0C0A:00/power_supply/BAT0";
	const char *mains = ACPI "/ACPI0003:00/power_supply/AC";
	static const char *const texts[][2] = {
		{ "type", "Battery" },	    { "scope", "System" },
		{ "present", "1" },	    { "status", "Discharging" },
		{ "technology", "Li-ion" }, { "capacity_level", "Normal" },
		{ "cycle_count", "42" },    { "manufacturer", "EnergyScopium" },
		{ "model_name", "twin" },
	};

	es_twin_make_device(host->tree, battery, "sys/class/power_supply");
	es_twin_put_link(host->tree, "sys/class/power_supply", "BAT0", battery);
	es_twin_put_link(host->tree, battery, "device", ACPI "/PNP0C0A:00");
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		es_twin_put_text(host->tree, 0444, battery, texts[i][0], "%s\n", texts[i][1]);
	es_twin_put_text(host->tree, 0444, battery, "energy_full_design", "%d\n", BATTERY_UWH);
	es_twin_put_text(host->tree, 0444, battery, "energy_full", "%d\n", BATTERY_UWH);
	es_twin_put_text(host->tree, 0444, battery, "voltage_now", "%d\n", BATTERY_UV);
	es_twin_put_text(host->tree, 0444, battery, "voltage_min_design", "%d\n", BATTERY_UV);
	make_gauge(host, battery);
	es_twin_make_device(host->tree, mains, "sys/class/power_supply");
	es_twin_put_link(host->tree, "sys/class/power_supply", "AC", mains);
	es_twin_put_link(host->tree, mains, "device", ACPI "/ACPI0003:00");
	es_twin_put_text(host->tree, 0444, mains, "type", "Mains\n");
	es_twin_put_text(host->tree, 0444, mains, "online", "0\n");
}

void es_twin_make_board(struct es_twin_host *host)
{
	make_dmi(host);
	es_twin_tree_dir(host->tree, "sys/class/power_supply");
	if (host->kind->meters.has_battery)
		make_battery(host);
}
