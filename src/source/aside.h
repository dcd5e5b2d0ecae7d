/*
 * source/aside.h - sources whose meter is read by a thread of its own (source/slow.h)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ASIDE_H
#define ES_SOURCE_ASIDE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/slow.h"
#include "source/source.h"

/** struct es_aside_work - the start of what the thread works on: the domains that its begin makes */
struct es_aside_work {
	struct es_domain *domains; /* from malloc; the source's after begin */
	size_t n_domains;
};

/**
 * es_aside_open - a source of @ops, whose meter @slow_ops read on a thread
 * @work: the arg of @slow_ops, owned by the thread from now on, whatever is returned
 * @wait_ns: how long begin and a first sweep may take
 * @least_ns: what a source of this kind refreshes in; it is not read more often
 */
int es_aside_open(const struct es_source_ops *ops, const struct es_slow_ops *slow_ops,
		  struct es_aside_work *work, int64_t wait_ns, int64_t least_ns,
		  struct es_source **ret, struct es_error *err);

/**
 * es_aside_list - a source that cannot be read now: its domains are only listed
 * @domains: from malloc, the source's where 0 is returned
 * @error: what reading it returns
 */
int es_aside_list(const struct es_source_ops *ops, struct es_domain *domains, size_t n, int error,
		  struct es_source **ret, struct es_error *err);

/* The rest of the operations of such a source: struct es_source_ops. */
int es_aside_plan(const struct es_source *source, struct es_plan *ret);
int es_aside_read(struct es_source *source, struct es_reading *ret, size_t n);
void es_aside_ask(struct es_source *source);
int es_aside_wait(struct es_source *source, int64_t wait_ns);
/* Of those whose thread can let go; -EBUSY: what it holds cannot be closed and opened again in one process. */
int es_aside_release(struct es_source *source);
void es_aside_take(struct es_source *source);
void es_aside_close(struct es_source *source);

#endif
