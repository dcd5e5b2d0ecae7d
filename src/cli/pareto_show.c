/*
 * pareto_show.c - a front, for people and programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/pareto.h"
#include "cli/scatter.h"
#include "cli/terminal.h"
#include "format/letters.h"

#define SHOWN_LONG 10U
#define SHOWN_BYTES 32U
#define SCHEMA "energyscopium.pareto/1"
#define COLUMNS_SHOWN 8
#define CELL_MAX 34U
#define POSSIBLE_SHOWN 8U

static void interval_json(const struct es_interval *of, const char *mean, const char *ci,
			  struct es_json *json)
{
	es_json_double(json, mean, of->mean);
	if (of->method == ES_INTERVAL_NONE) {
		es_json_null(json, ci);
		return;
	}
	es_json_array(json, ci);
	es_json_double(json, NULL, of->low);
	es_json_double(json, NULL, of->high);
	es_json_array_end(json);
}

static void point_json(const struct es_pareto *pareto, size_t i, const char *key,
		       struct es_json *json)
{
	const struct es_pareto_point *point = &pareto->points[i];

	if (pareto->is_rows) {
		es_sheet_json(&pareto->rows, point->row, key, json);
		return;
	}
	es_json_object(json, key);
	es_json_string(json, "name", point->name);
	if (pareto->n_groups)
		es_json_string(json, "group", pareto->groups[point->group].group);
	es_json_u64(json, "runs", point->time.n);
	interval_json(&point->time, "time", "time_ci", json);
	interval_json(&point->energy, "energy", "energy_ci", json);
	es_json_object_end(json);
}

static void front_json(const struct es_pareto *pareto, const struct es_pareto_front *front,
		       struct es_json *json)
{
	size_t n_dominated = front->n_points - front->n;

	es_json_array(json, "front");
	for (size_t i = 0; i < front->n; i++)
		point_json(pareto, front->points[i], NULL, json);
	es_json_array_end(json);
	es_json_u64(json, "dominated", n_dominated);
	if (pareto->has_ranges) {
		es_json_u64(json, "dominated_surely", n_dominated - front->n_possible);
		es_json_array(json, "possible");
		for (size_t i = 0; i < front->n_possible; i++)
			point_json(pareto, front->possible[i], NULL, json);
		es_json_array_end(json);
	} else {
		es_json_null(json, "dominated_surely");
		es_json_null(json, "possible");
	}
	if (front->depth > 0)
		point_json(pareto, front->knee, "knee", json);
	else
		es_json_null(json, "knee");
	if (pareto->objective)
		point_json(pareto, front->best, "best", json);
}

void es_pareto_json(const struct es_pareto *pareto, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "time", pareto->time);
	es_json_string(&json, "energy", pareto->energy);
	if (pareto->objective)
		es_json_string(&json, "objective", es_opt_objective_name(pareto->exponent));
	es_json_u64(&json, "rows", pareto->trials.n ? pareto->trials.n : pareto->rows.n);
	es_json_u64(&json, "lines_left_out", pareto->rows.n_bad + pareto->trials.n_unread);
	front_json(pareto, &pareto->all, &json);
	if (pareto->n_groups) {
		es_json_array(&json, "groups");
		for (size_t i = 0; i < pareto->n_groups; i++) {
			es_json_object(&json, NULL);
			es_json_string(&json, "group", pareto->groups[i].group);
			front_json(pareto, &pareto->groups[i], &json);
			es_json_object_end(&json);
		}
		es_json_array_end(&json);
	}
	es_json_object_end(&json);
	if (es_json_end(&json) < 0 && !out->error)
		out->error = -ENOMEM;
	(void)es_buf_u8(out, '\n');
}

/* Time and energy first, then what else the table has. */
static int shown_columns(const struct es_pareto *pareto, int ret[static COLUMNS_SHOWN])
{
	int n = 0;

	ret[n++] = pareto->columns[0];
	ret[n++] = pareto->columns[1];
	for (int i = 0; i < pareto->rows.n_columns && n < COLUMNS_SHOWN; i++)
		if (i != pareto->columns[0] && i != pareto->columns[1] && pareto->rows.names[i][0])
			ret[n++] = i;
	return n;
}

/* As in the table, but long fractions have seven digits: more are in JSON. @text: where it may be put. */
static const char *shown(const struct es_pareto *pareto, size_t row, int column,
			 char text[static SHOWN_BYTES])
{
	const char *cell = es_sheet_cell(&pareto->rows, row, column);
	double number;

	if (strlen(cell) <= SHOWN_LONG || !strchr(cell, '.') || es_parse_double(cell, &number) < 0)
		return cell;
	(void)snprintf(text, SHOWN_BYTES, "%.7g", number);
	return text;
}

