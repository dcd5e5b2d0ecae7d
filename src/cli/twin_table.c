/*
 * twin_table.c - tables of measured times and energies that a twin is held against
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/csvread.h"

#define LARGEST 1e12

enum column {
	SETTING,
	TIME,
	ENERGY,
	POWER,
	IDLE,
	NAME_1, /* a program's name may be of several columns */
	NAME_2,
	NAME_3,
	NAME_4,
	N_COLUMNS,
};

/*
 * Tables that others publish, by their headers. A setting may stand behind the last '_' of a word (Zeus' windows); a P-state is a
 * clock by the kind's own steps; work per second in percent is a time.
 */
struct shape {
	const char *name;
	char separator;
	enum es_twin_knob knob;
	enum es_twin_scope scope;
	const char *columns[N_COLUMNS];
	double seconds; /* in one unit of the time */
	bool is_word, is_pstate, is_speed;
};

static const struct shape shapes[] = {
	{ "Kernel Tuner",
	  ',',
	  ES_TWIN_BY_GPU_MHZ,
	  ES_TWIN_OF_GPU,
	  { [SETTING] = "requested_MHz", [TIME] = "time_ms", [POWER] = "power_W" },
	  1e-3,
	  false,
	  false,
	  false },
	{ "Zeus power trace",
	  ',',
	  ES_TWIN_BY_GPU_W,
	  ES_TWIN_OF_GPU,
	  { [SETTING] = "power_limit",
	    [TIME] = "time_per_epoch",
	    [POWER] = "average_power",
	    [NAME_1] = "dataset",
	    [NAME_2] = "network",
	    [NAME_3] = "batch_size",
	    [NAME_4] = "optimizer" },
	  1,
	  false,
	  false,
	  false },
	{ "Zeus profile",
	  ',',
	  ES_TWIN_BY_GPU_W,
	  ES_TWIN_OF_GPU,
	  { [SETTING] = "window_name", [TIME] = "elapsed_time", [ENERGY] = "gpu0_energy" },
	  1,
	  true,
	  false,
	  false },
	{ "P-states",
	  ',',
	  ES_TWIN_BY_CORE_MHZ,
	  ES_TWIN_OF_NODE,
	  { [SETTING] = "pstate", [TIME] = "relative_speed_pct", [POWER] = "full_W", [IDLE] = "idle_W" },
	  1,
	  false,
	  true,
	  true },
	{ "threads at a wall meter",
	  ';',
	  ES_TWIN_BY_THREADS,
	  ES_TWIN_OF_NODE,
	  { [SETTING] = "Cores", [TIME] = "Time[s]", [POWER] = "AvgPower[W]" },
	  1,
	  false,
	  false,
	  false },
};

/* Names of our own. */
static const struct {
	const char *name;
	enum column column;
	enum es_twin_knob knob; /* for SETTING */
	double seconds; /* for TIME */
} plain[] = {
	{ "core_mhz", SETTING, ES_TWIN_BY_CORE_MHZ, 0 },
	{ "package_limit_w", SETTING, ES_TWIN_BY_PACKAGE_W, 0 },
	{ "gpu_mhz", SETTING, ES_TWIN_BY_GPU_MHZ, 0 },
	{ "gpu_limit_w", SETTING, ES_TWIN_BY_GPU_W, 0 },
	{ "threads", SETTING, ES_TWIN_BY_THREADS, 0 },
	{ "cores", SETTING, ES_TWIN_BY_THREADS, 0 },
	{ "mhz", SETTING, ES_TWIN_N_KNOBS, 0 }, /* of what --of names */
	{ "limit_w", SETTING, ES_TWIN_N_KNOBS, 0 },
	{ "time_s", TIME, 0, 1 },
	{ "time_ms", TIME, 0, 1e-3 },
	{ "energy_j", ENERGY, 0, 0 },
	{ "power_w", POWER, 0, 0 },
	{ "idle_w", IDLE, 0, 0 },
	{ "program", NAME_1, 0, 0 },
};

/* One file being read. */
struct work {
	const struct es_twin_reading *reading;
	const char *file;
	struct es_twin_table *table;
	struct shape shape; /* of the columns that were found */
	int at[N_COLUMNS]; /* -1: not there */
	struct es_csv csv;
	struct es_error *err;
};

static int wrong(const struct work *work, const char *column, const char *value, const char *why)
{
	return es_error_say(work->err, -EBADMSG, "%.300s:%zu: column '%.40s': '%.60s' %s",
			    work->file, work->csv.line, column, value, why);
}

