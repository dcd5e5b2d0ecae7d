/*
 * sys/amdsmi.h - AMD's system management library for GPUs, opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_AMDSMI_H
#define ES_SYS_AMDSMI_H

#include <stdint.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/*
 * What we use of amdsmi.h (libraries 23 to 26, ROCm 6 and 7), with names of our own: numbers, layouts and the functions'
 * names are the library's. Only what all these versions have in common.
 */
enum es_amdsmi_status {
	ES_AMDSMI_OK = 0,
	ES_AMDSMI_INVALID = 1,
	ES_AMDSMI_NOT_SUPPORTED = 2,
	ES_AMDSMI_NOT_YET_IMPLEMENTED = 3,
	ES_AMDSMI_FAIL_LOAD_MODULE = 4,
	ES_AMDSMI_FAIL_LOAD_SYMBOL = 5,
	ES_AMDSMI_TIMEOUT = 8,
	ES_AMDSMI_RETRY = 9,
	ES_AMDSMI_NO_PERMISSION = 10,
	ES_AMDSMI_IO = 12,
	ES_AMDSMI_FILE_ERROR = 14,
	ES_AMDSMI_OUT_OF_RESOURCES = 15,
	ES_AMDSMI_BUSY = 30,
	ES_AMDSMI_NOT_FOUND = 31,
	ES_AMDSMI_NOT_STARTED = 32,
	ES_AMDSMI_NO_DRIVER = 34,
	ES_AMDSMI_NO_DATA = 40,
	ES_AMDSMI_UNEXPECTED_SIZE = 42,
	ES_AMDSMI_UNEXPECTED_DATA = 43,
};

#define ES_AMDSMI_GPUS UINT64_C(2) /* AMDSMI_INIT_AMD_GPUS */
#define ES_AMDSMI_UUID_BYTES 38U
#define ES_AMDSMI_INFO_WORDS 128U /* far more than any version's struct has */

/* amdsmi_bdf_t: function in bits 2:0, device 7:3, bus 15:8, domain above. */

/** struct es_amdsmi - the library's functions; those that one may lack are NULL there */
struct es_amdsmi {
	struct es_dl dl;
	uint32_t (*init)(uint64_t flags);
	uint32_t (*shut_down)(void);
	uint32_t (*sockets)(uint32_t *n, void **sockets);
	uint32_t (*processors)(void *socket, uint32_t *n, void **processors);
	uint32_t (*bdf)(void *processor, uint64_t *bdf);
	uint32_t (*uuid)(void *processor, unsigned *length, char *uuid);
	uint32_t (*energy)(void *processor, uint64_t *steps, float *step_uj, uint64_t *time_ns);
	uint32_t (*power)(void *processor, void *info);
	uint32_t (*power_cap)(void *processor, uint32_t sensor, void *info);
};

/** es_amdsmi_open - find the library, without starting it; errors of es_library_open() */
int es_amdsmi_open(const struct es_root *root, struct es_amdsmi *ret, struct es_error *err);
void es_amdsmi_close(struct es_amdsmi *amdsmi);

/** es_amdsmi_error - a status of the library as negative errno, 0 for success */
int es_amdsmi_error(uint32_t status);

/**
 * es_amdsmi_power_w - the power in what amdsmi_get_power_info() filled, whatever version of its struct it was
 * @words: its first six words. Three layouts are known: average, voltages (until 2023); current, average, voltages (24);
 * a whole of 64 bits, current, average (since 25). What a chip does not tell is all ones in 16, 32 or 64 bits.
 * Returns 0 or -EOPNOTSUPP.
 */
int es_amdsmi_power_w(const uint32_t *words, uint32_t *ret_w);

#endif
