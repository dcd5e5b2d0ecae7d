/*
 * run_series.c - energyscopium run --repeat: the same command several times, with the idle power around each run
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/baseline.h"
#include "cli/child.h"
#include "cli/job.h"
#include "cli/output.h"
#include "cli/run.h"
#include "core/stats.h"

/** struct es_series_shared - what a run's process tells the series, and hands to the next run */
struct es_series_shared {
	bool is_own_failure; /* of the tool, or the command could not be started: no use in going on */
	struct es_baseline before, after;
	char recording[ES_PATH_MAX_BYTES], eprofile[ES_PATH_MAX_BYTES]; /* "": not there */
};

enum quantity {
	QUANTITY_ENERGY,
	QUANTITY_TIME,
	QUANTITY_POWER,
	QUANTITY_ABOVE,
	QUANTITIES,
};

/** struct result - a run that has ended */
struct result {
	int status;
	bool is_known[QUANTITIES];
	double values[QUANTITIES];
	bool has_baseline;
	double baseline_w;
	char kind[16]; /* of the energy; "": not known */
	char recording[ES_PATH_MAX_BYTES], eprofile[ES_PATH_MAX_BYTES];
};

struct series {
	struct es_run *run; /* options; opened anew by each run's process */
	struct es_series_shared *shared;
	struct result *results; /* [n_planned] */
	size_t n_planned, n_done;
	char base[ES_NAME_MAX_BYTES]; /* of the jobs */
	sigset_t watched, old_mask;
	struct sigaction old_pipe;
	struct sigaction old_child; /* SIGCHLD as we were started with it */
	int stop_signal; /* somebody asked the series to end; 0: nobody */
	bool is_broken_off;
};

int es_series_check(struct es_run *run, struct es_error *err)
{
	run->baseline_ns = run->repeat ? 2 * ES_NS_PER_S : 0;
	run->n_repeats = 1;
	if (run->repeat && (es_parse_u64(run->repeat, &run->n_repeats) < 0 || run->n_repeats == 0 ||
			    run->n_repeats > ES_REPEATS_MAX))
		return es_error_say(err, -EINVAL, "--repeat '%s': a number from 1 to %d",
				    run->repeat, (int)ES_REPEATS_MAX);
	if (run->repeat && run->attach_pid)
		return es_error_say(err, -EINVAL,
				    "--repeat: a process that runs already runs once");
	if (run->baseline && run->attach_pid)
		return es_error_say(
			err, -EINVAL,
			"--baseline: a process that runs already leaves nothing idle before it");
	if (run->baseline && (es_parse_duration_ns(run->baseline, &run->baseline_ns) < 0 ||
			      run->baseline_ns < 0 || run->baseline_ns > ES_PERIOD_MAX_NS))
		return es_error_say(err, -EINVAL,
				    "--baseline '%s': a time such as 2s, at most 1h; 0: none",
				    run->baseline);
	if (run->baseline_ns > 0 && run->baseline_ns < 100 * ES_NS_PER_MS)
		return es_error_say(err, -EINVAL,
				    "--baseline '%s': too short to say anything; 100ms at least",
				    run->baseline);
	return 0;
}

/* Nothing is measured where a later run would find its place taken. */
static int check_names(const struct series *series, struct es_error *err)
{
	const struct es_run *run = series->run;

	for (size_t i = 0; i < series->n_planned && !run->may_replace; i++) {
		char path[ES_PATH_MAX_BYTES];

		if (snprintf(path, sizeof(path), "%s/%s-%zu.esr", run->chain.settings.out,
			     series->base, i + 1) >= (int)sizeof(path))
			return es_error_set(err, -ENAMETOOLONG, "job '%s'", series->base);
		if (access(path, F_OK) == 0)
			return es_error_say(
				err, -EEXIST,
				"'%s' exists already; give --name, or --force to replace it", path);
	}
	return 0;
}

