/*
 * daemonlink.c - finding this node's daemon, and the first words with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/daemonlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/settings.h"
#include "ipc/address.h"
#include "ipc/client.h"

#define OVERFLOW_UID 65534U /* whose owner is not known in this user namespace */

static int copy_path(const char *path, char *ret, size_t size, struct es_error *err)
{
	if (snprintf(ret, size, "%s", path) >= (int)size)
		return es_error_say(err, -ENAMETOOLONG,
				    "the daemon's socket '%.100s…' has too long a path: the kernel "
				    "takes %zu bytes",
				    path, ES_IPC_PATH_MAX_BYTES - 1);
	return 0;
}

int es_daemonlink_path(const char *named, char *ret, size_t size, bool *ret_is_chosen,
		       struct es_error *err)
{
	es_cleanup(es_freep) struct es_settings *settings = NULL;
	const char *path = named;
	int r;

	if (!path) {
		settings = calloc(1, sizeof(*settings));
		r = settings ? es_settings_load(settings, err) : -ENOMEM;
		if (r < 0)
			return settings ? r : es_error_set(err, r, "cannot look for the daemon");
		path = settings->daemon[0] ? settings->daemon : NULL;
	}
	*ret_is_chosen = path != NULL;
	if (path && strcmp(path, ES_DAEMONLINK_NONE) == 0) {
		*ret_is_chosen = false;
		return es_error_say(err, -ENOENT, "no daemon is to be used");
	}
	return copy_path(path ? path : ES_LOCAL_SOCKET, ret, size, err);
}

/*
 * Who may listen there: root, this user, or whoever owns the socket in a folder in which nobody else could have put it.
 * In a container the owner may have no number here.
 */
static uid_t trusted_owner(const char *path)
{
	char folder[ES_IPC_PATH_MAX_BYTES];
	const char *slash = strrchr(path, '/');
	struct stat socket, above;

	if (!slash)
		return geteuid();
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path),
		       path);
	if (lstat(path, &socket) < 0 || stat(folder, &above) < 0 || !S_ISSOCK(socket.st_mode) ||
	    (above.st_mode & S_IWOTH))
		return geteuid();
	if (above.st_uid != 0 && above.st_uid != socket.st_uid && above.st_uid != geteuid() &&
	    above.st_uid != OVERFLOW_UID)
		return geteuid();
	return socket.st_uid;
}

static int no_daemon(const char *path, bool is_chosen, int r, struct es_error *err)
{
	if (r == -EPERM)
		return es_error_say(err, r,
				    "who listens at '%s' is neither root, this user, nor the "
				    "owner of a folder that is the daemon's: not used",
				    path);
	if (r == -EAGAIN)
		return es_error_say(err, -ETIMEDOUT, "the daemon at '%s' does not take part", path);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR)
		return es_error_say(err, r == -ENOTDIR ? -ENOENT : r, "no daemon listens at '%s'%s",
				    path,
				    is_chosen ? ""
					      : ": start energyscopiumd, or say where its socket "
						"is with --daemon or " ES_DAEMONLINK_VARIABLE);
	return es_error_set(err, r, "daemon at '%s'", path);
}

int es_daemonlink_judge(const struct es_daemonlink_answer *answer, uint16_t type,
			struct es_error *err)
{
	struct es_ipc_message message;
	int r;

	if (answer->head.type == type && type != ES_IPC_ANSWER)
		return 0;
	if (answer->head.type != ES_IPC_ANSWER)
		return es_error_say(err, -EPROTO, "the daemon answers something else (type %u)",
				    answer->head.type);
	r = es_ipc_decode(answer->packet, answer->n + ES_IPC_HEADER_BYTES, &message);
	if (r < 0)
		return es_error_set(err, r, "the daemon's answer");
	es_text_make_safe(message.text, false);
	switch ((enum es_ipc_verdict)message.value) {
	case ES_IPC_OK:
	case ES_IPC_MOVED:
		if (type == ES_IPC_ANSWER)
			return 0;
		return es_error_say(err, -EPROTO, "the daemon answers only: %.900s",
				    message.text[0] ? message.text : "done");
	case ES_IPC_PENDING:
		return es_error_say(err, -EINPROGRESS, "%.1000s", message.text);
	case ES_IPC_DENIED:
		return es_error_say(err, -EACCES, "%.1000s",
				    message.text[0] ? message.text : "the daemon refuses");
	case ES_IPC_BAD_TYPE:
	case ES_IPC_BAD_VERSION:
		return es_error_say(
			err, -EOPNOTSUPP,
			"the daemon is of another version, which does not know this%s%.900s",
			message.text[0] ? ": " : "", message.text);
	case ES_IPC_NOT_OPEN:
	case ES_IPC_BAD_NAME:
	case ES_IPC_TOO_MANY:
	case ES_IPC_LOST:
	case ES_IPC_BAD_MESSAGE:
		break;
	}
	return es_error_say(err, -EINVAL, "%.1000s",
			    message.text[0] ? message.text : "the daemon could not do it");
}

