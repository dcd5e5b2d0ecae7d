/*
 * run_series_result.c - energyscopium run --repeat: what the runs say together, and which of them are far off
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/output.h"
#include "cli/run.h"

bool es_repeat_is_whole(const struct es_repeat_result *result)
{
	return result->status == 0 && !result->is_cut;
}

bool es_repeat_counts(const struct es_repeat_result *result)
{
	return es_repeat_is_whole(result) && !result->is_dropped;
}

static void set_value(struct es_repeat_result *result, enum es_repeat_quantity quantity,
		      double value)
{
	result->values[quantity] = value;
	result->is_known[quantity] = isfinite(value);
}

/* What is asked of no other command: mean power, and the idle power around the run. */
static void take_powers(const struct es_report *report, struct es_repeat_result *result)
{
	if (report->has_energy && report->stop_ns > report->start_ns)
		set_value(result, ES_REPEAT_POWER,
			  report->node_j / es_s_from_ns(report->stop_ns - report->start_ns));
	result->has_baseline = report->baseline.is_known;
	result->baseline_w = report->baseline.power_w;
}

static void take_trial(const struct es_trial *trial, struct es_repeat_result *result)
{
	if (trial->has_energy)
		set_value(result, ES_REPEAT_ENERGY, trial->energy_j);
	if (trial->has_time)
		set_value(result, ES_REPEAT_TIME, trial->time_s);
	if (trial->has_above)
		set_value(result, ES_REPEAT_ABOVE, trial->above_j);
	(void)snprintf(result->kind, sizeof(result->kind), "%s",
		       trial->has_energy ? trial->kind : "");
}

int es_repeat_take(struct es_repeat *series, struct es_repeat_result *result)
{
	const struct es_trials_ask ask = { .command = "run" };
	const struct es_repeat_shared *shared = series->shared;
	struct es_trials *trials = &series->compare.trials;
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;
	size_t n = trials->n;

	result->trial = SIZE_MAX;
	if (shared->eprofile[0] && !(result->eprofile = strdup(shared->eprofile)))
		return -ENOMEM;
	if (shared->recording[0] == '\0')
		return 0;
	result->recording = strdup(shared->recording);
	if (!result->recording)
		return -ENOMEM;
	/* From the recording, as everybody else would. */
	if (es_outcome_open(result->recording, NULL, &series->run->chain, &outcome, &err) < 0)
		return 0;
	take_powers(&outcome.report, result);
	/* Asked to end while the idle power behind the command was measured: the run is whole. */
	if (result->is_cut && outcome.report.has_command_stop &&
	    outcome.report.command_stop_ns < series->stop_ns)
		result->is_cut = false;
	es_outcome_finish(&outcome);
	if (es_trials_read(trials, result->recording, series->plan->commands[result->command].name,
			   &ask, &series->run->chain, &err) < 0 ||
	    trials->n == n)
		return err.code == -ENOMEM ? -ENOMEM : 0;
	result->trial = n;
	trials->trials[n].is_failed = !es_repeat_is_whole(result);
	take_trial(&trials->trials[n], result);
	return 0;
}

static bool is_of(const struct es_repeat_result *result, size_t command,
		  enum es_repeat_quantity quantity)
{
	return result->command == command && result->is_known[quantity];
}

int es_repeat_values(const struct es_repeat *series, size_t command,
		     enum es_repeat_quantity quantity, double **ret_values, size_t *ret_n)
{
	double *values = calloc(series->n_done + 1, sizeof(*values));
	size_t n = 0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < series->n_done; i++)
		if (is_of(&series->results[i], command, quantity) &&
		    es_repeat_counts(&series->results[i]))
			values[n++] = series->results[i].values[quantity];
	*ret_values = values;
	*ret_n = n;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_of(const double *values, size_t n, double *scratch)
{
	memcpy(scratch, values, n * sizeof(*values));
	qsort(scratch, n, sizeof(*scratch), by_value);
	return n % 2 ? scratch[n / 2] : (scratch[n / 2 - 1] + scratch[n / 2]) / 2;
}

/* All that are whole, also what was dropped when there were fewer. */
static int mark_quantity(struct es_repeat *series, size_t command, enum es_repeat_quantity quantity)
{
	es_cleanup(es_freep) double *values = calloc(series->n_done + 1, sizeof(*values));
	es_cleanup(es_freep) double *scratch = calloc(series->n_done + 1, sizeof(*scratch));
	es_cleanup(es_freep) size_t *from = calloc(series->n_done + 1, sizeof(*from));
	es_cleanup(es_freep) bool *is_far = calloc(series->n_done + 1, sizeof(*is_far));
	size_t n = 0;
	double median;
	int r;

	if (!values || !scratch || !from || !is_far)
		return -ENOMEM;
	for (size_t i = 0; i < series->n_done; i++)
		if (is_of(&series->results[i], command, quantity) &&
		    es_repeat_is_whole(&series->results[i])) {
			from[n] = i;
			values[n++] = series->results[i].values[quantity];
		}
	if (n == 0)
		return 0;
	r = es_far_off(values, n, is_far);
	if (r < 0)
		return r;
	median = median_of(values, n, scratch);
	for (size_t i = 0; i < n; i++) {
		struct es_repeat_result *result = &series->results[from[i]];

		result->is_far[quantity] = is_far[i];
		result->off[quantity] = median > 0 ? values[i] / median - 1 : NAN;
		result->is_dropped |= is_far[i] && series->plan->drops_far;
	}
	return 0;
}

