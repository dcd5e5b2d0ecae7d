/*
 * signals.h - values of signals on their way into and out of frames
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_SIGNALS_H
#define ES_RECORD_SIGNALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The payload of an ES_FRAME_SIGNALS: one run of values after the other, to its end. A run is what was read at one time:
 *   varint zigzag of the time in µs (boot clock), varint index of its first signal, varint number of its values (1 …),
 *   and each value as varint of value + 1, or 0 where there is none
 * They come once a second: a block's columns of one row each would be longer than what is in them.
 */

/** struct es_signal_value - one signal read once */
struct es_signal_value {
	int64_t t_ns; /* boot clock; kept to the microsecond */
	uint64_t value; /* at most INT64_MAX - 1 */
	int error; /* not 0: it is left out */
};

/** es_signals_encode - append the values of signals 0 … @n - 1 that have no error; nothing where none is left. 0, errors of @out */
int es_signals_encode(const struct es_signal_value *values, size_t n, struct es_buf *out);

/** es_signal_fn - one value; a negative return stops */
typedef int (*es_signal_fn)(void *arg, size_t signal, int64_t t_ns, uint64_t value);

/** es_signals_check - whether @n bytes are such a payload, of a recording with @n_signals; 0 or -EBADMSG */
int es_signals_check(const void *data, size_t n, size_t n_signals);
/** es_signals_decode - each value of a payload that was checked to @fn, in order; 0, or what @fn returned */
int es_signals_decode(const void *data, size_t n, size_t n_signals, es_signal_fn fn, void *arg);

#endif
