/*
 * explore_check.c - whether a configuration's result is the same: outputs, a check, a quality
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/explore.h"

#define QUALITY_MAX_BYTES 65536U

struct stamp {
	char *path; /* owned; absolute */
	bool was_there;
	struct stat st;
};

struct es_explore_stamps {
	struct stamp *stamps; /* [n] */
	size_t n;
};

char **es_explore_shell(const struct es_explore *study, size_t member, const char *text,
			const struct es_explore_places *places, char *const *before)
{
	const struct es_explore_spec *spec = &study->spec;
	const struct es_explore_configuration *at = &study->members[member].at;
	size_t n_before = 0, n = 0;
	struct es_buf line;
	char **argv;
	int r = 0;

	while (before && before[n_before])
		n_before++;
	argv = calloc(n_before + spec->n_environment + 5, sizeof(*argv));
	if (!argv)
		return NULL;
	for (; n < n_before; n++)
		r |= (argv[n] = strdup(before[n])) ? 0 : -1;
	if (spec->n_environment)
		r |= (argv[n++] = strdup("env")) ? 0 : -1;
	for (size_t i = 0; r == 0 && i <= spec->n_environment; i++) {
		bool is_line = i == spec->n_environment;

		es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
		if (is_line) {
			r |= (argv[n++] = strdup("/bin/sh")) ? 0 : -1;
			r |= (argv[n++] = strdup("-c")) ? 0 : -1;
		} else {
			(void)es_buf_printf(&line, "%s=", spec->environment[i].name);
		}
		r |= es_explore_fill(spec, at, places, is_line ? text : spec->environment[i].text,
				     &line);
		if (r == 0)
			r |= (argv[n++] = strdup((const char *)line.data)) ? 0 : -1;
		es_buf_finish(&line);
	}
	if (r == 0)
		return argv;
	es_explore_shell_free(argv);
	return NULL;
}

void es_explore_shell_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

int es_explore_stamps_take(const struct es_explore *study, size_t member,
			   const struct es_explore_room *room, struct es_explore_stamps **ret)
{
	const struct es_explore_spec *spec = &study->spec;
	struct es_explore_stamps *stamps = calloc(1, sizeof(*stamps));
	int r = 0;

	if (!stamps)
		return -ENOMEM;
	stamps->stamps = calloc(spec->n_outputs + 1, sizeof(*stamps->stamps));
	if (!stamps->stamps)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < spec->n_outputs; i++) {
		struct stamp *stamp = &stamps->stamps[stamps->n++];
		struct es_buf name;
		const char *text;

		es_buf_init(&name, ES_PATH_MAX_BYTES);
		r = es_explore_fill(spec, &study->members[member].at, &room->places,
				    spec->outputs[i].text, &name);
		text = (const char *)name.data;
		if (r == 0 && asprintf(&stamp->path, "%s%s%s", *text == '/' ? "" : study->spec_dir,
				       *text == '/' ? "" : "/", text) < 0) {
			stamp->path = NULL;
			r = -ENOMEM;
		}
		es_buf_finish(&name);
		stamp->was_there = r == 0 && stat(stamp->path, &stamp->st) == 0;
	}
	if (r < 0)
		es_explore_stamps_destroy(stamps);
	else
		*ret = stamps;
	return r;
}

void es_explore_stamps_destroy(struct es_explore_stamps *stamps)
{
	if (!stamps)
		return;
	for (size_t i = 0; stamps->stamps && i < stamps->n; i++)
		free(stamps->stamps[i].path);
	free(stamps->stamps);
	free(stamps);
}

static bool is_new(const struct stamp *stamp, const struct stat *now)
{
	const struct stat *then = &stamp->st;

	return !stamp->was_there || now->st_ino != then->st_ino || now->st_size != then->st_size ||
	       now->st_ctim.tv_sec != then->st_ctim.tv_sec ||
	       now->st_ctim.tv_nsec != then->st_ctim.tv_nsec;
}

static int add_file(int fd, struct es_sha256 *sha)
{
	char data[16384];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		es_sha256_add(sha, data, (size_t)n);
	return n < 0 ? -errno : 0;
}

int es_explore_stamps_check(const struct es_explore *study, const struct es_explore_stamps *stamps,
			    struct es_explore_run *run)
{
	struct es_sha256 sha;

