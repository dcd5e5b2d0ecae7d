/*
 * wholefile.c - a regular file at once
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int es_file_read_at(int folder_fd, const char *name, size_t most_bytes, char **ret, size_t *ret_n,
		    struct es_error *err)
{
	/* Without O_NONBLOCK a pipe that nobody writes to would be waited for. */
	es_cleanup(es_closep) int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	es_cleanup(es_freep) char *text = NULL;
	size_t n = 0, size;
	struct stat st;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "cannot read '%.300s'", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > most_bytes)
		return es_error_say(err, -EINVAL, "'%.300s' is no regular file of at most %zu MiB",
				    name, most_bytes >> 20);
	size = (size_t)st.st_size;
	text = malloc(size + 1);
	if (!text)
		return es_error_set(err, -ENOMEM, "cannot read '%.300s'", name);
	while (got && n < size) {
		got = read(fd, text + n, size - n);
		if (got < 0 && errno != EINTR)
			return es_error_set(err, -errno, "cannot read '%.300s'", name);
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = '\0';
	*ret = es_steal_ptr(text);
	*ret_n = n;
	return 0;
}

int es_file_read(const char *path, size_t most_bytes, char **ret, size_t *ret_n,
		 struct es_error *err)
{
	return es_file_read_at(AT_FDCWD, path, most_bytes, ret, ret_n, err);
}
