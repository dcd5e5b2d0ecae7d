/*
 * tree_powercap.c - the zones of powercap as a simulated node has them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Layout, modes, arithmetic and errors after Linux 6.12: drivers/powercap/powercap_sys.c, intel_rapl_common.c,
 * intel_rapl_msr.c, and the MMIO twin of drivers/thermal/intel/int340x_thermal.
 */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "twin/host.h"
#include "twin/rapl.h"
#include "twin/sysfs.h"

#define POWERCAP "sys/devices/virtual/powercap"
#define CLASS "sys/class/powercap"
#define PEAK 2U
#define RAW_MAX UINT64_C(0xffffffff)
#define ENABLES ((UINT64_C(1) << 15 | UINT64_C(1) << 16))
#define SECOND_ENABLES (ENABLES << 32)
#define SECOND_SHIFT 32U
#define WINDOW_SHIFT 17U
#define WINDOW_MASK UINT64_C(0x7f)

/* The zone that a file is of; its constraint is file->a. */
static struct es_twin_rapl_zone *zone_of(const struct es_twin_file *file)
{
	return (struct es_twin_rapl_zone *)file->data;
}

static int show_energy(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	const struct es_twin_rapl_zone *zone = zone_of(file);
	uint64_t raw;
	int r = es_twin_meter_raw(file->meter, file->host->node, t_ns, &raw);

	(void)handle;
	if (r < 0)
		return r;
	return es_twin_put_u64(out, raw * zone->unit_nj / 1000);
}

/* Where it is locked powercap shows 0. */
static int show_enabled(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct es_twin_rapl_zone *zone = zone_of(file);
	bool is_enabled = zone->n_limits && !es_twin_rapl_is_locked(zone) &&
			  es_twin_rapl_is_enabled(zone, 0);

	(void)handle;
	(void)t_ns;
	return es_buf_str(out, is_enabled ? "1\n" : "0\n");
}

/* The first limit with its clamp, and the second, too, where there is one (set_floor_freq_default()). */
static int store_enabled(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 const char *text)
{
	struct es_twin_rapl_zone *zone = zone_of(file);
	uint64_t bits = zone->n_limits > 1 ? ENABLES | SECOND_ENABLES : ENABLES;
	bool is_on;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtobool(text, &is_on) < 0)
		return -EINVAL;
	/* Every failure behind the wrapper is "not implemented". */
	if (zone->n_limits == 0 || es_twin_rapl_is_locked(zone) ||
	    es_twin_rapl_set(file->host, zone, is_on ? zone->limit | bits : zone->limit & ~bits,
			     zone->peak) < 0)
		return -ENOSYS;
	return 0;
}

/* A control type of RAPL has nothing that could be switched. */
static int store_control_enabled(const struct es_twin_file *file, void *handle, int64_t t_ns,
				 const char *text)
{
	bool is_on;

	(void)file;
	(void)handle;
	(void)t_ns;
	return es_twin_kstrtobool(text, &is_on) < 0 ? -EINVAL : -ENOSYS;
}

static int show_control_enabled(const struct es_twin_file *file, void *handle, int64_t t_ns,
				struct es_buf *out)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, "1\n");
}

static int show_limit(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	const struct es_twin_rapl_zone *zone = zone_of(file);
	uint64_t power = file->a == PEAK ? zone->peak : es_twin_rapl_power(zone, file->a);

	(void)handle;
	(void)t_ns;
	return es_twin_put_u64(out, power * ES_TWIN_RAPL_POWER_UW);
}

