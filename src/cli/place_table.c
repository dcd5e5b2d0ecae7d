/*
 * place_table.c - tables of configurations by classes of servers, as energyscopium place reads them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place_table.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/csvread.h"
#include "opt/place.h"

#define NKWH_PER_KWH 1e9
#define US_PER_HOUR 3.6e9
#define NAMES_SHOWN 6U

struct reading {
	const char *file;
	bool is_time;
	struct es_csv csv;
	struct es_place_table *table;
	struct es_error *err;
};

void es_place_names_finish(struct es_place_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->texts[i]);
	free(names->texts);
	*names = (struct es_place_names){ .n = 0 };
}

size_t es_place_names_find(const struct es_place_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->texts[i], name) == 0)
			return i;
	return SIZE_MAX;
}

char *es_place_names_near(const struct es_place_names *names, const char *name,
			  char ret[static ES_NAME_MAX_BYTES * 2])
{
	size_t size = ES_NAME_MAX_BYTES * 2, least = SIZE_MAX, nearest = 0, used;

	for (size_t i = 0; i < names->n; i++) {
		size_t distance = es_text_distance(name, names->texts[i]);

		if (distance < least) {
			least = distance;
			nearest = i;
		}
	}
	if (least != SIZE_MAX && es_text_is_near(least, strlen(names->texts[nearest]))) {
		(void)snprintf(ret, size, "; did you mean '%.200s'?", names->texts[nearest]);
		return ret;
	}
	used = (size_t)snprintf(ret, size, "; there are");
	for (size_t i = 0; i < names->n && i < NAMES_SHOWN; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s '%.40s'", i ? "," : "",
					 names->texts[i]);
	if (names->n > NAMES_SHOWN)
		(void)snprintf(ret + used, size - used, " and %zu more", names->n - NAMES_SHOWN);
	return ret;
}

static int bad(const struct reading *reading, const char *what, const char *name, const char *why)
{
	return es_error_say(reading->err, -EBADMSG, "'%.300s' line %zu: %s '%.60s' %s",
			    reading->file, reading->csv.line, what, name, why);
}

/* Names are keys of JSON and stand in tables. */
static const char *fault_of(const char *name)
{
	size_t n = strlen(name);

	if (n == 0)
		return "is empty; a name is wanted";
	if (n >= ES_NAME_MAX_BYTES)
		return "is too long for a name";
	for (size_t i = 0; i < n;) {
		size_t length = es_utf8_length(name + i, n - i);

		if (length == 0)
			return "is no valid UTF-8";
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return "has control characters in it";
		i += length;
	}
	return NULL;
}

static int add_name(const struct reading *reading, struct es_place_names *names, const char *what,
		    const char *name, size_t max)
{
	const char *fault = fault_of(name);
	char **texts;

	if (fault)
		return bad(reading, what, name, fault);
	if (names->n == max)
		return es_error_say(reading->err, -E2BIG, "'%.300s' line %zu: more than %zu",
				    reading->file, reading->csv.line, max);
	texts = reallocarray(names->texts, names->n + 1, sizeof(*texts));
	if (texts)
		names->texts = texts;
	if (!texts || !(texts[names->n] = strdup(name)))
		return es_error_set(reading->err, -ENOMEM, "cannot keep '%.300s'", reading->file);
	names->n++;
	return 0;
}

