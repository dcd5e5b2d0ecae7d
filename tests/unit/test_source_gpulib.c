/*
 * test_source_gpulib.c - GPUs of AMD by AMD SMI and ROCm SMI: truth, spares, sleepers, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <sys/stat.h>
#include <unistd.h>

#include "core/cover.h"
#include "source/amdlib.h"
#include "source/aside.h"
#include "support/gpulib_fixture.h"
#include "sys/amdsmi.h"
#include "sys/rocmsmi.h"

#define AMDSMI "ES_AMDSMI_STUB", "libamd_smi.so.26"
#define ROCM "ES_ROCM_STUB", "librocm_smi64.so.1"
#define ONE "gpu device=74a5 power=100000 energy=65536\n"

static int set_up_amdsmi(void **state)
{
	return sourced_set_up(state, &es_source_amdsmi);
}

static int set_up_rocm(void **state)
{
	return sourced_set_up(state, &es_source_rocm);
}

static void open_ok(struct gpulib_fixture *g)
{
	struct es_error err = { .code = 0 };

	if (sourced_open_as(g->f, -1, &err) < 0)
		fail_msg("%s", err.text);
}

/* Both libraries: the counter is true to a step of 2^-16 J, although they say 15.3 µJ. */
static void check_truth(struct sourced *f, const char *name, const char *stub, const char *library)
{
	struct gpulib_fixture g = { .state = NULL };
	char id0[64], id1[64];
	const struct es_domain *d;

	(void)snprintf(id0, sizeof(id0), "%s/gpu-0", name);
	(void)snprintf(id1, sizeof(id1), "%s/gpu-1", name);
	gpulib_put(&g, f, "amd1", "mi325x2", stub, library);
	open_ok(&g);
	/* The partition, which the bus does not have, is not counted once more. */
	assert_int_equal(f->source->n_domains, 2);
	d = sourced_domain(f, id1);
	assert_int_equal(d->type, ES_DOMAIN_GPU);
	assert_int_equal(d->kind, ES_KIND_MEASURED);
	assert_string_equal(d->pci, "0000:26:00.0");
	assert_int_equal(d->limit_mw, 1000000);
	assert_int_equal(d->range.unit_nj, 15259);
	assert_true(d->uuid[0] != '\0' && f->source->start_ns > 0);

	atomic_store(&g.state->gpus[2].energy[0], UINT64_C(1000) << 16);
	assert_int_equal(gpulib_read(&g, id1)->error, 0);
	assert_int_equal(sourced_read(f, id1)->error, 0);
	assert_int_equal(f->readings[1].value, UINT64_C(1000) * 1000000);
	assert_int_equal(gpulib_read(&g, id0)->value, UINT64_C(100000) * 1000000);
	gpulib_state_unmap(g.state);
}

static void amd_smi_is_true_to_a_step(void **state)
{
	check_truth(*state, "amdsmi", AMDSMI);
}

static void rocm_smi_is_true_to_a_step(void **state)
{
	check_truth(*state, "rocm", ROCM);
}

static void gpus_without_a_counter_are_integrated(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(
		&g, f, "amd1",
		"words 24\ngpu counter=0 power=120000\ngpu counter=0\ngpu energy=0 power=90000\n",
		AMDSMI);
	open_ok(&g);
	assert_int_equal(sourced_domain(f, "amdsmi/gpu-0")->kind, ES_KIND_INTEGRATED);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->value, 120000);
	assert_int_equal(sourced_domain(f, "amdsmi/gpu-1")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(sourced_domain(f, "amdsmi/gpu-1")->reason, "neither"));
	assert_true(sourced_domain(f, "amdsmi/gpu-2")->is_power);
	gpulib_state_unmap(g.state);
}

