/*
 * source/nvml_signals.c - clocks, utilisation, temperatures, reasons of throttling and activity of NVIDIA's GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/nvml_signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/nvml_gpus.h"

#define SOURCE "nvml"
#define KHZ_PER_MHZ 1000U
#define PPM_PER_PERCENT 10000U
#define MC_PER_C 1000U
#define CLOCK_MAX_MHZ 100000U /* what is above is no clock */
#define TEMPERATURE_MAX_C 200U
#define PERIOD_NS ES_NS_PER_S
#define EARLY_NS (50 * ES_NS_PER_MS) /* sweeps come when they can */

static const struct {
	const char *name, *unit;
	enum es_signal_kind kind;
} kinds[ES_N_NVML_SIGNALS] = {
	[ES_NVML_SM_CLOCK] = { ES_SIGNAL_SM_CLOCK, ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE },
	[ES_NVML_MEMORY_CLOCK] = { ES_SIGNAL_MEMORY_CLOCK, ES_SIGNAL_KHZ, ES_SIGNAL_GAUGE },
	[ES_NVML_UTILISATION] = { ES_SIGNAL_UTILISATION, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE },
	[ES_NVML_MEMORY_UTILISATION] = { ES_SIGNAL_MEMORY_UTILISATION, ES_SIGNAL_PPM,
					 ES_SIGNAL_GAUGE },
	[ES_NVML_TEMPERATURE] = { ES_SIGNAL_TEMPERATURE, ES_SIGNAL_MC, ES_SIGNAL_GAUGE },
	[ES_NVML_MEMORY_TEMPERATURE] = { ES_SIGNAL_MEMORY_TEMPERATURE, ES_SIGNAL_MC,
					 ES_SIGNAL_GAUGE },
	[ES_NVML_POWER_LIMIT] = { ES_SIGNAL_POWER_LIMIT, ES_SIGNAL_MW, ES_SIGNAL_GAUGE },
	[ES_NVML_THROTTLE] = { ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT, ES_SIGNAL_FLAGS },
	[ES_NVML_POWER_LIMITED] = { ES_SIGNAL_POWER_LIMITED, ES_SIGNAL_NS, ES_SIGNAL_COUNTER },
	[ES_NVML_HEAT_LIMITED] = { ES_SIGNAL_HEAT_LIMITED, ES_SIGNAL_NS, ES_SIGNAL_COUNTER },
	[ES_NVML_SM_ACTIVITY] = { ES_SIGNAL_SM_ACTIVITY, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE },
	[ES_NVML_TENSOR_ACTIVITY] = { ES_SIGNAL_TENSOR_ACTIVITY, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE },
	[ES_NVML_DRAM_ACTIVITY] = { ES_SIGNAL_DRAM_ACTIVITY, ES_SIGNAL_PPM, ES_SIGNAL_GAUGE },
};

/* NVML's reasons in the words that all makers share. */
static const struct {
	unsigned reason;
	enum es_throttle throttle;
} reasons[] = {
	{ ES_NVML_REASON_IDLE, ES_THROTTLE_IDLE },
	{ ES_NVML_REASON_FIXED_CLOCKS, ES_THROTTLE_FIXED_CLOCKS },
	{ ES_NVML_REASON_POWER_CAP, ES_THROTTLE_POWER_CAP },
	{ ES_NVML_REASON_HARDWARE, ES_THROTTLE_HARDWARE },
	{ ES_NVML_REASON_SYNC_BOOST, ES_THROTTLE_SYNC },
	{ ES_NVML_REASON_HEAT, ES_THROTTLE_HEAT },
	{ ES_NVML_REASON_HARDWARE_HEAT, ES_THROTTLE_HEAT },
	{ ES_NVML_REASON_POWER_BRAKE, ES_THROTTLE_POWER_BRAKE },
	{ ES_NVML_REASON_DISPLAY, ES_THROTTLE_DISPLAY },
};

/* What one GPU said; what was not asked or not answered has an error. */
struct answers {
	uint64_t values[ES_N_NVML_SIGNALS];
	int errors[ES_N_NVML_SIGNALS];
};

