/*
 * cluster_jobs.c - the jobs of a simulated cluster: from a trace, or a random mix
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "twin/cluster_private.h"

#define PPM INT64_C(1000000)
#define DAY_NS (INT64_C(86400) * ES_NS_PER_S)

/*
 * The mix. Jobs come at random (Poisson), more in the afternoon than at night; their lengths are log-normal, their sizes powers of
 * two, the small ones more often (Lublin and Feitelson 2003 found all of this in traces; the figures here are round ones).
 */
#define DAY_SWING 0.6
#define BUSIEST_HOUR 14.0
#define LENGTH_SIGMA 1.1
#define LENGTH_MEDIAN_MAX_NS (30 * INT64_C(60) * ES_NS_PER_S)
#define LENGTH_MIN_NS (10 * ES_NS_PER_S)
#define SIZE_RATIO 0.62 /* so much rarer is each next power of two */
#define N_MEAN 4096
#define N_USERS 24U

struct mix {
	struct es_cluster *cluster;
	size_t class;
	double median_ns, longest_ns;
	unsigned n_sizes; /* 1, 2, 4, … */
};

static int add(struct es_cluster *cluster, size_t *cap, const struct es_cluster_job *job)
{
	if (cluster->n_jobs == ES_CLUSTER_JOBS_MAX)
		return -E2BIG;
	if (cluster->n_jobs == *cap) {
		size_t larger = *cap ? *cap * 2 : 1024;
		struct es_cluster_job *jobs = reallocarray(cluster->jobs, larger, sizeof(*jobs));

		if (!jobs)
			return -ENOMEM;
		cluster->jobs = jobs;
		*cap = larger;
	}
	memcpy(&cluster->jobs[cluster->n_jobs++], job, sizeof(*job));
	return 0;
}

static double draw_length_ns(const struct mix *mix, double median_ns,
			     struct es_cluster_random *random)
{
	double ns = median_ns * exp(LENGTH_SIGMA * es_cluster_normal(random));

	ns = ns < (double)LENGTH_MIN_NS ? (double)LENGTH_MIN_NS : ns;
	return ns > mix->longest_ns ? mix->longest_ns : ns;
}

static uint32_t draw_size(const struct mix *mix, struct es_cluster_random *random)
{
	double all = 0, p = 1, at;

	for (unsigned k = 0; k < mix->n_sizes; k++, p *= SIZE_RATIO)
		all += p;
	at = es_cluster_uniform(random) * all;
	p = 1;
	for (unsigned k = 0; k < mix->n_sizes; k++, p *= SIZE_RATIO) {
		at -= p;
		if (at < 0)
			return UINT32_C(1) << k;
	}
	return 1;
}

/* Node-nanoseconds of a job, mean. */
static double mean_work(const struct mix *mix)
{
	struct es_cluster_random random =
		es_cluster_stream(mix->cluster->options.seed, ES_CLUSTER_STREAM_MEAN, mix->class);
	double lengths = 0, sizes = 0, weights = 0, p = 1;

	for (int i = 0; i < N_MEAN; i++)
		lengths += draw_length_ns(mix, mix->median_ns, &random);
	for (unsigned k = 0; k < mix->n_sizes; k++, p *= SIZE_RATIO) {
		sizes += p * (double)(UINT32_C(1) << k);
		weights += p;
	}
	return lengths / N_MEAN * (sizes / weights);
}

/* How much likelier a job comes now than at any time of day, and its mean over the simulated time. */
static double rhythm(const struct es_cluster_options *options, int64_t t_ns)
{
	int64_t of_day_ns = (options->start_unix_ns % DAY_NS + t_ns) % DAY_NS;
	double hour = (double)of_day_ns / 3600e9;

	return 1 + DAY_SWING * cos((hour - BUSIEST_HOUR) / 24 * 2 * 3.14159265358979323846);
}

static double mean_rhythm(const struct es_cluster_options *options)
{
	double sum = 0;

	for (int i = 0; i < N_MEAN; i++)
		sum += rhythm(options, options->duration_ns / N_MEAN * i);
	return sum / N_MEAN;
}

/* Few users have most of the jobs, and each keeps to a few programs. */
static void draw_who(const struct mix *mix, struct es_cluster_random *random,
		     struct es_cluster_job *job)
{
	const struct es_twin_kind *kind = mix->cluster->options.classes[mix->class].kind;
	struct es_cluster_random habits;
	uint64_t habit;

