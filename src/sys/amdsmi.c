/*
 * sys/amdsmi.c - AMD's system management library for GPUs, opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/amdsmi.h"

#include <errno.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "sys/library.h"

static const char *const names[] = { "libamd_smi.so.26", "libamd_smi.so.25", "libamd_smi.so.24",
				     "libamd_smi.so.23", "libamd_smi.so",    NULL };

static const char *const folders[] = { "opt/rocm/lib", NULL };

static const struct {
	uint32_t status;
	int error;
} statuses[] = {
	{ ES_AMDSMI_INVALID, EINVAL },
	{ ES_AMDSMI_NOT_SUPPORTED, EOPNOTSUPP },
	{ ES_AMDSMI_NOT_YET_IMPLEMENTED, EOPNOTSUPP },
	{ ES_AMDSMI_FAIL_LOAD_MODULE, ENODEV },
	{ ES_AMDSMI_FAIL_LOAD_SYMBOL, ENOSYS },
	{ ES_AMDSMI_TIMEOUT, ETIMEDOUT },
	{ ES_AMDSMI_RETRY, EAGAIN },
	{ ES_AMDSMI_NO_PERMISSION, EACCES },
	{ ES_AMDSMI_IO, EIO },
	{ ES_AMDSMI_FILE_ERROR, ENODEV },
	{ ES_AMDSMI_OUT_OF_RESOURCES, ENOMEM },
	{ ES_AMDSMI_BUSY, EBUSY },
	{ ES_AMDSMI_NOT_FOUND, ENODEV },
	{ ES_AMDSMI_NOT_STARTED, ENOTCONN },
	{ ES_AMDSMI_NO_DRIVER, ENODEV },
	{ ES_AMDSMI_NO_DATA, ENODATA },
	{ ES_AMDSMI_UNEXPECTED_SIZE, EBADMSG },
	{ ES_AMDSMI_UNEXPECTED_DATA, EBADMSG },
};

int es_amdsmi_open(const struct es_root *root, struct es_amdsmi *ret, struct es_error *err)
{
	struct es_amdsmi amdsmi = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "amdsmi_init", &amdsmi.init, true },
		{ "amdsmi_shut_down", &amdsmi.shut_down, true },
		{ "amdsmi_get_socket_handles", &amdsmi.sockets, true },
		{ "amdsmi_get_processor_handles", &amdsmi.processors, true },
		{ "amdsmi_get_gpu_device_bdf", &amdsmi.bdf, true },
		{ "amdsmi_get_energy_count", &amdsmi.energy, true },
		{ "amdsmi_get_gpu_device_uuid", &amdsmi.uuid, false },
		{ "amdsmi_get_power_info", &amdsmi.power, false },
		{ "amdsmi_get_power_cap_info", &amdsmi.power_cap, false },
	};
	int r = es_library_open(root, names, folders, symbols, ES_ARRAY_SIZE(symbols), &amdsmi.dl,
				err);

	if (r == 0)
		*ret = amdsmi;
	return r;
}

void es_amdsmi_close(struct es_amdsmi *amdsmi)
{
	es_dl_close(&amdsmi->dl);
}

int es_amdsmi_error(uint32_t status)
{
	if (status == ES_AMDSMI_OK)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return -statuses[i].error;
	return -EIO;
}

static bool is_told(uint32_t word)
{
	return word != UINT32_MAX && word != 0xffff;
}

int es_amdsmi_power_w(const uint32_t *words, uint32_t *ret_w)
{
	/* A whole of 64 bits has nothing in its upper half, and is one of the two that follow it. */
	bool is_wide = words[1] == 0 && (words[2] == words[0] || words[3] == words[0]);

	if (is_told(words[0]))
		*ret_w = words[0];
	else if (is_wide || !is_told(words[1]))
		return -EOPNOTSUPP;
	else
		*ret_w = words[1];
	return 0;
}
