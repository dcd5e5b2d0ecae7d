/*
 * tree_meters.c - meters beside RAPL as their drivers would show them: hwmon, pm_counters, AMD GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Synthetic: made after Linux 6.12 (drivers/hwmon/acpi_power_meter.c, smpro-hwmon.c, ibmpowernv.c, scmi-hwmon.c,
 * drivers/gpu/drm/xe/xe_hwmon.c, i915/i915_hwmon.c, amd/include/kgd_pp_interface.h), the amd_energy driver and Cray's
 * documents, not copied from a machine.
 */
#include "support/hsmp_file.h"
#include "support/tree_write.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRAY "sys/cray/pm_counters"
#define PCI "sys/devices/pci0000:00/"
#define AMD_UNIT 1000000, 65536 /* µJ in 2^-16 J */
#define ENERGY_UNIT_I915 1000000, 16384
#define MICROJOULES 1, 1
#define JOULES 1000000, 1

struct maker {
	struct es_tree *tree;
	unsigned n_hwmons;
	int error;
};

static void put(struct maker *maker, unsigned mode, const char *dir, const char *name,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void put(struct maker *maker, unsigned mode, const char *dir, const char *name,
		const char *fmt, ...)
{
	char path[1024], text[8192];
	va_list args;

	if (maker->error)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	maker->error = es_tree_write(maker->tree->root, path, text, mode);
}

static void put_link(struct maker *maker, const char *path, const char *target)
{
	if (!maker->error)
		maker->error = es_tree_put_link(maker->tree->root, path, target);
}

/* A counter in a file of its own. */
static struct es_tree_zone *put_counter(struct maker *maker, enum es_tree_form form,
					const char *dir, const char *file, const char *key,
					uint64_t num, uint64_t den)
{
	struct es_tree_zone zone = { .form = form,
				     .leader = -1,
				     .fd = -1,
				     .num = num,
				     .den = den,
				     .power_mw = 100000,
				     .raw = (uint32_t)(1000000 + 7919 * maker->tree->n) };
	unsigned long long shown;

	(void)snprintf(zone.key, sizeof(zone.key), "%s", key);
	(void)snprintf(zone.zone, sizeof(zone.zone), "%s", file);
	(void)snprintf(zone.path, sizeof(zone.path), "%.180s/%.60s", dir, file);
	if (num == 1000000 && den == 1)
		zone.raw = 5000 + (uint32_t)maker->tree->n;
	shown = es_tree_shown_uj(&zone);
	if (form == ES_TREE_POWER)
		put(maker, 0444, dir, file, "%llu\n", (unsigned long long)zone.power_mw * 1000);
	else if (form == ES_TREE_JOULES)
		put(maker, 0444, dir, file, "%llu J 1734094386462336 us\n", shown / 1000000);
	else if (form == ES_TREE_OLD_JOULES)
		put(maker, 0444, dir, file, "%llu J\n", shown / 1000000);
	else
		put(maker, 0444, dir, file, "%llu\n", shown);
	maker->tree->zones[maker->tree->n] = zone;
	return &maker->tree->zones[maker->tree->n++];
}

/* The hwmon of a device (a folder below the tree), with its class link; @ret: its folder. */
static void put_hwmon(struct maker *maker, const char *device, const char *name, char ret[256])
{
	char path[256], target[512];
	unsigned n = 3 + maker->n_hwmons++;

	(void)snprintf(ret, 256, "%.200s/hwmon/hwmon%u", device, n);
	put(maker, 0444, ret, "name", "%s\n", name);
	(void)snprintf(path, sizeof(path), "%.200s/device", ret);
	put_link(maker, path, device);
	(void)snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%u", n);
	(void)snprintf(target, sizeof(target), "%s", ret);
	put_link(maker, path, target);
}

static void put_amd_energy(struct maker *maker)
{
	char dir[256], file[32], key[32];

	put_hwmon(maker, "sys/devices/platform/amd_energy.0", "amd_energy", dir);
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(file, sizeof(file), "energy%u_label", i + 1);
		put(maker, 0444, dir, file, i < 8 ? "Ecore%03u\n" : "Esocket%u\n",
		    i < 8 ? i : i - 8);
		(void)snprintf(file, sizeof(file), "energy%u_input", i + 1);
		(void)snprintf(key, sizeof(key), i < 8 ? "core-0-cpu-%u" : "package-%u",
			       i < 8 ? i : i - 8);
		(void)put_counter(maker, ES_TREE_FILE, dir, file, key, AMD_UNIT);
	}
}

