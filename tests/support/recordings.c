/*
 * recordings.c - recordings made from tables, in a folder of their own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/recordings.h"

#define ROWS_MAX 64

void test_recording_init(struct test_recording *made, int64_t period_ns)
{
	memset(made, 0, sizeof(*made));
	assert_int_equal(es_test_folder(made->dir, sizeof(made->dir)), 0);
	(void)snprintf(made->path, sizeof(made->path), "%s/j1.esr", made->dir);
	es_meta_init(&made->meta);
	(void)snprintf(made->meta.tool, sizeof(made->meta.tool), "test");
	(void)snprintf(made->meta.job, sizeof(made->meta.job), "j1");
	made->meta.n_cpus = 4;
	made->meta.period_ns = period_ns;
	made->meta.start_boot_ns = TEST_START_NS;
	made->meta.start_mono_ns = TEST_START_NS;
	made->meta.start_unix_ns = TEST_START_UNIX_NS;
	assert_int_equal(es_meta_add_node(&made->meta, "n1"), 0);
	made->meta.nodes[0].n_cpus = 4;
	made->meta.nodes[0].n_packages = 1;
}

void test_recording_finish(struct test_recording *made)
{
	es_report_finish(&made->report);
	es_recording_close(made->recording);
	es_recorder_close(made->recorder);
	es_rows_finish(&made->rows);
	es_meta_finish(&made->meta);
	(void)unlink(made->path);
	assert_int_equal(rmdir(made->dir), 0);
}

struct es_domain *test_domain(struct test_recording *made, const char *source,
			      enum es_domain_type type, int32_t package, int32_t die)
{
	struct es_domain domain;

	es_domain_init(&domain, source, type, package, die);
	domain.node = (uint32_t)made->meta.n_nodes - 1;
	domain.range.unit_nj = 61035;
	domain.range.modulus_nj = UINT64_C(61035) << 32;
	domain.update_period_ns = TEST_MS;
	assert_int_equal(es_meta_add_domain(&made->meta, &domain), 0);
	return &made->meta.domains[made->meta.n_domains - 1];
}

struct es_domain *test_estimate(struct test_recording *made)
{
	struct es_domain *domain = test_domain(made, "estimate", ES_DOMAIN_NODE, -1, -1);

	domain->kind = ES_KIND_ESTIMATED;
	domain->range.unit_nj = 1000;
	domain->range.modulus_nj = 0;
	domain->has_activity = true;
	domain->idle_mw = 10000;
	domain->full_mw = 50000;
	domain->idle_spread_ppm = 200000;
	domain->spread_ppm = 300000;
	return domain;
}

size_t test_signal(struct test_recording *made, const char *device, const char *name,
		   const char *unit, enum es_signal_kind kind)
{
	struct es_signal signal;

	es_signal_init(&signal, "nvml", device, name, unit, kind);
	signal.node = (uint32_t)made->meta.n_nodes - 1;
	if (kind == ES_SIGNAL_FLAGS)
		(void)snprintf(signal.flags, sizeof(signal.flags), "%s", es_throttle_flags());
	assert_int_equal(es_meta_add_signal(&made->meta, &signal), 0);
	return made->meta.n_signals - 1;
}

static void begin(struct test_recording *made)
{
	if (made->recorder)
		return;
	assert_int_equal(es_recorder_create(made->path, false, &made->meta, &made->recorder, NULL),
			 0);
	assert_int_equal(
		es_rows_init(&made->rows, made->meta.domains, made->meta.n_domains, ROWS_MAX), 0);
}

static void flush(struct test_recording *made)
{
	assert_int_equal(es_recorder_rows(made->recorder, &made->rows), 0);
	es_rows_clear(&made->rows);
}

void test_sweep_busy(struct test_recording *made, int64_t t_ns, const uint64_t *values,
		     int64_t busy_ns)
{
	begin(made);
	if (made->rows.n_rows == ROWS_MAX)
		flush(made);
	assert_true(es_rows_add(&made->rows, TEST_START_NS + t_ns));
	for (size_t i = 0; i < made->meta.n_domains; i++)
		if (values[i] != TEST_NO_READING)
			es_rows_set(&made->rows, i, TEST_START_NS + t_ns, values[i], busy_ns);
}

void test_sweep(struct test_recording *made, int64_t t_ns, const uint64_t *values)
{
	test_sweep_busy(made, t_ns, values, 0);
}

void test_reading(struct test_recording *made, int64_t t_ns, size_t domain, uint64_t value)
{
	begin(made);
	if (made->rows.n_rows == ROWS_MAX)
		flush(made);
	assert_true(es_rows_add(&made->rows, TEST_START_NS + t_ns));
	es_rows_set(&made->rows, domain, TEST_START_NS + t_ns, value, 0);
}

void test_value(struct test_recording *made, int64_t t_ns, size_t signal, uint64_t value)
{
	struct es_signal_value *values = calloc(made->meta.n_signals, sizeof(*values));

	begin(made);
	assert_non_null(values);
	for (size_t i = 0; i < made->meta.n_signals; i++)
		values[i] = (struct es_signal_value){ .t_ns = TEST_START_NS + t_ns,
						      .value = value,
						      .error = i == signal ? 0 : -1 };
	assert_int_equal(es_recorder_signals(made->recorder, values, made->meta.n_signals), 0);
	free(values);
}

void test_event(struct test_recording *made, uint32_t type, int64_t t_ns, int64_t value,
		const char *text)
{
	struct es_event event = { .type = type, .t_ns = TEST_START_NS + t_ns, .value = value };

	begin(made);
	flush(made);
	(void)snprintf(event.text, sizeof(event.text), "%s", text);
	assert_int_equal(es_recorder_event(made->recorder, &event), 0);
}

void test_end(struct test_recording *made, int64_t t_ns, int64_t own_cpu_ns)
{
	test_event(made, ES_EVENT_END, t_ns, own_cpu_ns, "");
}

struct es_report_options test_options(void)
{
	return (struct es_report_options){ .pue = 1.3,
					   .pue_source = "option --pue",
					   .zone_source = "default",
					   .model = es_node_model_find("none") };
}

struct es_report *test_report(struct test_recording *made, const struct es_report_options *options)
{
	struct es_error err = { .code = 0 };

	begin(made);
	flush(made);
	es_report_finish(&made->report);
	es_recording_close(made->recording);
	made->recording = NULL;
	if (es_recording_open(made->path, NULL, &made->recording, &err) < 0 ||
	    es_report_build(made->recording, options, &made->report, &err) < 0)
		fail_msg("%s", err.text);
	return &made->report;
}

const struct es_report_region *test_region(const struct es_report *report, const char *name)
{
	for (size_t i = 0; i < report->n_regions; i++)
		if (strcmp(report->regions[i].name, name) == 0)
			return &report->regions[i];
	fail_msg("no region '%s'", name);
	return NULL;
}
