/*
 * daemon/pace.h - how often somebody may have something
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_PACE_H
#define ES_DAEMON_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ES_PACES_MAX 64U /* users at a time; who was quiet for longest makes room */

/** struct es_pace - zeroed: nothing was had yet */
struct es_pace {
	int64_t until_ns; /* monotonic clock: what was had is spent by then */
};

/** es_pace_take - whether it may be had now: once each @period_ns on average, after a silence up to @n_at_once in a row */
bool es_pace_take(struct es_pace *pace, int64_t now_ns, int64_t period_ns, unsigned n_at_once);

/** struct es_paces - one for each user; zeroed: nobody had anything yet */
struct es_paces {
	struct {
		uid_t uid;
		struct es_pace pace;
	} of[ES_PACES_MAX];
};

bool es_paces_take(struct es_paces *paces, uid_t uid, int64_t now_ns, int64_t period_ns,
		   unsigned n_at_once);

#endif
