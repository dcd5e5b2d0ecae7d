/*
 * report_baseline.c - the command's energy above what the same meters showed while nothing was measured
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_baseline.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

static const char before[] = "before ", after[] = "after ";

int es_report_baseline_text(bool is_before, const char *id, char *text, size_t size)
{
	int n = snprintf(text, size, "%s%s", is_before ? before : after, id);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int es_report_baseline_note(struct es_report *report, const struct es_event *event)
{
	struct es_report_baseline *baseline = &report->baseline;
	bool is_before = strncmp(event->text, before, sizeof(before) - 1) == 0;
	const char *id = event->text + (is_before ? sizeof(before) : sizeof(after)) - 1;

	if ((!is_before && strncmp(event->text, after, sizeof(after) - 1) != 0) ||
	    event->value < 0 || report->meta->n_domains == 0)
		return 0;
	if (!baseline->domains)
		baseline->domains = calloc(report->meta->n_domains, sizeof(*baseline->domains));
	if (!baseline->domains)
		return -ENOMEM;
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		struct es_idle_power *power = &baseline->domains[i];

		if (strcmp(report->domains[i].id, id) != 0)
			continue;
		*(is_before ? &power->has_before : &power->has_after) = true;
		*(is_before ? &power->before_mw : &power->after_mw) = (uint64_t)event->value;
	}
	return 0;
}

void es_report_baseline_sum(struct es_report *report)
{
	struct es_report_baseline *baseline = &report->baseline;
	double dur_s = es_s_from_ns(report->stop_ns - report->start_ns), drift_j;
	size_t n_total = 0;

	if (!baseline->domains || !report->has_energy)
		return;
	baseline->has_before = baseline->has_after = true;
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_idle_power *power = &baseline->domains[i];

		if (!report->domains[i].is_chosen_total || !report->by_domain[i].is_known)
			continue;
		n_total++;
		baseline->has_before = baseline->has_before && power->has_before;
		baseline->has_after = baseline->has_after && power->has_after;
		baseline->before_w += es_w_from_mw(power->before_mw);
		baseline->after_w += es_w_from_mw(power->after_mw);
	}
	baseline->is_known = n_total && (baseline->has_before || baseline->has_after);
	if (!baseline->has_before)
		baseline->power_w = baseline->after_w;
	else if (!baseline->has_after)
		baseline->power_w = baseline->before_w;
	else
		baseline->power_w = (baseline->before_w + baseline->after_w) / 2;
	baseline->above_j = es_j_from_uj(report->total_uj) - baseline->power_w * dur_s;
	/* From one side only nobody knows how the idle power moved meanwhile. */
	baseline->has_uncertainty = baseline->has_before && baseline->has_after;
	if (!baseline->has_uncertainty)
		return;
	drift_j = dur_s * fabs(baseline->after_w - baseline->before_w) / 2;
	baseline->uncertainty_j = hypot(report->uncertainty_j, drift_j);
}

void es_report_baseline_finish(struct es_report_baseline *baseline)
{
	free(baseline->domains);
	baseline->domains = NULL;
}

void es_report_baseline_rows(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_baseline *baseline = &report->baseline;

	if (!baseline->is_known)
		return;
	(void)es_buf_printf(out, "  %-10s %.3f J", "above idle", baseline->above_j);
	if (baseline->has_uncertainty)
		(void)es_buf_printf(out, " ±%.3f J", baseline->uncertainty_j);
	(void)es_buf_printf(out, " above an idle power of %.2f W (", baseline->power_w);
	if (baseline->has_before)
		(void)es_buf_printf(out, "%.2f W before%s", baseline->before_w,
				    baseline->has_after ? ", " : "");
	if (baseline->has_after)
		(void)es_buf_printf(out, "%.2f W after", baseline->after_w);
	(void)es_buf_printf(out, ")\n");
}

static void put_known(struct es_json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		es_json_double(json, key, value);
	else
		es_json_null(json, key);
}

void es_report_baseline_members(const struct es_report *report, struct es_json *json)
{
	const struct es_report_baseline *baseline = &report->baseline;

	if (!baseline->is_known) {
		es_json_null(json, "baseline");
		return;
	}
	es_json_object(json, "baseline");
	es_json_double(json, "power_w", baseline->power_w);
	put_known(json, "before_w", baseline->has_before, baseline->before_w);
	put_known(json, "after_w", baseline->has_after, baseline->after_w);
	es_json_double(json, "above_j", baseline->above_j);
	put_known(json, "uncertainty_j", baseline->has_uncertainty, baseline->uncertainty_j);
	es_json_object_end(json);
}
