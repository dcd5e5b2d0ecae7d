/*
 * top_meter.c - what energyscopium top shows, gathered from frame to frame
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/top_meter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/meters.h"
#include "cli/top_jobs.h"
#include "cli/top_processes.h"
#include "core/watch.h"
#include "sampler/sampler.h"
#include "sys/machine.h"

/* What was gathered of one domain, or of the node as a whole. */
struct gauge {
	uint64_t history_mw[ES_TOP_HISTORY];
	size_t n_history;
	uint64_t step_uj, frame_uj; /* of this reading, of this frame */
	int64_t step_ns, frame_ns;
	uint64_t most_mw;
};

struct es_top_meter {
	struct es_top_options options;
	struct es_root root;
	struct es_machine machine;
	struct es_sampler *sampler;
	struct es_through through;
	struct es_domain *domains; /* judged anew for each frame */
	const struct es_domain *plain; /* of the sampler */
	size_t n;
	struct es_evidence *evidence;
	struct es_reading *readings;
	struct es_watch watch;
	struct gauge *gauges; /* [n], the node's behind them */
	struct es_top_gauge *shown; /* [n + 1] */
	struct es_processes *processes;
	struct es_top_process top[ES_TOP_PROCESSES];
	struct es_top_jobs *jobs;
	struct es_top_job top_jobs[ES_TOP_JOBS];
	int64_t start_ns, frame_ns; /* boot clock: of the first reading, of the last frame */
	int64_t frame_busy_ns; /* CPU time of the machine then */
	bool has_first, had_busy, was_estimated;
	char time[ES_TIME_TEXT_BYTES], note[320], daemon[320];
};

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct es_top_meter *meter = arg;

	if (sample->is_gap)
		return;
	meter->gauges[domain].step_uj += sample->energy_uj;
	meter->gauges[domain].step_ns += sample->t1_ns - sample->t0_ns;
}

static int allocate(struct es_top_meter *meter)
{
	size_t n = meter->n + 1;

	meter->domains = calloc(n, sizeof(*meter->domains));
	meter->evidence = calloc(n, sizeof(*meter->evidence));
	meter->readings = calloc(n, sizeof(*meter->readings));
	meter->gauges = calloc(n, sizeof(*meter->gauges));
	meter->shown = calloc(n, sizeof(*meter->shown));
	meter->processes = es_processes_create();
	meter->jobs = es_top_jobs_create(meter->options.daemon, meter->options.root);
	return meter->domains && meter->evidence && meter->readings && meter->gauges &&
			       meter->shown && meter->processes && meter->jobs
		       ? 0
		       : -ENOMEM;
}

int es_top_meter_create(const struct es_top_options *options, struct es_top_meter **ret,
			struct es_error *err)
{
	const struct es_sampler_options meters = { .meters = options->meters.urls,
						   .n_meters = options->meters.n };
	struct es_top_meter *meter = calloc(1, sizeof(*meter));
	struct es_top_frame first;
	int r;

	if (!meter)
		return es_error_set(err, -ENOMEM, "cannot open the meters");
	meter->options = *options;
	r = es_root_open(options->root, options->as_uid, &meter->root, err);
	if (r < 0) {
		free(meter);
		return r;
	}
	es_machine_read(&meter->root, &meter->machine);
	r = es_sampler_create(&meter->root, &meters, &meter->sampler, err);
	if (r == 0)
		r = es_through_open("top", options->daemon, options->root, options->period_ns,
				    meter->sampler, &meter->through, err);
	if (r < 0)
		goto fail;
	meter->plain = es_sampler_domains(meter->sampler, &meter->n);
	r = allocate(meter);
	if (r == 0) {
		memcpy(meter->domains, meter->plain, meter->n * sizeof(*meter->domains));
		r = es_watch_init(&meter->watch, meter->domains, meter->n, options->period_ns);
	}
	if (r < 0) {
		(void)es_error_set(err, r, "cannot watch the meters");
		goto fail;
	}
	meter->watch.on_sample = on_sample;
	meter->watch.arg = meter;
	meter->start_ns = es_clock_boot_ns();
	meter->frame_ns = meter->start_ns;
	es_top_meter_read(meter);
	es_top_meter_frame(meter, &first);
	*ret = meter;
	return 0;
fail:
	es_top_meter_destroy(meter);
	return r;
}

void es_top_meter_destroy(struct es_top_meter *meter)
{
	if (!meter)
		return;
	es_watch_finish(&meter->watch);
	es_sampler_destroy(meter->sampler);
	es_processes_destroy(meter->processes);
	es_top_jobs_destroy(meter->jobs);
	free(meter->domains);
	free(meter->evidence);
	free(meter->readings);
	free(meter->gauges);
	free(meter->shown);
	es_root_close(&meter->root);
	free(meter);
}

void es_top_meter_show_all(struct es_top_meter *meter, bool shows_all)
{
	meter->options.shows_all = shows_all;
}

