/*
 * twin_cluster_options.c - what is asked of energyscopium twin cluster, in numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/twin_cluster.h"

#define COMMAND "twin cluster"
#define START_UNIX_S INT64_C(1767571200) /* 2026-01-05T00:00:00Z, a Monday */
#define PPM INT64_C(1000000)

static int wrong(const char *option, const char *value, const char *wanted)
{
	return es_complain(COMMAND, ES_EXIT_USAGE, "%s '%s': %s", option, value, wanted);
}

static int find_kind(const char *name, const struct es_twin_kind **ret)
{
	const char *nearest = NULL;

	*ret = es_twin_kind_find(name, &nearest);
	if (*ret)
		return -1;
	if (nearest)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "there is no kind '%s'; did you mean '%s'?", name, nearest);
	return es_complain(COMMAND, ES_EXIT_USAGE,
			   "there is no kind '%s'; see 'energyscopium twin kinds'", name);
}

/* KIND:COUNT, or one KIND that takes what --nodes leaves. Returns -1 or the status to end with. */
static int read_class(const char *text, struct es_cluster_class *ret)
{
	const char *colon = strrchr(text, ':');
	char name[ES_NAME_MAX_BYTES];
	uint64_t n = 0;
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	if (length == 0 || length >= sizeof(name))
		return wrong("--class", text, "KIND:COUNT is wanted");
	memcpy(name, text, length);
	name[length] = '\0';
	if (colon && (es_parse_u64(colon + 1, &n) < 0 || n == 0 || n > ES_NODES_MAX))
		return wrong("--class", text, "KIND:COUNT is wanted, as spr2s:100");
	ret->n = (uint32_t)n;
	return find_kind(name, &ret->kind);
}

static int read_classes(const struct es_twin_cluster_asked *asked,
			struct es_cluster_options *options)
{
	struct es_cluster_class *open = NULL;
	uint64_t nodes = 0, sum = 0;
	int status;

	if (asked->classes.n == 0)
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--class KIND:COUNT is missing; 'energyscopium twin kinds' tells the kinds");
	if (asked->classes.n > ES_CLUSTER_CLASSES_MAX)
		return es_complain(COMMAND, ES_EXIT_USAGE, "more than %u classes",
				   ES_CLUSTER_CLASSES_MAX);
	if (asked->nodes &&
	    (es_parse_u64(asked->nodes, &nodes) < 0 || nodes == 0 || nodes > ES_NODES_MAX))
		return wrong("--nodes", asked->nodes, "1 to 16384 are possible");
	for (size_t i = 0; i < asked->classes.n; i++) {
		struct es_cluster_class *class = &options->classes[i];

		status = read_class(asked->classes.texts[i], class);
		if (status >= 0)
			return status;
		if (class->n == 0 && open)
			return wrong("--class", asked->classes.texts[i],
				     "only one class can be without a count");
		if (class->n == 0)
			open = class;
		sum += class->n;
	}
	options->n_classes = asked->classes.n;
	if (open && (!asked->nodes || nodes <= sum))
		return wrong("--class", open->kind->name,
			     asked->nodes ? "--nodes leaves none for it"
					  : "a count is missing (KIND:COUNT, or --nodes N)");
	if (open)
		open->n = (uint32_t)(nodes - sum);
	else if (asked->nodes && nodes != sum)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--nodes %" PRIu64 ": the classes have %" PRIu64 " in all",
				   nodes, sum);
	return -1;
}

static int read_times(const struct es_twin_cluster_asked *asked, struct es_cluster_options *options)
{
	if (!asked->duration)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--duration is missing, as --duration 24h");
	if (es_parse_duration_ns(asked->duration, &options->duration_ns) < 0)
		return wrong("--duration", asked->duration,
			     "a time with its unit is wanted, as 24h");
	options->period_ns = ES_NS_PER_S;
	if (asked->period && es_parse_duration_ns(asked->period, &options->period_ns) < 0)
		return wrong("--period", asked->period, "a time with its unit is wanted, as 1s");
	if (asked->start && es_time_parse(asked->start, &options->start_unix_ns) < 0)
		return wrong("--start", asked->start,
			     "a date and time is wanted, as 2026-01-05T00:00:00Z");
	return -1;
}

