/*
 * sys/rocmsmi.c - ROCm's system management library, which AMD SMI replaces; opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/rocmsmi.h"

#include <errno.h>

#include "base/cleanup.h"
#include "sys/library.h"

/* ROCm numbers it as itself; Debian's is 1. */
static const char *const names[] = { "librocm_smi64.so.7", "librocm_smi64.so.6",
				     "librocm_smi64.so.5", "librocm_smi64.so.1",
				     "librocm_smi64.so",   NULL };

static const char *const folders[] = { "opt/rocm/lib", NULL };

static const struct {
	uint32_t status;
	int error;
} statuses[] = {
	{ ES_ROCMSMI_INVALID, EINVAL },
	{ ES_ROCMSMI_NOT_SUPPORTED, EOPNOTSUPP },
	{ ES_ROCMSMI_FILE_ERROR, ENODEV },
	{ ES_ROCMSMI_PERMISSION, EACCES },
	{ ES_ROCMSMI_OUT_OF_RESOURCES, ENOMEM },
	{ ES_ROCMSMI_NOT_STARTED, ENOTCONN },
	{ ES_ROCMSMI_NOT_YET_IMPLEMENTED, EOPNOTSUPP },
	{ ES_ROCMSMI_NOT_FOUND, ENODEV },
	{ ES_ROCMSMI_UNEXPECTED_SIZE, EBADMSG },
	{ ES_ROCMSMI_NO_DATA, ENODATA },
	{ ES_ROCMSMI_UNEXPECTED_DATA, EBADMSG },
	{ ES_ROCMSMI_BUSY, EBUSY },
};

int es_rocmsmi_open(const struct es_root *root, struct es_rocmsmi *ret, struct es_error *err)
{
	struct es_rocmsmi rocmsmi = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "rsmi_init", &rocmsmi.init, true },
		{ "rsmi_shut_down", &rocmsmi.shut_down, true },
		{ "rsmi_num_monitor_devices", &rocmsmi.count, true },
		{ "rsmi_dev_pci_id_get", &rocmsmi.pci_id, true },
		{ "rsmi_dev_energy_count_get", &rocmsmi.energy, true },
		{ "rsmi_dev_power_ave_get", &rocmsmi.power, false },
		{ "rsmi_dev_power_cap_get", &rocmsmi.power_cap, false },
		{ "rsmi_dev_unique_id_get", &rocmsmi.unique_id, false },
		{ "rsmi_dev_name_get", &rocmsmi.name, false },
	};
	int r = es_library_open(root, names, folders, symbols, ES_ARRAY_SIZE(symbols), &rocmsmi.dl,
				err);

	if (r == 0)
		*ret = rocmsmi;
	return r;
}

void es_rocmsmi_close(struct es_rocmsmi *rocmsmi)
{
	es_dl_close(&rocmsmi->dl);
}

int es_rocmsmi_error(uint32_t status)
{
	if (status == ES_ROCMSMI_OK)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return -statuses[i].error;
	return -EIO;
}
