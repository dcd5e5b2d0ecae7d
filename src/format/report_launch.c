/*
 * report_launch.c - as one of how many processes, on how many nodes, the measured command ran
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_launch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"

static const char *const hows[ES_LAUNCH_N] = {
	[ES_LAUNCH_NONE] = "none",     [ES_LAUNCH_UNDER] = "under",
	[ES_LAUNCH_AROUND] = "around", [ES_LAUNCH_ELSEWHERE] = "elsewhere",
	[ES_LAUNCH_DAEMON] = "daemon",
};

int es_report_launch_text(const struct es_report_launch *launch, char *text, size_t size)
{
	int n = snprintf(text, size, "%s rank=%lld local=%lld nodes=%lld by=%s", hows[launch->how],
			 (long long)launch->rank, (long long)launch->local_ranks,
			 (long long)launch->nodes, launch->by);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* The number behind "KEY=" up to the next blank. */
static int64_t number_of(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	char digits[24] = "";
	int64_t number;
	size_t n;

	if (!p)
		return -1;
	p += strlen(key);
	n = strcspn(p, " ");
	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, p, n);
	return es_parse_i64(digits, &number) == 0 && number >= 0 && number <= INT32_MAX ? number
											: -1;
}

void es_report_launch_parse(const char *text, int64_t value, struct es_report_launch *ret)
{
	const char *by = strstr(text, " by=");
	size_t n = strcspn(text, " ");

	for (size_t i = ES_LAUNCH_NONE + 1; by && i < ES_LAUNCH_N; i++) {
		if (strlen(hows[i]) != n || strncmp(text, hows[i], n) != 0)
			continue;
		ret->how = (enum es_launch_how)i;
		ret->rank = number_of(text, " rank=");
		ret->local_ranks = number_of(text, " local=");
		ret->nodes = number_of(text, " nodes=");
		ret->ranks = value >= 0 && value <= INT32_MAX ? value : -1;
		(void)snprintf(ret->by, sizeof(ret->by), "%.*s", (int)sizeof(ret->by) - 1,
			       by + strlen(" by="));
	}
}

static void put_elsewhere(const struct es_report_launch *launch, struct es_buf *out)
{
	bool is_around = launch->how == ES_LAUNCH_AROUND;

	if (is_around && launch->nodes == 1)
		return;
	if (launch->nodes > 0)
		(void)es_buf_printf(out, "  %-10s %d of %lld nodes measured: ", "nodes", is_around,
				    (long long)launch->nodes);
	else
		(void)es_buf_printf(out, "  %-10s some work ran elsewhere: ", "nodes");
	(void)es_buf_printf(out, "%s starts work on %s\n", launch->by,
			    is_around ? "several, this is one of them"
				      : "other machines, the energy is that of this one meanwhile");
}

void es_report_launch_rows(const struct es_report_launch *launch, struct es_buf *out)
{
	if (launch->how == ES_LAUNCH_AROUND || launch->how == ES_LAUNCH_ELSEWHERE)
		put_elsewhere(launch, out);
	if (launch->how == ES_LAUNCH_DAEMON)
		(void)es_buf_printf(
			out,
			"  %-10s on this machine, by the daemon of %s: in the energy of the node, not in the command's CPU time\n",
			"container", launch->by);
	if (launch->how != ES_LAUNCH_UNDER)
		return;
	(void)es_buf_printf(out, "  %-10s rank %lld", "ranks", (long long)launch->rank);
	if (launch->ranks > 0)
		(void)es_buf_printf(out, " of %lld", (long long)launch->ranks);
	(void)es_buf_printf(out, " measured this node");
	if (launch->local_ranks > 0 && launch->local_ranks != launch->ranks)
		(void)es_buf_printf(out, " for its %lld", (long long)launch->local_ranks);
	(void)es_buf_printf(out, " (%s)\n", launch->by);
	if (launch->nodes > 1)
		(void)es_buf_printf(
			out, "  %-10s 1 of %lld measured here; each has a recording of its own\n",
			"nodes", (long long)launch->nodes);
	else if (launch->nodes < 0)
		(void)es_buf_printf(out, "  %-10s this one; %s does not say of how many\n", "nodes",
				    launch->by);
}

static void put_number(struct es_json *json, const char *key, int64_t number)
{
	if (number >= 0)
		es_json_i64(json, key, number);
	else
		es_json_null(json, key);
}

void es_report_launch_members(const struct es_report_launch *launch, size_t n_nodes,
			      struct es_json *json)
{
	if (launch->how == ES_LAUNCH_NONE) {
		es_json_u64(json, "nodes_total", n_nodes);
		es_json_null(json, "launch");
		return;
	}
	put_number(json, "nodes_total", launch->nodes);
	es_json_object(json, "launch");
	es_json_string(json, "how", hows[launch->how]);
	es_json_string(json, "by", launch->by);
	put_number(json, "rank", launch->rank);
	put_number(json, "ranks", launch->ranks);
	put_number(json, "local_ranks", launch->local_ranks);
	es_json_object_end(json);
}
