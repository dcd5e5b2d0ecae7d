/*
 * swf.c - jobs of a workload trace in the Standard Workload Format
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/swf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NUMBER_MAX INT64_C(100000000000000) /* of what is no 32-bit number here */

/* The 18 numbers of a line, in their order. */
enum field {
	FIELD_NUMBER,
	FIELD_SUBMIT,
	FIELD_WAIT,
	FIELD_RUN,
	FIELD_PROCS,
	FIELD_CPU,
	FIELD_MEMORY,
	FIELD_REQUESTED_PROCS,
	FIELD_REQUESTED_TIME,
	FIELD_REQUESTED_MEMORY,
	FIELD_STATUS,
	FIELD_USER,
	FIELD_GROUP,
	FIELD_APP,
	FIELD_QUEUE,
	FIELD_PARTITION,
	FIELD_PRECEDING,
	FIELD_THINK,
	N_FIELDS,
};

/* What a number may be. The standard has whole numbers; means of times and sizes come with fractions in some traces. */
struct rule {
	const char *name;
	int64_t min, max;
	unsigned decimals; /* it is kept in such parts of its unit */
	bool may_have_fraction;
};

static const struct rule rules[N_FIELDS] = {
	[FIELD_NUMBER] = { .name = "job number", .max = NUMBER_MAX },
	[FIELD_SUBMIT] = { .name = "submit time", .max = INT32_MAX },
	[FIELD_WAIT] = { .name = "wait time", .min = -1, .max = INT32_MAX },
	[FIELD_RUN] = { .name = "run time", .min = -1, .max = INT32_MAX },
	[FIELD_PROCS] = { .name = "processors", .min = -1, .max = INT32_MAX },
	[FIELD_CPU] = { .name = "CPU time",
			.min = -1,
			.max = NUMBER_MAX,
			.decimals = 3,
			.may_have_fraction = true },
	[FIELD_MEMORY] = { .name = "memory",
			   .min = -1,
			   .max = NUMBER_MAX,
			   .may_have_fraction = true },
	[FIELD_REQUESTED_PROCS] = { .name = "requested processors", .min = -1, .max = INT32_MAX },
	[FIELD_REQUESTED_TIME] = { .name = "requested time", .min = -1, .max = INT32_MAX },
	[FIELD_REQUESTED_MEMORY] = { .name = "requested memory",
				     .min = -1,
				     .max = NUMBER_MAX,
				     .may_have_fraction = true },
	[FIELD_STATUS] = { .name = "status", .min = -1, .max = ES_SWF_N_STATUS - 1 },
	[FIELD_USER] = { .name = "user", .min = -1, .max = INT32_MAX },
	[FIELD_GROUP] = { .name = "group", .min = -1, .max = INT32_MAX },
	[FIELD_APP] = { .name = "application", .min = -1, .max = INT32_MAX },
	[FIELD_QUEUE] = { .name = "queue", .min = -1, .max = INT32_MAX },
	[FIELD_PARTITION] = { .name = "partition", .min = -1, .max = INT32_MAX },
	[FIELD_PRECEDING] = { .name = "preceding job", .min = -1, .max = NUMBER_MAX },
	[FIELD_THINK] = { .name = "think time", .min = -1, .max = INT32_MAX },
};

struct line {
	const char *p, *end;
	size_t number;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct line *line)
{
	while (line->p < line->end && is_blank(*line->p))
		line->p++;
}

static int refuse(struct es_swf_fault *fault, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct es_swf_fault *fault, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(fault->reason, sizeof(fault->reason), fmt, args);
	va_end(args);
	es_text_make_safe(fault->reason, false);
	return -EBADMSG;
}

static int refuse_word(struct es_swf_fault *fault, enum field field, const char *word,
		       const char *end, const char *why)
{
	int n = 0;

	while (word + n < end && n < 24 && !is_blank(word[n]))
		n++;
	return refuse(fault, "%s (number %d) '%.*s': %s", rules[field].name, (int)field + 1, n,
		      word, why);
}

/* The digits at the line's place, the first @decimals of a fraction included; false: more than fit. */
static bool take_digits(struct line *line, unsigned decimals, int64_t *ret)
{
	int64_t value = 0;
	bool fits = true;

	for (; line->p < line->end && is_digit(*line->p); line->p++) {
		fits = fits && value <= NUMBER_MAX;
		value = fits ? value * 10 + (*line->p - '0') : value;
	}
	if (line->p < line->end && *line->p == '.') {
		for (line->p++; line->p < line->end && is_digit(*line->p); line->p++) {
			if (decimals == 0)
				continue;
			decimals--;
			value = fits ? value * 10 + (*line->p - '0') : value;
		}
	}
	for (; decimals > 0; decimals--)
		value = fits ? value * 10 : value;
	*ret = value;
	return fits;
}

