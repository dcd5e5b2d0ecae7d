/*
 * work_count.h - an amount of work that grows, from the values that somebody prints
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_COUNT_H
#define ES_CLI_WORK_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* What the first value is compared with. */
enum es_work_from {
	ES_WORK_FROM_ZERO, /* nothing was done before the command */
	ES_WORK_FROM_FIRST, /* what was done before the first value is not known: it counts from there */
	ES_WORK_FROM_GIVEN, /* so much was done before */
};

/** struct es_work_count - plain data; amounts in millionths of the unit */
struct es_work_count {
	enum es_work_from from;
	int64_t from_micro; /* ES_WORK_FROM_GIVEN */
	bool has_value;
	int64_t last_micro; /* the last value as it was printed */
	int64_t sum_micro; /* the work done since the command's start */
	uint64_t n_values, n_restarts;
};

/**
 * es_work_count_add - one more value
 *
 * A smaller one than the last is a restart from 0, as of counters everywhere. Returns whether the sum has changed (or
 * is known for the first time), or -ERANGE: negative, or the sum does not fit; nothing is changed then.
 */
int es_work_count_add(struct es_work_count *count, int64_t value_micro);

#endif
