/*
 * import_clustercockpit.c - a job archive of ClusterCockpit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_clustercockpit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "format/import_json.h"

#define SOURCE "clustercockpit"
#define POINTS_MAX 50000000U

/*
 * Metrics of power under the names that its sites give them, the scope that is taken first named first. Of two names
 * for the same domain the one that comes first here is taken.
 */
static const struct metric {
	const char *name;
	enum es_domain_type type;
	const char *scopes[3];
} metrics[] = {
	{ "rapl_power", ES_DOMAIN_PACKAGE, { "socket", "node", NULL } },
	{ "cpu_power", ES_DOMAIN_PACKAGE, { "socket", "node", NULL } },
	{ "mem_power", ES_DOMAIN_DRAM, { "socket", "node", NULL } },
	{ "dram_power", ES_DOMAIN_DRAM, { "socket", "node", NULL } },
	{ "acc_power", ES_DOMAIN_GPU, { "accelerator", "node", NULL } },
	{ "node_power", ES_DOMAIN_NODE, { "node", NULL, NULL } },
	{ "total_power", ES_DOMAIN_NODE, { "node", NULL, NULL } },
};

struct archive {
	struct es_import_job *job;
	const struct es_clustercockpit *files;
	size_t n_points, n_known;
	int64_t step_ns; /* smallest of all series */
};

/* mW of one of the metric's units: {"base":"W","prefix":"k"}, or a text "kW". */
static double unit_of(const json_t *metric)
{
	const json_t *unit = json_object_get(metric, "unit");
	const char *prefix = json_is_string(unit) ? json_string_value(unit)
						  : es_import_text(unit, "prefix");

	switch (prefix[0]) {
	case 'm':
		return 1;
	case 'k':
	case 'K':
		return 1e6;
	case 'M':
		return 1e9;
	default:
		return 1e3;
	}
}

/* Packages and memory are numbered; accelerators by their order on the node, since their ids are PCI addresses. */
static void describe(const struct archive *archive, const struct metric *metric, const char *scope,
		     const json_t *series, uint32_t node, struct es_domain *ret)
{
	const char *id = es_import_text(series, "id");
	int32_t number = -1;
	uint64_t v;

	if (strcmp(scope, "socket") == 0 && es_parse_u64(id, &v) == 0 && v < 10000)
		number = (int32_t)v;
	if (strcmp(scope, "accelerator") == 0) {
		number = 0;
		for (size_t i = 0; i < archive->job->meta.n_domains; i++)
			number += archive->job->meta.domains[i].node == node &&
				  archive->job->meta.domains[i].type == metric->type;
	}
	es_domain_init(ret, SOURCE, metric->type, number, -1);
	if (number < 0 && metric->type == ES_DOMAIN_PACKAGE) {
		(void)snprintf(ret->name, sizeof(ret->name), "packages");
		(void)snprintf(ret->id, sizeof(ret->id), SOURCE "/packages");
	}
	if (metric->type == ES_DOMAIN_GPU && *id) {
		(void)snprintf(ret->id, sizeof(ret->id), SOURCE "/%.200s", id);
		es_import_safe_text(ret->id);
	}
	ret->node = node;
	ret->kind = ES_KIND_INTEGRATED;
	ret->is_power = true;
}

static int put_points(struct archive *archive, int domain, const json_t *points, int64_t step_ns,
		      double unit_mw)
{
	struct es_import_series *series = &archive->job->series[domain];
	size_t n = json_array_size(points);

	if (n > POINTS_MAX - archive->n_points || (n > 0 && step_ns > INT64_MAX / 4 / (int64_t)n))
		return -E2BIG;
	archive->n_points += n;
	for (size_t i = 0; i < n; i++) {
		uint64_t mw;

		/* null, and what is no power: nothing is known of that moment */
		if (!es_import_scaled(json_array_get(points, i), unit_mw, &mw))
			continue;
		if (es_import_series_add(series, (int64_t)i * step_ns, mw) < 0)
			return -ENOMEM;
		archive->n_known++;
	}
	return 0;
}

static int put_series(struct archive *archive, const struct metric *metric, const char *scope,
		      const json_t *from, int64_t step_ns, double unit_mw)
{
	const char *host = es_import_text(from, "hostname");
	struct es_domain domain;
	int r;

	if (*host == '\0')
		return es_import_warn(archive->job->result,
				      "'%s': a series of %s without 'hostname': left out",
				      archive->files->data_name, metric->name);
	r = es_import_job_node(archive->job, host);
	if (r < 0)
		return r;
	describe(archive, metric, scope, from, (uint32_t)r, &domain);
	domain.update_period_ns = step_ns;
	if (es_import_job_find(archive->job, domain.node, domain.name) >= 0)
		return 0;
	r = es_import_job_domain(archive->job, &domain);
	return r < 0 ? r : put_points(archive, r, json_object_get(from, "data"), step_ns, unit_mw);
}

