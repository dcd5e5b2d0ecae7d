/*
 * test_machines.c - for each model of a machine: which meters stand for it, and that they say the truth
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/watch.h"
#include "source/source.h"
#include "support/hsmp_file.h"
#include "support/tree.h"
#include "support/tree_models.h"

#define DOMAINS_MAX 64
#define ROWS 40
#define ROW_NS (100 * ES_NS_PER_MS)

#define PACKAGES_2S "powercap/package-0 powercap/dram-0 powercap/package-1 powercap/dram-1"
#define SMPRO \
	"hwmon/smpro:core-0 hwmon/smpro:uncore-0 hwmon/smpro:dram-0-vrd-1 hwmon/smpro:dram-0-vrd-2 hwmon/smpro:rca-0"
#define MI250X "powercap/package-0 amdgpu/gpu-0 amdgpu/gpu-1 amdgpu/gpu-2 amdgpu/gpu-3"
#define REGISTERS_2S "msr/package-0 msr/dram-0 msr/package-1 msr/dram-1"

static const struct {
	const char *model;
	const char *fine, *total; /* ids in the order of the zones */
} covers[] = {
	{ "skx2s", PACKAGES_2S, PACKAGES_2S },
	{ "clx2s", PACKAGES_2S, PACKAGES_2S },
	{ "icx2s", PACKAGES_2S, PACKAGES_2S },
	{ "bdx2s", PACKAGES_2S, PACKAGES_2S },
	{ "old-kernel", PACKAGES_2S, PACKAGES_2S },
	{ "clxap",
	  "powercap/package-0-die-0 powercap/dram-0-die-0 powercap/package-0-die-1 powercap/dram-0-die-1 "
	  "powercap/package-1-die-0 powercap/dram-1-die-0 powercap/package-1-die-1 powercap/dram-1-die-1",
	  "powercap/package-0-die-0 powercap/dram-0-die-0 powercap/package-0-die-1 powercap/dram-0-die-1 "
	  "powercap/package-1-die-0 powercap/dram-1-die-0 powercap/package-1-die-1 powercap/dram-1-die-1" },
	/* Two platform meters may be the same board: none is trusted. */
	{ "spr2s", PACKAGES_2S, PACKAGES_2S },
	{ "spr8s",
	  PACKAGES_2S
	  " powercap/package-2 powercap/dram-2 powercap/package-3 powercap/dram-3 powercap/package-4 "
	  "powercap/dram-4 powercap/package-5 powercap/dram-5 powercap/package-6 powercap/dram-6 "
	  "powercap/package-7 powercap/dram-7",
	  PACKAGES_2S
	  " powercap/package-2 powercap/dram-2 powercap/package-3 powercap/dram-3 powercap/package-4 "
	  "powercap/dram-4 powercap/package-5 powercap/dram-5 powercap/package-6 powercap/dram-6 "
	  "powercap/package-7 powercap/dram-7" },
	{ "gnr-tpmi", PACKAGES_2S, "powercap/psys" },
	{ "client-psys", "powercap/package-0", "powercap/psys" },
	{ "amd1", "powercap/package-0", "powercap/package-0" },
	{ "amd-milan2s", "powercap/package-0 powercap/package-1",
	  "powercap/package-0 powercap/package-1" },
	/* Four dies of each package show one counter: it counts once. */
	{ "amd-zen1-dies", "powercap/package-0-die-0 powercap/package-1-die-0",
	  "powercap/package-0-die-0 powercap/package-1-die-0" },
	{ "hygon1", "powercap/package-0", "powercap/package-0" },
	/* The platform meter of this VM is there and never moves. */
	{ "vm-psys-only", "estimate/node", "estimate/node" },
	{ "no-meter", "estimate/node", "estimate/node" },
	{ "spr2s-msr", REGISTERS_2S, REGISTERS_2S },
	{ "spr8s-msr",
	  REGISTERS_2S
	  " msr/package-2 msr/dram-2 msr/package-3 msr/dram-3 msr/package-4 msr/dram-4 msr/package-5 "
	  "msr/dram-5 msr/package-6 msr/dram-6 msr/package-7 msr/dram-7",
	  REGISTERS_2S
	  " msr/package-2 msr/dram-2 msr/package-3 msr/dram-3 msr/package-4 msr/dram-4 msr/package-5 "
	  "msr/dram-5 msr/package-6 msr/dram-6 msr/package-7 msr/dram-7" },
	{ "skx2s-msr", REGISTERS_2S, REGISTERS_2S },
	{ "skx2s-msr-too", PACKAGES_2S, PACKAGES_2S },
	{ "clxap-msr",
	  "msr/package-0-die-0 msr/dram-0-die-0 msr/package-0-die-1 msr/dram-0-die-1 "
	  "msr/package-1-die-0 msr/dram-1-die-0 msr/package-1-die-1 msr/dram-1-die-1",
	  "msr/package-0-die-0 msr/dram-0-die-0 msr/package-0-die-1 msr/dram-0-die-1 "
	  "msr/package-1-die-0 msr/dram-1-die-0 msr/package-1-die-1 msr/dram-1-die-1" },
	{ "client-msr", "msr/package-0", "msr/psys" },
	{ "amd-milan-msr", "msr/package-0 msr/package-1", "msr/package-0 msr/package-1" },
	{ "amd-zen1-msr-too", "powercap/package-0-die-0", "powercap/package-0-die-0" },
	{ "hygon-msr", "msr/package-0", "msr/package-0" },
	{ "vm-msr-zeros", "estimate/node", "estimate/node" },
	{ "vm-msr-broken", "estimate/node", "estimate/node" },
	{ "amd-energy", "hwmon/amd_energy:package-0 hwmon/amd_energy:package-1",
	  "hwmon/amd_energy:package-0 hwmon/amd_energy:package-1" },
	{ "grace", "hwmon/power_meter:package-0 hwmon/power_meter:package-1",
	  "hwmon/power_meter:module-0 hwmon/power_meter:module-1" },
	{ "altra", SMPRO, SMPRO },
	{ "power9", "hwmon/ibmpowernv:package-0 hwmon/ibmpowernv:dram-0", "hwmon/ibmpowernv:node" },
	{ "arm-scmi", "estimate/node", "estimate/node" },
	{ "xe-gpu", "powercap/package-0 hwmon/xe:gpu-0 hwmon/xe:gpu-1",
	  "powercap/package-0 hwmon/xe:gpu-0 hwmon/xe:gpu-1" },
	{ "i915-dg2", "powercap/package-0 hwmon/i915:gpu-0",
	  "powercap/package-0 hwmon/i915:gpu-0" },
	{ "mi250x", MI250X, MI250X },
	{ "mi300a-apu",
	  "powercap/package-0 powercap/package-1 powercap/package-2 powercap/package-3",
	  "amdgpu/module-0 amdgpu/module-1 amdgpu/module-2 amdgpu/module-3" },
	/* Four sockets by powercap, amdgpu, its hwmon, HSMP's tables and its hwmon: each joule once. */
	{ "mi300a-hsmp",
	  "powercap/package-0 powercap/package-1 powercap/package-2 powercap/package-3",
	  "amdgpu/module-0 amdgpu/module-1 amdgpu/module-2 amdgpu/module-3" },
	{ "genoa-hsmp", "hsmp/package-0 hsmp/package-1", "hsmp/package-0 hsmp/package-1" },
	{ "milan-hsmp", "hsmp/package-0 hsmp/package-1", "hsmp/package-0 hsmp/package-1" },
	{ "amd-apu", "powercap/package-0", "hwmon/amdgpu:module-0" },
	{ "radeon-asleep", "powercap/package-0", "powercap/package-0" },
	{ "cray-ex-amd",
	  "powercap/package-0 powercap/package-1 cray/dram cray/gpu-0 cray/gpu-1 cray/gpu-2 cray/gpu-3",
	  "cray/node" },
	{ "cray-xc-old", "cray/package cray/dram", "cray/node" },
	{ "cray-broken", "cray/package cray/gpu-0", "cray/package cray/gpu-0" },
};

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_source *sources[16];
	size_t n_sources;
	struct es_domain domains[DOMAINS_MAX];
	size_t n;
	struct es_watch watch;
	struct es_evidence evidence[DOMAINS_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->root.fd = -1;
	*state = f;
	return 0;
}

