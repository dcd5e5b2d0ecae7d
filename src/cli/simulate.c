/*
 * simulate.c - energyscopium simulate: replay a trace of jobs on a machine under a policy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/picture.h"

#define COMMAND "simulate"
#define PROCS_MAX (UINT64_C(1) << 30)
#define SCHEDULE_MAX_BYTES (UINT64_C(4) << 30)

static const char *const policy_names[ES_SIM_N_POLICIES] = {
	[ES_SIM_FCFS] = "fcfs",
	[ES_SIM_EASY] = "easy",
};

struct simulate {
	const char *path, *procs, *policy, *estimates, *schedule;
	bool is_strict, wants_json;
	struct es_sim_options options;
	struct es_simulate_trace trace;
	struct es_sim_totals totals;
	struct es_buf rows; /* of the schedule */
};

static int read_options(struct simulate *sim)
{
	uint64_t n;
	size_t policy = ES_SIM_EASY;

	if (!sim->procs)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--procs N is missing: the processors of the machine");
	if (es_parse_u64(sim->procs, &n) < 0 || n == 0 || n > PROCS_MAX)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--procs '%s': a number from 1 to %" PRIu64 " is wanted",
				   sim->procs, PROCS_MAX);
	sim->options.procs = (uint32_t)n;
	if (sim->policy)
		for (policy = 0; policy < ES_SIM_N_POLICIES; policy++)
			if (strcmp(sim->policy, policy_names[policy]) == 0)
				break;
	if (policy == ES_SIM_N_POLICIES)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--policy '%s': fcfs or easy is wanted",
				   sim->policy);
	sim->options.policy = (enum es_sim_policy)policy;
	sim->trace.is_requested = !sim->estimates || strcmp(sim->estimates, "requested") == 0;
	if (!sim->trace.is_requested && strcmp(sim->estimates, "actual") != 0)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--runtime-estimates '%s': requested or actual is wanted",
				   sim->estimates);
	return -1;
}

static int put_row(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	struct simulate *sim = arg;

	return es_buf_printf(&sim->rows,
			     "%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRIu32 ",%" PRId64
			     "\n",
			     job->id, job->submit_s, start_s, start_s + job->run_s, job->procs,
			     start_s - job->submit_s);
}

/* The engine is handed the trace and hands out starts: one argument for both. */
static int next_job(void *arg, struct es_sim_job *ret)
{
	struct simulate *sim = arg;

	return es_simulate_trace_next(&sim->trace, ret);
}

static int replay(struct simulate *sim, struct es_error *err)
{
	int r = es_simulate_trace_read(COMMAND, sim->path, sim->is_strict, sim->options.procs,
				       &sim->trace, err);

	if (r < 0)
		return r;
	if (sim->trace.is_requested && sim->trace.n_without_request > 0)
		(void)es_complain(COMMAND, 0,
				  "%zu jobs do not tell the time they asked for: their run times "
				  "stand in for it",
				  sim->trace.n_without_request);
	sim->options.next = next_job;
	sim->options.arg = sim;
	if (sim->schedule) {
		sim->options.started = put_row;
		(void)es_buf_str(&sim->rows, "job,submit_s,start_s,end_s,procs,wait_s\n");
	}
	r = es_sim_run(&sim->options, &sim->totals, err);
	if (r < 0 && err->text[0] == '\0')
		(void)es_error_set(err, r, "the schedule cannot be kept");
	if (r == 0 && sim->schedule)
		r = es_write_whole(sim->schedule, &sim->rows, err);
	return r;
}

static double makespan_s(const struct es_sim_totals *totals)
{
	return (double)(totals->last_end_s - totals->first_submit_s);
}

static double utilisation(const struct simulate *sim)
{
	return sim->totals.busy_proc_s / (sim->options.procs * makespan_s(&sim->totals));
}

