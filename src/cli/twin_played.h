/*
 * twin_played.h - what a workload took on a twin, for people and programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_PLAYED_H
#define ES_CLI_TWIN_PLAYED_H

#include "cli/twin_player.h"

/** struct es_twin_played_phase - what a phase took, over all its calls */
struct es_twin_played_phase {
	uint64_t n_calls;
	uint64_t n_known; /* calls whose times and energies are known; of those are the sums below */
	int64_t planned_ns, dur_ns;
	uint64_t *energies_uj; /* [truth.n] */
};

struct es_twin_played {
	const char *mount, *workload;
	const struct es_twin_program *program;
	struct es_twin_truth truth;
	int64_t begin_ns, end_ns; /* boot clock */
	bool is_done; /* else it was ended before */
	int signal; /* by which; 0: none, or the time was over */
	struct es_twin_played_phase *phases; /* [program->n] */
};

/** es_twin_played_show - to standard output; the exit status */
int es_twin_played_show(const struct es_twin_played *played, bool wants_json);

/** es_twin_truth_put - an object "energy" with the joules of each part, from @energies_uj [truth->n] */
struct es_json;
void es_twin_truth_put(struct es_json *json, const struct es_twin_truth *truth,
		       const uint64_t *energies_uj);

/** es_twin_truth_sum - µJ of all parts called @name-0, @name-1 … or just @name; *ret_has (may be NULL): there are such */
uint64_t es_twin_truth_sum(const struct es_twin_truth *truth, const uint64_t *energies_uj,
			   const char *name, bool *ret_has);

#endif
