/*
 * report_signals.h - clocks, utilisation, temperatures and reasons of throttling over the job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_SIGNALS_H
#define ES_FORMAT_REPORT_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/signal.h"

struct es_json;
struct es_report;

/**
 * struct es_report_signal - one signal over the job
 *
 * Between two values a gauge goes in a straight line, and flags hold half of the way each. Where values are too far
 * apart nothing is known of the time between them.
 */
struct es_report_signal {
	const struct es_signal *signal; /* of the recording's description */
	uint64_t n; /* values; 0: nothing is known */
	int64_t covered_ns;
	double mean; /* of gauges, over the time covered; where there is none, of the values */
	uint64_t min, max; /* of gauges */
	uint64_t total; /* of counters: how much was counted in the time covered */
	int64_t set_ns[ES_SIGNAL_BITS]; /* of flags: for how long each was set */
	uint64_t loss_mask; /* of a signal named throttle: the bits that cost speed */
	int64_t loss_ns; /* for how long any of those was set */

	int64_t last_ns; /* while they are gathered */
	uint64_t last;
	double sum;
};

/** es_report_signals_init - before the walk; 0 or -ENOMEM */
int es_report_signals_init(struct es_report *report);
/** es_report_signals_note - one value, in order of time */
void es_report_signals_note(struct es_report *report, size_t signal, int64_t t_ns, uint64_t value);
/** es_report_signals_settle - after the walk */
void es_report_signals_settle(struct es_report *report);
void es_report_signals_finish(struct es_report *report);

/** es_report_signal_find - the signal named @name of @device on node @node, of the first source that has one with values; NULL */
const struct es_report_signal *es_report_signal_find(const struct es_report *report, uint32_t node,
						     const char *device, const char *name);
/** es_report_signal_share - of the time covered for which @bit was set; NAN where nothing was covered */
double es_report_signal_share(const struct es_report_signal *signal, unsigned bit);
/** es_report_signal_loss - of the time covered in which anything held the device back; NAN where nothing was covered */
double es_report_signal_loss(const struct es_report_signal *signal);

/** es_report_signals_table - a row for each device of which something is to be said; appended to @out */
void es_report_signals_table(const struct es_report *report, struct es_buf *out);
/** es_report_signals_json - the member "signals" */
void es_report_signals_json(const struct es_report *report, struct es_json *json);

#endif
