/*
 * sampler/signals.h - what is recorded beside energy, read about once a second
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_SIGNALS_H
#define ES_SAMPLER_SIGNALS_H

#include "record/recorder.h"
#include "sampler/sampler.h"

/** struct es_signal_reads - the signals of all sources; zeroed: there are none */
struct es_signal_reads {
	struct es_signal *all; /* in the order of the sources */
	size_t n;
	struct es_reading *readings; /* scratch, [signal of a source] */
	struct es_signal_value *values; /* [signal] */
	int64_t *kept_ns; /* [signal] time of the value kept last: one read aside may come twice */
};

/** es_signal_reads_add - the signals of @source behind the others; 0, -ENOMEM, or -E2BIG where there are too many */
int es_signal_reads_add(struct es_signal_reads *reads, const struct es_source *source);
void es_signal_reads_finish(struct es_signal_reads *reads);

/** es_signal_reads_start - take the memory; nothing where there are no signals. 0 or -ENOMEM */
int es_signal_reads_start(struct es_signal_reads *reads);
/** es_signal_reads_take - each source once, and what is new to the recorder; 0, or what that says */
int es_signal_reads_take(struct es_signal_reads *reads, struct es_sampler_source *sources,
			 size_t n_sources, struct es_recorder *recorder);

#endif
