/*
 * sys/library.c - vendors' libraries, opened when used: this machine's, or a tree's own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/library.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where packages put them: Debian, Red Hat and SUSE. */
static const char *const folders[] = {
	"usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib",
	"lib/x86_64-linux-gnu",	    "lib/aarch64-linux-gnu",	 "lib64",
};

static int open_here(const char *const *names, const char *const *more,
		     const struct es_dl_symbol *symbols, size_t n, struct es_dl *ret,
		     struct es_error *err)
{
	struct es_error first = { .code = 0 }, why = { .code = 0 };
	int r = -ENOENT;

	for (size_t i = 0; names[i]; i++) {
		r = es_dl_open(ret, names[i], symbols, n, &why);
		if (r != -ENOENT)
			break;
		if (i == 0)
			first = why;
		why = first;
	}
	for (; r == -ENOENT && more && *more; more++) {
		for (size_t i = 0; r == -ENOENT && names[i]; i++) {
			char path[160];

			(void)snprintf(path, sizeof(path), "/%s/%s", *more, names[i]);
			if (access(path, F_OK) == 0)
				r = es_dl_open(ret, path, symbols, n, &why);
		}
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

/* 0: opened; -ENOENT: there is no such file in the tree. */
static int open_file(const struct es_root *root, const char *path,
		     const struct es_dl_symbol *symbols, size_t n, struct es_dl *ret,
		     struct es_error *err)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, path, O_RDONLY);
	char name[64];
	struct stat st;

	if (fd < 0)
		return -ENOENT;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return es_error_say(err, -EPERM,
				    "'%s' of this tree is not run: others may write it", path);
	/*
	 * By its descriptor: no link leads out of the tree, and what was checked is what is loaded. The loader takes a name
	 * that it knows for the library that it knows: the thread makes it one of its own.
	 */
	(void)snprintf(name, sizeof(name), "/proc/self/task/%d/fd/%d", (int)gettid(), fd);
	return es_dl_open(ret, name, symbols, n, err);
}

static int open_in(const struct es_root *root, const char *folder, const char *const *names,
		   const struct es_dl_symbol *symbols, size_t n, struct es_dl *ret,
		   struct es_error *err)
{
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && names[i]; i++) {
		char path[160];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (es_root_exists(root, path))
			r = open_file(root, path, symbols, n, ret, err);
	}
	return r;
}

int es_library_open(const struct es_root *root, const char *const *names, const char *const *more,
		    const struct es_dl_symbol *symbols, size_t n, struct es_dl *ret,
		    struct es_error *err)
{
	int r = -ENOENT;

	if (root->is_machine)
		return open_here(names, more, symbols, n, ret, err);
	for (size_t i = 0; r == -ENOENT && i < ES_ARRAY_SIZE(folders); i++)
		r = open_in(root, folders[i], names, symbols, n, ret, err);
	for (; r == -ENOENT && more && *more; more++)
		r = open_in(root, *more, names, symbols, n, ret, err);
	if (r != -ENOENT)
		return r;
	return es_error_say(err, -ENOENT, "not this machine, and the tree has no %s", names[0]);
}