/* In a process of its own, so that each command starts with the signals, the children and the CPU time of a first one. */
static _Noreturn void become_run(struct series *series, size_t i)
{
	struct es_run *run = series->run;
	char name[ES_NAME_MAX_BYTES + 24];
	int status;

	(void)sigaction(SIGPIPE, &series->old_pipe, NULL);
	(void)sigprocmask(SIG_SETMASK, &series->old_mask, NULL);
	(void)sigaction(SIGCHLD, &series->old_child, NULL);
	(void)snprintf(name, sizeof(name), "%s-%zu", series->base, i + 1);
	run->name = name;
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

/* Until the run's process has ended: what others send us is meant for the command, what the terminal sends it has. */
static int await(struct series *series, pid_t pid)
{
	int status = 0;

	for (;;) {
		siginfo_t info;
		int signal = sigwaitinfo(&series->watched, &info);

		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
			series->stop_signal = signal;
		if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
			(void)kill(pid, signal);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return es_child_exit_status(status);
	}
}

/* From the recording, as everybody else would. */
static void take_result(struct series *series, struct result *result)
{
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;
	const struct es_report *report = &outcome.report;
	double *values = result->values;

	(void)snprintf(result->recording, sizeof(result->recording), "%s",
		       series->shared->recording);
	(void)snprintf(result->eprofile, sizeof(result->eprofile), "%s", series->shared->eprofile);
	if (result->recording[0] == '\0' ||
	    es_outcome_open(result->recording, NULL, &series->run->chain, &outcome, &err) < 0)
		return;
	(void)snprintf(result->kind, sizeof(result->kind), "%s",
		       report->has_energy ? es_report_kind(report) : "");
	values[QUANTITY_ENERGY] = report->node_j;
	result->is_known[QUANTITY_ENERGY] = report->has_energy;
	values[QUANTITY_TIME] = es_s_from_ns(report->command_stop_ns - report->command_start_ns);
	result->is_known[QUANTITY_TIME] = report->has_command_start && report->has_command_stop;
	result->is_known[QUANTITY_POWER] = report->has_energy && report->stop_ns > report->start_ns;
	if (result->is_known[QUANTITY_POWER])
		values[QUANTITY_POWER] =
			report->node_j / es_s_from_ns(report->stop_ns - report->start_ns);
	values[QUANTITY_ABOVE] = report->baseline.above_j;
	result->is_known[QUANTITY_ABOVE] = result->has_baseline = report->baseline.is_known;
	result->baseline_w = report->baseline.power_w;
	es_outcome_finish(&outcome);
}

static int run_one(struct series *series)
{
	size_t i = series->n_done;
	struct result *result = &series->results[i];
	pid_t pid;

	(void)es_complain("run", 0, "run %zu of %zu", i + 1, series->n_planned);
	/* What was measured after the last run is what there was before this one. */
	series->shared->before = series->shared->after;
	series->shared->after.is_known = false;
	series->shared->recording[0] = series->shared->eprofile[0] = '\0';
	series->shared->is_own_failure = true;
	pid = fork();
	if (pid < 0)
		return es_complain("run", ES_EXIT_OWN, "cannot start run %zu: %s", i + 1,
				   es_strerror(-errno));
	if (pid == 0)
		become_run(series, i);
	result->status = await(series, pid);
	series->n_done++;
	take_result(series, result);
	series->is_broken_off = series->shared->is_own_failure;
	if (result->status)
		(void)es_complain("run", 0, "run %zu of %zu ended with status %d%s", i + 1,
				  series->n_planned, result->status,
				  series->is_broken_off ? ": no use in going on" : "");
	return 0;
}

/* Of the runs that did not fail and know it. */
static struct es_stats stats_of(const struct series *series, enum quantity quantity)
{
	es_cleanup(es_freep) double *values = calloc(series->n_done + 1, sizeof(*values));
	size_t n = 0;

	for (size_t i = 0; values && i < series->n_done; i++)
		if (series->results[i].status == 0 && series->results[i].is_known[quantity])
			values[n++] = series->results[i].values[quantity];
	return es_stats_of(values, n);
}

static size_t count_failed(const struct series *series)
{
	size_t n = 0;

	for (size_t i = 0; i < series->n_done; i++)
		n += series->results[i].status != 0;
	return n;
}

/* That of all means of energy, "mixed" where there are several, NULL where there is none. */
static const char *kind_of(const struct series *series)
{
	const char *kind = NULL;

	for (size_t i = 0; i < series->n_done; i++) {
		const struct result *result = &series->results[i];

		if (result->status || !result->kind[0])
			continue;
		if (kind && strcmp(kind, result->kind) != 0)
			return "mixed";
		kind = result->kind;
	}
	return kind;
}

static void put_quantity(const struct series *series, enum quantity quantity, const char *label,
			 struct es_buf *out)
{
	struct es_stats stats = stats_of(series, quantity);

	if (stats.n == 0) {
		(void)es_buf_printf(out, "  %-26s %6s %14s\n", label, "0", "n/a");
		return;
	}
	(void)es_buf_printf(out, "  %-26s %6zu %14.4f", label, stats.n, stats.mean);
	if (stats.has_spread)
		(void)es_buf_printf(out, " %12.4f %12.4f", stats.sd, stats.ci);
	else
		(void)es_buf_printf(out, " %12s %12s", "n/a", "n/a");
	/* A share of nothing, or of less, says nothing. */
	if (stats.has_spread && stats.mean > 0)
		(void)es_buf_printf(out, " %7.2f %%\n", 100.0 * stats.ci / stats.mean);
	else
		(void)es_buf_printf(out, " %9s\n", "n/a");
}

static void put_table(const struct series *series)
{
	size_t n_failed = count_failed(series);
	const char *kind = kind_of(series);
	struct es_buf out;

	es_buf_init(&out, 1U << 20);
	(void)es_buf_printf(&out, "energyscopium %s: %zu of %zu runs, %zu failed\n", series->base,
			    series->n_done, series->n_planned, n_failed);
	(void)es_buf_printf(&out, "  %-26s %6s %14s %12s %13s %10s\n", "", "runs", "mean", "sd",
			    "± (95 %)", "±"); /* two bytes in one column */
	put_quantity(series, QUANTITY_ENERGY, "energy of the node (J)", &out);
	put_quantity(series, QUANTITY_TIME, "time of the command (s)", &out);
	put_quantity(series, QUANTITY_POWER, "power of the node (W)", &out);
	if (series->run->baseline_ns)
		put_quantity(series, QUANTITY_ABOVE, "energy above idle (J)", &out);
	if (kind)
		(void)es_buf_printf(
			&out, "  %-10s %s%s\n", "kind", kind,
			strcmp(kind, "estimated") == 0
				? " from CPU time: it grows with time, it compares nothing"
				: "");
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].status)
			(void)es_buf_printf(&out, "  %-10s %s-%zu: status %d: in no mean\n",
					    "failed", series->base, i + 1,
					    series->results[i].status);
	(void)es_write_all(STDERR_FILENO, out.data, out.len);
	es_buf_finish(&out);
}

