/*
 * share.c - a command's part of the energy of a machine that it has not for itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/share.h"

#include <errno.h>
#include <math.h>

#include "base/parse.h"

const char *es_share_idle_name(enum es_share_idle idle)
{
	static const char *const names[ES_SHARE_IDLES] = {
		[ES_SHARE_IDLE_NOT_APART] = "not known apart",
		[ES_SHARE_IDLE_LEFT_OUT] = "left out",
		[ES_SHARE_IDLE_ALLOCATED] = "by allocated CPUs",
	};

	return names[idle];
}

int es_share_by_cpu_time(const struct es_share_of *of, struct es_share *ret)
{
	struct es_share share = { .idle = ES_SHARE_IDLE_NOT_APART };
	double dynamic_j = of->energy_j, allocated = 0, share_error, idle_error_j = 0;
	double dur_s = es_s_from_ns(of->dur_ns);

	if (of->energy_j < 0 || of->cpu_ns < 0 || of->busy_ns <= 0 || of->dur_ns <= 0)
		return -ENODATA;
	share.share = fmin((double)of->cpu_ns / (double)of->busy_ns, 1.0);
	share_error = fmin((double)of->busy_step_ns / (double)of->busy_ns, 1.0);
	if (of->has_idle) {
		/* The idle part cannot be more than the whole: a machine may idle deeper beside a command than without. */
		share.idle_j = fmin(fmax(of->idle_w, 0.0) * dur_s, of->energy_j);
		dynamic_j = of->energy_j - share.idle_j;
		share.idle = ES_SHARE_IDLE_LEFT_OUT;
		idle_error_j = of->idle_uncertainty_w * dur_s;
	}
	if (of->has_idle && of->n_allocated > 0 && of->n_cpus >= of->n_allocated) {
		share.idle = ES_SHARE_IDLE_ALLOCATED;
		allocated = (double)of->n_allocated / (double)of->n_cpus;
	}
	share.energy_j = share.share * dynamic_j + allocated * share.idle_j;
	/* What is wrong in the idle power moves from one part to the other. */
	share.uncertainty_j =
		sqrt(pow(share.share * of->uncertainty_j, 2) + pow(share_error * dynamic_j, 2) +
		     pow((share.share - allocated) * idle_error_j, 2));
	*ret = share;
	return 0;
}
