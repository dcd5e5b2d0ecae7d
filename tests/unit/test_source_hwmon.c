/*
 * test_source_hwmon.c - hwmon: which driver measures what, what nests, moving devices, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/cover.h"
#include "core/track.h"
#include "support/sourced.h"

#define AMD "sys/devices/platform/amd_energy.0/hwmon/hwmon3/"
#define HSMP "sys/devices/platform/amd_hsmp/hwmon/"
#define RADEON "sys/devices/pci0000:00/0000:c1:00.0/"

static int set_up(void **state)
{
	return sourced_set_up(state, &es_source_hwmon);
}

static void amd_energy_has_packages_and_single_cores(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_open(f, "amd-energy");
	assert_int_equal(f->source->n_domains, 10);
	d = sourced_domain(f, "hwmon/amd_energy:package-1");
	assert_int_equal(d->type, ES_DOMAIN_PACKAGE);
	assert_int_equal(d->package, 1);
	assert_int_equal(d->range.modulus_nj, 0); /* 64 bits */
	assert_int_equal(d->kind, ES_KIND_MEASURED);
	assert_false(d->is_partial);
	d = sourced_domain(f, "hwmon/amd_energy:core-7");
	assert_int_equal(d->core, 7);
	assert_true(d->is_partial);
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-1")->value,
			 es_tree_shown_uj(&f->tree.zones[es_tree_find(&f->tree, "package-1")]));
}

static void what_nobody_wants_is_not_read(void **state)
{
	struct sourced *f = *state;
	bool wanted[10] = { false };

	sourced_open(f, "amd-energy");
	wanted[sourced_index(f, "hwmon/amd_energy:package-0")] = true;
	f->ops->want(f->source, wanted);
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, 0);
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:core-0")->error, -ECANCELED);
}

static void graces_rails_are_a_hierarchy(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *module, *grace, *cpu, *io;

	sourced_open(f, "grace");
	module = sourced_domain(f, "hwmon/power_meter:module-1");
	grace = sourced_domain(f, "hwmon/power_meter:package-1");
	cpu = sourced_domain(f, "hwmon/power_meter:core-1");
	io = sourced_domain(f, "hwmon/power_meter:uncore-1");

	assert_int_equal(f->source->n_domains, 8);
	assert_true(es_domain_contains(module, grace) && es_domain_contains(grace, cpu) &&
		    es_domain_contains(grace, io));
	assert_false(es_domain_contains(cpu, io) || es_domain_contains(io, cpu));
	assert_false(es_domain_contains(sourced_domain(f, "hwmon/power_meter:module-0"), grace));
	assert_int_equal(grace->parent, module - f->source->domains);
	assert_int_equal(cpu->parent, grace - f->source->domains);
	assert_true(grace->is_power && grace->kind == ES_KIND_INTEGRATED);
	assert_int_equal(grace->update_period_ns, 50 * ES_NS_PER_MS);
	assert_int_equal(module->limit_mw, 900000);
	assert_int_equal(sourced_read(f, "hwmon/power_meter:core-1")->value, 100000);
}

