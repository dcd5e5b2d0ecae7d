/*
 * import_job.h - a job on its way from someone's files into a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_JOB_H
#define ES_FORMAT_IMPORT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/import.h"
#include "record/event.h"
#include "record/meta.h"

/** es_import_warn - add a line of warning (the last one allowed says that there are more); returns 0 or -ENOMEM */
int es_import_warn(struct es_import_result *result, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** struct es_import_series - the readings of one domain, in order of time */
struct es_import_series {
	int64_t *t_ns;
	uint64_t *values;
	size_t n, cap;
};

int es_import_series_add(struct es_import_series *series, int64_t t_ns, uint64_t value);

/** struct es_import_job - init with es_import_job_init(), free with es_import_job_finish() */
struct es_import_job {
	struct es_meta meta;
	struct es_import_series *series; /* one for each domain of meta */
	struct es_event *events;
	size_t n_events;
	struct es_import_result *result; /* borrowed: where warnings go */
};

void es_import_job_init(struct es_import_job *job, struct es_import_result *result);
void es_import_job_finish(struct es_import_job *job);

/** es_import_job_node - the node called @name, added where it is new (its name made safe); index, -E2BIG or -ENOMEM */
int es_import_job_node(struct es_import_job *job, const char *name);
/** es_import_job_domain - add a domain (its node is already set); index, -E2BIG or -ENOMEM */
int es_import_job_domain(struct es_import_job *job, const struct es_domain *domain);
/** es_import_job_find - the domain called @name of @node; index or -ENOENT */
int es_import_job_find(const struct es_import_job *job, uint32_t node, const char *name);
/** es_import_job_event - something that happened; 0, -E2BIG or -ENOMEM */
int es_import_job_event(struct es_import_job *job, uint32_t type, int64_t t_ns, const char *text);

/**
 * es_import_soften - readings of a raw counter as a counter in µJ that starts at 0
 * @domain: peak_mw of its raw counter
 * @t_ns, @raw: n readings as they were
 * @unit_num, @unit_den: µJ of one raw step; no digit is lost on the way
 * @width_bits: 32 or 64
 *
 * Wraps are undone and doubtful steps handled as in a live run, by es_track. A reset shows as a step back, which a
 * reader takes for what it is. Resets, doubtful wraps and rejected readings are warned of.
 */
int es_import_soften(struct es_import_job *job, size_t domain, const int64_t *t_ns,
		     const uint64_t *raw, size_t n, uint64_t unit_num, uint64_t unit_den,
		     unsigned width_bits);

/* Where an interval without energy ends, a soft counter steps back by this (and starts as much higher). */
#define ES_IMPORT_RESET_STEP_UJ (1ULL << 40)

/**
 * es_import_domain_from_name - type, package and die by a name like ours: package-0, package-0-die-1, dram-1, gpu-2, psys, …
 *
 * What is none of them becomes an ES_DOMAIN_OTHER of that name. Id and name are set, the latter made safe.
 */
void es_import_domain_from_name(struct es_domain *domain, const char *source, const char *name);

/** es_import_safe_name - make a text from outside fit for file names and keys: no '/', control or wrong byte, no leading '.' */
bool es_import_safe_name(char *name);
/** es_import_safe_text - the same for a text that is only shown: '/' and leading '.' may stay */
void es_import_safe_text(char *text);
/** es_import_set_text - @ret = @text made safe, cut to its size */
void es_import_set_text(char *ret, size_t size, const char *text);

/** es_import_job_write - write it to options->out_dir and add its path to the result */
int es_import_job_write(struct es_import_job *job, const struct es_import_options *options,
			struct es_error *err);

#endif
