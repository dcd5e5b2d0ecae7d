/*
 * source/nvml_describe.c - the domains of NVIDIA's GPUs and of the modules they sit on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/nvml_gpus.h"

#define SOURCE "nvml"
/* Power readings were seen to change every 20 ms on Pascal and Volta, every 100 ms on Turing to Hopper (arXiv 2312.02741, table 1). */
#define UPDATE_FAST_NS (20 * ES_NS_PER_MS)
#define UPDATE_NS (100 * ES_NS_PER_MS)
#define WINDOW_NS \
	ES_NS_PER_S /* nvml.h on nvmlDeviceGetPowerUsage: mean of 1 s on Ampere and later, but GA100 */
#define GA100_IDS \
	0x20U /* the upper byte of the PCI device ids of A100, A800, A30 and CMP 170HX: pci.ids */
/* nvml.h on nvmlDeviceGetPowerUsage: "On Fermi and Kepler GPUs the reading is accurate to within +/- 5% of current power draw." */
#define KEPLER_ACCURACY_PPM 50000U

int64_t es_nvml_update_ns(const struct es_nvml_gpu *gpu)
{
	return gpu->architecture == ES_NVML_ARCH_PASCAL || gpu->architecture == ES_NVML_ARCH_VOLTA
		       ? UPDATE_FAST_NS
		       : UPDATE_NS;
}

/* The package beside which a GPU sits, by the memory node of its slot; @otherwise where nothing tells. */
static int32_t package_beside(const struct es_root *root, const char *pci, int32_t otherwise)
{
	char path[128], text[256];
	uint64_t node, package;
	unsigned long cpu;
	char *end;

	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/numa_node", pci);
	if (pci[0] == '\0' || es_root_read_u64(root, path, &node) < 0)
		return otherwise;
	(void)snprintf(path, sizeof(path), "sys/devices/system/node/node%llu/cpulist",
		       (unsigned long long)node);
	if (es_root_read_line(root, path, text, sizeof(text)) <= 0)
		return otherwise;
	cpu = strtoul(text, &end, 10);
	if (end == text)
		return otherwise;
	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%lu/topology/physical_package_id", cpu);
	return es_root_read_u64(root, path, &package) < 0 || package > INT32_MAX ? otherwise
										 : (int32_t)package;
}

/* One instance and the place of what it may use, for those who share the energy out; its slice's name into @slice. */
static void describe_instance(const struct es_nvml *nvml, struct es_nvml_device *mig,
			      struct es_instance *ret, char slice[static 16])
{
	struct es_nvml_attributes attributes = { .gpu_slices = 0 };
	char name[ES_NVML_TEXT_BYTES] = "";
	unsigned id = 0;
	const char *last;

	es_nvml_ask_uuid(nvml, mig, ret->uuid);
	if (nvml->gpu_instance && nvml->gpu_instance(mig, &id) == ES_NVML_OK)
		ret->gpu_instance = id;
	if (nvml->compute_instance && nvml->compute_instance(mig, &id) == ES_NVML_OK)
		ret->compute_instance = id;
	if (nvml->attributes && nvml->attributes(mig, &attributes) == ES_NVML_OK &&
	    attributes.memory_mb <= INT64_MAX >> 20) {
		ret->gpu_slices = attributes.gpu_slices;
		ret->compute_slices = attributes.compute_slices;
		ret->memory_bytes = attributes.memory_mb << 20;
	}
	if (!nvml->name || nvml->name(mig, name, sizeof(name)) != ES_NVML_OK)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	/* The last word of "NVIDIA A100-SXM4-40GB MIG 1g.5gb". */
	last = strrchr(name, ' ');
	(void)snprintf(slice, 16, "%.15s", last && last[1] ? last + 1 : "?");
}

/* The instances that share the GPU's energy. */
static void say_mig(const struct es_nvml *nvml, const struct es_nvml_gpu *gpu,
		    struct es_domain *domain)
{
	unsigned now = 0, pending = 0, most = 0;
	uint32_t n;
	char list[128] = "";

	if (!nvml->mig_mode || nvml->mig_mode(gpu->device, &now, &pending) != ES_NVML_OK || !now)
		return;
	if (!nvml->mig_most || !nvml->mig_by_index ||
	    nvml->mig_most(gpu->device, &most) != ES_NVML_OK)
		most = 0;
	for (unsigned i = 0; i < most && domain->n_instances < ES_INSTANCES_MAX; i++) {
		struct es_nvml_device *mig = NULL;
		size_t used = strlen(list);
		char slice[16];

		if (nvml->mig_by_index(gpu->device, i, &mig) != ES_NVML_OK)
			continue;
		describe_instance(nvml, mig, &domain->instances[domain->n_instances++], slice);
		(void)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", slice);
	}
	n = domain->n_instances;
	for (char *p = list; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	if (n == 0)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "MIG is on, without instances");
	else
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "MIG: the whole GPU's energy, shared by %u instance%s: %s", n,
			       n == 1 ? "" : "s", list);
}

static void say_denied(struct es_domain *domain)
{
	domain->state = ES_STATE_DENIED;
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "the driver lets this user not open the GPU (/dev/nvidia*)");
	(void)snprintf(domain->fix, sizeof(domain->fix),
		       "sudo usermod -aG \"$(stat -c %%G /dev/nvidiactl)\" \"$USER\"");
}

