/*
 * test_twin_tree_faithful.c - a twin's files beside those of es-tree: everything that is there is here, alike
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/test.h"
#include "support/tree.h"
#include "support/twin_host.h"

enum scope {
	ALL,
	PSYS, /* zones of psys */
	ONE_PACKAGE, /* machines with one */
};

/*
 * Texts that differ, and why that is right. All else that es-tree shows is shown to the letter.
 */
static const struct {
	const char *pattern;
	enum scope scope;
	const char *why;
} differences[] = {
	{ "*/energy_uj", ALL, "counters begin elsewhere, and count" },
	{ "*/power/autosuspend_delay_ms", ALL, "-EIO, which a plain file cannot give" },
	{ "*/constraint_2_time_window_us", ALL, "-ENODATA, which is an empty file there" },
	{ "*/constraint_2_max_power_uw", ALL, "twice the second's, as the kernel has it" },
	{ "*:?:?/constraint_0_max_power_uw", ALL, "-ENODATA where there is no register; DRAM's" },
	{ "*/constraint_?_max_power_uw", PSYS, "-ENODATA: psys has no register that says it" },
	{ "*/constraint_?_power_limit_uw", PSYS, "firmware sets none" },
	{ "*/constraint_?_time_window_us", PSYS, "likewise" },
	{ "*:0/constraint_1_power_limit_uw", ONE_PACKAGE, "kinds are in whole watts" },
	{ "*/enabled", PSYS, "so that it is not in force" },
	{ "*/topology/*_list", ONE_PACKAGE, "runs that touch are one, as the kernel prints them" },
	{ "proc/cpuinfo", ALL, "every CPU, with its clock" },
	{ "proc/stat", ALL, "times of every CPU" },
	{ "proc/sys/kernel/hostname", ALL, "the node's own name" },
	{ "proc/sys/kernel/osrelease", ALL, "says what it is" },
	{ "proc/sys/kernel/random/boot_id", ALL, "one of its own each time" },
};

static bool may_differ(const struct twin *twin, const char *path, bool of_psys)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(differences); i++) {
		enum scope scope = differences[i].scope;

		if (fnmatch(differences[i].pattern, path, 0) == 0 &&
		    (scope == ALL || (scope == PSYS && of_psys) ||
		     (scope == ONE_PACKAGE && twin->kind.n_packages == 1)))
			return true;
	}
	return false;
}

/* Whether the zone in whose folder the file lies is psys. */
static bool is_of_psys(const struct twin *twin, const char *path)
{
	char name[4096], text[64];
	char *slash;

	(void)snprintf(name, sizeof(name), "%s", path);
	slash = strrchr(name, '/');
	(void)snprintf(slash, sizeof(name) - (size_t)(slash - name), "/name");
	return twin_show(twin, name, text, sizeof(text)) == 0 && strncmp(text, "psys", 4) == 0;
}

static void compare_link(const char *root, const char *path, const struct es_twin_entry *entry)
{
	char full[8192], target[4096];
	ssize_t n;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	n = readlink(full, target, sizeof(target) - 1);
	assert_true(n > 0);
	target[n] = '\0';
	assert_int_equal(es_twin_entry_type(entry), ES_TWIN_IS_LINK);
	assert_string_equal(es_twin_entry_target(entry), target);
}

static void compare_text(const struct twin *twin, const char *root, const char *path)
{
	static char here[1 << 20];
	char full[8192], there[8192];
	ssize_t n;
	int fd;

	if (may_differ(twin, path, is_of_psys(twin, path)))
		return;
	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	(void)chmod(full, 0600);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, there, sizeof(there) - 1);
	(void)close(fd);
	assert_true(n >= 0);
	there[n] = '\0';
	assert_int_equal(twin_show(twin, path, here, sizeof(here)), 0);
	if (strcmp(here, there) != 0)
		print_error("%s: '%s', there '%s'\n", path, here, there);
	assert_string_equal(here, there);
}

