/*
 * test_twin_cluster.c - simulated clusters: who runs where, sums that close, the same whatever the threads
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "twin/cluster.h"

#define HOUR_NS (3600 * ES_NS_PER_S)

static struct es_cluster_options options_of(const char *kind, uint32_t n, int64_t duration_ns)
{
	struct es_cluster_options options = {
		.n_classes = 1,
		.duration_ns = duration_ns,
		.period_ns = ES_NS_PER_S,
		.start_unix_ns = 1767607200 * ES_NS_PER_S,
		.seed = 11,
		.n_threads = 2,
		.load_ppm = 900000,
	};

	options.classes[0] =
		(struct es_cluster_class){ .kind = es_twin_kind_find(kind, NULL), .n = n };
	assert_non_null(options.classes[0].kind);
	return options;
}

static struct es_cluster *make(const struct es_cluster_options *options)
{
	struct es_error err = { .code = 0 };
	struct es_cluster *cluster = NULL;

	if (es_cluster_create(options, &cluster, &err) < 0)
		fail_msg("%s", err.text);
	return cluster;
}

static void run(struct es_cluster *cluster)
{
	struct es_error err = { .code = 0 };

	if (es_cluster_run(cluster, &err) < 0)
		fail_msg("%s", err.text);
}

/* What must hold of any schedule, found from the spans of the nodes alone. */
static void check_schedule(const struct es_cluster *cluster)
{
	int64_t last_ns[ES_CLUSTER_CLASSES_MAX] = { 0 }, end_ns = cluster->options.duration_ns;
	uint32_t *seen = calloc(cluster->n_jobs + 1, sizeof(*seen));

	assert_non_null(seen);
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		int64_t free_ns = 0;

		for (size_t k = 0; k < cluster->nodes[i].n_spans; k++) {
			const struct es_cluster_span *span = &cluster->nodes[i].spans[k];
			const struct es_cluster_job *job;

			assert_true(span->start_ns >= free_ns && span->end_ns > span->start_ns);
			assert_true(span->end_ns <= end_ns);
			free_ns = span->end_ns;
			if (span->job == ES_CLUSTER_DOWN)
				continue;
			assert_true(span->job < cluster->n_jobs);
			job = &cluster->jobs[span->job];
			assert_true(job->start_ns == span->start_ns && job->end_ns == span->end_ns);
			assert_int_equal(job->class, cluster->nodes[i].class);
			seen[span->job]++;
		}
	}
	for (size_t i = 0; i < cluster->n_jobs; i++) {
		const struct es_cluster_job *job = &cluster->jobs[i];

		assert_true(i == 0 || cluster->jobs[i - 1].submit_ns <= job->submit_ns);
		assert_int_equal(seen[i], job->state == ES_CLUSTER_WAITING ? 0 : job->n_nodes);
		if (job->state == ES_CLUSTER_WAITING) {
			last_ns[job->class] = INT64_MAX;
			continue;
		}
		/* First come, first served: nobody starts before who came before. */
		assert_true(job->start_ns >= job->submit_ns);
		assert_true(job->start_ns >= last_ns[job->class]);
		last_ns[job->class] = job->start_ns;
		if (job->state == ES_CLUSTER_COMPLETED)
			assert_true(job->end_ns == job->start_ns + job->length_ns);
	}
	free(seen);
}

static void jobs_start_in_order_on_nodes_of_their_own(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 37, 48 * HOUR_NS);
	struct es_cluster_totals totals;
	struct es_cluster *cluster;

	(void)state;
	options.n_classes = 2;
	options.classes[1] = options.classes[0];
	options.classes[1].n = 9;
	cluster = make(&options);
	es_cluster_totals(cluster, &totals);

	assert_true(totals.n_completed > 200);
	check_schedule(cluster);
	es_cluster_destroy(cluster);
}

static double utilisation(int64_t load_ppm, uint64_t seed)
{
	struct es_cluster_options options = options_of("skx2s", 200, 72 * HOUR_NS);
	struct es_cluster_totals totals;
	struct es_cluster *cluster;

	options.load_ppm = load_ppm;
	options.seed = seed;
	cluster = make(&options);
	es_cluster_totals(cluster, &totals);
	es_cluster_destroy(cluster);
	return (double)totals.busy_ms / (double)totals.all_ms;
}

/* Lengths spread widely, so that single runs are off by a tenth; the mean of twenty is not. */
static void nodes_are_as_busy_as_was_asked(void **state)
{
	static const int64_t loads_ppm[] = { 0, 300000, 700000 };

	(void)state;
	for (size_t i = 0; i < sizeof(loads_ppm) / sizeof(loads_ppm[0]); i++) {
		double sum = 0, asked = (double)loads_ppm[i] / 1e6;

		for (uint64_t seed = 1; seed <= 20; seed++)
			sum += utilisation(loads_ppm[i], seed);
		assert_true(sum / 20 >= asked * 0.94 && sum / 20 <= asked * 1.06);
	}
}

