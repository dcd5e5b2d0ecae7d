/*
 * daemon/client.c - one connection: what it sends and what it reads, at a pace that is ours
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define SERVED_AT_ONCE 8
#define LIST_AT_ONCE 32
#define TOKENS_PER_S 200 /* messages that are heard of one connection */
#define TOKENS_MAX 400 /* at once, after a silence */
#define ADMIN_FACTOR 10 /* 64 slurmd that end their jobs at once */
#define WISHES_AT_ONCE 2 /* sweeps out of turn: both ends of a short job */
#define STUCK_NS (5 * ES_NS_PER_S) /* who reads no answer for so long is dropped */

static void on_ready(uv_poll_t *poll, int status, int events);

/* It is read from unless it has an answer to take, or said too much. */
static void look_at(struct es_client *client)
{
	int events = UV_DISCONNECT;

	if (client->is_closing)
		return;
	if (client->held || client->list)
		events |= UV_WRITABLE;
	else if (!client->is_throttled && !client->is_working)
		events |= UV_READABLE;
	(void)uv_poll_start(&client->poll, events, on_ready);
}

static void on_closed(uv_handle_t *handle)
{
	struct es_client *client = handle->data;

	/* A worker still writes to it: whoever ends last frees it. */
	client->fd = -1;
	if (!client->is_working)
		free(client);
}

void es_client_drop(struct es_client *client)
{
	if (client->is_closing)
		return;
	client->is_closing = true;
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	client->daemon->server.n_clients--;
	es_pages_drop(client);
	free(client->held);
	client->held = NULL;
	es_closep(&client->held_fd);
	free(client->totals);
	client->totals = NULL;
	(void)uv_poll_stop(&client->poll);
	uv_close((uv_handle_t *)&client->poll, on_closed);
	es_partings_hang_up(&client->daemon->server.partings, client->fd, client->peer.uid);
}

struct es_client *es_client_create(struct es_daemon *daemon, int fd, const struct es_peer *peer)
{
	struct es_server *server = &daemon->server;
	struct es_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	*client = (struct es_client){ .daemon = daemon, .fd = fd, .peer = *peer, .held_fd = -1 };
	client->serial = ++server->serial;
	client->tokens = TOKENS_MAX;
	client->filled_ns = es_clock_mono_ns();
	es_peer_pin(fd, daemon->chain.jobs, &client->peer);
	es_rights_judge(&client->peer, daemon->chain.jobs, &daemon->config, &client->rights);
	if (uv_poll_init(&daemon->loop, &client->poll, fd) < 0) {
		free(client);
		return NULL;
	}
	client->poll.data = client;
	client->next = server->clients;
	client->link = &server->clients;
	if (client->next)
		client->next->link = &client->next;
	server->clients = client;
	server->n_clients++;
	look_at(client);
	return client;
}

/* True: another message may be heard. */
static bool take_token(struct es_client *client)
{
	int64_t now_ns = es_clock_mono_ns(), factor = client->peer.is_admin ? ADMIN_FACTOR : 1;
	int64_t more = (now_ns - client->filled_ns) / (ES_NS_PER_S / (TOKENS_PER_S * factor));

	if (more > 0) {
		client->filled_ns = now_ns;
		client->tokens += more;
		if (client->tokens > TOKENS_MAX * factor)
			client->tokens = TOKENS_MAX * factor;
	}
	if (client->tokens == 0)
		return false;
	client->tokens--;
	return true;
}

static void hear(struct es_client *client)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];

	for (int i = 0; i < SERVED_AT_ONCE; i++) {
		size_t n;
		int r;

		if (client->is_closing || client->held || client->list || client->is_working ||
		    client->ends_after)
			break;
		if (!take_token(client)) {
			client->is_throttled = true; /* until the next tick */
			break;
		}
		/* It is not taken: what came along would be closed here, by whoever it belongs to made slow. */
		if (es_packet_has_descriptors(client->fd)) {
			client->ends_after = true;
			es_client_answer(client, 0, ES_IPC_DENIED, 0, "descriptors are not taken");
			break;
		}
		r = es_packet_receive(client->fd, 0, packet, &n, NULL);
		if (r == -EAGAIN)
			break;
		if (r < 0 && r != -EMSGSIZE) {
			es_client_drop(client);
			return;
		}
		client->daemon->server.n_messages++;
		if (r == -EMSGSIZE) {
			client->ends_after = true;
			es_client_answer(client, 0, ES_IPC_BAD_MESSAGE, 0, "a message is shorter");
			break;
		}
		es_answer(client, packet, n);
	}
}

