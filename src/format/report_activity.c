/*
 * report_activity.c - what a job did beside drawing power, in numbers that mean something alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_activity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

#define JOB "job"

static const struct {
	const char *note; /* key of its notes in recordings */
	const char *json;
} keys[ES_N_REPORT_ACTIVITIES] = {
	[ES_REPORT_IPC] = { "ipc", "ipc" },
	[ES_REPORT_LLC_MISSES] = { "llc_misses", "llc_misses_per_kilo_instruction" },
	[ES_REPORT_MEMORY] = { "memory", "memory_bytes_per_s" },
	[ES_REPORT_CLOCK] = { "clock", "effective_clock_hz" },
};

void es_report_activity_note(struct es_report *report, const struct es_event *event)
{
	struct es_activity_note note;

	if (es_activity_note_get(event->text, &note) < 0)
		return;
	for (size_t i = 0; i < ES_N_REPORT_ACTIVITIES; i++)
		if (strcmp(note.key, keys[i].note) == 0)
			report->activity.of[i].note = note;
}

/* What was counted, and over which time; NULL: nothing was. */
static const struct es_report_signal *counted(const struct es_report *report, const char *name)
{
	const struct es_report_signal *sum = es_report_signal_find(report, 0, JOB, name);

	return sum && sum->signal->kind == ES_SIGNAL_COUNTER && sum->covered_ns > 0 ? sum : NULL;
}

/* Of the whole job, or at least of its own part of it. */
static const struct es_report_signal *counted_either(const struct es_report *report,
						     const char *name, const char *name_of_user)
{
	const struct es_report_signal *sum = counted(report, name);

	return sum ? sum : counted(report, name_of_user);
}

/* Counts go into ratios only where both were counted all the time, or the same part of it. NAN: not. */
static double ratio(const struct es_report_signal *a, const struct es_report_signal *b)
{
	if (!a || !b || a->covered_ns != b->covered_ns || b->total == 0)
		return (double)NAN;
	return (double)a->total / (double)b->total;
}

/* A number against which its recording speaks stays unknown: it took turns, or lacks a part. */
static void put(struct es_report_activity *activity, enum es_report_activity_key key, double value)
{
	bool is_denied = activity->of[key].note.key[0] && !activity->of[key].note.is_there;

	activity->of[key].is_known = !is_denied && isfinite(value);
	activity->of[key].value = activity->of[key].is_known ? value : 0;
}

static double constant(const struct es_report *report, const char *name)
{
	const struct es_report_signal *sum = es_report_signal_find(report, 0, "node", name);

	return sum && sum->signal->kind == ES_SIGNAL_GAUGE && sum->n ? sum->mean : 0;
}

/* Bytes of all packages, or of all caches. */
static double find_traffic(const struct es_report *report)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_report_signal *it = &report->signals[i];

		if (it->signal->kind != ES_SIGNAL_COUNTER || it->signal->node != 0 ||
		    strcmp(it->signal->unit, ES_SIGNAL_BYTES) != 0 ||
		    strncmp(it->signal->name, "memory_", 7) != 0)
			continue;
		if (it->covered_ns <= 0)
			return (double)NAN;
		sum += (double)it->total / es_s_from_ns(it->covered_ns);
		n++;
	}
	return n ? sum : (double)NAN;
}

/* Over the packages whose registers were read. */
static double find_machine_ratio(const struct es_report *report)
{
	double aperf = 0, mperf = 0;

	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_report_signal *it = &report->signals[i];

		if (it->signal->kind != ES_SIGNAL_COUNTER || it->covered_ns <= 0 ||
		    strncmp(it->signal->device, "package-", 8) != 0)
			continue;
		if (strcmp(it->signal->name, "aperf") == 0)
			aperf += (double)it->total;
		else if (strcmp(it->signal->name, "mperf") == 0)
			mperf += (double)it->total;
	}
	return mperf > 0 ? aperf / mperf : (double)NAN;
}

/*
 * MPERF counts at the base clock while a CPU works, APERF at the clock of the moment. Where nobody tells the base clock,
 * MPERF by the job's CPU time is it. Without both: the job's cycles by its CPU time.
 */
static double find_clock(struct es_report *report)
{
	struct es_report_activity *activity = &report->activity;
	const struct es_report_signal *task_clock = counted(report, "task_clock"),
				      *mperf = counted(report, "mperf");
	double of_job = ratio(counted(report, "aperf"), mperf), of_machine, by_cycles;

	activity->base_hz = 1e3 * constant(report, "base_clock");
	if (activity->base_hz <= 0 && isfinite(ratio(mperf, task_clock)))
		activity->base_hz = 1e9 * ratio(mperf, task_clock);
	activity->clock_source = "aperf/mperf";
	if (isfinite(of_job) && activity->base_hz > 0)
		return of_job * activity->base_hz;
	of_machine = find_machine_ratio(report);
	if (isfinite(of_machine) && activity->base_hz > 0)
		return of_machine * activity->base_hz;
	by_cycles = ratio(counted(report, "cycles"), task_clock);
	activity->clock_source = "cycles";
	return 1e9 * by_cycles;
}

