/*
 * import_esdump.h - the lists of registers that the original tool leaves: es_discover_result, es_read_rt_result
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_ESDUMP_H
#define ES_FORMAT_IMPORT_ESDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* Registers that we look at (Intel SDM volume 4; AMD PPR of families 17h to 1Ah), and the counter of GPUs beside them. */
enum es_register {
	ES_REG_TSC, /* 0x010 */
	ES_REG_PLATFORM_INFO, /* 0x0ce */
	ES_REG_UNIT, /* 0x606, AMD 0xC0010299 */
	ES_REG_PACKAGE_INFO, /* 0x614 */
	ES_REG_PSTATE_0, /* AMD 0xC0010064 */
	ES_REG_PACKAGE_ENERGY, /* 0x611 */
	ES_REG_DRAM_ENERGY, /* 0x619 */
	ES_REG_CORE_ENERGY, /* 0x639 */
	ES_REG_UNCORE_ENERGY, /* 0x641 */
	ES_REG_AMD_PACKAGE_ENERGY, /* 0xC001029B */
	ES_REG_GPU_ENERGY, /* "gpu-nvidia-mjoule" */
};

#define ES_DUMP_PHYS_MAX 256U /* packages and GPUs of one node */
#define ES_DUMP_NO_TSC UINT32_MAX

/** struct es_dump_row - a value of a counter and where in the file it stood */
struct es_dump_row {
	uint64_t value;
	uint32_t sweep;
	uint32_t n_stamps; /* time stamps before it in the file */
};

/** struct es_dump_channel - the values of one counter of one package or GPU, in the order of the file */
struct es_dump_channel {
	uint32_t phy; /* index */
	enum es_register reg;
	char cpu[32]; /* the one it is read on; rows of others tell the same again */
	struct es_dump_row *rows; /* owned */
	size_t n, cap;
};

/** struct es_dump_stamp - one row of the time stamp counter */
struct es_dump_stamp {
	uint64_t tsc;
	uint32_t phy, sweep;
};

/** struct es_dump_phy - a package ("0") or a GPU ("gpu-nvidia-0"), with what was read of it once */
struct es_dump_phy {
	char name[32];
	uint32_t last_stamp; /* index of its latest stamp, ES_DUMP_NO_TSC: none yet */
	bool has_platform_info, has_unit, has_package_info, has_pstate;
	uint64_t platform_info, unit, package_info, pstate;
};

/** struct es_dump - one file; zero-initialise, free with es_dump_finish() */
struct es_dump {
	bool is_raw, is_discovery; /* by its "pgm", or by what is in it */
	char date[64], timestamp[64], job[ES_NAME_MAX_BYTES], node[ES_NAME_MAX_BYTES];
	uint64_t period_ms; /* 0: it does not say */
	struct es_dump_phy *phys; /* owned, as all here */
	size_t n_phys;
	struct es_dump_channel *channels;
	size_t n_channels;
	struct es_dump_stamp *stamps;
	size_t n_stamps, cap_stamps;
	size_t n_rows, n_bad_rows; /* of "data"; those that make no sense were passed over */
	uint32_t n_sweeps;
	bool is_cut; /* it breaks off, or is no JSON from some place on; what stood before is here */
	size_t cut_at; /* byte */
};

/**
 * es_dump_read - read a dump of @n bytes, as far as it goes
 *
 * Returns 0 (also where it is neither kind of dump: look at is_raw and is_discovery), or -ENOMEM. Any bytes will do.
 */
int es_dump_read(struct es_dump *dump, const char *text, size_t n);
void es_dump_finish(struct es_dump *dump);

#endif
