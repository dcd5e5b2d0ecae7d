/*
 * run_tell.c - energyscopium run: what is said and written once the command has ended
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/hidden.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/survey.h"

/* Where recording and eprofile are, if not where they should be; "": nowhere. */
struct saved {
	char recording[ES_PATH_MAX_BYTES], eprofile[ES_PATH_MAX_BYTES];
	struct es_error why; /* why there is no eprofile */
};

/* Folder number @i to fall back on; NULL behind the last one. */
static const char *spare_folder(size_t i)
{
	static const char *const folders[] = { "/tmp", "/dev/shm" };
	const char *tmpdir = getenv("TMPDIR");

	if (i == 0)
		return tmpdir && *tmpdir ? tmpdir : folders[0];
	return i < 3 ? folders[i - 1] : NULL;
}

/* The disk took not all of the recording: all of it goes to the first folder that has room. */
static void save_recording(const struct es_run *run, struct saved *saved)
{
	const char *folder;

	if (es_recorder_problem(run->recorder) == 0)
		return;
	for (size_t i = 0; (folder = spare_folder(i)); i++) {
		if (snprintf(saved->recording, sizeof(saved->recording), "%s/%s.esr", folder,
			     run->stem) < (int)sizeof(saved->recording) &&
		    es_recorder_save(run->recorder, run->recording_path, saved->recording) == 0)
			return;
	}
	saved->recording[0] = '\0';
}

static void save_eprofile(const struct es_run *run, const struct es_outcome *outcome,
			  struct saved *saved)
{
	const struct es_profile_options options = { .is_full = false };
	struct es_error err = { .code = 0 };
	const char *folder;

	(void)snprintf(saved->eprofile, sizeof(saved->eprofile), "%s", run->eprofile_path);
	if (es_write_eprofile(outcome, &options, saved->eprofile, run->may_replace, &saved->why) ==
	    0)
		return;
	for (size_t i = 0; saved->why.code == -ENOSPC && (folder = spare_folder(i)); i++)
		if (snprintf(saved->eprofile, sizeof(saved->eprofile), "%s/%s.eprofile.json",
			     folder, run->stem) < (int)sizeof(saved->eprofile) &&
		    es_write_eprofile(outcome, &options, saved->eprofile, false, &err) == 0)
			return;
	saved->eprofile[0] = '\0';
}

/* What stood in the way of measuring more, each with the command that changes it. */
static void put_hints(const struct es_run *run, struct es_buf *out)
{
	size_t n;
	const struct es_domain *domains = es_sampler_domains(run->sampler, &n);
	const char *last = "";

	for (size_t i = 0; i < n; i++) {
		if (domains[i].state != ES_STATE_DENIED || strcmp(domains[i].reason, last) == 0)
			continue;
		last = domains[i].reason;
		(void)es_buf_printf(out, "  %-10s %s: %s\n", "denied", domains[i].id,
				    domains[i].reason);
		if (domains[i].fix[0] && !es_survey_is_twin(&run->tree))
			(void)es_buf_printf(out, "  %-10s %s\n", "fix", domains[i].fix);
	}
}

/* Where nothing measured: what a container's runtime hides of the meters. */
static void put_hidden(const struct es_run *run, const struct es_outcome *outcome,
		       struct es_buf *out)
{
	struct es_hidden hidden;

	if (es_report_is_metered(&outcome->report))
		return;
	es_hidden_find(&run->tree, &hidden);
	if (hidden.how == ES_HIDDEN_NOT)
		return;
	(void)es_buf_printf(out, "  %-10s %s\n", "hidden", hidden.reason);
	(void)es_buf_printf(out, "  %-10s %s\n", "fix", hidden.fix);
}

static void put_files(const struct es_run *run, const struct saved *saved, struct es_buf *out)
{
	int problem = es_recorder_problem(run->recorder);

	if (problem < 0)
		(void)es_buf_printf(out, "  %-10s '%s' lacks its last %zu bytes: %s\n", "disk",
				    run->recording_path, es_recorder_kept(run->recorder)->len,
				    es_strerror(problem));
	if (run->measured.lost < 0)
		(void)es_buf_printf(out, "  %-10s readings: %s\n", "lost",
				    es_strerror(run->measured.lost));
	if (problem < 0 && saved->recording[0] == '\0')
		(void)es_buf_printf(
			out, "  %-10s and nowhere else was room: only this report has them\n", "");
	(void)es_buf_printf(out, "  %-10s %s\n", "recording",
			    saved->recording[0] ? saved->recording : run->recording_path);
	(void)es_buf_printf(out, "  %-10s %s\n", "profile",
			    saved->eprofile[0] ? saved->eprofile : saved->why.text);
}

