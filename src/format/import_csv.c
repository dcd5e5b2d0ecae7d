/*
 * import_csv.c - readings in CSV: time, domain, power_w or energy_j
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "format/csvread.h"

#define SOURCE "csv"
#define BAD_SHOWN 5U
#define EPOCH_S \
	100000000 /* seconds above this are since 1970 (1973), below since a start that nobody knows */

enum column {
	COLUMN_TIME,
	COLUMN_DOMAIN,
	COLUMN_POWER,
	COLUMN_ENERGY,
	COLUMN_NODE, /* may be missing */
	N_COLUMNS,
};

static const char *const column_names[N_COLUMNS] = { "time", "domain", "power_w", "energy_j",
						     "node" };

struct table {
	struct es_import_job *job;
	const char *name;
	int columns[N_COLUMNS]; /* index of each, -1: not there */
	size_t n_lines, n_bad, n_mixed;
	bool *is_unsorted; /* of each domain; owned */
	int last_domain;
	char last_name
		[ES_NAME_MAX_BYTES]; /* of that domain as it stands in the file: lines of one come in runs */
};

/* Which column is which; the first one that does not matter is put in *ret_other. */
static bool find_columns(char *const *fields, int n, int ret[static N_COLUMNS],
			 const char **ret_other)
{
	*ret_other = NULL;
	for (int c = 0; c < N_COLUMNS; c++)
		ret[c] = -1;
	for (int i = 0; i < n; i++) {
		int c = 0;

		while (c < N_COLUMNS &&
		       (ret[c] >= 0 || strcasecmp(fields[i], column_names[c]) != 0))
			c++;
		if (c < N_COLUMNS)
			ret[c] = i;
		else if (!*ret_other)
			*ret_other = fields[i];
	}
	return ret[COLUMN_TIME] >= 0 && ret[COLUMN_DOMAIN] >= 0 &&
	       (ret[COLUMN_POWER] >= 0 || ret[COLUMN_ENERGY] >= 0);
}

bool es_import_csv_is_it(const char *text, size_t n)
{
	char head[4096], *fields[ES_CSV_FIELDS_MAX];
	int columns[N_COLUMNS], n_fields;
	const char *other;
	struct es_csv csv;

	n = n < sizeof(head) ? n : sizeof(head) - 1;
	memcpy(head, text, n);
	head[n] = '\0';
	es_csv_init(&csv, head, n);
	n_fields = es_csv_next(&csv, fields);
	return n_fields > 0 && find_columns(fields, n_fields, columns, &other);
}

/*
 * @text times 10^@decimals, digits beyond cut off: exact where a double is not. With an exponent, or where that does
 * not fit, by way of a double after all.
 */
static bool scaled(const char *text, unsigned decimals, int64_t *ret)
{
	const char *p = text + (*text == '-' || *text == '+');
	unsigned n_digits = 0, n_decimals = 0;
	bool has_point = false;
	int64_t v = 0;
	double d;

	for (; (*p >= '0' && *p <= '9') || (*p == '.' && !has_point); p++) {
		if (*p == '.') {
			has_point = true;
			continue;
		}
		n_digits++;
		if (has_point && n_decimals == decimals)
			continue;
		n_decimals += has_point;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return false;
	}
	if (*p != '\0' || n_digits == 0) {
		if (es_parse_double(text, &d) < 0)
			return false;
		for (unsigned i = 0; i < decimals; i++)
			d *= 10;
		if (!(d > -9e18 && d < 9e18))
			return false;
		*ret = (int64_t)d;
		return true;
	}
	for (; n_decimals < decimals; n_decimals++)
		if (__builtin_mul_overflow(v, 10, &v))
			return false;
	*ret = *text == '-' ? -v : v;
	return true;
}

static bool take_time(const char *text, int64_t *ret_ns)
{
	return scaled(text, 9, ret_ns) || es_time_parse(text, ret_ns) == 0;
}

/* Watts to mW, joules to µJ; an empty cell, or one that says nothing, is no error: -1. */
static bool take_quantity(char *const *fields, int column, unsigned decimals, int64_t *ret)
{
	*ret = -1;
	if (column < 0 || fields[column][0] == '\0' || strcasecmp(fields[column], "null") == 0 ||
	    strcasecmp(fields[column], "nan") == 0)
		return true;
	return scaled(fields[column], decimals, ret) && *ret >= 0 && *ret <= INT64_MAX / 2;
}

static int add_domain(struct table *table, uint32_t node, const char *name, bool is_power)
{
	struct es_domain domain;
	bool *is_unsorted;
	int r;

	es_import_domain_from_name(&domain, SOURCE, name);
	r = es_import_job_find(table->job, node, domain.name);
	if (r >= 0)
		return r;
	domain.node = node;
	domain.is_power = is_power;
	domain.kind = is_power ? ES_KIND_INTEGRATED : ES_KIND_MEASURED;
	r = es_import_job_domain(table->job, &domain);
	if (r < 0)
		return r;
	is_unsorted = realloc(table->is_unsorted, (size_t)r + 1);
	if (!is_unsorted)
		return -ENOMEM;
	table->is_unsorted = is_unsorted;
	is_unsorted[r] = false;
	return r;
}

