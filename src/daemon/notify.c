/*
 * notify.c - what the service manager is told
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

int es_notify(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;
	es_cleanup(es_closep) int fd = -1;

	if (n == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || n >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, n + 1);
	/* A name that begins with @ is no file: its first byte is a NUL, and it has no last one. */
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'))) < 0)
		return -errno;
	return 1;
}

int64_t es_notify_watchdog_ns(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *of = getenv("WATCHDOG_PID");
	uint64_t usec, pid;

	if (!text || es_parse_u64(text, &usec) < 0 || usec > INT64_MAX / 1000)
		return 0;
	if (of && (es_parse_u64(of, &pid) < 0 || pid != (uint64_t)getpid()))
		return 0;
	return (int64_t)usec * 1000;
}
