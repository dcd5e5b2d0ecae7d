/*
 * report.c - what a recording says, in numbers ready to be shown
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "core/edges.h"
#include "format/insights.h"
#include "format/regions.h"
#include "format/report_domain.h"
#include "format/report_faults.h"
#include "format/report_gaps.h"
#include "format/report_series.h"
#include "format/tagfile.h"
#include "format/work.h"

/* How often a domain is read by plan; asked for each sample. */
struct pace {
	int64_t planned_ns, hole_ns; /* the latter: longer than that is a hole */
	bool is_fastest; /* no other is read more often */
};

/* What the first walk gathers. */
struct walk {
	struct es_report *report;
	struct es_watch watch;
	struct es_regions *regions;
	struct es_work_logs *work;
	struct es_edges edges;
	struct es_carbon_walk carbon;
	struct pace *paces; /* [domain] */
	int64_t sum_period_ns;
	uint64_t n_periods;
	struct es_report_sweeps sweeps;
	int error;
};

int64_t es_report_unix_ns(const struct es_report *report, int64_t t_boot_ns)
{
	return report->meta->start_unix_ns + (t_boot_ns - report->meta->start_boot_ns);
}

struct es_report_window es_report_window(const struct es_report *report, uint32_t node)
{
	return report->windows && report->windows[node].is_known
		       ? report->windows[node]
		       : (struct es_report_window){ .is_known = report->has_start,
						    .start_ns = report->start_ns,
						    .stop_ns = report->stop_ns };
}

static void widen(struct es_report_window *window, int64_t t_ns)
{
	if (!window->is_known || t_ns < window->start_ns)
		window->start_ns = t_ns;
	if (!window->is_known || t_ns > window->stop_ns)
		window->stop_ns = t_ns;
	window->is_known = true;
}

static bool is_outside(const struct es_report_options *options, int64_t t_ns)
{
	return (options->from_ns && t_ns < options->from_ns) ||
	       (options->to_ns && t_ns > options->to_ns);
}

