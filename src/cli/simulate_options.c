/*
 * simulate_options.c - what is asked of energyscopium simulate, in numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/simulate_view.h"
#include "cli/terminal.h"

#define COMMAND "simulate"
#define PROCS_MAX (UINT64_C(1) << 30)
#define WINDOW_MAX_NS (366 * 86400 * ES_NS_PER_S)
#define WATTS_MAX_MW UINT64_C(1000000000) /* of a processor: 1 MW */

static const struct {
	const char *name;
	enum es_sim_policy engine;
} policies[ES_SIMULATE_N_POLICIES] = {
	[ES_SIMULATE_FCFS] = { "fcfs", ES_SIM_FCFS },
	[ES_SIMULATE_EASY] = { "easy", ES_SIM_EASY },
	[ES_SIMULATE_EASY_POWER] = { "easy-power", ES_SIM_EASY },
	[ES_SIMULATE_CARBON] = { "carbon", ES_SIM_EASY },
	[ES_SIMULATE_PRICE] = { "price", ES_SIM_EASY },
	[ES_SIMULATE_SHUTDOWN] = { "shutdown", ES_SIM_EASY },
};

const char *es_simulate_policy_name(enum es_simulate_policy policy)
{
	return policies[policy].name;
}

static int wrong(const char *option, const char *value, const char *wanted)
{
	return es_complain(COMMAND, ES_EXIT_USAGE, "%s '%s': %s", option, value, wanted);
}

static int read_policy(struct es_simulate *sim)
{
	const char *name = sim->asked.policy ? sim->asked.policy : "easy";
	size_t i = 0;

	while (i < ES_ARRAY_SIZE(policies) && strcmp(name, policies[i].name) != 0)
		i++;
	if (i == ES_ARRAY_SIZE(policies))
		return wrong("--policy", name,
			     "fcfs, easy, easy-power, carbon, price or shutdown is wanted");
	sim->policy = (enum es_simulate_policy)i;
	sim->options.policy = policies[i].engine;
	return -1;
}

static int read_estimates(struct es_simulate *sim)
{
	const char *kind = sim->asked.estimates ? sim->asked.estimates : "requested";

	sim->trace.is_requested = strcmp(kind, "requested") == 0;
	if (!sim->trace.is_requested && strcmp(kind, "actual") != 0)
		return wrong("--runtime-estimates", kind, "requested or actual is wanted");
	return -1;
}

static int read_watts(const char *option, const char *text, double *ret_w)
{
	uint64_t mw;

	if (!text)
		return -1;
	if (es_parse_power_mw(text, &mw) < 0 || mw > WATTS_MAX_MW)
		return wrong(option, text, "a processor's power with its unit is wanted, as 12.5W");
	*ret_w = (double)mw / 1e3;
	return -1;
}

static int read_power(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	struct es_simulate_power *power = &sim->power;
	int status;

	if (asked->classes) /* it stands there */
		return -1;
	power->is_known = asked->energy || asked->watts_busy || asked->watts_idle;
	power->has_busy = asked->watts_busy != NULL;
	if (!power->is_known && (asked->power_cap || asked->carbon || asked->price))
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"%s needs powers: --watts-idle, and --watts-busy or --energy FILE",
			asked->power_cap ? "--power-cap"
			: asked->carbon	 ? "--carbon-file"
					 : "--price-file");
	if (!power->is_known)
		return -1;
	if (!asked->watts_idle)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--watts-idle W is missing: what a processor draws when idle");
	if (!asked->watts_busy && !asked->energy)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "what jobs draw is missing: --watts-busy W or --energy FILE");
	status = read_watts("--watts-idle", asked->watts_idle, &power->idle_w);
	status = status >= 0 ? status
			     : read_watts("--watts-busy", asked->watts_busy, &power->busy_w);
	if (status < 0 && power->has_busy && power->busy_w < power->idle_w)
		return wrong("--watts-busy", asked->watts_busy, "less than --watts-idle");
	return status;
}

static int read_cap(struct es_simulate *sim)
{
	const char *text = sim->asked.power_cap;
	double idle_w = es_simulate_machine_all_idle_w(sim);
	uint64_t mw;

	if ((sim->policy == ES_SIMULATE_EASY_POWER) != (text != NULL))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--policy easy-power and --power-cap W go together");
	if (!text)
		return -1;
	if (es_parse_power_mw(text, &mw) < 0 || mw > (uint64_t)ES_SIM_POWER_MAX_MW)
		return wrong("--power-cap", text,
			     "the machine's power with its unit is wanted, as 300kW");
	if ((double)mw < idle_w * 1e3)
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "--power-cap '%s': all processors draw %.3f W when idle", text,
				   idle_w);
	sim->cap_mw = (int64_t)mw;
	sim->options.has_cap = true;
	sim->options.cap_mw = (int64_t)((double)mw - idle_w * 1e3 + 1e-6);
	return -1;
}

static int read_start(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	int64_t start_ns = -ES_NS_PER_S;

	if (asked->zone && !asked->carbon)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--zone is for --carbon-file FILE");
	if (asked->start && (es_time_parse(asked->start, &start_ns) < 0 || start_ns < 0))
		return wrong("--start", asked->start,
			     "a date and time is wanted, as 2026-01-05T00:00:00Z");
	sim->unix_start_s = start_ns / ES_NS_PER_S;
	return -1;
}