/* Loghin's begins with "#Procs": the first line may be a comment and the header at once. */
static const char *title(const char *field)
{
	return field[0] == '#' ? field + 1 : field;
}

static bool fits(const struct shape *shape, char *const *fields, int n, int at[static N_COLUMNS])
{
	for (int c = 0; c < N_COLUMNS; c++) {
		at[c] = -1;
		for (int i = 0; i < n && shape->columns[c]; i++)
			if (at[c] < 0 && strcasecmp(title(fields[i]), shape->columns[c]) == 0)
				at[c] = i;
		if (shape->columns[c] && at[c] < 0)
			return false;
	}
	return true;
}

/* The name of ours that @title stands for by --columns, or @title itself. */
static const char *ours(const struct work *work, const char *name, char *text, size_t size)
{
	const char *at = work->reading->columns;

	while (at && *at) {
		size_t n = strcspn(at, ","), key = strcspn(at, "=,");

		if (key < n && n - key - 1 == strlen(name) &&
		    strncasecmp(at + key + 1, name, n - key - 1) == 0 && key < size) {
			memcpy(text, at, key);
			text[key] = '\0';
			return text;
		}
		at += n + (at[n] == ',');
	}
	return name;
}

static int check_columns(const struct work *work)
{
	const char *at = work->reading->columns;

	while (at && *at) {
		size_t n = strcspn(at, ","), key = strcspn(at, "=,");
		bool is_known = false;

		for (size_t i = 0; i < ES_ARRAY_SIZE(plain); i++)
			is_known |= strlen(plain[i].name) == key &&
				    strncmp(plain[i].name, at, key) == 0;
		if (key == n || !is_known)
			return es_error_say(
				work->err, -EINVAL,
				"--columns: '%.*s' is not NAME=COLUMN with a NAME of core_mhz, package_limit_w, "
				"gpu_mhz, gpu_limit_w, threads, time_s, time_ms, energy_j, power_w, idle_w, program",
				(int)(n < 60 ? n : 60), at);
		at += n + (at[n] == ',');
	}
	return 0;
}

static int scope_of(const struct work *work, enum es_twin_knob knob, enum es_twin_scope *ret)
{
	const char *name = work->reading->scope;

	*ret = knob == ES_TWIN_BY_GPU_MHZ || knob == ES_TWIN_BY_GPU_W ? ES_TWIN_OF_GPU
								      : ES_TWIN_OF_NODE;
	if (!name)
		return 0;
	for (int i = 0; i < ES_TWIN_N_SCOPES; i++) {
		if (strcmp(name, es_twin_scope_name((enum es_twin_scope)i)) == 0) {
			*ret = (enum es_twin_scope)i;
			return 0;
		}
	}
	return es_error_say(work->err, -EINVAL, "--of: '%.60s' is none of node, package, gpu",
			    name);
}

static enum es_twin_knob knob_of(const struct work *work, size_t i)
{
	bool is_gpu = work->reading->scope && strcmp(work->reading->scope, "gpu") == 0;

	if (plain[i].knob != ES_TWIN_N_KNOBS)
		return plain[i].knob;
	if (strcmp(plain[i].name, "mhz") == 0)
		return is_gpu ? ES_TWIN_BY_GPU_MHZ : ES_TWIN_BY_CORE_MHZ;
	return is_gpu ? ES_TWIN_BY_GPU_W : ES_TWIN_BY_PACKAGE_W;
}

/* Columns by names of our own. */
static int find_plain(struct work *work, char *const *fields, int n)
{
	struct shape shape = { .name = "plain", .seconds = 1 };
	char text[ES_NAME_MAX_BYTES];

	for (int c = 0; c < N_COLUMNS; c++)
		work->at[c] = -1;
	for (int f = 0; f < n; f++) {
		const char *name = ours(work, title(fields[f]), text, sizeof(text));

		for (size_t i = 0; i < ES_ARRAY_SIZE(plain); i++) {
			enum column c = plain[i].column;

			if (strcasecmp(name, plain[i].name) != 0)
				continue;
			if (work->at[c] >= 0)
				return es_error_say(
					work->err, -EBADMSG,
					"%.300s:%zu: columns '%.40s' and '%.40s' say the same",
					work->file, work->csv.line, shape.columns[c], fields[f]);
			work->at[c] = f;
			shape.columns[c] = plain[i].name;
			if (c == SETTING)
				shape.knob = knob_of(work, i);
			if (c == TIME)
				shape.seconds = plain[i].seconds;
		}
	}
	if (work->at[SETTING] < 0 || work->at[TIME] < 0 ||
	    (work->at[ENERGY] < 0 && work->at[POWER] < 0))
		return es_error_say(
			work->err, -EBADMSG,
			"%.300s:%zu: no column for %s; --columns NAME=COLUMN,… says which it is ('energyscopium twin "
			"fit --help')",
			work->file, work->csv.line,
			work->at[SETTING] < 0
				? "what was changed (core_mhz, gpu_limit_w, threads …)"
			: work->at[TIME] < 0 ? "the time (time_s)"
					     : "the energy (energy_j or power_w)");
	work->shape = shape;
	return 0;
}

