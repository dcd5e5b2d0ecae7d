/*
 * simulate_show.c - the outcome of a replay, as JSON and for people
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/simulate_groups.h"

static double makespan_s(const struct es_simulate *sim)
{
	return (double)(sim->totals.last_end_s - sim->totals.first_submit_s);
}

double es_simulate_utilisation(const struct es_simulate *sim)
{
	return sim->totals.busy_proc_s / (sim->options.procs * makespan_s(sim));
}

static double idle_w(const struct es_simulate *sim)
{
	return es_simulate_machine_all_idle_w(sim);
}

double es_simulate_energy_j(const struct es_simulate *sim)
{
	return idle_w(sim) * makespan_s(sim) + sim->extra_j;
}

static double peak_w(const struct es_simulate *sim)
{
	if (es_simulate_machine_has_nodes(sim))
		return (double)sim->totals.peak_mw / 1e3;
	return idle_w(sim) + (double)sim->totals.peak_extra_mw / 1e3;
}

/* Of all that is drawn, where @extra is of what is drawn beyond idle. */
static double amount(const struct es_simulate *sim, const struct es_simulate_rates *rates,
		     double extra)
{
	return extra + es_simulate_rates_of(rates, idle_w(sim) * makespan_s(sim),
					    sim->totals.first_submit_s, sim->totals.last_end_s);
}

double es_simulate_grams(const struct es_simulate *sim)
{
	return amount(sim, &sim->carbon.rates, sim->extra_g);
}

double es_simulate_cost(const struct es_simulate *sim)
{
	return amount(sim, &sim->price.rates, sim->extra_cost);
}

int64_t es_simulate_wait_s(const struct es_simulate *sim, double share)
{
	double rank = ceil(share * (double)sim->n_waits);

	return sim->n_waits > 0 ? sim->waits_s[rank >= 1 ? (size_t)rank - 1 : 0] : 0;
}

static void put_powers(const struct es_simulate *sim, struct es_json *json)
{
	if (sim->power.is_known) {
		es_json_double(json, "energy_kwh", es_simulate_energy_j(sim) / ES_J_PER_KWH);
		es_json_double(json, "jobs_kwh", sim->jobs_j / ES_J_PER_KWH);
	} else {
		es_json_null(json, "energy_kwh");
		es_json_null(json, "jobs_kwh");
	}
	if (sim->has_grams)
		es_json_double(json, "gco2", es_simulate_grams(sim));
	else
		es_json_null(json, "gco2");
	if (sim->has_cost)
		es_json_double(json, "cost", es_simulate_cost(sim));
	else
		es_json_null(json, "cost");
	es_json_string(json, "currency", sim->price.rates.is_known ? sim->price.currency : NULL);
	if (sim->power.is_known)
		es_json_double(json, "peak_w", peak_w(sim));
	else
		es_json_null(json, "peak_w");
	if (sim->options.has_cap)
		es_json_decimal(json, "power_cap_w", sim->cap_mw, 3);
	else
		es_json_null(json, "power_cap_w");
}

void es_simulate_members(const struct es_simulate *sim, struct es_json *json)
{
	const struct es_sim_totals *totals = &sim->totals;
	double n = (double)totals->n_jobs;

	es_json_string(json, "policy", es_simulate_policy_name(sim->policy));
	es_json_u64(json, "procs", sim->options.procs);
	es_json_string(json, "runtime_estimates", sim->trace.is_requested ? "requested" : "actual");
	es_json_u64(json, "jobs", totals->n_jobs);
	es_json_u64(json, "left_out", sim->trace.n_left_out);
	es_json_u64(json, "wrong_lines", sim->trace.swf.n_faults);
	es_json_double(json, "mean_wait_s", totals->wait_s / n);
	es_json_i64(json, "median_wait_s", es_simulate_wait_s(sim, 0.5));
	es_json_i64(json, "p95_wait_s", es_simulate_wait_s(sim, 0.95));
	es_json_i64(json, "max_wait_s", es_simulate_wait_s(sim, 1));
	es_json_double(json, "mean_bounded_slowdown", totals->bounded_slowdown / n);
	es_json_double(json, "utilisation",
		       es_simulate_utilisation(sim)); /* null where no time passes */
	es_json_i64(json, "makespan_s", totals->last_end_s - totals->first_submit_s);
	put_powers(sim, json);
	es_json_double(json, "mean_hold_s", sim->hold_s / n);
	es_json_u64(json, "overtaking", totals->n_overtaking);
	es_json_u64(json, "outlasting", totals->n_outlasting);
	es_json_u64(json, "most_waiting", totals->most_waiting);
	es_simulate_machine_members(sim, json);
}