static void a_single_acpi_meter_is_the_nodes_and_several_are_of_unknown_parts(void **state)
{
	struct sourced *f = *state;
	char path[128];

	sourced_make(f, "grace");
	(void)snprintf(path, sizeof(path), "%s/sys/class/hwmon", f->dir);
	es_tree_remove(path);
	sourced_put(f, "sys/class/hwmon/hwmon0/device/name", "power_meter\n");
	sourced_put(f, "sys/class/hwmon/hwmon0/device/power1_average", "345000400\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_equal(sourced_domain(f, "hwmon/power_meter:node")->type, ES_DOMAIN_NODE);
	assert_int_equal(sourced_read(f, "hwmon/power_meter:node")->value, 345000);
	sourced_put(f, "sys/class/hwmon/hwmon0/device/power1_is_battery", "1\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->domains[0].type, ES_DOMAIN_OTHER);
	sourced_put(f, "sys/class/hwmon/hwmon0/device/power1_is_battery", "0\n");
	sourced_put(f, "sys/class/hwmon/hwmon1/device/name", "power_meter\n");
	sourced_put(f, "sys/class/hwmon/hwmon1/device/power1_average", "1000\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(f->source->domains[i].type == ES_DOMAIN_OTHER &&
			    f->source->domains[i].is_partial);
	assert_string_not_equal(f->source->domains[0].id, f->source->domains[1].id);
}

/* As the kernel prints ACPI's thousandths of a per cent: without leading zeros behind the point. */
static void an_acpi_meter_that_states_its_accuracy_has_it(void **state)
{
	static const struct {
		const char *text;
		uint32_t accuracy_ppm;
	} vectors[] = {
		{ "99.0%\n", 10000 },	 { "97.500%\n", 25000 }, { "99.5%\n", 9950 },
		{ "2.0%\n", 20000 },	 { "0.0%\n", 0 },	 { "100.0%\n", 0 },
		{ "4294967.295%\n", 0 }, { "nothing\n", 0 },	 { "", 0 },
	};
	struct sourced *f = *state;
	char path[128];

	sourced_make(f, "grace");
	(void)snprintf(path, sizeof(path), "%s/sys/class/hwmon", f->dir);
	es_tree_remove(path);
	sourced_put(f, "sys/class/hwmon/hwmon0/device/name", "power_meter\n");
	sourced_put(f, "sys/class/hwmon/hwmon0/device/power1_average", "345000400\n");
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		sourced_put(f, "sys/class/hwmon/hwmon0/device/power1_accuracy", vectors[i].text);
		assert_int_equal(sourced_open_as(f, -1, NULL), 0);
		assert_int_equal(sourced_domain(f, "hwmon/power_meter:node")->accuracy_ppm,
				 vectors[i].accuracy_ppm);
	}
}

static void power9_has_energies_and_their_powers_are_twins(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *node;

	sourced_open(f, "power9");
	node = sourced_domain(f, "hwmon/ibmpowernv:node");
	assert_int_equal(node->type, ES_DOMAIN_NODE);
	assert_true(es_domain_is_twin(node, sourced_domain(f, "hwmon/ibmpowernv:node-power")));
	assert_true(sourced_domain(f, "hwmon/ibmpowernv:node-power")->is_power);
	assert_int_equal(sourced_domain(f, "hwmon/ibmpowernv:dram-0")->type, ES_DOMAIN_DRAM);
	assert_int_equal(sourced_domain(f, "hwmon/ibmpowernv:core-0")->parent,
			 (int32_t)sourced_index(f, "hwmon/ibmpowernv:package-0"));
	assert_true(sourced_domain(f, "hwmon/ibmpowernv:gpus-of-chip-0")->is_partial);
}

static void what_nobody_knows_is_listed_and_in_no_sum(void **state)
{
	struct sourced *f = *state;
	struct es_domain domains[8];

	sourced_make(f, "arm-scmi");
	sourced_put(f, "sys/class/hwmon/hwmon9/name", "ina226\n");
	sourced_put(f, "sys/class/hwmon/hwmon9/power1_input", "1234567\n");
	sourced_put(f, "sys/class/hwmon/hwmon9/power1_label", "VDD/../ \x1b[2J\n");
	sourced_put(f, "sys/class/hwmon/hwmon8/name", "bad name\n");
	sourced_put(f, "sys/class/hwmon/hwmon8/power1_input", "1234567\n");
	sourced_put(f, "sys/class/hwmon/hwmon7/name", "coretemp\n");
	sourced_put(f, "sys/class/hwmon/hwmon7/temp1_input", "42000\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 4);
	assert_int_equal(sourced_read(f, "hwmon/ina226:VDD-..----2J")->value, 1235);
	memcpy(domains, f->source->domains, 4 * sizeof(domains[0]));
	es_cover_judge(domains, 4, NULL);
	es_cover_choose(domains, 4, NULL, ES_PSYS_AUTO);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(domains[i].type, ES_DOMAIN_OTHER);
		assert_false(domains[i].is_chosen || domains[i].is_chosen_total);
		assert_non_null(strstr(domains[i].reason, "not known"));
	}
}

static void intels_cards_contain_their_chips_and_are_read_every_minute(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *card, *chip;
	struct es_plan plan;

	sourced_open(f, "xe-gpu");
	card = sourced_domain(f, "hwmon/xe:gpu-1");
	chip = sourced_domain(f, "hwmon/xe:gpu-1-pkg");
	assert_int_equal(card->type, ES_DOMAIN_GPU);
	assert_string_equal(card->pci, "0000:9a:00.0");
	assert_true(es_domain_contains(card, chip) && !es_domain_contains(chip, card));
	assert_false(es_domain_contains(sourced_domain(f, "hwmon/xe:gpu-0"), chip));
	assert_int_equal(card->limit_mw, 190000);
	assert_int_equal(es_source_hwmon.plan(f->source, &plan), 0);
	assert_true(plan.at_least_ns == 60 * ES_NS_PER_S);
	sourced_open(f, "i915-dg2");
	card = sourced_domain(f, "hwmon/i915:gpu-0");
	assert_true(es_domain_contains(card, sourced_domain(f, "hwmon/i915_gt0:gpu-0-gt0")));
	assert_true(es_domain_contains(card, sourced_domain(f, "hwmon/i915_gt1:gpu-0-gt1")));
	assert_int_equal(es_source_hwmon.plan(f->source, &plan), 0);
	assert_true(plan.at_least_ns == 60 * ES_NS_PER_S);
	sourced_open(f, "grace");
	assert_int_equal(es_source_hwmon.plan(f->source, &plan), 0);
	assert_true(plan.at_least_ns == INT64_MAX && plan.at_most_ns == 50 * ES_NS_PER_MS);
}

static void a_radeon_that_sleeps_is_not_woken(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_make(f, "radeon-asleep");
	sourced_put(f, RADEON "hwmon/hwmon3/power1_average", "garbage\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "hwmon/amdgpu:gpu-0");
	assert_non_null(strstr(d->reason, "asleep"));
	assert_int_equal(d->limit_mw, 0);
	assert_int_equal(sourced_read(f, "hwmon/amdgpu:gpu-0")->error, -ECANCELED);
	sourced_put(f, RADEON "power/runtime_status", "active\n");
	assert_int_equal(sourced_read(f, "hwmon/amdgpu:gpu-0")->error, -EBADMSG);
}

static void an_apu_is_a_module_around_its_package(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "amd-apu");
	assert_int_equal(sourced_domain(f, "hwmon/amdgpu:module-0")->type, ES_DOMAIN_MODULE);
	sourced_open(f, "mi300a-apu");
	assert_int_equal(sourced_domain(f, "hwmon/amdgpu:module-3")->package, 3);
}

static void every_fault_is_an_error_and_named(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;
	char path[128];

	sourced_open(f, "amd-energy");
	f->failing_fd = -1;
	f->failure = EIO;
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -EIO);
	f->failure = ENODATA;
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -ENODATA);
	f->failing_fd = -2;
	sourced_put(f, AMD "energy9_input", "");
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -ENODATA);
	sourced_put(f, AMD "energy9_input", "-5\n");
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -EBADMSG);
	sourced_put(f, AMD "energy9_input", "99999999999999999999\n");
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -ERANGE);
	sourced_put(f, AMD "energy9_input", "abc\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "hwmon/amd_energy:package-0");
	assert_int_equal(d->state, ES_STATE_ABSENT);
	assert_true(d->is_there);
	assert_non_null(strstr(d->reason, "energy9_input"));
	(void)snprintf(path, sizeof(path), "%s/" AMD "energy10_input", f->dir);
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(chown(path, getuid(), getgid()), 0);
	assert_int_equal(sourced_open_as(f, (int64_t)getuid() + 12345, NULL), 0);
	d = sourced_domain(f, "hwmon/amd_energy:package-1");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->fix, "chgrp"));
	sourced_make(f, "skx2s");
	assert_int_equal(sourced_open_as(f, -1, NULL), -ENODEV);
}

