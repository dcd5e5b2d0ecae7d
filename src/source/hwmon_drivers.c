/*
 * source/hwmon_drivers.c - which drivers of hwmon measure energy or power, and of what
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Labels after Linux 6.12: drivers/hwmon/{acpi_power_meter,smpro-hwmon,ibmpowernv,scmi-hwmon}.c,
 * drivers/gpu/drm/{xe/xe_hwmon,i915/i915_hwmon,amd/pm/amdgpu_pm}.c, and the amd_energy driver.
 */
#include "source/hwmon_drivers.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/gpu.h"
#include "source/hsmp_table.h"
#include "source/source.h"

#define INTEL_GPU_UNIT_NJ 61036 /* 2^-14 J */
#define AMD_UNIT_NJ 15259 /* 2^-16 J */

/** struct rail - a label, '#' standing for the number of the package in it, and what it measures */
struct rail {
	const char *driver, *label;
	enum es_domain_type type;
	int32_t die; /* tells rails of one type apart */
	bool is_partial;
	const char *word; /* instead of the type's in names; NULL: that */
	const char *reason;
};

static const struct rail rails[] = {
	{ "amd_energy", "Esocket#", ES_DOMAIN_PACKAGE, -1, false, NULL, "" },
	{ "amd_energy", "Ecore#", ES_DOMAIN_CORE, -1, true, NULL, "" },
	/* What the driver of /dev/hsmp shows here: one device for each socket, in their order, without a label. */
	{ "amd_hsmp_hwmon", "", ES_DOMAIN_PACKAGE, -1, false, NULL, "" },
	{ "power_meter", "Module Power Socket #", ES_DOMAIN_MODULE, -1, false, NULL,
	  "Grace, its memory and what else is on the module" },
	{ "power_meter", "Grace Power Socket #", ES_DOMAIN_PACKAGE, -1, false, NULL, "" },
	{ "power_meter", "CPU Power Socket #", ES_DOMAIN_CORE, -1, false, NULL, "" },
	{ "power_meter", "SysIO Power Socket #", ES_DOMAIN_UNCORE, -1, false, NULL, "" },
	{ "smpro", "CORE VRD", ES_DOMAIN_CORE, -1, false, NULL, "" },
	{ "smpro", "SoC", ES_DOMAIN_UNCORE, -1, false, NULL, "" },
	{ "smpro", "RCA VRD", ES_DOMAIN_UNCORE, 1, false, "rca", "the PCIe root complexes" },
	{ "smpro", "DIMM VRD1", ES_DOMAIN_DRAM, 1, false, NULL, "one of two memory regulators" },
	{ "smpro", "DIMM VRD2", ES_DOMAIN_DRAM, 2, false, NULL, "one of two memory regulators" },
	{ "ibmpowernv", "System", ES_DOMAIN_NODE, -1, false, NULL, "" },
	{ "ibmpowernv", "Chip # Vdd", ES_DOMAIN_CORE, -1, false, NULL, "" },
	{ "ibmpowernv", "Chip # Vdn", ES_DOMAIN_UNCORE, -1, false, NULL, "" },
	{ "ibmpowernv", "Chip # Memory", ES_DOMAIN_DRAM, -1, false, NULL, "" },
	{ "ibmpowernv", "Chip # GPU", ES_DOMAIN_OTHER, -1, true, "gpus-of-chip",
	  "all GPUs of the chip together: their own meters tell them apart" },
	{ "ibmpowernv", "Chip #", ES_DOMAIN_PACKAGE, -1, false, NULL, "" },
};

/* Whether a label is as @pattern says, and the number in it (else @ret_number stays). */
static bool matches(const char *label, const char *pattern, int32_t *ret_number)
{
	int32_t number = *ret_number;

	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			char *end;
			unsigned long v;

			if (!isdigit((unsigned char)*label))
				return false;
			v = strtoul(label, &end, 10);
			if (v > 65535)
				return false;
			number = (int32_t)v;
			label = end;
		} else if (*label++ != *pattern) {
			return false;
		}
	}
	if (*label != '\0')
		return false;
	*ret_number = number;
	return true;
}

static const struct rail *find_rail(const struct es_hwmon_input *input, int32_t *ret_number)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(rails); i++)
		if (strcmp(rails[i].driver, input->driver) == 0 &&
		    matches(input->label, rails[i].label, ret_number))
			return &rails[i];
	return NULL;
}

static void name_it(struct es_domain *domain, const struct es_hwmon_input *input)
{
	/* It has both kinds of files of these. */
	bool is_second = !input->is_energy && strcmp(input->driver, "ibmpowernv") == 0 &&
			 (domain->type == ES_DOMAIN_NODE || domain->type == ES_DOMAIN_PACKAGE);

	(void)snprintf(domain->id, sizeof(domain->id), "hwmon/%.31s:%.180s%s", input->driver,
		       domain->name, is_second ? "-power" : "");
}

static void place_rail(const struct es_root *root, const struct rail *rail, int32_t number,
		       struct es_domain *ret)
{
	bool is_core = strcmp(rail->label, "Ecore#") == 0;
	bool is_apu = strcmp(rail->driver, "amd_hsmp_hwmon") == 0 && es_hsmp_is_apu(root);

