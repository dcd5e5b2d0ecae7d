/*
 * simulate_power.h - what jobs and idle processors of a replayed trace draw
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_POWER_H
#define ES_CLI_SIMULATE_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "opt/sim.h"

#define ES_SIMULATE_ROWS_MAX 20000000U

/** struct es_simulate_row - a job's line of a table */
struct es_simulate_row {
	uint64_t job;
	double value; /* joules or watts, of all its processors */
	size_t line;
	bool is_used;
};

/** struct es_simulate_power - zero-initialise, es_simulate_power_finish() it */
struct es_simulate_power {
	bool is_known; /* else nothing is asked of it */
	bool has_busy;
	double idle_w, busy_w; /* of a processor */
	struct es_simulate_row *rows; /* [n] owned, by job */
	size_t n;
	bool is_energy; /* the rows have joules */
};

/**
 * es_simulate_power_parse - the table of @n bytes and the NUL behind them, which are changed
 *
 * Columns job and energy_j or power_w, by name, others are passed over. Returns 0; -EBADMSG with the line; -EEXIST: a job
 * has two lines; -ENODATA; -E2BIG; -ENOMEM.
 */
int es_simulate_power_parse(struct es_simulate_power *power, char *text, size_t n,
			    struct es_error *err);
/** es_simulate_power_read - the table of a file, packed or not; as above */
int es_simulate_power_read(struct es_simulate_power *power, const char *path, struct es_error *err);
void es_simulate_power_finish(struct es_simulate_power *power);
/** es_simulate_power_unused - lines whose job was never asked for */
size_t es_simulate_power_unused(const struct es_simulate_power *power);

/**
 * es_simulate_power_of - a job's energy, and its power beyond idle in @job->extra_mw
 * @ret_j: of all its processors while it runs
 * Returns 0; -ENODATA: no line, and no power of a busy processor; -EEXIST: another job had its joules; -ERANGE: less than idle.
 */
int es_simulate_power_of(struct es_simulate_power *power, struct es_sim_job *job, double *ret_j,
			 struct es_error *err);

#endif
