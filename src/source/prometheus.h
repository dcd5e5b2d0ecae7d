/*
 * source/prometheus.h - what a Prometheus answers to a query
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_PROMETHEUS_H
#define ES_SOURCE_PROMETHEUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_prometheus_sample - one value and when the query was evaluated, by the server's clock */
struct es_prometheus_sample {
	double value;
	int64_t t_unix_ns;
};

/**
 * es_prometheus_parse - the answer of /api/v1/query: a scalar, or a vector of one series
 *
 * Returns 0; -ENODATA: no series, or NaN; -EINVAL: the server refuses the query; -EBADMSG: no such answer, or more than
 * one series, named in @err.
 */
int es_prometheus_parse(const char *text, size_t n, struct es_prometheus_sample *ret,
			struct es_error *err);

#endif
