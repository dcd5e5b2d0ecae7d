/*
 * run_series.c - energyscopium run --repeat: commands several times and by turns, with the idle power around each run
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/child.h"
#include "cli/job.h"
#include "cli/run.h"
#include "core/rounds.h"

void es_repeat_job(const struct es_repeat *series, size_t command, size_t round, char *ret)
{
	if (series->plan->n_commands > 1)
		(void)snprintf(ret, ES_REPEAT_JOB_BYTES, "%s-%s-%zu", series->base,
			       series->plan->commands[command].name, round + 1);
	else
		(void)snprintf(ret, ES_REPEAT_JOB_BYTES, "%s-%zu", series->base, round + 1);
}

/* Nothing is measured where a later run would find its place taken. */
static int check_names(const struct es_repeat *series, struct es_error *err)
{
	const struct es_run *run = series->run;

	for (size_t i = 0; i < series->n_planned && !run->may_replace; i++) {
		char path[ES_PATH_MAX_BYTES], job[ES_REPEAT_JOB_BYTES];

		es_repeat_job(series, i % series->plan->n_commands, i / series->plan->n_commands,
			      job);
		if (snprintf(path, sizeof(path), "%s/%s.esr", run->chain.settings.out, job) >=
		    (int)sizeof(path))
			return es_error_set(err, -ENAMETOOLONG, "job '%s'", series->base);
		if (access(path, F_OK) == 0)
			return es_error_say(
				err, -EEXIST,
				"'%s' exists already; give --name, or --force to replace it", path);
	}
	return 0;
}

/* Each command starts with the signals of a first one. */
static void restore_signals(const struct es_repeat *series)
{
	(void)sigaction(SIGPIPE, &series->old_pipe, NULL);
	(void)sigprocmask(SIG_SETMASK, &series->old_mask, NULL);
	(void)sigaction(SIGCHLD, &series->old_child, NULL);
}

static char *const *argv_of(const struct es_repeat *series, size_t command)
{
	const struct es_repeat_command *chosen = &series->plan->commands[command];

	return chosen->shell[0] ? (char *const *)chosen->shell : series->run->command;
}

/* In a process of its own, so that each command starts with the children and the CPU time of a first one, too. */
static _Noreturn void become_run(struct es_repeat *series, size_t command, size_t round)
{
	struct es_run *run = series->run;
	char name[ES_REPEAT_JOB_BYTES];
	int status;

	restore_signals(series);
	es_repeat_job(series, command, round, name);
	run->name = name;
	run->command = argv_of(series, command);
	run->json.is_given = false;
	run->shared = series->shared;
	status = es_run_once(run);
	if (run->recorder) {
		(void)snprintf(series->shared->recording, sizeof(series->shared->recording), "%s",
			       run->saved_recording);
		(void)snprintf(series->shared->eprofile, sizeof(series->shared->eprofile), "%s",
			       run->saved_eprofile);
	}
	series->shared->is_own_failure = !run->has_ended;
	es_run_finish(run);
	_exit(status);
}

static _Noreturn void become_warmup(struct es_repeat *series, size_t command)
{
	char *const *argv = argv_of(series, command);
	int status;

	restore_signals(series);
	series->shared->is_own_failure = false;
	(void)execvp(argv[0], argv);
	series->shared->is_own_failure = true;
	status = errno == ENOENT ? ES_EXIT_NOT_FOUND : ES_EXIT_NOT_EXECUTABLE;
	(void)es_complain("run", 0, "'%s': %s: nothing was measured", argv[0],
			  errno == ENOENT ? "command not found" : es_strerror(-errno));
	_exit(status);
}

