/*
 * reads.h - one source read once, at once or aside
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_READS_H
#define ES_SAMPLER_READS_H

#include "sampler/sampler.h"

/** es_reads_take - the readings of an open source; those of one that is read aside are its newest, perhaps not new */
void es_reads_take(struct es_sampler_source *entry, struct es_reading *ret);
/** es_reads_ask - a source that is read aside begins a reading; never waits */
void es_reads_ask(const struct es_sampler_source *entry);
/** es_reads_wait - the readings that began after es_reads_ask(): where there are none by then (monotonic clock), they failed */
void es_reads_wait(struct es_sampler_source *entry, int64_t until_ns, struct es_reading *ret);
/** es_reads_slow_ns - later than that a reading holds up the others, or misses its own turn where it is taken aside */
int64_t es_reads_slow_ns(const struct es_sampler_source *entry);

#endif
