/*
 * archive.c - the files of a folder, a tarball or one file, whatever they are compressed with
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "base/limits.h"

#define LIBRARY "libarchive.so.13"
#define PACKAGE "libarchive13"
#define DEPTH_MAX 8 /* folders in folders */
#define NESTING_MAX 2 /* archives in archives */
#define SNIFF_BYTES 512

/*
 * What we call of libarchive, declared here so that building needs no header of it. Formats and filters are named
 * one by one: among "all" are some that read other files (mtree) or start programs (lrzip, grzip).
 */
struct archive;
struct archive_entry;
enum {
	ARCHIVE_END = 1,
	ARCHIVE_OK = 0,
	ARCHIVE_FORMAT_RAW = 0x90000,
	ARCHIVE_FILTER_NONE = 0,
};

struct library {
	struct es_dl dl;
	struct archive *(*read_new)(void);
	int (*read_free)(struct archive *);
	int (*format_tar)(struct archive *);
	int (*format_raw)(struct archive *);
	int (*filter_gzip)(struct archive *);
	int (*filter_bzip2)(struct archive *);
	int (*filter_xz)(struct archive *);
	int (*filter_zstd)(struct archive *); /* since 3.3.3 */
	int (*open_memory)(struct archive *, const void *, size_t);
	int (*next_header)(struct archive *, struct archive_entry **);
	ssize_t (*read_data)(struct archive *, void *, size_t);
	int (*format)(struct archive *);
	int (*filter_code)(struct archive *, int);
	const char *(*error_string)(struct archive *);
	const char *(*entry_pathname)(struct archive_entry *);
	mode_t (*entry_filetype)(struct archive_entry *);
};

struct walk {
	const struct es_archive_limits *limits;
	uint64_t max_bytes, n_bytes;
	size_t max_entries, n_entries;
	struct library calls; /* opened at the first need */
	es_archive_fn fn;
	void *arg;
	struct es_error *err;
};

static int open_library(struct walk *walk, const char *name)
{
	struct library *l = &walk->calls;
	const struct es_dl_symbol symbols[] = {
		{ "archive_read_new", &l->read_new, true },
		{ "archive_read_free", &l->read_free, true },
		{ "archive_read_support_format_tar", &l->format_tar, true },
		{ "archive_read_support_format_raw", &l->format_raw, true },
		{ "archive_read_support_filter_gzip", &l->filter_gzip, true },
		{ "archive_read_support_filter_bzip2", &l->filter_bzip2, true },
		{ "archive_read_support_filter_xz", &l->filter_xz, true },
		{ "archive_read_support_filter_zstd", &l->filter_zstd, false },
		{ "archive_read_open_memory", &l->open_memory, true },
		{ "archive_read_next_header", &l->next_header, true },
		{ "archive_read_data", &l->read_data, true },
		{ "archive_format", &l->format, true },
		{ "archive_filter_code", &l->filter_code, true },
		{ "archive_error_string", &l->error_string, true },
		{ "archive_entry_pathname", &l->entry_pathname, true },
		{ "archive_entry_filetype", &l->entry_filetype, true },
	};
	const char *library = walk->limits && walk->limits->soname ? walk->limits->soname : LIBRARY;
	struct es_error why = { .code = 0 };
	int r;

	if (l->dl.handle)
		return 0;
	r = es_dl_open(&l->dl, library, symbols, ES_ARRAY_SIZE(symbols), &why);
	if (r < 0)
		return es_error_say(walk->err, r,
				    "cannot unpack '%s': %s; install the package " PACKAGE
				    ", or unpack it first",
				    name, why.text);
	return 0;
}

/* A buffer that grows while a file is read; the walk's limit holds for all of them together. */
struct bytes {
	char *data;
	size_t n, cap;
};

static void bytes_freep(struct bytes *bytes)
{
	free(bytes->data);
}

