/*
 * listener.c - the side of a local socket that answers, without ever waiting for anybody
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/address.h"

/* In one go; each is a read, a frame written and an answer, some 10 µs. */
#define SERVED_AT_ONCE 8
#define SILENT_NS ES_NS_PER_S /* after that a client makes room for one who waits */
#define RETRY_NS (100 * ES_NS_PER_MS) /* no descriptor or memory for another client */
#define THE_SOCKET UINT32_MAX /* among the events: the listening socket, not a client */

struct client {
	int fd; /* -1: free */
	struct es_ipc_peer peer;
	int64_t heard_ns; /* monotonic */
	bool is_waiting; /* for es_ipc_listener_tell() */
	uint32_t number; /* of the message whose answer it waits for */
};

struct es_ipc_listener {
	int fd, epoll_fd;
	es_ipc_handle_fn handle;
	void *arg;
	bool is_full; /* the socket is not looked at: no room */
	int64_t next_ns;
	size_t n_clients;
	struct client clients[ES_IPC_CLIENTS_MAX];
	struct sockaddr_un address;
	bool is_bound;
	struct es_ipc_message message, answer; /* not on the stack: they are large */
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES + 1]; /* one more: a packet too long is seen */
};

static void look_at_socket(struct es_ipc_listener *listener, bool looks)
{
	struct epoll_event event = { .events = looks ? EPOLLIN : 0, .data.u32 = THE_SOCKET };

	(void)epoll_ctl(listener->epoll_fd, EPOLL_CTL_MOD, listener->fd, &event);
	listener->is_full = !looks;
}

static void drop(struct es_ipc_listener *listener, struct client *client)
{
	(void)close(es_steal_fd(&client->fd)); /* and it leaves the epoll set */
	listener->n_clients--;
	if (!listener->is_full)
		return;
	look_at_socket(listener, true);
	listener->next_ns = INT64_MAX;
}

/* False where it was dropped, because it does not read what it is told. */
static bool send_answer(struct es_ipc_listener *listener, struct client *client,
			const struct es_ipc_message *answer)
{
	size_t n = es_ipc_encode(answer, listener->bytes);

	if (send(client->fd, listener->bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n)
		return true;
	drop(listener, client);
	return false;
}

/* What was no message of this protocol gets an answer of which version 1 knows the shape, and is not heard again. */
static void refuse(struct es_ipc_listener *listener, struct client *client, int why)
{
	struct es_ipc_message *answer = &listener->answer;

	*answer = (struct es_ipc_message){ .type = ES_IPC_ANSWER,
					   .value = ES_IPC_BAD_MESSAGE,
					   .number = listener->message.number };
	if (why == -EPROTONOSUPPORT)
		answer->value = ES_IPC_BAD_VERSION;
	else if (why == -EOPNOTSUPP)
		answer->value = ES_IPC_BAD_TYPE;
	(void)snprintf(answer->text, sizeof(answer->text), "%s",
		       why == -EPROTONOSUPPORT ? "this side speaks version 1 of the protocol"
		       : why == -EOPNOTSUPP    ? "this side does not know what is asked for"
		       : why == -EMSGSIZE      ? "a message is shorter"
					       : "this is no message");
	if (send_answer(listener, client, answer))
		drop(listener, client);
}

static void serve_client(struct es_ipc_listener *listener, struct client *client,
			 int64_t now_mono_ns)
{
	struct es_ipc_message *answer = &listener->answer;
	/* Of a packet that is too long the rest is lost; with MSG_TRUNC its true length is told. */
	ssize_t n = recv(client->fd, listener->bytes, sizeof(listener->bytes),
			 MSG_DONTWAIT | MSG_TRUNC);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(listener,
		     client); /* it left; an empty packet looks the same and is none of ours */
		return;
	}
	client->heard_ns = now_mono_ns;
	listener->message.number = 0;
	r = es_ipc_decode(listener->bytes, (size_t)n, &listener->message);
	if (r < 0) {
		refuse(listener, client, r);
		return;
	}
	*answer = (struct es_ipc_message){ .type = ES_IPC_ANSWER, .value = ES_IPC_OK };
	listener->handle(listener->arg, &client->peer, &listener->message, answer);
	client->is_waiting = answer->type == 0;
	client->number = listener->message.number;
	answer->number = listener->message.number;
	if (!client->is_waiting)
		(void)send_answer(listener, client, answer);
}

/* A place for another client: a free one, or that of the one silent for longest; NULL: all are busy. */
static struct client *find_place(struct es_ipc_listener *listener, int64_t now_mono_ns)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++) {
		struct client *client = &listener->clients[i];

		if (client->fd < 0)
			return client;
		if (!client->is_waiting && (!oldest || client->heard_ns < oldest->heard_ns))
			oldest = client;
	}
	if (oldest && now_mono_ns - oldest->heard_ns >= SILENT_NS) {
		drop(listener, oldest);
		return oldest;
	}
	look_at_socket(listener, false);
	listener->next_ns = oldest ? oldest->heard_ns + SILENT_NS : now_mono_ns + SILENT_NS;
	return NULL;
}

