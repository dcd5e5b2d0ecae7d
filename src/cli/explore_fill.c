/*
 * explore_fill.c - command lines with ${variables}
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/explore_private.h"

#define SHOWN 64

/* The next ${ in a text; the bytes before it stand for themselves. $${ stands for ${, all else with $ is the shell's. */
struct piece {
	const char *before;
	size_t n_before;
	bool is_escaped; /* "$${": before it comes "${" */
	const char *name; /* NULL: none, the text is over */
	size_t n_name; /* 0: what follows "${" is no name and '}' */
	const char *after;
};

static struct piece next_piece(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	const char *at = strstr(text, "${");
	struct piece piece = { .before = text };

	if (!at) {
		piece.n_before = strlen(text);
		return piece;
	}
	piece.n_before = (size_t)(at - text);
	piece.is_escaped = at > text && at[-1] == '$';
	piece.name = at + 2;
	piece.after = piece.name;
	if (piece.is_escaped) {
		piece.n_before--;
		return piece;
	}
	piece.n_name = strspn(piece.name, letters);
	if (piece.name[piece.n_name] != '}')
		piece.n_name = 0;
	else
		piece.after = piece.name + piece.n_name + 1;
	return piece;
}

/* The axis that sets it, or -1; *@ret_node: its name in named values; NULL: the axis' own. */
static int find_variable(const struct es_explore_spec *spec, const char *name, size_t n,
			 size_t value_of[], const char **ret)
{
	for (size_t i = 0; i < spec->n_axes; i++) {
		const struct es_explore_axis *axis = &spec->axes[i];
		const struct es_explore_value *value;

		if (axis->n == 0)
			continue;
		value = &axis->values[value_of ? value_of[i] : 0];
		if (strlen(axis->name) == n && memcmp(axis->name, name, n) == 0) {
			*ret = value->label;
			return (int)i;
		}
		for (const struct es_yaml_node *item = value->variables ? value->variables->first
									: NULL;
		     item; item = item->next)
			if (strlen(item->key) == n && memcmp(item->key, name, n) == 0) {
				*ret = item->text;
				return (int)i;
			}
	}
	return -1;
}

static const char *nearest_to(const struct es_explore_spec *spec, const char *word, bool is_of_run)
{
	static const char *const builtins[] = { "build_dir", "run_dir", "out", "configuration",
						"round" };
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = 0; i < spec->n_axes; i++) {
		const struct es_explore_axis *axis = &spec->axes[i];
		const struct es_yaml_node *group = axis->n ? axis->values[0].variables : NULL;

		es_explore_near(word, axis->name, &nearest, &distance);
		for (const struct es_yaml_node *item = group ? group->first : NULL; item;
		     item = item->next)
			es_explore_near(word, item->key, &nearest, &distance);
	}
	for (size_t i = 0; i < (is_of_run ? sizeof(builtins) / sizeof(builtins[0]) : 1); i++)
		es_explore_near(word, builtins[i], &nearest, &distance);
	return nearest;
}

static const char *builtin(const struct es_explore_places *places, const char *name, size_t n,
			   bool *ret_is_known)
{
	const struct {
		const char *name, *text;
	} all[] = {
		{ "build_dir", places->build_dir },
		{ "run_dir", places->run_dir },
		{ "out", places->out },
		{ "configuration", places->configuration },
		{ "round", places->round },
	};

	*ret_is_known = true;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i].name) == n && memcmp(all[i].name, name, n) == 0)
			return all[i].text;
	*ret_is_known = false;
	return NULL;
}

static void check_piece(struct es_explore_spec *spec, const struct es_explore_text *text,
			const struct piece *piece, bool is_of_run, struct es_problems *problems)
{
	static const struct es_explore_places none = { .build_dir = NULL };
	char word[ES_NAME_MAX_BYTES];
	const char *nearest, *value;
	bool is_builtin;
	int axis;

	if (piece->n_name == 0 || piece->n_name >= sizeof(word)) {
		es_problem(
			problems, text->line,
			"'${' without a name and '}' behind it; $${ is the shell's own: $${HOME:-/tmp}");
		return;
	}
	(void)snprintf(word, sizeof(word), "%.*s", (int)piece->n_name, piece->name);
	axis = find_variable(spec, word, piece->n_name, NULL, &value);
	if (axis >= 0) {
		spec->axes[axis].is_used = true;
		return;
	}
	(void)builtin(&none, word, piece->n_name, &is_builtin);
	if (is_builtin && strcmp(word, "build_dir") == 0) {
		if (!spec->build.text)
			es_problem(problems, text->line,
				   "'${build_dir}': there is no 'build' that would fill it");
		return;
	}
	if (is_builtin && is_of_run)
		return;
	if (is_builtin) {
		es_problem(problems, text->line, "'${%s}' is of a run: a build serves many of them",
			   word);
		return;
	}
	nearest = nearest_to(spec, word, is_of_run);
	es_problem(problems, text->line,
		   "variable '${%.*s}' is not known%s%.*s%s; the shell's own are written $%.*s",
		   SHOWN, word, nearest ? "; did you mean '${" : "", SHOWN, nearest ? nearest : "",
		   nearest ? "}'?" : "", SHOWN, word);
}

void es_explore_check_text(struct es_explore_spec *spec, const struct es_explore_text *text,
			   enum es_explore_builtins builtins, struct es_problems *problems)
{
	const char *at = text->text;

	while (at) {
		struct piece piece = next_piece(at);

		if (piece.name && !piece.is_escaped)
			check_piece(spec, text, &piece, builtins == ES_EXPLORE_OF_RUN, problems);
		at = piece.name ? piece.after : NULL;
	}
}

int es_explore_fill(const struct es_explore_spec *spec,
		    const struct es_explore_configuration *configuration,
		    const struct es_explore_places *places, const char *text, struct es_buf *out)
{
	size_t values[ES_EXPLORE_AXES_MAX];

	memcpy(values, configuration->values, sizeof(values));
	while (text) {
		struct piece piece = next_piece(text);
		const char *value = NULL;
		bool is_builtin;

		(void)es_buf_append(out, piece.before, piece.n_before);
		text = piece.name ? piece.after : NULL;
		if (!piece.name)
			break;
		if (piece.n_name &&
		    find_variable(spec, piece.name, piece.n_name, values, &value) < 0)
			value = builtin(places, piece.name, piece.n_name, &is_builtin);
		if (value)
			(void)es_buf_str(out, value);
		else if (piece.n_name)
			(void)es_buf_printf(out, "${%.*s}", (int)piece.n_name, piece.name);
		else
			(void)es_buf_str(out, "${");
	}
	(void)es_buf_u8(out, '\0');
	return out->error;
}
