/*
 * trials.c - groups of runs, and what is known of each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/trials.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/trials_private.h"

#define SAME_RUN_NS \
	1000000LL /* an eprofile's start is that of the recording, rounded at most to so much */

static const struct {
	const char *name, *unit;
} metrics[ES_TRIAL_N_METRICS] = {
	[ES_TRIAL_ENERGY] = { "energy", "J" }, [ES_TRIAL_TIME] = { "time", "s" },
	[ES_TRIAL_EDP] = { "edp", "J s" },     [ES_TRIAL_ED2P] = { "ed2p", "J s2" },
	[ES_TRIAL_ABOVE] = { "above", "J" },
};

const char *es_trial_metric_name(enum es_trial_metric metric)
{
	return metrics[metric].name;
}

const char *es_trial_metric_unit(enum es_trial_metric metric)
{
	return metrics[metric].unit;
}

int es_trial_metric_find(const char *name, enum es_trial_metric *ret)
{
	for (int i = 0; i < ES_TRIAL_N_METRICS; i++)
		if (strcmp(metrics[i].name, name) == 0) {
			*ret = (enum es_trial_metric)i;
			return 0;
		}
	return -ENOENT;
}

void es_trial_finish(struct es_trial *trial)
{
	free(trial->path);
	free(trial->regions);
	trial->path = NULL;
	trial->regions = NULL;
	trial->n_regions = 0;
}

void es_trials_finish(struct es_trials *trials)
{
	for (size_t i = 0; i < trials->n; i++)
		es_trial_finish(&trials->trials[i]);
	for (size_t i = 0; i < trials->n_groups; i++) {
		free(trials->groups[i]);
		free(trials->folders[i]);
	}
	free(trials->trials);
	free(trials->groups);
	free(trials->folders);
	*trials = (struct es_trials){ .n = 0 };
}

int es_trials_group(struct es_trials *trials, const char *name)
{
	char **groups, **folders;

	for (size_t i = 0; i < trials->n_groups; i++)
		if (strcmp(trials->groups[i], name) == 0)
			return (int)i;
	if (trials->n_groups == ES_TRIAL_GROUPS_MAX)
		return -E2BIG;
	groups = reallocarray(trials->groups, trials->n_groups + 1, sizeof(*groups));
	if (groups)
		trials->groups = groups;
	folders = groups ? reallocarray(trials->folders, trials->n_groups + 1, sizeof(*folders))
			 : NULL;
	if (!folders)
		return -ENOMEM;
	trials->folders = folders;
	folders[trials->n_groups] = NULL;
	groups[trials->n_groups] = strdup(name);
	return groups[trials->n_groups] ? (int)trials->n_groups++ : -ENOMEM;
}

static bool is_same_run(const struct es_trial *a, const struct es_trial *b)
{
	return a->path && b->path && a->start_unix_ns &&
	       llabs(a->start_unix_ns - b->start_unix_ns) < SAME_RUN_NS &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->node, b->node) == 0;
}

int es_trials_add(struct es_trials *trials, struct es_trial *trial, struct es_error *err)
{
	struct es_trial *grown = NULL;
	bool is_shared = false;

	for (size_t i = 0; i < trials->n && trial->path; i++)
		if (is_same_run(&trials->trials[i], trial)) {
			is_shared = trials->trials[i].group != trial->group;
			if (is_shared)
				continue;
			trials->n_twice++;
			es_trial_finish(trial);
			return 0;
		}
	if (trials->n == ES_TRIALS_MAX) {
		es_trial_finish(trial);
		return es_error_say(err, -E2BIG, "more than %u runs", ES_TRIALS_MAX);
	}
	/* Doubled at each power of two. */
	if ((trials->n & (trials->n - 1)) == 0) {
		grown = reallocarray(trials->trials, trials->n ? trials->n * 2 : 1, sizeof(*grown));
		if (!grown) {
			es_trial_finish(trial);
			return es_error_set(err, -ENOMEM, "cannot keep %zu runs", trials->n + 1);
		}
		trials->trials = grown;
	}
	trials->n_shared += is_shared;
	if (trial->path)
		trials->has_file = true;
	else
		trials->has_table = true;
	trials->trials[trials->n++] = *trial;
	return 0;
}