	job->user = (uint32_t)pow((double)N_USERS, es_cluster_uniform(random));
	habit = es_cluster_random(random) % 3;
	habits = es_cluster_stream(mix->cluster->options.seed, ES_CLUSTER_STREAM_USER,
				   job->user * UINT64_C(3) + habit);
	job->app = (uint16_t)es_cluster_app_choose(kind, &habits);
}

static void make_job(const struct mix *mix, struct es_cluster_random *random, int64_t submit_ns,
		     double length_ns, struct es_cluster_job *job)
{
	*job = (struct es_cluster_job){
		.class = (uint16_t)mix->class,
		.n_nodes = draw_size(mix, random),
		.submit_ns = submit_ns,
		.length_ns = (int64_t)(length_ns / (double)ES_NS_PER_MS) * ES_NS_PER_MS,
	};
	draw_who(mix, random, job);
}

/* What runs at the beginning: jobs met on the way, which the long ones are more often. */
static int fill(const struct mix *mix, size_t *cap)
{
	const struct es_cluster_options *options = &mix->cluster->options;
	struct es_cluster_random random =
		es_cluster_stream(options->seed, ES_CLUSTER_STREAM_FILL, mix->class);
	double wanted = (double)options->classes[mix->class].n * (double)options->load_ppm / PPM;
	int r = 0;

	for (double n = 0; r == 0 && n + 0.5 < wanted;) {
		double length_ns = draw_length_ns(
			mix, mix->median_ns * exp(LENGTH_SIGMA * LENGTH_SIGMA), &random);
		struct es_cluster_job job;

		length_ns *= es_cluster_uniform(&random);
		make_job(mix, &random, 0, length_ns + (double)ES_NS_PER_S, &job);
		if (n + job.n_nodes > wanted + 0.5)
			job.n_nodes = 1;
		n += job.n_nodes;
		r = add(mix->cluster, cap, &job);
	}
	return r;
}

static int arrive(const struct mix *mix, size_t *cap)
{
	const struct es_cluster_options *options = &mix->cluster->options;
	struct es_cluster_random random =
		es_cluster_stream(options->seed, ES_CLUSTER_STREAM_MIX, mix->class);
	double rate = (double)options->classes[mix->class].n * (double)options->load_ppm / PPM /
		      mean_work(mix) / mean_rhythm(options);
	double t_ns = 0;
	int r = 0;

	/* By thinning (Lewis and Shedler 1979): as often as at the busiest hour, and some of them are not. */
	for (;;) {
		struct es_cluster_job job;

		t_ns -= log(es_cluster_uniform(&random)) / (rate * (1 + DAY_SWING));
		if (r < 0 || t_ns >= (double)options->duration_ns)
			return r;
		if (es_cluster_uniform(&random) * (1 + DAY_SWING) > rhythm(options, (int64_t)t_ns))
			continue;
		make_job(mix, &random, (int64_t)(t_ns / (double)ES_NS_PER_MS) * ES_NS_PER_MS,
			 draw_length_ns(mix, mix->median_ns, &random), &job);
		r = add(mix->cluster, cap, &job);
	}
}

static int make_mix(struct es_cluster *cluster, size_t *cap)
{
	const struct es_cluster_options *options = &cluster->options;
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->n_classes && options->load_ppm > 0; i++) {
		struct mix mix = { .cluster = cluster, .class = i, .n_sizes = 1 };

		mix.median_ns = (double)(options->duration_ns / 8 < LENGTH_MEDIAN_MAX_NS
						 ? options->duration_ns / 8
						 : LENGTH_MEDIAN_MAX_NS);
		mix.longest_ns = 24 * mix.median_ns;
		while ((UINT32_C(4) << mix.n_sizes) <= options->classes[i].n)
			mix.n_sizes++;
		r = fill(&mix, cap);
		if (r == 0)
			r = arrive(&mix, cap);
	}
	return r;
}

static uint32_t nodes_for(const struct es_cluster *cluster, size_t class, int32_t procs)
{
	const struct es_twin_kind *kind = cluster->options.classes[class].kind;
	uint32_t each = cluster->options.trace.procs_per_node;

	if (each == 0)
		each = kind->n_packages * kind->cpu.n_cores;
	return ((uint32_t)procs + each - 1) / each;
}

