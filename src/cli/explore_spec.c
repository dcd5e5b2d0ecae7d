/*
 * explore_spec.c - the keys of a study's specification
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/explore_private.h"

#define SHOWN 64 /* bytes of a word that is not ours, in a message */

struct taking {
	struct es_explore_spec *spec;
	struct es_problems *problems;
	const struct es_yaml_node *exclude, *reference; /* they wait for the axes */
	int error;
};

struct key {
	const char *name;
	void (*take)(struct taking *taking, const struct es_yaml_node *node);
};

void es_explore_near(const char *word, const char *known, const char **nearest, size_t *distance)
{
	size_t d = es_text_distance(word, known);

	if (d < *distance && es_text_is_near(d, strlen(word))) {
		*distance = d;
		*nearest = known;
	}
}

/* One text, not empty; NULL and a problem where it is something else. */
static const char *text_of(struct taking *taking, const struct es_yaml_node *node)
{
	if (node->type != ES_YAML_TEXT) {
		es_problem(taking->problems, node->line, "'%.*s' takes one value, not a %s", SHOWN,
			   node->key, node->type == ES_YAML_LIST ? "list" : "group");
		return NULL;
	}
	if (node->is_null || !*node->text) {
		es_problem(taking->problems, node->line, "key '%.*s' has no value", SHOWN,
			   node->key);
		return NULL;
	}
	if (strlen(node->text) >= ES_EXPLORE_LINE_MAX_BYTES / 4) {
		es_problem(taking->problems, node->line, "'%.*s' is too long", SHOWN, node->key);
		return NULL;
	}
	return node->text;
}

static void take_name(struct taking *taking, const struct es_yaml_node *node)
{
	const char *text = text_of(taking, node);

	if (!text)
		return;
	for (const char *p = text; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *p) ||
		    *text == '.' || *text == '-' || p - text > 63) {
			es_problem(
				taking->problems, node->line,
				"'name' is to be the name of a folder: up to 64 letters, digits, '.', '_' and '-'");
			return;
		}
	taking->spec->name = text;
}

static bool whole(struct taking *taking, const struct es_yaml_node *node, uint64_t low,
		  uint64_t high, uint64_t *ret)
{
	const char *text = text_of(taking, node);
	uint64_t value;

	if (!text)
		return false;
	if (es_parse_u64(text, &value) < 0 || value < low || value > high) {
		es_problem(taking->problems, node->line,
			   "'%s' is '%.*s', must be a number from %llu to %llu", node->key, SHOWN,
			   text, (unsigned long long)low, (unsigned long long)high);
		return false;
	}
	*ret = value;
	return true;
}

static void take_repeat(struct taking *taking, const struct es_yaml_node *node)
{
	(void)whole(taking, node, 1, ES_EXPLORE_REPEATS_MAX, &taking->spec->n_rounds);
}

static void take_warmup(struct taking *taking, const struct es_yaml_node *node)
{
	(void)whole(taking, node, 0, 100, &taking->spec->n_warmups);
}

static const char *duration(struct taking *taking, const struct es_yaml_node *node, int64_t low,
			    int64_t high, int64_t *ret_ns)
{
	char low_text[ES_QUANTITY_TEXT_BYTES], high_text[ES_QUANTITY_TEXT_BYTES];
	const char *text = text_of(taking, node);
	int64_t ns;

	if (!text)
		return NULL;
	if (es_parse_duration_ns(text, &ns) < 0 || ns < 0 || ((ns < low || ns > high) && ns != 0) ||
	    (ns == 0 && low == ES_PERIOD_MIN_NS)) {
		es_problem(taking->problems, node->line,
			   "'%s' is '%.*s', must be a time with its unit, %s to %s", node->key,
			   SHOWN, text, es_duration_text(low, low_text),
			   es_duration_text(high, high_text));
		return NULL;
	}
	*ret_ns = ns;
	return text;
}