/* One ACPI power meter for each rail: its files are in the folder of the ACPI device. */
static void put_grace(struct maker *maker)
{
	static const char *const rails[][2] = { { "Module", "module" },
						{ "Grace", "package" },
						{ "CPU", "core" },
						{ "SysIO", "uncore" } };

	for (unsigned i = 0; i < 8; i++) {
		char device[128], dir[256], key[32];

		(void)snprintf(device, sizeof(device),
			       "sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI000D:%02x", i);
		put_hwmon(maker, device, "power_meter", dir);
		put(maker, 0444, device, "name", "power_meter\n");
		put(maker, 0444, device, "power1_oem_info", "%s Power Socket %u\n", rails[i % 4][0],
		    i / 4);
		put(maker, 0444, device, "power1_average_interval", "50\n");
		put(maker, 0444, device, "power1_accuracy", "99.99%%\n");
		put(maker, 0444, device, "power1_is_battery", "0\n");
		if (i % 4 == 0)
			put(maker, 0644, device, "power1_cap", "900000000\n");
		(void)snprintf(key, sizeof(key), "%s-%u", rails[i % 4][1], i / 4);
		(void)put_counter(maker, ES_TREE_POWER, device, "power1_average", key, MICROJOULES);
	}
}

static void put_labels(struct maker *maker, const char *dir, const char *kind,
		       const char *const (*rows)[2], unsigned n, enum es_tree_form form)
{
	char file[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(file, sizeof(file), "%s%u_label", kind, i + 1);
		put(maker, 0444, dir, file, "%s\n", rows[i][0]);
		(void)snprintf(file, sizeof(file), "%s%u_input", kind, i + 1);
		(void)put_counter(maker, form, dir, file, rows[i][1], MICROJOULES);
	}
}

static void put_altra(struct maker *maker)
{
	static const char *const rows[][2] = { { "CORE VRD", "core-0" },
					       { "SoC", "uncore-0" },
					       { "DIMM VRD1", "dram-0-1" },
					       { "DIMM VRD2", "dram-0-2" },
					       { "RCA VRD", "other" } };
	char dir[256];

	put_hwmon(maker, "sys/devices/platform/smpro-hwmon.1.auto", "smpro", dir);
	put_labels(maker, dir, "power", rows, 5, ES_TREE_POWER);
	put(maker, 0444, dir, "in0_input", "850\n");
}

static void put_power9(struct maker *maker)
{
	static const char *const energies[][2] = { { "System", "node" },
						   { "Chip 0", "package-0" } };
	static const char *const powers[][2] = {
		{ "System", "node-power" },    { "Chip 0", "package-0-power" },
		{ "Chip 0 Vdd", "core-0" },    { "Chip 0 Vdn", "uncore-0" },
		{ "Chip 0 Memory", "dram-0" }, { "Chip 0 GPU", "other-gpus" }
	};
	char dir[256];

	put_hwmon(maker, "sys/devices/platform/opal-sensor", "ibmpowernv", dir);
	put_labels(maker, dir, "energy", energies, 2, ES_TREE_FILE);
	put_labels(maker, dir, "power", powers, 6, ES_TREE_POWER);
}

static void put_scmi(struct maker *maker)
{
	static const char *const energies[][2] = { { "ENERGY-BIG", "other-big" },
						   { "ENERGY-LITTLE", "other-little" } };
	static const char *const powers[][2] = { { "SYS-POW", "other-sys" } };
	char dir[256];

	put_hwmon(maker, "sys/devices/platform/firmware:scmi/scmi_dev.5", "scmi_sensors", dir);
	put_labels(maker, dir, "energy", energies, 2, ES_TREE_FILE);
	put_labels(maker, dir, "power", powers, 1, ES_TREE_POWER);
}

