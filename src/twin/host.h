/*
 * host.h - a simulated node that is up: its physics, its meters, its files, under one lock
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_HOST_H
#define ES_TWIN_HOST_H

#include <pthread.h>

#include "base/limits.h"
#include "twin/fault.h"
#include "twin/meter.h"
#include "twin/node.h"
#include "twin/tree.h"

#define ES_TWIN_METERS_MAX 128U

struct es_twin_bmc; /* bmc.h */
struct es_twin_view; /* bmc_private.h */
struct es_twin_rapl; /* rapl.h */

/** struct es_twin_host - members may be looked at under @lock */
struct es_twin_host {
	const struct es_twin_kind *kind;
	struct es_twin_node *node;
	struct es_twin_tree *tree;
	pthread_mutex_t lock;
	char name[ES_NAME_MAX_BYTES]; /* of the node */
	char folder[ES_PATH_MAX_BYTES]; /* where look-alikes of libraries lie on this machine */
	struct es_twin_meter meters[ES_TWIN_METERS_MAX]; /* never moved */
	size_t n_meters;
	int64_t start_ns; /* when it was switched on */
	struct es_twin_faults faults; /* in force */
	int64_t wall_step_ns; /* fault "clock step": its wall clock is so far ahead of this machine's */
	struct es_twin_rapl *rapl; /* registers that several of its files show; the tree's */
	struct es_twin_view *view; /* of its management controller; the tree's; NULL: it has none */
	struct es_twin_bmc *bmc; /* set and cleared by bmc.c; NULL: it is not up */
	int bmc_error; /* what it answers with instead: negative errno */
	int64_t bmc_delay_ns;
	bool is_powered_off;
	size_t n_pending_bytes; /* of programs that were written to .twin/play and did not begin yet */
};

/** es_twin_host_create - the node of @kind with all its files; -ENOMEM, -ENAMETOOLONG; es_twin_host_destroy() it */
int es_twin_host_create(const struct es_twin_kind *kind, const struct es_twin_options *options,
			const char *name, const char *folder, struct es_twin_host **ret,
			struct es_error *err);
void es_twin_host_destroy(struct es_twin_host *host);

/** es_twin_host_meter - a new meter, to be filled in and started with es_twin_meter_start(); NULL: too many, or the name is too long */
struct es_twin_meter *es_twin_host_meter(struct es_twin_host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** es_twin_host_lock - take the lock and live on to the present; returns it (boot clock) */
int64_t es_twin_host_lock(struct es_twin_host *host);
void es_twin_host_unlock(struct es_twin_host *host);

/*
 * What makes the files, each in a file of its own; called once by es_twin_host_create(). They do nothing where the kind has none of it.
 */
void es_twin_make_powercap(struct es_twin_host *host); /* tree_powercap.c */
void es_twin_make_cpus(
	struct es_twin_host *host); /* tree_cpus.c: topology, cpufreq, uncore, thermal, proc */
void es_twin_make_msr(struct es_twin_host *host); /* tree_msr.c */
void es_twin_make_hwmon(struct es_twin_host *host); /* tree_hwmon.c: coretemp, Grace, power meters */
void es_twin_make_amdgpu(struct es_twin_host *host); /* tree_amdgpu.c */
void es_twin_make_cray(struct es_twin_host *host); /* tree_cray.c */
void es_twin_make_bmc(struct es_twin_host *host); /* tree_bmc.c: .twin/bmc/ */
void es_twin_make_gpus(struct es_twin_host *host); /* tree_gpus.c: PCI, .twin/gpu/N, libraries */
void es_twin_make_control(struct es_twin_host *host); /* control.c: .twin/ */
void es_twin_make_play(struct es_twin_host *host); /* play.c: .twin/play */
void es_twin_make_energies(struct es_twin_host *host); /* energies.c: .twin/energy */

#endif
