/*
 * record_stop.c - energyscopium record stop and status: those that run in the background
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/record.h"
#include "ipc/client.h"

/* Writing the files of a long recording takes seconds; more than this is a disk that does not answer. */
#define PATIENCE_NS (600 * ES_NS_PER_S)

static const char *state_of(const struct es_control_recording *recording)
{
	return recording->is_alive ? "recording" : recording->socket[0] ? "killed" : "silent";
}

static void put_recording(struct es_json *json, const struct es_control_recording *recording)
{
	char text[ES_TIME_TEXT_BYTES];

	es_json_object(json, NULL);
	es_json_string(json, "job", recording->job[0] ? recording->job : NULL);
	es_json_i64(json, "pid", recording->pid);
	es_json_string(json, "state", state_of(recording));
	es_json_string(json, "start",
		       recording->is_alive ? es_time_rfc3339(recording->start_unix_ns, text)
					   : NULL);
	es_json_string(json, "recording", recording->recording[0] ? recording->recording : NULL);
	es_json_string(json, "socket", recording->is_alive ? recording->socket : NULL);
	es_json_object_end(json);
}

int es_record_put_json(const struct es_control_recording *recordings, size_t n)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, 16U << 20);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.record/1");
	es_json_array(&json, "recordings");
	for (size_t i = 0; i < n; i++)
		put_recording(&json, &recordings[i]);
	es_json_array_end(&json);
	es_json_object_end(&json);
	out.error = es_json_end(&json);
	status = es_put_out("record", &out);
	es_buf_finish(&out);
	return status;
}

/* All there are; one that does not answer has no socket set. Owned by caller, free(); NULL: no memory. */
static struct es_control_recording *list(size_t *ret_n)
{
	struct es_control_socket sockets[ES_CONTROL_SOCKETS_MAX];
	struct es_error err = { .code = 0 };
	size_t n_sockets = es_control_list(sockets, &err), n = 0;
	struct es_control_recording *recordings = calloc(n_sockets + 1, sizeof(*recordings));

	if (err.code)
		(void)es_complain("record", 0, "%s", err.text);
	for (size_t i = 0; recordings && i < n_sockets; i++) {
		int r = es_control_ask(&sockets[i], &recordings[n]);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			recordings[n] = (struct es_control_recording){ .pid = sockets[i].pid };
		n++;
	}
	*ret_n = n;
	return recordings;
}

static void put_table(const struct es_control_recording *recordings, size_t n, struct es_buf *out)
{
	char text[ES_TIME_TEXT_BYTES];

	(void)es_buf_printf(out, "  %-24s %-10s %8s  %-30s %s\n", "job", "state", "process",
			    "since", "recording");
	for (size_t i = 0; i < n; i++)
		(void)es_buf_printf(out, "  %-24s %-10s %8d  %-30s %s\n",
				    recordings[i].job[0] ? recordings[i].job : "-",
				    state_of(&recordings[i]), (int)recordings[i].pid,
				    recordings[i].is_alive
					    ? es_time_rfc3339(recordings[i].start_unix_ns, text)
					    : "-",
				    recordings[i].recording[0] ? recordings[i].recording : "-");
	for (size_t i = 0; n > 1 && i < n; i++)
		if (recordings[i].is_alive)
			(void)es_buf_printf(out, "  for tags of %s: %s=%s\n", recordings[i].job,
					    ES_IPC_VARIABLE, recordings[i].socket);
}

