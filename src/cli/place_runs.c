/*
 * place_runs.c - tables for energyscopium place out of single runs: means, intervals, and the best setting of each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place_runs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place.h"

#define SEED 1U /* of resampling: the same intervals for the same runs */

void es_place_runs_finish(struct es_place_runs *runs)
{
	for (size_t i = 0; i < runs->n_texts; i++)
		free(runs->texts[i]);
	free(runs->texts);
	free(runs->runs);
	es_sheet_finish(&runs->sheet);
	es_trials_finish(&runs->trials);
	*runs = (struct es_place_runs){ .n = 0 };
}

struct named {
	const char *name;
	size_t run;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->run > y->run) - (x->run < y->run);
}

static const char *name_of(const struct es_place_run *run, bool is_class)
{
	return is_class ? run->class : run->configuration;
}

static int refuse(const struct es_place_runs *runs, const struct es_place_run *run, bool is_class,
		  const char *fault, struct es_error *err)
{
	if (run->line == 0)
		return es_error_say(err, -EINVAL, "%s '%.60s' %s",
				    is_class ? "server class" : "configuration",
				    name_of(run, is_class), fault);
	return es_error_say(err, -EINVAL, "'%.300s' line %zu: %s '%.60s' %s", runs->sheet.file,
			    run->line, is_class ? "server class" : "configuration",
			    name_of(run, is_class), fault);
}

/* Numbers by first mention: @first of each run is the first run with its name. */
static int number(struct es_place_runs *runs, bool is_class, struct es_place_names *names,
		  size_t max, size_t *first, struct es_error *err)
{
	es_cleanup(es_freep) size_t *numbers = calloc(runs->n, sizeof(*numbers));
	const char *fault;

	if (!numbers)
		return es_error_set(err, -ENOMEM, "cannot keep %zu runs", runs->n);
	for (size_t k = 0; k < runs->n; k++) {
		struct es_place_run *run = &runs->runs[k];
		int r = 0;

		if (first[k] == k) {
			numbers[k] = names->n;
			r = es_place_names_add(names, name_of(run, is_class), max, &fault);
		}
		if (r == -EINVAL)
			return refuse(runs, run, is_class, fault, err);
		if (r == -E2BIG)
			return es_error_say(err, r, "more than %zu %s", max,
					    is_class ? "server classes" : "configurations");
		if (r < 0)
			return es_error_set(err, r, "cannot keep %zu runs", runs->n);
		*(is_class ? &run->to : &run->at) = numbers[first[k]];
	}
	return 0;
}

static int name_all(struct es_place_runs *runs, bool is_class, struct es_place_names *names,
		    size_t max, struct es_error *err)
{
	es_cleanup(es_freep) struct named *named = calloc(runs->n, sizeof(*named));
	es_cleanup(es_freep) size_t *first = calloc(runs->n, sizeof(*first));
	size_t begin = 0;

	if (!named || !first)
		return es_error_set(err, -ENOMEM, "cannot keep %zu runs", runs->n);
	for (size_t k = 0; k < runs->n; k++)
		named[k] = (struct named){ name_of(&runs->runs[k], is_class), k };
	qsort(named, runs->n, sizeof(*named), by_name);
	for (size_t k = 0; k < runs->n; k++) {
		if (strcmp(named[k].name, named[begin].name) != 0)
			begin = k;
		first[named[k].run] = named[begin].run;
	}
	return number(runs, is_class, names, max, first, err);
}

int es_place_runs_name(struct es_place_runs *runs, struct es_place_names *configurations,
		       struct es_place_names *classes, struct es_error *err)
{
	int r = name_all(runs, false, configurations, ES_PLACE_CONFIGURATIONS_MAX, err);

	return r < 0 ? r : name_all(runs, true, classes, ES_PLACE_CLASSES_MAX, err);
}