static void shut(struct fixture *f)
{
	es_watch_finish(&f->watch);
	for (size_t i = 0; i < f->n_sources; i++)
		f->sources[i]->ops->close(f->sources[i]);
	f->n_sources = 0;
	f->n = 0;
	es_tree_close(&f->tree);
	es_root_close(&f->root);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	shut(f);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static int answer(void *arg, int fd, unsigned long request, void *data)
{
	(void)arg;
	return hsmp_file_answer(fd, request, data);
}

static void open_all(struct fixture *f)
{
	const struct es_source_ops *ops;

	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->root.device_ioctl = answer;
	for (size_t i = 0; (ops = es_registry_at(i)); i++) {
		struct es_source *source;

		if (!ops->open || ops->open(&f->root, &source, NULL) < 0)
			continue;
		for (size_t j = 0; j < source->n_domains; j++) {
			assert_true(f->n + j < DOMAINS_MAX);
			f->domains[f->n + j] = source->domains[j];
			if (source->domains[j].parent >= 0)
				f->domains[f->n + j].parent += (int32_t)f->n;
		}
		f->n += source->n_domains;
		f->sources[f->n_sources++] = source;
	}
	assert_int_equal(es_watch_init(&f->watch, f->domains, f->n, ROW_NS), 0);
}

static void read_row(struct fixture *f, int64_t t_ns)
{
	size_t first = 0;

	for (size_t i = 0; i < f->n_sources; i++) {
		const struct es_source_ops *ops = f->sources[i]->ops;
		struct es_reading readings[DOMAINS_MAX];

		if (ops->ask) {
			ops->ask(f->sources[i]);
			assert_int_equal(ops->wait(f->sources[i], 60 * ES_NS_PER_S), 0);
		}
		assert_int_equal(ops->read(f->sources[i], readings, DOMAINS_MAX), 0);
		for (size_t j = 0; j < f->sources[i]->n_domains; j++)
			if (readings[j].error == 0)
				es_watch_reading(&f->watch, first + j, t_ns, readings[j].value,
						 readings[j].activity_ns);
		first += f->sources[i]->n_domains;
	}
	es_watch_row(&f->watch);
}

/* 100 ms of a machine at work: every part at a power of its own, platform meters at the sum and a fifth. */
static void work(struct fixture *f, unsigned row)
{
	uint64_t board_uj = 0;

	for (size_t i = 0; i < f->tree.n; i++) {
		struct es_tree_zone *zone = &f->tree.zones[i];
		bool is_memory = strncmp(zone->key, "dram", 4) == 0;
		bool is_node = strcmp(zone->key, "node") == 0; /* more than all its parts */
		uint64_t power_mw = (is_memory ? 20000
				     : is_node ? 3000000
					       : 150000) +
				    1000 * i + 3571 * (row * (i + 1) % 7);
		uint64_t steps = power_mw * 100 * zone->den / zone->num;

		if (zone->role != ES_TREE_PART)
			continue;
		assert_int_equal(es_tree_advance(&f->tree, i, steps), 0);
		if (is_memory || strncmp(zone->key, "package", 7) == 0 ||
		    strncmp(zone->key, "gpu", 3) == 0)
			board_uj += es_tree_energy_uj(zone, steps);
	}
	for (size_t i = 0; i < f->tree.n; i++)
		if (f->tree.zones[i].role == ES_TREE_PSYS)
			assert_int_equal(es_tree_advance(&f->tree, i,
							 board_uj * 6 / 5 * f->tree.zones[i].den /
									 f->tree.zones[i].num +
								 1),
					 0);
}

static void run_model(struct fixture *f, const char *model, bool is_near_wrap)
{
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
	for (size_t i = 0; is_near_wrap && i < f->tree.n; i++)
		if (f->tree.zones[i].role != ES_TREE_DEAD)
			assert_int_equal(es_tree_set(&f->tree, i, 0xffffffff - 1000), 0);
	open_all(f);
	for (unsigned row = 0; row < ROWS; row++) {
		read_row(f, ES_NS_PER_S + row * ROW_NS);
		if (row + 1 < ROWS)
			work(f, row);
	}
	es_watch_end(&f->watch);
	es_watch_evidence(&f->watch, 2, 1, true, f->evidence);
	es_cover_judge(f->domains, f->n, f->evidence);
	es_cover_choose(f->domains, f->n, f->evidence, ES_PSYS_AUTO);
}

static void join(const struct fixture *f, bool is_total, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->n; i++)
		if (is_total ? f->domains[i].is_chosen_total : f->domains[i].is_chosen)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " " : "",
					      f->domains[i].id);
}

