/*
 * top_meter.h - what energyscopium top shows, gathered from frame to frame
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TOP_METER_H
#define ES_CLI_TOP_METER_H

#include "base/error.h"
#include "cli/meters.h"
#include "cli/through.h"
#include "cli/top_frame.h"
#include "core/cover.h"

struct es_top_meter;

/** struct es_top_options - whose machine, and how often; texts borrowed */
struct es_top_options {
	const char *root; /* NULL: this machine */
	const char *daemon; /* --daemon; NULL: where it is needed */
	int64_t as_uid; /* -1: nobody else */
	int64_t period_ns; /* of readings */
	enum es_psys_policy psys;
	struct es_meters meters; /* that the user named; owned by who fills it in */
	bool shows_all; /* every domain that can be read, not only the covers */
};

/** es_top_meter_create - open the meters and take a first reading; owned by caller. 0 or negative errno with @err */
int es_top_meter_create(const struct es_top_options *options, struct es_top_meter **ret,
			struct es_error *err);
void es_top_meter_destroy(struct es_top_meter *meter);

void es_top_meter_show_all(struct es_top_meter *meter, bool shows_all);
/** es_top_meter_read - one more reading of everything; it becomes part of the histories */
void es_top_meter_read(struct es_top_meter *meter);
/** es_top_meter_frame - what was read since the last frame; @ret borrows from @meter until the next one */
void es_top_meter_frame(struct es_top_meter *meter, struct es_top_frame *ret);

#endif