/* A GPU on the bus; @ret: its folder. */
static void put_gpu(struct maker *maker, const char *address, const char *driver, unsigned vendor,
		    unsigned device, unsigned class, const char *status, char ret[256])
{
	char path[256], target[256];

	(void)snprintf(ret, 256, PCI "%s", address);
	put(maker, 0444, ret, "vendor", "0x%04x\n", vendor);
	put(maker, 0444, ret, "device", "0x%04x\n", device);
	put(maker, 0444, ret, "class", "0x%06x\n", class);
	put(maker, 0444, ret, "boot_vga", "0\n");
	put(maker, 0444, ret, "power/runtime_status", "%s\n", status);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	put(maker, 0444, path, "module/version", "6.12\n");
	(void)snprintf(target, sizeof(target), "%.200s/driver", ret);
	put_link(maker, target, path);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	put_link(maker, path, ret);
}

static void put_xe(struct maker *maker)
{
	static const char *const addresses[] = { "0000:4d:00.0", "0000:9a:00.0" };

	for (unsigned i = 0; i < 2; i++) {
		char device[256], dir[256], key[32];

		put_gpu(maker, addresses[i], "xe", 0x8086, 0xe20b, 0x030000, "active", device);
		put_hwmon(maker, device, "xe", dir);
		put(maker, 0444, dir, "energy1_label", "card\n");
		put(maker, 0444, dir, "energy2_label", "pkg\n");
		put(maker, 0644, dir, "power1_max", "190000000\n");
		put(maker, 0444, dir, "power1_label", "card\n");
		(void)snprintf(key, sizeof(key), "gpu-%u", i);
		(void)put_counter(maker, ES_TREE_FILE, dir, "energy1_input", key, ENERGY_UNIT_I915);
		(void)snprintf(key, sizeof(key), "gpu-%u-pkg", i);
		(void)put_counter(maker, ES_TREE_FILE, dir, "energy2_input", key, ENERGY_UNIT_I915);
	}
}

static void put_i915(struct maker *maker)
{
	char device[256], dir[256], name[32], key[32];

	put_gpu(maker, "0000:03:00.0", "i915", 0x8086, 0x56c1, 0x038000, "active", device);
	put_hwmon(maker, device, "i915", dir);
	put(maker, 0644, dir, "power1_max", "75000000\n");
	(void)put_counter(maker, ES_TREE_FILE, dir, "energy1_input", "gpu-0", ENERGY_UNIT_I915);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "i915_gt%u", i);
		put_hwmon(maker, device, name, dir);
		(void)snprintf(key, sizeof(key), "gpu-0-gt%u", i);
		(void)put_counter(maker, ES_TREE_FILE, dir, "energy1_input", key, ENERGY_UNIT_I915);
	}
}

/* Where the energy, the power and the two times are in each version; 0: nowhere. */
static const struct layout {
	unsigned char format, content;
	unsigned short size, energy, clock, firmware, power;
} layouts[] = {
	{ 1, 0, 80, 36, 8, 0, 34 },	{ 1, 1, 96, 24, 32, 0, 22 },
	{ 1, 2, 104, 24, 32, 96, 22 },	{ 1, 3, 120, 24, 32, 96, 22 },
	{ 1, 4, 288, 24, 32, 232, 10 }, { 1, 5, 360, 88, 96, 304, 10 },
	{ 2, 1, 120, 0, 0, 0, 0 },
};

static const struct layout *find_layout(unsigned format, unsigned content)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].format == format && layouts[i].content == content)
			return &layouts[i];
	return NULL;
}

