/*
 * explore_journal.c - what of a study was done, a line of JSON each, appended
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A line is written once its run is complete and checked, in one write, and is on the disk before the next run begins.
 * Whatever ends us in between leaves at most a part of a line: it counts for nothing. Of several lines about the same run
 * the last one holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/explore.h"
#include "sys/process.h"

#define SCHEMA "energyscopium.explore.journal/1"
#define LINE_MAX_BYTES 4096U
#define LOCK_TRIES 50
#define LAST_GRACE_NS (10 * ES_NS_PER_S) /* before what does not end is ended */
#define FILE_MAX_BYTES (LINE_MAX_BYTES * (ES_EXPLORE_RUNS_MAX + ES_EXPLORE_CONFIGURATIONS_MAX))

struct reading {
	struct es_explore *study;
	bool has_head;
	struct es_process last; /* that was begun; pid 0: none */
	struct es_error *err;
};

static int append(struct es_explore *study, const struct es_buf *line, struct es_error *err)
{
	int r = line->error ? line->error : es_write_all(study->journal_fd, line->data, line->len);

	if (r == 0 && fdatasync(study->journal_fd) < 0 && errno != EINVAL && errno != EROFS)
		r = -errno;
	return r < 0 ? es_error_set(err, r, "cannot write to '%.900s/explore.jsonl'", study->dir)
		     : 0;
}

static void begin(struct es_buf *line, struct es_json *json)
{
	es_buf_init(line, LINE_MAX_BYTES);
	es_json_init(json, es_json_sink_buf, line, false);
	es_json_object(json, NULL);
}

static int end(struct es_explore *study, struct es_buf *line, struct es_json *json,
	       struct es_error *err)
{
	int r;

	es_json_object_end(json);
	(void)es_json_end(json);
	(void)es_buf_u8(line, '\n');
	r = append(study, line, err);
	es_buf_finish(line);
	return r;
}

int es_explore_journal_run(struct es_explore *study, size_t member, size_t round,
			   struct es_error *err)
{
	const struct es_explore_run *run = &study->members[member].runs[round - 1];
	char now[ES_TIME_TEXT_BYTES];
	struct es_json json;
	struct es_buf line;

	begin(&line, &json);
	es_json_string(&json, "event", "run");
	es_json_u64(&json, "configuration", member + 1);
	es_json_u64(&json, "round", round);
	es_json_string(&json, "result", es_explore_result_name(run->result));
	es_json_string(&json, "reason", run->reason[0] ? run->reason : NULL);
	es_json_i64(&json, "exit_status", run->status);
	es_json_double(&json, "wall_s", run->wall_s);
	es_json_string(&json, "outputs_sha256", run->digest[0] ? run->digest : NULL);
	es_json_double(&json, "quality", run->has_quality ? run->quality : NAN);
	es_json_string(&json, "time", es_time_rfc3339(es_clock_unix_ns(), now));
	return end(study, &line, &json, err);
}

int es_explore_journal_build(struct es_explore *study, size_t build, struct es_error *err)
{
	const struct es_explore_build *of = &study->builds[build];
	char now[ES_TIME_TEXT_BYTES];
	struct es_json json;
	struct es_buf line;

	begin(&line, &json);
	es_json_string(&json, "event", "build");
	es_json_string(&json, "id", of->id);
	es_json_string(&json, "result",
		       es_explore_result_name(of->is_failed ? ES_EXPLORE_BUILD_FAILED
							    : ES_EXPLORE_OK));
	es_json_string(&json, "reason", of->reason[0] ? of->reason : NULL);
	es_json_double(&json, "wall_s", of->wall_s);
	es_json_string(&json, "time", es_time_rfc3339(es_clock_unix_ns(), now));
	return end(study, &line, &json, err);
}