static unsigned width_of(const struct es_pareto *pareto, const struct es_pareto_front *front,
			 int column)
{
	size_t widest = strlen(pareto->rows.names[column]);

	for (size_t i = 0; i < front->n; i++) {
		char text[SHOWN_BYTES];
		size_t n =
			strlen(shown(pareto, pareto->points[front->points[i]].row, column, text));

		widest = n > widest ? n : widest;
	}
	return widest > CELL_MAX ? CELL_MAX : (unsigned)widest;
}

static bool is_knee(const struct es_pareto_front *front, size_t k)
{
	return front->depth > 0 && front->points[k] == front->knee;
}

static void rows_text(const struct es_pareto *pareto, const struct es_pareto_front *front,
		      struct es_buf *out)
{
	int columns[COLUMNS_SHOWN], n = shown_columns(pareto, columns);
	unsigned widths[COLUMNS_SHOWN];

	for (int i = 0; i < n; i++)
		widths[i] = width_of(pareto, front, columns[i]);
	(void)es_buf_str(out, "  ");
	for (int i = 0; i < n; i++) {
		es_letters_cell(out, pareto->rows.names[columns[i]], widths[i], i + 1 < n);
		(void)es_buf_str(out, i + 1 < n ? "  " : "\n");
	}
	for (size_t k = 0; k < front->n; k++) {
		size_t row = pareto->points[front->points[k]].row;

		(void)es_buf_str(out, is_knee(front, k) ? "* " : "  ");
		for (int i = 0; i < n; i++) {
			char text[SHOWN_BYTES];

			es_letters_cell(out, shown(pareto, row, columns[i], text), widths[i],
					i + 1 < n);
			(void)es_buf_str(out, i + 1 < n ? "  " : "\n");
		}
	}
}

static void interval_text(const struct es_interval *of, struct es_buf *out)
{
	char text[64] = "";

	if (of->method != ES_INTERVAL_NONE)
		(void)snprintf(text, sizeof(text), "%.5g..%.5g", of->low, of->high);
	(void)es_buf_printf(out, "%11.6g %-21s ", of->mean, text);
}

static void configurations_text(const struct es_pareto *pareto, const struct es_pareto_front *front,
				struct es_buf *out)
{
	(void)es_buf_str(out, "  ");
	es_letters_cell(out, pareto->time, 11, true);
	(void)es_buf_printf(out, " %-21s ", "95 %");
	es_letters_cell(out, pareto->energy, 11, true);
	(void)es_buf_printf(out, " %-21s %4s  configuration\n", "95 %", "runs");
	for (size_t k = 0; k < front->n; k++) {
		const struct es_pareto_point *point = &pareto->points[front->points[k]];

		(void)es_buf_str(out, is_knee(front, k) ? "* " : "  ");
		interval_text(&point->time, out);
		interval_text(&point->energy, out);
		(void)es_buf_printf(out, "%4zu  ", point->time.n);
		es_letters_cell(out, point->name, CELL_MAX, false);
		(void)es_buf_u8(out, '\n');
	}
}

static void name_text(const struct es_pareto *pareto, size_t i, struct es_buf *out)
{
	const struct es_pareto_point *point = &pareto->points[i];

	if (point->name[0])
		es_letters_cell(out, point->name, CELL_MAX, false);
	else
		(void)es_buf_printf(out, "line %zu", pareto->rows.lines[point->row]);
}

static void front_text(const struct es_pareto *pareto, const struct es_pareto_front *front,
		       struct es_buf *out)
{
	size_t n_dominated = front->n_points - front->n;

	if (pareto->is_rows)
		rows_text(pareto, front, out);
	else
		configurations_text(pareto, front, out);
	(void)es_buf_printf(out, "front: %zu of %zu %s, %zu dominated", front->n, front->n_points,
			    pareto->is_rows ? "rows" : "configurations", n_dominated);
	if (pareto->has_ranges)
		(void)es_buf_printf(out, ", %zu of them surely (intervals that lie apart)",
				    n_dominated - front->n_possible);
	(void)es_buf_printf(out, "; %s\n", front->depth > 0 ? "*: its knee" : "no knee");
	for (size_t i = 0; i < front->n_possible && i < POSSIBLE_SHOWN; i++) {
		(void)es_buf_str(out, i ? ", " : "may be on the front, too: ");
		name_text(pareto, front->possible[i], out);
	}
	if (front->n_possible > POSSIBLE_SHOWN)
		(void)es_buf_printf(out, " and %zu more", front->n_possible - POSSIBLE_SHOWN);
	(void)es_buf_str(out, front->n_possible ? "\n" : "");
	if (pareto->objective) {
		(void)es_buf_printf(out, "least %s: ", es_opt_objective_name(pareto->exponent));
		name_text(pareto, front->best, out);
		(void)es_buf_printf(out, ", time %.6g, energy %.6g\n",
				    pareto->points[front->best].at.time,
				    pareto->points[front->best].at.energy);
	}
}

