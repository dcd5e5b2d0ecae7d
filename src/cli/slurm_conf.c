/*
 * slurm_conf.c - what of a site's slurm.conf concerns us
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/slurm_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define LINE_MAX_BYTES \
	(1U << 18) /* continued ones together; longer ones are cut: they name nodes */
#define INCLUDE "include"

static const char *const key_names[ES_SLURM_N_KEYS] = {
	[ES_SLURM_CLUSTER_NAME] = "ClusterName",
	[ES_SLURM_PLUGIN_DIR] = "PluginDir",
	[ES_SLURM_PLUG_STACK_CONFIG] = "PlugStackConfig",
	[ES_SLURM_PROLOG_FLAGS] = "PrologFlags",
	[ES_SLURM_PROCTRACK_TYPE] = "ProctrackType",
	[ES_SLURM_ENERGY_TYPE] = "AcctGatherEnergyType",
	[ES_SLURM_ENERGY_NODE_FREQ] = "AcctGatherNodeFreq",
	[ES_SLURM_GATHER_TYPE] = "JobAcctGatherType",
	[ES_SLURM_GATHER_FREQ] = "JobAcctGatherFrequency",
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* One line of the file without its comment, joined with those that continue it; NUL-terminated in @line. */
static size_t take_line(const char *text, size_t n, struct es_buf *line)
{
	size_t at = 0;

	es_buf_reset(line);
	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - (text + at)) : n - at;
		size_t kept = 0;
		bool goes_on;

		while (kept < length &&
		       (text[at + kept] != '#' || (kept > 0 && text[at + kept - 1] == '\\')) &&
		       text[at + kept] != '\0')
			kept++;
		goes_on = kept == length && kept > 0 && text[at + kept - 1] == '\\';
		(void)es_buf_append(line, text + at, goes_on ? kept - 1 : kept);
		at += length + (end ? 1 : 0);
		if (!goes_on)
			break;
	}
	if (line->error == -EMSGSIZE)
		line->error = 0; /* its beginning is kept */
	(void)es_buf_u8(line, '\0');
	return at;
}

/* The word from @text to a blank, or within quotes; NULL: it is longer than @size. Returns where it ends. */
static const char *take_value(const char *text, char *value, size_t size, bool *ret_fits)
{
	char quote = *text == '"' || *text == '\'' ? *text++ : '\0';
	size_t n = 0;

	while (text[n] && (quote ? text[n] != quote : !is_blank(text[n])))
		n++;
	*ret_fits = n < size;
	if (*ret_fits) {
		memcpy(value, text, n);
		value[n] = '\0';
	}
	text += n;
	return quote && *text == quote ? text + 1 : text;
}

static int parse_pairs(const char *text, char *value, es_slurm_pair_fn tell, void *arg)
{
	char key[ES_SLURM_KEY_MAX_BYTES];
	int r = 0;

	for (text = skip_blanks(text); r == 0 && *text; text = skip_blanks(text)) {
		size_t n = strcspn(text, "= \t\r\v\f");
		bool is_include = n == strlen(INCLUDE) && strncasecmp(text, INCLUDE, n) == 0;
		const char *begin = text;
		bool fits;

		text = skip_blanks(text + n);
		if (*text == '=')
			text = skip_blanks(text + 1);
		else if (!is_include)
			continue; /* a word without a value */
		text = take_value(text, value, ES_SLURM_VALUE_MAX_BYTES, &fits);
		if (!fits || n == 0 || n >= sizeof(key))
			continue;
		/* KEY+=VALUE and KEY-=VALUE add to a list, in later versions; the rest of it stands elsewhere. */
		memcpy(key, begin, n);
		key[n] = '\0';
		if (n > 1 && (key[n - 1] == '+' || key[n - 1] == '-'))
			key[n - 1] = '\0';
		r = tell(arg, is_include ? "Include" : key, value);
	}
	return r;
}

