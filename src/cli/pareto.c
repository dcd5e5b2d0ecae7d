/*
 * pareto.c - energyscopium pareto: the rows of a table that no other is better than
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/scatter.h"
#include "cli/sheet.h"
#include "format/letters.h"
#include "opt/front.h"

#define COMMAND "pareto"
#define SCHEMA "energyscopium.pareto/1"
#define OUT_MAX_BYTES (256U << 20)
#define COLUMNS_SHOWN 8
#define CELL_MAX 34U

/* A front: of all rows, or of a group. */
struct front {
	const char *group; /* NULL: all */
	size_t *rows; /* [n] owned, by time */
	size_t n, n_rows, knee;
	double depth;
};

struct work {
	const char *path, *time, *energy, *label;
	struct es_text_list group;
	struct es_drawing drawing;
	bool is_strict, is_json;
	struct es_sheet rows;
	int columns[3]; /* time, energy, label; -1: none */
	int group_columns[ES_SHEET_GROUP_COLUMNS_MAX];
	size_t n_group_columns;
	char group_name[200]; /* of those columns */
	struct es_sheet_groups split;
	struct es_opt_point *points; /* [rows.n] */
	struct front all;
	struct front *groups; /* [n_groups] */
	unsigned *group_of; /* [rows.n]; NULL: no groups */
	size_t n_groups;
};

static int find(struct work *work, struct es_error *err)
{
	int r = es_sheet_find(&work->rows, "time", work->time, &work->columns[0], err);

	if (r == 0)
		r = es_sheet_find(&work->rows, "energy", work->energy, &work->columns[1], err);
	for (size_t i = 0; r == 0 && i < work->group.n; i++)
		r = es_sheet_find_list(&work->rows, "group", work->group.texts[i],
				       ES_SHEET_GROUP_COLUMNS_MAX, work->group_columns,
				       &work->n_group_columns, err);
	for (size_t i = 0; r == 0 && i < work->n_group_columns; i++)
		(void)snprintf(work->group_name + strlen(work->group_name),
			       sizeof(work->group_name) - strlen(work->group_name), "%s%s",
			       i ? " / " : "", work->rows.names[work->group_columns[i]]);
	if (r == 0 && work->label)
		r = es_sheet_find(&work->rows, "label", work->label, &work->columns[2], err);
	if (r == 0 && work->columns[0] == work->columns[1])
		r = es_error_say(err, -EINVAL, "--time and --energy are the same column '%s'",
				 work->time);
	return r;
}

static int take(struct work *work, struct es_error *err)
{
	double *values[2] = { NULL, NULL };
	int r = es_sheet_positive(&work->rows, work->columns, ES_ARRAY_SIZE(values), values, err);

	if (es_sheet_complain(&work->rows, COMMAND, work->is_strict) < 0)
		r = r < 0 ? r : -EBADMSG;
	if (r == 0)
		work->points = calloc(work->rows.n, sizeof(*work->points));
	if (r == 0 && !work->points) {
		(void)es_error_set(err, -ENOMEM, "cannot keep the rows");
		r = -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < work->rows.n; i++)
		work->points[i] = (struct es_opt_point){ values[0][i], values[1][i] };
	free(values[0]);
	free(values[1]);
	return r;
}

/* The front of @n rows; @rows NULL: all of them. */
static int make_front(const struct work *work, const size_t *rows, size_t n, struct front *front)
{
	es_cleanup(es_freep) struct es_opt_point *points = calloc(n, sizeof(*points));
	int r;

	front->rows = calloc(n, sizeof(*front->rows));
	front->n_rows = n;
	if (!points || !front->rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		points[i] = work->points[rows ? rows[i] : i];
	r = es_opt_front(points, n, front->rows, &front->n);
	if (r < 0)
		return r;
	front->knee = es_opt_knee(points, front->rows, front->n, &front->depth);
	for (size_t i = 0; rows && i < front->n; i++)
		front->rows[i] = rows[front->rows[i]];
	if (rows)
		front->knee = rows[front->knee];
	return 0;
}

static int make_groups(struct work *work)
{
	struct es_sheet_groups *groups = &work->split;
	int r = es_sheet_group(&work->rows, work->group_columns, work->n_group_columns, groups);

	if (r < 0)
		return r;
	work->groups = calloc(groups->n, sizeof(*work->groups));
	work->group_of = calloc(work->rows.n, sizeof(*work->group_of));
	if (!work->groups || !work->group_of)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < groups->n; i++) {
		size_t first = groups->first[i], n = groups->first[i + 1] - first;

		for (size_t k = first; k < first + n; k++)
			work->group_of[groups->rows[k]] = (unsigned)i;
		work->groups[work->n_groups++] = (struct front){ .group = groups->names[i] };
		r = make_front(work, &groups->rows[first], n, &work->groups[i]);
	}
	return r;
}

