/*
 * client.c - the side of a local socket that asks, and never waits for long
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/address.h"

/* Whoever made a socket where we look must not be told what we do, nor be believed. */
static int check_peer(int fd, uid_t uid)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	return cred.uid == uid || cred.uid == 0 ? 0 : -EPERM;
}

int es_ipc_connect_any(const char *path, int64_t wait_ns, int *ret_fd)
{
	const struct timeval wait = { .tv_sec = wait_ns / ES_NS_PER_S,
				      .tv_usec = wait_ns % ES_NS_PER_S / ES_NS_PER_US };
	struct sockaddr_un address;
	es_cleanup(es_closep) int fd = -1;
	int r = es_ipc_address(path, &address);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* While too many others wait a connect waits with them: for as long as it may send. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	do
		r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	*ret_fd = es_steal_fd(&fd);
	return 0;
}

int es_ipc_connect_to(const char *path, uid_t uid, int64_t wait_ns, int *ret_fd)
{
	es_cleanup(es_closep) int fd = -1;
	int r = es_ipc_connect_any(path, wait_ns, &fd);

	if (r == 0)
		r = check_peer(fd, uid);
	if (r == 0)
		*ret_fd = es_steal_fd(&fd);
	return r;
}

int es_ipc_connect(const char *path, int64_t wait_ns, int *ret_fd)
{
	return es_ipc_connect_to(path, geteuid(), wait_ns, ret_fd);
}

int es_ipc_send(int fd, const struct es_ipc_message *message)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n = es_ipc_encode(message, bytes);

	return send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int es_ipc_receive(int fd, int64_t until_ns, struct es_ipc_message *ret)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES + 1];
	bool was_reset = false;

	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		int64_t wait_ns = until_ns - es_clock_mono_ns();
		struct timespec wait = { .tv_sec = 0 };
		ssize_t n;
		int r;

		if (wait_ns > 0)
			wait = (struct timespec){ .tv_sec = wait_ns / ES_NS_PER_S,
						  .tv_nsec = wait_ns % ES_NS_PER_S };
		r = ppoll(&pollfd, 1, &wait, NULL);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0)
			continue;
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
		/* The other side closed without reading all we sent. What it said before comes behind this error. */
		if (n < 0 && errno == ECONNRESET && !was_reset) {
			was_reset = true;
			continue;
		}
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return -EPIPE;
		if (n > 0)
			return es_ipc_decode(bytes, (size_t)n, ret);
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}