static int on_sweep(void *arg, int64_t t_ns)
{
	struct walk *walk = arg;

	es_watch_row(&walk->watch);
	walk->report->n_rows++;
	if (is_outside(&walk->report->options, t_ns))
		return 0;
	if (++walk->sweeps.n == 2)
		walk->sweeps.second_ns = t_ns;
	walk->sweeps.last_ns = t_ns;
	return 0;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct walk *walk = arg;
	struct es_report *report = walk->report;

	if (is_outside(&report->options, t_ns))
		return 0;
	if (!report->has_start || t_ns < report->start_ns)
		report->start_ns = t_ns;
	if (!report->has_start || t_ns > report->stop_ns)
		report->stop_ns = t_ns;
	report->has_start = true;
	if (report->windows)
		widen(&report->windows[report->domains[domain].node], t_ns);
	es_watch_reading(&walk->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static void on_first_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct walk *walk = arg;
	struct es_report *report = walk->report;
	const struct pace *pace = &walk->paces[domain];
	int64_t dur_ns = sample->t1_ns - sample->t0_ns;

	/* What is read more seldom on purpose says nothing about the plan; nor does the last reading, which comes
	 * when the command ends, not when a period does. */
	if (pace->is_fastest && !sample->is_gap && 2 * dur_ns > pace->planned_ns) {
		walk->sum_period_ns += dur_ns;
		walk->n_periods++;
		report->max_period_ns = dur_ns > report->max_period_ns ? dur_ns
								       : report->max_period_ns;
	}
	if (sample->is_gap || dur_ns > pace->hole_ns)
		es_report_add_gap(report, report->domains[domain].node, sample);
	es_edges_sample(&walk->edges, domain, sample);
	es_carbon_walk_sample(&walk->carbon, domain, sample);
	if (report->series)
		es_report_series_add(report, domain, sample);
}

static int note_tag(struct walk *walk, const struct es_event *event)
{
	/* The two that every recording has, whatever somebody marked under their names. */
	if (es_region_is_automatic(event->text))
		return 0;
	es_edges_note(&walk->edges, event->t_ns);
	return event->type == ES_EVENT_TAG_START
		       ? es_regions_start(walk->regions, event->text, event->t_ns)
		       : es_regions_stop(walk->regions, event->text, event->t_ns);
}

/* CPU times of the recorders of several nodes add up. */
static void add_time(int64_t *sum_ns, int64_t time_ns)
{
	if (*sum_ns < 0 || __builtin_add_overflow(*sum_ns, time_ns, sum_ns))
		*sum_ns = time_ns;
}

/* What is noted as it is: nothing else hangs on it. */
static void note_fact(struct es_report *report, const struct es_event *event)
{
	size_t n = strlen(report->survivors);

	switch (event->type) {
	case ES_EVENT_MISSED:
		report->n_missed += event->value > 0 ? (uint64_t)event->value : 0;
		break;
	case ES_EVENT_CLOCK_STEP:
		if (__builtin_add_overflow(report->clock_stepped_ns, event->value,
					   &report->clock_stepped_ns))
			report->clock_stepped_ns = event->value < 0 ? -INT64_MAX : INT64_MAX;
		break;
	case ES_EVENT_CPUS_ONLINE:
		es_report_note_cpus(report, event);
		break;
	case ES_EVENT_SURVIVOR:
		(void)snprintf(report->survivors + n, sizeof(report->survivors) - n,
			       "%s%.32s (%lld)", n ? ", " : "", event->text,
			       (long long)event->value);
		break;
	case ES_EVENT_NOTE:
		es_report_activity_note(report, event);
		break;
	case ES_EVENT_SHARED:
		es_report_shared_note(report, event);
		break;
	case ES_EVENT_RELEASED:
		es_report_note_release(report, event);
		break;
	case ES_EVENT_ATTACHED:
		report->attached_pid = event->value;
		(void)snprintf(report->attached, sizeof(report->attached), "%.60s", event->text);
		break;
	case ES_EVENT_CHILD_CPU:
		add_time(&report->child_cpu_ns, event->value);
		break;
	case ES_EVENT_LAUNCH:
		es_report_launch_parse(event->text, event->value, &report->launch);
		break;
	case ES_EVENT_DAEMON:
		es_report_daemon_parse(event->text, event->value, &report->daemon);
		break;
	case ES_EVENT_END:
		if (event->value > 0) /* imports have none */
			add_time(&report->own_cpu_ns, event->value);
		break;
	default:
		break;
	}
}

static int on_signal(void *arg, size_t signal, int64_t t_ns, uint64_t value)
{
	struct walk *walk = arg;

	if (!is_outside(&walk->report->options, t_ns))
		es_report_signals_note(walk->report, signal, t_ns, value);
	return 0;
}

/* Of several nodes: from the first that began to the last that ended; one that failed is why all did. */
static void note_command(struct es_report *report, const struct es_event *event)
{
	if (event->type == ES_EVENT_COMMAND_START) {
		if (!report->has_command_start || event->t_ns < report->command_start_ns)
			report->command_start_ns = event->t_ns;
		report->has_command_start = true;
		return;
	}
	if (!report->has_command_stop || event->t_ns > report->command_stop_ns)
		report->command_stop_ns = event->t_ns;
	if (!report->has_command_stop || report->command_status == 0)
		report->command_status = event->value;
	report->has_command_stop = true;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct walk *walk = arg;
	struct es_report *report = walk->report;

	switch (event->type) {
	case ES_EVENT_COMMAND_START:
	case ES_EVENT_COMMAND_STOP:
		note_command(report, event);
		es_edges_note(&walk->edges, event->t_ns);
		break;
	case ES_EVENT_TAG_START:
	case ES_EVENT_TAG_STOP:
		walk->error = note_tag(walk, event);
		break;
	case ES_EVENT_WORK:
		walk->error = es_work_logs_note(walk->work, event,
						report->has_command_start ? report->command_start_ns
									  : INT64_MIN);
		break;
	case ES_EVENT_SUSPEND:
		if (__builtin_add_overflow(report->suspended_ns, event->value,
					   &report->suspended_ns))
			report->suspended_ns = INT64_MAX;
		es_watch_sleep(&walk->watch, event->value);
		break;
	case ES_EVENT_READ_FAILED:
	case ES_EVENT_FAULT:
		walk->error = es_report_note_fault(report, event);
		break;
	case ES_EVENT_BASELINE:
		walk->error = es_report_baseline_note(report, event);
		break;
	default:
		note_fact(report, event);
		break;
	}
	return walk->error;
}

/* The node of a recording that has CPU time; imports have none. */
static void judge(struct es_report *report, const struct es_watch *watch)
{
	const struct es_meta *meta = report->meta;
	uint32_t n_cpus = meta->n_nodes == 1 ? meta->nodes[0].n_cpus : 0;
	uint32_t n_packages = meta->n_nodes == 1 ? meta->nodes[0].n_packages : 0;

	/* CPU time proves something of a package where the others could not hold it, however many there were. */
	if (n_cpus && report->cpus.most > n_cpus)
		n_cpus = report->cpus.most;

	es_watch_evidence(watch, n_cpus, n_packages, false, report->evidence);
	es_cover_judge(report->domains, meta->n_domains, report->evidence);
	es_cover_choose(report->domains, meta->n_domains, report->evidence, report->options.psys);
}

static void sum_covers(struct es_report *report)
{
	double variance = 0, estimated_j = 0, unknown_j = 0, accuracy_j = 0, covered = 0;
	size_t n_total = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_report_domain *sum = &report->by_domain[i];
		enum es_kind kind = report->domains[i].kind;
		bool is_estimate = es_domain_is_estimate(&report->domains[i]);
		struct es_report_window window = es_report_window(report, report->domains[i].node);
		int64_t dur_ns = window.stop_ns - window.start_ns;

		if (sum->is_known && report->domains[i].is_chosen)
			report->fine_uj += sum->energy_uj;
		if (!report->domains[i].is_chosen_total)
			continue;
		n_total++;
		if (!sum->is_known)
			continue;
		covered += dur_ns > 0 ? (double)(sum->covered_ns + sum->held_ns) / (double)dur_ns
				      : 1.0;
		report->has_energy = true;
		report->total_uj += sum->energy_uj;
		report->kinds |= 1u << kind | (is_estimate || sum->filled_uj > sum->held_uj
						       ? 1u << ES_KIND_ESTIMATED
						       : 0u);
		if (is_estimate) {
			estimated_j += sum->uncertainty_j;
		} else {
			report->metered_uj += sum->energy_uj - sum->filled_uj + sum->held_uj;
			/* What happens in a gap of one domain goes with what happens in those of others; meters of one make err alike. */
			variance += pow(sum->uncertainty_j - sum->unknown_j - sum->accuracy_j, 2);
			unknown_j += sum->unknown_j;
			accuracy_j += sum->accuracy_j;
		}
	}
	report->has_estimate = report->kinds & 1u << ES_KIND_ESTIMATED;
	report->time_coverage = n_total ? fmin(covered / (double)n_total, 1.0) : 0.0;
	report->accuracy_j = accuracy_j;
	report->uncertainty_j = sqrt(variance) + unknown_j + accuracy_j + estimated_j;
}

