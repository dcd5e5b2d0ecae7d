/*
 * startstop.c - time that run adds before and after a command, beside plain fork and exec
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promises (design section 8): with 16 file meters less than 20 ms before and less than 50 ms after the command, also
 * when it ran for an hour at 10 Hz. The command notes when it began and when it ended; the rest is ours. For the
 * hour a recording of 36,000 sweeps is made, and the code that ends a run reads it and writes report and eprofile.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/output.h"
#include "support/figures.h"
#include "support/hour.h"
#include "support/process.h"
#include "support/scratch.h"

#define N_METERS 16
#define BEFORE_MAX_MS 20.0
#define AFTER_MAX_MS 50.0
#define RSS_MAX_KB 5000
#define HOUR_SWEEPS 36000
#define SHORT_SWEEPS 12

/* Milliseconds before and after the command, round by round. */
struct times {
	struct es_bench_figures before, after;
};

struct ending {
	struct es_bench_figures report, eprofile, all;
	int64_t rss_kb;
};

struct bench {
	const char *program;
	unsigned n_rounds, n_endings;
	struct es_scratch scratch;
	struct es_tree tree;
	struct times plain, ours;
	struct ending of_hour, of_short;
	int64_t hour_bytes;
};

/* The command: when it began and when it ended, to a file. */
static int stamp(const char *path)
{
	int64_t start_ns = es_clock_mono_ns();
	char text[64];
	es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int n = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 "\n", start_ns,
			 es_clock_mono_ns());

	return fd < 0 || write(fd, text, (size_t)n) != n;
}

static double ms_from_ns(int64_t dur_ns)
{
	return (double)dur_ns / (double)ES_NS_PER_MS;
}

static int run_once(struct bench *bench, bool is_ours, unsigned round)
{
	char self[256], out[512], name[32], noted[512];
	char *ours[] = { (char *)bench->program,
			 "run",
			 "--root",
			 bench->tree.root,
			 "--out",
			 out,
			 "--name",
			 name,
			 "--",
			 self,
			 "--stamp",
			 noted,
			 NULL };
	struct times *times = is_ours ? &bench->ours : &bench->plain;
	es_cleanup(es_fclosep) FILE *file = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int64_t t0_ns, t1_ns, start_ns, stop_ns;
	pid_t pid;

	if (n < 0)
		return -errno;
	self[n] = '\0';
	(void)snprintf(out, sizeof(out), "%s/out", bench->scratch.path);
	(void)snprintf(noted, sizeof(noted), "%s/noted", bench->scratch.path);
	(void)snprintf(name, sizeof(name), "job-%u", round);
	t0_ns = es_clock_mono_ns();
	pid = es_bench_spawn(is_ours ? ours : ours + 9, -1, ES_BENCH_ANY_CPU);
	if (pid < 0 || es_bench_wait(pid, NULL) != 0)
		return -ECHILD;
	t1_ns = es_clock_mono_ns();
	file = fopen(noted, "re");
	if (!file || fscanf(file, "%" SCNd64 " %" SCNd64, &start_ns, &stop_ns) != 2)
		return -ENODATA;
	(void)unlink(noted);
	es_bench_add(&times->before, ms_from_ns(start_ns - t0_ns));
	es_bench_add(&times->after, ms_from_ns(t1_ns - stop_ns));
	return 0;
}

/* What the program does when the command has ended (src/cli/run.c), in a process of its own; prints ns and kB. */
static int end_run(const char *recording, const char *eprofile)
{
	const struct es_profile_options options = { .is_full = false };
	struct es_chain chain = { .has_profile = true };
	struct es_outcome outcome;
	struct es_error err = { .code = 0 };
	struct rusage usage;
	struct es_buf text;
	int64_t t0_ns = es_clock_mono_ns(), t1_ns, t2_ns;
	int r = es_chain_load(&chain, &err);

	if (r == 0)
		r = es_outcome_open(recording, NULL, &chain, &outcome, &err);
	if (r < 0) {
		(void)fprintf(stderr, "startstop: %s\n", err.text);
		return 1;
	}
	es_buf_init(&text, 1U << 20);
	(void)es_report_line(&outcome.report, false, &text);
	(void)es_report_table(&outcome.report, &text);
	t1_ns = es_clock_mono_ns();
	r = es_write_eprofile(&outcome, &options, eprofile, true, &err);
	es_buf_finish(&text);
	es_outcome_finish(&outcome);
	t2_ns = es_clock_mono_ns();
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("%" PRId64 " %" PRId64 " %ld\n", t1_ns - t0_ns, t2_ns - t1_ns,
		     usage.ru_maxrss);
	return r < 0;
}

