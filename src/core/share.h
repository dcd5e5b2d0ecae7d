/*
 * share.h - a command's part of the energy of a machine that it has not for itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_SHARE_H
#define ES_CORE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/** enum es_share_idle - what becomes of the idle power */
enum es_share_idle {
	ES_SHARE_IDLE_NOT_APART, /* its power is not known: it is shared with the rest, by CPU time */
	ES_SHARE_IDLE_LEFT_OUT, /* nobody's: nothing says which part of the machine the command may use */
	ES_SHARE_IDLE_ALLOCATED, /* by the CPUs that a scheduler gave the command */
	ES_SHARE_IDLES,
};

/** struct es_share_of - what a share is made from */
struct es_share_of {
	double energy_j, uncertainty_j; /* of the machine over @dur_ns; half width of 95 % */
	int64_t dur_ns;
	int64_t cpu_ns; /* CPU time of the command */
	int64_t busy_ns,
		busy_step_ns; /* CPU time of the machine, the command's in it, and the step it is counted in */
	bool has_idle;
	double idle_w, idle_uncertainty_w;
	uint32_t n_allocated, n_cpus; /* 0: nobody allocated any */
};

/** struct es_share - the result: attributed joules */
struct es_share {
	double share; /* of the CPU time, 0 to 1 */
	enum es_share_idle idle;
	double energy_j, uncertainty_j;
	double idle_j; /* of the machine, as far as it was told apart; else 0 */
};

/**
 * es_share_by_cpu_time - dynamic energy by CPU time, idle energy by allocated CPUs
 *
 * E = (E_machine - P_idle T) c + P_idle T n_allocated / n_cpus, c = command's / machine's CPU time. Without idle power
 * E = E_machine c. Shares of all that ran, and the idle energy that nobody was allocated, add up to the machine's.
 * CPU times are counted in steps: a command cannot have more than the machine, what is over is cut.
 * Source: the rules of Kepler and CEEMS, as in their documentation.
 *
 * Returns 0; -ENODATA: a CPU time or the energy is not known (negative), or the machine was idle.
 */
int es_share_by_cpu_time(const struct es_share_of *of, struct es_share *ret);

/** es_share_idle_name - "not known apart", "left out", "by allocated CPUs" */
const char *es_share_idle_name(enum es_share_idle idle);

#endif