static void keep(struct answers *answers, enum es_nvml_signal signal, int why, uint64_t value,
		 uint64_t largest, uint64_t scale)
{
	answers->errors[signal] = es_nvml_error(why);
	if (why == ES_NVML_OK && value > largest)
		answers->errors[signal] = -ERANGE;
	else if (why == ES_NVML_OK)
		answers->values[signal] = value * scale;
}

static void ask_clocks(const struct es_nvml *nvml, struct es_nvml_device *device,
		       struct answers *ret)
{
	unsigned mhz = 0;
	int why;

	if (!nvml->clock)
		return;
	why = nvml->clock(device, ES_NVML_CLOCK_SM, &mhz);
	keep(ret, ES_NVML_SM_CLOCK, why, mhz, CLOCK_MAX_MHZ, KHZ_PER_MHZ);
	why = nvml->clock(device, ES_NVML_CLOCK_MEMORY, &mhz);
	keep(ret, ES_NVML_MEMORY_CLOCK, why, mhz, CLOCK_MAX_MHZ, KHZ_PER_MHZ);
}

static void ask_use(const struct es_nvml *nvml, struct es_nvml_device *device, struct answers *ret)
{
	struct es_nvml_utilization use = { .gpu = 0 };
	unsigned temp_c = 0, limit_mw = 0;
	int why;

	if (nvml->utilization) {
		why = nvml->utilization(device, &use);
		keep(ret, ES_NVML_UTILISATION, why, use.gpu, 100, PPM_PER_PERCENT);
		keep(ret, ES_NVML_MEMORY_UTILISATION, why, use.memory, 100, PPM_PER_PERCENT);
	}
	if (nvml->temperature) {
		why = nvml->temperature(device, ES_NVML_TEMPERATURE_GPU, &temp_c);
		keep(ret, ES_NVML_TEMPERATURE, why, temp_c, TEMPERATURE_MAX_C, MC_PER_C);
	}
	if (nvml->enforced_limit) {
		why = nvml->enforced_limit(device, &limit_mw);
		keep(ret, ES_NVML_POWER_LIMIT, why, limit_mw, UINT32_MAX, 1);
	}
}

static void ask_reasons(const struct es_nvml *nvml, struct es_nvml_device *device,
			struct answers *ret)
{
	int (*ask)(struct es_nvml_device *, unsigned long long *) =
		nvml->reasons ? nvml->reasons : nvml->old_reasons;
	unsigned long long given = 0, known = 0;
	uint64_t flags = 0;
	int why;

	if (!ask)
		return;
	why = ask(device, &given);
	for (size_t i = 0; i < ES_ARRAY_SIZE(reasons); i++) {
		known |= reasons[i].reason;
		if (given & reasons[i].reason)
			flags |= UINT64_C(1) << reasons[i].throttle;
	}
	if (given & ~known)
		flags |= UINT64_C(1) << ES_THROTTLE_OTHER;
	keep(ret, ES_NVML_THROTTLE, why, flags, UINT64_MAX, 1);
}

static void ask_fields(const struct es_nvml *nvml, struct es_nvml_device *device,
		       struct answers *ret)
{
	static const struct {
		unsigned field;
		enum es_nvml_signal signal;
		uint64_t largest, scale;
	} asked[] = {
		{ ES_NVML_FIELD_POLICY_POWER, ES_NVML_POWER_LIMITED, INT64_MAX, 1 },
		{ ES_NVML_FIELD_POLICY_THERMAL, ES_NVML_HEAT_LIMITED, INT64_MAX, 1 },
		{ ES_NVML_FIELD_MEMORY_TEMPERATURE, ES_NVML_MEMORY_TEMPERATURE, TEMPERATURE_MAX_C,
		  MC_PER_C },
	};
	struct es_nvml_field fields[ES_ARRAY_SIZE(asked)];

