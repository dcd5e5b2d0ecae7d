/*
 * test_source_nvml_signals.c - what NVIDIA's GPUs tell beside energy, and what they do not
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdatomic.h>

#include "support/nvml_fixture.h"
#include "sys/nvml.h"

#define SIGNALS_MAX 256
#define BIT(throttle) (UINT64_C(1) << (throttle))

static struct es_reading values[SIGNALS_MAX];

/* The linker puts this clock in the place of the real one: seconds pass when a test says so. */
static atomic_int_fast64_t passed_ns;

int64_t __real_es_clock_boot_ns(void);
int64_t __wrap_es_clock_boot_ns(void);
int64_t __wrap_es_clock_boot_ns(void)
{
	return __real_es_clock_boot_ns() + atomic_load(&passed_ns);
}

/* The signals of the next second: they are read anew once in each, however often the meter is. */
static void read_signals(struct nvml_fixture *f)
{
	int64_t before_ns;

	assert_true(f->source->n_signals <= SIGNALS_MAX);
	assert_int_equal(es_source_nvml.read_signals(f->source, values, SIGNALS_MAX), 0);
	before_ns = values[0].t_ns;
	(void)atomic_fetch_add(&passed_ns, ES_NS_PER_S);
	nvml_read(f);
	assert_int_equal(es_source_nvml.read_signals(f->source, values, SIGNALS_MAX), 0);
	assert_true(values[0].t_ns > before_ns);
}

static const struct es_reading *value_of(const struct nvml_fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_signals; i++)
		if (strcmp(f->source->signals[i].id, id) == 0)
			return &values[i];
	return NULL;
}

static void expect(const struct nvml_fixture *f, const char *id, uint64_t value)
{
	const struct es_reading *reading = value_of(f, id);

	if (!reading || reading->error || reading->value != value)
		fail_msg("%s: %lld, error %d", id, reading ? (long long)reading->value : -1,
			 reading ? reading->error : 0);
}

static void a_gpu_tells_clocks_use_heat_and_what_holds_it_back(void **state)
{
	struct nvml_fixture *f = *state;
	struct nvml_telling *gpu;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	gpu = &f->state->told[3];
	atomic_store(&gpu->sm_mhz, 1410);
	atomic_store(&gpu->busy, 87);
	atomic_store(&gpu->memory_busy, 100);
	atomic_store(&gpu->temp_c, 71);
	atomic_store(&gpu->limit_mw, 500000);
	atomic_store(&gpu->power_limited_ns, 123456789);
	atomic_store(&gpu->reasons, ES_NVML_REASON_POWER_CAP | ES_NVML_REASON_HARDWARE_HEAT |
					    ES_NVML_REASON_HARDWARE | 0x4000);
	read_signals(f);

	assert_int_equal(f->source->n_signals, 8 * 13);
	expect(f, "nvml/gpu-3:sm_clock", 1410000);
	expect(f, "nvml/gpu-3:memory_clock", 2619000);
	expect(f, "nvml/gpu-3:utilisation", 870000);
	expect(f, "nvml/gpu-3:memory_utilisation", 1000000);
	expect(f, "nvml/gpu-3:temperature", 71000);
	expect(f, "nvml/gpu-3:memory_temperature", 40000);
	expect(f, "nvml/gpu-3:power_limit", 500000);
	expect(f, "nvml/gpu-3:power_limited", 123456789);
	expect(f, "nvml/gpu-3:heat_limited", 0);
	expect(f, "nvml/gpu-3:throttle",
	       BIT(ES_THROTTLE_POWER_CAP) | BIT(ES_THROTTLE_HEAT) | BIT(ES_THROTTLE_HARDWARE) |
		       BIT(ES_THROTTLE_OTHER));
	expect(f, "nvml/gpu-2:throttle", BIT(ES_THROTTLE_IDLE));
	assert_string_equal(f->source->signals[7].flags, es_throttle_flags());
	expect(f, "nvml/gpu-3:sm_activity", 800000);
	expect(f, "nvml/gpu-3:tensor_activity", 450000);
	expect(f, "nvml/gpu-3:dram_activity", 600000);
	assert_string_equal(f->source->signals[0].device, nvml_domain(f, "nvml/gpu-0", NULL)->name);
}

