/*
 * explore.h - a study: what is to be measured, what was, and what came of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_EXPLORE_H
#define ES_CLI_EXPLORE_H

#include <signal.h>

#include "base/error.h"
#include "cli/chain.h"
#include "cli/command.h"
#include "cli/drawing.h"
#include "cli/explore_spec.h"
#include "cli/trials.h"
#include "core/judge.h"
#include "format/plot.h"
#include "opt/choose.h"
#include "sys/root.h"

#define ES_EXPLORE_COMMAND "explore"
#define ES_EXPLORE_NONE SIZE_MAX

/** enum es_explore_result - of a run, or of a configuration: the worst of its runs */
enum es_explore_result {
	ES_EXPLORE_NOT_RUN,
	ES_EXPLORE_OK,
	ES_EXPLORE_BUILD_FAILED,
	ES_EXPLORE_FAILED,
	ES_EXPLORE_TIMED_OUT,
	ES_EXPLORE_NO_OUTPUT,
	ES_EXPLORE_DIFFERS,
	ES_EXPLORE_QUALITY_MISSED,
	ES_EXPLORE_NOT_COMPARED, /* the reference has no result */
	ES_EXPLORE_N_RESULTS,
};

/** es_explore_result_name - "ok", "result differs" … */
const char *es_explore_result_name(enum es_explore_result result);

#define ES_EXPLORE_ID_BYTES 13U /* twelve digits of a digest */

/** struct es_explore_build - one distinct build line */
struct es_explore_build {
	char id[ES_EXPLORE_ID_BYTES]; /* by the line: the same one is the same build */
	size_t configuration; /* the first that uses it */
	bool is_done, is_failed;
	double wall_s;
	char reason[160];
};

/** struct es_explore_run - one measured execution */
struct es_explore_run {
	bool is_done; /* it is in the journal, and its recording is there */
	enum es_explore_result result;
	int status;
	double wall_s; /* with all around it */
	bool has_quality;
	double quality;
	char digest[ES_SHA256_TEXT_BYTES]; /* of the outputs; "": none */
	char reason[160];
	size_t trial; /* in study->trials; ES_EXPLORE_NONE: not measured */
	bool is_far_off; /* its time or energy from those of the other rounds; it counts all the same */
};

/** struct es_explore_member - a configuration of the study */
struct es_explore_member {
	struct es_explore_configuration at;
	char *label; /* owned */
	char id[24]; /* c01 */
	size_t build; /* ES_EXPLORE_NONE: nothing is built */
	struct es_explore_run *runs; /* [n_rounds] of the study's */
	bool is_warm; /* warmed up by this process */

	/* The outcome */
	enum es_explore_result result;
	char reason[200];
	size_t n_ok, n_failed;
	size_t group; /* in study->trials */
	bool has_quality;
	double quality; /* mean */
	bool has_time, has_energy; /* the mean is known; of energy: and may be compared */
	struct es_judgement time, energy; /* B is this one, A the reference */
};

/** struct es_explore_signals - those that ask us to end, and how we were started with them */
struct es_explore_signals {
	sigset_t watched, old_mask;
	struct sigaction old_child;
	bool is_reaper; /* what outlives its parent comes to us */
};

/** struct es_explore - zero-initialise, es_explore_finish() it */
struct es_explore {
	const char *path, *out, *root, *as, *require, *csv, *slowdown; /* as given */
	struct es_text_list domains, meters;
	bool may_begin_anew, wants_retry, is_dry, is_report, is_json, no_activity;
	struct es_drawing drawing;
	struct es_chain chain;

	struct es_explore_spec spec;
	char *text; /* of the specification */
	char spec_dir[ES_PATH_MAX_BYTES], dir[ES_PATH_MAX_BYTES]; /* absolute */
	char self[ES_PATH_MAX_BYTES]; /* this program */
	char digest[ES_SHA256_TEXT_BYTES], node[ES_NAME_MAX_BYTES];
	struct es_explore_member *members; /* [n] */
	size_t n;
	struct es_explore_build *builds; /* [n_builds] */
	size_t n_builds;
	struct es_explore_run *runs; /* [n * n_rounds] */
	size_t n_rounds;
	size_t reference;
	int journal_fd; /* -1: none */
	struct es_root machine; /* the real one: for processes */
	struct es_explore_signals signals;
	int stop_signal; /* somebody asked us to end; 0: nobody */
	bool is_broken_off; /* measuring itself failed */

	/* The outcome */
	struct es_trials trials;
	double slowdown_share; /* INFINITY: any */
	const char *no_energy; /* why energies are not compared; NULL: they are */
	size_t *front; /* [n_front] owned; members, by time */
	size_t n_front, knee; /* ES_EXPLORE_NONE: no knee */
	size_t best[ES_OPT_N_OBJECTIVES], within, fastest; /* members; ES_EXPLORE_NONE: none */
};

