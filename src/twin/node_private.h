/*
 * node_private.h - the insides of a simulated node, shared by its files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Time goes in segments of constant power. At the begin of each (node_segment.c) what is asked for is settled into an operating
 * point (node_settle.c: clocks that keep each limit), which gives mean powers; at its end its energy, heat and progress are
 * booked. Only the watts of parts that have no parts of their own (columns) are kept; the others are sums of them.
 */
#ifndef ES_TWIN_NODE_PRIVATE_H
#define ES_TWIN_NODE_PRIVATE_H

#include "twin/node.h"

#define ES_TWIN_PACKAGES_MAX 8U
#define ES_TWIN_GPUS_MAX 8U
#define ES_TWIN_COLUMNS_MAX 64U /* bits of a mask */
#define ES_TWIN_CORES_MAX 1024U /* of a node */
#define ES_TWIN_CORE_WORDS (ES_TWIN_CORES_MAX / 64U)
#define ES_TWIN_EDGES_MAX 4096U /* of a load, kept */
#define ES_TWIN_GPU_WINDOW_NS 20e6

/** struct es_twin_average - a running average of a power that shall not rise above a limit */
struct es_twin_average {
	double limit_w; /* INFINITY: none */
	double window_ns; /* 0: the limit holds at once */
	double mean_w;
	double kept; /* of the old mean after a segment of the usual length */
};

enum {
	ES_TWIN_BY_LONG,
	ES_TWIN_BY_SHORT,
	ES_TWIN_BY_PEAK,
	ES_TWIN_BY_HEAT, /* the temperature is such an average too */
	ES_TWIN_N_AVERAGES,
};

/** struct es_twin_guess - what kept a limit the last time, and the slope there: a first guess for the next time */
struct es_twin_guess {
	double x, w_per_x;
};

/** struct es_twin_noise - relative, of one column */
struct es_twin_noise {
	double now;
};

/** struct es_twin_class - cores of one package that do the same at the same clock */
struct es_twin_class {
	unsigned package, n;
	uint32_t loads; /* bits of those that work on them; 0: asleep */
	double asked_mhz, mhz; /* by knobs; really */
	double busy; /* share of the time that they are awake */
	double activity; /* mean, of dynamic power */
	/* Since its cores were last told (es_twin_classes_flush()). */
	double busy_ns, cycles_a, cycles_m; /* cycles: in MHz·ns */
};

/** struct es_twin_core - one core, counts up to the last flush */
struct es_twin_core {
	uint16_t class;
	uint16_t n_users;
	double busy_ns, cycles_a, cycles_m;
};

/** struct es_twin_thread - knobs of a hardware thread */
struct es_twin_thread {
	uint64_t min_khz, max_khz, speed_khz; /* as written */
	uint8_t governor;
};

struct es_twin_package {
	/* Knobs. */
	struct es_twin_limit limits[ES_TWIN_CONSTRAINTS_MAX], dram_limit,
		board_limits[ES_TWIN_CONSTRAINTS_MAX];
	uint64_t uncore_min_khz, uncore_max_khz;
	bool is_prochot;
	/* What they became. */
	struct es_twin_average averages[ES_TWIN_N_AVERAGES], dram_average,
		board_averages[2]; /* long, short */
	unsigned n_active; /* cores */
	size_t class_begin, class_end;
	/* Operating point. */
	double ceiling_mhz; /* no core is faster; INFINITY: not held down */
	double uncore_mhz, uncore_stretch, memory_stretch;
	double bandwidth; /* share of the memory's */
	double extra_cap_w, free_w; /* by a limit of the board; what it would draw without */
	struct es_twin_guess clock_guess, memory_guess;
	bool is_by_power, is_by_heat;
	uint64_t held_uw, dram_held_uw; /* by a limit; UINT64_MAX: by none */
	double awake; /* share of the time that any of it is */
	/* Mean watts without noise: what moves, what stands, what stands and grows with each degree above 50 °C. */
	double cores_w, cores_still_w, cores_leak_w;
	double other_w, other_still_w, other_leak_w;
	double dram_w;
	struct es_twin_noise cores_noise, other_noise, dram_noise;
	struct es_twin_throttle throttle; /* up to the present segment */
	/* Columns. */
	unsigned cores, graphics, other, dram, sysio; /* ES_TWIN_COLUMNS_MAX: none */
};

