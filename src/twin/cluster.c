/*
 * cluster.c - many simulated nodes with jobs: made, lived through on several threads, added up
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "twin/cluster_private.h"

#define TICK_NS (200 * ES_NS_PER_MS)
#define WATTS_LEAST 1000.0 /* more than a kind draws whose supply is not known */
#define RECORDING ".esrec"
#define PART ".part"

/* What the threads share. */
struct crew {
	struct es_cluster *cluster;
	const struct es_cluster_meters *meters; /* of each class */
	_Atomic size_t next;
	_Atomic bool is_cancelled;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t is_over; /* a worker ended */
	size_t n_done;
	unsigned n_working;
	uint64_t n_bytes, n_recordings;
	struct es_error err;
	int error;
};

const char *es_cluster_state_name(enum es_cluster_state state)
{
	static const char *const names[] = {
		[ES_CLUSTER_WAITING] = "waiting",
		[ES_CLUSTER_RUNNING] = "running",
		[ES_CLUSTER_COMPLETED] = "completed",
		[ES_CLUSTER_FAILED] = "failed",
	};

	return names[state];
}

/* Classes of one kind are numbered on, so that no two nodes have one name. */
char *es_cluster_node_name(const struct es_cluster *cluster, size_t node,
			   char text[static ES_NAME_MAX_BYTES])
{
	const struct es_cluster_class *classes = cluster->options.classes;
	const struct es_cluster_node *of = &cluster->nodes[node];
	const struct es_twin_kind *kind = classes[of->class].kind;
	uint32_t number = of->number;

	for (size_t i = 0; i < of->class; i++)
		if (classes[i].kind == kind)
			number += classes[i].n;
	(void)snprintf(text, ES_NAME_MAX_BYTES, "%.200s-%04u", kind->name, number);
	return text;
}

/* The energies of all nodes are added up in µJ, and printed as signed numbers. */
static int check_energy(const struct es_cluster_options *options, struct es_error *err)
{
	double most_uj = 0;

	for (size_t i = 0; i < options->n_classes; i++)
		most_uj += fmax(options->classes[i].kind->supply_w, WATTS_LEAST) *
			   options->classes[i].n * (double)options->duration_ns / 1e3;
	if (most_uj < (double)INT64_MAX)
		return 0;
	return es_error_say(
		err, -EINVAL,
		"so many nodes may use more in that time than can be counted in µJ "
		"(2.5 GWh); days at most: %.0f",
		floor((double)options->duration_ns / 86400e9 * ((double)INT64_MAX / most_uj)));
}

static int check_options(const struct es_cluster_options *options, struct es_error *err)
{
	uint64_t n = 0;

	for (size_t i = 0; i < options->n_classes; i++) {
		if (options->classes[i].n == 0)
			return es_error_say(err, -EINVAL, "class %s has no nodes",
					    options->classes[i].kind->name);
		n += options->classes[i].n;
	}
	if (n == 0)
		return es_error_say(err, -EINVAL, "there is no class of nodes");
	if (n > ES_NODES_MAX)
		return es_error_say(err, -EINVAL, "%llu nodes are more than %u",
				    (unsigned long long)n, ES_NODES_MAX);
	if (options->duration_ns < options->period_ns || options->duration_ns < ES_NS_PER_S ||
	    options->duration_ns > ES_CLUSTER_DURATION_MAX_NS)
		return es_error_say(err, -EINVAL,
				    "the time is to be 1 s to 366 days, and at least one period");
	if (options->period_ns < ES_CLUSTER_PERIOD_MIN_NS ||
	    options->period_ns > ES_PERIOD_MAX_NS ||
	    (ES_NS_PER_S % options->period_ns != 0 && options->period_ns % ES_NS_PER_S != 0))
		return es_error_say(
			err, -EINVAL,
			"the period is to be 100 ms to 1 h, whole seconds or a whole part of one");
	if (options->duration_ns % ES_NS_PER_S != 0 || options->start_unix_ns % ES_NS_PER_S != 0)
		return es_error_say(err, -EINVAL, "start and length are to be whole seconds");
	if (options->n_threads < 1 || options->n_threads > ES_CLUSTER_THREADS_MAX)
		return es_error_say(err, -EINVAL, "1 to %u threads are possible",
				    ES_CLUSTER_THREADS_MAX);
	return check_energy(options, err);
}

