/*
 * node_load.c - programs at work on a simulated node: their pace and their progress
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "twin/node_private.h"

const struct es_twin_phase *es_twin_load_phase(const struct es_twin_load *load)
{
	return &load->program.phases[load->phase];
}

/* What the uncore and a limit of the memory make of memory_ns. */
static double memory_stretch(const struct es_twin_node *node, const struct es_twin_load *load)
{
	double stretch = 1;

	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		const struct es_twin_package *package = &node->packages[p];

		if (load->n_cores_of[p])
			stretch = es_twin_most(stretch,
					       package->uncore_stretch * package->memory_stretch);
	}
	return stretch;
}

void es_twin_load_times(const struct es_twin_node *node, struct es_twin_load *load, double core_mhz,
			double gpu_mhz)
{
	const struct es_twin_phase *phase = es_twin_load_phase(load);
	struct es_twin_shares *now = &load->now;
	double reference_mhz = es_twin_cpu_reference_mhz(&node->kind->cpu), period, per_ns;

	now->slowest_mhz = core_mhz;
	now->slowest_gpu_mhz = gpu_mhz;
	now->cpu = (double)phase->cpu_ns * (reference_mhz / core_mhz) / load->core_share;
	now->memory = 0;
	now->stretch = 1;
	if (phase->memory_ns) {
		now->stretch = memory_stretch(node, load);
		now->memory = (double)phase->memory_ns * now->stretch / load->core_share;
	}
	now->gpu = now->gpu_memory = 0;
	if (phase->gpu_ns)
		now->gpu = (double)phase->gpu_ns * (node->kind->gpu.top_mhz / gpu_mhz) *
			   load->gpu_sharers;
	if (phase->gpu_memory_ns)
		now->gpu_memory = (double)phase->gpu_memory_ns * load->gpu_sharers;
	now->communication = (double)phase->communication_ns;
	now->idle = (double)phase->idle_ns;
	if (phase->time == ES_TWIN_ADDITIVE)
		period = now->cpu + now->memory + now->gpu + now->gpu_memory + now->communication +
			 now->idle;
	else
		period = es_twin_most(es_twin_most(es_twin_most(now->cpu, now->memory),
						   es_twin_most(now->gpu, now->gpu_memory)),
				      es_twin_most(now->communication, now->idle));
	now->period_ns = es_twin_most(period, 1);
	per_ns = 1 / now->period_ns;
	now->cpu *= per_ns;
	now->memory *= per_ns;
	now->gpu *= per_ns;
	now->gpu_memory *= per_ns;
	now->communication *= per_ns;
	now->idle *= per_ns;
}

/* Whether two phases keep the same cores and GPUs in the same way busy, so that nothing need be placed anew. */
static bool is_alike(const struct es_twin_phase *a, const struct es_twin_phase *b)
{
	return a->n_cores == b->n_cores && a->n_gpus == b->n_gpus &&
	       a->gpu_instance == b->gpu_instance &&
	       (a->gpu_ns || a->gpu_memory_ns) == (b->gpu_ns || b->gpu_memory_ns) &&
	       (a->cpu_ns || a->memory_ns || a->communication_ns) ==
		       (b->cpu_ns || b->memory_ns || b->communication_ns);
}

void es_twin_load_next(struct es_twin_node *node, unsigned i, int64_t t_ns)
{
	struct es_twin_load *load = &node->loads[i];
	const struct es_twin_phase *before = es_twin_load_phase(load);

	load->n_phases_done++;
	load->edges[load->n_phases_done % ES_TWIN_EDGES_MAX] = t_ns;
	load->phase_begin_ns = t_ns;
	load->done = 0;
	node->needs_settle = true;
	if (load->n_phases_done == load->n_phases) {
		load->is_done = true;
		load->end_ns = t_ns;
		es_twin_load_unplace(node, load);
		load->gpus = 0;
		node->active &= ~(UINT32_C(1) << i);
		node->needs_arrange = true;
		return;
	}
	load->phase = (load->phase + 1) % load->program.n;
	if (!is_alike(before, es_twin_load_phase(load)))
		node->needs_arrange = true;
}

static bool is_activity(double activity)
{
	return isfinite(activity) && activity >= 0 && activity <= 100;
}

