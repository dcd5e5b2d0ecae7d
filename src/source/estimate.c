/*
 * source/estimate.c - the node's power from its CPU time, for machines without a meter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/curve.h"
#include "source/source.h"
#include "sys/cputime.h"
#include "sys/machine.h"

__extension__ typedef unsigned __int128 es_u128;

/*
 * One domain, "node", at the wall: P = idle + (full - idle) * busy share, with idle and full watts per hardware
 * thread of servers of this CPU's generation (core/curve.h), for the threads that are ours: all of a machine, the
 * virtual CPUs of a VM, the allowed CPUs of a container. It is proportional to time by construction: it can be added
 * up, never compared between settings. The value is a counter in µJ that starts at 0.
 */
struct estimate {
	struct es_source source;
	struct es_domain domain;
	struct es_cputime cputime;
	uint32_t n_threads;
	uint32_t idle_mw_per_thread;
	bool idles_by_thread; /* threads that come and go take their share of the idle watts with them */
	uint64_t idle_mw; /* now */
	int64_t idle_since_ns; /* from when on */
	es_u128 idle_before_pj; /* what was drawn idle until then */
	int64_t start_busy_ns;
	int64_t last_busy_ns; /* the kernel's sum may step back by a tick; ours does not */
	bool has_start;
};

static const struct es_power_curve *find_curve(const struct es_machine *machine,
					       struct es_power_curve *sized, bool *ret_is_exact)
{
	const struct es_power_curve *curve;
	bool is_client;

	if (es_curve_find(machine->cpu_vendor, machine->cpu_family, machine->cpu_model_number,
			  machine->cpu_stepping, &curve, &is_client, ret_is_exact) < 0)
		return NULL;
	/* A VM shows packages that do not exist. */
	if (!machine->is_vm && machine->n_packages > 0 &&
	    es_curve_for_size(curve, machine->n_cpus / machine->n_packages, sized) == 0)
		return sized;
	return curve;
}

static void describe(struct estimate *estimate, const struct es_machine *machine,
		     const struct es_power_curve *curve, bool is_exact)
{
	struct es_domain *domain = &estimate->domain;
	uint32_t idle_mw = curve->idle_mw_per_thread;
	bool is_share = machine->is_container && estimate->cputime.from != ES_CPUTIME_PROC_STAT;

	es_domain_init(domain, es_source_estimate.name, ES_DOMAIN_NODE, -1, -1);
	domain->kind = ES_KIND_ESTIMATED;
	domain->range.unit_nj = 1000;
	domain->has_activity = true;
	domain->idle_mw = (uint64_t)idle_mw * estimate->n_threads;
	estimate->idle_mw = domain->idle_mw;
	estimate->idle_mw_per_thread = idle_mw;
	/* A processor with threads offline is there as before; a VM with fewer of them is a smaller part of its host. */
	estimate->idles_by_thread = machine->is_vm &&
				    estimate->cputime.from == ES_CPUTIME_PROC_STAT;
	domain->full_mw = (uint64_t)curve->full_mw_per_thread * estimate->n_threads;
	domain->idle_spread_ppm = curve->idle_spread_ppm;
	domain->spread_ppm = curve->full_spread_ppm;
	domain->update_period_ns =
		estimate->cputime.from == ES_CPUTIME_PROC_STAT ? 10 * ES_NS_PER_MS : ES_NS_PER_MS;
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "%u hardware thread%s %s, watts per thread of %s%.60s servers",
		       estimate->n_threads, estimate->n_threads == 1 ? "" : "s",
		       is_share		? "of this container"
		       : machine->is_vm ? "of this VM"
					: "of this machine",
		       is_exact ? "" : "similar or ", curve->name);
}

static void estimate_close(struct es_source *source)
{
	struct estimate *estimate = (struct estimate *)source;

	if (!estimate)
		return;
	es_cputime_close(&estimate->cputime);
	free(estimate);
}

