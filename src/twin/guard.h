/*
 * guard.h - a process that takes a twin's mount away when the twin dies, however it does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_GUARD_H
#define ES_TWIN_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

/** struct es_twin_guard - what it looks after */
struct es_twin_guard {
	const char *path; /* of the mount */
	pid_t server; /* its child, which serves the mount */
	int up_fd; /* a byte comes from it when files can be read, the end when it never will be so */
	int ready_fd; /* who waits for that is told "up" here; -1: nobody */
	bool stays_in_foreground; /* keeps standard error */
};

/** es_twin_be_silent - what is said on standard error from now on goes nowhere */
void es_twin_be_silent(void);
/** es_twin_guard_signals - block those that it waits for; before the server is forked, which is to unblock them again */
void es_twin_guard_signals(void);
/** es_twin_guard - with the place of the mount locked, until the server has ended and nothing of it is mounted; the exit status: the server's, 1 where a signal killed it */
int es_twin_guard(const struct es_twin_guard *guard);

#endif
