/*
 * core/intensity.c - carbon intensity over time: slots in order, and a job's energy laid over them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/intensity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "core/stats.h"

#define CAP_FIRST 16
#define UJ_PER_KWH 3.6e12
#define DAY_NS (86400 * INT64_C(1000000000))
#define LONGEST_NS (366 * DAY_NS) /* no open slot lasts longer */
#define COVERAGE_MIN 0.5 /* with less known the unknown would be most of the figure */

const char *es_factor_kind_name(enum es_factor_kind kind)
{
	static const char *const names[ES_N_FACTOR_KINDS] = {
		[ES_FACTOR_AVERAGE] = "average",
		[ES_FACTOR_MARGINAL] = "marginal",
		[ES_FACTOR_MARKET] = "market",
	};

	return names[kind];
}

const char *es_factor_scope_name(enum es_factor_scope scope)
{
	static const char *const names[ES_N_FACTOR_SCOPES] = {
		[ES_FACTOR_LIFECYCLE] = "lifecycle",
		[ES_FACTOR_DIRECT] = "direct",
	};

	return names[scope];
}

const char *es_slot_basis_name(enum es_slot_basis basis)
{
	static const char *const names[ES_N_SLOT_BASES] = {
		[ES_SLOT_ACTUAL] = "actual",
		[ES_SLOT_ESTIMATED] = "estimated",
		[ES_SLOT_FORECAST] = "forecast",
	};

	return names[basis];
}

