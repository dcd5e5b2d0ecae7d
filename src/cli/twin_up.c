/*
 * twin_up.c - energyscopium twin up: start the process that is a simulated node, and wait until it is there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/child.h"
#include "cli/elsewhere.h"
#include "cli/twin.h"

#define PROGRAM "energyscopium-twin"
#define READY_FD 3
#define ARGUMENTS_MAX 20U
#define PATIENCE_NS (30 * ES_NS_PER_S)
#define WORDS_MAX 65536U

struct up {
	const char *kind, *mount, *name, *seed;
	bool is_quiet, has_bmc, stays_in_foreground, allows_others;
	char program[ES_PATH_MAX_BYTES];
	pid_t pid;
	int ready_fd, words_fd; /* words: what it says on standard error */
	struct es_buf words;
	bool is_up;
};

/* Beside this program, or where programs lie that nobody starts by hand. */
static int find_program(struct up *up)
{
	static const char *const places[] = { "", "/../libexec/energyscopium",
					      "/../lib/energyscopium" };
	char self[ES_PATH_MAX_BYTES];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ES_ARRAY_SIZE(places); i++) {
		int len = snprintf(up->program, sizeof(up->program), "%.*s%s/" PROGRAM,
				   (int)(slash - self), self, places[i]);

		if (len < (int)sizeof(up->program) && access(up->program, X_OK) == 0)
			return 0;
	}
	return es_complain(
		"twin up", ES_EXIT_FAILURE,
		PROGRAM
		" is not there: it is built where FUSE 3 is ('apt-get install libfuse3-dev fuse3' as root, then 'make' again)");
}

static size_t list_arguments(const struct up *up, const char *ret[static ARGUMENTS_MAX])
{
	size_t n = 0;

	ret[n++] = PROGRAM;
	ret[n++] = up->kind;
	ret[n++] = "--mount";
	ret[n++] = up->mount;
	ret[n++] = "--ready-fd";
	ret[n++] = "3";
	if (up->name) {
		ret[n++] = "--name";
		ret[n++] = up->name;
	}
	if (up->seed) {
		ret[n++] = "--seed";
		ret[n++] = up->seed;
	}
	if (up->is_quiet)
		ret[n++] = "--quiet";
	if (up->has_bmc)
		ret[n++] = "--bmc";
	if (up->allows_others)
		ret[n++] = "--allow-other";
	if (up->stays_in_foreground)
		ret[n++] = "--foreground";
	ret[n] = NULL;
	return n;
}

/* The child: nothing of ours is open in it but what it is to tell us by. */
static void become(const struct up *up, int ready_fd, int words_fd)
{
	const char *arguments[ARGUMENTS_MAX];
	sigset_t none;
	int null_fd = open("/dev/null", O_RDWR);

	(void)list_arguments(up, arguments);
	/* Above all that they are to become. */
	ready_fd = fcntl(ready_fd, F_DUPFD, 16);
	words_fd = fcntl(words_fd, F_DUPFD, 16);
	if (null_fd < 0 || ready_fd < 0 || words_fd < 0)
		_exit(ES_EXIT_FAILURE);
	(void)dup2(null_fd, STDIN_FILENO);
	(void)dup2(null_fd, STDOUT_FILENO);
	(void)dup2(words_fd, STDERR_FILENO);
	(void)dup2(ready_fd, READY_FD);
	es_close_between(READY_FD + 1, ~0U);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(up->program, (char *const *)(uintptr_t)arguments);
	(void)dprintf(STDERR_FILENO, PROGRAM ": cannot start '%s': %s\n", up->program,
		      es_strerror(errno));
	_exit(ES_EXIT_FAILURE);
}

