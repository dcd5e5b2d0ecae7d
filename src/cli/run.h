/*
 * run.h - what the parts of energyscopium run share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RUN_H
#define ES_CLI_RUN_H

#include "cli/attach.h"
#include "cli/chain.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/measure.h"
#include "cli/ranks.h"
#include "cli/work.h"
#include "sys/root.h"

/* As env, nice and timeout do: own failures apart from those of the command. */
#define ES_EXIT_OWN 125
#define ES_EXIT_NOT_EXECUTABLE 126
#define ES_EXIT_NOT_FOUND 127

/** struct es_run - one measured command, from its options to its files */
struct es_run {
	const char *period, *out, *name, *root, *as, *require;
	struct es_text_list domains;
	struct es_optional_text json;
	bool may_replace, keeps_args;
	struct es_chain chain;
	struct es_work_options work;

	int64_t period_ns, as_uid;
	const char *attach_pid; /* as given; NULL: a command is measured */
	struct es_attach *attach;
	char *const *command; /* what is started, or was found running */
	struct es_root tree;
	struct es_sampler *sampler;
	struct es_meta meta;
	struct es_recorder *recorder;
	char launch_name[ES_NAME_MAX_BYTES]; /* of the job, by the launcher */
	char stem[2 *
		  ES_NAME_MAX_BYTES]; /* of the files: the job's name, with the node's where there are several */
	struct es_works *works; /* NULL: nothing is counted */
	char recording_path[ES_PATH_MAX_BYTES], eprofile_path[ES_PATH_MAX_BYTES];
	struct es_measured measured;
	int exit_status;
	struct es_launch launch; /* who started us */
	struct es_ranks ranks;
};

/**
 * es_run_join - find out whether this process measures or another rank of this node does
 * Returns -1: it measures; else it could not become its command, and this is the exit status.
 */
int es_run_join(struct es_run *run);

/** es_run_job_name - the job's name under a launcher, one for all nodes; NULL: as without one */
const char *es_run_job_name(struct es_run *run);

/**
 * es_run_note_launch - once described: CPUs of the launch; the name of this node's files into run->stem
 * es_run_record_launch - once the recorder is open: the event
 */
void es_run_note_launch(struct es_run *run);
int es_run_record_launch(struct es_run *run);

/**
 * es_run_tell - the report of a command that was measured: eprofile, job line, table, JSON
 *
 * What the disk did not take is saved elsewhere, and said. Changes exit_status only where --require was not met.
 */
void es_run_tell(struct es_run *run);

#endif
