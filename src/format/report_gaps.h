/*
 * report_gaps.h - times of a recording in which something is not known
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_GAPS_H
#define ES_FORMAT_REPORT_GAPS_H

#include "core/track.h"
#include "format/report.h"

/** es_report_add_gap - a gap or a hole of a node; what overlaps the last one makes it longer. Of too many the longest are kept. */
void es_report_add_gap(struct es_report *report, uint32_t node, const struct es_sample *sample);

/** es_report_hole_ns - readings of a domain further apart than this leave a hole; @planned_ns: the recording's period */
int64_t es_report_hole_ns(const struct es_domain *domain, int64_t planned_ns);

/**
 * es_report_find_silence - time in which a domain was silent at the start and at the end of the job
 * @hole_ns: silence at the start, at the end up to this is none
 * @ret_ns: at the start, at the end
 * @ret_held_ns: of that, in which a power is held, since no reading of it tells what is drawn after it
 *
 * A meter that began late, or that gave nothing any more, leaves a gap that no later reading closes. It is added to
 * the gaps where the domain is in a cover.
 */
void es_report_find_silence(struct es_report *report, const struct es_track *track,
			    const int64_t hole_ns[static 2], int64_t ret_ns[static 2],
			    int64_t *ret_held_ns);

/** es_report_close_gaps - no more gaps: those that are kept, in order of time */
void es_report_close_gaps(struct es_report *report);

#endif
