/*
 * source/nvml_gpus.c - the GPUs that NVIDIA's library shows, and their readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/nvml_gpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define MEND_FIRST_NS (100 * ES_NS_PER_MS)
#define MEND_LAST_NS (10 * ES_NS_PER_S)
#define STILL_NS (2 * ES_NS_PER_S) /* far longer than any chip's counter stands */
#define STILL_MW 2000 /* an instant power from which on it must count */

enum {
	FIELD_ENERGY,
	FIELD_INSTANT,
	FIELD_MODULE,
	N_FIELDS
};

static void ask_fields(struct es_nvml_field fields[static N_FIELDS])
{
	memset(fields, 0, N_FIELDS * sizeof(*fields));
	fields[FIELD_ENERGY].field = ES_NVML_FIELD_TOTAL_ENERGY;
	fields[FIELD_INSTANT].field = ES_NVML_FIELD_POWER_INSTANT;
	fields[FIELD_MODULE].field = ES_NVML_FIELD_POWER_INSTANT;
	fields[FIELD_MODULE].scope = ES_NVML_SCOPE_MODULE;
	/* What a library leaves as it was is no answer. */
	for (size_t i = 0; i < N_FIELDS; i++)
		fields[i].error = ES_NVML_NO_DATA;
}

/* What this GPU can be asked for; ES_NVML_OK where it answered at all. */
static int probe(const struct es_nvml *nvml, struct es_nvml_gpu *gpu)
{
	struct es_nvml_field fields[N_FIELDS];
	uint64_t energy_mj, instant_mw = 0, module_mw = 0;
	unsigned long long counter_mj;
	unsigned power_mw;
	int why = ES_NVML_NOT_SUPPORTED;

	gpu->meter = ES_NVML_NO_METER;
	ask_fields(fields);
	if (nvml->fields && nvml->fields(gpu->device, N_FIELDS, fields) == ES_NVML_OK) {
		gpu->has_instant = es_nvml_field_u64(&fields[FIELD_INSTANT], &instant_mw) == 0;
		/*
		 * A library that does not know scopes gives the GPU's own power once more; a module has a processor and
		 * memory besides.
		 */
		gpu->has_module = gpu->has_instant &&
				  es_nvml_field_u64(&fields[FIELD_MODULE], &module_mw) == 0 &&
				  module_mw > instant_mw;
		if (es_nvml_field_u64(&fields[FIELD_ENERGY], &energy_mj) == 0)
			gpu->meter = ES_NVML_COUNTER_FIELD;
	}
	if (gpu->meter == ES_NVML_NO_METER && nvml->energy) {
		why = nvml->energy(gpu->device, &counter_mj);
		if (why == ES_NVML_OK)
			gpu->meter = ES_NVML_COUNTER_CALL;
	}
	if (gpu->meter == ES_NVML_NO_METER && gpu->has_instant)
		gpu->meter = ES_NVML_INSTANT_FIELD;
	if (gpu->meter == ES_NVML_NO_METER && nvml->power) {
		why = nvml->power(gpu->device, &power_mw);
		if (why == ES_NVML_OK)
			gpu->meter = ES_NVML_POWER_CALL;
	}
	return gpu->meter == ES_NVML_NO_METER ? why : ES_NVML_OK;
}

/* A maker's text, which nobody promised to be one. */
static void clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
}

static void identify(const struct es_nvml *nvml, struct es_nvml_gpu *gpu)
{
	struct es_nvml_pci pci = { .domain = 0 };
	char name[ES_NVML_TEXT_BYTES] = "";

	if (!nvml->name || nvml->name(gpu->device, name, sizeof(name)) != ES_NVML_OK)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	clean(name);
	(void)snprintf(gpu->model, sizeof(gpu->model), "%.63s", name);
	if (nvml->pci && nvml->pci(gpu->device, &pci) == ES_NVML_OK && pci.bus <= 0xff &&
	    pci.device <= 0x1f) {
		(void)snprintf(gpu->pci, sizeof(gpu->pci), "%04x:%02x:%02x.0", pci.domain, pci.bus,
			       pci.device);
		gpu->device_id = pci.device_id >> 16;
	}
	if (!nvml->architecture ||
	    nvml->architecture(gpu->device, &gpu->architecture) != ES_NVML_OK)
		gpu->architecture = 0;
}