static void sum_quality(struct es_report *report, const struct walk *walk)
{
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_track *track = &walk->watch.tracks[i];

		if (report->domains[i].state == ES_STATE_DUPLICATE)
			continue;
		report->n_rejected += track->n_rejected;
		report->n_ambiguous += track->n_ambiguous;
		report->n_resets += track->n_resets;
		report->n_wraps += track->n_wraps;
	}
	/* The watch knows one machine: CPU times of several nodes have origins of their own. */
	if (walk->watch.has_busy && report->meta->n_nodes == 1)
		report->busy_ns = walk->watch.busy_last_ns - walk->watch.busy_first_ns;
	report->mean_period_ns = walk->n_periods ? walk->sum_period_ns / (int64_t)walk->n_periods
						 : 0;
}

/* Processors against their limits over the whole time: a gauge of load, it says nothing about useful work. */
static void sum_load(struct es_report *report)
{
	double limit_j = 0, energy_j = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];

		if (!domain->is_chosen || !domain->limit_mw || !report->by_domain[i].is_known ||
		    (domain->type != ES_DOMAIN_PACKAGE && domain->type != ES_DOMAIN_DIE))
			continue;
		limit_j += es_w_from_mw(domain->limit_mw) *
			   es_s_from_ns(report->by_domain[i].covered_ns);
		energy_j += es_j_from_uj(report->by_domain[i].energy_uj -
					 report->by_domain[i].filled_uj);
	}
	report->has_load = limit_j > 0;
	report->load = limit_j > 0 ? energy_j / limit_j : 0.0;
}

