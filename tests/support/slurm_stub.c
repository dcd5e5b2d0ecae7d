/*
 * slurm_stub.c - a made-up plug-in of Slurm 22.05.8, which does nothing
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdint.h>

extern const uint32_t plugin_version;
__attribute__((visibility("default"))) const uint32_t plugin_version = 0x160508;
