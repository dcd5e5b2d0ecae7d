/*
 * tree_write.h - what the parts of the tree library share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TREE_WRITE_H
#define ES_TESTS_SUPPORT_TREE_WRITE_H

#include "support/tree.h"
#include "support/tree_models.h"

/* Beside sys and proc, so that no source sees it: key, zone, path, µJ per step as a fraction, role, leader, form, its offset. */
#define ES_TREE_LIST "zones"

/** es_tree_put_registers - dev/cpu/N/msr of a model that has them; 0 or negative errno */
int es_tree_put_registers(const struct es_tree_model *model, struct es_tree *tree);

/** es_tree_put_meters - hwmon, pm_counters and GPUs of a model that has them; 0 or negative errno */
int es_tree_put_meters(const struct es_tree_model *model, struct es_tree *tree);
/** es_tree_put_link - a link at @path to @target, both below the tree, relative as in sysfs; 0 or negative errno */
int es_tree_put_link(const char *root, const char *path, const char *target);

/**
 * es_tree_metrics_put - gpu_metrics of an AMD GPU with this energy (raw steps) and these times, all little endian
 * @data: its former content of @n bytes, whose header says the version; room for 512. Returns the size.
 */
size_t es_tree_metrics_put(unsigned char *data, size_t n, uint64_t energy, uint64_t clock_ns,
			   uint64_t firmware_10ns);

#endif