static void an_apu_is_a_module(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct es_domain package;

	gpulib_put(&g, f, "amd1", "gpu device=74a0 energy=65536\n", AMDSMI);
	open_ok(&g);
	es_domain_init(&package, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	assert_int_equal(sourced_domain(f, "amdsmi/module-0")->type, ES_DOMAIN_MODULE);
	assert_true(es_domain_contains(sourced_domain(f, "amdsmi/module-0"), &package));
	gpulib_state_unmap(g.state);
}

static void what_sleeps_is_not_woken(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(&g, f, "amd1", "gpu energy=65536\ngpu energy=131072 status=suspended\n", AMDSMI);
	open_ok(&g);
	/* Not even started, which would open the devices of all. */
	assert_int_equal(atomic_load(&g.state->n_inits), 0);
	assert_int_equal(sourced_domain(f, "amdsmi/gpu-1")->state, ES_STATE_UNPROVEN);
	assert_non_null(strstr(sourced_domain(f, "amdsmi/gpu-1")->reason, "sleeps"));
	assert_int_equal(sourced_read(f, "amdsmi/gpu-1")->error, -ECANCELED);
	assert_int_equal(atomic_load(&g.state->n_inits), 0);
	/* It wakes for somebody else. */
	sourced_put(f, "sys/devices/pci0000:00/0000:31:00.0/power/runtime_status", "active\n");
	gpulib_await(&g, "amdsmi/gpu-1", 0);
	assert_int_equal(f->readings[1].value, 2000000);
	/* And sleeps again. */
	sourced_put(f, "sys/devices/pci0000:00/0000:31:00.0/power/runtime_status", "suspended\n");
	atomic_store(&g.state->n_reads, 0);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-1")->error, -ECANCELED);
	assert_int_equal(atomic_load(&g.state->n_reads), 1);
	gpulib_state_unmap(g.state);
}

static void a_spare_is_needed_where_a_gpu_has_no_meter(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct es_domain domains[2];

	gpulib_put(&g, f, "amd1", "gpu energy=1\ngpu energy=1\n", AMDSMI);
	open_ok(&g);
	memcpy(domains, f->source->domains, sizeof(domains));
	assert_false(es_source_rocm.is_needed(&f->root, domains, 2));
	assert_true(es_source_amdsmi.is_needed(&f->root, domains, 1));
	domains[1].state = ES_STATE_ABSENT;
	assert_true(es_source_amdsmi.is_needed(&f->root, domains, 2));
	assert_false(es_source_levelzero.is_needed(&f->root, NULL, 0));
	gpulib_state_unmap(g.state);
}

static void a_counter_that_stands_while_power_flows_is_stale(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(&g, f, "amd1", ONE, AMDSMI);
	open_ok(&g);
	gpulib_await(&g, "amdsmi/gpu-0", -ESTALE);
	atomic_store(&g.state->gpus[0].energy[0], 131072);
	gpulib_await(&g, "amdsmi/gpu-0", 0);
	assert_int_equal(f->readings[0].value, 2000000);
	gpulib_state_unmap(g.state);
}

static void a_library_that_shows_copies_is_started_anew(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(&g, f, "amd1", ONE, ROCM);
	atomic_store(&g.state->gpus[0].is_cached, 1);
	open_ok(&g);
	/* The copy is nothing new, then a failure, then the library is started anew and shows what is. */
	assert_int_equal(sourced_read(f, "rocm/gpu-0")->error, -ECANCELED);
	atomic_store(&g.state->gpus[0].energy[0], 655360);
	gpulib_await(&g, "rocm/gpu-0", 0);
	assert_int_equal(f->readings[0].value, 10000000);
	assert_true(atomic_load(&g.state->n_inits) >= 2);
	gpulib_state_unmap(g.state);
}

static void garbage_resets_and_losses_are_told_as_they_are(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct gpulib_moving *gpu;

	gpulib_put(&g, f, "amd1", ONE, AMDSMI);
	gpu = &g.state->gpus[0];
	atomic_store(&gpu->has_no_time, 1);
	open_ok(&g);
	atomic_store(&gpu->energy[0], UINT64_MAX);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->error, -EOPNOTSUPP);
	atomic_store(&gpu->energy[0], UINT64_MAX - 1);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->error, -ERANGE);
	atomic_store(&gpu->energy[0], 7);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->value, 106);
	atomic_store(&gpu->status, ES_AMDSMI_BUSY);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->error, -EBUSY);
	atomic_store(&gpu->status, ES_AMDSMI_NOT_FOUND);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->error, -ENODEV);
	atomic_store(&gpu->status, 0);
	gpulib_await(&g, "amdsmi/gpu-0", 0);
	gpulib_state_unmap(g.state);
}

static void what_cannot_be_asked_is_listed_with_the_reason(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct es_error err = { .code = 0 };
	char path[512];
	const struct es_domain *d;

	/* No library: said once, not for each GPU. */
	gpulib_put(&g, f, "amd1", ONE, NULL, NULL);
	assert_int_equal(sourced_open_as(f, -1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libamd_smi.so"));
	/* No rights. */
	gpulib_put(&g, f, "amd1", "init 10\n" ONE, AMDSMI);
	open_ok(&g);
	d = sourced_domain(f, "amdsmi/gpu-0");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->fix, "render"));
	assert_int_equal(f->ops->read(f->source, f->readings, SOURCED_MAX), -EACCES);
	/* No driver. */
	atomic_store(&g.state->init_status, ES_AMDSMI_NO_DRIVER);
	open_ok(&g);
	assert_int_equal(sourced_domain(f, "amdsmi/gpu-0")->state, ES_STATE_ABSENT);
	/* A library that others may write is not run. */
	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER "/libamd_smi.so.26", f->dir);
	assert_int_equal(chmod(path, 0777), 0);
	open_ok(&g);
	assert_non_null(strstr(sourced_domain(f, "amdsmi/gpu-0")->reason, "others may write it"));
	/* Another vendor's machine. */
	sourced_make(f, "skx2s");
	(void)unlink(path);
	gpulib_state_unmap(g.state);
}

