/*
 * format/report_model.c - from measured joules to the node's, the facility's and grams
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

/** struct node_sum - what stands for one node */
struct node_sum {
	uint64_t metered_uj,
		estimated_uj; /* of the total cover; the former with what was filled in */
	double truncated_j; /* of the former, each domain cut to whole joules, as the original tool did */
	bool is_metered;
	bool has_own_meter; /* one of the whole node, or its platform */
	size_t n_parts;
};

static struct node_sum sum_node(const struct es_report *report, uint32_t node)
{
	struct node_sum sum = { .n_parts = 0 };

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];
		uint64_t energy_uj = report->by_domain[i].energy_uj;

		if (domain->node != node || !domain->is_chosen_total ||
		    !report->by_domain[i].is_known)
			continue;
		if (es_domain_is_estimate(domain)) {
			sum.estimated_uj += energy_uj;
			continue;
		}
		sum.metered_uj += energy_uj;
		sum.truncated_j += floor(es_j_from_uj(energy_uj));
		sum.is_metered = true;
		sum.n_parts++;
		sum.has_own_meter = sum.has_own_meter || domain->type == ES_DOMAIN_NODE ||
				    domain->type == ES_DOMAIN_PSYS;
	}
	return sum;
}

struct es_node_class es_report_node_class(const struct es_node_info *node)
{
	struct es_node_class class = { .n_packages = node->n_packages,
				       .n_gpus = node->n_gpus,
				       .memory_gib = es_memory_gib(node->memory_bytes) };

	memcpy(class.cpu_model, node->cpu_model, sizeof(class.cpu_model));
	memcpy(class.gpu_model, node->gpu_model, sizeof(class.gpu_model));
	return class;
}

static bool is_part(const struct es_calibration *calibration, const char *name)
{
	for (size_t i = 0; i < calibration->n_parts; i++)
		if (strcmp(calibration->parts[i], name) == 0)
			return true;
	return false;
}

/* The parts that were measured are exactly those that it was made for; else *ret_odd is one that is not. */
static bool fits(const struct es_report *report, uint32_t node, const struct node_sum *sum,
		 const struct es_calibration *calibration, const char **ret_odd)
{
	*ret_odd = NULL;
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];

		if (domain->node == node && domain->is_chosen_total &&
		    report->by_domain[i].is_known && domain->kind != ES_KIND_ESTIMATED &&
		    !is_part(calibration, domain->name)) {
			*ret_odd = domain->name;
			return false;
		}
	}
	return sum->n_parts == calibration->n_parts;
}

/* The first that is of the node's class and parts; why not, where one is of its class only. */
static const struct es_calibration *find(const struct es_report *report, uint32_t node,
					 const struct node_sum *sum, char *why, size_t size)
{
	const struct es_report_calibrations *all = report->options.calibrations;
	struct es_node_class class = es_report_node_class(&report->meta->nodes[node]);

	for (size_t i = 0; all && i < all->n; i++) {
		const char *odd;

		if (!all->is_forced && !es_node_class_is_same(&all->list[i].class, &class))
			continue;
		if (fits(report, node, sum, &all->list[i], &odd))
			return &all->list[i];
		(void)snprintf(why, size, "%.128s was calibrated with other parts: %.64s is %s",
			       all->list[i].name, odd ? odd : "one of them",
			       odd ? "not one of them" : "not measured here");
	}
	return NULL;
}

/** struct chain - sums over nodes on the way */
struct chain {
	uint64_t metered_uj, estimated_uj;
	uint64_t plain_uj; /* of the former, to which no calibration was applied */
	double truncated_j;
	double calibrated_j, steepest;
	size_t n_metered;
	char why[2 * ES_NAME_MAX_BYTES];
};

/* What a node draws beside its parts is shared by what of its CPUs is allocated. */
static double allocated_share(const struct es_report *report)
{
	double n_cpus = 0;

	if (!es_report_is_shared(report) || report->meta->n_cpus == 0)
		return 1;
	for (size_t i = 0; i < report->meta->n_nodes; i++)
		n_cpus += report->meta->nodes[i].n_cpus;
	return n_cpus > report->meta->n_cpus ? report->meta->n_cpus / n_cpus : 1;
}

static void apply(struct es_report *report, const struct es_calibration *calibration,
		  const struct node_sum *sum, struct chain *chain)
{
	struct es_report_model *model = &report->model;
	double dur_s = es_s_from_ns(report->stop_ns - report->start_ns);
	double share = allocated_share(report), offset_w = calibration->offset_w * share;
	double parts_j = es_j_from_uj(sum->metered_uj);
	double parts_w = dur_s > 0 ? parts_j / dur_s / share : calibration->mean_w;

	chain->calibrated_j += calibration->slope * parts_j + offset_w * dur_s;
	chain->steepest = fmax(chain->steepest, calibration->slope);
	model->offset_w += offset_w;
	model->uncertainty_j += es_calibration_bound_w(calibration, parts_w) * share * dur_s;
	model->is_outside = model->is_outside || es_calibration_is_outside(calibration, parts_w);
	model->n_nodes++;
	if (!model->calibration)
		model->calibration = calibration;
}