void es_pareto_text(const struct es_pareto *pareto, struct es_buf *out)
{
	if (!pareto->n_groups)
		front_text(pareto, &pareto->all, out);
	for (size_t i = 0; i < pareto->n_groups; i++) {
		(void)es_buf_str(out, i ? "\n" : "");
		es_letters_cell(out, pareto->group_name, 40, false);
		(void)es_buf_str(out, " ");
		es_letters_cell(out, pareto->groups[i].group, 60, false);
		(void)es_buf_u8(out, '\n');
		front_text(pareto, &pareto->groups[i], out);
	}
	if (pareto->n_groups)
		(void)es_buf_printf(out,
				    "\nof all groups together %zu of %zu %s are on the front\n",
				    pareto->all.n, pareto->all.n_points,
				    pareto->is_rows ? "rows" : "configurations");
}

static void mark(struct es_scatter_point *points, const struct es_pareto_front *front,
		 unsigned colour, struct es_scatter_line *line)
{
	for (size_t i = 0; i < front->n; i++)
		points[front->points[i]].is_front = true;
	points[front->knee].is_marked = front->depth > 0;
	*line = (struct es_scatter_line){ front->points, front->n, colour };
}

static void set_point(const struct es_pareto *pareto, size_t i, struct es_scatter_point *ret)
{
	const struct es_pareto_point *point = &pareto->points[i];

	*ret = (struct es_scatter_point){ .at = point->at,
					  .colour = (unsigned)point->group,
					  .has_box = point->has_range,
					  .time_low = point->range.time_low,
					  .time_high = point->range.time_high,
					  .energy_low = point->range.energy_low,
					  .energy_high = point->range.energy_high,
					  .name = point->name };
}

static int put_letters(const struct es_scatter *scatter, struct es_buf *out, struct es_error *err)
{
	struct es_terminal terminal;
	int r;

	es_terminal_look(&terminal);
	r = es_scatter_text(scatter, &terminal, out);
	if (r == 0)
		r = es_buf_u8(out, '\n');
	return r < 0 ? es_error_set(err, r, "cannot draw") : 0;
}

int es_pareto_draw(const struct es_pareto *pareto, struct es_buf *terminal, struct es_error *err)
{
	const char *slash = strrchr(pareto->paths[0], '/');
	size_t n_lines = pareto->n_groups ? pareto->n_groups : 1;
	es_cleanup(es_freep) struct es_scatter_point *points = calloc(pareto->n, sizeof(*points));
	es_cleanup(es_freep) struct es_scatter_line *lines = calloc(n_lines, sizeof(*lines));
	es_cleanup(es_freep) const char **legend = calloc(n_lines, sizeof(*legend));
	struct es_scatter scatter = { .title = slash && slash[1] ? slash + 1 : pareto->paths[0],
				      .x_name = pareto->trials.n ? "time (s)" : pareto->time,
				      .y_name = pareto->trials.n ? "energy (J)" : pareto->energy,
				      .mark_name = "knee",
				      .points = points,
				      .n = pareto->n,
				      .lines = lines,
				      .n_lines = n_lines,
				      .legend = legend,
				      .n_legend = pareto->n_groups };
	int r = 0;

	if (!points || !lines || !legend)
		return es_error_set(err, -ENOMEM, "cannot draw");
	for (size_t i = 0; i < pareto->n; i++)
		set_point(pareto, i, &points[i]);
	if (!pareto->n_groups)
		mark(points, &pareto->all, 0, &lines[0]);
	for (size_t i = 0; i < pareto->n_groups; i++) {
		legend[i] = pareto->groups[i].group;
		mark(points, &pareto->groups[i], (unsigned)i, &lines[i]);
	}
	if (es_drawing_is_asked(&pareto->drawing))
		r = es_scatter_write(&scatter, &pareto->drawing, err);
	/* Too many for letters: the table tells. */
	if (r == 0 && terminal && scatter.n <= ES_SCATTER_POINTS_MAX)
		r = put_letters(&scatter, terminal, err);
	return r;
}