size_t es_tree_metrics_put(unsigned char *data, size_t n, uint64_t energy, uint64_t clock_ns,
			   uint64_t firmware_10ns)
{
	const struct layout *layout = n >= 4 ? find_layout(data[2], data[3]) : NULL;

	if (!layout)
		return n;
	if (n < layout->size)
		memset(data + n, 0xff, layout->size - n);
	energy = htole64(energy);
	clock_ns = htole64(clock_ns);
	firmware_10ns = htole64(firmware_10ns);
	/* The first version's is 32 bits wide. */
	if (layout->energy)
		memcpy(data + layout->energy, &energy, layout->content == 0 ? 4 : 8);
	if (layout->clock)
		memcpy(data + layout->clock, &clock_ns, 8);
	if (layout->firmware)
		memcpy(data + layout->firmware, &firmware_10ns, 8);
	return layout->size;
}

static void put_metrics(struct maker *maker, const char *device, unsigned content, const char *key)
{
	const struct layout *layout = find_layout(content >> 4, content & 15);
	unsigned char data[512];
	struct es_tree_zone *zone;
	char full[5120];
	int fd;

	data[0] = (unsigned char)layout->size;
	data[1] = (unsigned char)(layout->size >> 8);
	data[2] = layout->format;
	data[3] = layout->content;
	put(maker, 0444, device, "gpu_metrics", "%s", "");
	if (maker->error)
		return;
	(void)snprintf(full, sizeof(full), "%s/%s/gpu_metrics", maker->tree->root, device);
	if (!layout->energy) {
		(void)es_tree_metrics_put(data, 4, 0, 0, 0);
	} else {
		zone = put_counter(maker, ES_TREE_METRICS, device, "gpu_metrics", key, AMD_UNIT);
		zone->offset = layout->energy;
		(void)es_tree_metrics_put(data, 4, zone->raw, 1000000000, 100000000);
	}
	/* An ordinary user can write his own file only so. */
	fd = chmod(full, 0600) < 0 ? -1 : open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, data, layout->size) != layout->size || fchmod(fd, 0444) < 0)
		maker->error = -errno;
	if (fd >= 0)
		(void)close(fd);
}

static void put_amd_gpu(struct maker *maker, unsigned i, unsigned pci_device, unsigned class,
			unsigned version, const char *status, const char *key)
{
	char device[256], dir[256], address[32], hwmon_key[64], path[256];

	(void)snprintf(address, sizeof(address), "0000:%02x:00.0", 0xc1 + 8 * i % 0x40);
	put_gpu(maker, address, "amdgpu", 0x1002, pci_device, class, status, device);
	put_metrics(maker, device, version, key);
	put_hwmon(maker, device, "amdgpu", dir);
	put(maker, 0444, dir, "power1_label", "PPT\n");
	if (version >> 4 == 2)
		put(maker, 0444, dir, "in1_label", "vddnb\n");
	put(maker, 0644, dir, "power1_cap", "560000000\n");
	(void)snprintf(hwmon_key, sizeof(hwmon_key), "%s-power", key);
	(void)put_counter(maker, ES_TREE_POWER, dir,
			  version == 0x15 ? "power1_input" : "power1_average", hwmon_key,
			  MICROJOULES);
	(void)snprintf(path, sizeof(path), "sys/class/drm/card%u/device", i);
	put_link(maker, path, device);
}

static void put_amd_gpus(struct maker *maker, unsigned n, unsigned pci_device, unsigned class,
			 unsigned version, const char *status, const char *word)
{
	char key[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "%s-%u", word, i);
		put_amd_gpu(maker, i, pci_device, class, version, status, key);
	}
}

/* The hwmon of each socket, which are all of one device. */
static void put_hsmp_hwmon(struct maker *maker, unsigned n)
{
	char dir[256], key[32];

	for (unsigned i = 0; i < n; i++) {
		put_hwmon(maker, "sys/devices/platform/amd_hsmp", "amd_hsmp_hwmon", dir);
		put(maker, 0644, dir, "power1_cap", "400000000\n");
		put(maker, 0444, dir, "power1_cap_max", "500000000\n");
		(void)snprintf(key, sizeof(key), "package-%u-hwmon", i);
		(void)put_counter(maker, ES_TREE_POWER, dir, "power1_input", key, MICROJOULES);
	}
}

