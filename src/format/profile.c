/*
 * profile.c - power over time: the bins
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "format/profile_signals.h"

#define CSV_CHUNK_BYTES 65536U

struct binning {
	struct es_profile *profile;
	struct es_watch watch;
};

bool es_profile_shows(const struct es_profile_options *options, const struct es_report *report,
		      size_t domain)
{
	const struct es_domain *d = &report->domains[domain];

	if (!report->by_domain[domain].is_known)
		return false;
	if (options->n_domains == 0)
		return d->is_chosen || d->is_chosen_total;
	/* A name means one of those that show the same joules; the others have their ids. */
	for (size_t i = 0; i < options->n_domains; i++)
		if ((strcmp(options->domains[i], d->name) == 0 && d->state != ES_STATE_DUPLICATE) ||
		    strcmp(options->domains[i], d->id) == 0)
			return true;
	return false;
}

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct binning *binning = arg;
	struct es_profile *profile = binning->profile;
	struct es_sample part = *sample;

	if (profile->series[domain].n_bins == 0 || sample->t1_ns <= profile->start_ns ||
	    sample->t0_ns >= profile->stop_ns)
		return;
	/* What lies outside of the window asked for is left out, in proportion. */
	if (part.t0_ns < profile->start_ns || part.t1_ns > profile->stop_ns) {
		struct es_edge from = { .t_ns = profile->start_ns },
			       to = { .t_ns = profile->stop_ns };

		es_edge_add(&from, sample);
		es_edge_add(&to, sample);
		part.energy_uj = to.energy_uj - from.energy_uj;
		part.t0_ns = part.t0_ns > profile->start_ns ? part.t0_ns : profile->start_ns;
		part.t1_ns = part.t1_ns < profile->stop_ns ? part.t1_ns : profile->stop_ns;
	}
	es_series_add(&profile->series[domain], &part);
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct binning *binning = arg;

	es_watch_reading(&binning->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct binning *binning = arg;

	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&binning->watch, event->value);
	return 0;
}

static void choose_bins(struct es_profile *profile, bool is_full)
{
	int64_t dur_ns = profile->stop_ns - profile->start_ns;
	int64_t period_ns = es_report_period_ns(profile->report);

	profile->bin_ns =
		is_full ? period_ns
			: es_series_choose_bin_ns(dur_ns, period_ns, ES_PROFILE_POINTS_MAX - 1);
	profile->n_bins = (size_t)((dur_ns - 1) / profile->bin_ns) + 1;
}

/* Whether the bins are those that the report gathered in its own walk. */
static bool are_gathered(const struct es_profile *profile, const struct es_report *report)
{
	return report->series && profile->bin_ns == report->bin_ns &&
	       profile->start_ns == report->start_ns && profile->stop_ns == report->stop_ns;
}

static int walk_bins(struct es_recording *recording, struct es_profile *profile)
{
	static const struct es_visitor visitor = { .reading = on_reading, .event = on_event };
	const struct es_report *report = profile->report;
	struct binning binning = { .profile = profile };
	int r = es_watch_init(&binning.watch, report->domains, report->meta->n_domains,
			      report->meta->period_ns);

	if (r < 0)
		return r;
	binning.watch.on_sample = on_sample;
	binning.watch.arg = &binning;
	r = es_recording_walk(recording, &visitor, &binning);
	es_watch_end(&binning.watch);
	es_watch_finish(&binning.watch);
	return r;
}

static int fill_bins(struct es_recording *recording, const struct es_profile_options *options,
		     struct es_profile *profile)
{
	const struct es_report *report = profile->report;
	int r = 0;

	profile->are_borrowed = are_gathered(profile, report);
	for (size_t i = 0; r == 0 && i < report->meta->n_domains; i++) {
		if (!es_profile_shows(options, report, i))
			continue;
		if (profile->are_borrowed)
			profile->series[i] = report->series[i];
		else
			r = es_series_init(&profile->series[i], profile->start_ns, profile->stop_ns,
					   profile->bin_ns);
	}
	if (r == 0 && !profile->are_borrowed)
		r = walk_bins(recording, profile);
	for (size_t i = 0; r == 0 && i < report->meta->n_domains; i++)
		if (profile->series[i].lacks_memory)
			r = -ENOMEM;
	return r;
}

int es_profile_build(struct es_recording *recording, const struct es_report *report,
		     const struct es_profile_options *options, struct es_profile *ret,
		     struct es_error *err)
{
	struct es_profile profile = { .report = report,
				      .start_ns = report->start_ns,
				      .stop_ns = report->stop_ns };
	int r;

	if (options->from_ns && options->from_ns > profile.start_ns)
		profile.start_ns = options->from_ns;
	if (options->to_ns && options->to_ns < profile.stop_ns)
		profile.stop_ns = options->to_ns;
	if (!report->has_start || profile.stop_ns <= profile.start_ns)
		return es_error_say(err, -ENODATA, "no readings in that time");
	choose_bins(&profile, options->is_full);
	profile.series = calloc(report->meta->n_domains + 1, sizeof(*profile.series));
	r = profile.series ? fill_bins(recording, options, &profile) : -ENOMEM;
	if (r == 0)
		r = es_profile_temperatures(recording, &profile);
	if (r < 0) {
		es_profile_finish(&profile);
		return es_error_set(err, r, "cannot make the profile");
	}
	*ret = profile;
	return 0;
}