/* What is more than the field holds is cut off, not refused: the kernel masks it. */
static int store_limit(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	struct es_twin_rapl_zone *zone = zone_of(file);
	unsigned shift = file->a * SECOND_SHIFT;
	uint64_t power_uw, power, limit = zone->limit, peak = zone->peak;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtou64(text, 10, UINT64_MAX, &power_uw) < 0)
		return -EINVAL;
	power = power_uw / ES_TWIN_RAPL_POWER_UW;
	if (file->a == PEAK)
		peak = power & ES_TWIN_RAPL_PEAK_MASK;
	else
		limit = (limit & ~(ES_TWIN_RAPL_POWER_MASK << shift)) |
			(power & ES_TWIN_RAPL_POWER_MASK) << shift;
	/* -EACCES where firmware locked it; the wrapper makes -ENODATA of every error. */
	if ((es_twin_rapl_is_locked(zone) && file->a != PEAK) ||
	    es_twin_rapl_set(file->host, zone, limit, peak) < 0)
		return -ENODATA;
	return 0;
}

static int show_window(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	const struct es_twin_rapl_zone *zone = zone_of(file);

	(void)handle;
	(void)t_ns;
	if (file->a == PEAK)
		return -ENODATA;
	return es_twin_put_u64(out, es_twin_rapl_window_us(es_twin_rapl_window(zone, file->a)));
}

static int store_window(const struct es_twin_file *file, void *handle, int64_t t_ns,
			const char *text)
{
	struct es_twin_rapl_zone *zone = zone_of(file);
	unsigned shift = file->a * SECOND_SHIFT + WINDOW_SHIFT;
	uint64_t window_us, limit;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtou64(text, 10, UINT64_MAX, &window_us) < 0)
		return -EINVAL;
	if (file->a == PEAK || es_twin_rapl_is_locked(zone))
		return -ENODATA;
	limit = (zone->limit & ~(WINDOW_MASK << shift)) |
		(uint64_t)es_twin_rapl_window_raw(window_us) << shift;
	return es_twin_rapl_set(file->host, zone, limit, zone->peak) < 0 ? -ENODATA : 0;
}

/* Only a package and DRAM have a register that says it. The kernel takes twice the second for the third. */
static int show_max_power(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  struct es_buf *out)
{
	const struct es_twin_rapl_zone *zone = zone_of(file);
	uint64_t power = zone->info >> (file->a ? 32 : 0) & ES_TWIN_RAPL_POWER_MASK;

	(void)handle;
	(void)t_ns;
	if (zone->domain != ES_TWIN_RAPL_PACKAGE && zone->domain != ES_TWIN_RAPL_DRAM)
		return -ENODATA;
	return es_twin_put_u64(out, power * ES_TWIN_RAPL_POWER_UW * (file->a == PEAK ? 2 : 1));
}

static const struct es_twin_file_ops energy_ops = { .show = show_energy };
static const struct es_twin_file_ops enabled_ops = { .show = show_enabled, .store = store_enabled };
static const struct es_twin_file_ops control_enabled_ops = { .show = show_control_enabled,
							     .store = store_control_enabled };
static const struct es_twin_file_ops limit_ops = { .show = show_limit, .store = store_limit };
static const struct es_twin_file_ops window_ops = { .show = show_window, .store = store_window };
static const struct es_twin_file_ops max_power_ops = { .show = show_max_power };

static void make_constraints(struct es_twin_host *host, const char *dir,
			     struct es_twin_rapl_zone *zone)
{
	static const char *const names[] = { "long_term", "short_term", "peak_power" };

	for (unsigned i = 0; i < zone->n_limits && i < ES_ARRAY_SIZE(names); i++) {
		const struct es_twin_file file = { .a = i, .data = zone };
		char attr[64];

		(void)snprintf(attr, sizeof(attr), "constraint_%u_name", i);
		es_twin_put_text(host->tree, 0444, dir, attr, "%s\n", names[i]);
		(void)snprintf(attr, sizeof(attr), "constraint_%u_power_limit_uw", i);
		es_twin_put_file(host->tree, 0644, dir, attr, &limit_ops, &file);
		(void)snprintf(attr, sizeof(attr), "constraint_%u_time_window_us", i);
		es_twin_put_file(host->tree, 0644, dir, attr, &window_ops, &file);
		(void)snprintf(attr, sizeof(attr), "constraint_%u_max_power_uw", i);
		es_twin_put_file(host->tree, 0444, dir, attr, &max_power_ops, &file);
	}
}

