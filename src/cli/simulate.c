/*
 * simulate.c - energyscopium simulate: replay a trace of jobs on a machine under a policy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/picture.h"

#define COMMAND "simulate"
#define SCHEDULE_MAX_BYTES (UINT64_C(4) << 30)

static int next_job(void *arg, struct es_sim_job *ret)
{
	struct es_simulate *sim = arg;
	int r = es_simulate_trace_next(&sim->trace, ret);

	if (r > 0 && sim->power.is_known &&
	    es_simulate_power_of(&sim->power, ret, &ret->energy_j, sim->err) < 0)
		return sim->err->code;
	return r;
}

static void count_energy(struct es_simulate *sim, const struct es_sim_job *job, int64_t start_s)
{
	double run_s = (double)job->run_s;
	double extra_j = job->energy_j - sim->power.idle_w * job->procs * run_s;

	sim->jobs_j += job->energy_j;
	sim->extra_j += extra_j;
	if (!sim->carbon.is_known)
		return;
	if (job->run_s > 0)
		sim->extra_g += extra_j / run_s / ES_J_PER_KWH *
				es_simulate_carbon_lay(&sim->carbon, start_s, start_s + job->run_s);
	else
		sim->extra_g +=
			extra_j / ES_J_PER_KWH * es_simulate_carbon_at(&sim->carbon, start_s);
}

static int started(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	struct es_simulate *sim = arg;

	sim->hold_s += (double)job->hold_s;
	if (sim->power.is_known)
		count_energy(sim, job, start_s);
	if (sim->also)
		return sim->also(sim->also_arg, job, start_s);
	if (!sim->asked.schedule)
		return 0;
	(void)es_buf_printf(&sim->rows,
			    "%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRIu32 ",%" PRId64
			    ",",
			    job->id, job->submit_s, start_s, start_s + job->run_s, job->procs,
			    start_s - job->submit_s);
	if (sim->power.is_known)
		(void)es_buf_printf(&sim->rows, "%.3f", job->energy_j);
	return es_buf_str(&sim->rows, "\n");
}

static int64_t hold(void *arg, const struct es_sim_job *job)
{
	const struct es_simulate *sim = arg;

	return es_simulate_carbon_hold(&sim->carbon, job->submit_s, job->estimate_s, sim->window_s);
}

static int read_carbon(struct es_simulate *sim, struct es_error *err)
{
	int r = es_simulate_carbon_read(&sim->carbon, sim->asked.carbon, sim->asked.zone, err);

	if (r < 0 || sim->policy != ES_SIMULATE_CARBON)
		return r;
	es_simulate_carbon_forecast(&sim->carbon, sim->forecast_error, sim->seed);
	r = es_simulate_trace_hold(&sim->trace, hold, sim);
	return r < 0 ? es_error_set(err, r, "'%s'", sim->asked.path) : 0;
}

static int read_others(struct es_simulate *sim, struct es_error *err)
{
	const struct es_simulate_asked *asked = &sim->asked;
	int r = asked->energy ? es_simulate_power_read(&sim->power, asked->energy, err) : 0;

	if (r < 0 || !asked->carbon)
		return r;
	if (!asked->start)
		sim->carbon.unix_start_s = sim->trace.swf.unix_start_s;
	if (sim->carbon.unix_start_s < 0)
		return es_error_say(err, -ENODATA,
				    "'%s' does not tell when it begins: --start DATE does",
				    asked->path);
	return read_carbon(sim, err);
}

int es_simulate_load(struct es_simulate *sim, struct es_error *err)
{
	int r = es_simulate_trace_read(COMMAND, sim->asked.path, sim->asked.is_strict,
				       sim->options.procs, &sim->trace, err);

	if (r < 0)
		return r;
	if (sim->trace.is_requested && sim->trace.n_without_request > 0)
		(void)es_complain(COMMAND, 0,
				  "%zu jobs do not tell the time they asked for: their run times "
				  "stand in for it",
				  sim->trace.n_without_request);
	return read_others(sim, err);
}

int es_simulate_load_again(struct es_simulate *sim, struct es_simulate *from, struct es_error *err)
{
	sim->trace.swf = from->trace.swf;
	sim->trace.n_left_out = from->trace.n_left_out;
	sim->trace.n_without_request = from->trace.n_without_request;
	sim->is_again = true;
	from->trace.swf.jobs = NULL;
	return read_others(sim, err);
}

/* What the files have and the replay did not need, and the other way round. */
static void tell_gaps(struct es_simulate *sim)
{
	size_t n_unused = es_simulate_power_unused(&sim->power);
	struct es_error why = { .code = 0 };

	if (n_unused > 0 && !sim->is_again)
		(void)es_complain(COMMAND, 0, "'%s': %zu lines are of jobs that were not replayed",
				  sim->asked.energy, n_unused);
	if (!sim->carbon.is_known)
		return;
	sim->has_grams = es_simulate_carbon_check(&sim->carbon, sim->totals.first_submit_s,
						  sim->totals.last_end_s, &why) == 0;
	if (!sim->has_grams && !sim->is_again)
		(void)es_complain(COMMAND, 0, "'%s': %s; grams are not known", sim->asked.carbon,
				  why.text);
}

