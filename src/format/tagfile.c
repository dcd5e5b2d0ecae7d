/*
 * tagfile.c - tags from a file: name,start,stop
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/tagfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/csvread.h"
#include "format/regions.h"
#include "format/report.h"

#define TIME_MAX_BYTES 64U

enum column {
	COLUMN_NAME,
	COLUMN_START,
	COLUMN_STOP,
	N_COLUMNS
};

__attribute__((format(printf, 4, 5))) static int
complain(const struct es_tagfile *file, size_t line, struct es_error *err, const char *fmt, ...)
{
	char text[ES_TEXT_MAX_BYTES / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	es_text_make_safe(text, false);
	return es_error_say(err, -EINVAL, "tags '%.300s' line %zu: %s", file->path, line, text);
}

static const char *name_problem(const char *name)
{
	size_t n = strlen(name), length;

	if (n == 0)
		return "a name has at least one character";
	if (n >= ES_NAME_MAX_BYTES)
		return "a name has at most 255 bytes";
	if (es_region_is_automatic(name))
		return "this name is reserved: every recording has it by itself";
	for (size_t i = 0; i < n; i += length) {
		length = es_utf8_length(name + i, n - i);
		if (length == 0)
			return "a name is UTF-8";
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
		    (length == 2 && name[i] == '\xc2' && (unsigned char)name[i + 1] < 0xa0))
			return "a name has no control characters";
	}
	return NULL;
}

/* "+90", "+90s", "1773403200.5", "@1773403200", "2026-03-13T12:00:00Z" */
static int parse_time(const char *text, struct es_tag_time *ret)
{
	struct es_tag_time time = { .is_relative = text[0] == '+' };
	char padded[TIME_MAX_BYTES + 2];
	const char *number = text + time.is_relative;
	size_t n = strlen(number);
	bool is_bare = n > 0 && strspn(number, "0123456789.") == n;
	int r;

	if (n >= TIME_MAX_BYTES)
		return -EBADMSG;
	if (time.is_relative) {
		(void)snprintf(padded, sizeof(padded), "%s%s", number, is_bare ? "s" : "");
		r = es_parse_duration_ns(padded, &time.t_ns);
	} else {
		(void)snprintf(padded, sizeof(padded), "%s%s", is_bare ? "@" : "", number);
		r = es_time_parse(padded, &time.t_ns);
	}
	if (r < 0 || time.t_ns > ES_TIME_MAX_NS || time.t_ns < -ES_TIME_MAX_NS)
		return -EBADMSG;
	*ret = time;
	return 0;
}

static bool is_heading(char *const *fields)
{
	return strcmp(fields[COLUMN_NAME], "name") == 0 &&
	       strcmp(fields[COLUMN_START], "start") == 0 &&
	       strcmp(fields[COLUMN_STOP], "stop") == 0;
}

static int add_row(struct es_tagfile *file, const struct es_tag_row *row, struct es_error *err)
{
	size_t cap = file->cap_rows ? 2 * file->cap_rows : 64;
	struct es_tag_row *larger;

	if (file->n_rows == ES_REGION_CALLS_MAX)
		return es_error_say(err, -E2BIG, "tags '%.300s': more than %u lines", file->path,
				    ES_REGION_CALLS_MAX);
	if (file->n_rows == file->cap_rows) {
		larger = reallocarray(file->rows, cap, sizeof(*larger));
		if (!larger)
			return es_error_set(err, -ENOMEM, "tags '%.300s'", file->path);
		file->rows = larger;
		file->cap_rows = cap;
	}
	file->rows[file->n_rows++] = *row;
	return 0;
}

static int parse_row(struct es_tagfile *file, size_t line, char *const *fields, int n_fields,
		     struct es_error *err)
{
	struct es_tag_row row = { .line = line };
	const char *problem;

	if (n_fields != N_COLUMNS)
		return complain(file, line, err, "%d fields; there are three: name,start,stop",
				n_fields);
	if (file->n_rows == 0 && is_heading(fields))
		return 0;
	row.name = fields[COLUMN_NAME];
	problem = name_problem(row.name);
	if (problem)
		return complain(file, line, err, "'%.300s': %s", row.name, problem);
	for (int i = COLUMN_START; i <= COLUMN_STOP; i++)
		if (parse_time(fields[i], i == COLUMN_START ? &row.start : &row.stop) < 0)
			return complain(
				file, line, err,
				"'%.100s' is no time: give a date and time, seconds since 1970, or +SECONDS after the recording's start",
				fields[i]);
	if (row.start.is_relative == row.stop.is_relative && row.stop.t_ns < row.start.t_ns)
		return complain(file, line, err, "it stops before it starts");
	return add_row(file, &row, err);
}

