/*
 * carbon_file.c - carbon intensities from files: CSV, and what grid operators and services hand out
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/carbon_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/grid.h"
#include "format/archive.h"
#include "format/carbon_parse.h"

#define KNOWN_SHAPES                                                                     \
	"CSV with columns start and g_per_kwh, JSON of RTE éCO2mix, Electricity Maps, " \
	"carbonintensity.org.uk or WattTime, or XML of ENTSO-E's generation by type"

int es_carbon_bad(const struct es_carbon_file *file, int code, const char *unit, size_t place,
		  struct es_error *err, const char *fmt, ...)
{
	const struct es_carbon_part *part = &file->parts[file->n_parts - 1];
	char text[ES_TEXT_MAX_BYTES / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return es_error_say(err, code, "'%.400s' %s %zu: %s", part->name, unit ? unit : part->unit,
			    place, text);
}

/* Beyond +-146 years of 1970 differences would not fit. */
static int take_time(const char *text, int64_t *ret_unix_ns)
{
	int64_t t_ns;

	if (es_time_parse(text, &t_ns) < 0 || t_ns > ES_TIME_MAX_NS || t_ns < -ES_TIME_MAX_NS)
		return -EBADMSG;
	*ret_unix_ns = t_ns;
	return 0;
}

int es_carbon_time(const char *text, bool is_utc, int64_t *ret_unix_ns)
{
	size_t n = strlen(text), n_time;
	char whole[80];
	const char *time, *zone;

	if (text[0] == '@')
		return take_time(text, ret_unix_ns);
	if (n > 60 || n < 10)
		return -EBADMSG;
	if (n == 10) {
		(void)snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
		return take_time(whole, ret_unix_ns) < 0 ? -EBADMSG : is_utc ? 0 : -EINVAL;
	}
	time = text + 11;
	n_time = strspn(time, "0123456789:.,");
	zone = time + n_time;
	(void)snprintf(whole, sizeof(whole), "%.11s%.*s%s%s", text, (int)n_time, time,
		       n_time == 5 ? ":00" : "", *zone ? zone : "Z");
	if (take_time(whole, ret_unix_ns) < 0)
		return -EBADMSG;
	return *zone || is_utc ? 0 : -EINVAL;
}

int es_carbon_zone(const char *text, char ret[static 32])
{
	const struct es_grid_factor *row = es_grid_find(text);

	if (strlen(row ? row->zone : text) >= 32)
		return -ENAMETOOLONG;
	(void)snprintf(ret, 32, "%s", row ? row->zone : text);
	es_text_make_safe(ret, false); /* it ends in the job line */
	return 0;
}