static void what_a_gpu_does_not_tell_is_no_signal(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f,
		 "gpu name=A arch=7 counter=field instant=1 temp=40 sm_mhz=1000 mem_temp=0\n"
		 "gpu name=B arch=7 counter=field instant=1\n",
		 "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);

	/* A memory at 0 degrees has no sensor; of the second GPU only the energy is known. */
	assert_int_equal(f->source->n_signals, 2);
	assert_string_equal(f->source->signals[0].id, "nvml/gpu-0:sm_clock");
	assert_string_equal(f->source->signals[1].id, "nvml/gpu-0:temperature");
}

static void an_old_library_has_no_signals(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "p100", "ES_NVML_OLD_STUB");
	nvml_open(f);
	nvml_read(f);

	assert_int_equal(f->source->n_signals, 0);
	assert_int_equal(es_source_nvml.read_signals(f->source, values, SIGNALS_MAX), 0);
}

static void values_that_cannot_be_are_none(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	atomic_store(&f->state->told[0].busy, 101);
	atomic_store(&f->state->told[0].temp_c, 255);
	atomic_store(&f->state->told[0].sm_mhz, 4000000000);
	atomic_store(&f->state->told[0].sm_percent, 1000);
	read_signals(f);

	assert_int_equal(value_of(f, "nvml/gpu-0:utilisation")->error, -ERANGE);
	assert_int_equal(value_of(f, "nvml/gpu-0:temperature")->error, -ERANGE);
	assert_int_equal(value_of(f, "nvml/gpu-0:sm_clock")->error, -ERANGE);
	assert_int_equal(value_of(f, "nvml/gpu-0:sm_activity")->error, -ERANGE);
	expect(f, "nvml/gpu-0:dram_activity", 600000);
}

static void a_profiler_keeps_its_counters(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	atomic_store(&f->state->told[0].is_profiled, 1);
	read_signals(f);
	assert_int_not_equal(value_of(f, "nvml/gpu-0:sm_activity")->error, 0);
	expect(f, "nvml/gpu-0:sm_clock", 1980000); /* all else goes on */
	expect(f, "nvml/gpu-1:sm_activity", 800000);

	/* It is done: the second sample after that has an older one. */
	atomic_store(&f->state->told[0].is_profiled, 0);
	read_signals(f);
	assert_int_not_equal(value_of(f, "nvml/gpu-0:sm_activity")->error, 0);
	read_signals(f);
	expect(f, "nvml/gpu-0:sm_activity", 800000);
}

static void who_profiles_can_switch_activity_off(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	es_source_nvml.spare_profilers(f->source);
	read_signals(f);
	read_signals(f);

	assert_int_not_equal(value_of(f, "nvml/gpu-0:sm_activity")->error, 0);
	expect(f, "nvml/gpu-0:utilisation", 0);
}

static void samples_of_activity_are_given_back(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	read_signals(f);
	assert_int_equal(atomic_load(&f->state->told[0].n_samples), 16);
	es_source_nvml.close(f->source);
	f->source = NULL;

	assert_int_equal(atomic_load(&f->state->told[0].n_samples), 0);
}

static void a_lost_gpu_tells_nothing_and_is_found_again(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	atomic_store(&f->state->gpus[2].error, ES_NVML_GPU_IS_LOST);
	read_signals(f);
	assert_int_not_equal(value_of(f, "nvml/gpu-2:sm_clock")->error, 0);
	atomic_store(&f->state->gpus[2].error, ES_NVML_OK);
	atomic_fetch_add(&f->state->epoch, 1); /* the driver was loaded again */
	read_signals(f);
	read_signals(f);

	expect(f, "nvml/gpu-2:sm_clock", 1980000);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, nvml_set_up, nvml_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_gpu_tells_clocks_use_heat_and_what_holds_it_back),
		TEST(what_a_gpu_does_not_tell_is_no_signal),
		TEST(an_old_library_has_no_signals),
		TEST(values_that_cannot_be_are_none),
		TEST(a_profiler_keeps_its_counters),
		TEST(who_profiles_can_switch_activity_off),
		TEST(samples_of_activity_are_given_back),
		TEST(a_lost_gpu_tells_nothing_and_is_found_again),
	};

	return cmocka_run_group_tests_name("source nvml signals", tests, NULL, NULL);
}
