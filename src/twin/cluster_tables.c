/*
 * cluster_tables.c - the truth about a simulated cluster as tables: jobs.csv, nodes.csv, cluster.json
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "twin/cluster_private.h"

#define TABLE_MAX_BYTES \
	(1U << 20) /* of rows that are not written yet; one of 16384 nodes takes 100 kB at most */
#define WRITE_BYTES (1U << 16)

/* A file that has its name once it is whole. */
struct table {
	char path[ES_PATH_MAX_BYTES], part[ES_PATH_MAX_BYTES + 8];
	int fd;
	struct es_buf rows;
};

static int open_table(struct table *table, const char *out, const char *name, struct es_error *err)
{
	es_buf_init(&table->rows, TABLE_MAX_BYTES);
	table->fd = -1;
	if (snprintf(table->path, sizeof(table->path), "%s/%s", out, name) >=
	    (int)sizeof(table->path))
		return es_error_set(err, -ENAMETOOLONG, "table '%s'", name);
	(void)snprintf(table->part, sizeof(table->part), "%s.part", table->path);
	table->fd = open(table->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (table->fd < 0)
		return es_error_set(err, -errno, "cannot write '%s'", table->path);
	return 0;
}

static int flush(struct table *table, size_t at_least)
{
	int r = table->rows.error;

	if (r == 0 && table->rows.len >= at_least) {
		r = es_write_all(table->fd, table->rows.data, table->rows.len);
		es_buf_reset(&table->rows);
	}
	return r;
}

static int close_table(struct table *table, int r, struct es_error *err)
{
	if (r == 0)
		r = flush(table, 1);
	if (r == 0 && fdatasync(table->fd) < 0)
		r = -errno;
	if (close(table->fd) < 0 && r == 0)
		r = -errno;
	es_buf_finish(&table->rows);
	if (r == 0 && rename(table->part, table->path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(table->part);
		return es_error_set(err, r, "cannot write '%s'", table->path);
	}
	return 0;
}

static void put_time(struct es_buf *out, const struct es_cluster *cluster, int64_t t_ns)
{
	char text[ES_TIME_TEXT_BYTES];

	(void)es_buf_printf(out, ",%s",
			    es_time_rfc3339_utc(cluster->options.start_unix_ns + t_ns, text));
}

/* KIND-[0001-0016,0018], as Slurm folds them. */
static void put_nodes(struct es_buf *out, const struct es_cluster *cluster,
		      const struct es_cluster_job *job)
{
	char first[ES_NAME_MAX_BYTES], last[ES_NAME_MAX_BYTES];
	size_t stem;

	if (!job->nodes)
		return;
	(void)es_cluster_node_name(cluster, job->nodes[0], first);
	if (job->n_nodes == 1) {
		(void)es_buf_str(out, first);
		return;
	}
	stem = (size_t)(strrchr(first, '-') - first) + 1;
	(void)es_buf_printf(out, "\"%.*s[", (int)stem, first);
	for (uint32_t i = 0, next; i < job->n_nodes; i = next) {
		next = i + 1;
		while (next < job->n_nodes && job->nodes[next] == job->nodes[next - 1] + 1)
			next++;
		(void)es_cluster_node_name(cluster, job->nodes[i], first);
		(void)es_cluster_node_name(cluster, job->nodes[next - 1], last);
		(void)es_buf_printf(out, "%s%s", i > 0 ? "," : "", first + stem);
		if (next > i + 1)
			(void)es_buf_printf(out, "-%s", last + stem);
	}
	(void)es_buf_str(out, "]\"");
}

static void put_job(struct es_buf *out, const struct es_cluster *cluster,
		    const struct es_cluster_job *job)
{
	const struct es_twin_kind *kind = cluster->options.classes[job->class].kind;
	bool has_started = job->state != ES_CLUSTER_WAITING;

	(void)es_buf_printf(out, "%" PRIu64 ",", job->number);
	if (job->user != ES_CLUSTER_NO_USER)
		(void)es_buf_printf(out, "user%u", job->user);
	(void)es_buf_printf(out, ",%s,%s,%s,", es_cluster_app_name(job->app), kind->name,
			    es_cluster_state_name(job->state));
	put_nodes(out, cluster, job);
	(void)es_buf_printf(out, ",%u,%u", job->n_nodes,
			    job->n_nodes * kind->n_packages * kind->cpu.n_cores *
				    kind->cpu.n_threads);
	put_time(out, cluster, job->submit_ns);
	if (!has_started) {
		(void)es_buf_str(out, ",,,,,,\n");
		return;
	}
	put_time(out, cluster, job->start_ns);
	put_time(out, cluster, job->end_ns);
	(void)es_buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
			    atomic_load(&job->node_uj), atomic_load(&job->package_uj),
			    atomic_load(&job->dram_uj), atomic_load(&job->gpu_uj));
}

static int write_jobs(const struct es_cluster *cluster, struct es_error *err)
{
	struct table table;
	int r = open_table(&table, cluster->options.out, "jobs.csv", err);

	if (r < 0)
		return r;
	(void)es_buf_str(&table.rows,
			 "job,user,app,class,state,nodes,n_nodes,n_cpus,submit,start,end,"
			 "energy_uj,package_uj,dram_uj,gpu_uj\n");
	for (size_t i = 0; r == 0 && i < cluster->n_jobs; i++) {
		put_job(&table.rows, cluster, &cluster->jobs[i]);
		r = flush(&table, WRITE_BYTES);
	}
	return close_table(&table, r, err);
}

static void put_node(struct es_buf *out, const struct es_cluster *cluster, size_t i)
{
	const struct es_cluster_node *node = &cluster->nodes[i];
	char name[ES_NAME_MAX_BYTES];

	(void)es_buf_printf(out, "%s,%s,%u,", es_cluster_node_name(cluster, i, name),
			    cluster->options.classes[node->class].kind->name, node->n_boots);
	(void)es_buf_printf(out, "%lld.%03d,%lld.%03d", (long long)(node->busy_ns / ES_NS_PER_S),
			    (int)(node->busy_ns % ES_NS_PER_S / ES_NS_PER_MS),
			    (long long)(node->down_ns / ES_NS_PER_S),
			    (int)(node->down_ns % ES_NS_PER_S / ES_NS_PER_MS));
	(void)es_buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, node->energy.node_uj,
			    node->in_jobs.node_uj, node->energy.node_uj - node->in_jobs.node_uj);
	(void)es_buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", node->energy.package_uj,
			    node->energy.dram_uj, node->energy.gpu_uj);
}