static bool asks_to_stop(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

/* Until the run's process has ended: what others send us is meant for the command, what the terminal sends it has. */
static int await(struct es_repeat *series, pid_t pid)
{
	int status = 0;

	for (;;) {
		siginfo_t info;
		int signal = sigwaitinfo(&series->watched, &info);

		if (asks_to_stop(signal) && !series->stop_signal) {
			series->stop_signal = signal;
			series->stop_ns = es_clock_boot_ns();
		}
		if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
			(void)kill(pid, signal);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return es_child_exit_status(status);
	}
}

/* What came while no command ran: the next one would never hear of it. */
static bool was_asked_to_stop(struct es_repeat *series)
{
	const struct timespec now = { .tv_sec = 0 };
	int signal;

	while (!series->stop_signal && (signal = sigtimedwait(&series->watched, NULL, &now)) > 0)
		if (asks_to_stop(signal))
			series->stop_signal = signal;
	return series->stop_signal != 0;
}

/* By how long each command took so far; -1: one of them has not run yet. */
static int64_t time_left_ns(const struct es_repeat *series)
{
	int64_t left_ns = 0;

	for (size_t command = 0; command < series->plan->n_commands; command++) {
		int64_t sum_ns = 0, n = 0;

		for (size_t i = 0; i < series->n_done; i++)
			if (series->results[i].command == command) {
				sum_ns += series->results[i].wall_ns;
				n++;
			}
		if (n == 0)
			return -1;
		left_ns += sum_ns / n * ((int64_t)series->plan->n_repeats - n);
	}
	return left_ns;
}

/* One line a run, whoever reads it. */
static void tell_progress(const struct es_repeat *series, size_t command, size_t round)
{
	const struct es_repeat_plan *plan = series->plan;
	int64_t left_ns = time_left_ns(series);
	char which[ES_REPEAT_NAME_MAX_BYTES + 64] = "", left[64] = "", text[ES_QUANTITY_TEXT_BYTES];

	if (plan->n_commands > 1)
		(void)snprintf(which, sizeof(which), ": %s, round %zu of %s%zu",
			       plan->commands[command].name, round + 1,
			       plan->until > 0 ? "at most " : "", (size_t)plan->n_repeats);
	if (left_ns >= 0) {
		/* Nobody plans by more digits. */
		int64_t step_ns = left_ns < 10 * ES_NS_PER_S ? 100 * ES_NS_PER_MS : ES_NS_PER_S;
		int64_t whole_ns = (left_ns + step_ns - 1) / step_ns * step_ns;

		(void)snprintf(left, sizeof(left), ", %s %s left",
			       plan->until > 0 ? "at most" : "about",
			       es_duration_text(whole_ns, text));
	}
	(void)es_complain("run", 0, "run %zu of %s%zu%s%s", series->n_done + 1,
			  plan->until > 0 ? "at most " : "", series->n_planned, which, left);
}

/* As a shell says it; "" for any other status. */
static const char *why_not_started(int status)
{
	return status == ES_EXIT_NOT_FOUND	  ? " (command not found)"
	       : status == ES_EXIT_NOT_EXECUTABLE ? " (command cannot be executed)"
						  : "";
}

/* A word that no shell finds is not found in a thousand rounds either; the other commands may take hours. */
static bool was_never_started(const struct es_repeat *series, size_t command)
{
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].command == command &&
		    !why_not_started(series->results[i].status)[0])
			return false;
	return true;
}

static void tell_failure(const struct es_repeat *series, const struct es_repeat_result *result)
{
	(void)es_complain("run", 0, "run %zu of %zu ended with status %d%s%s", series->n_done,
			  series->n_planned, result->status, why_not_started(result->status),
			  series->is_broken_off ? ": no use in going on" : "");
}

/* Each run is to read what the first one reads. Of a pipe that cannot be: it is said before anything runs. */
static void look_at_input(struct es_repeat *series)
{
	struct stat status;
	int n_waiting = 0;

	series->input_at = -1;
	if (fstat(STDIN_FILENO, &status) < 0)
		return;
	if (S_ISREG(status.st_mode))
		series->input_at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	else if ((S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) &&
		 ioctl(STDIN_FILENO, FIONREAD, &n_waiting) == 0 && n_waiting > 0)
		(void)es_complain(
			"run", 0,
			"standard input is a pipe: what one run reads of it the next ones do not see; "
			"give a file (< FILE)");
}

static void rewind_input(const struct es_repeat *series)
{
	if (series->input_at >= 0)
		(void)lseek(STDIN_FILENO, series->input_at, SEEK_SET);
}

