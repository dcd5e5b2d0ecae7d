/*
 * test_cli_settings.c - zone, PUE, period: who wins, and where each was said
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/settings.h"

struct folder {
	char path[64], system[128], user[128];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	snprintf(folder->path, sizeof(folder->path), "/tmp/es-settings-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->system, sizeof(folder->system), "%s/system.yaml", folder->path);
	snprintf(folder->user, sizeof(folder->user), "%s/energyscopium", folder->path);
	assert_int_equal(mkdir(folder->user, 0700), 0);
	snprintf(folder->user, sizeof(folder->user), "%s/energyscopium/energyscopium.yaml",
		 folder->path);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->system);
	unlink(folder->user);
	*strrchr(folder->user, '/') = '\0';
	rmdir(folder->user);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void nothing_set_gives_defaults(void **state)
{
	const struct es_settings_places places = { .system = "/nowhere/a", .user = "/nowhere/b" };
	struct es_settings settings;

	(void)state;
	assert_int_equal(es_settings_load_from(&places, &settings, NULL), 0);

	assert_string_equal(settings.zone, "");
	assert_false(settings.has_pue);
	assert_int_equal(settings.period_ns, 100000000);
	assert_string_equal(settings.out, "energyscopium-out");
	assert_int_equal(settings.psys, ES_PSYS_AUTO);
	assert_string_equal(settings.zone_origin, "default");
	assert_string_equal(settings.out_origin, "default");
}

static void the_users_file_wins_key_by_key_and_the_environment_over_it(void **state)
{
	const struct folder *folder = *state;
	struct es_settings_places places = { .system = folder->system, .user = folder->user };
	struct es_settings settings;
	char origin[200];

	write_file(folder->system, "zone: DE\npue: 1.1\nperiod: 1s\npsys: ignore\n");
	write_file(folder->user, "# mine\nzone: france\nout: /tmp/x y\n");
	assert_int_equal(es_settings_load_from(&places, &settings, NULL), 0);

	assert_string_equal(settings.zone, "FR");
	snprintf(origin, sizeof(origin), "configuration %s:2", folder->user);
	assert_string_equal(settings.zone_origin, origin);
	assert_true(settings.has_pue && settings.pue == 1.1);
	snprintf(origin, sizeof(origin), "configuration %s:2", folder->system);
	assert_string_equal(settings.pue_origin, origin);
	assert_int_equal(settings.period_ns, 1000000000);
	assert_string_equal(settings.out, "/tmp/x y");
	assert_int_equal(settings.psys, ES_PSYS_IGNORE);

	places.zone = "se";
	places.pue = "1.5";
	assert_int_equal(es_settings_load_from(&places, &settings, NULL), 0);
	assert_string_equal(settings.zone, "SE");
	assert_string_equal(settings.zone_origin, "environment ENERGYSCOPIUM_ZONE");
	assert_true(settings.pue == 1.5);
	assert_string_equal(settings.pue_origin, "environment ENERGYSCOPIUM_PUE");
}

static void an_option_wins_over_all(void **state)
{
	const struct es_settings_places places = { .zone = "DE" };
	struct es_settings settings;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_settings_load_from(&places, &settings, NULL), 0);
	assert_int_equal(es_settings_option(&settings, "zone", "FRA", &err), 0);
	assert_string_equal(settings.zone, "FR");
	assert_string_equal(settings.zone_origin, "option --zone");
	assert_int_equal(es_settings_option(&settings, "psys", "trust", &err), 0);
	assert_int_equal(settings.psys, ES_PSYS_TRUST);

	assert_int_equal(es_settings_option(&settings, "zone", "Frnace", &err), -EINVAL);
	assert_string_equal(err.text, "zone 'Frnace' is not known; did you mean 'FR' (France)?");
	assert_int_equal(es_settings_option(&settings, "pue", "0.9", &err), -EINVAL);
	assert_string_equal(err.text, "'pue' is '0.9', must be 1 to 10");
	assert_int_equal(es_settings_option(&settings, "period", "0", &err), -EINVAL);
	assert_int_equal(es_settings_option(&settings, "out", "", &err), -EINVAL);
	assert_int_equal(es_settings_option(&settings, "nothing", "1", &err), -EINVAL);
	assert_string_equal(settings.zone, "FR");
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
	const struct folder *folder = *state;
	const struct es_settings_places places = { .system = folder->system,
						   .user = folder->user,
						   .pue = "none" };
	struct es_settings settings = { .zone = "untouched" };
	struct es_error err = { .code = 0 };
	char says[800];

	write_file(folder->system, "zoen: DE\n");
	write_file(folder->user, "\nzone: Frnace\n");
	assert_int_equal(es_settings_load_from(&places, &settings, &err), -EINVAL);

	snprintf(says, sizeof(says),
		 "%s:1: key 'zoen' is not known; did you mean 'zone'?\n"
		 "environment ENERGYSCOPIUM_PUE: 'pue' is 'none', must be a number\n"
		 "%s:2: zone 'Frnace' is not known; did you mean 'FR' (France)?",
		 folder->system, folder->user);
	assert_string_equal(err.text, says);
	assert_string_equal(settings.zone, "untouched");
}

static void every_mistake_in_a_list_of_meters_is_told(void **state)
{
	const struct folder *folder = *state;
	const struct es_settings_places places = { .user = folder->user };
	struct es_settings settings;
	struct es_error err = { .code = 0 };
	char says[800];

	write_file(folder->user,
		   "meters:\n  - nosuch://a\n  - file:/run/w?unit=W\n  - snmp://b:0/1\n");
	assert_int_equal(es_settings_load_from(&places, &settings, &err), -EINVAL);
	snprintf(says, sizeof(says),
		 "%s:2: meter 'nosuch://a': no meters are named 'nosuch:'; energyscopium-meters(7) "
		 "lists them\n"
		 "%s:2: meter 'snmp://b:0/1': its port is no number of 1 to 65535",
		 folder->user, folder->user);
	assert_string_equal(err.text, says);

	write_file(folder->user, "meters:\n  - file:/run/w?unit=W\n  - \"dcmi:\"\n");
	assert_int_equal(es_settings_load_from(&places, &settings, &err), 0);
	assert_string_equal(settings.meters, "file:/run/w?unit=W\ndcmi:");
}

static void a_named_file_must_exist_and_is_read_alone(void **state)
{
	const struct folder *folder = *state;
	struct es_settings_places places = { .config = folder->user, .system = folder->system };
	struct es_settings settings;
	struct es_error err = { .code = 0 };
	char says[256];

	write_file(folder->system, "zone: DE\n");
	assert_int_equal(es_settings_load_from(&places, &settings, &err), -EINVAL);
	snprintf(says, sizeof(says), "environment ENERGYSCOPIUM_CONFIG: '%s' is not there",
		 folder->user);
	assert_string_equal(err.text, says);

	write_file(folder->user, "pue: 2\n");
	assert_int_equal(es_settings_load_from(&places, &settings, &err), 0);
	assert_string_equal(settings.zone, "");
	assert_true(settings.pue == 2);
}

static void the_environment_names_files_and_values(void **state)
{
	const struct folder *folder = *state;
	struct es_settings settings;
	char origin[200];

	write_file(folder->user, "zone: DE\n");
	unsetenv("ENERGYSCOPIUM_CONFIG");
	setenv("ENERGYSCOPIUM_ZONE", "", 1);
	setenv("ENERGYSCOPIUM_PUE", "3", 1);
	setenv("XDG_CONFIG_HOME", folder->path, 1);
	assert_int_equal(es_settings_load(&settings, NULL), 0);
	assert_string_equal(settings.zone, "DE");
	snprintf(origin, sizeof(origin), "configuration %s:1", folder->user);
	assert_string_equal(settings.zone_origin, origin);
	assert_true(settings.pue == 3);

	setenv("ENERGYSCOPIUM_CONFIG", folder->system, 1);
	assert_int_equal(es_settings_load(&settings, NULL), -EINVAL);
	write_file(folder->system, "zone: IT\n");
	assert_int_equal(es_settings_load(&settings, NULL), 0);
	assert_string_equal(settings.zone, "IT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_set_gives_defaults),
		cmocka_unit_test_setup_teardown(
			the_users_file_wins_key_by_key_and_the_environment_over_it, make_folder,
			remove_folder),
		cmocka_unit_test(an_option_wins_over_all),
		cmocka_unit_test_setup_teardown(all_that_is_wrong_is_told_at_once, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(every_mistake_in_a_list_of_meters_is_told,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_named_file_must_exist_and_is_read_alone,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_environment_names_files_and_values, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests_name("cli/settings", tests, NULL, NULL);
}