/* What powercap_register_zone() makes: "%s:%x" of what it lies in and its id. @name becomes the zone's. */
static void make_zone(struct es_twin_host *host, struct es_twin_rapl_zone *zone, const char *above,
		      const char *parent, unsigned id, char name[static 64])
{
	const struct es_twin_file file = { .data = zone };
	const struct es_twin_file energy = {
		.data = zone, .meter = es_twin_rapl_meter(host, zone, "powercap", 32)
	};
	char dir[ES_TWIN_SYSFS_PATH_BYTES], word[32];

	(void)snprintf(name, 64, "%.40s:%x", parent, id);
	(void)snprintf(dir, sizeof(dir), "%.180s/%.63s", above, name);
	es_twin_rapl_name(zone, word);
	es_twin_put_text(host->tree, 0444, dir, "name", "%s\n", word);
	es_twin_put_text(host->tree, 0444, dir, "max_energy_range_uj", "%llu\n",
			 (unsigned long long)(RAW_MAX * zone->unit_nj / 1000));
	es_twin_put_file(host->tree, 0400, dir, "energy_uj", &energy_ops, &energy);
	es_twin_put_file(host->tree, 0644, dir, "enabled", &enabled_ops, &file);
	make_constraints(host, dir, zone);
	es_twin_make_device(host->tree, dir, CLASS);
	es_twin_put_link(host->tree, dir, "device", above);
	es_twin_put_link(host->tree, CLASS, name, dir);
}

static void make_control(struct es_twin_host *host, const char *name)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), POWERCAP "/%s", name);
	es_twin_put_file(host->tree, 0644, dir, "enabled", &control_enabled_ops,
			 &(struct es_twin_file){ .data = NULL });
	es_twin_make_device(host->tree, dir, CLASS);
	es_twin_put_link(host->tree, CLASS, name, dir);
}

/* A package with what is in it; psys stands beside it, as the next zone of the control type. */
static void make_package(struct es_twin_host *host, struct es_twin_rapl *rapl, unsigned package,
			 unsigned *id)
{
	struct es_twin_rapl_zone *zone =
		es_twin_rapl_find(rapl, ES_TWIN_RAPL_PACKAGE, package, false);
	char name[64], above[ES_TWIN_SYSFS_PATH_BYTES], child_name[64];
	unsigned child = 0;

	if (zone) {
		make_zone(host, zone, POWERCAP "/intel-rapl", "intel-rapl", (*id)++, name);
		(void)snprintf(above, sizeof(above), POWERCAP "/intel-rapl/%s", name);
		for (int domain = ES_TWIN_RAPL_CORE; domain < ES_TWIN_RAPL_PSYS; domain++) {
			struct es_twin_rapl_zone *part = es_twin_rapl_find(
				rapl, (enum es_twin_rapl_domain)domain, package, false);

			if (part)
				make_zone(host, part, above, name, child++, child_name);
		}
	}
	zone = es_twin_rapl_find(rapl, ES_TWIN_RAPL_PSYS, package, false);
	if (zone)
		make_zone(host, zone, POWERCAP "/intel-rapl", "intel-rapl", (*id)++, name);
}

void es_twin_make_powercap(struct es_twin_host *host)
{
	struct es_twin_rapl *rapl = es_twin_rapl(host);
	struct es_twin_rapl_zone *mmio = es_twin_rapl_find(rapl, ES_TWIN_RAPL_PACKAGE, 0, true);
	unsigned id = 0;
	char name[64];

	/* The class is there in every kernel that was built with it. */
	es_twin_tree_dir(host->tree, CLASS);
	if (!rapl || rapl->n == 0)
		return;
	make_control(host, "intel-rapl");
	for (unsigned package = 0; package < host->kind->n_packages; package++)
		make_package(host, rapl, package, &id);
	if (!mmio)
		return;
	make_control(host, "intel-rapl-mmio");
	make_zone(host, mmio, POWERCAP "/intel-rapl-mmio", "intel-rapl-mmio", 0, name);
}
