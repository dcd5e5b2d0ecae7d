/*
 * fit_model.c - a program with few parameters as phases of the twin
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "twin/fit.h"
#include "twin/node.h"

#define NS_PER_S 1e9
#define LONGEST_S 1e9
#define SHORTEST_NS \
	100000 /* of what can be played; what is shorter beside longer phases is left out */
/* Two threads that together do what 1 + g would, draw a share of g more: what is shared (front end, caches) is paid once. */
#define PAIR_POWER_SHARE 0.15

static const char *const knob_names[ES_TWIN_N_KNOBS] = {
	[ES_TWIN_BY_CORE_MHZ] = "core_mhz", [ES_TWIN_BY_PACKAGE_W] = "package_limit_w",
	[ES_TWIN_BY_GPU_MHZ] = "gpu_mhz",   [ES_TWIN_BY_GPU_W] = "gpu_limit_w",
	[ES_TWIN_BY_THREADS] = "threads",
};

static const char *const knob_units[ES_TWIN_N_KNOBS] = {
	[ES_TWIN_BY_CORE_MHZ] = "MHz",	  [ES_TWIN_BY_PACKAGE_W] = "W",
	[ES_TWIN_BY_GPU_MHZ] = "MHz",	  [ES_TWIN_BY_GPU_W] = "W",
	[ES_TWIN_BY_THREADS] = "threads",
};

static const char *const scope_names[ES_TWIN_N_SCOPES] = {
	[ES_TWIN_OF_NODE] = "node",
	[ES_TWIN_OF_PACKAGES] = "package",
	[ES_TWIN_OF_GPU] = "gpu",
};

enum family {
	HOST,
	DEVICE,
	THREADS,
};

static const char *const parameter_names[][ES_TWIN_FIT_PARAMETERS] = {
	[HOST] = { "cpu_s", "memory_s", "other_s", "cpu_activity", "memory_activity" },
	[DEVICE] = { "gpu_s", "gpu_memory_s", "host_s", "gpu_activity", "gpu_memory_activity" },
	[THREADS] = { "shared_core_s", "serial_core_s", "memory_s", "pair_speed", "cpu_activity" },
};

static enum family family_of(enum es_twin_knob knob)
{
	if (knob == ES_TWIN_BY_THREADS)
		return THREADS;
	return knob == ES_TWIN_BY_GPU_MHZ || knob == ES_TWIN_BY_GPU_W ? DEVICE : HOST;
}

const char *es_twin_knob_name(enum es_twin_knob knob)
{
	return knob_names[knob];
}

const char *es_twin_knob_unit(enum es_twin_knob knob)
{
	return knob_units[knob];
}

const char *es_twin_scope_name(enum es_twin_scope scope)
{
	return scope_names[scope];
}

const char *es_twin_parameter_name(enum es_twin_knob knob, size_t i)
{
	return parameter_names[family_of(knob)][i];
}

int es_twin_fit_check(const struct es_twin_kind *kind, enum es_twin_knob knob,
		      enum es_twin_scope scope, struct es_error *err)
{
	if ((family_of(knob) == DEVICE || scope == ES_TWIN_OF_GPU) && !kind->n_gpus)
		return es_error_say(err, -EINVAL,
				    "the table is about a GPU, nodes of kind %s have none",
				    kind->name);
	if (knob == ES_TWIN_BY_CORE_MHZ && !kind->meters.has_cpufreq)
		return es_error_say(err, -EINVAL, "the clocks of kind %s cannot be set",
				    kind->name);
	if (knob == ES_TWIN_BY_PACKAGE_W && !kind->cpu.tdp_w)
		return es_error_say(err, -EINVAL, "the packages of kind %s have no power limit",
				    kind->name);
	if (scope == ES_TWIN_OF_GPU && family_of(knob) != DEVICE)
		return es_error_say(err, -EINVAL,
				    "a GPU's energy tells nothing about clocks or limits of cores");
	return 0;
}

static int64_t ns(double seconds)
{
	return seconds > 0 ? (int64_t)(fmin(seconds, LONGEST_S) * NS_PER_S + 0.5) : 0;
}

static struct es_twin_phase *add(struct es_twin_phase *phases, size_t *n, const char *name)
{
	struct es_twin_phase *phase = &phases[(*n)++];

	es_twin_phase_init(phase);
	(void)snprintf(phase->name, sizeof(phase->name), "%s", name);
	return phase;
}

static size_t device_phases(const double *p, struct es_twin_phase *phases)
{
	int64_t device_ns = ns(p[0]) + ns(p[1]), host_ns = ns(p[2]);
	struct es_twin_phase *phase;
	size_t n = 0;

	/* Apart: a limit of power holds while the GPU works, not on the mean with the times when it waits. */
	if (device_ns >= SHORTEST_NS || device_ns > host_ns) {
		phase = add(phases, &n, "device");
		phase->gpu_ns = ns(p[0]);
		phase->gpu_memory_ns = ns(p[1]);
		phase->gpu_activity = p[3];
		phase->gpu_memory_activity = p[4];
		phase->n_cores = 1;
		phase->n_gpus = 1;
	}
	if (host_ns >= SHORTEST_NS || n == 0) {
		phase = add(phases, &n, "host");
		phase->communication_ns = host_ns > 0 ? host_ns : 1;
		phase->n_cores = 1;
		phase->n_gpus = 1; /* it stays open, and awake */
	}
	return n;
}

