/*
 * tree.c - the files of a simulated node: made once, shown and written through callbacks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A file, a link or a folder. */
struct es_twin_entry {
	enum es_twin_entry_type type;
	unsigned mode;
	uint64_t number;
	char *name,
		*target; /* owned; target: of a link, path of a real file, content of a constant text */
	struct es_twin_file file;
	const struct es_twin_file_ops *ops;
	struct es_twin_entry **children; /* owned; in the order they were made */
	size_t n_children, cap_children;
};

struct es_twin_tree {
	struct es_twin_host *host;
	struct es_twin_entry *top;
	uint64_t n_made;
	int error;
	char failed[ES_PATH_MAX_BYTES]; /* the path that @error is about */
	struct kept *kept; /* owned */
};

/* Memory of who makes files. */
struct kept {
	struct kept *next;
	max_align_t data[];
};

static void entry_free(struct es_twin_entry *entry)
{
	if (!entry)
		return;
	for (size_t i = 0; i < entry->n_children; i++)
		entry_free(entry->children[i]);
	free(entry->children);
	free(entry->name);
	free(entry->target);
	free(entry);
}

void es_twin_tree_fail(struct es_twin_tree *tree, const char *path, int error)
{
	if (tree->error)
		return;
	tree->error = error;
	(void)snprintf(tree->failed, sizeof(tree->failed), "%s", path);
}

static struct es_twin_entry *entry_new(struct es_twin_tree *tree, const char *name,
				       size_t name_bytes)
{
	struct es_twin_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->name = strndup(name, name_bytes);
	if (!entry->name) {
		free(entry);
		return NULL;
	}
	entry->number = ++tree->n_made;
	return entry;
}

int es_twin_tree_create(struct es_twin_host *host, struct es_twin_tree **ret)
{
	struct es_twin_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -ENOMEM;
	tree->host = host;
	tree->top = entry_new(tree, "", 0);
	if (!tree->top) {
		free(tree);
		return -ENOMEM;
	}
	tree->top->type = ES_TWIN_IS_DIR;
	tree->top->mode = 0755;
	*ret = tree;
	return 0;
}

void es_twin_tree_destroy(struct es_twin_tree *tree)
{
	if (!tree)
		return;
	for (struct kept *next; tree->kept; tree->kept = next) {
		next = tree->kept->next;
		free(tree->kept);
	}
	entry_free(tree->top);
	free(tree);
}

static struct es_twin_entry *child_named(const struct es_twin_entry *dir, const char *name,
					 size_t n)
{
	for (size_t i = 0; i < dir->n_children; i++) {
		struct es_twin_entry *child = dir->children[i];

		if (strncmp(child->name, name, n) == 0 && child->name[n] == '\0')
			return child;
	}
	return NULL;
}

static int adopt(struct es_twin_entry *dir, struct es_twin_entry *child)
{
	if (dir->n_children == dir->cap_children) {
		size_t cap = dir->cap_children ? 2 * dir->cap_children : 8;
		struct es_twin_entry **grown =
			realloc(dir->children, cap * sizeof(struct es_twin_entry *));

		if (!grown)
			return -ENOMEM;
		dir->children = grown;
		dir->cap_children = cap;
	}
	dir->children[dir->n_children++] = child;
	return 0;
}

/* A new entry in @dir; NULL: the tree's error says why. */
static struct es_twin_entry *add(struct es_twin_tree *tree, struct es_twin_entry *dir,
				 const char *path, const char *name, size_t n)
{
	struct es_twin_entry *entry = entry_new(tree, name, n);

	if (!entry || adopt(dir, entry) < 0) {
		entry_free(entry);
		es_twin_tree_fail(tree, path, -ENOMEM);
		return NULL;
	}
	return entry;
}

/* The folder of @path, made with all above it; *ret_name: what comes behind it. */
static struct es_twin_entry *folder_of(struct es_twin_tree *tree, const char *path,
				       const char **ret_name)
{
	struct es_twin_entry *dir = tree->top;
	const char *name = path;

	for (const char *slash; (slash = strchr(name, '/')); name = slash + 1) {
		size_t n = (size_t)(slash - name);
		struct es_twin_entry *next = child_named(dir, name, n);

		if (!next) {
			next = add(tree, dir, path, name, n);
			if (!next)
				return NULL;
			next->type = ES_TWIN_IS_DIR;
			next->mode = 0755;
		}
		if (next->type != ES_TWIN_IS_DIR) {
			es_twin_tree_fail(tree, path, -ENOTDIR);
			return NULL;
		}
		dir = next;
	}
	*ret_name = name;
	return dir;
}

/* The entry of @path, new. */
static struct es_twin_entry *make(struct es_twin_tree *tree, const char *path,
				  enum es_twin_entry_type type, unsigned mode)
{
	const char *name = NULL;
	struct es_twin_entry *dir, *entry;

	if (tree->error)
		return NULL;
	dir = folder_of(tree, path, &name);
	if (!dir)
		return NULL;
	if (*name == '\0' || child_named(dir, name, strlen(name))) {
		es_twin_tree_fail(tree, path, -EEXIST);
		return NULL;
	}
	entry = add(tree, dir, path, name, strlen(name));
	if (!entry)
		return NULL;
	entry->type = type;
	entry->mode = mode;
	entry->file.host = tree->host;
	return entry;
}

