/*
 * report_json.c - energyscopium.report/1
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "format/insights.h"
#include "format/merge.h"
#include "format/region_show.h"
#include "format/report.h"
#include "format/report_faults.h"
#include "format/work.h"

static void put_time(struct es_json *json, const char *key, const struct es_report *report,
		     int64_t t_boot_ns)
{
	char text[ES_TIME_TEXT_BYTES];

	es_json_string(json, key, es_time_rfc3339(es_report_unix_ns(report, t_boot_ns), text));
}

static void put_text(struct es_json *json, const char *key, const char *text)
{
	es_json_string(json, key, text[0] ? text : NULL);
}

static void put_known(struct es_json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		es_json_double(json, key, value);
	else
		es_json_null(json, key);
}

static void put_uj(struct es_json *json, const char *key, uint64_t energy_uj)
{
	es_json_decimal(json, key, (int64_t)energy_uj, 6);
}

static void put_mw(struct es_json *json, const char *key, bool is_known, uint64_t power_mw)
{
	if (is_known)
		es_json_decimal(json, key, (int64_t)power_mw, 3);
	else
		es_json_null(json, key);
}

/* 0: not known. */
static void put_count(struct es_json *json, const char *key, uint64_t n)
{
	if (n)
		es_json_u64(json, key, n);
	else
		es_json_null(json, key);
}

static const char *state(const struct es_report *report)
{
	if (!report->is_whole)
		return report->options.is_live ? "running" : "broken off";
	if (!report->has_command_stop)
		return report->attached_pid ? "running" : NULL;
	if (report->command_status == -1)
		return "ended";
	return report->command_status == 0 ? "completed" : "failed";
}

/* Whose energy it is: meters see a node; an estimate is made of the CPU time that is ours. */
static const char *attribution(const struct es_report *report)
{
	bool is_estimate = report->has_estimate && report->metered_uj == 0;

	if (report->daemon.is_share || es_report_is_shared(report))
		return "share of the node";
	if (is_estimate && report->meta->virt == ES_VIRT_CONTAINER)
		return "share of the container's cgroup";
	if (is_estimate && report->meta->virt == ES_VIRT_VM)
		return "share of the VM";
	return "whole node";
}

static void put_job(const struct es_report *report, struct es_json *json)
{
	const struct es_meta *meta = report->meta;
	size_t n_measured = 0;

	es_json_object(json, "job");
	put_text(json, "id", meta->job);
	put_text(json, "user", meta->user);
	if (meta->has_uid)
		es_json_u64(json, "uid", meta->uid);
	else
		es_json_null(json, "uid");
	put_text(json, "command", meta->command);
	put_text(json, "cluster", meta->cluster);
	put_text(json, "account", meta->account);
	put_text(json, "partition", meta->partition);
	put_text(json, "step", meta->step);
	es_json_string(json, "state", state(report));
	if (report->attached_pid)
		es_json_i64(json, "attached_pid", report->attached_pid);
	else
		es_json_null(json, "attached_pid");
	es_json_array_inline(json, "nodes");
	for (size_t i = 0; i < meta->n_nodes; i++)
		es_json_string(json, NULL, meta->nodes[i].name);
	es_json_array_end(json);
	for (size_t node = 0; node < meta->n_nodes; node++) {
		bool is_measured = false;

		for (size_t i = 0; i < meta->n_domains && !is_measured; i++)
			is_measured = report->domains[i].node == node &&
				      report->by_domain[i].is_known &&
				      report->domains[i].is_chosen_total;
		n_measured += is_measured;
	}
	if (report->launch.how == ES_LAUNCH_ELSEWHERE)
		n_measured = 0; /* this node is none of the job's */
	es_json_u64(json, "nodes_measured", n_measured);
	es_report_launch_members(
		&report->launch,
		meta->n_job_nodes > meta->n_nodes ? meta->n_job_nodes : meta->n_nodes, json);
	if (meta->n_cpus)
		es_json_u64(json, "ncpus", meta->n_cpus);
	else
		es_json_null(json, "ncpus");
	es_json_u64(json, "ngpus", meta->n_gpus);
	if (report->has_start) {
		put_time(json, "start", report, report->start_ns);
		put_time(json, "stop", report, report->stop_ns);
		es_json_decimal(json, "duration_s", report->stop_ns - report->start_ns, 9);
	} else {
		es_json_null(json, "start");
		es_json_null(json, "stop");
		es_json_null(json, "duration_s");
	}
	es_report_shared_members(report, json);
	es_json_string(json, "attribution", attribution(report));
	es_json_object_end(json);
}