static void take_period(struct taking *taking, const struct es_yaml_node *node)
{
	int64_t ns;

	taking->spec->period = duration(taking, node, ES_PERIOD_MIN_NS, ES_PERIOD_MAX_NS, &ns);
}

static void take_baseline(struct taking *taking, const struct es_yaml_node *node)
{
	taking->spec->baseline = duration(taking, node, 100 * ES_NS_PER_MS, ES_PERIOD_MAX_NS,
					  &taking->spec->baseline_ns);
}

static void take_timeout(struct taking *taking, const struct es_yaml_node *node)
{
	(void)duration(taking, node, ES_NS_PER_MS, 30 * 24 * ES_PERIOD_MAX_NS,
		       &taking->spec->timeout_ns);
}

static void take_slowdown(struct taking *taking, const struct es_yaml_node *node)
{
	const char *text = text_of(taking, node);
	int64_t ppm;

	if (!text)
		return;
	if (es_parse_share_ppm(text, &ppm) < 0 || ppm < 0)
		es_problem(taking->problems, node->line,
			   "'slowdown' is '%.*s', must be a share like 5%%, 0 or more", SHOWN,
			   text);
	else
		taking->spec->slowdown_ppm = ppm;
}

static void take_axes(struct taking *taking, const struct es_yaml_node *node)
{
	if (taking->error == 0)
		taking->error = es_explore_take_axes(taking->spec, node, taking->problems);
}

static void take_exclude(struct taking *taking, const struct es_yaml_node *node)
{
	taking->exclude = node;
}

static void take_reference(struct taking *taking, const struct es_yaml_node *node)
{
	taking->reference = node;
}

static void take_line(struct taking *taking, const struct es_yaml_node *node,
		      struct es_explore_text *ret)
{
	*ret = (struct es_explore_text){ .text = text_of(taking, node), .line = node->line };
}

static void take_build(struct taking *taking, const struct es_yaml_node *node)
{
	take_line(taking, node, &taking->spec->build);
}

static void take_run(struct taking *taking, const struct es_yaml_node *node)
{
	take_line(taking, node, &taking->spec->run);
}

static void take_check(struct taking *taking, const struct es_yaml_node *node)
{
	take_line(taking, node, &taking->spec->check);
}

