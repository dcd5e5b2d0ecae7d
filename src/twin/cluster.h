/*
 * cluster.h - many simulated nodes with jobs, faster than real time: recordings as live nodes write them, and the truth
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * First the jobs are placed (es_cluster_create()), then each node lives its life by itself (es_cluster_run()), on as many threads as
 * are asked for: no result depends on their number. Times within a cluster are ns since its simulated time began.
 */
#ifndef ES_TWIN_CLUSTER_H
#define ES_TWIN_CLUSTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "core/swf.h"
#include "twin/kind.h"

#define ES_CLUSTER_CLASSES_MAX 16U
#define ES_CLUSTER_JOBS_MAX 5000000U
#define ES_CLUSTER_THREADS_MAX 256U
#define ES_CLUSTER_DURATION_MAX_NS (INT64_C(366) * 86400 * 1000000000)
#define ES_CLUSTER_PERIOD_MIN_NS INT64_C(100000000)

/** struct es_cluster_class - nodes of one kind */
struct es_cluster_class {
	const struct es_twin_kind *kind;
	uint32_t n;
};

/** struct es_cluster_trace - how jobs are taken from a trace */
struct es_cluster_trace {
	const struct es_swf *swf; /* borrowed; NULL: a random mix */
	int64_t from_s; /* of the trace's time: here the simulated time begins */
	int64_t speed_ppm; /* jobs come so many times faster than in the trace; 0: as in it */
	uint32_t procs_per_node; /* 0: as many as the node of the class has cores */
};

/** es_cluster_tick_fn - @n_done of @n nodes are done; a negative return ends the simulation and is returned by es_cluster_run() */
typedef int (*es_cluster_tick_fn)(void *arg, size_t n_done, size_t n);

/** struct es_cluster_options - what is simulated */
struct es_cluster_options {
	struct es_cluster_class classes[ES_CLUSTER_CLASSES_MAX];
	size_t n_classes;
	int64_t duration_ns, period_ns; /* whole seconds; how far readings are apart */
	int64_t start_unix_ns; /* the wall clock where it begins: whole seconds */
	uint64_t seed;
	unsigned n_threads; /* at least 1 */
	struct es_cluster_trace trace;
	int64_t load_ppm; /* of a mix: share of the nodes' time that is asked for */
	int64_t failures_ppm; /* share of the nodes that go down in a day */
	const char *out; /* folder for recordings and tables; NULL: nothing is written */
	bool has_readings; /* recordings too */
	bool may_replace; /* what an earlier simulation wrote to @out */
	const char *tool; /* name and version for the recordings */
	es_cluster_tick_fn tick; /* some five times a second, on the calling thread; may be NULL */
	void *tick_arg;
};

/** struct es_cluster_energy - true energies, each rounded down from the exact sum since the beginning: differences add up to the µJ */
struct es_cluster_energy {
	uint64_t node_uj, package_uj, dram_uj,
		gpu_uj; /* at the wall; of all packages, …, together */
};

enum es_cluster_state {
	ES_CLUSTER_WAITING, /* to the end of the simulated time */
	ES_CLUSTER_RUNNING, /* at its end */
	ES_CLUSTER_COMPLETED,
	ES_CLUSTER_FAILED, /* a node of it went down */
};

/** struct es_cluster_job - a job */
struct es_cluster_job {
	uint64_t number; /* the trace's, or 1, 2, … */
	uint32_t user; /* ES_CLUSTER_NO_USER: the trace does not say */
	uint16_t app, class;
	uint32_t n_nodes;
	uint32_t *nodes; /* owned; NULL: never started. Indices of all nodes, rising */
	int64_t submit_ns, start_ns, end_ns; /* start, end: where it was started */
	int64_t length_ns; /* how long it runs where nothing cuts it short */
	enum es_cluster_state state;
	_Atomic uint64_t node_uj, package_uj, dram_uj,
		gpu_uj; /* struct es_cluster_energy over its time */
};

#define ES_CLUSTER_NO_USER UINT32_MAX
#define ES_CLUSTER_DOWN UINT32_MAX /* in place of a job: the node is down */

/** struct es_cluster_span - a stretch of a node's life in which it is not idle */
struct es_cluster_span {
	int64_t start_ns, end_ns;
	uint32_t job; /* index, or ES_CLUSTER_DOWN */
};

/** struct es_cluster_node - a node: its spans by time, and after es_cluster_run() what it used */
struct es_cluster_node {
	uint32_t class, number; /* number: within its class, from 1 on */
	struct es_cluster_span *spans; /* owned */
	size_t n_spans, cap_spans;
	uint32_t n_boots; /* 1: never went down */
	int64_t busy_ns, down_ns;
	struct es_cluster_energy energy, in_jobs;
	uint64_t n_samples; /* readings in its recordings */
};

/** struct es_cluster - a simulation */
struct es_cluster {
	struct es_cluster_options options;
	struct es_cluster_job *jobs; /* owned; in the order of their submission */
	size_t n_jobs;
	size_t n_too_large; /* left out of the trace: no class has so many nodes */
	size_t n_unusable; /* left out of the trace: no length, or no processors */
	struct es_cluster_node *nodes; /* owned; class by class */
	size_t n_nodes;
	/* After es_cluster_run(). */
	struct es_cluster_energy energy, in_jobs;
	uint64_t n_samples;
	uint64_t n_bytes; /* of all recordings */
	uint64_t n_recordings;
};

/**
 * es_cluster_create - the jobs and where they run: first come, first served, in each class by itself, on the first nodes that are free
 *
 * Returns 0; -EINVAL: options that make no sense (said in @err), or -ENOMEM, -E2BIG. es_cluster_destroy() it.
 */
int es_cluster_create(const struct es_cluster_options *options, struct es_cluster **ret,
		      struct es_error *err);
void es_cluster_destroy(struct es_cluster *cluster);

/**
 * es_cluster_run - all nodes live through the simulated time; the tables are written last, so that a folder with cluster.json is whole
 *
 * Returns 0; -ENOTEMPTY: @out is not empty (unless may_replace); errors of files, of memory, and of the tick. What was being written
 * is removed then; recordings that are whole stay.
 */
int es_cluster_run(struct es_cluster *cluster, struct es_error *err);

/** struct es_cluster_totals - figures of a simulation for people; energies are in struct es_cluster */
struct es_cluster_totals {
	size_t n_completed, n_running, n_waiting, n_failed;
	uint64_t busy_ms, down_ms, all_ms; /* of all nodes together */
	int64_t mean_wait_ns; /* of the jobs that started */
};
void es_cluster_totals(const struct es_cluster *cluster, struct es_cluster_totals *ret);

/** es_cluster_put - figures of the simulation as members of the JSON object that is open; the same for the same options and seed */
void es_cluster_put(const struct es_cluster *cluster, struct es_json *json);

const char *es_cluster_state_name(enum es_cluster_state state);
/** es_cluster_node_name - KIND-0001; returns @text */
char *es_cluster_node_name(const struct es_cluster *cluster, size_t node,
			   char text[static ES_NAME_MAX_BYTES]);
/** es_cluster_app_name - of the program that a job runs */
const char *es_cluster_app_name(unsigned app);

#endif
