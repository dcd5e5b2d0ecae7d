/*
 * report_series.h - the bins of a profile, gathered in the walk that makes the report
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_SERIES_H
#define ES_FORMAT_REPORT_SERIES_H

#include "format/report.h"

/** es_report_series_add - the next sample of a domain; without memory the series are given up, and a profile walks by itself */
void es_report_series_add(struct es_report *report, size_t domain, const struct es_sample *sample);
/** es_report_series_close - all samples are in, start and end of the recording are known; what does not fit them is given up */
void es_report_series_close(struct es_report *report);
void es_report_series_finish(struct es_report *report);

#endif
