/*
 * import_escpu.c - what a discovery of the original tool says about packages and GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_escpu.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/import_job.h"
#include "format/import_json.h"

static bool is_amd(const struct es_escpu *cpu)
{
	return strstr(cpu->vendor, "AMD") || strstr(cpu->vendor, "Hygon");
}

uint64_t es_escpu_tsc_khz(const struct es_escpu *cpu)
{
	uint64_t fid = cpu->regs.pstate & 0xff, did = cpu->regs.pstate >> 8 & 0x3f;

	if (!is_amd(cpu))
		return cpu->regs.has_platform_info ? (cpu->regs.platform_info >> 8 & 0xff) * 100000
						   : 0;
	/* The counter runs at the clock of P-state 0. Family 1Ah: 12 bits of 5 MHz; before: 200 MHz * Fid / Did. */
	if (!cpu->regs.has_pstate)
		return 0;
	if (cpu->family >= 0x1a)
		return (cpu->regs.pstate & 0xfff) * 5000;
	return did ? fid * 200000 / did : 0;
}

uint64_t es_escpu_name_khz(const struct es_escpu *cpu)
{
	const char *at = strrchr(cpu->model_name, '@');
	const char *end;
	double v;

	if (!at)
		return 0;
	/* Digits and a point only: no locale of ours writes them otherwise here, see es_parse_double(). */
	v = es_import_leading_number(at + 1, &end);
	while (*end == ' ')
		end++;
	if (strncmp(end, "GHz", 3) == 0)
		v *= 1e6;
	else if (strncmp(end, "MHz", 3) == 0)
		v *= 1e3;
	else
		return 0;
	return v >= 1e5 && v <= 2e7 ? (uint64_t)(v + 0.5) : 0;
}

/*
 * Servers whose DRAM counters have a unit of their own, 15.3 µJ (1/65536 J in perf, 15.3 µJ in powercap, 1/65359 J in
 * the original tool, which is what its numbers are compared with): HSX, BDX, BDX-D, SKX, ICX, ICX-D, KNL, KNM.
 */
static bool has_fixed_dram_unit(const struct es_escpu *cpu)
{
	static const unsigned models[] = { 63, 79, 86, 85, 106, 108, 87, 133 };

	for (size_t i = 0; cpu->family == 6 && i < ES_ARRAY_SIZE(models); i++)
		if (cpu->model == models[i])
			return true;
	return false;
}

/* Sandy Bridge and Ivy Bridge count 1/65536 J, as all AMD do; everything else that has the register, 1/16384 J. */
static unsigned usual_unit(const struct es_escpu *cpu)
{
	bool is_old = cpu->family == 6 && (cpu->model == 42 || cpu->model == 45 ||
					   cpu->model == 58 || cpu->model == 62);

	return is_old || is_amd(cpu) ? 16 : 14;
}

bool es_escpu_unit(const struct es_escpu *cpu, enum es_register reg, uint64_t *ret_num,
		   uint64_t *ret_den)
{
	*ret_num = 1000000;
	if (reg == ES_REG_DRAM_ENERGY && has_fixed_dram_unit(cpu)) {
		*ret_den = 65359;
		return true;
	}
	*ret_den = 1ULL << (cpu->regs.has_unit ? cpu->regs.unit >> 8 & 0x1f : usual_unit(cpu));
	return cpu->regs.has_unit;
}

uint64_t es_escpu_tdp_mw(const struct es_escpu *cpu)
{
	if (!cpu->regs.has_package_info || !cpu->regs.has_unit || is_amd(cpu))
		return 0;
	return (cpu->regs.package_info & 0x7fff) * 1000 >> (cpu->regs.unit & 0xf);
}

const struct es_escpu *es_esarch_find(const struct es_esarch *arch, const char *name)
{
	const struct es_escpu *first = NULL;

	for (size_t i = 0; i < arch->n_cpus; i++) {
		if (strcmp(arch->cpus[i].name, name) == 0)
			return &arch->cpus[i];
		if (!first && strncmp(arch->cpus[i].name, "gpu", 3) != 0)
			first = &arch->cpus[i];
	}
	return first;
}

void es_esarch_finish(struct es_esarch *arch)
{
	free(arch->cpus);
	*arch = (struct es_esarch){ .n_cpus = 0 };
}

/* "coreid": { "0": ["0", "40"], … }: the CPUs of each core */
static uint32_t count_cpus(const json_t *cores)
{
	const char *key;
	json_t *list;
	size_t n = 0;

	json_object_foreach((json_t *)cores, key, list) n += json_array_size(list);
	return n < UINT32_MAX ? (uint32_t)n : 0;
}

static void read_cpu(struct es_escpu *cpu, const char *name, const json_t *from,
		     const struct es_dump *dump)
{
	*cpu = (struct es_escpu){ .n_cpus = count_cpus(json_object_get(from, "coreid")) };
	(void)snprintf(cpu->name, sizeof(cpu->name), "%.31s", name);
	es_import_set_text(cpu->vendor, sizeof(cpu->vendor), es_import_text(from, "vendor_id"));
	es_import_set_text(cpu->model_name, sizeof(cpu->model_name),
			   es_import_text(from, "modelname"));
	cpu->family = (unsigned)es_import_count(from, "cpufamily");
	cpu->model = (unsigned)es_import_count(from, "model");
	for (size_t i = 0; i < dump->n_phys; i++)
		if (strcmp(dump->phys[i].name, cpu->name) == 0)
			cpu->regs = dump->phys[i];
}

/* What one package lacks, another one of the same model tells: a register that could not be read on one of them. */
static void share_registers(struct es_esarch *arch)
{
	for (size_t i = 0; i < arch->n_cpus; i++) {
		struct es_escpu *to = &arch->cpus[i];

		for (size_t j = 0; j < arch->n_cpus; j++) {
			const struct es_dump_phy *from = &arch->cpus[j].regs;

			if (i == j || strcmp(to->model_name, arch->cpus[j].model_name) != 0)
				continue;
			if (!to->regs.has_unit && from->has_unit) {
				to->regs.has_unit = true;
				to->regs.unit = from->unit;
			}
			if (!to->regs.has_platform_info && from->has_platform_info) {
				to->regs.has_platform_info = true;
				to->regs.platform_info = from->platform_info;
			}
			if (!to->regs.has_package_info && from->has_package_info) {
				to->regs.has_package_info = true;
				to->regs.package_info = from->package_info;
			}
			if (!to->regs.has_pstate && from->has_pstate) {
				to->regs.has_pstate = true;
				to->regs.pstate = from->pstate;
			}
		}
	}
}

int es_esarch_read(struct es_esarch *arch, const char *text, size_t n, const struct es_dump *dump)
{
	json_t *top = es_import_json(text, n), *cpus = json_object_get(top, "arch"), *cpu;
	size_t n_cpus = json_object_size(cpus);
	const char *name;
	int r = 0;

	if (n_cpus == 0) {
		r = -EBADMSG;
	} else if (n_cpus > ES_DUMP_PHYS_MAX) {
		r = -E2BIG;
	} else {
		arch->cpus = calloc(n_cpus, sizeof(*arch->cpus));
		r = arch->cpus ? 0 : -ENOMEM;
	}
	if (r == 0) {
		json_object_foreach(cpus, name, cpu)
			read_cpu(&arch->cpus[arch->n_cpus++], name, cpu, dump);
		arch->n_gpus = (uint32_t)es_import_count(
			json_object_get(json_object_get(top, "gpu"), "nvidia"), "device_count");
		share_registers(arch);
	}
	json_decref(top);
	return r;
}
