/*
 * daemon/serve.c - the socket, and who is at it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/client.h"
#include "ipc/address.h"

#define CLIENTS_MAX 1024U
#define KEPT_FOR_ADMINS 32U /* places of those that only root and the daemon's group get */
#define CLIENTS_PER_UID_MAX 64U
#define ACCEPTED_AT_ONCE 16U
#define COMES_EVERY_NS (20 * ES_NS_PER_MS) /* connections of a user, on average */
#define COMES_AT_ONCE 128U
#define PAUSE_MS 50U /* when there is no descriptor, or others were turned away by the dozen */
#define SHORT_PAUSE_MS 5U /* when they come too fast: those of others wait behind them */
#define BACKLOG 512

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_later(uv_timer_t *timer)
{
	struct es_server *server = timer->data;

	server->is_paused = false;
	(void)uv_poll_start(&server->poll, UV_READABLE, on_readable);
}

/* Who comes meanwhile waits in the kernel. */
static void pause_listening(struct es_server *server, unsigned pause_ms)
{
	server->is_paused = true;
	(void)uv_poll_stop(&server->poll);
	(void)uv_timer_start(&server->later, on_later, pause_ms, 0);
}

static size_t count_of_uid(const struct es_server *server, uid_t uid)
{
	size_t n = es_partings_of(&server->partings, uid);

	for (const struct es_client *client = server->clients; client; client = client->next)
		n += client->peer.uid == uid;
	return n;
}

static void turn_away(struct es_server *server, int fd, const char *words)
{
	struct es_ipc_message answer = { .type = ES_IPC_ANSWER, .value = ES_IPC_TOO_MANY };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)snprintf(answer.text, sizeof(answer.text), "%s", words);
	(void)es_packet_send(fd, bytes, es_ipc_encode(&answer, bytes), -1);
	server->n_refused++;
}

/* Each costs more than most messages: who comes and goes all the time is heard no more often than who stays. */
static bool is_hasty(struct es_server *server, const struct es_peer *peer)
{
	return !peer->is_admin && !es_paces_take(&server->comes, peer->uid, es_clock_mono_ns(),
						 COMES_EVERY_NS, COMES_AT_ONCE);
}

/* False: it would be one too many. */
static bool has_room(struct es_server *server, const struct es_peer *peer)
{
	size_t n = server->n_clients + server->partings.n;

	if (n >= CLIENTS_MAX)
		return false;
	if (peer->is_admin)
		return true;
	return n < CLIENTS_MAX - KEPT_FOR_ADMINS &&
	       count_of_uid(server, peer->uid) < CLIENTS_PER_UID_MAX;
}

/* With the last descriptor somebody is told that there is no other. */
static void accept_without_descriptors(struct es_server *server)
{
	int fd;

	if (server->reserve_fd < 0)
		return;
	es_closep(&server->reserve_fd);
	fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		turn_away(server, fd, "the daemon has no descriptor left: try again later");
		es_partings_hang_up(&server->partings, fd, (uid_t)-1);
	}
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	es_log_say_seldom(&server->daemon->log, &server->full, ES_LOG_WARNING,
			  "no descriptor is left for another reader: it was turned away");
}

/* 0: there may be others; negative: not now. */
static int accept_one(struct es_server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct es_peer peer = { .uid = (uid_t)-1 };
	bool is_too_fast;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		accept_without_descriptors(server);
		return -EMFILE;
	}
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
	if (es_peer_know(fd, server->group, &peer) < 0) {
		es_partings_hang_up(&server->partings, fd, peer.uid);
		return 0;
	}
	is_too_fast = is_hasty(server, &peer);
	if (is_too_fast || !has_room(server, &peer)) {
		turn_away(server, fd, "too many connections: try again later");
		es_partings_hang_up(&server->partings, fd, peer.uid);
		es_log_say_seldom(
			&server->daemon->log, &server->crowded, ES_LOG_WARNING,
			"uid %u has or makes too many connections: others are turned away",
			(unsigned)peer.uid);
		return is_too_fast ? -EDQUOT : -EUSERS;
	}
	if (es_client_create(server->daemon, fd, &peer))
		server->n_served++;
	else
		es_partings_hang_up(&server->partings, fd, peer.uid);
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct es_server *server = poll->data;
	unsigned n_refused = 0, n_hasty = 0;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTED_AT_ONCE; i++) {
		int r = accept_one(server);

		n_refused += r == -EUSERS;
		n_hasty += r == -EDQUOT;
		if (r == -EAGAIN)
			break;
		if (r < 0 && r != -EUSERS && r != -EDQUOT) {
			pause_listening(server, PAUSE_MS);
			return;
		}
	}
	if (n_refused || n_hasty)
		pause_listening(server, n_refused ? PAUSE_MS : SHORT_PAUSE_MS);
}

