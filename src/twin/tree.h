/*
 * tree.h - the files of a simulated node: made once, shown and written through callbacks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Who mounts it (mount.c) is one user of it, a test that reads it in memory is another.
 */
#ifndef ES_TWIN_TREE_H
#define ES_TWIN_TREE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "twin/meter.h"

struct es_twin_host; /* host.h */
struct es_twin_tree;

/** struct es_twin_file - what a callback is about */
struct es_twin_file {
	struct es_twin_host *host;
	struct es_twin_meter
		*meter; /* NULL: shows no meter. Its faults strike before any callback. */
	uint32_t a, b; /* as its maker wants: package, constraint, cpu, … */
	const void *data; /* likewise; borrowed */
};

/**
 * struct es_twin_file_ops - how a file is read and written; NULL members: it cannot be (-EIO as sysfs has it)
 *
 * Called with the host's lock held and its node advanced to @t_ns. They return 0 (or bytes), or the negative errno that the kernel
 * would give (-ENODATA, -EINVAL …).
 */
struct es_twin_file_ops {
	/* What an open file has for itself: @ret_handle is given to the others below (NULL without open). */
	int (*open)(const struct es_twin_file *file, int64_t t_ns, void **ret_handle);
	void (*release)(const struct es_twin_file *file, int64_t t_ns, void *handle);
	/* Text attributes, as sysfs: made anew when read from offset 0. */
	int (*show)(const struct es_twin_file *file, void *handle, int64_t t_ns,
		    struct es_buf *out);
	/* @text: what was written, NUL-terminated, without a final newline. */
	int (*store)(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text);
	/* Devices and binary attributes, instead of the two above. */
	ssize_t (*read_at)(const struct es_twin_file *file, int64_t t_ns, off_t at, void *data,
			   size_t n);
	ssize_t (*write_at)(const struct es_twin_file *file, int64_t t_ns, off_t at,
			    const void *data, size_t n);
	int64_t size; /* st_size: 0: 4096, as sysfs has it */
};

int es_twin_tree_create(struct es_twin_host *host, struct es_twin_tree **ret);
void es_twin_tree_destroy(struct es_twin_tree *tree);

/*
 * Making it. Paths are relative ("sys/class/powercap"); folders above are made as needed (0755). The first error sticks and is
 * returned by es_twin_tree_error(), so that makers need not check each.
 */
void es_twin_tree_dir(struct es_twin_tree *tree, const char *path);
/* @target: a path in the tree; the link that is made is relative, as sysfs makes them. */
void es_twin_tree_link(struct es_twin_tree *tree, const char *path, const char *target);
void es_twin_tree_text(struct es_twin_tree *tree, unsigned mode, const char *path, const char *fmt,
		       ...) __attribute__((format(printf, 4, 5)));
/* @file is copied, its host filled in. */
void es_twin_tree_file(struct es_twin_tree *tree, unsigned mode, const char *path,
		       const struct es_twin_file_ops *ops, const struct es_twin_file *file);
/* A file of this machine shown as it is (a look-alike of a library). */
void es_twin_tree_real(struct es_twin_tree *tree, unsigned mode, const char *path,
		       const char *real_path);
/** es_twin_tree_keep - @size zeroed bytes for the callbacks, freed with the tree; NULL: no memory, which the tree's error says */
void *es_twin_tree_keep(struct es_twin_tree *tree, size_t size);
/** es_twin_tree_fail - what makes @path cannot: the first error sticks */
void es_twin_tree_fail(struct es_twin_tree *tree, const char *path, int error);
/** es_twin_tree_error - 0, or the first error; @ret_path (may be NULL): the path that it is about, borrowed */
int es_twin_tree_error(const struct es_twin_tree *tree, const char **ret_path);

/*
 * Using it. An entry is borrowed and stays as long as the tree.
 */
struct es_twin_entry;
enum es_twin_entry_type {
	ES_TWIN_IS_DIR,
	ES_TWIN_IS_LINK,
	ES_TWIN_IS_FILE,
	ES_TWIN_IS_REAL,
};
/** es_twin_tree_find - no link is followed; NULL: there is none */
const struct es_twin_entry *es_twin_tree_find(const struct es_twin_tree *tree, const char *path);
enum es_twin_entry_type es_twin_entry_type(const struct es_twin_entry *entry);
unsigned es_twin_entry_mode(const struct es_twin_entry *entry);
uint64_t es_twin_entry_number(const struct es_twin_entry *entry); /* inode */
const char *es_twin_entry_name(const struct es_twin_entry *entry);
const char *
es_twin_entry_target(const struct es_twin_entry *entry); /* of a link; path of a real file */
const struct es_twin_file *es_twin_entry_file(const struct es_twin_entry *entry);
const struct es_twin_file_ops *es_twin_entry_ops(const struct es_twin_entry *entry);
/** es_twin_entry_child - the @i-th of a folder, in the order they were made; NULL: no more */
const struct es_twin_entry *es_twin_entry_child(const struct es_twin_entry *entry, size_t i);

#endif
