/*
 * control.c - the folder where recordings in the background are found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/control.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ipc/client.h"

/* Sockets are named by number alone; beside each lies a link to its recording, PID.esr. */
static bool is_socket_name(const struct dirent *entry, pid_t *ret_pid)
{
	uint64_t pid;

	if (es_parse_u64(entry->d_name, &pid) < 0 || pid == 0 || pid > INT_MAX)
		return false;
	*ret_pid = (pid_t)pid;
	return true;
}

static size_t list_folder(const char *folder, struct es_control_socket *ret, size_t max,
			  struct es_error *err)
{
	int fd = es_ipc_check_folder(folder, err);
	es_cleanup(es_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (fd == -ENOENT && err)
		*err = (struct es_error){ .code = 0 }; /* nothing was recorded yet */
	if (fd >= 0 && !dir)
		(void)close(fd);
	for (const struct dirent *entry; dir && n < max && (entry = readdir(dir));) {
		if (!is_socket_name(entry, &ret[n].pid))
			continue;
		if (snprintf(ret[n].path, sizeof(ret[n].path), "%s/%d", folder, (int)ret[n].pid) <
		    (int)sizeof(ret[n].path))
			n++;
	}
	return n;
}

size_t es_control_list(struct es_control_socket *ret, struct es_error *err)
{
	char folder[ES_IPC_PATH_MAX_BYTES];
	size_t n = 0;

	for (unsigned i = 0; i < ES_IPC_N_CONTROL_FOLDERS; i++)
		if (es_ipc_control_folder(i, folder) == 0)
			n += list_folder(folder, ret + n, ES_CONTROL_SOCKETS_MAX - n, err);
	return n;
}

static int connect_to_background(int64_t wait_ns, int *ret_fd, struct es_error *err)
{
	struct es_control_socket sockets[ES_CONTROL_SOCKETS_MAX];
	struct es_error untrusted = { .code = 0 };
	es_cleanup(es_closep) int fd = -1;
	size_t n = es_control_list(sockets, &untrusted);

	for (size_t i = 0; i < n; i++) {
		int another;

		if (es_ipc_connect(sockets[i].path, wait_ns, &another) < 0)
			continue;
		if (fd >= 0) {
			(void)close(another);
			return es_error_say(
				err, -ENOTUNIQ,
				"more than one recording runs in the background; set " ES_IPC_VARIABLE
				" to the socket that 'energyscopium record status' shows for the one meant");
		}
		fd = another;
	}
	if (fd < 0 && untrusted.code)
		return es_error_say(err, untrusted.code, "%s", untrusted.text);
	if (fd < 0)
		return es_error_say(err, -ENOENT,
				    "nothing is measured here by 'energyscopium run' or 'record'");
	*ret_fd = es_steal_fd(&fd);
	return 0;
}

int es_control_connect(int64_t wait_ns, int *ret_fd, struct es_error *err)
{
	const char *path = getenv(ES_IPC_VARIABLE);
	int r;

	if (!path || path[0] == '\0')
		return connect_to_background(wait_ns, ret_fd, err);
	r = es_ipc_connect(path, wait_ns, ret_fd);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return es_error_say(
			err, r, "nobody listens at '%s' (" ES_IPC_VARIABLE ") any longer", path);
	if (r == -EPERM)
		return es_error_say(err, r, "who listens at '%s' is another user", path);
	if (r < 0)
		return es_error_set(err, r, "socket '%s'", path);
	return 0;
}