static void steps_and_powers_are_read_as_they_are_meant(void **state)
{
	static const struct {
		uint32_t words[6];
		int r;
		uint32_t power_w;
	} powers[] = {
		{ { 150, 0, 150, UINT32_MAX, 800, 0 }, 0, 150 }, /* 25 and later: current */
		{ { 150, 0, UINT32_MAX, 150, 800, 0 }, 0, 150 }, /* average */
		{ { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX }, -EOPNOTSUPP, 0 },
		{ { 90, 0xffff, 800, 800, 800, 560 }, 0, 90 }, /* 24: current */
		{ { 0xffff, 91, 800, 800, 800, 560 }, 0, 91 }, /* average */
		{ { 92, 800, 800, 800, 300, 0 }, 0, 92 }, /* 23 */
		{ { 0xffff, 0xffff, 800, 800 }, -EOPNOTSUPP, 0 },
		{ { 0, 0, 0, UINT32_MAX }, 0, 0 },
	};
	uint32_t power_w = 0;
	uint64_t uj;

	(void)state;
	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		assert_int_equal(es_amdsmi_power_w(powers[i].words, &power_w), powers[i].r);
		if (powers[i].r == 0)
			assert_int_equal(power_w, powers[i].power_w);
	}
	assert_int_equal(es_amdlib_energy_uj(65536, 15.3F, &uj), 0);
	assert_int_equal(uj, 1000000);
	assert_int_equal(es_amdlib_energy_uj(65536, 15.259F, &uj), 0);
	assert_int_equal(uj, 1000000);
	assert_int_equal(es_amdlib_energy_uj(1000, 2.0F, &uj), 0);
	assert_int_equal(uj, 2000);
	assert_int_equal(es_amdlib_energy_uj(1000, 0.0F, &uj), -ERANGE);
	assert_int_equal(es_amdlib_energy_uj(1000, -1.0F, &uj), -ERANGE);
	assert_int_equal(es_amdlib_energy_uj(UINT64_MAX / 2, 15.3F, &uj), -ERANGE);
	assert_int_equal(es_amdsmi_error(12345), -EIO);
	assert_int_equal(es_rocmsmi_error(4), -EACCES);
	assert_int_equal(es_rocmsmi_error(0), 0);
}

/* Nothing of the library stays mapped, sweeps meanwhile fail nobody, and the counter goes on. */
static void what_is_let_go_is_had_again(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	char line[4400];
	FILE *maps;

	gpulib_put(&g, f, "amd1", ONE, AMDSMI);
	open_ok(&g);
	assert_int_equal(gpulib_read(&g, "amdsmi/gpu-0")->error, 0);
	for (int tries = 0; tries < 5000 && es_source_amdsmi.release(f->source) == -EINPROGRESS;
	     tries++)
		(void)usleep(1000);
	assert_int_equal(es_source_amdsmi.release(f->source), 0);
	maps = fopen("/proc/self/maps", "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		assert_true(!strstr(line, f->dir) || !strstr(line, "libamd_smi.so"));
	(void)fclose(maps);
	assert_int_equal(sourced_read(f, "amdsmi/gpu-0")->error, -ECANCELED);

	atomic_store(&g.state->gpus[0].energy[0], UINT64_C(777) << 16);
	es_source_amdsmi.take(f->source);
	gpulib_await(&g, "amdsmi/gpu-0", 0);
	assert_int_equal(f->readings[0].value, UINT64_C(777) * 1000000);
	gpulib_state_unmap(g.state);
}

static void a_library_that_never_started_may_hold_a_gpu(void **state)
{
	struct es_domain *domains = calloc(1, sizeof(*domains));
	struct es_source *source = NULL;

	(void)state;
	assert_non_null(domains);
	assert_int_equal(es_aside_list(&es_source_amdsmi, domains, 1, -ETIMEDOUT, &source, NULL),
			 0);
	assert_int_equal(es_source_amdsmi.release(source), -EBUSY);
	es_source_amdsmi.close(source);
	domains = calloc(1, sizeof(*domains));
	assert_non_null(domains);
	assert_int_equal(es_aside_list(&es_source_amdsmi, domains, 1, -EACCES, &source, NULL), 0);
	assert_int_equal(es_source_amdsmi.release(source), 0);
	es_source_amdsmi.close(source);
}

int main(void)
{
#define AMD(name) cmocka_unit_test_setup_teardown(name, set_up_amdsmi, sourced_tear_down)
#define ROC(name) cmocka_unit_test_setup_teardown(name, set_up_rocm, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_library_that_never_started_may_hold_a_gpu),
		AMD(amd_smi_is_true_to_a_step),
		ROC(rocm_smi_is_true_to_a_step),
		AMD(gpus_without_a_counter_are_integrated),
		AMD(an_apu_is_a_module),
		AMD(what_sleeps_is_not_woken),
		AMD(a_spare_is_needed_where_a_gpu_has_no_meter),
		AMD(a_counter_that_stands_while_power_flows_is_stale),
		ROC(a_library_that_shows_copies_is_started_anew),
		AMD(garbage_resets_and_losses_are_told_as_they_are),
		AMD(what_cannot_be_asked_is_listed_with_the_reason),
		AMD(what_is_let_go_is_had_again),
		cmocka_unit_test(steps_and_powers_are_read_as_they_are_meant),
	};

	return cmocka_run_group_tests_name("source/gpulib", tests, NULL, NULL);
}
