/*
 * import.c - recordings from what other tools left
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/import_clustercockpit.h"
#include "format/import_csv.h"
#include "format/import_eprofile.h"
#include "format/import_esrun.h"
#include "format/import_json.h"
#include "format/import_match.h"

#define RECOGNISED                                                                                                    \
	"an Energy Scope 2022 run (es_read_rt_result with es_discover_result, or an eprofile), an eprofile of ours, " \
	"a ClusterCockpit job (meta.json with data.json), CSV with the columns time, domain and power_w or energy_j"

/* An import under way. */
struct import {
	const struct es_import_options *options;
	struct es_import_result *result;
	struct es_import_files files;
	size_t *discoveries; /* of each file; owned */
	struct es_error first; /* of a job that could not be imported */
	size_t n_jobs;
};

/* An error in one job's data leaves the others alone; everything else ends the import. */
static int settle(struct import *import, struct es_import_job *job, int r, struct es_error *why)
{
	if (r == 0 && ++import->n_jobs > ES_IMPORT_JOBS_MAX)
		r = es_error_say(why, -E2BIG, "more than %u jobs", ES_IMPORT_JOBS_MAX);
	if (r == 0)
		r = es_import_job_write(job, import->options, why);
	es_import_job_finish(job);
	if (r != -ENODATA && r != -EBADMSG && r != -ENOTSUP)
		return r;
	if (import->first.code == 0)
		import->first = *why;
	return es_import_warn(import->result, "%s", why->text);
}

static uint64_t configured_period_ms(const struct import *import)
{
	for (size_t i = 0; i < import->files.n; i++) {
		const struct es_import_file *file = &import->files.files[i];
		json_t *top;
		uint64_t period_ms;

		if (file->kind != ES_IMPORT_CONFIG)
			continue;
		top = es_import_json(file->data, file->n);
		period_ms =
			es_import_count(json_object_get(top, "parameter"), "eprofile_period(ms)");
		json_decref(top);
		if (period_ms > 0)
			return period_ms;
	}
	return 0;
}

/* Another node of the run that @first began: of the same job, and not a node that it has already. */
static bool belongs(const struct import *import, const struct es_esrun_node *nodes, size_t n_nodes,
		    size_t first, size_t i)
{
	const struct es_import_file *file = &import->files.files[i];
	const struct es_dump *discovery;

	if (i == first)
		return true;
	if (file->kind != ES_IMPORT_RAW || file->is_used ||
	    import->discoveries[i] == ES_IMPORT_NO_FILE)
		return false;
	discovery = &import->files.files[import->discoveries[i]].dump;
	if (strcmp(discovery->job, nodes[0].discovery->job) != 0)
		return false;
	if ((discovery->job[0] == '\0' || strcmp(discovery->job, "0") == 0) &&
	    !es_import_same_folder(file->name, import->files.files[first].name))
		return false;
	for (size_t k = 0; k < n_nodes; k++)
		if (strcmp(nodes[k].discovery->node, discovery->node) == 0)
			return false;
	return true;
}

static int import_run(struct import *import, size_t first, uint64_t period_ms, struct es_error *why)
{
	struct es_import_file *files = import->files.files;
	es_cleanup(es_freep) struct es_esrun_node *nodes = calloc(import->files.n, sizeof(*nodes));
	struct es_esrun run = { .nodes = nodes, .period_ms = period_ms };
	struct es_import_job job;
	size_t found;
	int r;

	if (!nodes)
		return es_error_set(why, -ENOMEM, "cannot import '%s'", files[first].name);
	for (size_t i = first; i < import->files.n; i++) {
		const struct es_import_file *discovery;

		if (!belongs(import, nodes, run.n_nodes, first, i))
			continue;
		discovery = &files[import->discoveries[i]];
		nodes[run.n_nodes++] = (struct es_esrun_node){
			.name = files[i].name,
			.raw = &files[i].dump,
			.discovery = &discovery->dump,
			.text = discovery->data,
			.n_text = discovery->n,
		};
		files[i].is_used = true;
	}
	found = es_import_match_cmd(&import->files, first, nodes[0].discovery->job);
	if (found != ES_IMPORT_NO_FILE)
		run.cmd = files[found].data;
	found = es_import_match_info(&import->files, first, nodes[0].discovery->job);
	if (found != ES_IMPORT_NO_FILE) {
		run.info = files[found].data;
		run.n_info = files[found].n;
	}
	es_import_job_init(&job, import->result);
	r = es_import_esrun(&job, &run, why);
	return settle(import, &job, r, why);
}

static int import_runs(struct import *import, struct es_error *why)
{
	uint64_t period_ms = configured_period_ms(import);
	int r = 0;

	for (size_t i = 0; r == 0 && i < import->files.n; i++) {
		const struct es_import_file *file = &import->files.files[i];

		if (file->kind != ES_IMPORT_RAW || file->is_used)
			continue;
		if (import->discoveries[i] != ES_IMPORT_NO_FILE) {
			r = import_run(import, i, period_ms, why);
			continue;
		}
		(void)es_error_say(
			why, -ENODATA,
			"'%s' is a raw dump without its es_discover_result: units and clock are not known; give both files, or their folder",
			file->name);
		if (import->first.code == 0)
			import->first = *why;
		r = es_import_warn(import->result, "%s", why->text);
	}
	return r;
}

static int import_profile(struct import *import, size_t i, struct es_error *why)
{
	const struct es_import_file *file = &import->files.files[i];
	struct es_import_job job;
	int r;

	if (es_import_is_covered(&import->files, i, import->discoveries))
		return 0;
	es_import_job_init(&job, import->result);
	r = es_import_eprofile(&job, file->name, file->data, file->n, why);
	return settle(import, &job, r, why);
}

