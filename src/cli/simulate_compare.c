/*
 * simulate_compare.c - the same trace under two policies, and what they differ by
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/simulate.h"
#include "opt/weeks.h"

#define COMMAND "simulate"
#define SEED 1 /* of the resampled weeks: the same bytes again */

struct compare {
	struct es_simulate sims[2];
	char names[2][32];
	struct es_week *waits, *slowdowns; /* [n] owned */
	size_t n;
	struct es_weeks_difference wait, slowdown;
	bool has_interval;
};

static int read_names(const char *text, struct compare *compare)
{
	const char *comma = strchr(text, ',');
	size_t n = comma ? (size_t)(comma - text) : 0;

	if (!comma || n == 0 || n >= sizeof(compare->names[0]) || comma[1] == '\0' ||
	    strlen(comma + 1) >= sizeof(compare->names[1]) || strchr(comma + 1, ','))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--compare '%s': two policies are wanted, as fcfs,easy", text);
	memcpy(compare->names[0], text, n);
	(void)snprintf(compare->names[1], sizeof(compare->names[1]), "%s", comma + 1);
	if (strcmp(compare->names[0], compare->names[1]) == 0)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--compare '%s': the same policy twice",
				   text);
	return -1;
}

/* Each policy takes the options that are its own; one that neither takes is an error. */
static int share_options(const struct es_simulate_asked *asked, struct compare *compare)
{
	bool is_capped = false, is_held = false;
	int status = -1;

	for (int i = 0; i < 2 && status < 0; i++) {
		struct es_simulate *sim = &compare->sims[i];
		bool caps = strcmp(compare->names[i], "easy-power") == 0;
		bool holds = strcmp(compare->names[i], "carbon") == 0 ||
			     strcmp(compare->names[i], "price") == 0;

		sim->asked = *asked;
		sim->asked.policy = compare->names[i];
		sim->asked.power_cap = caps ? asked->power_cap : NULL;
		if (strcmp(compare->names[1 - i], "shutdown") ==
		    0) /* this one keeps its nodes on */
			sim->asked.idle_timeout = NULL;
		sim->asked.window = holds ? asked->window : NULL;
		sim->asked.forecast_error = holds ? asked->forecast_error : NULL;
		sim->asked.seed = holds ? asked->seed : NULL;
		is_capped = is_capped || caps;
		is_held = is_held || holds;
		status = es_simulate_read(sim);
	}
	if (status < 0 && ((asked->power_cap && !is_capped) ||
			   ((asked->window || asked->forecast_error || asked->seed) && !is_held)))
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--power-cap is for easy-power, --window and --forecast-error for carbon and price");
	if (status < 0 && (asked->schedule || asked->policy))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--policy and --schedule are for one policy, not for --compare");
	return status;
}

static int make_weeks(struct compare *compare)
{
	const struct es_swf *swf = &compare->sims[0].trace.swf;

	compare->n = (size_t)(swf->jobs[swf->n - 1].submit_s / ES_WEEK_S) + 1;
	compare->waits = calloc(compare->n, sizeof(*compare->waits));
	compare->slowdowns = calloc(compare->n, sizeof(*compare->slowdowns));
	return compare->waits && compare->slowdowns ? 0 : -ENOMEM;
}

static int count(void *arg, const struct es_sim_job *job, int64_t start_s, bool is_second)
{
	struct compare *compare = arg;
	size_t at = (size_t)(job->submit_s / ES_WEEK_S);
	struct es_week *wait = &compare->waits[at], *slowdown = &compare->slowdowns[at];
	double waited_s = (double)(start_s - job->submit_s), run_s = (double)job->run_s;
	double slower = (waited_s + run_s) / (run_s > ES_SIM_SHORT_S ? run_s : ES_SIM_SHORT_S);

	slower = slower > 1 ? slower : 1;
	if (is_second) {
		wait->b += waited_s;
		slowdown->b += slower;
		return 0;
	}
	wait->n++;
	slowdown->n++;
	wait->a += waited_s;
	slowdown->a += slower;
	return 0;
}