/* "DOMAIN" or "NODE/DOMAIN": its index; negative errno */
static int find_domain(struct table *table, char *name, bool is_power)
{
	char *slash = strchr(name, '/');
	int r;

	if (strlen(name) >= sizeof(table->last_name))
		return -EBADMSG;
	if (table->last_domain >= 0 && strcmp(name, table->last_name) == 0)
		return table->last_domain;
	memcpy(table->last_name, name, strlen(name) + 1);
	if (slash && (slash == name || slash[1] == '\0'))
		return -EBADMSG;
	if (slash)
		*slash = '\0';
	r = es_import_job_node(table->job, slash ? name : "node");
	if (r >= 0)
		r = add_domain(table, (uint32_t)r, slash ? slash + 1 : name, is_power);
	table->last_domain = r;
	return r;
}

/* NODE/DOMAIN from two columns, where there are two and the domain does not say its node itself. */
static char *full_name(const struct table *table, char **fields, char *text, size_t size)
{
	char *domain = fields[table->columns[COLUMN_DOMAIN]];
	const char *node = table->columns[COLUMN_NODE] >= 0 ? fields[table->columns[COLUMN_NODE]]
							    : "";

	if (node[0] == '\0' || strchr(domain, '/') || strchr(node, '/') ||
	    snprintf(text, size, "%s/%s", node, domain) >= (int)size)
		return domain;
	return text;
}

/* -EBADMSG: the line cannot be read; NULL in *ret_why: it can */
static int take_line(struct table *table, char **fields, int n, const char **ret_why)
{
	int64_t t_ns, power_mw, energy_uj;
	struct es_import_series *series;
	char with_node[2 * ES_NAME_MAX_BYTES];
	int domain;

	*ret_why = NULL;
	for (int c = 0; c < N_COLUMNS; c++)
		if (table->columns[c] >= n)
			*ret_why = "too few fields";
	if (*ret_why)
		return 0;
	if (!take_time(fields[table->columns[COLUMN_TIME]], &t_ns))
		*ret_why = "no time";
	else if (fields[table->columns[COLUMN_DOMAIN]][0] == '\0')
		*ret_why = "no domain";
	else if (!take_quantity(fields, table->columns[COLUMN_POWER], 3, &power_mw))
		*ret_why = "power_w is no power";
	else if (!take_quantity(fields, table->columns[COLUMN_ENERGY], 6, &energy_uj))
		*ret_why = "energy_j is no energy";
	if (*ret_why || (power_mw < 0 && energy_uj < 0))
		return 0;
	domain = find_domain(table, full_name(table, fields, with_node, sizeof(with_node)),
			     energy_uj < 0);
	if (domain == -EBADMSG)
		*ret_why = "no domain";
	if (domain < 0)
		return domain == -EBADMSG ? 0 : domain;
	/* A domain is one or the other, as its first line has it. */
	if (table->job->meta.domains[domain].is_power ? power_mw < 0 : energy_uj < 0) {
		table->n_mixed++;
		return 0;
	}
	series = &table->job->series[domain];
	table->is_unsorted[domain] = table->is_unsorted[domain] ||
				     (series->n > 0 && t_ns <= series->t_ns[series->n - 1]);
	return es_import_series_add(
		series, t_ns,
		(uint64_t)(table->job->meta.domains[domain].is_power ? power_mw : energy_uj));
}

static int take_lines(struct table *table, struct es_csv *csv)
{
	char *fields[ES_CSV_FIELDS_MAX];
	int n, r;

	while ((n = es_csv_next(csv, fields)) != 0) {
		const char *why = n == -E2BIG ? "too many fields" : "a quote where none may be";

		table->n_lines++;
		if (n > 0) {
			r = take_line(table, fields, n, &why);
			if (r < 0)
				return r;
		}
		if (!why)
			continue;
		if (table->n_bad++ < BAD_SHOWN &&
		    es_import_warn(table->job->result, "'%s' line %zu: %s: left out", table->name,
				   csv->line, why) < 0)
			return -ENOMEM;
	}
	return 0;
}

struct point {
	int64_t t_ns;
	uint64_t value;
	size_t index;
};

