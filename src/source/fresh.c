/*
 * source/fresh.c - whether what a remote meter shows is new, and when it was taken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/fresh.h"

#include <errno.h>

#include "base/clock.h"

#define AHEAD_MAX_NS (2 * ES_NS_PER_S) /* clocks that are kept by NTP differ by less */

struct es_now es_now(void)
{
	return (struct es_now){ .boot_ns = es_clock_boot_ns(), .unix_ns = es_clock_unix_ns() };
}

int es_fresh_age(struct es_fresh *fresh, int64_t t_ns, int64_t age_ns, struct es_now now,
		 int64_t *ret_ns)
{
	int64_t place_ns;

	if (age_ns < -AHEAD_MAX_NS)
		return -ERANGE;
	if (fresh->stale_ns && age_ns > fresh->stale_ns)
		return -ESTALE;
	place_ns = now.boot_ns - (age_ns > 0 ? age_ns : 0);
	/* By the place, not the time alone: clocks are set, back as well as forward. */
	if (fresh->has_last && (t_ns == fresh->last_unix_ns || place_ns <= fresh->last_place_ns ||
				(t_ns < fresh->last_unix_ns && age_ns <= 0)))
		return -ECANCELED;
	fresh->has_last = true;
	fresh->last_unix_ns = t_ns;
	fresh->last_place_ns = place_ns;
	*ret_ns = place_ns;
	/* Before this machine was started: it cannot be placed. */
	return place_ns > 0 ? 0 : -ENODATA;
}

int es_fresh_place(struct es_fresh *fresh, int64_t t_unix_ns, struct es_now now, int64_t *ret_ns)
{
	return es_fresh_age(fresh, t_unix_ns, now.unix_ns - t_unix_ns, now, ret_ns);
}

int es_fresh_stands(struct es_fresh *fresh, uint64_t mark, int64_t now_boot_ns)
{
	if (!fresh->has_last || mark != fresh->last_mark) {
		fresh->has_last = true;
		fresh->last_mark = mark;
		fresh->changed_ns = now_boot_ns;
	}
	return fresh->stale_ns && now_boot_ns - fresh->changed_ns > fresh->stale_ns ? -ESTALE : 0;
}

uint64_t es_mark(uint64_t mark, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		mark = (mark ^ p[i]) * UINT64_C(0x100000001b3);
	return mark;
}
