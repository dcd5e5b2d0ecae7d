/*
 * local_daemon.c - a small daemon on a thread, which shows the domains and values that a test gives it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/local_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/address.h"
#include "ipc/packet.h"
#include "support/folder.h"

static void require(bool is_true, const char *what)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "local_daemon: %s: %s\n", what, strerror(errno));
	abort();
}

static void set_domain(struct local_daemon *daemon, const char *id, const char *type,
		       int32_t package)
{
	struct es_local_domain *domain = &daemon->domains[daemon->n];

	*domain = (struct es_local_domain){ .package = package,
					    .die = -1,
					    .core = -1,
					    .parent = -1,
					    .duplicate_of = -1,
					    .unit_nj = 61035,
					    .modulus_nj = 262143328850000,
					    .peak_mw = 1500000,
					    .type = "",
					    .kind = "measured",
					    .state = "ok",
					    .source = "powercap" };
	(void)snprintf(domain->id, sizeof(domain->id), "%s", id);
	(void)snprintf(domain->name, sizeof(domain->name), "%s", strchr(id, '/') + 1);
	(void)snprintf(domain->type, sizeof(domain->type), "%s", type);
	daemon->values[daemon->n] =
		(struct es_page_value){ .energy_uj = 1000000 * (daemon->n + 1), .width_ns = 20000 };
	daemon->n++;
}

void local_daemon_init(struct local_daemon *daemon)
{
	char folder[32];

	*daemon = (struct local_daemon){ .epoch = 77,
					 .period_ns = 100 * ES_NS_PER_MS,
					 .listen_fd = -1,
					 .release_verdict = ES_IPC_OK };
	require(es_test_folder(folder, sizeof(folder)) == 0, "no folder");
	(void)snprintf(daemon->path, sizeof(daemon->path), "%s/socket", folder);
	(void)pthread_mutex_init(&daemon->lock, NULL);
	daemon->welcome = (struct es_local_welcome){ .version = "test",
						     .node = "node1",
						     .view = ES_LOCAL_VIEW_NODE };
	set_domain(daemon, "powercap/package-0", "package", 0);
	set_domain(daemon, "powercap/package-1", "package", 1);
	set_domain(daemon, "powercap/dram-1", "dram", 1);
	daemon->domains[2].parent = 1;
}

static void write_page(struct local_daemon *daemon, int64_t t_ns)
{
	const struct es_page_copy head = { .sweep_ns = t_ns, .period_ns = daemon->period_ns };

	for (size_t i = 0; i < daemon->n; i++)
		daemon->values[i].t_ns = t_ns;
	daemon->swept_ns = t_ns;
	if (daemon->page)
		es_page_write(daemon->page, daemon->values, &head);
}

void local_daemon_write(struct local_daemon *daemon, int64_t t_ns)
{
	(void)pthread_mutex_lock(&daemon->lock);
	write_page(daemon, t_ns);
	(void)pthread_mutex_unlock(&daemon->lock);
}

void local_daemon_add(struct local_daemon *daemon, uint64_t energy_uj)
{
	(void)pthread_mutex_lock(&daemon->lock);
	for (size_t i = 0; i < daemon->n; i++)
		daemon->values[i].energy_uj += energy_uj;
	(void)pthread_mutex_unlock(&daemon->lock);
}

static void say(int fd, const uint8_t *bytes, int n, int pass_fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	int r;

	require(n > 0, "a packet");
	while ((r = es_packet_send(fd, bytes, (size_t)n, pass_fd)) == -EAGAIN)
		(void)poll(&pollfd, 1, 100);
	require(r == 0 || r == -EPIPE, "cannot answer");
}

static void answer(int fd, uint32_t number, int64_t verdict, int64_t t_ns, const char *text)
{
	struct es_ipc_message message = {
		.type = ES_IPC_ANSWER, .number = number, .value = verdict, .t_ns = t_ns
	};
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	say(fd, bytes, (int)es_ipc_encode(&message, bytes), -1);
}

static void show_domains(const struct local_daemon *daemon, int fd, uint32_t number)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	for (size_t i = 0; i < daemon->n; i++)
		say(fd, bytes,
		    es_local_put_domain(number, &daemon->domains[i], bytes, sizeof(bytes)), -1);
	say(fd, bytes, es_local_put_last(number, (uint32_t)daemon->n, bytes, sizeof(bytes)), -1);
}

static void give_page(struct local_daemon *daemon, int fd, uint32_t number)
{
	const struct es_local_page page = { .epoch = daemon->epoch,
					    .n_domains = (uint32_t)daemon->n,
					    .period_ns = daemon->period_ns };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	int page_fd, r;

	if (daemon->refusal) {
		answer(fd, number, ES_IPC_DENIED, 0, daemon->refusal);
		return;
	}
	es_page_destroy(daemon->page);
	daemon->page = NULL;
	/* The test may have meant an allocation of the client to fail. */
	do
		r = es_page_create(daemon->n, daemon->epoch, &daemon->page, &page_fd, NULL);
	while (r == -ENOMEM);
	require(r == 0, "no page");
	write_page(daemon, es_clock_boot_ns());
	say(fd, bytes, es_local_put_page(number, &page, bytes, sizeof(bytes)), page_fd);
	(void)close(page_fd);
}