static int find_columns(struct work *work, char *const *fields, int n)
{
	struct es_twin_table *table = work->table;
	enum es_twin_scope scope;
	int r = check_columns(work);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ES_ARRAY_SIZE(shapes) && !work->shape.name; i++)
		if (!work->reading->columns && fits(&shapes[i], fields, n, work->at))
			work->shape = shapes[i];
	if (!work->shape.name) {
		r = find_plain(work, fields, n);
		if (r < 0)
			return r;
	}
	r = scope_of(work, work->shape.knob, &scope);
	if (r < 0)
		return r;
	if (table->shape && (table->knob != work->shape.knob || table->scope != scope))
		return es_error_say(
			work->err, -EBADMSG,
			"%.300s: other things were changed or measured here than in the tables before it",
			work->file);
	table->shape = work->shape.name;
	table->knob = work->shape.knob;
	table->scope = scope;
	return 0;
}

/* A number above zero; setting 0 may stand for the knob as delivered. */
static int number(const struct work *work, enum column column, const char *text, double least,
		  double *ret)
{
	const char *name = work->shape.columns[column];
	double value;

	if (es_parse_double(text, &value) < 0)
		return wrong(work, name, text, "is no number");
	if (!(value >= least) || value > LARGEST)
		return wrong(work, name, text, "is out of range");
	*ret = value;
	return 0;
}

/* P-state 0 is turbo, 1 the base clock, and so on downwards. */
static int from_pstate(const struct work *work, const char *text, double *setting)
{
	const struct es_twin_cpu *cpu = work->reading->kind ? &work->reading->kind->cpu : NULL;
	double mhz;

	if (!cpu || *setting < 0.5) {
		*setting = 0;
		return 0;
	}
	mhz = cpu->base_mhz - (*setting - 1) * cpu->step_mhz;
	if (mhz < cpu->min_mhz)
		return wrong(work, work->shape.columns[SETTING], text,
			     "is a P-state that the kind has not");
	*setting = mhz;
	return 0;
}

static int take_setting(const struct work *work, const char *text, double *ret)
{
	const char *digits = text;
	int r;

	if (work->shape.is_word) {
		digits = strrchr(text, '_');
		if (!digits || !digits[1])
			return wrong(work, work->shape.columns[SETTING], text,
				     "does not end with _ and a power limit");
		digits++;
	}
	r = number(work, SETTING, digits, 0, ret);
	if (r == 0 && work->shape.is_pstate)
		r = from_pstate(work, text, ret);
	if (r == 0 && work->shape.knob == ES_TWIN_BY_THREADS && (*ret < 1 || *ret > floor(*ret)))
		return wrong(work, work->shape.columns[SETTING], text, "is no number of threads");
	return r;
}

static int take_row(struct work *work, char *const *fields, struct es_twin_row *ret)
{
	struct es_twin_row row = { .setting = 0 };
	double power = 0;
	int r = take_setting(work, fields[work->at[SETTING]], &row.setting);

	if (r == 0)
		r = number(work, TIME, fields[work->at[TIME]], 1e-9, &row.time_s);
	row.time_s = work->shape.is_speed ? 100 / row.time_s : row.time_s * work->shape.seconds;
	if (r == 0 && work->at[ENERGY] >= 0) {
		r = number(work, ENERGY, fields[work->at[ENERGY]], 1e-9, &row.energy_j);
	} else if (r == 0) {
		r = number(work, POWER, fields[work->at[POWER]], 1e-9, &power);
		row.energy_j = power * row.time_s;
	}
	if (r == 0 && work->at[IDLE] >= 0)
		r = number(work, IDLE, fields[work->at[IDLE]], 0, &work->table->idle_w);
	if (r == 0)
		*ret = row;
	return r;
}

