/*
 * test_source_nvml_release.c - GPUs that are let go: nothing of the driver stays open, and the counter goes on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "support/nvml_fixture.h"
#include "sys/nvml.h"

/* How many descriptors and mappings of this process lead to files of the tree's library folder; the test's own state aside. */
static size_t count_held(const struct nvml_fixture *f, const char *what)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	DIR *fds = opendir("/proc/self/fd");
	const struct dirent *entry;
	char line[4400], path[128], target[4096];
	size_t n = 0;

	assert_true(maps && fds);
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/%s", f->dir, what);
	while (fgets(line, sizeof(line), maps))
		n += strstr(line, path) != NULL;
	while ((entry = readdir(fds))) {
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = '\0';
		n += strstr(target, path) != NULL;
	}
	(void)fclose(maps);
	(void)closedir(fds);
	return n;
}

static void put_device(struct nvml_fixture *f)
{
	nvml_put(f, "h100x8", "ES_NVML_STUB");
	assert_int_equal(es_tree_write(f->dir, NVML_FOLDER "/" NVML_DEVICE, "", 0644), 0);
}

static void let_go(struct nvml_fixture *f)
{
	int64_t until_ns = es_clock_mono_ns() + NVML_LONG_NS;

	while (es_source_nvml.release(f->source) == -EINPROGRESS && es_clock_mono_ns() < until_ns)
		(void)usleep(1000);
	assert_int_equal(es_source_nvml.release(f->source), 0);
}

static void nothing_of_the_driver_stays_open_or_mapped(void **state)
{
	struct nvml_fixture *f = *state;

	put_device(f);
	nvml_open(f);
	nvml_read(f);
	assert_true(count_held(f, NVML_DEVICE) > 0);
	assert_true(count_held(f, "libnvidia-ml.so.1") > 0);
	let_go(f);

	assert_int_equal(count_held(f, NVML_DEVICE), 0);
	assert_int_equal(count_held(f, "libnvidia-ml.so.1"), 0);
	assert_int_equal(count_held(f, NVML_STATE), 1); /* this test's */
	/* Whoever sweeps meanwhile neither waits nor is told of a failure. */
	nvml_read(f);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(f->readings[i].error, -ECANCELED);
	assert_int_equal(count_held(f, NVML_DEVICE), 0);
}

static void what_was_let_go_is_had_again_with_its_counter(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_reading signals[256];

	put_device(f);
	nvml_open(f);
	nvml_read(f);
	let_go(f);
	nvml_read(f);
	atomic_store(&f->state->gpus[5].energy_mj, 5000777777);
	es_source_nvml.take(f->source);
	nvml_read(f);

	for (size_t i = 0; i < 8; i++)
		assert_int_equal(f->readings[i].error, 0);
	assert_int_equal(f->readings[5].value, 5000777777000);
	assert_true(count_held(f, NVML_DEVICE) > 0);
	assert_int_equal(es_source_nvml.read_signals(f->source, signals, 256), 0);
	/* And again. */
	let_go(f);
	assert_int_equal(count_held(f, "libnvidia-ml.so.1"), 0);
	assert_int_equal(atomic_load(&f->state->told[0].n_samples), 0);
}

static void gpus_that_are_gone_for_good_are_lost(void **state)
{
	struct nvml_fixture *f = *state;
	char path[256];

	put_device(f);
	nvml_open(f);
	let_go(f);
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/libnvidia-ml.so.1", f->dir);
	assert_int_equal(unlink(path), 0);
	es_source_nvml.take(f->source);
	nvml_read(f);

	assert_int_equal(f->readings[0].error, -ENODEV);
}

static void a_library_that_hangs_is_not_waited_for(void **state)
{
	struct nvml_fixture *f = *state;
	int64_t t0_ns;

	put_device(f);
	nvml_open(f);
	atomic_store(&f->state->gpus[0].delay_us, 300000);
	es_source_nvml.ask(f->source);
	(void)usleep(20000);
	t0_ns = es_clock_mono_ns();
	assert_int_equal(es_source_nvml.release(f->source), -EINPROGRESS);
	assert_true(es_clock_mono_ns() - t0_ns < 200 * ES_NS_PER_MS);
	let_go(f);

	assert_int_equal(count_held(f, NVML_DEVICE), 0);
}

static void a_machine_without_the_library_has_nothing_to_let_go(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "h100x8", NULL);
	nvml_open(f);

	assert_int_equal(es_source_nvml.release(f->source), 0);
	es_source_nvml.take(f->source);
	assert_non_null(nvml_domain(f, "nvml/gpu-0", NULL));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, nvml_set_up, nvml_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_of_the_driver_stays_open_or_mapped),
		TEST(what_was_let_go_is_had_again_with_its_counter),
		TEST(gpus_that_are_gone_for_good_are_lost),
		TEST(a_library_that_hangs_is_not_waited_for),
		TEST(a_machine_without_the_library_has_nothing_to_let_go),
	};

	return cmocka_run_group_tests_name("source nvml release", tests, NULL, NULL);
}
