/*
 * twin_answer.h - what a twin says of a load and of its energies; who serves the mount may be anybody
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_ANSWER_H
#define ES_CLI_TWIN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_TWIN_TIMES_MAX 512U /* asked for at once */
#define ES_TWIN_COLUMNS_MAX 256U
#define ES_TWIN_COLUMN_BYTES 32U

/** struct es_twin_play_state - how far a load is; times of the boot clock, 0 to ES_TIME_MAX_NS */
struct es_twin_play_state {
	bool is_done;
	int64_t begin_ns; /* of the whole; once it is done */
	int64_t end_ns; /* when it was done, else when it will be at the present pace; boot clock */
	size_t phase; /* at work: index in the program */
	int64_t share_ppm; /* of it, done */
	uint64_t n_done; /* phases of all repeats */
};

/** es_twin_answer_state - the first line of .twin/play: "running PHASE SHARE END N" or "done BEGIN END N"; 0 or -EBADMSG */
int es_twin_answer_state(const char *text, struct es_twin_play_state *ret);
/**
 * es_twin_answer_edges - the lines behind it: "edge I TIME", "edge I lost"
 * @ret: [ES_TWIN_TIMES_MAX]; INT64_MIN: lost. Returns how many.
 */
size_t es_twin_answer_edges(const char *text, int64_t *ret);
/** es_twin_answer_names - the first line of .twin/energy, which is cut up; 0, -EBADMSG, -E2BIG */
int es_twin_answer_names(char *text, char (*ret)[ES_TWIN_COLUMN_BYTES], size_t *ret_n);
/** es_twin_answer_rows - the lines behind it, of just the times @t_ns [@n]; @ret_uj: [@n][@n_columns]; 0 or -EBADMSG */
int es_twin_answer_rows(char *text, const int64_t *t_ns, size_t n, size_t n_columns,
			uint64_t *ret_uj);

#endif
