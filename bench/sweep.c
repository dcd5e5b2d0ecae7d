/*
 * sweep.c - CPU time and missed deadlines of run, beside a bare loop of the same calls and beside perf stat
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promises (design section 8): CPU at most 1.15 times the bare loop's; missed deadlines at most its and 0.1 point;
 * resident memory of run at most 5 MB with 16 file meters; 10 Hz times 16 domains at most 0.2 % of a core.
 *
 * What is measured is the program itself, from outside, while it runs: its CPU clock (ns) at two moments. Its start
 * and its report are not in that; bench/startstop has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/bare.h"
#include "support/figures.h"
#include "support/process.h"
#include "support/scratch.h"

#define RATIO_MAX 1.15
#define MISSED_MAX_POINTS 0.1
#define RSS_MAX_KB 5000
#define CPU_MAX_PERCENT_10_HZ 0.2

#define SETTLE_NS (250 * ES_NS_PER_MS)
#define START_MIN_NS (3 * ES_NS_PER_MS)
#define START_MAX_NS (40 * ES_NS_PER_MS)
#define PLAY_NS (20 * ES_NS_PER_MS)
#define SLOW_HZ 10 /* up to here all loops run side by side, above one after the other */
#define TOGETHER_MAX 32
#define COPIES_1_HZ 3 /* so few sweeps tell little: more loops of them */

enum who {
	WHO_OURS,
	WHO_BARE,
	WHO_PERF,
	N_WHO,
};

static const unsigned all_hz[] = { 1, 10, 100, 1000 };
static const unsigned all_meters[] = { 4, 16 };

#define N_HZ ES_ARRAY_SIZE(all_hz)
#define N_METERS ES_ARRAY_SIZE(all_meters)

/* What was seen of one loop at one rate, with one number of meters, under one load. */
struct seen {
	struct es_bench_figures percent, us_a_sweep, missed_percent;
	int64_t rss_kb;
};

struct cell {
	unsigned hz, n_meters;
	bool is_busy, is_left_out;
	struct seen by[N_WHO];
	/* Ours to bare, round by round. */
	struct es_bench_figures ratios, more_missed;
};

struct bench {
	const char *program, *self;
	bool is_quick, has_perf;
	unsigned n_rounds, only_hz, only_meters; /* 0: all */
	const char *only_load;
	int64_t slow_ns, fast_ns;
	int cpu; /* all loops run on the same one: where the scheduler puts them is not what is compared */
	char perf_event[64];
	struct es_scratch scratch;
	struct es_tree trees[N_METERS];
	struct cell cells[2][N_HZ][N_METERS];
};

/* A loop that runs now. */
struct loop {
	struct cell *cell;
	enum who who;
	pid_t pid;
	char out[300];
	struct es_bench_use from, to;
	int64_t dur_ns; /* of the whole loop */
};

static struct es_tree *tree_of(struct bench *bench, unsigned n_meters)
{
	return &bench->trees[n_meters == all_meters[0] ? 0 : 1];
}

