/*
 * place_trials.c - runs for energyscopium place out of recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/place_runs.h"

/* A text of our own that lives as long as the runs. */
static const char *keep_text(struct es_place_runs *runs, const char *text, size_t n)
{
	char **texts = reallocarray(runs->texts, runs->n_texts + 1, sizeof(*texts));

	if (!texts)
		return NULL;
	runs->texts = texts;
	texts[runs->n_texts] = strndup(text, n);
	return texts[runs->n_texts] ? texts[runs->n_texts++] : NULL;
}

/* "resnet@250W-3" is configuration resnet at setting 250W, in whatever folder it lies. */
static int take_names(struct es_place_runs *runs, const struct es_trial *trial,
		      struct es_place_run *run)
{
	char name[ES_NAME_MAX_BYTES];
	const char *sign;
	bool has_setting;
	int r = es_trials_stem(trial->name, name);

	if (r < 0)
		return r;
	sign = strrchr(name, '@');
	has_setting = sign && sign != name && sign[1];
	run->setting = has_setting ? keep_text(runs, sign + 1, SIZE_MAX) : "";
	run->configuration =
		keep_text(runs, name, has_setting ? (size_t)(sign - name) : sizeof(name));
	return run->configuration && run->setting ? 0 : -ENOMEM;
}

static bool has_word(const char *text, const char *word, size_t n)
{
	for (const char *p = text; *p;) {
		size_t length = strcspn(p, " ");

		if (length == n && strncmp(p, word, n) == 0)
			return true;
		p += length + (p[length] == ' ');
	}
	return false;
}

/* Which parts were measured, whatever their number: "package dram" of "package-0 package-1 dram-0". */
static void kinds_of(const char *cover, char ret[static ES_NAME_MAX_BYTES])
{
	size_t used = 0;

	ret[0] = '\0';
	while (*cover) {
		size_t n = strcspn(cover, " "), m = n;

		while (m > 0 && isdigit((unsigned char)cover[m - 1]))
			m--;
		m = m > 1 && m < n && cover[m - 1] == '-' ? m - 1 : n;
		if (!has_word(ret, cover, m) && used + m + 2 < ES_NAME_MAX_BYTES)
			used += (size_t)snprintf(ret + used, ES_NAME_MAX_BYTES - used, "%s%.*s",
						 used ? " " : "", (int)m, cover);
		cover += n + (cover[n] == ' ');
	}
}

static int refuse_estimate(const struct es_place_runs *runs, const struct es_trial *first, size_t n,
			   struct es_error *err)
{
	return es_error_say(err, -EOPNOTSUPP,
			    "the energy of %zu of %zu runs ('%.60s' first) is an estimate from CPU "
			    "time, which grows with time: no meter there can see which class takes "
			    "less; nothing is placed",
			    n, runs->trials.n, first->name);
}

static int check_estimates(const struct es_place_runs *runs, struct es_error *err)
{
	const struct es_trial *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < runs->trials.n; i++) {
		const struct es_trial *trial = &runs->trials.trials[i];

		if (trial->is_failed || !trial->is_proportional)
			continue;
		first = first ? first : trial;
		n++;
	}
	return first ? refuse_estimate(runs, first, n, err) : 0;
}

static void warn_of_parts(struct es_place_runs *runs, const struct es_trial *trial)
{
	char first[ES_NAME_MAX_BYTES], this[ES_NAME_MAX_BYTES];

	if (trial->cover[0] == '\0' || runs->warning[0])
		return;
	if (!runs->measured)
		runs->measured = trial;
	kinds_of(runs->measured->cover, first);
	kinds_of(trial->cover, this);
	if (strcmp(first, this) != 0)
		(void)snprintf(
			runs->warning, sizeof(runs->warning),
			"the energy of '%.60s' is that of %.100s, the energy of '%.60s' that of "
			"%.100s: they are compared as if they were of the same parts",
			runs->measured->name, first, trial->name, this);
}

static int take_trial(struct es_place_runs *runs, const struct es_trial *trial, bool is_by_node,
		      struct es_error *err)
{
	struct es_place_run *run = &runs->runs[runs->n];
	double energy_j, time_s;

	if (trial->is_failed) {
		runs->n_failed++;
		return 0;
	}
	if (!es_trial_value(trial, ES_TRIAL_ENERGY, &energy_j) ||
	    !es_trial_value(trial, ES_TRIAL_TIME, &time_s) || !(energy_j > 0) || !(time_s > 0)) {
		runs->n_lacking++;
		return 0;
	}
	*run = (struct es_place_run){ .class = is_by_node ? trial->node : trial->node_class,
				      .energy_nkwh = energy_j * ES_PLACE_NKWH_PER_J,
				      .time_us = time_s * ES_PLACE_US_PER_S,
				      .order = runs->n };
	if (run->class[0] == '\0')
		return es_error_say(err, -ENODATA, "run '%.60s' %s", trial->name,
				    is_by_node
					    ? "does not name one node that it ran on"
					    : "does not say what its nodes are built like, or they "
					      "differ; --by node goes by the node's name");
	if (take_names(runs, trial, run) < 0)
		return es_error_set(err, -ENOMEM, "cannot keep run '%.60s'", trial->name);
	if (trial->node[0] == '\0' && !runs->wide)
		runs->wide = trial->name;
	warn_of_parts(runs, trial);
	runs->n++;
	return es_place_run_check(run, trial->name, err);
}

int es_place_runs_trials(struct es_place_runs *runs, bool is_by_node, struct es_error *err)
{
	int r = check_estimates(runs, err);

	if (r < 0)
		return r;
	runs->has_times = true;
	runs->runs = calloc(runs->trials.n + 1, sizeof(*runs->runs));
	if (!runs->runs)
		return es_error_set(err, -ENOMEM, "cannot keep %zu runs", runs->trials.n);
	for (size_t i = 0; i < runs->trials.n && r == 0; i++)
		r = take_trial(runs, &runs->trials.trials[i], is_by_node, err);
	if (r == 0 && runs->n == 0)
		r = es_error_say(err, -ENODATA,
				 "no run is left of %zu: %zu failed, %zu lack their energy or time",
				 runs->trials.n, runs->n_failed, runs->n_lacking);
	return r;
}