/* /dev/hsmp as a file, which a test or a file system answers from. */
static void put_hsmp(struct maker *maker, unsigned n, unsigned shift)
{
	struct hsmp_socket sockets[HSMP_SOCKETS_MAX] = { 0 };
	char full[5120], key[32];
	int fd;

	put(maker, 0644, "dev", "hsmp", "%s", "");
	for (unsigned i = 0; i < n && !maker->error; i++) {
		struct es_tree_zone *zone;

		(void)snprintf(key, sizeof(key), "package-%u", i);
		zone = put_counter(maker, ES_TREE_REGISTER, "dev", "hsmp", key, AMD_UNIT);
		zone->offset = i * sizeof(sockets[0]);
		/* Beyond 32 bits: the upper word is not the tree's to move. */
		sockets[i] = (struct hsmp_socket){ .steps = zone->raw,
						   .shift = shift,
						   .power_mw = 100000 + i,
						   .limit_mw = 360000,
						   .limit_max_mw = 400000 };
	}
	if (maker->error)
		return;
	(void)snprintf(full, sizeof(full), "%s/dev/hsmp", maker->tree->root);
	fd = chmod(full, 0600) < 0 ? -1 : open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, sockets, n * sizeof(sockets[0])) < 0 || fchmod(fd, 0644) < 0)
		maker->error = -errno;
	if (fd >= 0)
		(void)close(fd);
}

/* Power and energy of whole sockets: what the modules of amdgpu show, once more. */
static void put_hsmp_tables(struct maker *maker, unsigned n)
{
	unsigned char data[1404] = { 1 };

	for (unsigned i = 0; i < n && !maker->error; i++) {
		struct es_tree_zone *zone;
		char dir[128], key[32], full[5120];
		int leader, fd;
		uint64_t both[2];

		(void)snprintf(dir, sizeof(dir), "sys/devices/platform/amd_hsmp/socket%u", i);
		(void)snprintf(key, sizeof(key), "module-%u", i);
		leader = es_tree_find(maker->tree, key);
		(void)snprintf(key, sizeof(key), "module-%u-hsmp", i);
		zone = put_counter(maker, ES_TREE_HSMP_TABLE, dir, "metrics_bin", key, AMD_UNIT);
		zone->offset = 60;
		zone->role = leader < 0 ? ES_TREE_PART : ES_TREE_FOLLOWER;
		zone->leader = leader;
		both[0] = htole64(1000000);
		both[1] = htole64(zone->raw);
		memcpy(data + 52, both, sizeof(both));
		(void)snprintf(full, sizeof(full), "%s/%s/metrics_bin", maker->tree->root, dir);
		fd = chmod(full, 0600) < 0 ? -1 : open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
		if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) || fchmod(fd, 0444) < 0)
			maker->error = -errno;
		if (fd >= 0)
			(void)close(fd);
	}
}

static void put_cray(struct maker *maker, enum es_tree_form form, unsigned n_accelerators)
{
	const char *time = form == ES_TREE_JOULES ? " 1734094386462336 us" : "";
	static const char *const parts[] = { "", "cpu_", "memory_" };
	char file[64], key[32];

	for (unsigned i = 0; i < 3 + n_accelerators; i++) {
		char prefix[32];
		struct es_tree_zone *zone;

		if (i < 3)
			(void)snprintf(prefix, sizeof(prefix), "%s", parts[i]);
		else
			(void)snprintf(prefix, sizeof(prefix), "accel%u_", i - 3);
		(void)snprintf(key, sizeof(key),
			       i < 3 ? (i == 0	 ? "node"
					: i == 1 ? "cpus"
						 : "dram")
				     : "gpu-%u",
			       i - 3);
		(void)snprintf(file, sizeof(file), "%senergy", prefix);
		zone = put_counter(maker, form, CRAY, file, key, JOULES);
		zone->role = i == 0 ? ES_TREE_PSYS : i == 1 ? ES_TREE_CPUS : ES_TREE_PART;
		/* Where the packages have no zones of their own the CPUs are one part. */
		if (i == 1 && es_tree_find(maker->tree, "package-0") < 0) {
			zone->role = ES_TREE_PART;
			(void)snprintf(zone->key, sizeof(zone->key), "package");
		}
		(void)snprintf(file, sizeof(file), "%spower", prefix);
		put(maker, 0444, CRAY, file, "100 W%s\n", time);
	}
	put(maker, 0444, CRAY, "power_cap", "0 W%s\n", time);
	for (unsigned i = 0; i < n_accelerators; i++) {
		(void)snprintf(file, sizeof(file), "accel%u_power_cap", i);
		put(maker, 0444, CRAY, file, "560 W%s\n", time);
	}
	put(maker, 0444, CRAY, "generation", "1\n");
	put(maker, 0444, CRAY, "startup", "1733000000000000\n");
	put(maker, 0444, CRAY, "freshness", "4242\n");
	put(maker, 0444, CRAY, "version", form == ES_TREE_JOULES ? "2\n" : "0\n");
	put(maker, 0444, CRAY, "raw_scan_hz", "10\n");
}

