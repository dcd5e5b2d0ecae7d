/*
 * report_activity.h - what a job did beside drawing power, in numbers that mean something alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_ACTIVITY_H
#define ES_FORMAT_REPORT_ACTIVITY_H

#include <stdbool.h>

#include "base/buf.h"
#include "record/activity_note.h"
#include "record/event.h"

struct es_json;
struct es_report;

/** enum es_report_activity_key - the numbers that recordings tell reasons of */
enum es_report_activity_key {
	ES_REPORT_IPC, /* instructions per cycle */
	ES_REPORT_LLC_MISSES, /* per 1000 instructions */
	ES_REPORT_MEMORY, /* bytes per second between memory and processors, of the machine */
	ES_REPORT_CLOCK, /* Hz of the processor while it worked */
	ES_N_REPORT_ACTIVITIES,
};

/** struct es_report_activity - each is known, or the reason says why not; of a known one it says what is to be known of it */
struct es_report_activity {
	struct {
		bool is_known;
		double value;
		struct es_activity_note note; /* key "": none */
	} of[ES_N_REPORT_ACTIVITIES];
	const char *clock_source; /* "aperf/mperf", "cycles"; NULL: not known */
	double instructions; /* 0: not known */
	double peak_bytes_per_s, base_hz; /* 0: not known */
	bool has_j_per_instruction; /* measured, not estimated */
	double j_per_instruction; /* of the node's energy */
};

/** es_report_activity_note - an event that may be about activity */
void es_report_activity_note(struct es_report *report, const struct es_event *event);
/** es_report_activity_settle - once signals and energy are known */
void es_report_activity_settle(struct es_report *report);

/** es_report_activity_row - the row "activity" of the table, where anything is known; appended to @out */
void es_report_activity_row(const struct es_report *report, struct es_buf *out);
/** es_report_activity_json - the member "activity" */
void es_report_activity_json(const struct es_report *report, struct es_json *json);

#endif
