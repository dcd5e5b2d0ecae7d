/*
 * conf.c - the values of a configuration, where each comes from, and what is wrong with it
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/conf_private.h"
#include "base/text.h"

const struct es_conf_key *es_conf_find_key(const struct es_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_keys; i++)
		if (strcmp(conf->schema[i].key, name) == 0)
			return &conf->schema[i];
	return NULL;
}

const char *es_conf_nearest_key(const struct es_conf *conf, const char *name)
{
	size_t best_distance = SIZE_MAX;
	const char *best = NULL;

	for (size_t i = 0; i < conf->n_keys; i++) {
		size_t distance = es_text_distance(name, conf->schema[i].key);

		if (distance < best_distance && es_text_is_near(distance, strlen(name))) {
			best_distance = distance;
			best = conf->schema[i].key;
		}
	}
	return best;
}

static struct es_conf_slot *slot_of(const struct es_conf *conf, const char *name)
{
	const struct es_conf_key *key = es_conf_find_key(conf, name);

	return key ? &conf->slots[key - conf->schema] : NULL;
}

void es_conf_slots_destroy(struct es_conf_slot *slots, size_t n)
{
	for (size_t i = 0; slots && i < n; i++) {
		free(slots[i].text);
		free(slots[i].origin);
	}
	free(slots);
}

/* A value that conf keeps: @text and @origin copied. */
static int fill_slot(struct es_conf_slot *slot, struct es_conf_value value, const char *text,
		     const char *origin)
{
	struct es_conf_slot new = { .value = value, .text = strdup(text) };

	if (origin)
		new.origin = strdup(origin);
	if (!new.text || (origin && !new.origin)) {
		free(new.text);
		free(new.origin);
		return -ENOMEM;
	}
	free(slot->text);
	free(slot->origin);
	*slot = new;
	return 0;
}

int es_conf_create(const struct es_conf_key *schema, size_t n_keys, struct es_conf **ret)
{
	struct es_conf *conf = calloc(1, sizeof(*conf));
	int r = 0;

	if (!conf)
		return -ENOMEM;
	*conf = (struct es_conf){ .schema = schema, .n_keys = n_keys };
	es_buf_init(&conf->problems, ES_CONF_PROBLEMS_MAX_BYTES);
	conf->slots = calloc(n_keys + 1, sizeof(*conf->slots));
	if (!conf->slots)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < n_keys; i++) {
		struct es_conf_value value;

		if (!schema[i].default_text)
			continue;
		r = es_conf_check(&schema[i], schema[i].default_text, &value, NULL);
		if (r == 0)
			r = fill_slot(&conf->slots[i], value, schema[i].default_text, NULL);
	}
	if (r < 0) {
		es_conf_destroy(conf);
		return r;
	}
	*ret = conf;
	return 0;
}

void es_conf_destroy(struct es_conf *conf)
{
	if (!conf)
		return;
	es_conf_slots_destroy(conf->slots, conf->n_keys);
	es_buf_finish(&conf->problems);
	free(conf);
}

void es_conf_add_problem(struct es_conf *conf, const char *where, const char *text)
{
	const char *between = where[0] ? ": " : "";
	size_t n = strlen(where) + strlen(between) + strlen(text) + 1, at = conf->problems.len;

	conf->n_problems++;
	/* Room is taken first, so that a line is there as a whole or not at all. */
	if (conf->n_hidden > 0 || n > conf->problems.max - at ||
	    es_buf_reserve(&conf->problems, n) < 0) {
		conf->n_hidden++;
		return;
	}
	(void)es_buf_str(&conf->problems, where);
	(void)es_buf_str(&conf->problems, between);
	(void)es_buf_append(&conf->problems, text, strlen(text) + 1);
	es_text_make_safe((char *)conf->problems.data + at, false);
	if (at > 0)
		conf->problems.data[at - 1] = '\n';
}

static int read_file(const char *path, struct es_buf *ret)
{
	/* A FIFO must not make us wait. */
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (es_buf_reserve(ret, ES_CONF_FILE_MAX_BYTES + 1) < 0)
		return ret->error;
	do {
		n = read(fd, ret->data + ret->len, ES_CONF_FILE_MAX_BYTES + 1 - ret->len);
		if (n < 0 && errno != EINTR)
			return -errno;
		ret->len += n > 0 ? (size_t)n : 0;
	} while (n != 0 && ret->len <= ES_CONF_FILE_MAX_BYTES);
	return 0;
}

