/*
 * node.c - a simulated node: its parts, its history
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/node.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "twin/node_private.h"

#define HISTORY_DEFAULT 65536U
#define QUANTUM_NS INT64_C(10000000)
#define SETTLED_NS INT64_C(100000000) /* noise is drawn so often */
#define QUIET_NS INT64_C(1000000000)
#define AMBIENT_MC 22000
#define RECENT_EDGES 4

static void add_part(struct es_twin_node *node, enum es_twin_part part, uint64_t columns)
{
	node->parts[part][node->n_parts[part]++] = columns;
}

static uint64_t bit(unsigned column)
{
	return column < ES_TWIN_COLUMNS_MAX ? UINT64_C(1) << column : 0;
}

static void package_parts(struct es_twin_node *node, unsigned p, unsigned *n)
{
	const struct es_twin_kind *kind = node->kind;
	struct es_twin_package *package = &node->packages[p];

	package->cores = (*n)++;
	package->other = (*n)++;
	package->graphics = kind->cpu.graphics_idle_w > 0 ? (*n)++ : ES_TWIN_COLUMNS_MAX;
	package->dram = (*n)++;
	package->sysio = kind->sysio_w > 0 ? (*n)++ : ES_TWIN_COLUMNS_MAX;
	add_part(node, ES_TWIN_PACKAGE,
		 bit(package->cores) | bit(package->other) | bit(package->graphics));
	add_part(node, ES_TWIN_CORES, bit(package->cores));
	add_part(node, ES_TWIN_DRAM, bit(package->dram));
	if (package->graphics < ES_TWIN_COLUMNS_MAX)
		add_part(node, ES_TWIN_GRAPHICS, bit(package->graphics));
	if (package->sysio < ES_TWIN_COLUMNS_MAX)
		add_part(node, ES_TWIN_SYSIO, bit(package->sysio));
}

static void gpu_parts(struct es_twin_node *node, unsigned g, unsigned *n)
{
	unsigned n_chips = node->kind->gpu.n_chips;
	uint64_t all = 0;

	node->gpus[g].column = *n;
	for (unsigned k = 0; k < n_chips; k++) {
		all |= bit(*n);
		if (n_chips > 1)
			add_part(node, ES_TWIN_GPU_CHIP, bit(*n));
		(*n)++;
	}
	add_part(node, ES_TWIN_GPU, all);
}

static void make_parts(struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;
	unsigned n = 0;

	for (unsigned p = 0; p < kind->n_packages; p++)
		package_parts(node, p, &n);
	for (unsigned g = 0; g < kind->n_gpus; g++)
		gpu_parts(node, g, &n);
	for (unsigned p = 0; kind->meters.has_grace && p < kind->n_packages; p++) {
		const struct es_twin_package *package = &node->packages[p];

		add_part(node, ES_TWIN_MODULE,
			 node->parts[ES_TWIN_PACKAGE][p] | bit(package->dram) |
				 bit(package->sysio) |
				 (p < kind->n_gpus ? node->parts[ES_TWIN_GPU][p] : 0));
	}
	node->fans = n++;
	node->rest = n++;
	node->loss = n++;
	node->n_columns = n;
	add_part(node, ES_TWIN_FANS, bit(node->fans));
	add_part(node, ES_TWIN_REST, bit(node->rest));
	add_part(node, ES_TWIN_LOSS, bit(node->loss));
	add_part(node, ES_TWIN_BOARD, bit(node->loss) - 1);
	add_part(node, ES_TWIN_NODE, (bit(node->loss) - 1) | bit(node->loss));
}

