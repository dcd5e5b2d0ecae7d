/*
 * rapl.c - RAPL's registers: what powercap's zones and the registers of the CPUs are two views of
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Fields after Intel SDM vol. 3B, 15.10, arithmetic after Linux 6.12, drivers/powercap/intel_rapl_common.c.
 */
#include "twin/rapl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "twin/sysfs.h"

#define FJ_PER_J UINT64_C(1000000000000000)
#define FJ_PER_NJ UINT64_C(1000000)
#define UPDATE_NS 976562 /* 1/1024 s */
#define JITTER_NS 40000
#define DEAD_NJ 1000000000U
#define RATIO_MHZ 100U
#define RATIO_MASK 0x7fU
#define WINDOW_MASK UINT64_C(0x7f)
#define WINDOW_EXPONENT_MAX 0x1fU
#define LOW_LOCK (UINT64_C(1) << 31)
#define HIGH_LOCK (UINT64_C(1) << 63)

/* Bits of a power limit: the second is the first, 32 bits higher. */
#define ENABLE_SHIFT 15U
#define CLAMP_SHIFT 16U
#define WINDOW_SHIFT 17U
#define SECOND_SHIFT 32U

static unsigned unit_of(const struct es_twin_kind *kind, enum es_twin_rapl_domain domain,
			unsigned package)
{
	const struct es_twin_meters *meters = &kind->meters;

	switch (domain) {
	case ES_TWIN_RAPL_PACKAGE:
		return meters->rapl_nj;
	case ES_TWIN_RAPL_CORE:
		return meters->has_cores_zone ? meters->rapl_nj : 0;
	case ES_TWIN_RAPL_UNCORE:
		return meters->has_graphics_zone ? meters->rapl_nj : 0;
	case ES_TWIN_RAPL_DRAM:
		return meters->dram_nj;
	case ES_TWIN_RAPL_PSYS:
		if (meters->psys == ES_TWIN_NO_PSYS ||
		    (package > 0 && meters->psys != ES_TWIN_PSYS_EACH))
			return 0;
		return meters->psys_nj ? meters->psys_nj : DEAD_NJ;
	case ES_TWIN_N_RAPL_DOMAINS:
		break;
	}
	return 0;
}

/* AMD has none; Linux' rapl_msr_priv_intel and the parts with PL4 say which domain has how many. */
static unsigned n_limits_of(const struct es_twin_kind *kind, enum es_twin_rapl_domain domain)
{
	if (strcmp(kind->cpu.vendor, "GenuineIntel") != 0)
		return 0;
	if (domain == ES_TWIN_RAPL_PACKAGE)
		return kind->cpu.peak_w ? 3 : 2;
	return domain == ES_TWIN_RAPL_PSYS ? 2 : 1;
}

enum es_twin_part es_twin_rapl_part(const struct es_twin_rapl_zone *zone, size_t *ret_i)
{
	static const enum es_twin_part parts[ES_TWIN_N_RAPL_DOMAINS] = {
		[ES_TWIN_RAPL_PACKAGE] = ES_TWIN_PACKAGE, [ES_TWIN_RAPL_CORE] = ES_TWIN_CORES,
		[ES_TWIN_RAPL_UNCORE] = ES_TWIN_GRAPHICS, [ES_TWIN_RAPL_DRAM] = ES_TWIN_DRAM,
		[ES_TWIN_RAPL_PSYS] = ES_TWIN_BOARD,
	};

	/* Each package's psys shows the one board. */
	*ret_i = zone->domain == ES_TWIN_RAPL_PSYS ? 0 : zone->package;
	return parts[zone->domain];
}

uint64_t es_twin_rapl_window_us(unsigned raw)
{
	return (UINT64_C(1) << (raw & WINDOW_EXPONENT_MAX)) * (4 + (raw >> 5 & 3)) *
	       ES_TWIN_RAPL_TIME_US / 4;
}

unsigned es_twin_rapl_window_raw(uint64_t window_us)
{
	uint64_t units = window_us / ES_TWIN_RAPL_TIME_US;
	unsigned exponent;

	if (units == 0)
		return 0;
	exponent = 63U - (unsigned)__builtin_clzll(units);
	if (exponent > WINDOW_EXPONENT_MAX)
		return WINDOW_MASK;
	return exponent | (unsigned)(4 * (units - (UINT64_C(1) << exponent)) >> exponent & 3) << 5;
}

