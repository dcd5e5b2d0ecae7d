/*
 * event.h - what happened during a recording besides readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_EVENT_H
#define ES_RECORD_EVENT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

/* Numbers are stored: add at the end, never renumber. Unknown ones are passed over by readers. */
enum es_event_type {
	ES_EVENT_COMMAND_START = 1, /* value: pid */
	ES_EVENT_COMMAND_STOP = 2, /* value: wait status; -1: not known, of an attached process */
	ES_EVENT_TAG_START = 3, /* text: name */
	ES_EVENT_TAG_STOP = 4, /* text: name */
	ES_EVENT_MISSED = 5, /* value: deadlines missed in a row, before this time */
	ES_EVENT_SUSPEND = 6, /* value: ns the machine slept, before this time */
	ES_EVENT_CLOCK_STEP = 7, /* value: ns the wall clock was set by, before this time */
	ES_EVENT_READ_FAILED =
		8, /* of older recordings; value: index of the domain; text: why, with how often */
	ES_EVENT_SURVIVOR = 9, /* value: pid; text: name of a process that outlived the command */
	ES_EVENT_NOTE = 10, /* text */
	ES_EVENT_END = 11, /* of the recording; value: CPU time of the recorder itself, ns */
	ES_EVENT_CHILD_CPU =
		12, /* value: CPU time of the command and its waited-for children, ns */
	ES_EVENT_ATTACHED =
		13, /* what ran already was measured from here on; value: pid; text: name */
	ES_EVENT_WORK =
		14, /* value: cumulative amount of work in 1e-6 units; text: unit. See ES_EVENT_WORK_NONE */
	ES_EVENT_BASELINE =
		15, /* value: mean power in mW while nothing was measured; text: before or after, and the domain's id */
	ES_EVENT_LAUNCH =
		16, /* value: processes of the launch, -1: not known; text: format/report_launch.h */
	ES_EVENT_CPUS_ONLINE = 17, /* value: hardware threads online from this time on */
	ES_EVENT_FAULT = 18, /* value: index of the domain; text: see record/fault.h */
	ES_EVENT_RELEASED =
		19, /* devices are let go from here on; value: for how long, ns, 0: until they are had again, which is ES_EVENT_RELEASED_OVER; text: which, blank, why */
	ES_EVENT_SHARED =
		20, /* how a domain is shared out from here on; value: its index, -1: all; text: rule, blank, where idle power comes from (core/attribution.h) */
	ES_EVENT_WALL_CLOCK =
		21, /* how well the wall clock is kept; value: most it is off, ns, -1: nobody keeps it */
	ES_EVENT_DAEMON =
		22, /* the readings come through this node's daemon; value: its period, ns; text: format/report_daemon.h */
};

/* The value of an ES_EVENT_RELEASED that ends one. */
#define ES_EVENT_RELEASED_OVER (-1)

/* The value of an ES_EVENT_WORK that counts nothing yet: the work was asked for. Text: unit, and behind a tab why. */
#define ES_EVENT_WORK_NONE INT64_MIN

struct es_event {
	uint32_t type;
	int64_t t_ns; /* boot clock */
	int64_t value;
	char text[ES_NAME_MAX_BYTES];
};

/** es_event_put - append the bytes of an event */
int es_event_put(const struct es_event *event, struct es_buf *out);
/** es_event_get - 0 or -EBADMSG */
int es_event_get(const void *data, size_t n, struct es_event *ret);

#endif
