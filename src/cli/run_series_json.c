/*
 * run_series_json.c - energyscopium run --repeat: the summary for scripts
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/run.h"

static void put_interval(const struct es_interval *interval, struct es_json *json)
{
	bool has_interval = interval->method != ES_INTERVAL_NONE;

	es_json_u64(json, "runs", interval->n);
	es_json_double(json, "mean", interval->mean);
	/* Of one value neither is known; what is not finite is written as null. */
	es_json_double(json, "sd", has_interval ? interval->sd : NAN);
	es_json_double(json, "uncertainty",
		       has_interval ? (interval->high - interval->low) / 2 : NAN);
	es_json_array_inline(json, "ci");
	es_json_double(json, NULL, has_interval ? interval->low : NAN);
	es_json_double(json, NULL, has_interval ? interval->high : NAN);
	es_json_array_end(json);
	es_json_string(json, "method",
		       has_interval ? es_interval_method_name(interval->method) : NULL);
}

static void put_quantity(const struct es_repeat *series, size_t command,
			 enum es_repeat_quantity quantity, const char *key, struct es_json *json)
{
	es_cleanup(es_freep) double *values = NULL;
	struct es_interval interval = { .n = 0 };
	size_t n;

	if (es_repeat_values(series, command, quantity, &values, &n) < 0 || n == 0 ||
	    es_interval_of(values, n, ES_REPEAT_SEED, &interval) < 0) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	put_interval(&interval, json);
	es_json_object_end(json);
}

static void put_quantities(const struct es_repeat *series, size_t command, struct es_json *json)
{
	put_quantity(series, command, ES_REPEAT_ENERGY, "energy_j", json);
	put_quantity(series, command, ES_REPEAT_TIME, "duration_s", json);
	put_quantity(series, command, ES_REPEAT_POWER, "power_w", json);
	put_quantity(series, command, ES_REPEAT_ABOVE, "above_baseline_j", json);
}

static void put_far(const struct es_repeat_result *result, struct es_json *json)
{
	static const struct {
		enum es_repeat_quantity quantity;
		const char *key;
	} looked_at[] = { { ES_REPEAT_TIME, "duration_s" }, { ES_REPEAT_ENERGY, "energy_j" } };

	es_json_object(json, "far_off");
	for (size_t i = 0; i < ES_ARRAY_SIZE(looked_at); i++)
		if (result->is_far[looked_at[i].quantity])
			es_json_double(json, looked_at[i].key, result->off[looked_at[i].quantity]);
	es_json_object_end(json);
}

static void put_run(const struct es_repeat *series, const struct es_repeat_result *result,
		    struct es_json *json)
{
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;

	es_json_object(json, NULL);
	if (result->recording &&
	    es_outcome_open(result->recording, NULL, &series->run->chain, &outcome, &err) == 0) {
		es_report_members(&outcome.report, json);
		es_outcome_finish(&outcome);
	}
	es_json_string(json, "recording", result->recording);
	es_json_string(json, "eprofile", result->eprofile);
	es_json_string(json, "group", series->plan->commands[result->command].name);
	es_json_u64(json, "round", result->round + 1);
	es_json_bool(json, "counts", es_repeat_counts(result));
	put_far(result, json);
	es_json_i64(json, "exit_status", result->status);
	es_json_object_end(json);
}

/* As compare has them. */
static void put_judgement(const struct es_repeat *series, struct es_json *json)
{
	if (series->is_judged) {
		es_compare_members(&series->compare, json);
		return;
	}
	es_json_array(json, "groups");
	es_json_array_end(json);
	es_json_null(json, "verdict");
	es_json_string(json, "reason", series->no_judgement.text);
}

static double mean_baseline_w(const struct es_repeat *series)
{
	double sum_w = 0;
	size_t n = 0;

	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].has_baseline) {
			sum_w += series->results[i].baseline_w;
			n++;
		}
	return n ? sum_w / (double)n : NAN;
}

static void put_summary(const struct es_repeat *series, struct es_json *json)
{
	static const char *const ends[] = {
		[ES_REPEAT_END_ROUNDS] = "repeat",
		[ES_REPEAT_END_UNTIL] = "until",
		[ES_REPEAT_END_SIGNAL] = "signal",
		[ES_REPEAT_END_FAILURE] = "failure",
	};
	size_t n_failed = 0, n_cut = 0, n_dropped = 0;

	for (size_t i = 0; i < series->n_done; i++) {
		n_failed += series->results[i].status != 0 && !series->results[i].is_cut;
		n_cut += series->results[i].is_cut;
		n_dropped += series->results[i].is_dropped;
	}
	es_json_object(json, "summary");
	es_json_u64(json, "runs_planned", series->n_planned);
	es_json_u64(json, "runs", series->n_done);
	es_json_u64(json, "failed", n_failed);
	es_json_u64(json, "cut_short", n_cut);
	es_json_u64(json, "dropped", n_dropped);
	es_json_u64(json, "warmup_rounds", series->plan->n_warmups);
	es_json_string(json, "ended_by", ends[series->end]);
	es_json_string(json, "kind", es_repeat_kind(series));
	es_json_string(json, "interval",
		       "95 %, Student's t below 10 runs, BCa bootstrap from there on");
	/* Means over different commands say nothing: those are in the groups. */
	if (series->plan->n_commands == 1)
		put_quantities(series, 0, json);
	es_json_object_end(json);
}

static void put_members(const struct es_repeat *series, int status, struct es_json *json)
{
	es_json_array(json, "runs");
	for (size_t i = 0; i < series->n_done; i++)
		put_run(series, &series->results[i], json);
	es_json_array_end(json);
	es_json_double(json, "baseline_w", mean_baseline_w(series));
	put_summary(series, json);
	put_judgement(series, json);
	es_json_i64(json, "exit_status", status);
}

int es_repeat_put_json(const struct es_repeat *series, int status)
{
	es_cleanup(es_fclosep) FILE *file = NULL;
	const char *path = series->run->json.text;
	struct es_json json;
	int fd = STDERR_FILENO, r;

	if (path) {
		file = fopen(path, "we");
		if (!file)
			return -errno;
		fd = fileno(file);
	}
	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.run/1");
	put_members(series, status, &json);
	es_json_object_end(&json);
	r = es_json_end(&json);
	return r < 0 ? r : es_write_all(fd, "\n", 1);
}
