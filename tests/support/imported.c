/*
 * imported.c - what a test needs to import files and look at what came of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/imported.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

int es_imported_setup(void **state)
{
	struct es_imported *imported = calloc(1, sizeof(*imported));

	if (!imported)
		return -1;
	(void)snprintf(imported->dir, sizeof(imported->dir), "/tmp/es-import-XXXXXX");
	if (!mkdtemp(imported->dir))
		return -1;
	(void)snprintf(imported->in, sizeof(imported->in), "%s/in", imported->dir);
	(void)snprintf(imported->out, sizeof(imported->out), "%s/out", imported->dir);
	imported->options.out_dir = imported->out;
	*state = imported;
	return mkdir(imported->in, 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void close_recording(struct es_imported *imported)
{
	es_recording_close(imported->recording);
	free(imported->tracks);
	free(imported->events);
	free(imported->max_mw);
	free(imported->longest_ns);
	imported->recording = NULL;
	imported->tracks = NULL;
	imported->events = NULL;
	imported->max_mw = NULL;
	imported->longest_ns = NULL;
	imported->n_events = 0;
}

int es_imported_teardown(void **state)
{
	struct es_imported *imported = *state;

	close_recording(imported);
	es_import_result_finish(&imported->result);
	(void)nftw(imported->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(imported);
	return 0;
}

void es_imported_put(const struct es_imported *imported, const char *name, const void *data,
		     size_t n)
{
	char path[512];
	FILE *file;

	assert_true(snprintf(path, sizeof(path), "%s/%s", imported->in, name) < (int)sizeof(path));
	for (char *p = path + strlen(imported->in) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

void es_imported_put_text(const struct es_imported *imported, const char *name, const char *text)
{
	es_imported_put(imported, name, text, strlen(text));
}

void es_imported_put_buf(const struct es_imported *imported, const char *name, struct es_buf *buf)
{
	assert_int_equal(buf->error, 0);
	es_imported_put(imported, name, buf->data, buf->len);
	es_buf_finish(buf);
}

int es_imported_run(struct es_imported *imported, const char *path)
{
	es_import_result_finish(&imported->result);
	imported->err = (struct es_error){ .code = 0 };
	imported->r = es_import(path ? path : imported->in, &imported->options, &imported->result,
				&imported->err);
	return imported->r;
}

static void follow(struct es_imported *imported, size_t domain, const struct es_sample *samples,
		   int n)
{
	for (int i = 0; i < n; i++) {
		int64_t dur_ns = samples[i].t1_ns - samples[i].t0_ns;
		uint64_t mw = es_mean_power_mw(samples[i].energy_uj, dur_ns);

		if (samples[i].is_gap)
			continue;
		if (mw > imported->max_mw[domain])
			imported->max_mw[domain] = mw;
		if (dur_ns > imported->longest_ns[domain])
			imported->longest_ns[domain] = dur_ns;
	}
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct es_imported *imported = arg;
	struct es_sample samples[2];

	(void)activity_ns;
	follow(imported, domain, samples,
	       es_track_feed(&imported->tracks[domain], t_ns, value, samples));
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct es_imported *imported = arg;
	struct es_event *events =
		realloc(imported->events, (imported->n_events + 1) * sizeof(*events));

	assert_non_null(events);
	imported->events = events;
	events[imported->n_events++] = *event;
	return 0;
}

void es_imported_open(struct es_imported *imported, size_t i)
{
	static const struct es_visitor visitor = { .reading = on_reading, .event = on_event };
	size_t n;

	close_recording(imported);
	if (imported->r < 0)
		fail_msg("import: %s", imported->err.text);
	assert_true(i < imported->result.n);
	if (es_recording_open(imported->result.recordings[i], NULL, &imported->recording,
			      &imported->err) < 0)
		fail_msg("open: %s", imported->err.text);
	imported->meta = es_recording_meta(imported->recording);
	n = imported->meta->n_domains + 1;
	imported->tracks = calloc(n, sizeof(*imported->tracks));
	imported->max_mw = calloc(n, sizeof(*imported->max_mw));
	imported->longest_ns = calloc(n, sizeof(*imported->longest_ns));
	assert_true(imported->tracks && imported->max_mw && imported->longest_ns);
	for (size_t d = 0; d < imported->meta->n_domains; d++)
		es_track_init(&imported->tracks[d], &imported->meta->domains[d],
			      imported->meta->period_ns * 5 / 2);
	assert_int_equal(es_recording_walk(imported->recording, &visitor, imported), 0);
	assert_true(es_recording_is_whole(imported->recording));
	for (size_t d = 0; d < imported->meta->n_domains; d++) {
		struct es_sample samples[2];

		follow(imported, d, samples, es_track_finish(&imported->tracks[d], samples));
	}
}

int es_imported_domain(const struct es_imported *imported, const char *name)
{
	const char *slash = strchr(name, '/');

	for (size_t d = 0; d < imported->meta->n_domains; d++) {
		const struct es_domain *domain = &imported->meta->domains[d];
		const char *node = imported->meta->nodes[domain->node].name;

		if (slash && (strncmp(node, name, (size_t)(slash - name)) != 0 ||
			      node[slash - name] != '\0'))
			continue;
		if (strcmp(domain->name, slash ? slash + 1 : name) == 0)
			return (int)d;
	}
	return -1;
}

double es_imported_j(const struct es_imported *imported, const char *name)
{
	int d = es_imported_domain(imported, name);

	if (d < 0)
		fail_msg("no domain '%s'", name);
	return (double)imported->tracks[d].energy_uj / 1e6;
}

bool es_imported_has_warning(const struct es_imported *imported, const char *text)
{
	for (size_t i = 0; i < imported->result.n_warnings; i++)
		if (strstr(imported->result.warnings[i], text))
			return true;
	return false;
}

bool es_imported_data(const char *name, char *ret, size_t size)
{
	const char *root = getenv("ES_SOURCE_ROOT");

	assert_true(snprintf(ret, size, "%s/../shared/data/%s", root ? root : ".", name) <
		    (int)size);
	return access(ret, R_OK) == 0;
}