/* explore_study.c: what there is to do */
int es_explore_open(struct es_explore *study, struct es_error *err);
void es_explore_finish(struct es_explore *study);
/** es_explore_places_of - the built-in variables of a run; @round from 1, 0: warm-up. Texts in @ret's room */
struct es_explore_room {
	char build_dir[ES_PATH_MAX_BYTES], run_dir[ES_PATH_MAX_BYTES], out[ES_PATH_MAX_BYTES],
		round[24];
	struct es_explore_places places;
};
int es_explore_places_of(const struct es_explore *study, size_t member, size_t round,
			 struct es_explore_room *ret);
/** es_explore_recording - the path of a run's recording; @round from 1; 0 or -ENAMETOOLONG */
int es_explore_recording(const struct es_explore *study, size_t member, size_t round,
			 char ret[static ES_PATH_MAX_BYTES]);

/* explore_journal.c: what was done; survives whatever ends us */
/** es_explore_journal_open - read it, and keep it open for more where @is_writer */
int es_explore_journal_open(struct es_explore *study, bool is_writer, struct es_error *err);
int es_explore_journal_run(struct es_explore *study, size_t member, size_t round,
			   struct es_error *err);
int es_explore_journal_build(struct es_explore *study, size_t build, struct es_error *err);
/** es_explore_journal_process - process @pid is at work: who goes on when we are killed waits for its end */
void es_explore_journal_process(struct es_explore *study, pid_t pid);

/** struct es_explore_process - a command to be run; all borrowed */
struct es_explore_process {
	struct es_explore *study;
	char *const *argv;
	const char *folder; /* where it runs */
	const char *out, *log; /* files of stdout (NULL: the log, too) and stderr */
	bool log_goes_on; /* behind what is in it */
	int64_t timeout_ns; /* 0: none */
};

struct es_explore_ended {
	int status; /* as a shell says it */
	bool is_timed_out;
	int stop_signal; /* we were asked to stop meanwhile; 0: not */
	int64_t wall_ns;
};

/* explore_process.c */
/** es_explore_signals_begin - from now on signals that ask us to end wait for us; es_explore_signals_end() it */
void es_explore_signals_begin(struct es_explore_signals *ret);
void es_explore_signals_end(const struct es_explore_signals *signals);
/** es_explore_signals_stop - the signal that asked us to end since; 0: none */
int es_explore_signals_stop(const struct es_explore_signals *signals);
/** es_explore_process_run - until it has ended, whatever asks us to end is passed on to it; 0 or negative errno */
int es_explore_process_run(const struct es_explore_process *process, struct es_explore_ended *ret);

/* explore_log.c */
/** es_explore_log_tell - its last lines to stderr, without a report; those of @out (NULL: none) where that leaves nothing */
void es_explore_log_tell(const char *log, const char *out);

/* explore_run.c */
/** es_explore_do - all that is left to do; 0, or negative errno with words: measuring failed */
int es_explore_do(struct es_explore *study, struct es_error *err);
/** es_explore_left - runs left; *@ret_s: how long they may take, negative: not known */
size_t es_explore_left(const struct es_explore *study, double *ret_s);
/** es_explore_is_out - a configuration that is not run again: it failed, or its result is another */
bool es_explore_is_out(const struct es_explore *study, size_t member);

/* explore_check.c */
/** es_explore_check - the result of a run that ended well: outputs, check, quality; 0 or negative errno */
int es_explore_check(struct es_explore *study, size_t member, const struct es_explore_room *room,
		     struct es_explore_run *run, struct es_error *err);
/** struct es_explore_stamps - of the outputs before a run, to see which are its own */
struct es_explore_stamps;
int es_explore_stamps_take(const struct es_explore *study, size_t member,
			   const struct es_explore_room *room, struct es_explore_stamps **ret);
/** es_explore_stamps_check - each was written since; else the run's result says which was not. Fills in run->digest */
int es_explore_stamps_check(const struct es_explore *study, const struct es_explore_stamps *stamps,
			    struct es_explore_run *run);
void es_explore_stamps_destroy(struct es_explore_stamps *stamps);
/** es_explore_shell - argv of a line with the study's environment; owned by caller, es_explore_shell_free() */
char **es_explore_shell(const struct es_explore *study, size_t member, const char *text,
			const struct es_explore_places *places, char *const *before);
void es_explore_shell_free(char **argv);

/* explore_outcome.c */
/** es_explore_conclude - read the recordings, judge, choose; 0 or negative errno with words */
int es_explore_conclude(struct es_explore *study, struct es_error *err);

/* explore_show.c, explore_json.c */
void es_explore_plan_text(const struct es_explore *study, struct es_buf *out);
void es_explore_text(const struct es_explore *study, struct es_buf *out);
int es_explore_json(const struct es_explore *study, struct es_buf *out);
int es_explore_csv(const struct es_explore *study, const char *path, struct es_error *err);
int es_explore_draw(const struct es_explore *study, struct es_error *err);
/** es_explore_draw_text - the picture in letters; nothing where there is nothing to draw */
void es_explore_draw_text(const struct es_explore *study, const struct es_terminal *terminal,
			  struct es_buf *out);

#endif