static bool is_variable_name(const char *name)
{
	const char *const first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	return strchr(first, *name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == strlen(name);
}

static void take_environment(struct taking *taking, const struct es_yaml_node *node)
{
	struct es_explore_spec *spec = taking->spec;

	if (node->type != ES_YAML_GROUP) {
		es_problem(taking->problems, node->line,
			   "'environment' takes a group: NAME: value");
		return;
	}
	free(spec->environment);
	spec->n_environment = 0;
	spec->environment = calloc(node->n + 1, sizeof(*spec->environment));
	if (!spec->environment) {
		taking->error = -ENOMEM;
		return;
	}
	for (const struct es_yaml_node *item = node->first; item; item = item->next) {
		if (!is_variable_name(item->key))
			es_problem(taking->problems, item->key_line,
				   "'%.*s' cannot be the name of an environment variable", SHOWN,
				   item->key);
		else if (item->type != ES_YAML_TEXT)
			es_problem(taking->problems, item->line,
				   "environment '%.*s' takes one value", SHOWN, item->key);
		else
			spec->environment[spec->n_environment++] =
				(struct es_explore_text){ item->key, item->text, item->line };
	}
}

static void take_outputs(struct taking *taking, const struct es_yaml_node *node)
{
	struct es_explore_spec *spec = taking->spec;

	free(spec->outputs);
	spec->n_outputs = 0;
	spec->outputs = calloc(node->n + 1, sizeof(*spec->outputs));
	if (!spec->outputs) {
		taking->error = -ENOMEM;
		return;
	}
	if (node->type != ES_YAML_LIST || node->n == 0) {
		es_problem(taking->problems, node->line, "'outputs' takes a list of files");
		return;
	}
	for (const struct es_yaml_node *item = node->first; item; item = item->next) {
		if (item->type != ES_YAML_TEXT || !*item->text || item->is_null)
			es_problem(taking->problems, item->line,
				   "'outputs': the name of a file is wanted here");
		else
			spec->outputs[spec->n_outputs++] =
				(struct es_explore_text){ NULL, item->text, item->line };
	}
}

static void take_quality(struct taking *taking, const struct es_yaml_node *node)
{
	struct es_explore_spec *spec = taking->spec;
	bool has_limit = false;

	for (const struct es_yaml_node *item = node->first; item; item = item->next) {
		const char *text = item->key ? text_of(taking, item) : NULL;

		if (!item->key || !text)
			continue;
		if (strcmp(item->key, "command") == 0)
			spec->quality = (struct es_explore_text){ NULL, text, item->line };
		else if (strcmp(item->key, "limit") != 0)
			es_problem(
				taking->problems, item->key_line,
				"key 'quality.%.*s' is not known; there are 'command' and 'limit'",
				SHOWN, item->key);
		else if (es_quality_parse("quality", text, &spec->limit, NULL) < 0)
			es_problem(
				taking->problems, item->line,
				"'quality.limit' is '%.*s', must be like \">= 0.943\" (>=, >, <=, <)",
				SHOWN, text);
		has_limit |= strcmp(item->key, "limit") == 0;
	}
	if (node->type != ES_YAML_GROUP || !spec->quality.text || !has_limit)
		es_problem(taking->problems, node->line,
			   "'quality' takes a group with 'command' and 'limit'");
}

static const struct key keys[] = {
	{ "axes", take_axes },
	{ "baseline", take_baseline },
	{ "build", take_build },
	{ "check", take_check },
	{ "environment", take_environment },
	{ "exclude", take_exclude },
	{ "name", take_name },
	{ "outputs", take_outputs },
	{ "period", take_period },
	{ "quality", take_quality },
	{ "reference", take_reference },
	{ "repeat", take_repeat },
	{ "run", take_run },
	{ "slowdown", take_slowdown },
	{ "timeout", take_timeout },
	{ "warmup", take_warmup },
};

static void take_key(struct taking *taking, const struct es_yaml_node *node)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = 0; i < ES_ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].name, node->key) == 0) {
			keys[i].take(taking, node);
			return;
		}
		es_explore_near(node->key, keys[i].name, &nearest, &distance);
	}
	es_problem(taking->problems, node->key_line, "key '%.*s' is not known%s%s%s", SHOWN,
		   node->key, nearest ? "; did you mean '" : "", nearest ? nearest : "",
		   nearest ? "'?" : "");
}

static void take_picks(struct taking *taking)
{
	struct es_explore_spec *spec = taking->spec;
	const struct es_yaml_node *item = taking->exclude;

	if (item && item->type != ES_YAML_LIST) {
		es_problem(taking->problems, item->line,
			   "'exclude' takes a list of groups: - {AXIS: value, AXIS: value}");
		item = NULL;
	}
	if (item) {
		spec->excludes = calloc(item->n + 1, sizeof(*spec->excludes));
		if (!spec->excludes)
			taking->error = -ENOMEM;
		item = spec->excludes ? item->first : NULL;
	}
	for (; item; item = item->next)
		es_explore_take_pick(spec, item, "exclude", &spec->excludes[spec->n_excludes++],
				     taking->problems);
	if (!taking->reference)
		return;
	spec->reference_line = taking->reference->line;
	es_explore_take_pick(spec, taking->reference, "reference", &spec->reference,
			     taking->problems);
}

