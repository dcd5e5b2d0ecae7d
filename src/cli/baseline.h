/*
 * baseline.h - what the meters show while no command runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_BASELINE_H
#define ES_CLI_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/recorder.h"
#include "sampler/sampler.h"

#define ES_BASELINE_DOMAINS_MAX 256U

/** struct es_baseline - mean powers over some time; plain data, so that processes can share it */
struct es_baseline {
	bool is_known;
	size_t n;
	struct {
		char id[ES_NAME_MAX_BYTES];
		uint64_t power_mw;
	} domains[ES_BASELINE_DOMAINS_MAX];
};

/**
 * es_baseline_measure - read every meter for @dur_ns, and wait that long
 * @sampler: opened, and not between its start and its stop
 * @stop_fd: -EINTR as soon as it can be read from; -1: nothing ends it early
 * Returns 0 or negative errno; domains beyond the limit or without two readings, and counters that stood still,
 * are left out.
 */
int es_baseline_measure(struct es_sampler *sampler, int64_t dur_ns, int stop_fd,
			struct es_baseline *ret);

/** es_baseline_record - the events of a baseline; 0 or negative errno */
int es_baseline_record(const struct es_baseline *baseline, bool is_before,
		       struct es_recorder *recorder);

#endif
