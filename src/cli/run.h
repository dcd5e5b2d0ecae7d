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
#include "cli/elsewhere.h"
#include "cli/inherited.h"
#include "cli/launch.h"
#include "cli/measure.h"
#include "cli/meters.h"
#include "cli/ranks.h"
#include "cli/run_activity.h"
#include "cli/run_series.h"
#include "cli/through.h"
#include "cli/work.h"
#include "sys/root.h"

/* As env, nice and timeout do: own failures apart from those of the command. */
#define ES_EXIT_OWN 125
#define ES_EXIT_NOT_EXECUTABLE 126
#define ES_EXIT_NOT_FOUND 127

/** struct es_run - one measured command, from its options to its files */
struct es_run {
	const char *period, *out, *name, *root, *as, *require;
	struct es_text_list domains, meters;
	const char *daemon; /* --daemon */
	struct es_through through;
	struct es_meters named; /* of --meter and the configuration; set by es_run_check() */
	struct es_optional_text json;
	bool may_replace, keeps_args;
	bool no_activity; /* counters that a profiler may want for itself are left alone */
	struct es_chain chain;
	struct es_work_options work;

	struct es_repeat_options series;
	struct es_repeat_plan plan;
	int64_t baseline_ns; /* 0: none is measured */
	struct es_repeat_shared *shared; /* one run of a series; NULL: on its own */
	struct es_measure_hook baseline_hook;

	int64_t period_ns, as_uid;
	const char *attach_pid; /* as given; NULL: a command is measured */
	struct es_attach *attach;
	struct es_run_activity activity;
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
	char saved_recording[ES_PATH_MAX_BYTES],
		saved_eprofile[ES_PATH_MAX_BYTES]; /* where they are; "": nowhere */
	struct es_measured measured;
	bool has_ended; /* the command did run, to its end */
	int exit_status;
	struct es_launch launch; /* who started us; set before es_run_join() */
	struct es_inherited inherited;
	struct es_ranks ranks;
	struct es_elsewhere elsewhere; /* where the command's work runs */
};

/** es_run_init - nothing is open yet; es_run_finish() it */
void es_run_init(struct es_run *run);
/** es_run_check - options and settings; 0, or -EINVAL: wrong usage, with @err */
int es_run_check(struct es_run *run, struct es_error *err);
/** es_run_open - meters, description and recording, once checked; 0 or negative errno with @err */
int es_run_open(struct es_run *run, struct es_error *err);

/**
 * es_run_save - complete the files without telling anybody
 * @ret_recording: room for ES_PATH_MAX_BYTES; where the recording is. Returns 0, or negative errno: what is missing, in @err
 */
int es_run_save(struct es_run *run, char *ret_recording, struct es_error *err);

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
/** es_run_put_advice - what would measure the work that runs elsewhere: a row of the table, or nothing */
void es_run_put_advice(const struct es_run *run, struct es_buf *out);

/** es_run_once - measure the command once; its exit status, or our own after a complaint. es_run_finish() after it */
int es_run_once(struct es_run *run);
void es_run_finish(struct es_run *run);

/** es_run_begin_baseline, es_run_finish_baseline - the idle power before and after the command, into its recording */
int es_run_begin_baseline(struct es_run *run);
void es_run_finish_baseline(struct es_measure_hook *hook, struct es_recorder *recorder,
			    int64_t stop_ns);

/**
 * es_run_tell - the report of a command that was measured: eprofile, job line, table, JSON
 *
 * What the disk did not take is saved elsewhere, and said. Changes exit_status only where --require was not met.
 */
void es_run_tell(struct es_run *run);

#endif