static int allocate(struct es_report *report)
{
	size_t n = report->meta->n_domains;

	report->domains = calloc(n + 1, sizeof(*report->domains));
	report->evidence = calloc(n + 1, sizeof(*report->evidence));
	report->by_domain = calloc(n + 1, sizeof(*report->by_domain));
	report->gaps = calloc(ES_REPORT_GAPS_MAX, sizeof(*report->gaps));
	if (report->is_joined)
		report->windows = calloc(report->meta->n_nodes, sizeof(*report->windows));
	if (report->options.has_profile)
		report->series = calloc(n + 1, sizeof(*report->series));
	if (!report->domains || !report->evidence || !report->by_domain || !report->gaps ||
	    (report->is_joined && !report->windows))
		return -ENOMEM;
	if (n)
		memcpy(report->domains, report->meta->domains, n * sizeof(*report->domains));
	return es_report_signals_init(report);
}

static int plan_paces(struct walk *walk)
{
	const struct es_report *report = walk->report;
	int64_t fastest_ns = INT64_MAX;
	size_t n = report->meta->n_domains;

	walk->paces = calloc(n + 1, sizeof(*walk->paces));
	if (!walk->paces)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct pace *pace = &walk->paces[i];

		pace->planned_ns =
			es_domain_period_ns(&report->domains[i], report->meta->period_ns);
		pace->hole_ns = es_report_hole_ns(&report->domains[i], report->meta->period_ns);
		fastest_ns = pace->planned_ns < fastest_ns ? pace->planned_ns : fastest_ns;
	}
	for (size_t i = 0; i < n; i++)
		walk->paces[i].is_fastest = walk->paces[i].planned_ns == fastest_ns;
	return 0;
}

static int walk_once(struct es_recording *recording, struct es_report *report, struct walk *walk)
{
	static const struct es_visitor visitor = {
		.reading = on_reading, .sweep = on_sweep, .event = on_event, .signal = on_signal
	};
	int r = es_watch_init(&walk->watch, report->domains, report->meta->n_domains,
			      report->meta->period_ns);

	if (r == 0)
		r = es_edges_init(&walk->edges, report->meta->n_domains);
	if (r == 0)
		r = plan_paces(walk);
	if (r == 0)
		r = es_carbon_walk_init(&walk->carbon, report);
	if (r < 0)
		return r;
	walk->watch.on_sample = on_first_sample;
	walk->watch.arg = walk;
	r = es_recording_walk(recording, &visitor, walk);
	if (r < 0)
		return r;
	es_watch_end(&walk->watch);
	es_report_series_close(report);
	report->is_whole = es_recording_is_whole(recording);
	report->lost_bytes = es_recording_lost_bytes(recording);
	judge(report, &walk->watch);
	for (size_t i = 0; i < report->meta->n_domains; i++)
		es_report_sum_domain(report, &walk->watch.tracks[i], i, &walk->sweeps,
				     walk->paces[i].hole_ns);
	es_report_close_gaps(report);
	sum_covers(report);
	es_report_unseen_sum(report);
	es_report_follow_chain(report);
	es_report_baseline_sum(report);
	sum_load(report);
	sum_quality(report, walk);
	es_report_share_sum(report);
	es_report_signals_settle(report);
	es_report_activity_settle(report);
	return es_report_find_faults(report, &walk->watch);
}

static int add_automatic_regions(struct es_report *report, struct es_regions *regions)
{
	int r = es_regions_start(regions, "es_total", report->start_ns);

	if (r == 0)
		r = es_regions_stop(regions, "es_total", report->stop_ns);
	if (r < 0 || !report->has_command_start)
		return r;
	r = es_regions_start(regions, "es_appli_total", report->command_start_ns);
	/* Without its end (killed recorder) the command lasts as long as the recording. */
	if (r == 0)
		r = es_regions_stop(regions, "es_appli_total",
				    report->has_command_stop ? report->command_stop_ns
							     : report->stop_ns);
	return r;
}