static int make_nodes(struct es_cluster *cluster)
{
	const struct es_cluster_options *options = &cluster->options;
	size_t n = 0;

	for (size_t i = 0; i < options->n_classes; i++)
		n += options->classes[i].n;
	cluster->nodes = n > 0 ? calloc(n, sizeof(*cluster->nodes)) : NULL;
	if (!cluster->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < options->n_classes; i++)
		for (uint32_t k = 0; k < options->classes[i].n; k++)
			cluster->nodes[cluster->n_nodes++] =
				(struct es_cluster_node){ .class = (uint32_t)i, .number = k + 1 };
	return 0;
}

int es_cluster_create(const struct es_cluster_options *options, struct es_cluster **ret,
		      struct es_error *err)
{
	struct es_cluster *cluster;
	int r = check_options(options, err);

	if (r < 0)
		return r;
	cluster = calloc(1, sizeof(*cluster));
	if (!cluster)
		return es_error_set(err, -ENOMEM, "cluster");
	cluster->options = *options;
	r = make_nodes(cluster);
	if (r < 0)
		(void)es_error_set(err, r, "nodes of the cluster");
	if (r == 0)
		r = es_cluster_make_jobs(cluster, err);
	if (r == 0) {
		r = es_cluster_schedule(cluster);
		if (r < 0)
			(void)es_error_set(err, r, "schedule of the cluster");
	}
	if (r < 0) {
		es_cluster_destroy(cluster);
		return r;
	}
	*ret = cluster;
	return 0;
}

void es_cluster_destroy(struct es_cluster *cluster)
{
	if (!cluster)
		return;
	for (size_t i = 0; i < cluster->n_jobs; i++)
		free(cluster->jobs[i].nodes);
	free(cluster->jobs);
	for (size_t i = 0; i < cluster->n_nodes; i++)
		free(cluster->nodes[i].spans);
	free(cluster->nodes);
	free(cluster);
}

static bool is_ours(const char *name)
{
	static const char *const files[] = { "cluster.json", "jobs.csv", "nodes.csv", "nodes" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++)
		if (strcmp(name, files[i]) == 0)
			return true;
	return false;
}

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), k = strlen(ending);

	return n > k && strcmp(name + n - k, ending) == 0;
}

/* Recordings of an earlier simulation go. */
static int empty_nodes(const char *path, struct es_error *err)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : es_error_set(err, -errno, "folder '%s'", path);
	while ((entry = readdir(dir)) != NULL)
		if ((ends_with(entry->d_name, RECORDING) || ends_with(entry->d_name, PART)) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return es_error_set(err, -errno, "cannot remove '%s/%s'", path,
					    entry->d_name);
	return 0;
}

static int check_empty(const char *out, bool may_replace, struct es_error *err)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(out);
	struct dirent *entry;

	if (!dir)
		return es_error_set(err, -errno, "folder '%s'", out);
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (!may_replace)
			return es_error_say(err, -ENOTEMPTY,
					    "folder '%s' is not empty: nothing is simulated", out);
		if (!is_ours(name))
			continue;
		/* cluster.json says that all is there: it goes before anything else does. */
		if (strcmp(name, "nodes") != 0 && unlinkat(dirfd(dir), name, 0) < 0)
			return es_error_set(err, -errno, "cannot remove '%s/%s'", out, name);
	}
	return 0;
}

