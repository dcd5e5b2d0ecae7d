/*
 * run_series_table.c - energyscopium run --repeat: the summary for people
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/run.h"
#include "core/rounds.h"

#define ROUNDS_SHOWN 4U
#define FAR_SHOWN 20U
#define FAILED_SHOWN 20U
#define SHELL_S 1e-3 /* about what its start takes */
#define LINE_SHOWN_BYTES 160U

static const struct {
	const char *label, *word, *unit;
} quantities[ES_REPEAT_QUANTITIES] = {
	[ES_REPEAT_ENERGY] = { "energy of the node (J)", "energy", "J" },
	[ES_REPEAT_TIME] = { "time of the command (s)", "time", "s" },
	[ES_REPEAT_POWER] = { "power of the node (W)", "power", "W" },
	[ES_REPEAT_ABOVE] = { "energy above idle (J)", "energy above idle", "J" },
};

static void put_quantity(const struct es_repeat *series, size_t command,
			 enum es_repeat_quantity quantity, struct es_buf *out)
{
	es_cleanup(es_freep) double *values = NULL;
	struct es_interval interval = { .n = 0 };
	const char *label = quantities[quantity].label;
	bool has_interval;
	size_t n;

	if (es_repeat_values(series, command, quantity, &values, &n) < 0 || n == 0 ||
	    es_interval_of(values, n, ES_REPEAT_SEED, &interval) < 0) {
		(void)es_buf_printf(out, "  %-26s %6s %14s\n", label, "0", "n/a");
		return;
	}
	has_interval = interval.method != ES_INTERVAL_NONE;
	(void)es_buf_printf(out, "  %-26s %6zu %14.4f", label, interval.n, interval.mean);
	if (has_interval)
		(void)es_buf_printf(out, " %12.4f %12.4f %12.4f", interval.sd, interval.low,
				    interval.high);
	else
		(void)es_buf_printf(out, " %12s %12s %12s", "n/a", "n/a", "n/a");
	/* A share of nothing, or of less, says nothing. */
	if (has_interval && interval.mean > 0)
		(void)es_buf_printf(out, " %7.2f %%\n",
				    50.0 * (interval.high - interval.low) / interval.mean);
	else
		(void)es_buf_printf(out, " %9s\n", "n/a");
}

static size_t count(const struct es_repeat *series, bool (*is)(const struct es_repeat_result *))
{
	size_t n = 0;

	for (size_t i = 0; i < series->n_done; i++)
		n += is(&series->results[i]);
	return n;
}

static bool has_failed(const struct es_repeat_result *result)
{
	return result->status != 0 && !result->is_cut;
}

static bool is_cut(const struct es_repeat_result *result)
{
	return result->is_cut;
}

static bool is_dropped(const struct es_repeat_result *result)
{
	return result->is_dropped;
}

/* "a b, b a, b a, a b": the first rounds, as they come. */
static void put_order(const struct es_repeat *series, struct es_buf *out)
{
	const struct es_repeat_plan *plan = series->plan;
	size_t period = es_rounds_period(plan->n_commands),
	       n = series->results[series->n_done - 1].round + 1;

	(void)es_buf_printf(out, "  %-10s", "order");
	for (size_t round = 0; round < n && round < ROUNDS_SHOWN; round++) {
		size_t order[ES_REPEAT_COMMANDS_MAX];

		es_rounds_order(plan->n_commands, round, order);
		for (size_t i = 0; i < plan->n_commands; i++)
			(void)es_buf_printf(out, "%s %s", i == 0 && round ? "," : "",
					    plan->commands[order[i]].name);
	}
	(void)es_buf_printf(out, "%s: balanced over %zu rounds\n", n > ROUNDS_SHOWN ? " …" : "",
			    period);
}

