/*
 * top_frame.c - one frame of energyscopium top: its figures, and how they are drawn
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/top_frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"

#define NARROWEST 40U
#define NAME_COLUMNS 14U
#define SPARK_COLUMNS_MAX 30U

/* A line is built of cells whose width is known: bytes, columns and colours are three things. */
struct line {
	struct es_buf *out;
	const struct es_top_style *style;
	unsigned used; /* columns */
};

static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
static const char *const steps[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char ascii_steps[] = "_.-~=+*#";

static void colour(struct line *line, const char *code)
{
	if (line->style->has_colour)
		(void)es_buf_printf(line->out, "\033[%sm", code);
}

/* Plain text, cut at the width. Names come from outside: nothing in them is to reach the terminal as an order. */
__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	es_text_make_safe(text, false);
	for (const char *p = text; *p && line->used <= line->style->width; p++) {
		bool is_start = ((unsigned char)*p & 0xC0) != 0x80;

		if (is_start && line->used == line->style->width)
			return;
		line->used += is_start;
		(void)es_buf_u8(line->out, (uint8_t)*p);
	}
}

/* One cell that is drawn with @glyph. */
static void put_glyph(struct line *line, const char *glyph)
{
	if (line->used == line->style->width)
		return;
	line->used++;
	(void)es_buf_append(line->out, glyph, strlen(glyph));
}

static void pad_to(struct line *line, unsigned column)
{
	while (line->used < column && line->used < line->style->width)
		put_glyph(line, " ");
}

static void end(struct line *line)
{
	(void)es_buf_u8(line->out, '\n');
	line->used = 0;
}

/* Green, yellow, red by how near the limit is; without a limit no colour is deserved. */
static const char *bar_colour(const struct es_top_gauge *gauge)
{
	if (!gauge->limit_mw)
		return "36";
	if (gauge->power_mw * 10 >= gauge->limit_mw * 9)
		return "31";
	return gauge->power_mw * 10 >= gauge->limit_mw * 6 ? "33" : "32";
}

static void put_bar(struct line *line, const struct es_top_gauge *gauge, unsigned columns)
{
	uint64_t full_mw = gauge->limit_mw ? gauge->limit_mw : gauge->most_mw;
	uint64_t cells = gauge->is_known && full_mw ? gauge->power_mw * columns * 8 / full_mw : 0;

	if (cells > (uint64_t)columns * 8)
		cells = (uint64_t)columns * 8;
	put_glyph(line, "[");
	colour(line, bar_colour(gauge));
	for (unsigned i = 0; i < columns; i++) {
		uint64_t left = cells > 8ULL * i ? cells - 8ULL * i : 0;

		if (line->style->has_utf8)
			put_glyph(line, eighths[left > 8 ? 8 : left]);
		else
			put_glyph(line, left >= 4 ? "#" : " ");
	}
	colour(line, "0");
	put_glyph(line, "]");
}

/* From 0, so that heights compare; what is not known is a blank. */
static void put_spark(struct line *line, const struct es_top_gauge *gauge, unsigned columns)
{
	size_t n = gauge->n_history < columns ? gauge->n_history : columns;
	const uint64_t *history = gauge->history_mw + (gauge->n_history - n);
	uint64_t most = 1;

	for (size_t i = 0; i < n; i++)
		if (history[i] != UINT64_MAX && history[i] > most)
			most = history[i];
	colour(line, "36");
	for (size_t i = 0; i < n; i++) {
		const char plain[] = {
			history[i] == UINT64_MAX ? ' ' : ascii_steps[history[i] * 7 / most], '\0'
		};

		if (history[i] == UINT64_MAX || !line->style->has_utf8)
			put_glyph(line, plain);
		else
			put_glyph(line, steps[history[i] * 7 / most]);
	}
	colour(line, "0");
}

