/*
 * gpus.c - what GPUs add to a sweep: our own CPU time, and the library's apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise: 16 domains with 4 GPUs at 10 Hz take at most 0.2 % of a core plus the library's own cost, which is shown
 * apart; a library that is slow delays no sweep. Here are 16 file meters and 4 GPUs.
 *
 * Three programs run side by side: run without GPUs, run with GPUs, and a bare caller of the library, which asks for
 * the same fields at the same rate and does nothing else. CPU time is read thread by thread from outside: the meter's
 * thread is the one that is in the library. The library is the stub of the tests; what a real one takes is in the
 * machine's own report (nvml in sources --explain).
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/figures.h"
#include "support/nvml_table.h"
#include "support/process.h"
#include "support/scratch.h"
#include "sys/nvml.h"

#define HZ 10
#define METERS 16U
#define GPUS 4U
#define CPU_MAX_PERCENT 0.2
#define SETTLE_NS (500 * ES_NS_PER_MS)
#define SLOW_US 40000 /* for each call: four of them take longer than a period */

enum who {
	WHO_PLAIN, /* 16 file meters */
	WHO_GPUS, /* and 4 GPUs */
	WHO_BARE, /* the library alone */
	N_WHO,
};

struct program {
	pid_t pid;
	char json[512];
	int64_t from_ns, to_ns, thread_from_ns,
		thread_to_ns; /* CPU time: all but the meter's thread, that thread */
};

struct bench {
	const char *program, *self, *table, *stub;
	int64_t window_ns;
	unsigned n_rounds;
	struct es_scratch scratch;
	char plain[4096], gpus[4096]; /* trees */
	struct es_bench_figures percent[N_WHO], thread_percent, missed[2];
};

/* CPU time of each thread of @pid: of those named @thread, and of the others. */
static int find_use(pid_t pid, const char *thread, int64_t *ret_others_ns, int64_t *ret_thread_ns)
{
	char path[600];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	*ret_others_ns = *ret_thread_ns = 0;
	if (!dir)
		return -errno;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char name[32] = "";
		int64_t cpu_ns = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)pid,
			       entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%31s", name) != 1)
			name[0] = '\0';
		es_fclosep(&file);
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid,
			       entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%" SCNd64, &cpu_ns) != 1)
			cpu_ns = 0;
		es_fclosep(&file);
		*(strcmp(name, thread) == 0 ? ret_thread_ns : ret_others_ns) += cpu_ns;
	}
	(void)closedir(dir);
	return *ret_others_ns > 0 ? 0 : -ENODATA;
}

static void ask_all(const struct es_nvml *nvml, struct es_nvml_device *const *devices)
{
	for (unsigned i = 0; i < GPUS; i++) {
		struct es_nvml_field fields[2] = {
			{ .field = ES_NVML_FIELD_TOTAL_ENERGY },
			{ .field = ES_NVML_FIELD_POWER_INSTANT },
		};

		(void)nvml->fields(devices[i], 2, fields);
	}
}

/* In a process of its own: the library's energy and power of each GPU, ten times a second. */
static int run_bare(const char *tree, int64_t dur_ns)
{
	struct es_nvml_device *devices[GPUS];
	struct es_root root = { .fd = -1 };
	struct es_nvml nvml;
	int64_t next_ns = es_clock_mono_ns(), end_ns = next_ns + dur_ns;
	int r = es_root_open(tree, -1, &root, NULL);

	if (r < 0 || es_nvml_open(&root, &nvml, NULL) < 0 || nvml.init() != ES_NVML_OK)
		return EXIT_FAILURE;
	for (unsigned i = 0; i < GPUS; i++)
		if (nvml.by_index(i, &devices[i]) != ES_NVML_OK)
			return EXIT_FAILURE;
	for (; next_ns < end_ns; next_ns += ES_NS_PER_S / HZ) {
		es_bench_sleep(next_ns);
		ask_all(&nvml, devices);
	}
	(void)nvml.shut_down();
	es_nvml_close(&nvml);
	es_root_close(&root);
	return EXIT_SUCCESS;
}

