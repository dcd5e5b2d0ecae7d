/*
 * work.c - work done, from the events of a recording: by the command and by each region
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/work.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "format/regions.h"

#define UNIT_BYTES sizeof(((struct es_work *)0)->unit)

struct point {
	int64_t t_ns;
	int64_t micro; /* cumulative */
};

/* One unit: its points in order of time, never falling. */
struct log {
	char unit[UNIT_BYTES];
	char remark[ES_NAME_MAX_BYTES];
	struct point *points;
	size_t n, cap;
};

struct es_work_logs {
	struct log logs[ES_WORK_LOGS_MAX];
	size_t n;
};

/* An amount at some time, and how far it may be from that. */
struct at {
	double amount, bound;
};

struct es_work_logs *es_work_logs_create(void)
{
	return calloc(1, sizeof(struct es_work_logs));
}

void es_work_logs_destroy(struct es_work_logs *logs)
{
	for (size_t i = 0; logs && i < logs->n; i++)
		free(logs->logs[i].points);
	free(logs);
}

static struct log *find_log(struct es_work_logs *logs, const char *unit, size_t n)
{
	struct log *log;

	if (n == 0 || n >= UNIT_BYTES)
		return NULL;
	for (size_t i = 0; i < logs->n; i++)
		if (strlen(logs->logs[i].unit) == n && memcmp(logs->logs[i].unit, unit, n) == 0)
			return &logs->logs[i];
	if (logs->n == ES_WORK_LOGS_MAX)
		return NULL;
	log = &logs->logs[logs->n++];
	memcpy(log->unit, unit, n);
	return log;
}

static void halve(struct log *log)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n; i += 2)
		log->points[n++] = log->points[i];
	log->n = n;
}

static int make_room(struct log *log)
{
	size_t cap = log->cap ? 2 * log->cap : 64;
	struct point *points;

	if (log->n == ES_WORK_POINTS_MAX)
		halve(log);
	if (log->points && log->n < log->cap)
		return 0;
	points = reallocarray(log->points, cap, sizeof(*points));
	if (!points)
		return -ENOMEM;
	log->points = points;
	log->cap = cap;
	return 0;
}

/* Who wrote them keeps to the order; what comes from elsewhere does no harm. */
static int add_point(struct log *log, int64_t t_ns, int64_t micro)
{
	int r = make_room(log);

	if (r < 0)
		return r;
	if (log->n) {
		const struct point *last = &log->points[log->n - 1];

		t_ns = t_ns < last->t_ns ? last->t_ns : t_ns;
		micro = micro < last->micro ? last->micro : micro;
	}
	log->points[log->n++] = (struct point){ .t_ns = t_ns, .micro = micro };
	return 0;
}

int es_work_logs_note(struct es_work_logs *logs, const struct es_event *event,
		      int64_t not_before_ns)
{
	size_t n = strcspn(event->text, "\t");
	struct log *log = find_log(logs, event->text, n);

	if (!log)
		return 0;
	if (event->text[n] == '\t')
		(void)snprintf(log->remark, sizeof(log->remark), "%s", event->text + n + 1);
	if (event->value < 0)
		return 0;
	return add_point(log, event->t_ns < not_before_ns ? not_before_ns : event->t_ns,
			 event->value);
}

/* The mean rate over all points, units per ns. */
static double mean_rate(const struct log *log)
{
	const struct point *first = &log->points[0], *last = &log->points[log->n - 1];

	if (last->t_ns <= first->t_ns)
		return 0;
	return (double)(last->micro - first->micro) / 1e6 / (double)(last->t_ns - first->t_ns);
}

/* Before the first point and behind the last one nothing was seen: what the mean rate would have given meanwhile. */
static struct at outside(const struct log *log, const struct es_report *report, int64_t t_ns)
{
	const struct point *first = &log->points[0], *last = &log->points[log->n - 1];
	int64_t unseen_ns;

	if (t_ns <= first->t_ns) {
		if (report->has_command_start && t_ns < report->command_start_ns)
			t_ns = report->command_start_ns;
		unseen_ns = first->t_ns - t_ns;
		last = first;
	} else {
		if (report->has_command_stop && t_ns > report->command_stop_ns)
			t_ns = report->command_stop_ns;
		unseen_ns = t_ns - last->t_ns;
	}
	return (struct at){ .amount = (double)last->micro / 1e6,
			    .bound = unseen_ns > 0 ? mean_rate(log) * (double)unseen_ns : 0 };
}

