/*
 * detach.h - start a program that outlives who starts it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_DETACH_H
#define ES_SLURM_DETACH_H

/**
 * es_slurm_start - run @path apart from this process: own session, no descriptor and no variable of this one
 * Slurm waits neither for it nor for a pipe that it holds. Returns 0 or negative errno: it was not started.
 */
int es_slurm_start(const char *path, char *const argv[]);

#endif
