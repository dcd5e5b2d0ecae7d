/*
 * top_processes.c - which processes use the CPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/top_processes.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "sys/process.h"

#define PROCESSES_MAX 65536U

struct process {
	int pid;
	uint64_t ticks;
};

/* Two looks; each sorted by number, as a process is looked up in the one before. */
struct es_processes {
	struct process *before, *now;
	size_t n_before, n_now, cap;
	bool has_before;
};

struct es_processes *es_processes_create(void)
{
	return calloc(1, sizeof(struct es_processes));
}

void es_processes_destroy(struct es_processes *processes)
{
	if (!processes)
		return;
	free(processes->before);
	free(processes->now);
	free(processes);
}

static int read_process(const struct es_root *root, int pid, uint64_t *ret_ticks, char *name,
			size_t name_size)
{
	struct es_process process;
	char path[64], text[1024];
	ssize_t n;
	int r;

	(void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
	n = es_root_read(root, path, text, sizeof(text));
	r = n < 0 ? (int)n : es_process_parse_stat(text, &process);
	if (r < 0)
		return r;
	(void)snprintf(name, name_size, "%s", process.name);
	*ret_ticks = process.own_ticks;
	return 0;
}

static int add(struct es_processes *processes, int pid, uint64_t ticks)
{
	if (processes->n_now == processes->cap) {
		size_t cap = processes->cap ? 2 * processes->cap : 512;
		struct process *now = reallocarray(processes->now, cap, sizeof(*now));
		struct process *before;

		if (!now)
			return -ENOMEM;
		processes->now = now;
		before = reallocarray(processes->before, cap, sizeof(*before));
		if (!before)
			return -ENOMEM;
		processes->before = before;
		processes->cap = cap;
	}
	processes->now[processes->n_now++] = (struct process){ .pid = pid, .ticks = ticks };
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* What it used since the last look; one that is new since then used all it has. */
static uint64_t ticks_since(const struct es_processes *processes, const struct process *process)
{
	const struct process *before = NULL;

	if (processes->n_before)
		before = bsearch(process, processes->before, processes->n_before,
				 sizeof(*processes->before), by_pid);
	if (!before)
		return process->ticks;
	return process->ticks >= before->ticks ? process->ticks - before->ticks : process->ticks;
}

/* Keep the @n_max busiest in order; @n are there. */
static size_t insert(struct es_top_process *list, size_t n, size_t n_max,
		     const struct es_top_process *process)
{
	size_t at = n;

	while (at > 0 && list[at - 1].cpu_permille < process->cpu_permille)
		at--;
	if (at == n_max)
		return n;
	if (n == n_max)
		n--;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
	list[at] = *process;
	return n + 1;
}

static void name_user(const struct es_root *root, struct es_top_process *process)
{
	char path[64];
	struct stat status;
	const struct passwd *entry = NULL;
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "proc/%d", process->pid);
	fd = es_root_openat(root, path, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return;
	if (root->is_machine)
		entry = getpwuid(status.st_uid);
	if (entry)
		(void)snprintf(process->user, sizeof(process->user), "%.31s", entry->pw_name);
	else
		(void)snprintf(process->user, sizeof(process->user), "%u", (unsigned)status.st_uid);
}

static void gather(struct es_processes *processes, const struct es_root *root)
{
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	processes->n_now = 0;
	dir = es_root_opendir(root, "proc", &r);
	while (dir && processes->n_now < PROCESSES_MAX && (entry = readdir(dir))) {
		uint64_t pid, ticks;
		char name[64];

		if (es_parse_u64(entry->d_name, &pid) < 0 || pid > INT32_MAX ||
		    read_process(root, (int)pid, &ticks, name, sizeof(name)) < 0)
			continue;
		if (add(processes, (int)pid, ticks) < 0)
			return;
	}
}

static size_t choose(const struct es_processes *processes, const struct es_root *root,
		     int64_t interval_ns, struct es_top_process *ret, size_t n_max)
{
	int64_t tick_ns = ES_NS_PER_S / sysconf(_SC_CLK_TCK);
	size_t n = 0;

	for (size_t i = 0; i < processes->n_now; i++) {
		uint64_t ticks = ticks_since(processes, &processes->now[i]);
		struct es_top_process process = { .pid = processes->now[i].pid,
						  .power_mw = UINT64_MAX };

		if (ticks == 0)
			continue;
		process.cpu_permille =
			(uint32_t)(ticks * (uint64_t)tick_ns * 1000 / (uint64_t)interval_ns);
		n = insert(ret, n, n_max, &process);
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t ticks;

		name_user(root, &ret[i]);
		if (read_process(root, ret[i].pid, &ticks, ret[i].command, sizeof(ret[i].command)) <
		    0)
			(void)snprintf(ret[i].command, sizeof(ret[i].command), "(ended)");
	}
	return n;
}

size_t es_processes_look(struct es_processes *processes, const struct es_root *root,
			 int64_t interval_ns, struct es_top_process *ret, size_t n_max)
{
	struct process *swap = processes->before;
	size_t n = 0;

	processes->before = processes->now;
	processes->n_before = processes->n_now;
	processes->now = swap;
	gather(processes, root);
	if (processes->n_now)
		qsort(processes->now, processes->n_now, sizeof(*processes->now), by_pid);
	if (processes->has_before && interval_ns > 0)
		n = choose(processes, root, interval_ns, ret, n_max);
	processes->has_before = true;
	return n;
}
