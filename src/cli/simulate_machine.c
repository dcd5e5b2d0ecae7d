/*
 * simulate_machine.c - nodes of the machine on which a trace is replayed, and what they came to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/simulate.h"
#include "cli/simulate_classes.h"

#define COMMAND "simulate"
#define SWITCH_MAX_NS (86400 * ES_NS_PER_S) /* of a boot or a stop */
#define TIMEOUT_MAX_NS (3660 * 86400 * ES_NS_PER_S)
#define WATTS_MAX_MW UINT64_C(1000000000) /* of a node: 1 MW */

static const char *const state_names[ES_SIM_N_STATES] = {
	[ES_SIM_OFF] = "off",	[ES_SIM_BOOTING] = "booting",	[ES_SIM_IDLE] = "idle",
	[ES_SIM_BUSY] = "busy", [ES_SIM_STOPPING] = "stopping",
};

static int wrong(const char *option, const char *value, const char *wanted)
{
	return es_complain(COMMAND, ES_EXIT_USAGE, "%s '%s': %s", option, value, wanted);
}

static int read_watts(const char *option, const char *text, int64_t *ret_mw)
{
	uint64_t mw;

	if (es_parse_power_mw(text, &mw) < 0 || mw > WATTS_MAX_MW)
		return wrong(option, text, "a node's power with its unit is wanted, as 9.75W");
	*ret_mw = (int64_t)mw;
	return -1;
}

/* TIME,W as 151.5s,125.2W */
static int read_switch(const char *option, const char *text, int64_t *ret_ms, int64_t *ret_mw)
{
	const char *comma = strchr(text, ',');
	size_t n = comma ? (size_t)(comma - text) : 0;
	uint64_t mw;
	int64_t ns;
	char time[64];

	if (n == 0 || n >= sizeof(time))
		return wrong(option, text,
			     "a time and a node's power meanwhile are wanted, as 90s,125W");
	(void)snprintf(time, sizeof(time), "%.*s", (int)n, text);
	if (es_parse_duration_ns(time, &ns) < 0 || ns < 0 || ns > SWITCH_MAX_NS)
		return wrong(option, text, "a time of at most 1d is wanted first, as 90s,125W");
	if (es_parse_power_mw(comma + 1, &mw) < 0 || mw > WATTS_MAX_MW)
		return wrong(
			option, text,
			"a node's power with its unit is wanted behind the comma, as 90s,125W");
	*ret_ms = (ns + 999999) / 1000000;
	*ret_mw = (int64_t)mw;
	return -1;
}

static int read_costs(struct es_simulate *sim, struct es_sim_node *node)
{
	const struct es_simulate_asked *asked = &sim->asked;
	int status = -1;

	if (asked->watts_off)
		status = read_watts("--watts-off", asked->watts_off, &node->off_mw);
	if (status < 0 && asked->boot)
		status = read_switch("--boot", asked->boot, &node->boot_ms, &node->boot_mw);
	if (status < 0 && asked->stop)
		status = read_switch("--stop", asked->stop, &node->stop_ms, &node->stop_mw);
	return status;
}

static const char *missing_of(const struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;

	if (!sim->power.is_known)
		return "--watts-idle W";
	if (!asked->watts_off)
		return "--watts-off W";
	if (!asked->boot)
		return "--boot TIME,W";
	return asked->stop ? NULL : "--stop TIME,W";
}

/* How long nodes of each class stay idle. */
static int read_timeout(struct es_simulate *sim)
{
	struct es_simulate_machine *machine = &sim->machine;
	const char *text = sim->asked.idle_timeout;
	bool is_even = text ? strcmp(text, "breakeven") == 0 : sim->policy == ES_SIMULATE_SHUTDOWN;
	int64_t ns = -1;

	if (text && !is_even && strcmp(text, "never") != 0 &&
	    (es_parse_duration_ns(text, &ns) < 0 || ns < 0 || ns > TIMEOUT_MAX_NS))
		return wrong("--idle-timeout", text,
			     "a time of at most 3660d, breakeven or never is wanted");
	for (unsigned i = 0; i < machine->n; i++) {
		struct es_sim_node *node = &machine->classes[i].node;
		double even_s = es_sim_break_even_s(node);

		node->timeout_s = -1;
		if (!machine->has_switch[i])
			continue;
		if (is_even && isfinite(even_s))
			node->timeout_s = (int64_t)ceil(even_s);
		else if (!is_even && ns >= 0)
			node->timeout_s = (ns + ES_NS_PER_S - 1) / ES_NS_PER_S;
	}
	return -1;
}

