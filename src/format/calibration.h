/*
 * format/calibration.h - a node's watts from its measured parts, as somebody found them once, and where from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CALIBRATION_H
#define ES_FORMAT_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/sha256.h"
#include "core/node_class.h"

#define ES_CALIBRATION_MAX_BYTES (1U << 20)
#define ES_CALIBRATION_PARTS_MAX 128U
#define ES_CALIBRATION_SOURCES_MAX 256U
#define ES_CALIBRATION_PART_BYTES 64U

/** struct es_calibration_source - a recording that it was made from */
struct es_calibration_source {
	char name[ES_NAME_MAX_BYTES]; /* of its file */
	char sha256[ES_SHA256_TEXT_BYTES];
};

/** struct es_calibration - node = slope * parts + offset; plain but for the lists, es_calibration_finish() it */
struct es_calibration {
	char name[ES_NAME_MAX_BYTES]; /* of the class, and of the file */
	char path[ES_PATH_MAX_BYTES]; /* where it was read from; "": nowhere */
	struct es_node_class class; /* of the nodes it was made on: it holds for those */
	char (*parts)[ES_CALIBRATION_PART_BYTES]; /* [n_parts] names of domains, sorted; owned */
	size_t n_parts;
	double slope, slope_bound, offset_w, offset_bound_w;
	double mean_w, mean_bound_w; /* of the parts over the windows; bound of the line there */
	double residual_w, r2; /* standard deviation about the line, of windows */
	bool has_left_out; /* of the recordings' mean powers, each by a line through the others */
	double left_out_w; /* root of the mean square */
	double lowest_w, highest_w; /* of the parts: it holds between these */
	bool has_load; /* the same over the sum of the processors' limits */
	double lowest_load, highest_load;
	uint64_t n_windows;
	double n_effective, window_s;
	bool has_lag;
	double lag_s, lag_bound_s; /* the meter is late by that */
	char meter[ES_NAME_MAX_BYTES]; /* domain or file that it was made with */
	uint32_t meter_accuracy_ppm; /* rated; 0: not stated */
	char who[ES_NAME_MAX_BYTES], tool[64]; /* who made it, and with what */
	int64_t t_unix_ns; /* when */
	struct es_calibration_source *sources; /* [n_sources] owned */
	size_t n_sources;
};

void es_calibration_finish(struct es_calibration *calibration);
int es_calibration_add_part(struct es_calibration *calibration, const char *name);
int es_calibration_add_source(struct es_calibration *calibration, const char *name,
			      const char *sha256);

/** es_calibration_write - as JSON, schema energyscopium.calibration/1; 0 or negative errno */
int es_calibration_write(const struct es_calibration *calibration, struct es_buf *out);
struct es_json;
/** es_calibration_members - the members of it into an open object */
void es_calibration_members(const struct es_calibration *calibration, struct es_json *json);
/** es_calibration_read - from JSON of @n bytes; 0, or -EBADMSG with what is wrong */
int es_calibration_read(const char *text, size_t n, struct es_calibration *ret,
			struct es_error *err);

/** es_calibration_is_outside - whether these parts draw less or more than when it was made, by more than 2 % */
bool es_calibration_is_outside(const struct es_calibration *calibration, double parts_w);
/**
 * es_calibration_bound_w - half width of a 95 % interval of a node's mean power
 *
 * The line's own bound there, the error that a recording left out had (without several: the scatter of windows), the
 * meter's rated accuracy; and outside of the range half of what the line says of the way from its nearer end.
 */
double es_calibration_bound_w(const struct es_calibration *calibration, double parts_w);

#endif
