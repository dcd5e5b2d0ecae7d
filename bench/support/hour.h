/*
 * hour.h - a recording as run leaves it after an hour, without the hour
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_HOUR_H
#define ES_BENCH_SUPPORT_HOUR_H

#include <stdint.h>

/**
 * es_hour_write - sweeps at 10 Hz over the meters of a tree, in frames of a second, with the events of a run
 * @tree: a tree of meters; its domains are recorded, with powers that wander as those of a busy machine do
 * Returns 0 or negative errno.
 */
int es_hour_write(const char *tree, const char *path, unsigned n_sweeps);

int64_t es_hour_file_bytes(const char *path);

#endif
