/*
 * simulate_power.c - what jobs and idle processors of a replayed trace draw
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_power.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/onefile.h"
#include "cli/twin.h"
#include "format/csvread.h"

#define VALUE_MAX 1e15

enum column {
	JOB,
	ENERGY,
	POWER,
	CLASS,
	TIME,
	N_COLUMNS
};

static const char *const column_names[N_COLUMNS] = {
	[JOB] = "job",	   [ENERGY] = "energy_j", [POWER] = "power_w",
	[CLASS] = "class", [TIME] = "time_s",
};

struct columns {
	int at[N_COLUMNS]; /* below 0: there is none */
	int n;
};

static int name_missing(const char *wanted, enum column column, char *const *fields, int n,
			struct es_error *err)
{
	const char *nearest =
		es_twin_nearest(column_names[column], (const char *const *)fields, (size_t)n);

	if (!nearest)
		return es_error_say(err, -EBADMSG, "line 1: there is no column %s", wanted);
	return es_error_say(err, -EBADMSG,
			    "line 1: there is no column %s; is '%.60s' meant for it?", wanted,
			    nearest);
}

static int find_columns(const struct es_simulate_power *power, char *const *fields, int n,
			struct columns *ret, struct es_error *err)
{
	ret->n = n;
	for (int c = 0; c < N_COLUMNS; c++) {
		ret->at[c] = -1;
		for (int i = 0; i < n && ret->at[c] < 0; i++)
			if (strcmp(fields[i], column_names[c]) == 0)
				ret->at[c] = i;
	}
	if (ret->at[JOB] < 0)
		return name_missing("job", JOB, fields, n, err);
	if (power->class_names && ret->at[CLASS] < 0)
		return name_missing("class", CLASS, fields, n, err);
	if (ret->at[ENERGY] < 0 && ret->at[POWER] < 0)
		return name_missing("energy_j or power_w", ENERGY, fields, n, err);
	if (ret->at[ENERGY] >= 0 && ret->at[POWER] >= 0)
		return es_error_say(err, -EBADMSG,
				    "line 1: both energy_j and power_w: which of them counts?");
	return 0;
}

static int take_number(const char *name, const char *field, size_t line, double *ret,
		       struct es_error *err)
{
	if (es_parse_double(field, ret) < 0 || !(*ret >= 0) || *ret > VALUE_MAX)
		return es_error_say(err, -EBADMSG, "line %zu: %s '%.60s': 0 or more is wanted",
				    line, name, field);
	return 0;
}

/* Whose class it is, and how long it runs there. */
static int take_class(const struct es_simulate_power *power, const struct columns *columns,
		      char *const *fields, struct es_simulate_row *row, struct es_error *err)
{
	const char *name = fields[columns->at[CLASS]];
	int r = 0;

	while (row->class < power->n_classes && strcmp(power->class_names[row->class], name) != 0)
		row->class ++;
	if (row->class == power->n_classes)
		return es_error_say(err, -EBADMSG, "line %zu: there is no class '%.60s'", row->line,
				    name);
	if (columns->at[TIME] >= 0 && fields[columns->at[TIME]][0] != '\0') {
		r = take_number("time_s", fields[columns->at[TIME]], row->line, &row->time_s, err);
		if (r == 0 && row->time_s > INT32_MAX)
			r = es_error_say(err, -EBADMSG, "line %zu: time_s '%.60s' is too long",
					 row->line, fields[columns->at[TIME]]);
	}
	return r;
}

static int take_row(const struct es_simulate_power *power, const struct columns *columns,
		    char *const *fields, int n, size_t line, struct es_simulate_row *ret,
		    struct es_error *err)
{
	enum column of = columns->at[ENERGY] >= 0 ? ENERGY : POWER;
	int r;

	if (n != columns->n)
		return es_error_say(err, -EBADMSG, "line %zu: %d fields instead of %d", line, n,
				    columns->n);
	*ret = (struct es_simulate_row){ .line = line, .time_s = -1 };
	if (es_parse_u64(fields[columns->at[JOB]], &ret->job) < 0)
		return es_error_say(err, -EBADMSG, "line %zu: job '%.60s' is no number", line,
				    fields[columns->at[JOB]]);
	r = take_number(column_names[of], fields[columns->at[of]], line, &ret->value, err);
	return r < 0 || !power->class_names ? r : take_class(power, columns, fields, ret, err);
}