void es_nvml_ask_uuid(const struct es_nvml *nvml, struct es_nvml_device *device,
		      char ret[static 64])
{
	char uuid[ES_NVML_TEXT_BYTES] = "";

	if (!nvml->uuid || nvml->uuid(device, uuid, sizeof(uuid)) != ES_NVML_OK)
		uuid[0] = '\0';
	uuid[sizeof(uuid) - 1] = '\0';
	clean(uuid);
	(void)snprintf(ret, 64, "%.63s", uuid);
}

static int start(struct es_nvml_gpus *gpus)
{
	int why = gpus->nvml.init();

	gpus->is_started = why == ES_NVML_OK;
	return why;
}

static int find_gpus(struct es_nvml_gpus *gpus, struct es_error *err)
{
	unsigned n = 0;
	int why = gpus->nvml.count(&n);

	if (why != ES_NVML_OK)
		return es_error_say(err, es_nvml_error(why), "no GPU can be listed: %s",
				    es_nvml_words(why));
	if (n == 0)
		return es_error_say(err, -ENODEV, "the NVIDIA driver shows no GPU");
	n = n < ES_NVML_GPUS_MAX ? n : ES_NVML_GPUS_MAX;
	gpus->gpus = calloc(n, sizeof(*gpus->gpus));
	if (!gpus->gpus)
		return es_error_set(err, -ENOMEM, "nvml");
	gpus->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct es_nvml_gpu *gpu = &gpus->gpus[i];

		gpu->why = gpus->nvml.by_index(i, &gpu->device);
		if (gpu->why != ES_NVML_OK) {
			gpu->device = NULL;
			gpus->needs_mending |= gpu->why != ES_NVML_NO_PERMISSION;
			continue;
		}
		es_nvml_ask_uuid(&gpus->nvml, gpu->device, gpu->uuid);
		identify(&gpus->nvml, gpu);
		gpu->why = probe(&gpus->nvml, gpu);
		if (es_nvml_error(gpu->why) == -ENODEV)
			gpus->needs_mending = true;
	}
	return 0;
}

int es_nvml_gpus_begin(void *arg, struct es_error *err)
{
	struct es_nvml_gpus *gpus = arg;
	int r = es_nvml_open(&gpus->root, &gpus->nvml, err), why;

	if (r < 0)
		return r;
	gpus->is_open = true;
	why = start(gpus);
	if (why != ES_NVML_OK)
		return es_error_say(err, es_nvml_error(why), "%s", es_nvml_words(why));
	r = find_gpus(gpus, err);
	if (r == 0 && (es_nvml_describe(gpus) < 0 || es_nvml_signals_describe(gpus) < 0 ||
		       es_nvml_users_init(&gpus->users) < 0))
		r = es_error_set(err, -ENOMEM, "nvml");
	return r < 0 ? r : (int)(gpus->n_domains + gpus->n_signals);
}

/* Whose device this is, among those that have none yet. */
static struct es_nvml_gpu *whose(struct es_nvml_gpus *gpus, unsigned i, const char *uuid)
{
	for (unsigned j = 0; j < gpus->n; j++)
		if (uuid[0] && strcmp(gpus->gpus[j].uuid, uuid) == 0)
			return &gpus->gpus[j];
	return i < gpus->n && gpus->gpus[i].uuid[0] == '\0' ? &gpus->gpus[i] : NULL;
}

/*
 * After a reset of a GPU or of the driver old handles lead nowhere: the library is started anew, and each GPU is known
 * by its UUID. Returns whether all are there again.
 */