static void the_covers_of_every_model_are_what_they_should_be(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		char fine[2048], total[2048];

		run_model(f, covers[i].model, false);
		join(f, false, fine, sizeof(fine));
		join(f, true, total, sizeof(total));
		if (strcmp(fine, covers[i].fine) != 0 || strcmp(total, covers[i].total) != 0)
			fail_msg("%s: fine '%s', total '%s'", covers[i].model, fine, total);
		shut(f);
	}
}

static void every_model_has_its_covers_here(void **state)
{
	(void)state;
	for (size_t i = 0; es_tree_model_at(i); i++) {
		bool is_known = false;

		for (size_t j = 0; j < sizeof(covers) / sizeof(covers[0]); j++)
			is_known = is_known || strcmp(covers[j].model, es_tree_model_at(i)) == 0;
		if (!is_known)
			fail_msg("%s", es_tree_model_at(i));
	}
}

/* The zone or the register behind a domain; -1: none. A register beside a zone follows it, in a unit of its own. */
static int find_counter(const struct es_tree *tree, const struct es_domain *domain)
{
	bool is_register = strcmp(domain->source, "msr") == 0;
	const char *key = strchr(domain->id, '/') + 1;
	size_t n = strlen(key);

	for (size_t i = 0; i < tree->n; i++)
		if ((tree->zones[i].form == ES_TREE_REGISTER) == is_register &&
		    strncmp(tree->zones[i].key, key, n) == 0 &&
		    (tree->zones[i].key[n] == '\0' || tree->zones[i].key[n] == '@'))
			return (int)i;
	return -1;
}

