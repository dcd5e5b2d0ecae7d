/*
 * format/calibrate_fit.c - a calibration from a node's meter beside its parts, or why there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/calibrate_fit.h"

#include <errno.h>
#include <math.h>

#include "base/parse.h"

#define NS_PER_S 1000000000LL
#define WINDOW_LEAST_NS (5 * NS_PER_S)
#define WINDOW_READINGS 5
#define LAG_MOST_NS (60 * NS_PER_S)
#define WINDOWS_LEAST 10U
#define EFFECTIVE_LEAST 5.0
#define RANGE_LEAST 0.1 /* of the parts' mean power */
#define R2_LEAST 0.5
#define SLOPE_MOST 3.0 /* no supply, fans and converters take twice what they feed */
#define SLOPE_KNOWN 0.25
#define LESS_ALLOWED 0.02

static int64_t slowest_step_ns(const struct es_pair_source *sources, size_t n)
{
	int64_t slowest_ns = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k <= sources[i].n_x; k++) {
			const struct es_course *course = k < sources[i].n_x ? sources[i].x[k]
									    : sources[i].y;
			int64_t step_ns = es_course_step_ns(course);

			slowest_ns = step_ns > slowest_ns ? step_ns : slowest_ns;
		}
	return slowest_ns;
}

/* A quarter of the longest recording: with less left in common any two meters go together. */
static int64_t most_lag_ns(const struct es_pair_source *sources, size_t n)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t t0_ns, span_ns = es_pairs_span_ns(&sources[i], &t0_ns);

		longest_ns = span_ns > longest_ns ? span_ns : longest_ns;
	}
	return longest_ns / 4 < LAG_MOST_NS ? longest_ns / 4 : LAG_MOST_NS;
}

static int gather(const struct es_pair_source *sources, size_t n, int64_t window_ns, int64_t lag_ns,
		  struct es_pairs *ret)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = es_pairs_gather(ret, &sources[i], window_ns, lag_ns, (uint32_t)i);
	return r;
}

/* Why this is no calibration; 0 where it is one. */
static int refuse(const struct es_pair_fit *fit, struct es_error *err)
{
	double range_w = fit->highest_x_w - fit->lowest_x_w;
	double lowest_y_w = fit->offset_w + fit->slope * fit->lowest_x_w;

	if (fit->n < WINDOWS_LEAST || fit->n_effective < EFFECTIVE_LEAST)
		return es_error_say(
			err, -EDOM,
			"too few points: %zu windows, worth %.1f independent ones; record for longer, or give a shorter --window",
			fit->n, fit->n_effective);
	if (range_w < RANGE_LEAST * fit->mean_x_w)
		return es_error_say(
			err, -EDOM,
			"too narrow a range: the parts drew from %.1f to %.1f W only; record idle time and full load",
			fit->lowest_x_w, fit->highest_x_w);
	if (fit->slope - fit->slope_bound <= 0)
		return es_error_say(
			err, -EDOM,
			"the slope is %.3f ± %.3f: the meter does not rise with the parts; is it of this node?",
			fit->slope, fit->slope_bound);
	if (fit->r2 < R2_LEAST)
		return es_error_say(
			err, -EDOM,
			"meter and parts do not go together (R2 %.2f): are their clocks right, and is it the meter of this node?",
			fit->r2);
	if (fit->slope_bound > SLOPE_KNOWN * fit->slope)
		return es_error_say(
			err, -EDOM,
			"the slope is not known well enough: %.3f ± %.3f; record for longer, with idle time and full load",
			fit->slope, fit->slope_bound);
	if (fit->slope > SLOPE_MOST)
		return es_error_say(
			err, -EDOM,
			"a slope of %.2f cannot be: something that is not among the parts follows them (unmeasured GPUs?)",
			fit->slope);
	if (lowest_y_w < fit->lowest_x_w * (1 - LESS_ALLOWED))
		return es_error_say(
			err, -EDOM,
			"the meter shows less than the parts (%.1f W where they draw %.1f W): it is not of the whole node",
			lowest_y_w, fit->lowest_x_w);
	return 0;
}