/* The words of its columns, else the file's name without folder and ending. */
static int take_name(const struct work *work, char *const *fields,
		     char name[static ES_NAME_MAX_BYTES])
{
	size_t used = 0;

	name[0] = '\0';
	for (int c = NAME_1; c <= NAME_4; c++) {
		int n;

		if (work->at[c] < 0)
			continue;
		n = snprintf(name + used, ES_NAME_MAX_BYTES - used, "%s%s", used ? " " : "",
			     fields[work->at[c]]);
		if (n < 0 || (size_t)n >= ES_NAME_MAX_BYTES - used)
			return wrong(work, work->shape.columns[c], fields[work->at[c]],
				     "is too long a name");
		used += (size_t)n;
	}
	if (used == 0) {
		const char *slash = strrchr(work->file, '/'),
			   *base = slash ? slash + 1 : work->file;
		const char *dot = strrchr(base, '.');
		size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);

		(void)snprintf(name, ES_NAME_MAX_BYTES, "%.*s",
			       (int)(n < ES_NAME_MAX_BYTES ? n : ES_NAME_MAX_BYTES - 1), base);
	}
	es_text_make_safe(name, false);
	return 0;
}

static int find_program(struct es_twin_table *table, const char *name, size_t *ret)
{
	struct es_twin_measured *programs;

	for (size_t i = table->n; i-- > 0;) {
		if (strcmp(table->programs[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
	}
	if (table->n == ES_TWIN_PROGRAMS_MAX)
		return -E2BIG;
	programs = reallocarray(table->programs, table->n + 1, sizeof(*programs));
	if (!programs)
		return -ENOMEM;
	table->programs = programs;
	programs[table->n] = (struct es_twin_measured){ .n = 0 };
	(void)snprintf(programs[table->n].name, sizeof(programs[table->n].name), "%s", name);
	*ret = table->n++;
	return 0;
}

static int add_row(struct es_twin_table *table, const char *name, const struct es_twin_row *row)
{
	struct es_twin_measured *program;
	struct es_twin_row *rows;
	size_t i;
	int r = find_program(table, name, &i);

	if (r < 0)
		return r;
	program = &table->programs[i];
	if (program->n == ES_TWIN_FIT_ROWS_MAX)
		return -E2BIG;
	rows = reallocarray(program->rows, program->n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	program->rows = rows;
	rows[program->n++] = *row;
	return 0;
}

static int by_setting(const void *a, const void *b)
{
	const struct es_twin_row *x = a, *y = b;

	/* 0 is the knob as delivered: above all others. */
	if (!(x->setting > 0) || !(y->setting > 0))
		return (y->setting > 0) - (x->setting > 0);
	return (x->setting > y->setting) - (x->setting < y->setting);
}

static int take_line(struct work *work, char *const *fields, int n)
{
	char name[ES_NAME_MAX_BYTES];
	struct es_twin_row row;
	int r;

	for (int c = 0; c < N_COLUMNS; c++)
		if (work->at[c] >= n)
			return es_error_say(work->err, -EBADMSG,
					    "%.300s:%zu: the line ends before column '%.40s'",
					    work->file, work->csv.line, work->shape.columns[c]);
	r = take_row(work, fields, &row);
	if (r == 0)
		r = take_name(work, fields, name);
	if (r < 0)
		return r;
	r = add_row(work->table, name, &row);
	return r < 0 ? es_error_set(work->err, r, "%.300s:%zu: cannot keep another row", work->file,
				    work->csv.line)
		     : 0;
}

int es_twin_table_read(const struct es_twin_reading *reading, const char *name, char *text,
		       size_t n, struct es_twin_table *table, struct es_error *err)
{
	struct work work = { .reading = reading, .file = name, .table = table, .err = err };
	const char *end = memchr(text, '\n', n);
	char *fields[ES_CSV_FIELDS_MAX];
	size_t head = end ? (size_t)(end - text) : n;
	int n_fields;

	es_csv_init(&work.csv, text, n);
	if (!memchr(text, ',', head) && memchr(text, ';', head))
		work.csv.separator = ';';
	while ((n_fields = es_csv_next(&work.csv, fields)) != 0) {
		int r;

		if (n_fields < 0)
			return es_error_set(err, n_fields, "%.300s:%zu", name, work.csv.line);
		if (work.shape.name && fields[0][0] == '#')
			continue;
		r = work.shape.name ? take_line(&work, fields, n_fields)
				    : find_columns(&work, fields, n_fields);
		if (r < 0)
			return r;
	}
	if (!work.shape.name || table->n == 0)
		return es_error_say(err, -EBADMSG, "%.300s: no rows", name);
	for (size_t i = 0; i < table->n; i++)
		qsort(table->programs[i].rows, table->programs[i].n,
		      sizeof(*table->programs[i].rows), by_setting);
	return 0;
}

void es_twin_table_finish(struct es_twin_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->programs[i].rows);
	free(table->programs);
	*table = (struct es_twin_table){ .n = 0 };
}
