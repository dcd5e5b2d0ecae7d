/*
 * run_launch.c - energyscopium run as one of the processes of a parallel program
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/job.h"
#include "cli/run.h"
#include "ipc/address.h"

#define HOSTS_MAX_BYTES (1U << 20)

int es_run_join(struct es_run *run)
{
	char socket[ES_IPC_PATH_MAX_BYTES];
	int error;

	es_ranks_join(&run->launch, es_ranks_folders(), run->baseline_ns, &run->ranks);
	if (run->ranks.role == ES_RANK_MEASURES)
		return -1;
	if (es_ranks_find_socket(&run->ranks, socket, sizeof(socket)) == 0)
		(void)setenv(ES_IPC_VARIABLE, socket, 1);
	(void)execvp(run->command[0], run->command);
	error = errno;
	return es_complain("run", error == ENOENT ? ES_EXIT_NOT_FOUND : ES_EXIT_NOT_EXECUTABLE,
			   "'%s': %s", run->command[0],
			   error == ENOENT ? "command not found" : es_strerror(-error));
}

static bool has_value(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

const char *es_run_job_name(struct es_run *run)
{
	static const char *const schedulers[] = { "SLURM_JOB_ID", "PBS_JOBID", "OAR_JOB_ID",
						  "LSB_JOBID", "FLUX_JOB_ID" };

	if (run->name || !run->launch.launcher || run->launch.is_slurm_step)
		return run->name;
	/* mpirun starts its daemons on the other nodes as a step, on its own node not. */
	if (has_value("SLURM_JOB_ID") && has_value("SLURM_STEP_ID")) {
		(void)snprintf(run->launch_name, sizeof(run->launch_name), "%s",
			       getenv("SLURM_JOB_ID"));
		return run->launch_name;
	}
	for (size_t i = 0; i < sizeof(schedulers) / sizeof(schedulers[0]); i++)
		if (has_value(schedulers[i]))
			return NULL;
	/* On a single node date and process number do, and never meet those of another day. */
	if (run->launch.nodes == 1 || run->launch.id[0] == '\0')
		return NULL;
	(void)snprintf(run->launch_name, sizeof(run->launch_name), "mpi-%.200s", run->launch.id);
	for (char *p = run->launch_name; *p; p++)
		if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '_';
	return run->launch_name;
}

void es_run_note_launch(struct es_run *run)
{
	uint32_t n_cpus = run->launch.launcher && run->tree.is_machine && es_job_cpus() == 0
				  ? es_launch_cpus(&run->launch)
				  : 0;

	if (n_cpus)
		run->meta.n_cpus = n_cpus;
	if (!run->launch.launcher || run->launch.nodes == 1) {
		(void)snprintf(run->stem, sizeof(run->stem), "%s", run->meta.job);
		return;
	}
	(void)snprintf(run->stem, sizeof(run->stem), "%s.%s", run->meta.job,
		       run->meta.nodes[0].name);
	for (char *p = run->stem + strlen(run->meta.job); *p; p++)
		*p = *p == '/' ? '_' : *p;
}

/* A list of hosts is as long as a job is large; NULL where it cannot be read. */
static char *read_hosts(const char *path)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	es_cleanup(es_freep) char *text = calloc(1, HOSTS_MAX_BYTES + 1);
	size_t n = 0;
	ssize_t got = fd < 0 || !text ? -1 : 1;

	while (got > 0 && n < HOSTS_MAX_BYTES) {
		got = read(fd, text + n, HOSTS_MAX_BYTES - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return got < 0 || n == HOSTS_MAX_BYTES ? NULL : es_steal_ptr(text);
}

static struct es_elsewhere_of surroundings(const struct es_run *run)
{
	return (struct es_elsewhere_of){ .argv = run->command,
					 .env = environ,
					 .hostname = run->meta.nodes[0].name,
					 .read_hosts = read_hosts };
}

static int record(struct es_run *run, const struct es_report_launch *note)
{
	struct es_event event = { .type = ES_EVENT_LAUNCH,
				  .t_ns = es_clock_boot_ns(),
				  .value = note->ranks };
	int r = es_report_launch_text(note, event.text, sizeof(event.text));

	return r < 0 ? r : es_recorder_event(run->recorder, &event);
}

int es_run_record_launch(struct es_run *run)
{
	const struct es_launch *launch = &run->launch;
	const struct es_elsewhere_of of = surroundings(run);
	struct es_report_launch note = { .how = ES_LAUNCH_UNDER,
					 .rank = launch->rank,
					 .ranks = launch->ranks,
					 .local_ranks = launch->local_ranks,
					 .nodes = launch->nodes };

	if (launch->launcher) {
		(void)snprintf(note.by, sizeof(note.by), "%s", launch->launcher);
		return record(run, &note);
	}
	if (run->attach)
		return 0;
	es_elsewhere_find(&of, &run->elsewhere);
	if (run->elsewhere.how == ES_LAUNCH_NONE)
		return 0;
	note = ES_REPORT_LAUNCH_UNKNOWN;
	note.how = run->elsewhere.how;
	note.nodes = run->elsewhere.nodes;
	(void)snprintf(note.by, sizeof(note.by), "%s", run->elsewhere.client);
	return record(run, &note);
}

void es_run_put_advice(const struct es_run *run, struct es_buf *out)
{
	const struct es_elsewhere_of of = surroundings(run);
	struct es_buf advice;

	es_buf_init(&advice, ES_PATH_MAX_BYTES);
	es_elsewhere_advice(&of, &run->elsewhere, &advice);
	if (advice.len && es_buf_u8(&advice, 0) == 0) {
		es_text_make_safe((char *)advice.data, false);
		(void)es_buf_printf(out, "  %-10s %s\n", "to measure", (const char *)advice.data);
	}
	es_buf_finish(&advice);
}
