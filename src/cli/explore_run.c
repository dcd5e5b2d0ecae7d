/*
 * explore_run.c - builds and runs what is left of a study, in rounds
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/explore.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/rounds.h"
#include "format/letters.h"

#define LEFT_MAX_S 9e9 /* as nanoseconds it fits into 63 bits */

static size_t n_runs(const struct es_explore *study)
{
	return study->n * study->n_rounds;
}

static size_t n_done(const struct es_explore *study)
{
	size_t n = 0;

	for (size_t i = 0; i < n_runs(study); i++)
		n += study->runs[i].is_done;
	return n;
}

/* The first digest of a configuration's outputs; "": none. */
static const char *digest_of(const struct es_explore *study, size_t member)
{
	for (size_t i = 0; i < study->n_rounds; i++)
		if (study->members[member].runs[i].digest[0])
			return study->members[member].runs[i].digest;
	return "";
}

bool es_explore_is_out(const struct es_explore *study, size_t member)
{
	const struct es_explore_member *of = &study->members[member];
	const char *wanted = digest_of(study, study->reference);

	if (of->build != ES_EXPLORE_NONE && study->builds[of->build].is_failed)
		return true;
	for (size_t i = 0; i < study->n_rounds; i++) {
		const struct es_explore_run *run = &of->runs[i];

		if (run->is_done &&
		    (run->result != ES_EXPLORE_OK || (*wanted && strcmp(run->digest, wanted) != 0)))
			return true;
		if (run->is_done && run->has_quality &&
		    !es_quality_holds(&study->spec.limit, run->quality))
			return true;
	}
	return false;
}

size_t es_explore_left(const struct es_explore *study, double *ret_s)
{
	double sum_s = 0, left_s = 0;
	size_t n_known = 0, n_left = 0;

	for (size_t i = 0; i < n_runs(study); i++)
		if (study->runs[i].is_done) {
			sum_s += study->runs[i].wall_s;
			n_known++;
		}
	for (size_t i = 0; i < study->n; i++) {
		const struct es_explore_member *member = &study->members[i];
		double own_s = 0, mean_s = n_known ? sum_s / (double)n_known : 0;
		size_t n_own = 0, n_own_left = 0;

		if (es_explore_is_out(study, i))
			continue;
		for (size_t k = 0; k < study->n_rounds; k++) {
			n_own += member->runs[k].is_done;
			own_s += member->runs[k].is_done ? member->runs[k].wall_s : 0;
			n_own_left += !member->runs[k].is_done;
		}
		mean_s = n_own ? own_s / (double)n_own : mean_s;
		n_left += n_own_left;
		left_s += (double)n_own_left * mean_s;
		if (n_own_left && !member->is_warm)
			left_s += (double)study->spec.n_warmups * mean_s;
	}
	*ret_s = n_known ? fmin(left_s, LEFT_MAX_S) : -1; /* also where a journal says nonsense */
	return n_left;
}

static int make_folder(const char *path, struct es_error *err)
{
	return es_make_directories(path, err);
}

static int build_one(struct es_explore *study, size_t i, struct es_error *err)
{
	struct es_explore_build *build = &study->builds[i];
	struct es_explore_room room = { .round = "" };
	struct es_explore_ended ended = { .status = 0 };
	struct es_buf line;
	char log[ES_PATH_MAX_BYTES + 16];
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = { shell, option, NULL, NULL };
	const struct es_explore_process process = {
		.study = study, .argv = argv, .folder = study->spec_dir, .log = log
	};
	int r = es_explore_places_of(study, build->configuration, 1, &room);

	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	if (r == 0)
		r = es_explore_fill(&study->spec, &study->members[build->configuration].at,
				    &room.places, study->spec.build.text, &line);
	if (r == 0)
		r = make_folder(room.build_dir, err);
	if (r == 0) {
		argv[2] = (char *)line.data;
		(void)snprintf(log, sizeof(log), "%s.log", room.build_dir);
		(void)es_complain(ES_EXPLORE_COMMAND, 0, "build %zu of %zu: %s", i + 1,
				  study->n_builds, argv[2]);
		r = es_explore_process_run(&process, &ended);
	}
	es_buf_finish(&line);
	if (r < 0)
		return err->text[0] ? r : es_error_set(err, r, "build %zu", i + 1);
	study->stop_signal = ended.stop_signal;
	if (ended.stop_signal)
		return 0;
	build->is_done = true;
	build->is_failed = ended.status != 0;
	build->wall_s = es_s_from_ns(ended.wall_ns);
	build->reason[0] = '\0';
	if (build->is_failed) {
		(void)snprintf(build->reason, sizeof(build->reason), "status %d", ended.status);
		(void)es_complain(ES_EXPLORE_COMMAND, 0,
				  "build %zu ended with status %d: its configurations are not run",
				  i + 1, ended.status);
		es_explore_log_tell(log, NULL);
	}
	return es_explore_journal_build(study, i, err);
}

