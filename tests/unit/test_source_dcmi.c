/*
 * test_source_dcmi.c - a BMC in-band as a meter: how often it is asked, and what its faults become
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/source.h"
#include "source/url.h"
#include "support/ipmi_device.h"
#include "support/tree.h"

#define LONG_NS (60 * ES_NS_PER_S) /* a test that waits so long has failed */
#define HALF_MINUTE_NS (31 * ES_NS_PER_S) /* with room for a sweep that comes early */

/* The clock that spaces readings: it goes on as the test says. */
int64_t __real_es_clock_boot_ns(void);
int64_t __wrap_es_clock_boot_ns(void);
static _Atomic int64_t ahead_ns;

int64_t __wrap_es_clock_boot_ns(void)
{
	return __real_es_clock_boot_ns() + ahead_ns;
}

struct fixture {
	char dir[64], file[96];
	struct es_root root;
	const struct es_source_ops *ops;
	struct es_source *source;
};

static void tell(const struct fixture *f, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, "bmc", text, 0644), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	(void)snprintf(f->file, sizeof(f->file), "%s/bmc", f->dir);
	assert_int_equal(setenv("ES_BMC", f->file, 1), 0);
	assert_int_equal(es_root_open("/", -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->source)
		f->ops->close(f->source);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	(void)unsetenv("ES_BMC");
	free(f);
	return 0;
}

static void open_it(struct fixture *f, const char *text)
{
	struct es_meter_url url;

	assert_int_equal(es_meter_url_parse(text, "n", &url, NULL), 0);
	f->ops = es_registry_find(url.scheme);
	assert_non_null(f->ops);
	assert_int_equal(f->ops->open_at(&f->root, &url, &f->source, NULL), 0);
	assert_int_equal(f->ops->settle(f->source, NULL), 0);
}

/* What is read when half a minute has gone by. */
static struct es_reading read_later(struct fixture *f, size_t i)
{
	struct es_reading readings[64] = { 0 };

	ahead_ns += HALF_MINUTE_NS;
	f->ops->ask(f->source);
	assert_int_equal(f->ops->wait(f->source, LONG_NS), 0);
	assert_int_equal(f->ops->read(f->source, readings, 64), 0);
	return readings[i];
}

static void it_is_asked_every_half_minute_at_most(void **state)
{
	struct fixture *f = *state;
	struct es_plan plan;
	unsigned n_asked;

	tell(f, "watts 287\ntime 1700000000\nperiod 1000\n");
	open_it(f, "dcmi:?period=10ms");
	assert_int_equal(f->source->n_domains, 1);
	assert_string_equal(f->source->domains[0].id, "dcmi/node");
	assert_int_equal(f->ops->plan(f->source, &plan), 0);
	assert_int_equal(plan.at_most_ns, HALF_MINUTE_NS);
	n_asked = ipmi_device_asked();
	for (int i = 0; i < 100; i++) {
		ahead_ns += HALF_MINUTE_NS / 200;
		f->ops->ask(f->source);
		assert_int_equal(f->ops->wait(f->source, LONG_NS), 0);
	}
	assert_int_equal(ipmi_device_asked(), n_asked);
	assert_int_equal(read_later(f, 0).value, 287000);
	assert_int_equal(ipmi_device_asked(), n_asked + 1);
}

static void faults_are_no_readings_and_pass(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "watts 287\ncode 0xC0\n", -EBUSY },
		{ "watts 287\ncode 0xC1\n", -EOPNOTSUPP },
		{ "watts 287\ncode 0xD4\n", -EACCES },
		{ "watts 0\ninactive 1\ntime 5\n", -ENODATA },
		{ "watts 0\ntime 5\n", -ENODATA },
		{ "watts 287\ncut 2\n", -EBADMSG },
		{ "watts 65535\n", -ERANGE },
		{ "mute 1\n", -ETIMEDOUT },
	};
	struct fixture *f = *state;

	tell(f, "watts 287\ntime 1700000000\nperiod 1000\n");
	open_it(f, "dcmi:?timeout=50ms");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char well[64];

		tell(f, rows[i].text);
		assert_int_equal(read_later(f, 0).error, rows[i].error);
		(void)snprintf(well, sizeof(well), "watts 300\ntime %zu\n", 1700000001 + i);
		tell(f, well);
		assert_int_equal(read_later(f, 0).error, 0);
	}
}