uint64_t es_twin_rapl_power(const struct es_twin_rapl_zone *zone, unsigned i)
{
	return zone->limit >> (i * SECOND_SHIFT) & ES_TWIN_RAPL_POWER_MASK;
}

unsigned es_twin_rapl_window(const struct es_twin_rapl_zone *zone, unsigned i)
{
	return (unsigned)(zone->limit >> (i * SECOND_SHIFT + WINDOW_SHIFT) & WINDOW_MASK);
}

bool es_twin_rapl_is_enabled(const struct es_twin_rapl_zone *zone, unsigned i)
{
	return zone->limit >> (i * SECOND_SHIFT + ENABLE_SHIFT) & 1;
}

bool es_twin_rapl_is_locked(const struct es_twin_rapl_zone *zone)
{
	return zone->limit & (zone->n_limits > 1 ? HIGH_LOCK : LOW_LOCK);
}

static uint64_t limit_bits(uint64_t power_uw, int64_t window_us, bool is_enabled, unsigned i)
{
	uint64_t power = power_uw / ES_TWIN_RAPL_POWER_UW & ES_TWIN_RAPL_POWER_MASK;
	uint64_t window = es_twin_rapl_window_raw((uint64_t)(window_us > 0 ? window_us : 0));

	return (power | (uint64_t)is_enabled << ENABLE_SHIFT | (uint64_t)is_enabled << CLAMP_SHIFT |
		window << WINDOW_SHIFT)
	       << (i * SECOND_SHIFT);
}

static uint64_t eighths(double power_w)
{
	return (uint64_t)(power_w * 8) & ES_TWIN_RAPL_POWER_MASK;
}

/* As firmware leaves them: what the node is limited to at its start. */
static void fill(struct es_twin_host *host, struct es_twin_rapl_zone *zone)
{
	const struct es_twin_cpu *cpu = &host->kind->cpu;
	enum es_twin_part part;
	size_t i;

	part = es_twin_rapl_part(zone, &i);
	for (unsigned c = 0; c < zone->n_limits; c++) {
		struct es_twin_limit limit;

		if (es_twin_limit(host->node, part, zone->package, c, &limit) < 0)
			continue;
		if (c < 2)
			zone->limit |=
				limit_bits(limit.power_uw, limit.window_us, limit.is_enabled, c);
		else
			zone->peak = limit.power_uw / ES_TWIN_RAPL_POWER_UW &
				     ES_TWIN_RAPL_PEAK_MASK;
	}
	/* TDP, lowest and highest limit that makes sense. */
	if (zone->n_limits && zone->domain == ES_TWIN_RAPL_PACKAGE)
		zone->info = eighths(cpu->tdp_w) | eighths(cpu->tdp_w / 2.0) << 16 |
			     eighths(2.0 * cpu->tdp_w) << 32;
	if (zone->n_limits && zone->domain == ES_TWIN_RAPL_DRAM)
		zone->info = eighths(1.25 * cpu->dram_busy_w) | eighths(1.25 * cpu->dram_busy_w)
									<< 32;
}

static void add(struct es_twin_host *host, struct es_twin_rapl *rapl,
		enum es_twin_rapl_domain domain, unsigned package, bool is_mmio)
{
	struct es_twin_rapl_zone *zone = &rapl->zones[rapl->n];

	*zone = (struct es_twin_rapl_zone){ .domain = domain,
					    .package = package,
					    .is_mmio = is_mmio,
					    .unit_nj = unit_of(host->kind, domain, package),
					    .n_limits = n_limits_of(host->kind, domain) };
	if (zone->unit_nj == 0)
		return;
	fill(host, zone);
	rapl->n++;
}

struct es_twin_rapl *es_twin_rapl(struct es_twin_host *host)
{
	struct es_twin_rapl *rapl = host->rapl;

