/*
 * explore_axes.c - what a study varies: axes, their values, and the grid they make
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/explore_private.h"

#define SHOWN 64

static const char name_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

static const char *const builtins[] = { "build_dir", "run_dir", "out", "configuration", "round" };

struct es_explore_axis *es_explore_find_axis(struct es_explore_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_axes; i++)
		if (strcmp(spec->axes[i].name, name) == 0)
			return &spec->axes[i];
	return NULL;
}

size_t es_explore_find_value(const struct es_explore_axis *axis, const char *label)
{
	for (size_t i = 0; i < axis->n; i++)
		if (strcmp(axis->values[i].label, label) == 0)
			return i;
	return SIZE_MAX;
}

static const struct es_yaml_node *find(const struct es_yaml_node *group, const char *key)
{
	for (const struct es_yaml_node *item = group ? group->first : NULL; item; item = item->next)
		if (strcmp(item->key, key) == 0)
			return item;
	return NULL;
}

static bool is_name(const char *text)
{
	return *text && !(*text >= '0' && *text <= '9') &&
	       strspn(text, name_letters) == strlen(text);
}

/* A name must stand for one thing. */
static void check_name(const struct es_explore_spec *spec, const struct es_explore_axis *own,
		       const char *name, size_t line, struct es_problems *problems)
{
	if (!is_name(name)) {
		es_problem(problems, line,
			   "'%.*s' is no name of a variable: letters, digits and '_'", SHOWN, name);
		return;
	}
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i], name) == 0)
			es_problem(problems, line,
				   "variable '%s' is set by explore: call yours otherwise", name);
	for (const struct es_explore_axis *axis = spec->axes; axis < spec->axes + spec->n_axes;
	     axis++)
		if (axis != own && axis->n &&
		    (strcmp(axis->name, name) == 0 || find(axis->values[0].variables, name)))
			es_problem(problems, line,
				   "variable '%.*s' is set by the axes '%.*s' and '%.*s'", SHOWN,
				   name, SHOWN, axis->name, SHOWN, own->name);
}

static void take_named(const struct es_explore_spec *spec, const struct es_explore_axis *axis,
		       const struct es_yaml_node *value, const struct es_yaml_node *first,
		       struct es_problems *problems)
{
	for (const struct es_yaml_node *item = value->first; item; item = item->next) {
		if (item->type != ES_YAML_TEXT)
			es_problem(problems, item->line, "variable '%.*s' takes one value", SHOWN,
				   item->key);
		else if (value != first && !find(first, item->key))
			es_problem(
				problems, item->key_line,
				"'%.*s' sets a variable '%.*s' that '%.*s' does not: all values of an axis set the same ones",
				SHOWN, value->key, SHOWN, item->key, SHOWN, first->key);
		else if (value == first && strcmp(item->key, axis->name) == 0)
			es_problem(problems, item->key_line,
				   "variable '%.*s' is the value's name already", SHOWN, item->key);
		else if (value == first)
			check_name(spec, axis, item->key, item->key_line, problems);
	}
	for (const struct es_yaml_node *item = first->first; value != first && item;
	     item = item->next)
		if (!find(value, item->key))
			es_problem(
				problems, value->line,
				"'%.*s' does not set '%.*s': all values of an axis set the same variables",
				SHOWN, value->key, SHOWN, item->key);
}

static void take_value(const struct es_explore_spec *spec, struct es_explore_axis *axis,
		       const struct es_yaml_node *node, const struct es_yaml_node *item,
		       struct es_problems *problems)
{
	bool is_named = node->type == ES_YAML_GROUP;
	const char *label = is_named ? item->key : item->text;

