/*
 * profile_signals.c - temperatures in an eprofile, and all signals as CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/profile_signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

__extension__ typedef unsigned __int128 es_u128;

#define CHUNK_BYTES 65536U
#define HOLE_PERIODS 5 /* as in the report: nothing is known between values further apart */
#define UNIT_NS \
	1000000 /* a bin adds up thousandths of a degree times milliseconds, as µJ are mW times ms */
#define TEMPERATURE_MAX_MC 1000000U

/* While temperatures are binned: the last value of each. */
struct warmth {
	struct es_profile *profile;
	int64_t *last_ns; /* [signal]; INT64_MIN: none yet */
	uint64_t *last_mc; /* likewise */
};

static bool is_temperature(const struct es_signal *signal)
{
	return signal->kind == ES_SIGNAL_GAUGE && strcmp(signal->unit, ES_SIGNAL_MC) == 0;
}

static int on_temperature(void *arg, size_t i, int64_t t_ns, uint64_t value)
{
	struct warmth *warmth = arg;
	struct es_profile *profile = warmth->profile;
	int64_t period_ns = profile->report->meta->period_ns > ES_NS_PER_S
				    ? profile->report->meta->period_ns
				    : ES_NS_PER_S;
	struct es_sample sample = { .t0_ns = warmth->last_ns[i], .t1_ns = t_ns };

	if (profile->temps[i].n_bins == 0 || value > TEMPERATURE_MAX_MC ||
	    t_ns <= warmth->last_ns[i])
		return 0;
	warmth->last_ns[i] = t_ns;
	if (sample.t0_ns == INT64_MIN || sample.t1_ns <= profile->start_ns ||
	    sample.t0_ns >= profile->stop_ns) {
		warmth->last_mc[i] = value;
		return 0;
	}
	sample.is_gap = (t_ns - sample.t0_ns) / HOLE_PERIODS > period_ns;
	sample.t0_ns = sample.t0_ns > profile->start_ns ? sample.t0_ns : profile->start_ns;
	sample.t1_ns = sample.t1_ns < profile->stop_ns ? sample.t1_ns : profile->stop_ns;
	if (!sample.is_gap)
		sample.energy_uj =
			(uint64_t)((es_u128)(warmth->last_mc[i] + value) *
				   (uint64_t)(sample.t1_ns - sample.t0_ns) / (2 * UNIT_NS));
	warmth->last_mc[i] = value;
	es_series_add(&profile->temps[i], &sample);
	return 0;
}

static int bin(struct es_recording *recording, struct warmth *warmth)
{
	static const struct es_visitor visitor = { .signal = on_temperature };
	struct es_profile *profile = warmth->profile;
	size_t n = profile->report->meta->n_signals;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		warmth->last_ns[i] = INT64_MIN;
		if (is_temperature(&profile->report->meta->signals[i]))
			r = es_series_init(&profile->temps[i], profile->start_ns, profile->stop_ns,
					   profile->bin_ns);
	}
	if (r == 0)
		r = es_recording_walk(recording, &visitor, warmth);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (profile->temps[i].lacks_memory)
			r = -ENOMEM;
	return r;
}

int es_profile_temperatures(struct es_recording *recording, struct es_profile *profile)
{
	const struct es_meta *meta = profile->report->meta;
	struct warmth warmth = { .profile = profile };
	bool has_any = false;
	int r;

	for (size_t i = 0; i < meta->n_signals && !has_any; i++)
		has_any = is_temperature(&meta->signals[i]);
	if (!has_any)
		return 0;
	profile->temps = calloc(meta->n_signals, sizeof(*profile->temps));
	warmth.last_ns = calloc(meta->n_signals, sizeof(*warmth.last_ns));
	warmth.last_mc = calloc(meta->n_signals, sizeof(*warmth.last_mc));
	r = profile->temps && warmth.last_ns && warmth.last_mc ? bin(recording, &warmth) : -ENOMEM;
	free(warmth.last_ns);
	free(warmth.last_mc);
	return r;
}

void es_profile_temperatures_finish(struct es_profile *profile)
{
	for (size_t i = 0; profile->temps && i < profile->report->meta->n_signals; i++)
		es_series_finish(&profile->temps[i]);
	free(profile->temps);
	profile->temps = NULL;
}

/* The first source that tells it; a second one of the same device would need the same name. */
static bool is_first(const struct es_meta *meta, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (is_temperature(&meta->signals[j]) &&
		    meta->signals[j].node == meta->signals[i].node &&
		    strcmp(meta->signals[j].device, meta->signals[i].device) == 0 &&
		    strcmp(meta->signals[j].name, meta->signals[i].name) == 0)
			return false;
	return true;
}

