/*
 * test_cli_chain.c - zone, PUE and factor: who wins, and what is said about it
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
#include "cli/chain.h"

struct fixture {
	char path[64];
	struct es_chain chain;
	struct es_meta meta;
	struct es_report_options options;
	struct es_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/es-chain-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	(void)close(fd);
	/* The machine's own settings are not what is tested. */
	assert_int_equal(setenv("ENERGYSCOPIUM_CONFIG", f->path, 1), 0);
	assert_int_equal(unsetenv("ENERGYSCOPIUM_ZONE"), 0);
	assert_int_equal(unsetenv("ENERGYSCOPIUM_PUE"), 0);
	es_meta_init(&f->meta);
	f->meta.virt = ES_VIRT_NONE;
	(void)snprintf(f->meta.country, sizeof(f->meta.country), "FR");
	(void)snprintf(f->meta.timezone, sizeof(f->meta.timezone), "Europe/Paris");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	free(f);
	return 0;
}

static void configure(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void choose(struct fixture *f)
{
	if (es_chain_load(&f->chain, &f->err) < 0 ||
	    es_chain_options(&f->chain, &f->meta, &f->options, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void option_beats_environment_beats_configuration_beats_default(void **state)
{
	struct fixture *f = *state;
	char origin[128];

	choose(f);
	assert_string_equal(f->options.carbon.zone, "FR");
	assert_string_equal(f->options.zone_source, "default: time zone Europe/Paris");
	assert_true(f->options.pue == 1.3);
	assert_string_equal(f->options.pue_source, "default");

	configure(f, "zone: DE\npue: 1.1\n");
	choose(f);
	assert_string_equal(f->options.carbon.zone, "DE");
	assert_true(f->options.pue == 1.1);
	(void)snprintf(origin, sizeof(origin), "configuration %s:1", f->path);
	assert_string_equal(f->options.zone_source, origin);

	assert_int_equal(setenv("ENERGYSCOPIUM_ZONE", "US", 1), 0);
	assert_int_equal(setenv("ENERGYSCOPIUM_PUE", "1.5", 1), 0);
	choose(f);
	assert_string_equal(f->options.carbon.zone, "US");
	assert_string_equal(f->options.zone_source, "environment ENERGYSCOPIUM_ZONE");
	assert_true(f->options.pue == 1.5);
	assert_string_equal(f->options.pue_source, "environment ENERGYSCOPIUM_PUE");

	f->chain.zone = "PL";
	f->chain.pue = "2";
	choose(f);
	assert_string_equal(f->options.carbon.zone, "PL");
	assert_string_equal(f->options.zone_source, "option --zone");
	assert_true(f->options.pue == 2.0);
	assert_string_equal(f->options.pue_source, "option --pue");
}

/* No facility is invented around a notebook, a VM or a container. */
static void pue_is_1_where_there_may_be_no_machine_room(void **state)
{
	static const struct {
		enum es_virt virt;
		bool has_battery;
		double pue;
		const char *source;
	} vectors[] = {
		{ ES_VIRT_NONE, false, 1.3, "default" },
		{ ES_VIRT_UNKNOWN, false, 1.3, "default" },
		{ ES_VIRT_VM, false, 1.0, "default: in a VM" },
		{ ES_VIRT_CONTAINER, false, 1.0, "default: in a container" },
		{ ES_VIRT_NONE, true, 1.0, "default: a machine with a battery" },
		{ ES_VIRT_VM, true, 1.0, "default: a machine with a battery" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		f->meta.virt = vectors[i].virt;
		f->meta.has_battery = vectors[i].has_battery;
		choose(f);
		assert_true(f->options.pue == vectors[i].pue);
		assert_string_equal(f->options.pue_source, vectors[i].source);
	}

	f->chain.pue = "1.4";
	choose(f);
	assert_true(f->options.pue == 1.4);
}

static void a_time_zone_of_no_country_gives_the_world(void **state)
{
	struct fixture *f = *state;

	f->meta.country[0] = '\0';
	(void)snprintf(f->meta.timezone, sizeof(f->meta.timezone), "Etc/UTC");
	choose(f);
	assert_string_equal(f->options.carbon.zone, "WORLD");
	assert_string_equal(f->options.zone_source, "default: time zone Etc/UTC is of no country");

	f->meta.timezone[0] = '\0';
	choose(f);
	assert_string_equal(f->options.zone_source, "default: time zone unknown is of no country");
}

/* Antarctica has time zones and no figure. */
static void a_country_without_a_figure_gives_the_world_and_says_so(void **state)
{
	struct fixture *f = *state;

	(void)snprintf(f->meta.country, sizeof(f->meta.country), "AQ");
	(void)snprintf(f->meta.timezone, sizeof(f->meta.timezone), "Antarctica/Troll");
	choose(f);

	assert_string_equal(f->options.carbon.zone, "WORLD");
	assert_non_null(strstr(f->options.zone_source, "no figure for AQ"));
}

static void the_shipped_factor_carries_its_provenance(void **state)
{
	struct fixture *f = *state;
	char id[64];

	choose(f);

	assert_true(f->options.carbon.g_per_kwh > 1.0 && f->options.carbon.g_per_kwh < 200.0);
	assert_string_equal(f->options.carbon.kind, "average");
	assert_string_equal(f->options.carbon.scope, "lifecycle");
	assert_true(f->options.carbon.year >= 2020);
	(void)snprintf(id, sizeof(id), "ember-FR-%d", f->options.carbon.year);
	assert_string_equal(f->options.carbon.factor_id, id);
	assert_true(f->options.carbon.source[0] != '\0');
}

static void a_named_model_replaces_the_factor(void **state)
{
	struct fixture *f = *state;

	f->chain.carbon = "carbon_model_2024";
	f->chain.model = "joule_model_202203";
	choose(f);

	assert_true(f->options.carbon.g_per_kwh == 50.0);
	assert_string_equal(f->options.carbon.factor_id, "carbon_model_2024-FR");
	assert_string_equal(f->options.model->name, "joule_model_202203");
}

static void a_named_model_without_the_zone_is_refused(void **state)
{
	struct fixture *f = *state;

	f->chain.carbon = "carbon_model_202203";
	f->chain.zone = "US";
	assert_int_equal(es_chain_load(&f->chain, &f->err), 0);
	assert_int_equal(es_chain_options(&f->chain, &f->meta, &f->options, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "no factor for zone US (option --zone)"));
}

static void what_the_command_line_got_wrong_is_told_before_anything_is_measured(void **state)
{
	static const struct {
		const char *zone, *pue, *model, *carbon, *said;
	} vectors[] = {
		{ "Frnace", NULL, NULL, NULL, "did you mean 'FR'" },
		{ NULL, "0.9", NULL, NULL, "pue" },
		{ NULL, "much", NULL, NULL, "pue" },
		{ NULL, NULL, "joule", NULL, "--model 'joule': not known" },
		{ NULL, NULL, NULL, "coal", "--carbon 'coal': not known" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_chain chain = { .zone = vectors[i].zone,
					  .pue = vectors[i].pue,
					  .model = vectors[i].model,
					  .carbon = vectors[i].carbon };

		f->err.text[0] = '\0';
		assert_int_equal(es_chain_load(&chain, &f->err), -EINVAL);
		if (!strstr(f->err.text, vectors[i].said))
			fail_msg("no '%s' in '%s'", vectors[i].said, f->err.text);
	}
}

static void a_wrong_environment_is_told_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("ENERGYSCOPIUM_PUE", "0", 1), 0);
	assert_int_equal(es_chain_load(&f->chain, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "ENERGYSCOPIUM_PUE"));
}

static void psys_follows_the_configuration(void **state)
{
	struct fixture *f = *state;

	choose(f);
	assert_int_equal(f->options.psys, ES_PSYS_AUTO);
	configure(f, "psys: ignore\n");
	choose(f);
	assert_int_equal(f->options.psys, ES_PSYS_IGNORE);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(option_beats_environment_beats_configuration_beats_default),
		TEST(pue_is_1_where_there_may_be_no_machine_room),
		TEST(a_time_zone_of_no_country_gives_the_world),
		TEST(a_country_without_a_figure_gives_the_world_and_says_so),
		TEST(the_shipped_factor_carries_its_provenance),
		TEST(a_named_model_replaces_the_factor),
		TEST(a_named_model_without_the_zone_is_refused),
		TEST(what_the_command_line_got_wrong_is_told_before_anything_is_measured),
		TEST(a_wrong_environment_is_told_too),
		TEST(psys_follows_the_configuration),
	};

	return cmocka_run_group_tests_name("cli/chain", tests, NULL, NULL);
}
