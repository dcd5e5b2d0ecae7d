/*
 * format/report_unseen.c - GPUs that were there and gave no reading, and what they may have drawn
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_unseen.h"

#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "core/gpu_board.h"
#include "format/report.h"

/* On a superchip a GPU's place is one of its module's, which has no address of its own: no chip of a card. */
static bool is_beside_processor(const struct es_report *report, const struct es_domain *domain)
{
	size_t parent = (size_t)domain->parent;

	return domain->parent >= 0 && parent < report->meta->n_domains &&
	       report->domains[parent].type == ES_DOMAIN_MODULE &&
	       report->domains[parent].pci[0] == '\0';
}

/* A card, not one of its chips nor a second meter of it; an APU is one as well. */
static bool is_whole_gpu(const struct es_report *report, const struct es_domain *domain)
{
	bool is_apu = domain->type == ES_DOMAIN_MODULE && domain->pci[0] != '\0';

	return domain->state != ES_STATE_DUPLICATE &&
	       (domain->die < 0 || is_beside_processor(report, domain)) &&
	       (domain->type == ES_DOMAIN_GPU || is_apu);
}

void es_report_count_gpus(const struct es_report *report, uint32_t node, uint32_t *ret_there,
			  uint32_t *ret_measured)
{
	const struct es_meta *meta = report->meta;

	*ret_there = meta->nodes[node].n_gpus;
	if (*ret_there == 0 && meta->n_nodes == 1)
		*ret_there = meta->n_gpus;
	*ret_measured = 0;
	for (size_t i = 0; i < meta->n_domains; i++)
		*ret_measured += report->domains[i].node == node &&
				 is_whole_gpu(report, &report->domains[i]) &&
				 report->by_domain[i].is_known;
}

/* What sleeps is not woken to be read, and draws next to nothing. */
static uint32_t count_sleeping(const struct es_report *report, uint32_t node)
{
	uint32_t n = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++)
		n += report->domains[i].node == node && is_whole_gpu(report, &report->domains[i]) &&
		     !report->by_domain[i].is_known &&
		     strncmp(report->meta->domains[i].reason, "asleep", strlen("asleep")) == 0;
	return n;
}

bool es_report_has_node_meter(const struct es_report *report, uint32_t node)
{
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].node == node && report->domains[i].type == ES_DOMAIN_NODE &&
		    report->domains[i].kind != ES_KIND_ESTIMATED &&
		    report->domains[i].is_chosen_total && report->by_domain[i].is_known)
			return true;
	return false;
}

void es_report_unseen_sum(struct es_report *report)
{
	struct es_report_unseen *unseen = &report->unseen;

	if (es_report_is_shared(report) && report->meta->n_gpus == 0)
		return; /* what others do with the node's GPUs is none of this job's */
	for (uint32_t node = 0; node < report->meta->n_nodes; node++) {
		uint32_t there, measured, power_w;
		bool is_known;

		es_report_count_gpus(report, node, &there, &measured);
		measured += count_sleeping(report, node);
		if (there <= measured || es_report_has_node_meter(report, node))
			continue;
		power_w = es_gpu_board_w(report->meta->nodes[node].gpu_model, &is_known);
		unseen->n_gpus += there - measured;
		unseen->most_w += (double)power_w * (there - measured);
		unseen->is_guess = unseen->is_guess || !is_known;
	}
	unseen->most_j = unseen->most_w * es_s_from_ns(report->stop_ns - report->start_ns);
	if (report->has_energy)
		report->uncertainty_j += unseen->most_j;
}

void es_report_unseen_row(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_unseen *unseen = &report->unseen;

	if (unseen->n_gpus == 0 || !report->has_energy)
		return;
	(void)es_buf_printf(
		out,
		"  %-10s the node's energy is no less than that; %u GPU%s without a reading may have drawn up to\n"
		"  %-10s %.0f W more (%s): that is in the ±\n",
		"at least", unseen->n_gpus, unseen->n_gpus == 1 ? "" : "s", "", unseen->most_w,
		unseen->is_guess ? "the most that a card may draw: its model is not known"
				 : "by their makers' data sheets");
}

void es_report_unseen_members(const struct es_report *report, struct es_json *json)
{
	const struct es_report_unseen *unseen = &report->unseen;

	es_json_bool(json, "at_least", report->has_energy && unseen->n_gpus > 0);
	es_json_u64(json, "unseen_gpus", unseen->n_gpus);
	if (unseen->n_gpus)
		es_json_double(json, "unseen_j", unseen->most_j);
	else
		es_json_decimal(json, "unseen_j", 0, 0);
}
