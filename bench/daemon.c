/*
 * daemon.c - what the daemon costs its node: processor time, memory, and noise to programs that want all CPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promises (design section 8): at 1 Hz x 16 file meters ≤ 0.1 % of a core and ≤ 12 MB; fixed work (p99.9) and a barrier loop
 * ≤ 0.1 % apart with and without it; with 100 jobs ≤ 1 % of a core. Peers in the same run: a bare loop of the same system calls, and
 * prometheus-node-exporter scraped once a second where it is installed. With and without take turns: between, the daemon is stopped (SIGSTOP).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "support/bare.h"
#include "support/figures.h"
#include "support/node_exporter.h"
#include "support/node_jobs.h"
#include "support/noise.h"
#include "support/process.h"
#include "support/scratch.h"

#define N_METERS 16
#define N_JOBS 100U
#define CPU_MAX_PERCENT 0.1
#define JOBS_CPU_MAX_PERCENT 1.0
#define RSS_MAX_KB (12 * 1024)
#define NOISE_MAX_PERCENT 0.1
#define QUANTUM_NS ES_NS_PER_MS
#define READY_NS (20 * ES_NS_PER_S)
#define SETTLE_NS (3 * ES_NS_PER_S / 2)

/* A node's daemon, or a peer of it. */
struct running {
	pid_t pid;
	struct es_bench_figures percent; /* of a core, round by round */
};

struct bench {
	const char *daemon;
	bool is_quick;
	unsigned n_rounds, n_cpus;
	int64_t part_ns; /* one measurement */
	struct es_scratch scratch;
	struct es_tree tree;
	struct es_node_jobs none, jobs; /* a machine without jobs, and one with many */
	char socket[512];
	struct running ours, with_jobs, bare, exporter;
	int64_t rss_kb, jobs_rss_kb;
	struct es_noise quanta[2], barrier[2]; /* without, with */
	struct es_bench_figures quanta_ratio, barrier_ratio;
	struct es_bench_figures quanta_ticks[2], barrier_ticks[2]; /* ns a second */
};

static int write_text(const char *path, const char *text)
{
	es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : es_write_all(fd, text, strlen(text));
}

static int wait_for_socket(const char *path, pid_t pid)
{
	int64_t until_ns = es_clock_mono_ns() + READY_NS;

	while (es_clock_mono_ns() < until_ns) {
		if (access(path, F_OK) == 0)
			return 0;
		if (kill(pid, 0) < 0)
			return -ECHILD;
		(void)usleep(10000);
	}
	return -ETIMEDOUT;
}

/* @name: of its socket and its folder; @jobs: its processes and cgroups. */
static int start_daemon(struct bench *bench, const char *name, const struct es_node_jobs *jobs,
			struct running *ret)
{
	char config[512], text[2048], log[512];
	char *argv[] = { (char *)bench->daemon,
			 "--config",
			 config,
			 "--root",
			 bench->tree.root,
			 "--jobs-root",
			 (char *)jobs->root,
			 "--socket",
			 bench->socket,
			 NULL };
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(config, sizeof(config), "%s/%s.yaml", bench->scratch.path, name);
	(void)snprintf(log, sizeof(log), "%s/%s.log", bench->scratch.path, name);
	(void)snprintf(bench->socket, sizeof(bench->socket), "%s/%s.socket", bench->scratch.path,
		       name);
	(void)snprintf(text, sizeof(text), "period: 1s\nspool: %s/%s\n", bench->scratch.path, name);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_text(config, text) < 0)
		return -EIO;
	ret->pid = es_bench_spawn(argv, fd, ES_BENCH_ANY_CPU);
	return ret->pid < 0 ? ret->pid : wait_for_socket(bench->socket, ret->pid);
}

static void stop(struct running *running)
{
	if (running->pid <= 0)
		return;
	(void)kill(running->pid, SIGCONT);
	(void)kill(running->pid, SIGTERM);
	(void)es_bench_wait(running->pid, NULL);
	running->pid = 0;
}

