/*
 * nvml_fixture.h - a tree with NVIDIA GPUs, its state, and the source opened on it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_NVML_FIXTURE_H
#define ES_TESTS_SUPPORT_NVML_FIXTURE_H

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/source.h"
#include "support/nvml_table.h"
#include "support/tree.h"

#define NVML_DOMAINS_MAX 32
#define NVML_LONG_NS (60 * ES_NS_PER_S) /* a test that waits so long has failed */

struct nvml_fixture {
	char dir[64];
	struct es_root root;
	struct nvml_table table;
	struct nvml_state *state;
	struct es_source *source;
	struct es_reading readings[NVML_DOMAINS_MAX];
	struct es_error err;
};

static int nvml_set_up(void **state)
{
	struct nvml_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int nvml_tear_down(void **state)
{
	struct nvml_fixture *f = *state;

	if (f->source)
		es_source_nvml.close(f->source);
	nvml_state_unmap(f->state);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

/* The tree gets the machine of a table below tests/machines/nvml, or of a text; the stub is the one that @library names, NULL: none. */
static void nvml_put(struct nvml_fixture *f, const char *table, const char *library)
{
	const char *stub = library ? getenv(library) : NULL;
	char path[512];

	assert_true(!library || stub);
	if (strchr(table, '\n')) {
		assert_int_equal(es_tree_write(f->dir, "table", table, 0644), 0);
		(void)snprintf(path, sizeof(path), "%s/table", f->dir);
	} else {
		(void)snprintf(path, sizeof(path), "%s/tests/machines/nvml/%s.table",
			       getenv("ES_SOURCE_ROOT"), table);
	}
	assert_int_equal(nvml_tree_make(f->dir, path, stub), 0);
	nvml_state_unmap(f->state);
	f->state = nvml_tree_open(f->dir, &f->table);
	assert_non_null(f->state);
}

static void nvml_open(struct nvml_fixture *f)
{
	if (es_source_nvml.open(&f->root, &f->source, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_true(f->source->n_domains <= NVML_DOMAINS_MAX);
}

/* A reading that begins now. */
static void nvml_read(struct nvml_fixture *f)
{
	es_source_nvml.ask(f->source);
	assert_int_equal(es_source_nvml.wait(f->source, NVML_LONG_NS), 0);
	assert_int_equal(es_source_nvml.read(f->source, f->readings, NVML_DOMAINS_MAX), 0);
}

static const struct es_domain *nvml_domain(const struct nvml_fixture *f, const char *id,
					   size_t *ret_index)
{
	for (size_t i = 0; i < f->source->n_domains; i++) {
		if (strcmp(f->source->domains[i].id, id) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return &f->source->domains[i];
	}
	fail_msg("no domain '%s'", id);
	return NULL;
}

#endif
