/*
 * compare.h - groups of runs held against the first of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_COMPARE_H
#define ES_CLI_COMPARE_H

#include "base/buf.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/drawing.h"
#include "cli/quality.h"
#include "cli/trials.h"
#include "core/judge.h"

#define ES_COMPARE "compare"
#define ES_COMPARE_SCHEMA "energyscopium.compare/1"
#define ES_COMPARE_REMARK_BYTES 512U
#define ES_COMPARE_MARGIN 0.01 /* where nobody says another */
#define ES_COMPARE_RUNS_MAX 1000000U /* needed; more is not told */

/** enum es_compare_fate - what became of a run */
enum es_compare_fate {
	ES_FATE_COUNTS,
	ES_FATE_FAILED, /* the command's status was not 0, or it has no end */
	ES_FATE_UNFIT, /* it misses the quality, or that is not known */
	ES_FATE_FAR_OFF, /* and dropped */
	ES_FATES,
};

/** struct es_compare_remark - what a reader must know beside the numbers */
struct es_compare_remark {
	const char *code;
	char text[ES_COMPARE_REMARK_BYTES];
};

/** struct es_compare_group - what the runs of one group have in common */
struct es_compare_group {
	const char *name; /* borrowed */
	size_t fates[ES_FATES];
	bool is_left_out; /* it takes part in nothing */
	const char *why_left_out;
	const char *why_no_energy; /* NULL: its joules may be compared */
	struct es_interval of[ES_TRIAL_N_METRICS]; /* n 0: not known */
	bool has_gco2;
	struct es_interval gco2;
	double bound_share; /* mean of how unsure the meter is of each run's joules; 0: not told */
	bool is_in_plane; /* time and energy are known */
	bool is_front, is_surely; /* else it is dominated, surely where the intervals lie apart */
	size_t by; /* by this group */
};

/** struct es_compare_pair - a group against the first */
struct es_compare_pair {
	size_t group;
	bool has[ES_TRIAL_N_METRICS];
	struct es_judgement of[ES_TRIAL_N_METRICS];
	double p_holm; /* of the metric that decides, among all pairs; where it has an interval */
};

/** struct es_compare_result - of whole runs, or of one region; es_compare_result_finish() it */
struct es_compare_result {
	char region[ES_NAME_MAX_BYTES]; /* "": whole runs */
	enum es_trial_metric metric;
	struct es_compare_group *groups; /* [n_groups] owned */
	size_t n_groups;
	size_t reference;
	struct es_compare_pair *pairs; /* [n_pairs] owned */
	size_t n_pairs;
	size_t *front; /* [n_front] owned; groups by time */
	size_t n_front;
	struct es_compare_remark *remarks; /* [n_remarks] owned */
	size_t n_remarks;
};

/** struct es_compare - the command */
struct es_compare {
	struct es_trials_ask ask;
	struct es_chain chain;
	const char *metric_name, *not_slower, *margin, *outliers, *seed, *reference;
	struct es_quality quality;
	struct es_drawing drawing;
	bool has_metric, drops_outliers, wants_regions, is_term, is_json, is_csv;
	enum es_trial_metric metric;
	struct es_judge_wish wish;
	struct es_trials trials;
	enum es_compare_fate *fates; /* [trials.n] owned */
	bool *is_far_off; /* [trials.n] owned; also where they are kept */
	struct es_compare_result whole;
	struct es_compare_result *regions; /* [n_regions] owned */
	size_t n_regions;
};

/** struct es_compare_words - the command line, cut at --vs */
struct es_compare_words {
	char **argv; /* owned */
	int argc;
	char mark[8]; /* stands where --vs stood: by its address */
	const char *quality[2]; /* borrowed; NULL: not given */
	size_t n_quality; /* how often */
};

/** es_compare_cut - takes --vs and --quality out; 0 or -ENOMEM; free(@ret->argv) */
int es_compare_cut(int argc, char **argv, struct es_compare_words *ret);
/** es_compare_read - all files into groups; 0 or negative errno with words */
int es_compare_read(struct es_compare *compare, const struct es_compare_words *words, int first,
		    struct es_error *err);
/** es_compare_settle - which runs count: failures, quality, outliers; 0 or negative errno with words */
int es_compare_settle(struct es_compare *compare, struct es_error *err);

/**
 * es_compare_judge - intervals, changes, front and remarks
 * @trials: those of @compare, or of one region; runs that do not count are marked as failed
 * @fates: how many of each fate a group has; NULL: not told
 */
int es_compare_judge(const struct es_compare *compare, const struct es_trials *trials,
		     const enum es_compare_fate *fates, struct es_compare_result *ret,
		     struct es_error *err);
void es_compare_result_finish(struct es_compare_result *result);
/** es_compare_remark - one more; 0 or -ENOMEM */
int es_compare_remark(struct es_compare_result *result, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** es_compare_remarks - what the runs themselves give reason to say; 0 or -ENOMEM */
int es_compare_remarks(const struct es_compare *compare, const struct es_trials *trials,
		       struct es_compare_result *result);
/** es_compare_same_cover - all runs that count have joules of the same parts */
bool es_compare_same_cover(const struct es_trials *trials);
/** es_compare_is_one_machine - the same program on the same node in both groups, as far as is known */
bool es_compare_is_one_machine(const struct es_trials *trials, size_t a, size_t b);

/** es_compare_word - faster, slower, less, more, same, undecided */
const char *es_compare_word(enum es_trial_metric metric, enum es_verdict verdict);
const char *es_compare_limit_word(enum es_judge_limit limit);
/** es_compare_label - of a metric in a table: "energy", "above idle" … */
const char *es_compare_label(enum es_trial_metric metric);

void es_compare_text(const struct es_compare *compare, struct es_buf *out);
void es_compare_json(const struct es_compare *compare, struct es_buf *out);
/** es_compare_members - groups, verdict, comparisons, front and remarks of the whole into an open object */
void es_compare_members(const struct es_compare *compare, struct es_json *json);
void es_compare_csv(const struct es_compare *compare, struct es_buf *out);
/** es_compare_draw - the files that are asked for; 0 or negative errno with words */
int es_compare_draw(const struct es_compare *compare, struct es_error *err);
/** es_compare_term - the same in letters; 0 or negative errno */
int es_compare_term(const struct es_compare *compare, struct es_buf *out);

#endif