/* What each name stands for, as far as it fits. */
static void put_lines(const struct es_repeat *series, struct es_buf *out)
{
	for (size_t i = 0; i < series->plan->n_commands; i++) {
		const struct es_repeat_command *command = &series->plan->commands[i];
		const char *words[] = { command->shell[2], NULL };
		const char *const *argv =
			command->shell[0] ? words : (const char *const *)series->run->command;
		char line[LINE_SHOWN_BYTES];
		size_t used = 0;

		for (size_t k = 0; argv[k] && used < sizeof(line); k++)
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
						 k ? " " : "", argv[k]);
		es_text_make_safe(line, false);
		(void)es_buf_printf(out, "  %-10s %s%s\n", command->name, line,
				    used >= sizeof(line) ? "…" : "");
	}
}

/* Why there are no more runs, where that is not simply that all are done. */
static void put_end(const struct es_repeat *series, struct es_buf *out)
{
	double until_percent = 100 * series->plan->until;

	switch (series->end) {
	case ES_REPEAT_END_UNTIL:
		(void)es_buf_printf(out,
				    "  %-10s after %zu rounds: all intervals are within ±%.4g %%\n",
				    "ended", series->results[series->n_done - 1].round + 1,
				    until_percent);
		break;
	case ES_REPEAT_END_ROUNDS:
		if (series->plan->until > 0)
			(void)es_buf_printf(
				out,
				"  %-10s by --repeat, before all intervals were within ±%.4g %%\n",
				"ended", until_percent);
		break;
	case ES_REPEAT_END_SIGNAL:
		(void)es_buf_printf(out, "  %-10s early, by signal %d\n", "ended",
				    series->stop_signal);
		break;
	case ES_REPEAT_END_FAILURE:
		(void)es_buf_printf(out, "  %-10s early: a run could not be made\n", "ended");
		break;
	}
}

static void put_head(const struct es_repeat *series, struct es_buf *out)
{
	const struct es_repeat_plan *plan = series->plan;
	size_t n_cut = count(series, is_cut), n_dropped = count(series, is_dropped);

	(void)es_buf_printf(out, "energyscopium %s: %zu of %zu runs, %zu failed", series->base,
			    series->n_done, series->n_planned, count(series, has_failed));
	if (n_cut)
		(void)es_buf_printf(out, ", %zu cut short", n_cut);
	if (n_dropped)
		(void)es_buf_printf(out, ", %zu dropped", n_dropped);
	(void)es_buf_printf(out, "\n");
	put_end(series, out);
	if (plan->n_warmups)
		(void)es_buf_printf(out, "  %-10s %zu round%s before, not measured\n", "warm-up",
				    (size_t)plan->n_warmups, plan->n_warmups > 1 ? "s" : "");
	if (plan->n_commands > 1) {
		put_lines(series, out);
		put_order(series, out);
	}
}

static void put_command(const struct es_repeat *series, size_t command, struct es_buf *out)
{
	bool is_one = series->plan->n_commands == 1;

	(void)es_buf_printf(out, "  %-26s %6s %14s %12s %12s %12s %10s\n",
			    is_one ? "" : series->plan->commands[command].name, "runs", "mean",
			    "sd", "95 % from", "to", "±"); /* two bytes in one column */
	put_quantity(series, command, ES_REPEAT_ENERGY, out);
	put_quantity(series, command, ES_REPEAT_TIME, out);
	put_quantity(series, command, ES_REPEAT_POWER, out);
	if (series->run->baseline_ns)
		put_quantity(series, command, ES_REPEAT_ABOVE, out);
}

/* Several commands: as compare shows them. */
static void put_commands(const struct es_repeat *series, struct es_buf *out)
{
	if (series->is_judged) {
		(void)es_buf_u8(out, '\n');
		es_compare_text(&series->compare, out);
		(void)es_buf_u8(out, '\n');
		return;
	}
	for (size_t i = 0; i < series->plan->n_commands; i++)
		put_command(series, i, out);
	(void)es_buf_printf(out, "  %-10s %s\n", "no verdict", series->no_judgement.text);
}