int es_record_status(const struct es_record *record)
{
	size_t n = 0;
	es_cleanup(es_freep) struct es_control_recording *recordings = list(&n);
	struct es_buf out;
	int status;

	if (!recordings)
		return es_complain("record", ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	if (record->wants_json)
		return es_record_put_json(recordings, n);
	es_buf_init(&out, 16U << 20);
	if (n)
		put_table(recordings, n, &out);
	else
		(void)es_buf_printf(&out, "nothing is recorded in the background\n");
	if (es_buf_u8(&out, 0) == 0) {
		es_text_make_safe((char *)out.data, true);
		out.len--;
	}
	status = es_put_out("record", &out);
	es_buf_finish(&out);
	return status;
}

/* The one that is meant; NULL: said why not. */
static const struct es_control_recording *choose(const struct es_control_recording *recordings,
						 size_t n, const char *job)
{
	const struct es_control_recording *chosen = NULL;
	size_t n_alive = 0;

	for (size_t i = 0; i < n; i++) {
		if (!recordings[i].is_alive)
			continue;
		n_alive++;
		if (!job || strcmp(recordings[i].job, job) == 0)
			chosen = &recordings[i];
	}
	if (!job && n_alive > 1) {
		(void)es_complain(
			"record", 0,
			"%zu recordings run: which one? 'energyscopium record status' lists them",
			n_alive);
		return NULL;
	}
	if (!chosen && job)
		(void)es_complain(
			"record", 0,
			"no job '%s' is being recorded; 'energyscopium record status' lists those that are",
			job);
	else if (!chosen)
		(void)es_complain("record", 0, "nothing is recorded in the background");
	return chosen;
}

/* Tell it to end, and wait until its files are complete. */
static int end(const struct es_control_recording *recording, struct es_ipc_message *ret,
	       struct es_error *err)
{
	const struct es_ipc_message question = { .type = ES_IPC_END, .number = 1 };
	struct es_ipc_message rest;
	es_cleanup(es_closep) int fd = -1;
	int r = es_ipc_connect(recording->socket, ES_NS_PER_S, &fd);

	if (r == 0)
		r = es_ipc_send(fd, &question);
	if (r == 0)
		r = es_ipc_receive(fd, es_clock_mono_ns() + PATIENCE_NS, ret);
	if (r == -EPIPE || r == -ECONNREFUSED)
		return es_error_say(
			err, r,
			"process %d, which was recording, was killed; '%s' can be read up to its last second",
			(int)recording->pid, recording->recording);
	if (r == -ETIMEDOUT)
		return es_error_say(
			err, r, "process %d has not ended within ten minutes; it goes on trying",
			(int)recording->pid);
	if (r < 0)
		return es_error_set(err, r, "process %d", (int)recording->pid);
	/* It cleans up before it closes the connection: then a next one of this name may start. */
	(void)es_ipc_receive(fd, es_clock_mono_ns() + ES_NS_PER_S, &rest);
	return 0;
}

/* The eprofile lies beside the recording; "": there is none. */
static void find_eprofile(const char *recording, char *ret, size_t size)
{
	size_t n = strlen(recording);

	if (n < 4 ||
	    snprintf(ret, size, "%.*s.eprofile.json", (int)(n - 4), recording) >= (int)size ||
	    access(ret, F_OK) < 0)
		ret[0] = '\0';
}

static void put_report(const struct es_record *record, const struct es_outcome *outcome,
		       const char *recording, struct es_buf *out)
{
	char eprofile[ES_PATH_MAX_BYTES + 16];
	struct es_json json;

	find_eprofile(recording, eprofile, sizeof(eprofile));
	if (record->wants_json) {
		es_json_init(&json, es_json_sink_buf, out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.run/1");
		es_report_members(&outcome->report, &json);
		es_json_string(&json, "recording", recording);
		es_json_string(&json, "eprofile", eprofile[0] ? eprofile : NULL);
		es_json_null(&json, "exit_status");
		es_json_object_end(&json);
		out->error = es_json_end(&json);
		return;
	}
	(void)es_report_line(&outcome->report, false, out);
	(void)es_buf_u8(out, '\n');
	(void)es_report_table(&outcome->report, out);
	(void)es_buf_printf(out, "  %-10s %s\n", "recording", recording);
	(void)es_buf_printf(out, "  %-10s %s\n", "profile",
			    eprofile[0] ? eprofile : "none could be written");
}

static int tell(struct es_record *record, const char *recording)
{
	struct es_error err = { .code = 0 };
	struct es_outcome outcome;
	struct es_buf out;
	int status;

	record->chain.has_profile = true; /* insights look at it */
	if (es_outcome_open(recording, NULL, &record->chain, &outcome, &err) < 0)
		return es_complain("record", ES_EXIT_FAILURE, "%s", err.text);
	es_buf_init(&out, 64U << 20);
	put_report(record, &outcome, recording, &out);
	status = es_put_out("record", &out);
	es_buf_finish(&out);
	es_outcome_finish(&outcome);
	return status;
}

int es_record_stop(struct es_record *record, const char *job)
{
	const struct es_control_recording *recording;
	struct es_control_recording *recordings;
	struct es_ipc_message answer = { .value = ES_IPC_LOST };
	struct es_error err = { .code = 0 };
	size_t n = 0;
	int status = ES_EXIT_FAILURE, r;

	/* What is wrong is said before anything ends. */
	record->chain.footprint.is_told = true;
	r = es_chain_load(&record->chain, &err);
	if (r < 0)
		return es_complain("record", r == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE, "%s",
				   err.text);
	recordings = list(&n);
	recording = recordings ? choose(recordings, n, job) : NULL;
	if (recording && end(recording, &answer, &err) < 0) {
		(void)es_complain("record", 0, "%s", err.text);
	} else if (recording) {
		bool is_complete = answer.value == ES_IPC_OK;

		if (!is_complete)
			(void)es_complain("record", 0, "%s", answer.text);
		status = tell(record, is_complete ? answer.text : recording->recording);
		status = is_complete ? status : ES_EXIT_FAILURE;
	}
	free(recordings);
	return status;
}