/* Without words for it each processor is a node that is never off, and need not be counted. */
static int read_nodes(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	struct es_simulate_machine *machine = &sim->machine;
	struct es_sim_class *class = &machine->classes[0];
	uint64_t n = 1;

	if (asked->procs_per_node &&
	    (es_parse_u64(asked->procs_per_node, &n) < 0 || n == 0 || n > sim->options.procs))
		return wrong("--procs-per-node", asked->procs_per_node,
			     "a number from 1 to that of --procs is wanted");
	if (sim->options.procs % n > 0)
		return wrong("--procs-per-node", asked->procs_per_node,
			     "the processors of --procs are not whole nodes of so many");
	if (n == 1 && !asked->watts_off)
		return -1;
	machine->n = 1;
	machine->has_switch[0] = asked->watts_off != NULL;
	class->procs = sim->options.procs;
	class->node.procs = (uint32_t)n;
	class->node.idle_mw = llround(sim->power.idle_w * 1e3 * (double)n);
	return read_costs(sim, &class->node);
}

static bool wants_stops(const struct es_simulate *sim)
{
	const char *timeout = sim->asked.idle_timeout;

	return timeout ? strcmp(timeout, "never") != 0 : sim->policy == ES_SIMULATE_SHUTDOWN;
}

static const char *const choices[ES_SIM_N_CHOICES] = {
	[ES_SIM_FIRST] = "first",
	[ES_SIM_ENERGY] = "energy",
	[ES_SIM_EDP] = "edp",
	[ES_SIM_MARGINAL] = "marginal",
};

static int read_choice(struct es_simulate *sim)
{
	const char *name = sim->asked.choose ? sim->asked.choose : "first";
	size_t i = 0;

	if (sim->asked.choose && !sim->asked.classes)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--choose is for --classes FILE");
	while (i < ES_ARRAY_SIZE(choices) && strcmp(name, choices[i]) != 0)
		i++;
	if (i == ES_ARRAY_SIZE(choices))
		return wrong("--choose", name, "first, energy, edp or marginal is wanted");
	sim->options.choice = (enum es_sim_choice)i;
	return -1;
}

static int read_classes(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	struct es_simulate_machine *machine = &sim->machine;
	struct es_error err = { .code = 0 };
	bool has_switch = false;

	if (asked->procs_per_node || asked->watts_idle || asked->watts_busy || asked->watts_off ||
	    asked->boot || asked->stop)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "what nodes draw and have stands in the file of --classes");
	if (es_simulate_classes_read(machine, asked->classes, &err) < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	sim->options.procs = 0;
	for (unsigned i = 0; i < machine->n; i++) {
		sim->options.procs += machine->classes[i].procs;
		has_switch = has_switch || machine->has_switch[i];
		if (machine->has_idle && !machine->has_busy[i] && !asked->energy)
			return es_complain(COMMAND, ES_EXIT_FAILURE,
					   "'%s': what jobs draw on '%s' is missing: watts_busy, a "
					   "power model, or --energy FILE",
					   asked->classes, machine->names[i]);
	}
	sim->power.is_known = machine->has_idle;
	sim->power.class_names = (const char(*)[ES_NAME_MAX_BYTES])machine->names;
	sim->power.n_classes = machine->n;
	if (!sim->power.is_known && (asked->energy || sim->options.choice != ES_SIM_FIRST ||
				     asked->power_cap || asked->carbon || asked->price))
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "'%s' tells no powers: column watts_idle is missing",
				   asked->classes);
	if (!has_switch && wants_stops(sim))
		return es_complain(
			COMMAND, ES_EXIT_FAILURE,
			"'%s' has no class that could be off: columns watts_off, boot_s, "
			"boot_watts, stop_s and stop_watts",
			asked->classes);
	sim->options.offer = es_simulate_classes_offer;
	return -1;
}

static int read_alike(struct es_simulate *sim)
{
	const struct es_simulate_asked *asked = &sim->asked;
	const char *missing = missing_of(sim);

	if (missing && (asked->watts_off || asked->boot || asked->stop))
		return es_complain(COMMAND, ES_EXIT_USAGE, "%s is missing: %s", missing,
				   "--watts-off, --boot and --stop go together");
	if (missing && wants_stops(sim))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "%s is missing: to switch idle nodes off takes --watts-idle, "
				   "--watts-off, --boot and --stop",
				   missing);
	return read_nodes(sim);
}

int es_simulate_machine_read(struct es_simulate *sim)
{
	int status = read_choice(sim);

	if (status < 0)
		status = sim->asked.classes ? read_classes(sim) : read_alike(sim);
	status = status >= 0 ? status : read_timeout(sim);
	if (status >= 0 || sim->machine.n == 0)
		return status;
	sim->options.classes = sim->machine.classes;
	sim->options.n_classes = sim->machine.n;
	return -1;
}