static int prepare_out(const struct es_cluster *cluster, struct es_error *err)
{
	const char *out = cluster->options.out;
	char nodes[ES_PATH_MAX_BYTES];
	int r;

	if (snprintf(nodes, sizeof(nodes), "%s/nodes", out) >= (int)sizeof(nodes))
		return es_error_set(err, -ENAMETOOLONG, "folder '%.200s…'", out);
	if (mkdir(out, 0755) < 0 && errno != EEXIST)
		return es_error_set(err, -errno, "cannot make folder '%s'", out);
	r = check_empty(out, cluster->options.may_replace, err);
	if (r == 0)
		r = empty_nodes(nodes, err);
	if (r == 0 && cluster->options.has_readings && mkdir(nodes, 0755) < 0 && errno != EEXIST)
		r = es_error_set(err, -errno, "cannot make folder '%s'", nodes);
	return r;
}

static void *work(void *arg)
{
	struct crew *crew = arg;
	const struct es_cluster *cluster = crew->cluster;
	uint64_t n_bytes = 0, n_recordings = 0;
	struct es_error err = { .code = 0 };
	int r = 0;

	while (r == 0 && !atomic_load(&crew->is_cancelled)) {
		size_t i = atomic_fetch_add(&crew->next, 1);

		if (i >= cluster->n_nodes)
			break;
		r = es_cluster_live(crew->cluster, i, &crew->meters[cluster->nodes[i].class],
				    &crew->is_cancelled, &n_bytes, &n_recordings, &err);
		(void)pthread_mutex_lock(&crew->lock);
		crew->n_done += r == 0;
		(void)pthread_mutex_unlock(&crew->lock);
	}
	(void)pthread_mutex_lock(&crew->lock);
	if (r < 0 && crew->error == 0) {
		crew->error = r;
		crew->err = err;
		atomic_store(&crew->is_cancelled, true);
	}
	crew->n_bytes += n_bytes;
	crew->n_recordings += n_recordings;
	crew->n_working--;
	(void)pthread_cond_signal(&crew->is_over);
	(void)pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* Told how far it is, until the last worker has ended. */
static void watch(struct crew *crew)
{
	const struct es_cluster_options *options = &crew->cluster->options;

	(void)pthread_mutex_lock(&crew->lock);
	while (crew->n_working > 0) {
		struct timespec until;
		size_t n_done = crew->n_done;
		int r = 0;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_NS;
		until.tv_sec += until.tv_nsec / ES_NS_PER_S;
		until.tv_nsec %= ES_NS_PER_S;
		(void)pthread_mutex_unlock(&crew->lock);
		if (options->tick && !atomic_load(&crew->is_cancelled))
			r = options->tick(options->tick_arg, n_done, crew->cluster->n_nodes);
		(void)pthread_mutex_lock(&crew->lock);
		if (r < 0 && crew->error == 0) {
			crew->error = r;
			(void)es_error_say(&crew->err, r, "stopped: %zu of %zu nodes were done",
					   crew->n_done, crew->cluster->n_nodes);
			atomic_store(&crew->is_cancelled, true);
		}
		if (crew->n_working > 0)
			(void)pthread_cond_timedwait(&crew->is_over, &crew->lock, &until);
	}
	(void)pthread_mutex_unlock(&crew->lock);
}

static int hire(struct crew *crew, struct es_error *err)
{
	unsigned n = crew->cluster->options.n_threads, started = 0;
	es_cleanup(es_freep) pthread_t *threads = calloc(n, sizeof(*threads));
	int r = threads ? 0 : -ENOMEM;

	for (; r == 0 && started < n; started += r == 0) {
		(void)pthread_mutex_lock(&crew->lock);
		crew->n_working++;
		(void)pthread_mutex_unlock(&crew->lock);
		r = -pthread_create(&threads[started], NULL, work, crew);
		if (r < 0) {
			(void)pthread_mutex_lock(&crew->lock);
			crew->n_working--;
			(void)pthread_mutex_unlock(&crew->lock);
			atomic_store(&crew->is_cancelled, true);
		}
	}
	watch(crew);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	if (r < 0)
		return es_error_set(err, r, "cannot start %u threads", n);
	if (crew->error < 0 && err)
		*err = crew->err;
	return crew->error;
}

static void add_up(struct es_cluster *cluster)
{
	cluster->energy = cluster->in_jobs = (struct es_cluster_energy){ .node_uj = 0 };
	cluster->n_samples = 0;
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		const struct es_cluster_node *node = &cluster->nodes[i];

		cluster->energy.node_uj += node->energy.node_uj;
		cluster->energy.package_uj += node->energy.package_uj;
		cluster->energy.dram_uj += node->energy.dram_uj;
		cluster->energy.gpu_uj += node->energy.gpu_uj;
		cluster->in_jobs.node_uj += node->in_jobs.node_uj;
		cluster->in_jobs.package_uj += node->in_jobs.package_uj;
		cluster->in_jobs.dram_uj += node->in_jobs.dram_uj;
		cluster->in_jobs.gpu_uj += node->in_jobs.gpu_uj;
		cluster->n_samples += node->n_samples;
	}
}