int es_conf_load_file(struct es_conf *conf, const char *path)
{
	struct es_error err = { .code = 0 };
	struct es_buf text;
	int r;

	es_buf_init(&text, ES_CONF_FILE_MAX_BYTES + 1);
	r = read_file(path, &text);
	if (r == 0) {
		r = es_conf_load(conf, path, text.data, text.len);
	} else if (r != -ENOENT && r != -ENOTDIR && r != -ENOMEM) {
		(void)es_error_set(&err, r, "cannot be read");
		es_conf_add_problem(conf, path, err.text);
		r = -EINVAL;
	}
	es_buf_finish(&text);
	return r;
}

int es_conf_set(struct es_conf *conf, const char *key, const char *text, const char *origin)
{
	struct es_conf_slot *slot = slot_of(conf, key);
	struct es_error why = { .code = 0 };
	struct es_conf_value value;

	if (!slot)
		return -ENOENT;
	if (es_conf_check(&conf->schema[slot - conf->slots], text, &value, &why) < 0) {
		es_conf_add_problem(conf, origin, why.text);
		return -EINVAL;
	}
	return fill_slot(slot, value, text, origin);
}

int es_conf_problem(struct es_conf *conf, const char *key, const char *fmt, ...)
{
	const char *origin = key ? es_conf_origin(conf, key) : NULL;
	const char *where = origin ? origin : key;
	size_t n_prefix = strlen(ES_CONF_ORIGIN_FILE);
	char text[ES_TEXT_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* As the other problems of a file begin: FILE:LINE. */
	if (where && strncmp(where, ES_CONF_ORIGIN_FILE, n_prefix) == 0)
		where += n_prefix;
	es_conf_add_problem(conf, where ? where : "", text);
	return -EINVAL;
}

size_t es_conf_n_problems(const struct es_conf *conf)
{
	return conf->n_problems;
}

const char *es_conf_problems(const struct es_conf *conf)
{
	return conf->problems.len > 0 ? (const char *)conf->problems.data : "";
}

int es_conf_fail(const struct es_conf *conf, struct es_error *err)
{
	const char *from = es_conf_problems(conf);
	size_t used = 0, n_shown = 0;
	char text[ES_TEXT_MAX_BYTES] = "", more[48] = "";

	if (conf->n_problems == 0)
		return 0;
	while (*from) {
		size_t n = strcspn(from, "\n");

		/* A line too long for any error is shown in part: better than none. */
		if (used + n + sizeof(more) + 1 > sizeof(text)) {
			if (n_shown > 0)
				break;
			n = sizeof(text) - sizeof(more) - 1;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s",
					 n_shown ? "\n" : "", (int)n, from);
		n_shown++;
		from += strcspn(from, "\n");
		from += *from == '\n';
	}
	if (conf->n_problems > n_shown)
		(void)snprintf(more, sizeof(more), "\nand %zu more", conf->n_problems - n_shown);
	return es_error_say(err, -EINVAL, "%s%s", text, more);
}

int es_conf_text(const struct es_conf *conf, const char *key, const char **ret)
{
	const struct es_conf_slot *slot = slot_of(conf, key);

	if (!slot)
		return -EINVAL;
	if (!slot->text)
		return -ENODATA;
	*ret = slot->text;
	return 0;
}

static int typed_slot(const struct es_conf *conf, const char *name, unsigned types,
		      const struct es_conf_slot **ret)
{
	const struct es_conf_key *key = es_conf_find_key(conf, name);

	if (!key || !(types & 1U << key->type))
		return -EINVAL;
	*ret = &conf->slots[key - conf->schema];
	return (*ret)->text ? 0 : -ENODATA;
}

int es_conf_bool(const struct es_conf *conf, const char *key, bool *ret)
{
	const struct es_conf_slot *slot;
	int r = typed_slot(conf, key, 1U << ES_CONF_BOOL, &slot);

	if (r == 0)
		*ret = slot->value.is_true;
	return r;
}

int es_conf_integer(const struct es_conf *conf, const char *key, int64_t *ret)
{
	const unsigned types = 1U << ES_CONF_INTEGER | 1U << ES_CONF_DURATION |
			       1U << ES_CONF_POWER | 1U << ES_CONF_SHARE | 1U << ES_CONF_CHOICE;
	const struct es_conf_slot *slot;
	int r = typed_slot(conf, key, types, &slot);

	if (r == 0)
		*ret = slot->value.integer;
	return r;
}

int es_conf_number(const struct es_conf *conf, const char *key, double *ret)
{
	const struct es_conf_slot *slot;
	int r = typed_slot(conf, key, 1U << ES_CONF_NUMBER, &slot);

	if (r == 0)
		*ret = slot->value.number;
	return r;
}

const char *es_conf_origin(const struct es_conf *conf, const char *key)
{
	const struct es_conf_slot *slot = slot_of(conf, key);

	if (!slot || !slot->text)
		return NULL;
	return slot->origin ? slot->origin : "default";
}