static void draw_gauge(const struct es_top_gauge *gauge, struct line *line)
{
	unsigned width = line->style->width, spark = width > 110 ? SPARK_COLUMNS_MAX : width / 6;
	char share[24] = "";
	unsigned bar;

	if (gauge->is_total)
		colour(line, "1");
	put(line, "%-*.*s", (int)NAME_COLUMNS, (int)NAME_COLUMNS, gauge->name);
	if (gauge->is_known)
		put(line, " %9.2f W ", es_w_from_mw(gauge->power_mw));
	else
		put(line, " %9s   ", "n/a");
	if (gauge->is_total)
		colour(line, "0");
	if (gauge->is_known && gauge->limit_mw)
		(void)snprintf(share, sizeof(share), "%3.0f %% of %.0f W",
			       100.0 * (double)gauge->power_mw / (double)gauge->limit_mw,
			       es_w_from_mw(gauge->limit_mw));
	else if (gauge->most_mw)
		(void)snprintf(share, sizeof(share), "of %.1f W seen",
			       es_w_from_mw(gauge->most_mw));
	bar = width > line->used + 18 + spark + 5 ? width - line->used - 18 - spark - 5 : 4;
	put_bar(line, gauge, bar);
	put(line, " %-16s ", share);
	put_spark(line, gauge, spark);
	end(line);
}

static void draw_head(const struct es_top_frame *frame, struct line *line)
{
	char interval[ES_QUANTITY_TEXT_BYTES], since[ES_QUANTITY_TEXT_BYTES];

	colour(line, "1");
	put(line, "energyscopium top  %s", frame->node);
	colour(line, "0");
	if (frame->cpu_model[0])
		put(line, "  %s", frame->cpu_model);
	put(line, "  %s", frame->time);
	end(line);
	put(line, "mean of %s", es_duration_text(frame->interval_ns, interval));
	if (frame->has_busy && frame->n_cpus)
		put(line, "  CPUs busy: %.1f of %u", frame->busy_permille / 1000.0, frame->n_cpus);
	put(line, "  energy: %.1f J in %s", es_j_from_uj(frame->energy_uj),
	    es_duration_text(frame->since_ns, since));
	end(line);
}

static void draw_processes(const struct es_top_frame *frame, struct line *line, size_t n_max)
{
	if (frame->n_processes == 0 || n_max < 2)
		return;
	colour(line, "7");
	put(line, "%8s %-12s %7s %10s  %s", "PID", "USER", "CPUs", "W (shared)", "COMMAND");
	pad_to(line, line->style->width);
	colour(line, "0");
	end(line);
	for (size_t i = 0; i < frame->n_processes && i + 1 < n_max; i++) {
		const struct es_top_process *process = &frame->processes[i];

		put(line, "%8d %-12.12s %7.2f", process->pid, process->user,
		    process->cpu_permille / 1000.0);
		if (process->power_mw == UINT64_MAX)
			put(line, " %10s", "n/a");
		else
			put(line, " %10.2f", es_w_from_mw(process->power_mw));
		put(line, "  %s", process->command);
		end(line);
	}
}

/* Returns how many lines it took. */
static size_t draw_jobs(const struct es_top_frame *frame, struct line *line, size_t n_max)
{
	size_t n = 0;

	if (frame->n_jobs == 0 || n_max < 2)
		return 0;
	colour(line, "7");
	put(line, "%-14s %-12s %5s %10s %12s %10s  %s", "JOB", "USER", "CPUs", "W", "energy (J)",
	    "time", "");
	pad_to(line, line->style->width);
	colour(line, "0");
	end(line);
	for (; n < frame->n_jobs && n + 1 < n_max; n++) {
		const struct es_top_job *job = &frame->jobs[n];
		char cpus[16] = "?", text[ES_QUANTITY_TEXT_BYTES];

		if (job->n_cpus)
			(void)snprintf(cpus, sizeof(cpus), "%u", job->n_cpus);
		put(line, "%-14.14s %-12.12s %5s", job->id, job->user, cpus);
		if (job->power_mw == UINT64_MAX)
			put(line, " %10s", "n/a");
		else
			put(line, " %10.2f", es_w_from_mw(job->power_mw));
		if (job->has_energy)
			put(line, " %12.1f", es_j_from_uj(job->energy_uj));
		else
			put(line, " %12s", "n/a");
		put(line, " %10s  %s%s%s", es_duration_text(job->dur_ns, text),
		    job->is_exclusive ? "alone" : "shares", job->name[0] ? "  " : "", job->name);
		end(line);
	}
	return n + 1;
}

void es_top_draw(const struct es_top_frame *frame, const struct es_top_style *style,
		 struct es_buf *out)
{
	struct es_top_style fit = *style;
	struct line line = { .out = out, .style = &fit };
	size_t left = style->height ? style->height : SIZE_MAX;

