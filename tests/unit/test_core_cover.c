/*
 * test_core_cover.c - which domains stand for a node, and which would count twice
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "core/cover.h"

#define MAX 16

/** struct node - domains of one node with what was seen of them */
struct node {
	struct es_domain domains[MAX];
	struct es_evidence evidence[MAX];
	size_t n;
};

static size_t add(struct node *node, const char *source, enum es_domain_type type, int32_t package,
		  int32_t die, uint64_t energy_uj)
{
	size_t i = node->n++;

	assert_true(i < MAX);
	es_domain_init(&node->domains[i], source, type, package, die);
	node->evidence[i] = (struct es_evidence){
		.was_watched = true,
		.has_moved = energy_uj > 0,
		.was_busy = true,
		.energy_uj = energy_uj,
		.mirrors = -1,
	};
	return i;
}

static void settle(struct node *node, enum es_psys_policy policy)
{
	es_cover_judge(node->domains, node->n, node->evidence);
	es_cover_choose(node->domains, node->n, node->evidence, policy);
}

static bool is_fine(const struct node *node, size_t i)
{
	return node->domains[i].is_chosen;
}

static bool is_total(const struct node *node, size_t i)
{
	return node->domains[i].is_chosen_total;
}

static void a_meter_that_stood_still_beside_a_busy_cpu_is_dead(void **state)
{
	struct node node = { .n = 0 };
	size_t dead = add(&node, "perf", ES_DOMAIN_PACKAGE, 0, -1, 0);
	size_t idle = add(&node, "perf", ES_DOMAIN_PACKAGE, 1, -1, 0);
	size_t unseen = add(&node, "perf", ES_DOMAIN_PACKAGE, 2, -1, 0);

	(void)state;
	node.evidence[idle].was_busy = false;
	node.evidence[unseen].was_watched = false;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[dead].state, ES_STATE_DEAD);
	assert_int_equal(node.domains[idle].state, ES_STATE_UNPROVEN);
	assert_int_equal(node.domains[unseen].state, ES_STATE_UNPROVEN);
	assert_false(is_fine(&node, dead));
	assert_true(is_fine(&node, unseen));
}

static void a_power_that_stays_the_same_is_fine_and_one_of_0_watts_is_no_meter(void **state)
{
	struct node node = { .n = 0 };
	size_t steady = add(&node, "hwmon", ES_DOMAIN_PACKAGE, 0, -1, 500);
	size_t none = add(&node, "hwmon", ES_DOMAIN_PACKAGE, 1, -1, 0);

	(void)state;
	node.domains[steady].is_power = node.domains[none].is_power = true;
	node.evidence[steady].has_moved = false;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[steady].state, ES_STATE_OK);
	assert_int_equal(node.domains[none].state, ES_STATE_DEAD);
	assert_false(is_fine(&node, none));
}

static void denied_and_absent_domains_stay_so(void **state)
{
	struct node node = { .n = 0 };
	size_t denied = add(&node, "perf", ES_DOMAIN_PACKAGE, 0, -1, 0);
	size_t absent = add(&node, "perf", ES_DOMAIN_DRAM, 0, -1, 0);

	(void)state;
	node.domains[denied].state = ES_STATE_DENIED;
	node.domains[absent].state = ES_STATE_ABSENT;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[denied].state, ES_STATE_DENIED);
	assert_int_equal(node.domains[absent].state, ES_STATE_ABSENT);
	assert_false(is_fine(&node, denied) || is_total(&node, denied) || is_fine(&node, absent));
}

static void of_twins_the_first_that_moves_is_kept(void **state)
{
	struct node node = { .n = 0 };
	size_t dead = add(&node, "perf", ES_DOMAIN_PACKAGE, 0, -1, 0);
	size_t first = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 100);
	size_t second = add(&node, "msr", ES_DOMAIN_PACKAGE, 0, -1, 100);

	(void)state;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[dead].state, ES_STATE_DEAD);
	assert_int_equal(node.domains[first].state, ES_STATE_OK);
	assert_int_equal(node.domains[second].state, ES_STATE_DUPLICATE);
	assert_int_equal(node.domains[second].duplicate_of, first);
	assert_true(is_fine(&node, first) && is_total(&node, first) && !is_fine(&node, second));
}