static int by_cell(const struct es_place_run *x, const struct es_place_run *y)
{
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int by_setting(const void *a, const void *b)
{
	const struct es_place_run *x = a, *y = b;
	int order = by_cell(x, y);

	if (order == 0)
		order = strcmp(x->setting, y->setting);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Runs from @begin on that are of one configuration, class and setting. */
static size_t end_of(const struct es_place_runs *runs, size_t begin)
{
	const struct es_place_run *first = &runs->runs[begin];
	size_t end = begin + 1;

	while (end < runs->n && by_cell(&runs->runs[end], first) == 0 &&
	       strcmp(runs->runs[end].setting, first->setting) == 0)
		end++;
	return end;
}

/* The interval of @n runs' energies; @values: room for them. */
static int measure(const struct es_place_runs *runs, size_t begin, size_t n, double *values,
		   struct es_interval *ret)
{
	struct es_stats stats;

	for (size_t i = 0; i < n; i++)
		values[i] = runs->runs[begin + i].energy_nkwh;
	if (runs->n <= ES_PLACE_RESAMPLED_MAX)
		return es_interval_of(values, n, SEED, ret);
	stats = es_stats_of(values, n);
	*ret = (struct es_interval){ .n = n, .mean = stats.mean };
	if (stats.has_spread) {
		ret->sd = stats.sd;
		ret->low = stats.mean - stats.ci;
		ret->high = stats.mean + stats.ci;
		ret->method = ES_INTERVAL_T;
	}
	return 0;
}

static double mean_time(const struct es_place_run *runs, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += runs[i].time_us;
	return sum / (double)n;
}

static bool keeps(const struct es_place_wish *wish, size_t at, double time_us, int64_t best_us)
{
	if (es_place_is_slow(llround(time_us), best_us, wish->slowdown_ppm))
		return false;
	return !wish->deadline_us || wish->deadline_us[at] <= 0 ||
	       llround(time_us) <= wish->deadline_us[at];
}

/* Within the limits before beyond them; there the cheaper one, here the faster one. */
static bool is_better(const struct es_place_cell *a, const struct es_place_cell *b,
		      const struct es_place_wish *wish, size_t at, int64_t best_us)
{
	bool a_keeps = keeps(wish, at, a->time_us, best_us),
	     b_keeps = keeps(wish, at, b->time_us, best_us);

	if (b->n == 0 || a_keeps != b_keeps)
		return b->n == 0 || a_keeps;
	if (!a_keeps)
		return a->time_us < b->time_us;
	return a->energy_nkwh.mean < b->energy_nkwh.mean;
}

static void find_best_times(const struct es_place_runs *runs, int64_t *ret_best_us)
{
	for (size_t begin = 0, end; runs->has_times && begin < runs->n; begin = end) {
		size_t at = runs->runs[begin].at;
		int64_t time_us;

		end = end_of(runs, begin);
		time_us = llround(mean_time(&runs->runs[begin], end - begin));
		if (ret_best_us[at] == 0 || time_us < ret_best_us[at])
			ret_best_us[at] = time_us;
	}
}

int es_place_runs_choose(struct es_place_runs *runs, size_t m, const struct es_place_wish *wish,
			 struct es_place_cell *ret_cells, int64_t *ret_best_us)
{
	es_cleanup(es_freep) double *values = calloc(runs->n + 1, sizeof(*values));

	if (!values)
		return -ENOMEM;
	qsort(runs->runs, runs->n, sizeof(*runs->runs), by_setting);
	find_best_times(runs, ret_best_us);
	for (size_t begin = 0, end; begin < runs->n; begin = end) {
		const struct es_place_run *first = &runs->runs[begin];
		struct es_place_cell *cell = &ret_cells[first->at * m + first->to],
				     now = { .setting = first->setting };
		int r;

		end = end_of(runs, begin);
		now.n = end - begin;
		now.n_settings = cell->n_settings + 1;
		now.time_us = runs->has_times ? mean_time(first, now.n) : 0;
		r = measure(runs, begin, now.n, values, &now.energy_nkwh);
		if (r < 0)
			return r;
		if (is_better(&now, cell, wish, first->at, ret_best_us[first->at]))
			*cell = now;
		cell->n_settings = now.n_settings;
	}
	return 0;
}
