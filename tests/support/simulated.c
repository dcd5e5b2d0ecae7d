/*
 * simulated.c - a machine whose power is known at each moment, its meter, and calls of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/random.h"
#include "support/simulated.h"

void sim_init(struct sim *sim, int64_t dur_ns, uint64_t seed)
{
	*sim = (struct sim){ .dur_ns = dur_ns, .seed = seed };
	sim->n_cells = (size_t)(dur_ns / SIM_CELL_NS);
	sim->power_w = calloc(sim->n_cells + 1, sizeof(*sim->power_w));
	sim->sum_j = calloc(sim->n_cells + 1, sizeof(*sim->sum_j));
	sim->calls = calloc(SIM_CALLS_MAX, sizeof(*sim->calls));
	assert_true(sim->power_w && sim->sum_j && sim->calls);
}

void sim_finish(struct sim *sim)
{
	free(sim->power_w);
	free(sim->sum_j);
	free(sim->calls);
}

double sim_uniform(struct sim *sim)
{
	return (double)(test_random(&sim->seed) >> 11) / 0x1p53;
}

int64_t sim_between_ns(struct sim *sim, double from_ns, double to_ns)
{
	double t_ns = from_ns + (to_ns - from_ns) * sim_uniform(sim);

	return (int64_t)(t_ns / SIM_CELL_NS + 0.5) * SIM_CELL_NS;
}

void sim_add_power(struct sim *sim, int64_t from_ns, int64_t to_ns, double power_w)
{
	to_ns = to_ns < sim->dur_ns ? to_ns : sim->dur_ns;
	for (int64_t i = from_ns / SIM_CELL_NS; i < to_ns / SIM_CELL_NS; i++)
		sim->power_w[i] += power_w;
}

void sim_call(struct sim *sim, unsigned region, int64_t start_ns, int64_t stop_ns)
{
	if (start_ns >= sim->dur_ns)
		return;
	assert_true(sim->n_calls < SIM_CALLS_MAX && region < SIM_REGIONS_MAX);
	sim->calls[sim->n_calls++] = (struct sim_call){
		.region = region,
		.start_ns = start_ns,
		.stop_ns = stop_ns < sim->dur_ns ? stop_ns : sim->dur_ns,
	};
}

double sim_joules(const struct sim *sim, int64_t t_ns)
{
	double cell = (double)t_ns / SIM_CELL_NS;
	size_t i;

	if (cell <= 0)
		return 0;
	if (cell >= (double)sim->n_cells)
		return sim->sum_j[sim->n_cells];
	i = (size_t)cell;
	return sim->sum_j[i] + (cell - (double)i) * (sim->sum_j[i + 1] - sim->sum_j[i]);
}

/* A start or a stop; at one time what ends comes before what begins. */
struct tag {
	int64_t t_ns;
	size_t call;
	bool is_start;
};

static int by_time(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	if (x->call == y->call)
		return x->is_start ? -1 : 1;
	if (x->is_start != y->is_start)
		return x->is_start ? 1 : -1;
	return x->call < y->call ? -1 : 1;
}

static struct tag *sort_tags(const struct sim *sim)
{
	struct tag *tags = calloc(2 * sim->n_calls + 1, sizeof(*tags));

	assert_non_null(tags);
	for (size_t i = 0; i < sim->n_calls; i++) {
		tags[2 * i] = (struct tag){ sim->calls[i].start_ns, i, true };
		tags[2 * i + 1] = (struct tag){ sim->calls[i].stop_ns, i, false };
	}
	qsort(tags, 2 * sim->n_calls, sizeof(*tags), by_time);
	return tags;
}