static int allocate(struct es_twin_node *node)
{
	size_t n_cores = node->kind->n_packages * node->kind->cpu.n_cores;

	node->edges_ns = calloc(node->n_edges_max, sizeof(*node->edges_ns));
	node->edges_fj = calloc(node->n_edges_max, node->n_columns * sizeof(*node->edges_fj));
	node->edges_uw = calloc(node->n_edges_max, node->n_columns * sizeof(*node->edges_uw));
	node->classes = calloc(n_cores, sizeof(*node->classes));
	node->cores = calloc(n_cores, sizeof(*node->cores));
	node->threads = calloc(es_twin_n_cpus(node->kind), sizeof(*node->threads));
	return node->edges_ns && node->edges_fj && node->edges_uw && node->classes && node->cores &&
			       node->threads
		       ? 0
		       : -ENOMEM;
}

static void set_options(struct es_twin_node *node, const struct es_twin_options *options)
{
	node->is_quiet = options->is_quiet;
	node->start_ns = node->now_ns = node->begin_ns = options->start_ns;
	node->quantum_ns = options->quantum_ns > 0 ? options->quantum_ns : QUANTUM_NS;
	node->settled_ns = options->is_quiet ? QUIET_NS : SETTLED_NS;
	if (node->quantum_ns > node->settled_ns)
		node->settled_ns = node->quantum_ns;
	node->n_edges_max = options->n_history ? options->n_history : HISTORY_DEFAULT;
	node->ambient_c = (double)(options->ambient_mc ? options->ambient_mc : AMBIENT_MC) / 1000;
}

static void freep(struct es_twin_node **node)
{
	es_twin_node_destroy(*node);
}

int es_twin_node_create(const struct es_twin_kind *kind, const struct es_twin_options *options,
			struct es_twin_node **ret)
{
	static const struct es_twin_options none;
	es_cleanup(freep) struct es_twin_node *node = calloc(1, sizeof(*node));
	int r;

	if (!node)
		return -ENOMEM;
	node->kind = kind;
	set_options(node, options ? options : &none);
	make_parts(node);
	r = allocate(node);
	if (r < 0)
		return r;
	node->n_edges = 1;
	node->edges_ns[0] = node->start_ns;
	es_twin_threads_init(node);
	for (unsigned p = 0; p < kind->n_packages; p++) {
		node->packages[p].uncore_min_khz = (uint64_t)kind->cpu.uncore_min_mhz * 1000;
		node->packages[p].uncore_max_khz = (uint64_t)kind->cpu.uncore_max_mhz * 1000;
		node->packages[p].held_uw = node->packages[p].dram_held_uw = UINT64_MAX;
	}
	for (unsigned g = 0; g < kind->n_gpus; g++)
		node->gpus[g].held_uw = UINT64_MAX;
	es_twin_noise_init(node, options ? options->seed : 0);
	es_twin_limits_init(node);
	node->needs_arrange = true;
	es_twin_warm_up(node);
	es_twin_plan(node);
	*ret = es_steal_ptr(node);
	return 0;
}

void es_twin_node_destroy(struct es_twin_node *node)
{
	if (!node)
		return;
	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++) {
		free(node->loads[i].program.phases);
		free(node->loads[i].edges);
	}
	free(node->edges_ns);
	free(node->edges_fj);
	free(node->edges_uw);
	free(node->classes);
	free(node->cores);
	free(node->threads);
	free(node);
}

const struct es_twin_kind *es_twin_node_kind(const struct es_twin_node *node)
{
	return node->kind;
}

int64_t es_twin_now_ns(const struct es_twin_node *node)
{
	return node->now_ns;
}

size_t es_twin_n(const struct es_twin_node *node, enum es_twin_part part)
{
	return (unsigned)part < ES_TWIN_N_PARTS ? node->n_parts[part] : 0;
}

static uint64_t columns_of(const struct es_twin_node *node, enum es_twin_part part, size_t i)
{
	return i < es_twin_n(node, part) ? node->parts[part][i] : 0;
}

/* Place in the ring of the @i-th edge, oldest first. */
static size_t place_of(const struct es_twin_node *node, size_t i)
{
	size_t back = node->n_edges - 1 - i;

	return node->edge >= back ? node->edge - back : node->edge + node->n_edges_max - back;
}

size_t es_twin_n_history(const struct es_twin_node *node)
{
	return node->n_edges;
}

