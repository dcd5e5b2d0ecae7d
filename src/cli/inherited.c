/*
 * inherited.c - the descriptors that are the command's, not ours
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Our oldest headers lack them. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_ON_EXEC (1U << 2) /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define OLD_KERNEL_FDS 65536U

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

static int add(struct es_inherited *inherited, int fd)
{
	int *fds = reallocarray(inherited->fds, inherited->n + 1, sizeof(*fds));

	if (!fds)
		return -1;
	fds[inherited->n++] = fd;
	inherited->fds = fds;
	return 0;
}

void es_inherited_take(struct es_inherited *ret)
{
	struct es_inherited found = { .is_known = true };
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	*ret = (struct es_inherited){ .is_known = false };
	if (!folder)
		return;
	while (found.is_known && (entry = readdir(folder))) {
		int fd = atoi(entry->d_name), flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			found.is_known = add(&found, fd) == 0;
	}
	(void)closedir(folder);
	if (!found.is_known) {
		es_inherited_finish(&found);
		return;
	}
	if (found.n > 0)
		qsort(found.fds, found.n, sizeof(*found.fds), by_number);
	*ret = found;
}

void es_inherited_finish(struct es_inherited *inherited)
{
	free(inherited->fds);
	*inherited = (struct es_inherited){ .is_known = false };
}

static void close_on_exec(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, CLOSE_RANGE_ON_EXEC) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < OLD_KERNEL_FDS; fd++) {
		int flags = fcntl((int)fd, F_GETFD);

		if (flags >= 0)
			(void)fcntl((int)fd, F_SETFD, flags | FD_CLOEXEC);
	}
}

void es_inherited_keep(const struct es_inherited *inherited)
{
	unsigned from = 3;

	if (!inherited->is_known)
		return;
	for (size_t i = 0; i < inherited->n; i++) {
		close_on_exec(from, (unsigned)inherited->fds[i] - 1);
		from = (unsigned)inherited->fds[i] + 1;
	}
	close_on_exec(from, ~0U);
}
