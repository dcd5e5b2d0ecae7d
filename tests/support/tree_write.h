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

/* Beside sys and proc, so that no source sees it: key, zone, path, µJ per step as a fraction, role, leader, whether it is a register, its offset. */
#define ES_TREE_LIST "zones"

/** es_tree_put_registers - dev/cpu/N/msr of a model that has them; 0 or negative errno */
int es_tree_put_registers(const struct es_tree_model *model, struct es_tree *tree);

#endif
