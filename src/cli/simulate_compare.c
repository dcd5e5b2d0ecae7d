/*
 * simulate_compare.c - the same trace under several policies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

#define COMMAND "simulate"

static int wrong_names(const char *text, const char *why)
{
	return es_complain(COMMAND, ES_EXIT_USAGE, "--compare '%s': %s", text, why);
}

static int read_names(const char *text, struct es_policies *compare)
{
	const char *at = text;

	for (bool is_last = false; !is_last;) {
		size_t n = strcspn(at, ",");

		if (compare->n == ES_POLICIES_MAX)
			return wrong_names(text, "six policies at most");
		if (n == 0 || n >= sizeof(compare->names[0]))
			return wrong_names(text, "two policies or more are wanted, as fcfs,easy");
		memcpy(compare->names[compare->n], at, n);
		for (size_t i = 0; i < compare->n; i++)
			if (strcmp(compare->names[i], compare->names[compare->n]) == 0)
				return wrong_names(text, "the same policy twice");
		compare->n++;
		is_last = at[n] == '\0';
		at += n + !is_last;
	}
	return compare->n > 1 ? -1
			      : wrong_names(text, "two policies or more are wanted, as fcfs,easy");
}

static bool is_among(const struct es_policies *compare, const char *name)
{
	for (size_t i = 0; i < compare->n; i++)
		if (strcmp(compare->names[i], name) == 0)
			return true;
	return false;
}

/* Each policy takes the options that are its own. */
static void share_options(const struct es_simulate_asked *asked, struct es_policies *compare,
			  size_t i)
{
	struct es_simulate_asked *own = &compare->sims[i].asked;
	const char *name = compare->names[i];
	bool holds = strcmp(name, "carbon") == 0 || strcmp(name, "price") == 0;

	*own = *asked;
	own->policy = name;
	own->drawing = (struct es_drawing){ .svg = NULL };
	if (strcmp(name, "easy-power") != 0)
		own->power_cap = NULL;
	if (is_among(compare, "shutdown") && strcmp(name, "shutdown") != 0)
		own->idle_timeout = NULL; /* this one keeps its nodes on */
	if (!holds)
		own->window = own->forecast_error = own->seed = NULL;
}

static int read_options(const struct es_simulate_asked *asked, struct es_policies *compare)
{
	bool is_held = is_among(compare, "carbon") || is_among(compare, "price");
	int status = -1;

	if (asked->schedule || asked->policy || asked->power_csv || asked->is_term || asked->from ||
	    asked->to || asked->colour_by || asked->by)
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--policy, --schedule, --power-csv, --term, --from, --to, --colour-by "
			"and --by are for one policy, not for --compare");
	if (es_drawing_takes_stdout(&asked->drawing, NULL) + asked->wants_json > 1 ||
	    es_drawing_takes_stdout(&asked->drawing, NULL) < 0)
		return es_complain(COMMAND, ES_EXIT_USAGE, "one thing at most can go to stdout");
	for (size_t i = 0; i < compare->n && status < 0; i++) {
		share_options(asked, compare, i);
		status = es_simulate_read(&compare->sims[i]);
		compare->sims[i].has_course = true;
	}
	if (status < 0 && ((asked->power_cap && !is_among(compare, "easy-power")) ||
			   ((asked->window || asked->forecast_error || asked->seed) && !is_held)))
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--power-cap is for easy-power, --window and --forecast-error for carbon and price");
	return status;
}

static int replay_all(struct es_policies *compare, struct es_error *err)
{
	int r = es_simulate_load(&compare->sims[0], err);

	for (size_t i = 0; i < compare->n && r == 0; i++) {
		if (i > 0)
			r = es_simulate_load_again(&compare->sims[i], &compare->sims[i - 1], err);
		if (r == 0)
			r = es_simulate_replay(&compare->sims[i], err);
	}
	if (r < 0)
		return r;
	r = es_policies_weeks(compare);
	if (r == -E2BIG)
		return es_error_say(err, r, "'%s' takes %zu weeks, more than %u: none are compared",
				    compare->sims[0].asked.path, compare->n_weeks, ES_WEEKS_MAX);
	return r < 0 ? es_error_set(err, r, "the weeks cannot be compared") : 0;
}

static int draw(const struct es_policies *compare, const struct es_drawing *drawing,
		struct es_error *err)
{
	struct es_scene scene;
	int r = es_policies_scene(compare, &scene);

	r = r < 0 ? es_error_set(err, r, "cannot draw")
		  : es_drawing_write(drawing, &scene, "policies compared", err);
	es_scene_finish(&scene);
	return r;
}

static int show(const struct es_policies *compare)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	if (compare->sims[0].asked.wants_json)
		es_policies_put_json(compare, &out);
	else
		es_policies_put_table(compare, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

int es_simulate_compare(const struct es_simulate_asked *asked)
{
	struct es_policies *compare = calloc(1, sizeof(*compare));
	struct es_error err = { .code = 0 };
	int r, status;

	if (!compare)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "no room for the policies");
	status = read_names(asked->compare, compare);
	status = status >= 0 ? status : read_options(asked, compare);
	if (status < 0) {
		r = replay_all(compare, &err);
		if (r == 0 && es_drawing_is_asked(&asked->drawing))
			r = draw(compare, &asked->drawing, &err);
		if (r < 0)
			status = es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
		else
			status = es_drawing_takes_stdout(&asked->drawing, NULL) ? ES_EXIT_OK
										: show(compare);
	}
	es_policies_finish(compare);
	free(compare);
	return status;
}
