/*
 * sourced.h - a source opened on a tree, for the tests of one source
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_SOURCED_H
#define ES_TESTS_SUPPORT_SOURCED_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/source.h"
#include "support/hsmp_file.h"
#include "support/test.h"
#include "support/tree.h"

#define SOURCED_MAX 64

/** struct sourced - a tree, a source of it, and what was read last */
struct sourced {
	const struct es_source_ops *ops;
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[SOURCED_MAX];
	/* What file_read() does to reads of @failing_fd; -1: to all, -2: to none. */
	int failing_fd, failure;
};

static inline int sourced_set_up(void **state, const struct es_source_ops *ops)
{
	struct sourced *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->ops = ops;
	f->root.fd = -1;
	f->failing_fd = -2;
	*state = f;
	return 0;
}

static inline int sourced_tear_down(void **state)
{
	struct sourced *f = *state;

	f->ops->close(f->source);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static inline void sourced_make(struct sourced *f, const char *model)
{
	es_tree_close(&f->tree);
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
}

static inline ssize_t sourced_file_read(void *arg, int fd, void *data, size_t n)
{
	const struct sourced *f = arg;

	if (f->failing_fd == -1 || f->failing_fd == fd) {
		errno = f->failure;
		return -1;
	}
	return pread(fd, data, n, 0);
}

static inline int sourced_ioctl(void *arg, int fd, unsigned long request, void *data)
{
	(void)arg;
	return hsmp_file_answer(fd, request, data);
}

static inline int sourced_open_as(struct sourced *f, int64_t uid, struct es_error *err)
{
	f->ops->close(f->source);
	f->source = NULL;
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, uid, &f->root, NULL), 0);
	f->root.file_read = sourced_file_read;
	f->root.file_arg = f;
	f->root.device_ioctl = sourced_ioctl;
	return f->ops->open(&f->root, &f->source, err);
}

static inline void sourced_open(struct sourced *f, const char *model)
{
	sourced_make(f, model);
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
}

static inline size_t sourced_index(const struct sourced *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_domains; i++)
		if (strcmp(f->source->domains[i].id, id) == 0)
			return i;
	fail_msg("no domain '%s'", id);
	return 0;
}

static inline const struct es_domain *sourced_domain(const struct sourced *f, const char *id)
{
	return &f->source->domains[sourced_index(f, id)];
}

/* One sweep; what it says of one domain. */
static inline const struct es_reading *sourced_read(struct sourced *f, const char *id)
{
	assert_true(f->source->n_domains <= SOURCED_MAX);
	if (f->ops->ask) {
		f->ops->ask(f->source);
		assert_int_equal(f->ops->wait(f->source, 60 * ES_NS_PER_S), 0);
	}
	assert_int_equal(f->ops->read(f->source, f->readings, SOURCED_MAX), 0);
	return &f->readings[sourced_index(f, id)];
}

static inline void sourced_put(const struct sourced *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

#endif
