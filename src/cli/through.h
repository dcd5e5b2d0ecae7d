/*
 * through.h - the meters of this node through its daemon, for who may not read them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_THROUGH_H
#define ES_CLI_THROUGH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "format/report_daemon.h"
#include "record/recorder.h"
#include "sampler/sampler.h"

/** struct es_through - whether and how the daemon is read; zero-initialise */
struct es_through {
	struct es_report_daemon note; /* is_used: it is */
	struct es_error
		why; /* else, with a text: why one that is there cannot be, in words for the user */
};

/**
 * es_through_open - read through the daemon what cannot be read here, or all of it where the user named the daemon
 * @command: who says on stderr that it waits
 * @named: --daemon: path of its socket, "none", or NULL: it is looked for where the user may not read the meters
 * @has_root: a tree stands for the machine: its daemon is used only where it is named, or ENERGYSCOPIUM_DAEMON set
 * @period_ns: between readings, as planned
 * @sampler: its own meters of the same parts are put aside; domains borrowed before are no longer valid
 *
 * A daemon that does not answer within a second is measured without; where it was named that is said, and it is waited for 4 s more.
 * Meters that the user named stay. Returns 0, also where no daemon is used; -EINVAL, -ENAMETOOLONG: wrong usage or
 * configuration; where the daemon was named, any error of its connection.
 */
int es_through_open(const char *command, const char *named, bool has_root, int64_t period_ns,
		    struct es_sampler *sampler, struct es_through *ret, struct es_error *err);

/** es_through_tell - one line on stderr where a daemon is there and shows nothing: why, and what happens now */
void es_through_tell(const char *command, const struct es_through *through);

/** es_through_row - what there is to say of the daemon, behind @label in a column @width wide; nothing where there is none */
void es_through_row(const struct es_through *through, const char *label, int width,
		    struct es_buf *out);

/** es_through_record - the event of a recording, where a daemon is used; 0 or negative errno */
int es_through_record(const struct es_through *through, struct es_recorder *recorder);

#endif
