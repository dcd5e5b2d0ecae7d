/*
 * conf_yaml.c - YAML as our configuration files use it: keys in groups, one value each
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_private.h"
#include "base/yamlevents.h"

#define SHOWN_BYTES 64 /* of a word that is not ours, in a message */

/* One file being read. */
struct walk {
	struct es_conf *conf;
	const char *name;
	struct es_conf_slot *staged; /* [n_keys]: taken over when all is right */
	char path[ES_NAME_MAX_BYTES]; /* of the group we are in, with a dot behind; then of the key */
	size_t group_bytes[ES_CONF_DEPTH_MAX + 1];
	unsigned depth; /* groups open; 1: the top */
	unsigned skip; /* nodes open inside something that is left out */
	unsigned n_documents;
	bool wants_value, is_group, is_over;
	const struct es_conf_key
		*key; /* whose value comes next; NULL: of a group or of nothing known */
	bool is_list; /* within the list of @key */
	size_t list_line;
	struct es_buf list; /* its texts so far, a newline between */
};

__attribute__((format(printf, 3, 4))) static void say(struct walk *walk, size_t line,
						      const char *fmt, ...)
{
	char where[ES_PATH_MAX_BYTES + 32];
	char text[ES_TEXT_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(where, sizeof(where), "%s:%zu", walk->name, line);
	es_conf_add_problem(walk->conf, where, text);
}

static void say_over(struct walk *walk, size_t line, const char *text)
{
	say(walk, line, "%s", text);
	walk->is_over = true;
}

static bool is_group(const struct es_conf *conf, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < conf->n_keys; i++)
		if (strncmp(conf->schema[i].key, name, n) == 0 && conf->schema[i].key[n] == '.')
			return true;
	return false;
}

/* The word of a scalar; NULL where there is a NUL byte in it. */
static const char *word_of(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return strlen(text) == event->data.scalar.length ? text : NULL;
}

