/*
 * record_start.c - energyscopium record start: a process of its own that measures until it is told to stop
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/background.h"
#include "cli/child.h"
#include "cli/elsewhere.h"
#include "cli/record.h"

/* What the recording process says to the one that started it, once the first readings are taken. */
struct ready {
	struct es_measure_hook hook;
	const struct es_background *background;
	int fd;
};

/* A recording outlives the folder we are in. */
static int make_absolute(char *path, struct es_error *err)
{
	char folder[ES_PATH_MAX_BYTES], whole[ES_PATH_MAX_BYTES];

	if (path[0] == '/')
		return 0;
	if (!getcwd(folder, sizeof(folder)))
		return es_error_set(err, -errno, "this folder");
	if (snprintf(whole, sizeof(whole), "%s/%s", folder, path) >= (int)sizeof(whole))
		return es_error_set(err, -ENAMETOOLONG, "folder '%.200s…'", path);
	memcpy(path, whole, strlen(whole) + 1);
	return 0;
}

/* Whoever waits for our descriptors to be closed, such as $(…) in a shell, is not to wait for the recording's end. */
static void leave_terminal(void)
{
	es_cleanup(es_closep) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i <= 2 && fd >= 0; i++)
		(void)dup2(fd, i);
	(void)chdir("/");
}

static void on_begin(struct es_measure_hook *hook, struct es_recorder *recorder)
{
	struct ready *ready = hook->arg;
	struct es_control_recording said = { .pid = getpid(), .is_alive = true };
	const struct es_background *background = ready->background;

	(void)recorder;
	said.start_unix_ns = background->about.start_unix_ns;
	(void)snprintf(said.job, sizeof(said.job), "%s", background->about.job);
	memcpy(said.recording, background->recording, sizeof(said.recording));
	memcpy(said.socket, background->control.socket, sizeof(said.socket));
	leave_terminal();
	/* Who started us may have gone: then nobody needs to know. */
	(void)es_write_all(ready->fd, &said, sizeof(said));
	(void)close(es_steal_fd(&ready->fd));
}

static void on_nothing(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	(void)hook;
	(void)recorder;
	(void)revents;
}

/* Nobody may be there to be told: then the next start says where a recording is that had to be saved elsewhere. */
static void end_recording(struct es_run *run, struct es_background *background)
{
	char path[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	int r = es_run_save(run, path, &err);
	bool is_told = es_tags_tell_end(background->tags, r < 0 ? ES_IPC_LOST : ES_IPC_OK,
					r < 0 ? err.text : path);

	if (!is_told && strcmp(path, run->recording_path) != 0)
		es_control_moved(&background->control, path);
}

/* In the process that records. */
static int record_on(struct es_run *run, int ready_fd)
{
	struct es_background background;
	struct ready ready = { .hook = { .fd = -1,
					 .next_ns = INT64_MAX,
					 .handle = on_nothing,
					 .begin = on_begin,
					 .arg = &ready },
			       .background = &background,
			       .fd = ready_fd };
	struct es_measure_hook *hooks[4] = { &ready.hook };
	struct es_measure_options options = { .period_ns = run->period_ns,
					      .hooks = hooks,
					      .n_hooks = 4 };
	struct es_error err = { .code = 0 };

	if (es_run_open(run, &err) < 0)
		return es_complain("record", ES_EXIT_FAILURE, "%s", err.text);
	if (es_background_open(run, &background, &err) < 0) {
		(void)unlink(run->recording_path);
		return es_complain("record", ES_EXIT_FAILURE, "%s", err.text);
	}
	hooks[1] = es_tags_hook(background.tags);
	hooks[2] = es_run_activity_hook(&run->activity);
	hooks[3] = &background.release.hook;
	options.activity = run->activity.source;
	options.activity_pid = getpid();
	if (es_measure(run->sampler, run->recorder, &options, &run->measured, &err) < 0) {
		(void)unlink(run->recording_path);
		(void)es_complain("record", 0, "%s", err.text);
	} else {
		end_recording(run, &background);
	}
	es_background_close(&background);
	return err.code < 0 ? ES_EXIT_FAILURE : ES_EXIT_OK;
}

static int tell_started(const struct es_record *record, const struct es_control_recording *said)
{
	struct es_buf job;

	if (record->wants_json)
		return es_record_put_json(said, 1);
	es_buf_init(&job, 8 * ES_NAME_MAX_BYTES);
	es_put_shell_word(said->job, &job);
	(void)fprintf(stderr,
		      "energyscopium record: '%s' is recorded to '%s' by process %d; to end it:\n"
		      "  energyscopium record stop %.*s\n",
		      said->job, said->recording, (int)said->pid, (int)job.len,
		      job.data ? (const char *)job.data : "");
	es_buf_finish(&job);
	if (printf("%s\n", said->job) < 0 || fflush(stdout) != 0)
		return es_complain("record", ES_EXIT_FAILURE, "cannot write: %s",
				   es_strerror(-errno));
	return ES_EXIT_OK;
}

/* In the process that was started by a user: until the other one records, or has said why not. */
static int wait_for_start(const struct es_record *record, pid_t pid, int fd)
{
	struct es_control_recording said;
	size_t n = 0;
	int status;

	while (n < sizeof(said)) {
		ssize_t got = read(fd, (char *)&said + n, sizeof(said) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (n == sizeof(said))
		return tell_started(record, &said);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return WEXITSTATUS(status) ? WEXITSTATUS(status) : ES_EXIT_FAILURE;
	return es_complain("record", ES_EXIT_FAILURE, "the recording process was killed");
}

int es_record_start(struct es_record *record)
{
	struct es_run *run = &record->run;
	struct es_error err = { .code = 0 };
	int fds[2];
	pid_t pid;

	if (es_run_check(run, &err) < 0)
		return es_complain("record", ES_EXIT_USAGE, "%s", err.text);
	run->chain.footprint.is_told = false; /* here only files are written; stop tells the rest */
	if (make_absolute(run->chain.settings.out, &err) < 0)
		return es_complain("record", ES_EXIT_FAILURE, "%s", err.text);
	/* Whoever ignores SIGCHLD is not told how a child ended. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return es_complain("record", ES_EXIT_FAILURE, "cannot start a process: %s",
				   es_strerror(-errno));
	if (pid > 0) {
		(void)close(fds[1]);
		return wait_for_start(record, pid, fds[0]);
	}
	/* A session of its own: no terminal's end reaches it. What a caller left open is the caller's. */
	(void)setsid();
	if (dup2(fds[1], 3) == 3 && fds[1] != 3)
		(void)close(fds[1]);
	es_close_between(4, ~0U);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
	return record_on(run, 3);
}