	if (rail->type == ES_DOMAIN_NODE)
		number = -1;
	es_domain_init(ret, es_source_hwmon.name, is_apu ? ES_DOMAIN_MODULE : rail->type,
		       is_core ? -1 : number, -1);
	ret->die = rail->die;
	ret->is_partial = rail->is_partial;
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
		       is_apu ? "the processor with its graphics: contains the package"
			      : rail->reason);
	if (is_core) {
		ret->core = number;
		(void)snprintf(ret->name, sizeof(ret->name), "core-%d", (int)number);
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "one core only, not the cores of the package");
	} else if (rail->word) {
		(void)snprintf(ret->name, sizeof(ret->name), "%s-%d", rail->word, (int)number);
	} else if (rail->die >= 0) {
		(void)snprintf(ret->name, sizeof(ret->name), "%s-%d-vrd-%d",
			       es_domain_type_name(rail->type), (int)number, (int)rail->die);
	}
}

/* Labels come from firmware: what cannot be part of a name becomes a dash. */
static void place_unknown(const struct es_hwmon_input *input, struct es_domain *ret)
{
	size_t n;

	es_domain_init(ret, es_source_hwmon.name, ES_DOMAIN_OTHER, -1, -1);
	ret->is_partial = true;
	if (input->label[0])
		(void)snprintf(ret->name, sizeof(ret->name), "%s", input->label);
	else
		(void)snprintf(ret->name, sizeof(ret->name), "%s%u",
			       input->is_energy ? "energy" : "power", input->index);
	for (char *p = ret->name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			*p = '-';
	n = strlen(ret->name);
	while (n > 1 && ret->name[n - 1] == '-')
		ret->name[--n] = '\0';
	(void)snprintf(ret->reason, sizeof(ret->reason),
		       "what %.31s measures here is not known: in no sum", input->driver);
}

static int32_t tile_of(const struct es_hwmon_input *input)
{
	int32_t tile = -1;

	if (strncmp(input->driver, "i915_gt", 7) == 0)
		return matches(input->driver, "i915_gt#", &tile) ? tile : 0;
	return strcmp(input->label, "pkg") == 0 ? 0 : -1;
}

static bool is_intel_gpu(const struct es_hwmon_input *input)
{
	return strcmp(input->driver, "xe") == 0 || strncmp(input->driver, "i915", 4) == 0;
}

static void place_gpu(const struct es_root *root, const struct es_hwmon_input *input,
		      struct es_domain *ret)
{
	bool is_apu = strcmp(input->driver, "amdgpu") == 0 && es_gpu_is_apu(root, input->address);
	int32_t tile = is_intel_gpu(input) ? tile_of(input) : -1;

	/* The processor's own graphics have the voltage of the north bridge; cards have none. */
	if (strcmp(input->driver, "amdgpu") == 0 && !is_apu) {
		char path[128], text[32];

		(void)snprintf(path, sizeof(path), "sys/class/hwmon/%.63s/in1_label",
			       input->folder);
		is_apu = es_root_read_line(root, path, text, sizeof(text)) > 0 &&
			 strcmp(text, "vddnb") == 0;
	}
	es_gpu_place(root, es_source_hwmon.name, input->address, is_apu, tile, ret);
	if (is_apu)
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "the processor with its graphics: contains the package");
	if (tile >= 0 && is_intel_gpu(input)) {
		size_t n = strlen(ret->name);

		(void)snprintf(ret->name + n, sizeof(ret->name) - n, "-%.20s",
			       input->label[0] ? "pkg" : input->driver + strlen("i915_"));
	}
	/* Intel's own graphics are counted by their package. */
	if (strcmp(input->address, "0000:00:02.0") == 0) {
		ret->is_partial = true;
		ret->type = ES_DOMAIN_OTHER;
		(void)snprintf(ret->reason, sizeof(ret->reason), "in the package's energy already");
	}
}

void es_hwmon_place(const struct es_root *root, const struct es_hwmon_input *input,
		    struct es_domain *ret)
{
	bool is_gpu = (is_intel_gpu(input) || strcmp(input->driver, "amdgpu") == 0) &&
		      es_gpu_is_address(input->address);
	int32_t number = (int32_t)input->ordinal;
	const struct rail *rail = is_gpu ? NULL : find_rail(input, &number);

	if (is_gpu)
		place_gpu(root, input, ret);
	else if (rail)
		place_rail(root, rail, number, ret);
	else
		place_unknown(input, ret);
	name_it(ret, input);
	ret->is_power = !input->is_energy;
	ret->kind = input->is_energy ? ES_KIND_MEASURED : ES_KIND_INTEGRATED;
	if (input->is_energy)
		ret->range.unit_nj = strcmp(input->driver, "amd_energy") == 0 ? AMD_UNIT_NJ
				     : is_intel_gpu(input)		      ? INTEL_GPU_UNIT_NJ
									      : 1000;
	ret->update_period_ns = INT64_C(100000000);
	if (strcmp(input->driver, "amd_energy") == 0 || is_intel_gpu(input))
		ret->update_period_ns = 1000000;
}

bool es_hwmon_wakes(const struct es_hwmon_input *input)
{
	return strcmp(input->driver, "amdgpu") == 0;
}

bool es_hwmon_needs_pulse(const struct es_hwmon_input *input)
{
	return is_intel_gpu(input) && input->is_energy;
}