static int read_share(const char *option, const char *text, int64_t max_ppm, int64_t *ret_ppm)
{
	if (!text ||
	    (es_parse_share_ppm(text, ret_ppm) == 0 && *ret_ppm >= 0 && *ret_ppm <= max_ppm))
		return -1;
	return es_complain(COMMAND, ES_EXIT_USAGE, "%s '%s': a share of at most %d %% is wanted",
			   option, text, (int)(max_ppm / 10000));
}

static int read_numbers(const struct es_twin_cluster_asked *asked,
			struct es_cluster_options *options)
{
	cpu_set_t cpus;
	uint64_t n = 1;
	int status;

	options->seed = 1;
	if (asked->seed && es_parse_u64(asked->seed, &options->seed) < 0)
		return wrong("--seed", asked->seed, "a whole number is wanted");
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = (uint64_t)CPU_COUNT(&cpus);
	n = n > ES_CLUSTER_THREADS_MAX ? ES_CLUSTER_THREADS_MAX : n;
	if (asked->threads &&
	    (es_parse_u64(asked->threads, &n) < 0 || n == 0 || n > ES_CLUSTER_THREADS_MAX))
		return wrong("--threads", asked->threads, "1 to 256 are possible");
	options->n_threads = (unsigned)n;
	if (asked->load && asked->jobs)
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--load is for a random mix, not for --jobs: --trace-speed makes a trace denser");
	options->load_ppm = 700000;
	status = read_share("--load", asked->load, 2 * PPM, &options->load_ppm);
	return status >= 0 ? status
			   : read_share("--failures", asked->failures, PPM, &options->failures_ppm);
}

static int read_trace_options(const struct es_twin_cluster_asked *asked,
			      struct es_cluster_options *options)
{
	struct es_cluster_trace *trace = &options->trace;
	int64_t from_ns = 0, micro = 0;
	uint64_t n = 0;
	size_t used = 0;

	if (!asked->jobs &&
	    (asked->trace_from || asked->trace_speed || asked->procs_per_node || asked->is_strict))
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--trace-from, --trace-speed, --procs-per-node and --strict are for --jobs FILE");
	if (asked->trace_from && (es_parse_duration_ns(asked->trace_from, &from_ns) < 0 ||
				  from_ns < 0 || from_ns % ES_NS_PER_S != 0))
		return wrong("--trace-from", asked->trace_from,
			     "a time from the trace's start is wanted, as 10d");
	trace->from_s = from_ns / ES_NS_PER_S;
	if (asked->trace_speed &&
	    (es_parse_micro(asked->trace_speed, strlen(asked->trace_speed), &micro, &used) < 0 ||
	     asked->trace_speed[used] != '\0' || micro < 1000 || micro > 1000000 * PPM))
		return wrong("--trace-speed", asked->trace_speed,
			     "a number from 0.001 to 1000000 is wanted");
	trace->speed_ppm = micro;
	if (asked->procs_per_node &&
	    (es_parse_u64(asked->procs_per_node, &n) < 0 || n == 0 || n > 1000000))
		return wrong("--procs-per-node", asked->procs_per_node,
			     "a number of processors is wanted");
	trace->procs_per_node = (uint32_t)n;
	return -1;
}

int es_twin_cluster_read(const struct es_twin_cluster_asked *asked, struct es_cluster_options *ret)
{
	int status = read_classes(asked, ret);

	ret->start_unix_ns = START_UNIX_S * ES_NS_PER_S;
	ret->out = asked->out;
	ret->has_readings = !asked->has_no_readings;
	ret->may_replace = asked->may_replace;
	status = status >= 0 ? status : read_times(asked, ret);
	status = status >= 0 ? status : read_numbers(asked, ret);
	return status >= 0 ? status : read_trace_options(asked, ret);
}