/* HSMP's driver has one hwmon for each socket, all of one device: after it is loaded again their order tells them apart. */
static void sockets_of_one_device_stay_apart_under_other_numbers(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "genoa-hsmp");
	assert_int_equal(sourced_domain(f, "hwmon/amd_hsmp_hwmon:package-1")->limit_mw, 400000);
	assert_int_equal(sourced_domain(f, "hwmon/amd_hsmp_hwmon:package-1")->package, 1);
	assert_int_equal(sourced_read(f, "hwmon/amd_hsmp_hwmon:package-1")->value, 100000);
	for (unsigned i = 0; i < 2; i++) {
		char path[200], target[96], text[32];

		(void)snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon%u", f->dir, 3 + i);
		assert_int_equal(unlink(path), 0);
		(void)snprintf(path, sizeof(path), HSMP "hwmon%u/name", 6 + i);
		sourced_put(f, path, "amd_hsmp_hwmon\n");
		(void)snprintf(path, sizeof(path), HSMP "hwmon%u/power1_input", 6 + i);
		(void)snprintf(text, sizeof(text), "%u\n", 111000 * (i + 1));
		sourced_put(f, path, text);
		(void)snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon%u", f->dir, 6 + i);
		(void)snprintf(target, sizeof(target),
			       "../../devices/platform/amd_hsmp/hwmon/hwmon%u", 6 + i);
		assert_int_equal(symlink(target, path), 0);
	}
	f->failing_fd = -1;
	f->failure = ENODEV;
	assert_int_equal(sourced_read(f, "hwmon/amd_hsmp_hwmon:package-1")->error, -ENODEV);
	f->failing_fd = -2;
	usleep(120000);
	(void)sourced_read(f, "hwmon/amd_hsmp_hwmon:package-1");
	assert_int_equal(sourced_read(f, "hwmon/amd_hsmp_hwmon:package-1")->value, 222);
	assert_int_equal(sourced_read(f, "hwmon/amd_hsmp_hwmon:package-0")->value, 111);

	sourced_open(f, "mi300a-hsmp");
	assert_int_equal(sourced_domain(f, "hwmon/amd_hsmp_hwmon:module-3")->type,
			 ES_DOMAIN_MODULE);
}