static int read_head(const struct reading *reading, char *const *fields, int n)
{
	struct es_place_names *classes = &reading->table->classes;

	if (n < 2)
		return es_error_say(
			reading->err, -EBADMSG,
			"'%.300s' line %zu: no column of a server class; wanted are the "
			"configuration's name first, then a column for each class",
			reading->file, reading->csv.line);
	for (int c = 1; c < n; c++) {
		int r;

		if (es_place_names_find(classes, fields[c]) != SIZE_MAX)
			return bad(reading, "server class", fields[c], "has a column already");
		r = add_name(reading, classes, "server class", fields[c], ES_PLACE_CLASSES_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

static const char *parse_cell(const char *text, bool is_time, int64_t *ret)
{
	double value, scaled;
	int64_t dur_ns;
	int r = es_parse_double(text, &value);

	if (r < 0 && is_time && es_parse_duration_ns(text, &dur_ns) == 0)
		scaled = (double)dur_ns / 1e3;
	else if (r < 0)
		return is_time ? "is no time (hours, or with a unit as in 90min)" : "is no number";
	else
		scaled = value * (is_time ? US_PER_HOUR : NKWH_PER_KWH);
	if (!(scaled > 0))
		return "is not above zero; leave the cell empty where it cannot run";
	if (scaled > (double)(is_time ? ES_PLACE_TIME_MAX_US : ES_PLACE_ENERGY_MAX_NKWH))
		return is_time ? "is more than 100000 h" : "is more than 400000 kWh";
	*ret = llround(scaled);
	return *ret > 0 ? NULL : is_time ? "is less than a µs" : "is less than a millionth of a Wh";
}

static int read_row(const struct reading *reading, char *const *fields, int n)
{
	struct es_place_table *table = reading->table;
	size_t m = table->classes.n;
	int64_t *cells;
	int r = add_name(reading, &table->configurations, "configuration", fields[0],
			 ES_PLACE_CONFIGURATIONS_MAX);

	if (r < 0)
		return r;
	if ((size_t)n < m + 1)
		return bad(reading, "the line ends before column", table->classes.texts[n - 1],
			   "(an empty cell says that it cannot run there)");
	if ((size_t)n > m + 1)
		return bad(reading, "a value without a column:", fields[m + 1], "");
	cells = reallocarray(table->cells, table->configurations.n * m, sizeof(*cells));
	if (!cells)
		return es_error_set(reading->err, -ENOMEM, "cannot keep '%.300s'", reading->file);
	table->cells = cells;
	cells += (table->configurations.n - 1) * m;
	for (size_t j = 0; j < m; j++) {
		const char *why;

		cells[j] = 0;
		if (fields[j + 1][0] == '\0')
			continue;
		why = parse_cell(fields[j + 1], reading->is_time, &cells[j]);
		if (why)
			return es_error_say(
				reading->err, -EBADMSG,
				"'%.300s' line %zu: column '%.60s' of '%.60s': '%.60s' %s",
				reading->file, reading->csv.line, table->classes.texts[j],
				fields[0], fields[j + 1], why);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_twice(const struct reading *reading)
{
	const struct es_place_names *names = &reading->table->configurations;
	es_cleanup(es_freep) char **sorted = calloc(names->n, sizeof(*sorted));

	if (!sorted)
		return es_error_set(reading->err, -ENOMEM, "cannot keep '%.300s'", reading->file);
	memcpy(sorted, names->texts, names->n * sizeof(*sorted));
	qsort(sorted, names->n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < names->n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return es_error_say(reading->err, -EBADMSG,
					    "'%.300s': configuration '%.60s' has more than one row",
					    reading->file, sorted[i]);
	return 0;
}

static int read_all(struct reading *reading)
{
	struct es_place_table *table = reading->table;
	char *fields[ES_CSV_FIELDS_MAX];
	int n;

	while ((n = es_csv_next(&reading->csv, fields)) != 0) {
		int r;

		if (n == -E2BIG)
			return es_error_say(reading->err, n,
					    "'%.300s' line %zu: more than %u columns of classes",
					    reading->file, reading->csv.line, ES_PLACE_CLASSES_MAX);
		if (n < 0)
			return es_error_say(reading->err, n,
					    "'%.300s' line %zu: quotes do not match", reading->file,
					    reading->csv.line);
		if (fields[0][0] == '#')
			continue;
		r = table->classes.n ? read_row(reading, fields, n) : read_head(reading, fields, n);
		if (r < 0)
			return r;
	}
	if (table->configurations.n == 0)
		return es_error_say(reading->err, -EBADMSG, "'%.300s': %s", reading->file,
				    table->classes.n ? "no row below the header"
						     : "nothing in it; a header is wanted");
	return check_twice(reading);
}

int es_place_table_read(const char *name, char *text, size_t n, bool is_time,
			struct es_place_table *ret, struct es_error *err)
{
	struct es_place_table table = { .cells = NULL };
	struct reading reading = { .file = name, .is_time = is_time, .table = &table, .err = err };
	const char *end = memchr(text, '\n', n);
	size_t head = end ? (size_t)(end - text) : n;
	int r;

	if (memchr(text, '\0', n))
		return es_error_say(err, -EBADMSG, "'%.300s' is no text: a NUL is in it", name);
	es_csv_init(&reading.csv, text, n);
	if (!memchr(text, ',', head) && memchr(text, ';', head))
		reading.csv.separator = ';';
	r = read_all(&reading);
	if (r < 0)
		es_place_table_finish(&table);
	else
		*ret = table;
	return r;
}

int es_place_table_load(const char *path, bool is_time, struct es_place_table *ret,
			struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	es_cleanup(es_freep) char *text = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "cannot read '%.900s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)ES_PLACE_TABLE_MAX_BYTES)
		return es_error_say(err, -EINVAL, "'%.900s' is no regular file of at most %u MiB",
				    path, ES_PLACE_TABLE_MAX_BYTES >> 20);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return es_error_set(err, -ENOMEM, "cannot read '%.900s'", path);
	while (got && n < (size_t)st.st_size) {
		got = read(fd, text + n, (size_t)st.st_size - n);
		if (got < 0 && errno != EINTR)
			return es_error_set(err, -errno, "cannot read '%.900s'", path);
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = '\0';
	return es_place_table_read(path, text, n, is_time, ret, err);
}

void es_place_table_finish(struct es_place_table *table)
{
	es_place_names_finish(&table->configurations);
	es_place_names_finish(&table->classes);
	free(table->cells);
	table->cells = NULL;
}
