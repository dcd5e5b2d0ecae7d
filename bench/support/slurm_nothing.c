/*
 * slurm_nothing.c - a SPANK plug-in that does nothing where ours does something: what Slurm itself takes for any
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <slurm/spank.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern const char plugin_name[], plugin_type[];
EXPORTED extern const unsigned int plugin_version, spank_plugin_version;
SPANK_PLUGIN(nothing, 1)

EXPORTED int slurm_spank_init(spank_t spank, int argc, char *argv[]);
EXPORTED int slurm_spank_job_prolog(spank_t spank, int argc, char *argv[]);
EXPORTED int slurm_spank_job_epilog(spank_t spank, int argc, char *argv[]);
EXPORTED int slurm_spank_task_post_fork(spank_t spank, int argc, char *argv[]);
EXPORTED int slurm_spank_exit(spank_t spank, int argc, char *argv[]);

static int nothing(spank_t spank, int argc, char *const argv[])
{
	(void)spank;
	(void)argc;
	(void)argv;
	return ESPANK_SUCCESS;
}

int slurm_spank_init(spank_t spank, int argc, char *argv[])
{
	return nothing(spank, argc, argv);
}

int slurm_spank_job_prolog(spank_t spank, int argc, char *argv[])
{
	return nothing(spank, argc, argv);
}

int slurm_spank_job_epilog(spank_t spank, int argc, char *argv[])
{
	return nothing(spank, argc, argv);
}

int slurm_spank_task_post_fork(spank_t spank, int argc, char *argv[])
{
	return nothing(spank, argc, argv);
}

int slurm_spank_exit(spank_t spank, int argc, char *argv[])
{
	return nothing(spank, argc, argv);
}
