/*
 * import_write.c - the recording of an imported job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "format/import_job.h"
#include "record/recorder.h"

#define ROWS_OF_BLOCK 1024U
#define JOB_NAME_MAX_BYTES 128U /* leaves room for endings in a file name of 255 */

/* Where the writing is in each series. */
struct merge {
	const struct es_import_job *job;
	size_t *next;
	int64_t window_ns; /* readings this close to each other make one sweep */
	struct es_rows rows;
	struct es_recorder *recorder;
	size_t next_event;
	int64_t last_t_ns;
};

static int by_time(const void *a, const void *b)
{
	const struct es_event *x = a, *y = b;

	return x->t_ns < y->t_ns ? -1 : x->t_ns > y->t_ns;
}

static bool earliest(const struct merge *merge, int64_t *ret_t_ns)
{
	bool has_any = false;

	*ret_t_ns = INT64_MAX;
	for (size_t i = 0; i < merge->job->meta.n_domains; i++) {
		const struct es_import_series *series = &merge->job->series[i];

		if (merge->next[i] >= series->n)
			continue;
		if (series->t_ns[merge->next[i]] < *ret_t_ns)
			*ret_t_ns = series->t_ns[merge->next[i]];
		has_any = true;
	}
	return has_any;
}

static int flush(struct merge *merge)
{
	int r = es_recorder_rows(merge->recorder, &merge->rows);

	es_rows_clear(&merge->rows);
	return r;
}

/* The events up to @t_ns, after the readings before them. */
static int put_events(struct merge *merge, int64_t t_ns)
{
	const struct es_import_job *job = merge->job;
	int r = 0;

	while (r == 0 && merge->next_event < job->n_events &&
	       job->events[merge->next_event].t_ns <= t_ns) {
		r = flush(merge);
		if (r == 0)
			r = es_recorder_event(merge->recorder, &job->events[merge->next_event++]);
	}
	return r;
}

static int put_sweep(struct merge *merge, int64_t t_ns)
{
	int r = put_events(merge, t_ns);

	if (r == 0 && !es_rows_add(&merge->rows, t_ns)) {
		r = flush(merge);
		if (r == 0 && !es_rows_add(&merge->rows, t_ns))
			return -EINVAL;
	}
	for (size_t i = 0; r == 0 && i < merge->job->meta.n_domains; i++) {
		const struct es_import_series *series = &merge->job->series[i];
		size_t next = merge->next[i];

		if (next >= series->n || series->t_ns[next] - t_ns > merge->window_ns)
			continue;
		es_rows_set(&merge->rows, i, series->t_ns[next], series->values[next], 0);
		if (series->t_ns[next] > merge->last_t_ns)
			merge->last_t_ns = series->t_ns[next];
		merge->next[i]++;
	}
	return r;
}

static int put_all(struct merge *merge)
{
	struct es_event end = { .type = ES_EVENT_END };
	int64_t t_ns;
	int r = 0;

	while (r == 0 && earliest(merge, &t_ns))
		r = put_sweep(merge, t_ns);
	if (r == 0)
		r = flush(merge);
	if (r == 0)
		r = put_events(merge, INT64_MAX);
	end.t_ns = merge->last_t_ns;
	return r < 0 ? r : es_recorder_event(merge->recorder, &end);
}

static int write_readings(struct es_import_job *job, struct es_recorder *recorder)
{
	size_t cap_rows = ROWS_OF_BLOCK, n = job->meta.n_domains;
	struct merge merge = { .job = job,
			       .recorder = recorder,
			       .window_ns = job->meta.period_ns / 4 };
	int r;

	while (cap_rows > 1 && n * cap_rows > ES_ROWS_CELLS_MAX / 8)
		cap_rows /= 2;
	if (job->n_events > 0)
		qsort(job->events, job->n_events, sizeof(*job->events), by_time);
	merge.next = calloc(n + 1, sizeof(*merge.next));
	if (!merge.next)
		return -ENOMEM;
	r = es_rows_init(&merge.rows, job->meta.domains, n, cap_rows);
	if (r == 0)
		r = put_all(&merge);
	es_rows_finish(&merge.rows);
	free(merge.next);
	return r;
}