static int run_crew(struct es_cluster *cluster, struct crew *crew, struct es_error *err)
{
	pthread_condattr_t attributes;
	int r;

	(void)pthread_mutex_init(&crew->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&crew->is_over, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	r = hire(crew, err);
	(void)pthread_cond_destroy(&crew->is_over);
	(void)pthread_mutex_destroy(&crew->lock);
	cluster->n_bytes = crew->n_bytes;
	cluster->n_recordings = crew->n_recordings;
	return r;
}

int es_cluster_run(struct es_cluster *cluster, struct es_error *err)
{
	const struct es_cluster_options *options = &cluster->options;
	es_cleanup(es_freep) struct es_cluster_meters *meters =
		calloc(options->n_classes, sizeof(*meters));
	struct crew crew = { .cluster = cluster, .meters = meters };
	int r;

	if (!meters)
		return es_error_set(err, -ENOMEM, "cluster");
	for (size_t i = 0; i < options->n_classes; i++)
		es_cluster_meters(options->classes[i].kind, options->period_ns, &meters[i]);
	if (options->out) {
		r = prepare_out(cluster, err);
		if (r < 0)
			return r;
	}
	r = run_crew(cluster, &crew, err);
	if (r < 0)
		return r;
	add_up(cluster);
	return options->out ? es_cluster_write_tables(cluster, err) : 0;
}

void es_cluster_totals(const struct es_cluster *cluster, struct es_cluster_totals *ret)
{
	size_t counts[4] = { 0 }, n_started;
	double wait_ns = 0;

	*ret = (struct es_cluster_totals){ .n_completed = 0 };
	for (size_t i = 0; i < cluster->n_jobs; i++) {
		const struct es_cluster_job *job = &cluster->jobs[i];

		counts[job->state]++;
		if (job->state != ES_CLUSTER_WAITING)
			wait_ns += (double)(job->start_ns - job->submit_ns);
	}
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		ret->busy_ms += (uint64_t)(cluster->nodes[i].busy_ns / ES_NS_PER_MS);
		ret->down_ms += (uint64_t)(cluster->nodes[i].down_ns / ES_NS_PER_MS);
	}
	ret->all_ms = (uint64_t)(cluster->options.duration_ns / ES_NS_PER_MS) * cluster->n_nodes;
	ret->n_waiting = counts[ES_CLUSTER_WAITING];
	ret->n_running = counts[ES_CLUSTER_RUNNING];
	ret->n_completed = counts[ES_CLUSTER_COMPLETED];
	ret->n_failed = counts[ES_CLUSTER_FAILED];
	n_started = cluster->n_jobs - ret->n_waiting;
	ret->mean_wait_ns = n_started > 0 ? (int64_t)(wait_ns / (double)n_started) : 0;
}
