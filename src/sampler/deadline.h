/*
 * deadline.h - absolute deadlines that do not drift
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_DEADLINE_H
#define ES_SAMPLER_DEADLINE_H

#include <stdint.h>

/** struct es_deadline - every @period_ns from a start, on the monotonic clock */
struct es_deadline {
	int64_t next_ns, period_ns;
};

static inline void es_deadline_init(struct es_deadline *deadline, int64_t start_ns,
				    int64_t period_ns)
{
	deadline->period_ns = period_ns;
	deadline->next_ns = start_ns + period_ns;
}

/**
 * es_deadline_pass - it is @now_ns, at or after the deadline: move on to the next one that lies ahead
 * Returns how many deadlines were missed: passed by a whole period or more without being served.
 */
static inline int64_t es_deadline_pass(struct es_deadline *deadline, int64_t now_ns)
{
	int64_t missed =
		now_ns > deadline->next_ns ? (now_ns - deadline->next_ns) / deadline->period_ns : 0;

	deadline->next_ns += (missed + 1) * deadline->period_ns;
	return missed;
}

#endif