static void put_failed(const struct es_repeat *series, struct es_buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < series->n_done; i++) {
		const struct es_repeat_result *result = &series->results[i];
		char job[ES_REPEAT_JOB_BYTES];

		if (es_repeat_is_whole(result) || n++ >= FAILED_SHOWN)
			continue;
		es_repeat_job(series, result->command, result->round, job);
		if (result->is_cut)
			(void)es_buf_printf(out, "  %-10s %s: in no mean\n", "cut short", job);
		else
			(void)es_buf_printf(out, "  %-10s %s: status %d: in no mean\n", "failed",
					    job, result->status);
	}
	if (n > FAILED_SHOWN)
		(void)es_buf_printf(out, "  %-10s and %zu more\n", "", n - FAILED_SHOWN);
}

/* Each named, with how far, until there are too many to read. */
static void put_far(const struct es_repeat *series, struct es_buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < series->n_done; i++)
		for (int q = 0; q < ES_REPEAT_QUANTITIES; q++) {
			const struct es_repeat_result *result = &series->results[i];
			char job[ES_REPEAT_JOB_BYTES];

			if (!result->is_far[q] || n++ >= FAR_SHOWN)
				continue;
			es_repeat_job(series, result->command, result->round, job);
			(void)es_buf_printf(
				out, "  %-10s %s: %s %.4f %s, %+.1f %% of the median: %s\n",
				"far off", job, quantities[q].word, result->values[q],
				quantities[q].unit, 100 * result->off[q],
				result->is_dropped ? "dropped" : "kept (--outliers drop)");
		}
	if (n > FAR_SHOWN)
		(void)es_buf_printf(out, "  %-10s and %zu more\n", "", n - FAR_SHOWN);
}

/* Caches, clocks and temperatures that a first run finds otherwise than the others do. */
static void put_first(const struct es_repeat *series, struct es_buf *out)
{
	for (size_t i = 0; i < series->n_done && series->results[i].round == 0; i++)
		if (series->results[i].is_far[ES_REPEAT_TIME]) {
			(void)es_buf_printf(
				out,
				"  %-10s the first round was far off: --warmup %zu leaves it out\n",
				"warm-up", (size_t)series->plan->n_warmups + 1);
			return;
		}
}

/* "sh -c LINE" starts like the lines of --vs do. */
static bool is_by_shell(char *const *argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	return (strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 ||
		strcmp(name, "dash") == 0) &&
	       argv[1] && strcmp(argv[1], "-c") == 0;
}

/* The start of a shell is in the time of all lines and not in that of the command: short ones look slower by it. */
static void put_shell(const struct es_repeat *series, struct es_buf *out)
{
	es_cleanup(es_freep) double *values = NULL;
	double sum = 0, percent;
	size_t n;

	if (series->plan->n_commands == 1 || is_by_shell(series->run->command) ||
	    es_repeat_values(series, 0, ES_REPEAT_TIME, &values, &n) < 0 || n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		sum += values[i];
	if (sum / (double)n * series->plan->wish.margin > SHELL_S)
		return;
	percent = 100 * SHELL_S * (double)n / (sum > 0 ? sum : SHELL_S);
	(void)es_buf_printf(
		out,
		"  %-10s starts all but %s: about a millisecond, %.*f %% of its time; give it as sh -c too\n",
		"a shell", series->plan->commands[0].name, percent < 10 ? 1 : 0, percent);
}

void es_repeat_put_table(const struct es_repeat *series)
{
	const char *kind = es_repeat_kind(series);
	struct es_buf out;

	es_buf_init(&out, 4U << 20);
	put_head(series, &out);
	if (series->plan->n_commands > 1)
		put_commands(series, &out);
	else
		put_command(series, 0, &out);
	if (kind && series->plan->n_commands == 1)
		(void)es_buf_printf(
			&out, "  %-10s %s%s\n", "kind", kind,
			strcmp(kind, "estimated") == 0
				? " from CPU time: it grows with time, it compares nothing"
				: "");
	put_failed(series, &out);
	put_far(series, &out);
	put_first(series, &out);
	put_shell(series, &out);
	(void)es_write_all(STDERR_FILENO, out.data, out.len);
	es_buf_finish(&out);
}