	if (rapl)
		return rapl;
	if (host->kind->n_packages > ES_TWIN_RAPL_PACKAGES_MAX) {
		es_twin_tree_fail(host->tree, "rapl", -E2BIG);
		return NULL;
	}
	rapl = es_twin_tree_keep(host->tree, sizeof(*rapl));
	if (!rapl)
		return NULL;
	for (unsigned package = 0; package < host->kind->n_packages; package++)
		for (int domain = 0; domain < ES_TWIN_N_RAPL_DOMAINS; domain++)
			add(host, rapl, (enum es_twin_rapl_domain)domain, package, false);
	for (unsigned package = 0; package < host->kind->n_packages; package++)
		rapl->uncore[package] = host->kind->cpu.uncore_max_mhz / RATIO_MHZ |
					(uint64_t)(host->kind->cpu.uncore_min_mhz / RATIO_MHZ) << 8;
	if (host->kind->meters.has_mmio)
		add(host, rapl, ES_TWIN_RAPL_PACKAGE, 0, true);
	host->rapl = rapl;
	return rapl;
}

struct es_twin_rapl_zone *es_twin_rapl_find(struct es_twin_rapl *rapl,
					    enum es_twin_rapl_domain domain, unsigned package,
					    bool is_mmio)
{
	for (size_t i = 0; rapl && i < rapl->n; i++)
		if (rapl->zones[i].domain == domain && rapl->zones[i].package == package &&
		    rapl->zones[i].is_mmio == is_mmio)
			return &rapl->zones[i];
	return NULL;
}

static const char *const words[ES_TWIN_N_RAPL_DOMAINS] = {
	[ES_TWIN_RAPL_PACKAGE] = "package", [ES_TWIN_RAPL_CORE] = "core",
	[ES_TWIN_RAPL_UNCORE] = "uncore",   [ES_TWIN_RAPL_DRAM] = "dram",
	[ES_TWIN_RAPL_PSYS] = "psys",
};

void es_twin_rapl_key(const struct es_twin_rapl_zone *zone, char key[static 32])
{
	if (zone->domain == ES_TWIN_RAPL_PSYS && zone->package == 0)
		(void)snprintf(key, 32, "psys");
	else
		(void)snprintf(key, 32, "%s-%u", words[zone->domain], zone->package);
}

void es_twin_rapl_name(const struct es_twin_rapl_zone *zone, char name[static 32])
{
	if (zone->domain == ES_TWIN_RAPL_PACKAGE || zone->domain == ES_TWIN_RAPL_PSYS)
		es_twin_rapl_key(zone, name);
	else
		(void)snprintf(name, 32, "%s", words[zone->domain]);
}

/* The kernel's whole nJ stand for 2^-n J; other units are what they say. */
static uint64_t step_fj_num(unsigned unit_nj, uint64_t *ret_den)
{
	for (unsigned n = 0; n < 32; n++)
		if (DEAD_NJ >> n == unit_nj) {
			*ret_den = UINT64_C(1) << n;
			return FJ_PER_J;
		}
	*ret_den = 1;
	return unit_nj * FJ_PER_NJ;
}

/*
 * Counters begin anywhere: they count since the machine was reset. One package wraps within a minute at full load,
 * so that every run meets a wrap sooner or later.
 */
static uint32_t start_of(const struct es_twin_host *host, const struct es_twin_rapl_zone *zone,
			 const char *key)
{
	char seed[ES_NAME_MAX_BYTES + 40];
	uint64_t hash, near;

	(void)snprintf(seed, sizeof(seed), "%s/%s", host->name, key);
	hash = es_twin_hash(seed);
	if (zone->domain == ES_TWIN_RAPL_PACKAGE && zone->package + 1 == host->kind->n_packages) {
		double most_w = host->kind->cpu.tdp_w ? host->kind->cpu.tdp_w : 250;

		near = (uint64_t)(most_w * 1e9 / zone->unit_nj) * (20 + hash % 20);
		return near < UINT32_MAX ? (uint32_t)(UINT32_MAX - near) : 1;
	}
	return (uint32_t)(hash ^ hash >> 32) | 1;
}