static void of_twins_that_move_a_counter_is_kept_before_powers(void **state)
{
	struct node node = { .n = 0 };
	size_t power = add(&node, "hsmp", ES_DOMAIN_PACKAGE, 0, -1, 100);
	size_t counter = add(&node, "hwmon", ES_DOMAIN_PACKAGE, 0, -1, 100);
	size_t still = add(&node, "hsmp", ES_DOMAIN_PACKAGE, 1, -1, 100);
	size_t dead = add(&node, "hwmon", ES_DOMAIN_PACKAGE, 1, -1, 0);

	(void)state;
	node.domains[power].kind = node.domains[still].kind = ES_KIND_INTEGRATED;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[power].state, ES_STATE_DUPLICATE);
	assert_int_equal(node.domains[power].duplicate_of, counter);
	assert_true(is_fine(&node, counter) && is_fine(&node, still) && !is_fine(&node, dead));
}

static void
a_counter_of_large_steps_is_neither_kept_before_powers_nor_dead_in_a_short_time(void **state)
{
	struct node node = { .n = 0 };
	size_t coarse = add(&node, "snmp", ES_DOMAIN_NODE, -1, -1, 2000000);
	size_t power = add(&node, "redfish", ES_DOMAIN_NODE, -1, -1, 2000000);
	struct node alone = { .n = 0 };
	size_t still = add(&alone, "snmp", ES_DOMAIN_NODE, -1, -1, 0);

	(void)state;
	node.domains[power].kind = ES_KIND_INTEGRATED;
	node.domains[power].is_power = true;
	node.domains[coarse].range.unit_nj = 3600000000000000; /* 1 kWh */
	alone.domains[still].range.unit_nj = 360000000000000; /* 0.1 kWh */
	settle(&node, ES_PSYS_AUTO);
	settle(&alone, ES_PSYS_AUTO);

	assert_true(is_total(&node, power) && !is_total(&node, coarse));
	assert_non_null(strstr(node.domains[coarse].reason, "another meter of the same part"));
	assert_int_equal(alone.domains[still].state, ES_STATE_UNPROVEN);
	assert_non_null(strstr(alone.domains[still].reason, "one step"));

	/* In days it has shown many steps. */
	node = (struct node){ .n = 0 };
	coarse = add(&node, "snmp", ES_DOMAIN_NODE, -1, -1, 2000000);
	power = add(&node, "redfish", ES_DOMAIN_NODE, -1, -1, 2000000);
	node.domains[power].kind = ES_KIND_INTEGRATED;
	node.domains[power].is_power = true;
	node.domains[coarse].range.unit_nj = 3600000000000; /* 1 Wh of some 2 MJ */
	node.evidence[coarse].energy_uj = node.evidence[power].energy_uj = 2000000000000;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_total(&node, coarse));
}

static void a_denied_twin_hides_nothing(void **state)
{
	struct node node = { .n = 0 };
	size_t denied = add(&node, "perf", ES_DOMAIN_PACKAGE, 0, -1, 0);
	size_t good = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 100);

	(void)state;
	node.domains[denied].state = ES_STATE_DENIED;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[good].state, ES_STATE_OK);
	assert_true(is_fine(&node, good));
}

static void mirrored_dies_count_once_and_real_dies_each(void **state)
{
	struct node node = { .n = 0 };
	size_t die0 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 0, 68);
	size_t die1 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 1, 68);
	size_t real0 = add(&node, "powercap", ES_DOMAIN_DIE, 1, 0, 68);
	size_t real1 = add(&node, "powercap", ES_DOMAIN_DIE, 1, 1, 50);

	(void)state;
	for (size_t i = 0; i < node.n; i++)
		node.domains[i].may_mirror = true;
	node.evidence[die1].mirrors = (int32_t)die0;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[die1].state, ES_STATE_DUPLICATE);
	assert_int_equal(node.domains[die1].duplicate_of, die0);
	assert_true(is_fine(&node, die0) && !is_fine(&node, die1));
	assert_true(is_fine(&node, real0) && is_fine(&node, real1));
}

static void equal_dies_of_other_vendors_are_no_mirrors(void **state)
{
	struct node node = { .n = 0 };
	size_t die0 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 0, 68);
	size_t die1 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 1, 68);

	(void)state;
	node.evidence[die1].mirrors = (int32_t)die0;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_fine(&node, die0) && is_fine(&node, die1));
}

