/*
 * source/rocm.c - energy of AMD's GPUs through ROCm SMI, where there is no AMD SMI yet
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/amdlib.h"
#include "source/aside.h"
#include "sys/rocmsmi.h"

/* Handles are the library's numbers, and one more, so that none is NULL. */
static uint32_t number_of(const struct es_gpulib_meter *meter)
{
	return (uint32_t)(uintptr_t)meter->handle - 1;
}

static int power_mw(void *library, const struct es_gpulib_meter *meter, uint64_t *ret_mw)
{
	const struct es_rocmsmi *rocmsmi = library;
	uint64_t power_uw = 0;
	int r = -EOPNOTSUPP;

	if (rocmsmi->power)
		r = es_rocmsmi_error(rocmsmi->power(number_of(meter), 0, &power_uw));
	if (r == 0)
		*ret_mw = power_uw / 1000;
	return r;
}

static int rocm_read(void *library, const struct es_gpulib_meter *meter,
		     struct es_gpulib_value *ret)
{
	const struct es_rocmsmi *rocmsmi = library;
	uint64_t steps = UINT64_MAX, time_ns = 0;
	float step_uj = 0;
	int r;

	if (meter->is_power)
		return power_mw(library, meter, &ret->value);
	r = es_rocmsmi_error(rocmsmi->energy(number_of(meter), &steps, &step_uj, &time_ns));
	return r < 0 ? r : es_amdlib_take_value(steps, step_uj, time_ns, ret);
}

static void identify(const struct es_rocmsmi *rocmsmi, struct es_gpulib_meter *meter)
{
	uint32_t gpu = number_of(meter);
	char name[128] = "";
	uint64_t id = 0, cap_uw = 0;

	if (rocmsmi->name && rocmsmi->name(gpu, name, sizeof(name)) == ES_ROCMSMI_OK)
		es_gpulib_text(name, sizeof(name) - 1, meter->model, sizeof(meter->model));
	if (rocmsmi->unique_id && rocmsmi->unique_id(gpu, &id) == ES_ROCMSMI_OK && id)
		(void)snprintf(meter->uuid, sizeof(meter->uuid), "0x%llx", (unsigned long long)id);
	if (rocmsmi->power_cap && rocmsmi->power_cap(gpu, 0, &cap_uw) == ES_ROCMSMI_OK &&
	    cap_uw <= INT64_MAX)
		meter->limit_mw = cap_uw / 1000;
}

static void probe(struct es_rocmsmi *rocmsmi, struct es_gpulib_meter *meter)
{
	struct es_gpulib_value value = { .value = 0 };

	meter->unit_nj = ES_AMDLIB_UNIT_NJ;
	meter->error = rocm_read(rocmsmi, meter, &value);
	/* A counter at 0 is none: the driver has been there for a while. */
	if (meter->error != -EOPNOTSUPP && (meter->error < 0 || value.value > 0))
		return;
	meter->is_power = true;
	if (rocm_read(rocmsmi, meter, &value) == 0)
		meter->error = 0;
	else
		meter->is_power = false;
}

static int rocm_list(void *library, const struct es_root *root, struct es_gpulib_meter *meters,
		     struct es_error *err)
{
	struct es_rocmsmi *rocmsmi = library;
	uint32_t n_gpus = 0;
	int r = es_rocmsmi_error(rocmsmi->count(&n_gpus)), n = 0;

	if (r < 0)
		return es_error_say(err, r, "ROCm SMI lists no GPU: %s", es_strerror(r));
	for (uint32_t i = 0; i < n_gpus && i < ES_GPULIB_METERS_MAX; i++) {
		struct es_gpulib_meter meter = { .handle = (void *)(uintptr_t)(i + 1U), .die = -1 };
		uint64_t id = 0;

		if (rocmsmi->pci_id(i, &id) != ES_ROCMSMI_OK)
			continue;
		es_gpulib_address(id >> 32, (unsigned)(id >> 8), (unsigned)(id >> 3), (unsigned)id,
				  meter.address);
		if (es_amdlib_is_partition(root, meters, n, meter.address))
			continue;
		identify(rocmsmi, &meter);
		probe(rocmsmi, &meter);
		meters[n++] = meter;
	}
	return n;
}

static void rocm_close(void *library)
{
	struct es_rocmsmi *rocmsmi = library;

	(void)rocmsmi->shut_down();
	es_rocmsmi_close(rocmsmi);
	free(rocmsmi);
}

static int rocm_find(const struct es_root *root, struct es_error *err)
{
	struct es_rocmsmi rocmsmi;
	int r = es_rocmsmi_open(root, &rocmsmi, err);

	if (r == 0)
		es_rocmsmi_close(&rocmsmi);
	return r;
}

static int rocm_start(const struct es_root *root, void **ret, struct es_error *err)
{
	struct es_rocmsmi *rocmsmi = calloc(1, sizeof(*rocmsmi));
	int r;

	if (!rocmsmi)
		return es_error_set(err, -ENOMEM, "rocm");
	r = es_rocmsmi_open(root, rocmsmi, err);
	if (r == 0) {
		r = es_rocmsmi_error(rocmsmi->init(0));
		if (r < 0) {
			(void)es_error_say(
				err, r, "ROCm SMI does not start: %s",
				r == -ENOTCONN
					? "the driver amdgpu is not loaded, or its devices are hidden"
					: es_strerror(r));
			es_rocmsmi_close(rocmsmi);
		}
	}
	if (r < 0) {
		free(rocmsmi);
		return r;
	}
	*ret = rocmsmi;
	return 0;
}

static const struct es_gpulib_ops gpulib_ops = {
	.source = &es_source_rocm,
	.vendor = "AMD",
	.fix = ES_AMDLIB_FIX,
	.find = rocm_find,
	.open = rocm_start,
	.list = rocm_list,
	.read = rocm_read,
	.power = power_mw,
	.close = rocm_close,
};

static int rocm_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	return es_gpulib_open(&gpulib_ops, root, ret, err);
}

static bool rocm_is_needed(const struct es_root *root, const struct es_domain *domains, size_t n)
{
	return es_gpulib_is_needed(root, "AMD", domains, n);
}

const struct es_source_ops es_source_rocm = {
	.name = "rocm",
	.is_spare = true,
	.is_needed = rocm_is_needed,
	.open = rocm_open,
	.plan = es_aside_plan,
	.read = es_aside_read,
	.ask = es_aside_ask,
	.wait = es_aside_wait,
	.release = es_aside_release,
	.take = es_aside_take,
	.close = es_aside_close,
};