static void nodes_that_go_down_take_their_jobs_with_them(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 30, 24 * HOUR_NS);
	struct es_cluster_totals totals;
	struct es_cluster *cluster;

	(void)state;
	options.failures_ppm = 900000;
	cluster = make(&options);
	es_cluster_totals(cluster, &totals);

	assert_true(totals.n_failed > 3);
	assert_true(totals.down_ms > 0);
	check_schedule(cluster);
	es_cluster_destroy(cluster);
}

static void energies_close_to_the_uj(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 6, 2 * HOUR_NS);
	struct es_cluster_energy jobs = { 0 };
	struct es_cluster *cluster;

	(void)state;
	options.failures_ppm = 1000000;
	cluster = make(&options);
	run(cluster);

	for (size_t i = 0; i < cluster->n_jobs; i++) {
		struct es_cluster_job *job = &cluster->jobs[i];
		uint64_t inside_uj = atomic_load(&job->package_uj) + atomic_load(&job->dram_uj) +
				     atomic_load(&job->gpu_uj);

		jobs.node_uj += atomic_load(&job->node_uj);
		jobs.package_uj += atomic_load(&job->package_uj);
		jobs.dram_uj += atomic_load(&job->dram_uj);
		jobs.gpu_uj += atomic_load(&job->gpu_uj);
		assert_true((atomic_load(&job->node_uj) > 0) == (job->state != ES_CLUSTER_WAITING));
		assert_true(inside_uj <= atomic_load(&job->node_uj));
	}
	assert_true(jobs.node_uj == cluster->in_jobs.node_uj && jobs.node_uj > 0);
	assert_true(jobs.package_uj == cluster->in_jobs.package_uj);
	assert_true(jobs.dram_uj == cluster->in_jobs.dram_uj);
	assert_true(jobs.gpu_uj == cluster->in_jobs.gpu_uj);
	assert_true(cluster->in_jobs.node_uj < cluster->energy.node_uj);
	es_cluster_destroy(cluster);
}

/* 100 W of an idle node at least, nothing while it is down. */
static void a_node_that_is_down_draws_nothing(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 12, 24 * HOUR_NS);
	struct es_cluster *cluster;
	double up_w = 0;
	bool has_down = false;

	(void)state;
	options.load_ppm = 0;
	options.failures_ppm = 700000;
	cluster = make(&options);
	run(cluster);

	for (size_t i = 0; i < cluster->n_nodes; i++) {
		const struct es_cluster_node *node = &cluster->nodes[i];
		double up_s = (double)(options.duration_ns - node->down_ns) / 1e9;
		double w = (double)node->energy.node_uj / 1e6 / up_s;

		has_down = has_down || node->down_ns > 0;
		assert_int_equal(node->n_boots > 1, node->down_ns > 0);
		if (up_w <= 0)
			up_w = w;
		assert_true(w > 0.98 * up_w && w < 1.02 * up_w);
	}
	assert_true(has_down);
	es_cluster_destroy(cluster);
}

static void no_result_depends_on_the_threads(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 7, HOUR_NS);
	struct es_cluster *a, *b;

	(void)state;
	options.n_threads = 1;
	a = make(&options);
	run(a);
	options.n_threads = 5;
	b = make(&options);
	run(b);

	assert_int_equal(a->n_jobs, b->n_jobs);
	assert_memory_equal(&a->energy, &b->energy, sizeof(a->energy));
	for (size_t i = 0; i < a->n_jobs; i++)
		assert_true(atomic_load(&a->jobs[i].node_uj) == atomic_load(&b->jobs[i].node_uj));
	for (size_t i = 0; i < a->n_nodes; i++)
		assert_memory_equal(&a->nodes[i].energy, &b->nodes[i].energy,
				    sizeof(a->nodes[i].energy));
	es_cluster_destroy(a);
	options.seed++;
	a = make(&options);
	run(a);
	assert_true(a->energy.node_uj != b->energy.node_uj);
	es_cluster_destroy(a);
	es_cluster_destroy(b);
}