static int64_t resident_kb(pid_t pid)
{
	char path[64], line[256];
	int64_t kb = -1;
	es_cleanup(es_fclosep) FILE *file = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "VmHWM: %" SCNd64, &kb);
	return kb;
}

/* Some processes for some seconds: counters go on, the exporter is scraped, all once a second. */
static int watch(struct bench *bench, struct running **running, size_t n, unsigned seconds)
{
	struct es_bench_use before[4], after;
	int64_t next_ns = es_clock_mono_ns();
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = es_bench_use(running[i]->pid, &before[i]);
	for (unsigned i = 0; r == 0 && i < seconds; i++) {
		es_scratch_play(&bench->tree, 1000);
		if (bench->exporter.pid > 0)
			r = es_node_exporter_scrape();
		next_ns += ES_NS_PER_S;
		es_bench_sleep(next_ns);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = es_bench_use(running[i]->pid, &after);
		if (r == 0)
			es_bench_add(&running[i]->percent,
				     100.0 * (double)(after.cpu_ns - before[i].cpu_ns) /
					     (double)(after.t_ns - before[i].t_ns));
	}
	return r;
}

static int start_bare(struct bench *bench)
{
	char out[512];
	char *argv[] = { "/proc/self/exe", "--bare", bench->tree.root, out, NULL };

	(void)snprintf(out, sizeof(out), "%s/bare", bench->scratch.path);
	bench->bare.pid = es_bench_spawn(argv, -1, ES_BENCH_ANY_CPU);
	return bench->bare.pid < 0 ? bench->bare.pid : 0;
}

/* All at the same time: what else runs on this machine hits all of them. */
static int measure_cost(struct bench *bench)
{
	struct running *all[4] = { &bench->ours, &bench->bare };
	size_t n = 2;
	int r = start_daemon(bench, "daemon", &bench->none, &bench->ours);

	if (r == 0)
		r = start_bare(bench);
	if (r == 0 && (bench->exporter.pid = es_node_exporter_start(bench->tree.root)) > 0)
		all[n++] = &bench->exporter;
	es_bench_sleep(es_clock_mono_ns() + 2 * SETTLE_NS);
	for (unsigned i = 0; r == 0 && i < bench->n_rounds; i++)
		r = watch(bench, all, n, bench->is_quick ? 2 : 10);
	bench->rss_kb = resident_kb(bench->ours.pid);
	stop(&bench->bare);
	stop(&bench->exporter);
	return r;
}

static int measure_noise(struct bench *bench)
{
	uint64_t n_steps = es_noise_calibrate(QUANTUM_NS);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < bench->n_rounds; i++) {
		struct es_noise quanta[2] = { { .n = 0 } }, barrier[2] = { { .n = 0 } };

		for (unsigned turn = 0; r == 0 && turn < 2; turn++) {
			bool is_with = (i + turn) % 2;

			(void)kill(bench->ours.pid, is_with ? SIGCONT : SIGSTOP);
			es_bench_sleep(es_clock_mono_ns() + SETTLE_NS);
			r = es_noise_quanta(&quanta[is_with], n_steps, bench->part_ns);
			if (r == 0)
				r = es_noise_barrier(&barrier[is_with], n_steps, bench->part_ns);
		}
		for (unsigned j = 0; r == 0 && j < 2; j++) {
			es_noise_at_ticks(&quanta[j], bench->n_cpus, &bench->quanta_ticks[j]);
			es_noise_at_ticks(&barrier[j], 1, &bench->barrier_ticks[j]);
		}
		if (r == 0) {
			es_bench_add(&bench->quanta_ratio,
				     es_noise_quantile(&quanta[1], 0.999) /
					     es_noise_quantile(&quanta[0], 0.999));
			es_bench_add(&bench->barrier_ratio,
				     es_noise_mean(&barrier[1]) / es_noise_mean(&barrier[0]));
		}
		for (unsigned j = 0; j < 2; j++) {
			es_noise_take(&bench->quanta[j], &quanta[j]);
			es_noise_take(&bench->barrier[j], &barrier[j]);
		}
	}
	(void)kill(bench->ours.pid, SIGCONT);
	return r;
}

