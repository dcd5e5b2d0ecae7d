/*
 * daemon/pace.c - how often somebody may have something
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/pace.h"

#include <stddef.h>

bool es_pace_take(struct es_pace *pace, int64_t now_ns, int64_t period_ns, unsigned n_at_once)
{
	int64_t from_ns = pace->until_ns > now_ns ? pace->until_ns : now_ns;

	if (from_ns - now_ns > (int64_t)(n_at_once - 1) * period_ns)
		return false;
	pace->until_ns = from_ns + period_ns;
	return true;
}

bool es_paces_take(struct es_paces *paces, uid_t uid, int64_t now_ns, int64_t period_ns,
		   unsigned n_at_once)
{
	size_t at = 0;

	for (size_t i = 0; i < ES_PACES_MAX; i++) {
		if (paces->of[i].pace.until_ns && paces->of[i].uid == uid)
			return es_pace_take(&paces->of[i].pace, now_ns, period_ns, n_at_once);
		if (paces->of[i].pace.until_ns < paces->of[at].pace.until_ns)
			at = i;
	}
	paces->of[at].uid = uid;
	paces->of[at].pace.until_ns = 0;
	return es_pace_take(&paces->of[at].pace, now_ns, period_ns, n_at_once);
}
