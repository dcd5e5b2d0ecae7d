/*
 * cli/calibrate_gather.h - a node's meter and its parts out of recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CALIBRATE_GATHER_H
#define ES_CLI_CALIBRATE_GATHER_H

#include "base/error.h"
#include "cli/courses.h"
#include "core/pairs.h"
#include "format/calibration.h"
#include "format/wattmeter.h"

#define ES_CALIBRATE_NODES_MAX 4096U

/** struct es_calibrate_data - all that a calibration is fitted to; zero-initialise, es_calibrate_data_finish() it */
struct es_calibrate_data {
	struct es_courses *recordings; /* [n_recordings] owned */
	size_t n_recordings;
	struct es_wattmeter wattmeter; /* of a file; n == 0: none */
	struct es_course *meters; /* [n_recordings] of that file, on each recording's clock; owned */
	struct es_pair_source *sources; /* [n_sources] one for each node of each recording; owned */
	const struct es_course **parts; /* that the sources point into; owned */
	size_t n_sources, n_parts;
	double limit_w; /* of a node's processors; 0: not known */
};

/**
 * es_calibrate_gather - read recordings and meter
 * @meter: "bmc", a file, or a domain by id or name
 * @ret: its class, parts, meter and recordings are filled in
 * Returns 0; -EINVAL with what does not fit; errors of reading.
 */
int es_calibrate_gather(const char *meter, char *const *paths, size_t n_paths,
			struct es_calibrate_data *data, struct es_calibration *ret,
			struct es_error *err);
void es_calibrate_data_finish(struct es_calibrate_data *data);

#endif
