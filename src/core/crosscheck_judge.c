/*
 * core/crosscheck_judge.c - what the windows of two meters say about them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/crosscheck_judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define AGREE_LEAST 0.0005 /* of two counters; what one update at each end leaves is added */
#define AGREE_POWER 0.01 /* where one of them is a power that somebody averaged */
#define DRAM_RATIO (15300.0 / (1e9 / 65536.0)) /* powercap's 15300 nJ over perf's 2^-16 J: 1.0027 */
#define FACTOR_NEAR 0.02 /* of a power of two: the units of 61 and 15.3 uJ are 3.989 apart */
#define MIRROR_NEAR 0.002
#define LESS_ALLOWED 0.02 /* two meters are not read at the same instant */
#define SLOPE_KNOWN 0.1
#define STILL_RANGE \
	0.05 /* of its mean: a partner that moves by more proves that the other one stands */

__attribute__((format(printf, 3, 4))) static void say(struct es_cross_pair *pair,
						      enum es_cross_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pair->code = code;
	(void)vsnprintf(pair->text, sizeof(pair->text), fmt, args);
	va_end(args);
}

/* Lowest and highest power of its readings, over their mean. A counter that stands has none. */
static bool stands(const struct es_course *course)
{
	double first_w = -1;

	for (size_t i = 1; i < course->n; i++) {
		const struct es_course_knot *a = &course->knots[i - 1], *b = &course->knots[i];
		double power_w;

		if (b->is_after_gap || b->t_ns <= a->t_ns)
			continue;
		power_w = (b->energy_j - a->energy_j) / es_s_from_ns(b->t_ns - a->t_ns);
		if (first_w < 0)
			first_w = power_w;
		/* A constant power comes back to the µJ of each sample. */
		else if (fabs(power_w - first_w) > 1e-4 + 1e-6 * first_w)
			return false;
	}
	return true;
}

static bool moved(const struct es_pair_fit *fit)
{
	return fit->highest_x_w - fit->lowest_x_w > STILL_RANGE * fit->mean_x_w &&
	       fit->highest_x_w > 0;
}

/* A counter stands where it shows no power at all; a power where it shows one only. */
static bool is_still(const struct es_domain *domain, const struct es_course *course)
{
	if (!domain->is_power)
		return course->knots[course->n - 1].energy_j <= 0;
	return stands(course);
}

static bool judge_still(struct es_cross_pair *pair, const struct es_domain *domains,
			const struct es_course *courses)
{
	bool y_stands = is_still(&domains[pair->y], &courses[pair->y]), x_stands = true;

	for (size_t i = 0; i < pair->n_x; i++)
		x_stands = x_stands && is_still(&domains[pair->x[i]], &courses[pair->x[i]]);
	if (!y_stands && !x_stands)
		return false;
	if (y_stands && x_stands && pair->fit.mean_x_w <= 0 && pair->fit.mean_y_w <= 0)
		say(pair, ES_CROSS_STILL, "neither moved: nothing can be said");
	else if (y_stands && !x_stands && (moved(&pair->fit) || pair->fit.mean_y_w <= 0))
		say(pair, ES_CROSS_STALE,
		    "%.80s stood at %.1f W while the other went from %.1f to %.1f W: stale or dead",
		    domains[pair->y].id, pair->fit.mean_y_w, pair->fit.lowest_x_w,
		    pair->fit.highest_x_w);
	else if (x_stands && pair->n_x == 1 && pair->relation == ES_CROSS_SAME && !y_stands &&
		 (pair->fit.mean_x_w <= 0 ||
		  pair->fit.residual_w > STILL_RANGE * pair->fit.mean_y_w))
		say(pair, ES_CROSS_STALE,
		    "%.80s stood at %.1f W while the other moved: stale or dead",
		    domains[pair->x[0]].id, pair->fit.mean_x_w);
	else
		return false;
	return true;
}

/* " ; 5.0 s late", or nothing. */
static const char *lag_words(const struct es_cross_pair *pair, char text[static 64])
{
	text[0] = '\0';
	if (pair->lag.is_known && pair->lag.lag_ns != 0)
		(void)snprintf(text, 64, "; %.1f s %s", fabs(es_s_from_ns(pair->lag.lag_ns)),
			       pair->lag.lag_ns > 0 ? "late" : "early");
	return text;
}

static double power_of_two_near(double ratio)
{
	double factor = ratio > 0 ? exp2(round(log2(ratio))) : 0;

	if (factor > 0 && factor != 1 && fabs(ratio / factor - 1) < FACTOR_NEAR)
		return factor;
	return 0;
}