static void unwatched_dies_that_can_be_mirrors_are_taken_for_them(void **state)
{
	struct node node = { .n = 0 };
	size_t die0 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 0, 0);
	size_t die1 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 1, 0);

	(void)state;
	node.domains[die1].may_mirror = true;
	es_cover_judge(node.domains, node.n, NULL);
	es_cover_choose(node.domains, node.n, NULL, ES_PSYS_AUTO);

	assert_true(is_fine(&node, die0) && !is_fine(&node, die1));
}

static void a_package_beside_one_mirrored_die_is_the_same_counter(void **state)
{
	struct node node = { .n = 0 };
	size_t die0 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 0, 68);
	size_t die1 = add(&node, "powercap", ES_DOMAIN_DIE, 0, 1, 68);
	size_t real0 = add(&node, "powercap", ES_DOMAIN_DIE, 1, 0, 68);
	size_t real1 = add(&node, "powercap", ES_DOMAIN_DIE, 1, 1, 50);
	size_t package0 = add(&node, "msr", ES_DOMAIN_PACKAGE, 0, -1, 68);
	size_t package1 = add(&node, "msr", ES_DOMAIN_PACKAGE, 1, -1, 118);

	(void)state;
	for (size_t i = 0; i < package0; i++)
		node.domains[i].may_mirror = true;
	node.evidence[die1].mirrors = (int32_t)die0;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[package0].state, ES_STATE_DUPLICATE);
	assert_int_equal(node.domains[package0].duplicate_of, die0);
	assert_true(is_fine(&node, die0) && !is_fine(&node, package0));
	assert_int_equal(node.domains[package1].state, ES_STATE_OK);
	assert_true(is_fine(&node, real0) && is_fine(&node, real1) && !is_fine(&node, package1));
}

static void one_platform_meter_that_holds_its_parts_is_the_total(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t dram = add(&node, "powercap", ES_DOMAIN_DRAM, 0, -1, 200);
	size_t psys = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 1500);

	(void)state;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_fine(&node, package) && is_fine(&node, dram) && !is_fine(&node, psys));
	assert_true(is_total(&node, psys) && !is_total(&node, package) && !is_total(&node, dram));
}

static void a_platform_meter_that_shows_less_than_its_parts_is_not_trusted(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000000);
	size_t psys = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 900000);

	(void)state;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_total(&node, package) && !is_total(&node, psys));
	assert_non_null(strstr(node.domains[psys].reason, "less than the parts"));
}

/* A management controller that averages over a minute, or reads 11 % low, beside parts that draw more than it shows. */
static void a_node_meter_that_shows_less_than_its_parts_is_not_trusted(void **state)
{
	static const struct {
		uint64_t node_uj;
		int64_t node_ns;
		uint32_t accuracy_ppm;
		bool is_trusted;
	} vectors[] = {
		{ 900000000, 10000000000, 0, false }, /* 90 W, parts 100 W */
		{ 980500000, 10000000000, 0, true }, /* 1.95 % less: read at other times */
		{ 960000000, 10000000000, 0, false },
		{ 960000000, 10000000000, 50000, true }, /* its maker allows it 5 % */
		{ 480000000, 4000000000, 0, true }, /* read for 4 s only: 120 W */
		{ 1500000000, 10000000000, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct node node = { .n = 0 };
		size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000000000);
		size_t bmc = add(&node, "dcmi", ES_DOMAIN_NODE, -1, -1, vectors[i].node_uj);

		node.domains[bmc].is_power = true;
		node.domains[bmc].accuracy_ppm = vectors[i].accuracy_ppm;
		node.evidence[package].covered_ns = 10000000000;
		node.evidence[bmc].covered_ns = vectors[i].node_ns;
		settle(&node, ES_PSYS_AUTO);

		assert_int_equal(is_total(&node, bmc), vectors[i].is_trusted);
		assert_int_equal(is_total(&node, package), !vectors[i].is_trusted);
		assert_int_equal(node.domains[bmc].reason[0] == 0, vectors[i].is_trusted);
	}
}

