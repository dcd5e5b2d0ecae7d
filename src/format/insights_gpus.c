/*
 * insights_gpus.c - GPUs that had little to do, and GPUs that were held back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/insights_private.h"

/* Held back for less than that of the time is not worth a word. */
#define THROTTLED 0.05
/* Busy for less than that of the time: it did nothing. */
#define UNUSED 0.01

/* What the GPUs' own counters say of their use: the mean over those that are measured. */
struct use {
	size_t n, n_silent, n_unused; /* silent: measured, but no utilisation was recorded */
	double utilisation;
};

static bool is_measured_gpu(const struct es_report *report, size_t i)
{
	return report->domains[i].type == ES_DOMAIN_GPU && report->domains[i].is_chosen &&
	       report->by_domain[i].is_known;
}

static struct use sum_use(const struct es_report *report)
{
	struct use use = { .n = 0 };

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_report_signal *sum;

		if (!is_measured_gpu(report, i))
			continue;
		sum = es_report_signal_find(report, report->domains[i].node,
					    report->domains[i].name, ES_SIGNAL_UTILISATION);
		if (!sum || strcmp(sum->signal->unit, ES_SIGNAL_PPM) != 0 || sum->covered_ns == 0) {
			use.n_silent++;
			continue;
		}
		use.n++;
		use.utilisation += sum->mean / 1e6;
		use.n_unused += sum->mean / 1e6 < UNUSED;
	}
	if (use.n)
		use.utilisation /= (double)use.n;
	return use;
}

void es_gpus_prove_use(const struct es_report *report, struct es_insight *insight)
{
	const struct use use = sum_use(report);

	if (use.n && !use.n_silent)
		es_insight_prove(insight, "gpu_utilisation", use.utilisation);
}

/* Behind what is said already. */
static void say_use(struct es_insight *insight, const struct use *use)
{
	size_t n = strlen(insight->text);

	(void)snprintf(insight->text + n, sizeof(insight->text) - n, " busy %.0f %% of the time",
		       100.0 * use->utilisation);
	n = strlen(insight->text);
	if (use->n_unused && use->n > 1)
		(void)snprintf(insight->text + n, sizeof(insight->text) - n,
			       "; %zu of %zu did nothing", use->n_unused, use->n);
	es_insight_prove(insight, "gpu_utilisation", use->utilisation);
	es_insight_prove(insight, "gpus_unused", (double)use->n_unused);
}

/* By their power against their limits, by their own word on how long they were busy, or by both. */
static void judge_use(struct es_report *report)
{
	const struct es_load load = es_load_sum(report, 1u << ES_DOMAIN_GPU);
	const struct use use = sum_use(report);
	bool has_load = es_load_is_known(&load), has_use = use.n && !use.n_silent;
	double share = has_load ? load.energy_j / load.limit_j : 0;
	struct es_insight *insight;

	if ((!has_load || share >= ES_LOW_LOAD) && (!has_use || use.utilisation >= ES_LOW_LOAD))
		return;
	insight = es_insight_add(report, "gpu_underload");
	if (!insight)
		return;
	if (has_load)
		es_insight_say(insight, "%zu GPUs drew %.0f %% of what their limits allow%s",
			       load.n, 100.0 * share, has_use ? ", and were" : "");
	else
		es_insight_say(insight, "%zu GPUs were", use.n);
	if (has_load)
		es_insight_prove(insight, "gpu_load", share);
	es_insight_prove(insight, "gpus", (double)(has_load ? load.n : use.n));
	es_insight_prove(insight, "threshold", ES_LOW_LOAD);
	if (has_use)
		say_use(insight, &use);
}

/* The reason that held a device back for longest; its name into @flag. */
static double find_reason(const struct es_report_signal *sum, char flag[static 32])
{
	double most = 0;
	char name[32];

	(void)snprintf(flag, 32, "unknown");
	for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++) {
		double share = es_report_signal_share(sum, bit);

		if (!(sum->loss_mask & UINT64_C(1) << bit) || share <= most ||
		    !es_signal_flag(sum->signal, bit, name))
			continue;
		most = share;
		(void)snprintf(flag, 32, "%s", name);
	}
	for (char *p = flag; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	return most;
}

static void judge_throttling(struct es_report *report)
{
	const struct es_report_signal *worst = NULL;
	size_t n = 0, n_throttled = 0;
	struct es_insight *insight;
	double reason_share, loss;
	char flag[32];

	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_report_signal *sum = &report->signals[i];

		/* A second source of the same device says the same again. */
		if (!sum->loss_mask || sum->covered_ns == 0 ||
		    es_report_signal_find(report, sum->signal->node, sum->signal->device,
					  ES_SIGNAL_THROTTLE) != sum)
			continue;
		n++;
		n_throttled += es_report_signal_loss(sum) > THROTTLED;
		if (!worst || es_report_signal_loss(sum) > es_report_signal_loss(worst))
			worst = sum;
	}
	if (n_throttled == 0)
		return;
	insight = es_insight_add(report, "throttled");
	if (!insight)
		return;
	loss = es_report_signal_loss(worst);
	reason_share = find_reason(worst, flag);
	es_insight_name(insight, "domain", worst->signal->device);
	es_insight_say(
		insight,
		"%zu of %zu GPUs were held back: %.64s for %.0f %% of the time, by %s (%.0f %%)",
		n_throttled, n, worst->signal->device, 100.0 * loss, flag, 100.0 * reason_share);
	es_insight_prove(insight, "throttled_share", loss);
	es_insight_prove(insight, "gpus_throttled", (double)n_throttled);
	es_insight_prove(insight, "gpus", (double)n);
	es_insight_prove(insight, "threshold", THROTTLED);
}

void es_gpus_judge(struct es_report *report)
{
	judge_use(report);
	judge_throttling(report);
}