static int take_number(struct line *line, enum field field, int64_t *ret,
		       struct es_swf_fault *fault)
{
	const struct rule *rule = &rules[field];
	const char *word = line->p;
	bool is_negative = *word == '-', fits;
	int64_t value, scale = 1;

	for (unsigned i = 0; i < rule->decimals; i++)
		scale *= 10;
	if (is_negative)
		line->p++;
	if (line->p == line->end || !is_digit(*line->p))
		return refuse_word(fault, field, word, line->end, "no number");
	fits = take_digits(line, rule->decimals, &value);
	if (line->p < line->end && !is_blank(*line->p))
		return refuse_word(fault, field, word, line->end, "no number");
	if (!rule->may_have_fraction && memchr(word, '.', (size_t)(line->p - word)))
		return refuse_word(fault, field, word, line->end, "no whole number");
	if (!fits || value > rule->max)
		return refuse_word(fault, field, word, line->end, "too large");
	if (is_negative && (rule->min == 0 || value != scale))
		return refuse_word(fault, field, word, line->end,
				   rule->min == 0 ? "below 0"
						  : "below 0, and not -1 for not known");
	*ret = is_negative ? ES_SWF_UNKNOWN : value;
	return 0;
}

static int parse_job(struct line *line, struct es_swf_job *ret, struct es_swf_fault *fault)
{
	int64_t v[N_FIELDS];
	int n = 0;

	if (line->end - line->p > (ptrdiff_t)ES_SWF_LINE_MAX_BYTES)
		return refuse(fault, "longer than %u bytes", ES_SWF_LINE_MAX_BYTES);
	for (skip_blanks(line); line->p < line->end; skip_blanks(line), n++) {
		int r = n < N_FIELDS ? take_number(line, (enum field)n, &v[n], fault)
				     : refuse(fault, "more than %d numbers", N_FIELDS);

		if (r < 0)
			return r;
	}
	if (n < N_FIELDS)
		return refuse(fault, "%d numbers instead of %d", n, N_FIELDS);
	*ret = (struct es_swf_job){
		.number = v[FIELD_NUMBER],
		.submit_s = v[FIELD_SUBMIT],
		.cpu_ms = v[FIELD_CPU],
		.memory_kb = v[FIELD_MEMORY],
		.requested_memory_kb = v[FIELD_REQUESTED_MEMORY],
		.preceding = v[FIELD_PRECEDING],
		.wait_s = (int32_t)v[FIELD_WAIT],
		.run_s = (int32_t)v[FIELD_RUN],
		.requested_s = (int32_t)v[FIELD_REQUESTED_TIME],
		.think_s = (int32_t)v[FIELD_THINK],
		.procs = (int32_t)v[FIELD_PROCS],
		.requested_procs = (int32_t)v[FIELD_REQUESTED_PROCS],
		.user = (int32_t)v[FIELD_USER],
		.group = (int32_t)v[FIELD_GROUP],
		.app = (int32_t)v[FIELD_APP],
		.queue = (int32_t)v[FIELD_QUEUE],
		.partition = (int32_t)v[FIELD_PARTITION],
		.status = (int32_t)v[FIELD_STATUS],
	};
	return 0;
}

/* "; Key: value": the place behind the colon, or NULL where it is another header. */
static const char *value_of(const struct line *line, const char *key)
{
	size_t n = strlen(key), left = (size_t)(line->end - line->p);

	if (left <= n || memcmp(line->p, key, n) != 0 || line->p[n] != ':')
		return NULL;
	return line->p + n + 1;
}

static void take_text(const struct line *line, const char *key, char *text, size_t size)
{
	const char *value = value_of(line, key), *end = line->end;

	if (!value || text[0] != '\0')
		return;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	(void)snprintf(text, size, "%.*s", (int)(end - value < 1024 ? end - value : 1024), value);
	es_text_make_safe(text, false);
}

/* The number that a header begins with: some have remarks behind it. */
static void take_header(const struct line *line, const char *key, int64_t *ret)
{
	struct line value = { .p = value_of(line, key), .end = line->end };
	int64_t number;

	if (!value.p || *ret != ES_SWF_UNKNOWN)
		return;
	skip_blanks(&value);
	if (value.p < value.end && is_digit(*value.p) && take_digits(&value, 0, &number))
		*ret = number;
}

static void parse_header(struct line *line, struct es_swf *swf)
{
	while (line->p < line->end && (*line->p == ';' || is_blank(*line->p)))
		line->p++;
	take_header(line, "MaxNodes", &swf->max_nodes);
	take_header(line, "MaxProcs", &swf->max_procs);
	take_header(line, "MaxJobs", &swf->max_jobs);
	take_header(line, "UnixStartTime", &swf->unix_start_s);
	take_text(line, "Computer", swf->computer, sizeof(swf->computer));
	take_text(line, "Installation", swf->installation, sizeof(swf->installation));
	take_text(line, "Version", swf->version, sizeof(swf->version));
	take_text(line, "TimeZoneString", swf->timezone, sizeof(swf->timezone));
	if (value_of(line, "Note"))
		swf->n_notes++;
}

