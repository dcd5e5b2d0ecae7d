/*
 * run_launch.c - energyscopium run as one of the processes of a parallel program
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/job.h"
#include "cli/run.h"

int es_run_join(struct es_run *run)
{
	int error;

	es_ranks_join(&run->launch, es_ranks_folders(), &run->ranks);
	if (run->ranks.role == ES_RANK_MEASURES)
		return -1;
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

int es_run_record_launch(struct es_run *run)
{
	const struct es_launch *launch = &run->launch;
	struct es_report_launch note = { .how = ES_LAUNCH_UNDER,
					 .rank = launch->rank,
					 .ranks = launch->ranks,
					 .local_ranks = launch->local_ranks,
					 .nodes = launch->nodes };
	struct es_event event = { .type = ES_EVENT_LAUNCH, .value = launch->ranks };
	int r;

	if (!launch->launcher)
		return 0;
	event.t_ns = es_clock_boot_ns();
	(void)snprintf(note.by, sizeof(note.by), "%s", launch->launcher);
	r = es_report_launch_text(&note, event.text, sizeof(event.text));
	return r < 0 ? r : es_recorder_event(run->recorder, &event);
}
