/*
 * cli/courses.c - the energy of all domains over time, of a recording or of readings as they come
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/courses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/recording.h"

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct es_courses *courses = arg;

	es_course_add(&courses->courses[domain], sample);
}

int es_courses_begin(struct es_courses *courses, const struct es_domain *domains, size_t n,
		     int64_t period_ns)
{
	int r;

	courses->n = n;
	courses->domains = calloc(n + 1, sizeof(*courses->domains));
	courses->courses = calloc(n + 1, sizeof(*courses->courses));
	if (!courses->domains || !courses->courses)
		return -ENOMEM;
	if (n)
		memcpy(courses->domains, domains, n * sizeof(*domains));
	r = es_watch_init(&courses->watch, courses->domains, n, period_ns);
	courses->watch.on_sample = on_sample;
	courses->watch.arg = courses;
	return r;
}

int es_courses_end(struct es_courses *courses)
{
	es_watch_end(&courses->watch);
	for (size_t i = 0; i < courses->n; i++)
		if (courses->courses[i].lacks_memory)
			return -ENOMEM;
	return 0;
}

void es_courses_finish(struct es_courses *courses)
{
	for (size_t i = 0; courses->courses && i < courses->n; i++)
		es_course_finish(&courses->courses[i]);
	free(courses->courses);
	free(courses->domains);
	free(courses->nodes);
	es_watch_finish(&courses->watch);
	*courses = (struct es_courses){ .n = 0 };
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct es_courses *courses = arg;

	es_watch_reading(&courses->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_sweep(void *arg, int64_t t_ns)
{
	struct es_courses *courses = arg;

	(void)t_ns;
	es_watch_row(&courses->watch);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct es_courses *courses = arg;

	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&courses->watch, event->value);
	return 0;
}

static int copy_meta(struct es_courses *courses, const struct es_meta *meta)
{
	courses->nodes = calloc(meta->n_nodes + 1, sizeof(*courses->nodes));
	if (!courses->nodes)
		return -ENOMEM;
	courses->n_nodes = meta->n_nodes;
	memcpy(courses->nodes, meta->nodes, meta->n_nodes * sizeof(*courses->nodes));
	courses->start_boot_ns = meta->start_boot_ns;
	courses->start_unix_ns = meta->start_unix_ns;
	return 0;
}

static int judge(struct es_courses *courses)
{
	struct es_evidence *evidence = calloc(courses->n + 1, sizeof(*evidence));

	if (!evidence)
		return -ENOMEM;
	es_watch_evidence(&courses->watch, 0, 0, false, evidence);
	es_cover_judge(courses->domains, courses->n, evidence);
	es_cover_choose(courses->domains, courses->n, evidence, ES_PSYS_AUTO);
	free(evidence);
	return 0;
}

int es_courses_read(const char *path, struct es_courses *ret, struct es_error *err)
{
	static const struct es_visitor visitor = { .reading = on_reading,
						   .sweep = on_sweep,
						   .event = on_event };
	struct es_recording *recording;
	const struct es_meta *meta;
	int r = es_recording_open(path, NULL, &recording, err);

	*ret = (struct es_courses){ .n = 0 };
	if (r < 0)
		return r;
	meta = es_recording_meta(recording);
	r = es_courses_begin(ret, meta->domains, meta->n_domains, meta->period_ns);
	if (r == 0)
		r = copy_meta(ret, meta);
	if (r == 0)
		r = es_recording_walk(recording, &visitor, ret);
	if (r == 0)
		r = es_courses_end(ret);
	if (r == 0)
		r = judge(ret);
	es_recording_close(recording);
	if (r < 0) {
		es_courses_finish(ret);
		return es_error_set(err, r, "cannot read '%.300s'", path);
	}
	return 0;
}

int64_t es_courses_span_ns(const struct es_courses *courses)
{
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;

	for (size_t i = 0; i < courses->n; i++) {
		const struct es_course *course = &courses->courses[i];

		if (course->n < 2)
			continue;
		if (course->knots[0].t_ns < first_ns)
			first_ns = course->knots[0].t_ns;
		if (course->knots[course->n - 1].t_ns > last_ns)
			last_ns = course->knots[course->n - 1].t_ns;
	}
	return last_ns > first_ns ? last_ns - first_ns : 0;
}