int es_simulate_replay(struct es_simulate *sim, struct es_error *err)
{
	int r;

	es_buf_init(&sim->rows, SCHEDULE_MAX_BYTES);
	sim->err = err;
	sim->options.next = next_job;
	sim->options.started = started;
	sim->options.arg = sim;
	if (sim->asked.schedule)
		(void)es_buf_str(&sim->rows, "job,submit_s,start_s,end_s,procs,wait_s,energy_j\n");
	r = es_sim_run(&sim->options, &sim->totals, err);
	if (r < 0 && err->text[0] == '\0')
		(void)es_error_set(err, r, "the schedule cannot be kept");
	if (r < 0)
		return r;
	tell_gaps(sim);
	return sim->asked.schedule ? es_write_whole(sim->asked.schedule, &sim->rows, err) : 0;
}

static int show(const struct es_simulate *sim)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	if (sim->asked.wants_json)
		es_simulate_put_json(sim, &out);
	else
		es_simulate_put_table(sim, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

void es_simulate_finish(struct es_simulate *sim)
{
	es_buf_finish(&sim->rows);
	es_simulate_carbon_finish(&sim->carbon);
	es_simulate_power_finish(&sim->power);
	es_simulate_trace_finish(&sim->trace);
}

static int run_all(struct es_simulate *sim)
{
	struct es_error err = { .code = 0 };
	int status = es_simulate_read(sim);

	if (status >= 0)
		return status;
	if (es_simulate_load(sim, &err) < 0 || es_simulate_replay(sim, &err) < 0)
		status = es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	else
		status = show(sim);
	es_simulate_finish(sim);
	return status;
}

int es_cmd_simulate(int argc, char **argv)
{
	struct es_simulate sim = { .err = NULL };
	struct es_simulate_asked *asked = &sim.asked;
	const struct es_option options[] = {
		{ "procs", "N", "processors of the machine", ES_OPTION_TEXT, &asked->procs },
		{ "policy", "NAME",
		  "fcfs: none overtakes; easy: others may, where the first that waits is not delayed (default); "
		  "easy-power: as easy, below --power-cap; carbon: as easy, each job held back within --window",
		  ES_OPTION_TEXT, &asked->policy },
		{ "compare", "NAME,NAME",
		  "two policies, and what they differ by, by resampled weeks", ES_OPTION_TEXT,
		  &asked->compare },
		{ "power-cap", "W", "of the whole machine, as 300kW", ES_OPTION_TEXT,
		  &asked->power_cap },
		{ "runtime-estimates", "KIND",
		  "what the scheduler believes: the times requested (default), or actual ones",
		  ES_OPTION_TEXT, &asked->estimates },
		{ "strict", NULL, "refuse a trace with a wrong line", ES_OPTION_FLAG,
		  &asked->is_strict },
		{ NULL, NULL, "energy:", ES_OPTION_HEADING, NULL },
		{ "watts-idle", "W", "of an idle processor, as 12.5W", ES_OPTION_TEXT,
		  &asked->watts_idle },
		{ "watts-busy", "W", "of a processor with a job", ES_OPTION_TEXT,
		  &asked->watts_busy },
		{ "energy", "FILE", "CSV with job, and energy_j or power_w of all its processors",
		  ES_OPTION_TEXT, &asked->energy },
		{ "carbon-file", "FILE", "carbon intensity over time", ES_OPTION_TEXT,
		  &asked->carbon },
		{ "zone", "Z", "of that file", ES_OPTION_TEXT, &asked->zone },
		{ "start", "DATE", "when the trace begins (default: as it says)", ES_OPTION_TEXT,
		  &asked->start },
		{ "window", "TIME", "by which jobs may be held back for less carbon, as 8h",
		  ES_OPTION_TEXT, &asked->window },
		{ "forecast-error", "SHARE", "of the figures by which that is chosen (default 0)",
		  ES_OPTION_TEXT, &asked->forecast_error },
		{ "seed", "N", "of that error (default 1)", ES_OPTION_TEXT, &asked->seed },
		{ NULL, NULL, "output:", ES_OPTION_HEADING, NULL },
		{ "schedule", "FILE", "write when each job starts and ends, as CSV", ES_OPTION_TEXT,
		  &asked->schedule },
		{ "json", NULL, "print energyscopium.simulate/1", ES_OPTION_FLAG,
		  &asked->wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "TRACE.swf --procs N [OPTION]…",
		.text = "Replays the jobs of a trace in the Standard Workload Format (packed or not) on a\n"
			"machine of equal processors, and tells waits, use and energy.",
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
	asked->path = argv[first];
	return asked->compare ? es_simulate_compare(asked) : run_all(&sim);
}
