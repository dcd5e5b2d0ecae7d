/*
 * control.c - the folder where recordings in the background are found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
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

#define SWEEP_MAX 64
#define PATIENCE_NS (5 * ES_NS_PER_S) /* for another one's answer, or lock */

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

static void link_name(pid_t pid, char *name, size_t size)
{
	(void)snprintf(name, size, "%d.esr", (int)pid);
}

/* Where the recording of process @pid is, by the link beside its socket; "": not known. */
static void read_link(int folder_fd, pid_t pid, char *ret, size_t size)
{
	char name[32];
	ssize_t n;

	link_name(pid, name, sizeof(name));
	n = readlinkat(folder_fd, name, ret, size - 1);
	ret[n > 0 && (size_t)n < size ? n : 0] = '\0';
}

static void remove_entries(int folder_fd, pid_t pid)
{
	char name[32];

	link_name(pid, name, sizeof(name));
	(void)unlinkat(folder_fd, name, 0);
	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	(void)unlinkat(folder_fd, name, 0);
}

/* The folder of a socket's path. */
static int open_folder_of(const char *socket)
{
	char folder[ES_IPC_PATH_MAX_BYTES];
	const char *slash = strrchr(socket, '/');

	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - socket) : 1,
		       slash ? socket : ".");
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int es_control_ask(const struct es_control_socket *socket, struct es_control_recording *ret)
{
	struct es_control_recording recording = { .pid = socket->pid };
	const struct es_ipc_message question = { .type = ES_IPC_STATUS, .number = 1 };
	struct es_ipc_message answer = { .type = 0 };
	es_cleanup(es_closep) int fd = -1;
	int r = es_ipc_connect(socket->path, PATIENCE_NS, &fd);

	memcpy(recording.socket, socket->path, sizeof(recording.socket));
	if (r == -ECONNREFUSED) {
		es_cleanup(es_closep) int folder_fd = open_folder_of(socket->path);

		read_link(folder_fd, socket->pid, recording.recording, sizeof(recording.recording));
		*ret = recording;
		return 0;
	}
	if (r == 0)
		r = es_ipc_send(fd, &question);
	if (r == 0)
		r = es_ipc_receive(fd, es_clock_mono_ns() + PATIENCE_NS, &answer);
	if (r < 0)
		return r;
	if (answer.type != ES_IPC_STATUS_IS)
		return -EPROTO;
	recording.is_alive = true;
	recording.start_unix_ns = answer.t_ns;
	memcpy(recording.job, answer.name, sizeof(recording.job));
	memcpy(recording.recording, answer.text, sizeof(recording.recording));
	*ret = recording;
	return 0;
}

/* What a killed process left, or what one that had nobody to tell where its recording is. */
static void tell_of_remains(int folder_fd, pid_t pid, bool was_killed, es_control_clean_fn tell)
{
	char path[ES_PATH_MAX_BYTES], words[ES_PATH_MAX_BYTES + 160];

	read_link(folder_fd, pid, path, sizeof(path));
	if (was_killed)
		(void)snprintf(words, sizeof(words),
			       "process %d, which was recording, was killed; its recording '%s' "
			       "can be read up to its last second; its socket is removed",
			       (int)pid, path[0] ? path : "of unknown name");
	else
		(void)snprintf(words, sizeof(words),
			       "the disk was full when process %d ended: its recording is '%s'",
			       (int)pid, path);
	remove_entries(folder_fd, pid);
	tell(words);
}

/* Links without a socket. */
static void clean_links(const char *folder, int folder_fd, es_control_clean_fn tell)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *end = strstr(entry->d_name, ".esr");
		char name[32];
		uint64_t pid;

		if (!end || end[4] != '\0' || end - entry->d_name >= (int)sizeof(name))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - entry->d_name),
			       entry->d_name);
		if (es_parse_u64(name, &pid) < 0 || pid == 0 || pid > INT_MAX ||
		    faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		tell_of_remains(folder_fd, (pid_t)pid, false, tell);
	}
}

/* Sockets of killed processes in this folder go; in any folder nobody may record @job. */
static int check_others(const struct es_control *control, const char *job, es_control_clean_fn tell,
			struct es_error *err)
{
	struct es_control_socket sockets[ES_CONTROL_SOCKETS_MAX];
	size_t n = es_control_list(sockets, NULL), n_folder = strlen(control->folder);

	for (size_t i = 0; i < n; i++) {
		bool is_here = strncmp(sockets[i].path, control->folder, n_folder) == 0 &&
			       sockets[i].path[n_folder] == '/';
		struct es_control_recording recording;
		int r = es_control_ask(&sockets[i], &recording);

		if (r == 0 && recording.is_alive && strcmp(recording.job, job) == 0)
			return es_error_say(
				err, -EEXIST,
				"job '%s' is being recorded already by process %d; give --name, or stop it: "
				"energyscopium record stop '%s'",
				job, (int)recording.pid, job);
		if (r == 0 && !recording.is_alive && is_here)
			tell_of_remains(control->folder_fd, recording.pid, true, tell);
	}
	clean_links(control->folder, control->folder_fd, tell);
	return 0;
}

