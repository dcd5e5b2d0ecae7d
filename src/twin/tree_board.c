/*
 * tree_board.c - what firmware says of a simulated node's board, and the battery of one that has it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/firmware/dmi-id.c, drivers/power/supply/power_supply_sysfs.c, drivers/acpi/battery.c, ac.c.
 */
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define DMI "sys/devices/virtual/dmi/id"
#define ACPI "sys/devices/LNXSYSTM:00/LNXSYBUS:00"
#define BATTERY_UWH 57000000
#define BATTERY_UV 15400000

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

/* It is plugged in, and the battery full: what the node draws comes from the wall. */
static void make_battery(struct es_twin_host *host)
{
	const char *battery = ACPI "/PNP0C0A:00/power_supply/BAT0";
	const char *mains = ACPI "/ACPI0003:00/power_supply/AC";

	es_twin_make_device(host->tree, battery, "sys/class/power_supply");
	es_twin_put_link(host->tree, "sys/class/power_supply", "BAT0", battery);
	es_twin_put_link(host->tree, battery, "device", ACPI "/PNP0C0A:00");
	es_twin_put_text(host->tree, 0444, battery, "type", "Battery\n");
	es_twin_put_text(host->tree, 0444, battery, "scope", "System\n");
	es_twin_put_text(host->tree, 0444, battery, "present", "1\n");
	es_twin_put_text(host->tree, 0444, battery, "status", "Full\n");
	es_twin_put_text(host->tree, 0444, battery, "technology", "Li-ion\n");
	es_twin_put_text(host->tree, 0444, battery, "capacity", "100\n");
	es_twin_put_text(host->tree, 0444, battery, "capacity_level", "Full\n");
	es_twin_put_text(host->tree, 0444, battery, "cycle_count", "42\n");
	es_twin_put_text(host->tree, 0444, battery, "energy_full_design", "%d\n", BATTERY_UWH);
	es_twin_put_text(host->tree, 0444, battery, "energy_full", "%d\n", BATTERY_UWH);
	es_twin_put_text(host->tree, 0444, battery, "energy_now", "%d\n", BATTERY_UWH);
	es_twin_put_text(host->tree, 0444, battery, "power_now", "0\n");
	es_twin_put_text(host->tree, 0444, battery, "voltage_now", "%d\n", BATTERY_UV);
	es_twin_put_text(host->tree, 0444, battery, "voltage_min_design", "%d\n", BATTERY_UV);
	es_twin_put_text(host->tree, 0444, battery, "manufacturer", "EnergyScopium\n");
	es_twin_put_text(host->tree, 0444, battery, "model_name", "twin\n");
	es_twin_make_device(host->tree, mains, "sys/class/power_supply");
	es_twin_put_link(host->tree, "sys/class/power_supply", "AC", mains);
	es_twin_put_link(host->tree, mains, "device", ACPI "/ACPI0003:00");
	es_twin_put_text(host->tree, 0444, mains, "type", "Mains\n");
	es_twin_put_text(host->tree, 0444, mains, "online", "1\n");
}

void es_twin_make_board(struct es_twin_host *host)
{
	make_dmi(host);
	es_twin_tree_dir(host->tree, "sys/class/power_supply");
	if (host->kind->meters.has_battery)
		make_battery(host);
}
