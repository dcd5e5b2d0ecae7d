/*
 * report_signals.c - clocks, utilisation, temperatures and reasons of throttling over the job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_signals.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "format/report.h"

/* Read once a second, or as seldom as all else. More than so many of those apart nothing is known in between. */
#define READ_NS ES_NS_PER_S
#define HOLE_PERIODS 5

/* Of the reasons in es_throttle_flags() those that cost speed though there was work. */
static uint64_t loss_mask(const struct es_signal *signal)
{
	static const char *const losses[] = { "power_cap", "heat",	  "current", "power_brake",
					      "hardware",  "reliability", "sync" };
	uint64_t mask = 0;
	char flag[32];

	if (signal->kind != ES_SIGNAL_FLAGS || strcmp(signal->name, ES_SIGNAL_THROTTLE) != 0)
		return 0;
	for (unsigned bit = 0; bit < ES_SIGNAL_BITS && es_signal_flag(signal, bit, flag); bit++)
		for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++)
			if (strcmp(losses[i], flag) == 0)
				mask |= UINT64_C(1) << bit;
	return mask;
}

int es_report_signals_init(struct es_report *report)
{
	size_t n = report->meta->n_signals;

	if (n == 0)
		return 0;
	report->signals = calloc(n, sizeof(*report->signals));
	if (!report->signals)
		return -ENOMEM;
	report->n_signals = n;
	for (size_t i = 0; i < n; i++) {
		report->signals[i].signal = &report->meta->signals[i];
		report->signals[i].loss_mask = loss_mask(&report->meta->signals[i]);
	}
	return 0;
}

void es_report_signals_finish(struct es_report *report)
{
	free(report->signals);
	report->signals = NULL;
	report->n_signals = 0;
}

static void hold_flags(struct es_report_signal *sum, uint64_t flags, int64_t dur_ns)
{
	for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++)
		if (flags & UINT64_C(1) << bit)
			sum->set_ns[bit] += dur_ns;
	if (flags & sum->loss_mask)
		sum->loss_ns += dur_ns;
}

/* From the value before to this one. */
static void add_interval(struct es_report_signal *sum, int64_t dur_ns, uint64_t value)
{
	sum->covered_ns += dur_ns;
	switch (sum->signal->kind) {
	case ES_SIGNAL_GAUGE:
		sum->sum += ((double)sum->last + (double)value) / 2 * (double)dur_ns;
		break;
	case ES_SIGNAL_COUNTER:
		/* A step back is a new origin: what was counted before it is not known. */
		if (value >= sum->last &&
		    __builtin_add_overflow(sum->total, value - sum->last, &sum->total))
			sum->total = UINT64_MAX;
		else if (value < sum->last)
			sum->covered_ns -= dur_ns;
		break;
	case ES_SIGNAL_FLAGS:
		hold_flags(sum, sum->last, dur_ns / 2);
		hold_flags(sum, value, dur_ns - dur_ns / 2);
		break;
	case ES_N_SIGNAL_KINDS:
		break;
	}
}

void es_report_signals_note(struct es_report *report, size_t signal, int64_t t_ns, uint64_t value)
{
	struct es_report_signal *sum = &report->signals[signal];
	int64_t period_ns = report->meta->period_ns > READ_NS ? report->meta->period_ns : READ_NS;
	int64_t dur_ns = t_ns - sum->last_ns;

	if (sum->n > 0 && dur_ns <= 0)
		return;
	/* Counters go on however long nobody looked. */
	if (sum->n > 0 &&
	    (sum->signal->kind == ES_SIGNAL_COUNTER || dur_ns / HOLE_PERIODS <= period_ns))
		add_interval(sum, dur_ns, value);
	sum->min = sum->n == 0 || value < sum->min ? value : sum->min;
	sum->max = value > sum->max ? value : sum->max;
	sum->mean += ((double)value - sum->mean) / (double)(sum->n + 1);
	sum->n++;
	sum->last_ns = t_ns;
	sum->last = value;
}

void es_report_signals_settle(struct es_report *report)
{
	for (size_t i = 0; i < report->n_signals; i++)
		if (report->signals[i].covered_ns > 0)
			report->signals[i].mean =
				report->signals[i].sum / (double)report->signals[i].covered_ns;
}

const struct es_report_signal *es_report_signal_find(const struct es_report *report, uint32_t node,
						     const char *device, const char *name)
{
	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_signal *signal = report->signals[i].signal;

		if (report->signals[i].n > 0 && signal->node == node &&
		    strcmp(signal->device, device) == 0 && strcmp(signal->name, name) == 0)
			return &report->signals[i];
	}
	return NULL;
}

double es_report_signal_share(const struct es_report_signal *signal, unsigned bit)
{
	return signal->covered_ns > 0 ? (double)signal->set_ns[bit] / (double)signal->covered_ns
				      : (double)NAN;
}

double es_report_signal_loss(const struct es_report_signal *signal)
{
	return signal->covered_ns > 0 ? (double)signal->loss_ns / (double)signal->covered_ns
				      : (double)NAN;
}

static void put_values(const struct es_report_signal *sum, struct es_json *json)
{
	const struct es_signal *signal = sum->signal;
	char flag[32];

	switch (signal->kind) {
	case ES_SIGNAL_GAUGE:
		es_json_double(json, "mean", sum->n ? sum->mean : (double)NAN);
		if (sum->n) {
			es_json_u64(json, "min", sum->min);
			es_json_u64(json, "max", sum->max);
		} else {
			es_json_null(json, "min");
			es_json_null(json, "max");
		}
		break;
	case ES_SIGNAL_COUNTER:
		if (sum->covered_ns > 0)
			es_json_u64(json, "total", sum->total);
		else
			es_json_null(json, "total");
		es_json_double(json, "per_s",
			       sum->covered_ns > 0
				       ? (double)sum->total / es_s_from_ns(sum->covered_ns)
				       : (double)NAN);
		break;
	case ES_SIGNAL_FLAGS:
		es_json_object(json, "set");
		for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++)
			if (es_signal_flag(signal, bit, flag))
				es_json_double(json, flag, es_report_signal_share(sum, bit));
		es_json_object_end(json);
		break;
	case ES_N_SIGNAL_KINDS:
		break;
	}
}

void es_report_signals_json(const struct es_report *report, struct es_json *json)
{
	es_json_array(json, "signals");
	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_report_signal *sum = &report->signals[i];
		const struct es_signal *signal = sum->signal;

		es_json_object(json, NULL);
		es_json_string(json, "node", report->meta->nodes[signal->node].name);
		es_json_string(json, "id", signal->id);
		es_json_string(json, "device", signal->device);
		es_json_string(json, "name", signal->name);
		es_json_string(json, "source", signal->source);
		es_json_string(json, "unit", signal->unit);
		es_json_string(json, "kind", es_signal_kind_name(signal->kind));
		put_values(sum, json);
		es_json_decimal(json, "covered_s", sum->covered_ns, 9);
		es_json_u64(json, "values", sum->n);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}
