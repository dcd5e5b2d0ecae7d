/*
 * explore_private.h - what the files that read a study's specification share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_EXPLORE_PRIVATE_H
#define ES_CLI_EXPLORE_PRIVATE_H

#include "cli/explore_spec.h"

/** es_explore_near - keeps the known word that is nearest to @word; start with *@distance SIZE_MAX */
void es_explore_near(const char *word, const char *known, const char **nearest, size_t *distance);

/** es_explore_find_axis - by name; NULL: none. es_explore_find_value - by label; SIZE_MAX: none */
struct es_explore_axis *es_explore_find_axis(struct es_explore_spec *spec, const char *name);
size_t es_explore_find_value(const struct es_explore_axis *axis, const char *label);

/** es_explore_take_axes - the group "axes" */
int es_explore_take_axes(struct es_explore_spec *spec, const struct es_yaml_node *node,
			 struct es_problems *problems);
/** es_explore_take_pick - a group of axes, each with one of its values, or with several: the values of all at @more */
void es_explore_take_pick(struct es_explore_spec *spec, const struct es_yaml_node *node,
			  const char *what, struct es_explore_pick *ret,
			  struct es_problems *problems);

/** enum es_explore_builtins - which built-in variables a text may use */
enum es_explore_builtins {
	ES_EXPLORE_OF_BUILD, /* build_dir */
	ES_EXPLORE_OF_RUN, /* and run_dir, out, configuration, round */
};

/** es_explore_check_text - unknown variables of @text are problems; those of axes are marked as used */
void es_explore_check_text(struct es_explore_spec *spec, const struct es_explore_text *text,
			   enum es_explore_builtins builtins, struct es_problems *problems);

#endif