/* What a chosen domain shows, and what its zone was moved by. */
static void check_truth(struct fixture *f, const char *model)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct es_track *track = &f->watch.tracks[i];
		int zone = find_counter(&f->tree, &f->domains[i]);
		uint64_t truth_uj, unit_uj;

		if (strcmp(f->domains[i].source, "estimate") == 0 || zone < 0)
			continue;
		truth_uj = es_tree_energy_uj(&f->tree.zones[zone], f->tree.zones[zone].n_steps);
		unit_uj = f->tree.zones[zone].num / f->tree.zones[zone].den + 1;
		if (track->energy_uj + unit_uj < truth_uj ||
		    track->energy_uj > truth_uj + unit_uj || track->n_gaps > 0)
			fail_msg("%s: %s shows %llu µJ, truth %llu µJ", model, f->domains[i].id,
				 (unsigned long long)track->energy_uj,
				 (unsigned long long)truth_uj);
	}
}

static void counters_near_their_wrap_say_the_truth_to_one_raw_unit(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		unsigned n_wrapped = 0;

		/* The other meters do not wrap at 32 bits, or show no counter: their own tests have them. */
		if (es_tree_model_find(covers[i].model)->meters != ES_TREE_NO_METERS)
			continue;
		run_model(f, covers[i].model, true);
		check_truth(f, covers[i].model);
		for (size_t j = 0; j < f->n; j++)
			n_wrapped += f->watch.tracks[j].n_wraps == 1;
		assert_true(n_wrapped > 0 || strcmp(covers[i].fine, "estimate/node") == 0);
		shut(f);
	}
}

static const struct es_domain *find(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->domains[i].id, id) == 0)
			return &f->domains[i];
	fail_msg("no domain '%s'", id);
	return NULL;
}

static void what_is_left_out_says_why(void **state)
{
	struct fixture *f = *state;

	run_model(f, "client-psys", false);
	assert_int_equal(find(f, "powercap/intel-rapl-mmio:package-0")->state, ES_STATE_DUPLICATE);
	assert_non_null(strstr(find(f, "powercap/core-0")->reason, "powercap/package-0"));
	assert_non_null(strstr(find(f, "estimate/node")->reason, "not needed"));
	shut(f);
	run_model(f, "spr2s", false);
	assert_non_null(strstr(find(f, "powercap/psys-1")->reason, "several psys"));
	shut(f);
	run_model(f, "amd-zen1-dies", false);
	assert_int_equal(find(f, "powercap/package-1-die-3")->state, ES_STATE_DUPLICATE);
	assert_non_null(
		strstr(find(f, "powercap/package-1-die-3")->reason, "powercap/package-1-die-0"));
	assert_non_null(strstr(find(f, "powercap/core-0-die-0")->reason, "one core only"));
	shut(f);
	run_model(f, "vm-psys-only", false);
	assert_int_equal(find(f, "powercap/psys")->state, ES_STATE_DEAD);
	assert_non_null(strstr(find(f, "powercap/psys")->reason, "dead"));
	shut(f);
	run_model(f, "skx2s-msr-too", false);
	assert_int_equal(find(f, "msr/package-1")->state, ES_STATE_DUPLICATE);
	assert_non_null(strstr(find(f, "msr/dram-1")->reason, "powercap/dram-1"));
	shut(f);
	run_model(f, "amd-zen1-msr-too", false);
	assert_int_equal(find(f, "msr/package-0")->state, ES_STATE_DUPLICATE);
	assert_non_null(strstr(find(f, "msr/core-0-cpu-7")->reason, "one core only"));
	shut(f);
	run_model(f, "vm-msr-zeros", false);
	assert_int_equal(find(f, "msr/package-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(find(f, "msr/package-0")->reason, "host"));
	shut(f);
	run_model(f, "vm-msr-broken", false);
	assert_int_equal(find(f, "msr/package-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(find(f, "msr/package-0")->reason, "cannot be read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_covers_of_every_model_are_what_they_should_be,
						set_up, tear_down),
		cmocka_unit_test(every_model_has_its_covers_here),
		cmocka_unit_test_setup_teardown(
			counters_near_their_wrap_say_the_truth_to_one_raw_unit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_left_out_says_why, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("machines", tests, NULL, NULL);
}
