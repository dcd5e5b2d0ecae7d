/*
 * format/report_model.h - from measured joules to the node's, the facility's and grams
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_MODEL_H
#define ES_FORMAT_REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "format/calibration.h"

struct es_json;
struct es_node_info;
struct es_report;

/** struct es_report_calibrations - what a report may choose from; borrowed */
struct es_report_calibrations {
	const struct es_calibration *list;
	size_t n;
	bool is_forced; /* the only one, whatever the node is: the user named it */
};

/** struct es_report_model - which model made the node's energy, and what it adds */
struct es_report_model {
	char name[ES_NAME_MAX_BYTES + 16]; /* "none", "calibrated:CLASS" … */
	char text[2 * ES_NAME_MAX_BYTES]; /* for people */
	double slope; /* over all nodes, weighted by their energy */
	double offset_w; /* sum over nodes */
	double uncertainty_j; /* of the model, in report->uncertainty_j */
	size_t n_nodes; /* to which a calibration was applied */
	bool is_outside; /* of the range that one of them was made in */
	const struct es_calibration *calibration; /* the first that was applied; NULL: none */
};

/** es_report_node_class - what a node of a recording is made of */
struct es_node_class es_report_node_class(const struct es_node_info *node);

/**
 * es_report_follow_chain - measured -> node -> facility -> carbon
 *
 * A node whose total comes from meters of its parts gets the calibration of its class, where there is one for exactly
 * these parts; one with a meter of its own, or an estimate at the wall, gets nothing on top. A named model takes the
 * place of that for all.
 */
void es_report_follow_chain(struct es_report *report);

/** es_report_model_members - slope, offset_w and what else there is, into the open object "model" */
void es_report_model_members(const struct es_report *report, struct es_json *json);

#endif
