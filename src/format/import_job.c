/*
 * import_job.c - a job on its way from someone's files into a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/track.h"

#define EVENTS_MAX 1000000U

int es_import_warn(struct es_import_result *result, const char *fmt, ...)
{
	char text[ES_TEXT_MAX_BYTES];
	char **warnings;
	va_list args;

	if (result->n_warnings >= ES_IMPORT_WARNINGS_MAX)
		return 0;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (result->n_warnings + 1 == ES_IMPORT_WARNINGS_MAX)
		(void)snprintf(text, sizeof(text), "more warnings than %u: the rest is left out",
			       ES_IMPORT_WARNINGS_MAX - 1);
	es_text_make_safe(text, false);
	warnings = reallocarray(result->warnings, result->n_warnings + 1, sizeof(*warnings));
	if (!warnings)
		return -ENOMEM;
	result->warnings = warnings;
	warnings[result->n_warnings] = strdup(text);
	if (!warnings[result->n_warnings])
		return -ENOMEM;
	result->n_warnings++;
	return 0;
}

void es_import_result_finish(struct es_import_result *result)
{
	for (size_t i = 0; i < result->n; i++)
		free(result->recordings[i]);
	for (size_t i = 0; i < result->n_warnings; i++)
		free(result->warnings[i]);
	free(result->recordings);
	free(result->warnings);
	*result = (struct es_import_result){ .n = 0 };
}

static bool replace(char *text, bool is_name)
{
	bool has_changed = false;
	size_t n = strlen(text);

	for (size_t i = 0; i < n;) {
		size_t length = es_utf8_length(text + i, n - i);
		unsigned char c = (unsigned char)text[i];
		/* C1 control characters are two bytes, c2 80 to c2 9f. */
		bool is_control = c < 0x20 || c == 0x7f ||
				  (length == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);

		if (length == 0 || is_control || (is_name && (c == '/' || (i == 0 && c == '.')))) {
			memset(text + i, '_', length ? length : 1);
			has_changed = true;
		}
		i += length ? length : 1;
	}
	return has_changed;
}

bool es_import_safe_name(char *name)
{
	return replace(name, true);
}

void es_import_safe_text(char *text)
{
	(void)replace(text, false);
}

void es_import_set_text(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text);
	es_import_safe_text(ret);
}

int es_import_series_add(struct es_import_series *series, int64_t t_ns, uint64_t value)
{
	if (series->n == series->cap) {
		size_t cap = series->cap ? series->cap * 2 : 256;
		int64_t *times = reallocarray(series->t_ns, cap, sizeof(*times));
		uint64_t *values;

		if (!times)
			return -ENOMEM;
		series->t_ns = times;
		values = reallocarray(series->values, cap, sizeof(*values));
		if (!values)
			return -ENOMEM;
		series->values = values;
		series->cap = cap;
	}
	series->t_ns[series->n] = t_ns;
	series->values[series->n++] = value;
	return 0;
}

void es_import_job_init(struct es_import_job *job, struct es_import_result *result)
{
	*job = (struct es_import_job){ .result = result };
	es_meta_init(&job->meta);
}

void es_import_job_finish(struct es_import_job *job)
{
	for (size_t i = 0; job->series && i < job->meta.n_domains; i++) {
		free(job->series[i].t_ns);
		free(job->series[i].values);
	}
	free(job->series);
	free(job->events);
	es_meta_finish(&job->meta);
}

int es_import_job_node(struct es_import_job *job, const char *name)
{
	char safe[ES_NAME_MAX_BYTES];
	int r;

	if (strlen(name) >= sizeof(safe))
		return -E2BIG;
	memcpy(safe, name, strlen(name) + 1);
	if (es_import_safe_name(safe) &&
	    es_import_warn(job->result, "node '%s' is called '%s' here", name, safe) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < job->meta.n_nodes; i++)
		if (strcmp(job->meta.nodes[i].name, safe) == 0)
			return (int)i;
	r = es_meta_add_node(&job->meta, safe);
	return r < 0 ? r : (int)job->meta.n_nodes - 1;
}

int es_import_job_domain(struct es_import_job *job, const struct es_domain *domain)
{
	size_t n = job->meta.n_domains;
	struct es_import_series *series = reallocarray(job->series, n + 1, sizeof(*series));
	int r;

	if (!series)
		return -ENOMEM;
	job->series = series;
	series[n] = (struct es_import_series){ .n = 0 };
	r = es_meta_add_domain(&job->meta, domain);
	return r < 0 ? r : (int)n;
}