static pid_t spawn_loop(struct bench *bench, struct loop *loop)
{
	const char *tree = tree_of(bench, loop->cell->n_meters)->root;
	char period[32], period_ms[32], period_ns[32], dur[32], dur_ns[32], json[400], folder[400];
	es_cleanup(es_closep) int fd = -1;
	const int64_t every_ns = ES_NS_PER_S / loop->cell->hz, every_us = every_ns / ES_NS_PER_US,
		      every_ms = every_ns / ES_NS_PER_MS;
	char *ours[] = { (char *)bench->program,
			 "run",
			 "--root",
			 (char *)tree,
			 "--period",
			 period,
			 "--out",
			 folder,
			 "--force",
			 "--name",
			 "bench",
			 json,
			 "--",
			 "sleep",
			 dur,
			 NULL };
	char *bare[] = { (char *)bench->self, "--bare", (char *)tree, folder,
			 period_ns,	      dur_ns,	NULL };
	char *perf[] = { "perf", "stat",    "-x,", "-o", loop->out,
			 "-I",	 period_ms, "-a",  "-e", bench->perf_event,
			 "--",	 "sleep",   dur,   NULL };

	(void)snprintf(period, sizeof(period), "%" PRId64 "us", every_us);
	(void)snprintf(period_ms, sizeof(period_ms), "%" PRId64, every_ms);
	(void)snprintf(period_ns, sizeof(period_ns), "%" PRId64, every_ns);
	(void)snprintf(dur, sizeof(dur), "%.3f", (double)loop->dur_ns / 1e9);
	(void)snprintf(dur_ns, sizeof(dur_ns), "%" PRId64, loop->dur_ns);
	(void)snprintf(folder, sizeof(folder), "%s.%s", loop->out,
		       loop->who == WHO_OURS ? "d" : "bytes");
	(void)snprintf(json, sizeof(json), "--json=%s", loop->out);
	if (loop->who != WHO_BARE)
		return es_bench_spawn(loop->who == WHO_OURS ? ours : perf, -1, bench->cpu);
	fd = open(loop->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : es_bench_spawn(bare, fd, bench->cpu);
}

static void add_missed(struct seen *seen, double n_missed, double n_planned)
{
	es_bench_add(&seen->missed_percent, n_planned > 0 ? 100.0 * n_missed / n_planned : 0.0);
}

/* From the report: how long it sampled, and how many deadlines it missed in that time. */
static int count_ours(const struct loop *loop, struct seen *seen)
{
	json_t *root = json_load_file(loop->out, 0, NULL), *quality, *job, *missed;
	int r = -ENODATA;

	quality = json_object_get(root, "quality");
	job = json_object_get(root, "job");
	missed = json_object_get(quality, "missed");
	if (json_is_integer(missed)) {
		double dur_s = json_number_value(json_object_get(job, "duration_s"));

		add_missed(seen, (double)json_integer_value(missed), dur_s * loop->cell->hz);
		r = 0;
	}
	json_decref(root);
	return r;
}

static int count_bare(const struct loop *loop, struct seen *seen)
{
	es_cleanup(es_fclosep) FILE *file = fopen(loop->out, "re");
	uint64_t n_planned, n_missed;

	if (!file || fscanf(file, "%" SCNu64 " %" SCNu64, &n_planned, &n_missed) != 2)
		return -ENODATA;
	add_missed(seen, (double)n_missed, (double)n_planned);
	return 0;
}

/* A line for each interval; what is less than planned was missed (its intervals have no deadlines). */
static int count_perf(const struct loop *loop, struct seen *seen)
{
	es_cleanup(es_fclosep) FILE *file = fopen(loop->out, "re");
	char line[512];
	double t_s, last_s = 0, n_planned;
	unsigned n = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " %lf,", &t_s) == 1) {
			n++;
			last_s = t_s;
		}
	n_planned = floor(last_s * loop->cell->hz + 0.5);
	add_missed(seen, fmax(n_planned - n, 0), n_planned);
	return n ? 0 : -ENODATA;
}

static int end_loop(struct loop *loop)
{
	struct seen *seen = &loop->cell->by[loop->who];
	int64_t rss_kb = 0, cpu_ns = loop->to.cpu_ns - loop->from.cpu_ns,
		dur_ns = loop->to.t_ns - loop->from.t_ns;
	uint64_t n_wakes = loop->to.n_wakes - loop->from.n_wakes;
	int status = es_bench_wait(loop->pid, &rss_kb);

	loop->pid = -1;
	if (status != 0 || n_wakes == 0)
		return -ECHILD;
	seen->rss_kb = rss_kb > seen->rss_kb ? rss_kb : seen->rss_kb;
	es_bench_add(&seen->percent, 100.0 * (double)cpu_ns / (double)dur_ns);
	es_bench_add(&seen->us_a_sweep, (double)cpu_ns / 1e3 / (double)n_wakes);
	switch (loop->who) {
	case WHO_OURS:
		return count_ours(loop, seen);
	case WHO_BARE:
		return count_bare(loop, seen);
	case WHO_PERF:
		return count_perf(loop, seen);
	case N_WHO:
		break;
	}
	return -EINVAL;
}

