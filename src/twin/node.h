/*
 * node.h - a simulated node: what each part of it draws, how fast it works, and why
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Time is handed in (ns of whatever clock the caller lives by) and goes forward in segments of constant power, so that the
 * energy at any time is an exact integer. Nothing here does I/O, sleeps, or knows a file.
 */
#ifndef ES_TWIN_NODE_H
#define ES_TWIN_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "twin/kind.h"
#include "twin/phase.h"

__extension__ typedef unsigned __int128 es_u128;

/**
 * enum es_twin_part - what has a power of its own, or is the sum of such
 *
 * To one µW at any time: NODE = BOARD + LOSS; BOARD = all PACKAGE + DRAM + GPU + SYSIO + FANS + REST. CORES and GRAPHICS lie within
 * their package, GPU_CHIP within its GPU. MODULE (Grace) = package, DRAM, SYSIO and GPU of one number.
 */
enum es_twin_part {
	ES_TWIN_NODE, /* at the wall */
	ES_TWIN_BOARD, /* behind the power supplies */
	ES_TWIN_LOSS, /* in them */
	ES_TWIN_PACKAGE,
	ES_TWIN_CORES, /* RAPL PP0 */
	ES_TWIN_GRAPHICS, /* RAPL PP1 of clients */
	ES_TWIN_DRAM, /* beside a package */
	ES_TWIN_GPU, /* the whole device */
	ES_TWIN_GPU_CHIP, /* one of several on it (MI250X) */
	ES_TWIN_SYSIO, /* Grace */
	ES_TWIN_MODULE,
	ES_TWIN_FANS,
	ES_TWIN_REST, /* regulators, disks, network */
	ES_TWIN_N_PARTS,
};

struct es_twin_node;

/** struct es_twin_options - zeroed members: the default */
struct es_twin_options {
	uint64_t seed; /* of the noise in powers */
	bool is_quiet; /* no noise */
	int64_t start_ns; /* the time it is switched on, idle and at its idle temperature */
	int64_t quantum_ns; /* shortest segment that moving temperatures make; default 10 ms. Above 100 ms noise is drawn as seldom */
	size_t n_history; /* segments that are kept; default 65536; 1: only the present one */
	int64_t ambient_mc; /* default 22000: 22 °C */
};

/** es_twin_node_create - 0 or -ENOMEM; es_twin_node_destroy() it. @kind is borrowed. */
int es_twin_node_create(const struct es_twin_kind *kind, const struct es_twin_options *options,
			struct es_twin_node **ret);
void es_twin_node_destroy(struct es_twin_node *node);
const struct es_twin_kind *es_twin_node_kind(const struct es_twin_node *node);

/** es_twin_advance - live on up to @t_ns; an earlier time than before changes nothing */
void es_twin_advance(struct es_twin_node *node, int64_t t_ns);
/** es_twin_now_ns - the time it has lived up to */
int64_t es_twin_now_ns(const struct es_twin_node *node);

/** es_twin_n - how many of @part there are */
size_t es_twin_n(const struct es_twin_node *node, enum es_twin_part part);
/**
 * es_twin_energy_fj - exact energy since it was switched on, in fJ (µW·ns), at @t_ns
 *
 * @t_ns may lie in the history; before it, what the history begins with. After es_twin_now_ns(): of that time.
 */
es_u128 es_twin_energy_fj(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns);
/** es_twin_power_uw - at @t_ns, likewise */
uint64_t es_twin_power_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns);
/** es_twin_mean_uw - mean power over @window_ns before @t_ns, from the exact energies */
uint64_t es_twin_mean_uw(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			 int64_t t_ns, int64_t window_ns);
/** es_twin_history - walk the segments: the @i-th edge's time, oldest first, its number by es_twin_n_history(); energies by es_twin_energy_fj() */
size_t es_twin_n_history(const struct es_twin_node *node);
int64_t es_twin_history_ns(const struct es_twin_node *node, size_t i);