void es_explore_journal_process(struct es_explore *study, pid_t pid)
{
	struct es_process process;
	struct es_json json;
	struct es_buf line;

	if (es_process_read(&study->machine, pid, &process) < 0)
		return;
	begin(&line, &json);
	es_json_string(&json, "event", "begin");
	es_json_i64(&json, "process", pid);
	es_json_u64(&json, "start_ticks", process.start_ticks);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	(void)es_buf_u8(&line, '\n');
	/* Nothing is lost with it but a wait; a full disk is told when the run is complete. */
	if (!line.error)
		(void)es_write_all(study->journal_fd, line.data, line.len);
	es_buf_finish(&line);
}

static int write_head(struct es_explore *study, struct es_error *err)
{
	char now[ES_TIME_TEXT_BYTES];
	struct es_json json;
	struct es_buf line;

	begin(&line, &json);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "name", study->spec.name);
	es_json_string(&json, "sha256", study->digest);
	es_json_string(&json, "node", study->node);
	es_json_string(&json, "time", es_time_rfc3339(es_clock_unix_ns(), now));
	return end(study, &line, &json, err);
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static void take_run(struct es_explore *study, const json_t *line)
{
	json_int_t member = json_integer_value(json_object_get(line, "configuration"));
	json_int_t round = json_integer_value(json_object_get(line, "round"));
	const json_t *quality = json_object_get(line, "quality");
	const char *result = text_of(line, "result");
	struct es_explore_run *run;

	if (member < 1 || (size_t)member > study->n || round < 1 || (size_t)round > study->n_rounds)
		return;
	run = &study->members[member - 1].runs[round - 1];
	*run = (struct es_explore_run){ .trial = ES_EXPLORE_NONE };
	for (int i = ES_EXPLORE_OK; i < ES_EXPLORE_N_RESULTS; i++)
		if (strcmp(result, es_explore_result_name((enum es_explore_result)i)) == 0)
			run->result = (enum es_explore_result)i;
	run->is_done = run->result != ES_EXPLORE_NOT_RUN;
	run->status = (int)json_integer_value(json_object_get(line, "exit_status"));
	run->wall_s = json_number_value(json_object_get(line, "wall_s"));
	run->has_quality = json_is_number(quality);
	run->quality = json_number_value(quality);
	(void)snprintf(run->digest, sizeof(run->digest), "%s", text_of(line, "outputs_sha256"));
	(void)snprintf(run->reason, sizeof(run->reason), "%s", text_of(line, "reason"));
}

static void take_build(struct es_explore *study, const json_t *line)
{
	for (size_t i = 0; i < study->n_builds; i++) {
		struct es_explore_build *build = &study->builds[i];

		if (strcmp(build->id, text_of(line, "id")) != 0)
			continue;
		build->is_done = true;
		build->is_failed =
			strcmp(text_of(line, "result"), es_explore_result_name(ES_EXPLORE_OK)) != 0;
		build->wall_s = json_number_value(json_object_get(line, "wall_s"));
		(void)snprintf(build->reason, sizeof(build->reason), "%s", text_of(line, "reason"));
	}
}

static void take_process(struct reading *reading, const json_t *line)
{
	json_int_t pid = json_integer_value(json_object_get(line, "process"));
	json_int_t ticks = json_integer_value(json_object_get(line, "start_ticks"));

	if (pid > 1 && pid <= INT32_MAX && ticks > 0)
		reading->last =
			(struct es_process){ .pid = (pid_t)pid, .start_ticks = (uint64_t)ticks };
}

static int take_head(struct reading *reading, const json_t *line)
{
	const struct es_explore *study = reading->study;

	if (strcmp(text_of(line, "schema"), SCHEMA) != 0)
		return es_error_say(
			reading->err, -EBADMSG,
			"'%.900s/explore.jsonl' is no journal of this version of explore",
			study->dir);
	if (strcmp(text_of(line, "sha256"), study->digest) != 0)
		return es_error_say(
			reading->err, -ESTALE,
			"'%.900s' holds runs of another specification or of other meters: --out another folder, or "
			"--force to begin anew there (only repeat, timeout, warmup, reference, slowdown, the limit of quality and "
			"the name may change)",
			study->dir);
	if (strcmp(text_of(line, "node"), study->node) != 0)
		return es_error_say(
			reading->err, -ESTALE,
			"'%.900s' holds runs of node '%.100s', this is '%.100s': two machines are not mixed; "
			"--out another folder, or --force to begin anew there",
			study->dir, text_of(line, "node"), study->node);
	reading->has_head = true;
	return 0;
}