/* A socket that a daemon before us left: gone, unless somebody still listens. */
static int clear_path(const struct sockaddr_un *address)
{
	es_cleanup(es_closep) int fd =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int find_group(struct es_server *server, const char *name, struct es_log *log)
{
	const struct group *group;

	server->group = (gid_t)-1;
	if (!name[0])
		return 0;
	errno = 0;
	group = getgrnam(name);
	if (group)
		server->group = group->gr_gid;
	else
		es_log_say(log, ES_LOG_NOTICE,
			   "there is no group '%s': only root and this user see all", name);
	return 0;
}

static int bind_socket(struct es_server *server, struct es_error *err)
{
	struct sockaddr_un address;
	int r = es_ipc_address(server->path, &address);

	if (r == 0)
		r = clear_path(&address);
	if (r == -EADDRINUSE)
		return es_error_say(err, r, "socket '%s': another daemon listens there",
				    server->path);
	if (r < 0)
		return es_error_set(err, r, "socket '%s'", server->path);
	server->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return es_error_set(err, -errno, "socket '%s'", server->path);
	if (bind(server->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return es_error_set(err, -errno, "socket '%s'", server->path);
	server->is_bound = true;
	es_packet_take_no_descriptors(server->fd);
	/* Who may see what is settled by who asks. */
	if (chmod(server->path, 0666) < 0 || listen(server->fd, BACKLOG) < 0)
		return es_error_set(err, -errno, "socket '%s'", server->path);
	return 0;
}

int es_server_open(struct es_server *server, struct es_daemon *daemon, struct es_error *err)
{
	const char *path = daemon->places.socket ? daemon->places.socket : daemon->config.socket;
	int r;

	*server = (struct es_server){ .daemon = daemon, .fd = -1, .reserve_fd = -1 };
	server->gates[ES_GATE_EXCLUSIVE].period_ns = ES_RIGHTS_EXCLUSIVE_NS;
	server->gates[ES_GATE_SHARED].period_ns = ES_RIGHTS_SHARED_NS;
	if (strlen(path) >= sizeof(server->path))
		return es_error_set(err, -ENAMETOOLONG, "socket '%s'", path);
	memcpy(server->path, path, strlen(path) + 1);
	(void)find_group(server, daemon->config.group, &daemon->log);
	r = bind_socket(server, err);
	if (r < 0)
		return r;
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = uv_poll_init(&daemon->loop, &server->poll, server->fd);
	if (r == 0)
		r = uv_timer_init(&daemon->loop, &server->later);
	server->poll.data = server->later.data = server;
	if (r == 0)
		r = uv_poll_start(&server->poll, UV_READABLE, on_readable);
	return r < 0 ? es_error_set(err, r, "socket '%s'", server->path) : 0;
}

void es_server_close(struct es_server *server)
{
	/* First the path: who sees the end of a connection finds nothing left. */
	if (server->is_bound)
		(void)unlink(server->path);
	server->is_bound = false;
	while (server->clients)
		es_client_drop(server->clients);
	if (server->poll.loop && !uv_is_closing((uv_handle_t *)&server->poll))
		uv_close((uv_handle_t *)&server->poll, NULL);
	if (server->later.loop && !uv_is_closing((uv_handle_t *)&server->later))
		uv_close((uv_handle_t *)&server->later, NULL);
	es_closep(&server->fd);
	es_closep(&server->reserve_fd);
	es_partings_finish(&server->partings);
	es_pages_close_gates(server);
	server->fd = server->reserve_fd = -1;
}

void es_server_sweep(struct es_server *server, const struct es_sweep *sweep)
{
	struct es_client *next;

	es_pages_open_gates(server, sweep);
	for (struct es_client *client = server->clients; client; client = next) {
		next = client->next;
		es_pages_sweep(client, sweep);
	}
}

void es_server_rights(struct es_server *server)
{
	struct es_daemon *daemon = server->daemon;

	for (struct es_client *client = server->clients; client; client = client->next) {
		es_rights_judge(&client->peer, daemon->chain.jobs, &daemon->config,
				&client->rights);
		/* Of a page that shows more than it may now nothing more is written: the reader finds it stale, and asks. */
		if (client->page && (client->page_view != client->rights.view ||
				     (client->page_view == ES_LOCAL_VIEW_SHARE &&
				      client->page_serial != client->rights.job_serial)))
			es_pages_drop(client);
		else if (client->period_ns < client->rights.least_period_ns)
			client->period_ns = client->rights.least_period_ns;
	}
	es_daemon_plan(daemon);
}

void es_server_epoch(struct es_server *server)
{
	for (struct es_client *client = server->clients; client; client = client->next)
		es_pages_drop(client);
	es_pages_close_gates(server);
}

void es_server_tick(struct es_server *server, int64_t now_mono_ns)
{
	struct es_client *next;

	es_partings_tick(&server->partings);
	for (struct es_client *client = server->clients; client; client = next) {
		next = client->next;
		es_client_tick(client, now_mono_ns);
	}
}

int64_t es_server_period_ns(const struct es_server *server)
{
	int64_t least_ns = INT64_MAX;

	for (const struct es_client *client = server->clients; client; client = client->next)
		if (client->page && client->period_ns < least_ns)
			least_ns = client->period_ns;
	return least_ns;
}

size_t es_server_n_watching(const struct es_server *server)
{
	size_t n = 0;

	for (const struct es_client *client = server->clients; client; client = client->next)
		n += client->page != NULL;
	return n;
}
