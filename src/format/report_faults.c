/*
 * report_faults.c - what went wrong with the readings of a recording, by domain
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_faults.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "record/fault.h"

#define ROWS_MAX 8U

/* By code of a failed read; what is in no row is "read_failed". */
static const struct {
	const char *code, *name;
} names[] = {
	{ ES_FAULT_SLOW, "slow" },	 { "EBADMSG", "garbage" },
	{ "ERANGE", "out_of_range" },	 { "ENODATA", "no_data" },
	{ "ENODEV", "vanished" },	 { "ENOENT", "vanished" },
	{ "ENXIO", "vanished" },	 { "ESTALE", "stale" },
	{ "ENOTCONN", "vanished" },	 { "EACCES", "denied" },
	{ "EPERM", "denied" },		 { "EMFILE", "no_descriptors" },
	{ "ENFILE", "no_descriptors" },	 { "ETIMEDOUT", "timed_out" },
	{ "ECONNREFUSED", "no_answer" }, { "ECONNRESET", "no_answer" },
	{ "EHOSTUNREACH", "no_answer" }, { "EKEYREJECTED", "untrusted" },
	{ "EPROTO", "untrusted" },
};

static const char *name_of(const char *code)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(names); i++)
		if (strcmp(names[i].code, code) == 0)
			return names[i].name;
	return "read_failed";
}

static struct es_report_fault *add(struct es_report *report, size_t domain, const char *name)
{
	struct es_report_fault *fault;

	report->n_faults_total++;
	if (report->n_faults == ES_REPORT_FAULTS_MAX)
		return NULL;
	if (!report->faults) {
		report->faults = calloc(ES_REPORT_FAULTS_MAX, sizeof(*report->faults));
		if (!report->faults)
			return NULL;
	}
	fault = &report->faults[report->n_faults++];
	*fault = (struct es_report_fault){ .domain = domain, .name = name };
	return fault;
}

static struct es_report_fault *find(struct es_report *report, const struct es_fault *fault)
{
	for (size_t i = 0; i < report->n_faults; i++)
		if (report->faults[i].domain == fault->domain &&
		    strcmp(report->faults[i].code, fault->code) == 0)
			return &report->faults[i];
	return add(report, fault->domain, name_of(fault->code));
}

static void say_last(struct es_report *report, size_t domain, const char *text)
{
	report->n_failed++;
	(void)snprintf(report->failed_text, sizeof(report->failed_text), "%.120s: %.120s",
		       report->domains[domain].id, text);
}

static void say_duration(char *text, size_t size, const char *before, int64_t dur_ns,
			 const char *after)
{
	char dur[ES_QUANTITY_TEXT_BYTES];

	(void)snprintf(text, size, "%s%s%s", before, es_duration_text(dur_ns, dur), after);
}

int es_report_note_fault(struct es_report *report, const struct es_event *event)
{
	struct es_report_fault *known;
	struct es_fault fault;
	char last[96];

	if (event->type == ES_EVENT_READ_FAILED) {
		if (event->value >= 0 && (size_t)event->value < report->meta->n_domains)
			say_last(report, (size_t)event->value, event->text);
		return 0;
	}
	if (es_fault_get(event, &fault) < 0 || fault.domain >= report->meta->n_domains)
		return 0;
	known = find(report, &fault);
	if (!known)
		return report->faults ? 0 : -ENOMEM;
	(void)snprintf(known->code, sizeof(known->code), "%s", fault.code);
	known->n = fault.n;
	known->first_ns = fault.first_ns;
	known->last_ns = fault.last_ns;
	known->longest_ns = fault.longest_ns;
	if (fault.longest_ns)
		say_duration(known->text, sizeof(known->text), "a read took up to ",
			     fault.longest_ns, "");
	else
		(void)snprintf(known->text, sizeof(known->text), "%.*s",
			       (int)sizeof(known->text) - 1, es_fault_words(fault.code));
	(void)snprintf(last, sizeof(last), "%" PRIu64 " reads failed, last: %.60s", fault.n,
		       known->text);
	if (strcmp(fault.code, ES_FAULT_SLOW) != 0)
		say_last(report, fault.domain, last);
	return 0;
}

