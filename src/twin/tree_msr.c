/*
 * tree_msr.c - the model-specific registers of a simulated node's CPUs, as files where the kernel has devices
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * As the driver msr answers: eight bytes at the register's number, -EIO where the processor has none of it. At eight times the
 * number it answers, too: there a regular file has it for us (sys/msr.h), so that neighbours do not overlap.
 * Numbers and fields: Intel SDM vol. 4, 2.1 to 2.18; AMD PPR for family 19h, 2.1.16.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "twin/host.h"
#include "twin/rapl.h"
#include "twin/sysfs.h"

#define TREE_SHIFT 3U
#define TSC 0x10U
#define PLATFORM_INFO 0xceU
#define MPERF 0xe7U
#define APERF 0xe8U
#define PERF_STATUS 0x198U
#define THERM_STATUS 0x19cU
#define MISC_ENABLE 0x1a0U
#define TEMPERATURE_TARGET 0x1a2U
#define PACKAGE_THERM_STATUS 0x1b1U
#define PEAK_LIMIT 0x601U
#define RAPL_UNIT 0x606U
#define PKG_LIMIT 0x610U
#define DRAM_LIMIT 0x618U
#define UNCORE_RATIO_LIMIT 0x620U
#define UNCORE_PERF_STATUS 0x621U
#define AMD_MPERF_READ_ONLY 0xc00000e7U
#define AMD_APERF_READ_ONLY 0xc00000e8U
#define AMD_HWCR 0xc0010015U
#define AMD_UNIT 0xc0010299U
#define AMD_CORE 0xc001029aU
#define AMD_PKG 0xc001029bU
#define LAST_REGISTER AMD_PKG
#define KHZ_PER_RATIO 100000U
#define NO_TURBO (UINT64_C(1) << 38)
#define AMD_NO_BOOST (UINT64_C(1) << 25)

/** struct cpu - one CPU's file */
struct cpu {
	unsigned cpu, package, core;
	bool is_amd;
	/* Energy counters of its package, as powercap shows them, too. */
	struct es_twin_meter *meters[ES_TWIN_N_RAPL_DOMAINS];
};

enum field {
	ENERGY,
	LIMIT,
	INFO
};

/* Which register is which of RAPL's. */
static const struct {
	uint32_t reg;
	enum es_twin_rapl_domain domain;
	enum field field;
} rapl_registers[] = {
	{ 0x610, ES_TWIN_RAPL_PACKAGE, LIMIT }, { 0x611, ES_TWIN_RAPL_PACKAGE, ENERGY },
	{ 0x614, ES_TWIN_RAPL_PACKAGE, INFO },	{ 0x618, ES_TWIN_RAPL_DRAM, LIMIT },
	{ 0x619, ES_TWIN_RAPL_DRAM, ENERGY },	{ 0x61c, ES_TWIN_RAPL_DRAM, INFO },
	{ 0x638, ES_TWIN_RAPL_CORE, LIMIT },	{ 0x639, ES_TWIN_RAPL_CORE, ENERGY },
	{ 0x640, ES_TWIN_RAPL_UNCORE, LIMIT },	{ 0x641, ES_TWIN_RAPL_UNCORE, ENERGY },
	{ 0x64d, ES_TWIN_RAPL_PSYS, ENERGY },	{ 0x65c, ES_TWIN_RAPL_PSYS, LIMIT },
};

static int read_energy(const struct es_twin_file *file, enum es_twin_rapl_domain domain,
		       int64_t t_ns, uint64_t *ret)
{
	const struct cpu *cpu = file->data;
	int r;

	if (!cpu->meters[domain])
		return -EIO;
	r = es_twin_meter_raw(cpu->meters[domain], file->host->node, t_ns, ret);
	/* Whatever befell the counter, the driver knows one error. */
	return r < 0 ? -EIO : 0;
}

