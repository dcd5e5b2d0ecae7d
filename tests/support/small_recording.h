/*
 * small_recording.h - one small recording for tests of the file itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_SMALL_RECORDING_H
#define ES_TESTS_SUPPORT_SMALL_RECORDING_H

#include <stdio.h>

#include "record/recorder.h"

#define TEST_RECORDING_START_NS INT64_C(86400000000000)

/** test_meta - one node, a package with counter and a node with power and CPU time; es_meta_finish() it */
static inline int test_meta(struct es_meta *ret)
{
	struct es_domain domain;

	es_meta_init(ret);
	(void)snprintf(ret->tool, sizeof(ret->tool), "energyscopium test");
	(void)snprintf(ret->job, sizeof(ret->job), "job-1");
	ret->period_ns = 100000000;
	ret->start_boot_ns = TEST_RECORDING_START_NS;
	if (es_meta_add_node(ret, "n1") < 0)
		return -1;
	es_domain_init(&domain, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	domain.range.unit_nj = 61035;
	domain.parent = 1;
	if (es_meta_add_domain(ret, &domain) < 0)
		return -1;
	es_domain_init(&domain, "estimate", ES_DOMAIN_NODE, -1, -1);
	domain.is_power = true;
	domain.has_activity = true;
	domain.kind = ES_KIND_ESTIMATED;
	return es_meta_add_domain(ret, &domain);
}

/** test_record_sweeps - @n sweeps from number @first on, as one frame */
static inline int test_record_sweeps(struct es_recorder *recorder, const struct es_meta *meta,
				     int64_t first, int64_t n)
{
	struct es_rows rows;
	int r = es_rows_init(&rows, meta->domains, meta->n_domains, (size_t)n);

	if (r < 0)
		return r;
	for (int64_t i = first; i < first + n; i++) {
		int64_t t_ns = TEST_RECORDING_START_NS + i * 100000000;

		(void)es_rows_add(&rows, t_ns);
		es_rows_set(&rows, 0, t_ns + 10000, (uint64_t)i * 25000000, 0);
		if (i % 3)
			es_rows_set(&rows, 1, t_ns + 20000, 250000 + (uint64_t)i, i * 1000);
	}
	r = es_recorder_rows(recorder, &rows);
	es_rows_finish(&rows);
	return r;
}

#endif
