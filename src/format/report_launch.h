/*
 * report_launch.h - as one of how many processes, on how many nodes, the measured command ran
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_LAUNCH_H
#define ES_FORMAT_REPORT_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

/** enum es_launch_how - where the measuring stands towards a launcher */
enum es_launch_how {
	ES_LAUNCH_NONE,
	ES_LAUNCH_UNDER, /* the launcher started us: mpirun -n 64 energyscopium run -- ./app */
	ES_LAUNCH_AROUND, /* the command is a launcher; this node is one of those it starts work on */
	ES_LAUNCH_ELSEWHERE, /* the command starts work on other machines only, or none knows which */
	ES_LAUNCH_DAEMON, /* a daemon of this machine does the work: docker run */
	ES_LAUNCH_N,
};

/** struct es_report_launch - the event ES_EVENT_LAUNCH; numbers are -1 where they are not known */
struct es_report_launch {
	enum es_launch_how how;
	char by[64]; /* "Open MPI"; of the others the command's name: "mpirun" */
	int64_t rank, ranks; /* of all */
	int64_t local_ranks; /* on this node */
	int64_t nodes;
};

#define ES_REPORT_LAUNCH_UNKNOWN                                                               \
	(struct es_report_launch)                                                              \
	{                                                                                      \
		.how = ES_LAUNCH_NONE, .rank = -1, .ranks = -1, .local_ranks = -1, .nodes = -1 \
	}

/** es_report_launch_is_alone - whether the command's CPU time is all that was used for it here: no other rank, daemon or node */
static inline bool es_report_launch_is_alone(const struct es_report_launch *launch)
{
	return launch->how == ES_LAUNCH_NONE ||
	       (launch->how == ES_LAUNCH_UNDER && launch->local_ranks == 1);
}

/** es_report_launch_text - the text of the event; its value is @launch->ranks. Returns 0 or -ENAMETOOLONG */
int es_report_launch_text(const struct es_report_launch *launch, char *text, size_t size);
/** es_report_launch_parse - from the event; *ret is left as it is where the text is none that we know */
void es_report_launch_parse(const char *text, int64_t value, struct es_report_launch *ret);

/** es_report_launch_rows - what the table says of it; appended to @out */
void es_report_launch_rows(const struct es_report_launch *launch, struct es_buf *out);

struct es_json;
/** es_report_launch_members - "nodes_total" and "launch" of the job; @n_nodes: nodes in the recording */
void es_report_launch_members(const struct es_report_launch *launch, size_t n_nodes,
			      struct es_json *json);

#endif
