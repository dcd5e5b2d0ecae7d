/*
 * report.c - time and memory of report and profile, beside reading the recording alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promises: the report of 10 minutes at 100 Hz x 8 domains, with its regions, is there in less than 100 ms, its picture
 * in less than 300 ms; 24 hours at 10 Hz x 8 take less than 100 MB of memory. Each is the whole life of the program,
 * from fork to its end. The floor is a process that reads and decodes the same file and does nothing with it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "record/recording.h"
#include "support/figures.h"
#include "support/process.h"
#include "support/scratch.h"

#define REPORT_MAX_MS 100.0
#define PICTURE_MAX_MS 300.0
#define RSS_MAX_KB 100000

/* One way to look at a recording. */
struct look {
	const char *name;
	const char *command, *option, *file; /* NULL: none; command NULL: the floor */
	struct es_bench_figures ms;
	int64_t rss_kb;
};

enum {
	FLOOR,
	REPORT,
	SVG,
	PNG,
	PDF,
	HTML,
	TERMINAL,
	PAGE,
	N_LOOKS
};

struct bench {
	const char *program, *demo;
	unsigned n_rounds, n_long_rounds;
	struct es_scratch scratch;
	struct look fast[N_LOOKS], whole_day[N_LOOKS];
};

static const struct look looks[N_LOOKS] = {
	[FLOOR] = { .name = "reading and decoding alone" },
	[REPORT] = { .name = "report", .command = "report" },
	[SVG] = { .name = "profile --svg",
		  .command = "profile",
		  .option = "--svg",
		  .file = "p.svg" },
	[PNG] = { .name = "profile --png",
		  .command = "profile",
		  .option = "--png",
		  .file = "p.png" },
	[PDF] = { .name = "profile --pdf",
		  .command = "profile",
		  .option = "--pdf",
		  .file = "p.pdf" },
	[HTML] = { .name = "profile --html",
		   .command = "profile",
		   .option = "--html",
		   .file = "p.html" },
	[TERMINAL] = { .name = "profile --term", .command = "profile", .option = "--term" },
	[PAGE] = { .name = "report --html",
		   .command = "report",
		   .option = "--html",
		   .file = "r.html" },
};

static int count_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value,
			 int64_t activity_ns)
{
	uint64_t *sum = arg;

	*sum += domain + value + (uint64_t)t_ns + (uint64_t)activity_ns;
	return 0;
}

/* The floor, in a process of its own. */
static int decode(const char *path)
{
	const struct es_visitor visitor = { .reading = count_reading };
	struct es_recording *recording;
	uint64_t sum = 0;
	int r = es_recording_open(path, NULL, &recording, NULL);

	if (r < 0)
		return 1;
	r = es_recording_walk(recording, &visitor, &sum);
	es_recording_close(recording);
	return r < 0 || sum == 0;
}

static int look_once(const struct bench *bench, const char *recording, struct look *look)
{
	char path[512], file[512];
	char *argv[6] = { NULL };
	size_t n = 0;
	int64_t t0_ns, rss_kb;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/%s", bench->scratch.path, recording);
	argv[n++] = look->command ? (char *)bench->program : "/proc/self/exe";
	argv[n++] = look->command ? (char *)look->command : "--decode";
	if (look->option)
		argv[n++] = (char *)look->option;
	if (look->file) {
		(void)snprintf(file, sizeof(file), "%s/%s", bench->scratch.path, look->file);
		argv[n++] = file;
	}
	argv[n++] = path;
	t0_ns = es_clock_mono_ns();
	pid = es_bench_spawn(argv, -1, ES_BENCH_ANY_CPU);
	if (pid < 0 || es_bench_wait(pid, &rss_kb) != 0)
		return -ECHILD;
	es_bench_add(&look->ms, (double)(es_clock_mono_ns() - t0_ns) / (double)ES_NS_PER_MS);
	look->rss_kb = rss_kb > look->rss_kb ? rss_kb : look->rss_kb;
	return 0;
}

static int make_recording(const struct bench *bench, const char *name, const char *file)
{
	char path[512];
	char *argv[] = { (char *)bench->demo, (char *)name, path, NULL };
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/%s", bench->scratch.path, file);
	pid = es_bench_spawn(argv, -1, ES_BENCH_ANY_CPU);
	return pid < 0 || es_bench_wait(pid, NULL) != 0 ? -ECHILD : 0;
}