static int end_once(struct bench *bench, const char *name, struct ending *ending)
{
	char recording[512], eprofile[512], noted[512];
	char *argv[] = { "/proc/self/exe", "--end", recording, eprofile, NULL };
	es_cleanup(es_closep) int fd = -1;
	es_cleanup(es_fclosep) FILE *file = NULL;
	int64_t report_ns, eprofile_ns, rss_kb;
	pid_t pid;

	(void)snprintf(recording, sizeof(recording), "%s/%s.esr", bench->scratch.path, name);
	(void)snprintf(eprofile, sizeof(eprofile), "%s/%s.json", bench->scratch.path, name);
	(void)snprintf(noted, sizeof(noted), "%s/ended", bench->scratch.path);
	fd = open(noted, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid = fd < 0 ? -errno : es_bench_spawn(argv, fd, ES_BENCH_ANY_CPU);
	if (pid < 0 || es_bench_wait(pid, NULL) != 0)
		return -ECHILD;
	file = fopen(noted, "re");
	if (!file || fscanf(file, "%" SCNd64 " %" SCNd64 " %" SCNd64, &report_ns, &eprofile_ns,
			    &rss_kb) != 3)
		return -ENODATA;
	es_bench_add(&ending->report, ms_from_ns(report_ns));
	es_bench_add(&ending->eprofile, ms_from_ns(eprofile_ns));
	es_bench_add(&ending->all, ms_from_ns(report_ns + eprofile_ns));
	ending->rss_kb = rss_kb > ending->rss_kb ? rss_kb : ending->rss_kb;
	return 0;
}

static int make_recordings(struct bench *bench)
{
	static const struct {
		const char *name;
		unsigned n_sweeps;
	} wanted[] = { { "hour", HOUR_SWEEPS }, { "short", SHORT_SWEEPS } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(wanted); i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s.esr", bench->scratch.path,
			       wanted[i].name);
		r = es_hour_write(bench->tree.root, path, wanted[i].n_sweeps);
		if (r == 0 && wanted[i].n_sweeps == HOUR_SWEEPS)
			bench->hour_bytes = es_hour_file_bytes(path);
	}
	return r;
}

static int run_all(struct bench *bench)
{
	int r = es_scratch_init(&bench->scratch);

	if (r == 0)
		r = es_scratch_tree(&bench->scratch, N_METERS, &bench->tree);
	for (unsigned round = 0; r == 0 && round < bench->n_rounds; round++) {
		/* Counters that never move would make the report look for other meters. */
		es_scratch_play(&bench->tree, 1);
		r = run_once(bench, round % 2, round);
		if (r == 0)
			r = run_once(bench, !(round % 2), round);
	}
	if (r == 0)
		r = make_recordings(bench);
	for (unsigned i = 0; r == 0 && i < bench->n_endings; i++) {
		r = end_once(bench, "hour", &bench->of_hour);
		if (r == 0)
			r = end_once(bench, "short", &bench->of_short);
	}
	return r;
}

static double median(const struct es_bench_figures *figures)
{
	return es_bench_quantile(figures, 0.5);
}

static void print_times(const char *what, const struct es_bench_figures *figures)
{
	(void)printf("  %-34s %8.2f %8.2f %8.2f\n", what, median(figures),
		     es_bench_quantile(figures, 0.1), es_bench_quantile(figures, 0.9));
}

static void print_all(const struct bench *bench)
{
	double before = median(&bench->ours.before) - median(&bench->plain.before),
	       after = median(&bench->ours.after) - median(&bench->plain.after),
	       hour = after + median(&bench->of_hour.all) - median(&bench->of_short.all);

	(void)printf("ms, %u rounds                          median      10 %%     90 %%\n",
		     bench->n_rounds);
	print_times("plain fork and exec, before", &bench->plain.before);
	print_times("run with 16 file meters, before", &bench->ours.before);
	print_times("plain fork and exec, after", &bench->plain.after);
	print_times("run with 16 file meters, after", &bench->ours.after);
	(void)printf("an hour at 10 Hz x 16 (%" PRId64 " bytes), %u rounds\n", bench->hour_bytes,
		     bench->n_endings);
	print_times("its report", &bench->of_hour.report);
	print_times("its eprofile", &bench->of_hour.eprofile);
	print_times("both, for one second instead", &bench->of_short.all);
	(void)printf("added before: %.2f ms < %.0f ms: %s\n", before, BEFORE_MAX_MS,
		     es_bench_verdict(before < BEFORE_MAX_MS));
	(void)printf("added after: %.2f ms < %.0f ms: %s\n", after, AFTER_MAX_MS,
		     es_bench_verdict(after < AFTER_MAX_MS));
	(void)printf("added after an hour: %.2f ms < %.0f ms: %s\n", hour, AFTER_MAX_MS,
		     es_bench_verdict(hour < AFTER_MAX_MS));
	(void)printf("resident memory at the end of the hour: %" PRId64 " kB <= %d kB: %s\n",
		     bench->of_hour.rss_kb, RSS_MAX_KB,
		     es_bench_verdict(bench->of_hour.rss_kb <= RSS_MAX_KB));
}

static int read_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = { { "program", required_argument, NULL, 'p' },
						 { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	int c;

	bench->n_rounds = 50;
	bench->n_endings = 21;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p') {
			bench->program = optarg;
		} else if (c == 'q') {
			bench->n_rounds = 20;
			bench->n_endings = 5;
		} else {
			return -EINVAL;
		}
	}
	return bench->program ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct bench *bench;
	int r;

	if (argc == 3 && strcmp(argv[1], "--stamp") == 0)
		return stamp(argv[2]);
	if (argc == 4 && strcmp(argv[1], "--end") == 0)
		return end_run(argv[2], argv[3]);
	bench = calloc(1, sizeof(*bench));
	if (!bench)
		return 1;
	if (read_options(argc, argv, bench) < 0) {
		(void)fputs("usage: startstop --program ENERGYSCOPIUM [--quick]\n", stderr);
		free(bench);
		return 2;
	}
	r = run_all(bench);
	if (r == 0)
		print_all(bench);
	else
		(void)fprintf(stderr, "startstop: could not run: %s\n", strerror(-r));
	es_tree_close(&bench->tree);
	es_scratch_finish(&bench->scratch);
	free(bench);
	return r < 0;
}