/* Returns how many were compared. */
static unsigned compare(const struct twin *twin, const char *root, const char *path)
{
	char full[8192];
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	dir = opendir(full);
	assert_non_null(dir);
	for (struct dirent *row; (row = readdir(dir));) {
		const struct es_twin_entry *entry;
		char child[2048];
		struct stat st;

		if (row->d_name[0] == '.')
			continue;
		(void)snprintf(child, sizeof(child), "%s/%s", path, row->d_name);
		(void)snprintf(full, sizeof(full), "%s/%s", root, child);
		assert_int_equal(lstat(full, &st), 0);
		entry = es_twin_tree_find(twin->host->tree, child);
		if (!entry)
			print_error("%s is missing\n", child);
		assert_non_null(entry);
		n++;
		if (S_ISLNK(st.st_mode)) {
			compare_link(root, child, entry);
		} else if (S_ISDIR(st.st_mode)) {
			assert_int_equal(es_twin_entry_type(entry), ES_TWIN_IS_DIR);
			n += compare(twin, root, child);
		} else {
			assert_int_equal(es_twin_entry_type(entry), ES_TWIN_IS_FILE);
			if (es_twin_entry_mode(entry) != (st.st_mode & 07777))
				print_error("%s: mode %o\n", child, es_twin_entry_mode(entry));
			assert_int_equal(es_twin_entry_mode(entry), st.st_mode & 07777);
			compare_text(twin, root, child);
		}
	}
	(void)closedir(dir);
	return n;
}

static void compare_model(const char *model, unsigned n_least)
{
	struct twin twin = { .host = NULL };
	struct es_tree tree;
	char root[64];
	unsigned n;

	assert_true(twin_kind(model, &twin.kind));
	assert_int_equal(twin_up(&twin), 0);
	assert_int_equal(es_tree_temp(root), 0);
	assert_int_equal(es_tree_create(root, model, &tree), 0);
	n = compare(&twin, root, "sys") + compare(&twin, root, "proc");
	assert_true(n >= n_least);
	es_tree_close(&tree);
	es_tree_remove(root);
	twin_down(&twin);
}

static void shows_what_a_skylake_server_shows(void **state)
{
	(void)state;
	compare_model("skx2s", 500);
}

static void shows_what_a_sapphire_rapids_server_shows(void **state)
{
	(void)state;
	compare_model("spr2s", 1000);
}

static void shows_what_a_laptop_shows(void **state)
{
	(void)state;
	compare_model("client-psys", 150);
}

static void shows_what_a_milan_server_shows(void **state)
{
	(void)state;
	compare_model("amd-milan2s", 1000);
}

static void shows_what_a_vm_with_a_dead_psys_shows(void **state)
{
	struct twin twin = { .host = NULL };
	const char *psys = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj";

	(void)state;
	compare_model("vm-psys-only", 40);
	assert_true(twin_kind("vm-psys-only", &twin.kind));
	assert_int_equal(twin_up(&twin), 0);
	twin_wait(&twin, 60000000000);
	assert_int_equal(twin_number(&twin, psys), 0);
	twin_down(&twin);
}

/* Ids are hexadecimal, and psys comes right behind its package. */
static void numbers_the_zones_of_eight_packages(void **state)
{
	(void)state;
	compare_model("spr8s", 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_what_a_skylake_server_shows),
		cmocka_unit_test(shows_what_a_sapphire_rapids_server_shows),
		cmocka_unit_test(shows_what_a_laptop_shows),
		cmocka_unit_test(shows_what_a_milan_server_shows),
		cmocka_unit_test(shows_what_a_vm_with_a_dead_psys_shows),
		cmocka_unit_test(numbers_the_zones_of_eight_packages),
	};

	return cmocka_run_group_tests_name("twin/tree_faithful", tests, NULL, NULL);
}