static int measure_jobs(struct bench *bench)
{
	struct running *all[] = { &bench->with_jobs };
	int r = start_daemon(bench, "jobs", &bench->jobs, &bench->with_jobs);

	if (r == 0)
		r = es_node_jobs_begin(bench->socket, N_JOBS);
	es_bench_sleep(es_clock_mono_ns() + 2 * SETTLE_NS);
	for (unsigned i = 0; r == 0 && i < bench->n_rounds; i++)
		r = watch(bench, all, 1, bench->is_quick ? 2 : 10);
	if (r == 0)
		bench->jobs_rss_kb = resident_kb(bench->with_jobs.pid);
	stop(&bench->with_jobs);
	return r;
}

static double median(const struct es_bench_figures *figures)
{
	return es_bench_quantile(figures, 0.5);
}

static void print_cost(const char *what, const struct running *running, double against)
{
	(void)printf("  %-40s %8.4f %8.4f %8.4f", what, median(&running->percent),
		     es_bench_quantile(&running->percent, 0.1),
		     es_bench_quantile(&running->percent, 0.9));
	if (against > 0)
		(void)printf(" %8.2f", median(&running->percent) / against);
	(void)printf("\n");
}

static void print_noise(const char *what, struct es_noise noise[static 2])
{
	static const double quantiles[] = { 0.5, 0.99, 0.999 };

	for (unsigned i = 0; i < 2; i++) {
		(void)printf("  %-26s %-12s %9zu %10.1f", what, i ? "with" : "without", noise[i].n,
			     es_noise_mean(&noise[i]) / 1000);
		for (size_t j = 0; j < ES_ARRAY_SIZE(quantiles); j++)
			(void)printf(" %10.1f", es_noise_quantile(&noise[i], quantiles[j]) / 1000);
		(void)printf("\n");
	}
}

/* What is lost at each whole second, when the daemon reads: of that second, in per cent. */
static void print_ticks(const char *what, const struct es_bench_figures ticks[static 2])
{
	double half, without_half, mean = es_bench_mean(&ticks[1], &half),
				   without = es_bench_mean(&ticks[0], &without_half);
	double percent = mean / 1e7, half_percent = half / 1e7;

	(void)printf("%s: %.4f %% +- %.4f with, %.4f %% +- %.4f without, <= %.1f %%: %s\n", what,
		     percent, half_percent, without / 1e7, without_half / 1e7, NOISE_MAX_PERCENT,
		     percent + half_percent <= NOISE_MAX_PERCENT  ? "PASS"
		     : percent - half_percent > NOISE_MAX_PERCENT ? "OVER THE BAR"
								  : "not told apart");
}

/* Of ratios with to without, less one, in per cent, with the 95 % interval of their mean. */
static void print_ratio(const char *what, const struct es_bench_figures *ratios)
{
	double half, mean = 100 * (es_bench_mean(ratios, &half) - 1);

	half *= 100;
	(void)printf("%s: %+.3f %% +- %.3f (median %+.3f) <= %.1f %%: %s\n", what, mean, half,
		     100 * (median(ratios) - 1), NOISE_MAX_PERCENT,
		     mean + half <= NOISE_MAX_PERCENT  ? "PASS"
		     : mean - half > NOISE_MAX_PERCENT ? "OVER THE BAR"
						       : "not told apart from what else runs here");
}