static int run_one(struct es_repeat *series, size_t command, size_t round)
{
	struct es_repeat_result *result = &series->results[series->n_done];
	int64_t start_ns = es_clock_mono_ns();
	pid_t pid;
	int r;

	tell_progress(series, command, round);
	/* What was measured after the last run is what there was before this one. */
	series->shared->before = series->shared->after;
	series->shared->after.is_known = false;
	series->shared->recording[0] = series->shared->eprofile[0] = '\0';
	series->shared->is_own_failure = true;
	rewind_input(series);
	pid = fork();
	if (pid < 0)
		return es_complain("run", ES_EXIT_OWN, "cannot start run %zu: %s",
				   series->n_done + 1, es_strerror(-errno));
	if (pid == 0)
		become_run(series, command, round);
	*result = (struct es_repeat_result){ .command = command, .round = round };
	result->status = await(series, pid);
	result->is_cut = series->stop_signal != 0;
	result->wall_ns = es_clock_mono_ns() - start_ns;
	series->n_done++;
	series->is_broken_off = series->shared->is_own_failure ||
				was_never_started(series, command);
	r = es_repeat_take(series, result);
	if (result->status)
		tell_failure(series, result);
	return r < 0 ? es_complain("run", ES_EXIT_OWN, "summary: %s", es_strerror(r)) : 0;
}

/* Not measured, hence without recording, baseline and place in any mean. */
static int warm_up(struct es_repeat *series, size_t command, size_t round)
{
	const struct es_repeat_plan *plan = series->plan;
	const char *name = plan->n_commands > 1 ? plan->commands[command].name : "the command";
	pid_t pid;
	int status;

	(void)es_complain("run", 0, "warm-up %zu of %zu: %s", round + 1, (size_t)plan->n_warmups,
			  name);
	rewind_input(series);
	pid = fork();
	if (pid < 0)
		return es_complain("run", ES_EXIT_OWN, "cannot start a warm-up: %s",
				   es_strerror(-errno));
	if (pid == 0)
		become_warmup(series, command);
	status = await(series, pid);
	series->is_broken_off = series->shared->is_own_failure;
	if (series->is_broken_off)
		return status;
	if (status == 0)
		return 0;
	series->is_broken_off = why_not_started(status)[0] != '\0';
	(void)es_complain("run", 0, "warm-up %zu of %zu: %s ended with status %d%s%s", round + 1,
			  (size_t)plan->n_warmups, name, status, why_not_started(status),
			  series->is_broken_off ? ": no use in going on" : "");
	return series->is_broken_off ? status : 0;
}

/* One run of each command, in the order of the round. */
static int run_round(struct es_repeat *series, size_t round, bool is_warmup)
{
	size_t order[ES_REPEAT_COMMANDS_MAX];
	int status = 0;

	es_rounds_order(series->plan->n_commands, round, order);
	for (size_t i = 0; status == 0 && i < series->plan->n_commands; i++) {
		if (series->is_broken_off || was_asked_to_stop(series))
			break;
		status = is_warmup ? warm_up(series, order[i], round)
				   : run_one(series, order[i], round);
	}
	return status;
}

/* --until: whether the intervals are narrow after a whole round; a status, of our own failure */
static int look(struct es_repeat *series, size_t n_rounds)
{
	int r = es_repeat_mark_far(series);

	if (r == 0 && series->plan->until > 0 && n_rounds >= ES_REPEAT_UNTIL_MIN &&
	    !series->stop_signal && !series->is_broken_off) {
		r = es_repeat_is_narrow(series);
		if (r > 0)
			series->end = ES_REPEAT_END_UNTIL;
	}
	return r < 0 ? es_complain("run", ES_EXIT_OWN, "summary: %s", es_strerror(r)) : 0;
}