/* By the definition: who is open, and nobody inside of it. @start: when each call began among all tags. */
static void give(struct sim *sim, const size_t *open, size_t n_open, double energy_j)
{
	unsigned owners[SIM_REGIONS_MAX];
	size_t n = 0;

	for (size_t a = 0; a < n_open; a++) {
		bool is_owner = true;

		for (size_t b = a + 1; b < n_open; b++)
			if (sim->calls[open[b]].stop_ns < sim->calls[open[a]].stop_ns)
				is_owner = false;
		if (is_owner)
			owners[n++] = sim->calls[open[a]].region;
	}
	for (size_t i = 0; i < n; i++)
		sim->own_j[owners[i]] += energy_j / (double)n;
}

void sim_settle(struct sim *sim)
{
	struct tag *tags = sort_tags(sim);
	size_t open[SIM_REGIONS_MAX], n_open = 0;
	int64_t last_ns = 0;

	for (size_t i = 0; i < sim->n_cells; i++) {
		sim->power_w[i] = fmax(sim->power_w[i], 0);
		sim->sum_j[i + 1] = sim->sum_j[i] + sim->power_w[i] * SIM_CELL_NS / 1e9;
	}
	for (size_t i = 0; i < 2 * sim->n_calls; i++) {
		size_t at = 0;

		give(sim, open, n_open, sim_joules(sim, tags[i].t_ns) - sim_joules(sim, last_ns));
		last_ns = tags[i].t_ns;
		if (tags[i].is_start) {
			assert_true(n_open < SIM_REGIONS_MAX);
			open[n_open++] = tags[i].call;
			continue;
		}
		while (open[at] != tags[i].call)
			at++;
		for (n_open--; at < n_open; at++)
			open[at] = open[at + 1];
	}
	for (size_t i = 0; i < sim->n_calls; i++)
		sim->region_j[sim->calls[i].region] += sim_joules(sim, sim->calls[i].stop_ns) -
						       sim_joules(sim, sim->calls[i].start_ns);
	free(tags);
}

static uint64_t counter(const struct sim *sim, const struct sim_meter *meter,
			const struct es_domain *domain, int64_t t_ns)
{
	uint64_t value_uj, unit_nj = domain->range.unit_nj;

	if (meter->update_ns) {
		t_ns = (t_ns - meter->phase_ns + meter->update_ns) / meter->update_ns *
			       meter->update_ns -
		       meter->update_ns + meter->phase_ns;
		t_ns = t_ns > 0 ? t_ns : 0;
	}
	value_uj = meter->first_uj + (uint64_t)(sim_joules(sim, t_ns) * meter->part * 1e6);
	if (unit_nj > 1000)
		value_uj = value_uj * 1000 / unit_nj * unit_nj / 1000;
	if (domain->range.modulus_nj)
		value_uj %= domain->range.modulus_nj / 1000;
	return value_uj;
}

void sim_record(const struct sim *sim, const struct sim_meter *meters, struct test_recording *made)
{
	struct tag *tags = sort_tags(sim);
	uint64_t seed = sim->seed;

	for (size_t d = 0; d < made->meta.n_domains; d++)
		made->meta.domains[d].read_period_ns = meters[d].period_ns;
	for (size_t i = 0; i < 2 * sim->n_calls; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "r%u", sim->calls[tags[i].call].region);
		test_event(made, tags[i].is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP,
			   tags[i].t_ns, 0, name);
	}
	for (size_t d = 0; d < made->meta.n_domains; d++) {
		const struct sim_meter *meter = &meters[d];

		for (int64_t i = 0; i * meter->period_ns < sim->dur_ns; i++) {
			int64_t t_ns = i * meter->period_ns;

			if (i && meter->jitter_ns)
				t_ns += (int64_t)test_random_below(&seed,
								   (uint64_t)meter->jitter_ns);
			if (t_ns >= sim->dur_ns ||
			    (t_ns > meter->hole_from_ns && t_ns < meter->hole_to_ns))
				continue;
			test_reading(made, t_ns, d,
				     counter(sim, meter, &made->meta.domains[d], t_ns));
		}
		test_reading(made, sim->dur_ns, d,
			     counter(sim, meter, &made->meta.domains[d], sim->dur_ns));
	}
	test_end(made, sim->dur_ns, 0);
	free(tags);
}