/* The step becomes the newest of the history. */
static void push(struct gauge *gauge)
{
	uint64_t power_mw = gauge->step_ns > 0 ? es_mean_power_mw(gauge->step_uj, gauge->step_ns)
					       : UINT64_MAX;

	if (gauge->n_history == ES_TOP_HISTORY)
		memmove(&gauge->history_mw[0], &gauge->history_mw[1],
			--gauge->n_history * sizeof(gauge->history_mw[0]));
	gauge->history_mw[gauge->n_history++] = power_mw;
	if (power_mw != UINT64_MAX && power_mw > gauge->most_mw)
		gauge->most_mw = power_mw;
	gauge->frame_uj += gauge->step_uj;
	gauge->frame_ns += gauge->step_ns;
	gauge->step_uj = 0;
	gauge->step_ns = 0;
}

/* The covers as they are by what has been seen so far. */
static void judge(struct es_top_meter *meter)
{
	es_watch_evidence(&meter->watch, meter->machine.n_cpus, meter->machine.n_packages, false,
			  meter->evidence);
	memcpy(meter->domains, meter->plain, meter->n * sizeof(*meter->domains));
	es_cover_judge(meter->domains, meter->n, meter->evidence);
	es_cover_choose(meter->domains, meter->n, meter->evidence, meter->options.psys);
}

/* The node's step: powers of the total cover, each over its own interval; not known unless all are. */
static void push_node(struct es_top_meter *meter)
{
	struct gauge *node = &meter->gauges[meter->n];
	uint64_t power_mw = 0;
	bool is_known = false, is_estimated = false;

	for (size_t i = 0; i < meter->n; i++) {
		const struct gauge *gauge = &meter->gauges[i];
		uint64_t newest = gauge->n_history ? gauge->history_mw[gauge->n_history - 1]
						   : UINT64_MAX;

		if (!meter->domains[i].is_chosen_total)
			continue;
		is_estimated = is_estimated || meter->domains[i].kind == ES_KIND_ESTIMATED;
		is_known = newest != UINT64_MAX;
		if (!is_known)
			break;
		power_mw += newest;
	}
	/* What was estimated until the meters answered is not mixed with what they show. */
	if (meter->was_estimated && !is_estimated)
		*node = (struct gauge){ .n_history = 0 };
	meter->was_estimated = is_estimated;
	/* A nominal second: only the power counts here. */
	node->step_uj = is_known ? power_mw * 1000 : 0;
	node->step_ns = is_known ? ES_NS_PER_S : 0;
	push(node);
}

void es_top_meter_read(struct es_top_meter *meter)
{
	es_sampler_read(meter->sampler, meter->readings);
	for (size_t i = 0; i < meter->n; i++) {
		if (!es_sampler_can_read(&meter->plain[i]))
			continue;
		if (meter->readings[i].error)
			es_track_fail(&meter->watch.tracks[i]);
		else
			es_watch_reading(&meter->watch, i, meter->readings[i].t_ns,
					 meter->readings[i].value, meter->readings[i].activity_ns);
	}
	es_watch_row(&meter->watch);
	judge(meter);
	/* The first reading only begins the first interval. */
	if (!meter->has_first) {
		meter->has_first = true;
		return;
	}
	for (size_t i = 0; i < meter->n; i++)
		push(&meter->gauges[i]);
	push_node(meter);
}

/* What the node may draw: only where every part of its cover says so. */
static uint64_t node_limit_mw(const struct es_top_meter *meter)
{
	uint64_t limit_mw = 0;

	for (size_t i = 0; i < meter->n; i++) {
		if (!meter->domains[i].is_chosen_total)
			continue;
		if (!meter->domains[i].limit_mw)
			return 0;
		limit_mw += meter->domains[i].limit_mw;
	}
	return limit_mw;
}

static void show(struct es_top_meter *meter, size_t i, struct es_top_gauge *ret)
{
	const struct gauge *gauge = &meter->gauges[i];
	bool is_node = i == meter->n;

	*ret = (struct es_top_gauge){
		.name = is_node ? "node" : meter->domains[i].name,
		.kind = is_node ? "" : es_kind_name(meter->domains[i].kind),
		.is_total = is_node,
		.is_known = gauge->frame_ns > 0,
		.power_mw = gauge->frame_ns > 0 ? es_mean_power_mw(gauge->frame_uj, gauge->frame_ns)
						: 0,
		.limit_mw = is_node ? node_limit_mw(meter) : meter->domains[i].limit_mw,
		.most_mw = gauge->most_mw,
		.history_mw = gauge->history_mw,
		.n_history = gauge->n_history,
	};
}

static size_t show_gauges(struct es_top_meter *meter)
{
	size_t n = 0;

	show(meter, meter->n, &meter->shown[n++]);
	for (size_t i = 0; i < meter->n; i++) {
		const struct es_domain *domain = &meter->domains[i];
		/* A meter of the whole node is the first line already. */
		bool is_part = domain->is_chosen &&
			       !(domain->type == ES_DOMAIN_NODE && domain->is_chosen_total);

		if (is_part || (meter->options.shows_all && es_sampler_can_read(domain)))
			show(meter, i, &meter->shown[n++]);
	}
	/* The node has the kind of its parts where that is one. */
	for (size_t i = 0; i < meter->n; i++) {
		const char *kind = es_kind_name(meter->domains[i].kind);

		if (!meter->domains[i].is_chosen_total)
			continue;
		meter->shown[0].kind =
			meter->shown[0].kind[0] && strcmp(meter->shown[0].kind, kind) != 0 ? "mixed"
											   : kind;
	}
	return n;
}

