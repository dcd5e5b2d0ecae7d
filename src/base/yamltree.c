/*
 * yamltree.c - small YAML documents as a tree that knows its lines
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/yamltree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/yamlevents.h"

#define SHOWN_BYTES 64 /* of a word that is not ours, in a message */

struct es_yaml {
	struct es_yaml_node *nodes; /* [n]; made once at full size: they point at each other */
	size_t n, cap;
	char *texts; /* each with its NUL */
	size_t texts_len, texts_cap;
};

struct level {
	struct es_yaml_node *node, *last;
	const char *key; /* that waits for its value */
	size_t key_line;
};

struct walk {
	struct es_yaml *yaml;
	struct es_problems *problems;
	struct level levels[ES_YAML_DEPTH_MAX];
	unsigned depth;
	unsigned n_documents;
	bool is_over, is_broken;
};

void es_problems_init(struct es_problems *problems, const char *name)
{
	*problems = (struct es_problems){ .name = name };
	es_buf_init(&problems->lines, ES_PROBLEMS_MAX_BYTES);
}

void es_problems_finish(struct es_problems *problems)
{
	es_buf_finish(&problems->lines);
}

void es_problem(struct es_problems *problems, size_t line, const char *fmt, ...)
{
	char where[ES_PATH_MAX_BYTES + 32], text[ES_TEXT_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	es_text_make_safe(text, false);
	if (line)
		(void)snprintf(where, sizeof(where), "%s:%zu", problems->name, line);
	else
		(void)snprintf(where, sizeof(where), "%s", problems->name);
	es_text_make_safe(where, false);
	problems->n++;
	if (problems->lines.error || es_buf_printf(&problems->lines, "%s: %s\n", where, text) < 0)
		problems->n_hidden++;
}

static void say_over(struct walk *walk, size_t line, const char *text)
{
	es_problem(walk->problems, line, "%s", text);
	walk->is_over = walk->is_broken = true;
}

/* All of them were made room for: no text is longer than what was read. */
static const char *keep(struct es_yaml *yaml, const yaml_event_t *event)
{
	size_t n = event->data.scalar.length;
	char *at = yaml->texts + yaml->texts_len;

	if (strlen((const char *)event->data.scalar.value) != n ||
	    n + 1 > yaml->texts_cap - yaml->texts_len)
		return NULL;
	memcpy(at, event->data.scalar.value, n + 1);
	yaml->texts_len += n + 1;
	return at;
}

static struct es_yaml_node *add(struct walk *walk, enum es_yaml_type type, size_t line)
{
	struct es_yaml *yaml = walk->yaml;
	struct level *level = walk->depth ? &walk->levels[walk->depth - 1] : NULL;
	struct es_yaml_node *node;

	if (yaml->n == yaml->cap || (level && level->node->n == ES_YAML_CHILDREN_MAX)) {
		say_over(walk, line, "more values than are allowed here");
		return NULL;
	}
	node = &yaml->nodes[yaml->n++];
	*node = (struct es_yaml_node){ .type = type, .line = line, .text = "" };
	if (!level)
		return node;
	node->key = level->key;
	node->key_line = level->key_line;
	level->key = NULL;
	if (level->last)
		level->last->next = node;
	else
		level->node->first = node;
	level->last = node;
	level->node->n++;
	return node;
}

static void on_key(struct walk *walk, const yaml_event_t *event)
{
	struct level *level = &walk->levels[walk->depth - 1];
	size_t line = event->start_mark.line + 1;
	const char *text = keep(walk->yaml, event);

	if (!text || !*text || strlen(text) >= ES_NAME_MAX_BYTES) {
		say_over(walk, line, "this is no key");
		return;
	}
	for (const struct es_yaml_node *node = level->node->first; node; node = node->next)
		if (strcmp(node->key, text) == 0) {
			es_problem(walk->problems, line, "key '%.*s' was given on line %zu already",
				   SHOWN_BYTES, text, node->key_line);
			break;
		}
	level->key = text;
	level->key_line = line;
}

static void on_text(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	struct es_yaml_node *node;
	const char *text;

	if (walk->depth == 0) {
		say_over(walk, line, "expected 'key: value' here");
		return;
	}
	if (walk->levels[walk->depth - 1].node->type == ES_YAML_GROUP &&
	    !walk->levels[walk->depth - 1].key) {
		on_key(walk, event);
		return;
	}
	text = keep(walk->yaml, event);
	if (!text) {
		say_over(walk, line, "there is a NUL byte in this");
		return;
	}
	node = add(walk, ES_YAML_TEXT, line);
	if (!node)
		return;
	node->text = text;
	node->is_null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			(!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static void on_open(struct walk *walk, const yaml_event_t *event)
{
	bool is_group = event->type == YAML_MAPPING_START_EVENT;
	const struct level *level = walk->depth ? &walk->levels[walk->depth - 1] : NULL;
	size_t line = event->start_mark.line + 1;
	struct es_yaml_node *node;

	if ((!level && !is_group) || (level && level->node->type == ES_YAML_GROUP && !level->key)) {
		say_over(walk, line, "expected 'key: value' here");
		return;
	}
	if (walk->depth == ES_YAML_DEPTH_MAX) {
		say_over(walk, line, "nested too deeply");
		return;
	}
	node = add(walk, is_group ? ES_YAML_GROUP : ES_YAML_LIST, line);
	if (node)
		walk->levels[walk->depth++] = (struct level){ .node = node };
}

static void on_event(struct walk *walk, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;

	if (!es_yaml_is_plain(event)) {
		say_over(
			walk, line,
			"anchors (&), aliases (*) and tags (!) are not used here; quote the text if it begins so");
		return;
	}
	switch ((int)event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++walk->n_documents > 1)
			say_over(walk, line, "a second document begins here; one is allowed");
		break;
	case YAML_SCALAR_EVENT:
		on_text(walk, event);
		break;
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		on_open(walk, event);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		walk->depth--;
		break;
	case YAML_STREAM_END_EVENT:
		walk->is_over = true;
		break;
	default:
		break;
	}
}

static int parse_all(struct walk *walk, yaml_parser_t *parser)
{
	while (!walk->is_over) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			say_over(walk, parser->problem_mark.line + 1,
				 parser->problem ? parser->problem : "this is no YAML");
			return 0;
		}
		on_event(walk, &event);
		yaml_event_delete(&event);
	}
	if (walk->yaml->n == 0 && !walk->is_broken)
		say_over(walk, 0, "nothing in it");
	return 0;
}

