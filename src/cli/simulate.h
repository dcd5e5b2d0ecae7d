/*
 * simulate.h - what is asked of energyscopium simulate, and the trace it replays
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_H
#define ES_CLI_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/drawing.h"
#include "cli/simulate_carbon.h"
#include "cli/simulate_course.h"
#include "cli/simulate_machine.h"
#include "cli/simulate_power.h"
#include "cli/simulate_price.h"
#include "core/swf.h"
#include "opt/sim.h"

/** struct es_simulate_held - a job that is held back */
struct es_simulate_held {
	int64_t arrival_s, hold_s;
	uint32_t index; /* in the trace */
};

/** es_simulate_hold_fn - how long to hold a job back */
typedef int64_t (*es_simulate_hold_fn)(void *arg, const struct es_sim_job *job);

/** struct es_simulate_trace - jobs in the order of their submission; zero-initialise, es_simulate_trace_finish() it */
struct es_simulate_trace {
	struct es_swf swf;
	bool is_classed; /* the machine has classes: no job is larger than the largest */
	bool is_requested; /* estimates are what was asked for; else the run times */
	size_t next; /* to be handed out */
	struct es_simulate_held *
		held; /* [n_held] owned: by when the scheduler is told of them; NULL: none is held back */
	size_t n_held;
	size_t n_left_out; /* without length or processors */
	size_t n_without_request; /* the run time stands in for it */
};

/**
 * es_simulate_trace_read - the jobs of a file, packed or not
 * @procs: of the machine; a job that asks for more is an error
 * Wrong lines are told on stderr as @command's. Returns 0 or negative errno with words; nothing is handed out yet.
 */
int es_simulate_trace_read(const char *command, const char *path, bool is_strict, uint32_t procs,
			   struct es_simulate_trace *trace, struct es_error *err);
/** es_simulate_trace_hold - ask for each job how long it is held back; 0 or -ENOMEM */
int es_simulate_trace_hold(struct es_simulate_trace *trace, es_simulate_hold_fn hold, void *arg);
void es_simulate_trace_finish(struct es_simulate_trace *trace);
/** es_simulate_trace_next - 1 and the next job, without its power; 0: there is none */
int es_simulate_trace_next(struct es_simulate_trace *trace, struct es_sim_job *ret);

/** enum es_simulate_policy - by name; several are one policy of the engine */
enum es_simulate_policy {
	ES_SIMULATE_FCFS,
	ES_SIMULATE_EASY,
	ES_SIMULATE_EASY_POWER,
	ES_SIMULATE_CARBON,
	ES_SIMULATE_PRICE,
	ES_SIMULATE_SHUTDOWN,
	ES_SIMULATE_N_POLICIES,
};

/** struct es_simulate_moment - of a trace: so long after its begin, or a date */
struct es_simulate_moment {
	bool is_given, is_date;
	int64_t at_s; /* since the trace's begin, or Unix time */
};

/** struct es_simulate_asked - the options in words; NULL: not given */
struct es_simulate_asked {
	const char *path, *procs, *policy, *estimates, *schedule, *energy, *watts_idle, *watts_busy,
		*classes, *choose, *procs_per_node, *watts_off, *boot, *stop, *idle_timeout,
		*power_cap, *carbon, *zone, *price, *start, *window, *forecast_error, *seed,
		*compare, *power_csv, *from, *to, *colour_by, *by;
	struct es_drawing drawing;
	bool is_strict, wants_json, is_term;
};

/** struct es_simulate - a replay */
struct es_simulate {
	struct es_simulate_asked asked;
	enum es_simulate_policy policy;
	struct es_sim_options options;
	struct es_simulate_trace trace;
	struct es_simulate_power power;
	struct es_simulate_machine machine;
	struct es_simulate_carbon carbon;
	struct es_simulate_price price;
	struct es_sim_totals totals;
	int64_t cap_mw; /* of the whole machine */
	int64_t unix_start_s; /* of the trace's second 0; below 0: not known */
	int64_t window_s; /* by which jobs may be held back */
	double forecast_error;
	uint64_t seed;
	double hold_s; /* sum over all jobs */
	double jobs_j; /* of jobs, idle power of their processors in it */
	double extra_j, extra_g, extra_cost; /* beyond idle */
	bool has_grams, has_cost;
	es_sim_started_fn also; /* told each start too; NULL: nobody */
	void *also_arg;
	bool has_course; /* what follows is wanted: for pictures and the power over time */
	struct es_simulate_course course;
	struct es_simulate_moment from, to; /* of the picture */
	unsigned colour; /* enum es_simulate_colour */
	int64_t *waits_s; /* [n_waits] owned; in order once it is replayed */
	size_t n_waits, cap_waits;
	bool is_again; /* what is wrong with the files was told before */
	struct es_error *err;
	struct es_buf rows; /* of the schedule */
};

/** es_simulate_read - the options as numbers; -1, or complains and returns the status to end with */
int es_simulate_read(struct es_simulate *sim);
/** es_simulate_takes_stdout - a file goes there, and nothing else may; -1, or complains and returns the status to end with: several do */
int es_simulate_takes_stdout(const struct es_simulate_asked *asked, bool *ret);
/** es_simulate_policy_name - as given to --policy */
const char *es_simulate_policy_name(enum es_simulate_policy policy);
/** es_simulate_load - read the files; 0 or negative errno with words */
int es_simulate_load(struct es_simulate *sim, struct es_error *err);
/** es_simulate_load_again - the same files for another policy; takes the trace of @from, which is done with it */
int es_simulate_load_again(struct es_simulate *sim, struct es_simulate *from, struct es_error *err);
/** es_simulate_replay - and write the schedule; 0 or negative errno with words */
int es_simulate_replay(struct es_simulate *sim, struct es_error *err);
/** es_simulate_draw - count what the machine draws beyond idle (below 0: less) from @from_s to @to_s, with its grams and cost */
void es_simulate_draw(struct es_simulate *sim, double joules, int64_t from_s, int64_t to_s);
/** es_simulate_rates - those by which jobs are held back; NULL: the policy holds none back */
struct es_simulate_rates *es_simulate_rates(struct es_simulate *sim);
void es_simulate_finish(struct es_simulate *sim);
/** es_simulate_compare - all of --compare; the status to end with */
int es_simulate_compare(const struct es_simulate_asked *asked);
/** es_simulate_utilisation, es_simulate_energy_j, es_simulate_grams, es_simulate_cost - what it came to, where that is known */
double es_simulate_utilisation(const struct es_simulate *sim);
double es_simulate_energy_j(const struct es_simulate *sim);
double es_simulate_grams(const struct es_simulate *sim);
double es_simulate_cost(const struct es_simulate *sim);
/** es_simulate_digits - behind the point, @most of them, for seven in all: further ones are only in JSON */
int es_simulate_digits(double value, int most);
/** es_simulate_wait_s - what a share of all jobs wait no longer than: one of the waits */
int64_t es_simulate_wait_s(const struct es_simulate *sim, double share);
/** es_simulate_members - what a replay came to, into an open object */
void es_simulate_members(const struct es_simulate *sim, struct es_json *json);
/** es_simulate_put_json, es_simulate_put_table - the outcome */
void es_simulate_put_json(const struct es_simulate *sim, struct es_buf *out);
void es_simulate_put_table(const struct es_simulate *sim, struct es_buf *out);

#endif