static int spawn(struct up *up)
{
	int ready[2], words[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(words, O_CLOEXEC) < 0) {
		(void)close(ready[0]);
		(void)close(ready[1]);
		return -errno;
	}
	(void)fflush(NULL);
	up->pid = fork();
	if (up->pid == 0)
		become(up, ready[1], words[1]);
	(void)close(ready[1]);
	(void)close(words[1]);
	up->ready_fd = ready[0];
	up->words_fd = words[0];
	return up->pid < 0 ? -errno : 0;
}

/* Something came, or the end of it. Returns false at the end. */
static bool take(struct up *up, int fd)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (fd == up->ready_fd)
		up->is_up = true;
	else
		(void)es_buf_append(&up->words, text, (size_t)n);
	return true;
}

/* Until it is up, or has said all that it has to say. */
static void wait_up(struct up *up)
{
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;
	struct pollfd fds[] = { { .fd = up->ready_fd, .events = POLLIN },
				{ .fd = up->words_fd, .events = POLLIN } };

	while (!up->is_up && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
		int64_t left_ns = until_ns - es_clock_mono_ns();
		int n = poll(fds, 2, left_ns > 0 ? (int)(left_ns / ES_NS_PER_MS) + 1 : 0);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			break;
		for (size_t i = 0; n > 0 && i < 2; i++)
			if (fds[i].revents && !take(up, fds[i].fd))
				fds[i].fd = -1;
	}
}

/* Its own line comes last; what FUSE said stands before it and is the reason. */
static void tell_words(const struct up *up, int status)
{
	static const char prefix[] = PROGRAM ": ";
	char *text = (char *)up->words.data, *reason = NULL;
	char all[ES_TEXT_MAX_BYTES] = "";

	for (char *line; (line = strsep(&text, "\n"));) {
		if (strncmp(line, prefix, sizeof(prefix) - 1) == 0)
			(void)snprintf(all, sizeof(all), "%s", line + sizeof(prefix) - 1);
		else if (*line)
			reason = line;
	}
	if (all[0])
		(void)es_complain("twin up", status, "%s%s%s", all, reason ? ": " : "",
				  reason ? reason : "");
	else
		(void)es_complain("twin up", status, "%s",
				  reason ? reason : "the twin ended without a word");
}

static int wait_end(struct up *up)
{
	int status;

	es_buf_reset(&up->words);
	while (take(up, up->words_fd))
		;
	while (waitpid(up->pid, &status, 0) < 0)
		if (errno != EINTR)
			return ES_EXIT_FAILURE;
	if (up->words.len > 0 && es_buf_u8(&up->words, 0) == 0)
		tell_words(up, ES_EXIT_FAILURE);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ES_EXIT_FAILURE;
}

static int fail(struct up *up)
{
	int status;

	if (es_buf_u8(&up->words, 0) < 0)
		return es_complain("twin up", ES_EXIT_FAILURE, "out of memory");
	if (waitpid(up->pid, &status, WNOHANG) == 0) {
		/* It said nothing that ends, and is not up. */
		int64_t until_ns = es_clock_mono_ns() + ES_NS_PER_S;

		while (waitpid(up->pid, &status, WNOHANG) == 0) {
			if (es_clock_mono_ns() > until_ns)
				(void)kill(up->pid, SIGKILL);
			(void)usleep(10000);
		}
	}
	status = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : ES_EXIT_FAILURE;
	tell_words(up, status);
	return status;
}

/* The URLs of its management controller, as --meter takes them. */
static void tell_bmc(const char *mount)
{
	struct es_error err = { .code = 0 };
	struct es_buf urls;

	if (es_twin_read(mount, "bmc/url", &urls, &err) == 0) {
		char *rest = (char *)urls.data;

		es_text_make_safe(rest, true);
		for (char *line; (line = strsep(&rest, "\n"));)
			if (*line)
				(void)printf("its controller: --meter '%s'\n", line);
	}
	es_buf_finish(&urls);
}

