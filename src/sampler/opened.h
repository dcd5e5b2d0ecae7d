/*
 * opened.h - the meters of a machine, opened: those that are found, and those that are named
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_OPENED_H
#define ES_SAMPLER_OPENED_H

#include "sampler/sampler.h"
#include "sampler/signals.h"

/** struct es_opened - sources and their domains, whose parents are indices into all of them */
struct es_opened {
	struct es_sampler_source *sources; /* owned */
	size_t n_sources;
	struct es_domain *domains; /* owned */
	size_t n_domains;
	struct es_signal_reads signals;
};

/** es_opened_init - open them; 0, -EINVAL with @err: an URL that no source takes, or -ENOMEM */
int es_opened_init(struct es_opened *ret, const struct es_root *root,
		   const struct es_sampler_options *options, struct es_error *err);
/** es_opened_add - one that is open already, taken whatever is returned; 0, -ENOMEM, or -E2BIG: too many signals */
int es_opened_add(struct es_opened *opened, struct es_source *source);
/** es_opened_users - who computes on GPUs, of all sources that can tell; any thread may ask; how many of @max, or -EOPNOTSUPP: none can */
int es_opened_users(const struct es_opened *opened, struct es_gpu_user *ret, size_t max);
/** es_opened_finish - close all of them */
void es_opened_finish(struct es_opened *opened);

#endif
