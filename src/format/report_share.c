/*
 * report_share.c - the command's own share of the node's energy, beside it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_share.h"

#include <math.h>

#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

/* By the machine's CPU time nothing can be told of what is a job's share of it already. */
static bool is_tellable(const struct es_report *report)
{
	return es_report_is_metered(report) && !(report->kinds & 1u << ES_KIND_ESTIMATED) &&
	       report->meta->n_nodes == 1 && report->meta->virt != ES_VIRT_CONTAINER &&
	       report->is_whole && !report->options.from_ns && !report->options.to_ns &&
	       es_report_launch_is_alone(&report->launch) && !report->daemon.is_share &&
	       !es_report_is_shared(report);
}

static int64_t step_of_busy_ns(const struct es_report *report)
{
	int64_t step_ns = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].has_activity &&
		    report->domains[i].update_period_ns > step_ns)
			step_ns = report->domains[i].update_period_ns;
	return step_ns;
}

void es_report_share_sum(struct es_report *report)
{
	const struct es_report_baseline *baseline = &report->baseline;
	const struct es_meta *meta = report->meta;
	/* An affinity mask may be anybody's; what a scheduler gives belongs to the job alone. */
	bool is_scheduled = meta->partition[0] || meta->account[0] || meta->step[0];
	struct es_share_of of = { .energy_j = es_j_from_uj(report->total_uj),
				  .uncertainty_j = report->uncertainty_j,
				  .dur_ns = report->stop_ns - report->start_ns,
				  .cpu_ns = report->child_cpu_ns,
				  .busy_ns = report->busy_ns,
				  .has_idle = baseline->is_known,
				  .idle_w = baseline->power_w };

	if (!is_tellable(report))
		return;
	of.busy_step_ns = step_of_busy_ns(report);
	/* From one side only nobody knows how far it moved: it may be as far as it is high. */
	of.idle_uncertainty_w = baseline->has_uncertainty
					? fabs(baseline->after_w - baseline->before_w) / 2
					: baseline->power_w;
	if (is_scheduled) {
		of.n_allocated = meta->n_cpus;
		of.n_cpus = meta->nodes[0].n_cpus;
	}
	report->share.is_known = es_share_by_cpu_time(&of, &report->share.share) == 0;
}

void es_report_share_rows(const struct es_report *report, struct es_buf *out)
{
	const struct es_share *share = &report->share.share;

	if (!report->share.is_known)
		return;
	(void)es_buf_printf(
		out, "  %-10s %.3f J ±%.3f J to the command by CPU time (%.1f %% of the machine's)",
		"attributed", share->energy_j, share->uncertainty_j, 100.0 * share->share);
	if (share->idle == ES_SHARE_IDLE_NOT_APART)
		(void)es_buf_printf(out, ", idle power not known apart: --baseline\n");
	else
		(void)es_buf_printf(out, ", %.3f J of idle power %s\n", share->idle_j,
				    es_share_idle_name(share->idle));
}

void es_report_share_members(const struct es_report *report, struct es_json *json)
{
	const struct es_share *share = &report->share.share;

	if (!report->share.is_known) {
		es_json_null(json, "attributed");
		return;
	}
	es_json_object(json, "attributed");
	es_json_string(json, "rule", "cpu_time");
	es_json_double(json, "share", share->share);
	es_json_double(json, "energy_j", share->energy_j);
	es_json_double(json, "uncertainty_j", share->uncertainty_j);
	es_json_string(json, "idle", es_share_idle_name(share->idle));
	es_json_double(json, "idle_j",
		       share->idle == ES_SHARE_IDLE_NOT_APART ? NAN : share->idle_j);
	es_json_object_end(json);
}
