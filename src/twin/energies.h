/*
 * energies.h - exact energies of all parts of a node at a time, as a row of CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_ENERGIES_H
#define ES_TWIN_ENERGIES_H

#include "base/buf.h"
#include "twin/node.h"

/** es_twin_part_name - node, package, gpu-chip … */
const char *es_twin_part_name(enum es_twin_part part);
/** es_twin_part_has_number - there may be several: package-0. Of the others (node, fans …) there is one. */
bool es_twin_part_has_number(enum es_twin_part part);

/** es_twin_energies_head - "t_ns,node,board,…": the columns of es_twin_energies_row() for @node, with a newline */
int es_twin_energies_head(const struct es_twin_node *node, struct es_buf *out);
/** es_twin_energies_row - @t_ns and the energy of each part since the node was switched on, whole µJ, with a newline */
int es_twin_energies_row(const struct es_twin_node *node, int64_t t_ns, struct es_buf *out);

#endif