	if (is_named && item->type != ES_YAML_GROUP) {
		es_problem(problems, item->line,
			   "axis '%.*s': '%.*s' takes a group of variables: {NAME: value}", SHOWN,
			   axis->name, SHOWN, label);
		return;
	}
	if (!is_named && item->type != ES_YAML_TEXT) {
		es_problem(problems, item->line,
			   "axis '%.*s': a text is wanted here; several variables need a name: "
			   "{NAME: {VARIABLE: value, …}, …}",
			   SHOWN, axis->name);
		return;
	}
	if (es_explore_find_value(axis, label) != SIZE_MAX)
		es_problem(problems, item->line, "axis '%.*s' has the value '%.*s' twice", SHOWN,
			   axis->name, SHOWN, label);
	if (strlen(label) >= ES_NAME_MAX_BYTES)
		es_problem(
			problems, item->line,
			"axis '%.*s': this value is too long; give it a name: {NAME: {VARIABLE: value}}",
			SHOWN, axis->name);
	axis->values[axis->n++] = (struct es_explore_value){ label, is_named ? item : NULL };
	if (is_named && node->first->type == ES_YAML_GROUP)
		take_named(spec, axis, item, node->first, problems);
}

int es_explore_take_axes(struct es_explore_spec *spec, const struct es_yaml_node *node,
			 struct es_problems *problems)
{
	if (node->type != ES_YAML_GROUP || node->n == 0) {
		es_problem(problems, node->line,
			   "'axes' takes a group: each axis with a list of values");
		return 0;
	}
	if (node->n > ES_EXPLORE_AXES_MAX) {
		es_problem(problems, node->line, "there are %zu axes, at most %u are possible",
			   node->n, ES_EXPLORE_AXES_MAX);
		return 0;
	}
	for (const struct es_yaml_node *item = node->first; item; item = item->next) {
		struct es_explore_axis *axis;

		/* Given twice, they or the whole group: said already. */
		if (es_explore_find_axis(spec, item->key) || spec->n_axes == ES_EXPLORE_AXES_MAX)
			continue;
		axis = &spec->axes[spec->n_axes++];
		*axis = (struct es_explore_axis){ .name = item->key, .line = item->key_line };
		check_name(spec, axis, item->key, item->key_line, problems);
		axis->values = calloc(item->n + 1, sizeof(*axis->values));
		if (!axis->values)
			return -ENOMEM;
		if (item->type == ES_YAML_TEXT || item->n == 0)
			es_problem(problems, item->line, "axis '%.*s' takes a list of values",
				   SHOWN, item->key);
		for (const struct es_yaml_node *value = item->first; value; value = value->next)
			take_value(spec, axis, item, value, problems);
	}
	return 0;
}

static void put_labels(const struct es_explore_axis *axis, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < axis->n; i++) {
		int n = snprintf(ret + used, size - used, "%s'%.40s'", i ? ", " : "",
				 axis->values[i].label);

		if (n < 0 || (size_t)n >= size - used - 5) {
			(void)snprintf(ret + used, size - used, " …");
			return;
		}
		used += (size_t)n;
	}
}

static void take_choice(struct es_explore_spec *spec, const struct es_yaml_node *item,
			const char *what, struct es_explore_pick *ret, struct es_problems *problems)
{
	struct es_explore_axis *axis = es_explore_find_axis(spec, item->key);
	const char *nearest = NULL;
	size_t distance = SIZE_MAX, value;
	char all[300];

	for (size_t i = 0; !axis && i < spec->n_axes; i++)
		es_explore_near(item->key, spec->axes[i].name, &nearest, &distance);
	if (!axis) {
		es_problem(problems, item->key_line, "%s: there is no axis '%.*s'%s%.*s%s", what,
			   SHOWN, item->key, nearest ? "; did you mean '" : "", SHOWN,
			   nearest ? nearest : "", nearest ? "'?" : "");
		return;
	}
	value = item->type == ES_YAML_TEXT ? es_explore_find_value(axis, item->text) : SIZE_MAX;
	if (value == SIZE_MAX) {
		put_labels(axis, all, sizeof(all));
		es_problem(problems, item->line,
			   "%s: '%.*s' is no value of the axis '%.*s'; there is %s", what, SHOWN,
			   item->type == ES_YAML_TEXT ? item->text : "{…}", SHOWN, axis->name, all);
		return;
	}
	ret->values[axis - spec->axes] = value;
}

