/*
 * workload.c - energyscopium workload: a small program with phases, to try the meter on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/command.h"

#define MEMORY_BYTES (64U << 20)
#define PROCESSES_MAX 1024

/* Arithmetic in registers: the cores at work. */
static uint64_t compute(int64_t end_ns)
{
	uint64_t x = 88172645463325252ULL;

	do
		for (int i = 0; i < 100000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
	while (es_clock_mono_ns() < end_ns);
	return x;
}

/* Strides through more than the caches hold: the memory at work. */
static uint64_t stream(int64_t end_ns)
{
	uint64_t *data = malloc(MEMORY_BYTES), sum = 0;
	size_t n = MEMORY_BYTES / sizeof(*data);

	if (!data)
		return 0;
	for (size_t i = 0; i < n; i++)
		data[i] = i;
	do
		for (size_t i = 0; i < n; i += 8) {
			sum += data[i];
			data[i] = sum;
		}
	while (es_clock_mono_ns() < end_ns);
	free(data);
	return sum;
}

static uint64_t rest(int64_t end_ns)
{
	int64_t left_ns = end_ns - es_clock_mono_ns();
	struct timespec pause = { .tv_sec = left_ns > 0 ? left_ns / ES_NS_PER_S : 0,
				  .tv_nsec = left_ns > 0 ? left_ns % ES_NS_PER_S : 0 };

	(void)nanosleep(&pause, NULL);
	return 0;
}

struct phase {
	const char *name;
	uint64_t (*work)(int64_t end_ns);
	bool is_parallel;
	unsigned n_processes;
	int64_t dur_ns;
};

static int run_phase(struct phase *phase, unsigned n_processes, int64_t dur_ns)
{
	int64_t start_ns = es_clock_mono_ns();
	pid_t pids[PROCESSES_MAX];
	int status = ES_EXIT_OK;

	phase->n_processes = phase->is_parallel ? n_processes : 1;
	for (unsigned i = 0; i < phase->n_processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0) /* the result is used, so that the work is not optimised away */
			_exit(phase->work(start_ns + dur_ns) == 1);
		if (pids[i] < 0)
			status = es_complain("workload", ES_EXIT_FAILURE,
					     "cannot start a process: %s", es_strerror(errno));
	}
	for (unsigned i = 0; i < phase->n_processes; i++)
		if (pids[i] > 0)
			(void)waitpid(pids[i], NULL, 0);
	phase->dur_ns = es_clock_mono_ns() - start_ns;
	return status;
}

static void say_phase(const struct phase *phase)
{
	char text[ES_QUANTITY_TEXT_BYTES];

	(void)printf("%-8s %s on %u CPU%s\n", phase->name, es_duration_text(phase->dur_ns, text),
		     phase->n_processes, phase->n_processes == 1 ? "" : "s");
	(void)fflush(stdout);
}

static int put_json(const struct phase *phases, size_t n)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.workload/1");
	es_json_array(&json, "phases");
	for (size_t i = 0; i < n; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "name", phases[i].name);
		es_json_u64(&json, "processes", phases[i].n_processes);
		es_json_decimal(&json, "duration_s", phases[i].dur_ns, 9);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	out.error = es_json_end(&json);
	status = es_put_out("workload", &out);
	es_buf_finish(&out);
	return status;
}

static int run_phases(int64_t dur_ns, unsigned n_processes, bool is_json)
{
	struct phase phases[] = {
		{ .name = "compute", .work = compute, .is_parallel = true },
		{ .name = "memory", .work = stream, .is_parallel = true },
		{ .name = "rest", .work = rest },
	};
	size_t n = ES_ARRAY_SIZE(phases);

	for (size_t i = 0; i < n; i++) {
		int status = run_phase(&phases[i], n_processes, dur_ns / (int64_t)n);

		if (status != ES_EXIT_OK)
			return status;
		if (!is_json)
			say_phase(&phases[i]);
	}
	return is_json ? put_json(phases, n) : ES_EXIT_OK;
}

int es_cmd_workload(int argc, char **argv)
{
	const char *duration = "4s", *processes = NULL;
	bool is_json = false;
	const struct es_option options[] = {
		{ "duration", "TIME", "in all (default 4s)", ES_OPTION_TEXT, &duration },
		{ "processes", "N", "busy processes (default: the CPUs online)", ES_OPTION_TEXT,
		  &processes },
		{ "json", NULL, "what was done, as JSON", ES_OPTION_FLAG, &is_json },
	};
	const struct es_usage usage = {
		.command = "workload",
		.synopsis = "[OPTION]…",
		.text = "Computes, streams through memory, and rests, a third of the time each.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	uint64_t n = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	int64_t dur_ns;
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("workload", ES_EXIT_USAGE, "'%s': no operand is taken",
				   argv[first]);
	if (es_parse_duration_ns(duration, &dur_ns) < 0 || dur_ns <= 0)
		return es_complain("workload", ES_EXIT_USAGE,
				   "--duration '%s': no time (4s, 500ms)", duration);
	if (processes && (es_parse_u64(processes, &n) < 0 || n == 0 || n > PROCESSES_MAX))
		return es_complain("workload", ES_EXIT_USAGE,
				   "--processes '%s': a number from 1 to %d is wanted", processes,
				   PROCESSES_MAX);
	return run_phases(dur_ns, (unsigned)(n > PROCESSES_MAX ? PROCESSES_MAX : n), is_json);
}