static int run_all(struct bench *bench)
{
	int r = es_scratch_init(&bench->scratch);

	memcpy(bench->fast, looks, sizeof(looks));
	memcpy(bench->whole_day, looks, sizeof(looks));
	if (r == 0)
		r = make_recording(bench, "fast", "fast.esr");
	if (r == 0)
		r = make_recording(bench, "long", "long.esr");
	for (unsigned round = 0; r == 0 && round < bench->n_rounds; round++)
		for (size_t i = 0; r == 0 && i < N_LOOKS; i++)
			r = look_once(bench, "fast.esr", &bench->fast[i]);
	for (unsigned round = 0; r == 0 && round < bench->n_long_rounds; round++)
		for (size_t i = 0; r == 0 && i < N_LOOKS; i++)
			r = look_once(bench, "long.esr", &bench->whole_day[i]);
	return r;
}

static double median(const struct look *look)
{
	return es_bench_quantile(&look->ms, 0.5);
}

static void print_looks(const struct look *of)
{
	for (size_t i = 0; i < N_LOOKS; i++)
		(void)printf("  %-28s %8.1f %8.1f %8.1f %8.2f %10" PRId64 "\n", of[i].name,
			     median(&of[i]), es_bench_quantile(&of[i].ms, 0.1),
			     es_bench_quantile(&of[i].ms, 0.9), median(&of[i]) / median(&of[FLOOR]),
			     of[i].rss_kb);
}

static void print_all(const struct bench *bench)
{
	double picture_ms = 0;
	int64_t rss_kb = 0;

	(void)printf(
		"whole life of a process, ms       median     10 %%     90 %%  x floor   RSS (kB)\n");
	(void)printf("10 min at 100 Hz x 8 domains, regions; %u rounds\n", bench->n_rounds);
	print_looks(bench->fast);
	(void)printf("24 h at 10 Hz x 8 domains; %u rounds\n", bench->n_long_rounds);
	print_looks(bench->whole_day);
	for (size_t i = SVG; i < N_LOOKS; i++)
		picture_ms = median(&bench->fast[i]) > picture_ms ? median(&bench->fast[i])
								  : picture_ms;
	for (size_t i = REPORT; i < N_LOOKS; i++)
		rss_kb = bench->whole_day[i].rss_kb > rss_kb ? bench->whole_day[i].rss_kb : rss_kb;
	(void)printf("report of 10 minutes: %.1f ms < %.0f ms: %s\n", median(&bench->fast[REPORT]),
		     REPORT_MAX_MS, es_bench_verdict(median(&bench->fast[REPORT]) < REPORT_MAX_MS));
	(void)printf("slowest picture of them: %.1f ms < %.0f ms: %s\n", picture_ms, PICTURE_MAX_MS,
		     es_bench_verdict(picture_ms < PICTURE_MAX_MS));
	(void)printf("memory over 24 hours, the most of all: %" PRId64 " kB < %d kB: %s\n", rss_kb,
		     RSS_MAX_KB, es_bench_verdict(rss_kb < RSS_MAX_KB));
}

static int read_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = { { "program", required_argument, NULL, 'p' },
						 { "demo", required_argument, NULL, 'd' },
						 { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	int c;

	bench->n_rounds = 21;
	bench->n_long_rounds = 5;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p') {
			bench->program = optarg;
		} else if (c == 'd') {
			bench->demo = optarg;
		} else if (c == 'q') {
			bench->n_rounds = 5;
			bench->n_long_rounds = 1;
		} else {
			return -EINVAL;
		}
	}
	return bench->program && bench->demo ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct bench *bench;
	int r;

	if (argc == 3 && strcmp(argv[1], "--decode") == 0)
		return decode(argv[2]);
	bench = calloc(1, sizeof(*bench));
	if (!bench)
		return 1;
	if (read_options(argc, argv, bench) < 0) {
		(void)fprintf(stderr, "usage: bench_report --program ENERGYSCOPIUM --demo ES-DEMO "
				      "[--quick]\n");
		free(bench);
		return 2;
	}
	r = run_all(bench);
	if (r == 0)
		print_all(bench);
	else
		(void)fprintf(stderr, "report: %s (PNG and PDF need libcairo2)\n", es_strerror(r));
	es_scratch_finish(&bench->scratch);
	free(bench);
	return r < 0;
}
