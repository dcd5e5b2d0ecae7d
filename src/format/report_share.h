/*
 * report_share.h - the command's own share of the node's energy, beside it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_SHARE_H
#define ES_FORMAT_REPORT_SHARE_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/share.h"

/** struct es_report_share - attributed to the command */
struct es_report_share {
	bool is_known;
	struct es_share share;
};

struct es_report;
/**
 * es_report_share_sum - once energies, CPU times and the baseline are known
 *
 * Not known where the energy is an estimate from CPU time already, where the CPU time of the machine is that of a
 * container, of several nodes, or of a part of the time only, or where other ranks or a daemon
 * did work for the command.
 */
void es_report_share_sum(struct es_report *report);

/** es_report_share_rows - for the table; appended to @out */
void es_report_share_rows(const struct es_report *report, struct es_buf *out);
struct es_json;
/** es_report_share_members - "attributed" of the energy */
void es_report_share_members(const struct es_report *report, struct es_json *json);

#endif
