/*
 * source/arrivals.h - how often messages come, and when one is overdue
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ARRIVALS_H
#define ES_SOURCE_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_ARRIVALS_KEPT 8U

/** struct es_arrivals - the last spaces between messages */
struct es_arrivals {
	int64_t interval_ns; /* as the user says; 0: found out */
	int64_t stale_ns; /* as the user says; 0: three intervals */
	int64_t last_ns; /* boot clock: of the last message, or of the start */
	bool has_last;
	int64_t spaces_ns[ES_ARRIVALS_KEPT];
	size_t n; /* of all */
};

/** es_arrivals_init - no message yet at @now_ns */
void es_arrivals_init(struct es_arrivals *arrivals, int64_t interval_ns, int64_t stale_ns,
		      int64_t now_ns);
/** es_arrivals_add - a message came */
void es_arrivals_add(struct es_arrivals *arrivals, int64_t t_ns);
/** es_arrivals_usual_ns - the median of the last spaces; 0: not known yet */
int64_t es_arrivals_usual_ns(const struct es_arrivals *arrivals);
/** es_arrivals_limit_ns - a silence longer than that is one: three usual intervals, 60 s while that is not known, or stale_ns */
int64_t es_arrivals_limit_ns(const struct es_arrivals *arrivals);
/** es_arrivals_holds - the last value is still that of now: the next message is not due, or not by much */
bool es_arrivals_holds(const struct es_arrivals *arrivals, int64_t now_ns);
/** es_arrivals_are_stale - nothing for longer than the limit */
bool es_arrivals_are_stale(const struct es_arrivals *arrivals, int64_t now_ns);

#endif
