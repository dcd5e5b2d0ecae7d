/*
 * simulate.c - energyscopium simulate: replay a trace of jobs on a machine under a policy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/picture.h"
#include "cli/simulate_groups.h"
#include "cli/simulate_picture.h"
#include "format/profile.h"

#define COMMAND "simulate"
#define SCHEDULE_MAX_BYTES (UINT64_C(4) << 30)

static int next_job(void *arg, struct es_sim_job *ret)
{
	struct es_simulate *sim = arg;
	int r = es_simulate_trace_next(&sim->trace, ret);

	if (r > 0 && sim->power.is_known && !sim->machine.is_named &&
	    es_simulate_power_of(&sim->power, ret, &ret->energy_j, sim->err) < 0)
		return sim->err->code;
	return r;
}

void es_simulate_draw(struct es_simulate *sim, double joules, int64_t from_s, int64_t to_s)
{
	sim->extra_j += joules;
	if (sim->carbon.rates.is_known)
		sim->extra_g += es_simulate_rates_of(&sim->carbon.rates, joules, from_s, to_s);
	if (sim->price.rates.is_known)
		sim->extra_cost += es_simulate_rates_of(&sim->price.rates, joules, from_s, to_s);
}

static void count_energy(struct es_simulate *sim, const struct es_sim_job *job, int64_t start_s)
{
	double idle_j =
		es_simulate_machine_idle_w(sim, job->class) * job->procs * (double)job->run_s;

	sim->jobs_j += job->energy_j;
	es_simulate_draw(sim, job->energy_j - idle_j, start_s, start_s + job->run_s);
	sim->machine.jobs_j[job->class] += job->energy_j;
	sim->machine.extra_j[job->class] += job->energy_j - idle_j;
}

static int keep_wait(struct es_simulate *sim, int64_t wait_s)
{
	int64_t *waits_s =
		es_simulate_room(sim->waits_s, sim->n_waits, &sim->cap_waits, sizeof(*waits_s));

	if (!waits_s)
		return -ENOMEM;
	sim->waits_s = waits_s;
	waits_s[sim->n_waits++] = wait_s;
	return 0;
}

static void keep_course(struct es_simulate *sim, const struct es_sim_job *job, int64_t start_s)
{
	const struct es_swf_job *of = &sim->trace.swf.jobs[job->index];
	const struct es_simulate_start start = {
		.id = job->id,
		.submit_s = job->submit_s,
		.start_s = start_s,
		.end_s = start_s + job->run_s,
		.procs = job->procs,
		.user = of->user,
		.queue = of->queue,
		.low = es_simulate_machine_before(sim, job->class),
		.high = es_simulate_machine_before(sim, job->class + 1),
	};

	es_simulate_course_job(
		&sim->course, &start, job,
		llround(es_simulate_machine_idle_w(sim, job->class) * 1e3 * job->procs));
}

static int started(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	struct es_simulate *sim = arg;

	sim->hold_s += (double)job->hold_s;
	if (sim->power.is_known)
		count_energy(sim, job, start_s);
	if (keep_wait(sim, start_s - job->submit_s) < 0)
		return -ENOMEM;
	if (sim->has_course)
		keep_course(sim, job, start_s);
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
	if (sim->machine.is_named) {
		(void)es_buf_str(&sim->rows, ",");
		es_csv_put_field(&sim->rows, sim->machine.names[job->class]);
	}
	return es_buf_str(&sim->rows, "\n");
}

static int64_t hold(void *arg, const struct es_sim_job *job)
{
	struct es_simulate *sim = arg;

	return es_simulate_rates_hold(es_simulate_rates(sim), job->submit_s, job->estimate_s,
				      sim->window_s);
}

struct es_simulate_rates *es_simulate_rates(struct es_simulate *sim)
{
	if (sim->policy == ES_SIMULATE_CARBON)
		return &sim->carbon.rates;
	return sim->policy == ES_SIMULATE_PRICE ? &sim->price.rates : NULL;
}

static int hold_back(struct es_simulate *sim, struct es_error *err)
{
	struct es_simulate_rates *rates = es_simulate_rates(sim);
	int r;

	if (!rates)
		return 0;
	es_simulate_rates_forecast(rates, sim->forecast_error, sim->seed);
	r = es_simulate_trace_hold(&sim->trace, hold, sim);
	return r < 0 ? es_error_set(err, r, "'%s'", sim->asked.path) : 0;
}

/* Lines of the table of energies that are left out. */
static int tell_faults(const struct es_simulate *sim, struct es_error *err)
{
	const struct es_simulate_power *power = &sim->power;

	if (power->n_faults > 0 && sim->asked.is_strict)
		return es_error_say(err, -EBADMSG, "'%s': %s (%zu lines are wrong)",
				    sim->asked.energy, power->faults[0], power->n_faults);
	for (size_t i = 0; i < power->n_faults && i < ES_SIMULATE_FAULTS_KEPT && !sim->is_again;
	     i++)
		(void)es_complain(COMMAND, 0, "'%s' %s; left out", sim->asked.energy,
				  power->faults[i]);
	if (power->n_faults > ES_SIMULATE_FAULTS_KEPT && !sim->is_again)
		(void)es_complain(COMMAND, 0, "'%s': %zu lines are wrong in all; left out",
				  sim->asked.energy, power->n_faults);
	return 0;
}