void es_explore_take_pick(struct es_explore_spec *spec, const struct es_yaml_node *node,
			  const char *what, struct es_explore_pick *ret,
			  struct es_problems *problems)
{
	for (size_t i = 0; i < ES_EXPLORE_AXES_MAX; i++)
		ret->values[i] = SIZE_MAX;
	if (node->type != ES_YAML_GROUP || node->n == 0) {
		es_problem(problems, node->line, "%s: a group of axes is wanted: {AXIS: value}",
			   what);
		return;
	}
	for (const struct es_yaml_node *item = node->first; item; item = item->next)
		take_choice(spec, item, what, ret, problems);
}

bool es_explore_picks(const struct es_explore_spec *spec, const struct es_explore_pick *pick,
		      const struct es_explore_configuration *configuration)
{
	for (size_t i = 0; i < spec->n_axes; i++)
		if (pick->values[i] != SIZE_MAX && pick->values[i] != configuration->values[i])
			return false;
	return true;
}

static bool is_excluded(const struct es_explore_spec *spec,
			const struct es_explore_configuration *configuration)
{
	for (size_t i = 0; i < spec->n_excludes; i++)
		if (es_explore_picks(spec, &spec->excludes[i], configuration))
			return true;
	return false;
}

/* To the next one, the last axis fastest; false behind the last. */
static bool advance(const struct es_explore_spec *spec, struct es_explore_configuration *at)
{
	for (size_t i = spec->n_axes; i-- > 0;) {
		if (++at->values[i] < spec->axes[i].n)
			return true;
		at->values[i] = 0;
	}
	return false;
}

int es_explore_grid(const struct es_explore_spec *spec, struct es_problems *problems,
		    struct es_explore_configuration **ret, size_t *ret_n)
{
	struct es_explore_configuration at = { .values = { 0 } }, *all;
	size_t n_grid = 1, n = 0;

	for (size_t i = 0; i < spec->n_axes; i++) {
		n_grid *= spec->axes[i].n;
		if (n_grid <= ES_EXPLORE_GRID_MAX)
			continue;
		es_problem(problems, 0,
			   "the grid has more than %u configurations before anything is excluded",
			   ES_EXPLORE_GRID_MAX);
		return -E2BIG;
	}
	all = calloc(ES_EXPLORE_CONFIGURATIONS_MAX, sizeof(*all));
	if (!all)
		return -ENOMEM;
	do {
		if (is_excluded(spec, &at))
			continue;
		if (n < ES_EXPLORE_CONFIGURATIONS_MAX)
			all[n] = at;
		n++;
	} while (advance(spec, &at));
	if (n > 0 && n <= ES_EXPLORE_CONFIGURATIONS_MAX &&
	    n * spec->n_rounds <= ES_EXPLORE_RUNS_MAX) {
		*ret = all;
		*ret_n = n;
		return 0;
	}
	free(all);
	if (n == 0)
		es_problem(problems, 0, "all %zu configurations are excluded", n_grid);
	else
		es_problem(
			problems, 0,
			"the grid has %zu configurations in %llu rounds: at most %u, and %u runs, are possible",
			n, (unsigned long long)spec->n_rounds, ES_EXPLORE_CONFIGURATIONS_MAX,
			ES_EXPLORE_RUNS_MAX);
	return n ? -E2BIG : -ENODATA;
}

int es_explore_label(const struct es_explore_spec *spec,
		     const struct es_explore_configuration *configuration, struct es_buf *out)
{
	for (size_t i = 0; i < spec->n_axes; i++)
		(void)es_buf_printf(out, "%s%s=%s", i ? ", " : "", spec->axes[i].name,
				    spec->axes[i].values[configuration->values[i]].label);
	return out->error;
}