static int estimate_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct estimate *estimate = calloc(1, sizeof(*estimate));
	const struct es_power_curve *curve;
	struct es_power_curve sized;
	struct es_machine machine;
	bool is_exact = false;
	int r;

	if (!estimate)
		return es_error_set(err, -ENOMEM, "estimate");
	estimate->source = (struct es_source){ .ops = &es_source_estimate,
					       .domains = &estimate->domain,
					       .n_domains = 1 };
	es_machine_read(root, &machine);
	r = es_cputime_open(root, machine.is_container, &estimate->cputime);
	if (r < 0) {
		free(estimate);
		return es_error_set(err, -ENODEV, "no CPU time to estimate from");
	}
	/* The share that is ours: CPU time of the whole machine goes with all its threads. */
	estimate->n_threads = estimate->cputime.from == ES_CPUTIME_PROC_STAT ? machine.n_cpus
									     : machine.n_allowed;
	curve = find_curve(&machine, &sized, &is_exact);
	if (!curve || estimate->n_threads == 0) {
		estimate_close(&estimate->source);
		return es_error_set(err, -ENODEV, "the number of CPUs is not known");
	}
	describe(estimate, &machine, curve, is_exact);
	*ret = &estimate->source;
	return 0;
}

static int estimate_plan(const struct es_source *source, struct es_plan *ret)
{
	(void)source;
	*ret = (struct es_plan){ .at_least_ns = INT64_MAX, .at_most_ns = 10 * ES_NS_PER_MS };
	return 0;
}

static int estimate_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct estimate *estimate = (struct estimate *)source;
	int64_t t0_ns = es_clock_boot_ns(), busy_ns = 0, dur_ns, t1_ns;
	es_u128 pj;
	int r;

	if (n < 1)
		return -EINVAL;
	r = es_cputime_read(&estimate->cputime, &busy_ns);
	t1_ns = es_clock_boot_ns();
	*ret = (struct es_reading){ .t_ns = t0_ns + (t1_ns - t0_ns) / 2,
				    .width_ns = t1_ns - t0_ns,
				    .error = r };
	if (r < 0)
		return 0;
	if (!estimate->has_start) {
		estimate->has_start = true;
		estimate->idle_since_ns = ret->t_ns;
		estimate->start_busy_ns = estimate->last_busy_ns = busy_ns;
	}
	if (busy_ns < estimate->last_busy_ns)
		busy_ns = estimate->last_busy_ns;
	estimate->last_busy_ns = busy_ns;
	dur_ns = ret->t_ns - estimate->idle_since_ns;
	pj = estimate->idle_before_pj +
	     (es_u128)estimate->idle_mw * (uint64_t)(dur_ns > 0 ? dur_ns : 0);
	if (estimate->domain.full_mw > estimate->domain.idle_mw)
		pj += (es_u128)(estimate->domain.full_mw - estimate->domain.idle_mw) /
		      estimate->n_threads * (uint64_t)(busy_ns - estimate->start_busy_ns);
	ret->value = (uint64_t)(pj / 1000000);
	ret->activity_ns = busy_ns;
	return 0;
}

static void estimate_online(struct es_source *source, uint32_t n_cpus)
{
	struct estimate *estimate = (struct estimate *)source;
	int64_t now_ns = es_clock_boot_ns();

	if (!estimate->idles_by_thread)
		return;
	if (estimate->has_start) {
		estimate->idle_before_pj +=
			(es_u128)estimate->idle_mw * (uint64_t)(now_ns - estimate->idle_since_ns);
		estimate->idle_since_ns = now_ns;
	}
	estimate->idle_mw = (uint64_t)estimate->idle_mw_per_thread * n_cpus;
}

const struct es_source_ops es_source_estimate = {
	.name = "estimate",
	.open = estimate_open,
	.plan = estimate_plan,
	.read = estimate_read,
	.online = estimate_online,
	.close = estimate_close,
};