/* Room for more, and at least one byte beyond for the NUL; 0, -ENOMEM, or -EFBIG. */
static int make_room(struct walk *walk, struct bytes *bytes)
{
	size_t cap = bytes->cap ? bytes->cap * 2 : 65536;
	char *data;

	if (walk->n_bytes > walk->max_bytes)
		return -EFBIG;
	if (bytes->n + 1 < bytes->cap)
		return 0;
	data = realloc(bytes->data, cap);
	if (!data)
		return -ENOMEM;
	bytes->data = data;
	bytes->cap = cap;
	return 0;
}

static int too_much(struct walk *walk, int r, const char *name)
{
	if (r == -EFBIG)
		return es_error_say(walk->err, r, "'%s': more than %llu MiB to read", name,
				    (unsigned long long)(walk->max_bytes >> 20));
	return es_error_set(walk->err, r, "cannot read '%s'", name);
}

static bool is_packed(const char *data, size_t n)
{
	static const struct {
		size_t at, n;
		const char *magic;
	} magics[] = {
		{ 0, 2, "\x1f\x8b" },	      { 0, 3, "BZh" },	   { 0, 6, "\xfd\x37zXZ\0" },
		{ 0, 4, "\x28\xb5\x2f\xfd" }, { 257, 5, "ustar" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(magics); i++)
		if (n >= magics[i].at + magics[i].n &&
		    memcmp(data + magics[i].at, magics[i].magic, magics[i].n) == 0)
			return true;
	return false;
}

static bool is_text(const char *data, size_t n)
{
	return memchr(data, '\0', n < SNIFF_BYTES ? n : SNIFF_BYTES) == NULL;
}

static int count_entry(struct walk *walk, const char *name)
{
	if (++walk->n_entries > walk->max_entries)
		return es_error_say(walk->err, -E2BIG, "'%s': more than %zu files", name,
				    walk->max_entries);
	return 0;
}

static int hand_out(struct walk *walk, const char *name, struct bytes *bytes, bool is_cut,
		    int nesting);

/* @name without the ending that says how it was compressed; -ENAMETOOLONG */
static int plain_name(const char *name, char ret[static ES_PATH_MAX_BYTES])
{
	static const char *const endings[] = { ".gz", ".bz2", ".xz", ".zst" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ES_ARRAY_SIZE(endings); i++) {
		size_t n_ending = strlen(endings[i]);

		if (n > n_ending && strcmp(name + n - n_ending, endings[i]) == 0) {
			n -= n_ending;
			break;
		}
	}
	if (n >= ES_PATH_MAX_BYTES)
		return -ENAMETOOLONG;
	memcpy(ret, name, n);
	ret[n] = '\0';
	return 0;
}

/* The name of a member: that of a compressed file is the file's own. Control characters would spoil messages. */
static int member_name(const char *outer, const char *inner, bool is_raw,
		       char ret[static ES_PATH_MAX_BYTES])
{
	char plain[ES_PATH_MAX_BYTES];
	int n;

	if (is_raw)
		return plain_name(outer, ret);
	if (strlen(outer) >= sizeof(plain) || !inner)
		return -ENAMETOOLONG;
	n = snprintf(ret, ES_PATH_MAX_BYTES, "%s/%s", outer, inner);
	if (n < 0 || (size_t)n >= ES_PATH_MAX_BYTES)
		return -ENAMETOOLONG;
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return 0;
}

/* 0: whole; 1: it breaks off, @bytes hold what there is; negative errno */
static int read_member(struct walk *walk, struct archive *archive, struct bytes *bytes)
{
	for (;;) {
		ssize_t n;
		int r = make_room(walk, bytes);

		if (r < 0)
			return r;
		n = walk->calls.read_data(archive, bytes->data + bytes->n,
					  bytes->cap - bytes->n - 1);
		if (n < 0)
			return 1;
		if (n == 0)
			return 0;
		bytes->n += (size_t)n;
		walk->n_bytes += (uint64_t)n;
	}
}

/* One member; 1 when the archive ends in the middle of it. */
static int one_member(struct walk *walk, struct archive *archive, struct archive_entry *entry,
		      const char *name, int nesting)
{
	const char *inner = walk->calls.entry_pathname(entry);
	bool is_raw = walk->calls.format(archive) == ARCHIVE_FORMAT_RAW;
	es_cleanup(bytes_freep) struct bytes bytes = { .n = 0 };
	char path[ES_PATH_MAX_BYTES];
	int r, cut;

	/* It looked packed, and the library finds nothing to unpack in it. */
	if (is_raw && walk->calls.filter_code(archive, 0) == ARCHIVE_FILTER_NONE)
		return es_error_say(walk->err, -EBADMSG,
				    "'%s' is a broken archive: its beginning makes no sense", name);
	r = count_entry(walk, name);
	if (r < 0)
		return r;
	if (!S_ISREG(walk->calls.entry_filetype(entry)))
		return 0;
	r = member_name(name, inner, is_raw, path);
	if (r < 0)
		return es_error_set(walk->err, r, "a name in '%s'", name);
	cut = read_member(walk, archive, &bytes);
	if (cut < 0)
		return too_much(walk, cut, path);
	r = hand_out(walk, path, &bytes, cut, nesting + 1);
	return r < 0 ? r : cut;
}

static int walk_members(struct walk *walk, struct archive *archive, const char *name, int nesting)
{
	size_t n = 0;
	int r;

	for (;; n++) {
		struct archive_entry *entry;

		r = walk->calls.next_header(archive, &entry);
		if (r == ARCHIVE_END)
			return 0;
		if (r < ARCHIVE_OK && n > 0)
			break; /* what was whole has been handed out */
		if (r < ARCHIVE_OK) {
			const char *why = walk->calls.error_string(archive);

			return es_error_say(walk->err, -EBADMSG, "'%s' is a broken archive: %s",
					    name, why ? why : "unreadable");
		}
		r = one_member(walk, archive, entry, name, nesting);
		if (r < 0)
			return r;
		if (r > 0)
			break;
	}
	return 0;
}

static int walk_packed(struct walk *walk, const char *name, const struct bytes *bytes, int nesting)
{
	struct library *l = &walk->calls;
	struct archive *archive;
	int r = open_library(walk, name);

	if (r < 0)
		return r;
	archive = l->read_new();
	if (!archive)
		return es_error_set(walk->err, -ENOMEM, "cannot unpack '%s'", name);
	(void)l->format_tar(archive);
	(void)l->format_raw(archive);
	(void)l->filter_gzip(archive);
	(void)l->filter_bzip2(archive);
	(void)l->filter_xz(archive);
	if (l->filter_zstd)
		(void)l->filter_zstd(archive);
	if (l->open_memory(archive, bytes->data, bytes->n) < ARCHIVE_OK) {
		const char *why = l->error_string(archive);

		r = es_error_say(walk->err, -EBADMSG, "'%s' is a broken archive: %s", name,
				 why ? why : "unreadable");
	} else {
		r = walk_members(walk, archive, name, nesting);
	}
	(void)l->read_free(archive);
	return r;
}

static int hand_out(struct walk *walk, const char *name, struct bytes *bytes, bool is_cut,
		    int nesting)
{
	struct es_archive_file file;
	int r;

	if (bytes->n == 0)
		return 0;
	if (is_packed(bytes->data, bytes->n))
		return nesting >= NESTING_MAX ? 0 : walk_packed(walk, name, bytes, nesting);
	if (!is_text(bytes->data, bytes->n))
		return 0;
	bytes->data[bytes->n] = '\0';
	file = (struct es_archive_file){
		.name = name, .data = bytes->data, .n = bytes->n, .is_cut = is_cut
	};
	bytes->data = NULL;
	r = walk->fn(walk->arg, &file);
	free(file.data);
	return r;
}

static int walk_file(struct walk *walk, int fd, const char *name)
{
	es_cleanup(bytes_freep) struct bytes bytes = { .n = 0 };

	for (;;) {
		ssize_t n;
		int r = make_room(walk, &bytes);

		if (r < 0)
			return too_much(walk, r, name);
		n = read(fd, bytes.data + bytes.n, bytes.cap - bytes.n - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return es_error_set(walk->err, -errno, "cannot read '%s'", name);
		if (n == 0)
			break;
		bytes.n += (size_t)n;
		walk->n_bytes += (uint64_t)n;
		/* What is neither is not read to its end: a folder may hold large files that are no business of ours. */
		if (bytes.n >= SNIFF_BYTES && !is_packed(bytes.data, bytes.n) &&
		    !is_text(bytes.data, bytes.n)) {
			walk->n_bytes -= bytes.n;
			return 0;
		}
	}
	return hand_out(walk, name, &bytes, false, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **names;
	size_t n;
};

static void names_freep(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
}

/* Sorted, so that an import does not depend on the order that a file system has. */
static int list_folder(struct walk *walk, int fd, const char *name, struct names *ret)
{
	es_cleanup(es_closedirp) DIR *dir = NULL;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct dirent *entry;

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int r = -errno;

		es_closep(&copy);
		return es_error_set(walk->err, r, "cannot read folder '%s'", name);
	}
	while ((entry = readdir(dir))) {
		char **names;
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = count_entry(walk, name);
		if (r < 0)
			return r;
		names = reallocarray(ret->names, ret->n + 1, sizeof(*names));
		if (!names)
			return es_error_set(walk->err, -ENOMEM, "folder '%s'", name);
		ret->names = names;
		names[ret->n] = strdup(entry->d_name);
		if (!names[ret->n])
			return es_error_set(walk->err, -ENOMEM, "folder '%s'", name);
		ret->n++;
	}
	if (ret->n > 0)
		qsort(ret->names, ret->n, sizeof(*ret->names), by_name);
	return 0;
}

static int walk_any(struct walk *walk, int fd, const char *name, int depth);

static int walk_folder(struct walk *walk, int fd, const char *name, int depth)
{
	es_cleanup(names_freep) struct names names = { .n = 0 };
	int r = list_folder(walk, fd, name, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		/* O_NONBLOCK: a pipe without a writer must not stop us. */
		es_cleanup(es_closep) int child =
			openat(fd, names.names[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		char path[ES_PATH_MAX_BYTES];

		if (child < 0 &&
		    (errno == ELOOP || errno == ENXIO || errno == ENODEV || errno == ENOENT))
			continue;
		if (child < 0)
			return es_error_set(walk->err, -errno, "cannot open '%s' in '%s'",
					    names.names[i], name);
		r = member_name(name, names.names[i], false, path);
		if (r < 0)
			return es_error_set(walk->err, r, "a name in '%s'", name);
		r = walk_any(walk, child, path, depth + 1);
	}
	return r;
}

static int walk_any(struct walk *walk, int fd, const char *name, int depth)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return es_error_set(walk->err, -errno, "cannot look at '%s'", name);
	if (S_ISDIR(st.st_mode))
		return depth > DEPTH_MAX ? 0 : walk_folder(walk, fd, name, depth);
	if (S_ISREG(st.st_mode))
		return walk_file(walk, fd, name);
	if (depth == 0)
		return es_error_say(walk->err, -EINVAL, "'%s' is neither a file nor a folder",
				    name);
	return 0;
}

int es_archive_walk(const char *path, const struct es_archive_limits *limits, es_archive_fn fn,
		    void *arg, struct es_error *err)
{
	struct walk walk = {
		.limits = limits,
		.max_bytes = limits && limits->max_bytes ? limits->max_bytes : ES_ARCHIVE_MAX_BYTES,
		.max_entries = limits && limits->max_entries ? limits->max_entries
							     : ES_ARCHIVE_MAX_ENTRIES,
		.fn = fn,
		.arg = arg,
		.err = err,
	};
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return es_error_set(err, -errno, "cannot open '%s'", path);
	r = walk_any(&walk, fd, path, 0);
	es_dl_close(&walk.calls.dl);
	return r;
}