	if (!nvml->fields)
		return;
	memset(fields, 0, sizeof(fields));
	for (size_t i = 0; i < ES_ARRAY_SIZE(asked); i++) {
		fields[i].field = asked[i].field;
		fields[i].error = ES_NVML_NO_DATA;
	}
	if (nvml->fields(device, ES_ARRAY_SIZE(fields), fields) != ES_NVML_OK)
		return;
	for (size_t i = 0; i < ES_ARRAY_SIZE(asked); i++) {
		uint64_t value = 0;
		int r = es_nvml_field_u64(&fields[i], &value);

		keep(ret, asked[i].signal, ES_NVML_OK, value, asked[i].largest, asked[i].scale);
		/* No memory is at 0 degrees: it has no sensor. */
		if (r < 0 || (asked[i].signal == ES_NVML_MEMORY_TEMPERATURE && value == 0))
			ret->errors[asked[i].signal] = r < 0 ? r : -ENODATA;
	}
}

static bool has_gpm(const struct es_nvml *nvml, struct es_nvml_device *device)
{
	struct es_nvml_gpm_support support = { .version = ES_NVML_GPM_VERSION };

	return nvml->gpm_support && nvml->gpm_alloc && nvml->gpm_free && nvml->gpm_sample &&
	       nvml->gpm_metrics && nvml->gpm_support(device, &support) == ES_NVML_OK &&
	       support.is_supported;
}

static void keep_activity(const struct es_nvml_gpm_metric *metric, enum es_nvml_signal signal,
			  struct answers *ret)
{
	ret->errors[signal] = es_nvml_error(metric->error);
	if (metric->error != ES_NVML_OK)
		return;
	/* The sum of what many units count may be a trifle above. */
	if (metric->value >= 0 && metric->value <= 101)
		ret->values[signal] =
			(uint64_t)((metric->value < 100 ? metric->value : 100.0) * PPM_PER_PERCENT +
				   0.5);
	else
		ret->errors[signal] = -ERANGE;
}

/* From the sample before to one taken now. Where a profiler holds the counters there is no sample, and nothing is said. */
static void ask_activity(struct es_nvml_gpus *gpus, struct es_nvml_gpu *gpu, struct answers *ret)
{
	static const enum es_nvml_signal signals[] = { ES_NVML_SM_ACTIVITY, ES_NVML_TENSOR_ACTIVITY,
						       ES_NVML_DRAM_ACTIVITY };
	static const unsigned ids[] = { ES_NVML_GPM_SM, ES_NVML_GPM_TENSOR, ES_NVML_GPM_DRAM };
	struct es_nvml_gpu_signals *own = &gpu->signals;
	struct es_nvml_gpm_metrics *metrics = gpus->metrics;
	struct es_nvml_gpm_sample *newest;
	bool is_first = !own->has_older;

	for (size_t i = 0; i < ES_ARRAY_SIZE(own->samples); i++)
		if (!own->samples[i] && gpus->nvml.gpm_alloc(&own->samples[i]) != ES_NVML_OK)
			own->samples[i] = NULL;
	own->has_older = false;
	if (!own->samples[0] || !own->samples[1] ||
	    gpus->nvml.gpm_sample(gpu->device, own->samples[1]) != ES_NVML_OK)
		return;
	memset(metrics, 0, sizeof(*metrics));
	metrics->version = ES_NVML_GPM_VERSION;
	metrics->n = ES_ARRAY_SIZE(ids);
	metrics->from = own->samples[0];
	metrics->to = own->samples[1];
	for (size_t i = 0; i < ES_ARRAY_SIZE(ids); i++) {
		metrics->metrics[i].id = ids[i];
		metrics->metrics[i].error = ES_NVML_NO_DATA;
	}
	if (!is_first && gpus->nvml.gpm_metrics(metrics) == ES_NVML_OK)
		for (size_t i = 0; i < ES_ARRAY_SIZE(ids); i++)
			keep_activity(&metrics->metrics[i], signals[i], ret);
	newest = own->samples[1];
	own->samples[1] = own->samples[0];
	own->samples[0] = newest;
	own->has_older = true;
}

static void ask(struct es_nvml_gpus *gpus, struct es_nvml_gpu *gpu, struct answers *ret)
{
	const struct es_nvml *nvml = &gpus->nvml;

	for (size_t i = 0; i < ES_N_NVML_SIGNALS; i++)
		ret->errors[i] = -EOPNOTSUPP;
	ask_clocks(nvml, gpu->device, ret);
	ask_use(nvml, gpu->device, ret);
	ask_reasons(nvml, gpu->device, ret);
	ask_fields(nvml, gpu->device, ret);
}