static int tell_how(const struct up *up)
{
	char mount[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	struct es_buf pid, word;

	if (es_twin_mount_resolve(up->mount, mount) < 0)
		(void)snprintf(mount, sizeof(mount), "%s", up->mount);
	if (es_twin_read(mount, "pid", &pid, &err) == 0)
		(void)printf("a twin of kind %s is up at %s (process %.*s)\n", up->kind, mount,
			     (int)strcspn((const char *)pid.data, "\n"), (const char *)pid.data);
	es_buf_finish(&pid);
	if (up->has_bmc)
		tell_bmc(mount);
	es_buf_init(&word, sizeof(mount) * 8);
	es_put_shell_word(mount, &word);
	(void)printf(
		"measure it: energyscopium run --root %.*s -- COMMAND; end it: energyscopium twin down --mount %.*s\n",
		(int)word.len, (const char *)word.data, (int)word.len, (const char *)word.data);
	es_buf_finish(&word);
	return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
}

static int go(struct up *up)
{
	int r, status;

	r = spawn(up);
	if (r < 0)
		return es_complain("twin up", ES_EXIT_FAILURE, "%s", es_strerror(r));
	/* With Ctrl-C the twin ends, and we with it. */
	if (up->stays_in_foreground)
		(void)signal(SIGINT, SIG_IGN);
	es_buf_init(&up->words, WORDS_MAX);
	wait_up(up);
	if (up->is_up) {
		(void)es_buf_u8(&up->words, 0);
		if (up->words.len > 1)
			tell_words(up, ES_EXIT_OK);
		status = tell_how(up);
		if (up->stays_in_foreground)
			status = wait_end(up);
	} else {
		status = fail(up);
	}
	es_buf_finish(&up->words);
	(void)close(up->ready_fd);
	(void)close(up->words_fd);
	return status;
}

static int check(struct up *up, int argc, char **argv)
{
	if (argc < 1)
		return es_complain("twin up", ES_EXIT_USAGE,
				   "which KIND of node? 'energyscopium twin kinds' lists them");
	if (argc > 1)
		return es_complain("twin up", ES_EXIT_USAGE, "'%s' is one too many", argv[1]);
	if (!up->mount)
		up->mount = getenv("ENERGYSCOPIUM_TWIN");
	if (!up->mount || !*up->mount)
		return es_complain(
			"twin up", ES_EXIT_USAGE,
			"no --mount DIR, and ENERGYSCOPIUM_TWIN is not set: where is it to be?");
	up->kind = argv[0];
	return 0;
}

int es_twin_cmd_up(int argc, char **argv)
{
	struct up up = { .pid = -1 };
	const struct es_option options[] = {
		{ "mount", "DIR",
		  "an empty folder to put it in, made where it is missing\n(default: $ENERGYSCOPIUM_TWIN)",
		  ES_OPTION_TEXT, &up.mount },
		{ "name", "NAME", "name of the node (default: its kind)", ES_OPTION_TEXT,
		  &up.name },
		{ "seed", "N", "of the noise in its powers: same seed, same noise", ES_OPTION_TEXT,
		  &up.seed },
		{ "quiet", NULL, "no noise at all", ES_OPTION_FLAG, &up.is_quiet },
		{ "bmc", NULL,
		  "its management controller too: Redfish and DCMI on ports\nof this machine",
		  ES_OPTION_FLAG, &up.has_bmc },
		{ "allow-other", NULL, "other users may look as well (root's may always)",
		  ES_OPTION_FLAG, &up.allows_others },
		{ "foreground", NULL, "stay, and end with Ctrl-C or with whoever started this",
		  ES_OPTION_FLAG, &up.stays_in_foreground },
	};
	const struct es_usage usage = {
		.command = "twin up",
		.synopsis = "KIND [--mount DIR] [OPTION]…",
		.text = "Starts a simulated node of a kind that 'energyscopium twin kinds' lists, and returns when\n"
			"its files can be read.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0)
		status = check(&up, argc - first, argv + first);
	else
		return status;
	if (status == 0)
		status = find_program(&up);
	return status ? status : go(&up);
}
