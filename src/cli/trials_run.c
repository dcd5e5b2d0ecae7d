/*
 * trials_run.c - a run out of its recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/trials_private.h"
#include "format/regions.h"
#include "format/report_model.h"

static bool is_in_cover(const struct es_report *report, size_t i, bool is_fine)
{
	const struct es_domain *domain = &report->domains[i];

	return report->by_domain[i].is_known &&
	       (is_fine ? domain->is_chosen : domain->is_chosen_total);
}

/* What the joules are the sum of, and what they are worth. A region's are those of the fine cover. */
static void take_cover(const struct es_report *report, bool is_fine, struct es_trial *trial)
{
	unsigned kinds = 0;
	size_t used = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];
		int n;

		if (!is_in_cover(report, i, is_fine))
			continue;
		kinds |= 1u << domain->kind;
		trial->is_proportional |= domain->kind == ES_KIND_ESTIMATED;
		n = snprintf(trial->cover + used, sizeof(trial->cover) - used, "%s%s",
			     used ? " " : "", domain->name);
		used += n > 0 && (size_t)n < sizeof(trial->cover) - used ? (size_t)n : 0;
		trial->cover[used] = '\0';
	}
	for (unsigned kind = 0; kind < ES_N_KINDS; kind++)
		if (kinds == 1u << kind)
			(void)snprintf(trial->kind, sizeof(trial->kind), "%s",
				       es_kind_name((enum es_kind)kind));
	if (kinds & (kinds - 1))
		(void)snprintf(trial->kind, sizeof(trial->kind), "mixed");
}

static void take_whole(const struct es_report *report, struct es_trial *trial)
{
	bool is_command = report->has_command_start && report->has_command_stop;
	int64_t start_ns = is_command ? report->command_start_ns : report->start_ns;
	int64_t stop_ns = is_command ? report->command_stop_ns : report->stop_ns;

	take_cover(report, false, trial);
	trial->has_time = stop_ns > start_ns;
	trial->time_s = es_s_from_ns(stop_ns - start_ns);
	trial->has_energy = report->has_energy;
	trial->energy_j = report->node_j;
	trial->energy_bound_j = report->uncertainty_j;
	trial->has_above = report->baseline.is_known;
	trial->above_j = report->baseline.above_j;
	trial->has_gco2 = report->has_carbon && report->options.carbon.factor_id;
	trial->gco2 = report->gco2;
	if (trial->has_gco2)
		(void)snprintf(trial->factor_id, sizeof(trial->factor_id), "%s",
			       report->options.carbon.factor_id);
}

/* The first that holds: each makes the sum one of less than was used. */
static const char *what_lacks(const struct es_report *report)
{
	const struct es_report_launch *launch = &report->launch;

	if (launch->how == ES_LAUNCH_ELSEWHERE)
		return "its work ran on other machines";
	if (launch->nodes > 0 && (size_t)launch->nodes > report->meta->n_nodes)
		return "it ran on more nodes than were measured";
	if (report->unseen.n_gpus)
		return "GPUs were there that no meter sees";
	return report->lacks_part ? "a part of the node gave no reading" : NULL;
}

static int take_region(const struct es_trials_reading *reading, const struct es_report *report,
		       const char *named, struct es_trial *trial, struct es_error *err)
{
	size_t least = SIZE_MAX;
	const char *nearest = "";

	take_cover(report, true, trial);
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];
		size_t distance = es_text_distance(reading->ask->region, region->name);

		if (strcmp(region->name, reading->ask->region) == 0) {
			trial->has_time = region->dur_ns > 0;
			trial->time_s = es_s_from_ns(region->dur_ns);
			trial->has_energy = region->is_known;
			trial->energy_j = es_j_from_uj(region->energy_uj);
			trial->energy_bound_j = region->uncertainty_j;
			return 0;
		}
		if (distance < least) {
			least = distance;
			nearest = region->name;
		}
	}
	if (es_text_is_near(least, strlen(nearest)))
		return es_error_say(err, -ENOENT,
				    "'%.300s' has no region '%.60s'; did you mean '%.60s'?", named,
				    reading->ask->region, nearest);
	return es_error_say(err, -ENOENT, "'%.300s' has no region '%.60s'%s%.60s%s", named,
			    reading->ask->region, nearest[0] ? "; it has '" : "", nearest,
			    nearest[0] ? "'" : "");
}

