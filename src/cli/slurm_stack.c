/*
 * slurm_stack.c - whether a site's plugstack.conf names a plug-in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "cli/slurm_conf.h"

#define BLANKS " \t\r\v\f"

/* One of the words of a line; NULL: there is none, or it is too long. Moves on. */
static const char *take_word(const char **at, const char *end, char *word, size_t size)
{
	const char *begin = *at;
	size_t n = 0;

	while (begin < end && strchr(BLANKS, *begin) && *begin)
		begin++;
	while (begin + n < end && begin[n] && begin[n] != '#' && !strchr(BLANKS, begin[n]))
		n++;
	*at = begin + n;
	if (n == 0 || n >= size)
		return NULL;
	memcpy(word, begin, n);
	word[n] = '\0';
	return word;
}

static void take_plugin(struct es_slurm_stack *stack, const char *path, const char *name,
			bool is_required)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(slash ? slash + 1 : path, name) != 0)
		return;
	stack->is_named = true;
	stack->is_required = is_required;
	stack->n_times++;
	(void)snprintf(stack->plugin, sizeof(stack->plugin), "%s", path);
}

int es_slurm_stack_parse(const char *text, size_t n, const char *name, struct es_slurm_stack *ret,
			 es_slurm_pair_fn tell, void *arg)
{
	es_cleanup(es_freep) char *path = malloc(ES_PATH_MAX_BYTES);
	int r = path ? 0 : -ENOMEM;

	for (const char *at = text, *stop = text + n; r == 0 && at < stop;) {
		const char *end = memchr(at, '\n', (size_t)(stop - at));
		const char *line = at, *kind;
		char word[16];

		if (!end)
			end = stop;
		at = end < stop ? end + 1 : stop;
		kind = take_word(&line, end, word, sizeof(word));
		if (!kind || !take_word(&line, end, path, ES_PATH_MAX_BYTES))
			continue;
		if (strcasecmp(kind, "include") == 0)
			r = tell(arg, "Include", path);
		else if (strcasecmp(kind, "required") == 0 || strcasecmp(kind, "optional") == 0)
			take_plugin(ret, path, name, strcasecmp(kind, "required") == 0);
	}
	return r;
}

struct reading {
	const struct es_root *root;
	const char *name;
	struct es_slurm_stack *stack;
	unsigned depth;
	struct es_error *err;
};

static int take_include(void *arg, const char *key, const char *value);

static int read_one(struct reading *reading, const char *path)
{
	es_cleanup(es_freep) char *text = NULL;
	ssize_t n;
	int r;

	if (reading->depth == ES_SLURM_DEPTH_MAX)
		return es_error_set(reading->err, -ELOOP, "'%s'", path);
	if (reading->stack->n_files == ES_SLURM_FILES_MAX)
		return es_error_set(reading->err, -E2BIG, "'%s'", path);
	reading->stack->n_files++;
	n = es_root_read_file(reading->root, path + 1, ES_CONF_FILE_MAX_BYTES, &text);
	if (n < 0)
		return es_error_set(reading->err, (int)n, "'%s'", path);
	reading->depth++;
	r = es_slurm_stack_parse(text, (size_t)n, reading->name, reading->stack, take_include,
				 reading);
	reading->depth--;
	return r;
}

/* A pattern may stand for the file's name, as in /etc/slurm/plugstack.conf.d/NAME; nothing that fits is no error. */
static int read_matching(struct reading *reading, const char *path)
{
	es_cleanup(es_closedirp) DIR *folder = NULL;
	const char *slash = strrchr(path, '/');
	char where[ES_PATH_MAX_BYTES];
	struct dirent *entry;
	int r = 0;

	(void)snprintf(where, sizeof(where), "%.*s", (int)(slash - path), path);
	folder = es_root_opendir(reading->root, where[0] ? where + 1 : ".", &r);
	if (!folder)
		return r == -ENOENT ? 0 : es_error_set(reading->err, r, "'%s'", where);
	while (r == 0 && (entry = readdir(folder))) {
		char file[ES_PATH_MAX_BYTES];
		int n;

		if (fnmatch(slash + 1, entry->d_name, FNM_PERIOD) != 0)
			continue;
		n = snprintf(file, sizeof(file), "%s/%s", where, entry->d_name);
		if (n > 0 && (size_t)n < sizeof(file))
			r = read_one(reading, file);
	}
	return r;
}

static int take_include(void *arg, const char *key, const char *value)
{
	struct reading *reading = arg;

	(void)key;
	if (value[0] != '/')
		return es_error_say(reading->err, -EINVAL,
				    "includes '%.200s', which is no absolute path", value);
	return strpbrk(value, "*?[") ? read_matching(reading, value) : read_one(reading, value);
}

int es_slurm_stack_read(const struct es_root *root, const char *path, const char *name,
			struct es_slurm_stack *ret, struct es_error *err)
{
	struct reading reading = { .root = root, .name = name, .stack = ret, .err = err };

	*ret = (struct es_slurm_stack){ .is_named = false };
	if (path[0] != '/')
		return es_error_say(err, -EINVAL, "'%.200s' is no absolute path", path);
	return read_one(&reading, path);
}