/* The words before the measured command. */
static int put_measuring(const struct es_explore *study, size_t member, size_t round, char name[48],
			 char recordings[ES_PATH_MAX_BYTES], const char **ret)
{
	static const char *const fixed[] = { "--force", "--out" };
	size_t n = 0;

	(void)snprintf(name, 48, "%s-%zu", study->members[member].id, round);
	if (snprintf(recordings, ES_PATH_MAX_BYTES, "%s/recordings", study->dir) >=
	    (int)ES_PATH_MAX_BYTES)
		return -ENAMETOOLONG;
	ret[n++] = study->self;
	ret[n++] = "run";
	ret[n++] = fixed[0];
	ret[n++] = fixed[1];
	ret[n++] = recordings;
	ret[n++] = "--name";
	ret[n++] = name;
	ret[n++] = "--baseline";
	ret[n++] = study->spec.baseline ? study->spec.baseline : "0";
	if (study->spec.period) {
		ret[n++] = "--period";
		ret[n++] = study->spec.period;
	}
	if (study->root) {
		ret[n++] = "--root";
		ret[n++] = study->root;
	}
	if (study->as) {
		ret[n++] = "--as";
		ret[n++] = study->as;
	}
	if (study->require) {
		ret[n++] = "--require";
		ret[n++] = study->require;
	}
	if (study->no_activity)
		ret[n++] = "--no-activity";
	for (size_t i = 0; i < study->domains.n; i++) {
		ret[n++] = "--domain";
		ret[n++] = study->domains.texts[i];
	}
	for (size_t i = 0; i < study->meters.n; i++) {
		ret[n++] = "--meter";
		ret[n++] = study->meters.texts[i];
	}
	ret[n++] = "--";
	ret[n] = NULL;
	return 0;
}

#define MEASURING_WORDS 24U

/* @round 0: warm-up, not measured. */
static int start(struct es_explore *study, size_t member, size_t round,
		 const struct es_explore_room *room, struct es_explore_ended *ret,
		 struct es_error *err)
{
	es_cleanup(es_freep) const char **before =
		calloc(MEASURING_WORDS + 2 * (study->domains.n + study->meters.n), sizeof(*before));
	char name[48], recordings[ES_PATH_MAX_BYTES], log[ES_PATH_MAX_BYTES + 16];
	struct es_explore_process process = { .study = study,
					      .folder = study->spec_dir,
					      .out = room->out,
					      .log = log,
					      .timeout_ns = study->spec.timeout_ns };
	char **argv;
	int r = before ? make_folder(room->run_dir, err) : -ENOMEM;

	if (r == 0 && round)
		r = put_measuring(study, member, round, name, recordings, before);
	if (r < 0)
		return err->text[0] ? r : es_error_set(err, r, "cannot start a run");
	if (process.timeout_ns)
		process.timeout_ns += 2 * study->spec.baseline_ns;
	(void)snprintf(log, sizeof(log), "%s/log", room->run_dir);
	argv = es_explore_shell(study, member, study->spec.run.text, &room->places,
				(char *const *)before);
	process.argv = argv;
	r = argv ? es_explore_process_run(&process, ret) : -ENOMEM;
	es_explore_shell_free(argv);
	return r < 0 ? es_error_set(err, r, "cannot start a run") : 0;
}

static void take_end(struct es_explore_run *run, const struct es_explore_ended *ended,
		     const char *what, const char *timeout)
{
	run->status = ended->status;
	run->result = ended->is_timed_out ? ES_EXPLORE_TIMED_OUT
		      : ended->status	  ? ES_EXPLORE_FAILED
					  : ES_EXPLORE_OK;
	if (ended->is_timed_out)
		(void)snprintf(run->reason, sizeof(run->reason), "%sended after %s", what, timeout);
	else if (ended->status)
		(void)snprintf(run->reason, sizeof(run->reason), "%sstatus %d", what,
			       ended->status);
}