static int keep(struct es_simulate_power *power, size_t *cap, const struct es_simulate_row *row)
{
	if (power->n == ES_SIMULATE_ROWS_MAX)
		return -E2BIG;
	if (power->n == *cap) {
		size_t larger = *cap ? *cap * 2 : 256;
		struct es_simulate_row *rows = reallocarray(power->rows, larger, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		power->rows = rows;
		*cap = larger;
	}
	power->rows[power->n++] = *row;
	return 0;
}

static int by_job(const void *a, const void *b)
{
	const struct es_simulate_row *x = a, *y = b;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int sort(struct es_simulate_power *power, struct es_error *err)
{
	if (power->n == 0 && power->n_faults > 0)
		return es_error_say(err, -EBADMSG, "%s", power->faults[0]);
	if (power->n == 0)
		return es_error_say(err, -ENODATA, "there is no line with a job");
	qsort(power->rows, power->n, sizeof(power->rows[0]), by_job);
	for (size_t i = 1; i < power->n; i++)
		if (power->rows[i].job == power->rows[i - 1].job &&
		    power->rows[i].class == power->rows[i - 1].class)
			return es_error_say(err, -EEXIST,
					    "line %zu: job %" PRIu64 " stands in line %zu already",
					    power->rows[i].line, power->rows[i].job,
					    power->rows[i - 1].line);
	return 0;
}

static void leave_out(struct es_simulate_power *power, const char *why)
{
	if (power->n_faults < ES_SIMULATE_FAULTS_KEPT)
		(void)snprintf(power->faults[power->n_faults], sizeof(power->faults[0]), "%.159s",
			       why);
	power->n_faults++;
}

int es_simulate_power_parse(struct es_simulate_power *power, char *text, size_t n,
			    struct es_error *err)
{
	char *fields[ES_CSV_FIELDS_MAX];
	struct columns columns = { .n = 0 };
	struct es_simulate_row row;
	struct es_csv csv;
	size_t cap = 0;
	int count, r = 0;

	es_csv_init(&csv, text, n);
	while (r == 0 && (count = es_csv_next(&csv, fields)) != 0) {
		const bool is_header = columns.n == 0;
		struct es_error why = { .code = 0 };

		if (count < 0)
			r = es_error_set(&why, count, "line %zu", csv.line);
		else if (is_header)
			r = find_columns(power, fields, count, &columns, &why);
		else
			r = take_row(power, &columns, fields, count, csv.line, &row, &why);
		if (r < 0 && !is_header) {
			leave_out(power, why.text);
			r = 0;
		} else if (r < 0) {
			r = es_error_say(err, r, "%s", why.text);
		} else if (!is_header) {
			r = keep(power, &cap, &row);
			if (r < 0)
				(void)es_error_set(err, r, "line %zu", csv.line);
		}
	}
	power->is_energy = columns.n > 0 && columns.at[ENERGY] >= 0;
	return r < 0 ? r : sort(power, err);
}

int es_simulate_power_read(struct es_simulate_power *power, const char *path, struct es_error *err)
{
	es_cleanup(es_freep) char *text = NULL;
	struct es_error why = { .code = 0 };
	size_t n;
	int r = es_one_file_read(path, &text, &n, err);

	if (r < 0)
		return r;
	r = es_simulate_power_parse(power, text, n, &why);
	return r < 0 ? es_error_say(err, r, "'%s': %.900s", path, why.text) : 0;
}

void es_simulate_power_finish(struct es_simulate_power *power)
{
	free(power->rows);
	*power = (struct es_simulate_power){ .n = 0 };
}

size_t es_simulate_power_unused(const struct es_simulate_power *power)
{
	size_t n = 0;

	for (size_t i = 0; i < power->n; i++)
		n += !power->rows[i].is_used;
	return n;
}

struct es_simulate_row *es_simulate_power_find(const struct es_simulate_power *power, uint64_t job,
					       unsigned class)
{
	size_t low = 0, high = power->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct es_simulate_row *row = &power->rows[mid];

		if (row->job < job || (row->job == job && row->class < class))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == power->n || power->rows[low].job != job || power->rows[low].class != class)
		return NULL;
	return &power->rows[low];
}

int es_simulate_power_on(const struct es_simulate_power *power, struct es_simulate_row *row,
			 double watts, double idle_w, struct es_sim_job *job, double *ret_j,
			 struct es_error *err)
{
	double run_s = (double)job->run_s, joules;

	if (row && row->is_used && power->is_energy)
		return es_error_say(
			err, -EEXIST,
			"job %" PRIu64
			" stands in the trace several times: energy_j cannot be shared out; give power_w",
			job->id);
	if (row) {
		row->is_used = true;
		watts = row->value;
	}
	joules = watts * run_s;
	if (row && power->is_energy) {
		joules = row->value;
		watts = run_s > 0 ? joules / run_s
				  : idle_w; /* without length it draws nothing for any time */
	}
	if (watts < idle_w - 1e-3)
		return es_error_say(err, -ERANGE,
				    "job %" PRIu64 " draws %.3f W; its %" PRIu32
				    " processors draw %.3f W when idle (%s)",
				    job->id, watts, job->procs, idle_w,
				    power->class_names ? power->class_names[job->class]
						       : "--watts-idle");
	if ((watts - idle_w) * 1e3 > (double)ES_SIM_POWER_MAX_MW)
		return es_error_say(err, -ERANGE, "job %" PRIu64 " draws %.3g W: no machine does",
				    job->id, watts);
	job->extra_mw = watts > idle_w ? llround((watts - idle_w) * 1e3) : 0;
	*ret_j = joules;
	return 0;
}

int es_simulate_power_of(struct es_simulate_power *power, struct es_sim_job *job, double *ret_j,
			 struct es_error *err)
{
	struct es_simulate_row *row = es_simulate_power_find(power, job->id, 0);

	if (!row && !power->has_busy)
		return es_error_say(
			err, -ENODATA,
			"job %" PRIu64
			" has no energy: neither a line in --energy nor --watts-busy for all others",
			job->id);
	return es_simulate_power_on(power, row, power->busy_w * job->procs,
				    power->idle_w * job->procs, job, ret_j, err);
}