static int read_rapl(const struct es_twin_file *file, uint32_t reg, int64_t t_ns, uint64_t *ret)
{
	const struct cpu *cpu = file->data;
	const struct es_twin_rapl_zone *zone;
	size_t i = 0;

	while (i < ES_ARRAY_SIZE(rapl_registers) && rapl_registers[i].reg != reg)
		i++;
	if (i == ES_ARRAY_SIZE(rapl_registers))
		return -EIO;
	if (rapl_registers[i].field == ENERGY)
		return read_energy(file, rapl_registers[i].domain, t_ns, ret);
	zone = es_twin_rapl_find(file->host->rapl, rapl_registers[i].domain, cpu->package, false);
	if (!zone || zone->n_limits == 0)
		return -EIO;
	*ret = rapl_registers[i].field == LIMIT ? zone->limit : zone->info;
	return 0;
}

/* Degrees below the temperature at which it throttles, whether it does, and whether it ever did. */
static uint64_t therm_status(const struct es_twin_host *host, unsigned package)
{
	int64_t at_mc = es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, package);
	int64_t below_c = (host->kind->cpu.hottest_mc - at_mc) / 1000;
	struct es_twin_throttle throttle;
	uint64_t bits = UINT64_C(1) << 31 | UINT64_C(1) << 27;

	es_twin_throttle(host->node, package, &throttle);
	bits |= (uint64_t)(below_c < 0 ? 0 : below_c > 127 ? 127 : below_c) << 16;
	bits |= (uint64_t)throttle.is_by_heat | (uint64_t)(throttle.n_heat > 0) << 1;
	return bits | (uint64_t)throttle.is_by_power << 10 | (uint64_t)(throttle.n_power > 0) << 11;
}

/* No CPU comes up without having worked: firmware ran on it, and the kernel. */
static uint64_t cycles_before(unsigned cpu)
{
	return (UINT64_C(1) << 36) + cpu * UINT64_C(0x1234567);
}

/* What both makers' processors have. */
static int read_common(const struct es_twin_file *file, uint32_t reg, int64_t t_ns, uint64_t *ret)
{
	const struct es_twin_node *node = file->host->node;
	const struct cpu *cpu = file->data;
	struct es_twin_cpu_state state;

	es_twin_cpu_state(node, cpu->cpu, &state);
	switch (reg) {
	case TSC:
		*ret = (uint64_t)((es_u128)(uint64_t)t_ns * file->host->kind->cpu.base_mhz / 1000);
		return 0;
	case MPERF:
		*ret = state.mperf + cycles_before(cpu->cpu);
		return 0;
	case APERF:
		*ret = state.aperf + cycles_before(cpu->cpu);
		return 0;
	default:
		return -EIO;
	}
}

static int read_intel(const struct es_twin_file *file, uint32_t reg, int64_t t_ns, uint64_t *ret)
{
	const struct es_twin_host *host = file->host;
	const struct es_twin_cpu *model = &host->kind->cpu;
	const struct cpu *cpu = file->data;
	const struct es_twin_rapl_zone *zone;

	switch (reg) {
	case PLATFORM_INFO:
		*ret = (uint64_t)model->base_mhz / 100 << 8 | UINT64_C(3) << 28 |
		       (uint64_t)model->min_mhz / 100 << 40;
		return 0;
	case PERF_STATUS:
		*ret = es_twin_core_khz(host->node, cpu->cpu) / KHZ_PER_RATIO << 8;
		return 0;
	case MISC_ENABLE:
		*ret = 0x850089 | (es_twin_turbo(host->node) ? 0 : NO_TURBO);
		return 0;
	case TEMPERATURE_TARGET:
		*ret = (uint64_t)(model->hottest_mc / 1000) << 16;
		return 0;
	case THERM_STATUS:
	case PACKAGE_THERM_STATUS:
		*ret = therm_status(host, cpu->package);
		return 0;
	case RAPL_UNIT:
		if (!cpu->meters[ES_TWIN_RAPL_PACKAGE])
			return -EIO;
		*ret = ES_TWIN_RAPL_UNITS_INTEL;
		return 0;
	case PEAK_LIMIT:
		zone = es_twin_rapl_find(host->rapl, ES_TWIN_RAPL_PACKAGE, cpu->package, false);
		if (!zone || zone->n_limits < 3)
			return -EIO;
		*ret = zone->peak;
		return 0;
	case UNCORE_RATIO_LIMIT:
		*ret = host->rapl->uncore[cpu->package];
		return model->uncore_max_mhz ? 0 : -EIO;
	case UNCORE_PERF_STATUS:
		*ret = es_twin_uncore_khz(host->node, cpu->package) / KHZ_PER_RATIO;
		return model->uncore_max_mhz ? 0 : -EIO;
	default:
		return read_rapl(file, reg, t_ns, ret);
	}
}

