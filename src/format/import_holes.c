/*
 * import_holes.c - where an imported job has no readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_holes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

#define NAMED_MAX 20U

struct hole {
	int64_t t0_ns, t1_ns;
};

struct holes {
	struct hole *holes;
	size_t n, cap;
};

static int by_start(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	return x->t0_ns < y->t0_ns ? -1 : x->t0_ns > y->t0_ns;
}

static int by_length(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;
	int64_t lx = x->t1_ns - x->t0_ns, ly = y->t1_ns - y->t0_ns;

	return lx > ly ? -1 : lx < ly ? 1 : by_start(a, b);
}

static int add(struct holes *holes, int64_t t0_ns, int64_t t1_ns)
{
	if (holes->n == holes->cap) {
		size_t cap = holes->cap ? holes->cap * 2 : 64;
		struct hole *larger = reallocarray(holes->holes, cap, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		holes->holes = larger;
		holes->cap = cap;
	}
	holes->holes[holes->n++] = (struct hole){ t0_ns, t1_ns };
	return 0;
}

static int collect(const struct es_import_job *job, size_t first_domain, struct holes *ret)
{
	int64_t longest_ns = job->meta.period_ns * 5 / 2;

	bool has_others = false;

	for (size_t d = first_domain; d < job->meta.n_domains; d++)
		has_others = has_others || job->meta.domains[d].type != ES_DOMAIN_GPU;
	for (size_t d = first_domain; d < job->meta.n_domains; d++) {
		const struct es_import_series *series = &job->series[d];

		/* Readings of GPUs are also missing where only their times were unsure. */
		if (has_others && job->meta.domains[d].type == ES_DOMAIN_GPU)
			continue;

		for (size_t i = 1; i < series->n; i++)
			if (series->t_ns[i] - series->t_ns[i - 1] > longest_ns &&
			    add(ret, series->t_ns[i - 1], series->t_ns[i]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static void unite(struct holes *holes)
{
	size_t kept = 0;

	if (holes->n == 0)
		return;
	qsort(holes->holes, holes->n, sizeof(*holes->holes), by_start);
	for (size_t i = 1; i < holes->n; i++) {
		struct hole *last = &holes->holes[kept];

		if (holes->holes[i].t0_ns >= last->t1_ns)
			holes->holes[++kept] = holes->holes[i];
		else if (holes->holes[i].t1_ns > last->t1_ns)
			last->t1_ns = holes->holes[i].t1_ns;
	}
	holes->n = kept + 1;
}

static int warn_each(struct es_import_job *job, const struct holes *holes, const char *node)
{
	for (size_t i = 0; i < holes->n && i < NAMED_MAX; i++) {
		const struct hole *hole = &holes->holes[i];
		char when[ES_TIME_TEXT_BYTES];
		int r;

		r = es_import_warn(job->result,
				   "%s: temporal hole of %.1f s at %s (%.3f s after the start)",
				   node, (double)(hole->t1_ns - hole->t0_ns) / 1e9,
				   es_time_rfc3339(job->meta.start_unix_ns + hole->t0_ns, when),
				   (double)hole->t0_ns / 1e9);
		if (r < 0)
			return r;
	}
	return 0;
}

int es_import_warn_holes(struct es_import_job *job, size_t first_domain)
{
	struct holes holes = { .n = 0 };
	const char *node;
	double sum_s = 0;
	int r = collect(job, first_domain, &holes);

	unite(&holes);
	if (r == 0 && holes.n > 0) {
		node = job->meta.nodes[job->meta.domains[first_domain].node].name;
		qsort(holes.holes, holes.n, sizeof(*holes.holes), by_length);
		for (size_t i = 0; i < holes.n; i++)
			sum_s += (double)(holes.holes[i].t1_ns - holes.holes[i].t0_ns) / 1e9;
		r = es_import_warn(
			job->result,
			"%s: %zu temporal holes (more than 2.5 periods without a reading), %.1f s in all; energy in them is known, its course is not",
			node, holes.n, sum_s);
		if (r == 0)
			r = warn_each(job, &holes, node);
	}
	free(holes.holes);
	return r;
}