int es_slurm_conf_parse(const char *text, size_t n, es_slurm_pair_fn tell, void *arg)
{
	es_cleanup(es_freep) char *value = malloc(ES_SLURM_VALUE_MAX_BYTES);
	struct es_buf line;
	int r = value ? 0 : -ENOMEM;

	es_buf_init(&line, LINE_MAX_BYTES);
	for (size_t at = 0; r == 0 && at < n;) {
		at += take_line(text + at, n - at, &line);
		r = line.error;
		if (r == 0)
			r = parse_pairs((const char *)line.data, value, tell, arg);
	}
	es_buf_finish(&line);
	return r;
}

/* Reading one file among others. */
struct reading {
	const struct es_root *root;
	struct es_slurm_conf *conf;
	unsigned depth;
	struct es_error *err;
};

static int read_one(struct reading *reading, const char *path);

/* Relative to the folder of slurm.conf; %c is not known before it is read, and rare. */
static int include(struct reading *reading, const char *name)
{
	char path[ES_PATH_MAX_BYTES];
	const char *slash = strrchr(reading->conf->path, '/');
	int folder = slash ? (int)(slash - reading->conf->path) : 0;
	int n = name[0] == '/' ? snprintf(path, sizeof(path), "%s", name)
			       : snprintf(path, sizeof(path), "%.*s/%s", folder,
					  reading->conf->path, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return es_error_set(reading->err, -ENAMETOOLONG, "an included file");
	return read_one(reading, path);
}

static int take_pair(void *arg, const char *key, const char *value)
{
	struct reading *reading = arg;

	if (strcmp(key, "Include") == 0)
		return include(reading, value);
	for (size_t i = 0; i < ES_SLURM_N_KEYS; i++) {
		char *copy;

		if (strcasecmp(key, key_names[i]) != 0)
			continue;
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
		free(reading->conf->values[i]);
		reading->conf->values[i] = copy;
	}
	return 0;
}

static int read_one(struct reading *reading, const char *path)
{
	es_cleanup(es_freep) char *text = NULL;
	ssize_t n;
	int r;

	if (reading->depth == ES_SLURM_DEPTH_MAX)
		return es_error_set(reading->err, -ELOOP, "'%s'", path);
	if (reading->conf->n_files == ES_SLURM_FILES_MAX)
		return es_error_set(reading->err, -E2BIG, "'%s'", path);
	reading->conf->n_files++;
	n = es_root_read_file(reading->root, path + 1, ES_CONF_FILE_MAX_BYTES, &text);
	if (n < 0)
		return es_error_set(reading->err, (int)n, "'%s'", path);
	reading->depth++;
	r = es_slurm_conf_parse(text, (size_t)n, take_pair, reading);
	reading->depth--;
	return r;
}

int es_slurm_conf_read(const struct es_root *root, const char *path, struct es_slurm_conf *ret,
		       struct es_error *err)
{
	struct reading reading = { .root = root, .conf = ret, .err = err };
	int n, r;

	*ret = (struct es_slurm_conf){ .n_files = 0 };
	n = snprintf(ret->path, sizeof(ret->path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(ret->path) || path[0] != '/')
		return es_error_say(err, -EINVAL, "'%.200s' is no absolute path", path);
	r = read_one(&reading, ret->path);
	if (r < 0)
		es_slurm_conf_finish(ret);
	return r;
}

void es_slurm_conf_finish(struct es_slurm_conf *conf)
{
	for (size_t i = 0; i < ES_SLURM_N_KEYS; i++) {
		free(conf->values[i]);
		conf->values[i] = NULL;
	}
}

const char *es_slurm_conf_get(const struct es_slurm_conf *conf, enum es_slurm_key key)
{
	return conf->values[key] ? conf->values[key] : "";
}

bool es_slurm_conf_lists(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*list) {
		size_t length = strcspn(list, ",");

		if (length == n && strncasecmp(list, word, n) == 0)
			return true;
		list += length + (list[length] ? 1 : 0);
	}
	return false;
}
