/*
 * several.h - the recordings that a user means: files, jobs, folders of a job's nodes, or those of this node's daemon
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SEVERAL_H
#define ES_CLI_SEVERAL_H

#include "cli/output.h"

/** struct es_several - what was named on the command line; borrowed */
struct es_several {
	char *const *whats; /* [n] */
	size_t n;
	const char *job; /* of a folder with recordings of several; NULL: it has one */
	const char *daemon; /* option --daemon */
};

/**
 * es_several_open - open them, join those of a job's nodes, and make the report
 *
 * One file, or the name of a job in the folder of the settings: that. A job that is not there: what this node's daemon has of
 * it. A folder: its *.esr, and those in its folder "jobs". Of several starts of a job the last one counts.
 * Returns 0, or negative errno with @err.
 */
int es_several_open(const struct es_several *several, struct es_chain *chain,
		    struct es_outcome *ret, struct es_error *err);

#endif
