/*
 * source/amdsmi.c - energy of AMD's GPUs through AMD SMI
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/amdlib.h"
#include "source/aside.h"
#include "sys/amdsmi.h"

#define SOCKETS_MAX 64U
#define CAP_LEAST_UW 1000000U /* a version told W: then it is not known */
#define CAP_MOST_UW UINT64_C(100000000000)

static int power_mw(void *library, const struct es_gpulib_meter *meter, uint64_t *ret_mw)
{
	const struct es_amdsmi *amdsmi = library;
	uint32_t words[ES_AMDSMI_INFO_WORDS];
	uint32_t power_w = 0;
	int r;

	memset(words, 0xff, sizeof(words));
	if (!amdsmi->power)
		return -EOPNOTSUPP;
	r = es_amdsmi_error(amdsmi->power(meter->handle, words));
	if (r == 0)
		r = es_amdsmi_power_w(words, &power_w);
	if (r == 0)
		*ret_mw = (uint64_t)power_w * 1000;
	return r;
}

static int amdsmi_read(void *library, const struct es_gpulib_meter *meter,
		       struct es_gpulib_value *ret)
{
	const struct es_amdsmi *amdsmi = library;
	uint64_t steps = UINT64_MAX, time_ns = 0;
	float step_uj = 0;
	int r;

	if (meter->is_power)
		return power_mw(library, meter, &ret->value);
	r = es_amdsmi_error(amdsmi->energy(meter->handle, &steps, &step_uj, &time_ns));
	return r < 0 ? r : es_amdlib_take_value(steps, step_uj, time_ns, ret);
}

static void identify(const struct es_amdsmi *amdsmi, struct es_gpulib_meter *meter)
{
	char uuid[ES_AMDSMI_UUID_BYTES + 2] = "";
	unsigned length = sizeof(uuid) - 1;
	uint64_t cap[ES_AMDSMI_INFO_WORDS / 2] = { 0 };

	if (amdsmi->uuid && amdsmi->uuid(meter->handle, &length, uuid) == ES_AMDSMI_OK)
		es_gpulib_text(uuid, sizeof(uuid) - 1, meter->uuid, sizeof(meter->uuid));
	if (amdsmi->power_cap && amdsmi->power_cap(meter->handle, 0, cap) == ES_AMDSMI_OK &&
	    cap[0] >= CAP_LEAST_UW && cap[0] <= CAP_MOST_UW)
		meter->limit_mw = cap[0] / 1000;
}

/* A GPU with a counter, or with a power only. */
static void probe(struct es_amdsmi *amdsmi, struct es_gpulib_meter *meter)
{
	struct es_gpulib_value value = { .value = 0 };

	meter->unit_nj = ES_AMDLIB_UNIT_NJ;
	meter->error = amdsmi_read(amdsmi, meter, &value);
	/* A counter at 0 is none: the driver has been there for a while. */
	if (meter->error != -EOPNOTSUPP && (meter->error < 0 || value.value > 0))
		return;
	meter->is_power = true;
	if (amdsmi_read(amdsmi, meter, &value) == 0)
		meter->error = 0;
	else
		meter->is_power = false;
}

static int add_processors(struct es_amdsmi *amdsmi, const struct es_root *root, void *socket,
			  struct es_gpulib_meter *meters, int n)
{
	void *processors[ES_GPULIB_METERS_MAX] = { NULL };
	uint32_t n_processors = ES_GPULIB_METERS_MAX;

	if (amdsmi->processors(socket, &n_processors, processors) != ES_AMDSMI_OK)
		return n;
	for (uint32_t i = 0; i < n_processors && i < ES_GPULIB_METERS_MAX; i++) {
		struct es_gpulib_meter meter = { .handle = processors[i], .die = -1 };
		uint64_t bdf = 0;

		/* Processors without graphics are listed, too, and have no place on the bus. */
		if (n >= (int)ES_GPULIB_METERS_MAX || !processors[i] ||
		    amdsmi->bdf(processors[i], &bdf) != ES_AMDSMI_OK)
			continue;
		es_gpulib_address(bdf >> 16, (unsigned)(bdf >> 8), (unsigned)(bdf >> 3),
				  (unsigned)bdf, meter.address);
		if (es_amdlib_is_partition(root, meters, n, meter.address))
			continue;
		identify(amdsmi, &meter);
		probe(amdsmi, &meter);
		meters[n++] = meter;
	}
	return n;
}

static int amdsmi_list(void *library, const struct es_root *root, struct es_gpulib_meter *meters,
		       struct es_error *err)
{
	struct es_amdsmi *amdsmi = library;
	void *sockets[SOCKETS_MAX] = { NULL };
	uint32_t n_sockets = SOCKETS_MAX;
	int r = es_amdsmi_error(amdsmi->sockets(&n_sockets, sockets)), n = 0;

	if (r < 0)
		return es_error_say(err, r, "AMD SMI lists no GPU: %s", es_strerror(r));
	for (uint32_t i = 0; i < n_sockets && i < SOCKETS_MAX; i++)
		n = add_processors(amdsmi, root, sockets[i], meters, n);
	return n;
}

static void amdsmi_close(void *library)
{
	struct es_amdsmi *amdsmi = library;

	(void)amdsmi->shut_down();
	es_amdsmi_close(amdsmi);
	free(amdsmi);
}

static int amdsmi_find(const struct es_root *root, struct es_error *err)
{
	struct es_amdsmi amdsmi;
	int r = es_amdsmi_open(root, &amdsmi, err);

	if (r == 0)
		es_amdsmi_close(&amdsmi);
	return r;
}

static int amdsmi_start(const struct es_root *root, void **ret, struct es_error *err)
{
	struct es_amdsmi *amdsmi = calloc(1, sizeof(*amdsmi));
	int r;

	if (!amdsmi)
		return es_error_set(err, -ENOMEM, "amdsmi");
	r = es_amdsmi_open(root, amdsmi, err);
	if (r == 0) {
		r = es_amdsmi_error(amdsmi->init(ES_AMDSMI_GPUS));
		if (r < 0) {
			(void)es_error_say(err, r == -ENOENT ? -EIO : r,
					   "AMD SMI does not start: %s", es_strerror(r));
			es_amdsmi_close(amdsmi);
		}
	}
	if (r < 0) {
		free(amdsmi);
		return r;
	}
	*ret = amdsmi;
	return 0;
}

static const struct es_gpulib_ops gpulib_ops = {
	.source = &es_source_amdsmi,
	.vendor = "AMD",
	.fix = ES_AMDLIB_FIX,
	.find = amdsmi_find,
	.open = amdsmi_start,
	.list = amdsmi_list,
	.read = amdsmi_read,
	.power = power_mw,
	.close = amdsmi_close,
};

static int amdsmi_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	return es_gpulib_open(&gpulib_ops, root, ret, err);
}

static bool amdsmi_is_needed(const struct es_root *root, const struct es_domain *domains, size_t n)
{
	return es_gpulib_is_needed(root, "AMD", domains, n);
}

const struct es_source_ops es_source_amdsmi = {
	.name = "amdsmi",
	.is_spare = true,
	.is_needed = amdsmi_is_needed,
	.open = amdsmi_open,
	.plan = es_aside_plan,
	.read = es_aside_read,
	.ask = es_aside_ask,
	.wait = es_aside_wait,
	.release = es_aside_release,
	.take = es_aside_take,
	.close = es_aside_close,
};