static void a_node_meter_that_stands_while_its_parts_move_is_stale(void **state)
{
	static const struct {
		uint64_t swing_mw;
		bool has_moved, is_trusted;
	} vectors[] = { { 40000, false, false },
			{ 40000, true, true },
			{ 4000, false, true },
			{ 0, false, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct node node = { .n = 0 };
		size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 6000000000);
		size_t bmc = add(&node, "redfish", ES_DOMAIN_NODE, -1, -1, 15000000000);

		node.domains[bmc].is_power = true;
		node.evidence[package].covered_ns = node.evidence[bmc].covered_ns = 60000000000;
		node.evidence[package].swing_mw = vectors[i].swing_mw;
		node.evidence[bmc].has_moved = vectors[i].has_moved;
		settle(&node, ES_PSYS_AUTO);

		assert_int_equal(is_total(&node, bmc), vectors[i].is_trusted);
		if (!vectors[i].is_trusted)
			assert_non_null(strstr(node.domains[bmc].reason, "stale"));
	}
}

static void another_node_meter_stands_in_for_one_that_is_wrong(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000000000);
	size_t bmc = add(&node, "dcmi", ES_DOMAIN_NODE, -1, -1, 500000000);
	size_t wattmeter = add(&node, "file", ES_DOMAIN_NODE, -1, -1, 2000000000);

	(void)state;
	for (size_t i = 0; i < node.n; i++)
		node.evidence[i].covered_ns = 10000000000;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_total(&node, wattmeter) && !is_total(&node, bmc) &&
		    !is_total(&node, package));
	assert_int_equal(node.domains[wattmeter].state, ES_STATE_OK);
	assert_int_equal(node.domains[wattmeter].duplicate_of, -1);
	assert_non_null(strstr(node.domains[bmc].reason, "less than the parts"));
}

static size_t add_feed(struct node *node, int32_t number, uint64_t energy_uj)
{
	size_t i = add(node, "snmp", ES_DOMAIN_NODE, -1, -1, energy_uj);

	node->domains[i].core = number;
	node->evidence[i].covered_ns = 10000000000;
	return i;
}

static void the_feeds_of_a_node_are_added_up_or_none_is_taken(void **state)
{
	static const struct {
		uint64_t a_uj, b_uj;
		bool is_lost; /* the second one */
		bool is_trusted;
	} vectors[] = {
		{ 700000000, 800000000, false, true }, /* 70 and 80 W, parts 100 W */
		{ 700000000, 800000000, true, false },
		{ 300000000, 400000000, false, false }, /* less than the parts together */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct node node = { .n = 0 };
		size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000000000);
		size_t a = add_feed(&node, 0, vectors[i].a_uj);
		size_t b = add_feed(&node, 1, vectors[i].b_uj);

		node.evidence[package].covered_ns = 10000000000;
		if (vectors[i].is_lost)
			node.domains[b].state = ES_STATE_ABSENT;
		settle(&node, ES_PSYS_AUTO);

		assert_int_equal(is_total(&node, a), vectors[i].is_trusted);
		assert_int_equal(is_total(&node, b), vectors[i].is_trusted);
		assert_int_equal(is_total(&node, package), !vectors[i].is_trusted);
		assert_int_equal(node.domains[a].reason[0] == 0, vectors[i].is_trusted);
	}
}

static void one_feed_alone_is_no_node(void **state)
{
	struct node node = { .n = 0 };
	size_t a = add_feed(&node, 0, 700000000), b = add_feed(&node, 1, 0);
	size_t estimate = add(&node, "estimate", ES_DOMAIN_NODE, -1, -1, 1000000000);

	(void)state;
	node.domains[estimate].kind = ES_KIND_ESTIMATED;
	node.domains[b].state = ES_STATE_DENIED;
	settle(&node, ES_PSYS_AUTO);

	assert_true(!is_total(&node, a) && !is_fine(&node, a) && is_total(&node, estimate));
	assert_non_null(strstr(node.domains[a].reason, "one feed of the node"));
}

static void a_meter_of_the_node_is_not_added_to_its_feeds(void **state)
{
	struct node node = { .n = 0 };
	size_t bmc = add(&node, "dcmi", ES_DOMAIN_NODE, -1, -1, 1500000000);
	size_t a = add_feed(&node, 0, 700000000), b = add_feed(&node, 1, 800000000);

	(void)state;
	node.evidence[bmc].covered_ns = 10000000000;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_total(&node, bmc) && !is_total(&node, a) && !is_total(&node, b));
	assert_true(is_fine(&node, bmc) && !is_fine(&node, a) && !is_fine(&node, b));
}

