/*
 * recorders.c - who records on this machine, of this user; root finds those of all users
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/recorders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* Root may name a folder of whomever. */
#define ANYBODY ((uid_t)-1)

struct list {
	struct es_recorder_at *all;
	size_t n;
	bool is_cut;
};

/* PID: in the background; run-PID: a command is measured. */
static bool is_socket(const char *name, pid_t *ret_pid)
{
	uint64_t pid;

	if (strncmp(name, "run-", 4) == 0)
		name += 4;
	if (es_parse_u64(name, &pid) < 0 || pid == 0 || pid > INT_MAX)
		return false;
	*ret_pid = (pid_t)pid;
	return true;
}

/* Anybody may have made a folder in /tmp: it counts where it is its user's, and nobody else may write to it. */
static void list_folder(struct list *list, const char *folder, uid_t uid)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	size_t first = list->n;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || (uid != ANYBODY && st.st_uid != uid) || (st.st_mode & 022) ||
	    !(dir = fdopendir(fd))) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		struct es_recorder_at *at = &list->all[list->n];
		pid_t pid;

		if (!is_socket(entry->d_name, &pid))
			continue;
		if (list->n == ES_RECORDERS_MAX || list->n - first == ES_RECORDERS_OF_ONE_MAX) {
			list->is_cut = true;
			return;
		}
		if (snprintf(at->path, sizeof(at->path), "%s/%s", folder, entry->d_name) >=
		    (int)sizeof(at->path))
			continue;
		at->pid = pid;
		at->uid = st.st_uid;
		list->n++;
	}
}

/* Folders named @before UID @after below @parent. */
static void list_users(struct list *list, const char *parent, const char *before, const char *after)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(parent);
	size_t n_before = strlen(before);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char folder[ES_IPC_PATH_MAX_BYTES];
		uint64_t uid;

		if (strncmp(entry->d_name, before, n_before) != 0 ||
		    es_parse_u64(entry->d_name + n_before, &uid) < 0 || uid >= UINT_MAX ||
		    uid == geteuid() ||
		    snprintf(folder, sizeof(folder), "%s/%s%s", parent, entry->d_name, after) >=
			    (int)sizeof(folder))
			continue;
		list_folder(list, folder, (uid_t)uid);
	}
}

size_t es_recorders_list(struct es_recorder_at *ret, bool *ret_is_cut)
{
	const char *given = getenv(ES_IPC_FOLDER_VARIABLE);
	bool is_root = geteuid() == 0, is_given = given && given[0] == '/';
	struct list list = { .all = ret };
	char folder[ES_IPC_PATH_MAX_BYTES];

	for (unsigned i = 0; i < ES_IPC_N_CONTROL_FOLDERS; i++)
		if (es_ipc_control_folder(i, folder) == 0)
			list_folder(&list, folder, is_root && is_given ? ANYBODY : geteuid());
	if (is_root && !is_given) {
		list_users(&list, "/tmp", "energyscopium-", "");
		list_users(&list, "/run/user", "", "/energyscopium");
	}
	*ret_is_cut = list.is_cut;
	return list.n;
}