static void a_frozen_bmc_is_stale_until_it_goes_on(void **state)
{
	struct fixture *f = *state;
	int64_t frozen_s = 0;

	tell(f, "watts 287\ntime 1700000000\nperiod 1000\n");
	open_it(f, "dcmi:");
	assert_int_equal(read_later(f, 0).error, 0);
	tell(f, "watts 287\ntime 1700000030\nperiod 1000\n");
	while (read_later(f, 0).error == 0 && frozen_s < 3600)
		frozen_s += 30;
	assert_in_range(frozen_s, 120, 180);
	assert_int_equal(read_later(f, 0).error, -ESTALE);
	tell(f, "watts 287\ntime 1700000400\nperiod 1000\n");
	assert_int_equal(read_later(f, 0).error, 0);
}

static void sensors_keep_their_domains_whatever_becomes_of_the_table(void **state)
{
	struct fixture *f = *state;

	tell(f,
	     "sensor 1 7 1 4 100 Sys Power\nsensor 2 10 1 2 100 PS1 Input\nsensor 3 10 2 2 90 PS2 Input\n");
	open_it(f, "ipmi-sensor:/*?timeout=500ms");
	assert_int_equal(f->source->n_domains, 3);
	assert_int_equal(read_later(f, 0).value, 400000);
	assert_int_equal(read_later(f, 1).value, 200000);
	assert_int_equal(read_later(f, 2).value, 180000);
	/* A supply may rest, the node never draws nothing. */
	tell(f,
	     "sensor 1 7 1 4 0 Sys Power\nsensor 2 10 1 2 0 PS1 Input\nsensor 3 10 2 2 90 PS2 Input\n");
	assert_int_equal(read_later(f, 0).error, -ENODATA);
	assert_int_equal(read_later(f, 1).error, 0);
	/* A supply is pulled out: the others are read all the same. */
	tell(f, "sensor 1 7 1 4 100 Sys Power\nsensor 3 10 2 2 100 PS2 Input\n");
	assert_int_equal(read_later(f, 1).error, -ENOENT);
	assert_int_equal(read_later(f, 2).value, 200000);
}

static void a_sum_without_one_of_its_parts_is_none(void **state)
{
	struct fixture *f = *state;

	tell(f, "sensor 2 10 1 2 100 PS1 Input\nsensor 3 10 2 2 90 PS2 Input\n");
	open_it(f, "ipmi-sensor:/PS*?sum=yes&timeout=500ms");
	assert_int_equal(f->source->n_domains, 1);
	assert_int_equal(f->source->domains[0].type, ES_DOMAIN_NODE);
	assert_int_equal(read_later(f, 0).value, 380000);
	tell(f, "sensor 3 10 2 2 90 PS2 Input\n");
	assert_int_equal(read_later(f, 0).error, -ENOENT);
}

static void sensors_found_late_are_not_taken_for_the_node(void **state)
{
	struct fixture *f = *state;

	tell(f, "mute 1\n");
	open_it(f, "ipmi-sensor:/PS1*?timeout=50ms");
	assert_int_equal(f->source->domains[0].state, ES_STATE_ABSENT);
	tell(f, "sensor 2 10 1 2 100 PS1 Input\n");
	assert_int_equal(read_later(f, 0).error, -ENODEV);
}

static void a_sensor_of_the_node_that_answers_late_is_read(void **state)
{
	struct fixture *f = *state;

	tell(f, "mute 1\n");
	open_it(f, "ipmi-sensor:/Sys*?timeout=50ms");
	tell(f, "sensor 1 7 1 4 100 Sys Power\n");
	assert_int_equal(read_later(f, 0).value, 400000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		T(it_is_asked_every_half_minute_at_most),
		T(faults_are_no_readings_and_pass),
		T(a_frozen_bmc_is_stale_until_it_goes_on),
		T(sensors_keep_their_domains_whatever_becomes_of_the_table),
		T(a_sum_without_one_of_its_parts_is_none),
		T(sensors_found_late_are_not_taken_for_the_node),
		T(a_sensor_of_the_node_that_answers_late_is_read),
	};

	return cmocka_run_group_tests_name("source/dcmi", tests, NULL, NULL);
}