static void put_json(const struct simulate *sim, struct es_buf *out)
{
	const struct es_sim_totals *totals = &sim->totals;
	double n = (double)totals->n_jobs;
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.simulate/1");
	es_json_string(&json, "policy", policy_names[sim->options.policy]);
	es_json_u64(&json, "procs", sim->options.procs);
	es_json_string(&json, "runtime_estimates",
		       sim->trace.is_requested ? "requested" : "actual");
	es_json_u64(&json, "jobs", totals->n_jobs);
	es_json_u64(&json, "left_out", sim->trace.n_left_out);
	es_json_u64(&json, "wrong_lines", sim->trace.swf.n_faults);
	es_json_double(&json, "mean_wait_s", totals->wait_s / n);
	es_json_double(&json, "mean_bounded_slowdown", totals->bounded_slowdown / n);
	es_json_double(&json, "utilisation", utilisation(sim)); /* null where no time passes */
	es_json_i64(&json, "makespan_s", totals->last_end_s - totals->first_submit_s);
	es_json_null(&json, "energy_kwh");
	es_json_null(&json, "gco2");
	es_json_null(&json, "peak_w");
	es_json_u64(&json, "overtaking", totals->n_overtaking);
	es_json_u64(&json, "outlasting", totals->n_outlasting);
	es_json_u64(&json, "most_waiting", totals->most_waiting);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_table(const struct simulate *sim, struct es_buf *out)
{
	const struct es_sim_totals *totals = &sim->totals;
	double n = (double)totals->n_jobs;

	(void)es_buf_printf(out, "%-24s %s on %" PRIu32 " processors, by %s times\n", "policy",
			    policy_names[sim->options.policy], sim->options.procs,
			    sim->trace.is_requested ? "requested" : "actual");
	(void)es_buf_printf(out, "%-24s %" PRIu64 "", "jobs", totals->n_jobs);
	if (sim->trace.n_left_out > 0)
		(void)es_buf_printf(out, " (%zu left out: no run time, or no processors)",
				    sim->trace.n_left_out);
	(void)es_buf_printf(out, "\n%-24s %.3f s\n", "mean wait", totals->wait_s / n);
	(void)es_buf_printf(out, "%-24s %.4f (no job counts as shorter than %d s)\n",
			    "mean bounded slowdown", totals->bounded_slowdown / n, ES_SIM_SHORT_S);
	if (makespan_s(totals) > 0)
		(void)es_buf_printf(out, "%-24s %.2f %%\n", "utilisation", 100 * utilisation(sim));
	else
		(void)es_buf_printf(out, "%-24s n/a\n", "utilisation");
	(void)es_buf_printf(out, "%-24s %" PRId64 " s\n", "makespan",
			    totals->last_end_s - totals->first_submit_s);
	(void)es_buf_printf(out, "%-24s %zu\n", "most jobs waiting", totals->most_waiting);
	(void)es_buf_printf(out, "%-24s %" PRIu64 "\n", "jobs that overtook", totals->n_overtaking);
	if (totals->n_outlasting > 0)
		(void)es_buf_printf(out, "%-24s %" PRIu64 "\n", "outlasted their estimate",
				    totals->n_outlasting);
}

static int show(const struct simulate *sim)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	if (sim->wants_json)
		put_json(sim, &out);
	else
		put_table(sim, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static int run_all(struct simulate *sim)
{
	struct es_error err = { .code = 0 };
	int status = read_options(sim);

	if (status >= 0)
		return status;
	es_buf_init(&sim->rows, SCHEDULE_MAX_BYTES);
	if (replay(sim, &err) < 0)
		status = es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	else
		status = show(sim);
	es_buf_finish(&sim->rows);
	es_simulate_trace_finish(&sim->trace);
	return status;
}

int es_cmd_simulate(int argc, char **argv)
{
	struct simulate sim = { .path = NULL };
	const struct es_option options[] = {
		{ "procs", "N", "processors of the machine", ES_OPTION_TEXT, &sim.procs },
		{ "policy", "NAME",
		  "fcfs: none overtakes; easy: others may, where the first that waits is not delayed (default)",
		  ES_OPTION_TEXT, &sim.policy },
		{ "runtime-estimates", "KIND",
		  "what the scheduler believes: the times requested (default), or actual ones",
		  ES_OPTION_TEXT, &sim.estimates },
		{ "strict", NULL, "refuse a trace with a wrong line", ES_OPTION_FLAG,
		  &sim.is_strict },
		{ "schedule", "FILE", "write when each job starts and ends, as CSV", ES_OPTION_TEXT,
		  &sim.schedule },
		{ "json", NULL, "print energyscopium.simulate/1", ES_OPTION_FLAG, &sim.wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "TRACE.swf --procs N [OPTION]…",
		.text = "Replays the jobs of a trace in the Standard Workload Format (packed or not) on a\n"
			"machine of equal processors, and tells waits and use.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first == argc)
		return es_complain(COMMAND, ES_EXIT_USAGE, "a trace is missing: TRACE.swf");
	if (first + 1 < argc)
		return es_complain(COMMAND, ES_EXIT_USAGE, "'%s' is one too many", argv[first + 1]);
	sim.path = argv[first];
	return run_all(&sim);
}