/* A round that the specification has no more would be left out in silence. */
static int check_round(struct reading *reading, const json_t *line)
{
	json_int_t round = json_integer_value(json_object_get(line, "round"));

	if (round <= 0 || (size_t)round <= reading->study->n_rounds)
		return 0;
	return es_error_say(reading->err, -ESTALE,
			    "'%.900s' holds round %lld, and 'repeat' is %zu: it may only grow",
			    reading->study->dir, (long long)round, reading->study->n_rounds);
}

static int take_line(struct reading *reading, const char *text, size_t n)
{
	json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	const char *event = text_of(line, "event");
	int r = 0;

	if (!json_is_object(line)) {
		json_decref(line); /* cut off when we were ended */
		return 0;
	}
	if (!reading->has_head)
		r = take_head(reading, line);
	else if (strcmp(event, "run") == 0)
		r = check_round(reading, line);
	/* Both are written when what was begun for them has ended. */
	if (strcmp(event, "run") == 0 || strcmp(event, "build") == 0)
		reading->last = (struct es_process){ .pid = 0 };
	if (r == 0 && strcmp(event, "run") == 0)
		take_run(reading->study, line);
	else if (r == 0 && strcmp(event, "build") == 0)
		take_build(reading->study, line);
	else if (r == 0 && strcmp(event, "begin") == 0)
		take_process(reading, line);
	json_decref(line);
	return r;
}

/* *@ret_is_torn: the last line has no end. */
static int read_all(struct reading *reading, int fd, bool *ret_is_torn)
{
	es_cleanup(es_freep) char *line = NULL;
	es_cleanup(es_fclosep) FILE *file = NULL;
	size_t size = 0;
	ssize_t n;
	struct stat st;
	int r = 0, copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file || fstat(fd, &st) < 0)
		return es_error_set(reading->err, -errno, "cannot read '%.900s/explore.jsonl'",
				    reading->study->dir);
	if ((uint64_t)st.st_size > FILE_MAX_BYTES)
		return es_error_say(reading->err, -E2BIG, "'%.900s/explore.jsonl' is too large",
				    reading->study->dir);
	*ret_is_torn = false;
	while (r == 0 && (n = getline(&line, &size, file)) > 0) {
		*ret_is_torn = line[n - 1] != '\n';
		if (!*ret_is_torn)
			r = take_line(reading, line, (size_t)n);
	}
	return r;
}

/* What is there now is of no use any more. */
static int begin_anew(struct es_explore *study)
{
	memset(study->runs, 0, study->n * study->n_rounds * sizeof(*study->runs));
	for (size_t i = 0; i < study->n * study->n_rounds; i++)
		study->runs[i].trial = ES_EXPLORE_NONE;
	for (size_t i = 0; i < study->n_builds; i++)
		study->builds[i].is_done = study->builds[i].is_failed = false;
	return ftruncate(study->journal_fd, 0) < 0 ? -errno : 0;
}

/* A run without its recording says nothing; what failed is tried again where that is asked for. */
static void forget(struct es_explore *study)
{
	char path[ES_PATH_MAX_BYTES];

	for (size_t i = 0; i < study->n; i++)
		for (size_t round = 1; round <= study->n_rounds; round++) {
			struct es_explore_run *run = &study->members[i].runs[round - 1];

			if (!run->is_done)
				continue;
			if ((run->result == ES_EXPLORE_OK &&
			     (es_explore_recording(study, i, round, path) < 0 ||
			      access(path, R_OK) < 0)) ||
			    (run->result != ES_EXPLORE_OK && study->wants_retry))
				*run = (struct es_explore_run){ .trial = ES_EXPLORE_NONE };
		}
	for (size_t i = 0; study->wants_retry && i < study->n_builds; i++)
		if (study->builds[i].is_failed)
			study->builds[i].is_done = study->builds[i].is_failed = false;
}