static void name_calibrated(struct es_report *report, const struct chain *chain)
{
	struct es_report_model *model = &report->model;
	const struct es_calibration *calibration = model->calibration;
	char nodes[64] = "";
	size_t n;

	(void)snprintf(model->name, sizeof(model->name), "calibrated:%.200s", calibration->name);
	if (model->n_nodes < chain->n_metered)
		(void)snprintf(nodes, sizeof(nodes), " on %zu of %zu nodes", model->n_nodes,
			       chain->n_metered);
	n = (size_t)snprintf(model->text, sizeof(model->text),
			     "calibrated:%.100s%s: %.4g x parts + %.1f W (by %.60s)",
			     calibration->name, nodes, calibration->slope, calibration->offset_w,
			     calibration->meter);
	if (model->is_outside && n < sizeof(model->text))
		(void)snprintf(model->text + n, sizeof(model->text) - n,
			       "; parts outside of its %.0f to %.0f W: ± widened",
			       calibration->lowest_w, calibration->highest_w);
}

static void name_model(struct es_report *report, const struct chain *chain)
{
	const struct es_node_model *named = report->options.model;
	struct es_report_model *model = &report->model;

	if (model->calibration) {
		name_calibrated(report, chain);
		return;
	}
	(void)snprintf(model->name, sizeof(model->name), "%s", named->name);
	(void)snprintf(model->text, sizeof(model->text), "%.200s%s%.300s", named->text,
		       chain->why[0] ? "; " : "", chain->why);
}

static void sum_nodes(struct es_report *report, struct chain *chain)
{
	for (uint32_t node = 0; node < report->meta->n_nodes; node++) {
		struct node_sum sum = sum_node(report, node);
		const struct es_calibration *calibration = NULL;

		chain->metered_uj += sum.metered_uj;
		chain->estimated_uj += sum.estimated_uj;
		chain->truncated_j += sum.truncated_j;
		if (!sum.is_metered)
			continue;
		chain->n_metered++;
		if (sum.estimated_uj == 0 && !sum.has_own_meter)
			calibration = find(report, node, &sum, chain->why, sizeof(chain->why));
		if (calibration)
			apply(report, calibration, &sum, chain);
		else
			chain->plain_uj += sum.metered_uj;
	}
}

/* Nothing is rounded but where a named model says so. */
static void sum_chain(struct es_report *report, const struct chain *chain)
{
	const struct es_node_model *named = report->options.model;
	struct es_report_model *model = &report->model;
	double dur_s = es_s_from_ns(report->stop_ns - report->start_ns), metered_j, offset_w = 0;

	if (chain->n_metered)
		offset_w = es_node_model_offset_w(named, chain->n_metered, report->meta->n_gpus);
	metered_j = named->truncates ? chain->truncated_j : es_j_from_uj(chain->metered_uj);
	report->measured_j = metered_j + es_j_from_uj(chain->estimated_uj);
	report->node_j = named->slope * (named->truncates ? chain->truncated_j
							  : es_j_from_uj(chain->plain_uj)) +
			 offset_w * (named->truncates ? floor(dur_s) : dur_s) +
			 chain->calibrated_j + es_j_from_uj(chain->estimated_uj);
	if (model->calibration && metered_j > 0)
		model->slope = (report->node_j - es_j_from_uj(chain->estimated_uj) -
				model->offset_w * dur_s) /
			       metered_j;
	else
		model->offset_w = offset_w;
	report->uncertainty_j = (report->uncertainty_j - report->unseen.most_j) * chain->steepest +
				report->unseen.most_j + model->uncertainty_j;
}

void es_report_follow_chain(struct es_report *report)
{
	struct chain chain = { .steepest = 1 };

	report->model = (struct es_report_model){ .slope = report->options.model->slope };
	if (report->has_energy)
		sum_nodes(report, &chain);
	name_model(report, &chain);
	if (!report->has_energy)
		return;
	sum_chain(report, &chain);
	report->facility_j = report->node_j * report->options.pue;
	report->metered_share = report->node_j > 0
					? es_j_from_uj(report->metered_uj) / report->node_j
				: es_report_is_metered(report) ? 1.0
							       : 0.0;
	report->metered_share = fmin(report->metered_share, 1.0);
	if (report->options.carbon.zone) {
		report->has_carbon = true;
		report->gco2 =
			es_carbon_g(&report->options.carbon, report->node_j, report->facility_j);
	}
}

void es_report_model_members(const struct es_report *report, struct es_json *json)
{
	const struct es_report_model *model = &report->model;

	es_json_string(json, "name", model->name);
	es_json_double(json, "slope", model->slope);
	es_json_double(json, "offset_w", model->offset_w);
	es_json_string(json, "text", model->text);
	if (!model->calibration) {
		es_json_null(json, "calibration");
		return;
	}
	es_json_object(json, "calibration");
	es_json_u64(json, "nodes", model->n_nodes);
	es_json_double(json, "uncertainty_j", model->uncertainty_j);
	es_json_bool(json, "outside_range", model->is_outside);
	es_json_string(json, "file", model->calibration->path[0] ? model->calibration->path : NULL);
	es_calibration_members(model->calibration, json);
	es_json_object_end(json);
}
