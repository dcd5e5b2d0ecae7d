/*
 * format/wattmeter.c - what a wattmeter wrote: CSV of times and powers or energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/wattmeter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/parse.h"
#include "core/track.h"
#include "format/csvread.h"

#define GAP_STEPS 4
#define WATTS_MOST 1e9
#define JOULES_MOST 9e12

struct columns {
	int time, power, energy; /* -1: not there */
};

static bool find_columns(char *const *fields, int n, struct columns *ret)
{
	*ret = (struct columns){ -1, -1, -1 };
	for (int i = 0; i < n; i++) {
		if (ret->time < 0 && strcasecmp(fields[i], "time") == 0)
			ret->time = i;
		else if (ret->power < 0 && strcasecmp(fields[i], "power_w") == 0)
			ret->power = i;
		else if (ret->energy < 0 && strcasecmp(fields[i], "energy_j") == 0)
			ret->energy = i;
	}
	return ret->time >= 0 && (ret->power >= 0 || ret->energy >= 0);
}

static bool take_time(const char *text, int64_t *ret_ns)
{
	size_t used;
	int64_t us;

	if (es_parse_micro(text, strlen(text), &us, &used) == 0 && text[used] == '\0') {
		/* Seconds since 1970; before 2001 and after 2100 they are something else. */
		if (us < INT64_C(978307200000000) || us > INT64_C(4102444800000000))
			return false;
		*ret_ns = us * 1000;
		return true;
	}
	return es_time_parse(text, ret_ns) == 0 && *ret_ns > -ES_TIME_MAX_NS &&
	       *ret_ns < ES_TIME_MAX_NS;
}

static bool take_value(const char *text, bool is_energy, uint64_t *ret)
{
	double value;

	if (es_parse_double(text, &value) < 0 || !(value >= 0) ||
	    value > (is_energy ? JOULES_MOST : WATTS_MOST))
		return false;
	*ret = (uint64_t)(value * (is_energy ? 1e6 : 1e3) + 0.5);
	return true;
}

static int add(struct es_wattmeter *meter, int64_t t_unix_ns, uint64_t value)
{
	if (meter->n == ES_WATTMETER_READINGS_MAX)
		return -E2BIG;
	if (meter->n == meter->cap) {
		size_t cap = meter->cap ? 2 * meter->cap : 256;
		struct es_wattmeter_reading *larger =
			reallocarray(meter->readings, cap, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		meter->readings = larger;
		meter->cap = cap;
	}
	meter->readings[meter->n++] = (struct es_wattmeter_reading){ t_unix_ns, value };
	return 0;
}

static int take_lines(struct es_csv *csv, const struct columns *columns, struct es_wattmeter *meter)
{
	int column = meter->is_energy ? columns->energy : columns->power, n;
	char *fields[ES_CSV_FIELDS_MAX];

	while ((n = es_csv_next(csv, fields)) != 0) {
		uint64_t value;
		int64_t t_ns;

		if (n > column && n > columns->time && take_time(fields[columns->time], &t_ns) &&
		    take_value(fields[column], meter->is_energy, &value)) {
			int r = add(meter, t_ns, value);

			if (r < 0)
				return r;
			continue;
		}
		if (meter->n_bad++ == 0)
			meter->first_bad_line = csv->line;
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct es_wattmeter_reading *x = a, *y = b;

	return x->t_unix_ns < y->t_unix_ns ? -1 : x->t_unix_ns > y->t_unix_ns;
}

int es_wattmeter_parse(char *text, size_t n, struct es_wattmeter *ret, struct es_error *err)
{
	struct es_wattmeter meter = { .n = 0 };
	char *fields[ES_CSV_FIELDS_MAX];
	struct columns columns;
	struct es_csv csv;
	int n_fields, r;

	es_csv_init(&csv, text, n);
	n_fields = es_csv_next(&csv, fields);
	if (n_fields <= 0 || !find_columns(fields, n_fields, &columns))
		return es_error_say(
			err, -EBADMSG,
			"its first line does not name the columns 'time' and 'power_w' or 'energy_j'");
	meter.is_energy = columns.energy >= 0;
	r = take_lines(&csv, &columns, &meter);
	if (r == 0 && (meter.n < 2 || meter.n_bad > (meter.n + meter.n_bad) / 10))
		r = es_error_say(
			err, -EBADMSG,
			"%zu readings, and %zu lines that are none (the first one is line %zu)",
			meter.n, meter.n_bad, meter.first_bad_line);
	else if (r < 0)
		(void)es_error_set(err, r, "cannot hold its readings");
	if (r < 0) {
		es_wattmeter_finish(&meter);
		return r;
	}
	if (meter.readings)
		qsort(meter.readings, meter.n, sizeof(*meter.readings), by_time);
	*ret = meter;
	return 0;
}

void es_wattmeter_finish(struct es_wattmeter *meter)
{
	free(meter->readings);
	*meter = (struct es_wattmeter){ .n = 0 };
}

static int64_t usual_step_ns(const struct es_wattmeter *meter)
{
	int64_t dur_ns = meter->readings[meter->n - 1].t_unix_ns - meter->readings[0].t_unix_ns;

	return dur_ns / (int64_t)(meter->n - 1);
}

static void keep(const struct es_sample *samples, int n, struct es_course *course)
{
	for (int i = 0; i < n; i++)
		es_course_add(course, &samples[i]);
}

int es_wattmeter_course(const struct es_wattmeter *meter, int64_t from_unix_ns, int64_t to_unix_ns,
			int64_t shift_ns, struct es_course *ret)
{
	struct es_domain domain;
	struct es_sample samples[2];
	struct es_track track;
	int64_t last_ns = INT64_MIN;

	*ret = (struct es_course){ .n = 0 };
	if (meter->n < 2)
		return 0;
	es_domain_init(&domain, "file", ES_DOMAIN_NODE, -1, -1);
	domain.is_power = !meter->is_energy;
	domain.peak_mw = (uint64_t)(WATTS_MOST * 1e3);
	es_track_init(&track, &domain, domain.is_power ? GAP_STEPS * usual_step_ns(meter) : 0);
	for (size_t i = 0; i < meter->n; i++) {
		const struct es_wattmeter_reading *reading = &meter->readings[i];

		if (reading->t_unix_ns < from_unix_ns || reading->t_unix_ns > to_unix_ns ||
		    reading->t_unix_ns == last_ns)
			continue;
		last_ns = reading->t_unix_ns;
		keep(samples,
		     es_track_feed(&track, reading->t_unix_ns + shift_ns, reading->value, samples),
		     ret);
	}
	keep(samples, es_track_finish(&track, samples), ret);
	return ret->lacks_memory ? -ENOMEM : 0;
}
