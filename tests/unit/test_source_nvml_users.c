/*
 * test_source_nvml_users.c - who computes on NVIDIA's GPUs, and what they keep busy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/nvml_fixture.h"
#include "support/nvml_table.h"
#include "support/tree.h"
#include "sys/nvml.h"

#define STUB "ES_NVML_STUB"
#define OLD_STUB "ES_NVML_OLD_STUB"
#define TABLE                                                                                \
	"driver 550.54.15\n"                                                                 \
	"gpu name=NVIDIA_A100 uuid=GPU-0 bus=0000:17:00.0 device=20b2 arch=7 counter=field " \
	"instant=1 usage=1 limit=400 energy=1000 power=50000\n"
#define MIG_TABLE                                                                            \
	"driver 550.54.15\n"                                                                 \
	"gpu name=NVIDIA_A100 uuid=GPU-0 bus=0000:17:00.0 device=20b2 arch=7 counter=field " \
	"instant=1 usage=1 limit=400 mig=3g.20gb+1g.5gb energy=1000 power=50000\n"

#define USERS_MAX 8

/* Time that passes without waiting for it. */
static atomic_int_fast64_t passed_ns;

int64_t __real_es_clock_boot_ns(void);
int64_t __wrap_es_clock_boot_ns(void);
int64_t __wrap_es_clock_boot_ns(void)
{
	return __real_es_clock_boot_ns() + atomic_load(&passed_ns);
}

static void compute(struct nvml_fixture *f, uint32_t pid, uint32_t instance, uint32_t use)
{
	struct nvml_telling *told = &f->state->told[0];
	uint32_t n = atomic_load(&told->n_processes);

	atomic_store(&told->pids[n], pid);
	atomic_store(&told->instances[n], instance);
	atomic_store(&told->use[n], use);
	atomic_store(&told->n_processes, n + 1);
	atomic_fetch_add(&told->use_us, 1000000);
}

static int ask(struct nvml_fixture *f, struct es_gpu_user ret[static USERS_MAX])
{
	return es_source_nvml.users(f->source, ret, USERS_MAX);
}

/* Looked for once a second, from the first question on. */
static int ask_anew(struct nvml_fixture *f, struct es_gpu_user ret[static USERS_MAX])
{
	(void)ask(f, ret);
	atomic_fetch_add(&passed_ns, ES_NS_PER_S);
	nvml_read(f);
	return ask(f, ret);
}

static void nobody_looks_until_somebody_asks(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, STUB);
	compute(f, 41, ES_NVML_NO_INSTANCE, 10);
	nvml_open(f);
	nvml_read(f);

	assert_int_equal(ask(f, users), -EAGAIN);
	nvml_read(f);
	assert_int_equal(ask(f, users), 1);
}

static void processes_are_told_with_their_gpu_and_use(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, STUB);
	compute(f, 41, ES_NVML_NO_INSTANCE, 60);
	compute(f, 42, ES_NVML_NO_INSTANCE, 4000000000U);
	nvml_open(f);

	assert_int_equal(ask_anew(f, users), 2);
	assert_int_equal(users[0].pid, 41);
	assert_string_equal(users[0].uuid, "GPU-0");
	assert_string_equal(users[0].pci, "0000:17:00.0");
	assert_int_equal(users[0].gpu_instance, -1);
	assert_true(users[0].has_busy);
	assert_int_equal(users[0].busy_ppm, 600000);
	/* What is no share is none. */
	assert_int_equal(users[1].busy_ppm, 0);
}

static void what_was_told_before_is_not_busy_again(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, STUB);
	compute(f, 41, ES_NVML_NO_INSTANCE, 60);
	nvml_open(f);
	assert_int_equal(ask_anew(f, users), 1);
	assert_int_equal(users[0].busy_ppm, 600000);

	assert_int_equal(ask_anew(f, users), 1);
	assert_true(users[0].has_busy);
	assert_int_equal(users[0].busy_ppm, 0);
}

static void an_old_library_tells_processes_too(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, OLD_STUB);
	compute(f, 41, ES_NVML_NO_INSTANCE, 60);
	nvml_open(f);

	assert_int_equal(ask_anew(f, users), 1);
	assert_int_equal(users[0].pid, 41);
	assert_int_equal(users[0].gpu_instance, -1);
}

static void a_library_without_processes_says_so(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, STUB);
	nvml_open(f);
	assert_non_null(nvml_domain(f, "nvml/gpu-0", NULL));
	atomic_store(&f->state->gpus[0].error, ES_NVML_NOT_SUPPORTED);

	assert_int_equal(ask_anew(f, users), -EOPNOTSUPP);
}

static void instances_are_asked_one_by_one_without_rights(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, MIG_TABLE, STUB);
	compute(f, 41, 8, 0);
	atomic_store(&f->state->told[0].hides_whole, 1);
	nvml_open(f);

	assert_int_equal(ask_anew(f, users), 1);
	assert_int_equal(users[0].pid, 41);
	assert_int_equal(users[0].gpu_instance, 8);
	assert_false(users[0].has_busy);

	atomic_store(&f->state->told[0].hides_whole, 0);
	assert_int_equal(ask_anew(f, users), 1);
	assert_int_equal(users[0].gpu_instance, 8);
}

static void a_gpu_that_was_let_go_has_no_known_users(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_gpu_user users[USERS_MAX];

	nvml_put(f, TABLE, STUB);
	compute(f, 41, ES_NVML_NO_INSTANCE, 60);
	nvml_open(f);
	assert_int_equal(ask_anew(f, users), 1);
	while (es_source_nvml.release(f->source) == -EINPROGRESS)
		(void)usleep(1000);

	assert_int_equal(ask(f, users), -EAGAIN);
	es_source_nvml.take(f->source);
	assert_int_equal(ask_anew(f, users), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, nvml_set_up, nvml_tear_down)
		TEST(nobody_looks_until_somebody_asks),
		TEST(processes_are_told_with_their_gpu_and_use),
		TEST(what_was_told_before_is_not_busy_again),
		TEST(an_old_library_tells_processes_too),
		TEST(a_library_without_processes_says_so),
		TEST(instances_are_asked_one_by_one_without_rights),
		TEST(a_gpu_that_was_let_go_has_no_known_users),
	};

	return cmocka_run_group_tests_name("source/nvml_users", tests, NULL, NULL);
}
