/*
 * insights.c - what a report gives reason to look at, each with its evidence
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/insights.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "format/insights_private.h"
#include "format/insights_tail.h"

/* Starts and ends of shorter runs would speak louder than the work. */
#define SHORTEST_NS (5 * ES_NS_PER_S)
/* Less than half of the CPUs one has, at work. */
#define CPU_UNDERLOAD 0.5
/* A node that draws less than this share of what the others draw. */
#define NODE_BALANCE 0.8

struct es_insight *es_insight_add(struct es_report *report, const char *code)
{
	struct es_insight *insight;

	if (!report->insights || report->n_insights == ES_INSIGHTS_MAX)
		return NULL;
	insight = &report->insights[report->n_insights++];
	*insight = (struct es_insight){ .code = code };
	return insight;
}

void es_insight_prove(struct es_insight *insight, const char *key, double value)
{
	if (insight->n_evidence == ES_INSIGHT_EVIDENCE_MAX)
		return;
	insight->evidence[insight->n_evidence].key = key;
	insight->evidence[insight->n_evidence++].value = value;
}

void es_insight_say(struct es_insight *insight, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(insight->text, sizeof(insight->text), format, args);
	va_end(args);
}

void es_insight_name(struct es_insight *insight, const char *key, const char *name)
{
	insight->subject_key = key;
	(void)snprintf(insight->subject, sizeof(insight->subject), "%s", name);
}

static void find_dead_meters(struct es_report *report)
{
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];
		struct es_insight *insight;

		if (domain->state != ES_STATE_DEAD)
			continue;
		insight = es_insight_add(report, "meter_dead");
		if (!insight)
			return;
		es_insight_name(insight, "domain", domain->id);
		es_insight_say(insight, "%s: %.180s", domain->name, domain->reason);
		if (report->busy_ns >= 0)
			es_insight_prove(insight, "machine_cpu_s", es_s_from_ns(report->busy_ns));
	}
}

struct es_load es_load_sum(const struct es_report *report, unsigned types)
{
	struct es_load load = { .n = 0 };

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];
		const struct es_report_domain *sum = &report->by_domain[i];

		if (!domain->is_chosen || !(types & 1u << domain->type) || !sum->is_known ||
		    domain->kind == ES_KIND_ESTIMATED)
			continue;
		if (!domain->limit_mw) {
			load.n_without_limit++;
			continue;
		}
		load.n++;
		load.energy_j += es_j_from_uj(sum->energy_uj - sum->filled_uj);
		load.limit_j += es_w_from_mw(domain->limit_mw) * es_s_from_ns(sum->covered_ns);
	}
	return load;
}

#define CPU_TYPES (1u << ES_DOMAIN_PACKAGE | 1u << ES_DOMAIN_DIE)
#define GPU_TYPES (1u << ES_DOMAIN_GPU)

/* Over all processors and GPUs whose limits are known; only where that is all of them. */
static void judge_load(struct es_report *report)
{
	const struct es_load all =
		es_load_sum(report, CPU_TYPES | GPU_TYPES | 1u << ES_DOMAIN_MODULE);
	struct es_insight *insight;
	double share;

	if (!es_load_is_known(&all) || all.n_without_limit)
		return;
	share = all.energy_j / all.limit_j;
	if (share >= ES_LOW_LOAD && share <= ES_HIGH_LOAD)
		return;
	insight = es_insight_add(report, share > ES_HIGH_LOAD ? "high_load" : "low_load");
	if (!insight)
		return;
	es_insight_say(
		insight,
		share > ES_HIGH_LOAD
			? "processors and GPUs drew %.0f %% of what their limits allow; that says nothing about useful work"
			: "processors and GPUs drew %.0f %% of what their limits allow: fewer nodes, or lower clocks, may do",
		100.0 * share);
	es_insight_prove(insight, "load", share);
	es_insight_prove(insight, "energy_j", all.energy_j);
	es_insight_prove(insight, "limit_j", all.limit_j);
	es_insight_prove(insight, "threshold", share > ES_HIGH_LOAD ? ES_HIGH_LOAD : ES_LOW_LOAD);
	es_gpus_prove_use(report, insight);
}

