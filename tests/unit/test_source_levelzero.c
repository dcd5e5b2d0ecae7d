/*
 * test_source_levelzero.c - GPUs of Intel by Level Zero: cards, packages, tiles, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <unistd.h>

#include "core/cover.h"
#include "support/gpulib_fixture.h"
#include "sys/levelzero.h"

#define NOW "ES_LEVELZERO_STUB", "libze_loader.so.1"
#define OLD "ES_LEVELZERO_OLD_STUB", "libze_loader.so.1"
#define ONE "gpu vendor=8086 device=0bd5 class=038000 energy=5\n"

static int set_up(void **state)
{
	return sourced_set_up(state, &es_source_levelzero);
}

static void open_ok(struct gpulib_fixture *g)
{
	struct es_error err = { .code = 0 };

	if (sourced_open_as(g->f, -1, &err) < 0)
		fail_msg("%s", err.text);
}

static void cards_contain_their_packages_and_tiles(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	const struct es_domain *card, *tile, *package, *other;
	struct es_domain hwmon;

	gpulib_put(&g, f, "skx2s", "max1550x2", NOW);
	open_ok(&g);
	assert_int_equal(f->source->n_domains, 8);
	card = sourced_domain(f, "levelzero/gpu-0");
	tile = sourced_domain(f, "levelzero/gpu-0-tile1");
	assert_int_equal(card->limit_mw, 540000); /* the sustained one, in force */
	assert_string_equal(card->model, "Intel Data Center GPU Max 1550");
	assert_true(es_domain_contains(card, tile));
	assert_int_equal(tile->parent, sourced_index(f, "levelzero/gpu-0"));
	/* Beside tiles the package is one more sum of them. */
	assert_true(sourced_domain(f, "levelzero/gpu-0-pkg")->is_partial);
	package = sourced_domain(f, "levelzero/gpu-1-pkg");
	assert_false(package->is_partial);
	assert_true(es_domain_contains(sourced_domain(f, "levelzero/gpu-1"), package));
	assert_true(sourced_domain(f, "levelzero/gpu-1-memory")->is_partial);
	/* The driver's hwmon shows the same card and package. */
	es_domain_init(&hwmon, "hwmon", ES_DOMAIN_GPU, 0, -1);
	(void)snprintf(hwmon.pci, sizeof(hwmon.pci), "0000:3a:00.0");
	assert_true(es_domain_is_twin(sourced_domain(f, "levelzero/gpu-1"), &hwmon));
	hwmon.die = 0;
	assert_true(es_domain_is_twin(package, &hwmon));
	/* The processor's own graphics are in the package's energy. */
	other = sourced_domain(f, "levelzero/gpu-0000:00:02.0");
	assert_int_equal(other->type, ES_DOMAIN_OTHER);
	assert_true(other->is_partial);

	atomic_store(&g.state->gpus[0].energy[3], 123456789);
	assert_int_equal(gpulib_read(&g, "levelzero/gpu-0-tile1")->value, 123456789);
	gpulib_state_unmap(g.state);
}

static void only_one_of_each_card_is_in_a_cover(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct es_domain domains[8];
	size_t n_chosen = 0;

	gpulib_put(&g, f, "skx2s", "max1550x2", NOW);
	open_ok(&g);
	memcpy(domains, f->source->domains, sizeof(domains));
	es_cover_judge(domains, 8, NULL);
	es_cover_choose(domains, 8, NULL, ES_PSYS_AUTO);
	for (size_t i = 0; i < 8; i++)
		n_chosen += domains[i].is_chosen;
	assert_int_equal(n_chosen, 2);
	assert_true(domains[sourced_index(f, "levelzero/gpu-0")].is_chosen);
	assert_true(domains[sourced_index(f, "levelzero/gpu-1")].is_chosen);
	gpulib_state_unmap(g.state);
}

