/*
 * twin_status.c - energyscopium twin status: what a twin is and does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "base/cleanup.h"
#include "cli/twin.h"

int es_twin_cmd_status(int argc, char **argv)
{
	const char *given = NULL;
	bool wants_json = false;
	const struct es_option options[] = {
		ES_TWIN_MOUNT_OPTION(&given),
		{ "json", NULL, "print energyscopium.twin/1", ES_OPTION_FLAG, &wants_json },
	};
	const struct es_usage usage = {
		.command = "twin status",
		.synopsis = "[--mount DIR] [--json]",
		.text = "Tells what a twin is and does: kind, process, power, temperature, faults in force. Ends\n"
			"with status 1 where none is up.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	char mount[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	struct es_buf text;
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("twin status", ES_EXIT_USAGE, "'%s' is one too many",
				   argv[first]);
	status = es_twin_find("twin status", given, mount);
	if (status != ES_EXIT_OK)
		return status;
	if (es_twin_read(mount, "status", &text, &err) < 0)
		status = es_complain("twin status", ES_EXIT_FAILURE, "%s", err.text);
	else
		status = es_put_out("twin status", &text);
	es_buf_finish(&text);
	return status;
}
