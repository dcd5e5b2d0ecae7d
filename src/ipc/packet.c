/*
 * packet.c - whole packets of any type through a local socket, with a descriptor where there is one
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/packet.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* Since Linux 6.16; until then a descriptor that was sent is closed by whoever receives the packet. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* Room for the alignment of one descriptor: on 64 bits a second one fits, and is closed. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

void es_packet_head_put(const struct es_packet_head *head, uint8_t out[static ES_IPC_HEADER_BYTES])
{
	const uint64_t words[] = {
		ES_IPC_MAGIC | (uint64_t)head->version << 32 | (uint64_t)head->type << 48,
		head->length | (uint64_t)head->number << 32,
	};

	for (size_t i = 0; i < ES_IPC_HEADER_BYTES; i++)
		out[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
}

int es_packet_head_get(const void *data, size_t n, struct es_packet_head *ret)
{
	struct es_packet_head head;
	struct es_cursor cursor;
	uint32_t magic;

	es_cursor_init(&cursor, data, n);
	magic = es_cursor_le32(&cursor);
	head.version = es_cursor_le16(&cursor);
	head.type = es_cursor_le16(&cursor);
	head.length = es_cursor_le32(&cursor);
	head.number = es_cursor_le32(&cursor);
	if (cursor.error || magic != ES_IPC_MAGIC)
		return -EBADMSG;
	/* Behind the number anything may have changed with the version. */
	if (head.version != ES_IPC_VERSION) {
		ret->number = head.number;
		return -EPROTONOSUPPORT;
	}
	if (head.length != es_cursor_left(&cursor))
		return -EBADMSG;
	*ret = head;
	return 0;
}

int es_packet_send(int fd, const void *data, size_t n, int pass_fd)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = n };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = { .bytes = { 0 } };
	ssize_t r;

	if (pass_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &pass_fd, sizeof(pass_fd));
	}
	do
		r = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
	return 0;
}

void es_packet_take_no_descriptors(int fd)
{
	const int no = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

bool es_packet_has_descriptors(int fd)
{
	uint8_t byte;
	struct iovec part = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	/* Without room for them the kernel says that they were left out; those of the packet are kept. */
	return recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT) >= 0 &&
	       message.msg_flags & MSG_CTRUNC;
}

/* The one descriptor that came along, or -1; whatever else came is closed. @ret_n: how many came. */
static int take_descriptor(struct msghdr *message, size_t *ret_n)
{
	es_cleanup(es_closep) int taken = -1;

	*ret_n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n = c->cmsg_len < CMSG_LEN(0) ? 0
						     : (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			es_closep(&taken);
			taken = fd;
			++*ret_n;
		}
	}
	return *ret_n == 1 ? es_steal_fd(&taken) : -1;
}

/* One packet if there is one: 0, or negative errno, -ECONNRESET among them. */
static int receive_now(int fd, uint8_t *ret, size_t *ret_n, int *ret_fd)
{
	uint8_t beyond; /* a packet that is longer than any may be gets a byte into it */
	struct iovec parts[] = {
		{ .iov_base = ret, .iov_len = ES_IPC_MESSAGE_MAX_BYTES },
		{ .iov_base = &beyond, .iov_len = 1 },
	};
	union control control;
	/* Without room for descriptors the kernel lets them go itself. */
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = ES_ARRAY_SIZE(parts),
				  .msg_control = ret_fd ? control.bytes : NULL,
				  .msg_controllen = ret_fd ? sizeof(control) : 0 };
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	es_cleanup(es_closep) int taken = -1;
	size_t n_taken = 0;

	if (n < 0)
		return -errno;
	if (ret_fd)
		taken = take_descriptor(&message, &n_taken);
	if (n == 0)
		return -EPIPE; /* an empty packet looks the same, and is none of ours */
	if (n > (ssize_t)ES_IPC_MESSAGE_MAX_BYTES || n_taken > 1)
		return -EMSGSIZE;
	if (ret_fd && message.msg_flags & MSG_CTRUNC)
		return n_taken > 0 ? -EMSGSIZE : -EMFILE;
	*ret_n = (size_t)n;
	if (ret_fd)
		*ret_fd = es_steal_fd(&taken);
	return 0;
}

/* Until @fd is ready for @events: 0, -ETIMEDOUT, or negative errno. */
static int wait_for(int fd, short events, int64_t until_ns)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int64_t wait_ns = until_ns - es_clock_mono_ns();
	const struct timespec wait = { .tv_sec = wait_ns / ES_NS_PER_S,
				       .tv_nsec = wait_ns % ES_NS_PER_S };
	int r;

	if (wait_ns <= 0)
		return -ETIMEDOUT;
	r = ppoll(&pollfd, 1, &wait, NULL);
	if (r < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int es_packet_receive(int fd, int64_t until_ns, uint8_t *ret, size_t *ret_n, int *ret_fd)
{
	bool was_reset = false;

	for (;;) {
		int r = receive_now(fd, ret, ret_n, ret_fd);

		/* The other side closed without reading all we sent. What it said before comes behind this error. */
		if (r == -ECONNRESET && was_reset)
			return -EPIPE;
		was_reset = was_reset || r == -ECONNRESET;
		if (r == -EINTR || r == -ECONNRESET)
			continue;
		if (r != -EAGAIN || until_ns == 0)
			return r;
		r = wait_for(fd, POLLIN, until_ns);
		if (r < 0)
			return r;
	}
}

static int send_until(int fd, const void *data, size_t n, int64_t until_ns)
{
	for (;;) {
		int r = es_packet_send(fd, data, n, -1);

		if (r != -EAGAIN)
			return r;
		r = wait_for(fd, POLLOUT, until_ns);
		if (r < 0)
			return r;
	}
}

int es_packet_ask(int fd, const void *data, size_t n, int64_t until_ns, uint8_t *ret, size_t *ret_n,
		  struct es_packet_head *ret_head, int *ret_fd)
{
	struct es_packet_head asked, head = { .number = 0 };
	int r = es_packet_head_get(data, n, &asked);

	if (r == 0)
		r = send_until(fd, data, n, until_ns);
	while (r == 0) {
		es_cleanup(es_closep) int came = -1;

		r = es_packet_receive(fd, until_ns, ret, ret_n, ret_fd ? &came : NULL);
		if (r == 0)
			r = es_packet_head_get(ret, *ret_n, &head);
		if (r < 0 || head.number != asked.number)
			continue;
		*ret_head = head;
		if (ret_fd)
			*ret_fd = es_steal_fd(&came);
		return 0;
	}
	return r;
}
