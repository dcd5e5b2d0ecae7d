/*
 * test_source_nvml_faults.c - NVIDIA's GPUs that are denied, lost, reset, frozen, slow, or not there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "core/track.h"
#include "support/nvml_fixture.h"
#include "sys/nvml.h"

#define ONE \
	"gpu name=NVIDIA_A100 device=20b0 arch=7 counter=field instant=1 power=60000 energy=5000\n"
#define CALL "gpu name=Tesla_V100 device=1db5 arch=5 counter=call power=60000 energy=5000\n"

static void a_machine_without_gpus_has_no_such_meter(void **state)
{
	struct nvml_fixture *f = *state;

	assert_int_equal(es_source_nvml.open(&f->root, &f->source, &f->err), -ENODEV);
	assert_string_equal(f->err.text, "no NVIDIA GPU here");
}

/* What a library that gives no GPU leaves: each GPU of the bus, with the reason and what helps. */
static void check_absent(struct nvml_fixture *f, enum es_domain_state domain_state,
			 const char *reason, const char *fix)
{
	const struct es_domain *gpu;

	nvml_open(f);
	gpu = nvml_domain(f, "nvml/gpu-0", NULL);
	assert_int_equal(gpu->state, domain_state);
	if (!strstr(gpu->reason, reason))
		fail_msg("reason: %s", gpu->reason);
	if (!strstr(gpu->fix, fix))
		fail_msg("fix: %s", gpu->fix);
	assert_string_equal(gpu->pci, "0000:17:00.0");
	assert_true(es_source_nvml.read(f->source, f->readings, NVML_DOMAINS_MAX) < 0);
	es_source_nvml.ask(f->source);
	assert_int_equal(es_source_nvml.wait(f->source, NVML_LONG_NS), 0);
}

static void without_the_library_the_gpus_of_the_bus_are_absent(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "a100x4", NULL);
	check_absent(f, ES_STATE_ABSENT, "the tree has no libnvidia-ml.so.1", "libnvidia-ml1");
	assert_int_equal(f->source->n_domains, 4);
}

static void without_the_driver_they_are_absent_with_the_command_that_loads_it(void **state)
{
	struct nvml_fixture *f = *state;
	char path[256];

	nvml_put(f, "init 9\n" ONE, "ES_NVML_STUB");
	(void)snprintf(path, sizeof(path), "%s/sys/devices/pci0000:00/0000:17:00.0/driver", f->dir);
	assert_int_equal(remove(path), 0);
	check_absent(f, ES_STATE_ABSENT, "the NVIDIA driver is not loaded", "sudo modprobe nvidia");
}

static void a_library_of_another_version_than_the_driver_is_told(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "init 18\n" ONE, "ES_NVML_STUB");
	check_absent(f, ES_STATE_ABSENT, "differ in version", "sudo reboot");
}

static void a_library_that_refuses_is_denied(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "init 4\n" ONE, "ES_NVML_STUB");
	check_absent(f, ES_STATE_DENIED, "no permission", "usermod");
}

static void a_device_that_this_user_may_not_open_is_denied(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, ONE, "ES_NVML_STUB");
	assert_int_equal(es_tree_write(f->dir, "dev/nvidiactl", "", 0660), 0);
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, 54321, &f->root, NULL), 0);
	check_absent(f, ES_STATE_DENIED, "/dev/nvidiactl", "usermod");
	assert_int_equal(atomic_load(&f->state->n_inits), 0);
}

static void one_gpu_may_be_denied_beside_others(void **state)
{
	struct nvml_fixture *f = *state;
	uint32_t n_inits;

	nvml_put(f, ONE "gpu name=NVIDIA_A100 device=20b0 arch=7 counter=field open=4\n",
		 "ES_NVML_STUB");
	nvml_open(f);
	n_inits = atomic_load(&f->state->n_inits);
	for (int i = 0; i < 3; i++)
		nvml_read(f);

	assert_int_equal(f->source->domains[0].state, ES_STATE_UNPROVEN);
	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->source->domains[1].state, ES_STATE_DENIED);
	assert_true(f->source->domains[1].is_there);
	assert_non_null(strstr(f->source->domains[1].fix, "usermod"));
	assert_int_equal(f->readings[1].error, -EACCES);
	assert_int_equal(atomic_load(&f->state->n_inits), n_inits); /* nobody tries for ever */
}