static void print_all(struct bench *bench)
{
	double bare = median(&bench->bare.percent), ours = median(&bench->ours.percent),
	       jobs = median(&bench->with_jobs.percent);

	(void)printf("%% of a core, 1 Hz x %d meters, %u rounds        median     10 %%     90 %%"
		     "   x bare\n",
		     N_METERS, bench->n_rounds);
	print_cost("bare loop of the same calls", &bench->bare, 0);
	print_cost("energyscopiumd", &bench->ours, bare);
	if (bench->exporter.percent.n)
		print_cost("prometheus-node-exporter, scraped", &bench->exporter, bare);
	print_cost("energyscopiumd with 100 jobs", &bench->with_jobs, bare);
	(void)printf("us                                              n       mean"
		     "       p50        p99      p99.9\n");
	print_noise("1 ms of work", bench->quanta);
	print_noise("1 ms of work, a barrier", bench->barrier);
	print_ticks("fixed work, at whole seconds", bench->quanta_ticks);
	print_ticks("barrier, at whole seconds", bench->barrier_ticks);
	(void)printf("processor: %.4f %% <= %.1f %%: %s\n", ours, CPU_MAX_PERCENT,
		     es_bench_verdict(ours <= CPU_MAX_PERCENT));
	(void)printf("processor with %u jobs: %.4f %% <= %.0f %%: %s\n", N_JOBS, jobs,
		     JOBS_CPU_MAX_PERCENT, es_bench_verdict(jobs <= JOBS_CPU_MAX_PERCENT));
	(void)printf("resident memory: %" PRId64 " kB <= %d kB: %s (with jobs %" PRId64 " kB)\n",
		     bench->rss_kb, RSS_MAX_KB, es_bench_verdict(bench->rss_kb <= RSS_MAX_KB),
		     bench->jobs_rss_kb);
	print_ratio("fixed work, p99.9", &bench->quanta_ratio);
	print_ratio("barrier, mean", &bench->barrier_ratio);
}

static int run_all(struct bench *bench)
{
	int r = es_scratch_init(&bench->scratch);

	if (r == 0)
		r = es_scratch_tree(&bench->scratch, N_METERS, &bench->tree);
	if (r == 0)
		r = es_node_jobs_make(bench->scratch.path, "none", 0, &bench->none);
	if (r == 0)
		r = es_node_jobs_make(bench->scratch.path, "many", N_JOBS, &bench->jobs);
	if (r == 0)
		r = measure_cost(bench);
	if (r == 0)
		r = measure_noise(bench);
	stop(&bench->ours);
	if (r == 0)
		r = measure_jobs(bench);
	return r;
}

static int read_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = { { "daemon", required_argument, NULL, 'd' },
						 { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			bench->daemon = optarg;
		else if (c == 'q')
			bench->is_quick = true;
		else
			return -EINVAL;
	}
	bench->n_cpus = es_noise_n_cpus();
	bench->n_rounds = bench->is_quick ? 2 : 12;
	bench->part_ns = (bench->is_quick ? 2 : 5) * ES_NS_PER_S;
	return bench->daemon ? 0 : -EINVAL;
}

static void finish(struct bench *bench)
{
	stop(&bench->ours);
	stop(&bench->bare);
	stop(&bench->exporter);
	stop(&bench->with_jobs);
	for (unsigned i = 0; i < 2; i++) {
		es_noise_finish(&bench->quanta[i]);
		es_noise_finish(&bench->barrier[i]);
	}
	es_tree_close(&bench->tree);
	es_scratch_finish(&bench->scratch);
	free(bench);
}

int main(int argc, char **argv)
{
	struct bench *bench;
	int r;

	if (argc == 4 && strcmp(argv[1], "--bare") == 0)
		return es_bare_loop(argv[2], argv[3], ES_NS_PER_S, INT64_MAX);
	bench = calloc(1, sizeof(*bench));
	if (!bench)
		return 1;
	if (read_options(argc, argv, bench) < 0) {
		(void)fputs("usage: daemon --daemon ENERGYSCOPIUMD [--quick]\n", stderr);
		free(bench);
		return 2;
	}
	r = run_all(bench);
	if (r == 0)
		print_all(bench);
	else
		(void)fprintf(stderr, "daemon: could not run: %s\n", strerror(-r));
	finish(bench);
	return r < 0;
}