static int run_rounds(struct es_repeat *series)
{
	const struct es_repeat_plan *plan = series->plan;
	int status = 0;

	for (size_t i = 0; status == 0 && i < plan->n_warmups && !series->is_broken_off; i++)
		status = run_round(series, i, true);
	for (size_t i = 0; status == 0 && i < plan->n_repeats && !series->stop_signal &&
			   !series->is_broken_off && series->end != ES_REPEAT_END_UNTIL;
	     i++) {
		status = run_round(series, i, false);
		if (status == 0)
			status = look(series, i + 1);
	}
	if (status || series->is_broken_off)
		series->end = ES_REPEAT_END_FAILURE;
	else if (series->stop_signal && series->end != ES_REPEAT_END_UNTIL)
		series->end = ES_REPEAT_END_SIGNAL;
	return status;
}

/* That of the first run that failed; a series that was asked to end did not succeed. */
static int series_status(const struct es_repeat *series)
{
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].status)
			return series->results[i].status;
	return series->stop_signal ? 128 + series->stop_signal : 0;
}

static int name_series(struct es_repeat *series, struct es_error *err)
{
	size_t longest = 0;
	int r = es_job_name(series->run->name, series->base, sizeof(series->base), err);

	if (r < 0)
		return r;
	for (size_t i = 0; series->plan->n_commands > 1 && i < series->plan->n_commands; i++) {
		size_t n = strlen(series->plan->commands[i].name) + 1;

		longest = n > longest ? n : longest;
	}
	/* Room for the number behind it. */
	if (strlen(series->base) + longest > 190)
		return es_error_say(err, -ENAMETOOLONG, "job name '%s' is too long to be numbered",
				    series->base);
	return check_names(series, err);
}

static int open_series(struct es_repeat *series, struct es_error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	int r = name_series(series, err);

	if (r < 0)
		return r;
	series->results = calloc(series->n_planned, sizeof(*series->results));
	series->shared = mmap(NULL, sizeof(*series->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (series->shared == MAP_FAILED)
		series->shared = NULL;
	for (size_t i = 0; r >= 0 && i < series->plan->n_commands; i++)
		r = es_trials_group(&series->compare.trials, series->plan->commands[i].name);
	if (!series->results || !series->shared || r < 0)
		return es_error_set(err, -ENOMEM, "series");
	/* A reader of our messages that goes away must not end the series. */
	(void)sigaction(SIGPIPE, &ignore, &series->old_pipe);
	es_child_signals(&series->watched);
	/* Whoever ignores it is never told that a child has ended. */
	(void)sigaction(SIGCHLD, &usual, &series->old_child);
	return sigprocmask(SIG_BLOCK, &series->watched, &series->old_mask) < 0 ? -errno : 0;
}

static bool has_recording(const struct es_repeat *series)
{
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].recording)
			return true;
	return false;
}

static void finish_series(struct es_repeat *series)
{
	for (size_t i = 0; i < series->n_done; i++) {
		free(series->results[i].recording);
		free(series->results[i].eprofile);
	}
	free(series->results);
	es_compare_result_finish(&series->compare.whole);
	es_trials_finish(&series->compare.trials);
	free(series->compare.fates);
	free(series->compare.is_far_off);
	if (series->shared)
		(void)munmap(series->shared, sizeof(*series->shared));
}

int es_run_series(struct es_run *run)
{
	const struct es_repeat_plan *plan = &run->plan;
	struct es_repeat series = { .run = run,
				    .plan = plan,
				    .n_planned = (size_t)plan->n_repeats * plan->n_commands };
	struct es_error err = { .code = 0 };
	int status = 0;

	if (open_series(&series, &err) < 0)
		status = es_complain("run", ES_EXIT_OWN, "%s", err.text);
	if (status == 0) {
		look_at_input(&series);
		status = run_rounds(&series);
	}
	if (has_recording(&series)) {
		es_repeat_judge(&series);
		es_repeat_put_table(&series);
	}
	status = status ? status : series_status(&series);
	if (series.n_done && run->json.is_given) {
		int r = es_repeat_put_json(&series, status);

		if (r < 0)
			(void)es_complain("run", 0, "cannot write JSON to '%s': %s",
					  run->json.text ? run->json.text : "stderr",
					  es_strerror(r));
	}
	finish_series(&series);
	return status;
}
