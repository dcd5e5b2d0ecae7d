/*
 * doctor_daemon.h - the daemon of this node, as doctor sees it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DOCTOR_DAEMON_H
#define ES_CLI_DOCTOR_DAEMON_H

#include <stdbool.h>

#include "cli/doctor.h"

/** struct es_doctor_daemon - what is known already; texts borrowed */
struct es_doctor_daemon {
	const char *named; /* --daemon; NULL: where it is found */
	bool has_root; /* a tree stands for the machine: only a daemon that is named, here or by the environment, is its */
	bool is_needed; /* this user may not read the meters */
};

/** es_doctor_check_daemon - whether it runs, answers, what it shows this user and why, and which meters it cannot read */
void es_doctor_check_daemon(const struct es_doctor_daemon *about, struct es_findings *findings);

#endif