	if (stamps->n == 0)
		return 0;
	es_sha256_init(&sha);
	for (size_t i = 0; i < stamps->n; i++) {
		const struct stamp *stamp = &stamps->stamps[i];
		es_cleanup(es_closep) int fd = open(stamp->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		const char *shown = study->spec.outputs[i].text, *why = NULL;
		struct stat st;
		char size[32];

		if (fd < 0 || fstat(fd, &st) < 0)
			why = es_strerror(-errno);
		else if (!S_ISREG(st.st_mode))
			why = "is no file";
		else if (!is_new(stamp, &st))
			why = "was not written by this run";
		else {
			/* So that files cannot share their bytes otherwise. */
			(void)snprintf(size, sizeof(size), "%lld\n", (long long)st.st_size);
			es_sha256_add(&sha, size, strlen(size));
			if (add_file(fd, &sha) < 0)
				why = es_strerror(-errno);
		}
		if (why) {
			run->result = ES_EXPLORE_NO_OUTPUT;
			(void)snprintf(run->reason, sizeof(run->reason), "output '%.80s' %s", shown,
				       why);
			return 0;
		}
	}
	(void)es_sha256_text(&sha, run->digest);
	return 0;
}

static int call(struct es_explore *study, size_t member, const char *text,
		const struct es_explore_room *room, const char *out, struct es_explore_ended *ret,
		struct es_error *err)
{
	char log[ES_PATH_MAX_BYTES + 16];
	char **argv = es_explore_shell(study, member, text, &room->places, NULL);
	const struct es_explore_process process = { .study = study,
						    .argv = argv,
						    .folder = study->spec_dir,
						    .out = out,
						    .log = log,
						    .log_goes_on = true,
						    .timeout_ns = study->spec.timeout_ns };
	int r;

	(void)snprintf(log, sizeof(log), "%s/log", room->run_dir);
	r = argv ? es_explore_process_run(&process, ret) : -ENOMEM;
	es_explore_shell_free(argv);
	if (r == 0 && ret->stop_signal)
		study->stop_signal = ret->stop_signal;
	return r < 0 ? es_error_set(err, r, "cannot start '%.100s'", text) : 0;
}

static int read_quality(const char *path, double *ret)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	es_cleanup(es_freep) char *text = malloc(QUALITY_MAX_BYTES);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	ssize_t n = -1;

	if (text && size > 0)
		n = pread(fd, text, QUALITY_MAX_BYTES,
			  size > (off_t)QUALITY_MAX_BYTES ? size - (off_t)QUALITY_MAX_BYTES : 0);
	return n > 0 ? es_quality_last_number(text, (size_t)n, ret) : -ENODATA;
}

static int take_quality(struct es_explore *study, size_t member, const struct es_explore_room *room,
			struct es_explore_run *run, struct es_error *err)
{
	char out[ES_PATH_MAX_BYTES + 16];
	struct es_explore_ended ended = { .status = 0 };
	int r;

	(void)snprintf(out, sizeof(out), "%s/quality", room->run_dir);
	r = call(study, member, study->spec.quality.text, room, out, &ended, err);
	if (r < 0 || ended.stop_signal)
		return r;
	run->has_quality = ended.status == 0 && !ended.is_timed_out &&
			   read_quality(out, &run->quality) == 0;
	if (run->has_quality)
		return 0;
	run->result = ES_EXPLORE_QUALITY_MISSED;
	if (ended.status)
		(void)snprintf(run->reason, sizeof(run->reason),
			       "the command of quality ended with status %d", ended.status);
	else
		(void)snprintf(run->reason, sizeof(run->reason),
			       "the command of quality printed no number");
	return 0;
}

int es_explore_check(struct es_explore *study, size_t member, const struct es_explore_room *room,
		     struct es_explore_run *run, struct es_error *err)
{
	struct es_explore_ended ended = { .status = 0 };
	int r = 0;

	if (study->spec.check.text) {
		r = call(study, member, study->spec.check.text, room, NULL, &ended, err);
		if (r < 0 || ended.stop_signal)
			return r;
		if (ended.is_timed_out || ended.status) {
			run->result = ES_EXPLORE_DIFFERS;
			(void)snprintf(run->reason, sizeof(run->reason),
				       ended.is_timed_out ? "the check timed out"
							  : "the check ended with status %d",
				       ended.status);
			return 0;
		}
	}
	if (study->spec.quality.text)
		r = take_quality(study, member, room, run, err);
	return r;
}
