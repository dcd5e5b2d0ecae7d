/*
 * judge.h - whether repeated runs of two kinds differ, by how much, and how many runs would tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * All of it is about the change: what B needs over what A needs, less 1.
 */
#ifndef ES_CORE_JUDGE_H
#define ES_CORE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stats.h"

/** enum es_verdict - of B against A; the words for it depend on what was measured (faster, less …) */
enum es_verdict {
	ES_VERDICT_UNDECIDED, /* the interval holds 0, and more than what counts as the same */
	ES_VERDICT_LOWER, /* the interval lies below 0 */
	ES_VERDICT_HIGHER,
	ES_VERDICT_SAME, /* the whole interval lies within the margin, whether it holds 0 or not */
};

/** struct es_judge_wish - what is asked; zeros: the margin of 1 %, no limit */
struct es_judge_wish {
	double margin; /* a change smaller than this does not matter; 0: 0.01 */
	bool has_limit;
	double limit; /* B may be higher by this fraction: the non-inferiority test */
	uint64_t seed; /* of the resampling for intervals of means; the same answer for the same seed */
};

/** enum es_judge_limit - the one-sided test, at 5 %, of "B is higher by no more than the limit" */
enum es_judge_limit {
	ES_LIMIT_NOT_ASKED,
	ES_LIMIT_SHOWN, /* the one-sided 95 % bound of the change lies below the limit */
	ES_LIMIT_BROKEN, /* the whole one-sided interval lies above it */
	ES_LIMIT_OPEN, /* neither */
};

/** struct es_judgement - B against A */
struct es_judgement {
	struct es_interval a, b; /* of the two means */
	bool has_change; /* both means are known, and that of A is above 0 */
	double change; /* mean B / mean A - 1 */
	bool has_interval; /* has_change, and two runs of each at least */
	double change_low,
		change_high; /* 95 %; an end may be infinite where the mean of A is hardly known */
	enum es_interval_method method; /* of the change: Fieller's by Welch's degrees of freedom */
	bool has_test; /* two runs of each at least, whatever the means */
	double p; /* two-sided, Welch; 1 or 0 where no run differs from the others of its set */
	double df; /* Welch's and Satterthwaite's degrees of freedom */
	enum es_verdict verdict;
	enum es_judge_limit limit;
	double limit_high; /* one-sided 95 % upper bound of the change, maybe infinite; where has_interval */
	/* Runs of each that tell a change of max(|change|, margin) with 80 % power at 5 %: 15.7 (CV / change)^2, 2 more below 10.
	 * 0: not known (one run tells no spread). */
	size_t runs_needed;
};

/**
 * es_judge - B against A, each a set of finite values
 * Means have Student's interval below ES_STATS_BOOTSTRAP_MIN values, BCa's from there on; the change has Fieller's, which
 * holds 0 exactly where Welch's p is 0.05 or more. Resampled ratios (BCa) were tried from ten runs on: where the same few runs in a
 * hundred of A and B stray they raise false alarms in 10 to 17 %, Fieller's in 2 to 4 % (doc/statistics.md).
 * A mean of A at or below 0 (energy above a baseline can be) has no change to tell: has_change false, UNDECIDED, p is known.
 * Returns 0; -ENODATA: a set is empty; -ERANGE: a value is not a number of a size up to ES_STATS_LARGEST; -ENOMEM.
 * Source: B. Welch (1947), Biometrika 34; E. Fieller (1954), J. R. Stat. Soc. B 16.
 */
int es_judge(const double *a, size_t n_a, const double *b, size_t n_b,
	     const struct es_judge_wish *wish, struct es_judgement *ret);

/**
 * es_judge_runs - runs of each kind to see a relative @change at a coefficient of variation @cv, with 80 % power at 5 %
 * 15.7 (cv / change)^2, 2 more below 10 (there Student's t is wider), 3 at least; SIZE_MAX where no number of runs would do.
 */
size_t es_judge_runs(double cv, double change);

#endif