/* What fails without being measured would fail again: it is this round's run, too. */
static int warm_up(struct es_explore *study, size_t member, struct es_explore_run *run,
		   struct es_error *err)
{
	char timeout[ES_QUANTITY_TEXT_BYTES];
	struct es_explore_room room = { .round = "" };
	struct es_explore_ended ended = { .status = 0 };
	int r = es_explore_places_of(study, member, 0, &room);

	for (uint64_t i = 0; r == 0 && i < study->spec.n_warmups && run->result == ES_EXPLORE_OK;
	     i++) {
		r = start(study, member, 0, &room, &ended, err);
		if (r == 0 && ended.stop_signal) {
			study->stop_signal = ended.stop_signal;
			return 0;
		}
		if (r == 0)
			take_end(run, &ended,
				 "warm-up: ", es_duration_text(study->spec.timeout_ns, timeout));
	}
	study->members[member].is_warm = true;
	return r < 0 && !err->text[0] ? es_error_set(err, r, "cannot warm up") : r;
}

/* So that nobody has to open a log for the usual mistakes; @round 0: of a warm-up. */
static void tell_last(const struct es_explore *study, size_t member, size_t round)
{
	char log[ES_PATH_MAX_BYTES + 16];
	struct es_explore_room room = { .round = "" };

	if (es_explore_places_of(study, member, round, &room) < 0)
		return;
	(void)snprintf(log, sizeof(log), "%s/log", room.run_dir);
	es_explore_log_tell(log, room.out);
}

/* On a full disk there is an empty file: no failure of the command. */
static bool is_written(const char *recording)
{
	struct stat status;

	return access(recording, R_OK) == 0 && stat(recording, &status) == 0 && status.st_size > 0;
}

static int measure(struct es_explore *study, size_t member, size_t round,
		   struct es_explore_run *run, struct es_error *err)
{
	char timeout[ES_QUANTITY_TEXT_BYTES], recording[ES_PATH_MAX_BYTES];
	struct es_explore_stamps *stamps = NULL;
	struct es_explore_room room = { .round = "" };
	struct es_explore_ended ended = { .status = 0 };
	int r = es_explore_places_of(study, member, round, &room);

	if (r == 0)
		r = es_explore_recording(study, member, round, recording);
	/* One that a run left which was cut off must not be taken for this one's. */
	if (r == 0 && unlink(recording) < 0 && errno != ENOENT)
		r = -errno;
	if (r == 0)
		r = es_explore_stamps_take(study, member, &room, &stamps);
	if (r == 0)
		r = start(study, member, round, &room, &ended, err);
	if (r == 0 && ended.stop_signal) {
		study->stop_signal = ended.stop_signal;
	} else if (r == 0) {
		take_end(run, &ended, "", es_duration_text(study->spec.timeout_ns, timeout));
		if (!is_written(recording) && !ended.is_timed_out) {
			tell_last(study, member, round);
			r = es_error_say(err, -EIO,
					 "%s could not be measured: no recording was written",
					 study->members[member].label);
		} else if (run->result == ES_EXPLORE_OK) {
			r = es_explore_stamps_check(study, stamps, run);
		}
		if (r == 0 && run->result == ES_EXPLORE_OK)
			r = es_explore_check(study, member, &room, run, err);
	}
	es_explore_stamps_destroy(stamps);
	return r < 0 && !err->text[0]
		       ? es_error_set(err, r, "run of %s", study->members[member].label)
		       : r;
}

static void put_left(double left_s, char text[static 64])
{
	char duration[ES_QUANTITY_TEXT_BYTES];

	text[0] = '\0';
	if (left_s >= 0)
		(void)snprintf(text, 64, "; about %s left",
			       es_duration_text((int64_t)(left_s < 1 ? 1 : left_s) * ES_NS_PER_S,
						duration));
}

