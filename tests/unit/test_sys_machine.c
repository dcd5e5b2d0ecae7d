/*
 * test_sys_machine.c - what machine a tree of files says it is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/tree.h"
#include "sys/machine.h"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_machine machine;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-machine-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static void put_package(const struct fixture *f, unsigned cpu, const char *package)
{
	char path[128];

	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
	put(f, path, package);
}

static void cpu_lists_are_counted(void **state)
{
	static const struct {
		const char *list;
		uint32_t n;
	} vectors[] = {
		{ "", 0 },	{ "0", 1 },	      { "0-3", 4 },
		{ "0-3,8", 5 }, { "0-31,64-95", 64 }, { "7,3,1", 3 },
		{ "3-1", 0 },	{ "a", 0 },	      { "0-3;5", 0 },
		{ "0-", 0 },	{ "-3", 0 },	      { "0--3", 0 },
		{ "1,,2", 0 },	{ "0-1048577", 0 },   { "1-+3", 0 },
		{ " 1", 0 },	{ "0-65535", 65536 }, { "0-65536", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		if (es_cpulist_count(vectors[i].list) != vectors[i].n)
			fail_msg("'%s' is %u, not %u", vectors[i].list,
				 es_cpulist_count(vectors[i].list), vectors[i].n);
}

static void an_empty_tree_leaves_everything_unknown(void **state)
{
	struct fixture *f = *state;

	es_machine_read(&f->root, &f->machine);

	assert_string_equal(f->machine.hostname, "");
	assert_string_equal(f->machine.boot_id, "");
	assert_string_equal(f->machine.cpu_vendor, "");
	assert_int_equal(f->machine.n_cpus, 0);
	assert_int_equal(f->machine.n_packages, 0);
	assert_int_equal(f->machine.n_allowed, 0);
	assert_false(f->machine.is_vm || f->machine.is_container || f->machine.has_battery);
	assert_string_equal(f->machine.timezone, "");
	assert_string_equal(f->machine.country, "");
}

static void names_and_boot_come_from_proc(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/sys/kernel/hostname", "n231\n");
	put(f, "proc/sys/kernel/osrelease", "6.1.0-31-amd64\n");
	put(f, "proc/sys/kernel/random/boot_id", "3f1d53c6-8f4c-4b5f-9d0c-0a1b2c3d4e5f\n");
	es_machine_read(&f->root, &f->machine);

	assert_string_equal(f->machine.hostname, "n231");
	assert_string_equal(f->machine.kernel, "6.1.0-31-amd64");
	assert_string_equal(f->machine.boot_id, "3f1d53c6-8f4c-4b5f-9d0c-0a1b2c3d4e5f");
}

static void an_x86_processor_is_known_by_its_numbers(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
	    "model name\t: Intel(R) Xeon(R) Platinum 8480+\nstepping\t: 8\n"
	    "flags\t\t: fpu vme msr hypervisor_not\n\n"
	    "processor\t: 1\nvendor_id\t: Wrong\n");
	es_machine_read(&f->root, &f->machine);

	assert_string_equal(f->machine.cpu_vendor, "GenuineIntel");
	assert_string_equal(f->machine.cpu_model, "Intel(R) Xeon(R) Platinum 8480+");
	assert_int_equal(f->machine.cpu_family, 6);
	assert_int_equal(f->machine.cpu_model_number, 143);
	assert_int_equal(f->machine.cpu_stepping, 8);
	assert_false(f->machine.is_vm);
}

static void an_arm_processor_is_known_by_implementer_and_part(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "processor\t: 0\nBogoMIPS\t: 2000.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
	    "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd4f\nCPU revision\t: 0\n");
	es_machine_read(&f->root, &f->machine);

	assert_string_equal(f->machine.cpu_vendor, "0x41");
	assert_int_equal(f->machine.cpu_family, 8);
	assert_int_equal(f->machine.cpu_model_number, 0xd4f);
	assert_int_equal(f->machine.cpu_stepping, 0);
}

static void packages_are_counted_once_each(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-3\n");
	put_package(f, 0, "0\n");
	put_package(f, 1, "1\n");
	put_package(f, 2, "0\n");
	put_package(f, 3, "1\n");
	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_cpus, 4);
	assert_int_equal(f->machine.n_packages, 2);
	assert_int_equal(f->machine.n_allowed, 4);
}

/* One look for each package: what cpu2 says of itself is not asked for, as cpu0 names it. */
static void packages_name_their_cpus(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-3\n");
	put_package(f, 0, "0\n");
	put(f, "sys/devices/system/cpu/cpu0/topology/core_siblings_list", "0,2\n");
	put_package(f, 1, "1\n");
	put(f, "sys/devices/system/cpu/cpu1/topology/core_siblings_list", "1,3\n");
	put_package(f, 2, "7\n");
	put_package(f, 3, "8\n");

	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_cpus, 4);
	assert_int_equal(f->machine.n_packages, 2);
}