/* Joules from CPU time only repeat what the load of the machine did to it. */
static bool is_energy_estimated(const struct es_repeat *series, size_t command)
{
	for (size_t i = 0; i < series->n_done; i++) {
		const struct es_repeat_result *result = &series->results[i];

		if (result->command == command && result->trial != SIZE_MAX &&
		    series->compare.trials.trials[result->trial].is_proportional)
			return true;
	}
	return false;
}

int es_repeat_mark_far(struct es_repeat *series)
{
	static const enum es_repeat_quantity looked_at[] = { ES_REPEAT_TIME, ES_REPEAT_ENERGY };
	int r = 0;

	for (size_t i = 0; i < series->n_done; i++) {
		series->results[i].is_dropped = false;
		memset(series->results[i].is_far, 0, sizeof(series->results[i].is_far));
	}
	for (size_t command = 0; command < series->plan->n_commands; command++)
		for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(looked_at); i++)
			if (looked_at[i] != ES_REPEAT_ENERGY ||
			    !is_energy_estimated(series, command))
				r = mark_quantity(series, command, looked_at[i]);
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].trial != SIZE_MAX)
			series->compare.trials.trials[series->results[i].trial].is_failed =
				!es_repeat_counts(&series->results[i]);
	return r;
}

const char *es_repeat_kind(const struct es_repeat *series)
{
	const char *kind = NULL;

	for (size_t i = 0; i < series->n_done; i++) {
		const struct es_repeat_result *result = &series->results[i];

		if (!es_repeat_counts(result) || !result->kind[0])
			continue;
		if (kind && strcmp(kind, result->kind) != 0)
			return "mixed";
		kind = result->kind;
	}
	return kind;
}

/* What is far off has been said run by run, with how far. */
static void forget_remark(struct es_compare_result *result, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n_remarks; i++)
		if (strcmp(result->remarks[i].code, code) != 0)
			result->remarks[n++] = result->remarks[i];
	result->n_remarks = n;
}

void es_repeat_judge(struct es_repeat *series)
{
	struct es_compare *compare = &series->compare;

	compare->wish = series->plan->wish;
	compare->drops_outliers = series->plan->drops_far;
	compare->fates = calloc(compare->trials.n + 1, sizeof(*compare->fates));
	compare->is_far_off = calloc(compare->trials.n + 1, sizeof(*compare->is_far_off));
	if (!compare->fates || !compare->is_far_off) {
		(void)es_error_set(&series->no_judgement, -ENOMEM, "cannot compare");
		return;
	}
	for (size_t i = 0; i < series->n_done; i++) {
		const struct es_repeat_result *result = &series->results[i];

		if (result->trial == SIZE_MAX)
			continue;
		compare->fates[result->trial] = result->is_dropped	   ? ES_FATE_FAR_OFF
						: es_repeat_counts(result) ? ES_FATE_COUNTS
									   : ES_FATE_FAILED;
		compare->is_far_off[result->trial] = result->is_far[ES_REPEAT_TIME] ||
						     result->is_far[ES_REPEAT_ENERGY];
	}
	if (es_compare_judge(compare, &compare->trials, compare->fates, &compare->whole,
			     &series->no_judgement) < 0)
		return;
	series->is_judged = true;
	forget_remark(&compare->whole, "far_off");
}

/* 1: @quantity is known of enough runs, and its interval is as narrow as asked. */
static int is_quantity_narrow(const struct es_repeat *series, size_t command,
			      enum es_repeat_quantity quantity)
{
	es_cleanup(es_freep) double *values = NULL;
	struct es_interval interval;
	size_t n;
	int r = es_repeat_values(series, command, quantity, &values, &n);

	if (r < 0)
		return r;
	if (n < ES_REPEAT_UNTIL_MIN)
		return 0;
	r = es_interval_of(values, n, ES_REPEAT_SEED, &interval);
	if (r < 0)
		return r;
	return interval.method != ES_INTERVAL_NONE && interval.mean > 0 &&
	       (interval.high - interval.low) / 2 <= series->plan->until * interval.mean;
}

int es_repeat_is_narrow(const struct es_repeat *series)
{
	const char *why;
	int r = 1;

	for (size_t i = 0; r == 1 && i < series->plan->n_commands; i++) {
		r = is_quantity_narrow(series, i, ES_REPEAT_TIME);
		if (r == 1 && es_trials_can_compare_energy(&series->compare.trials, i, &why))
			r = is_quantity_narrow(series, i, ES_REPEAT_ENERGY);
	}
	return r;
}