static void describe_gpu(struct es_nvml_gpus *gpus, struct es_nvml_gpu *gpu)
{
	struct answers answers;
	bool has_activity;

	ask(gpus, gpu, &answers);
	has_activity = has_gpm(&gpus->nvml, gpu->device);
	for (unsigned i = 0; i < ES_N_NVML_SIGNALS; i++) {
		struct es_signal *signal = &gpus->signals[gpus->n_signals];

		if (i >= ES_NVML_SM_ACTIVITY ? !has_activity : answers.errors[i] != 0)
			continue;
		es_signal_init(signal, SOURCE, gpus->domains[gpu->domain].name, kinds[i].name,
			       kinds[i].unit, kinds[i].kind);
		if (kinds[i].kind == ES_SIGNAL_FLAGS)
			(void)snprintf(signal->flags, sizeof(signal->flags), "%s",
				       es_throttle_flags());
		gpu->signals.at[i] = gpus->n_signals++;
	}
}

int es_nvml_signals_describe(struct es_nvml_gpus *gpus)
{
	size_t n = (size_t)gpus->n * ES_N_NVML_SIGNALS;

	gpus->signals = calloc(n, sizeof(*gpus->signals));
	gpus->metrics = calloc(1, sizeof(*gpus->metrics));
	if (!gpus->signals || !gpus->metrics)
		return -ENOMEM;
	for (unsigned i = 0; i < gpus->n; i++) {
		for (size_t j = 0; j < ES_N_NVML_SIGNALS; j++)
			gpus->gpus[i].signals.at[j] = ES_NVML_NO_SIGNAL;
		if (gpus->gpus[i].device)
			describe_gpu(gpus, &gpus->gpus[i]);
	}
	gpus->signal_readings = calloc(gpus->n_signals + 1, sizeof(*gpus->signal_readings));
	if (!gpus->signal_readings)
		return -ENOMEM;
	for (size_t i = 0; i < gpus->n_signals; i++)
		gpus->signal_readings[i].error = -ENODATA;
	return 0;
}

static void read_gpu(struct es_nvml_gpus *gpus, struct es_nvml_gpu *gpu)
{
	int64_t t0_ns = es_clock_boot_ns(), t1_ns;
	struct answers answers;

	if (gpu->device) {
		ask(gpus, gpu, &answers);
		if (gpu->signals.at[ES_NVML_SM_ACTIVITY] != ES_NVML_NO_SIGNAL &&
		    !atomic_load(&gpus->spares_profilers))
			ask_activity(gpus, gpu, &answers);
	}
	t1_ns = es_clock_boot_ns();
	for (size_t i = 0; i < ES_N_NVML_SIGNALS; i++) {
		if (gpu->signals.at[i] == ES_NVML_NO_SIGNAL)
			continue;
		gpus->signal_readings[gpu->signals.at[i]] = (struct es_reading){
			.t_ns = t0_ns + (t1_ns - t0_ns) / 2,
			.width_ns = t1_ns - t0_ns,
			.value = gpu->device ? answers.values[i] : 0,
			.error = gpu->device ? answers.errors[i] : -ENODEV,
		};
	}
}

void es_nvml_signals_read(struct es_nvml_gpus *gpus)
{
	int64_t now_ns = es_clock_boot_ns();

	if (gpus->n_signals == 0 ||
	    (gpus->signals_read_ns && now_ns - gpus->signals_read_ns < PERIOD_NS - EARLY_NS))
		return;
	gpus->signals_read_ns = now_ns;
	for (unsigned i = 0; i < gpus->n; i++)
		read_gpu(gpus, &gpus->gpus[i]);
}

void es_nvml_signals_drop(struct es_nvml_gpus *gpus)
{
	for (unsigned i = 0; i < gpus->n; i++) {
		struct es_nvml_gpu_signals *own = &gpus->gpus[i].signals;

		for (size_t j = 0; j < ES_ARRAY_SIZE(own->samples); j++) {
			if (own->samples[j])
				(void)gpus->nvml.gpm_free(own->samples[j]);
			own->samples[j] = NULL;
		}
		own->has_older = false;
	}
}
