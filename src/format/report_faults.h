/*
 * report_faults.h - what went wrong with the readings of a recording, by domain
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_FAULTS_H
#define ES_FORMAT_REPORT_FAULTS_H

#include "core/watch.h"
#include "format/report.h"

struct es_json;

/** es_report_note_fault - an ES_EVENT_FAULT, or an ES_EVENT_READ_FAILED of older recordings; 0 or -ENOMEM. What it makes no sense of is passed over. */
int es_report_note_fault(struct es_report *report, const struct es_event *event);
/** es_report_note_cpus - an ES_EVENT_CPUS_ONLINE */
void es_report_note_cpus(struct es_report *report, const struct es_event *event);

/** es_report_has_failed - whether readings of a domain failed or were refused */
bool es_report_has_failed(const struct es_report *report, const struct es_track *track,
			  size_t domain);
/** es_report_slowest_ns - how long its slowest read took, where reads were too slow; else 0 */
int64_t es_report_slowest_ns(const struct es_report *report, size_t domain);

/** es_report_find_faults - what the readings themselves tell, and which parts the covers lack, once they are chosen; 0 or -ENOMEM */
int es_report_find_faults(struct es_report *report, const struct es_watch *watch);

/** es_report_put_faults - rows of the table */
void es_report_put_faults(const struct es_report *report, struct es_buf *out);
/** es_report_put_faults_json - members "faults", "faults_total", "lacks" and "cpus_online" of quality */
void es_report_put_faults_json(const struct es_report *report, struct es_json *json);

#endif
