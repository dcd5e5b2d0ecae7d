/*
 * old_kernel.c - loaded before a program: the kernel is one that cannot refuse descriptors (before Linux 6.16)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#define SO_PASSRIGHTS_NUMBER 83

typedef int (*setsockopt_fn)(int, int, int, const void *, socklen_t);

__attribute__((visibility("default"))) int setsockopt(int fd, int level, int name,
						      const void *value, socklen_t size)
{
	setsockopt_fn real;

	if (level == SOL_SOCKET && name == SO_PASSRIGHTS_NUMBER) {
		errno = ENOPROTOOPT;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
	return real(fd, level, name, value, size);
}