struct es_twin_gpu_node {
	/* Knobs. */
	uint64_t limit_mw;
	unsigned lock_min_mhz, lock_max_mhz;
	struct es_twin_average average, heat;
	/* Operating point. */
	uint32_t loads; /* bits of those that use it now */
	double asked_mhz, mhz;
	bool is_idle, is_by_power, is_by_heat;
	struct es_twin_guess guess;
	uint64_t held_uw;
	double core_busy, memory_busy; /* shares of the time, of the whole device */
	double instance_busy[ES_TWIN_INSTANCES_MAX];
	double moving_w, still_w, leak_w;
	struct es_twin_noise noise[2]; /* of each chip */
	double busy_ns, memory_busy_ns;
	int64_t power_ns, heat_ns;
	unsigned column; /* of its first chip; the others follow */
};

/** struct es_twin_shares - of a load's time, at the operating point */
struct es_twin_shares {
	double period_ns; /* the phase at this pace */
	double cpu, memory, gpu, gpu_memory, communication, idle;
	double slowest_mhz, slowest_gpu_mhz; /* of its cores; of its GPUs */
	double stretch; /* of memory_ns */
};

struct es_twin_load {
	bool is_used, is_done;
	struct es_twin_program program; /* owned */
	int64_t begin_ns, end_ns; /* end: once it is done */
	uint64_t n_phases_done, n_phases;
	size_t phase;
	int64_t phase_begin_ns;
	double done; /* of the phase, up to the present segment */
	int64_t phase_end_ns; /* if the segment lasts that long */
	double reference_ns; /* of all phases, once */
	/* Placement. */
	bool is_placed;
	unsigned n_cores;
	uint64_t cores[ES_TWIN_CORE_WORDS];
	unsigned n_cores_of[ES_TWIN_PACKAGES_MAX];
	uint32_t gpus; /* bits */
	unsigned gpu_instance;
	double core_share, gpu_sharers; /* it gets 1 of so many cores; so many share its GPUs */
	struct es_twin_shares now;
	int64_t *edges; /* owned; ring of the begins of phases, ES_TWIN_EDGES_MAX */
};

struct es_twin_node {
	const struct es_twin_kind *kind;
	int64_t start_ns, now_ns, quantum_ns, settled_ns; /* settled: longest segment at all */
	double ambient_c;
	bool is_quiet, is_steady, is_turbo_off;
	unsigned hold; /* knobs are being turned: plan later */
	bool needs_arrange, needs_settle, is_held; /* held: some limit is in force */
	/* The present segment. */
	int64_t begin_ns, end_ns;
	uint64_t power_uw[ES_TWIN_COLUMNS_MAX];
	/* Noise. */
	uint64_t random[4];
	int64_t noise_ns; /* when it is drawn next */
	double noise_sigma, noise_kept, noise_fresh;
	/* History: a ring of edges; energies of all columns at each. The last one is the present segment's begin. */
	size_t n_columns, n_edges, edge, n_edges_max; /* edge: index of the last one */
	int64_t *edges_ns;
	es_u128 *edges_fj;
	uint64_t *edges_uw; /* powers of the segment that ends at each */
	uint64_t parts[ES_TWIN_N_PARTS][ES_TWIN_GPUS_MAX * 2]; /* columns of each, as bits */
	unsigned n_parts[ES_TWIN_N_PARTS];
	unsigned fans, rest, loss;
	double usual_ns; /* the length that es_twin_average.kept is for */
	double fan_share; /* of its speed */
	struct es_twin_guess board_guess;
	double package_w[ES_TWIN_PACKAGES_MAX], dram_w[ES_TWIN_PACKAGES_MAX],
		gpu_w[ES_TWIN_GPUS_MAX], board_w;
	struct es_twin_package packages[ES_TWIN_PACKAGES_MAX];
	struct es_twin_gpu_node gpus[ES_TWIN_GPUS_MAX];
	struct es_twin_load loads[ES_TWIN_LOADS_MAX];
	uint32_t active; /* bits of loads at work */
	struct es_twin_class *classes; /* n_classes, at most one for each core */
	size_t n_classes;
	struct es_twin_core *cores;
	struct es_twin_thread *threads;
};