static int lock(int fd)
{
	for (int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (es_clock_mono_ns() > until_ns)
			return -EBUSY;
		(void)usleep(10000);
	}
}

/* The first folder that can be trusted; why not another one is told where there is one. */
static int open_control_folder(struct es_control *control, es_control_clean_fn tell,
			       struct es_error *err)
{
	struct es_error problem = { .code = 0 };
	int fd = -ENOENT;

	for (unsigned i = 0; fd < 0 && i < ES_IPC_N_CONTROL_FOLDERS; i++) {
		int r = es_ipc_control_folder(i, control->folder);

		if (r == 0 && mkdir(control->folder, 0700) < 0 && errno != EEXIST)
			r = es_error_set(&problem, -errno, "folder '%s'", control->folder);
		if (r == 0)
			fd = es_ipc_check_folder(control->folder, &problem);
		else if (!problem.code)
			(void)es_error_set(&problem, r, "a folder for the socket");
	}
	if (fd < 0)
		return es_error_say(err, fd, "%s", problem.text);
	if (problem.code)
		tell(problem.text);
	control->folder_fd = fd;
	return 0;
}

/* Sockets of runs that were killed. Who lives is left alone, whether it listens yet or not. */
static void sweep_runs(const char *folder)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(folder);
	const struct dirent *entry;

	for (int n = 0; dir && n < SWEEP_MAX && (entry = readdir(dir));) {
		char path[ES_IPC_PATH_MAX_BYTES];
		es_cleanup(es_closep) int fd = -1;
		uint64_t pid;

		if (strncmp(entry->d_name, "run-", 4) != 0 ||
		    es_parse_u64(entry->d_name + 4, &pid) < 0 || pid == 0 || pid > INT_MAX ||
		    (pid != (uint64_t)getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH)) ||
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
			    (int)sizeof(path))
			continue;
		n++;
		/* In another container its number may be nobody's here: only a socket that nobody listens at goes. */
		if (es_ipc_connect(path, ES_NS_PER_MS, &fd) == -ECONNREFUSED)
			(void)unlink(path);
	}
}

int es_control_run_socket(unsigned i, char *ret, struct es_error *err)
{
	char folder[ES_IPC_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	int r = i < ES_IPC_N_CONTROL_FOLDERS ? es_ipc_control_folder(i, folder) : -ENOENT;

	if (r < 0)
		return r;
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return es_error_set(err, -errno, "folder '%s'", folder);
	fd = es_ipc_check_folder(folder, err);
	if (fd < 0)
		return fd;
	sweep_runs(folder);
	if (snprintf(ret, ES_IPC_PATH_MAX_BYTES, "%s/run-%d", folder, (int)getpid()) >=
	    (int)ES_IPC_PATH_MAX_BYTES)
		return es_error_set(err, -ENAMETOOLONG, "folder '%s'", folder);
	return 0;
}

int es_control_open(const char *job, es_control_clean_fn tell, struct es_control *ret,
		    struct es_error *err)
{
	struct es_control control = { .folder_fd = -1 };
	int r = open_control_folder(&control, tell, err);

	if (r < 0)
		return r;
	r = lock(control.folder_fd);
	if (r < 0)
		(void)es_error_set(err, r, "lock of folder '%s'", control.folder);
	else
		r = check_others(&control, job, tell, err);
	if (r == 0 && snprintf(control.socket, sizeof(control.socket), "%s/%d", control.folder,
			       (int)getpid()) >= (int)sizeof(control.socket))
		r = es_error_set(err, -ENAMETOOLONG, "folder '%s'", control.folder);
	if (r < 0) {
		es_closep(&control.folder_fd);
		return r;
	}
	*ret = control;
	return 0;
}

int es_control_publish(struct es_control *control, const char *recording)
{
	char name[32];
	int r;

	link_name(getpid(), name, sizeof(name));
	r = symlinkat(recording, control->folder_fd, name) < 0 ? -errno : 0;
	(void)flock(control->folder_fd, LOCK_UN);
	return r;
}

void es_control_moved(struct es_control *control, const char *path)
{
	char name[32];

	link_name(getpid(), name, sizeof(name));
	(void)unlinkat(control->folder_fd, name, 0);
	control->keeps_link = symlinkat(path, control->folder_fd, name) == 0;
}

void es_control_close(struct es_control *control)
{
	char name[32];

	if (control->folder_fd < 0)
		return;
	link_name(getpid(), name, sizeof(name));
	if (!control->keeps_link)
		(void)unlinkat(control->folder_fd, name, 0);
	es_closep(&control->folder_fd);
	control->folder_fd = -1;
}