/*
 * What can be seen of it, now.
 */
uint64_t es_twin_core_khz(const struct es_twin_node *node, unsigned cpu); /* of a hardware thread */
uint64_t es_twin_uncore_khz(const struct es_twin_node *node, unsigned package);
int64_t es_twin_temperature_mc(const struct es_twin_node *node, enum es_twin_part part, size_t i);
uint64_t es_twin_fan_rpm(const struct es_twin_node *node);
/** struct es_twin_cpu_state - counts of a hardware thread since it was switched on */
struct es_twin_cpu_state {
	int64_t busy_ns, idle_ns;
	uint64_t aperf, mperf; /* cycles while not idle, at the real clock and at the base clock */
};
void es_twin_cpu_state(const struct es_twin_node *node, unsigned cpu,
		       struct es_twin_cpu_state *ret);
/** struct es_twin_throttle - why a package is slower than it was asked to be */
struct es_twin_throttle {
	bool is_by_power, is_by_heat; /* now */
	uint64_t n_power, n_heat; /* times it began */
	int64_t power_ns, heat_ns; /* time spent so */
};
void es_twin_throttle(const struct es_twin_node *node, unsigned package,
		      struct es_twin_throttle *ret);

#define ES_TWIN_INSTANCES_MAX 7U

/** struct es_twin_gpu_state - of a GPU, now */
struct es_twin_gpu_state {
	unsigned clock_mhz, memory_mhz;
	unsigned busy_ppm,
		memory_busy_ppm; /* share of the time something runs on it; and moves its memory */
	unsigned instance_busy_ppm[ES_TWIN_INSTANCES_MAX];
	unsigned fan_percent;
	int64_t temperature_mc, memory_temperature_mc;
	uint64_t limit_mw;
	unsigned lock_min_mhz, lock_max_mhz; /* 0: not locked */
	bool is_idle, is_by_power, is_by_heat, is_by_clock; /* why its clock is not higher */
	int64_t power_ns, heat_ns; /* held down for so long, since the start */
	int64_t busy_ns, memory_busy_ns; /* busy for so long, since the start */
};
void es_twin_gpu_state(const struct es_twin_node *node, unsigned gpu,
		       struct es_twin_gpu_state *ret);

/*
 * Knobs, each from es_twin_now_ns() on. They return 0 or what the kernel (or the driver) would: -EINVAL, -ERANGE, -ENODATA,
 * -EOPNOTSUPP; nothing has changed then. Where the kernel clamps instead of refusing, so do they.
 */
int es_twin_set_core_range(struct es_twin_node *node, unsigned cpu, uint64_t min_khz,
			   uint64_t max_khz);
void es_twin_core_range(const struct es_twin_node *node, unsigned cpu, uint64_t *ret_min_khz,
			uint64_t *ret_max_khz);
int es_twin_set_governor(struct es_twin_node *node, unsigned cpu,
			 const char *governor); /* performance, powersave, … of kind->governors */
const char *es_twin_governor(const struct es_twin_node *node, unsigned cpu);
int es_twin_set_speed(struct es_twin_node *node, unsigned cpu,
		      uint64_t khz); /* governor userspace only */
int es_twin_set_turbo(struct es_twin_node *node, bool is_on);
bool es_twin_turbo(const struct es_twin_node *node);
int es_twin_set_uncore_range(struct es_twin_node *node, unsigned package, uint64_t min_khz,
			     uint64_t max_khz);
void es_twin_uncore_range(const struct es_twin_node *node, unsigned package, uint64_t *ret_min_khz,
			  uint64_t *ret_max_khz);

#define ES_TWIN_CONSTRAINTS_MAX 3U
/** struct es_twin_limit - of PACKAGE, DRAM or BOARD (psys): long_term, short_term, peak_power as far as the kind has them */
struct es_twin_limit {
	uint64_t power_uw; /* 0: none */
	int64_t window_us;
	bool is_enabled;
};
int es_twin_set_limit(struct es_twin_node *node, enum es_twin_part part, size_t i,
		      unsigned constraint, const struct es_twin_limit *limit);