static void front_json(const struct work *work, const struct front *front, struct es_json *json)
{
	es_json_array(json, "front");
	for (size_t i = 0; i < front->n; i++)
		es_sheet_json(&work->rows, front->rows[i], NULL, json);
	es_json_array_end(json);
	es_json_u64(json, "dominated", front->n_rows - front->n);
	if (front->depth > 0)
		es_sheet_json(&work->rows, front->knee, "knee", json);
	else
		es_json_null(json, "knee");
}

static void show_json(const struct work *work, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "time", work->time);
	es_json_string(&json, "energy", work->energy);
	es_json_u64(&json, "rows", work->rows.n);
	es_json_u64(&json, "lines_left_out", work->rows.n_bad);
	front_json(work, &work->all, &json);
	if (work->n_group_columns) {
		es_json_array(&json, "groups");
		for (size_t i = 0; i < work->n_groups; i++) {
			es_json_object(&json, NULL);
			es_json_string(&json, "group", work->groups[i].group);
			front_json(work, &work->groups[i], &json);
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
static int shown_columns(const struct work *work, int ret[static COLUMNS_SHOWN])
{
	int n = 0;

	ret[n++] = work->columns[0];
	ret[n++] = work->columns[1];
	for (int i = 0; i < work->rows.n_columns && n < COLUMNS_SHOWN; i++)
		if (i != work->columns[0] && i != work->columns[1] && work->rows.names[i][0])
			ret[n++] = i;
	return n;
}

static unsigned width_of(const struct work *work, const struct front *front, int column)
{
	size_t widest = strlen(work->rows.names[column]);

	for (size_t i = 0; i < front->n; i++) {
		size_t n = strlen(es_sheet_cell(&work->rows, front->rows[i], column));

		widest = n > widest ? n : widest;
	}
	return widest > CELL_MAX ? CELL_MAX : (unsigned)widest;
}

static void front_text(const struct work *work, const struct front *front, struct es_buf *out)
{
	int columns[COLUMNS_SHOWN], n = shown_columns(work, columns);
	unsigned widths[COLUMNS_SHOWN];

	for (int i = 0; i < n; i++)
		widths[i] = width_of(work, front, columns[i]);
	(void)es_buf_str(out, "  ");
	for (int i = 0; i < n; i++) {
		es_letters_cell(out, work->rows.names[columns[i]], widths[i], i + 1 < n);
		(void)es_buf_str(out, i + 1 < n ? "  " : "\n");
	}
	for (size_t k = 0; k < front->n; k++) {
		bool is_knee = front->depth > 0 && front->rows[k] == front->knee;

		(void)es_buf_str(out, is_knee ? "* " : "  ");
		for (int i = 0; i < n; i++) {
			es_letters_cell(out, es_sheet_cell(&work->rows, front->rows[k], columns[i]),
					widths[i], i + 1 < n);
			(void)es_buf_str(out, i + 1 < n ? "  " : "\n");
		}
	}
	(void)es_buf_printf(out, "front: %zu of %zu rows, %zu dominated; %s\n", front->n,
			    front->n_rows, front->n_rows - front->n,
			    front->depth > 0 ? "*: its knee" : "no knee");
}

static void show_text(const struct work *work, struct es_buf *out)
{
	if (!work->n_group_columns)
		front_text(work, &work->all, out);
	for (size_t i = 0; i < work->n_groups; i++) {
		(void)es_buf_str(out, i ? "\n" : "");
		es_letters_cell(out, work->group_name, 40, false);
		(void)es_buf_str(out, " ");
		es_letters_cell(out, work->groups[i].group, 60, false);
		(void)es_buf_u8(out, '\n');
		front_text(work, &work->groups[i], out);
	}
	if (work->n_group_columns)
		(void)es_buf_printf(out,
				    "\nof all groups together %zu of %zu rows are on the front\n",
				    work->all.n, work->all.n_rows);
}

static void mark(struct es_scatter_point *points, const struct front *front, unsigned colour,
		 struct es_scatter_line *line)
{
	for (size_t i = 0; i < front->n; i++) {
		points[front->rows[i]].is_front = true;
		points[front->rows[i]].colour = colour;
	}
	points[front->knee].is_marked = front->depth > 0;
	*line = (struct es_scatter_line){ front->rows, front->n, colour };
}

/* Unless it is said: the first other column of words, else the first other one. */
static int label_of(const struct work *work)
{
	int label = work->columns[2];
	bool is_word = label >= 0;

	for (int i = 0; i < work->rows.n_columns && !is_word; i++) {
		double value;

		bool is_group = false;

		for (size_t k = 0; k < work->n_group_columns; k++)
			is_group |= i == work->group_columns[k];
		if (i == work->columns[0] || i == work->columns[1] || is_group)
			continue;
		is_word = es_parse_double(es_sheet_cell(&work->rows, 0, i), &value) < 0;
		label = is_word || label < 0 ? i : label;
	}
	return label;
}

static int draw(const struct work *work, struct es_error *err)
{
	const char *slash = strrchr(work->path, '/');
	size_t n_lines = work->n_groups ? work->n_groups : 1;
	es_cleanup(es_freep) struct es_scatter_point *points =
		calloc(work->rows.n, sizeof(*points));
	es_cleanup(es_freep) struct es_scatter_line *lines = calloc(n_lines, sizeof(*lines));
	es_cleanup(es_freep) const char **legend = calloc(n_lines, sizeof(*legend));
	struct es_scatter scatter = { .title = slash ? slash + 1 : work->path,
				      .x_name = work->time,
				      .y_name = work->energy,
				      .mark_name = "knee",
				      .points = points,
				      .n = work->rows.n,
				      .lines = lines,
				      .n_lines = n_lines,
				      .legend = legend,
				      .n_legend = work->n_groups };
	int name = label_of(work);

	if (!points || !lines || !legend)
		return es_error_set(err, -ENOMEM, "cannot draw");
	for (size_t i = 0; i < work->rows.n; i++)
		points[i] = (struct es_scatter_point){
			.at = work->points[i],
			.name = name >= 0 ? es_sheet_cell(&work->rows, i, name) : NULL
		};
	if (!work->n_group_columns)
		mark(points, &work->all, 0, &lines[0]);
	for (size_t i = 0; i < work->rows.n && work->group_of; i++)
		points[i].colour = work->group_of[i];
	for (size_t i = 0; i < work->n_groups; i++) {
		legend[i] = work->groups[i].group;
		mark(points, &work->groups[i], (unsigned)i, &lines[i]);
	}
	return es_scatter_write(&scatter, &work->drawing, err);
}

static int do_work(struct work *work)
{
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status, r = es_sheet_read(work->path, &work->rows, &err);

	if (r == 0)
		r = find(work, &err);
	if (r == 0)
		r = take(work, &err);
	if (r == 0 && (make_front(work, NULL, work->rows.n, &work->all) < 0 ||
		       (work->n_group_columns && make_groups(work) < 0)))
		r = es_error_set(&err, -ENOMEM, "cannot find the front");
	if (r == 0 && es_drawing_is_asked(&work->drawing))
		r = draw(work, &err);
	if (r < 0)
		return err.text[0] ? es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text)
				   : ES_EXIT_FAILURE;
	/* A picture on stdout stands alone. */
	if (es_drawing_takes_stdout(&work->drawing, NULL))
		return ES_EXIT_OK;
	es_buf_init(&out, OUT_MAX_BYTES);
	if (work->is_json)
		show_json(work, &out);
	else
		show_text(work, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static void finish(struct work *work)
{
	for (size_t i = 0; i < work->n_groups; i++)
		free(work->groups[i].rows);
	free(work->groups);
	free(work->all.rows);
	free(work->points);
	free(work->group_of);
	es_sheet_groups_finish(&work->split);
	es_text_list_finish(&work->group);
	es_sheet_finish(&work->rows);
}

int es_cmd_pareto(int argc, char **argv)
{
	struct work work = { .columns = { -1, -1, -1 } };
	const struct es_option options[] = {
		{ "time", "COL", "column of the times", ES_OPTION_TEXT, &work.time },
		{ "energy", "COL", "column of the energies", ES_OPTION_TEXT, &work.energy },
		{ "group", "COL[,COL]…", "a front for each value of these columns, too",
		  ES_OPTION_LIST, &work.group },
		{ "label", "COL", "what names the points of a picture", ES_OPTION_TEXT,
		  &work.label },
		{ "strict", NULL, "refuse a table with lines that are no rows", ES_OPTION_FLAG,
		  &work.is_strict },
		{ "svg", "FILE", "a picture: energy against time; '-': stdout", ES_OPTION_TEXT,
		  &work.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &work.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &work.drawing.pdf },
		{ "json", NULL, "print " SCHEMA, ES_OPTION_FLAG, &work.is_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "FILE.csv --time COL --energy COL [OPTION]…",
		.text = "Shows the rows of a table for which no other is at least as good in time and energy and\n"
			"better in one of them, and the knee of that front: the row farthest below the line\n"
			"between its ends, both axes scaled to its length.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	struct es_error err = { .code = 0 };
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first + 1 != argc)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "one FILE.csv is wanted");
	else if (!work.time || !work.energy)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "--%s COL is missing",
				     work.time ? "energy" : "time");
	else if (es_drawing_takes_stdout(&work.drawing, &err) < 0)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "%s", err.text);
	if (status < 0) {
		work.path = argv[first];
		status = do_work(&work);
	}
	finish(&work);
	return status;
}
