/*
 * cli/crosscheck.c - sources --cross-check: overlapping meters read over one window, or taken from a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/crosscheck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/load.h"

#define PERIOD_NS (100 * ES_NS_PER_MS)

void es_crosscheck_finish(struct es_crosscheck *check)
{
	es_courses_finish(&check->all);
	es_cross_finish(&check->cross);
	*check = (struct es_crosscheck){ .dur_ns = 0 };
}

static int conclude(struct es_crosscheck *check, struct es_error *err)
{
	int r = es_cross_check(check->all.domains, check->all.courses, check->all.n, &check->cross);

	return r < 0 ? es_error_set(err, r, "cannot compare the meters") : 0;
}

static void read_all(struct es_survey *survey, struct es_crosscheck *check,
		     struct es_reading *readings, int64_t *seen_ns)
{
	es_sampler_read(survey->sampler, readings);
	for (size_t i = 0; i < check->all.n; i++) {
		/* What is read aside may come twice. */
		if (!es_sampler_can_read(&survey->domains[i]) || readings[i].error ||
		    readings[i].t_ns == seen_ns[i])
			continue;
		seen_ns[i] = readings[i].t_ns;
		es_watch_reading(&check->all.watch, i, readings[i].t_ns, readings[i].value,
				 readings[i].activity_ns);
	}
	es_watch_row(&check->all.watch);
}

static void tell_progress(int64_t done_ns, int64_t dur_ns, int64_t *told_s)
{
	int64_t s = done_ns / ES_NS_PER_S;

	if (!isatty(STDERR_FILENO) || s == *told_s)
		return;
	*told_s = s;
	(void)fprintf(stderr, "\r\033[Kcross-check: %lld of %.0f s", (long long)s,
		      es_s_from_ns(dur_ns));
	if (done_ns >= dur_ns)
		(void)fprintf(stderr, "\r\033[K");
}

/* At absolute times, so that a slow read does not stretch the window. */
static void watch(struct es_survey *survey, const struct es_crosscheck_options *options,
		  struct es_load *load, struct es_crosscheck *check, struct es_reading *readings,
		  int64_t *seen_ns)
{
	int64_t start_ns = es_clock_mono_ns(), next_ns = start_ns, now_ns, told_s = -1;

	read_all(survey, check, readings, seen_ns);
	do {
		struct timespec until;

		now_ns = es_clock_mono_ns();
		next_ns += PERIOD_NS;
		if (next_ns < now_ns)
			next_ns = now_ns;
		es_load_step(load, now_ns - start_ns, options->dur_ns);
		tell_progress(now_ns - start_ns, options->dur_ns, &told_s);
		until = (struct timespec){ .tv_sec = next_ns / ES_NS_PER_S,
					   .tv_nsec = next_ns % ES_NS_PER_S };
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		read_all(survey, check, readings, seen_ns);
	} while (now_ns - start_ns < options->dur_ns);
	check->dur_ns = now_ns - start_ns;
}

int es_crosscheck_live(struct es_survey *survey, const struct es_crosscheck_options *options,
		       struct es_crosscheck *ret, struct es_error *err)
{
	struct es_reading *readings = calloc(survey->n_domains + 1, sizeof(*readings));
	int64_t *seen_ns = calloc(survey->n_domains + 1, sizeof(*seen_ns));
	struct es_load load = { .n = 0 };
	int r = -ENOMEM;

	*ret = (struct es_crosscheck){ .dur_ns = 0 };
	/* Says how often each domain refreshes: powers further apart than that are gaps. */
	es_sampler_plan(survey->sampler, PERIOD_NS);
	if (readings && seen_ns)
		r = es_courses_begin(&ret->all, survey->domains, survey->n_domains, PERIOD_NS);
	if (r < 0)
		(void)es_error_set(err, r, "cannot watch the meters");
	if (r == 0)
		r = es_load_start(options->command, options->has_load, &load, err);
	if (r == 0) {
		(void)snprintf(ret->load, sizeof(ret->load), "%s", load.text);
		watch(survey, options, &load, ret, readings, seen_ns);
		es_load_stop(&load);
		r = es_courses_end(&ret->all);
		r = r < 0 ? es_error_set(err, r, "cannot hold the readings") : conclude(ret, err);
	}
	free(readings);
	free(seen_ns);
	if (r < 0)
		es_crosscheck_finish(ret);
	return r;
}

int es_crosscheck_recording(const char *path, struct es_crosscheck *ret, struct es_error *err)
{
	int r;

	*ret = (struct es_crosscheck){ .dur_ns = 0 };
	r = es_courses_read(path, &ret->all, err);
	if (r == 0)
		r = conclude(ret, err);
	if (r < 0)
		es_crosscheck_finish(ret);
	else
		ret->dur_ns = es_courses_span_ns(&ret->all);
	return r;
}
