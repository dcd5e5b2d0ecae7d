/*
 * measure.h - measuring a command from just before its start to its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_MEASURE_H
#define ES_CLI_MEASURE_H

#include "base/error.h"
#include "record/recorder.h"
#include "sampler/sampler.h"

/** struct es_measured - how a measured command ended */
struct es_measured {
	int status; /* of waitpid */
	int exec_error; /* negative errno: it could not be started; nothing else is set then */
	int lost; /* negative errno: readings were lost for want of memory while the disk took nothing */
};

/**
 * es_measure - take the first readings, let the command run, sample until it ends, take the last readings
 * @sampler, @recorder: opened; borrowed. Survivors of the command are recorded by name.
 * Returns 0, or negative errno with @err: then the command was not started.
 */
int es_measure(struct es_sampler *sampler, struct es_recorder *recorder, int64_t period_ns,
	       char *const *command, struct es_measured *ret, struct es_error *err);

#endif