static void put_stats(const struct series *series, enum quantity quantity, const char *key,
		      struct es_json *json)
{
	struct es_stats stats = stats_of(series, quantity);

	if (stats.n == 0) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	es_json_u64(json, "runs", stats.n);
	es_json_double(json, "mean", stats.mean);
	/* Of one value neither is known; what is not finite is written as null. */
	es_json_double(json, "sd", stats.has_spread ? stats.sd : NAN);
	es_json_double(json, "uncertainty", stats.has_spread ? stats.ci : NAN);
	es_json_array_inline(json, "ci");
	es_json_double(json, NULL, stats.has_spread ? stats.mean - stats.ci : NAN);
	es_json_double(json, NULL, stats.has_spread ? stats.mean + stats.ci : NAN);
	es_json_array_end(json);
	es_json_object_end(json);
}

static void put_run(const struct series *series, const struct result *result, struct es_json *json)
{
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;

	es_json_object(json, NULL);
	if (result->recording[0] &&
	    es_outcome_open(result->recording, NULL, &series->run->chain, &outcome, &err) == 0) {
		es_report_members(&outcome.report, json);
		es_outcome_finish(&outcome);
	}
	es_json_string(json, "recording", result->recording[0] ? result->recording : NULL);
	es_json_string(json, "eprofile", result->eprofile[0] ? result->eprofile : NULL);
	es_json_i64(json, "exit_status", result->status);
	es_json_object_end(json);
}

static void put_members(const struct series *series, int status, struct es_json *json)
{
	double sum_w = 0;
	size_t n = 0;

	es_json_array(json, "runs");
	for (size_t i = 0; i < series->n_done; i++) {
		put_run(series, &series->results[i], json);
		if (series->results[i].has_baseline) {
			sum_w += series->results[i].baseline_w;
			n++;
		}
	}
	es_json_array_end(json);
	es_json_double(json, "baseline_w", n ? sum_w / (double)n : NAN);
	es_json_object(json, "summary");
	es_json_u64(json, "runs_planned", series->n_planned);
	es_json_u64(json, "runs", series->n_done);
	es_json_u64(json, "failed", count_failed(series));
	es_json_string(json, "kind", kind_of(series));
	es_json_string(json, "interval", "95 %, Student's t");
	put_stats(series, QUANTITY_ENERGY, "energy_j", json);
	put_stats(series, QUANTITY_TIME, "duration_s", json);
	put_stats(series, QUANTITY_POWER, "power_w", json);
	put_stats(series, QUANTITY_ABOVE, "above_baseline_j", json);
	es_json_object_end(json);
	es_json_i64(json, "exit_status", status);
}