static int put_json(const struct es_run *run, const struct es_outcome *outcome,
		    const struct saved *saved)
{
	es_cleanup(es_fclosep) FILE *file = NULL;
	struct es_json json;
	int fd = STDERR_FILENO, r;

	if (run->json.text) {
		file = fopen(run->json.text, "we");
		if (!file)
			return -errno;
		fd = fileno(file);
	}
	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.run/1");
	es_report_members(&outcome->report, &json);
	es_json_string(&json, "recording",
		       saved->recording[0] ? saved->recording : run->recording_path);
	es_json_string(&json, "eprofile", saved->eprofile[0] ? saved->eprofile : NULL);
	if (run->attach)
		es_json_null(&json, "exit_status");
	else
		es_json_i64(&json, "exit_status", run->exit_status);
	es_json_object_end(&json);
	r = es_json_end(&json);
	return r < 0 ? r : es_write_all(fd, "\n", 1);
}

/* Everything that is said comes after the command's own output, in one write. */
static void put_text(const struct es_run *run, const struct es_outcome *outcome,
		     const struct saved *saved)
{
	struct es_buf text;

	es_buf_init(&text, 1U << 20);
	(void)es_report_line(&outcome->report, false, &text);
	(void)es_buf_u8(&text, '\n');
	/* Of a series the summary is what counts; each run's table is in its recording. */
	if (run->shared && es_recorder_problem(run->recorder) == 0) {
		(void)es_write_all(STDERR_FILENO, text.data, text.len);
		es_buf_finish(&text);
		return;
	}
	(void)es_report_table(&outcome->report, &text);
	put_hints(run, &text);
	put_hidden(run, outcome, &text);
	es_run_put_advice(run, &text);
	if (run->ranks.problem.code)
		(void)es_buf_printf(&text, "  %-10s other ranks were not waited for: %s\n", "ranks",
				    run->ranks.problem.text);
	put_files(run, saved, &text);
	(void)es_write_all(STDERR_FILENO, text.data, text.len);
	es_buf_finish(&text);
}

int es_run_save(struct es_run *run, char *ret_recording, struct es_error *err)
{
	struct saved saved = { .recording = "" };
	struct es_outcome outcome;
	int problem = es_recorder_problem(run->recorder), r;

	save_recording(run, &saved);
	(void)snprintf(ret_recording, ES_PATH_MAX_BYTES, "%s",
		       saved.recording[0] ? saved.recording : run->recording_path);
	run->chain.has_profile = true;
	r = es_outcome_open(run->recording_path, es_recorder_kept(run->recorder), &run->chain,
			    &outcome, err);
	if (r < 0)
		return r;
	save_eprofile(run, &outcome, &saved);
	es_outcome_finish(&outcome);
	if (problem < 0 && saved.recording[0] == '\0')
		return es_error_set(err, problem, "'%s' lacks its last %zu bytes",
				    run->recording_path, es_recorder_kept(run->recorder)->len);
	if (run->measured.lost < 0)
		return es_error_set(err, run->measured.lost, "readings were lost");
	if (saved.eprofile[0] == '\0')
		return es_error_say(err, saved.why.code, "%s", saved.why.text);
	return 0;
}

void es_run_tell(struct es_run *run)
{
	struct saved saved = { .recording = "" };
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;
	int r;

	save_recording(run, &saved);
	run->chain.has_profile = true;
	r = es_outcome_open(run->recording_path, es_recorder_kept(run->recorder), &run->chain,
			    &outcome, &err);
	if (r < 0) {
		(void)es_complain("run", 0, "%s; the recording '%s' is kept", err.text,
				  saved.recording[0] ? saved.recording : run->recording_path);
		return;
	}
	save_eprofile(run, &outcome, &saved);
	(void)snprintf(run->saved_recording, sizeof(run->saved_recording), "%s",
		       saved.recording[0] ? saved.recording : run->recording_path);
	(void)snprintf(run->saved_eprofile, sizeof(run->saved_eprofile), "%s", saved.eprofile);
	put_text(run, &outcome, &saved);
	if (run->json.is_given) {
		r = put_json(run, &outcome, &saved);
		if (r < 0)
			(void)es_complain("run", 0, "cannot write JSON to '%s': %s",
					  run->json.text ? run->json.text : "stderr",
					  es_strerror(r));
	}
	if (run->require && strcmp(run->require, "measured") == 0 && outcome.report.metered_uj == 0)
		run->exit_status = es_complain(
			"run", ES_EXIT_OWN,
			"--require measured: the meters here stood still; the command ended with status %d",
			run->exit_status);
	es_outcome_finish(&outcome);
}
