/*
 * sampler/live.h - sources read on time for somebody who keeps no recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_LIVE_H
#define ES_SAMPLER_LIVE_H

#include "sampler/sampler.h"

/**
 * struct es_live - the sources of a sampler, each in its turn
 *
 * Turns are whole multiples of the period on the wall clock, so that all nodes read at the same moment; deadlines are
 * kept on the monotonic one and settled anew after each turn, so that a step of the wall clock costs one uneven turn.
 */
struct es_live {
	struct es_sampler *sampler; /* borrowed */
	int64_t period_ns; /* shortest of its sources' */
	int64_t *turns; /* [source] the turn in which it was read last */
	int64_t *read_ns; /* [source] monotonic time of its last reading */
	struct es_reading *readings; /* [domain of the sampler] newest of each */
	size_t n_readings;
	int64_t next_ns; /* monotonic clock: the next turn */
	int64_t turn_unix_ns; /* wall clock of it, a whole multiple of the period */
};

/** es_live_init - borrows @sampler; its domains that are not listed are left unread where their source can. 0 or -ENOMEM */
int es_live_init(struct es_live *live, struct es_sampler *sampler, int64_t period_ns);
void es_live_finish(struct es_live *live);

/** es_live_plan - another period from now on; takes no memory */
void es_live_plan(struct es_live *live, int64_t period_ns);

/**
 * es_live_align - the next turn after now: sets next_ns
 * @unix_ns, @mono_ns: the two clocks, read one after the other
 */
void es_live_align(struct es_live *live, int64_t unix_ns, int64_t mono_ns);

/** es_live_turn - read the sources whose turn it is; the others keep what they showed last. Takes no memory */
void es_live_turn(struct es_live *live, int64_t mono_ns);
/**
 * es_live_now - read all sources that can have something new, out of turn
 * Those that are read aside are waited for until @until_ns (monotonic clock) at the latest.
 */
void es_live_now(struct es_live *live, int64_t mono_ns, int64_t until_ns);

#endif