static void several_platform_meters_are_trusted_only_on_request(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t psys0 = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 1500);
	size_t psys1 = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 1500);

	(void)state;
	(void)snprintf(node.domains[psys1].name, sizeof(node.domains[psys1].name), "psys-1");
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, package) && !is_total(&node, psys0) && !is_total(&node, psys1));

	settle(&node, ES_PSYS_TRUST);
	assert_true(!is_total(&node, package) && is_total(&node, psys0) && is_total(&node, psys1));

	settle(&node, ES_PSYS_IGNORE);
	assert_true(is_total(&node, package) && !is_total(&node, psys0));
}

static void a_standing_platform_meter_does_not_hide_packages(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 50);
	size_t psys = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 0);

	(void)state;
	settle(&node, ES_PSYS_TRUST);

	assert_int_equal(node.domains[psys].state, ES_STATE_DEAD);
	assert_true(is_fine(&node, package) && is_total(&node, package) && !is_total(&node, psys));
}

static void parts_of_a_package_are_not_added_to_it(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t core = add(&node, "powercap", ES_DOMAIN_CORE, 0, -1, 700);
	size_t uncore = add(&node, "powercap", ES_DOMAIN_UNCORE, 0, -1, 100);

	(void)state;
	settle(&node, ES_PSYS_AUTO);

	assert_true(is_fine(&node, package) && !is_fine(&node, core) && !is_fine(&node, uncore));
	assert_non_null(strstr(node.domains[core].reason, "powercap/package-0"));
}

static void one_core_never_stands_for_a_package(void **state)
{
	struct node node = { .n = 0 };
	size_t core = add(&node, "powercap", ES_DOMAIN_CORE, 0, -1, 10);
	size_t estimate = add(&node, "estimate", ES_DOMAIN_NODE, -1, -1, 100);

	(void)state;
	node.domains[core].is_partial = true;
	node.domains[estimate].kind = ES_KIND_ESTIMATED;
	settle(&node, ES_PSYS_AUTO);

	assert_false(is_fine(&node, core) || is_total(&node, core));
	assert_true(is_fine(&node, estimate) && is_total(&node, estimate));
}

static void an_estimate_stands_only_where_no_meter_does(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t estimate = add(&node, "estimate", ES_DOMAIN_NODE, -1, -1, 3000);

	(void)state;
	node.domains[estimate].kind = ES_KIND_ESTIMATED;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_fine(&node, package) && is_total(&node, package));
	assert_false(is_fine(&node, estimate) || is_total(&node, estimate));

	node.evidence[package].has_moved = false;
	node.domains[package].state = ES_STATE_UNPROVEN;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_fine(&node, estimate) && is_total(&node, estimate));
}

/* CPU time says nothing about them: leaving them out would lose most of the node. */
static void gpus_stand_beside_an_estimate(void **state)
{
	struct node node = { .n = 0 };
	size_t gpus[] = { add(&node, "nvml", ES_DOMAIN_GPU, 0, -1, 1000),
			  add(&node, "nvml", ES_DOMAIN_GPU, 1, -1, 2000) };
	size_t estimate = add(&node, "estimate", ES_DOMAIN_NODE, -1, -1, 3000);

	(void)state;
	node.domains[estimate].kind = ES_KIND_ESTIMATED;
	settle(&node, ES_PSYS_AUTO);
	for (size_t i = 0; i < 2; i++)
		assert_true(is_fine(&node, gpus[i]) && is_total(&node, gpus[i]));
	assert_true(is_fine(&node, estimate) && is_total(&node, estimate));
	assert_false(es_domain_contains(&node.domains[estimate], &node.domains[gpus[0]]));

	/* A meter at the wall sees them all. */
	node.domains[estimate].kind = ES_KIND_MEASURED;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, estimate));
	assert_false(is_total(&node, gpus[0]) || is_fine(&node, estimate));
}

static void a_module_is_the_total_of_what_sits_on_it(void **state)
{
	struct node node = { .n = 0 };
	size_t module = add(&node, "nvml", ES_DOMAIN_MODULE, 0, -1, 5000);
	size_t gpu = add(&node, "nvml", ES_DOMAIN_GPU, 0, 0, 3000);
	size_t other = add(&node, "nvml", ES_DOMAIN_GPU, 0, 1, 1000);

	(void)state;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, module) && !is_fine(&node, module));
	assert_true(is_fine(&node, gpu) && !is_total(&node, gpu));
	assert_true(is_fine(&node, other) && !is_total(&node, other));
}

