/*
 * source/activity_whom.c - the threads, or the CPUs, whose perf events are a job's
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/activity_whom.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#define PROCESSES_MAX 65536U /* of a machine; beyond, descendants are not looked for */
#define PASSES 4 /* of threads that start while they are listed */
#define EVENTS 9U /* three of them for each of two kinds of cores */
#define OTHER_FDS 256U /* that a program may need besides */

static int add(struct es_whom *whom, const struct es_perf_target *target)
{
	if (whom->n == ES_WHOM_MAX) {
		(void)snprintf(whom->problem, sizeof(whom->problem),
			       "more than %u threads or CPUs would have to be followed",
			       ES_WHOM_MAX);
		return -E2BIG;
	}
	whom->targets[whom->n++] = *target;
	return 0;
}

static bool has_thread(const struct es_whom *whom, pid_t tid)
{
	for (size_t i = 0; i < whom->n; i++)
		if (whom->targets[i].pid == tid)
			return true;
	return false;
}

/* Returns how many threads were new, or negative errno. */
static int add_threads(const struct es_root *root, pid_t pid, struct es_whom *whom)
{
	char path[64];
	struct dirent *entry;
	int r = 0, n_new = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "proc/%d/task", (int)pid);
	dir = es_root_opendir(root, path, &r);
	if (!dir)
		return r;
	while (r == 0 && (entry = readdir(dir))) {
		struct es_perf_target target = { .cgroup_fd = -1, .cpu = -1 };

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		target.pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (has_thread(whom, target.pid))
			continue;
		r = add(whom, &target);
		n_new++;
	}
	(void)closedir(dir);
	return r < 0 ? r : n_new;
}

/** struct family - every process of the machine, and whether it is one of ours */
struct family {
	struct member {
		pid_t pid, parent;
		bool is_ours;
	} * members; /* owned */
	size_t n, room;
};

static int list_processes(const struct es_root *root, struct family *family)
{
	struct dirent *entry;
	int r = 0;
	DIR *dir = es_root_opendir(root, "proc", &r);

	if (!dir)
		return r;
	while (family->n < PROCESSES_MAX && (entry = readdir(dir))) {
		struct es_process process;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    es_process_read(root, (pid_t)strtol(entry->d_name, NULL, 10), &process) < 0)
			continue;
		if (family->n == family->room) {
			size_t room = family->room ? 2 * family->room : 256;
			struct member *grown = reallocarray(family->members, room, sizeof(*grown));

			if (!grown) {
				r = -ENOMEM;
				break;
			}
			family->members = grown;
			family->room = room;
		}
		family->members[family->n++] =
			(struct member){ .pid = process.pid, .parent = process.parent };
	}
	(void)closedir(dir);
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Generation by generation; a child may have the lower number. */
static void mark_descendants(struct family *family, pid_t pid)
{
	bool has_more = true;

	if (family->n)
		qsort(family->members, family->n, sizeof(*family->members), by_pid);
	for (size_t i = 0; i < family->n; i++)
		family->members[i].is_ours = family->members[i].pid == pid;
	while (has_more) {
		has_more = false;
		for (size_t i = 0; i < family->n; i++) {
			const struct member key = { .pid = family->members[i].parent };
			const struct member *parent;

			if (family->members[i].is_ours)
				continue;
			parent = bsearch(&key, family->members, family->n, sizeof(key), by_pid);
			if (parent && parent->is_ours)
				family->members[i].is_ours = has_more = true;
		}
	}
}

static int find_tree(const struct es_root *root, pid_t pid, struct es_whom *whom)
{
	int r = 1;

	/* What a thread starts once it is followed is followed too: only the others have to be found in time. */
	for (int pass = 0; r > 0 && pass < PASSES; pass++) {
		struct family family = { .n = 0 };
		int n_new = 0;

		r = list_processes(root, &family);
		mark_descendants(&family, pid);
		for (size_t i = 0; r >= 0 && i < family.n; i++) {
			if (!family.members[i].is_ours)
				continue;
			r = add_threads(root, family.members[i].pid, whom);
			n_new += r > 0 ? r : 0;
			r = r == -ENOENT || r == -ESRCH ? 0 : r;
		}
		free(family.members);
		r = r < 0 ? r : n_new;
	}
	if (r < 0)
		return r;
	return whom->n ? 0 : -ESRCH;
}

