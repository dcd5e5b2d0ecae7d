/*
 * report_signals_table.c - what signals tell of each device, in a row for people
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/report.h"
#include "format/report_signals.h"

#define ROWS_MAX 16U
/* Less than that of the time is not worth a word. */
#define SHARE_MIN 0.005

/* What is said of a device, in this order; sums and what is not here are in the JSON. */
static const struct phrase {
	const char *name;
	const char *before, *after;
	double scale;
	bool has_max; /* the highest value is told too */
	const char *unless; /* that tells it better */
} phrases[] = {
	{ ES_SIGNAL_UTILISATION, "busy ", " %", 1e-4, false, NULL },
	{ ES_SIGNAL_SM_ACTIVITY, "SMs ", " %", 1e-4, false, NULL },
	{ ES_SIGNAL_TENSOR_ACTIVITY, "tensor cores ", " %", 1e-4, false, NULL },
	{ ES_SIGNAL_DRAM_ACTIVITY, "memory ", " %", 1e-4, false, NULL },
	{ ES_SIGNAL_MEMORY_UTILISATION, "memory ", " %", 1e-4, false, ES_SIGNAL_DRAM_ACTIVITY },
	{ ES_SIGNAL_SM_CLOCK, "", " MHz", 1e-3, false, NULL },
	{ ES_SIGNAL_TEMPERATURE, "", " °C", 1e-3, true, NULL },
};

static bool is_shown(const struct es_report_signal *sum)
{
	if (sum->n == 0)
		return false;
	if (sum->loss_mask)
		return true;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (strcmp(sum->signal->name, phrases[i].name) == 0)
			return sum->signal->kind == ES_SIGNAL_GAUGE;
	return false;
}

/* The first signal of each device stands for it. */
static bool begins_device(const struct es_report *report, size_t i)
{
	const struct es_signal *signal = report->signals[i].signal;

	for (size_t j = 0; j < i; j++)
		if (is_shown(&report->signals[j]) &&
		    report->signals[j].signal->node == signal->node &&
		    strcmp(report->signals[j].signal->device, signal->device) == 0)
			return false;
	return true;
}

static void put_phrases(const struct es_report *report, const struct es_signal *device,
			const char **gap, struct es_buf *out)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		const struct phrase *phrase = &phrases[i];
		const struct es_report_signal *sum =
			es_report_signal_find(report, device->node, device->device, phrase->name);

		if (!sum || sum->signal->kind != ES_SIGNAL_GAUGE ||
		    (phrase->unless &&
		     es_report_signal_find(report, device->node, device->device, phrase->unless)))
			continue;
		(void)es_buf_printf(out, "%s%s%.0f%s", *gap, phrase->before,
				    sum->mean * phrase->scale, phrase->after);
		if (phrase->has_max)
			(void)es_buf_printf(out, " (highest %.0f)",
					    (double)sum->max * phrase->scale);
		*gap = ", ";
	}
}

static void put_reasons(const struct es_report_signal *sum, struct es_buf *out)
{
	const char *gap = " (";
	char flag[32];

	for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++) {
		double share = es_report_signal_share(sum, bit);

		if (!(sum->loss_mask & UINT64_C(1) << bit) || share < SHARE_MIN ||
		    !es_signal_flag(sum->signal, bit, flag))
			continue;
		for (char *p = flag; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		(void)es_buf_printf(out, "%s%s %.0f %%", gap, flag, 100.0 * share);
		gap = ", ";
	}
	if (gap[0] == ',')
		(void)es_buf_str(out, ")");
}

void es_report_signals_table(const struct es_report *report, struct es_buf *out)
{
	size_t n_rows = 0, n_devices = 0;

	for (size_t i = 0; i < report->n_signals; i++) {
		const struct es_signal *signal = report->signals[i].signal;
		const struct es_report_signal *throttle;
		const char *gap = "";
		double loss;

		if (!is_shown(&report->signals[i]) || !begins_device(report, i) ||
		    n_devices++ >= ROWS_MAX)
			continue;
		(void)es_buf_printf(out, "  %-10s ", n_rows++ ? "" : "signals");
		if (report->meta->n_nodes > 1)
			(void)es_buf_printf(out, "%s ", report->meta->nodes[signal->node].name);
		(void)es_buf_printf(out, "%s: ", signal->device);
		put_phrases(report, signal, &gap, out);
		throttle = es_report_signal_find(report, signal->node, signal->device,
						 ES_SIGNAL_THROTTLE);
		loss = throttle ? es_report_signal_loss(throttle) : (double)NAN;
		if (loss >= SHARE_MIN) {
			(void)es_buf_printf(out, "%sthrottled %.0f %% of the time",
					    gap[0] ? "; " : "", 100.0 * loss);
			put_reasons(throttle, out);
		} else if (!isnan(loss)) {
			(void)es_buf_printf(out, "%snot throttled", gap);
		}
		(void)es_buf_str(out, "\n");
	}
	if (n_devices > ROWS_MAX)
		(void)es_buf_printf(out, "  %-10s and %zu more devices: see --json\n", "",
				    n_devices - (size_t)ROWS_MAX);
}