static void an_old_library_gives_powers(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, CALL, "ES_NVML_OLD_STUB");
	nvml_open(f);
	nvml_read(f);

	assert_true(f->source->domains[0].is_power);
	assert_int_equal(f->readings[0].value, 60000);
	assert_string_equal(f->source->domains[0].pci, ""); /* it cannot tell the slot */
}

/* Until the source has tried again: the pauses between its tries are short at first. */
static void read_until(struct nvml_fixture *f, size_t domain, int error)
{
	int64_t end_ns = es_clock_mono_ns() + NVML_LONG_NS;

	do {
		nvml_read(f);
		assert_true(es_clock_mono_ns() < end_ns);
	} while (f->readings[domain].error != error);
}

static void a_lost_gpu_is_a_gap_and_comes_back(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "a100x4", "ES_NVML_STUB");
	nvml_open(f);
	atomic_store(&f->state->gpus[2].error, ES_NVML_GPU_IS_LOST);
	for (int i = 0; i < 5; i++) {
		nvml_read(f);
		assert_int_equal(f->readings[2].error, -ENODEV);
		assert_int_equal(f->readings[1].error, 0); /* the others are read on */
	}
	atomic_store(&f->state->gpus[2].error, ES_NVML_OK);
	read_until(f, 2, 0);

	assert_int_equal(f->readings[2].value, UINT64_C(4294967290) * 1000);
	assert_int_equal(f->readings[3].value,
			 UINT64_C(99999999999) * 1000); /* nobody took its place */
}

static void a_gpu_that_is_lost_at_the_start_may_come_later(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "v100x2", "ES_NVML_STUB");
	atomic_store(&f->state->gpus[1].error, ES_NVML_GPU_IS_LOST);
	nvml_open(f);
	assert_int_equal(f->source->domains[1].state, ES_STATE_ABSENT);
	assert_true(f->source->domains[1].is_there);
	assert_non_null(strstr(f->source->domains[1].reason, "lost"));

	atomic_store(&f->state->gpus[1].error, ES_NVML_OK);
	read_until(f, 1, 0);
	assert_int_equal(f->readings[1].value, 88000);
}

static void a_driver_loaded_again_is_a_reset_and_no_wrap(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_track track;
	struct es_sample samples[2];
	int64_t t_ns = ES_NS_PER_S;

	nvml_put(f, CALL, "ES_NVML_STUB");
	nvml_open(f);
	es_track_init(&track, &f->source->domains[0], 0);
	nvml_read(f);
	(void)es_track_feed(&track, t_ns, f->readings[0].value, samples);
	/* Old handles lead nowhere, and the counter begins anew. */
	atomic_fetch_add(&f->state->epoch, 1);
	atomic_store(&f->state->gpus[0].energy_mj, 10);
	nvml_read(f);
	assert_int_equal(f->readings[0].error, -ENODEV);
	read_until(f, 0, 0);
	(void)es_track_feed(&track, 2 * t_ns, f->readings[0].value, samples);
	atomic_store(&f->state->gpus[0].energy_mj, 110);
	nvml_read(f);
	(void)es_track_feed(&track, 3 * t_ns, f->readings[0].value, samples);
	(void)es_track_finish(&track, samples);

	assert_int_equal(track.n_resets, 1);
	assert_int_equal(track.n_wraps, 0);
	assert_int_equal(track.energy_uj, 100000);
}

static void a_huge_jump_is_no_energy(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_track track;
	struct es_sample samples[2];
	const uint64_t values_mj[] = { 5000, 5100, UINT64_C(5100) << 20, 5300 };

	nvml_put(f, ONE, "ES_NVML_STUB");
	nvml_open(f);
	es_track_init(&track, &f->source->domains[0], 0);
	for (size_t i = 0; i < 4; i++) {
		atomic_store(&f->state->gpus[0].energy_mj, values_mj[i]);
		nvml_read(f);
		assert_int_equal(f->readings[0].error, 0);
		(void)es_track_feed(&track, (int64_t)(i + 1) * ES_NS_PER_S, f->readings[0].value,
				    samples);
	}
	(void)es_track_finish(&track, samples);
	assert_int_equal(track.energy_uj, 300000);
	assert_int_equal(track.n_rejected, 1);

	/* More than a counter of ours can hold is said so. */
	atomic_store(&f->state->gpus[0].energy_mj, UINT64_MAX);
	nvml_read(f);
	assert_int_equal(f->readings[0].error, -ERANGE);
}

