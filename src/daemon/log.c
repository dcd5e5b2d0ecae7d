/*
 * daemon/log.c - what an administrator should know, on stderr
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define AGAIN_NS (60 * ES_NS_PER_S)
#define LINE_MAX_BYTES \
	65536U /* all that is wrong with a configuration is one message of many lines */

const char *const es_log_level_names[] = {
	[ES_LOG_ERROR] = "error", [ES_LOG_WARNING] = "warning", [ES_LOG_NOTICE] = "notice",
	[ES_LOG_INFO] = "info",	  [ES_LOG_DEBUG] = "debug",	NULL,
};

/* Source: systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream that the journal reads. */
static bool is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(2, &st) == 0 &&
	       st.st_dev == (dev_t)device && st.st_ino == (ino_t)inode;
}

void es_log_init(struct es_log *log)
{
	*log = (struct es_log){ .most = ES_LOG_INFO, .is_journal = is_journal() };
}

/* A line is shorter than what there is room for where there is room at all: in a pipe a page, in a socket more. */
static bool would_wait(void)
{
	struct pollfd pollfd = { .fd = 2, .events = POLLOUT };

	return poll(&pollfd, 1, 0) == 0;
}

static void write_line(const struct es_log *log, enum es_log_level level, const char *line,
		       size_t n)
{
	/* Source: sd-daemon(3): SD_ERR 3, SD_WARNING 4, SD_NOTICE 5, SD_INFO 6, SD_DEBUG 7. */
	char head[32] = "energyscopiumd: ";
	char text[2048];
	int length;

	if (log->is_journal)
		(void)snprintf(head, sizeof(head), "<%d>", 3 + (int)level);
	length = snprintf(text, sizeof(text), "%s%.*s\n", head, (int)n, line);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(text)) {
		length = sizeof(text) - 1;
		text[length - 1] = '\n';
	}
	/* One write: lines of several writers do not mix. Nobody can be told that it failed. */
	(void)es_write_all(2, text, (size_t)length);
}

static void put_line(struct es_log *log, enum es_log_level level, const char *line, size_t n)
{
	if (log->n_unwritten && !would_wait()) {
		char words[64];
		int length = snprintf(words, sizeof(words), "(%llu lines before were not taken)",
				      (unsigned long long)log->n_unwritten);

		log->n_unwritten = 0;
		write_line(log, ES_LOG_WARNING, words, (size_t)length);
	}
	if (would_wait())
		log->n_unwritten++;
	else
		write_line(log, level, line, n);
}

__attribute__((format(printf, 4, 0))) static void
say(struct es_log *log, enum es_log_level level, uint64_t n_hidden, const char *fmt, va_list args)
{
	char *text = NULL;
	int n;

	log->n_said[level]++;
	if (level > log->most)
		return;
	n = vasprintf(&text, fmt, args);
	if (n < 0)
		return;
	es_text_make_safe(text, true);
	for (const char *p = text; *p && p - text < (ptrdiff_t)LINE_MAX_BYTES; p += *p == '\n') {
		size_t length = strcspn(p, "\n");

		put_line(log, level, p, length);
		p += length;
	}
	free(text);
	if (n_hidden) {
		char more[64];
		int length = snprintf(more, sizeof(more), "(%llu more like this were left out)",
				      (unsigned long long)n_hidden);

		put_line(log, level, more, (size_t)length);
	}
}

void es_log_say(struct es_log *log, enum es_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(log, level, 0, fmt, args);
	va_end(args);
}

void es_log_say_seldom(struct es_log *log, struct es_log_limit *limit, enum es_log_level level,
		       const char *fmt, ...)
{
	int64_t now_ns = es_clock_mono_ns();
	uint64_t n_hidden = limit->n_hidden;
	va_list args;

	if (limit->said_ns && now_ns - limit->said_ns < AGAIN_NS) {
		limit->n_hidden++;
		log->n_hidden++;
		return;
	}
	limit->said_ns = now_ns;
	limit->n_hidden = 0;
	va_start(args, fmt);
	say(log, level, n_hidden, fmt, args);
	va_end(args);
}
