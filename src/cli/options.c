/*
 * options.c - long options from a small table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"

#define HELP_OPTION 1
#define FIRST_OPTION 256
#define HELP_COLUMN 26

int es_complain(const char *command, int status, const char *fmt, ...)
{
	char text[ES_TEXT_MAX_BYTES + ES_PATH_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	es_text_make_safe(text, true); /* problems of a file are several lines */
	(void)fprintf(stderr, "energyscopium %s: %s\n", command, text);
	return status;
}

int es_put_out(const char *command, const struct es_buf *buf)
{
	int r = buf->error ? buf->error : es_write_all(STDOUT_FILENO, buf->data, buf->len);

	if (r == -EMSGSIZE)
		return es_complain(command, ES_EXIT_FAILURE,
				   "the output is longer than %zu MiB; nothing is written",
				   buf->max >> 20);
	return r < 0 ? es_complain(command, ES_EXIT_FAILURE, "cannot write: %s", es_strerror(r))
		     : ES_EXIT_OK;
}

void es_text_list_finish(struct es_text_list *list)
{
	free(list->texts);
	*list = (struct es_text_list){ .n = 0 };
}

static void put_option(const struct es_option *option)
{
	char left[80];

	if (option->kind == ES_OPTION_HEADING) {
		(void)printf("\n%s\n", option->help);
		return;
	}
	(void)snprintf(left, sizeof(left),
		       option->kind == ES_OPTION_OPTIONAL ? "--%s[=%s]"
		       : option->argument		  ? "--%s %s"
							  : "--%s",
		       option->name, option->argument ? option->argument : "");
	(void)printf("  %-*s  ", HELP_COLUMN, left);
	if (strlen(left) > HELP_COLUMN)
		(void)printf("\n  %-*s  ", HELP_COLUMN, "");
	/* Lines of the help's own are kept in the column. */
	for (const char *p = option->help; *p; p++) {
		(void)putchar(*p);
		if (*p == '\n')
			(void)printf("  %-*s  ", HELP_COLUMN, "");
	}
	(void)putchar('\n');
}

static int show_help(const struct es_usage *usage)
{
	static const struct es_option help = { .name = "help",
					       .help = "show this help",
					       .kind = ES_OPTION_FLAG };

	(void)printf("usage: energyscopium %s %s\n\n%s\n\noptions:\n", usage->command,
		     usage->synopsis, usage->text);
	for (size_t i = 0; i < usage->n_options; i++)
		put_option(&usage->options[i]);
	put_option(&help);
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int usage_error(const struct es_usage *usage, const char *what, const char *which)
{
	return es_complain(usage->command, ES_EXIT_USAGE, "%s '%s'; see 'energyscopium %s --help'",
			   what, which, usage->command);
}

static int take(const struct es_usage *usage, const struct es_option *option)
{
	switch (option->kind) {
	case ES_OPTION_FLAG:
		*(bool *)option->value = true;
		break;
	case ES_OPTION_TEXT:
		*(const char **)option->value = optarg;
		break;
	case ES_OPTION_OPTIONAL:
		*(struct es_optional_text *)option->value =
			(struct es_optional_text){ .is_given = true, .text = optarg };
		break;
	case ES_OPTION_LIST: {
		struct es_text_list *list = option->value;
		const char **texts = reallocarray(list->texts, list->n + 1, sizeof(*texts));

		if (!texts)
			return es_complain(usage->command, ES_EXIT_FAILURE, "%s",
					   es_strerror(-ENOMEM));
		list->texts = texts;
		list->texts[list->n++] = optarg;
		break;
	}
	case ES_OPTION_HEADING:
		break;
	}
	return -1;
}

static struct option *make_table(const struct es_usage *usage)
{
	static const int arguments[] = {
		[ES_OPTION_FLAG] = no_argument,	      [ES_OPTION_TEXT] = required_argument,
		[ES_OPTION_LIST] = required_argument, [ES_OPTION_OPTIONAL] = optional_argument,
		[ES_OPTION_HEADING] = no_argument,
	};
	struct option *table = calloc(usage->n_options + 2, sizeof(*table));
	size_t n = 0;

	if (!table)
		return NULL;
	for (size_t i = 0; i < usage->n_options; i++)
		if (usage->options[i].kind != ES_OPTION_HEADING)
			table[n++] = (struct option){
				.name = usage->options[i].name,
				.has_arg = arguments[usage->options[i].kind],
				.val = FIRST_OPTION + (int)i,
			};
	table[n] = (struct option){ .name = "help", .val = HELP_OPTION };
	return table;
}

/* A short option may stand in a cluster, or behind an operand: only its letter is known for sure. */
static int unknown_option(const struct es_usage *usage, const char *given)
{
	char letter[] = "-?";

	if (optopt == 0)
		return usage_error(usage, "unknown option", given);
	if (optopt >= FIRST_OPTION || optopt == HELP_OPTION)
		return usage_error(usage, "no argument goes with", given);
	if (isgraph((unsigned char)optopt) && optopt < 0x80)
		letter[1] = (char)optopt;
	return usage_error(usage, "unknown option", letter);
}

int es_options_parse(const struct es_usage *usage, int argc, char **argv, int *ret_first)
{
	struct option *table = make_table(usage);
	int status = -1, c;

	if (!table)
		return es_complain(usage->command, ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	optind = 0;
	opterr = 0;
	while (status < 0 && (c = getopt_long(argc, argv, usage->stops_at_operand ? "+:h" : ":h",
					      table, NULL)) != -1) {
		const char *given = optind > 0 && optind <= argc ? argv[optind - 1] : "";

		if (c == HELP_OPTION || c == 'h')
			status = show_help(usage);
		else if (c == ':')
			status = usage_error(usage, "an argument is missing after", given);
		else if (c == '?')
			status = unknown_option(usage, given);
		else
			status = take(usage, &usage->options[c - FIRST_OPTION]);
	}
	free(table);
	*ret_first = optind;
	return status;
}
