/*
 * address.c - where local sockets are
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SOCKET_NAME_MAX_BYTES 17U /* with the slash before it */

int es_ipc_address(const char *path, struct sockaddr_un *ret)
{
	size_t n = strlen(path);

	if (n >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, n + 1);
	return 0;
}

/* Relative paths would be others' after a change of folder. */
static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

int es_ipc_make_folder(unsigned i, char ret[static ES_IPC_PATH_MAX_BYTES])
{
	const char *parent = i == 0   ? absolute_variable("XDG_RUNTIME_DIR")
			     : i == 1 ? absolute_variable("TMPDIR")
				      : "/tmp";
	char path[ES_IPC_PATH_MAX_BYTES];

	if (!parent)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s/energyscopium-XXXXXX", parent) >=
	    (int)(sizeof(path) - SOCKET_NAME_MAX_BYTES))
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	memcpy(ret, path, sizeof(path));
	return 0;
}

int es_ipc_control_folder(unsigned i, char ret[static ES_IPC_PATH_MAX_BYTES])
{
	const char *given = absolute_variable(ES_IPC_FOLDER_VARIABLE);
	const char *runtime = absolute_variable("XDG_RUNTIME_DIR");
	char path[ES_IPC_PATH_MAX_BYTES];
	int n;

	if (i > 0 && (given || !runtime))
		return -ENOENT;
	if (given)
		n = snprintf(path, sizeof(path), "%s", given);
	else if (i == 0)
		n = snprintf(path, sizeof(path), "/tmp/energyscopium-%u", (unsigned)geteuid());
	else
		n = snprintf(path, sizeof(path), "%s/energyscopium", runtime);
	if (n >= (int)(sizeof(path) - SOCKET_NAME_MAX_BYTES))
		return -ENAMETOOLONG;
	memcpy(ret, path, sizeof(path));
	return 0;
}

int es_ipc_check_folder(const char *path, struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "folder '%s'", path);
	if (st.st_uid != geteuid())
		return es_error_say(err, -EPERM, "folder '%s' belongs to user %u: not used", path,
				    (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return es_error_say(err, -EPERM,
				    "folder '%s' is open to others: not used; fix: chmod 700 '%s'",
				    path, path);
	return es_steal_fd(&fd);
}
