/*
 * baseline.c - what the meters show while no command runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/baseline.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/track.h"
#include "format/report_baseline.h"

#define READS \
	8 /* powers are the mean of some readings; counters need only the first and the last */

static int wait_until(int64_t mono_ns, int stop_fd)
{
	int64_t left_ns;

	while ((left_ns = mono_ns - es_clock_mono_ns()) > 0) {
		const struct timespec t = { .tv_sec = left_ns / ES_NS_PER_S,
					    .tv_nsec = left_ns % ES_NS_PER_S };
		struct pollfd pollfd = { .fd = stop_fd, .events = POLLIN };

		if (ppoll(&pollfd, 1, &t, NULL) > 0)
			return -EINTR;
	}
	return 0;
}

static void read_all(struct es_sampler *sampler, struct es_reading *readings,
		     struct es_track *tracks, size_t n)
{
	struct es_sample samples[2];

	es_sampler_read(sampler, readings);
	for (size_t i = 0; i < n; i++)
		if (readings[i].error == 0)
			(void)es_track_feed(&tracks[i], readings[i].t_ns, readings[i].value,
					    samples);
}

int es_baseline_measure(struct es_sampler *sampler, int64_t dur_ns, int stop_fd,
			struct es_baseline *ret)
{
	size_t n;
	const struct es_domain *domains = es_sampler_domains(sampler, &n);
	es_cleanup(es_freep) struct es_reading *readings = calloc(n + 1, sizeof(*readings));
	es_cleanup(es_freep) struct es_track *tracks = calloc(n + 1, sizeof(*tracks));
	int64_t start_ns = es_clock_mono_ns();

	if (!readings || !tracks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		es_track_init(&tracks[i], &domains[i], 0);
	for (int64_t i = 0; i <= READS; i++) {
		int r = wait_until(start_ns + dur_ns / READS * i, stop_fd);

		if (r < 0)
			return r;
		read_all(sampler, readings, tracks, n);
	}
	ret->n = 0;
	for (size_t i = 0; i < n && ret->n < ES_BASELINE_DOMAINS_MAX; i++) {
		/* A counter that stood still may be dead: its idle power is not known, and not zero. */
		if (!es_sampler_is_recorded(&domains[i]) || tracks[i].covered_ns <= 0 ||
		    (!domains[i].is_power && !tracks[i].has_moved))
			continue;
		(void)snprintf(ret->domains[ret->n].id, sizeof(ret->domains[0].id), "%s",
			       domains[i].id);
		ret->domains[ret->n++].power_mw =
			es_mean_power_mw(tracks[i].energy_uj, tracks[i].covered_ns);
	}
	ret->is_known = true;
	return 0;
}

int es_baseline_record(const struct es_baseline *baseline, bool is_before,
		       struct es_recorder *recorder)
{
	int r = 0;

	for (size_t i = 0; baseline->is_known && i < baseline->n && r == 0; i++) {
		struct es_event event = { .type = ES_EVENT_BASELINE, .t_ns = es_clock_boot_ns() };

		event.value = (int64_t)baseline->domains[i].power_mw;
		r = es_report_baseline_text(is_before, baseline->domains[i].id, event.text,
					    sizeof(event.text));
		if (r == 0)
			r = es_recorder_event(recorder, &event);
	}
	return r;
}
