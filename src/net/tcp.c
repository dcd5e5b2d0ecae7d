/*
 * tcp.c - a connection to a host, within a time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"

static int wait_for(int fd, int64_t end_ns)
{
	socklen_t n = sizeof(int);
	int error = 0;

	while (true) {
		struct pollfd poller = { .fd = fd, .events = POLLOUT };
		int64_t left_ns = end_ns - es_clock_mono_ns();
		int r = left_ns > 0 ? poll(&poller, 1, (int)(left_ns / ES_NS_PER_MS) + 1) : 0;

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			break;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? -errno : -error;
}

static int try_address(const struct addrinfo *address, int64_t end_ns, int *ret_fd)
{
	es_cleanup(es_closep) int fd =
		socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0, yes = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_for(fd, end_ns) : -errno;
	if (r == 0)
		*ret_fd = es_steal_fd(&fd);
	return r;
}

int es_tcp_connect(const char *host, uint16_t port, int64_t timeout_ns, int *ret_fd,
		   struct es_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	int64_t end_ns;
	char service[8];
	int r;

	(void)snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &found);
	if (r != 0)
		return es_error_say(err, -EHOSTUNREACH, "host '%.200s' is not found: %s", host,
				    gai_strerror(r));
	end_ns = es_clock_mono_ns() + timeout_ns;
	r = -EHOSTUNREACH;
	for (const struct addrinfo *a = found; a && r < 0; a = a->ai_next)
		r = try_address(a, end_ns, ret_fd);
	freeaddrinfo(found);
	if (r == -ECONNREFUSED)
		return es_error_say(err, r, "nothing listens at port %u of '%.200s'", port, host);
	return r < 0 ? es_error_set(err, r, "no connection to '%.200s', port %u", host, port) : 0;
}
