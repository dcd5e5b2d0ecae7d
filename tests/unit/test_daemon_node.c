/*
 * test_daemon_node.c - what meters are worth is settled from what was seen of them, and never by putting a load on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/node.h"
#include "support/tree.h"

#define S ES_NS_PER_S

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_daemon_config config;
	struct es_node node;
	struct es_reading *readings;
	int64_t t_ns;
	uint64_t sequence;
};

static void open_tree(struct fixture *f, const char *model)
{
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
	assert_int_equal(es_node_open(&f->config, f->dir, 7, &f->node, NULL), 0);
	f->readings = calloc(f->node.n, sizeof(*f->readings));
	assert_non_null(f->readings);
	f->t_ns = es_clock_boot_ns();
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->config = (struct es_daemon_config){ .period_ns = S };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_node_finish(&f->node);
	es_tree_close(&f->tree);
	es_tree_remove(f->dir);
	free(f->readings);
	free(f);
	return 0;
}

static size_t find(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->node.n; i++)
		if (strcmp(f->node.domains[i].id, id) == 0)
			return i;
	fail_msg("no domain %s", id);
	return 0;
}

/* A second in which all CPUs work, and all counters move but one; SIZE_MAX: all. */
static enum es_node_news second(struct fixture *f, size_t standing, int error)
{
	struct es_sweep sweep = { .readings = f->readings, .n = f->node.n };

	f->t_ns += S;
	for (size_t i = 0; i < f->node.n; i++) {
		struct es_reading *reading = &f->readings[i];

		reading->t_ns = f->t_ns;
		reading->error = i == standing ? error : 0;
		if (i != standing)
			reading->value += 50000000;
		reading->activity_ns += (int64_t)f->node.machine.n_cpus * S;
	}
	sweep.sequence = ++f->sequence;
	sweep.boot_ns = sweep.mono_ns = f->t_ns;
	sweep.unix_ns = f->t_ns + 1000 * S;
	sweep.period_ns = S;
	return es_node_feed(&f->node, &sweep, ES_PSYS_AUTO);
}

/* The first news in @n seconds. */
static enum es_node_news seconds(struct fixture *f, int n, size_t standing, int error)
{
	enum es_node_news news = ES_NODE_SAME;

	for (int i = 0; i < n; i++) {
		enum es_node_news now = second(f, standing, error);

		news = now != ES_NODE_SAME ? now : news;
	}
	return news;
}

static void meters_are_listed_and_covers_chosen(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s");
	assert_int_equal(f->node.list.epoch, 7);
	assert_ptr_equal(f->node.list.domains, f->node.domains);
	assert_true(f->node.domains[find(f, "powercap/package-0")].is_chosen);
	assert_true(f->node.domains[find(f, "powercap/package-1")].is_chosen_total);
	assert_false(f->node.domains[find(f, "estimate/node")].is_chosen_total);
	assert_true(f->node.machine.n_packages == 2);
}

static void a_frozen_meter_is_found_dead_while_others_work(void **state)
{
	struct fixture *f = *state;
	size_t package;

	open_tree(f, "skx2s");
	package = find(f, "powercap/package-1");
	assert_int_equal(seconds(f, 70, SIZE_MAX, 0), ES_NODE_STATES); /* it moves: known by now */
	assert_int_equal(f->node.domains[package].state, ES_STATE_OK);
	assert_int_equal(seconds(f, 1300, package, 0), ES_NODE_COVERS);
	assert_int_equal(f->node.domains[package].state, ES_STATE_DEAD);
	assert_true(f->node.domains[package].reason[0] != '\0');
	/* Who counts with it keeps it. */
	assert_true(f->node.domains[package].is_chosen);
}

static void a_meter_that_fails_is_no_dead_one(void **state)
{
	struct fixture *f = *state;
	size_t package;

	open_tree(f, "skx2s");
	package = find(f, "powercap/package-1");
	(void)seconds(f, 1300, package, -EIO);
	assert_int_equal(f->node.domains[package].state, ES_STATE_ABSENT);
	assert_non_null(strstr(f->node.domains[package].reason, "cannot be read"));
	assert_int_equal(f->node.errors[package], -EIO);
	(void)seconds(f, 1300, SIZE_MAX, 0);
	assert_int_equal(f->node.domains[package].state, ES_STATE_OK);
	assert_int_equal(f->node.errors[package], 0);
}

static void the_same_reading_again_is_no_evidence(void **state)
{
	struct fixture *f = *state;
	struct es_sweep sweep;
	size_t package;
	uint64_t n;

	open_tree(f, "skx2s");
	package = find(f, "powercap/package-1");
	(void)second(f, SIZE_MAX, 0);
	n = f->node.watch.tracks[package].n_readings;
	sweep = (struct es_sweep){ .readings = f->readings, .n = f->node.n, .boot_ns = f->t_ns };
	(void)es_node_feed(&f->node, &sweep, ES_PSYS_AUTO);
	assert_int_equal(f->node.watch.tracks[package].n_readings, n);
}

static void new_devices_are_seen(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "skx2s");
	assert_false(es_node_look(&f->node));
	assert_int_equal(es_tree_write(f->dir, "sys/class/hwmon/hwmon9/name", "x\n", 0644), 0);
	assert_true(es_node_look(&f->node));
}

static void a_machine_without_meters_has_an_estimate(void **state)
{
	struct fixture *f = *state;

	open_tree(f, "no-meter");
	assert_true(f->node.domains[find(f, "estimate/node")].is_chosen_total);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(meters_are_listed_and_covers_chosen),
		TEST(a_frozen_meter_is_found_dead_while_others_work),
		TEST(a_meter_that_fails_is_no_dead_one),
		TEST(the_same_reading_again_is_no_evidence),
		TEST(new_devices_are_seen),
		TEST(a_machine_without_meters_has_an_estimate),
	};

	return cmocka_run_group_tests_name("daemon/node", tests, NULL, NULL);
}
