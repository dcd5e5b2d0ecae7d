/*
 * sys/msr.h - model-specific registers of a root's CPUs: the kernel's device, msr-safe, and files of a tree
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_MSR_H
#define ES_SYS_MSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/root.h"

/** enum es_msr_device - who answers */
enum es_msr_device {
	ES_MSR_SAFE, /* /dev/cpu/N/msr_safe: what the site's allow-list names */
	ES_MSR_KERNEL, /* /dev/cpu/N/msr: everything, with CAP_SYS_RAWIO */
	ES_N_MSR_DEVICES,
};

/**
 * struct es_msr - the registers of one CPU
 *
 * A tree can hold them in a regular file dev/cpu/N/msr (sparse): the eight bytes, little endian, of register R lie at
 * 8 * R, so that registers with adjacent numbers do not overlap. Files that have them at R, as the device would, are
 * known by their unit register 0x606; in those only registers at least eight apart mean something.
 */
struct es_msr {
	int fd; /* -1: not open */
	unsigned shift; /* register R is at R << shift */
	bool is_packed; /* a file with registers at R: neighbours overlap */
};

/** es_msr_exists - whether @cpu has this device (rights aside) */
bool es_msr_exists(const struct es_root *root, enum es_msr_device device, uint32_t cpu);

/**
 * es_msr_open - open the registers of @cpu for reading; es_msr_close() them
 * Returns 0; -EACCES: the file's mode; -EPERM: CAP_SYS_RAWIO is missing; -ENXIO: the CPU is offline; -ENODEV: a file
 * of another kind; other errors of open.
 */
int es_msr_open(const struct es_root *root, enum es_msr_device device, uint32_t cpu,
		struct es_msr *ret);
void es_msr_close(struct es_msr *msr);

/**
 * es_msr_read - one register
 * Returns 0; -EIO: the processor has none of this number; -ENXIO: the CPU went offline; -EACCES: it is not in the
 * allow-list of msr-safe.
 */
int es_msr_read(const struct es_root *root, const struct es_msr *msr, uint32_t reg, uint64_t *ret);

/** struct es_msr_op - one register of one CPU in a batch; the layout is msr-safe's (LLNL, struct msr_batch_op) */
struct es_msr_op {
	uint16_t cpu;
	uint16_t is_read; /* not 0: read */
	int32_t error; /* negative errno */
	uint32_t reg;
	uint32_t padding;
	uint64_t value;
	uint64_t write_mask; /* of the allow-list; told, not asked */
};

/** struct es_msr_batch - operations of one call; the layout is msr-safe's (struct msr_batch_array) */
struct es_msr_batch {
	uint32_t n;
	uint32_t version;
	struct es_msr_op *ops;
};

/** es_msr_batch_open - a descriptor of /dev/cpu/msr_batch or negative errno */
int es_msr_batch_open(const struct es_root *root);

/**
 * es_msr_batch_read - read all of @ops in one call
 *
 * Each gets its value, or its error; -EAGAIN: it was not tried, since another one was refused before any was read.
 * What msr-safe leaves as it was is never taken for a value: neither when it refuses a batch, nor for a CPU that goes
 * offline between its check and its reading.
 * Returns 0 or, where any of them has an error, a negative errno.
 */
int es_msr_batch_read(const struct es_root *root, int fd, struct es_msr_op *ops, size_t n);

#endif