static pid_t spawn(struct bench *bench, enum who who, struct program *program)
{
	const char *tree = who == WHO_PLAIN ? bench->plain : bench->gpus;
	char folder[400], json[600], dur[32], dur_ns[32];
	const int64_t all_ns = bench->window_ns + 2 * SETTLE_NS;
	char *run[] = { (char *)bench->program,
			"run",
			"--root",
			(char *)tree,
			"--period",
			"100ms",
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
	char *bare[] = { (char *)bench->self, "--bare", (char *)tree, dur_ns, NULL };

	(void)snprintf(folder, sizeof(folder), "%s/out-%d", bench->scratch.path, (int)who);
	(void)snprintf(program->json, sizeof(program->json), "%s.json", folder);
	(void)snprintf(json, sizeof(json), "--json=%s", program->json);
	(void)snprintf(dur, sizeof(dur), "%.3f", (double)all_ns / 1e9);
	(void)snprintf(dur_ns, sizeof(dur_ns), "%" PRId64, all_ns);
	return es_bench_spawn(who == WHO_BARE ? bare : run, -1, ES_BENCH_ANY_CPU);
}

/* Missed deadlines of a run, in percent of the planned ones. */
static double find_missed(const struct program *program)
{
	json_t *root = json_load_file(program->json, 0, NULL);
	json_t *missed = json_object_get(json_object_get(root, "quality"), "missed");
	double dur_s =
		json_number_value(json_object_get(json_object_get(root, "job"), "duration_s"));
	double percent = json_is_integer(missed) && dur_s > 0
				 ? 100.0 * (double)json_integer_value(missed) / (dur_s * HZ)
				 : -1;

	json_decref(root);
	return percent;
}

static int look(struct program *programs, bool is_end)
{
	for (unsigned who = 0; who < N_WHO; who++) {
		struct program *program = &programs[who];
		int r = find_use(program->pid, "es-nvml",
				 is_end ? &program->to_ns : &program->from_ns,
				 is_end ? &program->thread_to_ns : &program->thread_from_ns);

		if (r < 0)
			return r;
	}
	return 0;
}

static int run_round(struct bench *bench, bool is_slow)
{
	struct program programs[N_WHO] = { { .pid = -1 } };
	int64_t t0_ns, dur_ns;
	int r;

	for (unsigned who = 0; who < N_WHO; who++) {
		programs[who].pid = spawn(bench, (enum who)who, &programs[who]);
		if (programs[who].pid < 0)
			return (int)programs[who].pid;
	}
	es_bench_sleep(es_clock_mono_ns() + SETTLE_NS);
	t0_ns = es_clock_mono_ns();
	r = look(programs, false);
	es_bench_sleep(t0_ns + bench->window_ns);
	dur_ns = es_clock_mono_ns() - t0_ns;
	r = r == 0 ? look(programs, true) : r;
	for (unsigned who = 0; who < N_WHO; who++)
		if (es_bench_wait(programs[who].pid, NULL) != 0)
			r = r < 0 ? r : -ECHILD;
	if (r < 0)
		return r;
	es_bench_add(&bench->missed[is_slow], find_missed(&programs[WHO_GPUS]));
	for (unsigned who = 0; who < N_WHO && !is_slow; who++)
		es_bench_add(&bench->percent[who],
			     100.0 * (double)(programs[who].to_ns - programs[who].from_ns) /
				     (double)dur_ns);
	if (!is_slow)
		es_bench_add(&bench->thread_percent,
			     100.0 *
				     (double)(programs[WHO_GPUS].thread_to_ns -
					      programs[WHO_GPUS].thread_from_ns) /
				     (double)dur_ns);
	return 0;
}

static int make_trees(struct bench *bench)
{
	struct es_tree tree;
	struct es_scratch other = bench->scratch;
	int r = es_scratch_tree(&bench->scratch, METERS, &tree);

	if (r < 0)
		return r;
	(void)snprintf(bench->plain, sizeof(bench->plain), "%s", tree.root);
	es_tree_close(&tree);
	(void)snprintf(other.path, sizeof(other.path), "%.200s/gpus", bench->scratch.path);
	if (mkdir(other.path, 0700) < 0)
		return -errno;
	r = es_scratch_tree(&other, METERS, &tree);
	if (r < 0)
		return r;
	(void)snprintf(bench->gpus, sizeof(bench->gpus), "%s", tree.root);
	es_tree_close(&tree);
	return nvml_tree_make(bench->gpus, bench->table, bench->stub);
}

static int make_slow(struct bench *bench, uint32_t delay_us)
{
	struct nvml_table table;
	struct nvml_state *state = nvml_tree_open(bench->gpus, &table);

	if (!state)
		return -ENOENT;
	for (unsigned i = 0; i < table.n; i++)
		atomic_store(&state->gpus[i].delay_us, delay_us);
	nvml_state_unmap(state);
	return 0;
}

static double middle(const struct es_bench_figures *figures)
{
	return es_bench_quantile(figures, 0.5);
}

static void print(const struct bench *bench)
{
	double ours = middle(&bench->percent[WHO_GPUS]);

	(void)printf("CPU, %% of a core, at %d Hz (median of %zu rounds):\n", HZ,
		     bench->percent[WHO_GPUS].n);
	(void)printf("  run, %u file meters                    %7.4f\n", METERS,
		     middle(&bench->percent[WHO_PLAIN]));
	(void)printf("  run, %u file meters and %u GPUs         %7.4f  <= %.1f: %s\n", METERS, GPUS,
		     ours, CPU_MAX_PERCENT, es_bench_verdict(ours <= CPU_MAX_PERCENT));
	(void)printf("  its thread that calls the library      %7.4f\n",
		     middle(&bench->thread_percent));
	(void)printf("  a bare caller of the library           %7.4f  (ratio %.2f)\n",
		     middle(&bench->percent[WHO_BARE]),
		     middle(&bench->thread_percent) / middle(&bench->percent[WHO_BARE]));
	(void)printf(
		"missed deadlines with GPUs: %.3f %%; with a library of %d ms a call: %.3f %%: %s\n",
		middle(&bench->missed[0]), SLOW_US / 1000, middle(&bench->missed[1]),
		es_bench_verdict(middle(&bench->missed[1]) <= middle(&bench->missed[0]) + 0.1 &&
				 middle(&bench->missed[1]) >= 0));
}

int main(int argc, char **argv)
{
	static struct bench bench = { .n_rounds = 5, .window_ns = 10 * ES_NS_PER_S };
	int r, first = 1;

	if (argc == 4 && strcmp(argv[1], "--bare") == 0)
		return run_bare(argv[2], strtoll(argv[3], NULL, 10));
	if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
		bench.n_rounds = 1;
		bench.window_ns = 3 * ES_NS_PER_S;
		first++;
	}
	if (argc - first != 3) {
		(void)fprintf(stderr, "usage: bench_gpus [--quick] PROGRAM TABLE STUB\n");
		return 2;
	}
	bench.self = argv[0];
	bench.program = argv[first];
	bench.table = argv[first + 1];
	bench.stub = argv[first + 2];
	r = es_scratch_init(&bench.scratch);
	if (r == 0)
		r = make_trees(&bench);
	for (unsigned round = 0; r == 0 && round < bench.n_rounds; round++)
		r = run_round(&bench, false);
	if (r == 0)
		r = make_slow(&bench, SLOW_US);
	for (unsigned round = 0; r == 0 && round < bench.n_rounds; round++)
		r = run_round(&bench, true);
	if (r == 0)
		print(&bench);
	else
		(void)fprintf(stderr, "gpus: %s\n", strerror(-r));
	es_scratch_finish(&bench.scratch);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