int es_intensity_add(struct es_intensity *intensity, const struct es_slot *slot)
{
	struct es_slot *larger;
	size_t cap = intensity->cap ? 2 * intensity->cap : CAP_FIRST;

	if (!(slot->g_per_kwh >= 0 && slot->g_per_kwh <= ES_G_PER_KWH_MAX) ||
	    slot->start_ns > ES_TIME_MAX_NS || slot->start_ns < -ES_TIME_MAX_NS ||
	    slot->stop_ns > ES_TIME_MAX_NS ||
	    (slot->stop_ns != ES_SLOT_OPEN && slot->stop_ns <= slot->start_ns))
		return -EINVAL;
	if (intensity->n == intensity->cap) {
		larger = reallocarray(intensity->slots, cap, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		intensity->slots = larger;
		intensity->cap = cap;
	}
	intensity->slots[intensity->n++] = *slot;
	return 0;
}

void es_intensity_finish(struct es_intensity *intensity)
{
	free(intensity->slots);
	*intensity = (struct es_intensity){ .n = 0 };
}

/* By basis, then time; an open slot (its stop the lowest of all) comes before one of the same start that has a stop. */
static int by_basis_and_time(const void *a, const void *b)
{
	const struct es_slot *x = a, *y = b;

	if (x->basis != y->basis)
		return x->basis < y->basis ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->stop_ns != y->stop_ns)
		return x->stop_ns < y->stop_ns ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static int clash(int code, const struct es_slot *a, const struct es_slot *b,
		 struct es_slot ret[static 2])
{
	ret[0] = *a;
	ret[1] = *b;
	return code;
}

/* The same figure for the same time once. */
static int drop_repeated(struct es_intensity *intensity, struct es_slot ret_clash[static 2])
{
	struct es_slot *slots = intensity->slots;
	size_t n = 0;

	for (size_t i = 0; i < intensity->n; i++) {
		if (n == 0 || slots[i].basis != slots[n - 1].basis ||
		    slots[i].start_ns != slots[n - 1].start_ns) {
			slots[n++] = slots[i];
			continue;
		}
		if (slots[i].stop_ns != slots[n - 1].stop_ns ||
		    slots[i].g_per_kwh != slots[n - 1].g_per_kwh)
			return clash(-EEXIST, &slots[n - 1], &slots[i], ret_clash);
		intensity->n_repeated++;
	}
	intensity->n = n;
	return 0;
}

/* Actual and estimated figures share one grid of times, forecasts have their own. */
static bool is_forecast(const struct es_slot *slot)
{
	return slot->basis == ES_SLOT_FORECAST;
}

static int by_grid_and_time(const void *a, const void *b)
{
	const struct es_slot *x = a, *y = b;

	if (is_forecast(x) != is_forecast(y))
		return is_forecast(x) ? 1 : -1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return (int)x->basis - (int)y->basis;
}

/* From slot @i to the next start on the same grid; 0: there is none. *ret_next: number of that slot. */
static int64_t step_ns(const struct es_intensity *intensity, size_t i, size_t *ret_next)
{
	const struct es_slot *slots = intensity->slots;
	size_t next = i + 1;

	while (next < intensity->n && slots[next].start_ns == slots[i].start_ns &&
	       is_forecast(&slots[next]) == is_forecast(&slots[i]))
		next++;
	*ret_next = next;
	if (next >= intensity->n || is_forecast(&slots[next]) != is_forecast(&slots[i]))
		return 0;
	return slots[next].start_ns - slots[i].start_ns;
}

static int64_t shorter(int64_t a, int64_t b)
{
	return b && (!a || b < a) ? b : a;
}

/* How long an open slot lasts; 0: nothing tells. @before_ns: how long the one before it lasts, 0: it is the first. */
static int64_t length_ns(const struct es_intensity *intensity, size_t i, int64_t before_ns)
{
	size_t next;
	int64_t next_ns = step_ns(intensity, i, &next),
		after_ns = next_ns ? step_ns(intensity, next, &next) : 0,
		least_ns = shorter(shorter(next_ns, before_ns), after_ns);

	if (!next_ns)
		least_ns = before_ns ? before_ns : intensity->alone_ns;
	else if (next_ns == before_ns || next_ns == after_ns ||
		 (double)next_ns <= 1.15 * (double)least_ns) /* a month, a day of 25 hours */
		least_ns = next_ns;
	if (intensity->longest_ns && least_ns > intensity->longest_ns)
		least_ns = intensity->longest_ns;
	return least_ns < LONGEST_NS ? least_ns : LONGEST_NS;
}

static int close_open(struct es_intensity *intensity, struct es_slot ret_clash[static 2])
{
	int64_t before_ns = 0;

	if (intensity->n > 1)
		qsort(intensity->slots, intensity->n, sizeof(*intensity->slots), by_grid_and_time);
	for (size_t i = 0; i < intensity->n; i++) {
		struct es_slot *slot = &intensity->slots[i];
		size_t next;

		/* A single forecast lasts as long as what came before. */
		if (i > 0 && is_forecast(slot) && !is_forecast(slot - 1) &&
		    step_ns(intensity, i, &next))
			before_ns = 0;
		if (slot->stop_ns == ES_SLOT_OPEN) {
			before_ns = length_ns(intensity, i, before_ns);
			if (before_ns == 0)
				return clash(-ENODATA, slot, slot, ret_clash);
			slot->stop_ns = slot->start_ns + before_ns;
		}
		before_ns = slot->stop_ns - slot->start_ns;
	}
	if (intensity->n > 1)
		qsort(intensity->slots, intensity->n, sizeof(*intensity->slots), by_basis_and_time);
	for (size_t i = 0; i + 1 < intensity->n; i++) {
		const struct es_slot *slot = &intensity->slots[i];

		if (slot->basis == slot[1].basis && slot->stop_ns > slot[1].start_ns)
			return clash(-EEXIST, slot, slot + 1, ret_clash);
	}
	return 0;
}

/* What of @slot no better slot covers, behind *n of @out. @at: first of the better ones that may matter; moves on. */
static bool put_rest(const struct es_slot *better, size_t n_better, size_t *at,
		     const struct es_slot *slot, struct es_slot *out, size_t *n)
{
	struct es_slot rest = *slot;
	size_t before = *n;

	while (*at < n_better && better[*at].stop_ns <= slot->start_ns)
		(*at)++;
	for (size_t i = *at; i < n_better && better[i].start_ns < slot->stop_ns; i++) {
		if (better[i].start_ns > rest.start_ns) {
			rest.stop_ns = better[i].start_ns;
			out[(*n)++] = rest;
		}
		rest.start_ns = better[i].stop_ns;
	}
	rest.stop_ns = slot->stop_ns;
	if (rest.start_ns < rest.stop_ns)
		out[(*n)++] = rest;
	return *n > before;
}

static int by_time(const void *a, const void *b)
{
	const struct es_slot *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Slots of a worse basis keep only the time that better ones leave; then all are in order of time. */
static int let_better_win(struct es_intensity *intensity)
{
	struct es_slot *slots = intensity->slots, *out;
	size_t n = 0, i = 0;

	if (intensity->n == 0 || slots[0].basis == slots[intensity->n - 1].basis)
		return 0;
	/* A better slot splits at most one worse one, in each of two rounds: 4 of the best, 2 of the next, 1 of the last. */
	out = calloc(4 * intensity->n, sizeof(*out));
	if (!out)
		return -ENOMEM;
	while (i < intensity->n) {
		uint8_t basis = slots[i].basis;
		size_t n_better = n, at = 0;

		for (; i < intensity->n && slots[i].basis == basis; i++)
			if (!put_rest(out, n_better, &at, &slots[i], out, &n))
				intensity->n_replaced++;
		qsort(out, n, sizeof(*out), by_time);
	}
	free(slots);
	intensity->slots = out;
	intensity->cap = 4 * intensity->n;
	intensity->n = n;
	return 0;
}

int es_intensity_prepare(struct es_intensity *intensity, struct es_slot ret_clash[static 2])
{
	int r;

	if (intensity->n > 1)
		qsort(intensity->slots, intensity->n, sizeof(*intensity->slots), by_basis_and_time);
	r = drop_repeated(intensity, ret_clash);
	if (r == 0)
		r = close_open(intensity, ret_clash);
	return r < 0 ? r : let_better_win(intensity);
}

int es_intensity_times(const struct es_intensity *intensity, int64_t from_ns, int64_t **ret,
		       size_t *ret_n)
{
	int64_t *times = calloc(2 * intensity->n + 1, sizeof(*times));
	size_t n = 0;

	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < intensity->n; i++) {
		const int64_t ends[] = { intensity->slots[i].start_ns,
					 intensity->slots[i].stop_ns };

		for (size_t j = 0; j < 2; j++)
			if (ends[j] > from_ns && (n == 0 || ends[j] > times[n - 1]))
				times[n++] = ends[j];
	}
	*ret = times;
	*ret_n = n;
	return 0;
}

/* First slot that ends after @t_ns. */
static size_t find(const struct es_intensity *intensity, int64_t t_ns)
{
	size_t low = 0, high = intensity->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (intensity->slots[middle].stop_ns <= t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct es_slot *es_intensity_at(const struct es_intensity *intensity, int64_t start_ns,
				      int64_t stop_ns)
{
	size_t i = find(intensity, start_ns);

	if (i == intensity->n || intensity->slots[i].start_ns > start_ns ||
	    intensity->slots[i].stop_ns < stop_ns)
		return NULL;
	return &intensity->slots[i];
}

/* What does not fit is as far as there is time. */
static int64_t plus_ns(int64_t t_ns, int64_t dur_ns)
{
	int64_t sum_ns;

	if (__builtin_add_overflow(t_ns, dur_ns, &sum_ns))
		return dur_ns < 0 ? INT64_MIN : INT64_MAX;
	return sum_ns;
}

/* Standard deviation of the slots that touch a time, weighted by their length there, and how many they are; false: fewer than two. */
static bool spread_over(const struct es_intensity *intensity, int64_t from_ns, int64_t to_ns,
			double *ret, size_t *ret_n)
{
	double weight = 0, sum = 0, squares = 0;
	size_t first = find(intensity, from_ns), i = first;

	for (; i < intensity->n && intensity->slots[i].start_ns < to_ns; i++) {
		const struct es_slot *slot = &intensity->slots[i];
		double w = (double)((slot->stop_ns < to_ns ? slot->stop_ns : to_ns) -
				    (slot->start_ns > from_ns ? slot->start_ns : from_ns));

		weight += w;
		sum += w * slot->g_per_kwh;
	}
	if (i - first < 2)
		return false;
	for (size_t j = first; j < i; j++) {
		const struct es_slot *slot = &intensity->slots[j];
		double w = (double)((slot->stop_ns < to_ns ? slot->stop_ns : to_ns) -
				    (slot->start_ns > from_ns ? slot->start_ns : from_ns));

		squares += w * (slot->g_per_kwh - sum / weight) * (slot->g_per_kwh - sum / weight);
	}
	/* Bessel's correction, as if the slots were equally long. */
	*ret = sqrt(squares / weight * (double)(i - first) / (double)(i - first - 1));
	*ret_n = i - first;
	return true;
}

/* What adding up the pieces gathers. */
struct sums {
	double known_ns, forecast_ns, estimated_ns, dur_ns;
	double known_g_ns; /* intensity times time */
	double known_g, energy_uj, missing_uj;
	size_t n_known;
};

static void add_piece(const struct es_intensity *intensity, struct es_piece *piece, double factor,
		      struct sums *sums)
{
	const struct es_slot *slot = es_intensity_at(intensity, piece->start_ns, piece->stop_ns);
	double dur_ns = (double)(piece->stop_ns - piece->start_ns);

	sums->dur_ns += dur_ns;
	sums->energy_uj += (double)piece->energy_uj;
	piece->has_figure = slot != NULL;
	if (!slot) {
		sums->missing_uj += (double)piece->energy_uj;
		return;
	}
	piece->basis = (enum es_slot_basis)slot->basis;
	piece->g_per_kwh = slot->g_per_kwh;
	piece->gco2 = (double)piece->energy_uj / UJ_PER_KWH * factor * slot->g_per_kwh;
	sums->n_known++;
	sums->known_ns += dur_ns;
	sums->known_g_ns += dur_ns * slot->g_per_kwh;
	sums->known_g += piece->gco2;
	if (piece->basis == ES_SLOT_FORECAST)
		sums->forecast_ns += dur_ns;
	if (piece->basis == ES_SLOT_ESTIMATED)
		sums->estimated_ns += dur_ns;
}

void es_intensity_lay(const struct es_intensity *intensity, struct es_piece *pieces, size_t n,
		      double factor, struct es_footing *ret)
{
	struct es_footing footing = { .has_coverage = false };
	struct sums sums = { .n_known = 0 };
	double mean, spread;
	size_t n_spread;

	for (size_t i = 0; i < n; i++)
		add_piece(intensity, &pieces[i], factor, &sums);
	footing.has_coverage = sums.dur_ns > 0;
	if (footing.has_coverage) {
		footing.coverage = sums.known_ns / sums.dur_ns;
		footing.forecast_share = sums.forecast_ns / sums.dur_ns;
		footing.estimated_share = sums.estimated_ns / sums.dur_ns;
	}
	footing.has_gco2 = sums.n_known > 0 && footing.coverage >= COVERAGE_MIN;
	if (footing.has_gco2) {
		mean = sums.known_g_ns / sums.known_ns;
		footing.filled_g = sums.missing_uj / UJ_PER_KWH * factor * mean;
		footing.gco2 = sums.known_g + footing.filled_g;
		footing.g_per_kwh = sums.energy_uj > 0
					    ? footing.gco2 / (sums.energy_uj / UJ_PER_KWH * factor)
					    : mean;
		footing.has_uncertainty = sums.missing_uj <= 0;
		if (sums.missing_uj > 0 &&
		    spread_over(intensity, plus_ns(pieces[0].start_ns, -DAY_NS),
				plus_ns(pieces[n - 1].stop_ns, DAY_NS), &spread, &n_spread)) {
			footing.has_uncertainty = true;
			footing.uncertainty_g = es_t_quantile_975(n_spread - 1) * spread *
						sqrt(1.0 + 1.0 / (double)sums.n_known) *
						sums.missing_uj / UJ_PER_KWH * factor;
		}
	}
	*ret = footing;
}