static int put_json(const struct series *series, int status)
{
	es_cleanup(es_fclosep) FILE *file = NULL;
	const char *path = series->run->json.text;
	struct es_json json;
	int fd = STDERR_FILENO, r;

	if (path) {
		file = fopen(path, "we");
		if (!file)
			return -errno;
		fd = fileno(file);
	}
	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.run/1");
	put_members(series, status, &json);
	es_json_object_end(&json);
	r = es_json_end(&json);
	return r < 0 ? r : es_write_all(fd, "\n", 1);
}

/* That of the first run that failed; a series that was asked to end did not succeed. */
static int series_status(const struct series *series)
{
	for (size_t i = 0; i < series->n_done; i++)
		if (series->results[i].status)
			return series->results[i].status;
	return series->stop_signal ? 128 + series->stop_signal : 0;
}

static int open_series(struct series *series, struct es_error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct es_run *run = series->run;
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	int r = es_job_name(run->name, series->base, sizeof(series->base), err);

	if (r < 0)
		return r;
	/* Room for the number behind it. */
	if (strlen(series->base) > 190)
		return es_error_say(err, -ENAMETOOLONG, "job name '%s' is too long to be numbered",
				    series->base);
	r = check_names(series, err);
	if (r < 0)
		return r;
	series->results = calloc(series->n_planned, sizeof(*series->results));
	series->shared = mmap(NULL, sizeof(*series->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!series->results || series->shared == MAP_FAILED) {
		series->shared = NULL;
		return es_error_set(err, -ENOMEM, "series");
	}
	/* A reader of our messages that goes away must not end the series. */
	(void)sigaction(SIGPIPE, &ignore, &series->old_pipe);
	es_child_signals(&series->watched);
	/* Whoever ignores it is never told that a child has ended. */
	(void)sigaction(SIGCHLD, &usual, &series->old_child);
	return sigprocmask(SIG_BLOCK, &series->watched, &series->old_mask) < 0 ? -errno : 0;
}

int es_run_series(struct es_run *run)
{
	struct series series = { .run = run, .n_planned = (size_t)run->n_repeats };
	struct es_error err = { .code = 0 };
	int status = 0;

	if (open_series(&series, &err) < 0)
		status = es_complain("run", ES_EXIT_OWN, "%s", err.text);
	while (status == 0 && series.n_done < series.n_planned && !series.stop_signal &&
	       !series.is_broken_off)
		status = run_one(&series);
	if (series.n_done && series.results[series.n_done - 1].recording[0])
		put_table(&series);
	status = status ? status : series_status(&series);
	if (series.n_done && run->json.is_given) {
		int r = put_json(&series, status);

		if (r < 0)
			(void)es_complain("run", 0, "cannot write JSON to '%s': %s",
					  run->json.text ? run->json.text : "stderr",
					  es_strerror(r));
	}
	free(series.results);
	if (series.shared)
		(void)munmap(series.shared, sizeof(*series.shared));
	return status;
}

void es_series_finish_baseline(struct es_measure_hook *hook, struct es_recorder *recorder,
			       int64_t stop_ns)
{
	struct es_run *run = hook->arg;
	struct es_baseline own = { .is_known = false },
			   *after = run->shared ? &run->shared->after : &own;

	(void)stop_ns;
	if (es_baseline_measure(run->sampler, run->baseline_ns, -1, after) == 0)
		(void)es_baseline_record(after, false, recorder);
}

/* Whoever ends us meanwhile finds no recording of nothing: it is removed before the signal does what it does. */
static int measure_before(struct es_run *run, struct es_baseline *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	es_cleanup(es_closep) int fd = -1;
	sigset_t set, old;
	int r;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ES_ARRAY_SIZE(signals); i++) {
		struct sigaction action;

		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
			(void)sigaddset(&set, signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	r = es_baseline_measure(run->sampler, run->baseline_ns, fd, ret);
	if (r < 0)
		(void)unlink(run->recording_path);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int es_series_begin_baseline(struct es_run *run)
{
	struct es_baseline own = { .is_known = false },
			   *before = run->shared ? &run->shared->before : &own;
	int r = 0;

	if (!before->is_known)
		r = measure_before(run, before);
	return r < 0 ? r : es_baseline_record(before, true, run->recorder);
}