/* The counters move while the loops look at them. */
static void play_until(struct bench *bench, int64_t until_mono_ns)
{
	for (int64_t now_ns = es_clock_mono_ns(); now_ns < until_mono_ns;
	     now_ns = es_clock_mono_ns()) {
		es_bench_sleep(now_ns + PLAY_NS < until_mono_ns ? now_ns + PLAY_NS : until_mono_ns);
		for (size_t i = 0; i < N_METERS; i++)
			es_scratch_play(&bench->trees[i], (unsigned)(PLAY_NS / ES_NS_PER_MS));
	}
}

/* Loops side by side: all are looked at over the same @window_ns. */
static int run_together(struct bench *bench, struct loop *loops, size_t n, int64_t window_ns)
{
	int failure = 0;

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(loops[i].out, sizeof(loops[i].out), "%s/%zu", bench->scratch.path,
			       i);
		/* Never in the same step with each other: who comes second finds warm caches. */
		loops[i].dur_ns = window_ns + 2 * SETTLE_NS + (int64_t)(n - i) * START_MAX_NS;
		loops[i].pid = spawn_loop(bench, &loops[i]);
		if (loops[i].pid < 0)
			failure = (int)loops[i].pid;
		es_bench_sleep(es_clock_mono_ns() + START_MIN_NS +
			       rand() % (START_MAX_NS - START_MIN_NS));
	}
	play_until(bench, es_clock_mono_ns() + SETTLE_NS);
	for (size_t i = 0; i < n; i++)
		if (es_bench_use(loops[i].pid, &loops[i].from) < 0)
			failure = -ECHILD;
	play_until(bench, es_clock_mono_ns() + window_ns);
	for (size_t i = 0; i < n; i++)
		if (es_bench_use(loops[i].pid, &loops[i].to) < 0)
			failure = -ECHILD;
	for (size_t i = 0; i < n; i++) {
		int r = loops[i].pid > 0 ? end_loop(&loops[i]) : -ECHILD;

		if (r < 0) {
			(void)fprintf(stderr, "sweep: %s at %u Hz: %s\n",
				      loops[i].who == WHO_OURS	 ? "run"
				      : loops[i].who == WHO_BARE ? "bare loop"
								 : "perf",
				      loops[i].cell->hz, strerror(-r));
			failure = loops[i].who == WHO_PERF ? failure : r;
		}
	}
	return failure;
}

static void compare(struct cell *cell)
{
	const struct seen *ours = &cell->by[WHO_OURS], *bare = &cell->by[WHO_BARE];

	while (cell->ratios.n < ours->us_a_sweep.n && cell->ratios.n < bare->us_a_sweep.n) {
		size_t i = cell->ratios.n;

		es_bench_add(&cell->more_missed,
			     ours->missed_percent.values[i] - bare->missed_percent.values[i]);
		es_bench_add(&cell->ratios,
			     ours->us_a_sweep.values[i] / bare->us_a_sweep.values[i]);
	}
}

/* The slow loops of one number of meters, in pairs; who starts first changes. */
static size_t put_slow(struct bench *bench, struct cell *cell, unsigned round, struct loop *loops)
{
	unsigned n_copies = cell->hz == 1 && !bench->is_quick ? COPIES_1_HZ : 1;
	size_t n = 0;

	if (cell->is_left_out || cell->hz > SLOW_HZ)
		return 0;
	for (unsigned copy = 0; copy < n_copies; copy++)
		for (unsigned who = 0; who < 2; who++)
			loops[n++] = (struct loop){ .cell = cell,
						    .who = (who + copy + round) % 2 ? WHO_BARE
										    : WHO_OURS };
	if (bench->has_perf && cell->n_meters == all_meters[N_METERS - 1])
		loops[n++] = (struct loop){ .cell = cell, .who = WHO_PERF };
	return n;
}