/* CPUs that are offline have no topology: the second package begins far behind as many CPUs as are online. */
static void packages_behind_many_offline_cpus_are_found(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-1,64-65\n");
	put_package(f, 0, "0\n");
	put_package(f, 1, "0\n");
	put_package(f, 64, "1\n");
	put_package(f, 65, "1\n");
	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_cpus, 4);
	assert_int_equal(f->machine.n_packages, 2);
}

/* Firmware of ARM servers numbers packages as it likes (offsets in the PPTT). */
static void a_list_of_cpus_longer_than_a_page_is_counted(void **state)
{
	struct fixture *f = *state;
	char *list = malloc(2048 * 6);
	size_t n = 0;

	assert_non_null(list);
	for (unsigned cpu = 0; cpu < 4096; cpu += 2)
		n += (size_t)snprintf(list + n, 8, "%s%u", cpu ? "," : "", cpu);
	put(f, "sys/devices/system/cpu/online", list);
	free(list);
	put_package(f, 0, "0\n");
	put_package(f, 4094, "1\n");
	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_cpus, 2048);
	assert_int_equal(f->machine.n_packages, 2);
}

static void packages_with_large_numbers_count_too(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-2\n");
	put_package(f, 0, "3640\n");
	put_package(f, 1, "5618\n");
	put_package(f, 2, "5618\n");
	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_packages, 2);
}

static void a_package_without_a_number_is_not_known(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-1\n");
	put_package(f, 0, "-1\n");
	put_package(f, 1, "-1\n");
	es_machine_read(&f->root, &f->machine);

	assert_int_equal(f->machine.n_cpus, 2);
	assert_int_equal(f->machine.n_packages, 0);
}

static void a_hypervisor_makes_it_a_vm(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo",
	    "vendor_id\t: AuthenticAMD\nflags\t\t: fpu sse2 hypervisor lahf_lm\n");
	es_machine_read(&f->root, &f->machine);
	assert_true(f->machine.is_vm);

	put(f, "proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu sse2\n");
	es_machine_read(&f->root, &f->machine);
	assert_false(f->machine.is_vm);

	put(f, "sys/hypervisor/type", "xen\n");
	es_machine_read(&f->root, &f->machine);
	assert_true(f->machine.is_vm);
	assert_false(f->machine.is_container);
}

static void containers_leave_marks(void **state)
{
	static const char *const marks[][2] = {
		{ ".dockerenv", "" },
		{ "run/.containerenv", "" },
		{ "run/systemd/container", "podman\n" },
		{ "proc/1/cgroup", "0::/kubepods/burstable/pod1\n" },
		{ "proc/1/cgroup", "4:cpu,cpuacct:/docker/0123\n" },
		{ "proc/1/cgroup", "4:cpu:/lxc/box\n" },
	};
	struct fixture *f = *state;

	put(f, "proc/1/cgroup", "0::/init.scope\n");
	put(f, "proc/1/environ", "TERM=linux");
	es_machine_read(&f->root, &f->machine);
	assert_false(f->machine.is_container);

	for (size_t i = 0; i < ES_ARRAY_SIZE(marks); i++) {
		char path[128];

		put(f, marks[i][0], marks[i][1]);
		es_machine_read(&f->root, &f->machine);
		assert_true(f->machine.is_container);
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, marks[i][0]);
		assert_int_equal(unlink(path), 0);
	}
}

