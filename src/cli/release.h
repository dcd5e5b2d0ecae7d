/*
 * release.h - the recording's side of 'energyscopium node release': GPUs are let go for a while, and had again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RELEASE_H
#define ES_CLI_RELEASE_H

#include <stdbool.h>

#include "cli/measure.h"
#include "ipc/listener.h"

/** struct es_release - what a recording lets go, and until when */
struct es_release {
	struct es_measure_hook hook; /* has it again when the time is over */
	struct es_sampler *sampler; /* borrowed */
	const char *job; /* borrowed */
	bool is_released;
};

/** es_release_init - nothing is let go yet; borrows both as long as the measurement takes */
void es_release_init(struct es_release *release, struct es_sampler *sampler, const char *job);

/**
 * es_release_handle - a message that asks for it, or for the end of it
 * @recorder: gets the event; NULL: the recording has ended
 * @answer: ES_IPC_PENDING: the drivers are still being closed; the same message again asks how far it is
 */
void es_release_handle(struct es_release *release, struct es_recorder *recorder,
		       const struct es_ipc_peer *peer, const struct es_ipc_message *message,
		       struct es_ipc_message *answer);

#endif
