/*
 * clip.h - settings that change nothing any more
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_CLIP_H
#define ES_OPT_CLIP_H

#include <stdbool.h>

#include "opt/front.h"

/**
 * es_opt_clip - clocks that were asked for and not reached, seen by times and powers alone
 * @clocks: [@n] as requested, each another one; @ret_reached: [n] set for those that are clipped, else 0
 *
 * The highest requests whose times and mean powers are all within 1.5 % of each other, though the clocks are not, were one
 * clock: the one at which the time model of the settings below takes their mean time. Those more than 2 % above it are
 * clipped. Where no model can be made of the settings below, or it has them at the clock that was asked for, none is.
 * Returns the number of clipped settings, or -ENOMEM.
 */
int es_opt_clip(const double *clocks, const struct es_opt_point *points, size_t n,
		double *ret_reached);

#endif