static int import_cluster_job(struct import *import, size_t i, struct es_error *why)
{
	const struct es_import_file *meta = &import->files.files[i];
	size_t data = es_import_match_clustercockpit(&import->files, i);
	struct es_clustercockpit files = { .meta_name = meta->name,
					   .meta = meta->data,
					   .n_meta = meta->n };
	struct es_import_job job;
	int r;

	es_import_job_init(&job, import->result);
	if (data == ES_IMPORT_NO_FILE) {
		r = es_error_say(
			why, -ENODATA,
			"'%s' describes a ClusterCockpit job without its data.json: give both files, or their folder",
			meta->name);
	} else {
		files.data_name = import->files.files[data].name;
		files.data = import->files.files[data].data;
		files.n_data = import->files.files[data].n;
		import->files.files[data].is_used = true;
		r = es_import_clustercockpit(&job, &files, why);
	}
	return settle(import, &job, r, why);
}

static int import_table(struct import *import, size_t i, struct es_error *why)
{
	struct es_import_file *file = &import->files.files[i];
	struct es_import_job job;
	int r;

	es_import_job_init(&job, import->result);
	r = es_import_csv(&job, file->name, file->data, file->n, why);
	return settle(import, &job, r, why);
}

static int import_others(struct import *import, struct es_error *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < import->files.n; i++) {
		switch (import->files.files[i].kind) {
		case ES_IMPORT_EPROFILE:
			r = import_profile(import, i, why);
			break;
		case ES_IMPORT_CC_META:
			r = import_cluster_job(import, i, why);
			break;
		case ES_IMPORT_CSV:
			r = import_table(import, i, why);
			break;
		case ES_IMPORT_RAW:
		case ES_IMPORT_DISCOVERY:
		case ES_IMPORT_CMD:
		case ES_IMPORT_SUMMARY:
		case ES_IMPORT_CONFIG:
		case ES_IMPORT_CC_DATA:
		case ES_IMPORT_UNKNOWN:
			break;
		}
	}
	return r;
}

static bool has_kind(const struct import *import, enum es_import_kind kind)
{
	for (size_t i = 0; i < import->files.n; i++)
		if (import->files.files[i].kind == kind)
			return true;
	return false;
}

/* Nothing came of it: why, as far as the files tell. */
static int say_nothing(const struct import *import, const char *path, struct es_error *err)
{
	if (import->first.code < 0)
		return es_error_say(err, import->first.code, "%s", import->first.text);
	if (has_kind(import, ES_IMPORT_CC_DATA))
		return es_error_say(
			err, -ENODATA,
			"'%s' is the data of a ClusterCockpit job without its meta.json: give both files, or their folder",
			path);
	if (has_kind(import, ES_IMPORT_DISCOVERY))
		return es_error_say(
			err, -ENODATA,
			"'%s' has an es_discover_result, but no es_read_rt_result with its readings",
			path);
	if (has_kind(import, ES_IMPORT_SUMMARY))
		return es_error_say(
			err, -ENODATA,
			"'%s' has totals only (estat, einfo), no power over time: the raw dump (es_read_rt_result with es_discover_result) or the eprofile is needed",
			path);
	return es_error_say(
		err, -ENODATA,
		"'%s': nothing in it (%zu files of text) is recognised; recognised are " RECOGNISED,
		path, import->files.n_seen);
}

static int add_path(struct import *import, const char *path, bool is_one_of_many,
		    struct es_error *err)
{
	size_t n_before = import->files.n;
	int r = es_archive_walk(path, NULL, es_import_files_add, &import->files, err);

	/* Of one path alone it is an error, told when nothing came of it. */
	if (r == 0 && is_one_of_many && import->files.n == n_before)
		r = es_import_warn(import->result, "'%s': nothing in it is recognised, left out",
				   path);
	return r;
}

static int run_import(struct import *import, const char *const *paths, size_t n_paths,
		      struct es_error *err)
{
	size_t n_before = import->result->n;
	struct es_error why = { .code = 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_paths; i++)
		r = add_path(import, paths[i], n_paths > 1, &why);
	import->discoveries = r == 0 ? calloc(import->files.n + 1, sizeof(*import->discoveries))
				     : NULL;
	if (r == 0 && !import->discoveries)
		r = es_error_set(&why, -ENOMEM, "cannot import '%s'", paths[0]);
	if (r == 0 && import->files.is_cut)
		r = es_import_warn(
			import->result,
			"'%s': an archive in it breaks off; what it held up to there is used",
			paths[0]);
	if (r == 0) {
		es_import_match_discoveries(&import->files, import->discoveries);
		r = import_runs(import, &why);
	}
	if (r == 0)
		r = import_others(import, &why);
	if (r == 0 && import->result->n == n_before)
		return say_nothing(import, paths[0], err);
	if (r < 0 && why.code != r)
		return es_error_set(err, r, "cannot import '%s'", paths[0]);
	return r < 0 ? es_error_say(err, r, "%s", why.text) : 0;
}

int es_import_paths(const char *const *paths, size_t n_paths,
		    const struct es_import_options *options, struct es_import_result *ret,
		    struct es_error *err)
{
	struct import import = { .options = options, .result = ret };
	int r;

	if (n_paths == 0)
		return es_error_say(err, -EINVAL, "no file to import");
	r = run_import(&import, paths, n_paths, err);
	free(import.discoveries);
	es_import_files_finish(&import.files);
	return r;
}

int es_import(const char *path, const struct es_import_options *options,
	      struct es_import_result *ret, struct es_error *err)
{
	return es_import_paths(&path, 1, options, ret, err);
}
