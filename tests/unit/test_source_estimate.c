/*
 * test_source_estimate.c - watts from CPU time, for machines without a meter
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

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/source.h"
#include "support/tree.h"

/* Sapphire Rapids, of data/server_curves.csv: mW per thread where the package's size is not known (VMs). */
#define IDLE_MW 1200U
#define FULL_MW 4490U

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_source *source;
	struct es_reading reading;
	struct es_error err;
	int64_t tick_ns;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-estimate-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->tick_ns = ES_NS_PER_S / sysconf(_SC_CLK_TCK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_source_estimate.close(f->source);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static void put_stat(const struct fixture *f, unsigned long user_ticks)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "cpu  %lu 0 0 500 0 0 0\n", user_ticks);
	put(f, "proc/stat", text);
}

/* A VM of 2 CPUs of a Sapphire Rapids server. */
static void put_vm(const struct fixture *f)
{
	put(f, "proc/cpuinfo",
	    "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nstepping\t: 8\n"
	    "flags\t\t: fpu hypervisor\n");
	put(f, "sys/devices/system/cpu/online", "0-1\n");
	put_stat(f, 100);
}

static void open_it(struct fixture *f)
{
	int r = es_source_estimate.open(&f->root, &f->source, &f->err);

	if (r < 0)
		fail_msg("%s", f->err.text);
}

static void read_it(struct fixture *f)
{
	assert_int_equal(es_source_estimate.read(f->source, &f->reading, 1), 0);
}

static void it_is_one_domain_at_the_wall_and_says_that_it_is_estimated(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *domain;

	put_vm(f);
	open_it(f);
	domain = &f->source->domains[0];

	assert_int_equal(f->source->n_domains, 1);
	assert_string_equal(domain->id, "estimate/node");
	assert_int_equal(domain->type, ES_DOMAIN_NODE);
	assert_int_equal(domain->kind, ES_KIND_ESTIMATED);
	assert_true(domain->has_activity);
	assert_false(domain->is_power);
	assert_int_equal(domain->range.modulus_nj, 0);
	assert_int_equal(domain->idle_mw, 2 * IDLE_MW);
	assert_int_equal(domain->full_mw, 2 * FULL_MW);
	assert_int_equal(domain->idle_spread_ppm, 1649199);
	assert_int_equal(domain->spread_ppm, 650553);
}

static void the_reason_tells_threads_place_and_servers(void **state)
{
	struct fixture *f = *state;

	put_vm(f);
	open_it(f);

	assert_string_equal(
		f->source->domains[0].reason,
		"2 hardware threads of this VM, watts per thread of Intel Xeon Scalable 4th gen. (Sapphire Rapids) servers");
}

static void an_unknown_processor_gets_similar_servers_and_says_so(void **state)
{
	struct fixture *f = *state;

	put_vm(f);
	put(f, "proc/cpuinfo", "vendor_id\t: Nobody\nflags\t\t: hypervisor\n");
	put(f, "sys/devices/system/cpu/online", "0\n");
	open_it(f);

	assert_non_null(strstr(f->source->domains[0].reason, "1 hardware thread of this VM"));
	assert_non_null(strstr(f->source->domains[0].reason, "similar"));
	assert_true(f->source->domains[0].idle_mw > 0);
}

static void on_bare_metal_the_size_of_the_package_counts(void **state)
{
	struct fixture *f = *state;

	put_vm(f);
	put(f, "proc/cpuinfo",
	    "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nstepping\t: 8\n");
	put(f, "sys/devices/system/cpu/online", "0-63\n");
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		char path[128];

		(void)snprintf(path, sizeof(path),
			       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
		put(f, path, "0\n");
	}
	open_it(f);

	/* 64 threads a package, the typical size of that row: 1400 and 5051 mW each. */
	assert_int_equal(f->source->domains[0].idle_mw, 64 * 1400);
	assert_int_equal(f->source->domains[0].full_mw, 64 * 5051);
	assert_int_equal(f->source->domains[0].spread_ppm, 444930);
	assert_non_null(
		strstr(f->source->domains[0].reason, "64 hardware threads of this machine"));
}

static uint64_t expected_uj(int64_t dur_ns, int64_t busy_ns)
{
	/* mW * ns = pJ */
	return (2 * IDLE_MW * (uint64_t)dur_ns + (FULL_MW - IDLE_MW) * (uint64_t)busy_ns) / 1000000;
}

static void energy_is_idle_watts_by_time_and_the_rest_by_cpu_time(void **state)
{
	struct fixture *f = *state;
	int64_t t0_ns;

	put_vm(f);
	open_it(f);
	read_it(f);
	t0_ns = f->reading.t_ns;
	assert_int_equal(f->reading.error, 0);
	assert_int_equal(f->reading.value, 0);
	assert_int_equal(f->reading.activity_ns, 100 * f->tick_ns);

	(void)usleep(20000);
	read_it(f);
	assert_int_equal(f->reading.value, expected_uj(f->reading.t_ns - t0_ns, 0));

	put_stat(f, 350);
	read_it(f);
	assert_int_equal(f->reading.value, expected_uj(f->reading.t_ns - t0_ns, 250 * f->tick_ns));
	assert_int_equal(f->reading.activity_ns, 350 * f->tick_ns);
	/* 250 ticks of CPU time are worth 3.29 W each second: more than 8 J. */
	assert_true(f->reading.value > 8 * 1000000ULL);
}

