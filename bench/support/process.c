/*
 * process.c - programs that a benchmark starts, and what they cost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define STATUS_MAX_BYTES 4096
#define LOOKS_MAX 100

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

int es_bench_last_cpu(void)
{
	int last = ES_BENCH_ANY_CPU;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return last;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &set))
			last = cpu;
	return last;
}

pid_t es_bench_spawn(char *const *argv, int out_fd, int cpu)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	pin(cpu);
	if (out_fd < 0)
		out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)dup2(out_fd, STDOUT_FILENO);
	(void)dup2(out_fd, STDERR_FILENO);
	(void)execvp(argv[0], argv);
	_exit(127);
}

static int count_wakes(pid_t pid, uint64_t *ret)
{
	static const char name[] = "\nvoluntary_ctxt_switches:";
	char path[64], text[STATUS_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	const char *found;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	found = strstr(text, name);
	if (!found)
		return -ENODATA;
	*ret = strtoull(found + sizeof(name) - 1, NULL, 10);
	return 0;
}

int es_bench_use(pid_t pid, struct es_bench_use *ret)
{
	clockid_t clock;
	struct timespec cpu;
	uint64_t n_before = 0, n_after = 0;
	int r = clock_getcpuclockid(pid, &clock);

	if (r != 0)
		return -r;
	/* CPU time and wakes of the same moment: asked again where it woke in between. */
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		r = count_wakes(pid, &n_before);
		if (r == 0 && clock_gettime(clock, &cpu) < 0)
			r = -errno;
		if (r == 0)
			r = count_wakes(pid, &n_after);
		if (r < 0)
			return r;
		if (n_before == n_after)
			break;
	}
	*ret = (struct es_bench_use){
		.t_ns = es_clock_mono_ns(),
		.cpu_ns = cpu.tv_sec * ES_NS_PER_S + cpu.tv_nsec,
		.n_wakes = n_after,
	};
	return 0;
}

int es_bench_wait(pid_t pid, int64_t *ret_rss_kb)
{
	struct rusage usage = { .ru_maxrss = 0 };
	int status = 0;

	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -1;
	if (ret_rss_kb)
		*ret_rss_kb = usage.ru_maxrss;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static _Noreturn void burn(int cpu)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(cpu);
	for (volatile unsigned i = 0;; i++)
		continue;
}

void es_bench_burn(struct es_bench_burners *burners)
{
	cpu_set_t set;

	*burners = (struct es_bench_burners){ .n = 0 };
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && burners->n < ES_BENCH_BURNERS_MAX; cpu++) {
		pid_t pid;

		if (!CPU_ISSET((size_t)cpu, &set))
			continue;
		pid = fork();
		if (pid == 0)
			burn(cpu);
		if (pid > 0)
			burners->pids[burners->n++] = pid;
	}
}

void es_bench_quench(struct es_bench_burners *burners)
{
	for (unsigned i = 0; i < burners->n; i++) {
		(void)kill(burners->pids[i], SIGKILL);
		(void)es_bench_wait(burners->pids[i], NULL);
	}
	burners->n = 0;
}

void es_bench_sleep(int64_t until_mono_ns)
{
	const struct timespec until = { .tv_sec = until_mono_ns / ES_NS_PER_S,
					.tv_nsec = until_mono_ns % ES_NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		continue;
}