static bool mend(struct es_nvml_gpus *gpus)
{
	unsigned n = 0;
	int why;
	bool has_all = true;

	/* It was let go; a new driver may have brought a new library. */
	if (!gpus->is_open && es_nvml_open(&gpus->root, &gpus->nvml, NULL) < 0)
		return false;
	gpus->is_open = true;
	es_nvml_signals_drop(gpus);
	if (gpus->is_started)
		(void)gpus->nvml.shut_down();
	why = start(gpus);
	if (why == ES_NVML_OK)
		why = gpus->nvml.count(&n);
	for (unsigned i = 0; i < gpus->n; i++) {
		gpus->gpus[i].device = NULL;
		gpus->gpus[i].why = why == ES_NVML_OK ? ES_NVML_GPU_IS_LOST : why;
	}
	for (unsigned i = 0; why == ES_NVML_OK && i < n; i++) {
		struct es_nvml_device *device = NULL;
		struct es_nvml_gpu *gpu;
		char uuid[64];
		int found = gpus->nvml.by_index(i, &device);

		if (found != ES_NVML_OK) {
			if (i < gpus->n && gpus->gpus[i].uuid[0] == '\0')
				gpus->gpus[i].why = found;
			continue;
		}
		es_nvml_ask_uuid(&gpus->nvml, device, uuid);
		gpu = whose(gpus, i, uuid);
		if (!gpu)
			continue;
		gpu->device = device;
		gpu->why = ES_NVML_OK;
		memcpy(gpu->uuid, uuid, sizeof(gpu->uuid));
		/* One that was never asked before was described as a counter. */
		if (gpu->meter == ES_NVML_NO_METER) {
			gpu->why = probe(&gpus->nvml, gpu);
			if (gpu->meter == ES_NVML_INSTANT_FIELD || gpu->meter == ES_NVML_POWER_CALL)
				gpu->meter = ES_NVML_NO_METER;
		}
	}
	for (unsigned i = 0; i < gpus->n; i++)
		has_all = has_all &&
			  (gpus->gpus[i].device || gpus->gpus[i].why == ES_NVML_NO_PERMISSION);
	return has_all;
}

static void try_to_mend(struct es_nvml_gpus *gpus)
{
	if (!gpus->needs_mending || es_clock_boot_ns() < gpus->retry_ns)
		return;
	if (mend(gpus)) {
		gpus->needs_mending = false;
		gpus->pause_ns = 0;
	}
	gpus->pause_ns = gpus->pause_ns ? 2 * gpus->pause_ns : MEND_FIRST_NS;
	gpus->pause_ns = gpus->pause_ns < MEND_LAST_NS ? gpus->pause_ns : MEND_LAST_NS;
	gpus->retry_ns = es_clock_boot_ns() + gpus->pause_ns;
}

static int keep_counter(struct es_nvml_gpu *gpu, uint64_t energy_mj, uint64_t instant_mw,
			int64_t now_ns, struct es_reading *ret)
{
	if (energy_mj > (uint64_t)INT64_MAX / 1000)
		return -ERANGE;
	if (energy_mj != gpu->last_mj || gpu->moved_ns == 0)
		gpu->moved_ns = now_ns;
	gpu->last_mj = energy_mj;
	/* It stands while power flows: what it shows is no longer the energy. */
	if (gpu->has_instant && instant_mw >= STILL_MW && now_ns - gpu->moved_ns > STILL_NS)
		return -ESTALE;
	ret->value = energy_mj * 1000;
	return 0;
}

static int read_fields(const struct es_nvml *nvml, struct es_nvml_gpu *gpu, struct es_reading *ret,
		       struct es_reading *ret_module)
{
	struct es_nvml_field fields[N_FIELDS];
	uint64_t energy_mj = 0, instant_mw = 0, module_mw = 0;
	int64_t now_ns = es_clock_boot_ns();
	int r, why;

	ask_fields(fields);
	why = nvml->fields(gpu->device, ret_module ? N_FIELDS : FIELD_MODULE, fields);
	if (why != ES_NVML_OK)
		return es_nvml_error(why);
	if (ret_module) {
		ret_module->error = es_nvml_field_u64(&fields[FIELD_MODULE], &module_mw);
		ret_module->value = module_mw;
	}
	r = es_nvml_field_u64(&fields[FIELD_INSTANT], &instant_mw);
	if (gpu->meter == ES_NVML_INSTANT_FIELD) {
		ret->value = instant_mw;
		return r;
	}
	r = es_nvml_field_u64(&fields[FIELD_ENERGY], &energy_mj);
	return r < 0 ? r : keep_counter(gpu, energy_mj, instant_mw, now_ns, ret);
}