static void nodes_are_covered_each_for_itself(void **state)
{
	struct node node = { .n = 0 };
	size_t here = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t there = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 1000);
	size_t psys = add(&node, "powercap", ES_DOMAIN_PSYS, -1, -1, 1500);

	(void)state;
	node.domains[there].node = 1;
	node.domains[psys].node = 1;
	settle(&node, ES_PSYS_AUTO);

	assert_int_equal(node.domains[there].state, ES_STATE_OK);
	assert_true(is_fine(&node, here) && is_fine(&node, there));
	assert_true(is_total(&node, here) && is_total(&node, psys) && !is_total(&node, there));
}

/* Whatever the meters of a node, nothing in a cover contains or doubles anything else in it. */
static void covers_never_overlap_whatever_the_meters(void **state)
{
	static const enum es_domain_type types[] = {
		ES_DOMAIN_PACKAGE, ES_DOMAIN_DIE, ES_DOMAIN_CORE, ES_DOMAIN_UNCORE, ES_DOMAIN_DRAM,
		ES_DOMAIN_PSYS,	   ES_DOMAIN_GPU, ES_DOMAIN_NODE, ES_DOMAIN_MODULE,
	};
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct node node = { .n = 0 };

		for (unsigned i = 0; i < 12; i++) {
			enum es_domain_type type;
			int32_t package, die;
			size_t at;

			seed = seed * 1664525 + 1013904223;
			type = types[(seed >> 8) % 9];
			package = type == ES_DOMAIN_PSYS || type == ES_DOMAIN_NODE ||
						  type == ES_DOMAIN_MODULE
					  ? -1
					  : (int32_t)(seed >> 12 & 1);
			die = type == ES_DOMAIN_DIE || (type == ES_DOMAIN_DRAM && seed >> 13 & 1)
				      ? (int32_t)(seed >> 14 & 1)
				      : -1;
			at = add(&node, seed >> 15 & 1 ? "perf" : "powercap", type, package, die,
				 seed >> 16 & 3 ? seed >> 18 : 0);
			node.domains[at].may_mirror = seed >> 17 & 1;
			node.evidence[at].was_busy = seed >> 18 & 1;
		}
		settle(&node, (enum es_psys_policy)(round % 3));
		for (size_t i = 0; i < node.n; i++)
			for (size_t j = 0; j < node.n; j++) {
				const struct es_domain *a = &node.domains[i], *b = &node.domains[j];

				if (i == j || !((a->is_chosen && b->is_chosen) ||
						(a->is_chosen_total && b->is_chosen_total)))
					continue;
				if (es_domain_contains(a, b) || es_domain_is_twin(a, b))
					fail_msg("round %u: %s over %s", round, a->id, b->id);
			}
	}
}

static void a_nodes_meter_is_the_total_and_its_parts_are_counted_once(void **state)
{
	struct node node = { .n = 0 };
	size_t package0 = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 100);
	size_t package1 = add(&node, "powercap", ES_DOMAIN_PACKAGE, 1, -1, 100);
	size_t board = add(&node, "cray", ES_DOMAIN_NODE, -1, -1, 900);
	size_t cpus = add(&node, "cray", ES_DOMAIN_PACKAGE, -1, -1, 200);
	size_t memory = add(&node, "cray", ES_DOMAIN_DRAM, -1, -1, 50);
	size_t gpu = add(&node, "cray", ES_DOMAIN_GPU, 0, -1, 400);

	(void)state;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, board));
	assert_true(is_fine(&node, package0) && is_fine(&node, package1) &&
		    is_fine(&node, memory) && is_fine(&node, gpu));
	assert_false(is_fine(&node, cpus) || is_fine(&node, board));
	for (size_t i = 0; i < node.n; i++)
		assert_true(is_total(&node, i) == (i == board));
	assert_non_null(strstr(node.domains[cpus].reason, "already in"));

	node.domains[board].state = ES_STATE_DENIED;
	settle(&node, ES_PSYS_AUTO);
	assert_false(is_total(&node, cpus) || is_fine(&node, cpus));
	assert_non_null(strstr(node.domains[cpus].reason, "one by one"));
	assert_true(is_total(&node, package0) && is_total(&node, memory) && is_total(&node, gpu));
}