static int keep(struct es_swf *swf, size_t *cap, const struct es_swf_job *job)
{
	if (swf->n == ES_SWF_JOBS_MAX)
		return -EFBIG;
	if (swf->n == *cap) {
		size_t larger = *cap ? *cap * 2 : 1024;
		struct es_swf_job *jobs = reallocarray(swf->jobs, larger, sizeof(*jobs));

		if (!jobs)
			return -ENOMEM;
		swf->jobs = jobs;
		*cap = larger;
	}
	if (swf->n > 0 && job->submit_s < swf->jobs[swf->n - 1].submit_s)
		swf->n_unordered++;
	swf->jobs[swf->n++] = *job;
	return 0;
}

static int parse_line(struct es_swf *swf, size_t *cap, struct line line)
{
	struct es_swf_fault fault = { .line = line.number };
	struct es_swf_job job;

	skip_blanks(&line);
	if (line.p == line.end)
		return 0;
	if (*line.p == ';') {
		parse_header(&line, swf);
		return 0;
	}
	if (parse_job(&line, &job, &fault) == 0)
		return keep(swf, cap, &job);
	if (swf->n_faults < ES_SWF_FAULTS_KEPT)
		swf->faults[swf->n_faults] = fault;
	swf->n_faults++;
	return 0;
}

/* What stood last keeps its place among those of one second: the sort is by merging and stable. */
static int sort(struct es_swf *swf)
{
	struct es_swf_job *from = swf->jobs, *to, *spare;

	if (swf->n_unordered == 0)
		return 0;
	spare = to = reallocarray(NULL, swf->n, sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (size_t width = 1; width < swf->n; width *= 2) {
		struct es_swf_job *swap = from;

		for (size_t at = 0; at < swf->n; at += 2 * width) {
			size_t mid = at + width < swf->n ? at + width : swf->n;
			size_t end = mid + width < swf->n ? mid + width : swf->n;
			size_t a = at, b = mid;

			for (size_t i = at; i < end; i++) {
				bool is_left = a < mid &&
					       (b >= end || from[a].submit_s <= from[b].submit_s);

				to[i] = from[is_left ? a++ : b++];
			}
		}
		from = to;
		to = swap;
	}
	if (from != swf->jobs)
		memcpy(swf->jobs, from, swf->n * sizeof(*from));
	free(spare);
	return 0;
}

static int judge(const struct es_swf *swf, bool is_strict, struct es_error *err)
{
	const struct es_swf_fault *first = &swf->faults[0];

	if (swf->n_faults > 0 && (is_strict || swf->n == 0))
		return es_error_say(err, -EBADMSG,
				    "line %zu is no job: %s (%zu of %zu lines are wrong)",
				    first->line, first->reason, swf->n_faults, swf->n_lines);
	if (swf->n == 0)
		return es_error_say(err, -EBADMSG, "there is no job in it (%zu lines)",
				    swf->n_lines);
	return 0;
}

int es_swf_parse(const char *text, size_t n, bool is_strict, struct es_swf *ret,
		 struct es_error *err)
{
	const char *end = text + n, *next;
	size_t cap = 0;
	int r = 0;

	*ret = (struct es_swf){ .max_nodes = ES_SWF_UNKNOWN,
				.max_procs = ES_SWF_UNKNOWN,
				.max_jobs = ES_SWF_UNKNOWN,
				.unix_start_s = ES_SWF_UNKNOWN };
	if (n > ES_SWF_TEXT_MAX_BYTES)
		return es_error_say(err, -EFBIG, "longer than %llu MiB",
				    ES_SWF_TEXT_MAX_BYTES >> 20);
	for (const char *p = text; r == 0 && p < end; p = next) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		stop = stop ? stop : end;
		next = stop < end ? stop + 1 : end;
		ret->n_lines++;
		r = parse_line(ret, &cap,
			       (struct line){ .p = p, .end = stop, .number = ret->n_lines });
	}
	if (r == 0)
		r = sort(ret);
	if (r == -EFBIG)
		return es_error_say(err, r, "more than %u jobs", ES_SWF_JOBS_MAX);
	if (r < 0)
		return es_error_set(err, r, "jobs of a trace");
	return judge(ret, is_strict, err);
}

void es_swf_finish(struct es_swf *swf)
{
	free(swf->jobs);
	swf->jobs = NULL;
	swf->n = 0;
}

int32_t es_swf_procs(const struct es_swf_job *job)
{
	return job->procs > 0 ? job->procs : job->requested_procs;
}