static struct es_yaml *create(size_t n_bytes)
{
	struct es_yaml *yaml = calloc(1, sizeof(*yaml));

	if (!yaml)
		return NULL;
	/* A node takes a byte at least; an escape in quotes (\L) gives 3 bytes for 2, and each text ends with a NUL. */
	yaml->cap = n_bytes + 1 < ES_YAML_NODES_MAX ? n_bytes + 1 : ES_YAML_NODES_MAX;
	yaml->texts_cap = 3 * n_bytes + 2;
	yaml->nodes = calloc(yaml->cap, sizeof(*yaml->nodes));
	yaml->texts = malloc(yaml->texts_cap);
	if (!yaml->nodes || !yaml->texts) {
		es_yaml_destroy(yaml);
		return NULL;
	}
	return yaml;
}

int es_yaml_parse(const void *data, size_t n, struct es_problems *problems, struct es_yaml **ret)
{
	struct walk walk = { .problems = problems };
	const char *text = n ? data : ""; /* libyaml wants a pointer */
	size_t n_before = problems->n, mark = es_yaml_mark_bytes(text, n), bad_line;
	yaml_parser_t parser;
	int r;

	text += mark;
	n -= mark;
	bad_line = es_yaml_bad_line(text, n);
	if (n > ES_YAML_FILE_MAX_BYTES)
		es_problem(problems, 0, "larger than %u bytes", ES_YAML_FILE_MAX_BYTES);
	else if (bad_line)
		es_problem(problems, bad_line, "this is not UTF-8 text");
	if (problems->n > n_before)
		return -EINVAL;
	walk.yaml = create(n);
	if (!walk.yaml || !yaml_parser_initialize(&parser)) {
		es_yaml_destroy(walk.yaml);
		return -ENOMEM;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	r = parse_all(&walk, &parser);
	yaml_parser_delete(&parser);
	if (r == 0 && walk.is_broken)
		r = -EINVAL;
	if (r < 0)
		es_yaml_destroy(walk.yaml);
	else
		*ret = walk.yaml;
	return r;
}

void es_yaml_destroy(struct es_yaml *yaml)
{
	if (!yaml)
		return;
	free(yaml->nodes);
	free(yaml->texts);
	free(yaml);
}

const struct es_yaml_node *es_yaml_top(const struct es_yaml *yaml)
{
	return yaml->nodes;
}
