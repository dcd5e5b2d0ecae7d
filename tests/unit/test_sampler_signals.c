/*
 * test_sampler_signals.c - what is recorded beside energy: once a second, after the sweep, from sources of the registry or not
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
#include "record/recording.h"
#include "sampler/sampler.h"
#include "support/tree.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S
#define MONO_START_NS (500 * S) /* deadlines are told the time: they need no waiting */

/* A source made up here: a domain, a counter, a clock that is not always new, and flags that cannot be read. */
struct made_up {
	struct es_source source;
	unsigned n_reads, n_sweeps;
	bool *is_closed;
};

static int made_plan(const struct es_source *source, struct es_plan *ret)
{
	(void)source;
	*ret = (struct es_plan){ .at_least_ns = INT64_MAX };
	return 0;
}

static int made_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	((struct made_up *)source)->n_sweeps++;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct es_reading){ .t_ns = es_clock_boot_ns(), .value = 1 };
	return 0;
}

static int made_read_signals(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct made_up *made = (struct made_up *)source;

	assert_int_equal(n, 3);
	made->n_reads++;
	ret[0] = (struct es_reading){ .t_ns = 1000 * made->n_reads, .value = 100 * made->n_reads };
	ret[1] = (struct es_reading){ .t_ns = 1000 * (made->n_reads / 2 + 1), .value = 50000 };
	ret[2] = (struct es_reading){ .error = -EIO };
	return 0;
}

static void made_close(struct es_source *source)
{
	struct made_up *made = (struct made_up *)source;

	*made->is_closed = true;
	free(source->domains);
	free(source->signals);
	free(made);
}

static const struct es_source_ops made_ops = {
	.name = "made-up",
	.plan = made_plan,
	.read = made_read,
	.read_signals = made_read_signals,
	.close = made_close,
};

static struct made_up *make(bool *is_closed, size_t n_domains)
{
	struct made_up *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	*is_closed = false;
	made->is_closed = is_closed;
	made->source.ops = &made_ops;
	made->source.n_domains = n_domains;
	made->source.n_signals = 3;
	made->source.domains = calloc(n_domains + 1, sizeof(struct es_domain));
	made->source.signals = calloc(3, sizeof(struct es_signal));
	assert_true(made->source.domains && made->source.signals);
	if (n_domains) {
		es_domain_init(made->source.domains, "made-up", ES_DOMAIN_OTHER, -1, -1);
		made->source.domains->is_power = true;
	}
	es_signal_init(&made->source.signals[0], "made-up", "job", "events", ES_SIGNAL_COUNT,
		       ES_SIGNAL_COUNTER);
	es_signal_init(&made->source.signals[1], "made-up", "job", "clock", ES_SIGNAL_KHZ,
		       ES_SIGNAL_GAUGE);
	es_signal_init(&made->source.signals[2], "made-up", "job", "throttle", ES_SIGNAL_FLAGS_UNIT,
		       ES_SIGNAL_FLAGS);
	return made;
}

