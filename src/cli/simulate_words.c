/*
 * simulate_words.c - words and ticks of pictures of a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/simulate_picture.h"

#define DAY_S 86400
#define FIRST_MONDAY_S (4 * DAY_S) /* 1970-01-05 */

double es_simulate_view_step(double most, unsigned n, bool is_whole)
{
	double rough = most / (n ? n : 1), power;

	if (!(rough > 0))
		return 1;
	power = pow(10, floor(log10(rough)));
	rough = rough <= power	     ? power
		: rough <= 2 * power ? 2 * power
		: rough <= 5 * power ? 5 * power
				     : 10 * power;
	return is_whole && rough < 1 ? 1 : rough;
}

static int64_t step_s(const struct es_simulate_view *view, size_t n, struct es_time_axis *ret)
{
	es_time_axis_choose((view->to_s - view->from_s) * ES_NS_PER_S, (unsigned)n, ret);
	return ret->step_ns > ES_NS_PER_S ? ret->step_ns / ES_NS_PER_S : 1;
}

/* Where there are dates: midnights are days, what is between them hours. */
static void say_date(int64_t unix_s, int64_t step, struct es_view_tick *tick)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	tick->is_day = unix_s % DAY_S == 0;
	if (!gmtime_r(&t, &tm) || strftime(tick->text, sizeof(tick->text),
					   tick->is_day	    ? "%a %d %b"
					   : step % 60 == 0 ? "%H:%M"
							    : "%H:%M:%S",
					   &tm) == 0)
		tick->text[0] = '\0';
}

size_t es_simulate_view_ticks(const struct es_simulate_view *view, size_t n,
			      struct es_view_tick *ret)
{
	int64_t unix_s = view->sim->unix_start_s,
		shift_s = unix_s >= 0 ? unix_s - FIRST_MONDAY_S : 0;
	struct es_time_axis axis;
	int64_t step = step_s(view, n, &axis), at_s;
	size_t count = 0;

	at_s = view->from_s + shift_s;
	at_s = (at_s / step + (at_s % step > 0)) * step - shift_s;
	for (; at_s <= view->to_s && count < n + 1; at_s += step) {
		struct es_view_tick *tick = &ret[count++];

		*tick = (struct es_view_tick){ .t_s = at_s };
		if (unix_s >= 0)
			say_date(unix_s + at_s, step, tick);
		else
			(void)es_time_axis_text(&axis, at_s * ES_NS_PER_S, tick->text);
	}
	return count;
}

void es_simulate_view_title(const struct es_simulate_view *view, char *text, size_t size)
{
	const struct es_simulate *sim = view->sim;
	const char *slash = strrchr(sim->asked.path, '/');

	(void)snprintf(text, size, "%.80s under %s, %" PRIu32 " processors",
		       slash ? slash + 1 : sim->asked.path, es_simulate_policy_name(sim->policy),
		       view->procs);
	es_text_make_safe(text, false);
}

static void add(char *text, size_t size, const char *what, double value, int digits,
		const char *unit)
{
	size_t n = strlen(text);

	if (n < size)
		(void)snprintf(text + n, size - n, "%s%s%.*f %s", n ? " · " : "", what,
			       value >= 1000 ? 0 : digits, value, unit);
}

static void date(int64_t unix_s, char *text, size_t size)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, size, "%Y-%m-%d %H:%M", &tm) == 0)
		text[0] = '\0';
}

void es_simulate_view_unit(const struct es_simulate_view *view, size_t n, char *text, size_t size)
{
	struct es_time_axis axis;
	char from[32];

	(void)step_s(view, n, &axis);
	date(view->sim->unix_start_s + view->from_s, from, sizeof(from));
	if (view->sim->unix_start_s >= 0)
		(void)snprintf(text, size, "UTC, from %s on", from);
	else
		(void)snprintf(text, size, "%s since the trace begins", axis.unit);
}

void es_simulate_view_say(const struct es_simulate_view *view, char *text, size_t size)
{
	const struct es_simulate *sim = view->sim;
	const struct es_sim_totals *totals = &sim->totals;
	char from[32], to[32];
	size_t n;

	text[0] = '\0';
	add(text, size, "", (double)totals->n_jobs, 0, "jobs");
	add(text, size, "mean wait ", totals->wait_s / (double)totals->n_jobs, 1, "s");
	add(text, size, "utilisation ", 100 * es_simulate_utilisation(sim), 1, "%");
	if (sim->power.is_known)
		add(text, size, "", es_simulate_energy_j(sim) / ES_J_PER_KWH, 1, "kWh");
	if (sim->has_grams)
		add(text, size, "", es_simulate_grams(sim) / 1e3, 2, "kg CO2e");
	if (sim->has_cost)
		add(text, size, "", es_simulate_cost(sim), 2, sim->price.currency);
	n = strlen(text);
	if (n >= size ||
	    (view->from_s <= totals->first_submit_s && view->to_s >= totals->last_end_s))
		return;
	if (sim->unix_start_s >= 0) {
		date(sim->unix_start_s + view->from_s, from, sizeof(from));
		date(sim->unix_start_s + view->to_s, to, sizeof(to));
		(void)snprintf(text + n, size - n, " · shown: %zu jobs, %s to %s", view->n_jobs,
			       from, to);
	} else {
		(void)snprintf(text + n, size - n,
			       " · shown: %zu jobs, second %" PRId64 " to %" PRId64, view->n_jobs,
			       view->from_s, view->to_s);
	}
}
