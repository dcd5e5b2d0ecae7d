/*
 * jobs_command.c - energyscopium job: its subcommands
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/jobs.h"

/* Sorted by name. */
static const struct es_command subcommands[] = {
	{ "begin", "tell this node's daemon that a job begins, or a step of one",
	  es_jobs_cmd_begin },
	{ "end", "tell it that one is over", es_jobs_cmd_end },
	{ "line", "the line of a job, of all of its nodes", es_jobs_cmd_line },
	{ "list", "the jobs that run on this node, as far as they are yours", es_jobs_cmd_list },
	{ "status", "one job: what it has used so far", es_jobs_cmd_status },
};

static int show_help(void)
{
	(void)printf(
		"usage: energyscopium job SUBCOMMAND [OPTION]…\n\n"
		"Tells this node's daemon of jobs, and asks it. Slurm's jobs are told of by its plug-in; for OAR,\n"
		"PBS, LSF, Flux or a plain script 'begin' and 'end' are called by prolog and epilog, or by the\n"
		"script.\n\n"
		"subcommands:\n");
	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++)
		(void)printf("  %-10s  %s\n", subcommands[i].name, subcommands[i].help);
	(void)printf("\n'energyscopium job SUBCOMMAND --help' tells more about each.\n\noptions:\n"
		     "  --help      show this help\n");
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int refuse(const char *word)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++) {
		size_t distance = es_text_distance(word, subcommands[i].name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = subcommands[i].name;
	}
	if (nearest && es_text_is_near(least, strlen(nearest)))
		return es_complain("job", ES_EXIT_USAGE,
				   "'%s' is no subcommand; did you mean '%s'?", word, nearest);
	return es_complain("job", ES_EXIT_USAGE,
			   "'%s' is no subcommand; see 'energyscopium job --help'", word);
}

int es_cmd_job(int argc, char **argv)
{
	if (argc < 2)
		return es_complain("job", ES_EXIT_USAGE,
				   "a subcommand is missing; see 'energyscopium job --help'");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return show_help();
	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	return refuse(argv[1]);
}