static void a_boards_count_of_gpus_is_not_added_to_the_gpus_own_meters(void **state)
{
	struct node node = { .n = 0 };
	size_t package = add(&node, "powercap", ES_DOMAIN_PACKAGE, 0, -1, 100);
	size_t own[2], boards[2];

	(void)state;
	for (int32_t i = 0; i < 2; i++) {
		own[i] = add(&node, "amdgpu", ES_DOMAIN_GPU, i, -1, 300);
		(void)snprintf(node.domains[own[i]].pci, 24, "0000:c%d:00.0", (int)i);
	}
	for (int32_t i = 0; i < 2; i++)
		boards[i] = add(&node, "cray", ES_DOMAIN_GPU, i, -1, 600);
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_fine(&node, package) && is_fine(&node, own[0]) && is_fine(&node, own[1]));
	for (size_t i = 0; i < 2; i++) {
		assert_false(is_fine(&node, boards[i]) || is_total(&node, boards[i]));
		assert_non_null(strstr(node.domains[boards[i]].reason, "which GPU is which"));
	}
}

static void cores_and_the_rest_of_the_chip_on_rails_stand_for_a_node(void **state)
{
	struct node node = { .n = 0 };
	size_t core = add(&node, "hwmon", ES_DOMAIN_CORE, 0, -1, 100);
	size_t soc = add(&node, "hwmon", ES_DOMAIN_UNCORE, 0, -1, 50);
	size_t guess = add(&node, "estimate", ES_DOMAIN_NODE, -1, -1, 500);

	(void)state;
	node.domains[guess].kind = ES_KIND_ESTIMATED;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, core) && is_total(&node, soc) && !is_total(&node, guess));
	node.domains[soc].state = ES_STATE_DENIED;
	settle(&node, ES_PSYS_AUTO);
	assert_true(is_total(&node, guess) && !is_total(&node, core));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_meter_that_stood_still_beside_a_busy_cpu_is_dead),
		cmocka_unit_test(
			a_power_that_stays_the_same_is_fine_and_one_of_0_watts_is_no_meter),
		cmocka_unit_test(denied_and_absent_domains_stay_so),
		cmocka_unit_test(of_twins_the_first_that_moves_is_kept),
		cmocka_unit_test(of_twins_that_move_a_counter_is_kept_before_powers),
		cmocka_unit_test(
			a_counter_of_large_steps_is_neither_kept_before_powers_nor_dead_in_a_short_time),
		cmocka_unit_test(a_denied_twin_hides_nothing),
		cmocka_unit_test(mirrored_dies_count_once_and_real_dies_each),
		cmocka_unit_test(equal_dies_of_other_vendors_are_no_mirrors),
		cmocka_unit_test(unwatched_dies_that_can_be_mirrors_are_taken_for_them),
		cmocka_unit_test(a_package_beside_one_mirrored_die_is_the_same_counter),
		cmocka_unit_test(one_platform_meter_that_holds_its_parts_is_the_total),
		cmocka_unit_test(a_platform_meter_that_shows_less_than_its_parts_is_not_trusted),
		cmocka_unit_test(a_node_meter_that_shows_less_than_its_parts_is_not_trusted),
		cmocka_unit_test(a_node_meter_that_stands_while_its_parts_move_is_stale),
		cmocka_unit_test(another_node_meter_stands_in_for_one_that_is_wrong),
		cmocka_unit_test(the_feeds_of_a_node_are_added_up_or_none_is_taken),
		cmocka_unit_test(one_feed_alone_is_no_node),
		cmocka_unit_test(a_meter_of_the_node_is_not_added_to_its_feeds),
		cmocka_unit_test(several_platform_meters_are_trusted_only_on_request),
		cmocka_unit_test(a_standing_platform_meter_does_not_hide_packages),
		cmocka_unit_test(parts_of_a_package_are_not_added_to_it),
		cmocka_unit_test(one_core_never_stands_for_a_package),
		cmocka_unit_test(an_estimate_stands_only_where_no_meter_does),
		cmocka_unit_test(gpus_stand_beside_an_estimate),
		cmocka_unit_test(a_module_is_the_total_of_what_sits_on_it),
		cmocka_unit_test(nodes_are_covered_each_for_itself),
		cmocka_unit_test(a_nodes_meter_is_the_total_and_its_parts_are_counted_once),
		cmocka_unit_test(a_boards_count_of_gpus_is_not_added_to_the_gpus_own_meters),
		cmocka_unit_test(cores_and_the_rest_of_the_chip_on_rails_stand_for_a_node),
		cmocka_unit_test(covers_never_overlap_whatever_the_meters),
	};

	return cmocka_run_group_tests_name("core/cover", tests, NULL, NULL);
}
