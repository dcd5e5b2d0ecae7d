/*
 * source/slow.h - meters that take their time, read by a thread of their own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_SLOW_H
#define ES_SOURCE_SLOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/source.h"

/**
 * struct es_slow_ops - what a slow meter does; all of it on its thread, one call after the other
 *
 * A vendor's library or a management controller may take milliseconds for a reading, seconds to start, and now and then
 * never answer: whoever reads on time only asks, and takes what was answered last.
 */
struct es_slow_ops {
	const char *name; /* of the thread, at most 15 bytes */
	/* Open the meter. Returns how many readings a sweep has (at least 1), or negative errno. */
	int (*begin)(void *arg, struct es_error *err);
	/* One sweep: every one of @ret gets its value or error, and the time of its own read. */
	void (*read)(void *arg, struct es_reading *ret, size_t n);
	/*
	 * Close whatever keeps others from the device (handles, files, the library), and open it again. Between them there
	 * are no readings (-ECANCELED). What could not be opened again is read's to try. NULL, both: there is nothing.
	 */
	void (*release)(void *arg);
	void (*take)(void *arg);
	/* Close the meter and free @arg; also after a begin that failed. */
	void (*end)(void *arg);
};

struct es_slow;

/**
 * es_slow_start - begin the meter and take a first sweep, both on a new thread
 * @arg: owned by the thread from now on, whatever is returned. Until es_slow_stop() others may read what begin left in it.
 * @wait_ns: how long that may take
 * @ret_start_ns: how long begin took; set on success
 * Returns 0; -ETIMEDOUT: it is still not done, the thread is left to itself; what begin returned.
 */
int es_slow_start(const struct es_slow_ops *ops, void *arg, int64_t wait_ns, struct es_slow **ret,
		  int64_t *ret_start_ns, struct es_error *err);
/**
 * es_slow_begin, es_slow_settle - the same in two parts, so that several meters begin at a time
 * @until_ns: monotonic clock. A settle that fails ends @slow; es_slow_stop() does, too, in place of it.
 */
int es_slow_begin(const struct es_slow_ops *ops, void *arg, struct es_slow **ret,
		  struct es_error *err);
int es_slow_settle(struct es_slow *slow, int64_t until_ns, int64_t *ret_start_ns,
		   struct es_error *err);
/** es_slow_end - let the meter end, without waiting: es_slow_stop() then waits for what is left of the moment */
void es_slow_end(struct es_slow *slow);
/** es_slow_stop - end the meter; one that does not answer is left to itself after a moment, with its memory */
void es_slow_stop(struct es_slow *slow);

/** es_slow_ask - wish for a sweep that begins from now on; never waits */
void es_slow_ask(struct es_slow *slow);
/** es_slow_wait - until the sweep asked for last is there; 0, or -ETIMEDOUT after @wait_ns */
int es_slow_wait(struct es_slow *slow, int64_t wait_ns);
/**
 * es_slow_latest - the newest sweep that is there, perhaps the same as last time (then with the same times); never waits
 * @ret: room for as many readings as begin promised. One thread only may ask, wait and take.
 */
void es_slow_latest(struct es_slow *slow, struct es_reading *ret);

/** es_slow_release - let the meter's device go; never waits. 0: it is gone; -EINPROGRESS: soon, ask again; -EOPNOTSUPP */
int es_slow_release(struct es_slow *slow);
/** es_slow_take - have it again from the next sweep on; never waits */
void es_slow_take(struct es_slow *slow);

#endif