static void check_all(struct taking *taking)
{
	struct es_explore_spec *spec = taking->spec;
	struct es_problems *problems = taking->problems;
	size_t n_before;

	es_explore_check_text(spec, &spec->build, ES_EXPLORE_OF_BUILD, problems);
	es_explore_check_text(spec, &spec->run, ES_EXPLORE_OF_RUN, problems);
	for (size_t i = 0; i < spec->n_environment; i++)
		es_explore_check_text(spec, &spec->environment[i], ES_EXPLORE_OF_RUN, problems);
	n_before = problems->n;
	for (size_t i = 0; n_before == 0 && i < spec->n_axes; i++)
		if (!spec->axes[i].is_used)
			es_problem(
				problems, spec->axes[i].line,
				"axis '%.*s' changes nothing: neither build, run nor environment has its ${variables}",
				SHOWN, spec->axes[i].name);
	es_explore_check_text(spec, &spec->check, ES_EXPLORE_OF_RUN, problems);
	es_explore_check_text(spec, &spec->quality, ES_EXPLORE_OF_RUN, problems);
	for (size_t i = 0; i < spec->n_outputs; i++)
		es_explore_check_text(spec, &spec->outputs[i], ES_EXPLORE_OF_RUN, problems);
	if (spec->build.text && strstr(spec->build.text, "${") &&
	    !strstr(spec->build.text, "${build_dir}"))
		es_problem(
			problems, spec->build.line,
			"'build' does not use ${build_dir}: each build would be written over the last");
}

int es_explore_spec_parse(const void *data, size_t n, struct es_problems *problems,
			  struct es_explore_spec *ret)
{
	struct taking taking = { .spec = ret, .problems = problems };
	size_t n_before = problems->n;
	int r;

	*ret = (struct es_explore_spec){
		.name = "study", .n_rounds = 3, .n_warmups = 1, .slowdown_ppm = -1
	};
	r = es_yaml_parse(data, n, problems, &ret->yaml);
	if (r < 0)
		return r;
	for (const struct es_yaml_node *node = es_yaml_top(ret->yaml)->first; node;
	     node = node->next)
		take_key(&taking, node);
	if (ret->n_axes == 0 && problems->n == n_before)
		es_problem(
			problems, 0,
			"'axes' is missing: there is nothing to choose from ('energyscopium run --repeat' measures one)");
	if (!ret->run.text && problems->n == n_before)
		es_problem(problems, 0, "'run' is missing: the command that is measured");
	take_picks(&taking);
	if (taking.error < 0)
		return taking.error;
	check_all(&taking);
	return problems->n > n_before ? -EINVAL : 0;
}

void es_explore_spec_finish(struct es_explore_spec *spec)
{
	for (size_t i = 0; i < spec->n_axes; i++)
		free(spec->axes[i].values);
	free(spec->excludes);
	free(spec->environment);
	free(spec->outputs);
	es_yaml_destroy(spec->yaml);
}

static void add(struct es_sha256 *sha, const char *text)
{
	/* With its NUL: "ab", "c" is not "a", "bc". */
	es_sha256_add(sha, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_tree(struct es_sha256 *sha, const struct es_yaml_node *node)
{
	add(sha, node->key);
	add(sha, node->type == ES_YAML_TEXT ? node->text : "{");
	for (const struct es_yaml_node *item = node->first; item; item = item->next)
		add_tree(sha, item);
	add(sha, "}");
}

void es_explore_spec_digest(const struct es_explore_spec *spec, struct es_sha256 *sha)
{
	/* What changes no measurement that was made, or only what is said of it. */
	static const char *const free_keys[] = { "name",     "reference", "repeat",
						 "slowdown", "timeout",	  "warmup" };

	/* The order of the keys means nothing: by the table's. */
	for (size_t i = 0; i < ES_ARRAY_SIZE(keys); i++) {
		bool is_free = false;

		for (size_t k = 0; k < ES_ARRAY_SIZE(free_keys); k++)
			is_free |= strcmp(keys[i].name, free_keys[k]) == 0;
		if (is_free)
			continue;
		for (const struct es_yaml_node *node = es_yaml_top(spec->yaml)->first; node;
		     node = node->next)
			if (strcmp(node->key, keys[i].name) != 0)
				continue;
			else if (strcmp(node->key, "quality") == 0)
				add(sha, spec->quality.text);
			else
				add_tree(sha, node);
	}
}