static int read_meter(const struct es_nvml *nvml, struct es_nvml_gpu *gpu, struct es_reading *ret,
		      struct es_reading *ret_module)
{
	unsigned long long energy_mj = 0;
	unsigned power_mw = 0;
	int why;

	if (!gpu->device)
		return es_nvml_error(gpu->why);
	switch (gpu->meter) {
	case ES_NVML_COUNTER_FIELD:
	case ES_NVML_INSTANT_FIELD:
		return read_fields(nvml, gpu, ret, ret_module);
	case ES_NVML_COUNTER_CALL:
		why = nvml->energy(gpu->device, &energy_mj);
		return why != ES_NVML_OK ? es_nvml_error(why)
					 : keep_counter(gpu, energy_mj, 0, es_clock_boot_ns(), ret);
	case ES_NVML_POWER_CALL:
		why = nvml->power(gpu->device, &power_mw);
		ret->value = power_mw;
		return es_nvml_error(why);
	case ES_NVML_NO_METER:
		break;
	}
	return gpu->why == ES_NVML_OK ? -EOPNOTSUPP : es_nvml_error(gpu->why);
}

void es_nvml_gpus_read(void *arg, struct es_reading *ret, size_t n)
{
	struct es_nvml_gpus *gpus = arg;

	try_to_mend(gpus);
	for (unsigned i = 0; i < gpus->n; i++) {
		struct es_nvml_gpu *gpu = &gpus->gpus[i];
		struct es_reading *reading = &ret[gpu->domain];
		struct es_reading *module =
			gpu->module_domain == ES_NVML_NO_MODULE ? NULL : &ret[gpu->module_domain];
		int64_t t0_ns = es_clock_boot_ns(), t1_ns;
		int r;

		*reading = (struct es_reading){ .error = 0 };
		if (module)
			*module = *reading;
		r = read_meter(&gpus->nvml, gpu, reading, module);
		t1_ns = es_clock_boot_ns();
		reading->error = r;
		reading->t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		reading->width_ns = t1_ns - t0_ns;
		if (module) {
			module->t_ns = reading->t_ns;
			module->width_ns = reading->width_ns;
			/* What the GPU's call did not bring, the module has not either. */
			if (r < 0 && r != -ESTALE && module->value == 0)
				module->error = r;
		}
		if (r == -ENODEV || r == -ENOTCONN)
			gpus->needs_mending = true;
	}
	es_nvml_signals_read(gpus);
	es_nvml_users_read(gpus);
	if (n >= gpus->n_domains + gpus->n_signals)
		memcpy(ret + gpus->n_domains, gpus->signal_readings,
		       gpus->n_signals * sizeof(*ret));
}

void es_nvml_gpus_release(void *arg)
{
	struct es_nvml_gpus *gpus = arg;

	es_nvml_signals_drop(gpus);
	es_nvml_users_drop(&gpus->users);
	if (gpus->is_started)
		(void)gpus->nvml.shut_down();
	if (gpus->is_open)
		es_nvml_close(&gpus->nvml);
	gpus->is_started = false;
	gpus->is_open = false;
	for (unsigned i = 0; i < gpus->n; i++) {
		gpus->gpus[i].device = NULL;
		gpus->gpus[i].why = ES_NVML_GPU_IS_LOST;
	}
}

void es_nvml_gpus_take(void *arg)
{
	struct es_nvml_gpus *gpus = arg;

	gpus->needs_mending = true;
	gpus->retry_ns = 0;
	gpus->pause_ns = 0;
}

void es_nvml_gpus_end(void *arg)
{
	struct es_nvml_gpus *gpus = arg;

	es_nvml_gpus_release(gpus);
	es_nvml_users_finish(&gpus->users);
	es_root_close(&gpus->root);
	free(gpus->gpus);
	free(gpus->domains);
	free(gpus->signals);
	free(gpus->signal_readings);
	free(gpus->metrics);
	free(gpus);
}
