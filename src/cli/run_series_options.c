/*
 * run_series_options.c - energyscopium run --repeat: what was asked for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/run.h"

void es_repeat_options_finish(struct es_repeat_options *options)
{
	es_text_list_finish(&options->vs);
}

/* What only makes sense where a command is repeated, or held against others. */
static int check_company(const struct es_repeat_options *asked, struct es_error *err)
{
	const struct {
		const char *name;
		bool is_given, needs_vs;
	} options[] = {
		{ "vs", asked->vs.n > 0, false },
		{ "warmup", asked->warmup != NULL, false },
		{ "until", asked->until != NULL, false },
		{ "outliers", asked->outliers != NULL, false },
		{ "called", asked->called != NULL, true },
		{ "margin", asked->margin != NULL, true },
		{ "not-slower", asked->not_slower != NULL, true },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(options); i++) {
		if (options[i].is_given && options[i].needs_vs && asked->vs.n == 0)
			return es_error_say(err, -EINVAL,
					    "--%s: there is nothing to judge without --vs",
					    options[i].name);
		if (options[i].is_given && !asked->repeat)
			return es_error_say(err, -EINVAL,
					    "--%s: --repeat N must say how many rounds there are%s",
					    options[i].name, asked->until ? " at most" : "");
	}
	return 0;
}

static int check_baseline(struct es_run *run, struct es_error *err)
{
	const char *text = run->series.baseline;

	run->baseline_ns = run->series.repeat ? 2 * ES_NS_PER_S : 0;
	if (!text)
		return 0;
	if (run->attach_pid)
		return es_error_say(
			err, -EINVAL,
			"--baseline: a process that runs already leaves nothing idle before it");
	if (es_parse_duration_ns(text, &run->baseline_ns) < 0 || run->baseline_ns < 0 ||
	    run->baseline_ns > ES_PERIOD_MAX_NS)
		return es_error_say(err, -EINVAL,
				    "--baseline '%s': a time such as 2s, at most 1h; 0: none",
				    text);
	if (run->baseline_ns > 0 && run->baseline_ns < 100 * ES_NS_PER_MS)
		return es_error_say(err, -EINVAL,
				    "--baseline '%s': too short to say anything; 100ms at least",
				    text);
	return 0;
}

/* How many of the bytes before '=' are a name; 0: what stands there is a part of the line. */
static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!isalnum((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("._+-", text[n])))
		n++;
	return text[n] == '=' ? n : 0;
}

static bool has_small_letter_or_begins_with_digit(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (islower((unsigned char)name[i]))
			return true;
	return isdigit((unsigned char)name[0]);
}

static int set_name(struct es_repeat_plan *plan, const char *option, const char *name, size_t n,
		    struct es_error *err)
{
	struct es_repeat_command *command = &plan->commands[plan->n_commands];

	if (n >= sizeof(command->name))
		return es_error_say(err, -EINVAL, "--%s '%.40s…': a name has at most %zu bytes",
				    option, name, sizeof(command->name) - 1);
	(void)snprintf(command->name, sizeof(command->name), "%.*s", (int)n, name);
	for (size_t i = 0; i < plan->n_commands; i++)
		if (strcmp(plan->commands[i].name, command->name) == 0)
			return es_error_say(err, -EINVAL, "--%s: two commands are called '%s'",
					    option, command->name);
	plan->n_commands++;
	return 0;
}

/* "NAME=LINE", or a line. A variable in front of a command looks the same, and must not be taken for a name. */
static int add_line(struct es_repeat_plan *plan, const char *text, struct es_error *err)
{
	struct es_repeat_command *command = &plan->commands[plan->n_commands];
	size_t n = name_length(text);
	const char *line = n ? text + n + 1 : text, *name = text;
	char letter = (char)('a' + plan->n_commands);

	if (n && !has_small_letter_or_begins_with_digit(text, n))
		return es_error_say(
			err, -EINVAL,
			"--vs '%.200s': is %.*s a name or a variable? A name has a small letter in it; "
			"for a variable give a name before it: b=%.*s=…",
			text, (int)n, text, (int)n, text);
	if (line[strspn(line, " \t\n")] == '\0')
		return es_error_say(err, -EINVAL, "--vs '%.200s': there is no command in it", text);
	if (n == 0) {
		name = &letter;
		n = 1;
	}
	command->shell[0] = "/bin/sh";
	command->shell[1] = "-c";
	command->shell[2] = line;
	return set_name(plan, "vs", name, n, err);
}

