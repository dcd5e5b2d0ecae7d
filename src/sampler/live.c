/*
 * sampler/live.c - sources read on time for somebody who keeps no recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "sampler/reads.h"

/* What needs a call of its own for domains that nobody is told of may leave them. */
static int want_listed(struct es_sampler *sampler, size_t n_domains)
{
	es_cleanup(es_freep) bool *is_wanted = calloc(n_domains + 1, sizeof(*is_wanted));
	size_t n;
	const struct es_sampler_source *entries = es_sampler_sources(sampler, &n);

	if (!is_wanted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!entries[i].source || !entries[i].ops->want)
			continue;
		for (size_t j = 0; j < entries[i].n; j++)
			is_wanted[j] = es_sampler_is_listed(sampler, entries[i].first_domain + j);
		entries[i].ops->want(entries[i].source, is_wanted);
	}
	return 0;
}

int es_live_init(struct es_live *live, struct es_sampler *sampler, int64_t period_ns)
{
	size_t n_sources, n_domains;

	(void)es_sampler_sources(sampler, &n_sources);
	(void)es_sampler_domains(sampler, &n_domains);
	*live = (struct es_live){ .sampler = sampler, .n_readings = n_domains };
	live->turns = calloc(n_sources + 1, sizeof(*live->turns));
	live->read_ns = calloc(n_sources + 1, sizeof(*live->read_ns));
	live->readings = calloc(n_domains + 1, sizeof(*live->readings));
	if (!live->turns || !live->read_ns || !live->readings || want_listed(sampler, n_domains)) {
		es_live_finish(live);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_domains; i++)
		live->readings[i].error = -ENODATA;
	es_live_plan(live, period_ns);
	return 0;
}

void es_live_finish(struct es_live *live)
{
	free(live->turns);
	free(live->read_ns);
	free(live->readings);
	*live = (struct es_live){ .sampler = NULL };
}

void es_live_plan(struct es_live *live, int64_t period_ns)
{
	size_t n;
	const struct es_sampler_source *entries = es_sampler_sources(live->sampler, &n);

	es_sampler_plan(live->sampler, period_ns);
	live->period_ns = period_ns;
	for (size_t i = 0; i < n; i++) {
		live->turns[i] = INT64_MIN;
		if (entries[i].source && entries[i].n && entries[i].period_ns < live->period_ns)
			live->period_ns = entries[i].period_ns;
	}
}

es_hot void es_live_align(struct es_live *live, int64_t unix_ns, int64_t mono_ns)
{
	int64_t past_ns = unix_ns % live->period_ns;

	if (past_ns < 0)
		past_ns += live->period_ns;
	/* A turn that comes at once is the one that was just served, seen by a clock that runs a little apart. */
	if (live->period_ns - past_ns < live->period_ns / 16)
		past_ns -= live->period_ns;
	live->turn_unix_ns = unix_ns - past_ns + live->period_ns;
	live->next_ns = mono_ns - past_ns + live->period_ns;
}

/* The newest readings of a source; one that gives nothing keeps those it had. */
es_hot static void take(struct es_live *live, size_t source, int64_t mono_ns)
{
	size_t n;
	struct es_sampler_source entry = es_sampler_sources(live->sampler, &n)[source];

	es_reads_take(&entry, live->readings + entry.first_domain);
	live->read_ns[source] = mono_ns;
}

es_hot void es_live_turn(struct es_live *live, int64_t mono_ns)
{
	size_t n;
	const struct es_sampler_source *entries = es_sampler_sources(live->sampler, &n);

	for (size_t i = 0; i < n; i++) {
		int64_t turn;

		if (!entries[i].source || !entries[i].n)
			continue;
		turn = live->turn_unix_ns / entries[i].period_ns;
		if (turn == live->turns[i])
			continue;
		live->turns[i] = turn;
		take(live, i, mono_ns);
		es_reads_ask(&entries[i]);
	}
}

void es_live_now(struct es_live *live, int64_t mono_ns, int64_t until_ns)
{
	size_t n;
	const struct es_sampler_source *entries = es_sampler_sources(live->sampler, &n);

	for (size_t i = 0; i < n; i++)
		if (entries[i].source && entries[i].n &&
		    mono_ns - live->read_ns[i] >= entries[i].plan.at_most_ns)
			es_reads_ask(&entries[i]);
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			bool is_aside = entries[i].source && entries[i].ops->wait;
			int64_t left_ns = until_ns - es_clock_mono_ns();

			if (!entries[i].source || !entries[i].n || is_aside != (pass == 1) ||
			    mono_ns - live->read_ns[i] < entries[i].plan.at_most_ns)
				continue;
			/* What does not come in time comes with the next turn: that is no failure. */
			if (is_aside)
				(void)entries[i].ops->wait(entries[i].source,
							   left_ns > 0 ? left_ns : 0);
			take(live, i, mono_ns);
		}
}