struct es_twin_meter *es_twin_rapl_meter(struct es_twin_host *host,
					 const struct es_twin_rapl_zone *zone,
					 const char *interface, unsigned bits)
{
	struct es_twin_meter *meter;
	char key[32];

	es_twin_rapl_key(zone, key);
	meter = es_twin_host_meter(host, "%s/%s%s", interface,
				   zone->is_mmio ? "intel-rapl-mmio:" : "", key);
	if (!meter) {
		es_twin_tree_fail(host->tree, key, -E2BIG);
		return NULL;
	}
	meter->part = es_twin_rapl_part(zone, &meter->i);
	meter->step_fj_num = step_fj_num(zone->unit_nj, &meter->step_fj_den);
	meter->bits = bits;
	meter->update_ns = UPDATE_NS;
	meter->phase_ns = (int64_t)(es_twin_hash(key) % UPDATE_NS);
	meter->jitter_ns = JITTER_NS;
	meter->start = start_of(host, zone, key) + (bits > 32 ? UINT64_C(5) << 32 : 0);
	if (zone->domain == ES_TWIN_RAPL_PSYS && host->kind->meters.psys == ES_TWIN_PSYS_DEAD) {
		meter->step_fj_den = 0;
		meter->start = 0;
	}
	/* On AMD it is one core, the one that the kernel asks, not all of the package. */
	if (zone->domain == ES_TWIN_RAPL_CORE && zone->n_limits == 0)
		meter->step_fj_num *= host->kind->cpu.n_cores;
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
	return meter;
}

/* The lower one of those in force; where none is, what the first says. */
static struct es_twin_limit in_force(struct es_twin_rapl *rapl,
				     const struct es_twin_rapl_zone *zone, unsigned i)
{
	const struct es_twin_rapl_zone *both[] = {
		es_twin_rapl_find(rapl, zone->domain, zone->package, false),
		es_twin_rapl_find(rapl, zone->domain, zone->package, true),
	};
	struct es_twin_limit limit = { .power_uw = 0 };

	for (size_t k = 0; k < 2; k++) {
		bool is_peak = i == 2, is_enabled;
		uint64_t power;

		if (!both[k])
			continue;
		power = is_peak ? both[k]->peak : es_twin_rapl_power(both[k], i);
		is_enabled = is_peak ? power > 0 : es_twin_rapl_is_enabled(both[k], i);
		power *= ES_TWIN_RAPL_POWER_UW;
		if (limit.is_enabled && (!is_enabled || power >= limit.power_uw))
			continue;
		if (k > 0 && !is_enabled)
			continue;
		limit.power_uw = power;
		limit.is_enabled = is_enabled;
		limit.window_us =
			is_peak ? 0
				: (int64_t)es_twin_rapl_window_us(es_twin_rapl_window(both[k], i));
	}
	return limit;
}

static int apply(struct es_twin_host *host, const struct es_twin_rapl_zone *zone)
{
	enum es_twin_part part;
	size_t part_i;
	int r = 0;

	part = es_twin_rapl_part(zone, &part_i);
	for (unsigned i = 0; i < zone->n_limits && r == 0; i++) {
		struct es_twin_limit limit = in_force(host->rapl, zone, i);

		r = es_twin_set_limit(host->node, part, zone->package, i, &limit);
		/* A register that nothing heeds. */
		if (r == -ENODATA || r == -EOPNOTSUPP)
			r = 0;
	}
	return r;
}

int es_twin_rapl_set(struct es_twin_host *host, struct es_twin_rapl_zone *zone, uint64_t limit,
		     uint64_t peak)
{
	uint64_t old_limit = zone->limit, old_peak = zone->peak;
	int r;

	zone->limit = limit;
	zone->peak = peak;
	r = apply(host, zone);
	if (r == 0)
		return 0;
	zone->limit = old_limit;
	zone->peak = old_peak;
	(void)apply(host, zone);
	return r;
}

int es_twin_uncore_write(struct es_twin_host *host, unsigned package, uint64_t value)
{
	int r = es_twin_set_uncore_range(host->node, package,
					 (value >> 8 & RATIO_MASK) * RATIO_MHZ * 1000,
					 (value & RATIO_MASK) * RATIO_MHZ * 1000);

	if (r == 0)
		host->rapl->uncore[package] = value;
	return r;
}
