/*
 * recordings.h - recordings made from tables, in a folder of their own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_RECORDINGS_H
#define ES_TESTS_SUPPORT_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/report.h"
#include "record/recorder.h"
#include "record/recording.h"

/* Times given to these functions count from here, on the boot clock. */
#define TEST_START_NS 1000000000000LL
/* 2026-03-13T12:00:00Z is that moment on the wall clock. */
#define TEST_START_UNIX_NS 1773403200000000000LL
#define TEST_MS 1000000LL
#define TEST_S 1000000000LL
#define TEST_J 1000000ULL /* µJ */

#define TEST_NO_READING UINT64_MAX /* of this domain in this sweep */

/** struct test_recording - a recording being made; starts with one node "n1" of 4 CPUs in 1 package, job "j1" */
struct test_recording {
	char dir[64], path[128];
	struct es_meta meta; /* may be changed before the first sweep or event */
	struct es_recorder *recorder;
	struct es_rows rows;
	struct es_recording *recording;
	struct es_report report;
};

/** test_recording_init - in a new folder below /tmp; test_recording_finish() it */
void test_recording_init(struct test_recording *made, int64_t period_ns);
/** test_recording_finish - close all and delete the folder */
void test_recording_finish(struct test_recording *made);

/**
 * test_domain - one more domain of the last node: measured, 61035 nJ units, wraps after 2^32 of them, refreshed each ms
 * Returns it for changes; valid until the next one is added.
 */
struct es_domain *test_domain(struct test_recording *made, const char *source,
			      enum es_domain_type type, int32_t package, int32_t die);
/** test_estimate - the node's estimate from CPU time: 10 W idle ± 20 %, 50 W full ± 30 % */
struct es_domain *test_estimate(struct test_recording *made);

/** test_signal - one more signal of the last node, from nvml; flags are those of a throttle. Returns its index */
size_t test_signal(struct test_recording *made, const char *device, const char *name,
		   const char *unit, enum es_signal_kind kind);
/** test_value - a value of one signal, in a frame of its own */
void test_value(struct test_recording *made, int64_t t_ns, size_t signal, uint64_t value);

/** test_sweep - each domain read at the same time; values in µJ or mW */
void test_sweep(struct test_recording *made, int64_t t_ns, const uint64_t *values);
/** test_sweep_busy - likewise, with the CPU time of the machine for the domains that carry it */
void test_sweep_busy(struct test_recording *made, int64_t t_ns, const uint64_t *values,
		     int64_t busy_ns);
/** test_reading - a sweep of one domain */
void test_reading(struct test_recording *made, int64_t t_ns, size_t domain, uint64_t value);
void test_event(struct test_recording *made, uint32_t type, int64_t t_ns, int64_t value,
		const char *text);
/** test_end - the event that ends a recording, with @own_cpu_ns of the recorder's CPU time */
void test_end(struct test_recording *made, int64_t t_ns, int64_t own_cpu_ns);

/** test_options - no model, PUE 1.3 by option, zone not known */
struct es_report_options test_options(void);
/** test_report - everything to the file, and its report; in @made, and returned */
struct es_report *test_report(struct test_recording *made, const struct es_report_options *options);
/** test_region - the report's region of this name; fails the test where there is none */
const struct es_report_region *test_region(const struct es_report *report, const char *name);

#endif