void es_report_note_cpus(struct es_report *report, const struct es_event *event)
{
	struct es_report_cpus *cpus = &report->cpus;
	uint32_t n = event->value > 0 && event->value <= UINT32_MAX ? (uint32_t)event->value : 0;

	if (n == 0)
		return;
	if (cpus->n_changes++ == 0) {
		cpus->first = report->meta->n_nodes ? report->meta->nodes[0].n_cpus : 0;
		cpus->least = cpus->first && cpus->first < n ? cpus->first : n;
		cpus->most = cpus->first;
	}
	cpus->least = n < cpus->least ? n : cpus->least;
	cpus->most = n > cpus->most ? n : cpus->most;
	cpus->last = n;
}

bool es_report_has_failed(const struct es_report *report, const struct es_track *track,
			  size_t domain)
{
	for (size_t i = 0; i < report->n_faults; i++)
		if (report->faults[i].domain == domain &&
		    strcmp(report->faults[i].code, ES_FAULT_SLOW) != 0)
			return true;
	return track->rejected.n > 0;
}

int64_t es_report_slowest_ns(const struct es_report *report, size_t domain)
{
	for (size_t i = 0; i < report->n_faults; i++)
		if (report->faults[i].domain == domain &&
		    strcmp(report->faults[i].code, ES_FAULT_SLOW) == 0)
			return report->faults[i].longest_ns;
	return 0;
}

static void add_mark(struct es_report *report, size_t domain, const struct es_track_mark *mark,
		     const char *name, const char *text)
{
	struct es_report_fault *fault = mark->n ? add(report, domain, name) : NULL;

	if (!fault)
		return;
	fault->n = mark->n;
	fault->first_ns = mark->first_t_ns;
	fault->last_ns = mark->last_t_ns;
	(void)snprintf(fault->text, sizeof(fault->text), "%.*s", (int)sizeof(fault->text) - 1,
		       text);
}

static void add_stood(struct es_report *report, size_t domain, const struct es_track *track)
{
	char text[ES_QUANTITY_TEXT_BYTES + 64];

	/* One that never moves at all is told as such. */
	if (!track->has_moved || report->domains[domain].state == ES_STATE_DEAD)
		return;
	say_duration(text, sizeof(text), "did not move for ", track->stood_ns,
		     track->lost_ns ? ": its energy may lack what was drawn meanwhile"
				    : " in all, and made up for it");
	add_mark(report, domain, &track->stood, "stood_still", text);
}

/* A processor or its memory that has a meter, of which nothing is known, and that nothing else covers. */
static bool is_lacking(const struct es_report *report, size_t domain)
{
	const struct es_domain *part = &report->domains[domain];

	if (report->by_domain[domain].is_known || part->state == ES_STATE_DUPLICATE ||
	    part->kind == ES_KIND_ESTIMATED || part->is_partial ||
	    (part->type != ES_DOMAIN_PACKAGE && part->type != ES_DOMAIN_DIE &&
	     part->type != ES_DOMAIN_DRAM))
		return false;
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *other = &report->domains[i];

		if (i != domain && other->node == part->node && other->is_chosen_total &&
		    report->by_domain[i].is_known &&
		    (es_domain_contains(other, part) || es_domain_is_twin(other, part)))
			return false;
	}
	return true;
}

int es_report_find_faults(struct es_report *report, const struct es_watch *watch)
{
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_track *track = &watch->tracks[i];

		report->by_domain[i].is_lacking = report->has_energy && is_lacking(report, i);
		report->lacks_part = report->lacks_part || report->by_domain[i].is_lacking;
		if (report->domains[i].state == ES_STATE_DUPLICATE)
			continue;
		add_mark(report, i, &track->rejected, "rejected",
			 "fitted nothing before and after, not counted");
		add_mark(report, i, &track->reset, "reset", "the counter began anew");
		add_stood(report, i, track);
	}
	return report->n_faults_total && !report->faults ? -ENOMEM : 0;
}

/* A meter may have failed while it was opened, before the command began. */
static int64_t since_start(const struct es_report *report, int64_t t_ns)
{
	return t_ns > report->start_ns ? t_ns - report->start_ns : 0;
}

