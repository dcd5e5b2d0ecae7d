/*
 * sys/rocmsmi.h - ROCm's system management library, which AMD SMI replaces; opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_ROCMSMI_H
#define ES_SYS_ROCMSMI_H

#include <stddef.h>
#include <stdint.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/* What we use of rocm_smi.h (ROCm 5 to 7), with names of our own: numbers and the functions' names are the library's. */
enum es_rocmsmi_status {
	ES_ROCMSMI_OK = 0,
	ES_ROCMSMI_INVALID = 1,
	ES_ROCMSMI_NOT_SUPPORTED = 2,
	ES_ROCMSMI_FILE_ERROR = 3,
	ES_ROCMSMI_PERMISSION = 4,
	ES_ROCMSMI_OUT_OF_RESOURCES = 5,
	ES_ROCMSMI_NOT_STARTED = 8,
	ES_ROCMSMI_NOT_YET_IMPLEMENTED = 9,
	ES_ROCMSMI_NOT_FOUND = 10,
	ES_ROCMSMI_UNEXPECTED_SIZE = 13,
	ES_ROCMSMI_NO_DATA = 14,
	ES_ROCMSMI_UNEXPECTED_DATA = 15,
	ES_ROCMSMI_BUSY = 16,
};

/* rsmi_dev_pci_id_get(): function in bits 2:0, device 7:3, bus 15:8, domain 63:32; a partition's number in 31:28. */

/** struct es_rocmsmi - the library's functions; those that one may lack are NULL there */
struct es_rocmsmi {
	struct es_dl dl;
	uint32_t (*init)(uint64_t flags);
	uint32_t (*shut_down)(void);
	uint32_t (*count)(uint32_t *n);
	uint32_t (*pci_id)(uint32_t gpu, uint64_t *id);
	uint32_t (*energy)(uint32_t gpu, uint64_t *steps, float *step_uj, uint64_t *time_ns);
	uint32_t (*power)(uint32_t gpu, uint32_t sensor, uint64_t *power_uw);
	uint32_t (*power_cap)(uint32_t gpu, uint32_t sensor, uint64_t *cap_uw);
	uint32_t (*unique_id)(uint32_t gpu, uint64_t *id);
	uint32_t (*name)(uint32_t gpu, char *name, size_t size);
};

/** es_rocmsmi_open - find the library, without starting it; errors of es_library_open() */
int es_rocmsmi_open(const struct es_root *root, struct es_rocmsmi *ret, struct es_error *err);
void es_rocmsmi_close(struct es_rocmsmi *rocmsmi);

/** es_rocmsmi_error - a status of the library as negative errno, 0 for success */
int es_rocmsmi_error(uint32_t status);

#endif