static int check_phase(const struct es_twin_node *node, const struct es_twin_phase *phase,
		       struct es_error *err)
{
	const struct es_twin_kind *kind = node->kind;
	unsigned n_cores = kind->n_packages * kind->cpu.n_cores;
	bool uses_gpus = phase->gpu_ns > 0 || phase->gpu_memory_ns > 0 || phase->n_gpus > 0;

	if (phase->n_cores > n_cores)
		return es_error_say(err, -EINVAL,
				    "phase '%s' asks for %u cores, a node of kind %s has %u",
				    phase->name, phase->n_cores, kind->name, n_cores);
	if (uses_gpus && !kind->n_gpus)
		return es_error_say(err, -EINVAL,
				    "phase '%s' asks for GPUs, a node of kind %s has none",
				    phase->name, kind->name);
	if (uses_gpus && phase->n_gpus > kind->n_gpus)
		return es_error_say(err, -EINVAL,
				    "phase '%s' asks for %u GPUs, a node of kind %s has %u",
				    phase->name, phase->n_gpus, kind->name, kind->n_gpus);
	if (uses_gpus && phase->gpu_instance > kind->gpu.n_instances)
		return es_error_say(err, -EINVAL,
				    "phase '%s' asks for GPU instance %u, a node of kind %s has %u",
				    phase->name, phase->gpu_instance, kind->name,
				    kind->gpu.n_instances);
	if (phase->cpu_ns < 0 || phase->memory_ns < 0 || phase->gpu_ns < 0 ||
	    phase->gpu_memory_ns < 0 || phase->communication_ns < 0 || phase->idle_ns < 0)
		return es_error_say(err, -EINVAL, "phase '%s' has a negative time", phase->name);
	if (!is_activity(phase->cpu_activity) || !is_activity(phase->memory_activity) ||
	    !is_activity(phase->gpu_activity) || !is_activity(phase->gpu_memory_activity))
		return es_error_say(err, -EINVAL,
				    "phase '%s' has an activity that is not in 0..100",
				    phase->name);
	return 0;
}

static int copy_program(struct es_twin_load *load, const struct es_twin_program *program)
{
	load->program.phases = calloc(program->n, sizeof(*load->program.phases));
	load->edges = calloc(ES_TWIN_EDGES_MAX, sizeof(*load->edges));
	if (!load->program.phases || !load->edges) {
		free(load->program.phases);
		free(load->edges);
		load->program.phases = NULL;
		load->edges = NULL;
		return -ENOMEM;
	}
	memcpy(load->program.phases, program->phases, program->n * sizeof(*program->phases));
	load->program.n = program->n;
	load->program.repeats = program->repeats;
	for (size_t i = 0; i < program->n; i++)
		load->reference_ns += (double)es_twin_phase_reference_ns(&program->phases[i]);
	if (__builtin_mul_overflow(program->n, program->repeats, &load->n_phases))
		load->n_phases = UINT64_MAX;
	return 0;
}

/* Each phase that begins costs the node's simulation time, and all that are at work together must leave it enough. */
static int check_pace(const struct es_twin_node *node, const struct es_twin_program *program,
		      struct es_error *err)
{
	double hz, reference_ns = 0, others_hz = 0;

	for (size_t i = 0; i < program->n; i++)
		reference_ns += (double)es_twin_phase_reference_ns(&program->phases[i]);
	hz = 1e9 * (double)program->n / es_twin_most(reference_ns, 1);
	for (uint32_t left = node->active; left; left &= left - 1) {
		const struct es_twin_load *load = &node->loads[__builtin_ctz(left)];

		others_hz += 1e9 * (double)load->program.n / es_twin_most(load->reference_ns, 1);
	}
	/* Who is alone holds up nobody else; workload files have no phases of less than ES_TWIN_PHASE_MIN_NS. */
	if (!node->active || hz + others_hz <= ES_TWIN_PACE_MAX_HZ)
		return 0;
	return es_error_say(
		err, -EBUSY,
		"%.0f phases a second, beside %.0f of the programs at work: all together may have %u",
		hz, others_hz, ES_TWIN_PACE_MAX_HZ);
}

static int check_program(const struct es_twin_node *node, const struct es_twin_program *program,
			 struct es_error *err)
{
	int r = 0;

