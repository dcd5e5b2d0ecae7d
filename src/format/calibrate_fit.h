/*
 * format/calibrate_fit.h - a calibration from a node's meter beside its parts, or why there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CALIBRATE_FIT_H
#define ES_FORMAT_CALIBRATE_FIT_H

#include "base/error.h"
#include "core/pairs.h"
#include "format/calibration.h"

/** struct es_calibrate_options */
struct es_calibrate_options {
	int64_t window_ns; /* 0: as long as five readings of the slowest meter, 5 s at least */
	double limit_w; /* of the processors together; 0: not known */
};

/**
 * es_calibrate_fit - the line from the parts' power to the meter's
 * @sources: one for each recording, x: the parts, y: the meter
 * @ret: its line, range, lag and errors are filled in; all else stays
 *
 * The parts are taken as exact, their counters being right to an update of milliseconds in each window: what is left
 * over is the meter's and the model's. Lag: the shift at which both go together best, over all recordings.
 *
 * Returns 0; -EDOM with the reason in words: too few points, too narrow a range, no correlation, a slope that cannot
 * be, a meter that shows less than the parts; -ENOMEM.
 */
int es_calibrate_fit(const struct es_pair_source *sources, size_t n,
		     const struct es_calibrate_options *options, struct es_calibration *ret,
		     struct es_error *err);

#endif
