/*
 * yamltree.h - small YAML documents as a tree that knows its lines
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * For documents whose keys are the writer's own; where all keys are known, base/conf.h reads them against one table.
 */
#ifndef ES_BASE_YAMLTREE_H
#define ES_BASE_YAMLTREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define ES_YAML_FILE_MAX_BYTES (1U << 20)
#define ES_YAML_NODES_MAX 20000U
#define ES_YAML_CHILDREN_MAX 1000U /* of one list or group */
#define ES_YAML_DEPTH_MAX 8U
#define ES_PROBLEMS_MAX_BYTES 65536U /* text of all that is wrong; more is only counted */

/** struct es_problems - all that is wrong with a text, a line each; es_problems_init() it */
struct es_problems {
	const char *name; /* of the text; borrowed */
	struct es_buf lines;
	size_t n, n_hidden; /* those that found no room are in both */
};

void es_problems_init(struct es_problems *problems, const char *name);
void es_problems_finish(struct es_problems *problems);
/** es_problem - add "NAME:LINE: text"; control characters become '?' */
void es_problem(struct es_problems *problems, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum es_yaml_type {
	ES_YAML_TEXT,
	ES_YAML_LIST,
	ES_YAML_GROUP, /* keys with values */
};

/** struct es_yaml_node - one value; its children are a chain */
struct es_yaml_node {
	enum es_yaml_type type;
	size_t line; /* of the value, from 1 */
	const char *key; /* in a group; NULL: none */
	size_t key_line;
	const char *text; /* of ES_YAML_TEXT: as written, without quotes; never NULL */
	bool is_null; /* empty, ~ or null, unquoted */
	size_t n; /* children */
	const struct es_yaml_node *first, *next; /* NULL: none */
};

/** struct es_yaml - a tree; texts and nodes live as long as it does */
struct es_yaml;

/**
 * es_yaml_parse - @n bytes of YAML whose top is a group
 * Anchors, aliases, tags, keys that are no plain texts, keys given twice, and a second document are problems.
 *
 * Returns 0, also where a key was given twice: a problem, but the tree is whole; -EINVAL: no tree, see @problems; -ENOMEM.
 */
int es_yaml_parse(const void *data, size_t n, struct es_problems *problems, struct es_yaml **ret);
void es_yaml_destroy(struct es_yaml *yaml);
/** es_yaml_top - its top: a group */
const struct es_yaml_node *es_yaml_top(const struct es_yaml *yaml);

#endif
