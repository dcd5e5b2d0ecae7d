/*
 * command.h - what a command of energyscopium is, and how they take options
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_COMMAND_H
#define ES_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Exit status: what interfaces promise to scripts. */
#define ES_EXIT_OK 0
#define ES_EXIT_FAILURE 1
#define ES_EXIT_USAGE 2

/** struct es_command - one command of the program */
struct es_command {
	const char *name;
	const char *help; /* one line */
	int (*run)(int argc,
		   char **argv); /* argv[0] is the command's name; returns the exit status */
};

/** es_commands - all commands, sorted by name */
const struct es_command *es_commands(size_t *ret_n);

int es_cmd_calibrate(int argc, char **argv);
int es_cmd_compare(int argc, char **argv);
int es_cmd_doctor(int argc, char **argv);
int es_cmd_explore(int argc, char **argv);
int es_cmd_import(int argc, char **argv);
int es_cmd_job(int argc, char **argv);
int es_cmd_node(int argc, char **argv);
int es_cmd_pareto(int argc, char **argv);
int es_cmd_place(int argc, char **argv);
int es_cmd_profile(int argc, char **argv);
int es_cmd_record(int argc, char **argv);
int es_cmd_report(int argc, char **argv);
int es_cmd_run(int argc, char **argv);
int es_cmd_simulate(int argc, char **argv);
int es_cmd_sources(int argc, char **argv);
int es_cmd_tag(int argc, char **argv);
int es_cmd_top(int argc, char **argv);
int es_cmd_tune(int argc, char **argv);
int es_cmd_twin(int argc, char **argv);
int es_cmd_workload(int argc, char **argv);

enum es_option_kind {
	ES_OPTION_FLAG, /* bool: true when given */
	ES_OPTION_TEXT, /* const char *: the argument */
	ES_OPTION_LIST, /* struct es_text_list: each time it is given */
	ES_OPTION_OPTIONAL, /* struct es_optional_text: --json or --json=FILE */
	ES_OPTION_HEADING, /* none: @help begins a group in the help */
};

/** struct es_text_list - arguments of an option that may be repeated; texts borrowed from argv, es_text_list_finish() it */
struct es_text_list {
	const char **texts;
	size_t n;
};
void es_text_list_finish(struct es_text_list *list);

struct es_optional_text {
	bool is_given;
	const char *text; /* NULL: given without one */
};

/** struct es_option - one long option */
struct es_option {
	const char *name; /* without dashes */
	const char *argument; /* word in the help; NULL: none */
	const char *help;
	enum es_option_kind kind;
	void *value;
};

/** struct es_usage - what --help shows */
struct es_usage {
	const char *command;
	const char *synopsis; /* after "energyscopium COMMAND" */
	const char *text; /* a paragraph */
	const struct es_option *options;
	size_t n_options;
	bool stops_at_operand; /* the first operand ends the options: run -- CMD */
};

/**
 * es_options_parse - take the options out of argv
 * @ret_first: index of the first operand
 *
 * Returns -1: go on; else the exit status to return now (--help: 0; wrong usage: 2, said on stderr).
 */
int es_options_parse(const struct es_usage *usage, int argc, char **argv, int *ret_first);

/** es_complain - "energyscopium COMMAND: text" on stderr; returns @status */
int es_complain(const char *command, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** es_put_out - a buffer to stdout; ES_EXIT_OK, or ES_EXIT_FAILURE with a complaint */
int es_put_out(const char *command, const struct es_buf *buf);

#endif
