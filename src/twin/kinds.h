/*
 * kinds.h - the kinds, one file a family of machines
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_KINDS_H
#define ES_TWIN_KINDS_H

#include "twin/kind.h"

#define ES_TWIN_GIB (UINT64_C(1) << 30)

extern const struct es_twin_kind es_twin_kind_skx2s;
extern const struct es_twin_kind es_twin_kind_spr2s;
extern const struct es_twin_kind es_twin_kind_milan2s;
extern const struct es_twin_kind es_twin_kind_genoa2s_a100x4;
extern const struct es_twin_kind es_twin_kind_grace_hopper;
extern const struct es_twin_kind es_twin_kind_mi250x;
extern const struct es_twin_kind es_twin_kind_a100_mig;
extern const struct es_twin_kind es_twin_kind_a100_mig3;
extern const struct es_twin_kind es_twin_kind_laptop;
extern const struct es_twin_kind es_twin_kind_vm;
extern const struct es_twin_kind es_twin_kind_taurus;
extern const struct es_twin_kind es_twin_kind_broadwell1s;
extern const struct es_twin_kind es_twin_kind_lab_a40;
extern const struct es_twin_kind es_twin_kind_lab_a4000;
extern const struct es_twin_kind es_twin_kind_lab_v100;

#endif
