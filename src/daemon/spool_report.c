/*
 * spool_report.c - what a finished recording says of its job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/spool_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/report.h"

int es_spool_take_report(struct es_recording *recording, bool is_whole, struct es_local_job_is *is)
{
	struct es_report_options options = { .pue = 1, .pue_source = "", .zone_source = "" };
	struct es_report report;
	const char *kind;
	int r;

	options.model = es_node_model_find("none");
	r = es_report_build(recording, &options, &report, NULL);
	if (r < 0)
		return r;
	kind = es_report_kind(&report);
	if (report.has_energy && kind) {
		/*
		 * A recording begins with the first sweep after the job's begin; the book has the time before that, too. After
		 * another boot it has less.
		 */
		if (!is->has_energy || (is_whole && report.total_uj > is->energy_uj)) {
			is->energy_uj = report.total_uj;
			is->has_energy = true;
			(void)snprintf(is->kind, sizeof(is->kind), "%s", kind);
		}
		is->uncertainty_uj = (uint64_t)fmin(report.uncertainty_j * 1e6, 9e17);
		is->covered_ppm = (uint32_t)(report.time_coverage * 1e6);
	}
	if (is->stop_unix_ns == 0 && report.has_start) {
		is->stop_unix_ns = es_report_unix_ns(&report, report.stop_ns);
		is->dur_ns = report.stop_ns - es_recording_meta(recording)->start_boot_ns;
	}
	es_report_finish(&report);
	return 0;
}

void es_spool_machine(const struct es_meta *meta, struct es_local_machine *ret)
{
	const struct es_node_info *node = &meta->nodes[0];

	(void)snprintf(ret->cpu_model, sizeof(ret->cpu_model), "%s", node->cpu_model);
	(void)snprintf(ret->gpu_model, sizeof(ret->gpu_model), "%s", node->gpu_model);
	ret->n_cpus = node->n_cpus;
	ret->n_packages = node->n_packages;
	ret->n_gpus = node->n_gpus;
	ret->memory_bytes = node->memory_bytes;
	ret->virt = (uint8_t)meta->virt;
	ret->has_battery = meta->has_battery;
	(void)snprintf(ret->country, sizeof(ret->country), "%s", meta->country);
	(void)snprintf(ret->timezone, sizeof(ret->timezone), "%s", meta->timezone);
}

void es_spool_take_meta(const struct es_meta *meta, const char *stem, struct es_local_job_is *is)
{
	struct es_local_job *job = &is->job;

	if (strlen(meta->job) < sizeof(job->id))
		(void)snprintf(job->id, sizeof(job->id), "%.63s", meta->job);
	job->has_uid = meta->has_uid;
	job->uid = meta->uid;
	job->n_cpus = meta->n_cpus;
	job->n_nodes = meta->n_job_nodes;
	job->restarts = meta->restarts;
	job->flags = ES_LOCAL_REPAIRED | ES_LOCAL_ENDED |
		     (meta->sharing == ES_SHARING_EXCLUSIVE ? ES_LOCAL_EXCLUSIVE : ES_LOCAL_SHARED);
	(void)snprintf(job->name, sizeof(job->name), "%.255s", meta->comment);
	(void)snprintf(job->cluster, sizeof(job->cluster), "%.63s", meta->cluster);
	(void)snprintf(job->account, sizeof(job->account), "%.63s", meta->account);
	(void)snprintf(job->partition, sizeof(job->partition), "%.63s", meta->partition);
	(void)snprintf(is->node, sizeof(is->node), "%s", meta->nodes[0].name);
	(void)snprintf(is->recording, sizeof(is->recording), "%.240s.esr", stem);
	is->start_unix_ns = meta->start_unix_ns;
	es_spool_machine(meta, &is->machine);
	for (size_t i = 0; i < meta->n_domains; i++)
		is->machine.has_node_meter = is->machine.has_node_meter ||
					     meta->domains[i].type == ES_DOMAIN_NODE ||
					     meta->domains[i].type == ES_DOMAIN_PSYS;
}