/* A list of strings with NUL between, as the kernel shows it. */
static void the_first_process_may_say_that_it_is_contained(void **state)
{
	static const char environment[] = "PATH=/bin\0container=lxc\0TERM=linux";
	struct fixture *f = *state;
	char path[128];
	FILE *file;

	put(f, "proc/1/environ", "xcontainer=no");
	es_machine_read(&f->root, &f->machine);
	assert_false(f->machine.is_container);

	(void)snprintf(path, sizeof(path), "%s/proc/1/environ", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(environment, 1, sizeof(environment), file), sizeof(environment));
	assert_int_equal(fclose(file), 0);
	es_machine_read(&f->root, &f->machine);
	assert_true(f->machine.is_container);
}

static void a_mouse_with_a_battery_makes_no_notebook(void **state)
{
	struct fixture *f = *state;

	put(f, "sys/class/power_supply/AC/type", "Mains\n");
	put(f, "sys/class/power_supply/hidpp_battery_0/type", "Battery\n");
	put(f, "sys/class/power_supply/hidpp_battery_0/scope", "Device\n");
	es_machine_read(&f->root, &f->machine);
	assert_false(f->machine.has_battery);

	put(f, "sys/class/power_supply/BAT0/type", "Battery\n");
	es_machine_read(&f->root, &f->machine);
	assert_true(f->machine.has_battery);
}

static void put_zone_tab(const struct fixture *f)
{
	put(f, "usr/share/zoneinfo/zone.tab",
	    "# comment\tx\tEurope/Paris\n"
	    "AD\t+4230+00131\tEurope/Andorra\n"
	    "FR\t+4852+00220\tEurope/Paris\n"
	    "US\t+404251-0740023\tAmerica/New_York\tEastern (most areas)\n"
	    "US\t+394606-0860929\tAmerica/Indiana/Indianapolis\tEastern - IN (most areas)\n");
}

static void link_localtime(const struct fixture *f, const char *target)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/etc", f->dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/etc/localtime", f->dir);
	(void)unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void the_time_zone_gives_the_country(void **state)
{
	static const struct {
		const char *link, *timezone, *country;
	} vectors[] = {
		{ "/usr/share/zoneinfo/Europe/Paris", "Europe/Paris", "FR" },
		{ "../usr/share/zoneinfo/America/New_York", "America/New_York", "US" },
		{ "/usr/share/zoneinfo/America/Indiana/Indianapolis",
		  "America/Indiana/Indianapolis", "US" },
		{ "/usr/share/zoneinfo/Etc/UTC", "Etc/UTC", "" },
		{ "/usr/share/zoneinfo/Europe/Par", "Europe/Par", "" },
	};
	struct fixture *f = *state;

	put_zone_tab(f);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		link_localtime(f, vectors[i].link);
		es_machine_read(&f->root, &f->machine);
		assert_string_equal(f->machine.timezone, vectors[i].timezone);
		assert_string_equal(f->machine.country, vectors[i].country);
	}
}

static void without_a_link_etc_timezone_is_asked(void **state)
{
	struct fixture *f = *state;

	put_zone_tab(f);
	put(f, "etc/timezone", "Europe/Andorra\n");
	es_machine_read(&f->root, &f->machine);

	assert_string_equal(f->machine.timezone, "Europe/Andorra");
	assert_string_equal(f->machine.country, "AD");
}

/* TZ is this process's, not the tree's. */
static void the_environment_says_nothing_about_a_tree(void **state)
{
	struct fixture *f = *state;

	put_zone_tab(f);
	assert_int_equal(setenv("TZ", "Europe/Paris", 1), 0);
	es_machine_read(&f->root, &f->machine);
	assert_int_equal(unsetenv("TZ"), 0);

	assert_string_equal(f->machine.timezone, "");
}