static int read_amd(const struct es_twin_file *file, uint32_t reg, int64_t t_ns, uint64_t *ret)
{
	const struct cpu *cpu = file->data;
	int r;

	switch (reg) {
	case AMD_MPERF_READ_ONLY:
		return read_common(file, MPERF, t_ns, ret);
	case AMD_APERF_READ_ONLY:
		return read_common(file, APERF, t_ns, ret);
	case AMD_HWCR:
		*ret = es_twin_turbo(file->host->node) ? 0 : AMD_NO_BOOST;
		return 0;
	case AMD_UNIT:
		*ret = ES_TWIN_RAPL_UNITS_AMD;
		return cpu->meters[ES_TWIN_RAPL_PACKAGE] ? 0 : -EIO;
	case AMD_PKG:
		return read_energy(file, ES_TWIN_RAPL_PACKAGE, t_ns, ret);
	case AMD_CORE:
		/* One meter for all cores, each of which draws the same share; they began at different counts. */
		r = read_energy(file, ES_TWIN_RAPL_CORE, t_ns, ret);
		if (r == 0)
			*ret = (*ret + cpu->core * UINT64_C(0x1234567)) & UINT32_MAX;
		return r;
	default:
		return -EIO;
	}
}

static int read_register(const struct es_twin_file *file, uint64_t reg, int64_t t_ns, uint64_t *ret)
{
	const struct cpu *cpu = file->data;
	int r;

	if (reg > LAST_REGISTER)
		return -EIO;
	r = read_common(file, (uint32_t)reg, t_ns, ret);
	if (r == 0)
		return 0;
	return cpu->is_amd ? read_amd(file, (uint32_t)reg, t_ns, ret)
			   : read_intel(file, (uint32_t)reg, t_ns, ret);
}

/* However many are asked for, they are all of the one register (msr_read() of the driver). */
static ssize_t read_at(const struct es_twin_file *file, int64_t t_ns, off_t at, void *data,
		       size_t n)
{
	uint64_t value = 0;

	if (n % sizeof(value) != 0 || at < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i += sizeof(value)) {
		int r = read_register(file, (uint64_t)at, t_ns, &value);

		if (r < 0 && at % (1 << TREE_SHIFT) == 0)
			r = read_register(file, (uint64_t)at >> TREE_SHIFT, t_ns, &value);
		if (r < 0)
			return i ? (ssize_t)i : r;
		value = htole64(value);
		memcpy((char *)data + i, &value, sizeof(value));
	}
	return (ssize_t)n;
}