static size_t host_phases(const double *p, struct es_twin_phase *phases)
{
	size_t n = 0;
	struct es_twin_phase *phase = add(phases, &n, "work");

	phase->cpu_ns = ns(p[0]);
	phase->memory_ns = ns(p[1]);
	phase->communication_ns = ns(p[2]);
	phase->cpu_activity = p[3];
	phase->memory_activity = p[4];
	return n;
}

static void add_threads(struct es_twin_phase *phases, size_t *n, const char *name, double cpu_s,
			double memory_s, double activity, unsigned cores, unsigned all)
{
	struct es_twin_phase *phase;

	if (ns(cpu_s) < SHORTEST_NS && ns(memory_s) < SHORTEST_NS)
		return;
	phase = add(phases, n, name);
	phase->time = ES_TWIN_OVERLAPPING;
	phase->cpu_ns = ns(cpu_s);
	phase->memory_ns = ns(memory_s);
	phase->cpu_activity = activity;
	phase->memory_activity =
		(double)all / cores; /* the memory's bandwidth is used up by as many as there are */
	phase->n_cores = cores;
}

/*
 * Each thread has the same work. Beyond the number of cores, some have one to themselves and are done early; the others go by
 * two, each at half of what a pair does.
 */
static size_t thread_phases(const struct es_twin_kind *kind, const double *p, unsigned threads,
			    struct es_twin_phase *phases)
{
	unsigned all = kind->n_packages * kind->cpu.n_cores, pairs;
	double work_s = p[0] / threads, pair = p[3], power, rest_s, whole_s;
	size_t n = 0;

	add_threads(phases, &n, "serial", p[1], 0, p[4], 1, all);
	if (threads <= all) {
		add_threads(phases, &n, "shared", work_s, p[2], p[4], threads, all);
		return n;
	}
	pairs = threads - all;
	power = 1 + PAIR_POWER_SHARE * (pair - 1);
	rest_s = fmax(0, work_s * (2 / pair - 1));
	whole_s = work_s + rest_s;
	add_threads(phases, &n, "shared", work_s, p[2] * work_s / whole_s,
		    p[4] * ((double)(all - pairs) + pairs * power) / all, all, all);
	add_threads(phases, &n, "pairs", rest_s, p[2] * rest_s / whole_s, p[4] * power, pairs, all);
	return n;
}

size_t es_twin_fit_phases(const struct es_twin_kind *kind, enum es_twin_knob knob,
			  const double parameters[static ES_TWIN_FIT_PARAMETERS], double setting,
			  struct es_twin_phase phases[static ES_TWIN_FIT_PHASES])
{
	switch (family_of(knob)) {
	case DEVICE:
		return device_phases(parameters, phases);
	case THREADS:
		return thread_phases(kind, parameters,
				     (unsigned)fmin(fmax(setting, 1), es_twin_n_cpus(kind)),
				     phases);
	case HOST:
	default:
		return host_phases(parameters, phases);
	}
}

static void settings_of(enum es_twin_knob knob, double setting, struct es_twin_settings *ret)
{
	*ret = (struct es_twin_settings){ .core_max_khz = 0 };
	switch (knob) {
	case ES_TWIN_BY_CORE_MHZ:
		ret->core_max_khz = (uint64_t)(setting * 1e3 + 0.5);
		break;
	case ES_TWIN_BY_PACKAGE_W:
		ret->package_limit_uw = (uint64_t)(setting * 1e6 + 0.5);
		break;
	case ES_TWIN_BY_GPU_MHZ:
		ret->gpu_max_mhz = (unsigned)(setting + 0.5);
		break;
	case ES_TWIN_BY_GPU_W:
		ret->gpu_limit_mw = (uint64_t)(setting * 1e3 + 0.5);
		break;
	case ES_TWIN_BY_THREADS:
	case ES_TWIN_N_KNOBS:
	default:
		break;
	}
}

static uint64_t power_uw(const struct es_twin_kind *kind, enum es_twin_scope scope,
			 const struct es_twin_steady *steady)
{
	switch (scope) {
	case ES_TWIN_OF_PACKAGES:
		return steady->package_uw;
	case ES_TWIN_OF_GPU:
		return steady->gpu_uw / (kind->n_gpus ? kind->n_gpus : 1);
	case ES_TWIN_OF_NODE:
	case ES_TWIN_N_SCOPES:
	default:
		return steady->node_uw;
	}
}

int es_twin_fit_row(const struct es_twin_kind *kind, enum es_twin_knob knob,
		    enum es_twin_scope scope,
		    const double parameters[static ES_TWIN_FIT_PARAMETERS], double setting,
		    struct es_twin_outcome *ret, struct es_error *err)
{
	struct es_twin_phase phases[ES_TWIN_FIT_PHASES];
	size_t n = es_twin_fit_phases(kind, knob, parameters, setting, phases);
	struct es_twin_outcome sum = { .time_s = 0 };
	struct es_twin_settings settings;

	if (knob == ES_TWIN_BY_THREADS && setting > es_twin_n_cpus(kind))
		return es_error_say(err, -EINVAL, "%g threads, a node of kind %s has %u", setting,
				    kind->name, es_twin_n_cpus(kind));
	settings_of(knob, setting, &settings);
	for (size_t i = 0; i < n; i++) {
		struct es_twin_steady steady;
		int r = es_twin_steady(kind, &settings, &phases[i], &steady, err);

		if (r < 0)
			return r;
		sum.time_s += (double)steady.dur_ns / NS_PER_S;
		sum.energy_j += (double)steady.dur_ns / NS_PER_S *
				(double)power_uw(kind, scope, &steady) / 1e6;
		sum.is_clipped |= steady.is_clipped;
	}
	*ret = sum;
	return 0;
}
