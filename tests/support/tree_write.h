/*
 * tree_write.h - what the two halves of the tree library share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TREE_WRITE_H
#define ES_TESTS_SUPPORT_TREE_WRITE_H

/* Beside sys and proc, so that no source sees it: key, zone, path, µJ per step as a fraction, role, leader. */
#define ES_TREE_LIST "zones"

#endif
