/*
 * judge.c - whether repeated runs of two kinds differ, by how much, and how many runs would tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/judge.h"

#include <errno.h>
#include <math.h>

#define MARGIN 0.01
#define POWER_80 15.7 /* 2 (1.96 + 0.84)^2: normal quantiles of 97.5 % and 80 % */

/* One set of runs. */
struct runs {
	size_t n;
	double mean;
	double error2; /* square of the standard error of the mean */
};

static struct runs runs_of(const struct es_interval *interval)
{
	return (struct runs){ .n = interval->n,
			      .mean = interval->mean,
			      .error2 = interval->sd * interval->sd / (double)interval->n };
}

/* Welch's and Satterthwaite's degrees of freedom of mean B - @ratio mean A. */
static double degrees(const struct runs *a, const struct runs *b, double ratio)
{
	double of_a = ratio * ratio * a->error2, of_b = b->error2, share;

	if (!(of_a + of_b > 0))
		return (double)(a->n + b->n - 2);
	share = of_a / (of_a + of_b); /* by shares: no square of a square, which could overflow */
	return 1 / (share * share / (double)(a->n - 1) +
		    (1 - share) * (1 - share) / (double)(b->n - 1));
}

/*
 * An end of the set of ratios that a test at Student's @t does not reject: (mean B - ratio mean A)^2 <= t^2 (error2 B + ratio^2 error2 A).
 * Where A's mean is not told from 0 the set has no end on one side, or on both; of two such parts it is the one that holds the estimate.
 */
static double fieller_end(const struct runs *a, const struct runs *b, double t, bool is_high)
{
	/* Of A's mean = 1: the estimate, and the squares of relative errors by t^2. */
	double estimate = b->mean / a->mean;
	double of_a = t * t * a->error2 / (a->mean * a->mean);
	double of_b = t * t * b->error2 / (a->mean * a->mean);
	double root = sqrt(fmax(of_b * (1 - of_a) + estimate * estimate * of_a, 0));
	double plus = (estimate + root) / (1 - of_a), minus = (estimate - root) / (1 - of_a);

	if (of_a < 1)
		return is_high ? plus : minus;
	/* What lies between the roots is rejected; none are told by a root of 0. */
	if (is_high && root > 0 && estimate <= plus)
		return plus;
	if (!is_high && root > 0 && estimate >= minus)
		return minus;
	return is_high ? INFINITY : -INFINITY;
}

/* Degrees of freedom are those at the end itself, so that the interval ends where Welch's test of that ratio begins to reject. */
static double fieller(const struct runs *a, const struct runs *b, double level, bool is_high)
{
	double end = b->mean / a->mean;

	for (int i = 0; i < 100; i++) {
		double t = es_t_quantile(level, degrees(a, b, end));
		double next = fieller_end(a, b, t, is_high);

		if (!isfinite(next) || fabs(next - end) <= 1e-13 * fabs(next))
			return next;
		end = next;
	}
	return end;
}

static void welch(const struct runs *a, const struct runs *b, struct es_judgement *judgement)
{
	double error = sqrt(a->error2 + b->error2), off = fabs(b->mean - a->mean);

	judgement->has_test = true;
	judgement->df = degrees(a, b, 1);
	if (error > 0)
		judgement->p = 2 * es_t_cdf(-off / error, judgement->df);
	else
		judgement->p = off > 0 ? 0 : 1;
}

static enum es_verdict verdict_of(double low, double high, double margin)
{
	if (low >= -margin && high <= margin)
		return ES_VERDICT_SAME;
	if (high < 0)
		return ES_VERDICT_LOWER;
	return low > 0 ? ES_VERDICT_HIGHER : ES_VERDICT_UNDECIDED;
}

size_t es_judge_runs(double cv, double change)
{
	double ratio = cv / change, runs = ceil(POWER_80 * ratio * ratio);

	if (!(runs < 1e15)) /* also where the change is 0 */
		return cv > 0 ? SIZE_MAX : 3;
	runs += runs < 10 ? 2 : 0;
	return runs > 3 ? (size_t)runs : 3;
}

/* What needs the spread of both sets and a mean of A above 0. */
static void judge_change(const struct runs *a, const struct runs *b,
			 const struct es_judge_wish *wish, struct es_judgement *judgement)
{
	double margin = wish->margin > 0 ? wish->margin : MARGIN;
	double cv = sqrt((a->error2 * (double)a->n + b->error2 * (double)b->n) / 2) / a->mean;

	judgement->has_interval = true;
	judgement->method = ES_INTERVAL_FIELLER;
	judgement->change_low = fieller(a, b, 0.975, false) - 1;
	judgement->change_high = fieller(a, b, 0.975, true) - 1;
	judgement->limit_high = fieller(a, b, 0.95, true) - 1;
	judgement->verdict = verdict_of(judgement->change_low, judgement->change_high, margin);
	if (wish->has_limit && judgement->limit_high < wish->limit)
		judgement->limit = ES_LIMIT_SHOWN;
	else if (wish->has_limit && fieller(a, b, 0.95, false) - 1 > wish->limit)
		judgement->limit = ES_LIMIT_BROKEN;
	judgement->runs_needed = es_judge_runs(cv, fmax(fabs(judgement->change), margin));
}

int es_judge(const double *a, size_t n_a, const double *b, size_t n_b,
	     const struct es_judge_wish *wish, struct es_judgement *ret)
{
	struct es_judgement judgement = {
		.verdict = ES_VERDICT_UNDECIDED,
		.limit = wish->has_limit ? ES_LIMIT_OPEN : ES_LIMIT_NOT_ASKED,
	};
	struct runs of_a, of_b;
	int r;

	if (n_a == 0 || n_b == 0)
		return -ENODATA;
	r = es_interval_of(a, n_a, wish->seed, &judgement.a);
	r = r < 0 ? r : es_interval_of(b, n_b, wish->seed, &judgement.b);
	if (r < 0)
		return r;
	of_a = runs_of(&judgement.a);
	of_b = runs_of(&judgement.b);
	judgement.has_change = of_a.mean > 0 && isfinite(of_b.mean / of_a.mean);
	if (judgement.has_change)
		judgement.change = of_b.mean / of_a.mean - 1;
	if (n_a > 1 && n_b > 1) {
		welch(&of_a, &of_b, &judgement);
		if (judgement.has_change)
			judge_change(&of_a, &of_b, wish, &judgement);
	}
	*ret = judgement;
	return 0;
}
