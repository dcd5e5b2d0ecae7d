/*
 * metrics.h - one value out of OpenMetrics or Prometheus text
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_METRICS_H
#define ES_NET_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_METRICS_LABELS_MAX 8U
#define ES_METRICS_WORD_MAX_BYTES 256U /* a name or a label's value; with the final NUL */
#define ES_METRICS_LINE_MAX_BYTES 16384U /* longer lines are not read, and counted */

struct es_metrics_label {
	char name[ES_METRICS_WORD_MAX_BYTES], value[ES_METRICS_WORD_MAX_BYTES];
};

/** struct es_metrics_query - a metric's name, and labels that its series must have; they may have others */
struct es_metrics_query {
	char name[ES_METRICS_WORD_MAX_BYTES];
	struct es_metrics_label labels[ES_METRICS_LABELS_MAX];
	size_t n_labels;
};

/** es_metrics_query_parse - NAME or NAME{label="value",…}; 0, -EBADMSG or -E2BIG with @err */
int es_metrics_query_parse(const char *text, struct es_metrics_query *ret, struct es_error *err);

/** struct es_metrics - text as it comes in, in pieces cut anywhere; es_metrics_begin() before each answer */
struct es_metrics {
	const struct es_metrics_query *query; /* borrowed */
	char line[ES_METRICS_LINE_MAX_BYTES];
	size_t n_line;
	bool is_too_long; /* the line that is coming in */
	uint64_t n_found,
		n_unusable; /* series that match; of those, without a number (NaN, Inf, too large), or not readable */
	uint64_t n_long; /* lines not read */
	int64_t sum_micro; /* of the series found, in millionths */
	bool has_overflow;
};

void es_metrics_begin(struct es_metrics *metrics, const struct es_metrics_query *query);
void es_metrics_feed(struct es_metrics *metrics, const char *data, size_t n);
/**
 * es_metrics_end - the answer is complete
 * Returns 0 with the sum of all series that match; -ENOENT: there is none; -ENODATA: one has no number that can be used.
 */
int es_metrics_end(struct es_metrics *metrics, int64_t *ret_micro);

#endif