static void old_loaders_are_started_by_their_variable_which_is_not_left_behind(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(&g, f, "skx2s", "without extension\n" ONE, OLD);
	open_ok(&g);
	assert_int_equal(atomic_load(&g.state->has_sysman), 1);
	assert_null(getenv("ZES_ENABLE_SYSMAN"));
	assert_int_equal(gpulib_read(&g, "levelzero/gpu-0")->value, 5);
	gpulib_state_unmap(g.state);
}

static void without_the_extension_the_first_of_a_device_is_the_card(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };

	gpulib_put(&g, f, "skx2s",
		   "without extension\ngpu vendor=8086 class=038000 energy=5 parts=card+pkg\n",
		   NOW);
	open_ok(&g);
	assert_int_equal(f->source->n_domains, 2);
	assert_false(sourced_domain(f, "levelzero/gpu-0")->is_partial);
	assert_true(sourced_domain(f, "levelzero/gpu-0-part")->is_partial);
	gpulib_state_unmap(g.state);
}

static void faults_are_told_as_they_are(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct gpulib_moving *gpu;

	gpulib_put(&g, f, "skx2s", ONE, NOW);
	gpu = &g.state->gpus[0];
	open_ok(&g);
	atomic_store(&gpu->energy[0], UINT64_MAX);
	assert_int_equal(gpulib_read(&g, "levelzero/gpu-0")->error, -ERANGE);
	atomic_store(&gpu->energy[0], 3); /* begun anew */
	assert_int_equal(gpulib_read(&g, "levelzero/gpu-0")->value, 3);
	atomic_store(&gpu->status, ES_ZE_NO_PERMISSION);
	assert_int_equal(sourced_read(f, "levelzero/gpu-0")->error, -EACCES);
	atomic_store(&gpu->status, ES_ZE_DEVICE_LOST);
	assert_int_equal(sourced_read(f, "levelzero/gpu-0")->error, -ENODEV);
	atomic_store(&gpu->status, 0);
	gpulib_await(&g, "levelzero/gpu-0", 0);
	/* The same time over and over: a copy. */
	atomic_store(&gpu->is_cached, 1);
	gpulib_await(&g, "levelzero/gpu-0", -ESTALE);
	gpulib_state_unmap(g.state);
}

static void denied_and_missing_ones_say_what_helps(void **state)
{
	struct sourced *f = *state;
	struct gpulib_fixture g = { .state = NULL };
	struct es_error err = { .code = 0 };

	sourced_make(f, "skx2s");
	assert_int_equal(sourced_open_as(f, -1, &err), -ENODEV);
	gpulib_put(&g, f, "skx2s", ONE, NULL, NULL);
	assert_int_equal(sourced_open_as(f, -1, &err), -ENOENT);
	gpulib_put(&g, f, "skx2s", "init 0x70010000\n" ONE, NOW);
	open_ok(&g);
	assert_int_equal(sourced_domain(f, "levelzero/gpu-0")->state, ES_STATE_DENIED);
	assert_non_null(strstr(sourced_domain(f, "levelzero/gpu-0")->fix, "render"));
	gpulib_put(&g, f, "skx2s", "init 0x78000001\n" ONE, NOW);
	open_ok(&g);
	assert_int_equal(sourced_domain(f, "levelzero/gpu-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(sourced_domain(f, "levelzero/gpu-0")->reason, "libze_intel_gpu"));
	gpulib_put(&g, f, "skx2s", "gpu vendor=8086 class=038000 counter=0\n", NOW);
	open_ok(&g);
	assert_int_equal(sourced_domain(f, "levelzero/gpu-0")->state, ES_STATE_ABSENT);
	gpulib_state_unmap(g.state);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		T(cards_contain_their_packages_and_tiles),
		T(only_one_of_each_card_is_in_a_cover),
		T(old_loaders_are_started_by_their_variable_which_is_not_left_behind),
		T(without_the_extension_the_first_of_a_device_is_the_card),
		T(faults_are_told_as_they_are),
		T(denied_and_missing_ones_say_what_helps),
	};

	return cmocka_run_group_tests_name("source/levelzero", tests, NULL, NULL);
}