static void sweep(struct local_daemon *daemon, int fd, uint32_t number)
{
	daemon->n_sweeps++;
	if (es_clock_boot_ns() - daemon->swept_ns >= daemon->least_ns) {
		for (size_t i = 0; i < daemon->n; i++)
			daemon->values[i].energy_uj += daemon->sweep_uj;
		write_page(daemon, es_clock_boot_ns());
	}
	answer(fd, number, ES_IPC_OK, daemon->swept_ns, "");
}

static void serve_packet(struct local_daemon *daemon, int fd, const struct es_packet_head *head)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	switch (head->type) {
	case ES_LOCAL_HELLO:
		say(fd, bytes,
		    es_local_put_welcome(head->number, &daemon->welcome, bytes, sizeof(bytes)), -1);
		break;
	case ES_LOCAL_DOMAINS:
		show_domains(daemon, fd, head->number);
		break;
	case ES_LOCAL_WATCH:
		give_page(daemon, fd, head->number);
		break;
	case ES_LOCAL_SWEEP:
		sweep(daemon, fd, head->number);
		break;
	case ES_IPC_RELEASE:
		daemon->n_releases++;
		answer(fd, head->number, daemon->release_verdict, 0, "");
		break;
	case ES_IPC_TAKE:
		daemon->n_takes++;
		answer(fd, head->number, ES_IPC_OK, 0, "");
		break;
	default:
		break;
	}
}

/* False once the client is gone. */
static bool serve_client(struct local_daemon *daemon, int fd)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_packet_head head;
	size_t n;
	int r = es_packet_receive(fd, 0, bytes, &n, NULL);

	if (r == -EAGAIN)
		return true;
	if (r < 0 || es_packet_head_get(bytes, n, &head) < 0)
		return false;
	(void)pthread_mutex_lock(&daemon->lock);
	if (!daemon->is_silent)
		serve_packet(daemon, fd, &head);
	(void)pthread_mutex_unlock(&daemon->lock);
	return true;
}

/* One client at a time, the newest. */
static void *run(void *arg)
{
	struct local_daemon *daemon = arg;
	int client_fd = -1;

	for (;;) {
		struct pollfd pollfds[] = { { .fd = daemon->stop_fds[0], .events = POLLIN },
					    { .fd = daemon->listen_fd, .events = POLLIN },
					    { .fd = client_fd, .events = POLLIN } };

		(void)poll(pollfds, 3, -1);
		if (pollfds[0].revents)
			break;
		if (client_fd >= 0 && pollfds[2].revents && !serve_client(daemon, client_fd)) {
			(void)close(client_fd);
			client_fd = -1;
		}
		if (!pollfds[1].revents)
			continue;
		if (client_fd >= 0)
			(void)close(client_fd);
		client_fd = accept4(daemon->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		(void)pthread_mutex_lock(&daemon->lock);
		daemon->n_clients++;
		(void)pthread_mutex_unlock(&daemon->lock);
	}
	if (client_fd >= 0)
		(void)close(client_fd);
	return NULL;
}

void local_daemon_start(struct local_daemon *daemon)
{
	struct sockaddr_un address;

	require(es_ipc_address(daemon->path, &address) == 0, "address");
	daemon->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	require(daemon->listen_fd >= 0, "socket");
	require(bind(daemon->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0,
		"bind");
	require(listen(daemon->listen_fd, 8) == 0, "listen");
	require(pipe2(daemon->stop_fds, O_CLOEXEC) == 0, "pipe");
	require(pthread_create(&daemon->thread, NULL, run, daemon) == 0, "thread");
}

void local_daemon_stop(struct local_daemon *daemon)
{
	if (daemon->listen_fd < 0)
		return;
	(void)close(daemon->stop_fds[1]);
	(void)pthread_join(daemon->thread, NULL);
	(void)close(daemon->stop_fds[0]);
	(void)close(daemon->listen_fd);
	daemon->listen_fd = -1;
	(void)unlink(daemon->path);
	/* The memory of a process that is killed goes, and nothing is said in it. */
	if (daemon->leaves_page) {
		es_page_destroy(daemon->left);
		daemon->left = daemon->page;
	} else {
		es_page_destroy(daemon->page);
	}
	daemon->page = NULL;
}

void local_daemon_finish(struct local_daemon *daemon)
{
	local_daemon_stop(daemon);
	es_page_destroy(daemon->left);
	*strrchr(daemon->path, '/') = '\0';
	(void)rmdir(daemon->path);
	(void)pthread_mutex_destroy(&daemon->lock);
}
