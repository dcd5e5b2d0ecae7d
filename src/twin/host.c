/*
 * host.c - a simulated node that is up: its physics, its meters, its files, under one lock
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* Each makes what its kind of interface shows, where the node has it. */
static void make_files(struct es_twin_host *host)
{
	es_twin_make_powercap(host);
	es_twin_make_cpus(host);
	es_twin_make_msr(host);
	es_twin_make_hwmon(host);
	es_twin_make_amdgpu(host);
	es_twin_make_gpus(host);
	es_twin_make_cray(host);
	es_twin_make_bmc(host);
	es_twin_make_control(host);
	es_twin_make_play(host);
	es_twin_make_energies(host);
}

int es_twin_host_create(const struct es_twin_kind *kind, const struct es_twin_options *options,
			const char *name, const char *folder, struct es_twin_host **ret,
			struct es_error *err)
{
	struct es_twin_host *host = calloc(1, sizeof(*host));
	const char *path = "";
	int r;

	if (!host)
		return es_error_set(err, -ENOMEM, "cannot make a node");
	host->kind = kind;
	host->start_ns = options->start_ns;
	(void)pthread_mutex_init(&host->lock, NULL);
	if (snprintf(host->name, sizeof(host->name), "%s", name) >= (int)sizeof(host->name) ||
	    snprintf(host->folder, sizeof(host->folder), "%s", folder) >=
		    (int)sizeof(host->folder)) {
		es_twin_host_destroy(host);
		return es_error_set(err, -ENAMETOOLONG, "cannot make a node");
	}
	r = es_twin_node_create(kind, options, &host->node);
	if (r == 0)
		r = es_twin_tree_create(host, &host->tree);
	if (r == 0) {
		make_files(host);
		r = es_twin_tree_error(host->tree, &path);
	}
	if (r < 0) {
		(void)es_error_set(err, r, "cannot make a node of kind %s%s%s", kind->name,
				   *path ? ": " : "", path);
		es_twin_host_destroy(host);
		return r;
	}
	*ret = host;
	return 0;
}

void es_twin_host_destroy(struct es_twin_host *host)
{
	if (!host)
		return;
	es_twin_tree_destroy(host->tree);
	es_twin_node_destroy(host->node);
	(void)pthread_mutex_destroy(&host->lock);
	free(host);
}

struct es_twin_meter *es_twin_host_meter(struct es_twin_host *host, const char *fmt, ...)
{
	struct es_twin_meter *meter = &host->meters[host->n_meters];
	va_list args;
	int n;

	if (host->n_meters >= ES_TWIN_METERS_MAX)
		return NULL;
	*meter = (struct es_twin_meter){ .step_fj_num = 1, .step_fj_den = 1, .bits = 64 };
	va_start(args, fmt);
	n = vsnprintf(meter->name, sizeof(meter->name), fmt, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(meter->name))
		return NULL;
	host->n_meters++;
	return meter;
}

int64_t es_twin_host_lock(struct es_twin_host *host)
{
	int64_t t_ns;

	(void)pthread_mutex_lock(&host->lock);
	t_ns = es_clock_boot_ns();
	es_twin_advance(host->node, t_ns);
	es_twin_fault_tick(host, t_ns);
	return t_ns;
}

void es_twin_host_unlock(struct es_twin_host *host)
{
	(void)pthread_mutex_unlock(&host->lock);
}