int es_tagfile_parse(struct es_tagfile *file, const char *path, char *text, size_t n,
		     struct es_error *err)
{
	char *fields[ES_CSV_FIELDS_MAX];
	struct es_csv csv;
	int r = 0, n_fields;

	es_tagfile_finish(file);
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	file->text = text;
	/* What follows a NUL would be passed over. */
	if (memchr(text, '\0', n))
		return es_error_say(err, -EINVAL, "tags '%.300s': no text, it has zero bytes",
				    path);
	es_csv_init(&csv, text, n);
	for (n_fields = es_csv_next(&csv, fields); r == 0 && n_fields != 0;
	     n_fields = es_csv_next(&csv, fields)) {
		if (n_fields < 0)
			return complain(file, csv.line, err,
					n_fields == -E2BIG ? "too many fields"
							   : "a quote is out of place");
		r = parse_row(file, csv.line, fields, n_fields, err);
		if (r < 0)
			return r;
	}
	if (file->n_rows == 0)
		return es_error_say(err, -EINVAL,
				    "tags '%.300s': there are none; each line is name,start,stop",
				    path);
	return 0;
}

/* All bytes and a NUL; *ret is for free(). */
static int read_all(int fd, size_t size, char **ret, size_t *ret_n)
{
	char *text = malloc(size + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	while (n < size) {
		ssize_t got = read(fd, text + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int r = -errno;

			free(text);
			return r;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*ret = text;
	*ret_n = n;
	return 0;
}

int es_tagfile_read(struct es_tagfile *file, const char *path, struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	size_t n = 0;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "cannot read tags '%.300s'", path);
	if (!S_ISREG(st.st_mode))
		return es_error_say(err, -EINVAL, "cannot read tags '%.300s': no regular file",
				    path);
	if (st.st_size > (off_t)ES_TAGFILE_MAX_BYTES)
		return es_error_say(err, -EFBIG, "tags '%.300s': more than %u MiB", path,
				    ES_TAGFILE_MAX_BYTES >> 20);
	r = read_all(fd, (size_t)st.st_size, &text, &n);
	if (r < 0)
		return es_error_set(err, r, "cannot read tags '%.300s'", path);
	return es_tagfile_parse(file, path, text, n, err);
}

void es_tagfile_finish(struct es_tagfile *file)
{
	free(file->text);
	free(file->rows);
	*file = (struct es_tagfile){ .n_rows = 0 };
}

/* On the boot clock; the result is kept within what differences allow. */
static int64_t boot_ns(const struct es_report *report, const struct es_tag_time *time)
{
	const struct es_meta *meta = report->meta;
	int64_t t_ns;

	if (time->is_relative) {
		if (__builtin_add_overflow(report->start_ns, time->t_ns, &t_ns))
			return ES_TIME_MAX_NS;
	} else if (__builtin_sub_overflow(time->t_ns, meta->start_unix_ns, &t_ns) ||
		   __builtin_add_overflow(t_ns, meta->start_boot_ns, &t_ns)) {
		return time->t_ns < 0 ? -ES_TIME_MAX_NS : ES_TIME_MAX_NS;
	}
	return t_ns > ES_TIME_MAX_NS ? ES_TIME_MAX_NS
				     : (t_ns < -ES_TIME_MAX_NS ? -ES_TIME_MAX_NS : t_ns);
}

int es_tagfile_add(const struct es_tagfile *file, const struct es_report *report,
		   struct es_regions *regions, struct es_error *err)
{
	char from[ES_TIME_TEXT_BYTES], to[ES_TIME_TEXT_BYTES];
	size_t n_within = 0;

	for (size_t i = 0; i < file->n_rows; i++) {
		const struct es_tag_row *row = &file->rows[i];
		int64_t start_ns = boot_ns(report, &row->start),
			stop_ns = boot_ns(report, &row->stop);
		int r;

		if (stop_ns < start_ns)
			return complain(file, row->line, err, "it stops before it starts");
		n_within += stop_ns >= report->start_ns && start_ns <= report->stop_ns;
		r = es_regions_start(regions, row->name, start_ns);
		if (r == 0)
			r = es_regions_stop(regions, row->name, stop_ns);
		if (r < 0)
			return es_error_set(err, r, "tags '%.300s' line %zu", file->path,
					    row->line);
	}
	if (n_within || !report->has_start)
		return 0;
	return es_error_say(err, -EINVAL, "tags '%.300s': none lies within the recording, %s to %s",
			    file->path,
			    es_time_rfc3339(es_report_unix_ns(report, report->start_ns), from),
			    es_time_rfc3339(es_report_unix_ns(report, report->stop_ns), to));
}
