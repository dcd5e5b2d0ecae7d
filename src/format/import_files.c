/*
 * import_files.c - what kind of file each one is, by its content
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/import_csv.h"
#include "format/import_job.h"
#include "format/jsonscan.h"

/* What the members down to the third level tell. */
struct facts {
	bool is_ours, has_powers, has_period, has_nested_powers, has_from, has_tags, has_parameter;
	bool has_resources, has_job_id, has_start, has_series, has_timestep;
	char job[ES_NAME_MAX_BYTES];
};

#define LEVELS 3

struct visit {
	struct es_scan scan;
	struct es_scan path[LEVELS]; /* the keys that lead here */
	struct facts facts;
};

static bool at(const struct visit *visit, unsigned level, const char *key)
{
	return es_scan_is(&visit->path[level], key);
}

static void look_top(struct visit *visit, int token)
{
	struct facts *facts = &visit->facts;

	if (at(visit, 0, "etotal(W)") || at(visit, 0, "ecpu(W)") || at(visit, 0, "devices"))
		facts->has_powers = true;
	else if (at(visit, 0, "eprofile_period(ms)"))
		facts->has_period = true;
	else if (at(visit, 0, "from_appli"))
		facts->has_from = true;
	else if (at(visit, 0, "parameter"))
		facts->has_parameter = true;
	else if (at(visit, 0, "tags"))
		facts->has_tags = true;
	else if (at(visit, 0, "resources") && token == ES_SCAN_ARRAY)
		facts->has_resources = true;
	else if (at(visit, 0, "jobId"))
		facts->has_job_id = true;
	else if (at(visit, 0, "startTime"))
		facts->has_start = true;
}

static void look(struct visit *visit, unsigned level, int token)
{
	struct facts *facts = &visit->facts;
	char text[64];

	if (at(visit, level, "schema") && token == ES_SCAN_STRING &&
	    es_scan_copy(&visit->scan, text, sizeof(text)) == 0)
		facts->is_ours = facts->is_ours ||
				 strncmp(text, "energyscopium.eprofile/", 23) == 0;
	if (level == 0) {
		look_top(visit, token);
	} else if (level == 1 && at(visit, 0, "from_appli")) {
		if (at(visit, 1, "jobid") && (token == ES_SCAN_STRING || token == ES_SCAN_NUMBER))
			(void)es_scan_copy(&visit->scan, facts->job, sizeof(facts->job));
		facts->has_tags = facts->has_tags || at(visit, 1, "tags");
	} else if (level == 2) {
		if (at(visit, 0, "data") && at(visit, 1, "data")) {
			facts->has_nested_powers =
				facts->has_nested_powers || at(visit, 2, "etotal(W)") ||
				at(visit, 2, "ecpu(W)") || at(visit, 2, "devices");
			facts->has_tags = facts->has_tags || at(visit, 2, "tags");
		}
		facts->has_series = facts->has_series ||
				    (at(visit, 2, "series") && token == ES_SCAN_ARRAY);
		facts->has_timestep = facts->has_timestep || at(visit, 2, "timestep");
	}
}

/* The members of an object whose brace has been read; an error of the scanner ends it, with what was seen. */
static int visit_members(struct visit *visit, unsigned level)
{
	int token, r = 0;

	while (r == 0 && (token = es_scan_next(&visit->scan)) == ES_SCAN_KEY) {
		visit->path[level] = visit->scan;
		token = es_scan_next(&visit->scan);
		if (token < 0)
			return token;
		look(visit, level, token);
		if (token == ES_SCAN_OBJECT && level + 1 < LEVELS)
			r = visit_members(visit, level + 1);
		else
			r = es_scan_skip(&visit->scan, token);
	}
	return r < 0 ? r : token < 0 ? token : 0;
}

static enum es_import_kind kind_of_json(const char *text, size_t n, struct facts *ret)
{
	struct visit visit = { .facts = { .has_tags = false } };
	const struct facts *facts = &visit.facts;

	es_scan_init(&visit.scan, text, n);
	if (es_scan_next(&visit.scan) == ES_SCAN_OBJECT)
		(void)visit_members(&visit, 0);
	*ret = visit.facts;
	if (facts->is_ours || facts->has_nested_powers || (facts->has_powers && facts->has_period))
		return ES_IMPORT_EPROFILE;
	if (facts->has_resources && (facts->has_job_id || facts->has_start))
		return ES_IMPORT_CC_META;
	if (facts->has_series && facts->has_timestep)
		return ES_IMPORT_CC_DATA;
	if (facts->has_parameter)
		return ES_IMPORT_CONFIG;
	return facts->has_from ? ES_IMPORT_SUMMARY : ES_IMPORT_UNKNOWN;
}

static const char *skip_space(const char *text, size_t n)
{
	const char *p = text, *end = text + n;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static int recognise_json(struct es_import_file *file)
{
	struct facts facts;
	int r = es_dump_read(&file->dump, file->data, file->n);

	if (r < 0)
		return r;
	if (file->dump.is_raw || file->dump.is_discovery) {
		file->kind = file->dump.is_raw ? ES_IMPORT_RAW : ES_IMPORT_DISCOVERY;
		memcpy(file->job, file->dump.job, sizeof(file->job));
		if (file->dump.is_raw)
			free(es_steal_ptr(file->data));
		return 0;
	}
	es_dump_finish(&file->dump);
	file->kind = kind_of_json(file->data, file->n, &facts);
	file->has_tags = facts.has_tags;
	memcpy(file->job, facts.job, sizeof(file->job));
	return 0;
}

static int recognise(struct es_import_file *file)
{
	const char *p = skip_space(file->data, file->n);

	if (*p == '{')
		return recognise_json(file);
	if (strncmp(p, "energy_scope_tags ", 18) == 0 || strncmp(p, "energy_scope_cmd ", 17) == 0)
		file->kind = ES_IMPORT_CMD;
	else if (es_import_csv_is_it(file->data, file->n))
		file->kind = ES_IMPORT_CSV;
	return 0;
}

static void finish_file(struct es_import_file *file)
{
	free(file->name);
	free(file->data);
	es_dump_finish(&file->dump);
}

int es_import_files_add(void *arg, struct es_archive_file *from)
{
	struct es_import_files *list = arg;
	struct es_import_file file = { .data = es_steal_ptr(from->data),
				       .n = from->n,
				       .name = strdup(from->name) };
	struct es_import_file *files;
	int r = file.name ? recognise(&file) : -ENOMEM;

	list->n_seen++;
	list->is_cut = list->is_cut || from->is_cut;
	if (r < 0 || file.kind == ES_IMPORT_UNKNOWN) {
		finish_file(&file);
		return r;
	}
	files = reallocarray(list->files, list->n + 1, sizeof(*files));
	if (!files) {
		finish_file(&file);
		return -ENOMEM;
	}
	list->files = files;
	files[list->n++] = file;
	return 0;
}

void es_import_files_finish(struct es_import_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		finish_file(&files->files[i]);
	free(files->files);
	*files = (struct es_import_files){ .n = 0 };
}

const char *es_import_base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

bool es_import_same_folder(const char *a, const char *b)
{
	size_t n = (size_t)(es_import_base_name(a) - a);

	return n == (size_t)(es_import_base_name(b) - b) && memcmp(a, b, n) == 0;
}
