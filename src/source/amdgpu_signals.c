/*
 * source/amdgpu_signals.c - clocks, utilisation, temperatures and reasons of throttling from a table gpu_metrics
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/amdgpu_signals.h"

#include <errno.h>
#include <stdio.h>

#define SOURCE "amdgpu"
#define HELD_SHARE 2 /* a reason that held for half of the time since the last look is one */

static const struct {
	const char *name, *unit;
	enum es_signal_kind kind;
	uint64_t largest, scale; /* of the table's numbers, and into the unit */
} kinds[ES_N_AMDGPU_SIGNALS] = {
	[ES_AMDGPU_CLOCK] = { ES_SIGNAL_SM_CLOCK, ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE, 60000, 1000 },
	[ES_AMDGPU_MEMORY_CLOCK] = { ES_SIGNAL_MEMORY_CLOCK, ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE, 60000,
				     1000 },
	[ES_AMDGPU_UTILISATION] = { ES_SIGNAL_UTILISATION, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE, 100,
				    10000 },
	[ES_AMDGPU_MEMORY_UTILISATION] = { ES_SIGNAL_MEMORY_UTILISATION, ES_SIGNAL_PPM,
					   ES_SIGNAL_GAUGE, 100, 10000 },
	[ES_AMDGPU_TEMPERATURE] = { ES_SIGNAL_TEMPERATURE, ES_SIGNAL_MC, ES_SIGNAL_GAUGE, 200,
				    1000 },
	[ES_AMDGPU_MEMORY_TEMPERATURE] = { ES_SIGNAL_MEMORY_TEMPERATURE, ES_SIGNAL_MC,
					   ES_SIGNAL_GAUGE, 200, 1000 },
	[ES_AMDGPU_THROTTLE] = { ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT, ES_SIGNAL_FLAGS,
				 UINT64_MAX, 1 },
};

static const struct es_amdgpu_number *number_of(const struct es_amdgpu_metrics *metrics,
						enum es_amdgpu_signal signal)
{
	switch (signal) {
	case ES_AMDGPU_CLOCK:
		return &metrics->clock_mhz;
	case ES_AMDGPU_MEMORY_CLOCK:
		return &metrics->memory_mhz;
	case ES_AMDGPU_UTILISATION:
		return &metrics->busy_percent;
	case ES_AMDGPU_MEMORY_UTILISATION:
		return &metrics->memory_busy_percent;
	case ES_AMDGPU_TEMPERATURE:
		return &metrics->temp_c;
	case ES_AMDGPU_MEMORY_TEMPERATURE:
		return &metrics->memory_temp_c;
	case ES_AMDGPU_THROTTLE:
	case ES_N_AMDGPU_SIGNALS:
		break;
	}
	return NULL;
}

static bool tells(const struct es_amdgpu_metrics *metrics, enum es_amdgpu_signal signal)
{
	const struct es_amdgpu_number *number = number_of(metrics, signal);

	return number ? number->is_known && number->value <= kinds[signal].largest
		      : metrics->has_throttle || metrics->has_cycles;
}

size_t es_amdgpu_signals_describe(const struct es_amdgpu_metrics *metrics, const char *device,
				  struct es_signal *ret, size_t n, struct es_amdgpu_told *told)
{
	*told = (struct es_amdgpu_told){ .first = n };
	for (unsigned i = 0; i < ES_N_AMDGPU_SIGNALS; i++) {
		struct es_signal *signal = &ret[n];

		if (metrics && !tells(metrics, (enum es_amdgpu_signal)i))
			continue;
		es_signal_init(signal, SOURCE, device, kinds[i].name, kinds[i].unit, kinds[i].kind);
		if (kinds[i].kind == ES_SIGNAL_FLAGS)
			(void)snprintf(signal->flags, sizeof(signal->flags), "%s",
				       es_throttle_flags());
		told->which[told->n++] = (enum es_amdgpu_signal)i;
		n++;
	}
	return n;
}

/* The bits that no chip has in another place: SMU_THROTTLER_…_BIT of the driver. */
static uint64_t flags_of(uint64_t status)
{
	static const struct {
		uint64_t bits;
		enum es_throttle throttle;
	} reasons[] = {
		{ UINT64_C(0xff), ES_THROTTLE_POWER_CAP }, /* PPT0 … SPPT_APU */
		{ UINT64_C(0xff0000), ES_THROTTLE_CURRENT }, /* TDC, EDC, APCC */
		{ UINT64_C(0xffff00000000), ES_THROTTLE_HEAT }, /* TEMP, VRHOT, PROCHOT */
		{ UINT64_C(1) << 57, ES_THROTTLE_RELIABILITY }, /* FIT */
	};
	uint64_t flags = 0, known = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		known |= reasons[i].bits;
		if (status & reasons[i].bits)
			flags |= UINT64_C(1) << reasons[i].throttle;
	}
	return status & ~known ? flags | UINT64_C(1) << ES_THROTTLE_OTHER : flags;
}

/* Counters of 32 bits: for how many of the firmware's cycles a reason held, and all cycles. */
static int take_cycles(struct es_amdgpu_told *told, uint64_t *ret)
{
	static const enum es_throttle throttles[] = { ES_THROTTLE_POWER_CAP, ES_THROTTLE_HEAT };
	const struct es_amdgpu_metrics *metrics = &told->metrics;
	uint32_t all = (uint32_t)(metrics->cycles - told->cycles);
	bool had_cycles = told->has_cycles;
	uint64_t flags = 0;

	for (size_t i = 0; i < 2; i++) {
		uint32_t held = (uint32_t)(metrics->held_cycles[i] - told->held_cycles[i]);

		if (held > 0 && held >= all / HELD_SHARE)
			flags |= UINT64_C(1) << throttles[i];
		told->held_cycles[i] = metrics->held_cycles[i];
	}
	told->cycles = metrics->cycles;
	told->has_cycles = true;
	*ret = flags;
	return had_cycles && all > 0 ? 0 : -ENODATA;
}

static int take(struct es_amdgpu_told *told, enum es_amdgpu_signal signal, uint64_t *ret)
{
	const struct es_amdgpu_number *number = number_of(&told->metrics, signal);

	if (!tells(&told->metrics, signal))
		return -ENODATA;
	if (number) {
		*ret = number->value * kinds[signal].scale;
		return 0;
	}
	if (!told->metrics.has_throttle)
		return take_cycles(told, ret);
	*ret = flags_of(told->metrics.throttle);
	return 0;
}

void es_amdgpu_signals_take(struct es_amdgpu_told *told, struct es_reading *ret)
{
	for (size_t i = 0; i < told->n; i++) {
		struct es_reading *reading = &ret[told->first + i];

		*reading = (struct es_reading){ .t_ns = told->t_ns, .error = -ENODATA };
		if (told->t_ns)
			reading->error = take(told, told->which[i], &reading->value);
	}
}