/* Those that somebody marked. */
static int keep_regions(const struct es_report *report, struct es_trial *trial)
{
	bool is_proportional = false;

	trial->regions = calloc(report->n_regions + 1, sizeof(*trial->regions));
	if (!trial->regions)
		return -ENOMEM;
	for (size_t i = 0; i < report->meta->n_domains; i++)
		is_proportional |= is_in_cover(report, i, true) &&
				   report->domains[i].kind == ES_KIND_ESTIMATED;
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *from = &report->regions[i];
		struct es_trial_region *region = &trial->regions[trial->n_regions];

		if (es_region_is_automatic(from->name) || from->dur_ns <= 0)
			continue;
		(void)snprintf(region->name, sizeof(region->name), "%s", from->name);
		region->is_proportional = is_proportional;
		region->time_s = es_s_from_ns(from->dur_ns);
		region->has_energy = from->is_known;
		region->energy_j = es_j_from_uj(from->energy_uj);
		region->energy_bound_j = from->uncertainty_j;
		trial->n_regions++;
	}
	return 0;
}

/* One name for all nodes, where each says what it is made of and they are alike. */
static void take_class(const struct es_meta *meta, struct es_trial *trial)
{
	struct es_node_class first = { .n_gpus = 0 };

	for (size_t i = 0; i < meta->n_nodes; i++) {
		struct es_node_class class = es_report_node_class(&meta->nodes[i]);

		if (i == 0)
			first = class;
		if (!es_node_class_is_same(&first, &class))
			return;
	}
	if (meta->n_nodes > 0)
		(void)es_node_class_name(&first, trial->node_class);
}

static void take_names(const struct es_report *report, struct es_trial *trial)
{
	const struct es_meta *meta = report->meta;

	take_class(meta, trial);

	(void)snprintf(trial->name, sizeof(trial->name), "%s", meta->job);
	if (meta->n_nodes == 1)
		(void)snprintf(trial->node, sizeof(trial->node), "%s", meta->nodes[0].name);
	/* Paths that are as long tell programs apart by their ends. */
	if (strlen(meta->command) < sizeof(trial->command))
		(void)snprintf(trial->command, sizeof(trial->command), "%s", meta->command);
	else
		(void)snprintf(trial->command, sizeof(trial->command), "%s",
			       meta->command + strlen(meta->command) - sizeof(trial->command) + 1);
	trial->lacks = what_lacks(report);
	if (report->has_start)
		trial->start_unix_ns = es_report_unix_ns(report, report->start_ns);
	/* -1: it ended, and nobody knows how (what was attached to, what was imported). Without an end it is no run. */
	trial->is_failed = report->has_command_stop
				   ? report->command_status != 0 && report->command_status != -1
				   : report->has_command_start;
}

int es_trials_take(const struct es_trials_reading *reading, const char *path, const char *named,
		   struct es_error *err)
{
	struct es_trial trial = { .path = NULL };
	struct es_outcome outcome;
	int r = es_outcome_open(path, NULL, reading->chain, &outcome, err);

	if (r < 0)
		return r;
	take_names(&outcome.report, &trial);
	if (reading->ask->region)
		r = take_region(reading, &outcome.report, named, &trial, err);
	else
		take_whole(&outcome.report, &trial);
	/* A run that failed may have ended before its region began: it is counted all the same. */
	if (r == -ENOENT && trial.is_failed)
		r = 0;
	if (r == 0 && reading->ask->has_regions)
		r = keep_regions(&outcome.report, &trial);
	if (r == -ENOMEM)
		(void)es_error_set(err, r, "cannot keep '%.300s'", named);
	es_outcome_finish(&outcome);
	trial.path = r == 0 ? strdup(named) : NULL;
	if (r == 0 && !trial.path)
		r = es_error_set(err, -ENOMEM, "cannot keep '%.300s'", named);
	if (r == 0)
		r = es_trials_group_of(reading, named, err);
	if (r < 0) {
		es_trial_finish(&trial);
		return r;
	}
	trial.group = (size_t)r;
	return es_trials_add(reading->trials, &trial, err);
}
