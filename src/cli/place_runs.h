/*
 * place_runs.h - tables for energyscopium place out of single runs: means, intervals, and the best setting of each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PLACE_RUNS_H
#define ES_CLI_PLACE_RUNS_H

#include "cli/place_table.h"
#include "cli/trials.h"
#include "core/stats.h"

#define ES_PLACE_NKWH_PER_J (1e9 / 3.6e6)
#define ES_PLACE_US_PER_S 1e6

/** struct es_place_run - one measured run; texts borrowed from what it was read from */
struct es_place_run {
	const char *configuration, *class, *setting; /* setting: "": there is but one */
	double energy_nkwh, time_us; /* 0: not known, then of all */
	size_t at, to, order; /* number of its configuration and class; place among those given */
	size_t line; /* of the table; 0: it is of none */
};

/** struct es_place_runs - zero-initialise, es_place_runs_finish() it */
struct es_place_runs {
	struct es_place_run *runs; /* [n] owned */
	size_t n;
	bool has_times;
	size_t n_failed, n_lacking; /* left out: the command failed; no time or no energy */
	const char *
		wide; /* name of the first that ran on several nodes, or does not say on which; NULL: none */
	char warning[ES_TEXT_MAX_BYTES]; /* runs are not of the same meters; "": they are */
	const struct es_trial *measured; /* the first that says by which */
	/* What the texts lie in. */
	struct es_sheet sheet;
	struct es_trials trials;
	char **texts; /* [n_texts] owned */
	size_t n_texts;
};
void es_place_runs_finish(struct es_place_runs *runs);
/** es_place_run_check - sizes that a table can hold; 0, or -EBADMSG with @file, and the line where there is one */
int es_place_run_check(const struct es_place_run *run, const char *file, struct es_error *err);

/** struct es_place_columns - of a table with a row for each run; borrowed, @time and @setting may be NULL */
struct es_place_columns {
	const char *configuration, *class, *energy, *time, *setting;
};

/**
 * es_place_runs_table - a row for each run; J and s unless the columns' names end with a unit
 * Returns 0; -ENOENT: no such column, the nearest is named; -EBADMSG; -ENODATA; -E2BIG; -ENOMEM.
 */
int es_place_runs_table(struct es_sheet *sheet, const struct es_place_columns *columns,
			struct es_place_runs *runs, struct es_error *err);

/**
 * es_place_runs_trials - of runs->trials: the configuration is a job's name without its number, and what stands behind
 * its last '@' the setting; the class what its nodes are built like, or with @is_by_node its node's name
 * Returns 0; -EOPNOTSUPP: an energy is an estimate from CPU time; -ENODATA: no run is left, or one does not say where it
 * ran; -ENOMEM; with words.
 */
int es_place_runs_trials(struct es_place_runs *runs, bool is_by_node, struct es_error *err);

/** es_place_runs_name - number configurations and classes in the order of their first mention; 0, -EINVAL (a name), -E2BIG or -ENOMEM */
int es_place_runs_name(struct es_place_runs *runs, struct es_place_names *configurations,
		       struct es_place_names *classes, struct es_error *err);

/* Intervals are resampled where there are at most so many runs; of more it would take minutes and tell the same. */
#define ES_PLACE_RESAMPLED_MAX 20000U

/** struct es_place_cell - what one configuration took in one class, at the setting that was chosen */
struct es_place_cell {
	size_t n, n_settings; /* runs at it; settings that were measured there. 0: none */
	const char *setting; /* borrowed; "": there is but one */
	struct es_interval energy_nkwh;
	double time_us; /* mean; 0: not known */
};

/** struct es_place_wish - what settings must keep; borrowed */
struct es_place_wish {
	const int64_t *deadline_us; /* [configurations]; 0: none */
	int64_t slowdown_ppm; /* negative: none */
};

/**
 * es_place_runs_choose - the setting of least mean energy among those within the limits, else the fastest
 * @runs: named by es_place_runs_name(), and put in order here
 * @ret_cells: [n * m] zeros; @ret_best_us: [n] best mean time of each over all classes and settings; 0: no times
 * Returns 0 or -ENOMEM.
 */
int es_place_runs_choose(struct es_place_runs *runs, size_t m, const struct es_place_wish *wish,
			 struct es_place_cell *ret_cells, int64_t *ret_best_us);

#endif