/* The mean power of each recording, by a line through all others. */
static int leave_out(const struct es_pair_source *sources, size_t n, int64_t window_ns,
		     int64_t lag_ns, struct es_calibration *ret)
{
	double squares = 0;
	size_t n_tried = 0;

	for (size_t out = 0; out < n; out++) {
		struct es_pairs others = { .n = 0 }, own = { .n = 0 };
		struct es_pair_fit line, at;
		int r = es_pairs_gather(&own, &sources[out], window_ns, lag_ns, 0);

		for (size_t i = 0; i < n && r == 0; i++)
			if (i != out)
				r = es_pairs_gather(&others, &sources[i], window_ns, lag_ns,
						    (uint32_t)i);
		if (r == 0 && es_pairs_fit(&others, INFINITY, &line) == 0 &&
		    es_pairs_fit(&own, INFINITY, &at) == 0 && line.has_line) {
			squares += pow(line.offset_w + line.slope * at.mean_x_w - at.mean_y_w, 2);
			n_tried++;
		}
		es_pairs_finish(&others);
		es_pairs_finish(&own);
		if (r < 0)
			return r;
	}
	ret->has_left_out = n_tried > 1;
	ret->left_out_w = ret->has_left_out ? sqrt(squares / (double)n_tried) : 0;
	return 0;
}

static void keep(const struct es_pair_fit *fit, const struct es_lag *lag, int64_t window_ns,
		 double limit_w, struct es_calibration *ret)
{
	ret->slope = fit->slope;
	ret->slope_bound = fit->slope_bound;
	ret->offset_w = fit->offset_w;
	ret->offset_bound_w = fit->offset_bound_w;
	ret->mean_w = fit->mean_x_w;
	ret->mean_bound_w = fit->mean_bound_w;
	ret->residual_w = fit->residual_w;
	ret->r2 = fit->r2;
	ret->lowest_w = fit->lowest_x_w;
	ret->highest_w = fit->highest_x_w;
	ret->has_load = limit_w > 0;
	ret->lowest_load = limit_w > 0 ? fit->lowest_x_w / limit_w : 0;
	ret->highest_load = limit_w > 0 ? fit->highest_x_w / limit_w : 0;
	ret->n_windows = fit->n;
	ret->n_effective = fit->n_effective;
	ret->window_s = es_s_from_ns(window_ns);
	ret->has_lag = lag->is_known;
	ret->lag_s = es_s_from_ns(lag->lag_ns);
	ret->lag_bound_s = es_s_from_ns(lag->bound_ns);
}

/*
 * Edges of windows that are a moment apart, and meters that blur a step, flatten the line; less so in longer windows.
 * What windows twice as long say otherwise is in the bounds.
 */
static int widen(const struct es_pair_source *sources, size_t n, int64_t window_ns, int64_t lag_ns,
		 struct es_pair_fit *fit)
{
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit longer;
	int r = gather(sources, n, 2 * window_ns, lag_ns, &pairs);

	if (r == 0 && es_pairs_fit(&pairs, INFINITY, &longer) == 0 && longer.has_line) {
		double off = fabs(longer.slope - fit->slope);

		fit->slope_bound += off;
		fit->offset_bound_w += off * fit->mean_x_w;
	}
	es_pairs_finish(&pairs);
	return r;
}

int es_calibrate_fit(const struct es_pair_source *sources, size_t n,
		     const struct es_calibrate_options *options, struct es_calibration *ret,
		     struct es_error *err)
{
	int64_t step_ns = slowest_step_ns(sources, n), window_ns = options->window_ns,
		lag_window_ns;
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit fit = { .n = 0 };
	struct es_lag lag;
	int r;

	if (window_ns <= 0)
		window_ns = WINDOW_READINGS * step_ns > WINDOW_LEAST_NS ? WINDOW_READINGS * step_ns
									: WINDOW_LEAST_NS;
	lag_window_ns = 2 * step_ns < NS_PER_S ? NS_PER_S : 2 * step_ns;
	r = es_pairs_find_lag(sources, n, lag_window_ns, most_lag_ns(sources, n), &lag);
	if (r == 0)
		r = gather(sources, n, window_ns, lag.lag_ns, &pairs);
	if (r == 0 && es_pairs_fit(&pairs, INFINITY, &fit) < 0)
		fit.n = pairs.n;
	es_pairs_finish(&pairs);
	if (r < 0)
		return es_error_set(err, r, "cannot compare meter and parts");
	r = refuse(&fit, err);
	if (r < 0)
		return r;
	r = widen(sources, n, window_ns, lag.lag_ns, &fit);
	if (r < 0)
		return es_error_set(err, r, "cannot compare meter and parts");
	keep(&fit, &lag, window_ns, options->limit_w, ret);
	r = leave_out(sources, n, window_ns, lag.lag_ns, ret);
	return r < 0 ? es_error_set(err, r, "cannot compare meter and parts") : 0;
}