/*
 * Whose CPU time: the whole node's where all of it is the job's (others only make it more), else the command's own.
 * A launcher's other ranks are not the command's children: then only the former is known.
 */
static bool cpu_share(const struct es_report *report, double *ret_share, double *ret_cpus)
{
	const struct es_meta *meta = report->meta;
	double dur_s = es_s_from_ns(report->stop_ns - report->start_ns);

	if (meta->n_nodes != 1 || meta->n_cpus == 0 || dur_s <= 0)
		return false;
	*ret_cpus = meta->n_cpus;
	/* Of those that were offline for a time nothing could be asked. */
	if (report->cpus.n_changes && report->cpus.least < meta->n_cpus)
		*ret_cpus = report->cpus.least;
	if (report->busy_ns >= 0 && meta->nodes[0].n_cpus && meta->n_cpus >= meta->nodes[0].n_cpus)
		*ret_share = es_s_from_ns(report->busy_ns) / (dur_s * *ret_cpus);
	else if (report->child_cpu_ns >= 0 && report->has_command_stop &&
		 es_report_launch_is_alone(&report->launch))
		*ret_share = es_s_from_ns(report->child_cpu_ns) / (dur_s * *ret_cpus);
	else
		return false;
	return true;
}

static void judge_cpus(struct es_report *report)
{
	const struct es_load cpus = es_load_sum(report, CPU_TYPES),
			     gpus = es_load_sum(report, GPU_TYPES);
	struct es_insight *insight;
	double share, n;

	if (cpu_share(report, &share, &n)) {
		if (share >= CPU_UNDERLOAD)
			return;
		insight = es_insight_add(report, "cpu_underload");
		if (!insight)
			return;
		es_insight_say(insight, "%.1f of %.0f CPUs were busy on average: %.0f %%",
			       share * n, n, 100.0 * share);
		es_insight_prove(insight, "busy_share", share);
		es_insight_prove(insight, "cpus", n);
		es_insight_prove(insight, "threshold", CPU_UNDERLOAD);
		return;
	}
	/* Without CPU time: processors near idle beside GPUs that work, by their power. */
	if (!es_load_is_known(&cpus) || !es_load_is_known(&gpus) ||
	    cpus.energy_j / cpus.limit_j >= ES_LOW_LOAD ||
	    gpus.energy_j / gpus.limit_j <= cpus.energy_j / cpus.limit_j)
		return;
	insight = es_insight_add(report, "cpu_underload");
	if (!insight)
		return;
	es_insight_say(insight, "the processors drew %.0f %% of their limits, the GPUs %.0f %%",
		       100.0 * cpus.energy_j / cpus.limit_j, 100.0 * gpus.energy_j / gpus.limit_j);
	es_insight_prove(insight, "cpu_load", cpus.energy_j / cpus.limit_j);
	es_insight_prove(insight, "gpu_load", gpus.energy_j / gpus.limit_j);
	es_insight_prove(insight, "threshold", ES_LOW_LOAD);
}

/* A node's mean power in its total cover, and which types of parts gave it: only like is compared with like. */
struct node_power {
	double power_w;
	unsigned types;
};

static struct node_power node_power(const struct es_report *report, size_t node)
{
	struct node_power sum = { .types = 0 };

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		if (report->domains[i].node != node || !report->domains[i].is_chosen_total ||
		    !report->by_domain[i].is_known)
			continue;
		sum.types |= 1u << report->domains[i].type;
		sum.power_w += es_w_from_mw(report->by_domain[i].mean_mw);
	}
	return sum;
}

