/*
 * explore_log.c - the last words of a command that failed, without the report of its measurement around them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/explore.h"
#include "cli/progress.h"

#define TAIL_BYTES 16384 /* a report, and what was said before and behind it */
#define TAIL_LINES 5U
#define REPORT_HEAD "energyscopium jobid<"

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The job line and the table below it, whose lines are indented, in place. */
static void cut_report(char *text)
{
	char *to = text;
	bool is_in_report = false;

	for (char *line = text, *next; *line; line = next) {
		size_t n = strcspn(line, "\n");

		n += line[n] == '\n';
		next = line + n;
		is_in_report = begins_with(line, REPORT_HEAD) ||
			       (is_in_report && begins_with(line, "  "));
		if (is_in_report)
			continue;
		memmove(to, line, n);
		to += n;
	}
	*to = '\0';
}

/* "": nothing that can be read */
static const char *read_last(const char *path, char text[static TAIL_BYTES + 1])
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	ssize_t n = size > 0
			    ? pread(fd, text, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0)
			    : 0;
	size_t len, n_lines = 0;

	text[n > 0 ? n : 0] = '\0';
	/* What cannot be shown must not hide what follows it. */
	for (ssize_t i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : ' ';
	cut_report(text);
	len = strlen(text);
	while (len > 0 && strchr(" \n\r", text[len - 1]))
		text[--len] = '\0';
	for (size_t i = len; i-- > 0;)
		if (text[i] == '\n' && ++n_lines == TAIL_LINES)
			return text + i + 1;
	return text;
}

void es_explore_log_tell(const char *log, const char *out)
{
	char text[TAIL_BYTES + 1];
	const char *path = log, *last = read_last(log, text);

	if (!*last && out) {
		path = out;
		last = read_last(out, text);
	}
	if (!*last)
		return;
	es_text_make_safe(text, true);
	if (isatty(STDERR_FILENO))
		(void)fputs(ES_PROGRESS_ERASE, stderr);
	(void)fprintf(stderr, "%s\n(%s)\n", last, path);
}