static int settle_name(struct es_import_job *job, const struct es_import_options *options)
{
	struct es_meta *meta = &job->meta;
	char before[sizeof(meta->job)];

	if (options->name) {
		if (strlen(options->name) >= sizeof(meta->job))
			return -ENAMETOOLONG;
		memcpy(meta->job, options->name, strlen(options->name) + 1);
	}
	memcpy(before, meta->job, sizeof(before));
	if (meta->job[0] == '\0')
		memcpy(meta->job, "imported", sizeof("imported"));
	if (strlen(meta->job) > JOB_NAME_MAX_BYTES)
		meta->job[JOB_NAME_MAX_BYTES] = '\0';
	/* Also what is left of a character that was cut through. */
	(void)es_import_safe_name(meta->job);
	if (strcmp(before, meta->job) != 0)
		return es_import_warn(job->result, "job '%s' is called '%s' here", before,
				      meta->job);
	return 0;
}

static bool was_written(const struct es_import_result *result, const char *path)
{
	for (size_t i = 0; i < result->n; i++)
		if (strcmp(result->recordings[i], path) == 0)
			return true;
	return false;
}

/* DIR/JOB.esr, or JOB-2, JOB-3, … where this import wrote it already; owned by caller */
static char *settle_path(struct es_import_job *job, const struct es_import_options *options)
{
	const char *dir = options->out_dir ? options->out_dir : ".";
	char name[sizeof(job->meta.job)];
	char *path;

	memcpy(name, job->meta.job, sizeof(name));
	for (unsigned i = 2;; i++) {
		if (asprintf(&path, "%s/%s.esr", dir, job->meta.job) < 0)
			return NULL;
		if (!was_written(job->result, path))
			return path;
		free(path);
		(void)snprintf(job->meta.job, sizeof(job->meta.job), "%.*s-%u",
			       (int)JOB_NAME_MAX_BYTES, name, i);
	}
}

static int write_to(struct es_import_job *job, const char *path,
		    const struct es_import_options *options, struct es_error *err)
{
	struct es_recorder *recorder;
	int r = es_recorder_create(path, options->may_replace, &job->meta, &recorder, err);

	if (r < 0)
		return r;
	r = write_readings(job, recorder);
	if (r == 0)
		r = es_recorder_problem(recorder);
	if (r == 0)
		r = es_recorder_sync(recorder);
	es_recorder_close(recorder);
	if (r < 0) {
		(void)unlink(path);
		return es_error_set(err, r, "cannot write recording '%s'", path);
	}
	return 0;
}

int es_import_job_write(struct es_import_job *job, const struct es_import_options *options,
			struct es_error *err)
{
	struct es_import_result *result = job->result;
	es_cleanup(es_freep) char *path = NULL;
	char **recordings;
	int r = settle_name(job, options);

	if (r < 0)
		return es_error_set(err, r, "name of the job");
	if (options->n_cpus > 0)
		job->meta.n_cpus = options->n_cpus;
	if (options->out_dir && mkdir(options->out_dir, 0777) < 0 && errno != EEXIST)
		return es_error_set(err, -errno, "cannot make folder '%s'", options->out_dir);
	path = settle_path(job, options);
	recordings = path ? reallocarray(result->recordings, result->n + 1, sizeof(*recordings))
			  : NULL;
	if (!recordings)
		return es_error_set(err, -ENOMEM, "job '%s'", job->meta.job);
	result->recordings = recordings;
	r = write_to(job, path, options, err);
	if (r == 0)
		recordings[result->n++] = es_steal_ptr(path);
	return r;
}