/* The driver is loaded again: the device is the same, its number is not. */
static void a_device_is_found_again_under_another_number(void **state)
{
	struct sourced *f = *state;
	char from[160], to[160];

	sourced_open(f, "amd-energy");
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, 0);
	(void)snprintf(from, sizeof(from), "%s/sys/class/hwmon/hwmon3", f->dir);
	assert_int_equal(unlink(from), 0);
	(void)snprintf(from, sizeof(from), "%s/sys/devices/platform/amd_energy.0/hwmon/hwmon3",
		       f->dir);
	(void)snprintf(to, sizeof(to), "%s/sys/devices/platform/amd_energy.0/hwmon/hwmon6", f->dir);
	assert_int_equal(rename(from, to), 0);
	/* Another driver has got the number meanwhile. */
	sourced_put(f, "sys/class/hwmon/hwmon4/name", "amd_energy\n");
	sourced_put(f, "sys/class/hwmon/hwmon4/energy9_input", "1\n");
	(void)snprintf(to, sizeof(to), "%s/sys/class/hwmon/hwmon6", f->dir);
	assert_int_equal(symlink("../../devices/platform/amd_energy.0/hwmon/hwmon6", to), 0);
	sourced_put(f, "sys/devices/platform/amd_energy.0/hwmon/hwmon6/energy9_input", "777\n");
	/* What the kernel says of a descriptor whose device is gone. */
	f->failing_fd = -1;
	f->failure = ENODEV;
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, -ENODEV);
	f->failing_fd = -2;
	usleep(120000);
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->error, 0);
	assert_int_equal(sourced_read(f, "hwmon/amd_energy:package-0")->value, 777);
}

static void a_counter_set_back_is_a_reset_and_a_frozen_one_adds_nothing(void **state)
{
	struct sourced *f = *state;
	struct es_track track;
	struct es_sample samples[2];
	size_t zone;

	sourced_open(f, "xe-gpu");
	zone = (size_t)es_tree_find(&f->tree, "gpu-0");
	es_track_init(&track, sourced_domain(f, "hwmon/xe:gpu-0"), 0);
	for (unsigned step = 0; step < 8; step++) {
		const struct es_reading *reading = sourced_read(f, "hwmon/xe:gpu-0");

		assert_int_equal(reading->error, 0);
		(void)es_track_feed(&track, reading->t_ns, reading->value, samples);
		usleep(1000);
		if (step == 3)
			assert_int_equal(es_tree_set(&f->tree, zone, 7), 0);
		else if (step != 1)
			assert_int_equal(es_tree_advance(&f->tree, zone, 1000), 0);
	}
	(void)es_track_finish(&track, samples);
	/* Steps 0 and 2, and 4 to 6: five thousand of 61 µJ. */
	assert_int_equal(track.n_resets, 1);
	assert_true(llabs((int64_t)track.energy_uj - 5 * 61035) < 62 * 2);
	assert_true(track.n_standing >= 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		T(amd_energy_has_packages_and_single_cores),
		T(what_nobody_wants_is_not_read),
		T(graces_rails_are_a_hierarchy),
		T(a_single_acpi_meter_is_the_nodes_and_several_are_of_unknown_parts),
		T(an_acpi_meter_that_states_its_accuracy_has_it),
		T(power9_has_energies_and_their_powers_are_twins),
		T(what_nobody_knows_is_listed_and_in_no_sum),
		T(intels_cards_contain_their_chips_and_are_read_every_minute),
		T(a_radeon_that_sleeps_is_not_woken),
		T(an_apu_is_a_module_around_its_package),
		T(every_fault_is_an_error_and_named),
		T(a_device_is_found_again_under_another_number),
		T(sockets_of_one_device_stay_apart_under_other_numbers),
		T(a_counter_set_back_is_a_reset_and_a_frozen_one_adds_nothing),
	};
#undef T

	return cmocka_run_group_tests_name("source/hwmon", tests, NULL, NULL);
}
