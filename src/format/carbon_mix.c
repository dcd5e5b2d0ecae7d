/*
 * carbon_mix.c - from generation by type to one intensity: the mix of each moment
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/carbon_mix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_SHARE_MAX 0.10
#define CAP_FIRST 64

/* A type's generation begins or ends. */
struct edge {
	int64_t t_ns;
	uint64_t power_mw;
	uint32_t line;
	uint8_t type;
	bool is_start;
};

/* What holds between two edges, and what was left out so far. */
struct sweep {
	uint64_t power_mw[ES_MIX_TYPES_MAX];
	bool is_on[ES_MIX_TYPES_MAX];
	size_t n_on;
	uint32_t line;
	double worst_share; /* of the generation, without a factor, where a figure was made */
	size_t n_without, n_figures; /* moments left out for that, moments with a figure */
};

int es_mix_type(struct es_mix *mix, const struct es_generation *generation)
{
	for (size_t i = 0; i < mix->n_types; i++)
		if (mix->types[i] == generation)
			return (int)i;
	if (mix->n_types == ES_MIX_TYPES_MAX)
		return -E2BIG;
	mix->types[mix->n_types] = generation;
	return (int)mix->n_types++;
}

int es_mix_add(struct es_mix *mix, const struct es_mix_interval *interval)
{
	size_t cap = mix->cap ? 2 * mix->cap : CAP_FIRST;
	struct es_mix_interval *larger;

	if (mix->n == ES_MIX_INTERVALS_MAX)
		return -E2BIG;
	if (mix->n == mix->cap) {
		larger = reallocarray(mix->intervals, cap, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		mix->intervals = larger;
		mix->cap = cap;
	}
	mix->intervals[mix->n++] = *interval;
	return 0;
}

void es_mix_finish(struct es_mix *mix)
{
	free(mix->intervals);
	*mix = (struct es_mix){ .n = 0 };
}

/* At one time ends come before starts. */
static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return (int)x->is_start - (int)y->is_start;
}

static struct edge *make_edges(const struct es_mix *mix)
{
	struct edge *edges = calloc(2 * mix->n + 1, sizeof(*edges));

	for (size_t i = 0; edges && i < mix->n; i++) {
		const struct es_mix_interval *interval = &mix->intervals[i];
		struct edge edge = { .t_ns = interval->start_ns,
				     .power_mw = interval->power_mw,
				     .line = interval->line,
				     .type = interval->type,
				     .is_start = true };

		edges[2 * i] = edge;
		edge.t_ns = interval->stop_ns;
		edge.is_start = false;
		edges[2 * i + 1] = edge;
	}
	if (edges && mix->n > 0)
		qsort(edges, 2 * mix->n, sizeof(*edges), by_time);
	return edges;
}

static int pass_edge(struct sweep *sweep, const struct edge *edge)
{
	if (edge->is_start && sweep->is_on[edge->type])
		return -EEXIST;
	sweep->is_on[edge->type] = edge->is_start;
	sweep->n_on += edge->is_start ? 1 : SIZE_MAX;
	sweep->power_mw[edge->type] = edge->power_mw;
	sweep->line = edge->line;
	return 0;
}

/* The mix between two edges; false: there is none that could be told. */
static bool mix_of(const struct es_mix *mix, struct sweep *sweep, double *ret_g_per_kwh)
{
	double known = 0, unknown = 0, grams = 0, share;

	for (size_t i = 0; i < mix->n_types; i++) {
		double power = (double)sweep->power_mw[i];

		if (mix->types[i]->role == ES_GENERATION_UNKNOWN) {
			unknown += power;
			continue;
		}
		known += power;
		grams += power * mix->types[i]->mg_per_kwh / 1000.0;
	}
	if (!(known > 0))
		return false;
	share = unknown / (known + unknown);
	if (share > UNKNOWN_SHARE_MAX) {
		sweep->n_without++;
		return false;
	}
	sweep->worst_share = share > sweep->worst_share ? share : sweep->worst_share;
	*ret_g_per_kwh = grams / known;
	return true;
}

static void note(struct es_carbon_file *file, const struct es_mix *mix, const struct sweep *sweep)
{
	char names[96] = "";
	size_t n = 0;

	if (file->note[0] || (sweep->n_without == 0 && sweep->worst_share <= 0))
		return;
	for (size_t i = 0; i < mix->n_types && n < sizeof(names); i++)
		if (mix->types[i]->role == ES_GENERATION_UNKNOWN)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
					      mix->types[i]->name);
	n = 0;
	if (sweep->worst_share > 0)
		n = (size_t)snprintf(file->note, sizeof(file->note),
				     "types without a factor (%s), up to %.1f %% of the "
				     "generation, are left out of the mix",
				     names, 100.0 * sweep->worst_share);
	if (sweep->n_without)
		(void)snprintf(file->note + n, sizeof(file->note) - n,
			       "%s%zu of %zu figures left out: types without a factor were "
			       "more than %.0f %%",
			       n ? "; " : "", sweep->n_without, sweep->n_without + sweep->n_figures,
			       100.0 * UNKNOWN_SHARE_MAX);
}

int es_mix_put(struct es_mix *mix, struct es_carbon_file *file,
	       const struct es_carbon_nature *nature, struct es_error *err)
{
	struct edge *edges = make_edges(mix);
	struct sweep sweep = { .n_on = 0 };
	int r = 0;

	if (!edges)
		return es_error_set(err, -ENOMEM, "cannot mix the generation");
	for (size_t i = 0; r == 0 && i < 2 * mix->n; i++) {
		struct es_slot slot = { .start_ns = edges[i].t_ns, .place = edges[i].line };

		if (pass_edge(&sweep, &edges[i]) < 0) {
			r = es_carbon_bad(file, -EEXIST, NULL, edges[i].line, err,
					  "%s of %s is there twice for one time",
					  mix->types[edges[i].type]->name, mix->zone);
			break;
		}
		if (i + 1 == 2 * mix->n || edges[i + 1].t_ns == edges[i].t_ns ||
		    sweep.n_on < mix->n_types)
			continue;
		slot.stop_ns = edges[i + 1].t_ns;
		if (!mix_of(mix, &sweep, &slot.g_per_kwh))
			continue;
		sweep.n_figures++;
		r = es_carbon_put(file, nature, &slot, err);
	}
	if (r == 0)
		note(file, mix, &sweep);
	free(edges);
	return r;
}