/* What processors and memory drew, idle power included, by CPU time: attributed. */
static void attribute(struct es_top_meter *meter, struct es_top_frame *frame)
{
	uint64_t power_mw = 0;

	/* The CPU time is that of the machine, and the power is not. */
	if (meter->through.note.is_share)
		return;
	for (size_t i = 0; i < meter->n; i++) {
		const struct gauge *gauge = &meter->gauges[i];
		enum es_domain_type type = meter->domains[i].type;

		if (meter->domains[i].is_chosen && gauge->frame_ns > 0 && type != ES_DOMAIN_GPU)
			power_mw += es_mean_power_mw(gauge->frame_uj, gauge->frame_ns);
	}
	for (size_t i = 0; i < frame->n_processes; i++)
		if (frame->has_busy && frame->busy_permille > 0)
			meter->top[i].power_mw = power_mw * meter->top[i].cpu_permille /
						 (frame->busy_permille > meter->top[i].cpu_permille
							  ? frame->busy_permille
							  : meter->top[i].cpu_permille);
}

static uint64_t total_uj(const struct es_top_meter *meter)
{
	uint64_t energy_uj = 0;

	for (size_t i = 0; i < meter->n; i++)
		if (meter->domains[i].is_chosen_total)
			energy_uj += meter->watch.tracks[i].energy_uj;
	return energy_uj;
}

/* What the figures lack: the node is estimated, or a meter may not be read. */
static const char *make_note(struct es_top_meter *meter)
{
	const struct es_domain *denied = NULL, *silent = es_meters_silent(meter->sampler, 0);

	for (size_t i = 0; i < meter->n && !denied; i++)
		if (meter->domains[i].state == ES_STATE_DENIED)
			denied = &meter->domains[i];
	if (strcmp(meter->shown[0].kind, "estimated") == 0)
		(void)snprintf(
			meter->note, sizeof(meter->note),
			"estimated from CPU time: %.60s%s%.110s; 'energyscopium sources' tells more",
			silent	 ? silent->id
			: denied ? "the meters may not be read"
				 : "no meter here can be used",
			silent ? ": " : "", silent ? silent->reason : "");
	else if (silent)
		(void)snprintf(meter->note, sizeof(meter->note), "%.100s: %.120s", silent->id,
			       silent->reason);
	else if (denied)
		(void)snprintf(meter->note, sizeof(meter->note), "%.100s: %.120s", denied->name,
			       denied->reason);
	else
		return NULL;
	return meter->note;
}

void es_top_meter_frame(struct es_top_meter *meter, struct es_top_frame *ret)
{
	int64_t now_ns = es_clock_boot_ns(), interval_ns = now_ns - meter->frame_ns;
	const struct es_watch *watch = &meter->watch;
	struct es_top_frame frame = {
		.node = meter->machine.hostname,
		.cpu_model = meter->machine.cpu_model,
		.time = es_time_rfc3339(es_clock_unix_ns(), meter->time),
		.n_cpus = meter->machine.n_cpus,
		.interval_ns = interval_ns,
		.since_ns = now_ns - meter->start_ns,
		.energy_uj = total_uj(meter),
		.gauges = meter->shown,
		.processes = meter->top,
	};

	if (watch->has_busy && meter->had_busy && interval_ns > 0) {
		frame.has_busy = true;
		frame.busy_permille = (uint32_t)((watch->busy_last_ns - meter->frame_busy_ns) *
						 1000 / interval_ns);
	}
	meter->had_busy = watch->has_busy;
	meter->frame_busy_ns = watch->busy_last_ns;
	frame.n_gauges = show_gauges(meter);
	frame.n_processes = es_processes_look(meter->processes, &meter->root, interval_ns,
					      meter->top, ES_TOP_PROCESSES);
	attribute(meter, &frame);
	frame.jobs = meter->top_jobs;
	frame.n_jobs =
		es_top_jobs_look(meter->jobs, meter->top_jobs, ES_TOP_JOBS, &frame.n_jobs_all);
	if (meter->through.note.is_used) {
		es_report_daemon_words(&meter->through.note, meter->daemon, sizeof(meter->daemon));
		frame.daemon = meter->daemon;
	} else if (meter->through.why.text[0]) {
		frame.daemon = meter->through.why.text;
	}
	frame.note = make_note(meter);
	meter->frame_ns = now_ns;
	for (size_t i = 0; i <= meter->n; i++) {
		meter->gauges[i].frame_uj = 0;
		meter->gauges[i].frame_ns = 0;
	}
	*ret = frame;
}
