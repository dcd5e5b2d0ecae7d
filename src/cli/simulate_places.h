/*
 * simulate_places.h - which processors a job has, for pictures: a schedule knows only how many
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_PLACES_H
#define ES_CLI_SIMULATE_PLACES_H

#include "cli/simulate_course.h"

/** es_simulate_piece_fn - told each run of neighbouring processors of a job: @n from @first on */
typedef void (*es_simulate_piece_fn)(void *arg, const struct es_simulate_start *job, uint32_t first,
				     uint32_t n);

/**
 * es_simulate_places - give each job of a course processors of its own
 *
 * First fit, in the order of starts; what ends in a second is free for what starts in it. A job gets the lowest run of
 * free neighbours that holds all of it; where there is none the lowest free processors, in several pieces. The same for the
 * same schedule.
 *
 * Returns 0; -ENOMEM; -ERANGE: more run than there are processors.
 */
int es_simulate_places(const struct es_simulate_course *course, es_simulate_piece_fn piece,
		       void *arg);

#endif
