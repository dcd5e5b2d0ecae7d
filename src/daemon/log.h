/*
 * daemon/log.h - what an administrator should know, on stderr
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * By the main thread alone. Where stderr is the journal, lines begin with the level as sd-daemon(3) has it. A reader of stderr that
 * hangs is not waited for: lines are left out, and counted.
 */
#ifndef ES_DAEMON_LOG_H
#define ES_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum es_log_level {
	ES_LOG_ERROR, /* something does not work that should */
	ES_LOG_WARNING, /* it works, worse than it should */
	ES_LOG_NOTICE, /* worth knowing */
	ES_LOG_INFO, /* jobs that begin and end, readers that come */
	ES_LOG_DEBUG,
	ES_N_LOG_LEVELS,
};

struct es_log {
	enum es_log_level most; /* nothing beyond it is said */
	bool is_journal;
	uint64_t n_said[ES_N_LOG_LEVELS], n_hidden;
	uint64_t n_unwritten; /* lines that nobody took, since the last one that was */
};

/** struct es_log_limit - one kind of message that may come often: one line a minute, with how many were left out */
struct es_log_limit {
	int64_t said_ns; /* monotonic clock; 0: never */
	uint64_t n_hidden;
};

extern const char *const es_log_level_names[]; /* ends with NULL */

void es_log_init(struct es_log *log);
void es_log_say(struct es_log *log, enum es_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void es_log_say_seldom(struct es_log *log, struct es_log_limit *limit, enum es_log_level level,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
