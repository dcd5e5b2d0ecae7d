/*
 * source/msr_tables.c - which processors have which energy registers, and in what units
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Facts: Linux arch/x86/events/rapl.c (6.14), drivers/powercap/intel_rapl_common.c (6.12) and turbostat (2025); LIKWID
 * 5.5 and raplcap agree where they have the processor. What the kernel's perf driver and turbostat both list is sure;
 * what only one of them lists is tried. Where they differ on a unit:
 * - Broadwell-D memory: 15.3 µJ with perf, turbostat, LIKWID and raplcap, against powercap;
 * - fixed memory units are 15.3 µJ as in Intel's data sheet 330784, powercap, turbostat and LIKWID, not perf's 2^-16 J;
 * - Airmont: 2^n µJ with the kernel, against raplcap;
 * - Avoton (0x4d): 1/2^n J with turbostat and measurement (powercap/raplcap issue 13), against Intel's manual.
 */
#include "source/msr_tables.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

__extension__ typedef unsigned __int128 es_u128;

#define STEPS (UINT64_C(1) << 32)
#define DRAM_UNIT_NJ 15300
#define PSYS_UNIT_NJ 1000000000

#define PKG 1U
#define CORE 2U /* PP0 */
#define GFX 4U /* PP1 */
#define DRAM 8U
#define PSYS 16U
#define ALL (PKG | CORE | GFX | DRAM | PSYS)

#define FIXED_DRAM 1U
#define FIXED_PSYS 2U
#define ATOM_UNITS 4U
#define REAL_DIES \
	8U /* each counts itself (Cascade Lake-AP); of other dies only their steps can tell */

/** struct intel_row - models of family 6 with the same registers */
struct intel_row {
	uint8_t models[20]; /* 0 ends it */
	uint8_t sure, maybe; /* maybe includes sure */
	uint8_t quirks;
};

static const struct intel_row intel_rows[] = {
	/* Sandy Bridge, Ivy Bridge */
	{ { 0x2a, 0x3a }, PKG | CORE | GFX, PKG | CORE | GFX, 0 },
	/* Sandy Bridge-EP, Ivy Bridge-EP */
	{ { 0x2d, 0x3e }, PKG | CORE | DRAM, PKG | CORE | DRAM, 0 },
	/* Haswell, Broadwell: clients */
	{ { 0x3c, 0x45, 0x46, 0x3d, 0x47 }, PKG | CORE | GFX, PKG | CORE | GFX | DRAM, 0 },
	/* Haswell-EP, Broadwell-EP, Broadwell-D, Skylake-SP to Cooper Lake */
	{ { 0x3f, 0x4f, 0x56, 0x55 }, PKG | DRAM, PKG | DRAM | CORE, FIXED_DRAM | REAL_DIES },
	/* Ice Lake-SP, Ice Lake-D */
	{ { 0x6a, 0x6c }, PKG | DRAM, PKG | DRAM | CORE | PSYS, FIXED_DRAM },
	/* Knights Landing, Knights Mill */
	{ { 0x57, 0x85 }, PKG | DRAM, PKG | DRAM, FIXED_DRAM },
	/* Sapphire Rapids, Emerald Rapids */
	{ { 0x8f, 0xcf }, PKG | DRAM | PSYS, ALL & ~GFX, FIXED_PSYS },
	/* Granite Rapids, Granite Rapids-D: turbostat alone; psys left out, for its unit is 1 J there and not in TPMI */
	{ { 0xad, 0xae }, PKG | DRAM, PKG | DRAM, 0 },
	/* Sierra Forest, Grand Ridge, Clearwater Forest: turbostat alone */
	{ { 0xaf, 0xb6, 0xdd }, PKG | DRAM, PKG | DRAM | PSYS, 0 },
	/* Skylake to Comet Lake, Cannon Lake, Ice Lake, Tiger Lake, Rocket Lake: clients */
	{ { 0x4e, 0x5e, 0x8e, 0x9e, 0xa5, 0xa6, 0x66, 0x7d, 0x7e, 0x9d, 0x8c, 0x8d, 0xa7 },
	  PKG | CORE,
	  ALL,
	  0 },
	/* Lakefield, Alder, Raptor, Bartlett, Meteor, Arrow, Lunar, Panther Lake, Gracemont */
	{ { 0x8a, 0x97, 0x9a, 0xb7, 0xba, 0xbf, 0xd7, 0xaa, 0xac, 0xc5, 0xb5, 0xc6, 0xbd, 0xcc,
	    0xbe },
	  PKG | CORE,
	  ALL,
	  0 },
	/* Silvermont, Merrifield, Airmont, Moorefield, SoFIA */
	{ { 0x37, 0x4a, 0x4c, 0x5a, 0x5d }, PKG | CORE, PKG | CORE | GFX | DRAM, ATOM_UNITS },
	/* Avoton */
	{ { 0x4d }, PKG | CORE, PKG | CORE, 0 },
	/* Goldmont, Goldmont Plus */
	{ { 0x5c, 0x7a }, PKG, PKG | CORE | GFX | DRAM, 0 },
	/* Denverton */
	{ { 0x5f }, PKG | CORE | DRAM, PKG | CORE | GFX | DRAM, 0 },
	/* Tremont: Elkhart Lake, Jasper Lake; Snow Ridge */
	{ { 0x96, 0x9c }, PKG | CORE, PKG | CORE | GFX | DRAM, 0 },
	{ { 0x86 }, PKG, PKG, 0 },
};

