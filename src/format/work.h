/*
 * work.h - work done, from the events of a recording: by the command and by each region
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_WORK_H
#define ES_FORMAT_WORK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "format/report.h"
#include "record/event.h"

#define ES_WORK_LOGS_MAX 4U /* units in one recording; more are passed over */
#define ES_WORK_POINTS_MAX (1U << 18) /* of one unit; with more, every other one is let go */

struct es_work_logs;

struct es_work_logs *es_work_logs_create(void); /* NULL: no memory */
void es_work_logs_destroy(struct es_work_logs *logs);
/**
 * es_work_logs_note - an ES_EVENT_WORK; 0 or -ENOMEM
 * @not_before_ns: the command's start: counting begins a little before, work does not
 */
int es_work_logs_note(struct es_work_logs *logs, const struct es_event *event,
		      int64_t not_before_ns);

/**
 * es_work_sum - how much was done in the report's whole and in each of its regions, and at what energy
 *
 * Between two events the amount is taken to grow evenly; the bound is how far it can be from that. Energy of the whole
 * is the node's, of a region its own. Fills in works, work and the regions' work. 0 or -ENOMEM.
 */
int es_work_sum(const struct es_work_logs *logs, struct es_report *report);
void es_work_finish(struct es_report *report);

/** es_work_json - "work" of the report, into its open object */
void es_work_json(const struct es_report *report, struct es_json *json);
/** es_work_json_region - "work" of a region, into its open object; with several units "works" as well */
void es_work_json_region(const struct es_report *report, size_t region, struct es_json *json);
/** es_work_table - a row for each unit, and for each of the first regions */
void es_work_table(const struct es_report *report, struct es_buf *out);

#define ES_WORK_TEXT_BYTES 48U
/** es_work_amount_text - an amount for people: 1,200 or 0.025; returns @text */
char *es_work_amount_text(double amount, char text[static ES_WORK_TEXT_BYTES]);
/** es_work_energy_text - joules for people, with three digits that count: 0.520 J, 12.5 kJ; returns @text */
char *es_work_energy_text(double energy_j, char text[static ES_WORK_TEXT_BYTES]);
#define ES_WORK_WORD_BYTES 80U
/** es_work_singular - one of a unit: step of steps, query of queries; what is no plural stays; returns @text */
char *es_work_singular(const char *unit, char text[static ES_WORK_WORD_BYTES]);

#endif
