/*
 * place.h - what energyscopium place was asked, and its answer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PLACE_H
#define ES_CLI_PLACE_H

#include "base/buf.h"
#include "cli/command.h"
#include "cli/place_lp.h"
#include "cli/place_table.h"
#include "opt/place.h"

#define ES_PLACE_NKWH_PER_KWH 1e9
#define ES_PLACE_US_PER_HOUR 3.6e9

/** enum es_placing_lp - what became of the linear program */
enum es_placing_lp {
	ES_PLACING_LP_NOT_NEEDED, /* the search came to its end */
	ES_PLACING_LP_SOLVED,
	ES_PLACING_LP_CUT, /* its last step's prices are used */
	ES_PLACING_LP_NONE, /* not solved: lp_error */
};

struct es_placing {
	/* As given. */
	const char *path, *time_path, *horizon, *slowdown;
	struct es_text_list capacities, deadlines, forbidden;
	bool wants_json;
	/* As read. */
	struct es_place_table energies, times; /* times: in the order of energies */
	int64_t horizon_us; /* 0: rooms are numbers of configurations */
	int64_t capacity[ES_PLACE_CLASSES_MAX]; /* -1: without end */
	int64_t room[ES_PLACE_CLASSES_MAX];
	bool *is_forbidden; /* [n * m] owned */
	int64_t *deadline_us; /* [n] owned */
	uint8_t *why; /* [n * m] owned */
	struct es_place_limits limits;
	struct es_place_problem problem;
	struct es_place place;
	enum es_placing_lp lp;
	struct es_place_lp program;
	struct es_error lp_error; /* why it was not solved */
};

/** es_placing_read - tables and all that was given with them; -1: go on, else the exit status */
int es_placing_read(struct es_placing *placing);

void es_placing_put_json(const struct es_placing *placing, struct es_buf *out);
void es_placing_put_table(const struct es_placing *placing, struct es_buf *out);
/** es_placing_say_lack - why there is no placement, in one line */
int es_placing_say_lack(const struct es_placing *placing, const struct es_place_lack *lack);

#endif
