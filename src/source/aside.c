/*
 * source/aside.c - sources whose meter is read by a thread of its own (source/slow.h)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/aside.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define AGAIN_NS ES_NS_PER_S

struct aside {
	struct es_source source;
	struct es_slow *slow; /* NULL: its domains are only listed */
	int error; /* then: why */
	int64_t least_ns;
	int64_t sweep_ns; /* what all readings of a sweep take */
};

static int64_t sum_widths(const struct aside *aside, struct es_reading *readings)
{
	int64_t sum_ns = 0;

	es_slow_latest(aside->slow, readings);
	for (size_t i = 0; i < aside->source.n_domains; i++)
		sum_ns += readings[i].width_ns;
	return sum_ns;
}

/* The better of two sweeps, where the first one, which was taken at the start, was not quick: it may have lost its CPU. */
static int find_sweep(struct aside *aside)
{
	struct es_reading *readings = calloc(aside->source.n_domains, sizeof(*readings));
	int64_t again_ns;

	if (!readings)
		return -ENOMEM;
	aside->sweep_ns = sum_widths(aside, readings);
	if (2 * aside->sweep_ns > aside->least_ns) {
		es_slow_ask(aside->slow);
		if (es_slow_wait(aside->slow, AGAIN_NS) == 0) {
			again_ns = sum_widths(aside, readings);
			aside->sweep_ns = again_ns < aside->sweep_ns ? again_ns : aside->sweep_ns;
		}
	}
	free(readings);
	return 0;
}

int es_aside_open(const struct es_source_ops *ops, const struct es_slow_ops *slow_ops,
		  struct es_aside_work *work, int64_t wait_ns, int64_t least_ns,
		  struct es_source **ret, struct es_error *err)
{
	struct aside *aside = calloc(1, sizeof(*aside));
	int r;

	if (!aside) {
		slow_ops->end(work);
		return es_error_set(err, -ENOMEM, "%s", ops->name);
	}
	aside->source.ops = ops;
	aside->least_ns = least_ns;
	r = es_slow_start(slow_ops, work, wait_ns, &aside->slow, &aside->source.start_ns, err);
	if (r == 0) {
		aside->source.domains = work->domains;
		aside->source.n_domains = work->n_domains;
		work->domains = NULL;
		r = find_sweep(aside);
	}
	if (r < 0) {
		es_aside_close(&aside->source);
		return r;
	}
	*ret = &aside->source;
	return 0;
}

int es_aside_list(const struct es_source_ops *ops, struct es_domain *domains, size_t n, int error,
		  struct es_source **ret, struct es_error *err)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (!aside)
		return es_error_set(err, -ENOMEM, "%s", ops->name);
	aside->source.ops = ops;
	aside->source.domains = domains;
	aside->source.n_domains = n;
	aside->error = error;
	*ret = &aside->source;
	return 0;
}

int es_aside_plan(const struct es_source *source, struct es_plan *ret)
{
	const struct aside *aside = (const struct aside *)source;
	int64_t busy_ns = 2 * aside->sweep_ns;

	/* A meter that is slower than its values change is not kept busy for more than half of the time. */
	*ret = (struct es_plan){
		.at_least_ns = INT64_MAX,
		.at_most_ns = busy_ns > aside->least_ns ? busy_ns : aside->least_ns,
	};
	return 0;
}

int es_aside_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct aside *aside = (struct aside *)source;

	if (n < source->n_domains)
		return -EINVAL;
	if (!aside->slow)
		return aside->error;
	es_slow_latest(aside->slow, ret);
	return 0;
}

void es_aside_ask(struct es_source *source)
{
	struct aside *aside = (struct aside *)source;

	if (aside->slow)
		es_slow_ask(aside->slow);
}

int es_aside_wait(struct es_source *source, int64_t wait_ns)
{
	struct aside *aside = (struct aside *)source;

	return aside->slow ? es_slow_wait(aside->slow, wait_ns) : 0;
}

int es_aside_release(struct es_source *source)
{
	struct aside *aside = (struct aside *)source;
	int r = aside->slow ? es_slow_release(aside->slow) : aside->error;

	/* A thread that did not begin in time is still at it, and may hold what it opened. */
	if (!aside->slow)
		return r == -ETIMEDOUT ? -EBUSY : 0;
	return r == -EOPNOTSUPP ? -EBUSY : r;
}

void es_aside_take(struct es_source *source)
{
	struct aside *aside = (struct aside *)source;

	if (aside->slow)
		es_slow_take(aside->slow);
}

void es_aside_close(struct es_source *source)
{
	struct aside *aside = (struct aside *)source;

	if (!aside)
		return;
	es_slow_stop(aside->slow);
	free(source->domains);
	free(aside);
}
