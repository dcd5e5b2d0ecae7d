/*
 * twin_fault.c - energyscopium twin fault: let something go wrong on a twin
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/twin.h"
#include "twin/fault.h"

#define ORDER_MAX 256U

struct ask {
	const char *mount, *for_text;
	bool lists, clears;
};

/* "-90s" is a target, and looks like an option: out of the way of those until they are parsed. */
static const char *take_negative(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (argv[i][0] == '-' && isdigit((unsigned char)argv[i][1])) {
			const char *negative = argv[i];

			argv[i] += strlen(negative);
			return negative;
		}
	return NULL;
}

static bool is_word(const char *text)
{
	return *text && !strpbrk(text, " \t\n");
}

static int write_order(const char *fault, const char *target, const char *for_text,
		       char ret[static ORDER_MAX])
{
	int n;

	if (!is_word(fault) || (target && !is_word(target)) || (for_text && !is_word(for_text)))
		return -EINVAL;
	n = snprintf(ret, ORDER_MAX, "%s%s%s%s%s\n", fault, target ? " " : "", target ? target : "",
		     for_text ? " for " : "", for_text ? for_text : "");
	return n < (int)ORDER_MAX ? 0 : -EINVAL;
}

/* Why the twin did not do it, in its own words. */
static int tell_refusal(const char *mount, int error)
{
	static const char key[] = "refused: ";
	struct es_error err = { .code = 0 };
	struct es_buf text;
	const char *why = NULL;
	int status;

	if (error == -EINVAL && es_twin_read(mount, "fault", &text, &err) == 0)
		why = strstr((const char *)text.data, key);
	else
		es_buf_init(&text, 1);
	if (why)
		status = es_complain("twin fault", ES_EXIT_USAGE, "%.*s",
				     (int)strcspn(why + sizeof(key) - 1, "\n"),
				     why + sizeof(key) - 1);
	else if (error == -EACCES)
		status = es_complain(
			"twin fault", ES_EXIT_FAILURE,
			"'%s': only who started the twin, and root, let things go wrong on it",
			mount);
	else
		status = es_complain("twin fault", ES_EXIT_FAILURE, "'%s/.twin/fault': %s", mount,
				     es_strerror(error));
	es_buf_finish(&text);
	return status;
}

static int order(const char *mount, const char *text)
{
	char path[ES_PATH_MAX_BYTES + 16];
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/.twin/fault", mount);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return tell_refusal(mount, -errno);
	return ES_EXIT_OK;
}

static int list(const char *mount)
{
	struct es_error err = { .code = 0 };
	const struct es_twin_fault_kind *kinds;
	struct es_buf meters;
	size_t n;
	int r;

	kinds = es_twin_fault_kinds(&n);
	(void)printf("%-12s  what happens\n", "fault");
	for (size_t i = 0; i < n; i++)
		(void)printf("%-12s  %s\n", kinds[i].name, kinds[i].help);
	if (!mount)
		return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
	r = es_twin_read(mount, "meters", &meters, &err);
	if (r == 0) {
		es_text_make_safe((char *)meters.data, true);
		(void)printf("\nmeters\n%s", (const char *)meters.data);
	}
	es_buf_finish(&meters);
	if (r < 0)
		return es_complain("twin fault", ES_EXIT_FAILURE, "%s", err.text);
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int show(const char *mount)
{
	struct es_error err = { .code = 0 };
	struct es_buf text;
	int status;

	if (es_twin_read(mount, "fault", &text, &err) < 0) {
		status = es_complain("twin fault", ES_EXIT_FAILURE, "%s", err.text);
	} else {
		es_text_make_safe((char *)text.data, true);
		status = es_put_out("twin fault", &text);
	}
	es_buf_finish(&text);
	return status;
}

static int act(const struct ask *ask, int argc, char **argv)
{
	char mount[ES_PATH_MAX_BYTES], text[ORDER_MAX];
	int status;

	if (argc > 2)
		return es_complain("twin fault", ES_EXIT_USAGE, "'%s' is one too many", argv[2]);
	if ((ask->lists || ask->clears) && (argc > 0 || ask->for_text))
		return es_complain("twin fault", ES_EXIT_USAGE,
				   "no fault, target or --for goes with %s",
				   ask->lists ? "--list" : "--clear");
	if (ask->lists && !ask->mount && !getenv("ENERGYSCOPIUM_TWIN"))
		return list(NULL);
	status = es_twin_find("twin fault", ask->mount, mount);
	if (status != ES_EXIT_OK)
		return status;
	if (ask->lists)
		return list(mount);
	if (ask->clears)
		return order(mount, "clear\n");
	if (argc == 0)
		return show(mount);
	if (write_order(argv[0], argc > 1 ? argv[1] : NULL, ask->for_text, text) < 0)
		return es_complain("twin fault", ES_EXIT_USAGE,
				   "fault, target and time are one word each, not that long");
	return order(mount, text);
}

int es_twin_cmd_fault(int argc, char **argv)
{
	struct ask ask = { .mount = NULL };
	const struct es_option options[] = {
		ES_TWIN_MOUNT_OPTION(&ask.mount),
		{ "for", "TIME", "it is over by itself then: 500ms, 10s", ES_OPTION_TEXT,
		  &ask.for_text },
		{ "list", NULL, "what can go wrong, and the twin's meters", ES_OPTION_FLAG,
		  &ask.lists },
		{ "clear", NULL, "all faults are over", ES_OPTION_FLAG, &ask.clears },
	};
	const struct es_usage usage = {
		.command = "twin fault",
		.synopsis = "[--mount DIR] [FAULT [TARGET] [--for TIME] | --list | --clear]",
		.text = "Lets something go wrong on a twin, until it is cleared. TARGET is one of its meters\n"
			"(powercap/package-0; * stands for any letters) or what the fault takes. Alone it shows\n"
			"what is in force.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	const char *negative = take_negative(argc, argv);
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	argc -= first;
	argv += first;
	if (negative && argc == 2 && !*argv[1])
		argv[1] = (char *)(uintptr_t)negative;
	return act(&ask, argc, argv);
}