static void judge_balance(struct es_report *report)
{
	size_t n_nodes = report->meta->n_nodes, lowest = 0;
	double sum_w = 0, lowest_w = INFINITY, others_w;
	struct es_insight *insight;
	unsigned types = 0;

	if (n_nodes < 2)
		return;
	for (size_t node = 0; node < n_nodes; node++) {
		const struct node_power power = node_power(report, node);

		if (power.types == 0 || (node > 0 && power.types != types))
			return;
		types = power.types;
		sum_w += power.power_w;
		if (power.power_w < lowest_w) {
			lowest_w = power.power_w;
			lowest = node;
		}
	}
	others_w = (sum_w - lowest_w) / (double)(n_nodes - 1);
	if (lowest_w >= NODE_BALANCE * others_w)
		return;
	insight = es_insight_add(report, "node_imbalance");
	if (!insight)
		return;
	es_insight_name(insight, "node", report->meta->nodes[lowest].name);
	es_insight_say(insight, "node %.64s drew %.0f W, the others %.0f W on average",
		       insight->subject, lowest_w, others_w);
	es_insight_prove(insight, "node_w", lowest_w);
	es_insight_prove(insight, "others_w", others_w);
	es_insight_prove(insight, "threshold", NODE_BALANCE);
}

static void judge_tail(struct es_report *report)
{
	struct es_tail tail;
	struct es_insight *insight;

	if (!es_tail_find(report, &tail))
		return;
	insight = es_insight_add(report, "idle_tail");
	if (!insight)
		return;
	es_insight_say(
		insight,
		"the last %.0f s (%.0f %%) were spent at %.0f W, after %.0f W: wait for less, or end earlier",
		tail.tail_s, 100.0 * tail.share, tail.tail_w, tail.work_w);
	es_insight_prove(insight, "tail_s", tail.tail_s);
	es_insight_prove(insight, "tail_share", tail.share);
	es_insight_prove(insight, "tail_w", tail.tail_w);
	es_insight_prove(insight, "work_w", tail.work_w);
	es_insight_prove(insight, "tail_j", tail.tail_j);
}

/* GPUs that were there, on the bus or in the job's allocation, and that nothing measured. */
static void find_invisible_gpus(struct es_report *report)
{
	for (uint32_t node = 0; node < report->meta->n_nodes; node++) {
		const struct es_node_info *info = &report->meta->nodes[node];
		struct es_insight *insight;
		uint32_t there, measured;

		es_report_count_gpus(report, node, &there, &measured);
		if (there <= measured)
			continue;
		insight = es_insight_add(report, "gpu_invisible");
		if (!insight)
			return;
		es_insight_name(insight, "node", info->name);
		es_insight_say(insight,
			       "%u of %u GPUs%s%.64s%s gave no reading: their energy is %s",
			       there - measured, there, info->gpu_model[0] ? " (" : "",
			       info->gpu_model, info->gpu_model[0] ? ")" : "",
			       es_report_has_node_meter(report, node)
				       ? "in the node's, and in none of its parts"
				       : "missing here");
		es_insight_prove(insight, "gpus", there);
		es_insight_prove(insight, "gpus_measured", measured);
	}
}

void es_insights_find(struct es_report *report)
{
	report->insights = calloc(ES_INSIGHTS_MAX, sizeof(*report->insights));
	find_dead_meters(report);
	find_invisible_gpus(report);
	if (!report->has_energy || report->stop_ns - report->start_ns < SHORTEST_NS)
		return;
	judge_balance(report);
	judge_load(report);
	judge_cpus(report);
	es_gpus_judge(report);
	es_activity_judge(report);
	judge_tail(report);
}

void es_insights_finish(struct es_report *report)
{
	free(report->insights);
	report->insights = NULL;
	report->n_insights = 0;
}

void es_insights_json(const struct es_report *report, struct es_json *json)
{
	es_json_array(json, "insights");
	for (size_t i = 0; i < report->n_insights; i++) {
		const struct es_insight *insight = &report->insights[i];

		es_json_object(json, NULL);
		es_json_string(json, "code", insight->code);
		es_json_string(json, "text", insight->text);
		es_json_object(json, "evidence");
		if (insight->subject_key)
			es_json_string(json, insight->subject_key, insight->subject);
		for (size_t j = 0; j < insight->n_evidence; j++)
			es_json_double(json, insight->evidence[j].key, insight->evidence[j].value);
		es_json_object_end(json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

void es_insights_table(const struct es_report *report, struct es_buf *out)
{
	for (size_t i = 0; i < report->n_insights; i++)
		(void)es_buf_printf(out, "  %-10s %s: %s\n", i == 0 ? "insight" : "",
				    report->insights[i].code, report->insights[i].text);
}
