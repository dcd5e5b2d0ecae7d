/*
 * cluster_private.h - what the files of the simulated cluster share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_CLUSTER_PRIVATE_H
#define ES_TWIN_CLUSTER_PRIVATE_H

#include <math.h>

#include "base/clock.h"
#include "core/domain.h"
#include "twin/cluster.h"
#include "twin/meter.h"
#include "twin/node.h"

#define ES_CLUSTER_BOOT_NS (60 * ES_NS_PER_S) /* from power to the first job */
#define ES_CLUSTER_UPTIME_NS (1000 * ES_NS_PER_S) /* of a node when the simulated time begins */

/*
 * Random numbers: splitmix64 (Steele, Lea, Flood 2014). Each purpose has a stream of its own, so that none depends on how many
 * another took.
 */
enum es_cluster_stream {
	ES_CLUSTER_STREAM_MIX,
	ES_CLUSTER_STREAM_MEAN,
	ES_CLUSTER_STREAM_FILL,
	ES_CLUSTER_STREAM_USER,
	ES_CLUSTER_STREAM_PLACE,
	ES_CLUSTER_STREAM_PROGRAM,
	ES_CLUSTER_STREAM_FAILURE,
	ES_CLUSTER_STREAM_NODE,
	ES_CLUSTER_STREAM_METER,
};

struct es_cluster_random {
	uint64_t state;
};

static inline uint64_t es_cluster_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t es_cluster_random(struct es_cluster_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return es_cluster_mix(random->state);
}

static inline struct es_cluster_random es_cluster_stream(uint64_t seed,
							 enum es_cluster_stream stream, uint64_t i)
{
	struct es_cluster_random random = { .state = es_cluster_mix(seed) ^
						     es_cluster_mix((uint64_t)stream + 1) };

	random.state = es_cluster_random(&random) + es_cluster_mix(i);
	return random;
}

/* Within (0, 1). */
static inline double es_cluster_uniform(struct es_cluster_random *random)
{
	return ((double)(es_cluster_random(random) >> 11) + 0.5) * 0x1p-53;
}

static inline double es_cluster_normal(struct es_cluster_random *random)
{
	double radius = sqrt(-2 * log(es_cluster_uniform(random)));

	return radius * cos(2 * 3.14159265358979323846 * es_cluster_uniform(random));
}

/* cluster_apps.c */

/** struct es_cluster_app_info - what is known of a program before it runs */
struct es_cluster_app_info {
	const char *name;
	bool needs_gpu;
	double weight; /* how often it comes, among those of its kind of nodes */
};
size_t es_cluster_n_apps(void);
const struct es_cluster_app_info *es_cluster_app(unsigned app);
/** es_cluster_app_choose - one that nodes of @kind can run */
unsigned es_cluster_app_choose(const struct es_twin_kind *kind, struct es_cluster_random *random);
/** es_cluster_program - the phases of a job, the same for the same @seed; 0 or -ENOMEM; es_twin_program_finish() it */
int es_cluster_program(unsigned app, const struct es_twin_kind *kind, uint64_t seed,
		       struct es_twin_program *ret);

/* cluster_jobs.c */
int es_cluster_make_jobs(struct es_cluster *cluster, struct es_error *err);

/* cluster_schedule.c */
int es_cluster_schedule(struct es_cluster *cluster);

/* cluster_meters.c */
#define ES_CLUSTER_METERS_MAX 64U

/** struct es_cluster_meter - a domain's meter and how its value becomes a reading */
struct es_cluster_meter {
	struct es_twin_meter meter;
	uint32_t uj_num, uj_den; /* a counter's raw step in µJ; 0: a power */
};

/** struct es_cluster_meters - what is read on nodes of one kind */
struct es_cluster_meters {
	struct es_domain domains[ES_CLUSTER_METERS_MAX];
	struct es_cluster_meter meters[ES_CLUSTER_METERS_MAX];
	size_t n;
};
/** es_cluster_meters - those of @kind, read every @period_ns; counters begin at 0 */
void es_cluster_meters(const struct es_twin_kind *kind, int64_t period_ns,
		       struct es_cluster_meters *ret);

/* cluster_node.c */
/** es_cluster_live - the whole life of a node; its energies go to it and to its jobs. @meters: those of its class */
int es_cluster_live(struct es_cluster *cluster, size_t node, const struct es_cluster_meters *meters,
		    const _Atomic bool *is_cancelled, uint64_t *ret_bytes, uint64_t *ret_recordings,
		    struct es_error *err);

/* cluster_tables.c */
/** es_cluster_write_tables - jobs.csv, nodes.csv and, last, cluster.json; each whole or not at all */
int es_cluster_write_tables(const struct es_cluster *cluster, struct es_error *err);

#endif
