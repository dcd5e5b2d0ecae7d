/*
 * simulate_compare.h - the same trace under several policies, week by week
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_COMPARE_H
#define ES_CLI_SIMULATE_COMPARE_H

#include "cli/simulate.h"
#include "format/scene.h"
#include "opt/weeks.h"

#define ES_POLICIES_MAX 6U

/** enum es_policies_measure - by which policies are compared */
enum es_policies_measure {
	ES_POLICIES_WAIT, /* means over jobs, by the week of their submission */
	ES_POLICIES_SLOWDOWN,
	ES_POLICIES_ENERGY, /* of the machine in a week */
	ES_POLICIES_GRAMS,
	ES_POLICIES_COST,
	ES_POLICIES_PEAK,
	ES_POLICIES_N_MEASURES,
};

/** struct es_policies_change - a policy against the first */
struct es_policies_change {
	bool is_known; /* else nothing of it is */
	double reference, value; /* means of the first and of this one */
	bool has_interval; /* else there are too few weeks */
	struct es_weeks_difference
		by; /* value less reference; low and high where there is an interval */
};

/** struct es_policies - zero-initialise, es_policies_finish() it */
struct es_policies {
	struct es_simulate sims[ES_POLICIES_MAX];
	char names[ES_POLICIES_MAX][32];
	size_t n;
	size_t n_weeks; /* from the trace's begin to the last end of all */
	double *jobs; /* [n_weeks] owned: submitted in it */
	double *shares; /* [n_weeks] owned: of the week, from the first submission to the last end of all */
	double *sums[ES_POLICIES_MAX][ES_POLICIES_N_MEASURES]; /* [n_weeks] owned */
	struct es_policies_change changes[ES_POLICIES_MAX][ES_POLICIES_N_MEASURES]; /* [0]: nothing */
};

/** es_policies_weeks - replays are done: sums of each week, and what the policies differ by; 0 or negative errno */
int es_policies_weeks(struct es_policies *compare);
void es_policies_finish(struct es_policies *compare);

/** es_policies_name - "mean wait, s"; es_policies_key - "mean_wait_s"; es_policies_unit - "s" */
const char *es_policies_name(const struct es_policies *compare, enum es_policies_measure measure,
			     char text[static 48]);
const char *es_policies_key(enum es_policies_measure measure);
/** es_policies_verdict - "less", "more", "cannot be told apart", "the same"; NULL: too few weeks */
const char *es_policies_verdict(const struct es_policies_change *change);
/** es_policies_put_json, es_policies_put_table - the outcome */
void es_policies_put_json(const struct es_policies *compare, struct es_buf *out);
void es_policies_put_table(const struct es_policies *compare, struct es_buf *out);
/** es_policies_scene - the waits of all, and the changes with their intervals; es_scene_finish() it in any case */
int es_policies_scene(const struct es_policies *compare, struct es_scene *ret);

#endif
