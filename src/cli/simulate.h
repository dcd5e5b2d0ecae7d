/*
 * simulate.h - what is asked of energyscopium simulate, and the trace it replays
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_H
#define ES_CLI_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/swf.h"
#include "opt/sim.h"

/** struct es_simulate_trace - jobs in the order of their submission; zero-initialise, es_simulate_trace_finish() it */
struct es_simulate_trace {
	struct es_swf swf;
	bool is_requested; /* estimates are what was asked for; else the run times */
	size_t next; /* to be handed out */
	size_t n_left_out; /* without length or processors */
	size_t n_without_request; /* the run time stands in for it */
};

/**
 * es_simulate_trace_read - the jobs of a file, packed or not
 * @procs: of the machine; a job that asks for more is an error
 * Wrong lines are told on stderr as @command's. Returns 0 or negative errno with words; nothing is handed out yet.
 */
int es_simulate_trace_read(const char *command, const char *path, bool is_strict, uint32_t procs,
			   struct es_simulate_trace *trace, struct es_error *err);
void es_simulate_trace_finish(struct es_simulate_trace *trace);
/** es_simulate_trace_next - an es_sim_next_fn of a struct es_simulate_trace */
int es_simulate_trace_next(void *trace, struct es_sim_job *ret);

#endif