/*
 * Families 19h and 1Ah with energy registers of 64 bits. AMD's own amd_energy reads them so; the kernel masks 32 bits
 * everywhere, which is right for both as long as nobody waits for a whole wrap.
 */
static const struct {
	unsigned family, model;
} amd_wide[] = {
	{ 0x19, 0x10 }, { 0x19, 0x11 }, { 0x19, 0x90 }, { 0x19, 0xa0 },
	{ 0x1a, 0x02 }, { 0x1a, 0x10 }, { 0x1a, 0x11 },
};

static const struct {
	uint8_t bit;
	enum es_domain_type type;
	uint32_t reg;
} intel_registers[] = {
	{ PKG, ES_DOMAIN_PACKAGE, ES_MSR_PKG_ENERGY }, { CORE, ES_DOMAIN_CORE, ES_MSR_PP0_ENERGY },
	{ GFX, ES_DOMAIN_UNCORE, ES_MSR_PP1_ENERGY },  { DRAM, ES_DOMAIN_DRAM, ES_MSR_DRAM_ENERGY },
	{ PSYS, ES_DOMAIN_PSYS, ES_MSR_PSYS_ENERGY },
};

static const struct intel_row *find_intel(unsigned model)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(intel_rows); i++)
		for (size_t j = 0; j < sizeof(intel_rows[i].models); j++)
			if (intel_rows[i].models[j] != 0 && intel_rows[i].models[j] == model)
				return &intel_rows[i];
	return NULL;
}

static void describe_intel(const struct es_machine *machine, struct es_msr_processor *ret)
{
	static const struct intel_row unknown = { .maybe = ALL };
	const struct intel_row *row =
		machine->cpu_family == 6 ? find_intel(machine->cpu_model_number) : NULL;

	ret->is_known = row;
	row = row ? row : &unknown;
	ret->unit_reg = ES_MSR_RAPL_UNIT;
	ret->limit_reg = ES_MSR_PKG_LIMIT;
	ret->info_reg = ES_MSR_PKG_INFO;
	ret->has_dies = true;
	ret->dies_may_mirror = !(row->quirks & REAL_DIES);
	ret->has_atom_units = row->quirks & ATOM_UNITS;
	ret->dram_unit_nj = row->quirks & FIXED_DRAM ? DRAM_UNIT_NJ : 0;
	ret->psys_unit_nj = row->quirks & FIXED_PSYS ? PSYS_UNIT_NJ : 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(intel_registers); i++)
		if (row->maybe & intel_registers[i].bit)
			ret->registers[ret->n_registers++] = (struct es_msr_register){
				.type = intel_registers[i].type,
				.reg = intel_registers[i].reg,
				.is_sure = row->sure & intel_registers[i].bit,
			};
}