/* The node shows garbage, its CPUs power only, memory nothing, and an accelerator's energy belongs to root. */
static void put_cray_broken(struct maker *maker)
{
	put(maker, 0444, CRAY, "energy", "n/a J\n");
	put(maker, 0444, CRAY, "power", "\n");
	put(maker, 0444, CRAY, "cpu_power", "210 W 1734094386462336 us\n");
	put(maker, 0444, CRAY, "memory_energy", "%s", "");
	put(maker, 0400, CRAY, "accel0_energy", "77 J 1734094386462336 us\n");
	put(maker, 0444, CRAY, "freshness", "4242\n");
	put(maker, 0444, CRAY, "startup", "1733000000000000\n");
	put(maker, 0444, CRAY, "generation", "garbage\n");
}

int es_tree_put_meters(const struct es_tree_model *model, struct es_tree *tree)
{
	struct maker maker = { .tree = tree };

	switch (model->meters) {
	case ES_TREE_NO_METERS:
		break;
	case ES_TREE_AMD_ENERGY:
		put_amd_energy(&maker);
		break;
	case ES_TREE_GRACE:
		put_grace(&maker);
		break;
	case ES_TREE_ALTRA:
		put_altra(&maker);
		break;
	case ES_TREE_POWER9:
		put_power9(&maker);
		break;
	case ES_TREE_SCMI:
		put_scmi(&maker);
		break;
	case ES_TREE_XE:
		put_xe(&maker);
		break;
	case ES_TREE_I915:
		put_i915(&maker);
		break;
	case ES_TREE_MI250X:
		put_amd_gpus(&maker, 4, 0x7408, 0x038000, 0x13, "active", "gpu");
		break;
	case ES_TREE_MI300A:
		put_amd_gpus(&maker, 4, 0x74a0, 0x120000, 0x15, "active", "module");
		break;
	case ES_TREE_MI300A_HSMP:
		put_amd_gpus(&maker, 4, 0x74a0, 0x120000, 0x15, "active", "module");
		put_hsmp_hwmon(&maker, 4);
		put_hsmp_tables(&maker, 4);
		break;
	case ES_TREE_HSMP:
		put_hsmp(&maker, 2, 16);
		put_hsmp_hwmon(&maker, 2);
		break;
	case ES_TREE_HSMP_OLD:
		put_hsmp(&maker, 2, 0);
		break;
	case ES_TREE_AMD_APU:
		put_amd_gpus(&maker, 1, 0x15bf, 0x030000, 0x21, "active", "module");
		break;
	case ES_TREE_RADEON_ASLEEP:
		put_amd_gpus(&maker, 1, 0x744c, 0x030000, 0x13, "suspended", "gpu");
		break;
	case ES_TREE_CRAY:
		put_cray(&maker, ES_TREE_JOULES, 4);
		break;
	case ES_TREE_CRAY_OLD:
		put_cray(&maker, ES_TREE_OLD_JOULES, 0);
		break;
	case ES_TREE_CRAY_BROKEN:
		put_cray_broken(&maker);
		break;
	}
	return maker.error;
}