static void a_trace_says_when_and_how_large(void **state)
{
	static const char text[] =
		"; UnixStartTime: 0\n"
		"1 0 -1 600 36 -1 -1 -1 -1 -1 1 3 1 -1 -1 -1 -1 -1\n" /* before: left out */
		"2 100 -1 600 36 -1 -1 -1 -1 -1 1 3 1 -1 -1 -1 -1 -1\n"
		"3 100 -1 60 37 -1 -1 -1 -1 -1 1 -1 1 -1 -1 -1 -1 -1\n"
		"4 300 -1 60 72 -1 -1 -1 -1 -1 1 4 1 7 -1 -1 -1 -1\n"
		"5 300 -1 60 9999 -1 -1 -1 -1 -1 1 4 1 7 -1 -1 -1 -1\n"
		"6 300 -1 -1 4 -1 -1 -1 -1 -1 1 4 1 7 -1 -1 -1 -1\n"
		"7 300 -1 0 4 -1 -1 -1 -1 -1 5 4 1 7 -1 -1 -1 -1\n"
		"8 7300 -1 60 4 -1 -1 -1 -1 -1 1 4 1 7 -1 -1 -1 -1\n"; /* behind: left out */
	struct es_cluster_options options = options_of("skx2s", 2, HOUR_NS);
	struct es_cluster *cluster;
	struct es_swf swf;

	(void)state;
	assert_int_equal(es_swf_parse(text, strlen(text), true, &swf, NULL), 0);
	options.trace = (struct es_cluster_trace){
		.swf = &swf, .from_s = 100, .speed_ppm = 2000000, .procs_per_node = 36
	};
	cluster = make(&options);

	assert_int_equal(cluster->n_jobs, 3);
	assert_int_equal(cluster->n_too_large, 1);
	assert_int_equal(cluster->n_unusable, 2);
	assert_int_equal(cluster->jobs[0].number, 2);
	assert_int_equal(cluster->jobs[0].n_nodes, 1);
	assert_int_equal(cluster->jobs[0].user, 3);
	assert_true(cluster->jobs[0].start_ns == 0 && cluster->jobs[0].end_ns == 600 * ES_NS_PER_S);
	/* Two nodes: it waits for the one that the first has, and the last for it. */
	assert_int_equal(cluster->jobs[1].n_nodes, 2);
	assert_true(cluster->jobs[1].user == ES_CLUSTER_NO_USER);
	assert_true(cluster->jobs[1].start_ns == 600 * ES_NS_PER_S);
	assert_true(cluster->jobs[2].submit_ns == 100 * ES_NS_PER_S);
	assert_true(cluster->jobs[2].start_ns == 660 * ES_NS_PER_S);
	check_schedule(cluster);
	es_cluster_destroy(cluster);
	es_swf_finish(&swf);
}

/* Seconds of a trace stay whole seconds, however late. */
static void late_jobs_of_a_trace_come_on_time(void **state)
{
	struct es_cluster_options options = options_of("broadwell1s", 1, 300 * 24 * HOUR_NS);
	struct es_cluster *cluster;
	struct es_swf swf;
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "%d %d -1 1 1 -1 -1 -1 -1 -1 1 3 1 -1 -1 -1 -1 -1\n", i,
			       7654321 + 123457 * i);
	assert_int_equal(es_swf_parse(text, strlen(text), true, &swf, NULL), 0);
	options.trace = (struct es_cluster_trace){ .swf = &swf };
	cluster = make(&options);

	assert_int_equal(cluster->n_jobs, 40);
	for (size_t i = 0; i < cluster->n_jobs; i++)
		assert_true(cluster->jobs[i].submit_ns ==
			    (7654321 + 123457 * (int64_t)i) * ES_NS_PER_S);
	es_cluster_destroy(cluster);
	es_swf_finish(&swf);
}

static void nodes_of_one_kind_have_names_of_their_own(void **state)
{
	struct es_cluster_options options = options_of("skx2s", 2, HOUR_NS);
	char name[ES_NAME_MAX_BYTES];
	struct es_cluster *cluster;

	(void)state;
	options.n_classes = 2;
	options.classes[1] = options.classes[0];
	cluster = make(&options);

	assert_string_equal(es_cluster_node_name(cluster, 0, name), "skx2s-0001");
	assert_string_equal(es_cluster_node_name(cluster, 3, name), "skx2s-0004");
	es_cluster_destroy(cluster);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct es_cluster_options wrong[8];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		wrong[i] = options_of("skx2s", 2, HOUR_NS);
	wrong[0].classes[0].n = 0;
	wrong[1].n_classes = 0;
	wrong[2].duration_ns = 1500000000;
	wrong[3].period_ns = 300 * ES_NS_PER_MS;
	wrong[4].classes[0].n = 20000;
	wrong[5].n_threads = 0;
	wrong[6].start_unix_ns += 1;
	wrong[7].classes[0].n = 16384; /* 366 days of so many: more than 2^63 µJ */
	wrong[7].duration_ns = ES_CLUSTER_DURATION_MAX_NS;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct es_error err = { .code = 0 };
		struct es_cluster *cluster = NULL;

		assert_int_equal(es_cluster_create(&wrong[i], &cluster, &err), -EINVAL);
		assert_null(cluster);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_start_in_order_on_nodes_of_their_own),
		cmocka_unit_test(nodes_are_as_busy_as_was_asked),
		cmocka_unit_test(nodes_that_go_down_take_their_jobs_with_them),
		cmocka_unit_test(energies_close_to_the_uj),
		cmocka_unit_test(a_node_that_is_down_draws_nothing),
		cmocka_unit_test(no_result_depends_on_the_threads),
		cmocka_unit_test(a_trace_says_when_and_how_large),
		cmocka_unit_test(late_jobs_of_a_trace_come_on_time),
		cmocka_unit_test(nodes_of_one_kind_have_names_of_their_own),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("twin/cluster", tests, NULL, NULL);
}