static int run_slow(struct bench *bench, bool is_busy, unsigned round)
{
	struct loop loops[TOGETHER_MAX];
	size_t n = 0;
	int r;

	for (size_t hz = 0; hz < N_HZ; hz++)
		for (size_t meters = 0; meters < N_METERS; meters++)
			n += put_slow(bench, &bench->cells[is_busy][hz][meters], round, loops + n);
	r = n ? run_together(bench, loops, n, bench->slow_ns) : 0;
	for (size_t i = 0; i < n; i++)
		compare(loops[i].cell);
	return r;
}

static int run_fast(struct bench *bench, bool is_busy, unsigned round)
{
	int r = 0;

	for (size_t hz = 0; hz < N_HZ; hz++)
		for (size_t meters = 0; r == 0 && meters < N_METERS; meters++) {
			struct cell *cell = &bench->cells[is_busy][hz][meters];
			bool has_perf = bench->has_perf && meters == N_METERS - 1 && round == 0 &&
					!(bench->is_quick && is_busy);

			if (cell->is_left_out || cell->hz <= SLOW_HZ)
				continue;
			for (unsigned who = 0; r == 0 && who < (has_perf ? 3 : 2); who++) {
				struct loop loop = { .cell = cell, .who = WHO_PERF };

				if (who < 2)
					loop.who = (who + round) % 2 ? WHO_BARE : WHO_OURS;
				r = run_together(bench, &loop, 1, bench->fast_ns);
			}
			compare(cell);
		}
	return r;
}

static int run_all(struct bench *bench)
{
	int r = 0;

	for (unsigned round = 0; r == 0 && round < bench->n_rounds; round++)
		for (unsigned is_busy = 0; r == 0 && is_busy < 2; is_busy++) {
			struct es_bench_burners burners = { .n = 0 };

			if (is_busy)
				es_bench_burn(&burners);
			if (round == 0 || !bench->is_quick)
				r = run_slow(bench, is_busy, round);
			if (r == 0)
				r = run_fast(bench, is_busy, round);
			es_bench_quench(&burners);
		}
	return r;
}

static double median(const struct es_bench_figures *figures)
{
	return es_bench_quantile(figures, 0.5);
}

static double mean(const struct es_bench_figures *figures)
{
	double half;

	return es_bench_mean(figures, &half);
}

/* As far as the rounds can tell: where the bar lies inside the 95 % interval of their mean, they cannot. */
static const char *judge(const struct cell *cell, bool *are_kept)
{
	double half_ratio, half_missed;
	double ratio = es_bench_mean(&cell->ratios, &half_ratio),
	       more = es_bench_mean(&cell->more_missed, &half_missed);

	if (median(&cell->ratios) <= RATIO_MAX && more <= MISSED_MAX_POINTS)
		return "PASS";
	if (median(&cell->ratios) <= RATIO_MAX && more - half_missed <= MISSED_MAX_POINTS)
		return "PASS, missed within noise";
	if (ratio - half_ratio <= RATIO_MAX && more - half_missed <= MISSED_MAX_POINTS)
		return "within noise";
	*are_kept = false;
	return es_bench_verdict(false);
}

