/*
 * source/hsmp_table.h - MI300A, whose sockets are modules, and their metrics table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_HSMP_TABLE_H
#define ES_SOURCE_HSMP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/root.h"

#define ES_HSMP_TABLE_BYTES 1404U /* of protocol version 6, the only one that has it */

/** struct es_hsmp_table - what is of energy in it */
struct es_hsmp_table {
	uint32_t n_updates; /* 0: the firmware has not filled it */
	int64_t time_ns; /* the firmware's clock */
	uint64_t energy_steps; /* of 2^-16 J, of the whole socket: cores, graphics and memory */
};

/** es_hsmp_is_apu - MI300A: what its firmware calls a socket is cores, graphics and memory (family 19h, models 90h to 9fh) */
bool es_hsmp_is_apu(const struct es_root *root);

/**
 * es_hsmp_table_parse - read it
 * Returns 0; -ENODATA: empty, or not filled yet; -EBADMSG: of another size, or a time that is none.
 * Source: Linux arch/x86/include/uapi/asm/amd_hsmp.h, struct hsmp_metric_table (packed to 4 bytes); units as in
 * gpu_metrics, whose energy the same firmware table gives.
 */
int es_hsmp_table_parse(const uint8_t *data, size_t n, struct es_hsmp_table *ret);

#endif