static int write_nodes(const struct es_cluster *cluster, struct es_error *err)
{
	struct table table;
	int r = open_table(&table, cluster->options.out, "nodes.csv", err);

	if (r < 0)
		return r;
	(void)es_buf_str(&table.rows, "node,class,boots,busy_s,down_s,energy_uj,jobs_uj,idle_uj,"
				      "package_uj,dram_uj,gpu_uj\n");
	for (size_t i = 0; r == 0 && i < cluster->n_nodes; i++) {
		put_node(&table.rows, cluster, i);
		r = flush(&table, WRITE_BYTES);
	}
	return close_table(&table, r, err);
}

static void put_energy(struct es_json *json, const char *key,
		       const struct es_cluster_energy *energy)
{
	es_json_object(json, key);
	es_json_decimal(json, "node_j", (int64_t)energy->node_uj, 6);
	es_json_decimal(json, "package_j", (int64_t)energy->package_uj, 6);
	es_json_decimal(json, "dram_j", (int64_t)energy->dram_uj, 6);
	es_json_decimal(json, "gpu_j", (int64_t)energy->gpu_uj, 6);
	es_json_object_end(json);
}

static void put_classes(const struct es_cluster *cluster, struct es_json *json)
{
	const struct es_cluster_options *options = &cluster->options;
	struct es_cluster_meters meters;

	es_json_array(json, "classes");
	for (size_t i = 0; i < options->n_classes; i++) {
		es_cluster_meters(options->classes[i].kind, options->period_ns, &meters);
		es_json_object(json, NULL);
		es_json_string(json, "kind", options->classes[i].kind->name);
		es_json_u64(json, "nodes", options->classes[i].n);
		es_json_array_inline(json, "domains");
		for (size_t k = 0; k < meters.n; k++)
			es_json_string(json, NULL, meters.domains[k].id);
		es_json_array_end(json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_options(const struct es_cluster *cluster, struct es_json *json)
{
	const struct es_cluster_options *options = &cluster->options;
	char text[ES_TIME_TEXT_BYTES];

	es_json_u64(json, "seed", options->seed);
	es_json_string(json, "start", es_time_rfc3339_utc(options->start_unix_ns, text));
	es_json_decimal(json, "duration_s", options->duration_ns, 9);
	es_json_decimal(json, "period_s", options->period_ns, 9);
	if (options->trace.swf) {
		es_json_object(json, "trace");
		es_json_string(json, "computer", options->trace.swf->computer);
		es_json_u64(json, "jobs", options->trace.swf->n);
		es_json_i64(json, "from_s", options->trace.from_s);
		es_json_decimal(json, "speed",
				options->trace.speed_ppm > 0 ? options->trace.speed_ppm : 1000000,
				6);
		es_json_u64(json, "lines_wrong", options->trace.swf->n_faults);
		es_json_u64(json, "jobs_too_large", cluster->n_too_large);
		es_json_u64(json, "jobs_unusable", cluster->n_unusable);
		es_json_object_end(json);
	} else {
		es_json_decimal(json, "load", options->load_ppm, 6);
	}
	es_json_decimal(json, "failures_per_day", options->failures_ppm, 6);
}

void es_cluster_put(const struct es_cluster *cluster, struct es_json *json)
{
	struct es_cluster_energy idle = cluster->energy;
	struct es_cluster_totals totals;

	es_cluster_totals(cluster, &totals);
	idle.node_uj -= cluster->in_jobs.node_uj;
	idle.package_uj -= cluster->in_jobs.package_uj;
	idle.dram_uj -= cluster->in_jobs.dram_uj;
	idle.gpu_uj -= cluster->in_jobs.gpu_uj;
	put_options(cluster, json);
	put_classes(cluster, json);
	es_json_u64(json, "nodes", cluster->n_nodes);
	es_json_object(json, "jobs");
	es_json_u64(json, "all", cluster->n_jobs);
	es_json_u64(json, "completed", totals.n_completed);
	es_json_u64(json, "running", totals.n_running);
	es_json_u64(json, "waiting", totals.n_waiting);
	es_json_u64(json, "failed", totals.n_failed);
	es_json_decimal(json, "mean_wait_s", totals.mean_wait_ns, 9);
	es_json_object_end(json);
	es_json_double(json, "utilisation", (double)totals.busy_ms / (double)totals.all_ms);
	es_json_decimal(json, "node_down_s", (int64_t)totals.down_ms, 3);
	es_json_object(json, "energy");
	put_energy(json, "all", &cluster->energy);
	put_energy(json, "jobs", &cluster->in_jobs);
	put_energy(json, "idle", &idle);
	es_json_object_end(json);
	es_json_u64(json, "recordings", cluster->n_recordings);
	es_json_u64(json, "samples", cluster->n_samples);
	es_json_u64(json, "bytes", cluster->n_bytes);
}

static int write_json(const struct es_cluster *cluster, struct es_error *err)
{
	struct table table;
	struct es_json json;
	int r = open_table(&table, cluster->options.out, "cluster.json", err);

	if (r < 0)
		return r;
	es_json_init(&json, es_json_sink_buf, &table.rows, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-cluster/1");
	es_json_string(&json, "tool", cluster->options.tool);
	es_cluster_put(cluster, &json);
	es_json_object_end(&json);
	r = es_json_end(&json);
	return close_table(&table, r, err);
}

int es_cluster_write_tables(const struct es_cluster *cluster, struct es_error *err)
{
	int r = write_jobs(cluster, err);

	if (r == 0)
		r = write_nodes(cluster, err);
	return r < 0 ? r : write_json(cluster, err);
}