static void it_never_goes_back_where_the_kernel_does(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	put_vm(f);
	open_it(f);
	read_it(f);
	put_stat(f, 200);
	read_it(f);
	before = f->reading.value;

	put_stat(f, 199);
	read_it(f);
	assert_true(f->reading.value >= before);
	put_stat(f, 50);
	read_it(f);
	assert_true(f->reading.value >= before);
	assert_int_equal(f->reading.activity_ns, 200 * f->tick_ns);
}

static void a_failed_read_is_an_error_and_the_next_goes_on(void **state)
{
	struct fixture *f = *state;

	put_vm(f);
	open_it(f);
	read_it(f);
	put(f, "proc/stat", "");
	read_it(f);
	assert_true(f->reading.error < 0);
	assert_true(f->reading.t_ns > 0);

	put_stat(f, 300);
	read_it(f);
	assert_int_equal(f->reading.error, 0);
	assert_int_equal(f->reading.activity_ns, 300 * f->tick_ns);
}

/* A container of 2 CPUs' quota on a machine of 8: our cgroup's time, our threads' idle watts. */
static void a_container_counts_its_own_cgroup_and_its_share(void **state)
{
	struct fixture *f = *state;
	int64_t t0_ns;

	put_vm(f);
	put(f, "sys/devices/system/cpu/online", "0-7\n");
	put(f, ".dockerenv", "");
	put(f, "proc/self/cgroup", "0::/\n");
	put(f, "sys/fs/cgroup/cpu.max", "200000 100000\n");
	put(f, "sys/fs/cgroup/cpu.stat", "usage_usec 5000000\n");
	open_it(f);
	assert_int_equal(f->source->domains[0].idle_mw, 2 * IDLE_MW);
	assert_non_null(
		strstr(f->source->domains[0].reason, "2 hardware threads of this container"));
	read_it(f);
	t0_ns = f->reading.t_ns;

	put_stat(f, 99999); /* the neighbours' */
	put(f, "sys/fs/cgroup/cpu.stat", "usage_usec 6500000\n");
	read_it(f);

	assert_int_equal(f->reading.value, expected_uj(f->reading.t_ns - t0_ns, 1500000000));
}

/* Where our cgroup shows no time, what is counted is the whole machine, and the text must not say otherwise. */
static void a_container_without_cpu_time_of_its_own_is_the_whole_machine(void **state)
{
	struct fixture *f = *state;

	put_vm(f);
	put(f, "sys/devices/system/cpu/online", "0-7\n");
	put(f, ".dockerenv", "");
	put(f, "sys/fs/cgroup/cpu.max", "200000 100000\n");
	open_it(f);

	assert_int_equal(f->source->domains[0].idle_mw, 8 * IDLE_MW);
	assert_non_null(strstr(f->source->domains[0].reason, "8 hardware threads of this VM"));
	assert_null(strstr(f->source->domains[0].reason, "of this container"));
}

static void nothing_to_estimate_from_is_no_such_meter(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_source_estimate.open(&f->root, &f->source, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "CPU time"));

	put_stat(f, 1);
	assert_int_equal(es_source_estimate.open(&f->root, &f->source, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "number of CPUs"));
	assert_null(f->source);
}

static void it_needs_no_heartbeat_and_gives_nothing_new_within_a_tick(void **state)
{
	struct fixture *f = *state;
	struct es_plan plan;

	put_vm(f);
	open_it(f);
	assert_int_equal(es_source_estimate.plan(f->source, &plan), 0);

	assert_true(plan.at_least_ns == INT64_MAX);
	assert_int_equal(plan.at_most_ns, 10 * ES_NS_PER_MS);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_one_domain_at_the_wall_and_says_that_it_is_estimated),
		TEST(the_reason_tells_threads_place_and_servers),
		TEST(an_unknown_processor_gets_similar_servers_and_says_so),
		TEST(on_bare_metal_the_size_of_the_package_counts),
		TEST(energy_is_idle_watts_by_time_and_the_rest_by_cpu_time),
		TEST(it_never_goes_back_where_the_kernel_does),
		TEST(a_failed_read_is_an_error_and_the_next_goes_on),
		TEST(a_container_counts_its_own_cgroup_and_its_share),
		TEST(a_container_without_cpu_time_of_its_own_is_the_whole_machine),
		TEST(nothing_to_estimate_from_is_no_such_meter),
		TEST(it_needs_no_heartbeat_and_gives_nothing_new_within_a_tick),
	};

	return cmocka_run_group_tests_name("source/estimate", tests, NULL, NULL);
}
