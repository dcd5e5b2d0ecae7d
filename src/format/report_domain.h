/*
 * report_domain.h - the energy of one domain of a recording, and how sure it is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_DOMAIN_H
#define ES_FORMAT_REPORT_DOMAIN_H

#include "core/track.h"
#include "format/report.h"

/** struct es_report_sweeps - when the second and the last sweep began: who has no reading before and after missed an end */
struct es_report_sweeps {
	uint64_t n;
	int64_t second_ns, last_ns;
};

/**
 * es_report_sum_domain - fill in report->by_domain[@i]
 * @hole_ns: silence up to this at an end of the job is none, where no reading failed
 */
void es_report_sum_domain(struct es_report *report, const struct es_track *track, size_t i,
			  const struct es_report_sweeps *sweeps, int64_t hole_ns);

#endif