/* On a terminal: one line, which the next one takes the place of. */
static void tell_begin(const struct es_explore *study, size_t member, size_t round)
{
	struct winsize window = { .ws_col = 0 };
	struct es_buf text, line;
	double left_s;
	char left[64];
	size_t n_left = es_explore_left(study, &left_s);

	if (!isatty(STDERR_FILENO))
		return;
	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &window);
	es_buf_init(&text, ES_EXPLORE_LINE_MAX_BYTES);
	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	put_left(left_s, left);
	(void)es_buf_printf(&text, "run %zu of %zu, round %zu%s: %s", n_done(study) + 1,
			    n_done(study) + n_left, round, left, study->members[member].label);
	(void)es_buf_u8(&text, '\0');
	if (!text.error)
		es_letters_cell(&line, (const char *)text.data,
				window.ws_col > 1 ? window.ws_col - 1U : 79U, false);
	(void)es_buf_str(&line, ES_PROGRESS_ERASE "\r");
	if (!line.error)
		(void)es_write_all(STDERR_FILENO, line.data, line.len);
	es_buf_finish(&text);
	es_buf_finish(&line);
}

static void tell_end(const struct es_explore *study, size_t member, size_t round)
{
	const struct es_explore_run *run = &study->members[member].runs[round - 1];
	bool is_tty = isatty(STDERR_FILENO);
	double left_s;
	char left[64];
	size_t n_left = es_explore_left(study, &left_s), n = n_done(study);

	if (is_tty)
		(void)es_write_all(STDERR_FILENO, ES_PROGRESS_ERASE, strlen(ES_PROGRESS_ERASE));
	put_left(n_left ? left_s : -1, left);
	if (run->result != ES_EXPLORE_OK)
		(void)es_complain(ES_EXPLORE_COMMAND, 0,
				  "run %zu of %zu, round %zu: %s: %s (%s): it is left out%s", n,
				  n + n_left, round, study->members[member].label,
				  es_explore_result_name(run->result), run->reason, left);
	else if (!is_tty)
		(void)es_complain(ES_EXPLORE_COMMAND, 0, "run %zu of %zu, round %zu: %s: %.3g s%s",
				  n, n + n_left, round, study->members[member].label, run->wall_s,
				  left);
}

static int run_one(struct es_explore *study, size_t member, size_t round, struct es_error *err)
{
	struct es_explore_run *run = &study->members[member].runs[round - 1];
	bool is_warm;
	int64_t start_ns;
	int r = 0;

	*run = (struct es_explore_run){ .result = ES_EXPLORE_OK, .trial = ES_EXPLORE_NONE };
	tell_begin(study, member, round);
	if (!study->members[member].is_warm && study->spec.n_warmups)
		r = warm_up(study, member, run, err);
	is_warm = run->result == ES_EXPLORE_OK;
	start_ns = es_clock_mono_ns();
	if (r == 0 && run->result == ES_EXPLORE_OK && !study->stop_signal)
		r = measure(study, member, round, run, err);
	if (r < 0 || study->stop_signal) {
		*run = (struct es_explore_run){ .trial = ES_EXPLORE_NONE };
		return r;
	}
	run->wall_s = es_s_from_ns(es_clock_mono_ns() - start_ns);
	r = es_explore_journal_run(study, member, round, err);
	run->is_done = r == 0;
	if (r == 0)
		tell_end(study, member, round);
	if (r == 0 && run->result != ES_EXPLORE_OK)
		tell_last(study, member, is_warm ? round : 0);
	return r;
}

/* Asked to end, also between two commands. */
static bool is_to_stop(struct es_explore *study)
{
	if (!study->stop_signal)
		study->stop_signal = es_explore_signals_stop(&study->signals);
	return study->stop_signal != 0;
}

static int do_round(struct es_explore *study, size_t round, size_t *order, struct es_error *err)
{
	int r = 0;

	es_rounds_order(study->n, round - 1, order);
	for (size_t i = 0; r == 0 && i < study->n && !is_to_stop(study); i++) {
		size_t member = order[i];

		if (!study->members[member].runs[round - 1].is_done &&
		    !es_explore_is_out(study, member))
			r = run_one(study, member, round, err);
	}
	return r;
}

int es_explore_do(struct es_explore *study, struct es_error *err)
{
	es_cleanup(es_freep) size_t *order = calloc(study->n, sizeof(*order));
	int r = order ? 0 : es_error_set(err, -ENOMEM, "cannot order the runs");

	es_explore_signals_begin(&study->signals);
	for (size_t i = 0; r == 0 && i < study->n_builds && !is_to_stop(study); i++)
		if (!study->builds[i].is_done)
			r = build_one(study, i, err);
	for (size_t round = 1; r == 0 && round <= study->n_rounds && !is_to_stop(study); round++)
		r = do_round(study, round, order, err);
	es_explore_signals_end(&study->signals);
	study->is_broken_off = r < 0;
	return r;
}