static void a_counter_that_stands_while_power_flows_is_told(void **state)
{
	struct nvml_fixture *f = *state;
	int64_t start_ns = es_clock_boot_ns();

	nvml_put(f, ONE, "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);
	assert_int_equal(f->readings[0].error, 0);
	read_until(f, 0, -ESTALE);
	assert_true(es_clock_boot_ns() - start_ns > 2 * ES_NS_PER_S);

	atomic_fetch_add(&f->state->gpus[0].energy_mj, 1);
	nvml_read(f);
	assert_int_equal(f->readings[0].error, 0);
}

static void a_slow_library_delays_nobody(void **state)
{
	struct nvml_fixture *f = *state;
	int64_t t0_ns;
	struct es_reading before;

	nvml_put(f, "a100x4", "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);
	before = f->readings[0];
	for (unsigned i = 0; i < 4; i++)
		atomic_store(&f->state->gpus[i].delay_us, 300000);
	t0_ns = es_clock_mono_ns();
	es_source_nvml.ask(f->source);
	assert_int_equal(es_source_nvml.read(f->source, f->readings, NVML_DOMAINS_MAX), 0);
	assert_true(es_clock_mono_ns() - t0_ns <
		    ES_NS_PER_S); /* four times 300 ms would be longer */
	assert_int_equal(f->readings[0].t_ns, before.t_ns); /* the same as before, with its time */
	assert_int_equal(es_source_nvml.wait(f->source, ES_NS_PER_MS), -ETIMEDOUT);

	for (unsigned i = 0; i < 4; i++)
		atomic_store(&f->state->gpus[i].delay_us, 0);
	nvml_read(f);
	assert_true(f->readings[0].t_ns > before.t_ns);
}

static void a_slow_library_is_asked_less_often(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_plan plan;

	nvml_put(f, "a100x4", "ES_NVML_STUB");
	for (unsigned i = 0; i < 4; i++)
		atomic_store(&f->state->gpus[i].delay_us, 30000);
	nvml_open(f);

	assert_int_equal(es_source_nvml.plan(f->source, &plan), 0);
	assert_true(plan.at_most_ns >= 240 * ES_NS_PER_MS);
}

static void gpus_without_a_bus_to_show_them_leave_the_reason(void **state)
{
	struct nvml_fixture *f = *state;

	assert_int_equal(es_tree_write(f->dir, "proc/driver/nvidia/version", "x\n", 0444), 0);
	assert_int_equal(es_source_nvml.open(&f->root, &f->source, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "libnvidia-ml.so.1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nvml_set_up, nvml_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_machine_without_gpus_has_no_such_meter),
		TEST(without_the_library_the_gpus_of_the_bus_are_absent),
		TEST(without_the_driver_they_are_absent_with_the_command_that_loads_it),
		TEST(a_library_of_another_version_than_the_driver_is_told),
		TEST(a_library_that_refuses_is_denied),
		TEST(a_device_that_this_user_may_not_open_is_denied),
		TEST(one_gpu_may_be_denied_beside_others),
		TEST(an_old_library_gives_powers),
		TEST(a_lost_gpu_is_a_gap_and_comes_back),
		TEST(a_gpu_that_is_lost_at_the_start_may_come_later),
		TEST(a_driver_loaded_again_is_a_reset_and_no_wrap),
		TEST(a_huge_jump_is_no_energy),
		TEST(a_counter_that_stands_while_power_flows_is_told),
		TEST(a_slow_library_delays_nobody),
		TEST(a_slow_library_is_asked_less_often),
		TEST(gpus_without_a_bus_to_show_them_leave_the_reason),
	};

	return cmocka_run_group_tests_name("source/nvml faults", tests, NULL, NULL);
}