static void say_power(const struct es_nvml_gpu *gpu, struct es_domain *domain)
{
	bool is_mean = gpu->meter == ES_NVML_POWER_CALL &&
		       gpu->architecture >= ES_NVML_ARCH_AMPERE && gpu->device_id >> 8 != GA100_IDS;

	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	domain->range = (struct es_counter_range){ .unit_nj = 0 };
	if (is_mean)
		domain->update_period_ns = WINDOW_NS;
	if (gpu->architecture == ES_NVML_ARCH_KEPLER)
		domain->accuracy_ppm = KEPLER_ACCURACY_PPM;
	(void)snprintf(domain->reason, sizeof(domain->reason), "%s",
		       is_mean ? "no energy counter: from powers that are means of a second"
			       : "no energy counter: from instant powers");
}

/* Why it has no meter now. One that is lost may come back. */
static void say_why(const struct es_nvml_gpu *gpu, struct es_domain *domain)
{
	if (gpu->why == ES_NVML_NO_PERMISSION) {
		say_denied(domain);
		domain->is_there = true;
		return;
	}
	domain->state = ES_STATE_ABSENT;
	domain->is_there = gpu->why != ES_NVML_NOT_SUPPORTED;
	if (gpu->why == ES_NVML_NOT_SUPPORTED)
		(void)snprintf(
			domain->reason, sizeof(domain->reason),
			"this GPU shows neither energy nor power (or the library is too old)");
	else
		(void)snprintf(domain->reason, sizeof(domain->reason), "%s",
			       es_nvml_words(gpu->why));
	if (es_nvml_error(gpu->why) == -ENODEV)
		(void)snprintf(domain->fix, sizeof(domain->fix), "sudo nvidia-smi --gpu-reset");
}

static void describe_gpu(const struct es_nvml *nvml, const struct es_nvml_gpu *gpu, int32_t index,
			 struct es_domain *domain)
{
	unsigned limit_mw = 0;

	es_domain_init(domain, SOURCE, ES_DOMAIN_GPU, index, -1);
	domain->kind = ES_KIND_MEASURED;
	domain->update_period_ns = es_nvml_update_ns(gpu);
	/* 64 bits of mJ since the driver was loaded: no wrap, and a step back is a driver loaded again. */
	domain->range = (struct es_counter_range){ .unit_nj = 1000000 };
	(void)snprintf(domain->pci, sizeof(domain->pci), "%s", gpu->pci);
	(void)snprintf(domain->model, sizeof(domain->model), "%s", gpu->model);
	(void)snprintf(domain->uuid, sizeof(domain->uuid), "%s", gpu->uuid);
	if (gpu->why != ES_NVML_OK) {
		say_why(gpu, domain);
		return;
	}
	if (gpu->meter == ES_NVML_INSTANT_FIELD || gpu->meter == ES_NVML_POWER_CALL)
		say_power(gpu, domain);
	if (nvml->enforced_limit && nvml->enforced_limit(gpu->device, &limit_mw) == ES_NVML_OK &&
	    limit_mw > 0) {
		domain->limit_mw = limit_mw;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "enforced");
	}
	say_mig(nvml, gpu, domain);
}

/* GPU, processor and memory of one board (Grace Hopper, Grace Blackwell): a power, no counter. */
static void describe_module(int32_t module, const struct es_nvml_gpu *gpu, struct es_domain *domain)
{
	es_domain_init(domain, SOURCE, ES_DOMAIN_MODULE, module, -1);
	domain->kind = ES_KIND_INTEGRATED;
	domain->is_power = true;
	domain->update_period_ns = es_nvml_update_ns(gpu);
	(void)snprintf(domain->model, sizeof(domain->model), "%s", gpu->model);
}

static int32_t find_module(const struct es_nvml_gpus *gpus, int32_t module)
{
	for (size_t i = 0; i < gpus->n_domains; i++)
		if (gpus->domains[i].type == ES_DOMAIN_MODULE && gpus->domains[i].package == module)
			return (int32_t)i;
	return -1;
}

int es_nvml_describe(struct es_nvml_gpus *gpus)
{
	gpus->domains = calloc(2 * (size_t)gpus->n, sizeof(*gpus->domains));
	if (!gpus->domains)
		return -ENOMEM;
	for (unsigned i = 0; i < gpus->n; i++) {
		struct es_nvml_gpu *gpu = &gpus->gpus[i];
		struct es_domain *domain;
		int32_t module, parent = -1;

		gpu->module_domain = ES_NVML_NO_MODULE;
		module = package_beside(&gpus->root, gpu->pci, (int32_t)i);
		if (gpu->has_module)
			parent = find_module(gpus, module);
		if (gpu->has_module && parent < 0) {
			parent = (int32_t)gpus->n_domains++;
			gpu->module_domain = (size_t)parent;
			describe_module(module, gpu, &gpus->domains[parent]);
		}
		gpu->domain = gpus->n_domains++;
		domain = &gpus->domains[gpu->domain];
		describe_gpu(&gpus->nvml, gpu, (int32_t)i, domain);
		if (parent < 0)
			continue;
		/* Its place is the module's, where it is one of several. */
		domain->parent = parent;
		domain->package = module;
		domain->die = (int32_t)i;
	}
	return 0;
}