void es_profile_finish(struct es_profile *profile)
{
	for (size_t i = 0;
	     profile->series && !profile->are_borrowed && i < profile->report->meta->n_domains; i++)
		es_series_finish(&profile->series[i]);
	free(profile->series);
	es_profile_temperatures_finish(profile);
	*profile = (struct es_profile){ .report = NULL };
}

/* Streaming CSV: one walk, constant memory. */
struct csv {
	const struct es_report *report;
	const struct es_profile_options *options;
	struct es_watch watch;
	uint64_t *cumulative_uj; /* [domain] */
	bool *has_begun; /* [domain] */
	struct es_buf buf;
	int fd;
	int error;
};

static void csv_flush(struct csv *csv)
{
	if (csv->error == 0)
		csv->error = csv->buf.error ? csv->buf.error
					    : es_write_all(csv->fd, csv->buf.data, csv->buf.len);
	es_buf_reset(&csv->buf);
}

void es_csv_put_field(struct es_buf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		(void)es_buf_str(out, text);
		return;
	}
	(void)es_buf_u8(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			(void)es_buf_u8(out, '"');
		(void)es_buf_u8(out, (uint8_t)*p);
	}
	(void)es_buf_u8(out, '"');
}

/* Where energy or power is not known the field is empty. */
static void put_line(struct csv *csv, size_t domain, int64_t t_ns, bool has_power,
		     uint64_t power_mw, bool has_energy)
{
	const struct es_report *report = csv->report;
	char time[ES_TIME_TEXT_BYTES], number[48];

	(void)es_buf_str(&csv->buf, es_time_rfc3339_us(es_report_unix_ns(report, t_ns), time));
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, report->meta->nodes[report->domains[domain].node].name);
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, report->domains[domain].name);
	(void)es_buf_u8(&csv->buf, ',');
	if (has_power)
		(void)es_buf_append(&csv->buf, number,
				    es_decimal_text((int64_t)power_mw, 3, number));
	(void)es_buf_u8(&csv->buf, ',');
	if (has_energy)
		(void)es_buf_append(&csv->buf, number,
				    es_decimal_text((int64_t)csv->cumulative_uj[domain], 6,
						    number));
	(void)es_buf_u8(&csv->buf, '\n');
	if (csv->buf.len > CSV_CHUNK_BYTES)
		csv_flush(csv);
}

static void csv_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct csv *csv = arg;

	if (!es_profile_shows(csv->options, csv->report, domain) ||
	    (csv->options->from_ns && sample->t1_ns <= csv->options->from_ns) ||
	    (csv->options->to_ns && sample->t1_ns > csv->options->to_ns))
		return;
	/* A counter needs where it began: without that line its first step would be lost to a reader. */
	if (!csv->has_begun[domain])
		put_line(csv, domain, sample->t0_ns, false, 0, true);
	csv->has_begun[domain] = true;
	csv->cumulative_uj[domain] += sample->energy_uj;
	put_line(csv, domain, sample->t1_ns, !sample->is_gap,
		 es_mean_power_mw(sample->energy_uj, sample->t1_ns - sample->t0_ns),
		 !sample->is_gap);
}

static int csv_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct csv *csv = arg;

	es_watch_reading(&csv->watch, domain, t_ns, value, activity_ns);
	return csv->error;
}

static int csv_event(void *arg, const struct es_event *event)
{
	struct csv *csv = arg;

	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&csv->watch, event->value);
	return 0;
}

int es_profile_csv(struct es_recording *recording, const struct es_report *report,
		   const struct es_profile_options *options, int fd)
{
	static const struct es_visitor visitor = { .reading = csv_reading, .event = csv_event };
	struct csv csv = { .report = report, .options = options, .fd = fd };
	int r;

	es_buf_init(&csv.buf, 4 * CSV_CHUNK_BYTES);
	csv.cumulative_uj = calloc(report->meta->n_domains + 1, sizeof(*csv.cumulative_uj));
	csv.has_begun = calloc(report->meta->n_domains + 1, sizeof(*csv.has_begun));
	r = csv.cumulative_uj && csv.has_begun
		    ? es_watch_init(&csv.watch, report->domains, report->meta->n_domains,
				    report->meta->period_ns)
		    : -ENOMEM;
	if (r == 0) {
		csv.watch.on_sample = csv_sample;
		csv.watch.arg = &csv;
		(void)es_buf_str(&csv.buf, "time,node,domain,power_w,energy_j\n");
		r = es_recording_walk(recording, &visitor, &csv);
		es_watch_end(&csv.watch);
		csv_flush(&csv);
	}
	es_watch_finish(&csv.watch);
	es_buf_finish(&csv.buf);
	free(csv.cumulative_uj);
	free(csv.has_begun);
	return r < 0 ? r : csv.error;
}