/* One of the classes that have so many nodes, the larger ones more often; false: none. */
static bool place(const struct es_cluster *cluster, int32_t procs, struct es_cluster_random *random,
		  struct es_cluster_job *job)
{
	const struct es_cluster_options *options = &cluster->options;
	uint64_t all = 0, at;

	for (size_t i = 0; i < options->n_classes; i++)
		if (nodes_for(cluster, i, procs) <= options->classes[i].n)
			all += options->classes[i].n;
	if (all == 0)
		return false;
	at = es_cluster_random(random) % all;
	for (size_t i = 0; i < options->n_classes; i++) {
		if (nodes_for(cluster, i, procs) > options->classes[i].n)
			continue;
		if (at < options->classes[i].n) {
			job->class = (uint16_t)i;
			job->n_nodes = nodes_for(cluster, i, procs);
			return true;
		}
		at -= options->classes[i].n;
	}
	return false;
}

/* The trace's application, or else its user, decides which program it is here. */
static int take(struct es_cluster *cluster, const struct es_swf_job *from, int64_t submit_ns,
		size_t *cap)
{
	const struct es_cluster_options *options = &cluster->options;
	uint64_t seed = options->seed, who = from->app > 0 ? (uint64_t)from->app : 0;
	struct es_cluster_random random =
		es_cluster_stream(seed, ES_CLUSTER_STREAM_PLACE, (uint64_t)from->number);
	struct es_cluster_job job = {
		.number = (uint64_t)from->number,
		.user = from->user >= 0 ? (uint32_t)from->user : ES_CLUSTER_NO_USER,
		.submit_ns = submit_ns,
		.length_ns = from->run_s * ES_NS_PER_S,
	};

	if (from->run_s <= 0 || es_swf_procs(from) <= 0) {
		cluster->n_unusable++;
		return 0;
	}
	if (!place(cluster, es_swf_procs(from), &random, &job)) {
		cluster->n_too_large++;
		return 0;
	}
	if (who == 0 && from->user >= 0)
		who = UINT64_C(1000000) + (uint64_t)from->user;
	random = es_cluster_stream(seed, ES_CLUSTER_STREAM_USER, who);
	job.app = (uint16_t)es_cluster_app_choose(options->classes[job.class].kind, &random);
	return add(cluster, cap, &job);
}

static int take_trace(struct es_cluster *cluster, size_t *cap)
{
	const struct es_cluster_trace *trace = &cluster->options.trace;
	int64_t speed_ppm = trace->speed_ppm > 0 ? trace->speed_ppm : PPM;
	int r = 0;

	for (size_t i = 0; r == 0 && i < trace->swf->n; i++) {
		const struct es_swf_job *job = &trace->swf->jobs[i];
		/* Both are 32-bit seconds: 2^31 · 1000 · 10^6 fits. */
		int64_t at_ms = (job->submit_s - trace->from_s) * 1000 * PPM / speed_ppm;

		if (job->submit_s < trace->from_s ||
		    at_ms >= cluster->options.duration_ns / ES_NS_PER_MS)
			continue;
		r = take(cluster, job, at_ms * ES_NS_PER_MS, cap);
	}
	return r;
}

static int by_submission(const void *a, const void *b)
{
	const struct es_cluster_job *x = a, *y = b;

	if (x->submit_ns != y->submit_ns)
		return x->submit_ns < y->submit_ns ? -1 : 1;
	/* Until they are sorted the number of a job of a mix is its place. */
	return x->number < y->number ? -1 : x->number > y->number;
}

int es_cluster_make_jobs(struct es_cluster *cluster, struct es_error *err)
{
	size_t cap = 0;
	int r;

	if (cluster->options.trace.swf) {
		r = take_trace(cluster, &cap);
	} else {
		r = make_mix(cluster, &cap);
		for (size_t i = 0; i < cluster->n_jobs; i++)
			cluster->jobs[i].number = i;
		if (cluster->n_jobs > 1)
			qsort(cluster->jobs, cluster->n_jobs, sizeof(*cluster->jobs),
			      by_submission);
		for (size_t i = 0; i < cluster->n_jobs; i++)
			cluster->jobs[i].number = i + 1;
	}
	if (r == -E2BIG)
		return es_error_say(err, r, "more than %u jobs: a lower load or a shorter time",
				    ES_CLUSTER_JOBS_MAX);
	return r < 0 ? es_error_set(err, r, "jobs of the cluster") : 0;
}