static void on_key(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1, at = walk->group_bytes[walk->depth];
	const char *word = word_of(event), *nearest;

	walk->wants_value = true;
	walk->is_group = false;
	walk->key = NULL;
	if (!word || strlen(word) >= sizeof(walk->path) - at - 1) {
		say(walk, line, "key '%.*s' is not known", SHOWN_BYTES, word ? word : "");
		return;
	}
	memcpy(walk->path + at, word, strlen(word) + 1);
	walk->key = es_conf_find_key(walk->conf, walk->path);
	walk->is_group = !walk->key && is_group(walk->conf, walk->path);
	if (walk->key || walk->is_group)
		return;
	nearest = es_conf_nearest_key(walk->conf, walk->path);
	say(walk, line, "key '%.*s' is not known%s%s%s", SHOWN_BYTES, walk->path,
	    nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* An empty plain scalar, ~ and null stand for nothing. */
static bool is_null(const yaml_event_t *event, const char *word)
{
	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*word || strcmp(word, "~") == 0 || strcmp(word, "null") == 0);
}

static int stage(struct walk *walk, const char *word, size_t line)
{
	struct es_conf_slot *staged = &walk->staged[walk->key - walk->conf->schema];
	struct es_error why = { .code = 0 };

	if (staged->line > 0) {
		say(walk, line, "key '%s' was given on line %u already", walk->key->key,
		    staged->line);
		return 0;
	}
	staged->line = (unsigned)line;
	if (es_conf_check(walk->key, word, &staged->value, &why) < 0) {
		say(walk, line, "%s", why.text);
		return 0;
	}
	staged->text = strdup(word);
	if (!staged->text ||
	    asprintf(&staged->origin, ES_CONF_ORIGIN_FILE "%s:%zu", walk->name, line) < 0) {
		staged->origin = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int on_scalar_value(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	const char *word = word_of(event);

	walk->wants_value = false;
	if (walk->is_group)
		say(walk, line, "'%s' is a group of keys, not a value", walk->path);
	else if (walk->key && !word)
		say(walk, line, "'%s' has a NUL byte in it", walk->key->key);
	else if (walk->key && is_null(event, word))
		say(walk, line, "key '%s' has no value", walk->key->key);
	else if (walk->key)
		return stage(walk, word, line);
	return 0;
}

static void on_list_item(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	struct es_error why = { .code = 0 };
	const char *word = word_of(event);

	if (!word || !*word || strchr(word, '\n') || is_null(event, word)) {
		say(walk, line, "'%s' has a text in its list that is empty or has several lines",
		    walk->key->key);
		return;
	}
	/* Each on its own line: the others of the list are looked at, too. */
	if (es_conf_check_item(walk->key, word, &why) < 0) {
		say(walk, line, "%s", why.text);
		return;
	}
	if (walk->list.len > 0)
		(void)es_buf_u8(&walk->list, '\n');
	(void)es_buf_str(&walk->list, word);
}

static int end_list(struct walk *walk)
{
	int r;

	walk->is_list = false;
	(void)es_buf_u8(&walk->list, '\0');
	r = walk->list.error ? -ENOMEM
			     : stage(walk, (const char *)walk->list.data, walk->list_line);
	es_buf_finish(&walk->list);
	return r;
}

static void begin_list(struct walk *walk, size_t line)
{
	walk->is_list = true;
	walk->list_line = line;
	es_buf_init(&walk->list, ES_CONF_FILE_MAX_BYTES + 1);
}

static void on_open(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1, n;
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;

	if (walk->is_list) {
		say(walk, line, "'%s' takes a list of texts: here is a %s in it", walk->key->key,
		    is_mapping ? "group ('key: value'; quote the text)" : "list");
		walk->skip = 1;
		return;
	}
	if (walk->depth == 0 && is_mapping) {
		walk->depth = 1;
		walk->group_bytes[1] = 0;
		return;
	}
	if (walk->depth == 0 || !walk->wants_value) {
		say_over(walk, line, "expected 'key: value' here");
		return;
	}
	walk->wants_value = false;
	if (walk->key && walk->key->type == ES_CONF_LIST && !is_mapping) {
		begin_list(walk, line);
		return;
	}
	if (!walk->is_group || !is_mapping) {
		if (walk->is_group)
			say(walk, line, "'%s' is a group of keys, not a list", walk->path);
		else if (walk->key)
			say(walk, line, "'%s' takes one value, not a %s", walk->key->key,
			    is_mapping ? "group" : "list");
		walk->skip = 1;
		return;
	}
	if (walk->depth == ES_CONF_DEPTH_MAX) {
		say_over(walk, line, "groups are nested too deeply");
		return;
	}
	/* on_key() left room for the dot. */
	n = strlen(walk->path);
	walk->path[n] = '.';
	walk->path[n + 1] = '\0';
	walk->group_bytes[++walk->depth] = n + 1;
}

/* What lies inside something that was refused is left out; only its end matters. */
static void on_skipped(struct walk *walk, const yaml_event_t *event)
{
	if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
		walk->skip++;
	else if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
		walk->skip--;
	if (walk->skip > 2 * ES_CONF_DEPTH_MAX)
		say_over(walk, event->start_mark.line + 1, "nested too deeply");
}

static int on_scalar(struct walk *walk, const yaml_event_t *event)
{
	if (walk->depth == 0) {
		const char *word = word_of(event);

		if (!word || !is_null(event, word))
			say_over(walk, event->start_mark.line + 1, "expected 'key: value' here");
		return 0;
	}
	if (walk->is_list)
		on_list_item(walk, event);
	else if (walk->wants_value)
		return on_scalar_value(walk, event);
	else
		on_key(walk, event);
	return 0;
}

static int on_event(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;

	if (event->type == YAML_DOCUMENT_START_EVENT && ++walk->n_documents > 1) {
		say_over(walk, line, "a second document begins here; one is allowed");
		return 0;
	}
	if (!es_yaml_is_plain(event)) {
		say_over(
			walk, line,
			"anchors (&), aliases (*) and tags (!) are not used here; quote the value if it begins so");
		return 0;
	}
	if (walk->skip > 0) {
		on_skipped(walk, event);
		return 0;
	}
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(walk, event);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		on_open(walk, event);
		return 0;
	case YAML_SEQUENCE_END_EVENT:
		return end_list(walk);
	case YAML_MAPPING_END_EVENT:
		walk->depth--;
		return 0;
	case YAML_STREAM_END_EVENT:
		walk->is_over = true;
		return 0;
	default:
		return 0;
	}
}

static int parse_all(struct walk *walk, yaml_parser_t *parser)
{
	while (!walk->is_over) {
		yaml_event_t event;
		int r;

		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			say_over(walk, parser->problem_mark.line + 1,
				 parser->problem ? parser->problem : "this is no YAML");
			return 0;
		}
		r = on_event(walk, &event);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	return 0;
}

static void take_over(struct es_conf *conf, struct es_conf_slot *staged)
{
	for (size_t i = 0; i < conf->n_keys; i++) {
		struct es_conf_slot old = conf->slots[i];

		if (!staged[i].text)
			continue;
		conf->slots[i] = staged[i];
		staged[i] = old;
	}
}

int es_conf_load(struct es_conf *conf, const char *name, const void *data, size_t n)
{
	struct walk walk = { .conf = conf, .name = name };
	const char *text = n ? data : ""; /* libyaml wants a pointer */
	size_t n_before = conf->n_problems, mark = es_yaml_mark_bytes(text, n), bad_line;
	yaml_parser_t parser;
	int r;

	text += mark;
	n -= mark;
	bad_line = es_yaml_bad_line(text, n);
	if (n > ES_CONF_FILE_MAX_BYTES)
		say(&walk, 1, "larger than %u bytes", ES_CONF_FILE_MAX_BYTES);
	else if (bad_line)
		say(&walk, bad_line, "this is not UTF-8 text");
	if (conf->n_problems > n_before)
		return -EINVAL;
	walk.staged = calloc(conf->n_keys, sizeof(*walk.staged));
	if (!walk.staged || !yaml_parser_initialize(&parser)) {
		free(walk.staged);
		return -ENOMEM;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	r = parse_all(&walk, &parser);
	yaml_parser_delete(&parser);
	es_buf_finish(&walk.list);
	if (r == 0 && conf->n_problems > n_before)
		r = -EINVAL;
	if (r == 0)
		take_over(conf, walk.staged);
	es_conf_slots_destroy(walk.staged, conf->n_keys);
	return r;
}