struct fixture {
	char dir[64], path[128];
	struct es_tree tree;
	struct es_root root;
	struct es_sampler *sampler;
	struct es_recorder *recorder;
	struct es_meta meta;
	size_t n_values[3], n_rows;
	uint64_t last[3];
	bool is_closed; /* the source, which lives as long as the sampler */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	es_meta_init(&f->meta);
	assert_int_equal(es_tree_create(f->dir, "skx2s", &f->tree), 0);
	assert_int_equal(es_tree_write(f->dir, "proc/stat", "cpu  100 0 0 0 0 0 0\n", 0444), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_sampler_destroy(f->sampler);
	es_recorder_close(f->recorder);
	es_meta_finish(&f->meta);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void start(struct fixture *f, int64_t period_ns)
{
	const struct es_signal *signals;
	struct es_domain *domains;
	size_t n;

	es_sampler_plan(f->sampler, period_ns);
	domains = es_sampler_domains(f->sampler, &n);
	assert_int_equal(es_meta_add_node(&f->meta, "n1"), 0);
	for (size_t i = 0; i < n; i++)
		if (es_sampler_is_listed(f->sampler, i))
			assert_int_equal(es_meta_add_domain(&f->meta, &domains[i]), 0);
	signals = es_sampler_signals(f->sampler, &n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(es_meta_add_signal(&f->meta, &signals[i]), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/job.esr", f->dir);
	assert_int_equal(es_recorder_create(f->path, false, &f->meta, &f->recorder, NULL), 0);
	assert_int_equal(es_sampler_start(f->sampler, period_ns, f->recorder, MONO_START_NS), 0);
}

static int on_signal(void *arg, size_t signal, int64_t t_ns, uint64_t value)
{
	struct fixture *f = arg;

	(void)t_ns;
	assert_true(signal < 3);
	f->n_values[signal]++;
	f->last[signal] = value;
	return 0;
}

static int on_sweep(void *arg, int64_t t_ns)
{
	struct fixture *f = arg;

	(void)t_ns;
	f->n_rows++;
	return 0;
}

static void look(struct fixture *f)
{
	static const struct es_visitor visitor = { .signal = on_signal, .sweep = on_sweep };
	struct es_recording *recording;

	memset(f->n_values, 0, sizeof(f->n_values));
	f->n_rows = 0;
	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	assert_int_equal(es_recording_lost_bytes(recording), 0);
	es_recording_close(recording);
}

static void tick(struct fixture *f, int64_t period_ns, int n)
{
	for (int i = 1; i <= n; i++)
		assert_int_equal(es_sampler_tick(f->sampler, MONO_START_NS + i * period_ns), 0);
}

static void signals_come_once_a_second_and_at_both_ends(void **state)
{
	struct fixture *f = *state;
	struct made_up *made = make(&f->is_closed, 1);

	assert_int_equal(es_sampler_add(f->sampler, &made->source), 0);
	start(f, 100 * MS);
	assert_int_equal(made->n_reads, 1);
	tick(f, 100 * MS, 30);
	assert_int_equal(made->n_sweeps, 31);
	assert_in_range(made->n_reads, 3, 4);
	assert_int_equal(es_sampler_stop(f->sampler, MONO_START_NS + 3 * S), 0);
	look(f);

	assert_int_equal(f->n_values[0], made->n_reads);
	assert_int_equal(f->last[0], 100 * made->n_reads);
	/* The same time again is nothing new, and a failure is no value. */
	assert_int_equal(f->n_values[1], made->n_reads / 2 + 1);
	assert_int_equal(f->n_values[2], 0);
	es_sampler_destroy(f->sampler);
	f->sampler = NULL;
	assert_true(f->is_closed);
}

static void what_was_read_is_on_disk_within_a_second(void **state)
{
	struct fixture *f = *state;
	struct made_up *made = make(&f->is_closed, 0);

	assert_int_equal(es_sampler_add(f->sampler, &made->source), 0);
	start(f, 100 * MS);
	look(f);
	assert_int_equal(f->n_values[0], 1);
	tick(f, 100 * MS, 11);
	look(f); /* nobody stopped anything */
	assert_int_equal(f->n_values[0], 2);
	assert_in_range(f->n_rows, 10, 12);
}

static void slow_samplers_read_them_as_seldom_as_the_rest(void **state)
{
	struct fixture *f = *state;
	struct made_up *made = make(&f->is_closed, 0);

	assert_int_equal(es_sampler_add(f->sampler, &made->source), 0);
	start(f, 5 * S);
	tick(f, 5 * S, 3);
	assert_int_equal(made->n_reads, 4);
}

static void without_signals_nothing_of_them_is_written(void **state)
{
	struct fixture *f = *state;
	size_t n;

	(void)es_sampler_signals(f->sampler, &n);
	assert_int_equal(n, 0);
	start(f, 100 * MS);
	tick(f, 100 * MS, 12);
	look(f);
	assert_int_equal(f->n_values[0], 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(signals_come_once_a_second_and_at_both_ends),
		TEST(what_was_read_is_on_disk_within_a_second),
		TEST(slow_samplers_read_them_as_seldom_as_the_rest),
		TEST(without_signals_nothing_of_them_is_written),
	};

	return cmocka_run_group_tests_name("sampler signals", tests, NULL, NULL);
}
