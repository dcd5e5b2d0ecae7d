/*
 * reads.c - one source read once, at once or aside
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/reads.h"

#include "base/clock.h"
#include "base/hot.h"

#define SLOW_NS (20 * ES_NS_PER_MS)

es_hot void es_reads_take(struct es_sampler_source *entry, struct es_reading *ret)
{
	int r = entry->ops->read(entry->source, ret, entry->n);

	for (size_t i = 0; r < 0 && i < entry->n; i++)
		ret[i].error = r;
}

es_hot void es_reads_ask(const struct es_sampler_source *entry)
{
	if (entry->ops->ask)
		entry->ops->ask(entry->source);
}

void es_reads_wait(struct es_sampler_source *entry, int64_t until_ns, struct es_reading *ret)
{
	int64_t wait_ns = until_ns - es_clock_mono_ns();
	int r = entry->ops->wait(entry->source, wait_ns > 0 ? wait_ns : 0);

	es_reads_take(entry, ret);
	for (size_t i = 0; r < 0 && i < entry->n; i++)
		ret[i] = (struct es_reading){ .t_ns = es_clock_boot_ns(), .error = r };
}

int64_t es_reads_slow_ns(const struct es_sampler_source *entry)
{
	return entry->ops->ask && entry->period_ns > SLOW_NS ? entry->period_ns : SLOW_NS;
}
