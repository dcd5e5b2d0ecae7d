/*
 * sampler/signals.c - what is recorded beside energy, read about once a second
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"

int es_signal_reads_add(struct es_signal_reads *reads, const struct es_source *source)
{
	struct es_signal *all;

	if (source->n_signals == 0 || !source->ops->read_signals)
		return 0;
	if (source->n_signals > ES_SIGNALS_MAX - reads->n)
		return -E2BIG;
	all = reallocarray(reads->all, reads->n + source->n_signals, sizeof(*all));
	if (!all)
		return -ENOMEM;
	reads->all = all;
	memcpy(all + reads->n, source->signals, source->n_signals * sizeof(*all));
	reads->n += source->n_signals;
	return 0;
}

void es_signal_reads_finish(struct es_signal_reads *reads)
{
	free(reads->all);
	free(reads->readings);
	free(reads->values);
	free(reads->kept_ns);
	*reads = (struct es_signal_reads){ .n = 0 };
}

int es_signal_reads_start(struct es_signal_reads *reads)
{
	if (reads->n == 0 || reads->values)
		return 0;
	reads->readings = calloc(reads->n, sizeof(*reads->readings));
	reads->values = calloc(reads->n, sizeof(*reads->values));
	reads->kept_ns = calloc(reads->n, sizeof(*reads->kept_ns));
	return reads->readings && reads->values && reads->kept_ns ? 0 : -ENOMEM;
}

static void keep(struct es_signal_reads *reads, size_t signal, const struct es_reading *reading)
{
	struct es_signal_value *value = &reads->values[signal];

	*value = (struct es_signal_value){ .t_ns = reading->t_ns,
					   .value = reading->value,
					   .error = reading->error };
	if (value->error == 0 && value->t_ns == reads->kept_ns[signal])
		value->error = -ECANCELED;
	if (value->error == 0)
		reads->kept_ns[signal] = value->t_ns;
}

int es_signal_reads_take(struct es_signal_reads *reads, struct es_sampler_source *sources,
			 size_t n_sources, struct es_recorder *recorder)
{
	if (reads->n == 0)
		return 0;
	for (size_t i = 0; i < n_sources; i++) {
		struct es_sampler_source *entry = &sources[i];
		size_t n = entry->source ? entry->source->n_signals : 0;
		int r;

		if (n == 0 || !entry->ops->read_signals)
			continue;
		r = entry->ops->read_signals(entry->source, reads->readings, n);
		for (size_t j = 0; j < n; j++) {
			if (r < 0)
				reads->readings[j].error = r;
			keep(reads, entry->first_signal + j, &reads->readings[j]);
		}
	}
	return es_recorder_signals(recorder, reads->values, reads->n);
}