bool es_trial_value(const struct es_trial *trial, enum es_trial_metric metric, double *ret)
{
	bool has_joules = trial->has_energy && !trial->is_proportional;
	double value = NAN, time_s = trial->has_time ? trial->time_s : NAN;

	switch (metric) {
	case ES_TRIAL_ENERGY:
		value = has_joules ? trial->energy_j : NAN;
		break;
	case ES_TRIAL_TIME:
		value = time_s;
		break;
	case ES_TRIAL_EDP:
		value = has_joules ? trial->energy_j * time_s : NAN;
		break;
	case ES_TRIAL_ED2P:
		value = has_joules ? trial->energy_j * time_s * time_s : NAN;
		break;
	case ES_TRIAL_ABOVE:
		value = has_joules && trial->has_above ? trial->above_j : NAN;
		break;
	case ES_TRIAL_N_METRICS:
		break;
	}
	if (!isfinite(value))
		return false;
	*ret = value;
	return true;
}

void es_trials_order_finish(struct es_trials_order *order)
{
	free(order->runs);
	free(order->first);
	*order = (struct es_trials_order){ .runs = NULL };
}

int es_trials_sort(const struct es_trials *trials, struct es_trials_order *ret)
{
	ret->runs = calloc(trials->n + 1, sizeof(*ret->runs));
	ret->first = calloc(trials->n_groups + 2, sizeof(*ret->first));
	if (!ret->runs || !ret->first)
		return -ENOMEM;
	/* Counted two places on: when all are placed, each count has become the group's first. */
	for (size_t i = 0; i < trials->n; i++)
		ret->first[trials->trials[i].group + 2]++;
	for (size_t g = 2; g < trials->n_groups + 2; g++)
		ret->first[g] += ret->first[g - 1];
	for (size_t i = 0; i < trials->n; i++)
		ret->runs[ret->first[trials->trials[i].group + 1]++] = i;
	return 0;
}

int es_trials_values(const struct es_trials *trials, size_t group, enum es_trial_metric metric,
		     double **ret_values, size_t *ret_n)
{
	es_cleanup(es_freep) double *values = calloc(trials->n + 1, sizeof(*values));
	size_t n = 0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];

		if (trial->group == group && !trial->is_failed &&
		    es_trial_value(trial, metric, &values[n]))
			n++;
	}
	*ret_n = n;
	*ret_values = n ? es_steal_ptr(values) : NULL;
	return 0;
}

bool es_trials_can_compare_energy(const struct es_trials *trials, size_t group,
				  const char **ret_why)
{
	size_t n = 0, n_proportional = 0;
	double value;

	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];

		if (trial->group != group || trial->is_failed)
			continue;
		if (es_trial_value(trial, ES_TRIAL_ENERGY, &value))
			return true;
		n++;
		n_proportional += trial->has_energy && trial->is_proportional;
	}
	*ret_why = n == 0	    ? "no run of it is left"
		   : n_proportional ? "it is an estimate from CPU time, which grows with time"
				    : "its energy is not known";
	return false;
}

/* The same run, as far as it is about one region; false where it has none of that name. */
static bool be_region(const struct es_trial *from, const char *name, struct es_trial *ret)
{
	for (size_t i = 0; i < from->n_regions; i++) {
		const struct es_trial_region *region = &from->regions[i];

		if (strcmp(region->name, name) != 0)
			continue;
		*ret = *from;
		ret->regions = NULL;
		ret->n_regions = 0;
		ret->path = NULL;
		ret->has_time = true;
		ret->time_s = region->time_s;
		ret->has_energy = region->has_energy;
		ret->energy_j = region->energy_j;
		ret->energy_bound_j = region->energy_bound_j;
		ret->is_proportional = region->is_proportional;
		ret->has_above = ret->has_gco2 = false;
		/* Those are of the whole. */
		ret->cover[0] = ret->kind[0] = '\0';
		return true;
	}
	return false;
}

int es_trials_region(const struct es_trials *from, const char *name, struct es_trials *ret)
{
	struct es_trials trials = { .n = 0 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < from->n_groups; i++)
		r = es_trials_group(&trials, from->groups[i]);
	for (size_t i = 0; r >= 0 && i < from->n; i++) {
		struct es_trial trial;

		if (be_region(&from->trials[i], name, &trial))
			r = es_trials_add(&trials, &trial, NULL);
	}
	if (r < 0) {
		es_trials_finish(&trials);
		return r;
	}
	*ret = trials;
	return 0;
}
