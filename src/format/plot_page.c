/*
 * plot_page.c - a plot as a page of HTML that holds all it needs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "format/plot_scene.h"

#define COLUMNS_STILL 1440U /* of the picture before the script draws */
#define CALLS_MAX \
	20000U /* with more, a page would be slow; the rest is only in the still picture */
#define NUMBERS_MAX_BYTES (64U << 20)

static const unsigned char style[] = {
#include "page.css.inc"
};
static const unsigned char script[] = {
#include "page.js.inc"
};

/* Nothing is loaded from anywhere, and of scripts only ours is run, whatever somebody's name contains. */
static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; script-src '"
#include "page.js.digest.inc"
			     "'; base-uri 'none'; form-action 'none'";

static double seconds_of(const struct es_plot *plot, int64_t t_ns)
{
	return (double)(t_ns - plot->start_ns) / 1e9;
}

/* Milliwatts by column; null where @is_known says so. */
static void put_powers(struct es_json *json, const char *key, const uint64_t *mw, size_t n,
		       const bool *is_known)
{
	es_json_array_inline(json, key);
	for (size_t i = 0; i < n; i++) {
		if (is_known && !is_known[i])
			es_json_null(json, NULL);
		else
			es_json_u64(json, NULL, mw[i]);
	}
	es_json_array_end(json);
}

