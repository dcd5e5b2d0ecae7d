/*
 * main.c - energyscopium, the command line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"

static const struct es_command commands[] = {
	{ "calibrate", "fit a node's watts to its measured parts, and keep that",
	  es_cmd_calibrate },
	{ "compare", "repeated runs against each other: energy, time, how sure", es_cmd_compare },
	{ "doctor", "check this machine: meters, rights, clocks; each problem with its fix",
	  es_cmd_doctor },
	{ "explore", "builds, layouts and settings, measured in rounds until one can be chosen",
	  es_cmd_explore },
	{ "import", "convert runs of other tools to a recording and an eprofile", es_cmd_import },
	{ "job", "tell this node's daemon of jobs, and what they have used", es_cmd_job },
	{ "node", "let go of this machine's GPUs for a while, in all recordings", es_cmd_node },
	{ "pareto", "the rows of a table that no other is better than in time and energy",
	  es_cmd_pareto },
	{ "place", "which configuration runs on which class of servers, for the least energy",
	  es_cmd_place },
	{ "profile", "power over time of a recording: pictures and numbers", es_cmd_profile },
	{ "record", "measure the machine in the background: start, stop, status", es_cmd_record },
	{ "report", "energy, carbon and quality of a recording", es_cmd_report },
	{ "run", "measure a command from start to end", es_cmd_run },
	{ "simulate", "replay a trace of jobs under a policy: waits, use and energy",
	  es_cmd_simulate },
	{ "sources", "the meters of this machine, what is chosen and why", es_cmd_sources },
	{ "tag", "mark regions of what is measured, from a script", es_cmd_tag },
	{ "top", "what this machine draws now, live", es_cmd_top },
	{ "tune", "the best of measured settings: clocks, power limits, threads", es_cmd_tune },
	{ "twin", "a simulated node that behaves like one: meters, knobs, truth", es_cmd_twin },
	{ "workload", "a small program with phases, to try the meter on", es_cmd_workload },
};

const struct es_command *es_commands(size_t *ret_n)
{
	*ret_n = ES_ARRAY_SIZE(commands);
	return commands;
}

static int show_help(void)
{
	(void)printf(
		"usage: energyscopium COMMAND [OPTION]…\n\n"
		"Measures the energy of what runs on a computer, and explains it.\n\ncommands:\n");
	for (size_t i = 0; i < ES_ARRAY_SIZE(commands); i++)
		(void)printf("  %-10s  %s\n", commands[i].name, commands[i].help);
	(void)printf("\n'energyscopium COMMAND --help' tells more about each.\n\noptions:\n"
		     "  --help      show this help\n  --version   show the version\n");
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int suggest(const char *word)
{
	const struct es_command *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < ES_ARRAY_SIZE(commands); i++) {
		size_t distance = es_text_distance(word, commands[i].name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = &commands[i];
	}
	if (nearest && es_text_is_near(least, strlen(nearest->name)))
		(void)fprintf(stderr, "; did you mean '%s'?\n", nearest->name);
	else
		(void)fprintf(stderr, "; see 'energyscopium --help'\n");
	return ES_EXIT_USAGE;
}

/*
 * Started with a standard descriptor closed, the next file opened would take its number, and what is said would go
 * into it. Closed on exec: the measured command finds it closed as before.
 */
static void hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	hold_standard_descriptors();
	if (argc < 2) {
		(void)fprintf(stderr,
			      "energyscopium: a command is missing; see 'energyscopium --help'\n");
		return ES_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return show_help();
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("energyscopium %s\n", ES_VERSION);
		return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "energyscopium: '%s' is no command", argv[1]);
	return suggest(argv[1]);
}