/** es_twin_limit - 0; -ENODATA: no such constraint */
int es_twin_limit(const struct es_twin_node *node, enum es_twin_part part, size_t i,
		  unsigned constraint, struct es_twin_limit *ret);
/** es_twin_set_gpu_limit - -EINVAL outside of kind's range */
int es_twin_set_gpu_limit(struct es_twin_node *node, unsigned gpu, uint64_t limit_mw);
/** es_twin_set_gpu_clocks - lock between; 0, 0: not any more */
int es_twin_set_gpu_clocks(struct es_twin_node *node, unsigned gpu, unsigned min_mhz,
			   unsigned max_mhz);
/** es_twin_set_heat - fault "throttling": air of @ambient_mc comes in from now on */
void es_twin_set_heat(struct es_twin_node *node, int64_t ambient_mc);
/** es_twin_set_prochot - the board holds a package at its lowest clock */
int es_twin_set_prochot(struct es_twin_node *node, unsigned package, bool is_on);

/*
 * Load: programs at work, up to ES_TWIN_LOADS_MAX at a time. What they ask for together beyond the node's cores or GPUs is shared out
 * (all get slower alike). The next phase begins the very ns in which the one before it ends.
 */
#define ES_TWIN_LOADS_MAX 16U
#define ES_TWIN_PACE_MAX_HZ \
	40000U /* phases that begin each second at the reference clock, of all programs at work */

/** es_twin_load_begin - a program's number, at least 0; -EBUSY: too many programs, or phases a second; -ENOMEM; -EINVAL: asks for what the kind has not. Copied. */
int es_twin_load_begin(struct es_twin_node *node, const struct es_twin_program *program,
		       struct es_error *err);
/** es_twin_load_end - it is over, finished or not, and its number free */
void es_twin_load_end(struct es_twin_node *node, int number);

struct es_twin_progress {
	bool is_done;
	int64_t begin_ns,
		end_ns; /* end: when it was done, else when it will be at the present pace */
	uint64_t n_phases_done; /* of all repeats */
	size_t phase; /* at work: index in the program */
	int64_t phase_begin_ns;
	double phase_share; /* of it, done */
};
/** es_twin_load_progress - 0 or -ENOENT */
int es_twin_load_progress(const struct es_twin_node *node, int number,
			  struct es_twin_progress *ret);
/** es_twin_load_edge - when the @edge-th phase of all repeats began (number of all phases: when the last ended); 0, -EAGAIN: not yet; -ENODATA: too long ago */
int es_twin_load_edge(const struct es_twin_node *node, int number, uint64_t edge, int64_t *ret_ns);

/** struct es_twin_settings - knobs of a whole node at once; 0: as it is switched on */
struct es_twin_settings {
	uint64_t core_max_khz, uncore_max_khz, package_limit_uw, gpu_limit_mw;
	unsigned gpu_max_mhz;
	bool has_no_turbo;
};
int es_twin_apply(struct es_twin_node *node, const struct es_twin_settings *settings);

/** struct es_twin_steady - a phase, once the node is warm: how long, what mean powers */
struct es_twin_steady {
	int64_t dur_ns;
	uint64_t node_uw, package_uw, dram_uw, gpu_uw; /* of all packages, …, together */
	uint64_t core_khz;
	unsigned gpu_mhz;
	bool is_clipped; /* clocks asked for were not reached */
};
/** es_twin_steady - what-if: the phase repeated under @settings, by the same model, without noise; 0, -ENOMEM, errors of knobs and loads */
int es_twin_steady(const struct es_twin_kind *kind, const struct es_twin_settings *settings,
		   const struct es_twin_phase *phase, struct es_twin_steady *ret,
		   struct es_error *err);

#endif
