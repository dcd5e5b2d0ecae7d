/*
 * insights_activity.c - jobs that wait for memory, and processors slower than they are sold
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/insights_private.h"

/* Of the peak that the firmware tells: a loop that does nothing but move data (STREAM) gets to some 80 % of it. */
#define NEAR_PEAK 0.7
/*
 * A miss costs some 80 ns, 240 cycles at 3 GHz: ten of them in 1000 instructions are 2.4 cycles for each instruction, unless
 * they overlap. Where they do not, few instructions are done per cycle: EAR draws the line of memory-bound work at 0.8
 * cycles per instruction (CPI_MEM_BOUND_DEF in its src/common/types/classification_limits.h).
 */
#define MANY_MISSES 10.0
#define LOW_IPC 1.25
/* Below the base clock a processor is held back: by a power limit, by heat, or by whoever set its clocks. */
#define CLOCK_LOW 0.9

static void judge_memory(struct es_report *report)
{
	const struct es_report_activity *activity = &report->activity;
	bool has_traffic = activity->of[ES_REPORT_MEMORY].is_known &&
			   activity->peak_bytes_per_s > 0;
	bool has_misses = activity->of[ES_REPORT_IPC].is_known &&
			  activity->of[ES_REPORT_LLC_MISSES].is_known;
	double rate = activity->of[ES_REPORT_MEMORY].value,
	       misses = activity->of[ES_REPORT_LLC_MISSES].value,
	       ipc = activity->of[ES_REPORT_IPC].value,
	       share = has_traffic ? rate / activity->peak_bytes_per_s : 0;
	bool is_near_peak = has_traffic && share >= NEAR_PEAK,
	     is_missing = has_misses && misses >= MANY_MISSES && ipc <= LOW_IPC;
	struct es_insight *insight;

	if (!is_near_peak && !is_missing)
		return;
	insight = es_insight_add(report, "memory_bound");
	if (!insight)
		return;
	if (is_near_peak)
		es_insight_say(
			insight,
			"memory moved %.1f GB/s, %.0f %% of its peak: lower core clocks may cost little time",
			rate / 1e9, 100.0 * share);
	else
		es_insight_say(
			insight,
			"%.0f misses of the last cache per 1000 instructions, %.2f instructions per cycle: it waits for memory, lower core clocks may cost little time",
			misses, ipc);
	if (has_traffic) {
		es_insight_prove(insight, "memory_bytes_per_s", rate);
		es_insight_prove(insight, "memory_peak_share", share);
	}
	if (has_misses) {
		es_insight_prove(insight, "llc_misses_per_kilo_instruction", misses);
		es_insight_prove(insight, "ipc", ipc);
	}
	es_insight_prove(insight, "threshold", is_near_peak ? NEAR_PEAK : MANY_MISSES);
	if (!is_near_peak)
		es_insight_prove(insight, "threshold_ipc", LOW_IPC);
}

static void judge_clock(struct es_report *report)
{
	const struct es_report_activity *activity = &report->activity;
	double hz = activity->of[ES_REPORT_CLOCK].value;
	struct es_insight *insight;

	if (!activity->of[ES_REPORT_CLOCK].is_known || activity->base_hz <= 0 ||
	    hz >= CLOCK_LOW * activity->base_hz)
		return;
	insight = es_insight_add(report, "clock_low");
	if (!insight)
		return;
	es_insight_say(
		insight,
		"the processor worked at %.2f GHz, its base clock is %.2f: a power limit, heat, or clocks that were set",
		hz / 1e9, activity->base_hz / 1e9);
	es_insight_prove(insight, "effective_clock_hz", hz);
	es_insight_prove(insight, "base_clock_hz", activity->base_hz);
	es_insight_prove(insight, "threshold", CLOCK_LOW);
}

void es_activity_judge(struct es_report *report)
{
	judge_memory(report);
	judge_clock(report);
}