	if (fit.width < NARROWEST)
		fit.width = NARROWEST;
	draw_head(frame, &line);
	left = left > 2 ? left - 2 : 0;
	for (size_t i = 0; i < frame->n_gauges && left > 0; i++, left--)
		draw_gauge(&frame->gauges[i], &line);
	if (frame->note && left > 0) {
		put(&line, "%s", frame->note);
		end(&line);
		left--;
	}
	if (frame->daemon && left > 0) {
		put(&line, "%s", frame->daemon);
		end(&line);
		left--;
	}
	left -= draw_jobs(frame, &line, left);
	draw_processes(frame, &line, left);
}

static void put_power(struct es_json *json, const char *key, bool is_known, uint64_t power_mw)
{
	if (is_known)
		es_json_decimal(json, key, (int64_t)power_mw, 3);
	else
		es_json_null(json, key);
}

static void put_gauges_json(const struct es_top_frame *frame, struct es_json *json)
{
	es_json_array(json, "gauges");
	for (size_t i = 0; i < frame->n_gauges; i++) {
		const struct es_top_gauge *gauge = &frame->gauges[i];

		es_json_object(json, NULL);
		es_json_string(json, "name", gauge->name);
		es_json_string(json, "kind", gauge->kind[0] ? gauge->kind : NULL);
		es_json_bool(json, "total", gauge->is_total);
		put_power(json, "power_w", gauge->is_known, gauge->power_mw);
		put_power(json, "limit_w", gauge->limit_mw, gauge->limit_mw);
		es_json_array_inline(json, "history_w");
		for (size_t j = 0; j < gauge->n_history; j++)
			put_power(json, NULL, gauge->history_mw[j] != UINT64_MAX,
				  gauge->history_mw[j]);
		es_json_array_end(json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_jobs_json(const struct es_top_frame *frame, struct es_json *json)
{
	es_json_array(json, "jobs");
	for (size_t i = 0; i < frame->n_jobs; i++) {
		const struct es_top_job *job = &frame->jobs[i];

		es_json_object(json, NULL);
		es_json_string(json, "id", job->id);
		es_json_string(json, "user", job->user);
		es_json_string(json, "name", job->name[0] ? job->name : NULL);
		if (job->n_cpus)
			es_json_u64(json, "ncpus", job->n_cpus);
		else
			es_json_null(json, "ncpus");
		es_json_bool(json, "exclusive", job->is_exclusive);
		es_json_string(json, "kind", job->kind[0] ? job->kind : NULL);
		put_power(json, "power_w", job->power_mw != UINT64_MAX, job->power_mw);
		if (job->has_energy)
			es_json_decimal(json, "energy_j", (int64_t)job->energy_uj, 6);
		else
			es_json_null(json, "energy_j");
		es_json_decimal(json, "duration_s", job->dur_ns, 9);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "jobs_total", frame->n_jobs_all);
}

int es_top_json(const struct es_top_frame *frame, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.top/1");
	es_json_string(&json, "node", frame->node);
	es_json_string(&json, "time", frame->time);
	es_json_decimal(&json, "interval_s", frame->interval_ns, 9);
	es_json_decimal(&json, "duration_s", frame->since_ns, 9);
	es_json_decimal(&json, "energy_j", (int64_t)frame->energy_uj, 6);
	if (frame->n_cpus)
		es_json_u64(&json, "ncpus", frame->n_cpus);
	else
		es_json_null(&json, "ncpus");
	if (frame->has_busy)
		es_json_decimal(&json, "cpus_busy", frame->busy_permille, 3);
	else
		es_json_null(&json, "cpus_busy");
	put_gauges_json(frame, &json);
	es_json_array(&json, "processes");
	for (size_t i = 0; i < frame->n_processes; i++) {
		const struct es_top_process *process = &frame->processes[i];

		es_json_object(&json, NULL);
		es_json_i64(&json, "pid", process->pid);
		es_json_string(&json, "user", process->user);
		es_json_string(&json, "command", process->command);
		es_json_decimal(&json, "cpus", process->cpu_permille, 3);
		put_power(&json, "power_w", process->power_mw != UINT64_MAX, process->power_mw);
		es_json_string(&json, "kind", "attributed");
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	put_jobs_json(frame, &json);
	es_json_string(&json, "daemon", frame->daemon);
	es_json_string(&json, "note", frame->note);
	es_json_object_end(&json);
	return es_json_end(&json);
}