static int read_others(struct es_simulate *sim, struct es_error *err)
{
	const struct es_simulate_asked *asked = &sim->asked;
	int r = asked->energy ? es_simulate_power_read(&sim->power, asked->energy, err) : 0;

	r = r < 0 ? r : tell_faults(sim, err);
	if (!asked->start)
		sim->unix_start_s = sim->trace.swf.unix_start_s;
	if (r < 0 || (!asked->carbon && !asked->price))
		return r;
	if (sim->unix_start_s < 0)
		return es_error_say(err, -ENODATA,
				    "'%s' does not tell when it begins: --start DATE does",
				    asked->path);
	if (asked->carbon)
		r = es_simulate_carbon_read(&sim->carbon, asked->carbon, asked->zone, err);
	if (r == 0 && asked->price)
		r = es_simulate_price_read(&sim->price, COMMAND, asked->price, asked->is_strict,
					   err);
	sim->carbon.rates.unix_start_s = sim->price.rates.unix_start_s = sim->unix_start_s;
	return r < 0 ? r : hold_back(sim, err);
}

int es_simulate_load(struct es_simulate *sim, struct es_error *err)
{
	int r;

	sim->trace.is_classed = sim->machine.is_named;
	r = es_simulate_trace_read(COMMAND, sim->asked.path, sim->asked.is_strict,
				   es_simulate_machine_most(sim), &sim->trace, err);
	if (r < 0)
		return r;
	if (sim->trace.is_requested && sim->trace.n_without_request > 0)
		(void)es_complain(COMMAND, 0,
				  "%zu %s the time asked for: run times stand in for it",
				  sim->trace.n_without_request,
				  sim->trace.n_without_request == 1 ? "job does not tell"
								    : "jobs do not tell");
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

static bool has_all(const struct es_simulate *sim, const struct es_simulate_rates *rates,
		    const char *path, const char *what)
{
	struct es_error why = { .code = 0 };

	if (!rates->is_known)
		return false;
	if (es_simulate_rates_check(rates, sim->totals.first_submit_s, sim->totals.last_end_s,
				    &why) == 0)
		return true;
	if (!sim->is_again)
		(void)es_complain(COMMAND, 0, "'%s': %s; %s not known", path, why.text, what);
	return false;
}

/* What the files have and the replay did not need, and the other way round. */
static void tell_gaps(struct es_simulate *sim)
{
	size_t n_unused = es_simulate_power_unused(&sim->power);

	if (n_unused > 0 && !sim->is_again)
		(void)es_complain(COMMAND, 0, "'%s': %zu %s not replayed", sim->asked.energy,
				  n_unused,
				  n_unused == 1 ? "line is of a job that was"
						: "lines are of jobs that were");
	sim->has_grams = has_all(sim, &sim->carbon.rates, sim->asked.carbon, "grams are");
	sim->has_cost = has_all(sim, &sim->price.rates, sim->asked.price, "cost is");
}

static int by_wait(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int close_course(struct es_simulate *sim, struct es_error *err)
{
	struct es_simulate_course *course = &sim->course;
	int r;

	course->has_power = sim->power.is_known;
	es_simulate_course_base(course, sim->totals.first_submit_s * 1000,
				sim->machine.is_told ? sim->machine.told_from_ms
						     : sim->totals.last_end_s * 1000,
				llround(es_simulate_machine_all_idle_w(sim) * 1e3));
	r = es_simulate_course_close(course);
	return r < 0 ? es_error_set(err, r, "the course of the schedule cannot be kept") : 0;
}

static int write_files(struct es_simulate *sim, struct es_error *err)
{
	int r = sim->asked.schedule ? es_write_whole(sim->asked.schedule, &sim->rows, err) : 0;

	if (r < 0 || !sim->asked.power_csv)
		return r;
	es_buf_reset(&sim->rows);
	es_simulate_course_csv(&sim->course, &sim->rows);
	return es_write_whole(sim->asked.power_csv, &sim->rows, err);
}

int es_simulate_replay(struct es_simulate *sim, struct es_error *err)
{
	int r;

	es_buf_init(&sim->rows, SCHEDULE_MAX_BYTES);
	sim->err = err;
	sim->options.next = next_job;
	sim->options.started = started;
	sim->options.drew = es_simulate_machine_drew;
	sim->options.arg = sim;
	if (sim->asked.schedule)
		(void)es_buf_printf(&sim->rows,
				    "job,submit_s,start_s,end_s,procs,wait_s,energy_j%s\n",
				    sim->machine.is_named ? ",class" : "");
	r = es_sim_run(&sim->options, &sim->totals, err);
	if (r < 0 && err->text[0] == '\0')
		(void)es_error_set(err, r, "the schedule cannot be kept");
	if (r < 0)
		return r;
	if (sim->n_waits > 1)
		qsort(sim->waits_s, sim->n_waits, sizeof(*sim->waits_s), by_wait);
	tell_gaps(sim);
	r = sim->has_course ? close_course(sim, err) : 0;
	r = r < 0 ? r : write_files(sim, err);
	if (r == 0 && (es_drawing_is_asked(&sim->asked.drawing) || sim->asked.is_term))
		r = es_simulate_draw_all(sim, err);
	return r;
}

static int show(const struct es_simulate *sim)
{
	struct es_buf out;
	bool is_taken;
	int status;

	if (es_simulate_takes_stdout(&sim->asked, &is_taken) >= 0 || is_taken)
		return ES_EXIT_OK;
	es_buf_init(&out, 1U << 16);
	if (sim->asked.wants_json)
		es_simulate_put_json(sim, &out);
	else
		es_simulate_put_table(sim, &out);
	if (!sim->asked.wants_json && es_simulate_groups_put_rows(sim, &out) < 0)
		out.error = -ENOMEM;
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

void es_simulate_finish(struct es_simulate *sim)
{
	es_buf_finish(&sim->rows);
	es_simulate_carbon_finish(&sim->carbon);
	es_simulate_price_finish(&sim->price);
	es_simulate_power_finish(&sim->power);
	es_simulate_trace_finish(&sim->trace);
	es_simulate_course_finish(&sim->course);
	free(sim->waits_s);
	sim->waits_s = NULL;
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
		{ "classes", "FILE",
		  "CSV of the machine's classes of processors, in place of --procs", ES_OPTION_TEXT,
		  &asked->classes },
		{ "choose", "NAME",
		  "among classes that are free: first, of least energy, edp or marginal energy",
		  ES_OPTION_TEXT, &asked->choose },
		{ "policy", "NAME",
		  "fcfs: none overtakes; easy: others may, where the first that waits is not delayed (default); "
		  "easy-power: as easy, below --power-cap; carbon, price: as easy, each job held back within --window; "
		  "shutdown: as easy, idle nodes go off",
		  ES_OPTION_TEXT, &asked->policy },
		{ "compare", "NAME,NAME…",
		  "several policies, and what they differ by from the first, by resampled weeks",
		  ES_OPTION_TEXT, &asked->compare },
		{ "power-cap", "W", "of the whole machine, as 300kW", ES_OPTION_TEXT,
		  &asked->power_cap },
		{ "runtime-estimates", "KIND",
		  "what the scheduler believes: the times requested (default), or actual ones",
		  ES_OPTION_TEXT, &asked->estimates },
		{ "strict", NULL, "refuse a trace or table with a wrong line", ES_OPTION_FLAG,
		  &asked->is_strict },
		{ NULL, NULL, "energy:", ES_OPTION_HEADING, NULL },
		{ "watts-idle", "W", "of an idle processor, as 12.5W", ES_OPTION_TEXT,
		  &asked->watts_idle },
		{ "watts-busy", "W", "of a processor with a job", ES_OPTION_TEXT,
		  &asked->watts_busy },
		{ "procs-per-node", "N", "jobs take whole nodes of so many (default 1)",
		  ES_OPTION_TEXT, &asked->procs_per_node },
		{ "watts-off", "W", "of a node that is off", ES_OPTION_TEXT, &asked->watts_off },
		{ "boot", "TIME,W", "of a node, as 151.5s,125.2W", ES_OPTION_TEXT, &asked->boot },
		{ "stop", "TIME,W", "of a node, as 6.1s,101W", ES_OPTION_TEXT, &asked->stop },
		{ "idle-timeout", "TIME",
		  "after which idle nodes go off, as 10min; breakeven: when that pays (default of shutdown); never",
		  ES_OPTION_TEXT, &asked->idle_timeout },
		{ "energy", "FILE", "CSV with job, and energy_j or power_w of all its processors",
		  ES_OPTION_TEXT, &asked->energy },
		{ "carbon-file", "FILE", "carbon intensity over time", ES_OPTION_TEXT,
		  &asked->carbon },
		{ "zone", "Z", "of that file", ES_OPTION_TEXT, &asked->zone },
		{ "price-file", "FILE", "prices over time: CSV with time, and price_eur_per_mwh",
		  ES_OPTION_TEXT, &asked->price },
		{ "start", "DATE", "when the trace begins (default: as it says)", ES_OPTION_TEXT,
		  &asked->start },
		{ "window", "TIME", "by which jobs may be held back for less carbon or cost, as 8h",
		  ES_OPTION_TEXT, &asked->window },
		{ "forecast-error", "SHARE", "of the figures by which that is chosen (default 0)",
		  ES_OPTION_TEXT, &asked->forecast_error },
		{ "seed", "N", "of that error (default 1)", ES_OPTION_TEXT, &asked->seed },
		{ NULL, NULL, "output:", ES_OPTION_HEADING, NULL },
		{ "schedule", "FILE", "write when each job starts and ends, as CSV", ES_OPTION_TEXT,
		  &asked->schedule },
		{ "power-csv", "FILE", "write processors in use, jobs waiting and power over time",
		  ES_OPTION_TEXT, &asked->power_csv },
		{ "svg", "FILE", "a picture: jobs on processors, power, jobs waiting; '-': stdout",
		  ES_OPTION_TEXT, &asked->drawing.svg },
		{ "png", "FILE", "the same as PNG (needs libcairo2)", ES_OPTION_TEXT,
		  &asked->drawing.png },
		{ "pdf", "FILE", "the same as PDF (needs libcairo2)", ES_OPTION_TEXT,
		  &asked->drawing.pdf },
		{ "term", NULL, "drawn in the terminal (without: where stdout is one)",
		  ES_OPTION_FLAG, &asked->is_term },
		{ "from", "TIME",
		  "what is drawn: from +7d after the trace's begin on, or from a date and time",
		  ES_OPTION_TEXT, &asked->from },
		{ "to", "TIME", "up to here, likewise", ES_OPTION_TEXT, &asked->to },
		{ "colour-by", "WHAT", "size of jobs (default), wait, user or queue",
		  ES_OPTION_TEXT, &asked->colour_by },
		{ "by", "WHAT", "waits of each user or queue, too", ES_OPTION_TEXT, &asked->by },
		{ "json", NULL, "print energyscopium.simulate/1", ES_OPTION_FLAG,
		  &asked->wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "TRACE.swf --procs N|--classes FILE [OPTION]…",
		.text = "Replays the jobs of a trace in the Standard Workload Format (packed or not) on a\n"
			"machine of equal processors, or of classes of them, and tells waits, use and energy.",
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