static int failed(int r, struct es_error *err)
{
	if (r == -ETIMEDOUT || r == -EAGAIN)
		return es_error_say(err, -ETIMEDOUT, "the daemon does not answer");
	if (r == -EPIPE || r == -ECONNRESET)
		return es_error_say(err, -EPIPE, "the daemon has closed the connection");
	return es_error_set(err, r, "the daemon");
}

int es_daemonlink_ask(int fd, const uint8_t *packet, int n, int64_t until_ns, uint16_t type,
		      struct es_daemonlink_answer *ret, int *ret_fd, struct es_error *err)
{
	es_cleanup(es_closep) int passed = -1;
	size_t n_answer = sizeof(ret->packet);
	int r;

	if (n < 0)
		return es_error_set(err, n, "a question to the daemon");
	r = es_packet_ask(fd, packet, (size_t)n, until_ns, ret->packet, &n_answer, &ret->head,
			  ret_fd ? &passed : NULL);
	if (r < 0)
		return failed(r, err);
	ret->n = n_answer - ES_IPC_HEADER_BYTES;
	r = es_daemonlink_judge(ret, type, err);
	if (r == 0 && ret_fd)
		*ret_fd = es_steal_fd(&passed);
	return r;
}

int es_daemonlink_next(int fd, uint32_t number, int64_t until_ns, uint16_t type,
		       struct es_daemonlink_answer *ret, struct es_error *err)
{
	size_t n = sizeof(ret->packet);
	int r;

	do {
		r = es_packet_receive(fd, until_ns, ret->packet, &n, NULL);
		if (r == 0)
			r = es_packet_head_get(ret->packet, n, &ret->head);
		if (r < 0)
			return failed(r, err);
	} while (ret->head.number != number);
	ret->n = n - ES_IPC_HEADER_BYTES;
	if (ret->head.type == ES_LOCAL_LAST)
		return 0;
	r = es_daemonlink_judge(ret, type, err);
	return r < 0 ? r : 1;
}

static int greet(int fd, int64_t until_ns, struct es_local_welcome *ret, struct es_error *err)
{
	es_cleanup(es_freep) struct es_daemonlink_answer *answer = malloc(sizeof(*answer));
	uint8_t packet[256];
	int n, r;

	if (!answer)
		return es_error_set(err, -ENOMEM, "cannot talk to the daemon");
	n = es_local_put_text(ES_LOCAL_HELLO, 1, "energyscopium " ES_VERSION, 0, packet,
			      sizeof(packet));
	r = es_daemonlink_ask(fd, packet, n, until_ns, ES_LOCAL_WELCOME, answer, NULL, err);
	if (r < 0)
		return r;
	if (!ret)
		return 0;
	r = es_local_get_welcome(es_daemonlink_body(answer), answer->n, ret);
	return r < 0 ? es_error_set(err, r, "the daemon's welcome") : 0;
}

int es_daemonlink_open(const char *named, int64_t wait_ns, int *ret_fd,
		       struct es_local_welcome *ret, struct es_error *err)
{
	int64_t until_ns = es_clock_mono_ns() + wait_ns;
	char path[ES_IPC_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	bool is_chosen;
	int r = es_daemonlink_path(named, path, sizeof(path), &is_chosen, err);

	if (r < 0)
		return r;
	r = es_ipc_connect_to(path, trusted_owner(path), wait_ns, &fd);
	/* A socket's owner is another user than its daemon where root made it for that user. */
	if (r == -EPERM)
		r = es_ipc_connect_to(path, geteuid(), wait_ns, &fd);
	if (r < 0)
		return no_daemon(path, is_chosen, r, err);
	r = greet(fd, until_ns, ret, err);
	if (r < 0)
		return r;
	*ret_fd = es_steal_fd(&fd);
	return 0;
}