int es_report_build(struct es_recording *recording, const struct es_report_options *options,
		    struct es_report *ret, struct es_error *err)
{
	struct es_report report = { .meta = es_recording_meta(recording),
				    .options = *options,
				    .is_joined = es_recording_n_parts(recording) > 1,
				    .own_cpu_ns = -1,
				    .child_cpu_ns = -1,
				    .busy_ns = -1,
				    .launch = ES_REPORT_LAUNCH_UNKNOWN };
	struct es_regions *regions = es_regions_create();
	struct walk walk = { .report = &report, .regions = regions, .work = es_work_logs_create() };
	struct es_error why = { .code = 0 };
	int r = regions && walk.work ? allocate(&report) : -ENOMEM;

	if (r == 0)
		r = walk_once(recording, &report, &walk);
	if (r == 0)
		r = add_automatic_regions(&report, regions);
	if (r == 0 && options->tags)
		r = es_tagfile_add(options->tags, &report, regions, &why);
	if (r == 0)
		r = es_regions_measure(regions, recording,
				       options->from_ns || options->to_ns ? NULL : &walk.edges,
				       &report);
	if (r == 0)
		r = es_work_sum(walk.work, &report);
	if (r == 0)
		r = es_carbon_settle(&walk.carbon, walk.watch.tracks, &report);
	if (r == 0)
		es_insights_find(&report);
	es_watch_finish(&walk.watch);
	es_edges_finish(&walk.edges);
	es_carbon_walk_finish(&walk.carbon);
	free(walk.paces);
	es_regions_destroy(regions);
	es_work_logs_destroy(walk.work);
	if (r < 0) {
		es_report_finish(&report);
		if (why.code)
			return es_error_say(err, r, "%s", why.text);
		return r == -E2BIG
			       ? es_error_say(
					 err, r,
					 "cannot make the report: too many tags, or too many that overlap")
			       : es_error_set(err, r, "cannot make the report");
	}
	*ret = report;
	return 0;
}

void es_report_finish(struct es_report *report)
{
	free(report->domains);
	free(report->evidence);
	free(report->by_domain);
	es_work_finish(report);
	es_report_regions_finish(report);
	free(report->gaps);
	free(report->windows);
	free(report->faults);
	es_report_baseline_finish(&report->baseline);
	es_insights_finish(report);
	es_report_carbon_finish(&report->carbon);
	es_report_series_finish(report);
	es_report_signals_finish(report);
	*report = (struct es_report){ .meta = NULL };
}

/* A real gap or a doubtful step: low. 1.12 is where the original tool drew its line between high and medium. */
const char *es_report_quality(const struct es_report *report)
{
	double planned_ns = (double)report->meta->period_ns,
	       mean_ns = (double)report->mean_period_ns;
	double holes =
		report->stop_ns > report->start_ns
			? (double)report->gap_ns / (double)(report->stop_ns - report->start_ns)
			: 0.0;

	if (report->has_lost_energy || report->lacks_part)
		return "low";
	if (report->n_resets || report->n_ambiguous || holes > 0.02 ||
	    (planned_ns > 0 && mean_ns > 2.0 * planned_ns))
		return "low";
	if (report->n_gaps || report->n_rejected || report->n_failed ||
	    (planned_ns > 0 && mean_ns > 1.12 * planned_ns))
		return "medium";
	return "high";
}

bool es_report_is_metered(const struct es_report *report)
{
	/* A share of what a meter showed is of that meter. */
	return report->kinds &
	       (1u << ES_KIND_MEASURED | 1u << ES_KIND_INTEGRATED | 1u << ES_KIND_ATTRIBUTED);
}

const char *es_report_kind(const struct es_report *report)
{
	if (!report->has_energy)
		return NULL;
	for (int kind = 0; kind < ES_N_KINDS; kind++)
		if (report->kinds == 1u << kind)
			return es_kind_name((enum es_kind)kind);
	return "mixed";
}