static int prepare(struct es_explore *study, struct reading *reading, bool is_torn, int r)
{
	struct es_error *err = reading->err;

	if ((r == -ESTALE || r == -EBADMSG) && study->may_begin_anew) {
		reading->has_head = false;
		r = begin_anew(study);
		if (r < 0)
			return es_error_set(err, r, "cannot empty '%.900s/explore.jsonl'",
					    study->dir);
	} else if (r == 0 && is_torn) {
		r = es_write_all(study->journal_fd, "\n", 1);
		if (r < 0)
			return es_error_set(err, r, "cannot write to '%.900s/explore.jsonl'",
					    study->dir);
	}
	if (r == 0 && !reading->has_head)
		r = write_head(study, err);
	return r;
}

/* Itself, or what it started: a group outlives its leader, and its number is nobody else's as long. */
static bool is_at_work(const struct es_explore *study, const struct es_process *process)
{
	struct es_process now;

	if (!es_process_has_ended(&study->machine, process))
		return true;
	return es_process_read(&study->machine, process->pid, &now) == -ESRCH &&
	       kill(-process->pid, 0) == 0;
}

/* What an explore that was killed had begun would disturb what is measured now: it ends first. */
static int end_last(const struct reading *reading)
{
	const struct timespec nap = { .tv_nsec = 20 * ES_NS_PER_MS };
	const struct es_explore *study = reading->study;
	pid_t pid = reading->last.pid;
	int64_t start_ns = es_clock_mono_ns(), waited_ns = 0;

	if (!pid || !is_at_work(study, &reading->last))
		return 0;
	(void)es_complain(ES_EXPLORE_COMMAND, 0,
			  "ending process %d, begun by an explore that was killed", (int)pid);
	(void)kill(-pid, SIGTERM);
	while (is_at_work(study, &reading->last)) {
		if (waited_ns > LAST_GRACE_NS)
			(void)kill(-pid, SIGKILL);
		if (waited_ns > 2 * LAST_GRACE_NS)
			return es_error_say(
				reading->err, -EBUSY,
				"process %d, begun by an explore that was killed, does not end",
				(int)pid);
		(void)nanosleep(&nap, NULL);
		waited_ns = es_clock_mono_ns() - start_ns;
	}
	return 0;
}

/* Who was killed between fork and exec leaves a child that holds the lock until it has seen that. */
static int lock(int fd)
{
	const struct timespec nap = { .tv_nsec = 20 * ES_NS_PER_MS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		(void)nanosleep(&nap, NULL);
	}
	return -EWOULDBLOCK;
}

int es_explore_journal_open(struct es_explore *study, bool is_writer, struct es_error *err)
{
	struct reading reading = { .study = study, .err = err };
	char path[ES_PATH_MAX_BYTES + 32];
	bool is_torn = false;
	int r, fd;

	(void)snprintf(path, sizeof(path), "%s/explore.jsonl", study->dir);
	fd = open(path, (is_writer ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY) | O_CLOEXEC, 0666);
	if (fd < 0 && errno == ENOENT && !is_writer)
		return 0;
	if (fd < 0)
		return es_error_set(err, -errno, "cannot open '%.1000s'", path);
	study->journal_fd = fd;
	if (is_writer && lock(fd) == -EWOULDBLOCK)
		return es_error_say(err, -EBUSY,
				    "another explore is at work in '%.900s': wait for its end",
				    study->dir);
	r = read_all(&reading, fd, &is_torn);
	if (is_writer && (r == 0 || study->may_begin_anew)) {
		int busy = end_last(&reading);

		if (busy < 0)
			return busy;
	}
	if (is_writer)
		r = prepare(study, &reading, is_torn, r);
	if (r == 0)
		forget(study);
	return r;
}
