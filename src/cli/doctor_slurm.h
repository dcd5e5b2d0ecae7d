/*
 * doctor_slurm.h - what is wrong on a host of Slurm
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DOCTOR_SLURM_H
#define ES_CLI_DOCTOR_SLURM_H

#include "cli/doctor.h"
#include "sys/root.h"

/** es_doctor_slurm - findings about slurm.conf, plugstack.conf and our plug-ins; none where there is no slurm.conf */
void es_doctor_slurm(const struct es_root *root, struct es_findings *findings);

#endif
