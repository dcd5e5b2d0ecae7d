/*
 * curve.h - watts of whole servers by CPU generation, for machines without any meter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_CURVE_H
#define ES_CORE_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Power at the wall of servers of one CPU generation, divided by their hardware threads: what is
 * typical (the median over CPU models), and the half width, relative to it, of the interval in which
 * 95 % of single servers lie. It may exceed 1000000 ppm. Derived from published SPECpower_ssj2008
 * results; data/server_curves.md has the method and what it cannot say.
 */
struct es_power_curve {
	const char *key; /* stable: "amd-genoa", "intel-any", "any" */
	const char *name; /* for people */
	bool is_doubled; /* spreads are doubled: the row stands for other machines too */
	uint32_t n_servers;
	int year_first, year_last; /* of publication */
	uint32_t idle_mw_per_thread,
		full_mw_per_thread; /* where the size of the package is not known: VMs */
	uint32_t idle_spread_ppm, full_spread_ppm;
	uint32_t threads_per_package; /* typical; what follows is for packages of this size */
	uint32_t idle_sized_mw, full_sized_mw; /* per thread */
	uint32_t idle_sized_spread_ppm, full_sized_spread_ppm;
};

/* Which curve stands for a processor. Numbers as in /proc/cpuinfo; ranges include both ends. */
struct es_cpu_generation {
	const char *vendor_id;
	unsigned family;
	unsigned model_first, model_last;
	unsigned stepping_first, stepping_last;
	const char *key;
	bool is_client;
	bool is_exact;
};

/**
 * es_curve_find - the curve that stands for a processor
 * @vendor_id, @family, @model, @stepping: as in /proc/cpuinfo. On ARM: "CPU implementer" ("0x41"),
 *	"CPU architecture", "CPU part", 0. @vendor_id may be NULL or "" where nothing is known.
 * @ret_curve: static. An unknown processor gets its vendor's curve, an unknown vendor "any".
 * @ret_is_client: this silicon is also sold for desktops and notebooks, whose watts no server's can
 *	tell well; the curve's spread is doubled for that already
 * @ret_is_exact: servers with this silicon were measured; otherwise the curve is a relative's, a
 *	vendor's or "any"
 *
 * Returns 0; -ENOENT if the shipped table lacks its last resort.
 */
int es_curve_find(const char *vendor_id, unsigned family, unsigned model, unsigned stepping,
		  const struct es_power_curve **ret_curve, bool *ret_is_client, bool *ret_is_exact);

/**
 * es_curve_for_size - the curve for packages of @threads_per_package hardware threads
 * @ret: a copy of @curve in which idle_mw_per_thread, full_mw_per_thread and their spreads are those
 *	of that size; it may be @curve's own memory
 *
 * Servers with few threads per package draw more for each. Knowing the size halves the spread. Use it
 * on bare metal (it also accounts for SMT switched off); a VM shows a package that does not exist.
 * Sizes beyond 8 times the typical one, or below its 8th, are taken as that. Returns 0; -EINVAL for 0
 * threads.
 */
int es_curve_for_size(const struct es_power_curve *curve, unsigned threads_per_package,
		      struct es_power_curve *ret);

/** es_curve_get - the curve with this key; NULL if there is none */
const struct es_power_curve *es_curve_get(const char *key);

/** es_curve_count - number of curves */
size_t es_curve_count(void);

/** es_curve_at - curve @i; NULL behind the end */
const struct es_power_curve *es_curve_at(size_t i);

/** es_cpu_generation_count - number of rows that name processors */
size_t es_cpu_generation_count(void);

/** es_cpu_generation_at - row @i, in order of search; NULL behind the end */
const struct es_cpu_generation *es_cpu_generation_at(size_t i);

#endif