static void put_row(const struct es_report *report, const struct es_report_fault *fault,
		    const char *label, struct es_buf *out)
{
	char first[ES_QUANTITY_TEXT_BYTES], last[ES_QUANTITY_TEXT_BYTES];

	(void)es_buf_printf(out, "  %-10s %.80s: %s", label, report->domains[fault->domain].id,
			    fault->name);
	(void)es_duration_text(since_start(report, fault->first_ns), first);
	(void)es_duration_text(since_start(report, fault->last_ns), last);
	if (fault->n > 1)
		(void)es_buf_printf(out, " %" PRIu64 " times, +%s to +%s: %s\n", fault->n, first,
				    last, fault->text);
	else
		(void)es_buf_printf(out, " at +%s: %s\n", first, fault->text);
}

/* How many there were at the start not every recording says. */
static void put_cpus(const struct es_report_cpus *cpus, struct es_buf *out)
{
	char first[16] = "n/a";

	if (cpus->n_changes == 0)
		return;
	if (cpus->first)
		(void)snprintf(first, sizeof(first), "%u", cpus->first);
	(void)es_buf_printf(
		out,
		"  %-10s %s hardware threads online at the start, %u at the end; %u to %u meanwhile\n",
		"CPUs", first, cpus->last, cpus->least, cpus->most);
}

void es_report_put_faults(const struct es_report *report, struct es_buf *out)
{
	for (size_t i = 0; i < report->n_faults && i < ROWS_MAX; i++)
		put_row(report, &report->faults[i], i == 0 ? "failed" : "", out);
	if (report->n_faults_total > ROWS_MAX)
		(void)es_buf_printf(out, "  %-10s and %zu more kinds of failures\n", "",
				    report->n_faults_total - ROWS_MAX);
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->by_domain[i].is_lacking)
			(void)es_buf_printf(
				out,
				"  %-10s %.80s: not in the node's energy, for nothing is known of it\n",
				"lacks", report->domains[i].id);
	put_cpus(&report->cpus, out);
}

static void put_time(struct es_json *json, const char *key, const struct es_report *report,
		     int64_t t_ns)
{
	char text[ES_TIME_TEXT_BYTES];

	es_json_string(json, key, es_time_rfc3339(es_report_unix_ns(report, t_ns), text));
}

static void put_cpus_json(const struct es_report_cpus *cpus, struct es_json *json)
{
	if (!cpus->n_changes) {
		es_json_null(json, "cpus_online");
		return;
	}
	es_json_object(json, "cpus_online");
	if (cpus->first)
		es_json_u64(json, "first", cpus->first);
	else
		es_json_null(json, "first");
	es_json_u64(json, "last", cpus->last);
	es_json_u64(json, "min", cpus->least);
	es_json_u64(json, "max", cpus->most);
	es_json_u64(json, "changes", cpus->n_changes);
	es_json_object_end(json);
}

void es_report_put_faults_json(const struct es_report *report, struct es_json *json)
{
	es_json_array(json, "faults");
	for (size_t i = 0; i < report->n_faults; i++) {
		const struct es_report_fault *fault = &report->faults[i];
		const struct es_domain *domain = &report->domains[fault->domain];
		bool is_errno = fault->code[0] && strcmp(fault->code, ES_FAULT_SLOW) != 0;

		es_json_object(json, NULL);
		es_json_string(json, "node", report->meta->nodes[domain->node].name);
		es_json_string(json, "domain", domain->name);
		es_json_string(json, "id", domain->id);
		es_json_string(json, "fault", fault->name);
		es_json_u64(json, "count", fault->n);
		put_time(json, "first", report, fault->first_ns);
		put_time(json, "last", report, fault->last_ns);
		es_json_string(json, "errno", is_errno ? fault->code : NULL);
		es_json_string(json, "text", fault->text);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "faults_total", report->n_faults_total);
	es_json_array_inline(json, "lacks");
	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->by_domain[i].is_lacking)
			es_json_string(json, NULL, report->domains[i].name);
	es_json_array_end(json);
	put_cpus_json(&report->cpus, json);
}
