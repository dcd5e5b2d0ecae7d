/*
 * import_escpu.h - what a discovery of the original tool says about packages and GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_ESCPU_H
#define ES_FORMAT_IMPORT_ESCPU_H

#include "format/import_esdump.h"

/** struct es_escpu - a package or a GPU */
struct es_escpu {
	char name[32]; /* as in the dump: "0", "gpu-nvidia-0" */
	char vendor[32];
	char model_name[ES_NAME_MAX_BYTES];
	unsigned family, model;
	uint32_t n_cpus;
	struct es_dump_phy regs; /* registers read once */
};

/** struct es_esarch - one node; zero-initialise, free with es_esarch_finish() */
struct es_esarch {
	struct es_escpu *cpus; /* owned */
	size_t n_cpus;
	uint32_t n_gpus; /* that the discovery counted */
};

/** es_esarch_read - from the JSON of a discovery and its registers; 0, -ENOMEM, or -EBADMSG where there is no "arch" */
int es_esarch_read(struct es_esarch *arch, const char *text, size_t n, const struct es_dump *dump);
void es_esarch_finish(struct es_esarch *arch);
/** es_esarch_find - the package called @name, else the first package (they are alike); NULL where there is none */
const struct es_escpu *es_esarch_find(const struct es_esarch *arch, const char *name);

/** es_escpu_tsc_khz - what the time stamp counter runs at, by the registers; 0: they do not say */
uint64_t es_escpu_tsc_khz(const struct es_escpu *cpu);
/** es_escpu_name_khz - the clock in the model's name: "…@2.20GHz"; 0: none */
uint64_t es_escpu_name_khz(const struct es_escpu *cpu);
/**
 * es_escpu_unit - µJ of one step of an energy counter: @ret_num / @ret_den
 *
 * Returns true; false where the unit's register is missing and the usual one of its family is given.
 */
bool es_escpu_unit(const struct es_escpu *cpu, enum es_register reg, uint64_t *ret_num,
		   uint64_t *ret_den);
/** es_escpu_tdp_mw - by register 0x614; 0: not known */
uint64_t es_escpu_tdp_mw(const struct es_escpu *cpu);

#endif
