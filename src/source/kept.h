/*
 * source/kept.h - a file that stays open and is read anew for each reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_KEPT_H
#define ES_SOURCE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/domain.h"
#include "sys/root.h"

#define ES_KEPT_PATH_BYTES 512U

/** struct es_kept - an attribute of a driver; all zero with fd -1: none */
struct es_kept {
	char path[ES_KEPT_PATH_BYTES]; /* below the root */
	int fd; /* -1: not open */
	int error; /* of the last read, 0: none */
	int64_t retry_ns; /* not to be opened again before */
	int64_t pause_ns; /* how long it was not tried for */
};

/** es_kept_open - open @path; 0 or negative errno, which is kept too; es_kept_close() it */
int es_kept_open(const struct es_root *root, const char *path, struct es_kept *ret);
void es_kept_close(struct es_kept *kept);

/**
 * es_kept_read - what it shows now, NUL-terminated
 * @now_ns: boot clock. A file that vanished is opened again now and then.
 * Returns its length; -EMSGSIZE where it does not fit; errors of open and read.
 */
ssize_t es_kept_read(const struct es_root *root, struct es_kept *kept, int64_t now_ns, char *data,
		     size_t size);
/** es_kept_read_u64 - a decimal number of sysfs; 0 or negative errno */
int es_kept_read_u64(const struct es_root *root, struct es_kept *kept, int64_t now_ns,
		     uint64_t *ret);

/**
 * es_kept_gives_up - whether the first read, which failed with @error after @tries others, is not to be tried again
 * Nothing yet, or a driver being loaded: a moment later there is a value. False after such a moment, 15 ms in all.
 */
bool es_kept_gives_up(int error, int tries);

/** es_kept_is_due - whether another path may be tried now for one that failed; then it is not for a while */
bool es_kept_is_due(struct es_kept *kept, int64_t now_ns);

/** es_kept_explain - why @domain cannot be read, its file failing with @error: state, reason and fix */
void es_kept_explain(const struct es_root *root, const struct es_kept *kept, int error,
		     struct es_domain *domain);

/** struct es_stamps - times of a meter's own clock as times of ours; all zero: none seen yet */
struct es_stamps {
	bool has_any;
	int64_t last_ns; /* the meter's clock, at the last time */
	int64_t last_t_ns; /* what was said of it */
	int64_t ahead_ns,
		next_ahead_ns; /* least difference seen to ours, before and in this window */
	int64_t window_ns; /* boot clock at which this window began */
};

/**
 * es_stamps_place - when a value with the meter's time @meter_ns, read at @t_ns, was taken
 *
 * The clocks have nothing in common but their pace, roughly: the freshest value seen in the last minutes tells the
 * difference. The meter's clock may be set anew. What is returned goes forward and is never after @t_ns.
 * Returns a boot time, or -EAGAIN where @meter_ns is that of the last call: nothing new.
 */
int64_t es_stamps_place(struct es_stamps *stamps, int64_t meter_ns, int64_t t_ns);

#endif