static int find_cgroup(const struct es_root *root, pid_t pid, struct es_whom *whom)
{
	char cgroup[ES_ACTIVITY_REASON_BYTES - 32], online[ES_SYSFS_FILE_MAX_BYTES];
	const char *list = online;
	unsigned left = 0, cpu = 0;
	int r;

	whom->cgroup_fd = es_cgroup_open_perf(root, pid, cgroup, sizeof(cgroup));
	if (whom->cgroup_fd < 0) {
		r = whom->cgroup_fd;
		if (r == -ENOENT)
			(void)snprintf(whom->problem, sizeof(whom->problem),
				       "no hierarchy of cgroups is mounted that counts events");
		return r;
	}
	r = (int)es_root_read_line(root, "sys/devices/system/cpu/online", online, sizeof(online));
	if (r < 0)
		return r;
	while ((r = es_perf_next_cpu(&list, &left, &cpu)) > 0) {
		const struct es_perf_target target = { .pid = -1,
						       .cgroup_fd = whom->cgroup_fd,
						       .cpu = (int)cpu };

		r = add(whom, &target);
		if (r < 0)
			return r;
	}
	(void)snprintf(whom->remark, sizeof(whom->remark), "of the cgroup '%s'", cgroup);
	return r;
}

/* Whoever runs out of descriptors cannot even write down what it found. */
bool es_whom_has_room(size_t n_targets)
{
	struct rlimit limit;

	return n_targets <= ES_WHOM_MAX &&
	       (n_targets <= 1 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur == RLIM_INFINITY ||
		n_targets * EVENTS + OTHER_FDS <= limit.rlim_cur);
}

static int check_room(struct es_whom *whom)
{
	if (es_whom_has_room(whom->n))
		return 0;
	(void)snprintf(whom->problem, sizeof(whom->problem),
		       "its events need %zu open files: that is over the limit (ulimit -n)",
		       whom->n * EVENTS + OTHER_FDS);
	return -E2BIG;
}

int es_whom_find(const struct es_root *root, enum es_activity_whom kind, pid_t pid,
		 struct es_whom *ret)
{
	struct es_whom whom = { .cgroup_fd = -1 };
	const struct es_perf_target one = { .pid = pid, .cgroup_fd = -1, .cpu = -1 };
	int r = 0;

	ret->problem[0] = '\0';
	whom.targets = calloc(ES_WHOM_MAX, sizeof(*whom.targets));
	if (!whom.targets)
		return -ENOMEM;
	switch (kind) {
	case ES_ACTIVITY_COMMAND:
		r = add(&whom, &one);
		break;
	case ES_ACTIVITY_PROCESS:
		r = add_threads(root, pid, &whom);
		r = r < 0 ? r == -ENOENT ? -ESRCH : r : 0;
		break;
	case ES_ACTIVITY_TREE:
		r = find_tree(root, pid, &whom);
		break;
	case ES_ACTIVITY_CGROUP:
		r = find_cgroup(root, pid, &whom);
		break;
	}
	if (r == 0)
		r = check_room(&whom);
	if (r < 0) {
		memcpy(ret->problem, whom.problem, sizeof(ret->problem));
		es_whom_finish(&whom);
		return r;
	}
	*ret = whom;
	return 0;
}

void es_whom_finish(struct es_whom *whom)
{
	free(whom->targets);
	es_closep(&whom->cgroup_fd);
	whom->targets = NULL;
	whom->n = 0;
	whom->cgroup_fd = -1;
}