static int write_register(const struct es_twin_file *file, uint64_t reg, uint64_t value)
{
	const struct cpu *cpu = file->data;
	struct es_twin_rapl_zone *zone;

	if (cpu->is_amd)
		return -EIO;
	if (reg == UNCORE_RATIO_LIMIT && file->host->kind->cpu.uncore_max_mhz)
		return es_twin_uncore_write(file->host, cpu->package, value) < 0 ? -EIO : 0;
	if (reg != PKG_LIMIT && reg != DRAM_LIMIT)
		return -EIO;
	zone = es_twin_rapl_find(file->host->rapl,
				 reg == PKG_LIMIT ? ES_TWIN_RAPL_PACKAGE : ES_TWIN_RAPL_DRAM,
				 cpu->package, false);
	/* A locked register faults until the next reset. */
	if (!zone || zone->n_limits == 0 || es_twin_rapl_is_locked(zone))
		return -EIO;
	return es_twin_rapl_set(file->host, zone, value, zone->peak) < 0 ? -EIO : 0;
}

static ssize_t write_at(const struct es_twin_file *file, int64_t t_ns, off_t at, const void *data,
			size_t n)
{
	(void)t_ns;
	if (n % sizeof(uint64_t) != 0 || at < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
		uint64_t value;
		int r;

		memcpy(&value, (const char *)data + i, sizeof(value));
		r = write_register(file, (uint64_t)at, le64toh(value));
		if (r < 0)
			return i ? (ssize_t)i : r;
	}
	return (ssize_t)n;
}

static const struct es_twin_file_ops msr_ops = {
	.read_at = read_at,
	.write_at = write_at,
	.size = ((int64_t)LAST_REGISTER + 1) << TREE_SHIFT,
};

/* Families of which AMD's own driver says so; Linux masks 32 bits everywhere. */
static unsigned bits_of(const struct es_twin_cpu *cpu)
{
	static const unsigned char models[] = { 0x10, 0x11, 0x90, 0xa0 };

	for (size_t i = 0; i < sizeof(models); i++)
		if (cpu->family == 0x19 && cpu->number == models[i])
			return 64;
	return 32;
}

static void make_meters(struct es_twin_host *host, unsigned package,
			struct es_twin_meter *meters[ES_TWIN_N_RAPL_DOMAINS])
{
	for (int domain = 0; domain < ES_TWIN_N_RAPL_DOMAINS; domain++) {
		const struct es_twin_rapl_zone *zone = es_twin_rapl_find(
			host->rapl, (enum es_twin_rapl_domain)domain, package, false);
		bool is_wide = domain == ES_TWIN_RAPL_PACKAGE;

		if (zone)
			meters[domain] = es_twin_rapl_meter(
				host, zone, "msr", is_wide ? bits_of(&host->kind->cpu) : 32);
	}
}

void es_twin_make_msr(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	unsigned n_cores = kind->n_packages * kind->cpu.n_cores, n = n_cores * kind->cpu.n_threads;
	struct es_twin_meter *meters[ES_TWIN_RAPL_PACKAGES_MAX][ES_TWIN_N_RAPL_DOMAINS] = { 0 };
	struct cpu *cpus;

	if (!kind->meters.has_msr || !es_twin_rapl(host))
		return;
	cpus = es_twin_tree_keep(host->tree, n * sizeof(*cpus));
	for (unsigned package = 0; package < kind->n_packages; package++)
		make_meters(host, package, meters[package]);
	/* Numbered by thread, package, core. */
	for (unsigned i = 0; cpus && i < n; i++) {
		struct es_twin_file file = { .data = &cpus[i] };
		char dir[32];

		cpus[i] = (struct cpu){ .cpu = i,
					.package = i % n_cores / kind->cpu.n_cores,
					.core = i % kind->cpu.n_cores,
					.is_amd = strcmp(kind->cpu.vendor, "GenuineIntel") != 0 };
		memcpy(cpus[i].meters, meters[cpus[i].package], sizeof(cpus[i].meters));
		/* What befalls the package's counter befalls the whole device: it is gone, slow, or answers nothing. */
		file.meter = cpus[i].meters[ES_TWIN_RAPL_PACKAGE];
		(void)snprintf(dir, sizeof(dir), "dev/cpu/%u", i);
		es_twin_put_file(host->tree, 0600, dir, "msr", &msr_ops, &file);
	}
}