int es_import_job_find(const struct es_import_job *job, uint32_t node, const char *name)
{
	for (size_t i = 0; i < job->meta.n_domains; i++)
		if (job->meta.domains[i].node == node &&
		    strcmp(job->meta.domains[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

int es_import_job_event(struct es_import_job *job, uint32_t type, int64_t t_ns, const char *text)
{
	struct es_event *events;

	if (job->n_events >= EVENTS_MAX || strlen(text) >= sizeof(events->text))
		return -E2BIG;
	events = reallocarray(job->events, job->n_events + 1, sizeof(*events));
	if (!events)
		return -ENOMEM;
	job->events = events;
	events[job->n_events] = (struct es_event){ .type = type, .t_ns = t_ns };
	memcpy(events[job->n_events].text, text, strlen(text) + 1);
	job->n_events++;
	return 0;
}

/* "gpu-12" after "gpu": 12. */
static bool take_number(const char **p, int32_t *ret)
{
	int32_t v = 0;

	if (**p != '-' || (*p)[1] < '0' || (*p)[1] > '9')
		return false;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++) {
		if (v > 99999)
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return true;
}

void es_import_domain_from_name(struct es_domain *domain, const char *source, const char *name)
{
	int32_t package = -1, die = -1;

	for (int type = 0; type < ES_N_DOMAIN_TYPES; type++) {
		const char *word = es_domain_type_name((enum es_domain_type)type);
		const char *p = name + strlen(word);

		if (strncmp(name, word, strlen(word)) != 0 || type == ES_DOMAIN_DIE ||
		    type == ES_DOMAIN_OTHER)
			continue;
		package = die = -1;
		(void)take_number(&p, &package);
		if (package >= 0 && strncmp(p, "-die", 4) == 0) {
			p += 4;
			(void)take_number(&p, &die);
		}
		if (*p != '\0')
			continue;
		if (type == ES_DOMAIN_PACKAGE && die >= 0)
			type = ES_DOMAIN_DIE;
		es_domain_init(domain, source, (enum es_domain_type)type, package, die);
		return;
	}
	es_domain_init(domain, source, ES_DOMAIN_OTHER, -1, -1);
	(void)snprintf(domain->name, sizeof(domain->name), "%.200s", name);
	(void)es_import_safe_name(domain->name);
	(void)snprintf(domain->id, sizeof(domain->id), "%.31s/%.200s", source, domain->name);
}

/* Readings with the number of resets before each; turned into a counter when that of all is known. */
struct soft {
	struct es_import_series *series;
	uint8_t *resets; /* of each reading; more than 255 are not told apart */
	size_t cap;
	unsigned n_resets;
	uint64_t steps;
	uint64_t unit_num, unit_den;
};

__extension__ typedef unsigned __int128 es_u128;

static int put_soft(struct soft *soft, int64_t t_ns, bool is_reset, uint64_t steps)
{
	es_u128 uj;

	soft->n_resets += is_reset && soft->n_resets < UINT8_MAX;
	soft->steps += steps;
	uj = (es_u128)soft->steps * soft->unit_num / soft->unit_den;
	if (soft->series->n == soft->cap) {
		size_t cap = soft->cap ? soft->cap * 2 : 256;
		uint8_t *resets = realloc(soft->resets, cap);

		if (!resets)
			return -ENOMEM;
		soft->resets = resets;
		soft->cap = cap;
	}
	soft->resets[soft->series->n] = (uint8_t)soft->n_resets;
	/* Half of what a recording can hold: the other half is for the steps back. */
	return es_import_series_add(soft->series, t_ns,
				    uj > INT64_MAX / 2 ? INT64_MAX / 2 : (uint64_t)uj);
}

static int put_samples(struct soft *soft, const struct es_sample *samples, int n)
{
	int r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = put_soft(soft, samples[i].t1_ns, samples[i].is_gap, samples[i].energy_uj);
	return r;
}

/* The steps of the raw counter stand for µJ here, so that es_track does its work on them without any rounding. */
static void raw_domain(struct es_domain *raw, const struct es_domain *domain, uint64_t unit_num,
		       uint64_t unit_den, unsigned width_bits)
{
	es_u128 peak = (es_u128)domain->peak_mw * unit_den / unit_num;

	*raw = *domain;
	raw->is_power = false;
	raw->range =
		(struct es_counter_range){ .unit_nj = 1000,
					   .modulus_nj = width_bits == 32 ? 1000ULL << 32 : 0 };
	raw->peak_mw = peak > INT64_MAX ? INT64_MAX : (uint64_t)peak;
}

static int warn_of(struct es_import_job *job, const struct es_domain *domain,
		   const struct es_track *track)
{
	const char *node = job->meta.nodes[domain->node].name;

	if (track->n_resets > 0 &&
	    es_import_warn(
		    job->result,
		    "%s/%s: the counter was reset %llu times; what it counted meanwhile is not known",
		    node, domain->name, (unsigned long long)track->n_resets) < 0)
		return -ENOMEM;
	if (track->n_ambiguous > 0 &&
	    es_import_warn(
		    job->result,
		    "%s/%s: %llu intervals so long that the counter may have wrapped more than once",
		    node, domain->name, (unsigned long long)track->n_ambiguous) < 0)
		return -ENOMEM;
	if (track->n_rejected > 0 &&
	    es_import_warn(job->result, "%s/%s: %llu readings left out that imply more than %llu W",
			   node, domain->name, (unsigned long long)track->n_rejected,
			   (unsigned long long)(domain->peak_mw / 1000)) < 0)
		return -ENOMEM;
	return 0;
}

int es_import_soften(struct es_import_job *job, size_t domain, const int64_t *t_ns,
		     const uint64_t *raw, size_t n, uint64_t unit_num, uint64_t unit_den,
		     unsigned width_bits)
{
	struct soft soft = { .series = &job->series[domain],
			     .unit_num = unit_num,
			     .unit_den = unit_den };
	struct es_sample samples[2];
	struct es_domain as_raw;
	struct es_track track;
	int r = 0;

	raw_domain(&as_raw, &job->meta.domains[domain], unit_num, unit_den, width_bits);
	es_track_init(&track, &as_raw, 0);
	for (size_t i = 0; r == 0 && i < n; i++) {
		bool had_first = track.has_first;
		int n_samples = es_track_feed(&track, t_ns[i], raw[i], samples);

		r = !had_first && track.has_first ? put_soft(&soft, t_ns[i], false, 0)
						  : put_samples(&soft, samples, n_samples);
	}
	if (r == 0)
		r = put_samples(&soft, samples, es_track_finish(&track, samples));
	for (size_t i = 0; r == 0 && i < soft.series->n; i++)
		soft.series->values[i] +=
			(uint64_t)(soft.n_resets - soft.resets[i]) * ES_IMPORT_RESET_STEP_UJ;
	free(soft.resets);
	return r < 0 ? r : warn_of(job, &job->meta.domains[domain], &track);
}
