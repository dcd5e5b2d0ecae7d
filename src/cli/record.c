/*
 * record.c - energyscopium record: its actions and their options
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/record.h"

#include <string.h>

#include "base/cleanup.h"
#include "cli/daemonlink.h"

#define N_OPTIONS_MAX 32U

/* The options of an action, from the table that --help shows: a heading, then those below it. */
struct action {
	const char *name, *synopsis, *heading;
	bool takes_job;
};

static const struct action actions[] = {
	{ "start", "start [OPTION]…", "options of start:", false },
	{ "status", "status [OPTION]…", "options of status:", false },
	{ "stop", "stop [OPTION]… [JOB]", "options of stop:", true },
};

static size_t list_options(struct es_record *record, struct es_option *ret)
{
	struct es_run *run = &record->run;
	const struct es_option options[] = {
		{ .help = "options of start:", .kind = ES_OPTION_HEADING },
		{ "name", "JOB",
		  "name of the job (default: the scheduler's id,\nelse date, time and process number)",
		  ES_OPTION_TEXT, &run->name },
		{ "out", "DIR", "folder for recording and eprofile\n(default energyscopium-out)",
		  ES_OPTION_TEXT, &run->out },
		{ "period", "TIME", "sampling period, 1ms to 1h (default 100ms)", ES_OPTION_TEXT,
		  &run->period },
		{ "force", NULL, "replace an existing JOB", ES_OPTION_FLAG, &run->may_replace },
		{ "domain", "NAME", "measure only this domain; may be repeated", ES_OPTION_LIST,
		  &run->domains },
		ES_METER_OPTION(&run->meters),
		ES_DAEMON_OPTION(&run->daemon),
		{ "no-activity", NULL,
		  "count no events of processor and memory: leave their\ncounters to a profiler",
		  ES_OPTION_FLAG, &run->no_activity },
		{ "require", "KIND",
		  "'measured': fail rather than estimate;\n'any' (default): estimate where nothing measures",
		  ES_OPTION_TEXT, &run->require },
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &run->root },
		{ "as", "UID", "judge rights below --root for this user", ES_OPTION_TEXT,
		  &run->as },
		{ "json", NULL, "what was started as JSON", ES_OPTION_FLAG, &record->wants_json },
		{ .help = "options of status:", .kind = ES_OPTION_HEADING },
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &record->wants_json },
		{ .help = "options of stop:", .kind = ES_OPTION_HEADING },
		{ "zone", "ZONE", "where the electricity comes from (FR, US, WORLD …)",
		  ES_OPTION_TEXT, &record->chain.zone },
		{ "pue", "NUMBER", "power usage effectiveness of the site, 1 or more",
		  ES_OPTION_TEXT, &record->chain.pue },
		{ "model", "NAME",
		  "node model: calibrated[:CLASS] (the default where the node\nhas one), none, joule_model_202203",
		  ES_OPTION_TEXT, &record->chain.model },
		{ "carbon", "NAME", "carbon model: carbon_model_202203, carbon_model_2024",
		  ES_OPTION_TEXT, &record->chain.carbon },
		ES_FOOTPRINT_OPTIONS(&record->chain.footprint),
		{ "json", NULL, "the report as JSON", ES_OPTION_FLAG, &record->wants_json },
	};

	_Static_assert(ES_ARRAY_SIZE(options) <= N_OPTIONS_MAX, "room for the options");
	memcpy(ret, options, sizeof(options));
	return ES_ARRAY_SIZE(options);
}

static struct es_usage usage_of(const struct action *action, const struct es_option *options,
				size_t n)
{
	struct es_usage usage = {
		.command = "record",
		.synopsis = "start [OPTION]… | status [OPTION]… | stop [OPTION]… [JOB]",
		.text = "Measures the machine in the background. 'start' returns when the first readings are taken\n"
			"and prints the job's name; 'stop' ends it, waits until its files are complete and shows\n"
			"what 'run' would; 'status' lists what runs. 'energyscopium tag' marks regions meanwhile.",
		.options = options,
		.n_options = n,
		.stops_at_operand = true,
	};
	size_t from = 0;

	if (!action)
		return usage;
	while (from < n && (options[from].kind != ES_OPTION_HEADING ||
			    strcmp(options[from].help, action->heading) != 0))
		from++;
	usage.synopsis = action->synopsis;
	usage.options = options + from + 1;
	for (usage.n_options = 0; from + 1 + usage.n_options < n &&
				  usage.options[usage.n_options].kind != ES_OPTION_HEADING;)
		usage.n_options++;
	usage.stops_at_operand = false;
	return usage;
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static int do_action(struct es_record *record, const struct action *action, int argc, char **argv)
{
	if (argc > (action->takes_job ? 1 : 0))
		return es_complain("record", ES_EXIT_USAGE,
				   "'%s' is one too many; see 'energyscopium record --help'",
				   argv[argc - 1]);
	if (strcmp(action->name, "start") == 0)
		return es_record_start(record);
	if (strcmp(action->name, "stop") == 0)
		return es_record_stop(record, argc ? argv[0] : NULL);
	return es_record_status(record);
}

int es_cmd_record(int argc, char **argv)
{
	struct es_record record = { .wants_json = false };
	struct es_option options[N_OPTIONS_MAX];
	size_t n = list_options(&record, options);
	/* Before the action only --help makes sense. */
	const struct es_usage all = usage_of(NULL, options, n);
	struct es_usage of_action;
	const struct action *action = argc > 1 ? find_action(argv[1]) : NULL;
	int first, status;

	if (argc > 1 && argv[1][0] == '-') {
		status = es_options_parse(&all, 2, argv, &first);
		if (status >= 0)
			return status;
	}
	if (!action)
		return es_complain(
			"record", ES_EXIT_USAGE,
			"'start', 'stop' or 'status' comes first%s%s; see 'energyscopium record --help'",
			argc > 1 ? ", not " : "", argc > 1 ? argv[1] : "");
	es_run_init(&record.run);
	of_action = usage_of(action, options, n);
	status = es_options_parse(&of_action, argc - 1, argv + 1, &first);
	if (status < 0)
		status = do_action(&record, action, argc - 1 - first, argv + 1 + first);
	es_chain_finish(&record.chain);
	es_chain_finish(&record.run.chain);
	es_run_finish(&record.run);
	es_text_list_finish(&record.run.domains);
	es_text_list_finish(&record.run.meters);
	return status;
}