void es_twin_tree_dir(struct es_twin_tree *tree, const char *path)
{
	char inside[ES_PATH_MAX_BYTES];
	const char *name;

	if (tree->error)
		return;
	/* A folder may be asked for twice: several put something into it. */
	if (snprintf(inside, sizeof(inside), "%s/", path) >= (int)sizeof(inside))
		es_twin_tree_fail(tree, path, -ENAMETOOLONG);
	else
		(void)folder_of(tree, inside, &name);
}

/* From the folder of @path to @target, as sysfs_create_link() writes it; NULL: no memory. */
static char *relative(const char *path, const char *target)
{
	size_t common = 0, n_up = 0;
	char *text, *end;

	for (size_t i = 0; path[i] == target[i] && path[i] != '\0'; i++)
		if (path[i] == '/')
			common = i + 1;
	for (const char *p = path + common; (p = strchr(p, '/')); p++)
		n_up++;
	text = malloc(3 * n_up + strlen(target + common) + 1);
	if (!text)
		return NULL;
	end = text;
	for (size_t i = 0; i < n_up; i++)
		end = stpcpy(end, "../");
	(void)stpcpy(end, target + common);
	return text;
}

void es_twin_tree_link(struct es_twin_tree *tree, const char *path, const char *target)
{
	struct es_twin_entry *entry = make(tree, path, ES_TWIN_IS_LINK, 0777);

	if (!entry)
		return;
	entry->target = relative(path, target);
	if (!entry->target)
		es_twin_tree_fail(tree, path, -ENOMEM);
}

/* Constant texts: what was given when the tree was made. */
static int show_text(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, file->data);
}

/* Written where its mode allows, to no effect. */
static int ignore_text(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	(void)text;
	return 0;
}

static const struct es_twin_file_ops text_ops = { .show = show_text, .store = ignore_text };

void es_twin_tree_text(struct es_twin_tree *tree, unsigned mode, const char *path, const char *fmt,
		       ...)
{
	struct es_twin_entry *entry = make(tree, path, ES_TWIN_IS_FILE, mode);
	va_list args;

	if (!entry)
		return;
	va_start(args, fmt);
	if (vasprintf(&entry->target, fmt, args) < 0) {
		entry->target = NULL;
		es_twin_tree_fail(tree, path, -ENOMEM);
	}
	va_end(args);
	entry->ops = &text_ops;
	entry->file.data = entry->target;
}

void es_twin_tree_file(struct es_twin_tree *tree, unsigned mode, const char *path,
		       const struct es_twin_file_ops *ops, const struct es_twin_file *file)
{
	struct es_twin_entry *entry = make(tree, path, ES_TWIN_IS_FILE, mode);

	if (!entry)
		return;
	entry->ops = ops;
	entry->file = *file;
	entry->file.host = tree->host;
}

void es_twin_tree_real(struct es_twin_tree *tree, unsigned mode, const char *path,
		       const char *real_path)
{
	struct es_twin_entry *entry = make(tree, path, ES_TWIN_IS_REAL, mode);

	if (!entry)
		return;
	entry->target = strdup(real_path);
	if (!entry->target)
		es_twin_tree_fail(tree, path, -ENOMEM);
}

void *es_twin_tree_keep(struct es_twin_tree *tree, size_t size)
{
	struct kept *kept = calloc(1, sizeof(*kept) + size);

	if (!kept) {
		es_twin_tree_fail(tree, "", -ENOMEM);
		return NULL;
	}
	kept->next = tree->kept;
	tree->kept = kept;
	return kept->data;
}

int es_twin_tree_error(const struct es_twin_tree *tree, const char **ret_path)
{
	if (ret_path)
		*ret_path = tree->failed;
	return tree->error;
}

const struct es_twin_entry *es_twin_tree_find(const struct es_twin_tree *tree, const char *path)
{
	const struct es_twin_entry *entry = tree->top;

	while (entry && *path) {
		size_t n = strcspn(path, "/");

		if (n > 0)
			entry = entry->type == ES_TWIN_IS_DIR ? child_named(entry, path, n) : NULL;
		path += n + (path[n] == '/');
	}
	return entry;
}

enum es_twin_entry_type es_twin_entry_type(const struct es_twin_entry *entry)
{
	return entry->type;
}

unsigned es_twin_entry_mode(const struct es_twin_entry *entry)
{
	return entry->mode;
}

uint64_t es_twin_entry_number(const struct es_twin_entry *entry)
{
	return entry->number;
}

const char *es_twin_entry_name(const struct es_twin_entry *entry)
{
	return entry->name;
}

const char *es_twin_entry_target(const struct es_twin_entry *entry)
{
	return entry->target;
}

const struct es_twin_file *es_twin_entry_file(const struct es_twin_entry *entry)
{
	return &entry->file;
}

const struct es_twin_file_ops *es_twin_entry_ops(const struct es_twin_entry *entry)
{
	return entry->ops;
}

const struct es_twin_entry *es_twin_entry_child(const struct es_twin_entry *entry, size_t i)
{
	return i < entry->n_children ? entry->children[i] : NULL;
}
