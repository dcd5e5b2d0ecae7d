/*
 * quality.c - a limit that a result must keep to count
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/quality.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define KEPT_BYTES 65536U /* of what a command prints: its end */
#define NUMBER_MAX_BYTES 64U
#define STATUS_NOT_FOUND 127
#define STATUS_NOT_EXECUTABLE 126

static const struct {
	const char *sign;
	enum es_quality_than than;
} signs[] = {
	/* The longer one first where one begins with another. */
	{ ">=", ES_QUALITY_AT_LEAST },
	{ "<=", ES_QUALITY_AT_MOST },
	{ ">", ES_QUALITY_ABOVE },
	{ "<", ES_QUALITY_BELOW },
};

int es_quality_parse(const char *what, const char *limit, struct es_quality *ret,
		     struct es_error *err)
{
	struct es_quality quality = { .what = what };
	const char *number = NULL;

	while (*limit == ' ')
		limit++;
	for (size_t i = 0; !number && i < ES_ARRAY_SIZE(signs); i++)
		if (strncmp(limit, signs[i].sign, strlen(signs[i].sign)) == 0) {
			quality.than = signs[i].than;
			number = limit + strlen(signs[i].sign);
		}
	while (number && *number == ' ')
		number++;
	if (!what[0] || !number || es_parse_double(number, &quality.limit) < 0)
		return es_error_say(
			err, -EINVAL,
			"--quality '%.60s' '%.60s': a column or command and a limit such as '>= 0.943' (or <=, >, <) are wanted",
			what, limit);
	*ret = quality;
	return 0;
}

bool es_quality_holds(const struct es_quality *quality, double value)
{
	switch (quality->than) {
	case ES_QUALITY_AT_LEAST:
		return value >= quality->limit;
	case ES_QUALITY_AT_MOST:
		return value <= quality->limit;
	case ES_QUALITY_ABOVE:
		return value > quality->limit;
	case ES_QUALITY_BELOW:
		return value < quality->limit;
	}
	return false;
}

static bool is_of_number(char c)
{
	return isdigit((unsigned char)c) || strchr("+-.eE", c) != NULL;
}

/* The number at the start of @n bytes: "0.95" of "0.95,", nothing of "1.2.3" or "3e". */
static bool take_number(const char *text, size_t n, double *ret)
{
	char digits[NUMBER_MAX_BYTES];

	while (n > 0 && strchr(".+-", text[n - 1]))
		n--;
	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return es_parse_double(digits, ret) == 0;
}

int es_quality_last_number(const char *text, size_t n, double *ret)
{
	bool is_found = false;

	for (size_t i = 0; i < n;) {
		size_t end = i;
		double value;

		/* "top5" and "v2" are names. */
		if (isalpha((unsigned char)text[i]) || text[i] == '_') {
			while (end < n && (isalnum((unsigned char)text[end]) || text[end] == '_'))
				end++;
			i = end;
			continue;
		}
		while (end < n && text[end] && is_of_number(text[end]))
			end++;
		if (end > i && take_number(text + i, end - i, &value)) {
			*ret = value;
			is_found = true;
		}
		i = end > i ? end : i + 1;
	}
	return is_found ? 0 : -ENODATA;
}

static _Noreturn void become(const char *command, const char *path, int out_fd)
{
	char script[ES_PATH_MAX_BYTES + 16];
	int n = snprintf(script, sizeof(script), "%s \"$@\"", command);

	if (n < (int)sizeof(script) && dup2(out_fd, STDOUT_FILENO) >= 0)
		(void)execl("/bin/sh", "sh", "-c", script, "sh", path, (char *)NULL);
	_exit(STATUS_NOT_EXECUTABLE);
}

/* Until the command's end; of what it prints the last bytes are kept. */
static size_t read_end(int fd, char *text)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, text + n, 2 * (size_t)KEPT_BYTES - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
		if (n > KEPT_BYTES) {
			memmove(text, text + n - KEPT_BYTES, KEPT_BYTES);
			n = KEPT_BYTES;
		}
	}
	return n;
}

static int settle(const struct es_quality *quality, const char *path, int status, const char *text,
		  size_t n, double *ret, struct es_error *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code == STATUS_NOT_FOUND || code == STATUS_NOT_EXECUTABLE)
		return es_error_say(err, -ENOENT, "--quality '%.200s': there is no such command",
				    quality->what);
	if (status != 0)
		return es_error_say(err, -ENODATA, "--quality '%.200s' '%.300s': it %s %d",
				    quality->what, path,
				    WIFEXITED(status) ? "ended with status" : "was ended by signal",
				    WIFEXITED(status) ? code : WTERMSIG(status));
	if (es_quality_last_number(text, n, ret) < 0)
		return es_error_say(err, -ENODATA,
				    "--quality '%.200s' '%.300s': no number is printed",
				    quality->what, path);
	return 0;
}

int es_quality_run(const struct es_quality *quality, const char *path, double *ret,
		   struct es_error *err)
{
	es_cleanup(es_freep) char *text = malloc(2 * (size_t)KEPT_BYTES);
	int fds[2], status = 0;
	size_t n;
	pid_t pid;

	if (!text || strlen(quality->what) >= ES_PATH_MAX_BYTES)
		return es_error_set(err, text ? -ENAMETOOLONG : -ENOMEM, "--quality");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return es_error_set(err, -errno, "--quality");
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(quality->what, path, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return es_error_set(err, -EAGAIN, "--quality: cannot start '%.200s'",
				    quality->what);
	}
	n = read_end(fds[0], text);
	(void)close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return settle(quality, path, status, text, n, ret, err);
}