int64_t es_twin_history_ns(const struct es_twin_node *node, size_t i)
{
	return i < node->n_edges ? node->edges_ns[place_of(node, i)] : node->now_ns;
}

/* The last edge that is not after @t_ns, or the first of all. Who asks mostly asks about a moment ago. */
static size_t edge_before(const struct es_twin_node *node, int64_t t_ns)
{
	size_t low = 0, high = node->n_edges;

	for (unsigned i = 0; i < RECENT_EDGES && high > 1; i++) {
		if (node->edges_ns[place_of(node, high - 1)] <= t_ns)
			return high - 1;
		high--;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (node->edges_ns[place_of(node, middle)] <= t_ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static es_u128 sum_fj(const struct es_twin_node *node, uint64_t columns, size_t place)
{
	const es_u128 *at = &node->edges_fj[place * node->n_columns];
	es_u128 sum = 0;

	for (uint64_t left = columns; left; left &= left - 1)
		sum += at[__builtin_ctzll(left)];
	return sum;
}

static uint64_t sum_uw(const struct es_twin_node *node, uint64_t columns)
{
	uint64_t sum = 0;

	for (uint64_t left = columns; left; left &= left - 1)
		sum += node->power_uw[__builtin_ctzll(left)];
	return sum;
}

/* Energies of a few seconds fit in 64 bits, which divide many times faster than 128. */
static uint64_t quotient(es_u128 energy_fj, int64_t dur_ns)
{
	if (energy_fj <= UINT64_MAX)
		return (uint64_t)energy_fj / (uint64_t)dur_ns;
	return (uint64_t)(energy_fj / (uint64_t)dur_ns);
}

/* Power of the segment behind the @i-th edge. */
static uint64_t segment_uw(const struct es_twin_node *node, uint64_t columns, size_t i)
{
	const uint64_t *at = &node->edges_uw[place_of(node, i + 1) * node->n_columns];
	uint64_t sum = 0;

	for (uint64_t left = columns; left; left &= left - 1)
		sum += at[__builtin_ctzll(left)];
	return sum;
}

static es_u128 energy_fj(const struct es_twin_node *node, uint64_t columns, int64_t t_ns)
{
	size_t i;
	int64_t edge_ns;

	if (t_ns > node->now_ns)
		t_ns = node->now_ns;
	if (t_ns >= node->begin_ns)
		return sum_fj(node, columns, node->edge) +
		       (es_u128)sum_uw(node, columns) * (uint64_t)(t_ns - node->begin_ns);
	i = edge_before(node, t_ns);
	edge_ns = node->edges_ns[place_of(node, i)];
	if (t_ns <= edge_ns)
		return sum_fj(node, columns, place_of(node, i));
	return sum_fj(node, columns, place_of(node, i)) +
	       (es_u128)segment_uw(node, columns, i) * (uint64_t)(t_ns - edge_ns);
}

es_u128 es_twin_energy_fj(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns)
{
	return energy_fj(node, columns_of(node, part, i), t_ns);
}

uint64_t es_twin_power_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns)
{
	uint64_t columns = columns_of(node, part, i);

	if (t_ns >= node->begin_ns || node->n_edges == 1)
		return sum_uw(node, columns);
	return segment_uw(node, columns, edge_before(node, t_ns));
}

uint64_t es_twin_mean_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			 int64_t t_ns, int64_t window_ns)
{
	uint64_t columns = columns_of(node, part, i);
	int64_t oldest_ns = es_twin_history_ns(node, 0), from_ns;

	if (t_ns > node->now_ns)
		t_ns = node->now_ns;
	from_ns = t_ns - window_ns;
	if (from_ns < oldest_ns)
		from_ns = oldest_ns;
	if (from_ns >= t_ns)
		return es_twin_power_uw(node, part, i, t_ns);
	return quotient(energy_fj(node, columns, t_ns) - energy_fj(node, columns, from_ns),
			t_ns - from_ns);
}
