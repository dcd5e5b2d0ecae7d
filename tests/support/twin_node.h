/*
 * twin_node.h - short ways to simulated nodes and their programs, for tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TWIN_NODE_H
#define ES_TESTS_SUPPORT_TWIN_NODE_H

#include <string.h>

#include "support/test.h"
#include "twin/node.h"

#define TEST_S INT64_C(1000000000)
#define TEST_MS INT64_C(1000000)

static inline const struct es_twin_kind *test_kind(const char *name)
{
	const struct es_twin_kind *kind = es_twin_kind_find(name, NULL);

	assert_non_null(kind);
	return kind;
}

static inline struct es_twin_node *test_node(const struct es_twin_kind *kind,
					     const struct es_twin_options *options)
{
	struct es_twin_node *node = NULL;

	assert_int_equal(es_twin_node_create(kind, options, &node), 0);
	return node;
}

/* Without noise. */
static inline struct es_twin_node *test_quiet_node(const char *kind)
{
	return test_node(test_kind(kind), &(struct es_twin_options){ .is_quiet = true });
}

static inline struct es_twin_phase test_phase(const char *line)
{
	struct es_twin_phase phase;
	struct es_error err = { 0 };

	if (es_twin_phase_parse(line, &phase, &err) < 0)
		fail_msg("%s", err.text);
	return phase;
}

/* A program of one phase, @repeats times; returns its number or errno. */
static inline int test_begin(struct es_twin_node *node, const char *line, uint64_t repeats)
{
	struct es_twin_phase phase = test_phase(line);
	struct es_twin_program program = { .phases = &phase, .n = 1, .repeats = repeats };

	return es_twin_load_begin(node, &program, NULL);
}

static inline void test_pass(struct es_twin_node *node, int64_t dur_ns)
{
	es_twin_advance(node, es_twin_now_ns(node) + dur_ns);
}

/* Watts now. */
static inline double test_w(const struct es_twin_node *node, enum es_twin_part part, size_t i)
{
	return (double)es_twin_power_uw(node, part, i, es_twin_now_ns(node)) / 1e6;
}

/* Lives on until @load is done; returns how long that took since its begin. */
static inline int64_t test_finish(struct es_twin_node *node, int load)
{
	struct es_twin_progress progress;

	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(es_twin_load_progress(node, load, &progress), 0);
		if (progress.is_done)
			return progress.end_ns - progress.begin_ns;
		es_twin_advance(node, progress.end_ns);
	}
	fail_msg("it never ends");
	return 0;
}

#endif