void es_simulate_put_json(const struct es_simulate *sim, struct es_buf *out)
{
	struct es_json json;
	int r;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.simulate/1");
	es_simulate_members(sim, &json);
	r = es_simulate_groups_members(sim, &json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
	out->error = r < 0 ? r : out->error;
}

int es_simulate_digits(double value, int most)
{
	int digits = most;

	for (double limit = pow(10, 7 - most); digits > 0 && fabs(value) >= limit; limit *= 10)
		digits--;
	return digits;
}

static void put_power_rows(const struct es_simulate *sim, struct es_buf *out)
{
	double kwh;
	int digits;

	if (!sim->power.is_known)
		return;
	kwh = es_simulate_energy_j(sim) / ES_J_PER_KWH;
	digits = es_simulate_digits(kwh, 6);
	(void)es_buf_printf(out,
			    "%-24s %.*f kWh, %.*f of them while jobs run, on their processors\n",
			    "energy", digits, kwh, digits, sim->jobs_j / ES_J_PER_KWH);
	(void)es_buf_printf(out, "%-24s %.9g W", "peak", peak_w(sim));
	if (sim->options.has_cap)
		(void)es_buf_printf(out, " (cap %.9g W)", (double)sim->cap_mw / 1e3);
	(void)es_buf_str(out, "\n");
	if (sim->has_cost)
		(void)es_buf_printf(out, "%-24s %.*f %s\n", "cost",
				    fabs(es_simulate_cost(sim)) < 1 ? 4 : 2, es_simulate_cost(sim),
				    sim->price.currency);
	else if (sim->price.rates.is_known)
		(void)es_buf_printf(out, "%-24s n/a\n", "cost");
	if (!sim->carbon.rates.is_known)
		return;
	if (sim->has_grams)
		(void)es_buf_printf(out, "%-24s %.*f g%s%s, without PUE\n", "CO2e",
				    es_simulate_digits(es_simulate_grams(sim), 3),
				    es_simulate_grams(sim),
				    sim->carbon.rates.series->zone[0] ? " in " : "",
				    sim->carbon.rates.series->zone);
	else
		(void)es_buf_printf(out, "%-24s n/a\n", "CO2e");
}

void es_simulate_put_table(const struct es_simulate *sim, struct es_buf *out)
{
	const struct es_sim_totals *totals = &sim->totals;
	double n = (double)totals->n_jobs;

	(void)es_buf_printf(out, "%-24s %s on %" PRIu32 " processors, by %s times\n", "policy",
			    es_simulate_policy_name(sim->policy), sim->options.procs,
			    sim->trace.is_requested ? "requested" : "actual");
	(void)es_buf_printf(out, "%-24s %" PRIu64 "", "jobs", totals->n_jobs);
	if (sim->trace.n_left_out > 0)
		(void)es_buf_printf(out, " (%zu left out: no run time, or no processors)",
				    sim->trace.n_left_out);
	(void)es_buf_printf(out, "\n%-24s %.3f s\n", "mean wait", totals->wait_s / n);
	(void)es_buf_printf(out,
			    "%-24s half of the jobs %" PRId64 " s at most, 95 %% %" PRId64
			    " s, all %" PRId64 " s\n",
			    "waits", es_simulate_wait_s(sim, 0.5), es_simulate_wait_s(sim, 0.95),
			    es_simulate_wait_s(sim, 1));
	if (sim->trace.held)
		(void)es_buf_printf(out, "%-24s %.3f s (part of the wait)\n", "mean time held back",
				    sim->hold_s / n);
	(void)es_buf_printf(out, "%-24s %.4f (no job counts as shorter than %d s)\n",
			    "mean bounded slowdown", totals->bounded_slowdown / n, ES_SIM_SHORT_S);
	if (makespan_s(sim) > 0)
		(void)es_buf_printf(out, "%-24s %.2f %%\n", "utilisation",
				    100 * es_simulate_utilisation(sim));
	else
		(void)es_buf_printf(out, "%-24s n/a\n", "utilisation");
	(void)es_buf_printf(out, "%-24s %" PRId64 " s\n", "makespan",
			    totals->last_end_s - totals->first_submit_s);
	put_power_rows(sim, out);
	es_simulate_machine_put_rows(sim, out);
	(void)es_buf_printf(out, "%-24s %zu\n", "most jobs waiting", totals->most_waiting);
	(void)es_buf_printf(out, "%-24s %" PRIu64 "\n", "jobs that overtook", totals->n_overtaking);
	if (totals->n_outlasting > 0)
		(void)es_buf_printf(out, "%-24s %" PRIu64 "\n", "outlasted their estimate",
				    totals->n_outlasting);
}
