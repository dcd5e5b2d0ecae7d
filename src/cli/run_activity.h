/*
 * run_activity.h - what a job does beside drawing power, in a measurement
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RUN_ACTIVITY_H
#define ES_CLI_RUN_ACTIVITY_H

#include "cli/measure.h"
#include "record/activity_note.h"
#include "source/activity.h"
#include "sys/root.h"

/** struct es_run_activity - all zero: nothing is counted */
struct es_run_activity {
	struct es_source *source; /* the sampler's; NULL: switched off */
	bool has_ranks; /* it is a launch of several processes */
	int64_t n_ranks; /* those on this node; -1: not known */
	struct es_measure_hook hook;
	struct es_activity_note told[ES_N_ACTIVITY_KEYS];
};

/** es_run_activity_open - find out what can be had, and give it to @sampler before its signals are described; 0 or negative errno */
int es_run_activity_open(const struct es_root *root, enum es_activity_whom whom,
			 struct es_sampler *sampler, struct es_run_activity *activity,
			 struct es_error *err);

/** es_run_activity_tell - what is lacking goes into the recording, once it is open; 0 or negative errno */
int es_run_activity_tell(struct es_run_activity *activity, struct es_recorder *recorder);

/** es_run_activity_hook - for the measuring loop: tells at the end what became of it meanwhile; borrowed */
struct es_measure_hook *es_run_activity_hook(struct es_run_activity *activity);

#endif