double es_simulate_machine_idle_w(const struct es_simulate *sim, unsigned class)
{
	return sim->machine.is_named ? sim->machine.idle_w[class] : sim->power.idle_w;
}

double es_simulate_machine_all_idle_w(const struct es_simulate *sim)
{
	double sum_w = 0;

	if (sim->machine.n == 0)
		return sim->power.idle_w * sim->options.procs;
	for (unsigned i = 0; i < sim->machine.n; i++) {
		const struct es_sim_class *class = &sim->machine.classes[i];
		uint32_t nodes = class->procs / class->node.procs;

		sum_w += (double)class->node.idle_mw / 1e3 * nodes;
	}
	return sum_w;
}

uint32_t es_simulate_machine_before(const struct es_simulate *sim, unsigned class)
{
	uint32_t sum = 0;

	if (sim->machine.n == 0)
		return class > 0 ? sim->options.procs : 0;
	for (unsigned i = 0; i < class && i < sim->machine.n; i++)
		sum += sim->machine.classes[i].procs;
	return sum;
}

uint32_t es_simulate_machine_most(const struct es_simulate *sim)
{
	uint32_t most = sim->machine.n > 0 ? 0 : sim->options.procs;

	for (unsigned i = 0; i < sim->machine.n; i++)
		if (sim->machine.classes[i].procs > most)
			most = sim->machine.classes[i].procs;
	return most;
}

/* A part of a second is told as of that second. */
void es_simulate_machine_drew(void *arg, int64_t from_ms, int64_t to_ms, int64_t mw)
{
	struct es_simulate *sim = arg;
	double watts = (double)mw / 1e3 - es_simulate_machine_all_idle_w(sim);

	if (!sim->machine.is_told)
		sim->machine.told_from_ms = from_ms;
	sim->machine.is_told = true;
	if (sim->has_course)
		es_simulate_course_base(&sim->course, from_ms, to_ms, mw);
	while (from_ms < to_ms && watts != 0) {
		int64_t from_s = from_ms / 1000, to_s = to_ms / 1000, end_ms;

		if (from_ms % 1000 > 0 || to_s == from_s)
			to_s = from_s + 1;
		end_ms = to_s * 1000 < to_ms ? to_s * 1000 : to_ms;
		es_simulate_draw(sim, watts * (double)(end_ms - from_ms) / 1e3, from_s, to_s);
		from_ms = end_ms;
	}
}

bool es_simulate_machine_has_nodes(const struct es_simulate *sim)
{
	return sim->machine.n > 0;
}

static double state_j(const struct es_simulate *sim, unsigned i, enum es_sim_state state)
{
	const struct es_sim_stays *stays = &sim->totals.by_class[i].stays;

	return (double)es_sim_node_mw(&sim->machine.classes[i].node, state) *
	       (double)stays->ms[state] / 1e6;
}

static void put_nodes(const struct es_simulate *sim, unsigned i, struct es_json *json)
{
	const struct es_sim_class *class = &sim->machine.classes[i];
	const struct es_sim_stays *stays = &sim->totals.by_class[i].stays;

	es_json_object(json, "nodes");
	es_json_u64(json, "count", class->procs / class->node.procs);
	es_json_u64(json, "procs_per_node", class->node.procs);
	if (sim->machine.has_switch[i]) /* null where off is no less */
		es_json_double(json, "break_even_s", es_sim_break_even_s(&class->node));
	else
		es_json_null(json, "break_even_s");
	if (class->node.timeout_s >= 0)
		es_json_i64(json, "idle_timeout_s", class->node.timeout_s);
	else
		es_json_null(json, "idle_timeout_s");
	es_json_u64(json, "boots", stays->n_boots);
	es_json_u64(json, "stops", stays->n_stops);
	es_json_object(json, "node_s");
	for (int state = 0; state < ES_SIM_N_STATES; state++)
		es_json_decimal(json, state_names[state], stays->ms[state], 3);
	es_json_object_end(json);
	if (sim->power.is_known) {
		es_json_object(json, "energy_kwh");
		for (int state = 0; state < ES_SIM_N_STATES; state++)
			es_json_double(json, state_names[state],
				       (state_j(sim, i, (enum es_sim_state)state) +
					(state == ES_SIM_BUSY ? sim->machine.extra_j[i] : 0)) /
					       ES_J_PER_KWH);
		es_json_object_end(json);
	} else {
		es_json_null(json, "energy_kwh");
	}
	es_json_object_end(json);
}

static double utilisation(const struct es_simulate *sim, unsigned i)
{
	return sim->totals.by_class[i].busy_proc_s /
	       ((double)sim->machine.classes[i].procs *
		(double)(sim->totals.last_end_s - sim->totals.first_submit_s));
}