static struct at amount_at(const struct log *log, const struct es_report *report, int64_t t_ns)
{
	size_t low = 0, high = log->n - 1;
	double share, from, to, amount;

	if (t_ns <= log->points[0].t_ns || t_ns >= log->points[log->n - 1].t_ns)
		return outside(log, report, t_ns);
	/* points[low] <= t < points[high] */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (log->points[middle].t_ns <= t_ns)
			low = middle;
		else
			high = middle;
	}
	share = (double)(t_ns - log->points[low].t_ns) /
		(double)(log->points[high].t_ns - log->points[low].t_ns);
	from = (double)log->points[low].micro / 1e6;
	to = (double)log->points[high].micro / 1e6;
	amount = from + share * (to - from);
	return (struct at){ .amount = amount, .bound = fmax(amount - from, to - amount) };
}

static void add_stretch(const struct log *log, const struct es_report *report, int64_t start_ns,
			int64_t stop_ns, struct es_work *work)
{
	struct at start = amount_at(log, report, start_ns), stop = amount_at(log, report, stop_ns);

	work->amount += stop.amount - start.amount;
	work->amount_bound += start.bound + stop.bound;
}

static void add_energy(struct es_work *work, bool is_known, double energy_j, double uncertainty_j)
{
	work->has_j_per_unit = work->is_known && is_known && work->amount > 0;
	if (!work->has_j_per_unit)
		return;
	work->j_per_unit = energy_j / work->amount;
	work->uncertainty_j_per_unit =
		hypot(uncertainty_j, work->j_per_unit * work->amount_bound) / work->amount;
}

/* Calls that were not kept leave their region's amount unknown. */
static void sum_regions(const struct log *log, const struct es_report *report,
			struct es_work *by_region, uint32_t *n_calls)
{
	for (size_t i = 0; i < report->n_calls; i++) {
		const struct es_report_call *call = &report->calls[i];

		n_calls[call->region]++;
		add_stretch(log, report, call->start_ns, call->stop_ns, &by_region[call->region]);
	}
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];

		if (es_region_is_automatic(region->name))
			add_stretch(log, report, region->start_ns, region->stop_ns, &by_region[i]);
		by_region[i].is_known = es_region_is_automatic(region->name) ||
					n_calls[i] == region->n_calls;
		add_energy(&by_region[i], region->is_known, es_j_from_uj(region->energy_uj),
			   region->uncertainty_j);
	}
}

static int sum_log(const struct log *log, struct es_report *report, struct es_report_work *ret)
{
	uint32_t *n_calls = calloc(report->n_regions + 1, sizeof(*n_calls));

	ret->by_region = calloc(report->n_regions + 1, sizeof(*ret->by_region));
	if (!n_calls || !ret->by_region) {
		free(n_calls);
		return -ENOMEM;
	}
	memcpy(ret->total.unit, log->unit, sizeof(log->unit));
	memcpy(ret->remark, log->remark, sizeof(log->remark));
	for (size_t i = 0; i < report->n_regions; i++)
		memcpy(ret->by_region[i].unit, log->unit, sizeof(log->unit));
	if (log->n) {
		ret->total.is_known = true;
		add_stretch(log, report, report->start_ns, report->stop_ns, &ret->total);
		add_energy(&ret->total, report->has_energy, report->node_j, report->uncertainty_j);
		sum_regions(log, report, ret->by_region, n_calls);
	}
	free(n_calls);
	return 0;
}

int es_work_sum(const struct es_work_logs *logs, struct es_report *report)
{
	int r = 0;

	if (logs->n == 0)
		return 0;
	report->works = calloc(logs->n, sizeof(*report->works));
	if (!report->works)
		return -ENOMEM;
	report->n_works = logs->n;
	for (size_t i = 0; r == 0 && i < logs->n; i++)
		r = sum_log(&logs->logs[i], report, &report->works[i]);
	if (r < 0)
		return r;
	report->work = report->works[0].total;
	for (size_t i = 0; i < report->n_regions; i++)
		report->regions[i].work = report->works[0].by_region[i];
	return 0;
}

void es_work_finish(struct es_report *report)
{
	for (size_t i = 0; i < report->n_works; i++)
		free(report->works[i].by_region);
	free(report->works);
	report->works = NULL;
	report->n_works = 0;
}
