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
#include "base/limits.h"
#include "opt/sim.h"

#define ES_SIMULATE_ROWS_MAX 20000000U
#define ES_SIMULATE_FAULTS_KEPT 5U

/** struct es_simulate_row - a job's line of a table */
struct es_simulate_row {
	uint64_t job;
	double value; /* joules or watts, of all its processors */
	double time_s; /* its run time on that class; below 0: not said */
	size_t line;
	uint32_t class; /* 0 where there are none */
	bool is_used;
};

/** struct es_simulate_power - zero-initialise, es_simulate_power_finish() it */
struct es_simulate_power {
	bool is_known; /* else nothing is asked of it */
	bool has_busy;
	double idle_w, busy_w; /* of a processor */
	const char (*class_names)
		[ES_NAME_MAX_BYTES]; /* [n_classes] borrowed; NULL: there are no classes */
	unsigned n_classes;
	struct es_simulate_row *rows; /* [n] owned, by job and class */
	size_t n;
	bool is_energy; /* the rows have joules */
	size_t n_faults; /* lines that are of no job */
	char faults[ES_SIMULATE_FAULTS_KEPT][160]; /* the first of them */
};

/**
 * es_simulate_power_parse - the table of @n bytes and the NUL behind them, which are changed
 *
 * Columns job and energy_j or power_w, by name, and with classes also class, and time_s where it is there; others are passed
 * over. Lines that are of no job are counted and left out. Returns 0; -EBADMSG: the header, or all lines are wrong; -EEXIST: a job
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
/** es_simulate_power_find - a job's line for a class; NULL: there is none */
struct es_simulate_row *es_simulate_power_find(const struct es_simulate_power *power, uint64_t job,
					       unsigned class);
/**
 * es_simulate_power_on - as es_simulate_power_of(), by its line
 * @row: NULL: it draws @watts; @idle_w: what its processors draw without it
 */
int es_simulate_power_on(const struct es_simulate_power *power, struct es_simulate_row *row,
			 double watts, double idle_w, struct es_sim_job *job, double *ret_j,
			 struct es_error *err);

#endif