static void print_cell(const struct cell *cell, bool *are_kept)
{
	const struct seen *ours = &cell->by[WHO_OURS], *bare = &cell->by[WHO_BARE],
			  *perf = &cell->by[WHO_PERF];
	double half, more = es_bench_mean(&cell->more_missed, &half);

	(void)printf("%5u %6u  %s  %7.4f %7.4f  %6.1f %6.1f  %5.3f %.2f-%.2f  %6.3f %6.3f %+7.3f ",
		     cell->hz, cell->n_meters, cell->is_busy ? "busy" : "idle",
		     median(&ours->percent), median(&bare->percent), median(&ours->us_a_sweep),
		     median(&bare->us_a_sweep), median(&cell->ratios),
		     es_bench_quantile(&cell->ratios, 0), es_bench_quantile(&cell->ratios, 1),
		     mean(&ours->missed_percent), mean(&bare->missed_percent), more);
	if (cell->more_missed.n > 1)
		(void)printf("+-%5.3f  ", half);
	else
		(void)printf("%7s  ", "");
	if (perf->percent.n)
		(void)printf("%7.4f %6.3f  ", median(&perf->percent), mean(&perf->missed_percent));
	else
		(void)printf("%7s %6s  ", "", "");
	(void)printf("%s\n", judge(cell, are_kept));
}

static void print_load(void)
{
	double loads[2] = { NAN, NAN };

	(void)getloadavg(loads, 2);
	(void)printf(
		"load of this machine beside it (1 and 5 min, our own loops included): %.1f %.1f\n",
		loads[0], loads[1]);
}

static void print_all(const struct bench *bench)
{
	const struct cell *ten = &bench->cells[0][1][1];
	int64_t rss_kb = 0;
	bool are_kept = true;
	double percent = fmax(median(&bench->cells[0][1][1].by[WHO_OURS].percent),
			      median(&bench->cells[1][1][1].by[WHO_OURS].percent));

	print_load();
	(void)printf("perf beside it: %s\n",
		     bench->has_perf ? bench->perf_event : "left out, not installed here");
	(void)printf("              CPU, %% of a core   us a sweep    CPU, ours : bare  "
		     "missed, %% of the deadlines      perf stat -I\n"
		     "   Hz meters  load     ours    bare    ours   bare  median all rounds"
		     "   ours   bare  ours - bare     CPU %% missed\n");
	for (size_t busy = 0; busy < 2; busy++)
		for (size_t hz = 0; hz < N_HZ; hz++)
			for (size_t meters = 0; meters < N_METERS; meters++) {
				const struct cell *cell = &bench->cells[busy][hz][meters];

				if (cell->is_left_out)
					continue;
				print_cell(cell, &are_kept);
				if (cell->n_meters == 16 && cell->by[WHO_OURS].rss_kb > rss_kb)
					rss_kb = cell->by[WHO_OURS].rss_kb;
			}
	(void)printf("CPU <= %.2f x bare, missed <= bare + %.1f point: %s\n", RATIO_MAX,
		     MISSED_MAX_POINTS, es_bench_verdict(are_kept));
	(void)printf("resident memory of run with 16 file meters: %" PRId64 " kB <= %d kB: %s\n",
		     rss_kb, RSS_MAX_KB, es_bench_verdict(rss_kb <= RSS_MAX_KB));
	if (!ten->is_left_out)
		(void)printf("10 Hz x 16 domains: %.4f %% <= %.1f %% of a core: %s\n", percent,
			     CPU_MAX_PERCENT_10_HZ,
			     es_bench_verdict(percent <= CPU_MAX_PERCENT_10_HZ));
}

/* The power PMU where the machine has one, else a counter that costs as little as one can. */
static void find_perf(struct bench *bench)
{
	char *version[] = { "perf", "--version", NULL };
	bool has_power = access("/sys/bus/event_source/devices/power", F_OK) == 0,
	     has_msr = access("/sys/bus/event_source/devices/msr", F_OK) == 0;
	pid_t pid;

	(void)snprintf(bench->perf_event, sizeof(bench->perf_event), "%s",
		       has_power ? "power/energy-pkg/"
		       : has_msr ? "msr/tsc/"
				 : "task-clock");
	if (!bench->has_perf)
		return;
	pid = es_bench_spawn(version, -1, ES_BENCH_ANY_CPU);
	bench->has_perf = pid > 0 && es_bench_wait(pid, NULL) == 0;
}