void es_report_activity_settle(struct es_report *report)
{
	struct es_report_activity *activity = &report->activity;
	const struct es_report_signal *instructions, *cycles, *misses;

	if (report->meta->n_nodes != 1)
		return;
	instructions = counted_either(report, "instructions", "instructions_user");
	cycles = counted_either(report, "cycles", "cycles_user");
	misses = counted_either(report, "llc_misses", "llc_misses_user");
	put(activity, ES_REPORT_IPC, ratio(instructions, cycles));
	put(activity, ES_REPORT_LLC_MISSES, 1e3 * ratio(misses, instructions));
	put(activity, ES_REPORT_MEMORY, find_traffic(report));
	put(activity, ES_REPORT_CLOCK, find_clock(report));
	if (!activity->of[ES_REPORT_CLOCK].is_known)
		activity->clock_source = NULL;
	activity->peak_bytes_per_s = constant(report, "memory_peak");
	if (!activity->of[ES_REPORT_IPC].is_known || !instructions)
		return;
	activity->instructions = (double)instructions->total;
	/* Of ranks that came late the first instructions are missing, and some may not have been followed at all. */
	activity->has_j_per_instruction = instructions->total > 0 && report->has_energy &&
					  es_report_launch_is_alone(&report->launch) &&
					  es_report_is_metered(report) && !report->has_estimate;
	if (activity->has_j_per_instruction)
		activity->j_per_instruction = report->node_j / activity->instructions;
}

/* Appends a phrase behind the others. */
static void put_phrase(struct es_buf *out, const char **gap, const char *text)
{
	(void)es_buf_printf(out, "%s%s", *gap, text);
	*gap = ", ";
}

void es_report_activity_row(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_activity *activity = &report->activity;
	const char *gap = "";
	char text[96];
	bool has_any = false;

	for (size_t i = 0; i < ES_N_REPORT_ACTIVITIES; i++)
		has_any = has_any || activity->of[i].is_known;
	if (!has_any)
		return;
	(void)es_buf_printf(out, "  %-10s ", "activity");
	if (activity->of[ES_REPORT_IPC].is_known) {
		(void)snprintf(text, sizeof(text), "%.2f instructions per cycle",
			       activity->of[ES_REPORT_IPC].value);
		put_phrase(out, &gap, text);
	}
	if (activity->of[ES_REPORT_LLC_MISSES].is_known) {
		(void)snprintf(text, sizeof(text), "%.1f misses of the last cache per 1000",
			       activity->of[ES_REPORT_LLC_MISSES].value);
		put_phrase(out, &gap, text);
	}
	if (activity->of[ES_REPORT_MEMORY].is_known) {
		double rate = activity->of[ES_REPORT_MEMORY].value;

		(void)snprintf(text, sizeof(text), "memory %.2f GB/s", rate / 1e9);
		put_phrase(out, &gap, text);
		if (activity->peak_bytes_per_s > 0)
			(void)es_buf_printf(out, " (%.0f %% of its peak)",
					    100.0 * rate / activity->peak_bytes_per_s);
	}
	if (activity->of[ES_REPORT_CLOCK].is_known) {
		(void)snprintf(text, sizeof(text), "clock %.2f GHz",
			       activity->of[ES_REPORT_CLOCK].value / 1e9);
		put_phrase(out, &gap, text);
		if (activity->base_hz > 0)
			(void)es_buf_printf(out, " (base %.2f)", activity->base_hz / 1e9);
	}
	if (activity->has_j_per_instruction) {
		(void)snprintf(text, sizeof(text), "%.3g nJ per instruction",
			       1e9 * activity->j_per_instruction);
		put_phrase(out, &gap, text);
	}
	(void)es_buf_u8(out, '\n');
}

static void put_positive(struct es_json *json, const char *key, double value)
{
	es_json_double(json, key, value > 0 ? value : (double)NAN);
}

void es_report_activity_json(const struct es_report *report, struct es_json *json)
{
	const struct es_report_activity *activity = &report->activity;

	es_json_object(json, "activity");
	for (size_t i = 0; i < ES_N_REPORT_ACTIVITIES; i++)
		es_json_double(json, keys[i].json,
			       activity->of[i].is_known ? activity->of[i].value : (double)NAN);
	es_json_string(json, "effective_clock_source", activity->clock_source);
	put_positive(json, "base_clock_hz", activity->base_hz);
	put_positive(json, "memory_peak_bytes_per_s", activity->peak_bytes_per_s);
	put_positive(json, "instructions", activity->instructions);
	es_json_double(json, "j_per_instruction",
		       activity->has_j_per_instruction ? activity->j_per_instruction : (double)NAN);
	es_json_object(json, "reasons");
	for (size_t i = 0; i < ES_N_REPORT_ACTIVITIES; i++)
		es_json_string(json, keys[i].json,
			       activity->of[i].note.reason[0] ? activity->of[i].note.reason : NULL);
	es_json_object_end(json);
	es_json_object_end(json);
}