int es_factor_kind_parse(const char *text, enum es_factor_kind *ret)
{
	for (int i = ES_FACTOR_AVERAGE; i < ES_N_FACTOR_KINDS; i++) {
		if (strcasecmp(text, es_factor_kind_name((enum es_factor_kind)i)) == 0) {
			*ret = (enum es_factor_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

int es_factor_scope_parse(const char *text, enum es_factor_scope *ret)
{
	if (strcasecmp(text, "lifecycle") == 0 || strcasecmp(text, "life cycle") == 0 ||
	    strcasecmp(text, "life-cycle") == 0)
		*ret = ES_FACTOR_LIFECYCLE;
	else if (strcasecmp(text, "direct") == 0)
		*ret = ES_FACTOR_DIRECT;
	else
		return -EINVAL;
	return 0;
}

static bool is_of(const struct es_intensity *series, const struct es_carbon_nature *nature)
{
	return series->kind == nature->kind && series->scope == nature->scope &&
	       strcasecmp(series->zone, nature->zone) == 0 &&
	       strcmp(series->source, nature->source) == 0;
}

/* The series of this nature, made where there is none yet. */
static int find_series(struct es_carbon_file *file, const struct es_carbon_nature *nature,
		       struct es_intensity **ret)
{
	struct es_intensity *larger;

	if (file->last < file->n && is_of(&file->series[file->last], nature)) {
		*ret = &file->series[file->last];
		return 0;
	}
	for (file->last = 0; file->last < file->n; file->last++) {
		if (is_of(&file->series[file->last], nature)) {
			*ret = &file->series[file->last];
			return 0;
		}
	}
	if (file->n == ES_CARBON_SERIES_MAX)
		return -E2BIG;
	larger = reallocarray(file->series, file->n + 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	file->series = larger;
	*ret = &file->series[file->n++];
	**ret = (struct es_intensity){ .kind = nature->kind,
				       .scope = nature->scope,
				       .longest_ns = nature->longest_ns,
				       .alone_ns = nature->alone_ns };
	memcpy((*ret)->zone, nature->zone, sizeof((*ret)->zone));
	memcpy((*ret)->source, nature->source, sizeof((*ret)->source));
	return 0;
}

int es_carbon_put(struct es_carbon_file *file, const struct es_carbon_nature *nature,
		  const struct es_slot *slot, struct es_error *err)
{
	struct es_slot mine = *slot;
	struct es_intensity *series;
	int r = file->n_slots < ES_CARBON_SLOTS_MAX ? find_series(file, nature, &series) : -E2BIG;

	mine.file = (uint16_t)(file->n_parts - 1);
	if (r == 0)
		r = es_intensity_add(series, &mine);
	if (r == -E2BIG)
		return es_carbon_bad(file, r, NULL, slot->place, err,
				     "more than %u figures or %u series", ES_CARBON_SLOTS_MAX,
				     ES_CARBON_SERIES_MAX);
	if (r == -EINVAL && slot->stop_ns != ES_SLOT_OPEN && slot->stop_ns <= slot->start_ns)
		return es_carbon_bad(file, -EBADMSG, NULL, slot->place, err,
				     "it stops before it starts");
	if (r == -EINVAL)
		return es_carbon_bad(file, -EBADMSG, NULL, slot->place, err,
				     "%g g/kWh is no intensity: 0 to %g are", slot->g_per_kwh,
				     ES_G_PER_KWH_MAX);
	if (r < 0)
		return es_error_set(err, r, "cannot read figures");
	file->n_slots++;
	return 0;
}

static int add_part(struct es_carbon_file *file, const char *name, struct es_error *err)
{
	struct es_carbon_part *larger;

	if (file->n_parts == ES_CARBON_PARTS_MAX)
		return es_error_say(err, -E2BIG, "'%s': more than %u files", name,
				    ES_CARBON_PARTS_MAX);
	larger = reallocarray(file->parts, file->n_parts + 1, sizeof(*larger));
	if (!larger)
		return es_error_set(err, -ENOMEM, "'%s'", name);
	file->parts = larger;
	larger[file->n_parts] = (struct es_carbon_part){ .name = strdup(name), .unit = "line" };
	if (!larger[file->n_parts].name)
		return es_error_set(err, -ENOMEM, "'%s'", name);
	file->n_parts++;
	return 0;
}

int es_carbon_file_parse(struct es_carbon_file *file, const char *name, char *data, size_t n,
			 struct es_error *err)
{
	const char *p = data;
	int r = add_part(file, name, err);

	if (r < 0)
		return r;
	if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < data + n && isspace((unsigned char)*p))
		p++;
	if (*p == '{' || *p == '[')
		return es_carbon_read_json(file, data, n, err);
	if (*p == '<')
		return es_carbon_read_entsoe(file, data, n, err);
	return es_carbon_read_csv(file, data, n, err);
}

struct reading {
	struct es_carbon_file *file;
	struct es_error *err;
};

static int on_file(void *arg, struct es_archive_file *from)
{
	struct reading *reading = arg;
	int r;

	if (from->is_cut)
		return es_error_say(reading->err, -EBADMSG, "'%s': the archive breaks off in it",
				    from->name);
	r = es_carbon_file_parse(reading->file, from->name, from->data, from->n, reading->err);
	reading->file->n_passed_over += r == 1;
	return r < 0 ? r : 0;
}

static void time_text(int64_t t_ns, char text[static ES_TIME_TEXT_BYTES])
{
	(void)es_time_rfc3339_utc(t_ns, text);
}

static int tell_clash(const struct es_carbon_file *file, const struct es_intensity *series, int r,
		      const struct es_slot clash[static 2], struct es_error *err)
{
	const struct es_carbon_part *part = &file->parts[clash[0].file],
				    *other = &file->parts[clash[1].file];
	char a[ES_TIME_TEXT_BYTES], b[ES_TIME_TEXT_BYTES];

	time_text(clash[0].start_ns, a);
	time_text(clash[1].start_ns, b);
	if (r == -EEXIST)
		return es_error_say(err, r,
				    "'%.300s' %s %u: the time from %s on (%s%s%g g/kWh) overlaps "
				    "'%.300s' %s %u (from %s, %g g/kWh)",
				    other->name, other->unit, clash[1].place, b, series->zone,
				    series->zone[0] ? ", " : "", clash[1].g_per_kwh, part->name,
				    part->unit, clash[0].place, a, clash[0].g_per_kwh);
	if (r == -ENODATA)
		return es_error_say(
			err, -EBADMSG,
			"'%.400s' %s %u: how long the figure from %s on holds is not said: "
			"give a stop, or '# resolution: 1h'",
			part->name, part->unit, clash[0].place, a);
	return es_error_set(err, r, "cannot put figures in order");
}

int es_carbon_file_prepare(struct es_carbon_file *file, struct es_error *err)
{
	struct es_slot clash[2];

	for (size_t i = 0; i < file->n; i++) {
		int r = es_intensity_prepare(&file->series[i], clash);

		if (r < 0)
			return tell_clash(file, &file->series[i], r, clash, err);
	}
	return 0;
}

int es_carbon_file_read(struct es_carbon_file *file, const char *path, struct es_error *err)
{
	const struct es_archive_limits limits = { .max_bytes = ES_CARBON_FILE_MAX_BYTES };
	struct reading reading = { .file = file, .err = err };
	int r = es_archive_walk(path, &limits, on_file, &reading, err);

	if (r < 0)
		return r;
	if (file->n_slots == 0)
		return es_error_say(
			err, file->n_passed_over ? -EBADMSG : -ENODATA,
			file->n_passed_over || file->n_parts == 0
				? "'%.300s' has no carbon intensities: known are " KNOWN_SHAPES
				: "'%.300s' has no figure: all of them are empty",
			path);
	return es_carbon_file_prepare(file, err);
}

void es_carbon_file_finish(struct es_carbon_file *file)
{
	for (size_t i = 0; i < file->n; i++)
		es_intensity_finish(&file->series[i]);
	for (size_t i = 0; i < file->n_parts; i++)
		free(file->parts[i].name);
	free(file->series);
	free(file->parts);
	*file = (struct es_carbon_file){ .n = 0 };
}