static int count_first(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	return count(arg, job, start_s, false);
}

static int count_second(void *arg, const struct es_sim_job *job, int64_t start_s)
{
	return count(arg, job, start_s, true);
}

static int replay_both(struct compare *compare, struct es_error *err)
{
	struct es_simulate *a = &compare->sims[0], *b = &compare->sims[1];
	int r = es_simulate_load(a, err);

	if (r == 0 && make_weeks(compare) < 0)
		r = es_error_set(err, -ENOMEM, "no room for the weeks");
	if (r < 0)
		return r;
	a->also = count_first;
	b->also = count_second;
	a->also_arg = b->also_arg = compare;
	r = es_simulate_replay(a, err);
	if (r == 0)
		r = es_simulate_load_again(b, a, err);
	if (r == 0)
		r = es_simulate_replay(b, err);
	if (r < 0)
		return r;
	r = es_weeks_compare(compare->waits, compare->n, SEED, &compare->wait);
	compare->has_interval = r == 0;
	r = r < 0 ? r : es_weeks_compare(compare->slowdowns, compare->n, SEED, &compare->slowdown);
	return r < 0 ? es_error_set(err, r, "weeks") : 0;
}

static void put_difference(const struct compare *compare, struct es_json *json, const char *name,
			   const struct es_weeks_difference *difference)
{
	es_json_object(json, name);
	es_json_double(json, "change", difference->value);
	if (compare->has_interval) {
		es_json_array_inline(json, "ci");
		es_json_double(json, NULL, difference->low);
		es_json_double(json, NULL, difference->high);
		es_json_array_end(json);
	} else {
		es_json_null(json, "ci");
	}
	es_json_object_end(json);
}

static void put_json(const struct compare *compare, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.simulate-compare/1");
	es_json_array(&json, "policies");
	for (int i = 0; i < 2; i++) {
		es_json_object(&json, NULL);
		es_simulate_members(&compare->sims[i], &json);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_u64(&json, "weeks", compare->n);
	put_difference(compare, &json, "mean_wait_s", &compare->wait);
	put_difference(compare, &json, "mean_bounded_slowdown", &compare->slowdown);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_row(const struct compare *compare, struct es_buf *out, const char *name,
		    const struct es_weeks_difference *difference)
{
	(void)es_buf_printf(out, "%-24s %+.4f", name, difference->value);
	if (compare->has_interval)
		(void)es_buf_printf(out, " (95 %% between %+.4f and %+.4f, by resampled weeks)\n",
				    difference->low, difference->high);
	else
		(void)es_buf_printf(out, " (no interval: that takes %u weeks with jobs)\n",
				    ES_WEEKS_LEAST);
}

static int show(const struct compare *compare)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	if (compare->sims[0].asked.wants_json) {
		put_json(compare, &out);
	} else {
		for (int i = 0; i < 2; i++) {
			es_simulate_put_table(&compare->sims[i], &out);
			(void)es_buf_str(&out, "\n");
		}
		(void)es_buf_printf(&out, "%s less %s, over %zu weeks\n", compare->names[1],
				    compare->names[0], compare->n);
		put_row(compare, &out, "mean wait, s", &compare->wait);
		put_row(compare, &out, "mean bounded slowdown", &compare->slowdown);
	}
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

int es_simulate_compare(const struct es_simulate_asked *asked)
{
	struct compare compare = { .n = 0 };
	struct es_error err = { .code = 0 };
	int status = read_names(asked->compare, &compare);

	status = status >= 0 ? status : share_options(asked, &compare);
	if (status >= 0)
		return status;
	status = replay_both(&compare, &err) < 0
			 ? es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text)
			 : show(&compare);
	for (int i = 0; i < 2; i++)
		es_simulate_finish(&compare.sims[i]);
	free(compare.waits);
	free(compare.slowdowns);
	return status;
}
