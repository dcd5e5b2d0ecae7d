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
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/load.h"
#include "record/recording.h"

#define PERIOD_NS (100 * ES_NS_PER_MS)

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct es_crosscheck *check = arg;

	es_course_add(&check->courses[domain], sample);
}

static int begin(struct es_crosscheck *check, const struct es_domain *domains, size_t n,
		 int64_t period_ns)
{
	int r;

	check->n = n;
	check->period_ns = period_ns;
	check->domains = calloc(n + 1, sizeof(*check->domains));
	check->courses = calloc(n + 1, sizeof(*check->courses));
	if (!check->domains || !check->courses)
		return -ENOMEM;
	if (n)
		memcpy(check->domains, domains, n * sizeof(*domains));
	r = es_watch_init(&check->watch, check->domains, n, period_ns);
	check->watch.on_sample = on_sample;
	check->watch.arg = check;
	return r;
}

void es_crosscheck_finish(struct es_crosscheck *check)
{
	for (size_t i = 0; check->courses && i < check->n; i++)
		es_course_finish(&check->courses[i]);
	free(check->courses);
	free(check->domains);
	free(check->nodes);
	es_watch_finish(&check->watch);
	es_cross_finish(&check->cross);
	*check = (struct es_crosscheck){ .n = 0 };
}

static int conclude(struct es_crosscheck *check, struct es_error *err)
{
	int r;

	es_watch_end(&check->watch);
	for (size_t i = 0; i < check->n; i++)
		if (check->courses[i].lacks_memory)
			return es_error_set(err, -ENOMEM, "cannot hold the readings");
	r = es_cross_check(check->domains, check->courses, check->n, &check->cross);
	return r < 0 ? es_error_set(err, r, "cannot compare the meters") : 0;
}

static void read_all(struct es_survey *survey, struct es_crosscheck *check,
		     struct es_reading *readings, int64_t *seen_ns)
{
	es_sampler_read(survey->sampler, readings);
	for (size_t i = 0; i < check->n; i++) {
		/* What is read aside may come twice. */
		if (!es_sampler_can_read(&survey->domains[i]) || readings[i].error ||
		    readings[i].t_ns == seen_ns[i])
			continue;
		seen_ns[i] = readings[i].t_ns;
		es_watch_reading(&check->watch, i, readings[i].t_ns, readings[i].value,
				 readings[i].activity_ns);
	}
	es_watch_row(&check->watch);
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

	*ret = (struct es_crosscheck){ .n = 0 };
	/* Says how often each domain refreshes: powers further apart than that are gaps. */
	es_sampler_plan(survey->sampler, PERIOD_NS);
	if (readings && seen_ns)
		r = begin(ret, survey->domains, survey->n_domains, PERIOD_NS);
	if (r < 0)
		(void)es_error_set(err, r, "cannot watch the meters");
	if (r == 0)
		r = es_load_start(options->command, options->has_load, &load, err);
	if (r == 0) {
		(void)snprintf(ret->load, sizeof(ret->load), "%s", load.text);
		watch(survey, options, &load, ret, readings, seen_ns);
		es_load_stop(&load);
		r = conclude(ret, err);
	}
	free(readings);
	free(seen_ns);
	if (r < 0)
		es_crosscheck_finish(ret);
	return r;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct es_crosscheck *check = arg;

	es_watch_reading(&check->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_sweep(void *arg, int64_t t_ns)
{
	struct es_crosscheck *check = arg;

	(void)t_ns;
	es_watch_row(&check->watch);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct es_crosscheck *check = arg;

	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&check->watch, event->value);
	return 0;
}

static int copy_nodes(struct es_crosscheck *check, const struct es_meta *meta)
{
	check->nodes = calloc(meta->n_nodes + 1, sizeof(*check->nodes));
	if (!check->nodes)
		return -ENOMEM;
	check->n_nodes = meta->n_nodes;
	for (size_t i = 0; i < meta->n_nodes; i++)
		(void)snprintf(check->nodes[i], sizeof(check->nodes[i]), "%s", meta->nodes[i].name);
	return 0;
}

/* States as a report would settle them; CPU time proves nothing more here. */
static int judge(struct es_crosscheck *check)
{
	struct es_evidence *evidence = calloc(check->n + 1, sizeof(*evidence));

	if (!evidence)
		return -ENOMEM;
	es_watch_evidence(&check->watch, 0, 0, false, evidence);
	es_cover_judge(check->domains, check->n, evidence);
	free(evidence);
	return 0;
}

static void find_duration(struct es_crosscheck *check)
{
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;

	for (size_t i = 0; i < check->n; i++) {
		const struct es_course *course = &check->courses[i];

		if (course->n < 2)
			continue;
		if (course->knots[0].t_ns < first_ns)
			first_ns = course->knots[0].t_ns;
		if (course->knots[course->n - 1].t_ns > last_ns)
			last_ns = course->knots[course->n - 1].t_ns;
	}
	check->dur_ns = last_ns > first_ns ? last_ns - first_ns : 0;
}

int es_crosscheck_recording(const char *path, struct es_crosscheck *ret, struct es_error *err)
{
	static const struct es_visitor visitor = { .reading = on_reading,
						   .sweep = on_sweep,
						   .event = on_event };
	struct es_recording *recording;
	const struct es_meta *meta;
	int r = es_recording_open(path, NULL, &recording, err);

	*ret = (struct es_crosscheck){ .n = 0 };
	if (r < 0)
		return r;
	meta = es_recording_meta(recording);
	r = begin(ret, meta->domains, meta->n_domains, meta->period_ns);
	if (r == 0)
		r = copy_nodes(ret, meta);
	if (r == 0)
		r = es_recording_walk(recording, &visitor, ret);
	if (r < 0)
		(void)es_error_set(err, r, "cannot read '%s'", path);
	if (r == 0) {
		r = conclude(ret, err);
		if (r == 0) {
			/* Again, now that it is known which ones are the same. */
			es_cross_finish(&ret->cross);
			r = judge(ret);
			if (r == 0)
				r = es_cross_check(ret->domains, ret->courses, ret->n, &ret->cross);
			if (r < 0)
				(void)es_error_set(err, r, "cannot compare the meters");
		}
		find_duration(ret);
	}
	es_recording_close(recording);
	if (r < 0)
		es_crosscheck_finish(ret);
	return r;
}