/* The parts of a device that jobs share, whose energy is known of the whole only. */
static void put_instances(const struct es_domain *domain, struct es_json *json)
{
	if (domain->n_instances == 0)
		return;
	es_json_array(json, "instances");
	for (size_t i = 0; i < domain->n_instances; i++) {
		const struct es_instance *instance = &domain->instances[i];

		es_json_object(json, NULL);
		put_text(json, "uuid", instance->uuid);
		es_json_u64(json, "gpu_instance", instance->gpu_instance);
		es_json_u64(json, "compute_instance", instance->compute_instance);
		put_count(json, "gpu_slices", instance->gpu_slices);
		put_count(json, "compute_slices", instance->compute_slices);
		put_count(json, "memory_bytes", instance->memory_bytes);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_domain(const struct es_report *report, size_t i, struct es_json *json)
{
	const struct es_domain *domain = &report->domains[i];
	const struct es_report_domain *sum = &report->by_domain[i];

	es_json_object(json, NULL);
	es_json_string(json, "node", report->meta->nodes[domain->node].name);
	es_json_string(json, "domain", domain->name);
	es_json_string(json, "id", domain->id);
	es_json_string(json, "type", es_domain_type_name(domain->type));
	es_json_string(json, "kind", es_kind_name(domain->kind));
	es_json_string(json, "source", domain->source);
	es_json_string(json, "state", es_state_name(domain->state));
	put_text(json, "reason", domain->reason);
	es_json_bool(json, "chosen", domain->is_chosen);
	es_json_bool(json, "chosen_total", domain->is_chosen_total);
	if (sum->is_known)
		put_uj(json, "energy_j", sum->energy_uj);
	else
		es_json_null(json, "energy_j");
	put_known(json, "uncertainty_j", sum->is_known, sum->uncertainty_j);
	if (domain->accuracy_ppm)
		es_json_u64(json, "accuracy_ppm", domain->accuracy_ppm);
	else
		es_json_null(json, "accuracy_ppm");
	if (sum->filled_uj > sum->held_uj)
		put_uj(json, "filled_j", sum->filled_uj - sum->held_uj);
	put_mw(json, "mean_w", sum->is_known, sum->mean_mw);
	put_mw(json, "max_w", sum->is_known && sum->max_mw, sum->max_mw);
	put_mw(json, "limit_w", domain->limit_mw, domain->limit_mw);
	put_text(json, "limit_kind", domain->limit_kind);
	if (domain->update_period_ns)
		es_json_decimal(json, "update_period_ms", domain->update_period_ns, 6);
	else
		es_json_null(json, "update_period_ms");
	es_json_decimal(json, "period_ms", es_domain_period_ns(domain, report->meta->period_ns), 6);
	put_known(json, "load", sum->is_known && domain->limit_mw,
		  domain->limit_mw ? (double)sum->mean_mw / (double)domain->limit_mw : 0);
	put_instances(domain, json);
	es_json_object_end(json);
}

static void put_energy(const struct es_report *report, struct es_json *json)
{
	bool is_known = report->has_energy;

	es_json_object(json, "energy");
	put_known(json, "measured_j", es_report_is_metered(report), report->measured_j);
	put_known(json, "node_j", is_known, report->node_j);
	put_known(json, "facility_j", is_known, report->facility_j);
	put_known(json, "uncertainty_j", is_known, report->uncertainty_j);
	es_json_string(json, "kind", es_report_kind(report));
	put_known(json, "time_coverage", is_known, report->time_coverage);
	put_known(json, "metered_share", is_known, report->metered_share);
	put_known(json, "load", report->has_load, report->load);
	es_json_array(json, "by_domain");
	for (size_t i = 0; i < report->meta->n_domains; i++)
		put_domain(report, i, json);
	es_json_array_end(json);
	if (es_report_is_metered(report))
		es_json_decimal(json, "residual_j",
				(int64_t)report->total_uj - (int64_t)report->fine_uj, 6);
	else
		es_json_null(json, "residual_j");
	es_report_unseen_members(report, json);
	es_report_baseline_members(report, json);
	es_report_share_members(report, json);
	es_json_object_end(json);
}

static void put_chain(const struct es_report *report, struct es_json *json)
{
	es_carbon_json(report, json);
	es_json_object(json, "pue");
	es_json_double(json, "value", report->options.pue);
	es_json_string(json, "source", report->options.pue_source);
	es_json_object_end(json);
	es_json_object(json, "model");
	es_report_model_members(report, json);
	es_json_object_end(json);
}

static void put_regions(const struct es_report *report, struct es_json *json)
{
	es_json_array(json, "regions");
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];

		es_json_object(json, NULL);
		es_json_string(json, "name", region->name);
		put_time(json, "start", report, region->start_ns);
		put_time(json, "stop", report, region->stop_ns);
		es_json_decimal(json, "duration_s", region->dur_ns, 9);
		es_json_u64(json, "calls", region->n_calls);
		if (region->is_known)
			put_uj(json, "energy_j", region->energy_uj);
		else
			es_json_null(json, "energy_j");
		put_known(json, "uncertainty_j", region->is_known, region->uncertainty_j);
		put_mw(json, "mean_w", region->is_known && region->dur_ns > 0,
		       es_mean_power_mw(region->energy_uj, region->dur_ns));
		es_region_json(report, region, json);
		es_work_json_region(report, i, json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_region_json_rest(report, json);
}

static void put_period(struct es_json *json, const char *key, int64_t period_ns)
{
	if (period_ns)
		es_json_decimal(json, key, period_ns, 6);
	else
		es_json_null(json, key);
}

static void put_quality(const struct es_report *report, struct es_json *json)
{
	char reason[ES_REPORT_RELEASE_TEXT_BYTES];

	es_json_object(json, "quality");
	es_json_object(json, "period_ms");
	put_period(json, "planned", report->meta->period_ns);
	put_period(json, "mean", report->mean_period_ns);
	put_period(json, "max", report->max_period_ns);
	es_json_object_end(json);
	es_json_u64(json, "missed", report->n_missed);
	es_json_array(json, "gaps");
	for (size_t i = 0; i < report->n_gaps_kept; i++) {
		es_json_object(json, NULL);
		es_json_string(json, "node", report->meta->nodes[report->gaps[i].node].name);
		put_time(json, "start", report, report->gaps[i].start_ns);
		put_time(json, "stop", report, report->gaps[i].stop_ns);
		es_json_bool(json, "energy_known", report->gaps[i].has_energy);
		es_json_string(json, "reason",
			       es_report_gap_reason(report, &report->gaps[i], reason));
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "gaps_total", report->n_gaps);
	if (report->options.merge)
		es_merge_members(report->options.merge, json);
	else
		es_json_null(json, "clocks");
	es_json_u64(json, "rejected", report->n_rejected);
	es_json_u64(json, "wraps", report->n_wraps);
	es_json_u64(json, "resets", report->n_resets);
	es_json_u64(json, "ambiguous", report->n_ambiguous);
	put_text(json, "failed", report->failed_text);
	es_report_put_faults_json(report, json);
	es_json_decimal(json, "suspended_s", report->suspended_ns, 9);
	es_json_decimal(json, "clock_stepped_s", report->clock_stepped_ns, 9);
	es_json_bool(json, "whole", report->is_whole);
	es_report_daemon_members(&report->daemon, json);
	es_json_string(json, "sampling", report->mean_period_ns ? es_report_quality(report) : NULL);
	es_json_object_end(json);
}

/* Our part of the energy by our part of the machine's CPU time: attributed. */
static void put_overhead(const struct es_report *report, struct es_json *json)
{
	es_json_object(json, "overhead");
	if (report->own_cpu_ns >= 0)
		es_json_decimal(json, "cpu_s", report->own_cpu_ns, 9);
	else
		es_json_null(json, "cpu_s");
	put_known(json, "energy_j",
		  report->has_energy && report->own_cpu_ns >= 0 &&
			  report->busy_ns >= report->own_cpu_ns && report->busy_ns > 0,
		  report->busy_ns > 0
			  ? report->node_j * (double)report->own_cpu_ns / (double)report->busy_ns
			  : 0);
	es_json_object_end(json);
}

void es_report_members(const struct es_report *report, struct es_json *json)
{
	put_job(report, json);
	put_energy(report, json);
	put_chain(report, json);
	put_regions(report, json);
	es_work_json(report, json);
	es_report_signals_json(report, json);
	es_report_activity_json(report, json);
	es_insights_json(report, json);
	put_quality(report, json);
	put_overhead(report, json);
	es_price_json(report, json);
}
