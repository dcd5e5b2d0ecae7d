/*
 * cli/load.c - something that moves the meters while they are watched
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/load.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

static _Noreturn void spin(uint32_t cpu)
{
	volatile double work = 1.0;
	cpu_set_t set;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	for (;;)
		work = work * 1.0000001 + 1e-9;
}

static int start_spinning(struct es_load *load)
{
	cpu_set_t set;

	load->pids = calloc(ES_LOAD_PROCESSES_MAX, sizeof(*load->pids));
	if (!load->pids)
		return -ENOMEM;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE && load->n < ES_LOAD_PROCESSES_MAX; cpu++) {
		pid_t pid;

		if (!CPU_ISSET(cpu, &set))
			continue;
		pid = fork();
		if (pid == 0)
			spin(cpu);
		if (pid < 0)
			break; /* fewer move the meters as well */
		(void)kill(pid, SIGSTOP);
		load->pids[load->n++] = pid;
	}
	(void)snprintf(load->text, sizeof(load->text), "busy processes on %zu CPUs, in steps",
		       load->n);
	return 0;
}

static int start_command(char *const *command, struct es_load *load, struct es_error *err)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	load->pids = calloc(1, sizeof(*load->pids));
	if (!load->pids || posix_spawn_file_actions_init(&actions) != 0)
		return es_error_set(err, -ENOMEM, "cannot start '%s'", command[0]);
	r = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return es_error_set(err, -r, "cannot start '%s'", command[0]);
	load->pids[load->n++] = pid;
	load->is_command = true;
	(void)snprintf(load->text, sizeof(load->text), "%.60s", command[0]);
	return 0;
}

int es_load_start(char *const *command, bool is_wanted, struct es_load *ret, struct es_error *err)
{
	struct es_load load = { .n = 0 };
	int r = 0;

	if (command) {
		r = start_command(command, &load, err);
	} else if (is_wanted) {
		r = start_spinning(&load);
		if (r < 0)
			(void)es_error_set(err, r, "cannot put a load on");
	}
	if (r < 0)
		es_load_stop(&load);
	else
		*ret = load;
	return r;
}

void es_load_step(struct es_load *load, int64_t done_ns, int64_t dur_ns)
{
	/* In quarters of the CPUs; no two stretches in a row alike, and nothing that repeats. */
	static const unsigned char quarters[] = { 0, 4, 2, 0, 3, 1, 4, 0, 2, 4, 1, 3 };
	size_t step = (size_t)(done_ns / (dur_ns / (int64_t)ES_ARRAY_SIZE(quarters) + 1)), awake;

	if (load->is_command || load->n == 0)
		return;
	step = step < ES_ARRAY_SIZE(quarters) ? step : ES_ARRAY_SIZE(quarters) - 1;
	awake = (load->n * quarters[step] + 3) / 4;
	for (size_t i = load->n_awake; i < awake; i++)
		(void)kill(load->pids[i], SIGCONT);
	for (size_t i = awake; i < load->n_awake; i++)
		(void)kill(load->pids[i], SIGSTOP);
	load->n_awake = awake;
}

/* A command that does not want to end is ended. */
static void await(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int tries = 0; tries < 500; tries++) {
		pid_t r = waitpid(pid, NULL, WNOHANG);

		if (r == pid || (r < 0 && errno != EINTR))
			return;
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void es_load_stop(struct es_load *load)
{
	for (size_t i = 0; i < load->n; i++)
		(void)kill(load->pids[i], load->is_command ? SIGTERM : SIGKILL);
	for (size_t i = 0; i < load->n; i++)
		await(load->pids[i]);
	free(load->pids);
	*load = (struct es_load){ .n = 0 };
}