static void judge_same(struct es_cross_pair *pair, const struct es_domain *x,
		       const struct es_domain *y)
{
	const struct es_pair_fit *fit = &pair->fit;
	bool has_power = x->is_power || y->is_power;
	double allowed = fmax(has_power ? AGREE_POWER : AGREE_LEAST, fit->ratio_bound);
	double off = fit->ratio - 1, unit = fit->ratio > 1 ? fit->ratio : 1 / fit->ratio;
	double factor = power_of_two_near(fit->ratio);
	char late[64];

	lag_words(pair, late);
	if (fabs(off) > fit->ratio_bound &&
	    fabs(unit - DRAM_RATIO) < fmax(AGREE_LEAST, fit->ratio_bound) &&
	    x->type == ES_DOMAIN_DRAM && !has_power)
		say(pair, ES_CROSS_UNIT,
		    "%.2f %% %s: one counts in 15.3 µJ, the other in 2^-16 J (15.26 µJ)",
		    100 * fabs(off), off > 0 ? "more" : "less");
	else if (fabs(off) <= allowed && late[0])
		say(pair, ES_CROSS_LATE, "the same power%s", late);
	else if (fabs(off) <= allowed)
		say(pair, ES_CROSS_AGREE, "agree to %.2g %%",
		    100 * fmax(fabs(off), fit->ratio_bound));
	else if (factor > 0 && !has_power)
		say(pair, ES_CROSS_FACTOR, "factor %g: %s; at most one of the two is right",
		    fit->ratio > 1 ? factor : 1 / factor,
		    x->type == ES_DOMAIN_DRAM && (factor == 4 || factor == 0.25)
			    ? "one takes the unit of the processor (61 µJ), the other the fixed 15.3 µJ of server memory"
			    : "one of them takes a wrong energy unit");
	else
		say(pair, ES_CROSS_DIFFER, "%.70s reads %.1f %% %s than %.70s%s", y->id,
		    100 * fabs(off), off > 0 ? "more" : "less", x->id, late);
}

static void judge_dies(struct es_cross_pair *pair, const struct es_domain *y)
{
	const struct es_pair_fit *fit = &pair->fit;
	/* Two dies at the same work may have the same sum; not the same power in each window. */
	bool is_mirror =
		fabs(fit->ratio - 1) <= fmax(AGREE_LEAST, fit->ratio_bound) &&
		fit->residual_w <= MIRROR_NEAR * fit->mean_y_w + 0.001 &&
		(!fit->has_line || fabs(fit->slope - 1) <= fmax(MIRROR_NEAR, fit->slope_bound));

	if (is_mirror)
		say(pair, ES_CROSS_MIRROR,
		    "mirrors: both show the counter of the whole package, count it once%s",
		    y->state == ES_STATE_DUPLICATE ? " (it is)" : "");
	else
		say(pair, ES_CROSS_DISTINCT, "dies with counters of their own");
}

static void judge_parts(struct es_cross_pair *pair, const struct es_domain *y)
{
	const struct es_pair_fit *fit = &pair->fit;
	double short_w = fit->mean_x_w - fit->mean_y_w;
	char late[64];

	lag_words(pair, late);
	if (fit->ratio + fit->ratio_bound < 1 - LESS_ALLOWED) {
		say(pair, ES_CROSS_LESS,
		    "shows %.1f W (%.1f %%) less than its parts: it does not hold them%s", short_w,
		    100 * short_w / fit->mean_x_w, late);
		return;
	}
	if (!fit->has_line || fit->slope_bound > SLOPE_KNOWN * fabs(fit->slope)) {
		say(pair, ES_CROSS_HOLDS,
		    "holds its parts and %.1f W more; slope and offset are not separable: %s",
		    -short_w,
		    moved(fit) ? "in so short a time the two do not go together closely enough"
			       : "the parts' power hardly moved, put a load on");
		return;
	}
	if (fit->slope + fit->slope_bound < 1 - LESS_ALLOWED)
		say(pair, ES_CROSS_RISES_LESS,
		    "rises by %.2f W for each W of its parts: reads low, or averages over too long%s",
		    fit->slope, late);
	else if (late[0] && y->is_power)
		say(pair, ES_CROSS_LATE,
		    "holds its parts: %.3f W for each W of theirs, and %.1f W%s", fit->slope,
		    fit->offset_w, late);
	else
		say(pair, ES_CROSS_HOLDS,
		    "holds its parts: %.3f W for each W of theirs, and %.1f W", fit->slope,
		    fit->offset_w);
}

void es_cross_judge(struct es_cross_pair *pair, const struct es_domain *domains,
		    const struct es_course *courses)
{
	if (!pair->has_fit) {
		say(pair, ES_CROSS_TOO_SHORT,
		    "too few readings in common: take a longer time (windows of %.1f s)",
		    es_s_from_ns(pair->window_ns));
		return;
	}
	if (judge_still(pair, domains, courses))
		return;
	if (pair->relation == ES_CROSS_SAME)
		judge_same(pair, &domains[pair->x[0]], &domains[pair->y]);
	else if (pair->relation == ES_CROSS_DIES)
		judge_dies(pair, &domains[pair->y]);
	else
		judge_parts(pair, &domains[pair->y]);
}