/* Of two numbers; those of math.h are calls, for they mind what is no number. */
static inline double es_twin_least(double a, double b)
{
	return a < b ? a : b;
}

static inline double es_twin_most(double a, double b)
{
	return a > b ? a : b;
}

/* node_place.c: who works where */
void es_twin_loads_place(struct es_twin_node *node);
void es_twin_load_unplace(struct es_twin_node *node, struct es_twin_load *load);

/* node_load.c: what a phase's time is made of */
/* Times of @load's phase with cores at @core_mhz, GPUs at @gpu_mhz. */
void es_twin_load_times(const struct es_twin_node *node, struct es_twin_load *load, double core_mhz,
			double gpu_mhz);
const struct es_twin_phase *es_twin_load_phase(const struct es_twin_load *load);
/* The present phase is over at @t_ns. */
void es_twin_load_next(struct es_twin_node *node, unsigned i, int64_t t_ns);

/* node_clock.c: what the cores are asked for */
void es_twin_classes_flush(struct es_twin_node *node);
void es_twin_classes_arrange(struct es_twin_node *node);
void es_twin_threads_init(struct es_twin_node *node);

/* node_settle.c: the operating point */
void es_twin_settle(struct es_twin_node *node);

/* node_power.c: watts at given clocks; temperatures */
double es_twin_package_c(const struct es_twin_node *node, unsigned i);
double es_twin_gpu_c(const struct es_twin_node *node, unsigned i);
double es_twin_curve_share(const struct es_twin_curve *curve, double mhz, double reference_mhz);
void es_twin_package_powers(struct es_twin_node *node, unsigned i);
void es_twin_gpu_powers(struct es_twin_node *node, unsigned i);
double es_twin_package_w(const struct es_twin_node *node, unsigned i);
double es_twin_dram_w(const struct es_twin_node *node, unsigned i);
double es_twin_gpu_w(const struct es_twin_node *node, unsigned i);
/* All columns from the operating point, noise and temperatures. */
void es_twin_columns(struct es_twin_node *node);

/* node_limit.c: running averages */
double es_twin_allowed_w(const struct es_twin_node *node, const struct es_twin_average *average);
double es_twin_package_allowed_w(const struct es_twin_node *node, unsigned i, bool *ret_is_by_heat);
double es_twin_gpu_allowed_w(const struct es_twin_node *node, unsigned i, bool *ret_is_by_heat);
double es_twin_board_allowed_w(const struct es_twin_node *node);
void es_twin_limits_init(struct es_twin_node *node);
/* Averages get the limits that knobs, kind and the air that comes in give them. */
void es_twin_limits_apply(struct es_twin_node *node);
/* @length_ns have passed at the present segment's power. */
void es_twin_averages_pass(struct es_twin_node *node, int64_t length_ns);
/* When the first of the averages reaches its limit, from the segment's begin on; at most @most_ns. */
double es_twin_averages_fill_ns(const struct es_twin_node *node, double most_ns);
/* Something draws more than it is allowed to. */
bool es_twin_is_over(const struct es_twin_node *node);

/* node_segment.c */
/* The present segment ends now; es_twin_replan() begins the next. */
void es_twin_cut(struct es_twin_node *node);
/* A knob has been turned, or a load has come or gone: the present segment ends now, another begins. */
void es_twin_replan(struct es_twin_node *node);
/* Powers and end of the segment that begins at begin_ns. */
void es_twin_plan(struct es_twin_node *node);
void es_twin_noise_init(struct es_twin_node *node, uint64_t seed);

/* node_steady.c */
/* Temperatures and operating point as after a long time of the present load. */
void es_twin_warm_up(struct es_twin_node *node);

#endif