static void put_class(const struct es_simulate *sim, unsigned i, struct es_json *json)
{
	const struct es_simulate_machine *machine = &sim->machine;
	double joules = machine->extra_j[i];

	for (int state = 0; state < ES_SIM_N_STATES; state++)
		joules += state_j(sim, i, (enum es_sim_state)state);
	es_json_object(json, NULL);
	es_json_string(json, "name", machine->names[i]);
	es_json_u64(json, "procs", machine->classes[i].procs);
	es_json_double(json, "speed", machine->speed[i]);
	es_json_u64(json, "jobs", sim->totals.by_class[i].n_jobs);
	es_json_double(json, "utilisation", utilisation(sim, i)); /* null where no time passes */
	if (sim->power.is_known) {
		es_json_double(json, "energy_kwh", joules / ES_J_PER_KWH);
		es_json_double(json, "jobs_kwh", machine->jobs_j[i] / ES_J_PER_KWH);
	} else {
		es_json_null(json, "energy_kwh");
		es_json_null(json, "jobs_kwh");
	}
	put_nodes(sim, i, json);
	es_json_object_end(json);
}

void es_simulate_machine_members(const struct es_simulate *sim, struct es_json *json)
{
	if (sim->machine.n == 0)
		return;
	if (!sim->machine.is_named) {
		put_nodes(sim, 0, json);
		return;
	}
	es_json_string(json, "choose", choices[sim->options.choice]);
	es_json_array(json, "by_class");
	for (unsigned i = 0; i < sim->machine.n; i++)
		put_class(sim, i, json);
	es_json_array_end(json);
}

static void put_node_rows(const struct es_simulate *sim, unsigned i, struct es_buf *out)
{
	const struct es_sim_node *node = &sim->machine.classes[i].node;
	const struct es_sim_stays *stays = &sim->totals.by_class[i].stays;
	double even_s = es_sim_break_even_s(node), sum_ms = 0;

	(void)es_buf_printf(out, "%-24s %" PRIu32 " of %" PRIu32 " processors\n", "nodes",
			    sim->machine.classes[i].procs / node->procs, node->procs);
	if (sim->machine.has_switch[i] && isfinite(even_s))
		(void)es_buf_printf(out, "%-24s after %.0f s of idleness\n", "off breaks even",
				    even_s);
	else if (sim->machine.has_switch[i])
		(void)es_buf_printf(out, "%-24s never: a node draws no less when off\n",
				    "off breaks even");
	if (node->timeout_s >= 0)
		(void)es_buf_printf(
			out, "%-24s after %" PRId64 " s; %" PRIu64 " stops, %" PRIu64 " boots\n",
			"idle nodes go off", node->timeout_s, stays->n_stops, stays->n_boots);
	for (int state = 0; state < ES_SIM_N_STATES; state++)
		sum_ms += (double)stays->ms[state];
	if (sum_ms == 0)
		return;
	(void)es_buf_printf(out, "%-24s", "node time");
	for (int state = 0; state < ES_SIM_N_STATES; state++)
		if (stays->ms[state] > 0)
			(void)es_buf_printf(out, " %.2f %% %s",
					    100 * (double)stays->ms[state] / sum_ms,
					    state_names[state]);
	(void)es_buf_str(out, "\n");
}

static void put_class_row(const struct es_simulate *sim, unsigned i, struct es_buf *out)
{
	const struct es_simulate_machine *machine = &sim->machine;
	const struct es_sim_class_totals *totals = &sim->totals.by_class[i];

	(void)es_buf_printf(out, "class %-18s %" PRIu64 " jobs on %" PRIu32 " processors",
			    machine->names[i], totals->n_jobs, machine->classes[i].procs);
	if (sim->totals.last_end_s > sim->totals.first_submit_s)
		(void)es_buf_printf(out, ", %.2f %% in use", 100 * utilisation(sim, i));
	if (sim->power.is_known)
		(void)es_buf_printf(out, ", %.*f kWh while they run",
				    es_simulate_digits(machine->jobs_j[i] / ES_J_PER_KWH, 6),
				    machine->jobs_j[i] / ES_J_PER_KWH);
	(void)es_buf_str(out, "\n");
}

void es_simulate_machine_put_rows(const struct es_simulate *sim, struct es_buf *out)
{
	if (sim->machine.is_named)
		(void)es_buf_printf(out, "%-24s %s of those that are free\n", "class chosen",
				    choices[sim->options.choice]);
	for (unsigned i = 0; i < sim->machine.n; i++) {
		if (sim->machine.is_named)
			put_class_row(sim, i, out);
		put_node_rows(sim, i, out);
	}
}
