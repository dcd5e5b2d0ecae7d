/*
 * source/msr_tables.h - which processors have which energy registers, and in what units
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_MSR_TABLES_H
#define ES_SOURCE_MSR_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/domain.h"
#include "sys/machine.h"

#define ES_MSR_RAPL_UNIT 0x606U
#define ES_MSR_PKG_LIMIT 0x610U
#define ES_MSR_PKG_ENERGY 0x611U
#define ES_MSR_PKG_INFO 0x614U
#define ES_MSR_DRAM_ENERGY 0x619U
#define ES_MSR_PP0_ENERGY 0x639U
#define ES_MSR_PP1_ENERGY 0x641U
#define ES_MSR_PSYS_ENERGY 0x64dU
#define ES_MSR_AMD_UNIT 0xc0010299U
#define ES_MSR_AMD_CORE_ENERGY 0xc001029aU
#define ES_MSR_AMD_PKG_ENERGY 0xc001029bU

/** struct es_msr_unit - what one step of a counter is: num / den µJ */
struct es_msr_unit {
	uint64_t num, den;
};

/** struct es_msr_register - one domain's counter */
struct es_msr_register {
	enum es_domain_type type;
	uint32_t reg;
	bool is_sure; /* this processor has it; else it is tried, and not listed where it is not there */
	bool is_per_core;
};

#define ES_MSR_REGISTERS_MAX 5

/** struct es_msr_processor - the energy registers of one kind of processor */
struct es_msr_processor {
	uint32_t unit_reg;
	uint32_t limit_reg, info_reg; /* of the package; 0: none */
	bool has_dies; /* its registers are a die's where a package has several, else the package's */
	bool dies_may_mirror; /* whether each of them counts itself is not known: equal steps tell */
	bool may_be_64; /* documented as 64 bits wide: taken so once a value proves it */
	bool is_known; /* in the table */
	bool has_atom_units; /* energy in 2^n µJ, power in 2^n mW; else 1/2^n J and W */
	uint64_t dram_unit_nj, psys_unit_nj; /* fixed, whatever the unit register says; 0: not */
	struct es_msr_register registers[ES_MSR_REGISTERS_MAX]; /* the package first */
	size_t n_registers;
};

/** es_msr_find_processor - 0; -ENODEV: no registers of this kind are known of such a processor */
int es_msr_find_processor(const struct es_machine *machine, struct es_msr_processor *ret);

/** es_msr_energy_unit - of a domain, from the unit register's value */
struct es_msr_unit es_msr_energy_unit(const struct es_msr_processor *processor,
				      enum es_domain_type type, uint64_t unit_value);
/** es_msr_power_mw - a field of a limit or info register in mW */
uint64_t es_msr_power_mw(const struct es_msr_processor *processor, uint64_t unit_value,
			 uint64_t field);
/** es_msr_range - of a counter of 32 bits in this unit; without a modulus where that does not fit */
struct es_counter_range es_msr_range(const struct es_msr_unit *unit);
/** es_msr_energy_uj - @count steps; UINT64_MAX where it does not fit */
uint64_t es_msr_energy_uj(const struct es_msr_unit *unit, uint64_t count);

#endif