static int check_commands(struct es_run *run, struct es_error *err)
{
	const struct es_repeat_options *asked = &run->series;
	struct es_repeat_plan *plan = &run->plan;
	const char *called = asked->called ? asked->called : "a";
	int r;

	if (asked->vs.n >= ES_REPEAT_COMMANDS_MAX)
		return es_error_say(err, -EINVAL, "--vs: at most %u commands can be compared",
				    ES_REPEAT_COMMANDS_MAX);
	for (size_t i = 0; called[i] || i == 0; i++)
		if (!isalnum((unsigned char)called[i]) && (i == 0 || !strchr("._+-", called[i])))
			return es_error_say(
				err, -EINVAL,
				"--called '%s': a name is made of letters, digits and . _ + -",
				called);
	r = set_name(plan, "called", called, strlen(called), err);
	for (size_t i = 0; r == 0 && i < asked->vs.n; i++)
		r = add_line(plan, asked->vs.texts[i], err);
	if (r == 0 && plan->n_repeats * plan->n_commands > ES_REPEAT_RUNS_MAX)
		return es_error_say(err, -EINVAL,
				    "--repeat '%s' of %zu commands: at most %u runs in all",
				    asked->repeat, plan->n_commands, ES_REPEAT_RUNS_MAX);
	return r;
}

/* A share of at most 1, "2.5%" or 0.025; @text NULL: none is given, *@ret stays. */
static int check_share(const char *option, const char *text, int64_t least_ppm, double *ret,
		       struct es_error *err)
{
	int64_t ppm;

	if (!text)
		return 0;
	if (es_parse_share_ppm(text, &ppm) < 0 || ppm < least_ppm || ppm > 1000000)
		return es_error_say(err, -EINVAL, "--%s '%s': a share such as 2.5%%, at most 100%%",
				    option, text);
	*ret = (double)ppm / 1e6;
	return 0;
}

static int check_rounds(struct es_run *run, struct es_error *err)
{
	const struct es_repeat_options *asked = &run->series;
	struct es_repeat_plan *plan = &run->plan;

	plan->n_repeats = 1;
	if (asked->repeat && (es_parse_u64(asked->repeat, &plan->n_repeats) < 0 ||
			      plan->n_repeats == 0 || plan->n_repeats > ES_REPEATS_MAX))
		return es_error_say(err, -EINVAL, "--repeat '%s': a number from 1 to %d",
				    asked->repeat, (int)ES_REPEATS_MAX);
	if (asked->repeat && run->attach_pid)
		return es_error_say(err, -EINVAL,
				    "--repeat: a process that runs already runs once");
	if (asked->warmup &&
	    (es_parse_u64(asked->warmup, &plan->n_warmups) < 0 || plan->n_warmups > ES_REPEATS_MAX))
		return es_error_say(err, -EINVAL, "--warmup '%s': a number from 0 to %d",
				    asked->warmup, (int)ES_REPEATS_MAX);
	if (asked->until && plan->n_repeats < ES_REPEAT_UNTIL_MIN)
		return es_error_say(
			err, -EINVAL,
			"--until: fewer runs are alike by chance too often; --repeat %u at least",
			ES_REPEAT_UNTIL_MIN);
	return 0;
}

int es_repeat_check(struct es_run *run, struct es_error *err)
{
	const struct es_repeat_options *asked = &run->series;
	struct es_repeat_plan *plan = &run->plan;
	int r;

	*plan = (struct es_repeat_plan){ .wish = { .margin = ES_COMPARE_MARGIN,
						   .seed = ES_REPEAT_SEED } };
	r = check_company(asked, err);
	if (r == 0)
		r = check_rounds(run, err);
	if (r == 0)
		r = check_baseline(run, err);
	if (r == 0)
		r = check_commands(run, err);
	if (r == 0)
		r = check_share("until", asked->until, 1, &plan->until, err);
	if (r == 0)
		r = check_share("margin", asked->margin, 1, &plan->wish.margin, err);
	if (r == 0)
		r = check_share("not-slower", asked->not_slower, 0, &plan->wish.limit, err);
	plan->wish.has_limit = asked->not_slower != NULL;
	if (r == 0 && asked->outliers && strcmp(asked->outliers, "keep") != 0 &&
	    strcmp(asked->outliers, "drop") != 0)
		return es_error_say(err, -EINVAL, "--outliers '%s': there are 'keep' and 'drop'",
				    asked->outliers);
	plan->drops_far = asked->outliers && strcmp(asked->outliers, "drop") == 0;
	return r;
}