static void put_layers(const struct es_plot *plot, struct es_json *json)
{
	es_json_array(json, "layers");
	for (size_t j = 0; j < plot->n_layers; j++) {
		const struct es_style look = es_plot_curve_style(&plot->layers[j]);

		es_json_object(json, NULL);
		es_json_string(json, "name", plot->layers[j].name);
		es_json_i64(json, "fill", look.fill);
		es_json_i64(json, "hatch", look.hatch);
		put_powers(json, "mw", plot->layers[j].power_mw, plot->n_columns, NULL);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_array(json, "lines");
	for (size_t j = 0; j < plot->n_lines; j++) {
		es_json_object(json, NULL);
		es_json_string(json, "name", plot->lines[j].name);
		es_json_i64(json, "ink", plot->lines[j].ink);
		put_powers(json, "mw", plot->lines[j].power_mw, plot->n_columns,
			   plot->is_line_known);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_unknown(const struct es_plot *plot, struct es_json *json)
{
	size_t first = 0;

	es_json_array(json, "unknown");
	for (size_t i = 0; i <= plot->n_columns; i++) {
		if (i < plot->n_columns && !plot->is_known[i])
			continue;
		if (i > first) {
			es_json_array_inline(json, NULL);
			es_json_u64(json, NULL, first);
			es_json_u64(json, NULL, i);
			es_json_array_end(json);
		}
		first = i + 1;
	}
	es_json_array_end(json);
	es_json_array(json, "gaps");
	for (size_t i = 0; i < plot->n_gaps; i++) {
		es_json_array_inline(json, NULL);
		es_json_double(json, NULL, seconds_of(plot, plot->gaps[i].start_ns));
		es_json_double(json, NULL, seconds_of(plot, plot->gaps[i].stop_ns));
		es_json_bool(json, NULL, plot->gaps[i].has_mean);
		es_json_array_end(json);
	}
	es_json_array_end(json);
}

static void put_regions(const struct es_plot *plot, const struct es_plot_frame *frame,
			struct es_json *json)
{
	const struct es_report *report = plot->report;

	es_json_array(json, "regions");
	for (size_t i = 0; i < report->n_regions; i++) {
		es_json_object(json, NULL);
		es_json_string(json, "name", report->regions[i].name);
		es_json_i64(json, "ink", es_plot_region_ink(frame, i));
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "n_calls", plot->n_calls);
	es_json_array(json, "calls");
	for (size_t i = 0; i < plot->n_calls && i < CALLS_MAX; i++) {
		es_json_array_inline(json, NULL);
		es_json_u64(json, NULL, plot->calls[i].region);
		es_json_double(json, NULL, seconds_of(plot, plot->calls[i].start_ns));
		es_json_double(json, NULL, seconds_of(plot, plot->calls[i].stop_ns));
		es_json_array_end(json);
	}
	es_json_array_end(json);
}

static void put_frame(const struct es_plot_frame *frame, struct es_json *json)
{
	es_json_object(json, "frame");
	es_json_double(json, "x", frame->x);
	es_json_double(json, "y", frame->y);
	es_json_double(json, "width", frame->width);
	es_json_double(json, "height", frame->height);
	es_json_double(json, "bands_y", frame->bands_y);
	es_json_double(json, "row_height", frame->row_height);
	es_json_u64(json, "rows", frame->n_rows);
	es_json_object_end(json);
}

static void put_inks(struct es_json *json)
{
	es_json_object(json, "inks");
	es_json_i64(json, "text", ES_INK_TEXT);
	es_json_i64(json, "muted", ES_INK_MUTED);
	es_json_i64(json, "grid", ES_INK_GRID);
	es_json_i64(json, "gap", ES_INK_GAP);
	es_json_i64(json, "gap_line", ES_INK_GAP_LINE);
	es_json_i64(json, "limit", ES_INK_LIMIT);
	es_json_i64(json, "peak", ES_INK_PEAK);
	es_json_i64(json, "edge", ES_INK_EDGE);
	es_json_object_end(json);
}

static void put_times(const struct es_plot *plot, const struct es_plot_frame *frame,
		      struct es_json *json)
{
	int64_t start_unix_ns = es_report_unix_ns(plot->report, plot->start_ns);
	time_t t = (time_t)(start_unix_ns / ES_NS_PER_S);
	struct tm tm = { .tm_gmtoff = 0 };

	(void)localtime_r(&t, &tm);
	es_json_u64(json, "columns", plot->n_columns);
	es_json_double(json, "column", (double)plot->column_ns / 1e9);
	es_json_double(json, "duration", seconds_of(plot, plot->stop_ns));
	es_json_double(json, "offset", (double)(plot->start_ns - plot->report->start_ns) / 1e9);
	es_json_double(json, "unit", (double)frame->time_unit_ns / 1e9);
	es_json_double(json, "start", (double)start_unix_ns / 1e9);
	es_json_i64(json, "zone", tm.tm_gmtoff);
}

/* What the script reads. In a page "<" is dangerous within a script too: as \u003c it is not. */
static int put_numbers(const struct es_plot *plot, const struct es_plot_frame *frame,
		       struct es_buf *out)
{
	struct es_json json;
	struct es_buf text;
	int r;

	es_buf_init(&text, NUMBERS_MAX_BYTES);
	es_json_init(&json, es_json_sink_buf, &text, false);
	es_json_object(&json, NULL);
	put_times(plot, frame, &json);
	put_frame(frame, &json);
	put_inks(&json);
	put_layers(plot, &json);
	es_json_bool(&json, "has_peaks", plot->has_peaks);
	put_powers(&json, "least", plot->least_mw, plot->n_columns, plot->is_known);
	put_powers(&json, "most", plot->most_mw, plot->n_columns, plot->is_known);
	if (plot->has_filled_columns)
		put_powers(&json, "filled", plot->filled_mw, plot->n_columns, plot->is_known);
	put_unknown(plot, &json);
	put_regions(plot, frame, &json);
	if (plot->limit_mw) {
		es_json_object(&json, "limit");
		es_json_u64(&json, "mw", plot->limit_mw);
		es_json_string(&json, "text", plot->limit_text);
		es_json_object_end(&json);
	}
	es_json_object_end(&json);
	r = es_json_end(&json);
	(void)es_buf_str(out, "<script type=\"application/json\" id=\"numbers\">");
	for (size_t i = 0; r == 0 && i < text.len; i++) {
		if (text.data[i] == '<')
			(void)es_buf_str(out, "\\u003c");
		else
			(void)es_buf_u8(out, text.data[i]);
	}
	(void)es_buf_str(out, "</script>\n");
	es_buf_finish(&text);
	return r;
}

int es_plot_page_head(struct es_buf *out)
{
	(void)es_buf_printf(
		out,
		"<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"%s\">\n<meta name=\"viewport\" "
		"content=\"width=device-width\">\n<meta name=\"generator\" "
		"content=\"energyscopium " ES_VERSION "\">\n<style>\n",
		policy);
	(void)es_buf_append(out, style, sizeof(style) - 1);
	(void)es_scene_css(out);
	(void)es_buf_str(out, "</style>\n");
	return out->error;
}

int es_plot_page_body(struct es_plot *plot, const struct es_plot_look *look, struct es_buf *out)
{
	struct es_plot_frame frame;
	struct es_scene scene;
	struct es_buf numbers;
	int r = es_plot_scene(plot, look, &scene, &frame);

	es_scene_finish(&scene);
	es_buf_init(&numbers, 4 * NUMBERS_MAX_BYTES);
	if (r == 0)
		r = put_numbers(plot, &frame, &numbers);
	while (plot->n_columns > COLUMNS_STILL)
		es_plot_halve(plot);
	if (r == 0) {
		r = es_plot_scene(plot, look, &scene, NULL);
		(void)es_buf_str(out, "<div id=\"look\">\n");
		if (r == 0)
			r = es_scene_svg_inline(&scene, out);
		es_scene_finish(&scene);
		(void)es_buf_str(out, "<div id=\"said\"></div>\n</div>\n<p id=\"help\"></p>\n");
		(void)es_buf_append(out, numbers.data, numbers.len);
		(void)es_buf_str(out, "<script>");
		(void)es_buf_append(out, script, sizeof(script) - 1);
		(void)es_buf_str(out, "</script>\n");
	}
	if (r == 0)
		r = numbers.error ? numbers.error : out->error;
	es_buf_finish(&numbers);
	return r;
}

int es_plot_page(struct es_plot *plot, const struct es_plot_look *look, struct es_buf *out)
{
	struct es_plot_words words = { .title = "" };
	int r;

	es_plot_say(plot, &words);
	(void)es_buf_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n");
	(void)es_plot_page_head(out);
	(void)es_buf_str(out, "<title>");
	es_xml_text(out, look->title ? look->title : words.title);
	(void)es_buf_str(out, "</title>\n</head>\n<body>\n");
	r = es_plot_page_body(plot, look, out);
	(void)es_buf_str(out, "</body>\n</html>\n");
	return r < 0 ? r : out->error;
}
