/*
 * top_frame.h - one frame of energyscopium top: its figures, and how they are drawn
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TOP_FRAME_H
#define ES_CLI_TOP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "core/domain.h"

#define ES_TOP_HISTORY 60U
#define ES_TOP_PROCESSES 10U
#define ES_TOP_JOBS 10U

/** struct es_top_gauge - one bar: a domain, or the node */
struct es_top_gauge {
	const char *name;
	const char *kind; /* "measured" …; "" */
	bool is_known; /* else nothing was read in this interval */
	bool is_total; /* contains others: shown first */
	uint64_t power_mw;
	uint64_t limit_mw; /* 0: not known; the bar is then against @most_mw */
	uint64_t most_mw; /* highest seen so far */
	const uint64_t *history_mw; /* oldest first; UINT64_MAX: not known */
	size_t n_history;
};

/** struct es_top_process - who uses CPU time */
struct es_top_process {
	int pid;
	char user[32];
	char command[64];
	uint32_t cpu_permille; /* 1000: one CPU all the time */
	uint64_t power_mw; /* attributed; UINT64_MAX: not known */
};

/** struct es_top_job - a job of this node, by its daemon */
struct es_top_job {
	char id[64], user[32], name[64];
	char kind[16]; /* of its energy */
	uint32_t n_cpus; /* 0: not known */
	uint64_t power_mw; /* mean since the last frame; UINT64_MAX: not known */
	bool has_energy, is_exclusive;
	uint64_t energy_uj; /* of the node, so far */
	int64_t dur_ns;
};

/** struct es_top_frame - all borrowed */
struct es_top_frame {
	const char *node, *cpu_model, *time;
	uint32_t n_cpus; /* 0: not known */
	int64_t interval_ns, since_ns; /* of this frame; since the start */
	uint64_t energy_uj; /* since the start, of the total cover */
	bool has_busy;
	uint32_t busy_permille; /* CPUs at work, 1000: one */
	const struct es_top_gauge *gauges;
	size_t n_gauges;
	const struct es_top_process *processes;
	size_t n_processes;
	const struct es_top_job *jobs; /* those with most power */
	size_t n_jobs, n_jobs_all;
	const char *daemon; /* through whom all this is known; NULL: nobody */
	const char *note; /* a line below; NULL: none */
};

/** struct es_top_style - what the terminal can show */
struct es_top_style {
	unsigned width, height; /* height 0: as long as it gets */
	bool has_colour, has_utf8;
};

/** es_top_draw - lines of at most @style.width columns, none more than the height; appended to @out */
void es_top_draw(const struct es_top_frame *frame, const struct es_top_style *style,
		 struct es_buf *out);

/** es_top_json - energyscopium.top/1 */
int es_top_json(const struct es_top_frame *frame, struct es_buf *out);

#endif
