/*
 * trials.h - groups of runs to be held against each other, from recordings, eprofiles or tables
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TRIALS_H
#define ES_CLI_TRIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/chain.h"

#define ES_TRIALS_MAX 100000U
#define ES_TRIAL_GROUPS_MAX 1000U

/** enum es_trial_metric - what is compared; lower is better */
enum es_trial_metric {
	ES_TRIAL_ENERGY, /* J, of the node (or of the region) */
	ES_TRIAL_TIME, /* s, of the command (or of the region) */
	ES_TRIAL_EDP, /* J s */
	ES_TRIAL_ED2P, /* J s^2 */
	ES_TRIAL_ABOVE, /* J above the baseline measured around the run */
	ES_TRIAL_N_METRICS,
};

/** struct es_trial_region - a region of a run, as the report has it */
struct es_trial_region {
	char name[ES_NAME_MAX_BYTES];
	bool has_energy; /* else it cannot be told apart from others */
	bool is_proportional; /* as of a run */
	double time_s, energy_j, energy_bound_j;
};

/** struct es_trial - one run, or one region of it */
struct es_trial {
	char name[ES_NAME_MAX_BYTES]; /* of the job, or "line 7" */
	char node[ES_NAME_MAX_BYTES]; /* "": not known, or several */
	char node_class
		[ES_NAME_MAX_BYTES]; /* what its nodes are built like; "": not known, or not alike */
	char command[ES_NAME_MAX_BYTES]; /* argv[0]; "": not known */
	char kind[16]; /* of the energy: measured, integrated, estimated, mixed …; "": not known */
	char cover[ES_NAME_MAX_BYTES]; /* the parts that the energy is the sum of: "package-0 dram-0"; "": not known */
	char factor_id[64]; /* of the grams; "": not known */
	const char *lacks; /* what its energy is without, in words; NULL: nothing that is known of */
	char *path; /* owned; what it was read from; NULL: a row of a table */
	size_t group;
	int64_t start_unix_ns; /* 0: not known */
	bool has_time, has_energy, has_above, has_quality, has_gco2;
	/* The energy, or a part of it, is an estimate from CPU time: it may be added up, never compared between settings. */
	bool is_proportional;
	bool is_failed; /* the command's status was not 0: it is counted, and left out */
	double time_s, energy_j, energy_bound_j, above_j;
	double gco2;
	double quality; /* a number given with the row */
	struct es_trial_region *regions; /* [n_regions] owned; only where they were asked for */
	size_t n_regions;
};

/** struct es_trials - zero-initialise, es_trials_finish() it */
struct es_trials {
	struct es_trial *trials; /* [n] owned, in the order in which they were given */
	size_t n;
	char **groups; /* [n_groups] names, owned, in the order of their first mention */
	char **folders; /* [n_groups] owned; of the files that named the group; NULL: it was not named after files */
	size_t n_groups;
	size_t n_unread; /* rows of tables that were left out */
	size_t n_twice; /* runs given again, as their eprofile beside their recording: each counts once */
	size_t n_shared; /* runs that are in another group, too */
	bool has_table,
		has_file; /* rows of a table are among them; runs that have a file of their own */
};

/** struct es_trials_ask - what to take of each file; texts borrowed, NULL: not asked */
struct es_trials_ask {
	const char *command; /* for messages */
	const char *region; /* of this name, not the whole */
	const char *time, *energy, *quality,
		*group; /* columns of tables; group: one or several ("gpu,kernel"): rows with the same words in them are one group */
	bool is_strict; /* a bad row is an error */
	bool has_regions; /* keep all regions of each run */
};

/*
 * Tables: without ask->time and ask->energy the columns duration_s and energy_j are meant. Units are those that the names
 * end with (time_ms, Energy[Wh]). Where a table has columns named node, command, kind or exit_status, they say the same of its rows.
 */

/**
 * es_trials_group - the group of that name, made where there is none
 * Returns its number, -E2BIG or -ENOMEM.
 */
int es_trials_group(struct es_trials *trials, const char *name);

/**
 * es_trials_read - the runs at @path into group @group
 * @path: a recording, an eprofile, a run of another tool that import knows, a table (CSV) with a row per run, or a folder
 * with recordings in it
 * @group: NULL: each table's rows by @ask->group, or by the file's name without its ending and its number (A-1.esr and
 * A-2.esr are two runs of A)
 *
 * Returns 0; -ENOENT: no such file, region or column (the nearest is named); -EBADMSG; -ENODATA: no run in it; -E2BIG;
 * -ENOMEM; errors of reading, all with words.
 */
int es_trials_read(struct es_trials *trials, const char *path, const char *group,
		   const struct es_trials_ask *ask, struct es_chain *chain, struct es_error *err);

/**
 * es_trials_region - the same runs, each with time and energy of its region @name
 * @from: was read with ask->has_regions; runs without the region are left out
 * @ret: es_trials_finish() it. Returns 0 or -ENOMEM.
 */
int es_trials_region(const struct es_trials *from, const char *name, struct es_trials *ret);

/**
 * es_trials_stem - a file's name without its ending and its number: A-1.esr and A-2.eprofile.json are of A
 * @ret: room for ES_NAME_MAX_BYTES. Returns 0 or -ENAMETOOLONG.
 */
int es_trials_stem(const char *path, char *ret);

/** struct es_trials_order - runs by group, each group's in their order: [first[g], first[g + 1]) of @runs; both owned */
struct es_trials_order {
	size_t *runs, *first;
};

/** es_trials_sort - 0 or -ENOMEM; es_trials_order_finish() @ret in any case */
int es_trials_sort(const struct es_trials *trials, struct es_trials_order *ret);
void es_trials_order_finish(struct es_trials_order *order);

/** es_trial_value - what @metric is of one run; false where that is not known, or may not be compared */
bool es_trial_value(const struct es_trial *trial, enum es_trial_metric metric, double *ret);

/**
 * es_trials_values - of a group's runs that did not fail
 * @ret_values: owned by caller, free(); NULL where *@ret_n is 0. Returns 0 or -ENOMEM.
 */
int es_trials_values(const struct es_trials *trials, size_t group, enum es_trial_metric metric,
		     double **ret_values, size_t *ret_n);

/** es_trial_metric_name - "energy", "time", "edp", "ed2p", "above"; es_trial_metric_find - by it: 0 or -ENOENT */
const char *es_trial_metric_name(enum es_trial_metric metric);
int es_trial_metric_find(const char *name, enum es_trial_metric *ret);
/** es_trial_metric_unit - "J", "s", "J s", "J s2" */
const char *es_trial_metric_unit(enum es_trial_metric metric);

/** es_trials_can_compare_energy - some runs of @group have joules that may be compared; else @ret_why says why not */
bool es_trials_can_compare_energy(const struct es_trials *trials, size_t group,
				  const char **ret_why);

void es_trials_finish(struct es_trials *trials);

#endif