static int by_time(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* By time; of several at one time the first in the file stays. */
static int sort(struct es_import_series *series)
{
	es_cleanup(es_freep) struct point *points = calloc(series->n + 1, sizeof(*points));
	size_t n = 0;

	if (!points)
		return -ENOMEM;
	for (size_t i = 0; i < series->n; i++)
		points[i] = (struct point){ series->t_ns[i], series->values[i], i };
	qsort(points, series->n, sizeof(*points), by_time);
	for (size_t i = 0; i < series->n; i++) {
		if (n > 0 && points[i].t_ns == series->t_ns[n - 1])
			continue;
		series->t_ns[n] = points[i].t_ns;
		series->values[n++] = points[i].value;
	}
	series->n = n;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The period: the median distance of readings of the domain that has most of them. */
static int find_period(struct es_import_job *job)
{
	const struct es_import_series *longest = NULL;
	int64_t *distances;

	for (size_t i = 0; i < job->meta.n_domains; i++)
		if (!longest || job->series[i].n > longest->n)
			longest = &job->series[i];
	if (!longest || longest->n < 2)
		return 0;
	distances = calloc(longest->n, sizeof(*distances));
	if (!distances)
		return -ENOMEM;
	for (size_t i = 1; i < longest->n; i++)
		distances[i - 1] = longest->t_ns[i] - longest->t_ns[i - 1];
	qsort(distances, longest->n - 1, sizeof(*distances), by_value);
	job->meta.period_ns = distances[(longest->n - 1) / 2];
	free(distances);
	return 0;
}

/* Times to start at the first reading; what is far from 1970 tells when that was. */
static int settle_times(struct table *table)
{
	struct es_import_job *job = table->job;
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;

	for (size_t i = 0; i < job->meta.n_domains; i++) {
		struct es_import_series *series = &job->series[i];

		if (table->is_unsorted[i] &&
		    (sort(series) < 0 ||
		     es_import_warn(job->result,
				    "'%s': readings of '%s' are not in order of time: sorted",
				    table->name, job->meta.domains[i].name) < 0))
			return -ENOMEM;
		if (series->n > 0 && series->t_ns[0] < first_ns)
			first_ns = series->t_ns[0];
		if (series->n > 0 && series->t_ns[series->n - 1] > last_ns)
			last_ns = series->t_ns[series->n - 1];
	}
	if (first_ns == INT64_MAX)
		return 0;
	/* Half the range of ns apart: garbage, and no difference below must overflow. */
	if (first_ns < -INT64_MAX / 2 || last_ns > INT64_MAX - INT64_MAX / 16 ||
	    last_ns / 2 - first_ns / 2 > INT64_MAX / 4)
		return -EBADMSG;
	for (size_t i = 0; i < job->meta.n_domains; i++)
		for (size_t k = 0; k < job->series[i].n; k++)
			job->series[i].t_ns[k] -= first_ns;
	if (first_ns / ES_NS_PER_S > EPOCH_S)
		job->meta.start_unix_ns = first_ns;
	else if (es_import_warn(job->result,
				"'%s': its times do not say when it started: dates mean nothing",
				table->name) < 0)
		return -ENOMEM;
	return find_period(job);
}

/* The job is called as the file, less its ending. */
static void name_job(struct es_import_job *job, const char *name)
{
	const char *base = strrchr(name, '/');
	char *end;

	es_import_set_text(job->meta.job, sizeof(job->meta.job), base ? base + 1 : name);
	end = strrchr(job->meta.job, '.');
	if (end && end != job->meta.job)
		*end = '\0';
	(void)snprintf(job->meta.tool, sizeof(job->meta.tool), "CSV");
}

static int import(struct table *table, char *text, size_t n)
{
	char *fields[ES_CSV_FIELDS_MAX];
	const char *other;
	struct es_csv csv;
	int n_fields, r = 0;

	es_csv_init(&csv, text, n);
	n_fields = es_csv_next(&csv, fields);
	if (n_fields < 0 || !find_columns(fields, n_fields, table->columns, &other))
		return -EBADMSG;
	if (other)
		r = es_import_warn(
			table->job->result,
			"'%s': column '%.80s' (and any other of no use here) is passed over",
			table->name, other);
	name_job(table->job, table->name);
	if (r == 0)
		r = take_lines(table, &csv);
	if (r == 0 && table->n_bad > BAD_SHOWN)
		r = es_import_warn(table->job->result,
				   "'%s': %zu of %zu lines cannot be read: left out", table->name,
				   table->n_bad, table->n_lines);
	if (r == 0 && table->n_mixed > 0)
		r = es_import_warn(
			table->job->result,
			"'%s': %zu lines have a power where their domain has energies, or the other way round: left out",
			table->name, table->n_mixed);
	return r < 0 ? r : settle_times(table);
}

int es_import_csv(struct es_import_job *job, const char *name, char *text, size_t n,
		  struct es_error *err)
{
	struct table table = { .job = job, .name = name, .last_domain = -1 };
	size_t n_readings = 0;
	int r = import(&table, text, n);

	free(table.is_unsorted);
	for (size_t i = 0; i < job->meta.n_domains; i++)
		n_readings += job->series[i].n;
	if (r == 0 && n_readings == 0)
		return es_error_say(
			err, -EBADMSG,
			"'%s': none of its %zu lines can be read (time,domain,power_w or energy_j)",
			name, table.n_lines);
	return r < 0 ? es_error_set(err, r, "cannot import '%s'", name) : 0;
}
