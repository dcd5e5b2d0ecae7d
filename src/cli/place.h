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
#include "cli/drawing.h"
#include "cli/place_lp.h"
#include "cli/place_runs.h"
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

/** struct es_place_tie - another placement that is as good as far as the measurements can tell */
struct es_place_tie {
	size_t at, to; /* configuration, and the class it could be in */
	size_t with; /* the one that comes to where that was; SIZE_MAX: nobody */
	int64_t more_nkwh; /* than the placement */
	double noise_nkwh; /* half width of the 95 % interval of that */
};

struct es_placing {
	/* As given. */
	char **paths; /* [n_paths] borrowed */
	size_t n_paths;
	const char *time; /* a file, or with @columns a column */
	const char *horizon, *slowdown, *by;
	struct es_place_columns
		columns; /* of a table with a row for each run; configuration NULL: a matrix */
	struct es_text_list capacities, deadlines, forbidden;
	bool wants_json, is_strict, is_runs, is_term;
	struct es_drawing drawing;
	/* As read. */
	bool is_by_node;
	struct es_place_runs runs; /* where the energies come from single runs */
	struct es_place_cell *cells; /* [n * m] owned; NULL: of a matrix nothing more is known */
	int64_t *best_us; /* [n] owned; likewise */
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
	struct es_place_tie *ties; /* [n_ties] owned: at most one for each configuration */
	size_t n_ties;
	enum es_placing_lp lp;
	struct es_place_lp program;
	struct es_error lp_error; /* why it was not solved */
};

/** es_placing_read_energies - names of configurations and classes, and the energies of a matrix; -1: go on, else the exit status */
int es_placing_read_energies(struct es_placing *placing);
/** es_placing_take_runs - energies and times of single runs, each cell at the setting that the limits make best; likewise */
int es_placing_take_runs(struct es_placing *placing);
/** es_placing_read - tables and all that was given with them; -1: go on, else the exit status */
int es_placing_read(struct es_placing *placing);

static inline double es_placing_kwh(int64_t energy_nkwh)
{
	return (double)energy_nkwh / ES_PLACE_NKWH_PER_KWH;
}

static inline double es_placing_hours(int64_t time_us)
{
	return (double)time_us / ES_PLACE_US_PER_HOUR;
}

/** es_placing_gap - energy less bound, of the bound: no placement is more than that cheaper; not finite where the bound is 0 */
double es_placing_gap(const struct es_place *place);
/** es_placing_method, es_placing_bound_name - in words: how the placement was found, and where the bound comes from */
const char *es_placing_method(const struct es_place *place);
const char *es_placing_bound_name(const struct es_place *place);

/** struct es_placing_filled - what is in a class */
struct es_placing_filled {
	size_t n;
	int64_t energy_nkwh, time_us;
};
struct es_placing_filled es_placing_filled(const struct es_placing *placing, size_t j);

/** es_placing_best - the class in which a placed configuration would take least if it were alone, its own where equal */
size_t es_placing_best(const struct es_placing *placing, size_t i);
/** es_placing_regret - what it takes above that, nkWh; es_placing_alone: the sum of all, each in its best class */
int64_t es_placing_regret(const struct es_placing *placing, size_t i);
int64_t es_placing_alone(const struct es_placing *placing);
/** es_placing_find_ties - by one that moves or two that change places, where cells have intervals; 0 or -ENOMEM */
int es_placing_find_ties(struct es_placing *placing);

void es_placing_put_json(const struct es_placing *placing, struct es_buf *out);
void es_placing_put_table(const struct es_placing *placing, struct es_buf *out);
/** es_placing_say_lack - why there is no placement, in one line */
int es_placing_say_lack(const struct es_placing *placing, const struct es_place_lack *lack);

#endif
