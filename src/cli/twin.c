/*
 * twin.c - energyscopium twin: a simulated node, and what can be done with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Sorted by name. */
static const struct es_command subcommands[] = {
	{ "app", "a small application to be measured on a twin", es_twin_cmd_app },
	{ "cluster", "many nodes with jobs, faster than real time", es_twin_cmd_cluster },
	{ "down", "end a twin", es_twin_cmd_down },
	{ "exec", "run a program that takes a twin for this machine", es_twin_cmd_exec },
	{ "fault", "let something go wrong on it", es_twin_cmd_fault },
	{ "fit", "hold a kind of node against measured times and energies", es_twin_cmd_fit },
	{ "kinds", "the nodes that can be simulated", es_twin_cmd_kinds },
	{ "play", "keep a twin busy with a workload", es_twin_cmd_play },
	{ "status", "what a twin is and does", es_twin_cmd_status },
	{ "truth", "its exact energies", es_twin_cmd_truth },
	{ "up", "start a twin", es_twin_cmd_up },
};

const char *es_twin_nearest(const char *word, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		size_t distance = es_text_distance(word, names[i]);

		if (distance >= least)
			continue;
		least = distance;
		nearest = names[i];
	}
	return nearest && es_text_is_near(least, strlen(nearest)) ? nearest : NULL;
}

static int show_help(void)
{
	(void)printf(
		"usage: energyscopium twin SUBCOMMAND [OPTION]…\n\n"
		"A simulated node that behaves like one: its meters and knobs are files below a folder, its\n"
		"energy is known exactly. Programs measure it with 'energyscopium run --root DIR'.\n\n"
		"subcommands:\n");
	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++)
		(void)printf("  %-10s  %s\n", subcommands[i].name, subcommands[i].help);
	(void)printf("\n'energyscopium twin SUBCOMMAND --help' tells more about each.\n\noptions:\n"
		     "  --help      show this help\n");
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int refuse(const char *word)
{
	const char *names[ES_ARRAY_SIZE(subcommands)], *nearest;

	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++)
		names[i] = subcommands[i].name;
	nearest = es_twin_nearest(word, names, ES_ARRAY_SIZE(subcommands));
	if (nearest)
		return es_complain("twin", ES_EXIT_USAGE,
				   "'%s' is no subcommand; did you mean '%s'?", word, nearest);
	return es_complain("twin", ES_EXIT_USAGE,
			   "'%s' is no subcommand; see 'energyscopium twin --help'", word);
}

int es_cmd_twin(int argc, char **argv)
{
	if (argc < 2)
		return es_complain("twin", ES_EXIT_USAGE,
				   "a subcommand is missing; see 'energyscopium twin --help'");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return show_help();
	for (size_t i = 0; i < ES_ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	return refuse(argv[1]);
}
