/*
 * report_shared.c - of a job on a node that it shares: by which rules its part was told
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_shared.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "core/share_rule.h"
#include "format/merge.h"
#include "format/report.h"

#define LATE_MIN_NS (2 * ES_NS_PER_S) /* a first sweep comes when it can */

static const char *const rule_words[ES_N_SHARE_RULES] = {
	[ES_SHARE_EXCLUSIVE] = "the node is the job's alone",
	[ES_SHARE_DIRECT] = "all of parts that are the job's alone",
	[ES_SHARE_CPU_TIME] = "CPU time",
	[ES_SHARE_ACTIVITY] = "activity on GPUs",
	[ES_SHARE_SLICES] = "slices of GPUs",
	[ES_SHARE_ALLOCATION] = "what is allocated",
	[ES_SHARE_PARTS] = "what the job had of the parts, for what the node draws beside them",
};

static const char *const method_words[ES_N_IDLE_METHODS] = {
	[ES_IDLE_NONE] = "not told apart",
	[ES_IDLE_CONFIGURED] = "as configured, by what is allocated",
	[ES_IDLE_SEEN] = "as seen when this node was at its quietest, by what is allocated",
};

void es_report_shared_note(struct es_report *report, const struct es_event *event)
{
	struct es_report_shared *shared = &report->shared;
	enum es_idle_method method;
	enum es_share_rule rule;
	const char *blank = strchr(event->text, ' ');
	char name[32];

	if (!blank || (size_t)(blank - event->text) >= sizeof(name))
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(blank - event->text), event->text);
	if (es_share_rule_from_name(name, &rule) < 0 ||
	    es_idle_method_from_name(blank + 1, &method) < 0)
		return;
	shared->rules |= 1u << rule;
	shared->methods |= 1u << method;
}

bool es_report_is_shared(const struct es_report *report)
{
	return report->meta->sharing == ES_SHARING_SHARED;
}

static void put_words(const char *label, const char *const *words, int n, unsigned set,
		      const char *before, struct es_buf *out)
{
	bool has_one = false;

	if (set == 0)
		return;
	(void)es_buf_printf(out, "  %-10s %s", label, before);
	for (int i = 0; i < n; i++) {
		if (!(set & 1u << i))
			continue;
		(void)es_buf_printf(out, "%s%s", has_one ? "; " : "", words[i]);
		has_one = true;
	}
	(void)es_buf_u8(out, '\n');
}

static size_t n_measured(const struct es_report *report)
{
	size_t n = 0;

	for (size_t node = 0; node < report->meta->n_nodes; node++)
		for (size_t i = 0; i < report->meta->n_domains; i++)
			if (report->domains[i].node == node && report->by_domain[i].is_known &&
			    report->domains[i].is_chosen_total) {
				n++;
				break;
			}
	return n;
}

/* A daemon that lost a recording, or whose meters became others, begins another one in the middle of a job. */
static int64_t unrecorded_ns(const struct es_report *report)
{
	bool is_told = report->has_command_start && report->has_start &&
		       report->options.from_ns == 0; /* else what was asked for begins later */
	int64_t late_ns = is_told ? report->start_ns - report->command_start_ns : 0;

	return late_ns > LATE_MIN_NS && late_ns > 3 * report->meta->period_ns ? late_ns : 0;
}

void es_report_shared_rows(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_shared *shared = &report->shared;
	char late[ES_QUANTITY_TEXT_BYTES];

	if (report->meta->n_job_nodes > report->meta->n_nodes)
		(void)es_buf_printf(
			out,
			"  %-10s %zu of %u nodes: of the others there is no recording here, and they are not in the energy\n",
			"nodes", n_measured(report), report->meta->n_job_nodes);
	if (unrecorded_ns(report))
		(void)es_buf_printf(
			out,
			"  %-10s the job's first %s, which are in another recording or in none: not in the energy\n",
			"without", es_duration_text(unrecorded_ns(report), late));
	if (report->options.merge)
		es_merge_rows(report->options.merge, out);
	if (!es_report_is_shared(report))
		return;
	put_words("attributed", rule_words, ES_N_SHARE_RULES, shared->rules, "by ", out);
	put_words("idle", method_words, ES_N_IDLE_METHODS, shared->methods, "", out);
}

static void put_names(struct es_json *json, unsigned rules)
{
	es_json_array_inline(json, "rules");
	for (int i = 0; i < ES_N_SHARE_RULES; i++)
		if (rules & 1u << i)
			es_json_string(json, NULL, es_share_rule_name((enum es_share_rule)i));
	es_json_array_end(json);
}

void es_report_shared_members(const struct es_report *report, struct es_json *json)
{
	const struct es_report_shared *shared = &report->shared;
	const char *method = NULL;

	if (report->meta->sharing == ES_SHARING_UNKNOWN)
		es_json_null(json, "exclusive");
	else
		es_json_bool(json, "exclusive", report->meta->sharing == ES_SHARING_EXCLUSIVE);
	es_json_decimal(json, "unrecorded_s", unrecorded_ns(report), 9);
	put_names(json, shared->rules);
	for (int i = 0; i < ES_N_IDLE_METHODS; i++)
		if (shared->methods & 1u << i)
			method = es_idle_method_name((enum es_idle_method)i);
	es_json_string(json, "idle_method", method);
}
