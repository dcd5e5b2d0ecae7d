/*
 * work_watch.h - processes beside the measuring one that follow a command's work
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_WATCH_H
#define ES_CLI_WORK_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/progress.h"
#include "cli/work_spec.h"

struct es_http_library;
struct es_work_regex;

/*
 * What counts work may have to wait: for the reader of the command's output, a file on a server, a web server. None of
 * that may delay a sweep, and a command's output must go on when the measuring process is killed. So each stream, file
 * and URL has a process of its own, which says by messages what it found.
 */

#define ES_WORK_NEWS_PERIOD_NS 100000000LL /* at most ten messages a second of each work */
#define ES_WORK_REMARK_MAX_BYTES 160U

/** struct es_work_news - a message; from the same program, so its bytes need no form */
struct es_work_news {
	uint32_t work; /* index of the spec */
	bool has_value, is_start, is_final;
	bool counts_from_start; /* before the first value it was 0, and not just unknown */
	int64_t first_ns, t_ns; /* when the first value and this one were seen, boot clock */
	int64_t sum_micro, last_micro;
	uint64_t n_restarts;
	int64_t cpu_ns; /* of the process so far */
	char remark[ES_WORK_REMARK_MAX_BYTES]; /* what was wrong, or why there is no value; "": nothing */
};

/* One byte to a watcher: the command has ended. It answers with a final message for each of its works. */
#define ES_WORK_END 'E'
/* One byte from the watcher of a stream, behind those: all of the output is with who reads it. */
#define ES_WORK_WRITTEN 'W'

/** struct es_work_teller - the watcher's end: what is to be said of one work, and when */
struct es_work_teller {
	int fd;
	uint32_t work;
	bool is_pending;
	int64_t next_ns; /* not before, monotonic clock */
	struct es_work_count count;
	int64_t first_ns, t_ns; /* of the first value and of the last change */
};

/** es_work_teller_value - a value was seen at @t_ns; -ERANGE as es_work_count_add(). Said at es_work_teller_flush() */
int es_work_teller_value(struct es_work_teller *teller, int64_t value_micro, int64_t t_ns);
/** es_work_teller_flush - say what is pending, if it is time; returns when it will be (INT64_MAX: nothing is pending) */
int64_t es_work_teller_flush(struct es_work_teller *teller, int64_t now_mono_ns);
/** es_work_teller_say - say it now; @remark: for the final message. 0, or negative errno: nobody listens */
int es_work_teller_say(struct es_work_teller *teller, bool is_start, bool is_final,
		       const char *remark);

/** struct es_work_watch - what one process watches; works that share a stream share a process */
struct es_work_watch {
	enum es_work_kind kind;
	const struct es_work_spec *specs[ES_WORKS_MAX];
	struct es_work_teller tellers[ES_WORKS_MAX];
	struct es_work_regex *regexes[ES_WORKS_MAX];
	size_t n;
	int in_fd, out_fd; /* of a stream: from the command, to who reads it */
	bool is_terminal;
	struct es_http_library *http;
	struct es_progress_screen
		*screen; /* of a terminal with a progress line; NULL: there is none */
	int report_fd; /* of the watcher */
};

/** struct es_work_process - a watch that has begun, as the measuring process sees it */
struct es_work_process {
	struct es_work_watch watch; /* its descriptors are the watcher's alone then */
	int fd; /* messages; -1: it has ended */
	int command_fd; /* of a stream: where the command is to write; -1: none, or given away */
	pid_t pid;
};

/** es_work_process_start - 0, or negative errno with @err; @process->watch is set but for its descriptors */
int es_work_process_start(struct es_work_process *process, struct es_error *err);

/** es_work_watch_wait - until something is said to the watcher, at most @wait_ms; true: it is to end */
bool es_work_watch_wait(const struct es_work_watch *watch, int wait_ms);

/* The watchers' lives; they return when they have nothing more to do. */
void es_work_stream_main(struct es_work_watch *watch);
void es_work_file_main(struct es_work_watch *watch);
void es_work_url_main(struct es_work_watch *watch);

#endif