static void put_temperature(const struct es_profile *profile, size_t i, struct es_json *json)
{
	const struct es_meta *meta = profile->report->meta;
	const struct es_signal *signal = &meta->signals[i];
	bool is_plain = strcmp(signal->name, ES_SIGNAL_TEMPERATURE) == 0;
	char name[2 * ES_NAME_MAX_BYTES];

	(void)snprintf(name, sizeof(name), "%s/%s%s%s", meta->nodes[signal->node].name,
		       signal->device, is_plain ? "" : ":", is_plain ? "" : signal->name);
	es_json_array_inline(json, name);
	for (size_t at = 0; at <= profile->n_bins; at++) {
		uint64_t temp_mc = 0;

		if (es_series_power_mw(&profile->temps[i], at ? at - 1 : 0, &temp_mc))
			es_json_decimal(json, NULL, (int64_t)temp_mc, 3);
		else
			es_json_null(json, NULL);
	}
	es_json_array_end(json);
}

void es_profile_temperatures_json(const struct es_profile *profile, struct es_json *json)
{
	const struct es_meta *meta = profile->report->meta;

	if (!profile->temps)
		return;
	es_json_object(json, "temperatures(C)");
	for (size_t i = 0; i < meta->n_signals; i++)
		if (profile->temps[i].n_bins && is_first(meta, i))
			put_temperature(profile, i, json);
	es_json_object_end(json);
}

struct csv {
	const struct es_report *report;
	const struct es_profile_options *options;
	struct es_buf buf;
	int fd;
};

static int flush(struct csv *csv)
{
	int r = csv->buf.error ? csv->buf.error
			       : es_write_all(csv->fd, csv->buf.data, csv->buf.len);

	es_buf_reset(&csv->buf);
	return r;
}

static bool shows(const struct csv *csv, const struct es_signal *signal)
{
	for (size_t i = 0; i < csv->options->n_domains; i++)
		if (strcmp(csv->options->domains[i], signal->device) == 0)
			return true;
	return csv->options->n_domains == 0;
}

/* Flags by their names, with bars between: power_cap|heat. */
static void put_flags(struct csv *csv, const struct es_signal *signal, uint64_t value)
{
	const char *gap = "";
	char flag[32];

	for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++) {
		if (!(value & UINT64_C(1) << bit))
			continue;
		if (!es_signal_flag(signal, bit, flag))
			(void)snprintf(flag, sizeof(flag), "bit%u", bit);
		(void)es_buf_str(&csv->buf, gap);
		es_csv_put_field(&csv->buf, flag);
		gap = "|";
	}
}

static int on_value(void *arg, size_t i, int64_t t_ns, uint64_t value)
{
	struct csv *csv = arg;
	const struct es_meta *meta = csv->report->meta;
	const struct es_signal *signal = &meta->signals[i];
	char time[ES_TIME_TEXT_BYTES];

	if (!shows(csv, signal) || (csv->options->from_ns && t_ns < csv->options->from_ns) ||
	    (csv->options->to_ns && t_ns > csv->options->to_ns))
		return 0;
	(void)es_buf_str(&csv->buf, es_time_rfc3339_us(es_report_unix_ns(csv->report, t_ns), time));
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, meta->nodes[signal->node].name);
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, signal->device);
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, signal->name);
	(void)es_buf_u8(&csv->buf, ',');
	if (signal->kind == ES_SIGNAL_FLAGS)
		put_flags(csv, signal, value);
	else
		(void)es_buf_printf(&csv->buf, "%" PRIu64, value);
	(void)es_buf_u8(&csv->buf, ',');
	es_csv_put_field(&csv->buf, signal->unit);
	(void)es_buf_u8(&csv->buf, '\n');
	return csv->buf.len > CHUNK_BYTES ? flush(csv) : csv->buf.error;
}

int es_signals_csv(struct es_recording *recording, const struct es_report *report,
		   const struct es_profile_options *options, int fd)
{
	static const struct es_visitor visitor = { .signal = on_value };
	struct csv csv = { .report = report, .options = options, .fd = fd };
	int r;

	es_buf_init(&csv.buf, 4 * CHUNK_BYTES);
	(void)es_buf_str(&csv.buf, "time,node,device,signal,value,unit\n");
	r = es_recording_walk(recording, &visitor, &csv);
	if (r == 0)
		r = flush(&csv);
	es_buf_finish(&csv.buf);
	return r;
}
