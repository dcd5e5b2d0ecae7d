/*
 * format/report_unseen.h - GPUs that were there and gave no reading, and what they may have drawn
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_UNSEEN_H
#define ES_FORMAT_REPORT_UNSEEN_H

#include <stdbool.h>
#include <stdint.h>

struct es_buf;
struct es_json;
struct es_report;

/** struct es_report_unseen - over all nodes, what no meter of the total covers */
struct es_report_unseen {
	uint32_t n_gpus;
	double most_w; /* maximum board powers, summed up */
	double most_j; /* over the time of the report */
	bool is_guess; /* a model is not in the table: the most that a card may draw was taken */
};

/** es_report_count_gpus - GPUs of a node that were there, and of them those with a reading (or asleep and left so) */
void es_report_count_gpus(const struct es_report *report, uint32_t node, uint32_t *ret_there,
			  uint32_t *ret_measured);

/** es_report_has_node_meter - a meter of the whole node is its total: whatever is in it is counted */
bool es_report_has_node_meter(const struct es_report *report, uint32_t node);

/**
 * es_report_unseen_sum - widen the report's uncertainty by what unseen GPUs may have drawn
 *
 * From nothing to the maximum power of their boards, all the time: the energy is "at least" what was measured. Half
 * of an interval with the estimate in its middle would say that it may as well have been less: all of it is added.
 */
void es_report_unseen_sum(struct es_report *report);

/** es_report_unseen_row - "at least" and why, for people; nothing where all was seen */
void es_report_unseen_row(const struct es_report *report, struct es_buf *out);
/** es_report_unseen_members - at_least, unseen_gpus, unseen_j */
void es_report_unseen_members(const struct es_report *report, struct es_json *json);

#endif
