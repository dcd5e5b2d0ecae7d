/*
 * report_series.c - the bins of a profile, gathered in the walk that makes the report
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_series.h"

#include <stdlib.h>

#include "base/clock.h"

static int64_t planned_period_ns(const struct es_report *report)
{
	return report->meta->period_ns > 0 ? report->meta->period_ns : ES_NS_PER_S;
}

int64_t es_report_period_ns(const struct es_report *report)
{
	int64_t planned_ns = planned_period_ns(report);

	/* An estimate's source, or meters slower than planned, give no finer a picture. */
	return report->mean_period_ns > 2 * planned_ns ? report->mean_period_ns : planned_ns;
}

void es_report_series_finish(struct es_report *report)
{
	for (size_t i = 0; report->series && i < report->meta->n_domains; i++)
		es_series_finish(&report->series[i]);
	free(report->series);
	report->series = NULL;
}

void es_report_series_add(struct es_report *report, size_t domain, const struct es_sample *sample)
{
	struct es_series *series = &report->series[domain];

	if (!series->energy_uj &&
	    es_series_init_open(series, report->start_ns, planned_period_ns(report),
				ES_PROFILE_POINTS_MAX - 1) < 0)
		es_report_series_finish(report); /* the profile will walk the recording itself */
	else
		es_series_add(series, sample);
}

void es_report_series_close(struct es_report *report)
{
	report->bin_ns = es_series_choose_bin_ns(report->stop_ns - report->start_ns,
						 planned_period_ns(report),
						 ES_PROFILE_POINTS_MAX - 1);
	for (size_t i = 0; report->series && i < report->meta->n_domains; i++) {
		if (!report->series[i].energy_uj)
			continue;
		if (report->series[i].t0_ns != report->start_ns)
			es_report_series_finish(report); /* not where the recording begins */
		else
			es_series_close(&report->series[i], report->stop_ns, report->bin_ns);
	}
}
