/*
 * sys/process.c - what /proc says of a process, and of those it started
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/process.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define AT_ONCE 8 /* processes or threads looked at in one step; some 10 µs each */
#define PROCESSES_MAX 4096U

struct es_process_tree {
	const struct es_root *root;
	struct es_process process;
	pid_t *pids; /* of this round: those looked at, and their children */
	size_t n, at, cap;
	DIR *threads; /* of pids[at]; NULL: it is yet to be looked at */
	uint64_t sum, last_sum, root_ticks; /* ticks */
	uint64_t used; /* ticks, over all rounds */
	bool has_round;
	int64_t tick_ns;
};

int es_process_parse_stat(const char *text, struct es_process *ret)
{
	/* A name may hold blanks and brackets: it ends at the last one. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct es_process process = { .leader = 0 };
	uint64_t user, system;
	int64_t waited_user, waited_system, parent, pid = 0;

	if (!open || !close || close < open)
		return -EBADMSG;
	if (sscanf(text, "%" SCNd64, &pid) != 1 || pid <= 0 || pid > INT_MAX)
		return -EBADMSG;
	if (sscanf(close + 1,
		   " %c %" SCNd64 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
		   " %" SCNd64 " %" SCNd64 " %*s %*s %*s %*s %" SCNu64,
		   &process.state, &parent, &user, &system, &waited_user, &waited_system,
		   &process.start_ticks) != 7 ||
	    parent < 0 || parent > INT_MAX)
		return -EBADMSG;
	process.pid = (pid_t)pid;
	process.parent = (pid_t)parent;
	process.own_ticks = user + system;
	process.waited_ticks = (uint64_t)waited_user + (uint64_t)waited_system;
	(void)snprintf(process.name, sizeof(process.name), "%.*s", (int)(close - open - 1),
		       open + 1);
	*ret = process;
	return 0;
}

static pid_t read_leader(const struct es_root *root, pid_t pid)
{
	char path[64], text[ES_SYSFS_FILE_MAX_BYTES];
	const char *line;
	int64_t leader;

	(void)snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	if (es_root_read(root, path, text, sizeof(text)) <= 0)
		return pid;
	line = strstr(text, "\nTgid:");
	return line && sscanf(line + 6, " %" SCNd64, &leader) == 1 && leader > 0 &&
			       leader <= INT_MAX
		       ? (pid_t)leader
		       : pid;
}

static int read_stat(const struct es_root *root, pid_t pid, struct es_process *ret)
{
	char path[64], text[1024];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
	n = es_root_read(root, path, text, sizeof(text));
	if (n == -ENOENT || n == 0)
		return -ESRCH;
	return n < 0 ? (int)n : es_process_parse_stat(text, ret);
}

int es_process_read(const struct es_root *root, pid_t pid, struct es_process *ret)
{
	struct es_process process;
	char path[64];
	struct stat st;
	int r = read_stat(root, pid, &process);
	es_cleanup(es_closep) int fd = -1;

	if (r < 0)
		return r;
	process.leader = read_leader(root, pid);
	(void)snprintf(path, sizeof(path), "proc/%d", (int)pid);
	fd = es_root_openat(root, path, O_PATH);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -ESRCH;
	process.uid = st.st_uid;
	*ret = process;
	return 0;
}

uint64_t es_process_start(const struct es_root *root, pid_t pid)
{
	struct es_process process;

	return read_stat(root, pid, &process) < 0 ? 0 : process.start_ticks;
}

bool es_process_is_over(const struct es_process *process)
{
	return process->state == 'Z' || process->state == 'X' || process->state == 'x';
}

bool es_process_has_ended(const struct es_root *root, const struct es_process *process)
{
	struct es_process now;
	int r = read_stat(root, process->pid, &now);

	if (r < 0)
		return r == -ESRCH;
	return now.start_ticks != process->start_ticks || es_process_is_over(&now);
}

int es_process_tree_create(const struct es_root *root, const struct es_process *process,
			   struct es_process_tree **ret)
{
	struct es_process_tree *tree = calloc(1, sizeof(*tree));
	long ticks = sysconf(_SC_CLK_TCK);

	if (!tree)
		return -ENOMEM;
	tree->cap = 64;
	tree->pids = calloc(tree->cap, sizeof(*tree->pids));
	if (!tree->pids) {
		free(tree);
		return -ENOMEM;
	}
	tree->root = root;
	tree->process = *process;
	tree->tick_ns = ES_NS_PER_S / (ticks > 0 ? ticks : 100);
	*ret = tree;
	return 0;
}

void es_process_tree_destroy(struct es_process_tree *tree)
{
	if (!tree)
		return;
	es_closedirp(&tree->threads);
	free(tree->pids);
	free(tree);
}

static int add_pid(struct es_process_tree *tree, pid_t pid)
{
	pid_t *larger;

	if (tree->n >= PROCESSES_MAX)
		return -E2BIG;
	if (tree->n == tree->cap) {
		larger = reallocarray(tree->pids, tree->cap * 2, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		tree->pids = larger;
		tree->cap *= 2;
	}
	tree->pids[tree->n++] = pid;
	return 0;
}

/* One process: its CPU time; then its threads, each of which may have started others. */
static void look_at_process(struct es_process_tree *tree)
{
	pid_t pid = tree->pids[tree->at];
	struct es_process now;
	char path[64];
	int r = read_stat(tree->root, pid, &now);

	if (r < 0 || (pid == tree->process.pid && now.start_ticks != tree->process.start_ticks)) {
		tree->at++;
		return;
	}
	tree->sum += now.own_ticks + now.waited_ticks;
	if (pid == tree->process.pid)
		tree->root_ticks = now.own_ticks + now.waited_ticks;
	(void)snprintf(path, sizeof(path), "proc/%d/task", (int)pid);
	tree->threads = es_root_opendir(tree->root, path, &r);
	if (!tree->threads)
		tree->at++;
}

/* The next thread of a process; where the kernel does not tell children there are none. */
static int look_at_thread(struct es_process_tree *tree)
{
	const struct dirent *entry = readdir(tree->threads);
	char path[320], text[PROCESSES_MAX * 8];
	int r = 0;

	if (!entry) {
		es_closedirp(&tree->threads);
		tree->threads = NULL;
		tree->at++;
		return 0;
	}
	if (entry->d_name[0] == '.')
		return 0;
	(void)snprintf(path, sizeof(path), "proc/%d/task/%s/children", (int)tree->pids[tree->at],
		       entry->d_name);
	if (es_root_read(tree->root, path, text, sizeof(text)) <= 0)
		return 0;
	for (char *p = text, *end; r == 0 && *p; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		if (pid > 0 && pid <= INT_MAX)
			r = add_pid(tree, (pid_t)pid);
	}
	return r;
}

static void end_round(struct es_process_tree *tree)
{
	if (tree->has_round && tree->sum > tree->last_sum)
		tree->used += tree->sum - tree->last_sum;
	tree->has_round = true;
	tree->last_sum = tree->sum;
	tree->sum = 0;
	tree->n = tree->at = 0;
}

int es_process_tree_step(struct es_process_tree *tree)
{
	int r = 0;

	if (tree->n == 0)
		r = add_pid(tree, tree->process.pid);
	for (int i = 0; r == 0 && i < AT_ONCE; i++) {
		if (tree->at == tree->n) {
			end_round(tree);
			return 1;
		}
		if (tree->threads)
			r = look_at_thread(tree);
		else
			look_at_process(tree);
	}
	if (r < 0) {
		es_closedirp(&tree->threads);
		tree->threads = NULL;
		tree->sum = 0;
		tree->n = tree->at = 0;
	}
	return r;
}

int es_process_tree_last(struct es_process_tree *tree)
{
	struct es_process now;
	int r = read_stat(tree->root, tree->process.pid, &now);

	if (r < 0)
		return r;
	if (now.start_ticks != tree->process.start_ticks)
		return -ESRCH;
	if (tree->has_round && now.own_ticks + now.waited_ticks > tree->root_ticks)
		tree->used += now.own_ticks + now.waited_ticks - tree->root_ticks;
	return 0;
}

int64_t es_process_tree_cpu_ns(const struct es_process_tree *tree)
{
	return (int64_t)tree->used * tree->tick_ns;
}
