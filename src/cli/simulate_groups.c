/*
 * simulate_groups.c - waits of a replayed trace by user or queue
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_groups.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A job's part. */
struct entry {
	int64_t wait_s;
	double proc_s, slowdown;
	int32_t number;
};

struct group {
	const struct entry *entries; /* [n] by wait */
	size_t n;
	double proc_s, wait_s, slowdown;
};

struct groups {
	struct entry *entries;
	struct group *groups; /* [n] by processors x time, the most first */
	size_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->wait_s < y->wait_s ? -1 : x->wait_s > y->wait_s;
}

static int by_share(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->proc_s != y->proc_s)
		return x->proc_s > y->proc_s ? -1 : 1;
	return x->entries < y->entries ? -1 : x->entries > y->entries;
}

static struct entry entry_of(const struct es_simulate_start *job, bool is_user)
{
	double run_s = (double)(job->end_s - job->start_s);
	int64_t wait_s = job->start_s - job->submit_s;
	double slowdown = ((double)wait_s + run_s) / fmax(run_s, ES_SIM_SHORT_S);
	int32_t number = is_user ? job->user : job->queue;

	return (struct entry){
		.wait_s = wait_s,
		.proc_s = run_s * (double)job->procs,
		.slowdown = fmax(slowdown, 1),
		.number = number < 0 ? -1 : number,
	};
}

static void finish(struct groups *groups)
{
	free(groups->entries);
	free(groups->groups);
}

static int make(const struct es_simulate *sim, struct groups *ret)
{
	const struct es_simulate_course *course = &sim->course;
	bool is_user = strcmp(sim->asked.by, "user") == 0;

	ret->entries = calloc(course->n_starts + 1, sizeof(*ret->entries));
	ret->groups = calloc(course->n_starts + 1, sizeof(*ret->groups));
	if (!ret->entries || !ret->groups)
		return -ENOMEM;
	for (size_t i = 0; i < course->n_starts; i++)
		ret->entries[i] = entry_of(&course->starts[i], is_user);
	qsort(ret->entries, course->n_starts, sizeof(*ret->entries), by_number);
	for (size_t i = 0; i < course->n_starts; i++) {
		const struct entry *entry = &ret->entries[i];
		struct group *group;

		if (i == 0 || entry[-1].number != entry->number)
			ret->groups[ret->n++].entries = entry;
		group = &ret->groups[ret->n - 1];
		group->n++;
		group->proc_s += entry->proc_s;
		group->wait_s += (double)entry->wait_s;
		group->slowdown += entry->slowdown;
	}
	qsort(ret->groups, ret->n, sizeof(*ret->groups), by_share);
	return 0;
}

static int64_t wait_s(const struct group *group, double share)
{
	double rank = ceil(share * (double)group->n);

	return group->entries[rank >= 1 ? (size_t)rank - 1 : 0].wait_s;
}

int es_simulate_groups_members(const struct es_simulate *sim, struct es_json *json)
{
	struct groups groups = { .n = 0 };
	int r;

	if (!sim->asked.by)
		return 0;
	r = make(sim, &groups);
	es_json_object(json, "by");
	es_json_string(json, "key", sim->asked.by);
	es_json_array(json, "groups");
	for (size_t i = 0; r == 0 && i < groups.n; i++) {
		const struct group *group = &groups.groups[i];
		double n = (double)group->n;

		es_json_object(json, NULL);
		if (group->entries->number < 0)
			es_json_null(json, "number");
		else
			es_json_i64(json, "number", group->entries->number);
		es_json_u64(json, "jobs", group->n);
		es_json_double(json, "proc_hours", group->proc_s / 3600);
		es_json_double(json, "mean_wait_s", group->wait_s / n);
		es_json_i64(json, "median_wait_s", wait_s(group, 0.5));
		es_json_i64(json, "p95_wait_s", wait_s(group, 0.95));
		es_json_i64(json, "max_wait_s", wait_s(group, 1));
		es_json_double(json, "mean_bounded_slowdown", group->slowdown / n);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_object_end(json);
	finish(&groups);
	return r;
}

int es_simulate_groups_put_rows(const struct es_simulate *sim, struct es_buf *out)
{
	struct groups groups = { .n = 0 };
	int r;

	if (!sim->asked.by)
		return 0;
	r = make(sim, &groups);
	(void)es_buf_printf(out, "\n%-10s %9s %14s %12s %10s %10s %10s\n", sim->asked.by, "jobs",
			    "proc hours", "mean wait s", "median s", "95 % s", "slowdown");
	for (size_t i = 0; r == 0 && i < groups.n && i < ES_SIMULATE_GROUPS_SHOWN; i++) {
		const struct group *group = &groups.groups[i];
		double n = (double)group->n;
		char number[24] = "not known";

		if (group->entries->number >= 0)
			(void)snprintf(number, sizeof(number), "%" PRId32, group->entries->number);
		(void)es_buf_printf(out,
				    "%-10s %9zu %14.1f %12.1f %10" PRId64 " %10" PRId64 " %10.2f\n",
				    number, group->n, group->proc_s / 3600, group->wait_s / n,
				    wait_s(group, 0.5), wait_s(group, 0.95), group->slowdown / n);
	}
	if (groups.n > ES_SIMULATE_GROUPS_SHOWN)
		(void)es_buf_printf(out, "and %zu more (--json has all)\n",
				    groups.n - ES_SIMULATE_GROUPS_SHOWN);
	finish(&groups);
	return r;
}
