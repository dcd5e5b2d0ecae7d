/*
 * rapl.h - RAPL's registers: what powercap's zones and the registers of the CPUs are two views of
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_RAPL_H
#define ES_TWIN_RAPL_H

#include "twin/host.h"

/** enum es_twin_rapl_domain - in the order of the kernel's enum rapl_domain_type */
enum es_twin_rapl_domain {
	ES_TWIN_RAPL_PACKAGE,
	ES_TWIN_RAPL_CORE,
	ES_TWIN_RAPL_UNCORE,
	ES_TWIN_RAPL_DRAM,
	ES_TWIN_RAPL_PSYS,
	ES_TWIN_N_RAPL_DOMAINS,
};

#define ES_TWIN_RAPL_POWER_UW 125000U /* 2^-3 W */
#define ES_TWIN_RAPL_TIME_US 976U /* 2^-10 s, as the kernel's integers have it */
#define ES_TWIN_RAPL_UNITS_INTEL UINT64_C(0xa0e03)
#define ES_TWIN_RAPL_UNITS_AMD UINT64_C(0xa1003)
#define ES_TWIN_RAPL_POWER_MASK UINT64_C(0x7fff)
#define ES_TWIN_RAPL_PEAK_MASK UINT64_C(0x1fff)

/** struct es_twin_rapl_zone - one domain of a package; what MMIO shows of it has limits of its own */
struct es_twin_rapl_zone {
	enum es_twin_rapl_domain domain;
	unsigned package;
	bool is_mmio;
	unsigned unit_nj; /* as the kernel counts its steps */
	unsigned n_limits;
	/* As the hardware has them: Intel SDM vol. 3B, 15.10. */
	uint64_t limit, info, peak;
};

#define ES_TWIN_RAPL_PACKAGES_MAX 8U

/** struct es_twin_rapl - those of a node */
struct es_twin_rapl {
	struct es_twin_rapl_zone zones[ES_TWIN_RAPL_PACKAGES_MAX * ES_TWIN_N_RAPL_DOMAINS +
				       1]; /* the last: MMIO's */
	size_t n;
	uint64_t uncore
		[ES_TWIN_RAPL_PACKAGES_MAX]; /* UNCORE_RATIO_LIMIT: as written, whatever the hardware made of it */
};

/** es_twin_rapl - those of @host, made at the first call; NULL: no memory, which the tree's error says */
struct es_twin_rapl *es_twin_rapl(struct es_twin_host *host);
/** es_twin_rapl_find - NULL: @package has none such */
struct es_twin_rapl_zone *es_twin_rapl_find(struct es_twin_rapl *rapl,
					    enum es_twin_rapl_domain domain, unsigned package,
					    bool is_mmio);
/** es_twin_rapl_name - package-0, core, dram, psys, psys-1: the zone's name as powercap has it */
void es_twin_rapl_name(const struct es_twin_rapl_zone *zone, char name[static 32]);
/** es_twin_rapl_key - package-0, core-0, dram-1, psys, psys-1: a name of its own */
void es_twin_rapl_key(const struct es_twin_rapl_zone *zone, char key[static 32]);
/** es_twin_rapl_part - whose energy it counts; its limits are those of the part with the package's number */
enum es_twin_part es_twin_rapl_part(const struct es_twin_rapl_zone *zone, size_t *ret_i);
/**
 * es_twin_rapl_meter - its counter under the name INTERFACE/KEY: the same steps whoever shows it
 * @bits: 32, or 64 where the register is that wide
 *
 * NULL: too many meters (the tree's error says so).
 */
struct es_twin_meter *es_twin_rapl_meter(struct es_twin_host *host,
					 const struct es_twin_rapl_zone *zone,
					 const char *interface, unsigned bits);

/** es_twin_uncore_write - UNCORE_RATIO_LIMIT of a package: lowest ratio in bits 14:8, highest in 6:0; 0 or the node's refusal */
int es_twin_uncore_write(struct es_twin_host *host, unsigned package, uint64_t value);

/*
 * Fields of the limit register. @i: 0 long_term, 1 short_term.
 */
uint64_t es_twin_rapl_power(const struct es_twin_rapl_zone *zone, unsigned i); /* in 1/8 W */
unsigned es_twin_rapl_window(const struct es_twin_rapl_zone *zone, unsigned i); /* raw */
bool es_twin_rapl_is_enabled(const struct es_twin_rapl_zone *zone, unsigned i);
bool es_twin_rapl_is_locked(const struct es_twin_rapl_zone *zone);
/** es_twin_rapl_window_us - 2^Y (1 + Z/4) time units; es_twin_rapl_window_raw() is its inverse, rounded down as the kernel does */
uint64_t es_twin_rapl_window_us(unsigned raw);
unsigned es_twin_rapl_window_raw(uint64_t window_us);
/** es_twin_rapl_set - @limit and @peak are the zone's registers from now on; 0, or the node's refusal (then nothing has changed) */
int es_twin_rapl_set(struct es_twin_host *host, struct es_twin_rapl_zone *zone, uint64_t limit,
		     uint64_t peak);

#endif
