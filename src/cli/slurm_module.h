/*
 * slurm_module.h - a plug-in's file: for which Slurm it was built, and whether it can be loaded
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SLURM_MODULE_H
#define ES_CLI_SLURM_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/root.h"

#define ES_SLURM_MODULE_MAX_BYTES (16U << 20)

/**
 * es_slurm_module_version - plugin_version of a module's bytes, without running anything of it
 * Returns 0; -ENOEXEC: no shared library for this machine; -ENODATA: it has no such symbol; -EBADMSG: its tables do not fit
 */
int es_slurm_module_version(const void *data, size_t n, uint32_t *ret);

/** es_slurm_version_text - 0x160508 is 22.05.8 */
#define ES_SLURM_VERSION_TEXT_BYTES 24U
char *es_slurm_version_text(uint32_t version, char text[static ES_SLURM_VERSION_TEXT_BYTES]);
/** es_slurm_version_parse - the number in what `slurmd -V` says ("slurm-wlm 22.05.8"); 0 or -EBADMSG */
int es_slurm_version_parse(const char *text, uint32_t *ret);

/** es_slurm_installed_version - what a slurmd of this machine says, at most 2 s; 0, -ENOENT: there is none, -ETIMEDOUT, … @ret_path: [ES_PATH_MAX_BYTES] */
int es_slurm_installed_version(uint32_t *ret, char *ret_path);

/** es_slurm_module_load - whether the loader takes it, tried in a process of its own; 0 or -ENOEXEC with the loader's words */
int es_slurm_module_load(const char *path, struct es_error *err);

#endif