static bool know_peer(int fd, struct es_ipc_peer *ret)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return false;
	*ret = (struct es_ipc_peer){ .pid = cred.pid, .uid = cred.uid };
	return true;
}

/* Another user cannot come here by the socket's mode; should it be changed, this still holds. */
static void turn_away(struct es_ipc_listener *listener, int fd)
{
	struct es_ipc_message *answer = &listener->answer;
	size_t n;

	*answer = (struct es_ipc_message){ .type = ES_IPC_ANSWER, .value = ES_IPC_DENIED };
	(void)snprintf(answer->text, sizeof(answer->text), "this belongs to user %u",
		       (unsigned)geteuid());
	n = es_ipc_encode(answer, listener->bytes);
	(void)send(fd, listener->bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void serve_socket(struct es_ipc_listener *listener, int64_t now_mono_ns)
{
	struct client *client = find_place(listener, now_mono_ns);
	struct epoll_event event = { .events = EPOLLIN };
	es_cleanup(es_closep) int fd = -1;
	struct es_ipc_peer peer;

	if (!client)
		return;
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		look_at_socket(listener, false); /* it would stay readable */
		listener->next_ns = now_mono_ns + RETRY_NS;
		return;
	}
	if (!know_peer(fd, &peer))
		return;
	if (peer.uid != geteuid() && peer.uid != 0) {
		turn_away(listener, fd);
		return;
	}
	event.data.u32 = (uint32_t)(client - listener->clients);
	if (epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return;
	*client = (struct client){ .fd = es_steal_fd(&fd), .peer = peer, .heard_ns = now_mono_ns };
	listener->n_clients++;
}

int es_ipc_listener_serve(struct es_ipc_listener *listener, int64_t now_mono_ns)
{
	struct epoll_event events[SERVED_AT_ONCE];
	int n;

	if (listener->is_full && now_mono_ns >= listener->next_ns) {
		look_at_socket(listener, true);
		listener->next_ns = INT64_MAX;
	}
	n = epoll_wait(listener->epoll_fd, events, SERVED_AT_ONCE, 0);
	for (int i = 0; i < n; i++) {
		uint32_t which = events[i].data.u32;

		if (which == THE_SOCKET)
			serve_socket(listener, now_mono_ns);
		else if (listener->clients[which].fd >= 0) /* not dropped meanwhile */
			serve_client(listener, &listener->clients[which], now_mono_ns);
	}
	return n;
}

void es_ipc_listener_tell(struct es_ipc_listener *listener, const struct es_ipc_message *answer)
{
	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++) {
		struct client *client = &listener->clients[i];

		if (client->fd < 0 || !client->is_waiting)
			continue;
		listener->answer = *answer;
		listener->answer.number = client->number;
		client->is_waiting = false;
		(void)send_answer(listener, client, &listener->answer);
	}
}

int es_ipc_listener_fd(const struct es_ipc_listener *listener)
{
	return listener->epoll_fd;
}

int64_t es_ipc_listener_next_ns(const struct es_ipc_listener *listener)
{
	return listener->next_ns;
}

static int open_socket(struct es_ipc_listener *listener, const char *path)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = THE_SOCKET };
	int r = es_ipc_address(path, &listener->address);

	if (r < 0)
		return r;
	listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	/* The mode of a socket not yet bound is that of its file: never, not even for a moment, open to others. */
	(void)fchmod(listener->fd, 0600);
	if (bind(listener->fd, (const struct sockaddr *)&listener->address,
		 sizeof(listener->address)) < 0)
		return -errno;
	listener->is_bound = true;
	listener->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (listen(listener->fd, SOMAXCONN) < 0 || listener->epoll_fd < 0 ||
	    epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) < 0)
		return -errno;
	return 0;
}

int es_ipc_listen(const char *path, es_ipc_handle_fn handle, void *arg,
		  struct es_ipc_listener **ret, struct es_error *err)
{
	struct es_ipc_listener *listener = calloc(1, sizeof(*listener));
	int r;

	if (!listener)
		return es_error_set(err, -ENOMEM, "socket '%s'", path);
	listener->fd = listener->epoll_fd = -1;
	listener->handle = handle;
	listener->arg = arg;
	listener->next_ns = INT64_MAX;
	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++)
		listener->clients[i].fd = -1;
	r = open_socket(listener, path);
	if (r < 0) {
		es_ipc_listener_close(listener);
		return es_error_set(err, r, "socket '%s'", path);
	}
	*ret = listener;
	return 0;
}

void es_ipc_listener_close(struct es_ipc_listener *listener)
{
	if (!listener)
		return;
	/* First the path: a client that sees the end of its connection finds nothing left. */
	if (listener->is_bound)
		(void)unlink(listener->address.sun_path);
	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++)
		es_closep(&listener->clients[i].fd);
	es_closep(&listener->fd);
	es_closep(&listener->epoll_fd);
	free(listener);
}