static int read_window(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	int64_t window_ns = 0, error_ppm = 0;

	if ((es_simulate_rates(sim) != NULL) != (asked->window != NULL))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--policy carbon or price and --window TIME go together");
	if (asked->window && !(sim->policy == ES_SIMULATE_CARBON ? asked->carbon : asked->price))
		return es_complain(COMMAND, ES_EXIT_USAGE, "--policy %s needs --%s-file FILE",
				   es_simulate_policy_name(sim->policy),
				   es_simulate_policy_name(sim->policy));
	if (asked->forecast_error && !asked->window)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--forecast-error is for --policy carbon and price");
	if (asked->seed && !asked->forecast_error)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--seed is for --forecast-error");
	if (asked->window && (es_parse_duration_ns(asked->window, &window_ns) < 0 ||
			      window_ns < 0 || window_ns > WINDOW_MAX_NS))
		return wrong("--window", asked->window, "a time of at most 366d is wanted, as 8h");
	if (asked->forecast_error && (es_parse_share_ppm(asked->forecast_error, &error_ppm) < 0 ||
				      error_ppm < 0 || error_ppm > 1000000))
		return wrong("--forecast-error", asked->forecast_error,
			     "a share from 0 to 100 % is wanted");
	sim->seed = 1;
	if (asked->seed && es_parse_u64(asked->seed, &sim->seed) < 0)
		return wrong("--seed", asked->seed, "a whole number is wanted");
	sim->window_s = window_ns / ES_NS_PER_S;
	sim->forecast_error = (double)error_ppm / 1e6;
	return -1;
}

static int read_moment(const char *option, const char *text, struct es_simulate_moment *ret)
{
	int64_t t_ns;

	if (!text)
		return -1;
	ret->is_given = true;
	ret->is_date = text[0] != '+';
	if (ret->is_date ? es_time_parse(text, &t_ns) < 0
			 : es_parse_duration_ns(text + 1, &t_ns) < 0)
		return wrong(
			option, text,
			"a time after the trace's begin is wanted, as +7d, or a date and time");
	ret->at_s = t_ns / ES_NS_PER_S;
	return -1;
}

int es_simulate_takes_stdout(const struct es_simulate_asked *asked, bool *ret)
{
	int n = es_drawing_takes_stdout(&asked->drawing, NULL);

	n = n < 0 ? 2 : n;
	n += asked->schedule && strcmp(asked->schedule, "-") == 0;
	n += asked->power_csv && strcmp(asked->power_csv, "-") == 0;
	n += n > 0 && (asked->wants_json || asked->is_term);
	*ret = n > 0;
	return n > 1 ? es_complain(COMMAND, ES_EXIT_USAGE, "one thing at most can go to stdout")
		     : -1;
}

/* What is drawn, and where to. */
static int read_picture(struct es_simulate *sim)
{
	struct es_simulate_asked *asked = &sim->asked;
	enum es_simulate_colour colour = ES_COLOUR_SIZE;
	bool takes_stdout, is_drawn = es_drawing_is_asked(&asked->drawing) || asked->is_term;
	int status = es_simulate_takes_stdout(asked, &takes_stdout);

	if (status >= 0)
		return status;
	if (!is_drawn && !takes_stdout && !asked->wants_json && !asked->compare)
		is_drawn = asked->is_term = es_terminal_is_there();
	if (!is_drawn && (asked->from || asked->to || asked->colour_by))
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--from, --to and --colour-by are for --svg, --png, --pdf and --term");
	if (asked->colour_by && es_simulate_view_read(asked->colour_by, &colour) < 0)
		return wrong("--colour-by", asked->colour_by,
			     "size, wait, user or queue is wanted");
	if (asked->by && strcmp(asked->by, "user") != 0 && strcmp(asked->by, "queue") != 0)
		return wrong("--by", asked->by, "user or queue is wanted");
	status = read_moment("--from", asked->from, &sim->from);
	status = status >= 0 ? status : read_moment("--to", asked->to, &sim->to);
	sim->colour = colour;
	sim->has_course = is_drawn || asked->power_csv || asked->by;
	return status;
}

static int read_procs(struct es_simulate *sim)
{
	uint64_t n;

	if (sim->asked.procs && sim->asked.classes)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--procs is of a machine without --classes: give one of them");
	if (sim->asked.classes)
		return -1;
	if (!sim->asked.procs)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--procs N is missing: the processors of the machine");
	if (es_parse_u64(sim->asked.procs, &n) < 0 || n == 0 || n > PROCS_MAX)
		return wrong("--procs", sim->asked.procs,
			     "a number from 1 to 1073741824 is wanted");
	sim->options.procs = (uint32_t)n;
	return -1;
}

int es_simulate_read(struct es_simulate *sim)
{
	int status;

	status = read_procs(sim);
	status = status >= 0 ? status : read_policy(sim);
	status = status >= 0 ? status : read_estimates(sim);
	status = status >= 0 ? status : read_power(sim);
	status = status >= 0 ? status : es_simulate_machine_read(sim);
	status = status >= 0 ? status : read_cap(sim);
	status = status >= 0 ? status : read_start(sim);
	status = status >= 0 ? status : read_window(sim);
	return status >= 0 ? status : read_picture(sim);
}
