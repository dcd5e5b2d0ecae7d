/*
 * daemon/statefile.h - what outlives a kill, written every second without waiting for a disk
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Two files that are written in turn, each with its number and a checksum: a kill in the middle of one leaves the other.
 */
#ifndef ES_DAEMON_STATEFILE_H
#define ES_DAEMON_STATEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define ES_STATE_FILE_MAX_BYTES (16U << 20)

/** struct es_state_file - zeroed: closed */
struct es_state_file {
	int fds[2];
	uint64_t number; /* of the one written last */
	bool is_open;
};

/** es_state_file_open - @folder/state.0 and .1, made where they are not there; 0, errors of open */
int es_state_file_open(const char *folder, struct es_state_file *ret, struct es_error *err);
void es_state_file_close(struct es_state_file *file);

/** es_state_file_read - the newer of the two that is whole, appended to @out; 0, -ENOENT: neither is, errors of read */
int es_state_file_read(struct es_state_file *file, struct es_buf *out);
/** es_state_file_write - 0 or errors of write */
int es_state_file_write(struct es_state_file *file, const void *data, size_t n);

#endif
