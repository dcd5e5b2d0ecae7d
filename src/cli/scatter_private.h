/*
 * scatter_private.h - what both forms of a scatter share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SCATTER_PRIVATE_H
#define ES_CLI_SCATTER_PRIVATE_H

#include "cli/scatter.h"

#define ES_SCATTER_TICK_BYTES 24U
#define ES_SCATTER_TICKS_MAX 24U

/** struct es_scatter_axis - from low to high; ticks at round values within */
struct es_scatter_axis {
	double low, high;
	bool is_log;
	double ticks[ES_SCATTER_TICKS_MAX];
	size_t n_ticks;
};

/** es_scatter_axes - both, with at most about so many ticks each; 0, -ENODATA or -E2BIG */
int es_scatter_axes(const struct es_scatter *scatter, unsigned n_x, unsigned n_y,
		    struct es_scatter_axis *ret_x, struct es_scatter_axis *ret_y);
/** es_scatter_share - where a value lies from low (0) to high (1); what is beyond an end is put there */
double es_scatter_share(const struct es_scatter_axis *axis, double value);
/** es_scatter_tick - the number at a tick; returns @text */
char *es_scatter_tick(double value, char text[static ES_SCATTER_TICK_BYTES]);
/** es_scatter_ink - full colours: those of regions are grounds */
enum es_ink es_scatter_ink(unsigned colour);
bool es_scatter_has_boxes(const struct es_scatter *scatter);
bool es_scatter_has_marks(const struct es_scatter *scatter);

#endif
