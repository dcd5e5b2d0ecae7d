/*
 * source/fresh.h - whether what a remote meter shows is new, and when it was taken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_FRESH_H
#define ES_SOURCE_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_fresh - what was seen last; all zero but @stale_ns: nothing yet */
struct es_fresh {
	int64_t stale_ns; /* what is older, or stands still for longer, is no reading; 0: it may */
	bool has_last;
	int64_t last_unix_ns,
		last_place_ns; /* of a value with a time: that, and where it was placed */
	uint64_t last_mark;
	int64_t changed_ns; /* boot clock, when the mark was new */
};

/** struct es_now - both clocks at one moment */
struct es_now {
	int64_t boot_ns, unix_ns;
};

struct es_now es_now(void);

/**
 * es_fresh_place - when a value with the wall clock's time @t_unix_ns was taken, by our boot clock
 * @ret_ns: set on success
 *
 * Returns 0; -ECANCELED: not newer than the last one; -ESTALE: older than stale_ns; -ERANGE: from the future, so its
 * clock or ours is wrong.
 */
int es_fresh_place(struct es_fresh *fresh, int64_t t_unix_ns, struct es_now now, int64_t *ret_ns);
/** es_fresh_age - the same where the meter's own clock says how old the value is that it took at @t_ns */
int es_fresh_age(struct es_fresh *fresh, int64_t t_ns, int64_t age_ns, struct es_now now,
		 int64_t *ret_ns);
/** es_fresh_stands - 0; -ESTALE: all that it shows has had the same @mark for longer than stale_ns */
int es_fresh_stands(struct es_fresh *fresh, uint64_t mark, int64_t now_boot_ns);

#define ES_MARK_BEGIN UINT64_C(0xcbf29ce484222325)
/** es_mark - a mark of @n bytes more; begin with ES_MARK_BEGIN. No secret: FNV-1a */
uint64_t es_mark(uint64_t mark, const void *data, size_t n);

#endif