/* What waits goes out, as far as there is room. */
static void speak(struct es_client *client)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];

	if (client->held) {
		int r = es_packet_send(client->fd, client->held, client->n_held, client->held_fd);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			es_client_drop(client);
			return;
		}
		free(client->held);
		client->held = NULL;
		es_closep(&client->held_fd);
		client->held_fd = -1;
		client->stuck_ns = 0;
	}
	for (int i = 0; i < LIST_AT_ONCE && client->list && !client->held; i++) {
		int n = es_answer_next(client, packet, sizeof(packet));

		if (n > 0)
			es_client_send(client, packet, (size_t)n, -1);
		if (client->is_closing)
			return;
	}
	if (!client->held && !client->list && client->ends_after)
		es_client_drop(client);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct es_client *client = poll->data;

	if (status < 0) {
		es_client_drop(client);
		return;
	}
	if (events & UV_WRITABLE)
		speak(client);
	if (!client->is_closing && (events & UV_READABLE))
		hear(client);
	/* Half closed: what it sent before is answered, what it does not read is not waited for. */
	if (!client->is_closing && (events & UV_DISCONNECT) && !(events & UV_READABLE)) {
		es_client_drop(client);
		return;
	}
	look_at(client);
}

void es_client_send(struct es_client *client, const uint8_t *data, size_t n, int pass_fd)
{
	int r;

	if (client->is_closing) {
		es_closep(&pass_fd);
		return;
	}
	r = client->held ? -EBUSY : es_packet_send(client->fd, data, n, pass_fd);
	if (r == -EAGAIN) {
		client->held = malloc(n);
		if (client->held) {
			memcpy(client->held, data, n);
			client->n_held = n;
			client->held_fd = pass_fd;
			client->stuck_ns = es_clock_mono_ns();
			look_at(client);
			return;
		}
	}
	es_closep(&pass_fd);
	if (r == -ETOOMANYREFS)
		es_client_answer(client, 0, ES_IPC_TOO_MANY, 0,
				 "too many descriptors are on their way to others");
	else if (r < 0 || client->ends_after)
		es_client_drop(client);
}

void es_client_answer(struct es_client *client, uint32_t number, enum es_ipc_verdict verdict,
		      int64_t t_ns, const char *fmt, ...)
{
	struct es_ipc_message answer = {
		.type = ES_IPC_ANSWER, .number = number, .t_ns = t_ns, .value = verdict
	};
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(answer.text, sizeof(answer.text), fmt, args);
	va_end(args);
	es_client_send(client, bytes, es_ipc_encode(&answer, bytes), -1);
}

void es_client_begin_list(struct es_client *client, enum es_client_list list, uint32_t number)
{
	client->list = list;
	client->list_at = client->list_sent = 0;
	client->list_number = number;
	speak(client);
	look_at(client);
}

void es_client_resume(struct es_client *client)
{
	client->is_working = false;
	if (client->is_closing && client->fd < 0)
		free(client);
	else
		look_at(client);
}

int64_t es_client_wish(struct es_client *client)
{
	struct es_daemon *daemon = client->daemon;
	int64_t now_ns = es_clock_mono_ns();

	if (client->peer.is_admin || es_paces_take(&daemon->server.wishes, client->peer.uid, now_ns,
						   client->rights.least_period_ns, WISHES_AT_ONCE))
		return es_sampling_wish(daemon->sampling);
	return now_ns;
}

void es_client_tick(struct es_client *client, int64_t now_mono_ns)
{
	if (client->is_throttled) {
		client->is_throttled = false;
		look_at(client);
	}
	if (client->held && client->stuck_ns && now_mono_ns - client->stuck_ns > STUCK_NS) {
		client->daemon->server.n_dropped++;
		es_log_say_seldom(&client->daemon->log, &client->daemon->server.broken,
				  ES_LOG_NOTICE, "a reader of uid %u takes no answers: dropped",
				  (unsigned)client->peer.uid);
		es_client_drop(client);
	}
}