static void describe_amd(const struct es_machine *machine, bool is_known,
			 struct es_msr_processor *ret)
{
	ret->is_known = is_known;
	ret->unit_reg = ES_MSR_AMD_UNIT;
	for (size_t i = 0; i < ES_ARRAY_SIZE(amd_wide); i++)
		if (amd_wide[i].family == machine->cpu_family &&
		    amd_wide[i].model == machine->cpu_model_number)
			ret->may_be_64 = true;
	ret->registers[0] = (struct es_msr_register){
		.type = ES_DOMAIN_PACKAGE,
		.reg = ES_MSR_AMD_PKG_ENERGY,
		.is_sure = is_known,
	};
	ret->registers[1] = (struct es_msr_register){
		.type = ES_DOMAIN_CORE,
		.reg = ES_MSR_AMD_CORE_ENERGY,
		.is_per_core = true,
	};
	ret->n_registers = 2;
}

int es_msr_find_processor(const struct es_machine *machine, struct es_msr_processor *ret)
{
	struct es_msr_processor processor = { .n_registers = 0 };
	unsigned family = machine->cpu_family;

	if (strcmp(machine->cpu_vendor, "GenuineIntel") == 0 && family >= 6)
		describe_intel(machine, &processor);
	else if (strcmp(machine->cpu_vendor, "AuthenticAMD") == 0 && family >= 0x17)
		describe_amd(machine, family == 0x17 || family == 0x19 || family == 0x1a,
			     &processor);
	else if (strcmp(machine->cpu_vendor, "HygonGenuine") == 0)
		describe_amd(machine, family == 0x18, &processor);
	else
		return -ENODEV;
	*ret = processor;
	return 0;
}

struct es_msr_unit es_msr_energy_unit(const struct es_msr_processor *processor,
				      enum es_domain_type type, uint64_t unit_value)
{
	unsigned exponent = unit_value >> 8 & 0x1f;

	if (type == ES_DOMAIN_DRAM && processor->dram_unit_nj)
		return (struct es_msr_unit){ processor->dram_unit_nj, 1000 };
	if (type == ES_DOMAIN_PSYS && processor->psys_unit_nj)
		return (struct es_msr_unit){ processor->psys_unit_nj, 1000 };
	if (processor->has_atom_units)
		return (struct es_msr_unit){ UINT64_C(1) << exponent, 1 };
	return (struct es_msr_unit){ 1000000, UINT64_C(1) << exponent };
}

uint64_t es_msr_power_mw(const struct es_msr_processor *processor, uint64_t unit_value,
			 uint64_t field)
{
	unsigned exponent = unit_value & 0xf;

	return processor->has_atom_units ? field << exponent : field * 1000 >> exponent;
}

struct es_counter_range es_msr_range(const struct es_msr_unit *unit)
{
	es_u128 modulus_nj = (es_u128)STEPS * unit->num * 1000 / unit->den;
	es_u128 unit_nj = ((es_u128)unit->num * 1000 + unit->den - 1) / unit->den;

	/* A wrap is never guessed. */
	if (modulus_nj > UINT64_MAX)
		return (struct es_counter_range){ .unit_nj = 0 };
	return (struct es_counter_range){ .unit_nj = (uint64_t)unit_nj,
					  .modulus_nj = (uint64_t)modulus_nj };
}

uint64_t es_msr_energy_uj(const struct es_msr_unit *unit, uint64_t count)
{
	es_u128 uj = (es_u128)count * unit->num / unit->den;

	return uj > UINT64_MAX ? UINT64_MAX : (uint64_t)uj;
}
