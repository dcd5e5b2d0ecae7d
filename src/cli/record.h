/*
 * record.h - what the parts of energyscopium record share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RECORD_H
#define ES_CLI_RECORD_H

#include "cli/chain.h"
#include "cli/control.h"
#include "cli/run.h"

/** struct es_record - options of all actions */
struct es_record {
	struct es_run run; /* of start */
	struct es_chain chain; /* of stop */
	bool wants_json;
};

/** es_record_start - returns when the first readings are taken, with an exit status; in the process that records: at its end */
int es_record_start(struct es_record *record);
/** es_record_stop - @job: NULL: the only one; returns an exit status */
int es_record_stop(struct es_record *record, const char *job);
int es_record_status(const struct es_record *record);

/** es_record_put_json - one object to stdout; ES_EXIT_OK, or ES_EXIT_FAILURE with a complaint */
int es_record_put_json(const struct es_control_recording *recordings, size_t n);

#endif