static bool is_left_out(const struct bench *bench, const struct cell *cell)
{
	if (bench->is_quick && (cell->n_meters == 4 || cell->hz == 100))
		return true;
	if (bench->only_load && strcmp(bench->only_load, cell->is_busy ? "busy" : "idle") != 0)
		return true;
	return (bench->only_hz && bench->only_hz != cell->hz) ||
	       (bench->only_meters && bench->only_meters != cell->n_meters);
}

static int set_up(struct bench *bench)
{
	int r = es_scratch_init(&bench->scratch);

	for (size_t i = 0; r == 0 && i < N_METERS; i++)
		r = es_scratch_tree(&bench->scratch, all_meters[i], &bench->trees[i]);
	for (size_t busy = 0; busy < 2; busy++)
		for (size_t hz = 0; hz < N_HZ; hz++)
			for (size_t meters = 0; meters < N_METERS; meters++) {
				struct cell *cell = &bench->cells[busy][hz][meters];

				cell->hz = all_hz[hz];
				cell->n_meters = all_meters[meters];
				cell->is_busy = busy;
				cell->is_left_out = is_left_out(bench, cell);
			}
	find_perf(bench);
	return r;
}

static int usage(void)
{
	(void)fputs(
		"usage: sweep --program ENERGYSCOPIUM [--quick] [--no-perf] [--rounds N] [--hz N] [--meters N] [--load idle|busy]\n",
		stderr);
	return 2;
}

static int read_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = { { "program", required_argument, NULL, 'p' },
						 { "quick", no_argument, NULL, 'q' },
						 { "no-perf", no_argument, NULL, 'n' },
						 { "rounds", required_argument, NULL, 'r' },
						 { "hz", required_argument, NULL, 'h' },
						 { "meters", required_argument, NULL, 'm' },
						 { "load", required_argument, NULL, 'l' },
						 { NULL, 0, NULL, 0 } };
	int c;

	bench->has_perf = true;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			bench->program = optarg;
		else if (c == 'q')
			bench->is_quick = true;
		else if (c == 'n')
			bench->has_perf = false;
		else if (c == 'r')
			bench->n_rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'h')
			bench->only_hz = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'm')
			bench->only_meters = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'l')
			bench->only_load = optarg;
		else
			return -EINVAL;
	}
	if (bench->n_rounds == 0)
		bench->n_rounds = bench->is_quick ? 2 : 5;
	bench->slow_ns = (bench->is_quick ? 2 : 4) * ES_NS_PER_S;
	bench->fast_ns = bench->is_quick ? ES_NS_PER_S / 2 : ES_NS_PER_S;
	return bench->program && bench->n_rounds <= ES_BENCH_FIGURES_MAX ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct bench *bench;
	int r;

	if (argc == 6 && strcmp(argv[1], "--bare") == 0)
		return es_bare_loop(argv[2], argv[3], strtoll(argv[4], NULL, 10),
				    strtoll(argv[5], NULL, 10));
	bench = calloc(1, sizeof(*bench));
	if (!bench)
		return 1;
	bench->self = "/proc/self/exe";
	bench->cpu = es_bench_last_cpu();
	if (read_options(argc, argv, bench) < 0) {
		free(bench);
		return usage();
	}
	r = set_up(bench);
	if (r == 0)
		r = run_all(bench);
	if (r == 0)
		print_all(bench);
	else
		(void)fprintf(stderr, "sweep: could not run: %s\n", strerror(-r));
	for (size_t i = 0; i < N_METERS; i++)
		es_tree_close(&bench->trees[i]);
	es_scratch_finish(&bench->scratch);
	free(bench);
	return r < 0;
}