	if (!program->n || !program->repeats)
		return es_error_say(err, -EINVAL, "a program without any phase");
	for (size_t k = 0; r == 0 && k < program->n; k++)
		r = check_phase(node, &program->phases[k], err);
	return r < 0 ? r : check_pace(node, program, err);
}

int es_twin_load_begin(struct es_twin_node *node, const struct es_twin_program *program,
		       struct es_error *err)
{
	struct es_twin_load *load = NULL;
	unsigned i;
	int r = check_program(node, program, err);

	if (r < 0)
		return r;
	for (i = 0; i < ES_TWIN_LOADS_MAX && node->loads[i].is_used; i++)
		;
	if (i == ES_TWIN_LOADS_MAX)
		return es_error_say(err, -EBUSY, "%u programs are at work already",
				    ES_TWIN_LOADS_MAX);
	es_twin_cut(node);
	load = &node->loads[i];
	memset(load, 0, sizeof(*load));
	r = copy_program(load, program);
	if (r < 0)
		return es_error_set(err, r, "cannot begin a program");
	load->is_used = true;
	load->begin_ns = load->phase_begin_ns = load->edges[0] = node->now_ns;
	node->active |= UINT32_C(1) << i;
	node->needs_arrange = true;
	es_twin_replan(node);
	return (int)i;
}

static bool is_load(const struct es_twin_node *node, int load)
{
	return load >= 0 && load < (int)ES_TWIN_LOADS_MAX && node->loads[load].is_used;
}

void es_twin_load_end(struct es_twin_node *node, int number)
{
	struct es_twin_load *load;

	if (!is_load(node, number))
		return;
	es_twin_cut(node);
	load = &node->loads[number];
	es_twin_load_unplace(node, load);
	node->active &= ~(UINT32_C(1) << number);
	free(load->program.phases);
	free(load->edges);
	memset(load, 0, sizeof(*load));
	node->needs_arrange = true;
	es_twin_replan(node);
}

static double ahead_ns(const struct es_twin_load *load, double done)
{
	const struct es_twin_phase *phase = es_twin_load_phase(load);
	double reference_ns = (double)es_twin_phase_reference_ns(phase), later_ns;
	uint64_t round = load->n_phases_done / load->program.n;

	later_ns = (double)(load->program.repeats - round) * load->reference_ns;
	for (size_t i = 0; i <= load->phase; i++)
		later_ns -= (double)es_twin_phase_reference_ns(&load->program.phases[i]);
	return (1 - done) * load->now.period_ns +
	       later_ns * (load->now.period_ns / es_twin_most(reference_ns, 1));
}

int es_twin_load_progress(const struct es_twin_node *node, int number, struct es_twin_progress *ret)
{
	const struct es_twin_load *load;

	if (!is_load(node, number))
		return -ENOENT;
	load = &node->loads[number];
	*ret = (struct es_twin_progress){
		.is_done = load->is_done,
		.begin_ns = load->begin_ns,
		.end_ns = load->end_ns,
		.n_phases_done = load->n_phases_done,
		.phase = load->phase,
		.phase_begin_ns = load->phase_begin_ns,
		.phase_share = load->is_done ? 1 : load->done,
	};
	if (load->is_done)
		return 0;
	ret->phase_share = es_twin_least(1, load->done + (double)(node->now_ns - node->begin_ns) /
								 load->now.period_ns);
	if (load->n_phases_done + 1 == load->n_phases && node->end_ns >= load->phase_end_ns)
		ret->end_ns = load->phase_end_ns; /* to the ns */
	else
		ret->end_ns =
			node->now_ns +
			(int64_t)(es_twin_least(ahead_ns(load, ret->phase_share), 4e18) + 0.5);
	return 0;
}

int es_twin_load_edge(const struct es_twin_node *node, int number, uint64_t edge, int64_t *ret_ns)
{
	const struct es_twin_load *load;

	if (!is_load(node, number))
		return -ENOENT;
	load = &node->loads[number];
	if (edge > load->n_phases_done)
		return -EAGAIN;
	if (load->n_phases_done - edge >= ES_TWIN_EDGES_MAX)
		return -ENODATA;
	*ret_ns = load->edges[edge % ES_TWIN_EDGES_MAX];
	return 0;
}