static int put_metric(struct archive *archive, const struct metric *metric, const json_t *scopes)
{
	for (size_t s = 0; s < 3 && metric->scopes[s]; s++) {
		const json_t *scope = json_object_get(scopes, metric->scopes[s]),
			     *list = json_object_get(scope, "series");
		double step_s, unit_mw = unit_of(scope);
		json_t *series;
		size_t i;
		int r;

		if (json_array_size(list) == 0)
			continue;
		if (!es_import_number(scope, "timestep", &step_s) || !(step_s >= 0.001) ||
		    step_s > 86400)
			return es_import_warn(
				archive->job->result,
				"'%s': %s has no 'timestep' that makes sense: left out",
				archive->files->data_name, metric->name);
		if (archive->step_ns == 0 || (int64_t)(step_s * 1e9) < archive->step_ns)
			archive->step_ns = (int64_t)(step_s * 1e9);
		json_array_foreach(list, i, series)
		{
			r = put_series(archive, metric, metric->scopes[s], series,
				       (int64_t)(step_s * 1e9), unit_mw);
			if (r < 0)
				return r;
		}
		return 0;
	}
	return 0;
}

static int put_nodes(struct archive *archive, const json_t *resources)
{
	struct es_meta *meta = &archive->job->meta;
	json_t *resource;
	size_t i;

	json_array_foreach(resources, i, resource)
	{
		const char *host = es_import_text(resource, "hostname");
		int r = *host ? es_import_job_node(archive->job, host) : 0;

		if (r < 0)
			return r;
		if (*host)
			meta->nodes[r].n_cpus =
				(uint32_t)json_array_size(json_object_get(resource, "hwthreads"));
	}
	return 0;
}

static void describe_job(struct archive *archive, const json_t *from)
{
	struct es_meta *meta = &archive->job->meta;
	double v;

	(void)snprintf(meta->tool, sizeof(meta->tool), "ClusterCockpit");
	es_import_set_text(meta->user, sizeof(meta->user), es_import_text(from, "user"));
	es_import_set_text(meta->account, sizeof(meta->account), es_import_text(from, "project"));
	es_import_set_text(meta->cluster, sizeof(meta->cluster), es_import_text(from, "cluster"));
	es_import_set_text(meta->partition, sizeof(meta->partition),
			   es_import_text(from, "partition"));
	if (es_import_number(from, "jobId", &v) && v >= 0 && v < 9e15)
		(void)snprintf(meta->job, sizeof(meta->job), "%.0f", v);
	else
		es_import_set_text(meta->job, sizeof(meta->job), es_import_text(from, "jobId"));
	meta->n_cpus = es_import_count(from, "numHwthreads");
	meta->n_gpus = es_import_count(from, "numAcc");
	if (es_import_number(from, "startTime", &v) && v > 0 && v < 9e9)
		meta->start_unix_ns = (int64_t)v * ES_NS_PER_S;
}

static int import(struct archive *archive, const json_t *meta, const json_t *data)
{
	int64_t end_ns = 0;
	double duration_s;
	int r;

	describe_job(archive, meta);
	r = put_nodes(archive, json_object_get(meta, "resources"));
	for (size_t i = 0; r >= 0 && i < ES_ARRAY_SIZE(metrics); i++)
		r = put_metric(archive, &metrics[i], json_object_get(data, metrics[i].name));
	if (r < 0)
		return r;
	archive->job->meta.period_ns = archive->step_ns;
	for (size_t i = 0; i < archive->job->meta.n_domains; i++) {
		const struct es_import_series *series = &archive->job->series[i];

		end_ns = series->n && series->t_ns[series->n - 1] > end_ns
				 ? series->t_ns[series->n - 1]
				 : end_ns;
	}
	if (archive->n_known < archive->n_points)
		r = es_import_warn(archive->job->result,
				   "'%s': %zu of %zu values of power are missing",
				   archive->files->data_name, archive->n_points - archive->n_known,
				   archive->n_points);
	if (r >= 0 && es_import_number(meta, "duration", &duration_s) && duration_s < 1e9 &&
	    duration_s * 1e9 > (double)end_ns + 2 * (double)archive->step_ns)
		r = es_import_warn(archive->job->result,
				   "'%s': the job took %.0f s, its values end after %.0f s",
				   archive->files->data_name, duration_s, (double)end_ns / 1e9);
	return r;
}

int es_import_clustercockpit(struct es_import_job *job, const struct es_clustercockpit *files,
			     struct es_error *err)
{
	struct archive archive = { .job = job, .files = files };
	json_t *meta = es_import_json(files->meta, files->n_meta),
	       *data = es_import_json(files->data, files->n_data);
	int r;

	if (!meta)
		r = es_error_say(err, -EBADMSG, "'%s' is broken JSON, or it breaks off",
				 files->meta_name);
	else if (!data)
		r = es_error_say(err, -EBADMSG, "'%s' is broken JSON, or it breaks off",
				 files->data_name);
	else
		r = import(&archive, meta, data);
	if (meta && data && r < 0)
		r = es_error_set(err, r, "cannot import '%s'", files->data_name);
	json_decref(meta);
	json_decref(data);
	if (r >= 0 && archive.n_known == 0)
		return es_error_say(
			err, -ENODATA,
			"'%s' has no metric of power (rapl_power, cpu_power, mem_power, acc_power, node_power, …)",
			files->data_name);
	return r < 0 ? r : 0;
}
