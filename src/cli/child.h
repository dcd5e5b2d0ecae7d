/*
 * child.h - a command that waits at a gate until its first reading is taken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CHILD_H
#define ES_CLI_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/** struct es_child - a forked process that has not yet become the command */
struct es_child {
	pid_t pid;
	int gate_fd;
	int error_fd; /* readable when it has become the command, or could not; -1: known */
	int signal_fd; /* SIGCHLD and the signals to pass on, blocked in this process */
	int64_t exec_ns; /* boot clock, just before it became the command; set once that is known */
	bool has_ended; /* and was waited for: its number may be another's now */
	bool was_asked_to_stop; /* one of SIGINT, SIGTERM, SIGHUP, SIGQUIT came, from wherever */
	/* SIGPIPE, SIGXFSZ and SIGCHLD as we were started with them. */
	struct sigaction old_pipe, old_xfsz, old_child;
};

struct es_inherited;

/** struct es_child_options - what the command gets in place of ours; borrowed, closed by who opened them */
struct es_child_options {
	int stdout_fd, stderr_fd; /* -1: ours */
	const struct es_inherited *inherited; /* nothing else of what is open; NULL: all that is */
};

/** es_child_signals - SIGCHLD and those that are passed on to a command */
void es_child_signals(sigset_t *ret);

/**
 * es_child_start - fork; the child waits. Signals that a command could get are blocked here from now on and read
 * from signal_fd; processes that the command leaves behind become our children, so that they can be named.
 * @options: NULL: the command gets what we have. Returns 0 or negative errno.
 */
int es_child_start(char *const *argv, const struct es_child_options *options, struct es_child *ret);

/** es_child_none - no command: only the signals that ask to stop, blocked and read as with one; 0 or negative errno */
int es_child_none(struct es_child *ret);

/** es_child_release - let it become the command; 0 or negative errno. Does not wait: es_child_started() tells. */
int es_child_release(struct es_child *child);
/** es_child_started - 1: it is the command now; 0: not yet known; or why it could not (-ENOENT, -EACCES …; it is gone then) */
int es_child_started(struct es_child *child);

/** es_child_cancel - end a child that was not released */
void es_child_cancel(struct es_child *child);

/**
 * es_child_handle - take what signal_fd has: pass signals on, reap
 * Returns 1 with *ret_status (of waitpid) when the command has ended, else 0.
 */
int es_child_handle(struct es_child *child, int *ret_status);

/** es_child_exit_status - as a shell says it: the code, or 128 + signal */
int es_child_exit_status(int status);

/** es_child_survivor_fn - told of a process the command left behind */
typedef void (*es_child_survivor_fn)(void *arg, pid_t pid, const char *name);
void es_child_survivors(const struct es_child *child, es_child_survivor_fn tell, void *arg);

void es_child_finish(struct es_child *child);

/** es_close_between - descriptors @first to @last, open or not; on kernels before 5.9 those below 65536 */
void es_close_between(unsigned first, unsigned last);

#endif