static void a_containers_quota_is_its_share_rounded_up(void **state)
{
	static const struct {
		const char *max;
		uint32_t n_allowed;
	} vectors[] = {
		{ "max 100000\n", 4 },	 { "200000 100000\n", 2 }, { "150000 100000\n", 2 },
		{ "50000 100000\n", 1 }, { "900000 100000\n", 4 }, { "garbage\n", 4 },
	};
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-3\n");
	put(f, ".dockerenv", "");
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		put(f, "sys/fs/cgroup/cpu.max", vectors[i].max);
		es_machine_read(&f->root, &f->machine);
		assert_int_equal(f->machine.n_allowed, vectors[i].n_allowed);
	}
}

static void a_containers_quota_of_cgroup_v1_limits_its_cpus_too(void **state)
{
	static const struct {
		const char *quota, *period;
		uint32_t n_allowed;
	} vectors[] = {
		{ "-1\n", "100000\n", 4 },	{ "200000\n", "100000\n", 2 },
		{ "150000\n", "100000\n", 2 },	{ "900000\n", "100000\n", 4 },
		{ "100000\n", "0\n", 4 },	{ "1\n", "18446744073709551615\n", 4 },
		{ "100000\n", "garbage\n", 4 },
	};
	static const char *const mounts[] = { "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/cpu" };
	struct fixture *f = *state;

	put(f, "sys/devices/system/cpu/online", "0-3\n");
	put(f, ".dockerenv", "");
	for (size_t mount = 0; mount < ES_ARRAY_SIZE(mounts); mount++)
		for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
			char path[96];

			(void)snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", mounts[mount]);
			put(f, path, vectors[i].quota);
			(void)snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", mounts[mount]);
			put(f, path, vectors[i].period);
			es_machine_read(&f->root, &f->machine);
			assert_int_equal(f->machine.n_allowed, vectors[i].n_allowed);
		}
	/* Where both are there the newer one counts. */
	put(f, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
	put(f, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	put(f, "sys/fs/cgroup/cpu.max", "max 100000\n");
	es_machine_read(&f->root, &f->machine);
	assert_int_equal(f->machine.n_allowed, 4);
}

static void this_machine_has_a_name_and_cpus(void **state)
{
	struct es_root root;
	struct es_machine machine;

	(void)state;
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	es_machine_read(&root, &machine);
	es_root_close(&root);

	assert_true(machine.hostname[0] != '\0');
	assert_true(machine.n_cpus >= 1);
	assert_true(machine.n_allowed >= 1 && machine.n_allowed <= machine.n_cpus);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_lists_are_counted),
		TEST(an_empty_tree_leaves_everything_unknown),
		TEST(names_and_boot_come_from_proc),
		TEST(an_x86_processor_is_known_by_its_numbers),
		TEST(an_arm_processor_is_known_by_implementer_and_part),
		TEST(packages_are_counted_once_each),
		TEST(packages_name_their_cpus),
		TEST(packages_behind_many_offline_cpus_are_found),
		TEST(a_list_of_cpus_longer_than_a_page_is_counted),
		TEST(packages_with_large_numbers_count_too),
		TEST(a_package_without_a_number_is_not_known),
		TEST(a_hypervisor_makes_it_a_vm),
		TEST(containers_leave_marks),
		TEST(the_first_process_may_say_that_it_is_contained),
		TEST(a_mouse_with_a_battery_makes_no_notebook),
		TEST(the_time_zone_gives_the_country),
		TEST(without_a_link_etc_timezone_is_asked),
		TEST(the_environment_says_nothing_about_a_tree),
		TEST(a_containers_quota_is_its_share_rounded_up),
		TEST(a_containers_quota_of_cgroup_v1_limits_its_cpus_too),
		cmocka_unit_test(this_machine_has_a_name_and_cpus),
	};

	return cmocka_run_group_tests_name("sys/machine", tests, NULL, NULL);
}
